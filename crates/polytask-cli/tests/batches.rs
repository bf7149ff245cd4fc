//! A row is predicted alike alone, among others and beside other requests, by the library, by what `predict` writes, by the
//! server and in ONNX Runtime: every kind of task on every kind of input and encoder. The kinds are those of the config's
//! schema, so that one without a case here fails.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the data of a test is known to be there")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use polytask::config::Config;
use polytask::model::{self, Body, Model, Network, Predictor};
use polytask::output::{Beside, Masks, Rows, Tokens};
use polytask::tasks::Prediction;
use polytask::{prepare, share};
use polytask_data::Table;
use polytask_export::Format;
use polytask_graph::{ParameterId, Role};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

const ROWS: usize = 12;
/// Sides of an image.
const SIDE: usize = 6;

/// A generator of numbers in [0, 1); the same everywhere.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> f64 {
        // Knuth's MMIX constants; the upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// The words that the config may have for a kind.
fn words(kind: &str) -> Vec<String> {
    fn collect(schema: &Value, found: &mut Vec<String>) {
        match schema {
            Value::Object(object) => {
                found.extend(object.get("const").and_then(Value::as_str).map(str::to_owned));
                let all = object.get("enum").and_then(Value::as_array);
                found.extend(all.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned));
                object.values().for_each(|value| collect(value, found));
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    collect(&Config::schema()["$defs"][kind], &mut found);
    assert!(found.len() > 1, "the schema lists the words of {kind}");
    found
}

/// What a kind of task reads, and its sections of the config, one after the other.
enum Case {
    Rows(&'static [&'static str]),
    Tokens(&'static [&'static str]),
    Pixels(&'static [&'static str]),
}

fn case(kind: &str) -> Case {
    match kind {
        "regression" => Case::Rows(&["[tasks.size]\nkind = \"regression\""]),
        "binary" => Case::Rows(&["[tasks.warm]\nkind = \"binary\""]),
        "category" => Case::Rows(&["[tasks.grade]\nkind = \"category\""]),
        "ordinal" => Case::Rows(&["[tasks.visits]\nkind = \"ordinal\""]),
        "survival" => Case::Rows(&["[tasks.size]\nkind = \"survival\"\ncolumns = [\"visits\", \"warm\"]"]),
        "count" => Case::Rows(&["[tasks.visits]\nkind = \"count\""]),
        "multilabel" => Case::Rows(&["[tasks.genres]\nkind = \"multilabel\""]),
        "tags" => Case::Tokens(&[
            "[tasks.slots]\nkind = \"tags\"",
            "[tasks.slots]\nkind = \"tags\"\nloss = \"crf\"",
            "[tasks.slots]\nkind = \"tags\"\nloss = \"crf\"\n[tasks.upos]\nkind = \"token_category\"\n[tasks.size]",
        ]),
        "token_category" => Case::Tokens(&["[tasks.upos]\nkind = \"token_category\""]),
        "predicates" => Case::Tokens(&["[tasks.frames]\nkind = \"predicates\""]),
        "senses" => Case::Tokens(&["[tasks.frames]\nkind = \"senses\"\nwidth = 4"]),
        "roles" => Case::Tokens(&[
            "[tasks.frames]\nkind = \"roles\"\nwidth = 4",
            "[tasks.frames]\nkind = \"roles\"\nwidth = 4\nloss = \"softmax\"",
        ]),
        "arcs" => Case::Tokens(&["[tasks.tree]\nkind = \"arcs\"\nwidth = 4\ncolumns = [\"head\", \"deprel\"]"]),
        "segmentation" => Case::Pixels(&["[tasks.mask]\nkind = \"segmentation\""]),
        "pixel_regression" => Case::Pixels(&["[tasks.depth]\nkind = \"pixel_regression\""]),
        other => panic!("a kind of task without a case here: {other}"),
    }
}

