//! Data that could be read wrongly: numbers keep their digits, and what training never saw, what was cut, and what columns
//! were taken for is said.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use std::fmt::Write;

/// Numbers that look drawn, from -1 to 1.
fn draw(i: usize) -> f64 {
    (i as f64 * 12.9898).sin()
}

/// A table of `x` and what the columns named in `header` are at a row.
fn table(header: &str, rows: usize, cells: impl Fn(usize) -> String) -> String {
    (0..rows).fold(format!("x,{header}\n"), |mut text, i| {
        writeln!(text, "{:.4},{}", draw(i), cells(i)).unwrap();
        text
    })
}

fn config(rest: &str) -> String {
    format!("[data]\npath = \"data.csv\"\n{rest}\n[train]\nepochs = 100\n")
}

#[test]
fn large_labels_keep_their_digits_in_every_format() {
    let folder = Folder::with(
        &config("[tasks.y]\nkind = \"regression\""),
        &table("y", 300, |i| format!("{:.4}", 1e9 + 2.0 * draw(i))),
    );
    folder.works("train config.toml");
    let csv = folder.works("predict model --data data.csv").out;
    let values: Vec<f64> = csv.lines().skip(1).map(|line| line.parse().unwrap()).collect();
    let truth: Vec<f64> = (0..300).map(|i| 1e9 + 2.0 * draw(i)).collect();
    let error = |of: &dyn Fn(usize) -> f64| (0..300).map(|i| (truth[i] - of(i)).powi(2)).sum::<f64>();
    let r2 = 1.0 - error(&|i| values[i]) / error(&|_| 1e9);
    assert!(r2 > 0.8, "{r2}: {}", &csv[..100]);
    // What is scored is what is written.
    let said: serde_json::Value =
        serde_json::from_str(&folder.works("evaluate model --data data.csv --format json").out).unwrap();
    let rmse = said["tasks"]["y"]["rmse"].as_f64().unwrap();
    let own =
        (values.iter().zip(&truth).map(|(p, y)| (p - (y * 1e4).round() / 1e4).powi(2)).sum::<f64>() / 300.0).sqrt();
    assert!((rmse / own - 1.0).abs() < 1e-6, "{rmse} {own}");
    for (line, value) in folder.works("predict model --data data.csv --format jsonl").out.lines().zip(&values) {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        assert_eq!(row["y"].as_f64(), Some(*value));
    }
}

#[test]
fn labels_and_levels_that_training_never_saw_are_named() {
    let word = |i: usize| ["red", "blue"][i % 2];
    let data = table("c,y", 60, |i| format!("{},{}", word(i), ["stop", "play", "wait"][i % 3]));
    let folder = Folder::with(&config("[tasks.y]"), &data);
    folder.works("train config.toml");
    folder.write("new.csv", "x,c,y\n0.1,red,play\n0.2,green,oos\n0.3,green,stop\n");
    let done = folder.works("evaluate model --data new.csv");
    for said in [
        "note: 2 of 3 rows have levels of `c` that training never saw: `green`; they are read as missing\n",
        "note: 1 of 3 rows has labels of `y` that training never saw: `oos`; accuracy counts them as mistakes, log_loss \
         leaves them out\n",
    ] {
        assert!(done.err.contains(said), "{}", done.err);
    }
    assert!(folder.works("predict model --data new.csv").err.contains("levels of `c`"));
    let json: serde_json::Value =
        serde_json::from_str(&folder.works("evaluate model --data new.csv --format json").out).unwrap();
    assert_eq!(json["notes"].as_array().unwrap().len(), 2);
    assert_eq!((json["tasks"]["y"]["n"].as_u64(), json["tasks"]["y"]["unseen"].as_u64()), (Some(3), Some(1)), "{json}");
    let loss = done.out.lines().find(|line| line.contains("log_loss")).unwrap().to_owned();
    assert!(loss.ends_with("2 (1 unseen)"), "{}", done.out);
    // So does training, of its test rows.
    folder.write("test.csv", "x,c,y\n0.1,red,oos\n0.2,red,stop\n");
    let done = folder.works("train config.toml --set data.split={valid=0.2,test=\"test.csv\"} --out other");
    assert!(done.err.contains("1 of 2 test rows has labels of `y` that training never saw: `oos`"), "{}", done.err);
}

