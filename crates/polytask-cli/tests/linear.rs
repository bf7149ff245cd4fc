//! Linear models from end to end, and what they refuse.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, table};

/// The config of the table of all tasks with a linear model.
fn with(sharing: &str) -> Folder {
    let model = format!("[model]\nsharing = {sharing}\n[train]\n");
    let start = CONFIG.split("[model]").next().unwrap();
    Folder::with(&format!("{start}{model}"), &table(400))
}

#[test]
fn solved_saved_and_read_again() {
    let folder = with("\"linear\"");
    let done = folder.works("train config.toml");
    assert!(done.err.contains("linear, penalty l21"), "{}", done.err);
    assert!(done.err.contains("by the validation rows, uses "), "{}", done.err);
    let metrics = folder.json("model/metrics.json");
    assert!(metrics["tasks"]["size"]["r2"].as_f64().unwrap() > 0.95, "{metrics}");
    assert!(metrics["tasks"]["warm"]["auc"].as_f64().unwrap() > 0.9, "{metrics}");
    assert_eq!((&metrics["linear"]["penalty"], &metrics["linear"]["converged"]), (&"l21".into(), &true.into()));
    // A line a strength, the penalty weaker and weaker.
    let strengths: Vec<f64> = folder.history("model").iter().map(|r| r["strength"].as_f64().unwrap()).collect();
    assert!(strengths.len() > 5 && strengths.windows(2).all(|pair| pair[1] < pair[0]), "{strengths:?}");
    let header = folder.works("predict model --data data.csv").out;
    assert_eq!(header.lines().next(), Some("size,warm,grade"));
    // The same model whatever the threads, and from the config that was written.
    folder.works("train config.toml --out four --threads 4");
    assert_eq!(folder.bytes("model/model.safetensors"), folder.bytes("four/model.safetensors"));
    folder.write("again.toml", folder.read("model/config.toml"));
    folder.works("train again.toml --out again");
    assert_eq!(folder.bytes("model/model.safetensors"), folder.bytes("again/model.safetensors"));
}

#[test]
fn every_penalty_from_the_config() {
    let folder = with("\"linear\"");
    for sharing in [
        "{method=\"linear\",penalty=\"ridge\",strength=0.01}",
        "{method=\"linear\",penalty=\"lasso\",strength=[0.1,0.01],ratio=[0.5,1]}",
        "{method=\"linear\",penalty=\"trace\",strength=\"cv\",folds=3,path=5}",
        "{method=\"linear\",penalty=\"robust\",path=5}",
        "{method=\"linear\",penalty=\"sparse_low_rank\",path=5}",
        "{method=\"linear\",penalty=\"dirty\",path=5}",
    ] {
        folder.works(&format!("train config.toml --set model.sharing={sharing}"));
        let metrics = folder.json("model/metrics.json");
        assert!(metrics["tasks"]["size"]["r2"].as_f64().unwrap() > 0.8, "{sharing}: {metrics}");
    }
    // Penalties that tie tasks output to output take tasks of one width.
    for sharing in [
        "{method=\"linear\",penalty=\"mean\",path=5}",
        "{method=\"linear\",penalty=\"graph\",path=5,graph={size={warm=1.0}}}",
        "{method=\"linear\",penalty=\"clustered\",path=5,clusters=2}",
    ] {
        let two = folder.read("config.toml").replace("[tasks.grade]\n", "");
        folder.write("two.toml", two.replace("[data]\n", "[data]\nignore = [\"grade\"]\n"));
        folder.works(&format!("train two.toml --set model.sharing={sharing}"));
        let metrics = folder.json("model/metrics.json");
        assert!(metrics["tasks"]["size"]["r2"].as_f64().unwrap() > 0.8, "{sharing}: {metrics}");
    }
}

