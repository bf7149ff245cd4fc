//! Every architecture on every encoder: numbers and categories beside sentences, labels for rows and for tokens, images;
//! some labels missing. The gradients of many losses from one walk, and a short training with each kind of balancer.

#![allow(clippy::unwrap_used, clippy::panic, reason = "the data of a test is known to be there")]

mod common;

use common::Noise;
use polytask::config::Config;
use polytask::fit;
use polytask::prepare;
use polytask::share::{self, NAMES};
use polytask_exec::*;
use polytask_graph::*;
use polytask_model::Device;
use std::path::Path;

const ROWS: usize = 48;

/// A third of the labels are missing.
fn or_missing(noise: &mut Noise, label: String, missing: &str) -> String {
    if noise.next() < 0.33 { missing.to_owned() } else { label }
}

/// Sentences with two events, a quantity and, in the tokens, places.
fn sentences(folder: &Path) -> &'static str {
    let mut noise = Noise(3);
    let mut text = String::new();
    for _ in 0..ROWS {
        let length = 1 + (noise.next() * 6.0) as usize;
        let words: Vec<&str> =
            (0..length).map(|_| ["go", "to", "Oslo", "in", "May", "no"][(noise.next() * 6.0) as usize]).collect();
        let tags: Vec<String> =
            words.iter().map(|w| format!("\"{}\"", if *w == "Oslo" { "B-place" } else { "O" })).collect();
        let words: Vec<String> = words.iter().map(|w| format!("\"{w}\"")).collect();
        let x = noise.next();
        let click = x + noise.next() > 0.8;
        let [click, buy] = [click, click && x > 0.5].map(|b| or_missing(&mut noise, u8::from(b).to_string(), "null"));
        let price = or_missing(&mut noise, format!("{x:.3}"), "null");
        let (words, tags) = (words.join(", "), or_missing(&mut noise, format!("[{}]", tags.join(", ")), "null"));
        text.push_str(&format!(
            "{{\"x\": {x:.3}, \"tokens\": [{words}], \"click\": {click}, \"buy\": {buy}, \"price\": {price}, \"slots\": {tags}}}\n"
        ));
    }
    std::fs::write(folder.join("data.jsonl"), text).unwrap();
    "[data]\npath = \"data.jsonl\"\nsplit = { valid = 0, test = 0 }\n[inputs]\nx = \"number\"\ntokens = \"text\"\n\
     [tasks.click]\nkind = \"binary\"\n[tasks.buy]\nkind = \"binary\"\n[tasks.price]\nkind = \"regression\"\n"
}

/// Pictures of 6 x 6 with two events, a quantity and a class.
fn pictures(folder: &Path) -> &'static str {
    let mut noise = Noise(5);
    let mut bytes = vec![0, 0, 8, 3];
    for size in [ROWS, 6, 6] {
        bytes.extend((size as u32).to_be_bytes());
    }
    let mut labels = "click,buy,price,kind\n".to_owned();
    for _ in 0..ROWS {
        let light = noise.next();
        bytes.extend((0..36).map(|_| (255.0 * (0.5 * light + 0.5 * noise.next())) as u8));
        let click = light + noise.next() > 0.8;
        let kind = ["p", "q", "r"][(light * 2.99) as usize];
        let own = [
            u8::from(click).to_string(),
            u8::from(click && light > 0.5).to_string(),
            format!("{light:.3}"),
            kind.into(),
        ];
        let own = own.map(|label| or_missing(&mut noise, label, ""));
        labels.push_str(&format!("{}\n", own.join(",")));
    }
    std::fs::write(folder.join("images-idx3-ubyte"), bytes).unwrap();
    std::fs::write(folder.join("labels.csv"), labels).unwrap();
    "[data]\npath = \"images-idx3-ubyte\"\nlabels = \"labels.csv\"\nsplit = { valid = 0, test = 0 }\n[inputs]\n\
     image = \"image\"\n[tasks.click]\nkind = \"binary\"\n[tasks.buy]\nkind = \"binary\"\n[tasks.price]\n\
     kind = \"regression\"\n[tasks.kind]\nkind = \"category\"\n"
}

const TEXT: &str = "text = { width = 6 }\n";
const DENSE: &str = "trunk = [8, 8]\nhead = [5]\nactivation = \"tanh\"\n";
const CONVOLUTIONS: &str = "trunk = [{ conv = 4, size = 3 }, { conv = 4, size = 3, pool = 2 }]\nhead = [5]\n\
                            activation = \"tanh\"\n";

/// What the architectures stand on: the data, the tasks beside click, buy and price, and the model's other keys.
type Ground = (&'static str, fn(&Path) -> &'static str, &'static str, String);

fn grounds() -> [Ground; 4] {
    [
        ("sentences", sentences, "", format!("{DENSE}{TEXT}")),
        ("tokens", sentences, "[tasks.slots]\nkind = \"tags\"\n", format!("{DENSE}{TEXT}")),
        ("images", pictures, "", CONVOLUTIONS.to_owned()),
        ("images into dense layers", pictures, "", DENSE.to_owned()),
    ]
}

/// An architecture as the config has it; none where it cannot stand there, which it then says before training.
fn sharing(name: &str, ground: &Ground) -> Result<String, &'static str> {
    let rest = if ground.2.is_empty() && ground.0 == "sentences" {
        ""
    } else if ground.2.is_empty() {
        ", \"kind\""
    } else {
        ", \"slots\""
    };
    match name {
        "linear" => Err("a linear model reads numbers and categories"),
        "sluice" if ground.0 == "images" => Err("image layers differ in size"),
        "esmm" | "aitm" => Ok(format!("{{ method = \"{name}\", after = {{ buy = \"click\" }} }}")),
        "tree" => Ok(format!(
            "{{ method = \"tree\", layers = [[[\"click\", \"buy\", \"price\"{rest}]], [[\"click\", \"buy\"], [\"price\"{rest}]]] }}"
        )),
        "dselect_k" => Ok("{ method = \"dselect_k\", experts = 5, entropy = 0.1 }".to_owned()),
        "dependent" => Ok("{ method = \"dependent\", pass = \"hidden\" }".to_owned()),
        _ => Ok(format!("\"{name}\"")),
    }
}

