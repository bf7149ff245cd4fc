//! `polytask check`: whether rows look like those that a model learnt from.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use serde_json::Value;

const CONFIG: &str = "[data]\npath = \"data.csv\"\n[inputs]\nx = \"number\"\ncolour = \"category\"\nday = \"date\"\n[tasks.y]\n\
                      [model]\nfamily = \"trees\"\ntrees = { trees = 10 }\n";

fn rows(count: usize, of: impl Fn(usize) -> (String, &'static str)) -> String {
    let row = |i: usize| {
        let (x, colour) = of(i);
        format!("{x},{colour},2026-01-{:02},{}\n", i % 28 + 1, i % 50)
    };
    format!("x,colour,day,y\n{}", (0..count).map(row).collect::<String>())
}

fn like(i: usize) -> (String, &'static str) {
    ((i * 37 % 100).to_string(), ["red", "green", "blue"][i % 3])
}

#[test]
fn rows_that_drifted_end_with_3_and_are_named() {
    let folder = Folder::with(CONFIG, &rows(600, like));
    folder.works("train config.toml --threads 2");
    folder.write("like.csv", rows(200, like));
    let same = folder.works("check model --data like.csv");
    assert!(same.out.contains("colour") && same.out.contains("day"), "{}", same.out);
    folder.write(
        "moved.csv",
        rows(200, |i| (format!("{}", i * 37 % 100 + 60), if i % 4 == 0 { "ochre" } else { "red" })),
    );
    let moved = folder.run("check model --data moved.csv --format json");
    assert_eq!(moved.code, Some(3), "{}", moved.err);
    let said: Value = serde_json::from_str(&moved.out).unwrap();
    assert_eq!(said["drifted"], serde_json::json!(["x", "colour"]));
    assert!((said["inputs"][0]["outside"].as_f64().unwrap() - 0.6).abs() < 0.02, "{said}");
    assert!((said["inputs"][1]["unseen"].as_f64().unwrap() - 0.25).abs() < 0.02, "{said}");
    assert!(moved.err.contains("not as in the training rows: x, colour"), "{}", moved.err);
    // Limits are the caller's.
    folder.works("check model --data moved.csv --psi 20 --missing 1 --outside 1 --unseen 1");
    let refused = folder.run("check model --data moved.csv --psi=-1");
    assert_eq!(refused.code, Some(2));
    // Other commands say it in passing.
    for command in ["predict model --data moved.csv", "evaluate model --data moved.csv"] {
        let done = folder.works(command);
        assert!(done.err.contains("input `x` is not as in the training rows"), "{command}: {}", done.err);
        let done = folder.works(&command.replace("moved", "like"));
        assert!(!done.err.contains("training rows"), "{command}: {}", done.err);
    }
}

#[test]
fn a_summary_that_is_not_there_or_damaged_is_said() {
    let folder = Folder::with(CONFIG, &rows(100, like));
    folder.works("train config.toml --threads 2");
    folder.write("model/summary.json", "{\"rows\": 3, \"inputs\": [{}]}");
    let damaged = folder.run("check model --data data.csv");
    assert_eq!(damaged.code, Some(1));
    assert!(damaged.err.contains("summary.json: the model is damaged"), "{}", damaged.err);
    std::fs::remove_file(folder.path("model/summary.json")).unwrap();
    let none = folder.run("check model --data data.csv");
    assert_eq!(none.code, Some(1));
    assert!(none.err.contains("has no summary.json"), "{}", none.err);
}