#[test]
fn what_lies_past_max_tokens_is_missed() {
    let row = |i: usize| {
        let place = ["Oslo", "Rome"][i % 2];
        format!(
            "{{\"tokens\": [\"go\", \"to\", \"{place}\"], \"tags\": [\"O\", \"O\", \"B-city\"], \"pos\": [\"V\", \"P\", \"N\"]}}\n"
        )
    };
    let folder = Folder::new();
    folder.write("data.jsonl", (0..60).map(row).collect::<String>());
    folder.write(
        "config.toml",
        "[data]\npath = \"data.jsonl\"\n[inputs]\ntokens = { kind = \"text\", max_tokens = 4 }\n[tasks.tags]\nkind = \"tags\"\n\
         [tasks.pos]\nkind = \"token_category\"\n[train]\nepochs = 100\n",
    );
    folder.works("train config.toml");
    folder.write(
        "long.jsonl",
        "{\"tokens\": [\"go\", \"to\", \"Oslo\", \"go\", \"to\", \"Rome\"], \"tags\": [\"O\", \"O\", \"B-city\", \"O\", \"O\", \"B-city\"], \
         \"pos\": [\"V\", \"P\", \"N\", \"V\", \"P\", \"N\"]}\n",
    );
    let done = folder.works("evaluate model --data long.jsonl --format json");
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert!(done.err.contains("1 text is longer than max_tokens = 4 and was cut"), "{}", done.err);
    assert_eq!(json["tasks"]["tags"]["recall"].as_f64(), Some(0.5), "{json}");
    assert_eq!(json["tasks"]["pos"]["n"].as_f64(), Some(6.0), "{json}");
    assert!(json["tasks"]["pos"]["accuracy"].as_f64().unwrap() < 0.7, "{json}");
    assert!(folder.works("predict model --data long.jsonl").err.contains("was cut"));
}

#[test]
fn separators_of_several_labels_are_found() {
    let all = |i: usize| [vec!["joy"], vec!["joy", "anger"], vec!["fear", "anger"], vec!["fear"]][i % 4].clone();
    for (write, said) in [
        (&(|i: usize| format!("\"{}\"", all(i).join(", "))) as &dyn Fn(usize) -> String, "many with `,`"),
        (&|i| format!("\"['{}']\"", all(i).join("', '")), "lists as Python and JSON write them"),
    ] {
        let folder = Folder::with(&config("[tasks.y]\nkind = \"multilabel\""), &table("y", 80, write));
        let done = folder.works("train config.toml");
        assert!(done.err.contains(said), "{}", done.err);
        let labels = &folder.json("model/model.json")["model"]["tasks"][0]["labels"];
        assert_eq!(labels, &serde_json::json!(["anger", "fear", "joy"]));
    }
}

#[test]
fn rows_without_weight_shape_nothing() {
    let data = |far: f64| {
        table("w,y", 100, |i| match i % 5 {
            0 => format!("0,{far}"),
            _ => format!("1,{:.4}", draw(i)),
        })
    };
    let folder = Folder::with(&config("sample_weight = \"w\"\n[tasks.y]"), &data(0.5));
    let done = folder.works("train config.toml");
    assert!(done.err.contains("note: 20 rows with a sample weight of 0 were left out"), "{}", done.err);
    let first = folder.read("model/metrics.json");
    folder.write("data.csv", data(1e7));
    folder.works("train config.toml --out other");
    assert_eq!(first, folder.read("other/metrics.json"));
    folder.write("data.csv", table("w,y", 50, |i| format!("0,{:.4}", draw(i))));
    let done = folder.run("train config.toml --out none");
    assert!(done.err.contains("every training row has a weight of 0 in column `w`"), "{}", done.err);
    assert_eq!(done.code, Some(1));
}

#[test]
fn what_columns_are_taken_for_is_said() {
    let data = table("v,z,y", 100, |i| {
        let far = if i == 41 { 1e9 } else { draw(7 * i) };
        format!("{far},{},{}", ["PASS", "pass", "fail"][i % 3], [1, 2][i % 2])
    });
    let folder = Folder::with(&config("split = { valid = 0.1, test = 0, seed = 0 }\n[tasks.y]\n[tasks.z]"), &data);
    let said = [
        "its labels 1 and 2 are taken for quantities (regression); if they stand for classes, say kind = \"category\"",
        "data.csv line 43: column `v` holds 1000000000, ",
        "`PASS` and `pass` are levels of their own",
    ];
    let done = folder.works("train config.toml");
    said.iter().for_each(|said| assert!(done.err.contains(said), "{}", done.err));
    let done = folder.works("init data.csv --tasks y,z");
    said.iter().for_each(|said| assert!(done.err.contains(said), "{}", done.err));
    let done = folder.works("inspect data.csv");
    said.iter().for_each(|said| assert!(done.out.contains(said), "{}", done.out));
}

