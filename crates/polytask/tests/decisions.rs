//! Probabilities that held-out rows set right, and thresholds that they choose.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use polytask::model::Model;
use polytask::tasks::Kind;
use polytask::{Experiment, Run};

/// Rows of two classes: the positive one in two fifths of those where `x` is large, and hardly anywhere else; each of two
/// labels likewise.
fn rows() -> String {
    let mut noise = common::Noise(3);
    let row = |_| {
        let (x, z) = (noise.next(), noise.next());
        let hit = noise.next() < if x > 0.8 { 0.4 } else { 0.01 };
        let tags = [("a", if x > 0.7 { 0.4 } else { 0.02 }), ("b", if z > 0.7 { 0.4 } else { 0.02 })]
            .into_iter()
            .filter(|(_, share)| noise.next() < *share);
        let tags: Vec<&str> = tags.map(|(tag, _)| tag).collect();
        format!(
            "{x:.3},{z:.3},{},{}\n",
            if hit { "yes" } else { "no" },
            serde_json::json!(tags).to_string().replace('"', "'")
        )
    };
    let rows: Vec<String> = (0..4000).map(row).collect();
    format!("x,z,hit,tags\n{}", rows.iter().map(|row| quoted(row)).collect::<String>())
}

/// Quotes around the list at the end of a row, whose commas would part it.
fn quoted(row: &str) -> String {
    let (before, list) = row.trim_end().split_once('[').unwrap();
    format!("{before}\"[{list}\"\n")
}

fn run(keys: [&str; 2], model: &str) -> Run {
    let sections = format!(
        "split = {{ valid = 0.3, test = 0.3 }}\n[inputs]\nx = \"number\"\nz = \"number\"\n[tasks.hit]\nkind = \"binary\"\n{}\n\
         [tasks.tags]\nkind = \"multilabel\"\n{}\n{model}",
        keys[0], keys[1]
    );
    let folder = tempfile::tempdir().unwrap();
    Experiment::new(common::config(&folder, &rows(), &sections)).fit(&mut ()).unwrap()
}

const NETWORK: &str = "[model]\ntrunk = [16]\n[train]\nepochs = 30\nlearning_rate = 0.01\n";
const TREES: &str = "[model]\nfamily = \"trees\"\n";

fn value(run: &Run, task: &str, metric: &str) -> f64 {
    run.scores().tasks[task].metrics.value(metric).unwrap_or(f64::NAN)
}

#[test]
fn thresholds_serve_their_aim_on_other_rows() {
    for model in [NETWORK, TREES] {
        let plain = run(["", ""], model);
        let aimed = run(["threshold = \"f1\"", "threshold = \"f1\""], model);
        assert!(value(&plain, "hit", "recall") < 0.2, "few are likelier than not: {}", value(&plain, "hit", "recall"));
        assert!(value(&aimed, "hit", "recall") > 0.4, "{model} {}", value(&aimed, "hit", "recall"));
        assert!(value(&aimed, "hit", "mcc") > value(&plain, "hit", "mcc"), "{model}");
        assert!(value(&aimed, "tags", "micro_f1") > value(&plain, "tags", "micro_f1") + 0.05, "{model}");
        // What does not look at what is said stays as it is.
        assert_eq!(value(&aimed, "hit", "auc"), value(&plain, "hit", "auc"));
        assert_eq!(value(&aimed, "hit", "log_loss"), value(&plain, "hit", "log_loss"));
        let recall = run(["threshold = { recall = 0.9 }", ""], model);
        assert!(value(&recall, "hit", "recall") > 0.75, "{model} {}", value(&recall, "hit", "recall"));
    }
}

