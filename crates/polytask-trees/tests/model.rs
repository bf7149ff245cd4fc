//! What is kept of a fit: predictions, explanations, files, damaged files, and going on.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use std::ops::ControlFlow;

use common::{Draw, features, plain, split};
use polytask_trees::{
    Boosting, Callback, Column, Features, Growing, Growth, Model, Objective, Predictor, Round, Sharing, Silent, Task,
    boost, resume,
};

fn table(rows: usize) -> (Features, Vec<Task>) {
    let mut draw = Draw(6);
    let mut columns = draw.columns(rows, 5);
    let labels = (0..rows).map(|row| 3.0 * columns[0][row] + columns[1][row] * columns[2][row]).collect();
    let classes = (0..rows).map(|row| (columns[3][row] * 2.0 + columns[0][row]).floor()).collect();
    columns[0].iter_mut().step_by(5).for_each(|value| *value = f64::NAN);
    let codes = columns[3].iter().map(|value| (value * 15.0) as u32).collect();
    let mut all: Vec<Column> = columns.into_iter().map(Column::numbers).collect();
    all.push(Column::Categories(codes));
    let tasks = vec![Task::new(Objective::Squared, labels), Task::new(Objective::Category { classes: 3 }, classes)];
    (Features::new(rows, all).expect("columns"), tasks)
}

fn fitted(options: &Boosting) -> (Features, Model) {
    let (features, tasks) = table(500);
    let (train, validation) = split(500);
    let model = boost(&features, &tasks, &train, &validation, options, &mut Silent).expect("fit").model;
    (features, model)
}

/// Each row's way through each tree, taken by hand.
#[test]
fn predictions_are_sums_of_leaves() {
    for growth in [Growth::Leafwise, Growth::Symmetric] {
        let growing = Growing { growth, max_depth: 6, ..Growing::default() };
        let (features, model) = fitted(&Boosting { rounds: 30, growing, sharing: Sharing::Partial, ..plain() });
        let scores = model.scores(&features).expect("scores");
        for row in (0..500).step_by(17) {
            let alone = model.scores(&features.take(&[row])).expect("scores");
            assert_eq!(alone, scores[row * 4..(row + 1) * 4], "a row alone is as good as among others");
            let mut sums = model.start().to_vec();
            for tree in model.trees() {
                let mut at = if tree.nodes.is_empty() { -1 } else { 0 };
                while at >= 0 {
                    let node = &tree.nodes[at as usize];
                    let left = match (&node.test, &features.columns()[node.feature as usize]) {
                        (polytask_trees::Test::Number { threshold, missing_left }, Column::Numbers(values)) => {
                            values[row] <= *threshold || (values[row].is_nan() && *missing_left)
                        }
                        (polytask_trees::Test::Category { left }, Column::Categories(codes)) => {
                            left.contains(&(codes[row] as u8))
                        }
                        _ => panic!("a test of another kind than its column"),
                    };
                    at = node.children[usize::from(!left)];
                }
                tree.outputs
                    .iter()
                    .zip(tree.leaf((-1 - at) as usize))
                    .for_each(|(&output, &value)| sums[output as usize] += f64::from(value));
            }
            assert_eq!(sums, alone);
        }
    }
}

#[test]
fn contributions_add_up_to_scores() {
    for growth in [Growth::Leafwise, Growth::Symmetric] {
        let growing = Growing { growth, max_depth: 7, ..Growing::default() };
        let (features, model) = fitted(&Boosting { rounds: 40, growing, ..plain() });
        let few = features.take(&(0..60).collect::<Vec<_>>());
        let (scores, found) = (model.scores(&few).expect("scores"), model.contributions(&few).expect("explain"));
        for row in 0..60 {
            for output in 0..4 {
                let sum: f64 = (0..6).map(|feature| found.get(row, feature, output)).sum();
                assert!((found.base[output] + sum - scores[row * 4 + output]).abs() < 1e-9);
            }
        }
    }
}

