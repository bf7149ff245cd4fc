//! Encoders of texts and layers along them: what they are made of, what they learn, and every architecture over them.

#![allow(clippy::unwrap_used, reason = "the data of a test is known to be there")]

mod common;

use common::Noise;
use common::gradients::check_gradients;
use polytask::config::{Config, ConfigError};
use polytask::share::{self, NAMES};
use polytask::{Prepared, prepare};
use polytask_graph::*;

/// Sentences of `a`, `b`, `c` and `d`. A token's tag says whether there is a `b` before it, however far, its neighbour
/// whether the next one is an `a`; the text's kind, whether the `c` are more than the `d`.
fn sentences(rows: usize) -> String {
    let mut noise = Noise(4);
    let mut text = String::new();
    for _ in 0..rows {
        let length = 3 + (noise.next() * 7.0) as usize;
        let words: Vec<&str> = (0..length).map(|_| ["a", "b", "c", "d"][(noise.next() * 4.0) as usize]).collect();
        let seen = (0..length).map(|i| if words[..i].contains(&"b") { "after" } else { "before" });
        let next = (0..length).map(|i| if words.get(i + 1) == Some(&"a") { "yes" } else { "no" });
        let count = |w: &str| words.iter().filter(|x| **x == w).count();
        let row = serde_json::json!({
            "words": words,
            "seen": seen.collect::<Vec<_>>(),
            "next": next.collect::<Vec<_>>(),
            "kind": if count("c") > count("d") { "c" } else { "d" },
        });
        text.push_str(&format!("{row}\n"));
    }
    text
}

const TASKS: &str = "[inputs]\nwords = { kind = \"text\", embedding = 5 }\n[tasks.seen]\nkind = \"token_category\"\n\
                     [tasks.next]\nkind = \"token_category\"\n[tasks.kind]\nkind = \"category\"\n";

fn read(rows: usize, sections: &str) -> (Config, Prepared) {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("data.jsonl"), sentences(rows)).unwrap();
    let text = format!("[data]\npath = \"data.jsonl\"\nsplit = {{ valid = 0, test = 0.3 }}\n{sections}");
    let config = Config::from_toml(&text, folder.path().join("config.toml").to_str().unwrap()).unwrap();
    let prepared = prepare(&config).unwrap();
    (config, prepared)
}

fn graph(config: &Config, prepared: &Prepared) -> Graph {
    let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks)).unwrap();
    let again: Graph = serde_json::from_str(&serde_json::to_string(&graph).unwrap()).unwrap();
    again.validate().unwrap();
    assert_eq!(again, graph);
    graph
}

/// The accuracy of every task on the test rows after training.
fn learn(sections: &str) -> Vec<f64> {
    let (config, prepared) = read(500, sections);
    graph(&config, &prepared);
    let common::Learnt { prepared, model, .. } = common::train(&config, prepared);
    let labels: Vec<usize> = (0..prepared.tasks.len()).collect();
    let scores = model.score(&prepared.data, &labels, &prepared.split.test).unwrap();
    scores.tasks.values().map(|task| task.metrics.value("accuracy").unwrap()).collect()
}

#[test]
fn encoders_see_as_far_as_they_can() {
    let trained = |encoder: &str, epochs: usize, rate: f64| {
        let train = format!("[train]\nepochs = {epochs}\nbatch = 16\nlearning_rate = {rate}\n");
        learn(&format!("{TASKS}[model]\ntrunk = []\ntext = {{ dropout = 0, width = 16, {encoder} }}\n{train}"))
    };
    let accuracy = |encoder: &str| trained(encoder, 12, 0.01);
    // A token alone tells nothing of those around it.
    let none = accuracy("encoder = \"none\"");
    assert!(none[0] < 0.85 && none[1] < 0.85, "{none:?}");
    let conv = accuracy("encoder = \"conv\", layers = 1, window = 3");
    assert!(conv[0] < 0.93 && conv[1] > 0.95, "{conv:?}");
    for encoder in ["encoder = \"lstm\", layers = 1", "encoder = \"gru\", layers = 1"] {
        let seen = accuracy(encoder);
        assert!(seen[0] > 0.95 && seen[1] > 0.95, "{encoder}: {seen:?}");
    }
    let transformer = trained("encoder = \"transformer\", layers = 2, heads = 2", 40, 0.003);
    assert!(transformer[0] > 0.95 && transformer[1] > 0.95, "{transformer:?}");
    // Distances have to be learnt from pairs of places.
    let learned = trained("encoder = \"transformer\", layers = 2, heads = 2, positions = \"learned\"", 40, 0.003);
    assert!(learned[0] > 0.95, "{learned:?}");
}

