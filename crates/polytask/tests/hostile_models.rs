//! Models from elsewhere whose checksums are right and whose contents are not: whatever is changed in a model directory, to read
//! it and to predict with it ends in a prediction or in an error, never in a panic.
//!
//! `POLYTASK_MUTATIONS` says how many changed models of each family are tried, instead of a few hundred.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::Noise;
use common::mutate::{Draw, change, strings};
use polytask::Experiment;
use polytask::config::Config;
use polytask::model::Model;
use polytask::output::{Beside, Rows, Tokens};
use polytask_data::ReadOptions;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Changed models of each family.
const MUTATIONS: usize = 320;

/// What the last panic said, in whichever thread.
static SAID: Mutex<String> = Mutex::new(String::new());

/// A valid model and what it predicts for.
struct Subject {
    model: Value,
    tensors: Vec<u8>,
    data: PathBuf,
    _folder: tempfile::TempDir,
}

impl Subject {
    /// A model of this config, fitted on `rows`.
    fn new(sections: &str, rows: &[Value]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data.jsonl");
        let lines = |rows: &[Value]| rows.iter().map(|row| format!("{row}\n")).collect::<String>();
        std::fs::write(&data, lines(rows)).unwrap();
        let text = format!("[data]\npath = \"data.jsonl\"\nsplit = {{ valid = 0.2, test = 0 }}\n{sections}");
        let config = Config::from_toml(&text, folder.path().join("config.toml").to_str().unwrap()).unwrap();
        let run = Experiment::new(config).fit(&mut ()).unwrap_or_else(|error| panic!("{sections}: {error}"));
        run.model().save(&folder.path().join("model")).unwrap();
        let read = |name: &str| std::fs::read(folder.path().join("model").join(name)).unwrap();
        let model = serde_json::from_slice(&read("model.json")).unwrap();
        let tensors = read("model.safetensors");
        let data = folder.path().join("few.jsonl");
        std::fs::write(&data, lines(&rows[..6])).unwrap();
        Subject { model, tensors, data, _folder: folder }
    }

    /// What a model says of the rows, and of itself.
    fn predict(&self, model: &Model) -> Result<(), String> {
        let options = ReadOptions { max_cells: Some(10_000), ..model.read_options() };
        let table = polytask_data::read(&self.data, &options).map_err(|error| error.to_string())?;
        let predictions = model.predict(&table).map_err(|error| error.to_string())?;
        let tokens = Tokens::read(model, &table).map_err(|error| error.to_string())?;
        let masks = vec![Vec::new(); predictions.len()];
        let beside = Beside { probabilities: true, ..Beside::default() };
        let rows = Rows {
            model,
            files: None,
            predictions: &predictions,
            tokens: &tokens,
            masks: &masks,
            failed: None,
            beside,
        };
        rows.jsonl().map_err(|error| error.to_string())?;
        drop(model.trees_as_text(2));
        model.notes(&table).map_err(|error| error.to_string())?;
        model.evaluate(&table).map(|_| ()).map_err(|error| error.to_string())
    }

    /// Reads what has been changed, with checksums that are right.
    fn read(&self, model: &Value, tensors: &[u8]) -> Result<Model, String> {
        let mut file = self.model.clone();
        file["model"] = model.clone();
        file["checksum"] = json!({
            "model": crc32fast::hash(model.to_string().as_bytes()),
            "tensors": crc32fast::hash(tensors),
        });
        let read = || Ok(tensors.to_vec());
        Model::decode(Path::new("model.json"), &file.to_string(), read).map_err(|error| error.to_string())
    }

    /// Tries changed models; the panics, and how many could be read.
    fn run(&self, count: usize, seed: u64) -> (Vec<String>, usize) {
        let model = &self.model["model"];
        self.predict(&self.read(model, &self.tensors).unwrap()).unwrap();
        let (mut panics, mut good) = (Vec::new(), 0);
        let words = strings(model);
        for i in 0..count {
            let mut draw = Draw(Noise(seed.wrapping_mul(1_000_003).wrapping_add(i as u64)));
            let (mut changed, mut tensors, mut said) = (model.clone(), self.tensors.clone(), Vec::new());
            for _ in 0..1 + draw.below(2) {
                match draw.below(5) {
                    0 => said.push(change_tensors(&mut tensors, &mut draw)),
                    _ => said.push(change(&mut changed, &words, &mut draw)),
                }
            }
            if std::env::var_os("POLYTASK_MUTATIONS_SHOWN").is_some() {
                eprintln!("{i}: {}", said.join("; "));
            }
            let tried = catch_unwind(AssertUnwindSafe(|| {
                let model = self.read(&changed, &tensors)?;
                Ok::<_, String>(self.predict(&model).is_ok())
            }));
            match tried {
                Ok(Ok(_)) => good += 1,
                Ok(Err(_)) => {}
                Err(_) => panics.push(format!("{i}: {}: {}", said.join("; "), SAID.lock().unwrap())),
            }
        }
        (panics, good)
    }
}

