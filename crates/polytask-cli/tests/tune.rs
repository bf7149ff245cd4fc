//! `polytask tune`: trials, their file, going on, the best config.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::children::interrupted;
use common::{CONFIG, Folder, table};
use serde_json::Value;

const TUNE: &str = r#"
[tune]
train.learning_rate = { low = 1e-4, high = 1e-1, log = true }
model.sharing = ["hard", "mmoe"]
model.trunk = [[4], [16, 8]]
"loss.balance" = ["equal", { method = "dwa", temperature = 1.5 }]
"#;

fn folder() -> Folder {
    Folder::with(&format!("{CONFIG}{TUNE}"), &table(200))
}

/// The answer without times.
fn answer(folder: &Folder, arguments: &str) -> Value {
    let mut answer: Value = serde_json::from_str(&folder.works(&format!("{arguments} --format json")).out).unwrap();
    let timeless = |trial: &mut Value| trial.as_object_mut().unwrap().remove("seconds");
    timeless(&mut answer["best"]);
    timeless(&mut answer["base"]);
    answer["trials"].as_array_mut().unwrap().iter_mut().for_each(|trial| drop(timeless(trial)));
    answer
}

#[test]
fn same_seed_same_trials_on_any_number_of_threads() {
    let folder = folder();
    for sampler in ["random", "tpe", "halving"] {
        let call = |threads: u32| {
            let out = format!("{sampler}-{threads}");
            let mut answer = answer(
                &folder,
                &format!("tune config.toml --trials 13 --sampler {sampler} --threads {threads} --out {out}"),
            );
            answer.as_object_mut().unwrap().remove("config");
            answer
        };
        let one = call(1);
        assert_eq!(one, call(3), "{sampler}");
        assert_eq!(one["trials"].as_array().unwrap().len(), 13);
        assert!(one["test"]["tasks"]["size"]["r2"].is_number(), "{one}");
        assert!(one["best"]["score"].as_f64() >= one["base"]["score"].as_f64());
        // The best first; those that were given up early come last, and none of them is taken.
        let key = |trial: &Value| (trial["steps"].as_u64().unwrap(), trial["score"].as_f64().unwrap());
        let keys: Vec<(u64, f64)> = one["trials"].as_array().unwrap().iter().map(key).collect();
        assert!(keys.is_sorted_by(|a, b| a >= b), "{keys:?}");
        let full = one["base"]["steps"].as_u64().unwrap();
        let finished = keys.iter().filter(|(steps, _)| *steps == full).map(|(_, score)| *score);
        let best = finished.fold(one["base"]["score"].as_f64().unwrap(), f64::max);
        assert_eq!((&one["best"]["steps"], &one["best"]["score"]), (&full.into(), &best.into()), "{keys:?}");
    }
}

#[test]
fn an_error_that_falls_raises_the_score() {
    let rows: String = (0..200u32).map(|i| format!("{},{}\n", i % 10, i % 10 / 2 + i % 3)).collect();
    let config = "[data]\npath = \"data.csv\"\n[tasks.visits]\nkind = \"count\"\n[train]\nepochs = 20\n\
                  [tune]\ntrain.learning_rate = [0.02, 1e-6]\n";
    let answer = answer(&Folder::with(config, &format!("x,visits\n{rows}")), "tune config.toml --trials 2");
    for trial in answer["trials"].as_array().unwrap() {
        let task = &trial["tasks"]["visits"];
        assert_eq!(task["metric"], "poisson_deviance");
        let [value, constant, skill] = ["value", "constant", "skill"].map(|key| task[key].as_f64().unwrap());
        assert!((skill - (1.0 - value / constant)).abs() < 1e-9, "{task}");
    }
    assert_eq!(answer["best"]["values"]["train.learning_rate"], 0.02);
}

#[test]
fn the_best_config_trains_as_it_stands() {
    let folder = folder();
    std::fs::create_dir(folder.path("deep")).unwrap();
    let answer = answer(&folder, "tune config.toml --trials 6 --out deep/search");
    let text = folder.read("deep/search/best.toml");
    assert!(text.contains("path = \"../../data.csv\""), "{text}");
    assert!(text.contains("# tuned: from 0.0001 to 0.1, in factors"), "{text}");
    assert!(text.contains("# tuned: one of [4], [16, 8]"), "{text}");
    assert!(!text.contains("[tune]"), "{text}");
    folder.works("train deep/search/best.toml");
    // Trained from its config the model is the same.
    assert!(answer["test"]["tasks"]["size"]["r2"].is_number());
    assert_eq!(folder.json("model/metrics.json")["tasks"], answer["test"]["tasks"]);
}

