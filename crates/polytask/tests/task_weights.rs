//! What rows weigh for one task and not for another.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use polytask::Experiment;

/// `a` and `b` are 0 or about 10 in turn; the weights are of `a`.
fn rows(heavy: &str) -> String {
    let row = |i: usize| match i % 4 {
        1 => "1,9,9,1\n".to_owned(),
        3 => "1,11,11,1\n".to_owned(),
        _ => format!("1,0,0,{heavy}\n"),
    };
    format!("x,a,b,w\n{}", (0..64).map(row).collect::<String>())
}

fn sections(model: &str) -> String {
    format!(
        "split = {{ valid = 0, test = 0 }}\n[tasks.a]\nkind = \"regression\"\nweight = \"w\"\n[tasks.b]\nkind = \"regression\"\n{model}"
    )
}

const NETWORK: &str = "[model]\ntrunk = []\n[train]\nbatch = \"full\"\nsteps = 2000\nlearning_rate = 0.01\n";

/// What is predicted for `a` and `b`, and how many rows each is scored on.
fn fit(heavy: &str, model: &str) -> [f64; 4] {
    let folder = tempfile::tempdir().unwrap();
    let run = Experiment::new(common::config(&folder, &rows(heavy), &sections(model))).fit(&mut ()).unwrap();
    let predicted = run.model().predict(&common::table("x\n1\n")).unwrap();
    let number = |at: usize| match &predicted[at] {
        polytask::tasks::Prediction::Numbers(values) => values[0],
        _ => f64::NAN,
    };
    assert_eq!(run.model().encoder.inputs.len(), 1, "weights are no inputs");
    let scored = |task: &str| run.scores().tasks[task].metrics.n as f64;
    [number(0), number(1), scored("a"), scored("b")]
}

#[test]
fn weights_of_a_task_move_it_alone() {
    let trees = "[model]\nfamily = \"trees\"\ntrees = { trees = 200, learning_rate = 0.3, min_rows = 1 }\n";
    let forest = "[model]\nfamily = \"trees\"\ntrees = { method = \"forest\", trees = 300 }\n";
    let linear = "[model.sharing]\nmethod = \"linear\"\nstrength = 0\n";
    for (model, slack) in [(NETWORK, 0.05), (trees, 0.3), (forest, 0.8), (linear, 0.05)] {
        let [a, b, ..] = fit("9", model);
        assert!((a - 1.0).abs() < slack && (b - 5.0).abs() < slack, "{model} {a} {b}");
    }
}

#[test]
fn a_row_of_weight_zero_has_no_label_of_the_task() {
    for heavy in ["0", "0.0"] {
        assert_eq!(fit(heavy, NETWORK)[2..], [32.0, 64.0]);
    }
}

#[test]
fn bad_weights_are_named() {
    let error = |heavy: &str| {
        let folder = tempfile::tempdir().unwrap();
        let config = common::config(&folder, &rows(heavy), &sections(NETWORK));
        Experiment::new(config).prepare().err().unwrap().to_string()
    };
    let message = error("-1");
    assert!(message.contains("line 2") && message.contains("task `a`: its weight in column `w` is `-1`"), "{message}");
    assert!(error("").contains("is missing"));
}