/// Changes the shape, the type or the numbers of one array, takes one away or adds one.
fn change_tensors(file: &mut Vec<u8>, draw: &mut Draw) -> String {
    struct Array {
        name: String,
        dtype: Dtype,
        shape: Vec<usize>,
        data: Vec<u8>,
    }
    let Ok(read) = SafeTensors::deserialize(file) else { return "nothing".to_owned() };
    let own = |(name, view): (&str, TensorView<'_>)| Array {
        name: name.to_owned(),
        dtype: view.dtype(),
        shape: view.shape().to_vec(),
        data: view.data().to_vec(),
    };
    let mut all: Vec<Array> = read.iter().map(own).collect();
    all.sort_by(|a, b| a.name.cmp(&b.name));
    if all.is_empty() {
        return "nothing".to_owned();
    }
    let at = draw.below(all.len());
    let (how, array) = (draw.below(9), &mut all[at]);
    let said = format!("array {} {:?} {:?}, way {how}", array.name, array.dtype, array.shape);
    let words = array.data.len() / 4;
    match how {
        0 => array.shape.reverse(),
        1 => array.shape = vec![words],
        2 => array.shape.push(1),
        3 => {
            array.data.truncate(4 * words.saturating_sub(1));
            array.shape = vec![words.saturating_sub(1)];
        }
        4 => {
            array.data.extend([0; 4]);
            array.shape = vec![words + 1];
        }
        5 => array.dtype = *draw.of(&[Dtype::F32, Dtype::U32, Dtype::I32]),
        6 => array.name.push('x'),
        7 => drop(all.remove(at)),
        _ => {
            let extremes: [[u8; 4]; 8] = [
                0u32.to_le_bytes(),
                1u32.to_le_bytes(),
                u32::MAX.to_le_bytes(),
                i32::MIN.to_le_bytes(),
                f32::NAN.to_le_bytes(),
                f32::INFINITY.to_le_bytes(),
                f32::MAX.to_le_bytes(),
                1000u32.to_le_bytes(),
            ];
            for _ in 0..1 + draw.below(3) {
                let place = 4 * draw.below(words.max(1));
                if let Some(word) = array.data.get_mut(place..place + 4) {
                    let extreme: &[u8; 4] = draw.of(&extremes);
                    word.copy_from_slice(extreme);
                }
            }
        }
    }
    let views: Result<Vec<_>, _> = all
        .iter()
        .map(|array| TensorView::new(array.dtype, array.shape.clone(), &array.data).map(|view| (&array.name, view)))
        .collect();
    *file = safetensors::serialize(views.unwrap(), None).unwrap();
    said
}

/// A row of numbers, words and dates, with labels of all kinds that a table has.
fn table_row(i: usize, noise: &mut Noise) -> Value {
    let mut below = |n: usize| (noise.next() * n as f64) as usize;
    json!({
        "x": below(1000) as f64 / 100.0,
        "gap": (if i.is_multiple_of(5) { Value::Null } else { json!(below(100)) }),
        "on": below(2) == 1,
        "color": (["red", "green", "blue"][below(3)]),
        "city": format!("city {}", below(14)),
        "when": format!("2024-{:02}-{:02} {:02}:00", 1 + i % 12, 1 + i % 28, i % 24),
        "size": below(1000) as f64 / 100.0,
        "warm": (["no", "yes"][i % 2]),
        "grade": (["low", "middle", "high"][i % 3]),
        "visits": i % 4,
        "genres": (["a", "a|b", "b|c"][i % 3]),
    })
}

/// A sentence of one to six tokens with labels of all kinds that sentences have.
fn text_row(i: usize, noise: &mut Noise) -> Value {
    let mut below = |n: usize| (noise.next() * n as f64) as usize;
    let length = 1 + (i * 5 + below(2)) % 6;
    let tokens: Vec<&str> = (0..length).map(|_| ["go", "to", "Oslo", "in", "May", "now"][below(6)]).collect();
    let slots: Vec<&str> = tokens.iter().map(|token| if *token == "Oslo" { "B-place" } else { "O" }).collect();
    let upos: Vec<&str> = tokens.iter().map(|token| if token.len() == 2 { "X" } else { "NOUN" }).collect();
    let frame = json!({
        "pred": length / 2,
        "roleset": (["go.01", "go.02", "be.01"][below(3)]),
        "args": [[(["ARG0", "ARG1"][below(2)]), length - 1, length - 1]],
    });
    json!({
        "tokens": tokens,
        "x": below(10),
        "slots": slots,
        "upos": upos,
        "frames": [frame],
        "head": (0..length).collect::<Vec<_>>(),
        "deprel": (0..length).map(|t| if t == 0 { "root" } else { ["det", "obj"][below(2)] }).collect::<Vec<_>>(),
        "warm": (["no", "yes"][i % 2]),
    })
}

fn rows(count: usize, row: fn(usize, &mut Noise) -> Value) -> Vec<Value> {
    let mut noise = Noise(17);
    (0..count).map(|i| row(i, &mut noise)).collect()
}

const TASKS: &str = "[tasks.size]\n[tasks.warm]\nkind = \"binary\"\n[tasks.grade]\nkind = \"category\"\n[tasks.visits]\n\
                     kind = \"count\"\n[tasks.genres]\nkind = \"multilabel\"\n";
