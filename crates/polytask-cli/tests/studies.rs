//! Ensembles of tables in compare, tune and select.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use std::fmt::Write;

const CONFIG: &str = "[data]\npath = \"data.csv\"\n[model]\npreset = \"fast\"\n[tasks.size]\n[tasks.weight]\n";

/// Two quantities of one curve.
fn table(rows: usize) -> String {
    let mut text = "x,z,size,weight\n".to_owned();
    for i in 0..rows {
        let (x, z) = ((i * 37 % 101) as f64 / 10.0, i % 7);
        let size = (x - 5.0).powi(2) + (i % 9) as f64 / 3.0;
        let _ = writeln!(text, "{x},{z},{size:.3},{:.3}", 2.0 * size + z as f64);
    }
    text
}

#[test]
fn each_family_is_asked_whether_sharing_helped() {
    let folder = Folder::with(CONFIG, &table(120));
    let done = folder.works("compare config.toml --seeds 2 --threads 2 --out compare.json");
    assert!(!done.err.contains("warning"), "{}", done.err);
    let answer = folder.json("compare.json");
    assert!(answer["steps"].is_null(), "an ensemble has no steps: {answer}");
    let pairs = answer["families"]["pairs"].as_object().unwrap();
    assert!(pairs.contains_key("boosted trees") && pairs.contains_key("network on waves"), "{pairs:?}");
    assert!(!pairs.contains_key("the mean"), "nothing is shared in a constant");
    for (candidate, tasks) in pairs {
        for task in ["size", "weight"] {
            let pair = &tasks[task];
            let (joint, single) = (pair["joint"].as_f64().unwrap(), pair["single"].as_f64().unwrap());
            let better = if pair["metric"] == "rmse" { single - joint } else { joint - single };
            assert!((better - pair["difference"].as_f64().unwrap()).abs() < 1e-9, "{candidate} {task}: {pair}");
        }
    }
    let best = &answer["families"]["best"]["size"];
    let pair = &pairs[best["candidate"].as_str().unwrap()]["size"];
    assert_eq!(best["score"], pair[if best["joint"] == true { "joint" } else { "single" }]);
    let text = folder.works("compare config.toml --seeds 2 --threads 2").out;
    assert!(text.contains("In each family, joint against independent models"), "{text}");
    assert!(text.contains("Best family on these test rows: size: "), "{text}");
    assert!(!text.contains("steps each"), "{text}");
    // The report reads it.
    folder.works("train config.toml --out model");
    std::fs::copy(folder.path("compare.json"), folder.path("model/compare.json")).unwrap();
    folder.works("report model --out report.html");
    assert!(folder.read("report.html").contains("Best family on these test rows"));
}

#[test]
fn joint_candidates_alone_can_be_asked_for() {
    let folder = Folder::with(CONFIG, &table(60));
    let shown = |set: &str| folder.works(&format!("show config.toml {set}")).out;
    assert!(shown("").contains("boosted trees, independent"));
    assert!(!shown("--set model.candidates=joint").contains("independent"));
    let wrong = folder.run("train config.toml --set model.candidates=some");
    assert_eq!(wrong.code, Some(2));
    assert!(wrong.err.contains("joint"), "{}", wrong.err);
}

#[test]
fn an_ensemble_is_tuned_and_its_tasks_are_selected() {
    let tune = "[tune]\n\"model.trees.leaves\" = [4, 16]\n";
    let folder = Folder::with(&format!("{CONFIG}{tune}"), &table(80));
    folder.works("tune config.toml --trials 2 --out tuned --threads 2");
    folder.works("train tuned/best.toml --out model");
    let inspected: serde_json::Value = serde_json::from_str(&folder.works("inspect model --format json").out).unwrap();
    assert_eq!(inspected["family"], "ensemble");
    let folder = Folder::with(CONFIG, &table(200));
    folder.works("select config.toml --out chosen --threads 2");
    folder.works("train config.toml --groups chosen/selection.json --out model --threads 2");
    assert_eq!(folder.works("predict model --data data.csv").out.lines().count(), 201);
}