#[test]
fn a_model_keeps_what_was_decided() {
    let run = run(["threshold = { cost = { fp = 1, fn = 8 } }", "threshold = 0.2"], NETWORK);
    let Kind::Binary(hit) = &run.model().tasks[0].kind else { unreachable!() };
    assert!(hit.decision.thresholds[0] < 0.4, "a missed one costs eight wrong ones: {:?}", hit.decision);
    let Kind::Multilabel(tags) = &run.model().tasks[1].kind else { unreachable!() };
    assert_eq!(tags.decision.thresholds, [0.2, 0.2]);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    run.save(&path).unwrap();
    let model = Model::load(&path).unwrap();
    assert_eq!(&model, run.model());
    let table = common::table(&rows());
    let predicted = model.predict(&table).unwrap();
    assert_eq!(predicted, run.model().predict(&table).unwrap());
    let said = predicted[0].classes();
    let polytask::tasks::Prediction::Classes { probabilities, .. } = &predicted[0] else { unreachable!() };
    let above = probabilities.chunks_exact(2).map(|row| u32::from(row[1] >= hit.decision.thresholds[0]));
    assert!(above.eq(said.iter().copied()) && said.contains(&1) && said.contains(&0));
}

#[test]
fn probabilities_are_set_right() {
    // Weights of the classes make the positive one look far more frequent than it is.
    let weights = "class_weights = \"balanced\"";
    let [plain, set] = ["", "\ncalibrate = true"].map(|key| run([&format!("{weights}{key}"), ""], NETWORK));
    let decision = |run: &Run| match &run.model().tasks[0].kind {
        Kind::Binary(own) => own.decision.clone(),
        _ => unreachable!("the first task is binary"),
    };
    assert!(decision(&plain).is_plain(), "whoever weighs classes means it: {:?}", decision(&plain));
    assert!(decision(&set).shift < -0.5, "{:?}", decision(&set));
    assert!(value(&set, "hit", "log_loss") < value(&plain, "hit", "log_loss") - 0.05);
    assert!(value(&set, "hit", "brier") < value(&plain, "hit", "brier"));
    assert_eq!(value(&set, "hit", "auc"), value(&plain, "hit", "auc"), "the order of the rows stays");
}

#[test]
fn what_cannot_be_met_is_said() {
    // No held-out row is positive.
    let part = |i: usize| ["train", "valid", "test"][i % 3];
    let row = |i: usize| format!("{},{},{}\n", i % 10, if i.is_multiple_of(9) { "yes" } else { "no" }, part(i));
    let data = format!("x,hit,part\n{}", (0..300).map(row).collect::<String>());
    let sections = format!(
        "split = {{ column = \"part\" }}\n[inputs]\nx = \"number\"\n[tasks.hit]\nkind = \"binary\"\nthreshold = \"f1\"\n{NETWORK}"
    );
    let folder = tempfile::tempdir().unwrap();
    let unmet = Experiment::new(common::config(&folder, &data, &sections)).fit(&mut ()).unwrap();
    let said = "task `hit`: no threshold gives the largest F1 on the held-out rows: it stays 0.5";
    assert_eq!(unmet.notes(), [said]);
    let Kind::Binary(hit) = &unmet.model().tasks[0].kind else { unreachable!() };
    assert!(hit.decision.thresholds.is_empty());
}

#[test]
fn keys_that_mean_nothing_are_refused() {
    let of = |task: &str| {
        let text = format!("[data]\npath = \"d.csv\"\n[tasks.y]\n{task}\n");
        polytask::config::Config::from_toml(&text, "c.toml").unwrap_err().to_string()
    };
    assert!(
        of("kind = \"regression\"\nthreshold = 0.3")
            .contains("`threshold` has no meaning for a task of kind \"regression\"")
    );
    assert!(of("kind = \"count\"\ncalibrate = true").contains("`calibrate` has no meaning"));
    assert!(of("kind = \"binary\"\nthreshold = 1.0").contains("it must be above 0 and below 1"));
    assert!(of("kind = \"binary\"\nthreshold = { cost = { fp = 0, fn = 1 } }").contains("a cost must be above 0"));
    let words = of("kind = \"binary\"\nthreshold = \"f2\"");
    assert!(words.contains("\"balanced_accuracy\""), "{words}");
}
