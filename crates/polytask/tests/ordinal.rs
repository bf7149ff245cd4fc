//! Classes in an order, in every family.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use polytask::Experiment;
use polytask::config::TaskConfig;
use polytask::tasks::{Kind, Layout, Prediction, Target, Task, Truth, UNSEEN};

/// Sizes that follow `x` with some noise, and beside them how much of it there is.
fn rows(words: [&str; 4]) -> String {
    let mut noise = common::Noise(5);
    let row = |_| {
        let x = noise.next();
        let at = (4.0 * x + 0.8 * (noise.next() - 0.5)).clamp(0.0, 3.99) as usize;
        let label = if noise.next() < 0.1 { "" } else { words[at] };
        format!("{x:.3},{label},{:.3}\n", 10.0 * x + noise.next())
    };
    format!("x,size,amount\n{}", (0..900).map(row).collect::<String>())
}

const ORDER: &str = "order = [\"S\", \"M\", \"L\", \"XL\"]\n";

fn sections(order: &str, model: &str) -> String {
    format!(
        "[inputs]\nx = \"number\"\n[tasks.size]\nkind = \"ordinal\"\n{order}[tasks.amount]\nkind = \"regression\"\n{model}"
    )
}

#[test]
fn every_family_learns_an_order() {
    let network = "[model]\ntrunk = [16]\n[train]\nepochs = 40\nlearning_rate = 0.01\n";
    let linear = "[model]\nsharing = \"linear\"\n";
    for model in [network, linear, "[model]\nfamily = \"trees\"\n", "[model]\npreset = \"fast\"\n"] {
        let folder = tempfile::tempdir().unwrap();
        let config = common::config(&folder, &rows(["S", "M", "L", "XL"]), &sections(ORDER, model));
        let run = Experiment::new(config).fit(&mut ()).unwrap();
        let score = &run.scores().tasks["size"];
        assert!(score.metrics.value("quadratic_kappa").unwrap() > 0.85, "{model} {:?}", score.metrics);
        assert!(score.metrics.value("mae").unwrap() < 0.35, "{model}");
        let table = common::table("x\n0.02\n0.4\n0.99\n");
        let predicted = &run.model().predict(&table).unwrap()[0];
        let Prediction::Classes { labels, probabilities, .. } = predicted else { panic!() };
        assert_eq!(labels, &["S", "M", "L", "XL"]);
        for row in probabilities.chunks_exact(4) {
            assert!(row.iter().all(|p| *p >= 0.0) && (row.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{row:?}");
        }
        assert_eq!(predicted.classes(), [0, 1, 3], "{model}");
        assert!(run.conformal().is_some(), "sets of classes can be made: {model}");
    }
}

fn fit(labels: &[&str], config: &TaskConfig) -> Result<Task, String> {
    let table = common::table(&format!("y,z\n{}", labels.iter().map(|l| format!("{l},1\n")).collect::<String>()));
    let rows: Vec<u32> = (0..labels.len() as u32).collect();
    Task::fit("y", config, &table, &rows).map_err(|error| error.to_string())
}

fn config(order: &str) -> TaskConfig {
    toml::from_str(&format!("kind = \"ordinal\"\n{order}\n")).unwrap()
}

#[test]
fn numbers_have_an_order_and_words_are_given_one() {
    let of = |task: &Task| match &task.kind {
        Kind::Ordinal(own) => own.classes.labels.clone(),
        _ => panic!("an ordinal task"),
    };
    assert_eq!(of(&fit(&["10", "2", "", "1"], &config("")).unwrap()), ["1", "2", "10"]);
    let given = config("order = [\"lo\", \"mid\", \"hi\"]");
    assert_eq!(of(&fit(&["hi", "lo", "mid"], &given).unwrap()), ["lo", "mid", "hi"]);
    let none = fit(&["hi", "lo", "mid"], &config("")).unwrap_err();
    assert!(none.contains("words have no order of their own") && none.contains("order = ["), "{none}");
    let less = fit(&["hi", "lo", "mid"], &config("order = [\"lo\", \"hi\"]")).unwrap_err();
    assert!(less.contains("`order` does not name the label `mid`"), "{less}");
}

#[test]
fn probabilities_that_cross_are_lowered_and_the_middle_is_said() {
    let task = fit(&["1", "2", "3", "4"], &config("")).unwrap();
    let logit = |p: f64| (p / (1.0 - p)).ln() as f32;
    let output = |steps: [f64; 3]| {
        let mut values = polytask::exec::Values::of_rows(3, 1);
        values.extend(&steps.map(logit));
        polytask::exec::TaskOutput { prediction: values, ..Default::default() }
    };
    let prediction = task.predict(&output([0.6, 0.8, 0.1]), &Layout::of_rows(1));
    let Prediction::Classes { probabilities, .. } = &prediction else { panic!() };
    for (got, wanted) in probabilities.iter().zip([0.4, 0.0, 0.5, 0.1]) {
        assert!((got - wanted).abs() < 1e-6, "{probabilities:?}");
    }
    assert_eq!(prediction.classes(), [2]);
    // The likeliest class is the first, the one in the middle is said.
    assert_eq!(task.predict(&output([0.6, 0.55, 0.3]), &Layout::of_rows(1)).classes(), [2]);
    let labels = task.labels(&common::table("y\n3\n1\n9\n")).unwrap();
    assert_eq!(labels.truth, Truth::Classes(vec![2, 0, UNSEEN]));
    assert_eq!(labels.target, Target::Real(vec![1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0]));
    assert_eq!(labels.weights, [1.0, 1.0, 0.0]);
}