/// Each kind of input, with every encoder that there is for it: what the config has of them, before and in `[model]`.
fn encoders(kind: &str) -> Vec<(String, String)> {
    let plain = |line: &str| vec![(line.to_owned(), "trunk = [8]\nhead = [5]\nactivation = \"tanh\"".to_owned())];
    match kind {
        "number" => plain("x = \"number\""),
        "category" => plain("color = \"category\"\nx = \"number\""),
        "boolean" => plain("on = \"boolean\"\nx = \"number\""),
        "date" => plain("when = \"date\"\nx = \"number\""),
        "text" => {
            let line = "tokens = { kind = \"text\", embedding = 6, min_count = 1 }\nx = \"number\"";
            let encoders = words("TextEncoder").into_iter().map(|encoder| {
                (line.to_owned(), format!("trunk = [8]\ntext = {{ encoder = \"{encoder}\", width = 8 }}"))
            });
            let pools = words("TextPool")
                .into_iter()
                .map(|pool| (line.to_owned(), format!("trunk = []\ntext = {{ pool = \"{pool}\", width = 8 }}")));
            let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../polytask/tests/fixtures/encoders/bert");
            let keys = ["words = true", "train = \"full\", rate = 1", "train = 1, pooling = \"cls\", words = true"];
            let pretrained = keys.map(|keys| {
                let line = format!("tokens = {{ kind = \"text\", encoder = {{ pretrained = \"{folder}\", {keys} }} }}");
                (line + "\nx = \"number\"", "trunk = [8]\ntext = { width = 8 }".to_owned())
            });
            encoders.chain(pools).chain(pretrained).collect()
        }
        "image" => [
            "trunk = [{ conv = 4, size = 3 }, { conv = 4, size = 3, pool = 2 }]\nhead = [5]",
            "trunk = [{ conv = 4, norm = \"batch\" }]",
        ]
        .map(|model| ("image = \"image\"".to_owned(), model.to_owned()))
        .to_vec(),
        other => panic!("a kind of input without a case here: {other}"),
    }
}

/// A sentence of one to six tokens, a row of numbers, an image, and labels of all kinds for each.
fn row(folder: &Path, i: usize, noise: &mut Noise) -> Value {
    let mut below = |n: usize| (noise.next() * n as f64) as usize;
    let length = 1 + (i * 5 + below(2)) % 6;
    let tokens: Vec<&str> = (0..length).map(|_| ["go", "to", "Oslo", "in", "May", "no"][below(6)]).collect();
    let slots: Vec<&str> = tokens
        .iter()
        .map(|token| match *token {
            "Oslo" => "B-place",
            "May" => "B-time",
            _ => "O",
        })
        .collect();
    let upos: Vec<&str> = tokens.iter().map(|token| if token.len() == 2 { "X" } else { "NOUN" }).collect();
    let predicates = [0, length / 2].into_iter().collect::<BTreeSet<usize>>();
    let frames: Vec<Value> = predicates
        .iter()
        .map(|&at| {
            let (sense, role) = (["go.01", "go.02", "be.01"][below(3)], ["ARG0", "ARG1"][below(2)]);
            json!({ "pred": at, "roleset": sense, "args": [[role, length - 1, length - 1]] })
        })
        .collect();
    let pixels: Vec<u16> = (0..SIDE * SIDE).map(|_| below(256) as u16).collect();
    let image = folder.join(format!("{i}.png"));
    std::fs::write(&image, polytask_data::image::write_mask(&pixels, [SIDE, SIDE]).unwrap()).unwrap();
    json!({
        "x": below(1000) as f64 / 100.0,
        "color": (["red", "green", "blue"][below(3)]),
        "when": format!("2024-{:02}-{:02} {:02}:00", 1 + i % 12, 1 + i % 28, i % 24),
        "on": below(2) == 1,
        "tokens": tokens,
        "image": image.to_str().unwrap(),
        "size": below(1000) as f64 / 100.0,
        "warm": (["no", "yes"][i % 2]),
        "grade": (["low", "middle", "high"][i % 3]),
        "visits": i % 4,
        "genres": (["a", "a|b", "b|c"][i % 3]),
        "slots": slots,
        "upos": upos,
        "frames": frames,
        "head": (0..length).collect::<Vec<_>>(),
        "deprel": (0..length).map(|t| if t == 0 { "root" } else { ["det", "obj"][below(2)] }).collect::<Vec<_>>(),
        "mask": pixels.iter().map(|light| light / 90).collect::<Vec<_>>(),
        "depth": pixels.iter().map(|light| f64::from(*light) * 0.5).collect::<Vec<_>>(),
    })
}