#[test]
fn encoders_have_the_layers_they_are_asked_for() {
    let layers = |text: &str| {
        let (config, prepared) =
            read(20, &format!("{TASKS}[model]\ntrunk = []\ntext = {{ width = 8, dropout = 0.1, {text} }}\n"));
        let graph = graph(&config, &prepared);
        let own = graph.nodes().iter().filter_map(|node| {
            let name = node.name.strip_prefix("tokens.words.")?;
            let known = ["word", "prefix", "suffix", "shape", "embedded"].iter().any(|part| name.starts_with(part));
            (!known).then(|| format!("{name} {}", node.shape.width()))
        });
        own.collect::<Vec<_>>().join(", ")
    };
    assert_eq!(
        layers("encoder = \"lstm\", layers = 2"),
        "lstm.0.forward 4, lstm.0.backward 4, lstm.0 8, lstm.0.dropout 8, lstm.1.forward 4, lstm.1.backward 4, lstm.1 8, \
         lstm.1.dropout 8, lstm.1.sum 8"
    );
    assert!(layers("encoder = \"gru\", layers = 1").starts_with("gru.0.forward 4, gru.0.backward 4, gru.0 8"));
    assert_eq!(
        layers("encoder = \"conv\", layers = 1, window = 1"),
        "conv.0 8, conv.0.dropout 8",
        "a window of one is a layer on each token"
    );
    let transformer = layers("encoder = \"transformer\", layers = 1, heads = 2, hidden = 12, positions = \"learned\"");
    assert!(transformer.starts_with("input 8, positions 8, input.sum 8, "), "{transformer}");
    assert!(transformer.contains("transformer.0.inner 12, "), "{transformer}");
    assert!(!transformer.contains("rotary") && transformer.ends_with("transformer.0 8, norm 8"), "{transformer}");
    let rotary = layers("encoder = \"transformer\", layers = 1, heads = 2");
    assert!(rotary.contains("transformer.0.attention.rotary 24") && rotary.contains("inner 32"), "{rotary}");
}

/// What the sharing architectures are given: layers of every kind along the text.
const TRUNK: &str =
    "[{ conv1d = 6, window = 3 }, { lstm = 6 }, { gru = 6 }, { transformer = 6, heads = 3, hidden = 7 }]";

fn over_tokens(name: &str, trunk: &str, rows: usize) -> (Config, Prepared) {
    let sharing = match name {
        "tree" => {
            let all = "[\"seen\", \"next\", \"kind\"]";
            let apart = "[\"seen\"], [\"kind\"], [\"next\"]";
            format!(
                "{{ method = \"tree\", layers = [[{all}], [{all}], [[\"seen\", \"kind\"], [\"next\"]], [{apart}]] }}"
            )
        }
        "dselect_k" => "{ method = \"dselect_k\", experts = 3 }".into(),
        "mmoe" => "{ method = \"mmoe\", experts = 2 }".into(),
        _ => format!("\"{name}\""),
    };
    let sections = format!(
        "{TASKS}[model]\nsharing = {sharing}\ntrunk = {trunk}\nhead = [4]\nactivation = \"tanh\"\ntext = {{ encoder = \"none\", \
         dropout = 0, pool = \"attention\" }}\n"
    );
    read(rows, &sections)
}

/// Those that take tasks and layers of any kind.
fn architectures() -> impl Iterator<Item = &'static str> {
    NAMES.iter().copied().filter(|name| !["linear", "esmm", "aitm", "sluice"].contains(name))
}

#[test]
fn every_architecture_along_texts_by_central_differences() {
    const ROWS: usize = 9;
    // What a choice learns from is no derivative.
    for name in architectures().filter(|name| *name != "branch") {
        let (config, prepared) = over_tokens(name, TRUNK, ROWS);
        let graph = graph(&config, &prepared);
        let rows: Vec<u32> = (0..ROWS as u32).collect();
        prepared
            .data
            .with_batch(&graph, &[0, 1, 2], &rows, |feed| {
                check_gradients(name, &graph, feed, &[1.0, 0.5, 2.0], 60);
            })
            .unwrap();
    }
}

