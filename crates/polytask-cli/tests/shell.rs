//! What the shell and `man` are told, and `--version`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use std::io::Write;
use std::process::{Command, Stdio};

/// The commands that the help lists.
fn commands(folder: &Folder) -> Vec<String> {
    let help = folder.works("--help").out;
    let list = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    list.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").map(str::to_owned).collect()
}

#[test]
fn every_shell_knows_every_command() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let text = folder.works(&format!("completions {shell}")).out;
        for command in commands(&folder) {
            assert!(text.contains(&command), "{shell} {command}");
        }
        assert!(text.contains("learning") || text.contains("resume"), "{shell}");
    }
    assert_eq!(folder.run("completions csh").code, Some(2));
}

/// What bash itself makes of it.
#[test]
fn bash_completes() {
    let folder = Folder::new();
    folder.write("polytask.bash", folder.works("completions bash").out);
    let script = "source polytask.bash; COMP_WORDS=(polytask tu); COMP_CWORD=1; _polytask polytask tu polytask; \
                  echo \"${COMPREPLY[@]}\"\n";
    let started = Command::new("bash")
        .args(["--norc", "-s"])
        .current_dir(folder.path(""))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn();
    let Ok(mut bash) = started else {
        println!("skipped: there is no bash");
        return;
    };
    bash.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
    let output = bash.wait_with_output().unwrap();
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), "tune");
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let said = folder.works("man --out pages/man1").err;
    let mut pages: Vec<String> = std::fs::read_dir(folder.path("pages/man1"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    pages.sort();
    assert_eq!(said.trim(), format!("wrote {} pages", pages.len()));
    assert!(pages.contains(&"polytask.1".to_owned()));
    for command in commands(&folder) {
        let name = format!("polytask-{command}");
        assert!(pages.contains(&format!("{name}.1")), "{command}: {pages:?}");
        let text = folder.read(&format!("pages/man1/{name}.1"));
        assert!(text.contains(".SH NAME") && text.contains(".SH OPTIONS"), "{text}");
    }
    assert!(folder.read("pages/man1/polytask-tune.1").contains("halving"));
    folder.write("file", "");
    assert_eq!(folder.run("man --out file").code, Some(1));
}

#[test]
fn the_version_says_what_it_was_built_of() {
    let folder = Folder::new();
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(folder.works("-V").out, format!("polytask {version}\n"));
    let long = folder.works("--version").out;
    assert!(long.starts_with(&format!("polytask {version}\n")), "{long}");
    for line in ["target: ", "profile: ", "rustc: 1.", "vectors: "] {
        assert!(long.lines().any(|have| have.starts_with(line)), "{long}");
    }
    // Sources without a repository have no commit to name.
    if std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.git").exists() {
        assert!(long.contains("\ncommit: "), "{long}");
    }
}