/// Contributions by their definition: averages over all orders in which features become known.
#[test]
fn contributions_are_shapley_values() {
    let growing = Growing { max_depth: 4, ..Growing::default() };
    let (features, model) = fitted(&Boosting { rounds: 6, growing, ..plain() });
    let count = 6;
    let few = features.take(&[0, 1, 2, 3]);
    let found = model.contributions(&few).expect("explain");
    for row in 0..4 {
        let known = |set: usize| -> f64 {
            model
                .trees()
                .iter()
                .filter(|tree| tree.outputs[0] == 0)
                .map(|tree| expectation(tree, &few, row, set, 0))
                .sum()
        };
        for feature in 0..count {
            let mut sum = 0.0;
            for set in (0..1usize << count).filter(|set| set >> feature & 1 == 0) {
                let size = set.count_ones() as usize;
                let factorial = |n: usize| (1..=n).product::<usize>() as f64;
                let weight = factorial(size) * factorial(count - size - 1) / factorial(count);
                sum += weight * (known(set | 1 << feature) - known(set));
            }
            assert!(
                (sum - found.get(row, feature, 0)).abs() < 1e-9,
                "row {row} feature {feature}: {sum} {}",
                found.get(row, feature, 0)
            );
        }
    }
}

fn expectation(tree: &polytask_trees::Tree, features: &Features, row: usize, set: usize, at: i32) -> f64 {
    if at < 0 || tree.nodes.is_empty() {
        return f64::from(tree.leaf(if at < 0 { (-1 - at) as usize } else { 0 })[0]);
    }
    let node = &tree.nodes[at as usize];
    let cover = |child: i32| {
        f64::from(if child >= 0 { tree.nodes[child as usize].cover } else { tree.covers[(-1 - child) as usize] })
    };
    if set >> node.feature & 1 == 1 {
        let left = match (&node.test, &features.columns()[node.feature as usize]) {
            (polytask_trees::Test::Number { threshold, missing_left }, Column::Numbers(values)) => {
                values[row] <= *threshold || (values[row].is_nan() && *missing_left)
            }
            (polytask_trees::Test::Category { left }, Column::Categories(codes)) => left.contains(&(codes[row] as u8)),
            _ => panic!("a test of another kind than its column"),
        };
        return expectation(tree, features, row, set, node.children[usize::from(!left)]);
    }
    let [left, right] = node.children;
    let share = cover(left) / (cover(left) + cover(right));
    share * expectation(tree, features, row, set, left) + (1.0 - share) * expectation(tree, features, row, set, right)
}

#[test]
fn a_file_holds_the_model_to_the_bit() {
    let (features, model) = fitted(&Boosting { rounds: 20, ..plain() });
    let read: Model = serde_json::from_str(&serde_json::to_string(&model).expect("write")).expect("read");
    assert!(read == model);
    assert_eq!(Predictor::new(&read).scores(&features), model.scores(&features));
}

/// Every number of a small model is put to values that it must not have; what is read must then predict without a panic.
#[test]
fn damaged_files_are_errors_and_never_panics() {
    let (features, model) = fitted(&Boosting { rounds: 3, ..plain() });
    let few = features.take(&[0, 1, 2]);
    let good = serde_json::to_value(&model).expect("write");
    let mut paths = Vec::new();
    walk(&good, String::new(), &mut paths);
    let mut refused = 0;
    for path in &paths {
        for hostile in
            [-5_000_000_000i64, -2_147_483_648, -3, -1, 0, 1, 3, 255, 70_000, 2_147_483_647, 4_294_967_295, i64::MAX]
        {
            let mut bad = good.clone();
            *bad.pointer_mut(path).expect("a place") = hostile.into();
            match serde_json::from_value::<Model>(bad) {
                Ok(model) => {
                    let _ = model.predict(&few);
                    let _ = model.contributions(&few);
                    let _ = model.gains();
                }
                Err(_) => refused += 1,
            }
        }
    }
    assert!(refused > paths.len(), "{refused} of {}", paths.len());
    for (path, value) in [
        ("/trees/0/values", "[]"),
        ("/trees/0/covers", "[]"),
        ("/start", "[]"),
        ("/heads", "[]"),
        ("/trees/0/outputs", "[1,0]"),
        ("/columns", "[]"),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(path).expect("a place") = serde_json::from_str(value).expect("json");
        assert!(serde_json::from_value::<Model>(bad).is_err(), "{path}");
    }
}

