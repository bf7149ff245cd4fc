//! What each input adds to predictions, of every family: it adds up, and to what was planted.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use serde_json::Value;
use std::fmt::Write;

/// A size by two inputs, a count by one, a class by the size, a class of three; `noise` says nothing.
fn table(rows: usize) -> String {
    let mut text = "x,colour,noise,size,many,warm,third\n".to_owned();
    for i in 0..rows {
        let x = (i * 37 % 101) as f64 / 10.0;
        let colour = i / 2 % 3;
        let size = 3.0 * x + 4.0 * f64::from(u8::from(colour == 0));
        let _ = writeln!(
            text,
            "{},{},{},{size:.3},{},{},{}",
            if i % 11 == 0 { String::new() } else { x.to_string() },
            ["red", "green", "blue"][colour],
            i * 7919 % 13,
            (i * 37 % 101) / 20,
            if size > 18.0 { "yes" } else { "no" },
            ["a", "b", "c"][colour],
        );
    }
    text
}

const CONFIG: &str =
    "[data]\npath = \"data.csv\"\n[tasks.size]\n[tasks.many]\nkind = \"count\"\n[tasks.warm]\n[tasks.third]\n";

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn sum(explanation: &Value) -> f64 {
    let inputs = explanation["inputs"].as_object().unwrap();
    explanation["base"].as_f64().unwrap() + inputs.values().map(|value| value.as_f64().unwrap()).sum::<f64>()
}

#[test]
fn contributions_add_up_to_the_prediction_in_every_family() {
    let folder = Folder::with(CONFIG, &table(240));
    for (name, arguments) in [
        ("ensemble", "--set model.preset=fast"),
        ("boosted", "--set model.family=trees"),
        ("forest", "--set model.family=trees --set model.trees.method=forest"),
        ("network", "--set model.family=network --set train.epochs=20"),
        ("linear", "--set model.sharing=linear"),
    ] {
        folder.works(&format!("train config.toml --out {name} {arguments}"));
        let call = format!("predict {name} --data data.csv --explain --format jsonl --probabilities --threads");
        let out = folder.works(&format!("{call} 2")).out;
        assert!(out == folder.works(&format!("{call} 1")).out, "{name}: other digits on another number of threads");
        let rows = lines(&out);
        assert_eq!(rows.len(), 240);
        let mut sizes = [0.0; 3];
        for row in &rows {
            for task in ["size", "many"] {
                let (found, wanted) = (sum(&row[format!("{task} explanation")]), row[task].as_f64().unwrap());
                assert!((found - wanted).abs() < 1e-4 * (1.0 + wanted.abs()), "{name}, {task}: {found} for {wanted}");
            }
            for (task, classes) in [("warm", &["yes"][..]), ("third", &["a", "b", "c"])] {
                for class in classes {
                    let found = sum(&row[format!("{task} explanation")][class]);
                    let wanted = row[format!("{task} probabilities")][class].as_f64().unwrap();
                    assert!((found - wanted).abs() < 1e-5, "{name}, {task}={class}: {found} for {wanted}");
                }
            }
            for (input, size) in ["x", "colour", "noise"].iter().zip(&mut sizes) {
                *size += row["size explanation"]["inputs"][input].as_f64().unwrap().abs();
            }
        }
        assert!(sizes[0] > 2.0 * sizes[1].max(sizes[2]), "{name}: {sizes:?}");
    }
}

#[test]
fn a_linear_models_contributions_are_its_weights_times_the_distance_from_the_mean() {
    let folder = Folder::with(
        "[data]\npath = \"data.csv\"\n[tasks.size]\n[model]\nsharing = \"linear\"\n[inputs]\nx = \"number\"\nnoise = \"number\"\n",
        &table(120),
    );
    folder.works("train config.toml");
    let rows = lines(&folder.works("predict model --data data.csv --explain --format jsonl").out);
    // Rows 1 to 10 have an x each: what is added grows by the same for every step of x.
    let x = |row: usize| (row * 37 % 101) as f64 / 10.0;
    let added = |row: usize| rows[row]["size explanation"]["inputs"]["x"].as_f64().unwrap();
    let slope = (added(2) - added(1)) / (x(2) - x(1));
    assert!((slope - 3.0).abs() < 0.3, "{slope}");
    for row in 3..10 {
        assert!((added(row) - added(1) - slope * (x(row) - x(1))).abs() < 1e-4, "row {row}");
    }
}

#[test]
fn explanations_are_lines_that_a_table_can_be_made_of() {
    let folder = Folder::with(CONFIG, &table(600));
    folder.works("train config.toml --set model.family=trees");
    let out = folder.works("predict model --data data.csv --explain").out;
    let mut lines = out.lines();
    assert_eq!(lines.next(), Some("row,task,class,input,value"));
    // Four lines (the base and three inputs) for each of two quantities, two classes' positive one, and three classes.
    assert_eq!(lines.clone().count(), 600 * 4 * 6);
    let first: Vec<&str> = lines.by_ref().take(5).map(|line| line.rsplit_once(',').unwrap().0).collect();
    assert_eq!(first, ["1,size,,", "1,size,,x", "1,size,,colour", "1,size,,noise", "1,many,,"]);
    assert!(out.contains("\n600,third,c,noise,"));
    folder.works("predict model --data data.csv --explain --id colour --out why.csv.gz");
    let mut text = String::new();
    let file = std::fs::File::open(folder.path("why.csv.gz")).unwrap();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    assert!(text.starts_with("colour,task,class,input,value\nred,size,,,"));
    assert_eq!(text.lines().count(), out.lines().count());
}

#[test]
fn what_cannot_be_explained_is_said() {
    let folder = Folder::with(CONFIG, &table(60));
    folder.works("train config.toml --set model.family=network --set train.epochs=1");
    for (arguments, code, words) in
        [("--explain --probabilities", 2, "--format jsonl"), ("--explain --interval 0.5", 2, "--format jsonl")]
    {
        let done = folder.run(&format!("predict model --data data.csv {arguments}"));
        assert_eq!(done.code, Some(code), "{}", done.err);
        assert!(done.err.contains(words), "{}", done.err);
    }
    std::fs::write(folder.path("model/background.safetensors"), "no rows").unwrap();
    let done = folder.run("predict model --data data.csv --explain");
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("background.safetensors"), "{}", done.err);
    std::fs::remove_file(folder.path("model/background.safetensors")).unwrap();
    let done = folder.run("predict model --data data.csv --explain");
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("train the model again"), "{}", done.err);
}
