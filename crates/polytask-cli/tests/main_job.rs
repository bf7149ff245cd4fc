//! The main job: train, predict, evaluate and compare.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, repository, table};
use serde_json::Value;
use std::collections::BTreeMap;

/// The columns of a CSV file by name.
fn columns(csv: &str) -> BTreeMap<String, Vec<String>> {
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let names: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    let mut columns: BTreeMap<String, Vec<String>> = names.iter().map(|name| (name.clone(), Vec::new())).collect();
    for record in reader.records() {
        for (name, value) in names.iter().zip(&record.unwrap()) {
            columns.get_mut(name).unwrap().push(value.to_owned());
        }
    }
    columns
}

/// The keys of an object in the order of the alphabet.
fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// A model of [`table`] in the folder `model`.
fn trained(rows: usize) -> Folder {
    let folder = Folder::with(CONFIG, &table(rows));
    folder.works("train config.toml");
    folder
}

#[test]
fn the_bundled_example_trains_into_a_whole_directory() {
    let folder = Folder::new();
    let config = repository("examples/growth/config.toml");
    folder.works(&format!("train {config} --out people --set train.epochs=3"));
    let mut names: Vec<String> = std::fs::read_dir(folder.path("people"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let all = [
        "background.safetensors",
        "checkpoint.safetensors",
        "config.toml",
        "conformal.json",
        "history.jsonl",
        "metrics.json",
        "model.json",
        "model.safetensors",
        "run.json",
        "summary.json",
    ];
    assert_eq!(names, all);
    assert_eq!(folder.history("people").len(), 3);

    let metrics = folder.json("people/metrics.json");
    assert_eq!(keys(&metrics["tasks"]), ["diabetes", "height", "systolic", "waist", "weight"]);
    assert_eq!(keys(&metrics["tasks"]["height"]), ["mae", "n", "pearson", "r2", "rmse"]);
    assert_eq!(
        keys(&metrics["tasks"]["diabetes"]),
        [
            "accuracy",
            "auc",
            "average_precision",
            "brier",
            "calibration_error",
            "log_loss",
            "macro_f1",
            "mcc",
            "n",
            "recall"
        ]
    );
    // Three epochs of it reach 0.90; a constant reaches 0.
    assert!(metrics["tasks"]["height"]["r2"].as_f64().unwrap() > 0.8, "{metrics}");
    assert!(metrics["tasks"]["diabetes"]["auc"].as_f64().unwrap() > 0.8, "{metrics}");

    let written = folder.read("people/config.toml");
    assert!(written.contains("epochs = 3") && written.contains("beta1 = 0.9"), "{written}");
}

#[test]
fn the_written_config_trains_the_same_model() {
    let folder = trained(200);
    folder.write("again.toml", folder.read("model/config.toml"));
    folder.works("train again.toml --out again");
    assert!(folder.bytes("model/model.safetensors") == folder.bytes("again/model.safetensors"));
}

#[test]
fn labels_need_not_be_there_to_predict() {
    let folder = trained(200);
    let inputs: String =
        table(200).lines().map(|line| line.splitn(4, ',').take(3).collect::<Vec<_>>().join(",") + "\n").collect();
    folder.write("inputs.csv", inputs);
    let without = folder.works("predict model --data inputs.csv").out;
    assert_eq!(without, folder.works("predict model --data data.csv").out);
    let predicted = columns(&without);
    assert_eq!(predicted.keys().collect::<Vec<_>>(), ["grade", "size", "warm"]);
    assert!(without.starts_with("size,warm,grade\n"), "the order of the config");
    assert!(predicted.values().all(|column| column.len() == 200));
    // In the label's own units: 10 + 3 x - 2 z, from 6 to 17.
    assert!(predicted["size"].iter().all(|v| (4.0..20.0).contains(&v.parse::<f64>().unwrap())));
    assert!(predicted["warm"].iter().all(|v| v == "yes" || v == "no"));

    assert_eq!(folder.works("predict model --data inputs.csv --out out.csv").out, "");
    assert_eq!(folder.read("out.csv"), without);
}

#[test]
fn probabilities_add_up_and_the_class_has_the_largest() {
    let folder = trained(300);
    let predicted = columns(&folder.works("predict model --data data.csv --probabilities").out);
    for (task, classes) in [("warm", ["no", "yes"].as_slice()), ("grade", &["high", "low", "middle"])] {
        for (row, answer) in predicted[task].iter().enumerate() {
            let of = |class: &&str| predicted[&format!("{task}={class}")][row].parse::<f64>().unwrap();
            let shares: Vec<f64> = classes.iter().map(of).collect();
            // Each is rounded to f32: half a unit in its last place, 3e-8.
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 2e-7, "{task}, row {row}: {shares:?}");
            let best = classes.iter().zip(&shares).max_by(|a, b| a.1.total_cmp(b.1)).unwrap().0;
            assert_eq!(best, answer);
        }
    }
    assert_eq!(predicted.len(), 3 + 2 + 3, "a regression has no probabilities");
}

#[test]
fn predictions_depend_on_nothing_but_their_row() {
    let folder = trained(1000);
    let all = folder.works("predict model --data data.csv --probabilities").out;
    let all: Vec<&str> = all.lines().collect();
    let data = table(1000);
    let rows: Vec<&str> = data.lines().collect();
    let of = |chosen: &[usize]| -> Vec<String> {
        let text: Vec<&str> = std::iter::once(rows[0]).chain(chosen.iter().map(|&row| rows[row])).collect();
        folder.write("some.csv", text.join("\n"));
        let out = folder.works("predict model --data some.csv --probabilities --threads 1").out;
        out.lines().skip(1).map(str::to_owned).collect()
    };
    let backwards: Vec<usize> = (1..=1000).rev().collect();
    for chosen in [&backwards[..], &backwards[..17], &[500], &[3, 3, 900]] {
        let expected: Vec<&str> = chosen.iter().map(|&row| all[row]).collect();
        assert!(of(chosen) == expected, "{} rows", chosen.len());
    }
}

#[test]
fn evaluation_of_the_test_rows_gives_the_metrics_of_training() {
    let folder = trained(400);
    let data = table(400);
    let test: Vec<&str> =
        data.lines().enumerate().filter(|(i, l)| *i == 0 || l.contains(",test,")).map(|(_, l)| l).collect();
    folder.write("test.csv", test.join("\n"));
    let scores: Value =
        serde_json::from_str(&folder.works("evaluate model --data test.csv --format json").out).unwrap();
    assert_eq!(scores, folder.json("model/metrics.json"));
    // Every 5th of 400 rows; size is missing where row % 7 == 3, in 11 of them.
    assert_eq!(scores["tasks"]["size"]["n"], 69);
    assert_eq!(scores["tasks"]["grade"]["n"], 80);
    assert_eq!(keys(&scores["tasks"]["size"]), ["mae", "n", "pearson", "r2", "rmse"]);
    let all = [
        "accuracy",
        "auc",
        "average_precision",
        "brier",
        "calibration_error",
        "log_loss",
        "macro_f1",
        "mcc",
        "n",
        "precision",
        "recall",
    ];
    assert_eq!(keys(&scores["tasks"]["warm"]), all);
    assert_eq!(keys(&scores["tasks"]["grade"]), ["accuracy", "calibration_error", "log_loss", "macro_f1", "n"]);
}

#[test]
fn tasks_without_a_label_column_are_left_out_of_an_evaluation() {
    let folder = trained(200);
    let part: String = table(200).lines().map(|l| l.rsplitn(3, ',').last().unwrap().to_owned() + "\n").collect();
    folder.write("part.csv", part);
    let scores: Value =
        serde_json::from_str(&folder.works("evaluate model --data part.csv --format json").out).unwrap();
    assert_eq!(keys(&scores["tasks"]), ["size"]);
}

#[test]
fn compare_says_for_every_task_whether_sharing_helped() {
    let folder = Folder::with(CONFIG, &table(300));
    let answer: Value = serde_json::from_str(&folder.works("compare config.toml --seeds 3 --format json").out).unwrap();
    assert_eq!(keys(&answer["tasks"]), ["grade", "size", "warm"]);
    for (name, task) in answer["tasks"].as_object().unwrap() {
        let metric = task["metric"].as_str().unwrap();
        for side in ["joint", "single", "joint_std", "single_std", "baseline", "linear"] {
            assert!(task[side][metric].is_f64(), "{name}.{side}.{metric}: {task}");
        }
        let verdict = task["verdict"].as_str().unwrap();
        assert!(["helped", "hurt", "no_difference"].contains(&verdict), "{verdict}");
        let number = |key: &str| task[key].as_f64().unwrap_or_else(|| panic!("{name}.{key}: {task}"));
        let (p, adjusted) = (number("p"), number("p_adjusted"));
        assert!((0.0..=1.0).contains(&p) && p <= adjusted && adjusted <= 3.0 * p, "{task}");
        assert_eq!(verdict == "no_difference", adjusted >= 0.05);
        // The interval is the task's own, so it goes with the p value before the correction.
        assert_eq!(p < 0.05, number("difference").abs() > number("margin"), "{task}");
        assert!(number("rows_error") > 0.0 && number("seeds_error") > 0.0);
    }
    assert!(answer["delta_m"].is_f64() && answer["delta_metrics"].is_f64());
    // Inputs x, z and three colors; 16 units; one output, one, and three. Apart each task has its own trunk.
    let (joint, single) = (&answer["ways"]["joint"], &answer["ways"]["single"]);
    assert_eq!(joint["parameters"], 6 * 16 + 17 * 5);
    assert_eq!(single["parameters"], 3 * 6 * 16 + 17 * 5);
    assert_eq!(single["models"], serde_json::json!([["size"], ["warm"], ["grade"]]));
    for key in ["seconds", "multiply_adds", "predict_microseconds"] {
        assert!(joint[key].as_f64().unwrap() > 0.0 && single[key].as_f64().unwrap() > 0.0, "{key}");
    }
    assert!(joint["multiply_adds"].as_f64() < single["multiply_adds"].as_f64());
    // 180 training rows are 6 batches of up to 32, 5 times.
    assert_eq!(answer["steps"], 30);
    assert_eq!(answer["seeds"], serde_json::json!([0, 1, 2]));
    let (joint, single) = (&answer["tasks"]["size"]["joint"], &answer["tasks"]["size"]["single"]);
    assert_ne!(joint["r2"], single["r2"], "two different models");
    // The linear model reads the same five features and has five outputs.
    assert_eq!((&answer["linear"]["penalty"], &answer["linear"]["parameters"]), (&"l21".into(), &(6 * 5).into()));
    assert!(answer["linear"]["left_out"].is_null(), "{}", answer["linear"]);
}

#[test]
fn compare_says_why_there_is_no_linear_baseline() {
    let folder = Folder::with(CONFIG, &table(200));
    let linear = |more: &str| {
        let done = folder.works(&format!("compare config.toml --seeds 1 --format json --set train.steps=1 {more}"));
        let answer: Value = serde_json::from_str(&done.out).unwrap();
        assert!(answer["tasks"]["size"]["linear"].is_null());
        answer["linear"]["left_out"].as_str().unwrap().to_owned()
    };
    assert_eq!(linear("--set model.sharing=linear"), "the joint model is a linear one");
    let said = linear("--set inputs.color.kind=text --set inputs.x.kind=number");
    assert_eq!(said, "a linear model reads numbers and categories, and input `color` is a text");
}

#[test]
fn compare_knows_groups_shares_and_trade_offs() {
    let folder = Folder::with(CONFIG, &table(300));
    folder.write("selection.json", r#"{"groups": [["warm", "size"], ["grade"]], "recommended_k": 2}"#);
    let done = folder
        .works("compare config.toml --seeds 2 --groups selection.json --shares 10,100,50 --favour --out answer.json");
    // 2 seeds of joint, 3 alone, 1 group (the other is alone), 3 in favour; two shares of joint and 3 alone.
    assert!(done.err.contains("training 33 models"), "{}", done.err);
    assert_eq!(done.out, "");
    let answer = folder.json("answer.json");
    let groups = &answer["ways"]["groups"];
    assert_eq!(groups["models"], serde_json::json!([["size", "warm"], ["grade"]]));
    // Two trunks, and the heads.
    assert_eq!(groups["parameters"], 2 * 6 * 16 + 17 * 5);
    let grade = &answer["tasks"]["grade"];
    assert_eq!(grade["groups"]["scores"], grade["single"], "a group of one is the task alone");
    assert_eq!(grade["groups"]["difference"], 0.0);
    assert_ne!(answer["tasks"]["size"]["groups"]["scores"], answer["tasks"]["size"]["single"]);
    let names: Vec<&str> = answer["front"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["joint", "single", "groups", "favour size", "favour warm", "favour grade"]);
    let shares = answer["shares"].as_array().unwrap();
    assert_eq!(shares.iter().map(|s| s["share"].as_f64().unwrap()).collect::<Vec<_>>(), [0.1, 0.5, 1.0]);
    let labels = |share: usize, task: &str| shares[share]["tasks"][task]["labels"].as_u64().unwrap();
    assert_eq!([0, 1, 2].map(|share| labels(share, "grade")), [18, 90, 180]);
    // Fewer labels where some are missing: the same share of those there are.
    assert_eq!(labels(1, "warm"), (labels(2, "warm") as f64 / 2.0).round() as u64);
    let whole = &shares[2]["tasks"]["size"];
    assert_eq!(whole["joint"], answer["tasks"]["size"]["joint"]["r2"]);
    assert_eq!(whole["p"], answer["tasks"]["size"]["p"]);
    assert_ne!(shares[1]["tasks"]["size"]["joint"], whole["joint"]);
}

#[test]
fn one_seed_cannot_tell() {
    let folder = Folder::with(CONFIG, &table(200));
    let answer: Value = serde_json::from_str(&folder.works("compare config.toml --seeds 1 --format json").out).unwrap();
    assert_eq!(answer["tasks"]["size"]["verdict"], "unknown");
    assert!(answer["tasks"]["size"]["margin"].is_null());
}

#[test]
fn the_schema_knows_the_keys_of_the_examples() {
    let schema: Value = serde_json::from_str(&Folder::new().works("schema").out).unwrap();
    assert_eq!(schema["title"], "polytask config");
    let definition = |value: &Value| match value["$ref"].as_str() {
        Some(path) => schema["$defs"][path.rsplit('/').next().unwrap()].clone(),
        // `[data]` may stand there once or several times: the form for once comes first.
        None => value["anyOf"][0].clone(),
    };
    for (section, key) in [
        ("data", "path"),
        ("data", "split"),
        ("model", "trunk"),
        ("model", "init"),
        ("loss", "balance"),
        ("loss", "l2_biases"),
        ("train", "epochs"),
        ("train", "learning_rate"),
    ] {
        let section = definition(&schema["properties"][section]);
        assert!(section["properties"][key].is_object(), "{key} in {section}");
        assert_eq!(section["additionalProperties"], false);
    }
    assert_eq!(schema["required"], serde_json::json!(["data"]));
}

#[test]
fn what_was_chosen_silently_and_what_came_out_useless_is_said() {
    // `noise` has nothing to do with `x`; `size` is all of it.
    let rows = (0..300u32).map(|i| format!("{},{},{}\n", i % 17, i % 17, i.wrapping_mul(2_654_435_761) >> 16));
    let data = format!("x,size,noise\n{}", rows.collect::<String>());
    let config = "data.path = \"data.csv\"\n[tasks.size]\n[tasks.noise]\nkind = \"regression\"\n[train]\nepochs = 60\n";
    let said = Folder::with(config, &data).works("train config.toml").err;
    assert!(said.contains("inputs, as every column that nothing else reads: x\n"), "{said}");
    assert!(said.contains("warning: `noise` is predicted no better than by a constant (r2 "), "{said}");
    assert!(!said.contains("`size` is predicted no better"), "{said}");
    let chosen = format!("{config}[inputs]\nx = \"number\"\n");
    let said = Folder::with(&chosen, &data).works("train config.toml --set train.epochs=1").err;
    assert!(!said.contains("nothing else reads") && said.contains("after 1 epoch, "), "{said}");
}

#[test]
fn the_first_commands_of_the_readme_find_that_sharing_helps_a_task_and_hurts_none() {
    let readme = std::fs::read_to_string(repository("README.md")).unwrap();
    for command in ["train examples/health/network.toml --out health-model", "compare examples/health/network.toml"] {
        assert!(readme.contains(&format!("cargo run --release -- {command}")), "{command}");
    }
    let folder = Folder::new();
    let config = repository("examples/health/network.toml");
    folder.works(&format!("train {config} --out health-model"));
    assert!(folder.json("health-model/metrics.json")["tasks"]["waist"]["r2"].as_f64().unwrap() > 0.9);
    folder.works(&format!("compare {config} --seeds 3 --out answer.json"));
    let answer = folder.json("answer.json");
    // Three seeds in place of the README's ten: they tell the sign, not the verdict.
    let tasks = answer["tasks"].as_object().unwrap();
    assert!(tasks["cholesterol"]["difference"].as_f64().unwrap() > 0.005, "{}", tasks["cholesterol"]);
    assert!(tasks.values().all(|task| task["verdict"] != "hurt"), "{answer}");
}

#[test]
fn a_table_without_a_key_of_networks_is_learnt_by_an_ensemble() {
    let folder = Folder::new();
    // The time of the quickest candidates.
    folder.works(&format!("train {} --out health --time 1s", repository("examples/health/config.toml")));
    let metrics = folder.json("health/metrics.json");
    assert_eq!(metrics["tasks"].as_object().unwrap().len(), 8);
    assert!(metrics["tasks"]["waist"]["r2"].as_f64().unwrap() > 0.5, "{metrics}");
}