fn walk(value: &serde_json::Value, path: String, paths: &mut Vec<String>) {
    match value {
        serde_json::Value::Array(values) => {
            // The first and last few stand for the rest.
            let places = (0..values.len()).filter(|place| *place < 3 || *place + 2 > values.len());
            places.for_each(|place| walk(&values[place], format!("{path}/{place}"), paths));
        }
        serde_json::Value::Object(values) => {
            values.iter().for_each(|(key, value)| walk(value, format!("{path}/{key}"), paths))
        }
        serde_json::Value::Number(_) => paths.push(path),
        _ => {}
    }
}

#[test]
fn rows_with_other_columns_are_refused() {
    let (features, model) = fitted(&Boosting { rounds: 2, ..plain() });
    let columns = features.columns().to_vec();
    let mut fewer = columns.clone();
    fewer.pop();
    let mut other = columns;
    other[5] = Column::Numbers(vec![0.0; 500]);
    for columns in [fewer, other] {
        let rows = Features::new(500, columns).expect("columns");
        assert!(model.predict(&rows).is_err() && model.contributions(&rows).is_err());
    }
    let none = features.take(&[]);
    assert_eq!(model.predict(&none).expect("no rows").rows(), 0);
}

#[test]
fn going_on_ends_where_one_fit_ends() {
    let (features, tasks) = table(400);
    let rows: Vec<usize> = (0..400).collect();
    let growing = Growing { features_per_tree: 0.7, ..Growing::default() };
    let options = |rounds| Boosting { rounds, rows_per_tree: 0.6, growing: growing.clone(), ..plain() };
    let whole = boost(&features, &tasks, &rows, &[], &options(20), &mut Silent).expect("fit").model;
    let half = boost(&features, &tasks, &rows, &[], &options(8), &mut Silent).expect("fit").model;
    let rest = resume(&half, &features, &tasks, &rows, &[], &options(12), &mut Silent).expect("fit").model;
    assert!(rest.scores(&features) == whole.scores(&features), "not the same bits");
    assert!(resume(&half, &features, &tasks[..1], &rows, &[], &options(1), &mut Silent).is_err());
}

#[test]
fn a_callback_sees_losses_weighs_tasks_and_stops() {
    struct Look(Vec<f64>, usize);
    impl Callback for Look {
        fn after_round(&mut self, round: &Round<'_>) -> ControlFlow<()> {
            self.0.push(round.validation[0].expect("a loss"));
            if round.number == 7 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
        fn task_weights(&mut self, losses: &mut dyn FnMut() -> Vec<f64>) -> Option<Vec<f64>> {
            self.1 += losses().len();
            Some(vec![1.0, 0.0])
        }
    }
    let (features, tasks) = table(400);
    let (train, validation) = split(400);
    let mut look = Look(Vec::new(), 0);
    let fitted = boost(&features, &tasks, &train, &validation, &plain(), &mut look).expect("fit");
    assert_eq!((fitted.rounds, look.0.len(), look.1), (7, 7, 14));
    assert!(look.0.windows(2).all(|pair| pair[1] < pair[0]));
    assert_eq!(fitted.validation[0], look.0.last().copied());
    // With all weight on the first task, the trees are those of the first task alone.
    let alone = boost(&features, &tasks[..1], &train, &validation, &Boosting { rounds: 7, ..plain() }, &mut Silent)
        .expect("fit");
    let (a, b) = (fitted.model.predict(&features).expect("predict"), alone.model.predict(&features).expect("predict"));
    assert!(a.task(0).iter().zip(b.task(0)).all(|(a, b)| (a - b).abs() < 1e-6));
    let mut stop = |_: &Round<'_>| ControlFlow::Break(());
    assert_eq!(boost(&features, &tasks, &train, &validation, &plain(), &mut stop).expect("fit").rounds, 1);
}

#[test]
fn features_that_matter_gain_most() {
    let mut draw = Draw(12);
    let columns = draw.columns(400, 4);
    let tasks = [Task::new(Objective::Squared, columns[2].clone()), Task::new(Objective::Squared, columns[1].clone())];
    let rows: Vec<usize> = (0..400).collect();
    let options = Boosting { rounds: 10, sharing: Sharing::None, ..plain() };
    let gains = boost(&features(&columns), &tasks, &rows, &[], &options, &mut Silent).expect("fit").model.gains();
    let best = |gains: &[f64]| (0..4).max_by(|&a, &b| gains[a].total_cmp(&gains[b]));
    assert_eq!((best(&gains[0]), best(&gains[1])), (Some(2), Some(1)));
}
