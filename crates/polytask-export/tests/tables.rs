//! Trees and ensembles in ONNX Runtime: numbers with gaps, booleans, categories, and tasks of every kind that a table has.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use polytask::config::{Config, Family, TaskConfig, TaskKind, TreesMethod};
use polytask::model::Model;
use polytask::output::{Beside, Masks, Rows, Tokens};
use polytask::tasks::{Decision, Kind};
use polytask::{Experiment, data};
use polytask_export::Format;
use std::fmt::Write;
use std::path::Path;
use std::process::Command;

/// A table with gaps in inputs and labels.
fn table() -> String {
    let mut text = String::from("x,gap,flag,colour,size,weight,tall,kind,count,grade,months,died\n");
    for i in 0..240u32 {
        let x = f64::from(i % 17) - 4.0;
        let gap = if i % 5 == 0 { String::new() } else { format!("{}", f64::from(i % 7) * 1.5) };
        let colour = ["red", "green", "blue", "ochre"][(i / 3) as usize % 4];
        let weight = if i % 11 == 0 { String::new() } else { format!("{:.3}", 50.0 + 3.0 * x + f64::from(i / 3 % 4)) };
        let kind = ["a", "b", "c"][((i % 17) / 6) as usize];
        let _ = writeln!(
            text,
            "{x},{gap},{},{colour},{:.3},{weight},{},{kind},{},{},{},{}",
            i % 2 == 0,
            x * x + f64::from(i % 7),
            if x > 1.0 { "yes" } else { "no" },
            i % 17 / 3 + i / 3 % 4,
            i % 17 / 5,
            1 + i * 11 % 17,
            i % 3 % 2
        );
    }
    text
}

fn fitted(folder: &Path, change: impl FnOnce(&mut Config)) -> Model {
    let path = folder.join("table.csv");
    std::fs::write(&path, table()).unwrap();
    let table = data::read(&path, &data::ReadOptions::default()).unwrap();
    let run = Experiment::from_table(table)
        .task("size", TaskKind::Regression)
        .task("weight", TaskKind::Regression)
        .task("tall", TaskKind::Binary)
        .task("kind", TaskKind::Category)
        .task("count", TaskKind::Count)
        .task("grade", TaskKind::Ordinal)
        .task(
            "life",
            TaskConfig {
                kind: Some(TaskKind::Survival),
                columns: Some(vec!["months".into(), "died".into()]),
                ..TaskConfig::default()
            },
        )
        .with(change)
        .fit(&mut ())
        .unwrap();
    run.into_model()
}

/// Exports a model and asks ONNX Runtime whether it predicts the same.
fn agrees(folder: &Path, model: &Model) {
    let data = folder.join("table.csv");
    let read = data::read(&data, &model.read_options()).unwrap();
    let predictions = model.predict(&read).unwrap();
    let masks: Masks = vec![Vec::new(); model.tasks.len()];
    let tokens = Tokens::read(model, &read).unwrap();
    let beside = Beside { probabilities: true, ..Beside::default() };
    let rows =
        Rows { model, files: None, predictions: &predictions, tokens: &tokens, masks: &masks, failed: None, beside };
    let said = rows.jsonl().unwrap();
    let lines = folder.join("predictions.jsonl");
    std::fs::write(&lines, said).unwrap();
    let out = folder.join("onnx");
    polytask_export::export(model, Format::Onnx, &out).unwrap();
    let python = std::env::var("POLYTASK_PYTHON").unwrap_or_else(|_| "python3".to_owned());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check_table.py");
    let Ok(ran) = Command::new(&python).arg(script).args([&data, &lines, &out]).output() else {
        return eprintln!("skipped: there is no {python}");
    };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    match ran.status.code() {
        Some(0) => eprintln!("{out}"),
        Some(77) => eprintln!("skipped: {out}"),
        _ => panic!("{out}{err}"),
    }
}

#[test]
fn boosted_trees() {
    let folder = tempfile::tempdir().unwrap();
    let model = fitted(folder.path(), |config| {
        config.model.family = Family::Trees;
        config.model.trees.trees = Some(40);
    });
    agrees(folder.path(), &model);
}

#[test]
fn a_forest() {
    let folder = tempfile::tempdir().unwrap();
    let model = fitted(folder.path(), |config| {
        config.model.family = Family::Trees;
        config.model.trees.method = TreesMethod::Forest;
        config.model.trees.trees = Some(20);
    });
    agrees(folder.path(), &model);
}

#[test]
fn an_ensemble() {
    let folder = tempfile::tempdir().unwrap();
    let model = fitted(folder.path(), |_| {});
    assert_eq!(model.body.family(), "ensemble");
    agrees(folder.path(), &model);
}

#[test]
fn what_held_out_rows_decided() {
    for family in [Family::Network, Family::Ensemble] {
        let folder = tempfile::tempdir().unwrap();
        // Quantities of a network are as near as single precision has them, which other tests measure.
        let classes = ["tall", "kind", "grade"];
        let mut model = fitted(folder.path(), |config| {
            config.model.family = family;
            config.tasks.retain(|name, _| classes.contains(&name.as_str()));
            config.data.ignore = ["size", "weight", "count"].map(str::to_owned).to_vec();
        });
        for task in &mut model.tasks {
            match &mut task.kind {
                Kind::Binary(own) => own.decision = Decision { scale: 0.6, shift: 0.3, thresholds: vec![0.8] },
                Kind::Category(own) => own.decision = Decision { scale: 0.5, ..Decision::default() },
                _ => {}
            }
        }
        agrees(folder.path(), &model);
    }
}