#[test]
fn an_interrupted_search_goes_on() {
    let folder = folder();
    for sampler in ["tpe", "halving"] {
        let call = |out: &str| format!("tune config.toml --trials 14 --sampler {sampler} --out {out}");
        let mut whole = answer(&folder, &call("whole"));
        let done = folder.run(&call("whole"));
        assert_eq!(done.code, Some(2));
        assert_eq!(
            done.message(),
            "whole/trials.jsonl holds trials already; nothing was written\nhint: --resume goes on with them; --out takes another folder"
        );
        // Killed while it wrote its eighth line.
        let text = folder.read("whole/trials.jsonl");
        let lines: Vec<&str> = text.lines().collect();
        let half = &lines[8][..lines[8].len() / 2];
        std::fs::create_dir(folder.path("part")).unwrap();
        folder.write("part/trials.jsonl", format!("{}\n{half}", lines[..8].join("\n")));
        let done = folder.works(&format!("{} --resume", call("part")));
        let said = "note: part/trials.jsonl:9: the last line is broken off; its trial is made again";
        assert!(done.err.contains(said), "{}", done.err);
        let mut part = answer(&folder, &format!("{} --resume", call("part")));
        for answer in [&mut whole, &mut part] {
            answer.as_object_mut().unwrap().remove("config");
        }
        assert_eq!(whole, part, "{sampler}");
        // All of it is there now, each trial once.
        assert_eq!(folder.read("part/trials.jsonl").lines().count(), lines.len());
        assert!(!folder.path("part/checkpoints").exists());
        for name in ["whole", "part"] {
            std::fs::remove_dir_all(folder.path(name)).unwrap();
        }
    }
    // More trials than before: those that were made are not made again.
    folder.works("tune config.toml --trials 3 --sampler random");
    folder.works("tune config.toml --trials 5 --sampler random --resume");
    assert_eq!(folder.read("tune/trials.jsonl").lines().count(), 1 + 1 + 5);
    let done = folder.run("tune config.toml --trials 5 --sampler random --seed 1 --resume");
    assert_eq!(
        (done.code, done.message().lines().next()),
        (Some(2), Some("tune/trials.jsonl belongs to another search: its seed was 0, now it is 1"))
    );
    let text = folder.read("tune/trials.jsonl").replacen("{\"trial\":2", "{\"trial\":two", 1);
    folder.write("tune/trials.jsonl", text);
    let done = folder.run("tune config.toml --trials 5 --sampler random --resume");
    assert_eq!(done.code, Some(1));
    assert!(done.message().contains("this is no line of trials, or a damaged one"), "{}", done.message());
}

#[test]
fn ctrl_c_keeps_what_was_finished() {
    let folder = folder();
    // Hours of trials, so that the search cannot end before it hears of it.
    let call =
        "tune config.toml --trials 10000 --sampler random --threads 1 --set train.epochs=1000 --set train.patience=0";
    let done = interrupted(&folder, call, "best so far");
    assert_eq!(done.code, Some(0), "{}", done.err);
    assert!(done.err.contains("stopped; --resume goes on with the trials of tune"), "{}", done.err);
    assert_eq!(done.out, "");
    let trials = folder.read("tune/trials.jsonl");
    assert!(trials.contains("\"trial\":"), "{trials}");
    trials.lines().for_each(|line| drop(serde_json::from_str::<Value>(line).unwrap()));
}

#[test]
fn a_table_of_trials() {
    let folder = folder();
    let done = folder.works("tune config.toml --trials 12 --sampler halving --set train.epochs=9");
    assert!(done.out.starts_with("trial "), "{}", done.out);
    assert!(done.out.contains("steps"), "{}", done.out);
    assert!(done.out.contains("\nas it stands "), "{}", done.out);
    assert!(done.out.contains("On the test rows:"), "{}", done.out);
    // Whoever trains the config as it is does without [tune].
    folder.works("train config.toml --set train.epochs=1");
}

#[test]
fn calls_that_are_wrong() {
    let folder = folder();
    let config = folder.read("config.toml");
    for (from, to, message) in [
        (
            "low = 1e-4, high = 1e-1",
            "low = 1e-1, high = 1e-4",
            "the range of `train.learning_rate` is empty: low is 0.1, high is 0.0001",
        ),
        ("[\"hard\", \"mmoe\"]", "[]", "`tune` has no value for `model.sharing`"),
        ("[\"hard\", \"mmoe\"]", "[\"hard\", \"hard\"]", "`tune` has \"hard\" twice for `model.sharing`"),
        ("[\"hard\", \"mmoe\"]", "[\"hard\", \"mmoo\"]", "`model.sharing` is \"mmoo\""),
        ("[\"hard\", \"mmoe\"]", "\"hard\"", "`tune` has \"hard\" for `model.sharing`, which leaves nothing to try"),
        ("low = 1e-4, high", "low = 0, high", "the range of `train.learning_rate` is in factors, and begins at 0"),
        ("low = 1e-4, high", "low = \"a\", high", "`low` of `train.learning_rate` is \"a\"; it must be a number"),
        ("log = true", "lag = true", "a range has no key `lag`"),
        ("train.learning_rate", "train.learning_rat", "unknown key `train.learning_rat`"),
        ("temperature = 1.5", "temperatur = 1.5", "`loss.balance`"),
    ] {
        folder.write("config.toml", config.replace(from, to));
        let done = folder.run("tune config.toml --trials 2");
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{to}");
        let said = done.message();
        assert!(said.starts_with("config.toml:") && said.contains(message) && said.contains('^'), "{said}");
        assert!(!folder.path("tune").exists());
    }
    folder.write("config.toml", config.replace("split = { column = \"part\" }", "split = { valid = 0.0, test = 0.2 }"));
    let done = folder.run("tune config.toml --trials 2");
    assert_eq!(done.code, Some(2));
    assert!(
        done.message().starts_with("there are no validation rows to compare trials on\nhint: "),
        "{}",
        done.message()
    );
    folder.write("config.toml", config);
    for arguments in ["tune config.toml", "tune config.toml --trials 0", "tune config.toml --trials 3 --round 0"] {
        assert_eq!(folder.run(arguments).code, Some(2), "{arguments}");
    }
    folder.write("tune", "a file");
    let done = folder.run("tune config.toml --trials 2");
    assert_eq!((done.code, done.message()), (Some(1), "cannot write tune: tune is no folder"));
}
