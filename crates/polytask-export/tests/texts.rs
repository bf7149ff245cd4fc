//! Texts that a pretrained encoder reads, in ONNX Runtime: the encoder in the graph, frozen and tuned, for rows and for tokens.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use polytask::Experiment;
use polytask::config::Config;
use polytask::data;
use polytask::output::{Beside, Masks, Rows, Tokens};
use polytask_export::Format;
use serde_json::json;
use std::path::Path;
use std::process::Command;

const ROWS: &str = r#"
[data]
path = "data.jsonl"
split = { valid = 0.2, test = 0.2 }
ignore = ["tokens", "tags"]
[inputs]
x = "number"
text = { kind = "text", encoder = { pretrained = "ENCODER", KEYS } }
y = "number"
[tasks.act]
kind = "category"
[tasks.length]
kind = "regression"
"#;

const TOKENS: &str = r#"
[data]
path = "data.jsonl"
split = { valid = 0.2, test = 0.2 }
ignore = ["text", "length", "x", "y"]
[inputs]
tokens = { kind = "text", encoder = { pretrained = "ENCODER", words = false, KEYS } }
[tasks.act]
kind = "category"
[tasks.tags]
kind = "tags"
[model]
trunk = []
text = { width = 16, layers = 1 }
[train]
epochs = 2
"#;

const NETWORK: &str = "[model]\ntrunk = [16]\n[train]\nepochs = 2\n";

fn rows() -> String {
    let (cities, acts) = (["paris", "tomorrow", "music", "tokyo"], ["book a table in", "play a song about", "rate"]);
    let line = |i: usize| {
        let text = format!("{}{} {} {i}", "please ".repeat(i % 5), acts[i % 3], cities[i % 4]);
        let tokens: Vec<&str> = text.split(' ').collect();
        let tag = |token: &&str| if cities.contains(token) { "B-city" } else { "O" };
        let tags: Vec<&str> = tokens.iter().map(tag).collect();
        let (act, length) = (["a", "b", "c"][i % 3], tokens.len());
        let (x, y) = ((i % 7) as f64 / 3.0, (i * 37 % 11) as f64 / 5.0);
        format!(
            "{}\n",
            json!({ "text": text, "tokens": tokens, "tags": tags, "act": act, "length": length, "x": x, "y": y })
        )
    };
    (0..90).map(line).collect()
}

/// Trains a model, exports it and asks ONNX Runtime whether it predicts the same.
fn agrees(config: &str, encoder: &str, keys: &str) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("data.jsonl");
    std::fs::write(&path, rows()).unwrap();
    let encoder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../polytask/tests/fixtures/encoders").join(encoder);
    let text = config.replace("ENCODER", encoder.to_str().unwrap()).replace("KEYS", keys);
    let config = Config::from_toml(&text, folder.path().join("config.toml").to_str().unwrap()).unwrap();
    let model = Experiment::new(config).fit(&mut ()).unwrap().into_model();
    let table = data::read(&path, &model.read_options()).unwrap();
    let predictions = model.predict(&table).unwrap();
    let masks: Masks = vec![Vec::new(); model.tasks.len()];
    let tokens = Tokens::read(&model, &table).unwrap();
    let beside = Beside { probabilities: true, ..Beside::default() };
    let (predictions, tokens, masks) = (&predictions, &tokens, &masks);
    let said = Rows { model: &model, files: None, predictions, tokens, masks, failed: None, beside };
    let lines = folder.path().join("predictions.jsonl");
    std::fs::write(&lines, said.jsonl().unwrap()).unwrap();
    let out = folder.path().join("onnx");
    let files = polytask_export::export(&model, Format::Onnx, &out).unwrap();
    assert_eq!(files, ["model.onnx", "model.json", "tokenizer.json"]);
    let python = std::env::var("POLYTASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_texts.py");
    let Ok(ran) = Command::new(&python).arg(script).args([&path, &lines, &out]).output() else {
        return eprintln!("skipped: there is no {python}");
    };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    match ran.status.code() {
        Some(0) => eprintln!("{out}"),
        Some(77) => eprintln!("skipped: {out}"),
        _ => panic!("{keys}: {out}{err}"),
    }
}

#[test]
fn vectors_of_texts() {
    let network = ROWS.to_owned() + NETWORK;
    agrees(&network, "bert", "max_pieces = 12");
    agrees(&network, "roberta", "pooling = \"max\", normalize = true");
    agrees(&network, "electra", "pooling = \"cls\"");
    agrees(&network, "modernbert", "normalize = true");
    agrees(&network, "model2vec", "max_pieces = 20");
    let trees = ROWS.to_owned() + "[model]\nfamily = \"trees\"\ntrees = { trees = 5 }\n";
    agrees(&trees, "xlm-roberta", "normalize = true");
}

#[test]
fn encoders_that_learn() {
    let network = ROWS.to_owned() + NETWORK;
    agrees(&network, "bert", "train = \"full\"");
    agrees(&network, "distilbert", "train = 1, pooling = \"cls\"");
    agrees(&network, "bert", "train = \"lora\", pooling = \"max\"");
    agrees(&network, "roberta", "train = \"adapters\", width = 4");
    agrees(&network, "modernbert", "train = \"lora\"");
}

#[test]
fn vectors_of_tokens() {
    agrees(TOKENS, "bert", "train = \"frozen\"");
    agrees(TOKENS, "bert", "train = \"lora\"");
}