/// A logistic regression for each of a row's labels, some of them unknown.
#[test]
fn several_labels_a_row() {
    let mut data = "x,z,high,right,far,sum\n".to_owned();
    for i in 0..300 {
        let (x, z) = (f64::from(i * 37 % 100) / 50.0 - 1.0, f64::from(i * 53 % 90) / 45.0 - 1.0);
        let flag = |place: i32, there: bool| if (i + place) % 5 == 0 { "" } else { ["no", "yes"][usize::from(there)] };
        data += &format!(
            "{x},{z},{},{},{},{}\n",
            flag(0, z > 0.2),
            flag(1, x > 0.0),
            flag(2, x + z > 0.9),
            flag(3, x + z > 0.0)
        );
    }
    let config = "[data]\npath = \"data.csv\"\nsplit = { valid = 0.2, test = 0.2 }\n[inputs]\nx = \"number\"\nz = \"number\"\n\
                  [tasks.labels]\nkind = \"multilabel\"\ncolumns = [\"high\", \"right\", \"far\"]\n\
                  [tasks.sum]\nkind = \"binary\"\n[model]\nsharing = \"linear\"\n";
    let folder = Folder::with(config, &data);
    folder.works("train config.toml");
    let metrics = folder.json("model/metrics.json");
    for metric in ["map", "auc"] {
        assert!(metrics["tasks"]["labels"][metric].as_f64().unwrap() > 0.97, "{metrics}");
    }
    // What a label weighs is known by its own column alone.
    let lines = folder.works("predict model --data data.csv --format jsonl --probabilities").out;
    let first: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
    assert_eq!(first["labels probabilities"].as_object().unwrap().len(), 3, "{first}");
    // `compare` finds it beside a network, too.
    let compared = folder.works("compare config.toml --seeds 1 --set model.sharing=hard --set train.epochs=1").out;
    assert!(compared.contains("Linear: penalty l21"), "{compared}");
}

#[test]
fn refused_before_anything_is_solved() {
    let folder = with("\"linear\"");
    let says = |sharing: &str, code: i32, expected: &str| {
        let done = folder.run(&format!("train config.toml --set model.sharing={sharing}"));
        assert_eq!(done.code, Some(code), "{sharing}: {}", done.err);
        assert!(done.message().contains(expected), "{sharing}: {}", done.err);
        assert!(!folder.path("model").exists(), "{sharing}");
    };
    for (keys, expected) in [
        ("penalty=\"lass\"", "lasso"),
        ("strength=-1.0", "`model.sharing.strength` is -1; it must be 0 or above and finite"),
        ("strength=[]", "`model.sharing.strength` is an empty list"),
        (
            "strength=\"best\"",
            "a strength is \"best\"; it must be a number, a list of numbers, \"auto\", \"cv\" or \"loo\"",
        ),
        ("penalty=\"ridge\",ratio=0.5", "the penalty \"ridge\" has no `ratio`"),
        ("penalty=\"lasso\",ratio=2", "`model.sharing.ratio` is 2; it must be from 0 to 1"),
        ("penalty=\"robust\",ratio=0", "`model.sharing.ratio` is 0; it must be above 0"),
        ("penalty=\"clustered\"", "the penalty \"clustered\" needs `model.sharing.clusters`"),
        (
            "penalty=\"clustered\",clusters=4",
            "`model.sharing.clusters` is 4; it must be from 1 to 3, the number of tasks",
        ),
        ("penalty=\"graph\"", "the penalty \"graph\" needs `model.sharing.graph`"),
        (
            "penalty=\"graph\",graph={size={worm=1.0}}",
            "`model.sharing.graph` names the task \"worm\", which is not there",
        ),
        ("penalty=\"ridge\",clusters=2", "`clusters` belongs to penalty \"clustered\", not to \"ridge\""),
        ("penalty=\"mean\"", "task `grade` has 3 of them, task `size` 1"),
        ("path=1", "`model.sharing.path` is 1; it must be 2 or more"),
        ("weakest=1.0", "`model.sharing.weakest` is 1; it must be above 0 and below 1"),
        ("tolerance=0.0", "`model.sharing.tolerance` is 0; it must be above 0"),
    ] {
        says(&format!("{{method=\"linear\",{keys}}}"), 2, expected);
    }
    let text = folder.run("train config.toml --set inputs.color.kind=text");
    assert_eq!(text.code, Some(2), "{}", text.err);
    assert!(text.message().contains("a linear model reads numbers and categories, and input `color` is a text"));
    // Keys that do nothing are named, and there is nothing to go on from.
    let said = folder.works("train config.toml --set model.trunk=[8] --set loss.balance=mgda").err;
    assert!(said.contains("a linear model makes no use of `model.trunk`, `loss.balance`"), "{said}");
    let resumed = folder.run("train config.toml --resume");
    assert_eq!(resumed.code, Some(2), "{}", resumed.err);
    assert!(resumed.message().contains("a linear model has no checkpoint"), "{}", resumed.err);
}

#[test]
fn alone_a_task_is_linear_too() {
    let folder = with("{ method = \"linear\", path = 5 }");
    let done = folder.works("compare config.toml --seeds 1 --format json");
    let answer: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    // Five features and an intercept for each of five outputs, both ways.
    let ways = answer["ways"].as_object().unwrap();
    assert!(ways.len() == 2 && ways.values().all(|way| way["parameters"] == 30), "{}", done.out);
}
