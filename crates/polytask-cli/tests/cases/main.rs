//! Example cases beside the repository, where there are such: each is a folder with `cmd.txt`, which is run in a copy of it, and
//! `expected.txt`, which says what is right. No case makes the program panic, hang or write a number that is none, and what
//! can be told by words is.
//!
//! `cargo test --workspace --test cases -- --ignored --nocapture` runs them and shows what each says beside what is expected;
//! `CASES=tables-0` those whose names begin so. `POLYTASK_PYTHON` is a Python with PyTorch and ONNX Runtime, for those of exports.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;
mod judged;

use common::{Folder, repository};
use std::os::unix::fs::{FileTypeExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

/// Seconds that a case may take.
const PATIENCE: &str = "600";

/// Copies the files of a folder and those below it.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = {
            let entry = entry.unwrap();
            (entry.path(), to.join(entry.file_name()))
        };
        match path.is_dir() {
            true => copy(&path, &to),
            false => drop(std::fs::copy(&path, &to).unwrap()),
        }
    }
}

/// A folder with a copy of a case, and beside it a project as commands expect it: the program, data, examples and a model of
/// people.
fn prepared(case: &Path) -> Folder {
    let folder = Folder::new();
    copy(case, &folder.path("case"));
    let release = folder.path("project/target/release");
    std::fs::create_dir_all(&release).unwrap();
    std::fs::create_dir(folder.path("tmp")).unwrap();
    symlink(env!("CARGO_BIN_EXE_polytask"), release.join("polytask")).unwrap();
    for name in ["data", "examples"] {
        symlink(std::fs::canonicalize(repository(name)).unwrap(), folder.path("project").join(name)).unwrap();
    }
    folder
        .write("people.csv", common::table(60))
        .write("people.toml", common::CONFIG.replace("data.csv", "people.csv"));
    folder.works("train people.toml --out project/people-model --set train.epochs=1");
    // One of the scripts names the project as a shell would.
    symlink(folder.path("project"), folder.path("case/${PROJECT:-.}")).unwrap();
    folder
}

/// Reads the pipes that a case makes in its temporary folders until it is over: writing to one waits for a reader.
fn read_pipes(folder: &Path, over: &AtomicBool) {
    let mut read = std::collections::BTreeSet::new();
    while !over.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(50));
        let folders = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let files = folders.flat_map(|folder| std::fs::read_dir(folder.path()).into_iter().flatten().flatten());
        for file in files.filter(|file| file.file_type().is_ok_and(|kind| kind.is_fifo())) {
            if read.insert(file.path()) {
                // The thread ends with the test where nobody writes.
                std::thread::spawn(move || std::fs::read(file.path()));
            }
        }
    }
}

/// Runs a case; what it said.
fn run(name: &str, folder: &Folder) -> String {
    let program = env!("CARGO_BIN_EXE_polytask");
    let over = AtomicBool::new(false);
    let done = std::thread::scope(|scope| {
        scope.spawn(|| read_pipes(&folder.path("tmp"), &over));
        let done = Command::new("timeout")
            .args([PATIENCE, "bash", "cmd.txt"])
            .current_dir(folder.path("case"))
            .envs([("POLYTASK", program), ("P", program)])
            .env("PROJECT", folder.path("project"))
            .env("TMPDIR", folder.path("tmp"))
            .stdin(Stdio::null())
            .output();
        over.store(true, Ordering::Relaxed);
        done.unwrap()
    });
    assert_ne!(done.status.code(), Some(124), "{name} does not end");
    String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr)
}

#[test]
#[ignore = "takes minutes, and needs the cases"]
fn cases_are_right() {
    let Ok(cases) = std::fs::read_dir(repository("../shared/cases")) else {
        println!("there are no cases beside the repository");
        return;
    };
    let wanted = std::env::var("CASES").unwrap_or_default();
    let mut cases: Vec<_> =
        cases.map(|case| case.unwrap().path()).filter(|case| case.join("cmd.txt").exists()).collect();
    cases.sort();
    let mut wrong = Vec::new();
    for case in cases {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        if !name.starts_with(&wanted) {
            continue;
        }
        let said = run(&name, &prepared(&case));
        let expected = std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default();
        let (state, faults) = judged::judge(&name, &said);
        println!("== {name}: {state}\n{said}\nexpected:\n{expected}");
        wrong.extend(faults.into_iter().map(|fault| format!("{name}: {fault}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
