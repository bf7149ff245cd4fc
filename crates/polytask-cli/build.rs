//! What `polytask --version` tells of the build. Whatever cannot be found out is left out: the sources build outside of a
//! repository, and without git.

use std::path::Path;
use std::process::Command;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for name in ["TARGET", "PROFILE"] {
        set(name, std::env::var(name).ok());
    }
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    set("RUSTC", answer(&rustc, &["--version"]));
    set("COMMIT", commit());
}

fn set(name: &str, value: Option<String>) {
    if let Some(value) = value {
        println!("cargo::rustc-env=POLYTASK_{name}={value}");
    }
}

/// The commit, where the sources lie in the repository of polytask and not in that of something else.
fn commit() -> Option<String> {
    let root = answer("git", &["rev-parse", "--show-toplevel"])?;
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2)?.canonicalize().ok()?;
    if Path::new(&root).canonicalize().ok()? != own {
        return None;
    }
    // The branch may move without HEAD being written.
    for file in ["HEAD", "logs/HEAD"] {
        let path = answer("git", &["rev-parse", "--git-path", file])?;
        println!("cargo::rerun-if-changed={path}");
    }
    answer("git", &["log", "-1", "--format=%h %cs"])
}

fn answer(program: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success())?;
    let text = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    (!text.is_empty()).then_some(text)
}
