//! Ensembles and trees through every command, as a person meets them who writes no key of networks.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use serde_json::Value;
use std::fmt::Write;

const CONFIG: &str = "[data]\npath = \"data.csv\"\n[tasks.size]\n[tasks.weight]\n[tasks.warm]\n";

/// Two quantities and a yes or no, with gaps in inputs and labels.
fn table(rows: usize) -> String {
    let mut text = "x,gap,colour,size,weight,warm\n".to_owned();
    for i in 0..rows {
        let x = (i * 37 % 101) as f64 / 10.0;
        let gap = if i % 6 == 0 { String::new() } else { (i % 9).to_string() };
        let colour = ["red", "green", "blue"][i / 2 % 3];
        let size = (x - 5.0).powi(2) + (i % 9) as f64 / 3.0;
        let weight = if i % 10 == 3 { String::new() } else { format!("{:.3}", 2.0 * size + (i / 2 % 3) as f64) };
        let _ = writeln!(text, "{x},{gap},{colour},{size:.3},{weight},{}", if size > 6.0 { "yes" } else { "no" });
    }
    text
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn an_ensemble_goes_through_every_command() {
    let folder = Folder::with(CONFIG, &table(150));
    let done = folder.works("train config.toml --threads 2");
    assert!(done.err.contains("an ensemble of up to"), "{}", done.err);
    assert!(done.err.contains("size: ") && done.err.contains(" % "), "what predictions are made of: {}", done.err);
    let inspected = json(&folder.works("inspect model --format json").out);
    assert_eq!(inspected["family"], "ensemble");
    assert!(inspected["tasks"][0]["scores"]["r2"].as_f64().unwrap() > 0.8, "{inspected}");
    let shown = json(&folder.works("show model --format json").out);
    let sum: f64 = shown["weight"].as_object().unwrap().values().map(|weight| weight.as_f64().unwrap()).sum();
    assert!((sum - 1.0).abs() < 1e-9, "{shown}");
    assert_eq!(folder.works("predict model --data data.csv").out.lines().count(), 151);
    assert!(folder.works("evaluate model --data data.csv").out.contains("weight"));
    assert!(folder.works("importance model --data data.csv").out.contains('x'));
    folder.works("report model --out report.html");
    assert!(std::fs::read_to_string(folder.path("report.html")).unwrap().contains("What predictions are made of"));
    folder.works("export model --format onnx --out onnx");
    assert!(folder.path("onnx/model.onnx").exists());
    let refused = folder.run("export model --format pytorch");
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("--format onnx"), "{}", refused.err);
    assert!(folder.works("show config.toml").out.contains("boosted trees, joint"));
    // A config that is written down trains the same family again.
    folder.works("train model/config.toml --out again --set data.path=../data.csv");
    assert_eq!(json(&folder.works("inspect again --format json").out)["family"], "ensemble");
}

#[test]
fn the_same_seed_gives_the_same_bits_on_any_number_of_threads() {
    let folder = Folder::with(CONFIG, &table(90));
    let weights = |out: &str, arguments: &str| {
        folder.works(&format!("train config.toml --out {out} {arguments}"));
        std::fs::read(folder.path(&format!("{out}/model.safetensors"))).unwrap()
    };
    let one = weights("one", "--threads 1");
    assert!(one == weights("three", "--threads 3"));
    assert!(one != weights("seeded", "--threads 3 --seed 1"), "or the test shows nothing");
}

#[test]
fn a_key_of_networks_asks_for_a_network() {
    let folder = Folder::with(CONFIG, &table(60));
    for (set, family) in [
        ("--set train.epochs=1", "network"),
        ("--set model.sharing=none --set train.epochs=1", "network"),
        ("--set train.seed=3", "ensemble"),
        ("--set model.family=trees --set model.trees.trees=20", "trees"),
    ] {
        folder.works(&format!("train config.toml --out model {set}"));
        assert_eq!(json(&folder.works("inspect model --format json").out)["family"], family, "{set}");
    }
}

#[test]
fn trees_are_trained_shown_and_refused() {
    let folder = Folder::with(CONFIG, &table(120));
    let trees = "--set model.family=trees --set model.trees.trees=15";
    for keys in ["sharing=none", "sharing=partial", "method=forest", "method=extra", "monotone={x=\"increasing\"}"] {
        folder.works(&format!("train config.toml {trees} --set model.trees.{keys}"));
        assert!(folder.works("show model").out.contains("x <= "), "{keys}");
    }
    for (keys, expected) in [
        ("leaves=1", "`model.trees.leaves` is 1; it must be 2 or more"),
        ("rows=1.5", "`model.trees.rows` is 1.5; it must be above 0 and at most 1"),
        ("monotone={colour=\"increasing\"}", "`model.trees.monotone` names `colour`, which is no input of numbers"),
    ] {
        let done = folder.run(&format!("train config.toml {trees} --set model.trees.{keys}"));
        assert_eq!(done.code, Some(2), "{keys}: {}", done.err);
        assert!(done.message().contains(expected), "{keys}: {}", done.err);
    }
    let text = folder.run("train config.toml --set model.family=trees --set inputs.colour=text");
    assert_eq!(text.code, Some(2), "{}", text.err);
    assert!(text.message().contains("reads numbers and categories"), "{}", text.err);
}