/// Rows in a folder, models of them, and what is to be asked of ONNX Runtime.
struct Data {
    folder: tempfile::TempDir,
    rows: Vec<Value>,
    exported: Exported,
}

/// Models in ONNX, a folder each, and those that ONNX refuses.
#[derive(Default)]
struct Exported {
    cases: usize,
    refused: BTreeSet<String>,
}

impl Data {
    fn new() -> Self {
        let (folder, mut noise) = (tempfile::tempdir().unwrap(), Noise(17));
        let rows: Vec<Value> = (0..ROWS).map(|i| row(folder.path(), i, &mut noise)).collect();
        let data = Data { folder, rows, exported: Exported::default() };
        data.write("data.jsonl", &data.rows);
        data
    }

    fn write(&self, name: &str, rows: &[Value]) {
        let text: String = rows.iter().map(|row| format!("{row}\n")).collect();
        std::fs::write(self.folder.path().join(name), text).unwrap();
    }

    /// Models whose weights are drawn anew, by one seed and another.
    fn models(&self, label: &str, sections: &str) -> Vec<Model> {
        let text = format!("[data]\npath = \"data.jsonl\"\nsplit = {{ valid = 0, test = 0 }}\n{sections}");
        let file = self.folder.path().join("config.toml");
        let config = Config::from_toml(&text, file.to_str().unwrap()).unwrap_or_else(|e| panic!("{label}: {e}"));
        let prepared = prepare(&config).unwrap_or_else(|e| panic!("{label}: {e}"));
        let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks)).unwrap();
        let draw = |seed: u64| {
            let mut parameters =
                model::start(&graph, &prepared.encoder, (&prepared.data.features, &prepared.split.train), seed, None)
                    .unwrap();
            let mut noise = Noise(seed);
            for p in (0..graph.parameters().len()).map(ParameterId) {
                if graph.parameter(p).role != Role::Statistic {
                    parameters.of_mut(p).iter_mut().for_each(|v| *v += 2.0 * (noise.next() as f32 - 0.5));
                }
            }
            let (graph, encoder, tasks) = (graph.clone(), prepared.encoder.clone(), prepared.tasks.clone());
            Model {
                body: Body::Network(Network { graph, parameters }),
                encoder,
                tasks,
                dialect: Default::default(),
                device: Default::default(),
            }
        };
        (1..=9).map(draw).collect()
    }

    /// Some rows without the columns that are `hidden`.
    fn table(&self, model: &Model, rows: Range<usize>, hidden: &[&str]) -> Table {
        let mut rows = self.rows[rows].to_vec();
        for row in &mut rows {
            hidden.iter().for_each(|column| drop(row.as_object_mut().unwrap().remove(*column)));
        }
        self.write("part.jsonl", &rows);
        polytask_data::read(&self.folder.path().join("part.jsonl"), &model.read_options()).unwrap()
    }

    /// Holds what a model says of all rows together against what it says of each.
    fn check(&mut self, label: &str, sections: &str, hidden: &[&str]) {
        let differ = |model: &Model| {
            let one = |i| model.predict(&self.table(model, i..i + 1, hidden)).unwrap();
            (0..ROWS).map(one).collect::<Vec<_>>().windows(2).any(|pair| pair[0] != pair[1])
        };
        // One that says the same of all rows would hide a row that took the place of another.
        let model = self.models(label, sections).into_iter().find(differ);
        let model = model.unwrap_or_else(|| panic!("{label}: all rows are predicted alike"));
        let table = |rows: Range<usize>| self.table(&model, rows, hidden);
        let each: Vec<Vec<Prediction>> = (0..ROWS).map(|i| model.predict(&table(i..i + 1)).unwrap()).collect();
        let expected = joined(each);
        assert_eq!(model.predict(&table(0..ROWS)).unwrap(), expected, "{label}, one batch");
        let model = Arc::new(model);
        for planned in [1, 4, 64] {
            let mut predictor = Predictor::new(model.clone(), planned).unwrap();
            let sets = [0..1, 1..2, 2..7, 7..ROWS].map(|rows| model.read(&self.table(&model, rows, hidden)).unwrap());
            let found = predictor.predict(sets.into(), &|| true).unwrap().unwrap();
            let again = || vec![model.read(&self.table(&model, 0..ROWS, hidden)).unwrap()];
            assert_eq!(predictor.predict(again(), &|| false).unwrap(), None, "{label}: nobody waits for it");
            let sizes: Vec<usize> = found.iter().map(|set| set[0].len()).collect();
            assert_eq!(sizes, [1, 1, 5, ROWS - 7], "{label}, several sets planned for {planned}");
            assert_eq!(joined(found), expected, "{label}, several sets planned for {planned}");
        }
        self.served(label, &model, hidden);
        self.export(label, &model, hidden);
    }

    /// Holds what the server answers for all rows and for each against what `predict` writes.
    fn served(&self, label: &str, model: &Arc<Model>, hidden: &[&str]) {
        let table = self.table(model, 0..ROWS, hidden);
        let predictions = model.predict(&table).unwrap();
        let (tokens, masks) = (Tokens::read(model, &table).unwrap(), Masks::from(vec![Vec::new(); model.tasks.len()]));
        let beside = Beside { probabilities: true, ..Beside::default() };
        let (predictions, tokens, masks) = (&predictions, &tokens, &masks);
        let rows = Rows { model, files: None, predictions, tokens, masks, failed: None, beside };
        let lines = String::from_utf8(rows.jsonl().unwrap()).unwrap();
        let expected: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let asked: Vec<Value> = self.rows.iter().map(|row| asked(row, model, hidden)).collect();
        let answered = |rows: &[Value]| {
            let body = json!({ "rows": rows }).to_string().into_bytes();
            let answer = polytask_serve::answer(model, "application/json", body.into());
            let answer: Value = serde_json::from_slice(&answer.unwrap_or_else(|e| panic!("{label}: {e}"))).unwrap();
            answer["predictions"].as_array().unwrap().clone()
        };
        assert_eq!(answered(&asked), expected, "{label}, served together");
        let each: Vec<Value> = asked.chunks(1).flat_map(answered).collect();
        assert_eq!(each, expected, "{label}, served one by one");
    }

    /// Writes the model for ONNX Runtime, unless ONNX refuses it.
    fn export(&mut self, label: &str, model: &Model, hidden: &[&str]) {
        let folder = self.folder.path().join("exported").join(self.exported.cases.to_string());
        match polytask_export::export(model, Format::Onnx, &folder.join("onnx")) {
            Ok(_) => self.exported.cases += 1,
            Err(error) => {
                self.exported.refused.insert(error.to_string());
                return std::fs::remove_dir_all(&folder).unwrap_or_default();
            }
        }
        // Its script reads columns as polytask does; where there is none the graph is fed with indices of its own.
        if let Err(error) = polytask_export::export(model, Format::Pytorch, &folder.join("pytorch")) {
            let known = folder.join("onnx/tokenizer.json").exists() || error.to_string().contains("two passes");
            assert!(known, "{label}: {error}");
            std::fs::remove_dir_all(folder.join("pytorch")).unwrap_or_default();
        }
        let rows = self.rows.iter().map(|row| {
            let mut row = row.clone();
            hidden.iter().for_each(|column| drop(row.as_object_mut().unwrap().remove(*column)));
            format!("{row}\n")
        });
        std::fs::write(folder.join("data.jsonl"), rows.collect::<String>()).unwrap();
        std::fs::write(folder.join("label.txt"), label).unwrap();
    }

    /// Asks ONNX Runtime for all rows and for each.
    fn ask_onnx_runtime(&self) {
        let python = std::env::var("POLYTASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../polytask-export/tests/check_batches.py");
        let asked = Command::new(&python).arg(script).arg(self.folder.path().join("exported")).output();
        let Ok(asked) = asked else { return eprintln!("skipped: there is no {python}") };
        let (out, err) = (String::from_utf8_lossy(&asked.stdout), String::from_utf8_lossy(&asked.stderr));
        match asked.status.code() {
            Some(0) => assert_eq!(out.trim(), format!("{} models", self.exported.cases)),
            Some(77) => eprintln!("skipped: {out}"),
            _ => panic!("{out}{err}"),
        }
    }
}

