//! Data with almost nothing in them, and bad input.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{Draw, features, plain};
use polytask_trees::{
    Boosting, Column, Features, Forest, Growing, Growth, Monotone, Objective, Sharing, Silent, Sketch, Task,
    TreesError, boost, forest,
};

fn fit(columns: &[Vec<f64>], tasks: &[Task]) -> Vec<Vec<f64>> {
    let table = features(columns);
    let rows: Vec<usize> = (0..table.rows()).collect();
    let growing = Growing { growth: Growth::Symmetric, max_depth: 6, ..Growing::default() };
    let mut all = Vec::new();
    for options in
        [Boosting { rounds: 10, ..plain() }, Boosting { rounds: 10, growing, sharing: Sharing::Partial, ..plain() }]
    {
        let model = boost(&table, tasks, &rows, &rows, &options, &mut Silent).expect("fit").model;
        let predictions = model.predict(&table).expect("predict");
        all = (0..tasks.len()).map(|task| predictions.task(task)).collect();
        assert!(all.iter().flatten().all(|value| value.is_finite()));
        let contributions = model.contributions(&table).expect("explain");
        assert!(contributions.values().iter().all(|value| value.is_finite()));
    }
    for options in [Forest { trees: 5, ..Forest::default() }, Forest { trees: 5, ..Forest::extremely_randomised() }] {
        let grown = forest(&table, tasks, &rows, &options, &mut Silent).expect("forest");
        let predictions = grown.fitted.model.predict(&table).expect("predict");
        assert!((0..tasks.len()).flat_map(|task| predictions.task(task)).all(|value| value.is_finite()));
    }
    all
}

fn regression(labels: Vec<f64>) -> Task {
    Task::new(Objective::Squared, labels)
}

#[test]
fn almost_nothing_is_enough() {
    let gap = f64::NAN;
    assert_eq!(fit(&[vec![1.0]], &[regression(vec![3.0])]), [[3.0]], "one row");
    assert_eq!(fit(&[vec![1.0]], &[regression(vec![gap])]), [[0.0]], "no label");
    assert_eq!(fit(&[vec![gap; 4]], &[regression(vec![1.0, 2.0, 3.0, 4.0])]), [[2.5; 4]], "all inputs missing");
    assert_eq!(fit(&[vec![0.0, 1.0, 2.0, 3.0]], &[regression(vec![7.0; 4])]), [[7.0; 4]], "a constant target");
    fit(
        &[vec![0.0, 1.0, 2.0, 3.0]],
        &[Task::new(Objective::Binary, vec![1.0; 4]), Task::new(Objective::Category { classes: 1 }, vec![0.0; 4])],
    );
    fit(&[vec![0.0, 1.0, 2.0, 3.0]], &[Task::new(Objective::Category { classes: 5 }, vec![2.0, 2.0, 2.0, 4.0])]);
    fit(
        &[vec![0.0, 1.0, 2.0, 3.0]],
        &[
            Task::new(Objective::Poisson, vec![0.0; 4]),
            Task::new(Objective::Quantile { level: 0.9 }, vec![gap, gap, 1.0, 2.0]),
        ],
    );
    fit(&[vec![0.0, f64::INFINITY, f64::NEG_INFINITY, 3e38]], &[regression(vec![1e20, -1e20, 0.0, 1.0])]);
}

#[test]
fn more_tasks_than_rows() {
    let mut draw = Draw(1);
    let columns = draw.columns(6, 3);
    let tasks: Vec<Task> = (0..40).map(|_| regression((0..6).map(|_| draw.normal()).collect())).collect();
    fit(&columns, &tasks);
}

#[test]
fn twenty_thousand_features() {
    let mut draw = Draw(2);
    let columns = draw.columns(60, 20_000);
    let tasks = [regression(columns[17].clone()), regression(columns[400].iter().map(|value| -value).collect())];
    let rows: Vec<usize> = (0..60).collect();
    let options = Boosting { rounds: 5, learning_rate: 0.5, ..plain() };
    let model = boost(&features(&columns), &tasks, &rows, &[], &options, &mut Silent).expect("fit").model;
    let first = model.trees()[0].nodes[0].feature;
    assert!(first == 17 || first == 400, "{first}");
}

