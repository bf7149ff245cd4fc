//! `polytask report --card`: what a model is, how good it is, and for which rows it is not.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use serde_json::Value;

const CONFIG: &str = "[data]\npath = \"data.csv\"\n[inputs]\nx = \"number\"\nsite = \"category\"\n[tasks.size]\n[tasks.warm]\n[model]\n\
                      family = \"trees\"\ntrees = { trees = 60 }\n";

/// What is measured at the site `north | east` is mostly noise.
fn table() -> String {
    let row = |i: usize| {
        let x = (i * 37 % 997) as f64 / 100.0;
        let noise = ((i * 7919) % 1009) as f64 / 504.5 - 1.0;
        let site = ["south", "west", "north | east", "centre"][i * 31 % 4];
        let size = 2.0 * x + if site == "north | east" { 12.0 * noise } else { 0.3 * noise };
        format!("{x},{site},{size:.3},{}\n", if x > 5.0 { "yes" } else { "no" })
    };
    format!("x,site,size,warm\n{}", (0..1600).map(row).collect::<String>())
}

#[test]
fn a_card_names_scores_limits_and_the_rows_that_are_worse() {
    let folder = Folder::with(CONFIG, &table());
    folder.works("train config.toml --threads 2");
    let done = folder.works("report model --card card.md");
    assert!(done.err.contains("wrote card.md and card.json"), "{}", done.err);
    let card: Value = folder.json("card.json");
    assert_eq!(card["family"], "trees");
    assert_eq!(card["inputs"], serde_json::json!({ "x": "number", "site": "category" }));
    assert_eq!(card["intervals"], true);
    let size = &card["tasks"]["size"];
    assert_eq!(size["scores"][0]["metric"], "r2");
    assert!(size["scores"][0]["interval"][0].as_f64().unwrap() < size["scores"][0]["value"].as_f64().unwrap());
    let worst = &card["worse_for"][0];
    assert_eq!((&worst["task"], &worst["values"]), (&Value::from("size"), &Value::from("north | east")), "{card}");
    assert!(
        worst["mistake"].as_f64().unwrap() > 5.0 * worst["others"].as_f64().unwrap()
            && worst["p"].as_f64().unwrap() < 0.001
    );
    assert!(card["worse_for"].as_array().unwrap().iter().all(|slice| slice["task"] == "size"), "{card}");
    let text = folder.read("card.md");
    for words in [
        "# Model card: model",
        "## Rows that are predicted worse",
        "north \\| east",
        "## Limits",
        "Whether sharing helped was not asked",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    // With the verdicts of a comparison, and without the data.
    folder.works("compare config.toml --seeds 2 --threads 2 --out model/compare.json");
    std::fs::remove_file(folder.path("data.csv")).unwrap();
    folder.works("report model --card card.md");
    let card: Value = folder.json("card.json");
    assert!(card["tasks"]["size"]["sharing"]["verdict"].is_string(), "{card}");
    assert!(card["tasks"]["size"]["scores"][0]["interval"].is_null() && card["measured_on"].is_null());
    assert!(folder.read("card.md").contains("Scores could not be measured again"));
}