/// A row as a client sends it: what the model reads, images in base64.
fn asked(row: &Value, model: &Model, hidden: &[&str]) -> Value {
    let images: Vec<&str> = model.encoder.image_columns().map(|(column, _)| column).collect();
    let inputs = model.encoder.inputs.iter().map(|input| input.column.as_str());
    // Roles are found for the predicates that are given.
    let given = model.tasks.iter().filter(|task| task.over.is_some()).map(|task| task.column.as_str());
    let columns: BTreeSet<&str> = inputs.chain(given).filter(|column| !hidden.contains(column)).collect();
    let value = |column: &str| match images.contains(&column) {
        true => STANDARD.encode(std::fs::read(row[column].as_str().unwrap()).unwrap()).into(),
        false => row[column].clone(),
    };
    columns.into_iter().map(|column| (column.to_owned(), value(column))).collect::<serde_json::Map<_, _>>().into()
}

/// The predictions of all sets one after the other, by task.
fn joined(sets: Vec<Vec<Prediction>>) -> Vec<Prediction> {
    let join = |mut all: Vec<Prediction>, set: Vec<Prediction>| {
        all.iter_mut().zip(set).for_each(|(all, more)| all.append(more));
        all
    };
    sets.into_iter().reduce(join).unwrap()
}

#[test]
fn a_row_is_predicted_alike_alone_and_among_others() {
    let mut data = Data::new();
    let mut met = BTreeSet::new();
    for input in words("InputKind") {
        for (inputs, network) in encoders(&input) {
            for kind in words("TaskKind") {
                let tasks = match (case(&kind), input.as_str()) {
                    (Case::Rows(tasks), _) | (Case::Tokens(tasks), "text") | (Case::Pixels(tasks), "image") => tasks,
                    (Case::Tokens(_) | Case::Pixels(_), _) => continue,
                };
                met.insert(kind.clone());
                for task in tasks {
                    let label = format!("{task}\non {inputs}\n{network}\n");
                    data.check(&label, &format!("[inputs]\n{inputs}\n{task}\n[model]\n{network}\n"), &[]);
                }
            }
        }
    }
    assert_eq!(met.len(), words("TaskKind").len());
    let refused: Vec<&String> = data.exported.refused.iter().collect();
    assert_eq!(refused, ["input `when`: ONNX cannot have it: it is a date, which is taken apart before the network"]);
    data.ask_onnx_runtime();
}

