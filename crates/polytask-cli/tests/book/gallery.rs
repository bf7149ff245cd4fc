//! The gallery: every folder of `examples` says what it shows, its configs are configs, and what is bundled scores what its
//! `expected.json` says, which is the mean over seeds less five of their standard deviations.

use crate::common::{Folder, repository};
use crate::page::read;
use polytask::config::Config;
use serde_json::Value;
use std::path::Path;

/// The names of the folders of the gallery.
fn folders() -> Vec<String> {
    let entries = std::fs::read_dir(repository("examples")).unwrap().map(Result::unwrap);
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_example_is_in_the_gallery() {
    let gallery = read("examples/README.md");
    for name in folders() {
        assert!(gallery.contains(&format!("]({name}/README.md)")), "examples/README.md leaves out {name}");
        let page = read(&format!("examples/{name}/README.md"));
        assert!(page.contains("```sh\n"), "examples/{name}/README.md has no command");
    }
}

#[test]
fn every_config_of_the_gallery_is_one() {
    let mut found = 0;
    for name in folders() {
        for entry in std::fs::read_dir(repository(&format!("examples/{name}"))).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|ending| ending == "toml") {
                let text = std::fs::read_to_string(&path).unwrap().replace("${POLYTASK_DATA}", "sets");
                Config::from_toml(&text, "config.toml").unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                found += 1;
            }
        }
    }
    assert!(found >= 20, "{found}");
}

#[test]
fn bundled_examples_score_what_they_say() {
    let named =
        folders().into_iter().filter(|name| Path::new(&repository(&format!("examples/{name}/expected.json"))).exists());
    let named: Vec<String> = named.collect();
    assert_eq!(named, ["body", "commands", "digits", "growth", "health", "shapes"]);
    for name in named {
        let expected: Value = serde_json::from_str(&read(&format!("examples/{name}/expected.json"))).unwrap();
        let folder = Folder::new();
        let config = repository(&format!("examples/{name}/{}", expected["config"].as_str().unwrap()));
        folder.works(&format!("train {config} --out model"));
        let found = folder.json("model/metrics.json");
        for (task, metrics) in expected["at_least"].as_object().unwrap() {
            for (metric, least) in metrics.as_object().unwrap() {
                let score = found["tasks"][task][metric].as_f64().unwrap();
                assert!(score >= least.as_f64().unwrap(), "{name}: {metric} of {task} is {score}, not {least}");
            }
        }
    }
}