const INPUTS: &str = "[inputs]\nx = \"number\"\ngap = \"number\"\non = \"boolean\"\ncolor = \"category\"\n\
                      city = { kind = \"category\", embedding = 3 }\nwhen = \"date\"\n";

fn subjects() -> Vec<(&'static str, Subject)> {
    let table = rows(40, table_row);
    let plain = "[tasks.size]\n[tasks.warm]\nkind = \"binary\"\n[tasks.grade]\nkind = \"category\"\n";
    let few = "[train]\nepochs = 2\n";
    let network = |model: &str| Subject::new(&format!("{INPUTS}{TASKS}[model]\n{model}\n{few}"), &table);
    let text = format!(
        "[inputs]\ntokens = {{ kind = \"text\", embedding = 4, min_count = 1, subwords = 12 }}\nx = \"number\"\n[tasks.slots]\nkind = \"tags\"\n\
         loss = \"crf\"\n[tasks.upos]\nkind = \"token_category\"\n[tasks.predicates]\ncolumn = \"frames\"\n\
         kind = \"predicates\"\n[tasks.senses]\ncolumn = \"frames\"\nkind = \"senses\"\nwidth = 4\n[tasks.roles]\n\
         column = \"frames\"\nkind = \"roles\"\nwidth = 4\n[tasks.arcs]\nkind = \"arcs\"\nwidth = 4\n\
         columns = [\"head\", \"deprel\"]\n[tasks.warm]\nkind = \"binary\"\n[model]\ntrunk = [6]\n\
         text = {{ encoder = \"transformer\", width = 8 }}\n{few}"
    );
    let images = tempfile::tempdir().unwrap();
    let folder = images.path().to_owned();
    let image_rows: Vec<Value> = (0..24)
        .map(|i| {
            let pixels: Vec<u16> = (0..36).map(|p| ((p * 7 + i * 31) % 256) as u16).collect();
            let file = folder.join(format!("{i}.png"));
            std::fs::write(&file, polytask_data::image::write_mask(&pixels, [6, 6]).unwrap()).unwrap();
            let (mask, depth) = (pixels.iter().map(|p| p / 90), pixels.iter().map(|p| f64::from(*p) * 0.5));
            json!({ "image": file.to_str().unwrap(), "x": i, "warm": (["no", "yes"][i % 2]),
                    "mask": mask.collect::<Vec<_>>(), "depth": depth.collect::<Vec<_>>() })
        })
        .collect();
    let image = format!(
        "[inputs]\nimage = \"image\"\nx = \"number\"\n[tasks.warm]\nkind = \"binary\"\n[tasks.mask]\nkind = \"segmentation\"\n\
         [tasks.depth]\nkind = \"pixel_regression\"\n[model]\ntrunk = [{{ conv = 4, norm = \"batch\" }}, {{ conv = 4, pool = 2 }}]\n{few}"
    );
    let image = Subject::new(&image, &image_rows);
    // The pictures are read again by every changed model.
    std::mem::forget(images);
    let family = |family: &str| Subject::new(&format!("{INPUTS}{TASKS}[model]\n{family}\n"), &table);
    vec![
        ("network", network("trunk = [6]\nhead = [4]\nactivation = \"tanh\"")),
        (
            "experts",
            network(
                "trunk = [4]\nsharing = { method = \"mmoe\", experts = 2 }\nnumbers = { scale = \"robust\", embedding = \"bins\", bins = 4 }",
            ),
        ),
        ("text", Subject::new(&text, &rows(30, text_row))),
        ("image", image),
        ("linear", Subject::new(&format!("{INPUTS}{plain}[model]\nsharing = \"linear\"\n"), &table)),
        ("trees", family("family = \"trees\"\ntrees = { trees = 4, leaves = 4, sharing = \"partial\" }")),
        ("forest", family("family = \"trees\"\ntrees = { method = \"forest\", trees = 3, leaves = 4 }")),
        ("ensemble", family("preset = \"fast\"\ntime = 2")),
    ]
}

#[test]
fn whatever_a_model_holds_it_is_used_or_refused() {
    let count = std::env::var("POLYTASK_MUTATIONS").ok().and_then(|text| text.parse().ok()).unwrap_or(MUTATIONS);
    let seed = std::env::var("POLYTASK_MUTATIONS_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(1);
    let subjects = subjects();
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(|info| *SAID.lock().unwrap() = info.to_string()));
    let mut panics = Vec::new();
    for (name, subject) in &subjects {
        let began = std::time::Instant::now();
        let (own, good) = subject.run(count, seed);
        eprintln!("{name}: {good} of {count} changed models were read, {} panics, {:.1?}", own.len(), began.elapsed());
        panics.extend(own.into_iter().map(|panic| format!("{name} {panic}")));
    }
    std::panic::set_hook(before);
    let shown = panics.iter().take(40).cloned().collect::<Vec<_>>().join("\n");
    assert!(panics.is_empty(), "{} panics:\n{shown}", panics.len());
}