#[test]
fn time_ends_a_search_with_the_best_so_far() {
    let folder = Folder::with(CONFIG, &table(400));
    let done = folder.works("train config.toml --time 0.001s");
    assert!(done.err.contains("its time was over"), "{}", done.err);
    assert_eq!(folder.works("predict model --data data.csv").out.lines().count(), 401);
    let wrong = folder.run("train config.toml --time soon");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("90s, 2m or 1.5h"), "{}", wrong.err);
}

#[test]
fn odd_tables_are_learnt_all_the_same() {
    // A class in one row, inputs that are missing everywhere but once, a constant, few rows.
    let rare = |i: usize| if i == 7 { "c" } else { ["a", "b"][i % 2] };
    let mut text = "x,empty,same,kind,y,z\n".to_owned();
    for i in 0..40 {
        let empty = if i == 11 { "1" } else { "" };
        let _ = writeln!(text, "{},{empty},5,{},{},{}", i % 7, rare(i), i % 7 * 2, if i % 3 == 0 { "" } else { "4" });
    }
    let config = "[data]\npath = \"data.csv\"\nsplit = { valid = 0.2, test = 0.2 }\n[tasks.kind]\nkind = \"category\"\n[tasks.y]\n";
    let folder = Folder::with(config, &text);
    folder.works("train config.toml");
    assert_eq!(folder.works("predict model --data data.csv").out.lines().count(), 41);
    // More tasks than rows.
    let names: Vec<String> = (0..30).map(|i| format!("t{i}")).collect();
    let mut wide = format!("x,{}\n", names.join(","));
    for i in 0..24 {
        let cells: Vec<String> = (0..30).map(|t| (i * (t + 1) % 31).to_string()).collect();
        let _ = writeln!(wide, "{i},{}", cells.join(","));
    }
    let tasks: String = names.iter().map(|name| format!("[tasks.{name}]\nkind = \"regression\"\n")).collect();
    let folder = Folder::with(&format!("[data]\npath = \"data.csv\"\n{tasks}"), &wide);
    folder.works("train config.toml");
}

#[test]
fn intervals_hold_what_they_promise() {
    let folder = Folder::with(CONFIG, &table(400));
    folder.works("train config.toml");
    let rows = folder.works("predict model --data data.csv --interval 0.8 --format jsonl").out;
    let labels: Vec<Vec<String>> =
        table(400).lines().skip(1).map(|line| line.split(',').map(str::to_owned).collect()).collect();
    let (mut known, mut held) = (0.0, 0.0);
    for (row, label) in rows.lines().map(json).zip(&labels) {
        let [low, high] = [0, 1].map(|end| row["size interval"][end].as_f64().unwrap());
        let predicted = row["size"].as_f64().unwrap();
        assert!(low <= predicted && predicted <= high, "{row}");
        assert!(row["warm set"].as_array().unwrap().contains(&row["warm"]), "{row}");
        if let Ok(label) = label[3].parse::<f64>() {
            known += 1.0;
            held += f64::from(u8::from(low <= label && label <= high));
        }
    }
    // Most of these rows were learnt from, so that the intervals are rather too wide for them.
    assert!(held / known > 0.8, "{held} of {known}");
    // One level for all tasks at once is wider for each.
    let width = |arguments: &str| {
        let line = folder.works(&format!("predict model --data data.csv --format jsonl {arguments}")).out;
        let row = json(line.lines().next().unwrap());
        row["weight interval"][1].as_f64().unwrap() - row["weight interval"][0].as_f64().unwrap()
    };
    assert!(width("--interval 0.8 --joint") > width("--interval 0.8"));
    assert!(width("--interval 0.9") > width("--interval 0.8"));
    let csv = folder.works("predict model --data data.csv --interval 0.8").out;
    assert_eq!(csv.lines().next(), Some("size,size low,size high,weight,weight low,weight high,warm,warm set"));
    // Some of the tasks alone, as the whole has them.
    let part = folder.works("predict model --data data.csv --interval 0.8 --tasks warm,size").out;
    let cells = |text: &str, kept: [usize; 5]| -> Vec<String> {
        text.lines().map(|line| kept.map(|at| line.split(',').nth(at).unwrap_or_default()).join(",")).collect()
    };
    assert_eq!(cells(&part, [0, 1, 2, 3, 4]), cells(&csv, [0, 1, 2, 6, 7]));
    for (arguments, code, words) in [
        ("--tasks warm,sise", 2, "the model has no task `sise`; it has size, weight, warm"),
        ("--interval 1.5", 2, "it must be above 0 and below 1"),
        ("--interval 0.9999", 2, "and a level of 0.9999 needs 9999"),
        ("--joint", 2, "--interval"),
    ] {
        let done = folder.run(&format!("predict model --data data.csv {arguments}"));
        assert_eq!(done.code, Some(code), "{}", done.err);
        assert!(done.err.contains(words), "{}", done.err);
    }
    std::fs::remove_file(folder.path("model/conformal.json")).unwrap();
    let done = folder.run("predict model --data data.csv --interval 0.9");
    assert_eq!(done.code, Some(1));
    assert!(done.err.contains("train the model again"), "{}", done.err);
}