#[test]
fn a_label_without_variance_in_training_rows_and_a_class_in_one_row() {
    let columns = [(0..30).map(f64::from).collect::<Vec<f64>>()];
    let mut classes = vec![0.0; 30];
    classes[29] = 1.0;
    fit(
        &columns,
        &[Task::new(Objective::Category { classes: 2 }, classes.clone()), Task::new(Objective::Binary, classes)],
    );
}

#[test]
fn bad_input_is_an_error() {
    let table = features(&[vec![0.0, 1.0, 2.0]]);
    let good = regression(vec![1.0, 2.0, 3.0]);
    let try_with = |tasks: &[Task], rows: &[usize], options: Boosting| {
        boost(&table, tasks, rows, &[], &options, &mut Silent).map(|_| ())
    };
    let rows = [0, 1, 2];
    let options = plain;
    assert!(Features::new(2, vec![Column::numbers([1.0])]).is_err());
    for task in [
        regression(vec![1.0]),
        regression(vec![1.0, f64::INFINITY, 0.0]),
        Task::new(Objective::Binary, vec![0.0, 0.5, 1.0]),
        Task::new(Objective::Category { classes: 2 }, vec![0.0, 1.0, 2.0]),
        Task::new(Objective::Category { classes: 0 }, vec![0.0; 3]),
        Task::new(Objective::Poisson, vec![0.0, -1.0, 2.0]),
        Task::new(Objective::Multilabel { labels: 2 }, vec![0.0; 3]),
        Task::new(Objective::Quantile { level: 1.0 }, vec![0.0; 3]),
        Task::new(Objective::Huber { delta: 0.0 }, vec![0.0; 3]),
        Task { weights: Some(vec![1.0, -1.0, 1.0]), ..good.clone() },
        Task { weights: Some(vec![1.0]), ..good.clone() },
        Task { weight: f64::NAN, ..good.clone() },
    ] {
        assert!(try_with(std::slice::from_ref(&task), &rows, options()).is_err(), "{task:?}");
    }
    let good = [good];
    assert!(try_with(&[], &rows, options()).is_err());
    assert!(try_with(&good, &[], options()).is_err());
    assert!(try_with(&good, &[3], options()).is_err());
    let growing = Growing::default;
    for options in [
        Boosting { learning_rate: 0.0, ..options() },
        Boosting { rows_per_tree: 1.5, ..options() },
        Boosting { sharing: Sharing::Groups(vec![vec![0, 0]]), ..options() },
        Boosting { sharing: Sharing::Groups(vec![]), ..options() },
        Boosting { sketch: Some(Sketch::Top(0)), ..options() },
        Boosting { growing: Growing { max_bins: 256, ..growing() }, ..options() },
        Boosting { growing: Growing { max_leaves: 1, ..growing() }, ..options() },
        Boosting { growing: Growing { max_depth: 65, ..growing() }, ..options() },
        Boosting { growing: Growing { l2: -1.0, ..growing() }, ..options() },
        Boosting {
            growing: Growing { monotone: vec![Monotone { feature: 1, task: None, increasing: true }], ..growing() },
            ..options()
        },
        Boosting {
            growing: Growing { monotone: vec![Monotone { feature: 0, task: Some(1), increasing: true }], ..growing() },
            ..options()
        },
    ] {
        let found = try_with(&good, &rows, options.clone());
        assert!(matches!(found, Err(TreesError::Option(_))), "{options:?} {found:?}");
    }
    assert!(
        forest(&table, &good, &rows, &Forest { sharing: Sharing::Partial, ..Forest::default() }, &mut Silent).is_err()
    );
    assert!(try_with(&good, &rows, options()).is_ok());
}