/// The config of an architecture on a ground, or why there is none.
fn config(folder: &Path, name: &str, ground: &Ground, rest: &str) -> Result<Config, String> {
    let wanted = sharing(name, ground).unwrap_or_else(|_| format!("\"{name}\""));
    let data = (ground.1)(folder);
    let text = format!("{data}{}[model]\nsharing = {wanted}\n{}{rest}", ground.2, ground.3);
    Config::from_toml(&text, folder.join("config.toml").to_str().unwrap()).map_err(|e| e.to_string())
}

fn built(
    name: &str,
    ground: &Ground,
    rest: &str,
) -> Result<(tempfile::TempDir, Config, polytask::Prepared, Graph), String> {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), name, ground, rest)?;
    let prepared = prepare(&config).map_err(|e| e.to_string())?;
    let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks)).map_err(|e| e.to_string())?;
    Ok((folder, config, prepared, graph))
}

/// Calls `work` with each architecture that can stand on each ground; the others say why not.
fn each(rest: &str, mut work: impl FnMut(&str, &Config, &polytask::Prepared, &Graph)) {
    for ground in &grounds() {
        for name in NAMES {
            let label = format!("{name} on {}", ground.0);
            match (built(name, ground, rest), sharing(name, ground)) {
                (Ok((_, config, prepared, graph)), Ok(_)) => work(&label, &config, &prepared, &graph),
                (Err(message), Err(expected)) => assert!(message.contains(expected), "{label}: {message}"),
                (Ok(_), Err(_)) => panic!("{label} is taken"),
                (Err(message), Ok(_)) => panic!("{label}: {message}"),
            }
        }
    }
}

const NOISE: u64 = 7;

fn session(graph: &Graph, rows: usize, groups: Groups) -> Box<dyn Session> {
    let mut parameters = Parameters::init(graph, 5);
    let mut noise = Noise(8);
    parameters.values_mut().iter_mut().for_each(|v| *v += 0.2 * (noise.next() as f32 - 0.5));
    Device::default().gradients(graph, rows, groups, &parameters).unwrap()
}

#[test]
fn many_losses_in_one_backward() {
    each("", |label, _, prepared, graph| {
        let labels: Vec<usize> = (0..prepared.tasks.len()).collect();
        let rows: Vec<u32> = (0..ROWS as u32).collect();
        prepared
            .data
            .with_batch(graph, &labels, &rows, |feed| {
                let tasks = graph.losses().len();
                let reach = graph.reach();
                let mut stacked = session(graph, ROWS, Groups::separate(graph));
                let mut merged = session(graph, ROWS, Groups::merged(graph));
                stacked.forward_backward(feed, &vec![1.0; tasks], NOISE);
                for task in 0..tasks {
                    let alone: Vec<f64> = (0..tasks).map(|t| f64::from(u8::from(t == task))).collect();
                    merged.forward_backward(feed, &alone, NOISE);
                    for p in (0..graph.parameters().len()).map(ParameterId) {
                        if graph.parameter(p).role == Role::Statistic {
                            continue;
                        }
                        let one = merged.gradients(p).pop().map_or(vec![], |g| g.1);
                        let own = stacked.gradients(p).into_iter().find(|(group, _)| *group == task);
                        let parameter = &graph.parameter(p).name;
                        assert_eq!(
                            own.is_some(),
                            reach.parameters[p.0].contains(&LossId(task)),
                            "{label}, {parameter}"
                        );
                        let size = one.iter().fold(1e-2f32, |m, v| m.max(v.abs()));
                        let other = own.map_or(vec![0.0; one.len()], |own| own.1);
                        for (a, b) in one.iter().zip(&other) {
                            assert!((a - b).abs() <= 1e-5 * size, "{label}, {parameter}, task {task}: {a} {b}");
                        }
                    }
                }
            })
            .unwrap();
    });
}

#[test]
fn trains_with_each_kind_of_balancer() {
    for loss in ["balance = \"uncertainty\"", "balance = \"upgrad\"", "balance = \"mgda\"\nlevel = \"representation\""]
    {
        let rest = format!("[loss]\n{loss}\n[train]\nepochs = 4\nbatch = 24\nlearning_rate = 0.01\n");
        each(&rest, |label, config, prepared, _| {
            let build = common::build(config, prepared);
            let fitted = fit(&build.job(prepared), &build.start, None, &mut ()).unwrap();
            let (first, last) = (&fitted.history[0], fitted.history.last().unwrap());
            assert!(last.train.values().all(|loss| loss.is_finite()), "{label}, {loss}");
            let fell = last.train.iter().filter(|(task, loss)| **loss < first.train[*task]).count();
            assert!(2 * fell >= last.train.len(), "{label}, {loss}: {:?} {:?}", first.train, last.train);
        });
    }
}
