//! Example cases beside the repository, where there are such: none of them makes the program panic, hang or write a number
//! that is none.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Folder, repository};
use std::path::Path;
use std::process::{Command, Stdio};

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

#[test]
#[ignore = "takes minutes, and needs the cases"]
fn cases_end_without_a_panic() {
    let Ok(cases) = std::fs::read_dir(repository("../shared/cases")) else { return };
    for case in cases.map(|case| case.unwrap().path()) {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        if !["tables-", "media-"].iter().any(|kind| name.starts_with(kind)) || !case.join("cmd.txt").exists() {
            continue;
        }
        let folder = Folder::new();
        copy(&case, &folder.path("case"));
        // Commands know the program by one of these names.
        let program = Path::new(env!("CARGO_BIN_EXE_polytask"));
        let release = folder.path("project/target/release");
        std::fs::create_dir_all(&release).unwrap();
        std::os::unix::fs::symlink(program, release.join("polytask")).unwrap();
        let done = Command::new("timeout")
            .args(["300", "bash", "cmd.txt"])
            .current_dir(folder.path("case"))
            .env("POLYTASK", program)
            .env("P", program)
            .env("PROJECT", folder.path("project"))
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned() + &String::from_utf8_lossy(&done.stderr);
        assert_ne!(done.status.code(), Some(124), "{name} does not end");
        assert!(!said.contains("panicked"), "{name}:\n{said}");
        assert!(!said.contains("NaN,") && !said.contains(",NaN"), "{name}:\n{said}");
        println!(
            "== {name}\n{said}\nexpected:\n{}",
            std::fs::read_to_string(case.join("expected.txt")).unwrap_or_default()
        );
    }
}