#[test]
fn architectures_learn_along_texts() {
    for name in ["hard", "mmoe", "ple", "cross_stitch", "branch", "tree"] {
        let sharing = match name {
            "tree" => "{ method = \"tree\", layers = [[[\"seen\", \"next\"], [\"kind\"]]] }".to_owned(),
            "mmoe" => "{ method = \"mmoe\", experts = 2 }".to_owned(),
            _ => format!("\"{name}\""),
        };
        let seen = learn(&format!(
            "{TASKS}[model]\nsharing = {sharing}\ntrunk = [{{ lstm = 16 }}]\ntext = {{ encoder = \"none\", dropout = 0 }}\n\
             [train]\nepochs = 12\nbatch = 16\nlearning_rate = 0.01\n"
        ));
        assert!(seen[0] > 0.95 && seen[1] > 0.95 && seen[2] > 0.7, "{name}: {seen:?}");
    }
}

#[test]
fn texts_without_labelled_tokens_have_layers_along_them() {
    let (config, prepared) = read(
        20,
        "[inputs]\nwords = \"text\"\n[tasks.kind]\nkind = \"category\"\n[model]\ntrunk = [{ gru = 4 }, 3]\ntext = { encoder = \"none\" }\n",
    );
    let graph = graph(&config, &prepared);
    let domain = |name: &str| graph.nodes().iter().find(|node| node.name == name).unwrap().domain;
    assert!(!domain("trunk.0").is_rows() && !domain("trunk.1").is_rows());
    assert!(domain("heads.kind.pool").is_rows());
}

#[test]
fn refusals() {
    let model = |keys: &str| -> Result<Config, ConfigError> {
        Config::from_toml(&format!("[data]\npath = \"x.csv\"\n[tasks.a]\n[model]\n{keys}\n"), "x.toml")
    };
    let says = |keys: &str, expected: &str| {
        let error = model(keys).unwrap_err().to_string();
        let first = error.lines().next().unwrap_or_default().to_owned();
        assert!(first.ends_with(expected), "{keys}: {error}");
    };
    let transformer = |keys: &str| format!("text = {{ encoder = \"transformer\", {keys} }}");
    says("text = { encoder = \"lstn\" }", "it must be one of \"conv\", \"lstm\", \"gru\", \"transformer\", \"none\"");
    says(
        "text = { encoder = \"lstm\", width = 7 }",
        "the encoder of `model.text` has 7 features; their number must be even, half of them for each direction",
    );
    says(
        &transformer("width = 10, heads = 3"),
        "the encoder of `model.text` has 3 `heads`, which must divide its 10 features",
    );
    says(
        &transformer("width = 12, heads = 4"),
        "the encoder of `model.text` has heads of 3 features, and rotary positions need an even number",
    );
    assert!(model(&transformer("width = 12, heads = 4, positions = \"learned\"")).is_ok());
    says(&transformer("hidden = 0"), "`model.text.hidden` has a layer of width 0; widths are from 1 to 65536");
    says(
        "trunk = [{ lstm = 3 }]",
        "layer 0 of `model.trunk` has 3 features; their number must be even, half of them for each direction",
    );
    says(
        "trunk = [{ lstm = 4, gru = 4 }]",
        "layer 0 of `model.trunk` must be one of `conv1d`, `lstm`, `gru` and `transformer`",
    );
    says(
        "trunk = [{ gru = 4, heads = 2 }]",
        "layer 0 of `model.trunk` has `heads` or `hidden`, which belong to a `transformer`",
    );
    says(
        "trunk = [{ conv1d = 4, window = 4 }]",
        "layer 0 of `model.trunk` has a `window` of 4; it must be odd, from 1 to 15",
    );
    says("trunk = [{ lstm = 4, conv = 4 }]", "unknown key `model.trunk.conv`");
    says(
        "trunk = [{ lstm = 4 }, { conv = 8 }]",
        "layer 1 of `model.trunk` reads images, and layer 0 below it gives none",
    );
    says(
        "sharing = \"sluice\"\ntrunk = [{ lstm = 4 }]",
        "\"sluice\" keeps the subspaces of dense layers apart, and layer 0 of `model.trunk` is none",
    );
    assert_eq!(
        toml::Value::try_from(&model("trunk = [{ transformer = 8, heads = 2 }, 3]").unwrap().model.trunk)
            .unwrap()
            .to_string(),
        "[{ transformer = 8, heads = 2 }, 3]"
    );
}
