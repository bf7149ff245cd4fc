//! The shell blocks of the tutorials, and of the pages that show commands from the beginning, are run in a folder that has
//! the repository's data and examples.

use crate::common::{Folder, repository};
use crate::page::{blocks, pages};
use std::path::Path;
use std::process::Command;

/// Pages whose blocks are run; tutorials are besides these.
const PAGES: [&str; 10] = [
    "docs/how-to/different-data.md",
    "docs/how-to/early-stopping.md",
    "docs/how-to/imbalanced-classes.md",
    "docs/how-to/missing-labels.md",
    "docs/how-to/one-loss-dominates.md",
    "docs/how-to/out-of-memory.md",
    "docs/how-to/own-loss.md",
    "docs/how-to/serve-without-python.md",
    "docs/how-to/tune.md",
    "docs/how-to/worse-than-single.md",
];

fn run(page: &str) {
    let folder = Folder::new();
    for name in ["data", "examples"] {
        std::os::unix::fs::symlink(repository(name), folder.path(name)).unwrap();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_polytask")).parent().unwrap().display().to_string();
    let path = format!("{program}:{}", std::env::var("PATH").unwrap_or_default());
    for block in blocks(page).into_iter().filter(|block| block.language == "sh") {
        if block.says("not run:").is_some() {
            continue;
        }
        if block.text.contains("$POLYTASK_DATA") && std::env::var("POLYTASK_DATA").is_err() {
            println!("skipped: {} needs $POLYTASK_DATA", block.place);
            continue;
        }
        let output = Command::new("sh")
            .args(["-e", "-c", &block.text])
            .current_dir(folder.path(""))
            .env("PATH", &path)
            .output()
            .unwrap();
        let words = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {}\n{words}", block.place, output.status);
        assert!(!words.contains("panicked"), "{}\n{words}", block.place);
    }
}

#[test]
fn the_commands_of_the_tutorials_work() {
    let tutorials: Vec<String> = pages().into_iter().filter(|page| page.starts_with("docs/tutorials/")).collect();
    assert_eq!(tutorials.len(), 5, "{tutorials:?}");
    // Side by side, as each is a chain of short commands.
    std::thread::scope(|scope| {
        let running: Vec<_> =
            tutorials.iter().map(String::as_str).chain(PAGES).map(|page| scope.spawn(move || run(page))).collect();
        running.into_iter().for_each(|page| page.join().unwrap());
    });
}
