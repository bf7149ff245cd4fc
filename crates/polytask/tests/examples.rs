//! The examples run, are short, and say what they promise.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::path::{Path, PathBuf};
use std::process::Command;

fn sources() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.sort();
    all
}

/// What an example prints. Cargo builds examples beside the tests.
fn printed(name: &str) -> String {
    let test = std::env::current_exe().unwrap();
    let folder = test.ancestors().nth(2).unwrap().join("examples");
    let run = Command::new(folder.join(name)).output().unwrap();
    let words = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(run.status.success(), "{name}: {words}");
    String::from_utf8(run.stdout).unwrap()
}

#[test]
fn examples_are_short() {
    for path in sources() {
        let lines = std::fs::read_to_string(&path).unwrap().lines().count();
        assert!(lines <= 60, "{} has {lines} lines", path.display());
    }
}

#[test]
fn each_example_says_what_it_promises() {
    let promises = [
        ("own_architecture", "half"),
        ("own_balancer", "weights in the last epoch"),
        ("own_input_kind", "R2 of melting"),
        ("own_loss", "high: 90 % of the labels"),
        ("own_op_and_loss", "square"),
        ("own_task_kind", "degrees between"),
        ("stop_early", "Stopped after"),
        ("train_from_arrays", "height at 2 and 10"),
    ];
    let names: Vec<String> =
        sources().iter().map(|path| path.file_stem().unwrap().to_str().unwrap().to_owned()).collect();
    assert_eq!(names, promises.map(|(name, _)| name), "an example without a promise");
    for (name, promise) in promises {
        let printed = printed(name);
        assert!(printed.contains(promise), "{name}: {printed}");
    }
}