#[test]
fn signs_are_no_and_yes_and_an_odd_word_is_pointed_out() {
    let data = table("y,z", 100, |i| format!("{},{}", [-1, 1][i % 2], if i == 9 { "?" } else { ["N", "Y"][i % 2] }));
    let folder = Folder::with(&config("[tasks.y]\n[tasks.z]"), &data);
    let done = folder.works("train config.toml");
    assert!(done.err.contains("y (binary)"), "{}", done.err);
    assert!(done.err.contains("task `z`: it has 3 classes because 1 of 100 labels are neither"), "{}", done.err);
}

#[test]
fn columns_without_a_value_are_no_inputs() {
    let folder = Folder::with(
        &config("split = { valid = 0.1, test = 0, seed = 0 }\n[tasks.y]"),
        &table("blank,y", 60, |i| format!(",{:.4}", draw(i))),
    );
    let done = folder.works("train config.toml --set train.epochs=2");
    let said = "column `blank`: every value is missing in the training rows; it is left out of the inputs";
    assert!(done.err.contains(said), "{}", done.err);
    folder.write("new.csv", "x\n0.5\n");
    folder.works("predict model --data new.csv");
    // One that is asked for is missed.
    let done = folder.run("train config.toml --out other --set inputs.blank=number --set inputs.x=number");
    assert!(done.err.contains("input `blank`: every value is missing"), "{}", done.err);
    assert_eq!(done.code, Some(1));
}

#[test]
fn names_of_files_are_the_split() {
    let folder = Folder::new();
    std::fs::create_dir(folder.path("data")).unwrap();
    for (name, rows) in [("train", 60), ("Valid", 20), ("test", 30)] {
        folder.write(&format!("data/{name}.csv"), table("y", rows, |i| format!("{:.4}", draw(i) + 0.1)));
    }
    let done = folder.works("init data --tasks y");
    assert!(done.out.contains("split = { column = \"split\" }"), "{}", done.out);
    let said = "60 rows to train on, 20 to choose the best model, 30 to measure it";
    for text in [done.out, "[data]\npath = \"data\"\n[tasks.y]\n[model]\ntrunk = [4]\n".to_owned()] {
        folder.write("config.toml", text);
        let done = folder.works("train config.toml --set train.epochs=1 --set model={trunk=[4]} --out m");
        assert!(done.err.contains(said), "{}", done.err);
        assert_eq!(folder.json("m/model.json")["model"]["encoder"]["inputs"].as_array().unwrap().len(), 1);
    }
}

#[test]
fn formats_write_truth_in_their_own_way() {
    let truth = |i: usize| draw(i) > 0.0;
    let row = |i: usize| if truth(i) { "True" } else { "False" }.to_owned();
    let folder = Folder::with(&config("split = { valid = 0.1, test = 0, seed = 0 }\n[tasks.y]"), &table("y", 80, row));
    folder.works("train config.toml --set train.epochs=20");
    let lines = (0..40).map(|i| format!("{{\"x\": {:.4}, \"y\": {}}}\n", draw(i), truth(i))).collect::<String>();
    folder.write("new.jsonl", lines);
    let done = folder.works("evaluate model --data new.jsonl --format json");
    let json: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert!(json["tasks"]["y"]["accuracy"].as_f64().unwrap() > 0.9 && json["notes"].is_null(), "{json}");
    assert!(folder.works("predict model --data new.jsonl").out.contains("True"));
}

#[test]
fn dates_are_inputs() {
    let day = |i: usize| (i * 37) % 700;
    let date = |i: usize| {
        let (year, rest) = (2022 + day(i) / 336, day(i) % 336);
        format!("{:02}.{:02}.{year}", rest % 28 + 1, rest / 28 + 1)
    };
    let season = |i: usize| (std::f64::consts::TAU * (day(i) % 336) as f64 / 336.0).sin();
    let folder = Folder::new();
    folder.write("data.csv", table("when,y", 400, |i| format!("{},{:.4}", date(i), season(i) + 0.2 * draw(i))));
    let done = folder.works("init data.csv --tasks y");
    assert!(done.out.contains("when = \"date\""), "{}", done.out);
    folder.write("config.toml", done.out);
    folder.works("train config.toml");
    let r2 = folder.json("model/metrics.json")["tasks"]["y"]["r2"].as_f64().unwrap();
    assert!(r2 > 0.8, "{r2}");
    folder.write("new.csv", "x,when\n0,soon\n");
    let done = folder.run("predict model --data new.csv");
    assert!(done.err.contains("new.csv line 2: input `when` is a date, but holds `soon`"), "{}", done.err);
    assert_eq!(done.code, Some(1));
    folder.write("new.csv", "x,when\n0,\n0,01.02.2022\n");
    assert_eq!(folder.works("predict model --data new.csv").out.lines().count(), 3);
    let done = folder.run("export model --format onnx --out onnx");
    assert!(done.err.contains("input `when`: ONNX cannot have it: it is a date"), "{}", done.err);
}