#[test]
fn what_tasks_find_for_each_other_is_found_alike() {
    let mut data = Data::new();
    let sections = "[inputs]\ntokens = { kind = \"text\", embedding = 6, min_count = 1 }\n\
                    [tasks.predicates]\nkind = \"predicates\"\n[tasks.senses]\nkind = \"senses\"\nwidth = 4\n\
                    [tasks.roles]\nkind = \"roles\"\nwidth = 4\n[tasks.slots]\nkind = \"tags\"\nloss = \"crf\"\n\
                    [tasks.arcs]\nkind = \"arcs\"\nwidth = 4\n[model]\ntext = { width = 8 }\n";
    data.check("all of sentences", sections, &["frames", "head", "deprel"]);
}

#[test]
fn columns_may_be_called_as_parts_of_a_model_are() {
    let data = Data::new();
    let words =
        ["heads", "at", "distance", "predicates", "pairs", "arcs", "numbers", "categories", "features", "tokens"];
    let rows: Vec<Value> = data
        .rows
        .iter()
        .map(|row| {
            let mut row = row.clone();
            words.iter().for_each(|word| row[*word] = row["tokens"].clone());
            row
        })
        .collect();
    let mut data = Data { rows, ..data };
    data.write("data.jsonl", &data.rows);
    for word in words {
        let sections = format!(
            "[inputs]\n{word} = {{ kind = \"text\", embedding = 6, min_count = 1 }}\nx = \"number\"\ncolor = \"category\"\n\
             [tasks.roles]\ncolumn = \"frames\"\nkind = \"roles\"\nwidth = 4\n\
             [tasks.tree]\nkind = \"arcs\"\nwidth = 4\ncolumns = [\"head\", \"deprel\"]\n[model]\ntext = {{ width = 8 }}\n"
        );
        data.check(word, &sections, &[]);
    }
}
