//! Names that would be commands, and configs that ask for more than there is.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Done, Folder, table};

#[test]
fn a_name_of_several_lines_adds_no_keys() {
    let folder = Folder::new();
    let name = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let constant = name("[train.criterion]\ntask = 'y'\n[model.text]\nwidth = 4096\n#");
    let number = name("b\"\n[tune]\n\u{1b}[31m\"\\");
    let rows: String =
        (0..70).map(|i| format!("{},{},const,{}\n", i % 7, f64::from(i % 11) / 10.0, f64::from(i % 9) / 7.0)).collect();
    folder.write("data.csv", format!("a,{number},{constant},y\n{rows}"));
    let done = folder.works("init data.csv --out config.toml --tasks y");
    assert!(!done.err.contains('\u{1b}'), "{:?}", done.err);
    let text = folder.read("config.toml");
    assert!(
        !text.contains('\u{1b}') && !text.lines().any(|line| line == "[train.criterion]" || line == "[tune]"),
        "{text}"
    );
    let config: toml::Table = text.parse().unwrap();
    let sections: Vec<&str> = config.keys().map(String::as_str).collect();
    assert_eq!(sections, ["data", "inputs", "tasks", "model", "train"]);
    let inputs: Vec<&str> = config["inputs"].as_table().unwrap().keys().map(String::as_str).collect();
    assert_eq!(inputs, ["a", "b\"\n[tune]\n\u{1b}[31m\"\\"]);
    let done = folder.works("train config.toml --set train.epochs=1");
    assert!(!(done.err + &done.out).contains('\u{1b}'));
    // As a message and in a table.
    let done = folder.run("predict model --data config.toml");
    assert!(!done.err.contains('\u{1b}'), "{:?}", done.err);
    assert!(!folder.works("inspect data.csv").out.contains('\u{1b}'));
    assert!(!folder.works("show config.toml --format svg --set model.sharing=hard").out.contains('\u{1b}'));
}

#[test]
fn networks_that_do_not_fit_are_refused_before_they_are_made() {
    let folder = Folder::with(CONFIG, &table(60));
    for keys in [
        "model.trunk=[65536,65536]",
        "model.head=[65536,65536]",
        "model.sharing={method=\"mmoe\",experts=1024,widths=[65536]}",
    ] {
        let call = format!(
            "ulimit -v 6000000; exec '{}' train config.toml --set '{keys}' --out model",
            env!("CARGO_BIN_EXE_polytask")
        );
        let output =
            std::process::Command::new("sh").args(["-c", &call]).current_dir(folder.path("")).output().unwrap();
        let done = Done::of(output);
        assert_eq!(done.code, Some(2), "{keys}: {}", done.err);
        let message = done.message();
        assert!(message.starts_with("the network takes at least ") && message.contains(" GB are there"), "{message}");
        assert!(done.err.ends_with("see: docs/how-to/out-of-memory.md\n"), "{}", done.err);
        assert!(!folder.path("model").exists());
    }
    for (keys, message) in [
        (
            "model.sharing={method=\"ple\",levels=1024,specific=1024,shared=1024}",
            "`model.sharing` makes 4194304 experts, levels x (shared + specific x tasks); 16384 are the most",
        ),
        ("model.sharing={method=\"branch\",search=1e300}", "it must be at most 100"),
    ] {
        let done = Done::of(folder.command(&["show", "config.toml", "--set", keys]).output().unwrap());
        assert_eq!(done.code, Some(2), "{keys}: {}", done.err);
        assert!(done.message().contains(message), "{}", done.err);
    }
}