#[test]
fn rows_keep_their_keys_and_no_rows_are_no_error() {
    let folder =
        Folder::with(&config("ignore = [\"k\"]\n[tasks.y]"), &table("k,y", 60, |i| format!("00{i},{:.4}", draw(i))));
    folder.works("train config.toml");
    let done = folder.works("predict model --data data.csv --id k");
    assert!(done.out.starts_with("k,y\n000,"), "{}", done.out);
    folder.write("none.csv", "x,k\n");
    assert_eq!(folder.works("predict model --data none.csv --id k").out, "k,y\n");
    let done = folder.run("predict model --data data.csv --out data.csv");
    assert_eq!((done.code, done.err.contains("nothing was written")), (Some(2), true), "{}", done.err);
    assert_eq!(folder.run("predict model --data data.csv --out p.parquet").code, Some(2));
    // Nothing new is asked of the model by the rows it learnt from.
    let done = folder.works("evaluate model --data data.csv");
    assert!(done.err.contains("the model was trained on rows of this file"), "{}", done.err);
}

#[test]
fn tables_are_looked_at_as_they_are_to_be_read() {
    let folder = Folder::new();
    folder.write(
        "data.csv",
        table("age,y", 60, |i| format!("{},{:.4}", if i == 8 { "unknown".into() } else { i.to_string() }, draw(i))),
    );
    let done = folder.works("inspect data.csv --set data.missing=[\"unknown\"]");
    assert!(!done.out.contains("`unknown` is not a number"), "{}", done.out);
    let done = folder.works("init data.csv --tasks y --set data.missing=[\"unknown\"]");
    assert!(done.out.contains("missing = [\"unknown\"]\n") && done.out.contains("\nage = \"number\""), "{}", done.out);
    assert_eq!(folder.run("inspect data.csv --set train.epochs=3").code, Some(2));
    // A wide table fits a screen.
    let names: Vec<String> = (0..500).map(|i| format!("c{i}")).collect();
    let row = |i: usize| (0..500).map(|j| format!("{:.2}", draw(i + 31 * j))).collect::<Vec<_>>().join(",");
    folder.write("wide.csv", format!("{}\n{}\n{}\n{}\n", names.join(","), row(0), row(1), row(2)));
    assert!(folder.works("inspect wide.csv").out.lines().count() < 100);
}

#[test]
fn first_configs_know_labels_beside_texts() {
    let folder = Folder::new();
    let text = |i: usize| format!("send word {i} to them");
    let lines =
        |cells: &dyn Fn(usize) -> String| (0..60).fold(String::new(), |all, i| all + &text(i) + "," + &cells(i) + "\n");
    folder.write(
        "signs.csv",
        format!("text,smile,male\n{}", lines(&|i| format!("{},{}", [-1, 1][i % 2], [1, -1][i / 2 % 2]))),
    );
    let done = folder.works("init signs.csv");
    assert!(done.err.contains("to be predicted: smile, male"), "{}", done.err);
    folder.write("codes.csv", format!("text,label\n{}", lines(&|i| (i % 4).to_string())));
    assert!(folder.works("init codes.csv").out.contains("kind = \"category\""));
    folder.write(
        "several.csv",
        format!("text,topics\n{}", lines(&|i| ["a|b", "b", "c|a", "c", "a|b|c", "b|c", "a", "b|a"][i % 8].into())),
    );
    assert!(folder.works("init several.csv").out.contains("kind = \"multilabel\""));
    let short: String = (0..60).map(|i| format!("happy{i} day,{}\n", ["a", "b"][i % 2])).collect();
    folder.write("short.csv", format!("text,k\n{short}"));
    assert!(folder.works("init short.csv").out.contains("text = \"text\""));
    let row = |i: usize| {
        format!(
            "{{\"text\": \"go to Oslo {i}\", \"tokens\": [\"go\", \"to\", \"Oslo\", \"{i}\"], \"tags\": [\"O\", \"O\", \"B-city\", \"O\"], \"ner_codes_tag\": [0, 0, 1, 0]}}\n"
        )
    };
    folder.write("tokens.jsonl", (0..60).map(row).collect::<String>());
    let done = folder.works("init tokens.jsonl");
    assert!(done.err.contains("to be predicted: tags, ner_codes_tag"), "{}", done.err);
    folder.write("nothing.jsonl", "{\"data\": [{\"a\": 1}]}\n{\"data\": [{\"a\": 2}]}\n");
    let done = folder.run("init nothing.jsonl");
    assert!(done.err.contains("nothing.jsonl: there is nothing to predict: the only column is `data`"), "{}", done.err);
    assert_eq!(done.code, Some(1));
}
