//! Sentences with predicates, their senses and arguments, and dependency trees, from end to end; what is wrong with them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use serde_json::{Value, json};

const CONFIG: &str = r#"
[data]
path = "data.jsonl"
split = { valid = 0.1, test = 0.2 }
[inputs]
tokens = "text"
[tasks.predicates]
kind = "predicates"
[tasks.senses]
kind = "senses"
width = 16
[tasks.roles]
kind = "roles"
width = 16
[tasks.upos]
kind = "token_category"
[tasks.arcs]
kind = "arcs"
width = 16
[model]
trunk = []
text = { width = 32, dropout = 0 }
[train]
epochs = 1
batch = 16
learning_rate = 0.01
"#;

/// `the cat said the dog found the fox`: every sentence has two predicates, one clause within the other's, or one alone.
fn sentence(i: usize) -> Value {
    let nouns = ["cat", "dog", "bird", "fox"];
    let noun = |k: usize| nouns[(i / 3 + k * (1 + i / 7)) % 4];
    let inner = ["found", "ate"][i % 2];
    let sense = match (inner, noun(2)) {
        ("ate", _) => "eat.01",
        // Foxes are found guilty.
        (_, "fox") => "find.02",
        _ => "find.01",
    };
    let clause = |at: usize| {
        let arguments = json!([["ARG0", at, at + 1], ["ARG1", at + 3, at + 4]]);
        json!({ "pred": at + 2, "roleset": sense, "args": arguments })
    };
    if i.is_multiple_of(3) {
        return json!({
            "tokens": ["the", noun(1), inner, "the", noun(2)],
            "upos": ["DET", "NOUN", "VERB", "DET", "NOUN"],
            "head": [2, 3, 0, 5, 3],
            "deprel": ["det", "nsubj", "root", "det", "obj"],
            "frames": [clause(0)],
        });
    }
    let outer = ["said", "knew"][i / 2 % 2];
    let lemma = if outer == "said" { "say.01" } else { "know.01" };
    json!({
        "tokens": ["the", noun(0), outer, "the", noun(1), inner, "the", noun(2)],
        "upos": ["DET", "NOUN", "VERB", "DET", "NOUN", "VERB", "DET", "NOUN"],
        "head": [2, 3, 0, 5, 6, 3, 8, 6],
        "deprel": ["det", "nsubj", "root", "det", "nsubj", "ccomp", "det", "obj"],
        "frames": [
            { "pred": 2, "roleset": lemma, "args": [["ARG0", 0, 1], ["ARG1", 3, 7]] },
            clause(3),
        ],
    })
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// A folder of `n` sentences whose second, of eight tokens, is changed.
fn changed(n: usize, change: impl FnOnce(&mut Value)) -> Folder {
    let mut rows: Vec<Value> = (0..n).map(sentence).collect();
    change(&mut rows[1]);
    let folder = Folder::new();
    folder.write("config.toml", CONFIG).write("data.jsonl", lines(&rows));
    folder
}

#[track_caller]
fn refused(change: impl FnOnce(&mut Value), message: &str) {
    let folder = changed(60, change);
    let done = folder.run("train config.toml");
    let first = done.message();
    assert_eq!((first.lines().next().unwrap(), done.code), (message, Some(1)));
    assert!(!folder.path("model").exists());
}

#[test]
fn who_does_what_to_whom() {
    let folder = changed(240, |_| {});
    folder.works("train config.toml --out m --set train.epochs=14");
    let metrics = folder.json("m/metrics.json");
    let score = |task: &str, name: &str| metrics["tasks"][task][name].as_f64().unwrap();
    for (task, name) in [
        ("predicates", "f1"),
        ("senses", "accuracy"),
        ("senses", "found_f1"),
        ("roles", "f1"),
        ("roles", "found_f1"),
        ("upos", "accuracy"),
        ("arcs", "las"),
        ("arcs", "uas"),
    ] {
        assert!(score(task, name) > 0.95, "{task} {name}: {}", score(task, name));
    }

    // Without labels predicates are found; of rows that give them, those are taken.
    let tokens = json!(["the", "dog", "said", "the", "bird", "ate", "the", "cat"]);
    let given = json!({ "tokens": tokens, "frames": [{ "pred": 5 }] });
    folder.write("new.jsonl", lines(&[json!({ "tokens": tokens, "frames": null }), given]));
    let out = folder.works("predict m --data new.jsonl --format jsonl").out;
    let rows: Vec<Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let text = "the dog said the bird ate the cat";
    let eats = &rows[0]["roles"][1];
    assert_eq!(eats["predicate"], json!({ "start": 22, "end": 25, "text": "ate" }));
    assert_eq!(eats["arguments"][0], json!({ "label": "ARG0", "start": 13, "end": 21, "text": "the bird" }));
    let place = |of: &Value| of["start"].as_u64().unwrap() as usize..of["end"].as_u64().unwrap() as usize;
    assert_eq!(&text[place(&rows[0]["roles"][0]["arguments"][1])], "the bird ate the cat");
    assert_eq!(rows[0]["senses"][0]["sense"], "say.01");
    assert_eq!(rows[0]["predicates"].as_array().unwrap().len(), 2);
    assert_eq!(rows[1]["roles"], json!([eats]));
    assert_eq!(rows[0]["arcs"][2], json!({ "head": 0, "label": "root" }));

    let csv = folder.works("predict m --data new.jsonl").out;
    let first = csv.lines().nth(1).unwrap();
    let roles = "[the dog](ARG0) [said](V) [the bird ate the cat](ARG1) | the dog said [the bird](ARG0) [ate](V) [the cat](ARG1)";
    assert!(first.contains(roles), "{first}");
    assert!(first.contains("2:det 3:nsubj 0:root 5:det 6:nsubj 3:ccomp 8:det 6:obj"), "{first}");
    // Raw text stands for tokens.
    let output = folder.command(&["predict", "m", "--format", "jsonl", "--text", text]).output().unwrap();
    let raw: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(raw["roles"], rows[0]["roles"]);
}

#[test]
fn the_same_on_any_number_of_threads() {
    let folder = changed(120, |row| row["frames"] = json!(null));
    folder.works("train config.toml --out one --threads 1");
    folder.works("train config.toml --out four --threads 4");
    assert_eq!(folder.history("one"), folder.history("four"));
    assert_eq!(folder.bytes("one/model.safetensors"), folder.bytes("four/model.safetensors"));
}

/// What the tasks share, or why they cannot.
#[test]
fn every_architecture() {
    let folder = changed(60, |_| {});
    for name in [
        "hard",
        "none",
        "partial",
        "tree",
        "branch",
        "soft",
        "cross_stitch",
        "sluice",
        "nddr",
        "mtan",
        "film",
        "adapter",
        "omoe",
        "mmoe",
        "cgc",
        "ple",
        "dselect_k",
    ] {
        folder.works(&format!("train config.toml --out {name} --set model.sharing=\"{name}\" --set model.trunk=[8,8]"));
        let scores = folder.works(&format!("evaluate {name} --data data.jsonl"));
        assert!(scores.out.contains("found_f1") && scores.out.contains("las"), "{name}: {}", scores.out);
    }
    for (name, reason) in [
        ("linear", "reads numbers and categories"),
        ("dependent", "no features of a token"),
        ("esmm", "binary"),
        ("aitm", "binary"),
    ] {
        let done = folder.run(&format!("train config.toml --out {name} --set model.sharing=\"{name}\""));
        assert_eq!(done.code, Some(2), "{name}: {}", done.err);
        assert!(done.message().contains(reason), "{name}: {}", done.err);
        assert!(!folder.path(name).exists());
    }
}

#[test]
fn a_crf_over_tags() {
    let tags: Vec<Value> = (0..150)
        .map(|i| {
            let own = sentence(i);
            let n = own["tokens"].as_array().unwrap().len();
            // The last clause is one span.
            let tag = |t: usize| {
                if t + 5 == n {
                    "B-clause"
                } else if t + 5 > n {
                    "I-clause"
                } else {
                    "O"
                }
            };
            json!({ "tokens": own["tokens"], "spans": (0..n).map(tag).collect::<Vec<_>>() })
        })
        .collect();
    let folder = Folder::new();
    let config = "[data]\npath = \"data.jsonl\"\nsplit = { test = 0.2 }\n[inputs]\ntokens = \"text\"\n\
                  [tasks.spans]\nkind = \"tags\"\nloss = \"crf\"\n[model]\ntrunk = []\n\
                  text = { width = 16, layers = 1, window = 1, dropout = 0 }\n[train]\nepochs = 12\nbatch = 16\nlearning_rate = 0.02\n";
    folder.write("data.jsonl", lines(&tags)).write("config.toml", config);
    let exact = |loss: &str| {
        folder.works(&format!("train config.toml --out {loss} --set tasks.spans.loss=\"{loss}\""));
        folder.json(&format!("{loss}/metrics.json"))["tasks"]["spans"]["exact"].as_f64().unwrap()
    };
    // A token alone does not tell where it stands; what follows what does.
    let (crf, softmax) = (exact("crf"), exact("softmax"));
    assert!(crf > softmax + 0.2, "{crf} {softmax}");
    let done = folder.run("train config.toml --set tasks.spans.loss=\"mse\"");
    assert_eq!(done.code, Some(2), "{}", done.err);
}

#[test]
fn frames_that_do_not_fit() {
    refused(
        |row| row["frames"][0]["pred"] = json!(8),
        "data.jsonl line 2: task `predicates`: the predicate stands at token 8, of 8 counted from 0",
    );
    refused(
        |row| row["frames"][0]["args"][1] = json!(["ARG1", 1, 7]),
        "data.jsonl line 2: task `predicates`: the arguments ARG0 and ARG1 of a predicate overlap",
    );
    refused(
        |row| row["frames"][0]["args"][1] = json!(["ARG1", 3, 9]),
        "data.jsonl line 2: task `predicates`: ARG1 stands at tokens 3 to 9, of 8 counted from 0",
    );
    let folder = changed(60, |_| {});
    folder.write("config.toml", CONFIG.replace("kind = \"roles\"", "kind = \"roles\"\ncolumn = \"upos\""));
    let done = folder.run("train config.toml");
    assert_eq!(done.code, Some(2), "{}", done.err);
}

#[test]
fn trees_that_are_none() {
    let of = |heads: [i64; 8]| move |row: &mut Value| row["head"] = json!(heads);
    let says = |reason: &str| format!("data.jsonl line 2: task `arcs`: {reason}");
    refused(of([2, 3, 0, 5, 6, 4, 8, 6]), &says("the heads of tokens 4, 5, 6 go round in a circle"));
    refused(of([2, 3, 0, 5, 6, 3, 8, 9]), &says("the head of token 8 is 9, of 8 tokens"));
    refused(of([2, 3, 0, 5, 6, 3, 8, -1]), &says("the head of token 8 is `-1`, no number of a token"));
    refused(of([2, 3, 0, 5, 6, 0, 8, 6]), &says("tokens 3 and 6 both have the head 0; a sentence has one root"));
    refused(of([2, 3, 3, 5, 6, 3, 8, 6]), &says("token 3 is its own head; 0 is the root"));
    refused(|row| row["head"] = json!([2, 0]), &says("2 heads for 8 tokens"));
    refused(|row| row["deprel"] = json!(["root"]), &says("1 relations for 8 tokens"));
}

/// The columns of the CoNLL tasks, and CoNLL-U.
#[test]
fn files_of_the_conll_tasks() {
    let (mut columns, mut trees) = (String::new(), String::new());
    for i in 0..60 {
        let row = sentence(i);
        let list = |key: &str| row[key].as_array().unwrap().clone();
        let (tokens, frames) = (list("tokens"), list("frames"));
        for (t, token) in tokens.iter().enumerate() {
            let own = frames.iter().find(|frame| frame["pred"] == t);
            let sense = own.map_or("-", |frame| frame["roleset"].as_str().unwrap());
            columns += &format!("{} {sense}", token.as_str().unwrap());
            for frame in &frames {
                let open = |a: &&Value| a[1] == t;
                let role = frame["args"].as_array().unwrap().iter().find(open).map(|a| a[0].as_str().unwrap());
                let close = frame["args"].as_array().unwrap().iter().any(|a| a[2] == t);
                let v = frame["pred"] == t;
                let open = if v { Some("V") } else { role };
                columns += &format!(
                    " {}*{}",
                    open.map_or(String::new(), |r| format!("({r}")),
                    if close || v { ")" } else { "" }
                );
            }
            columns += "\n";
            let (upos, head, relation) = (&list("upos")[t], &list("head")[t], &list("deprel")[t]);
            trees += &format!(
                "{}\t{}\t_\t{}\t_\t_\t{head}\t{}\t_\t_\n",
                t + 1,
                token.as_str().unwrap(),
                upos.as_str().unwrap(),
                relation.as_str().unwrap()
            );
        }
        columns += "\n";
        trees += "\n";
    }
    let folder = Folder::new();
    let head = "[inputs]\ntokens = \"text\"\n[model]\ntrunk = []\ntext = { width = 8 }\n[train]\nepochs = 1\n";
    let roles = "[data]\npath = \"props.txt\"\ncolumns = [\"tokens\", \"predicate\", \"frames...\"]\nsplit = { test = 0.2 }\n\
                 [tasks.roles]\nkind = \"roles\"\nwidth = 8\n";
    folder.write("props.txt", &columns).write("roles.toml", format!("{roles}{head}"));
    folder.works("train roles.toml --out r");
    assert!(folder.json("r/metrics.json")["tasks"]["roles"]["f1"].is_number());
    let arcs = "[data]\npath = \"trees.conllu\"\nsplit = { test = 0.2 }\n[tasks.arcs]\nkind = \"arcs\"\nwidth = 8\n";
    folder.write("trees.conllu", &trees).write("arcs.toml", format!("{arcs}{head}"));
    folder.works("train arcs.toml --out a");
    // The second sentence begins at line 7.
    let bad = trees.replacen("3\tsaid\t_\tVERB\t_\t_\t0\troot", "3\tsaid\t_\tVERB\t_\t_\t6\troot", 1);
    assert_ne!(bad, trees);
    folder.write("trees.conllu", bad);
    let done = folder.run("train arcs.toml --out b");
    assert_eq!(done.code, Some(1));
    let message = "trees.conllu line 7: task `arcs`: the heads of tokens 3, 6 go round in a circle";
    assert_eq!(done.message(), message);
}
