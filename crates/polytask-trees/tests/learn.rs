//! Mixed tasks, missing labels, missing values, categories and monotone features.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{Draw, features, plain, r2, split};
use polytask_trees::{
    Boosting, Column, Features, Growing, Growth, MISSING, Monotone, Objective, Silent, Sketch, Task, boost,
};

fn quick() -> Boosting {
    Boosting { rounds: 150, learning_rate: 0.1, ..plain() }
}

fn logistic(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// One task of every kind, all by the same two features, half of all labels missing.
#[test]
fn tasks_of_all_kinds_are_learnt_together() {
    let mut draw = Draw(3);
    let rows = 1500;
    let columns = draw.columns(rows, 5);
    let signal: Vec<f64> =
        (0..rows).map(|row| 4.0 * columns[0][row] * columns[1][row] + f64::from(columns[0][row] > 0.5)).collect();
    let mut labels = |of: &dyn Fn(f64, &mut Draw) -> Vec<f64>| -> Vec<f64> {
        signal
            .iter()
            .flat_map(|&signal| of(signal, &mut draw))
            .collect::<Vec<f64>>()
            .into_iter()
            .map(|label| if draw.uniform() < 0.5 { f64::NAN } else { label })
            .collect()
    };
    let objectives = [
        Objective::Squared,
        Objective::Absolute,
        Objective::Huber { delta: 0.5 },
        Objective::Quantile { level: 0.9 },
        Objective::Binary,
        Objective::Category { classes: 3 },
        Objective::Multilabel { labels: 2 },
        Objective::Poisson,
    ];
    let tasks: Vec<Task> = objectives
        .iter()
        .map(|objective| {
            let found = labels(&|signal, draw: &mut Draw| match objective {
                Objective::Binary => vec![f64::from(draw.uniform() < logistic(4.0 * (signal - 1.5)))],
                Objective::Category { .. } => vec![(signal / 1.7).floor().clamp(0.0, 2.0)],
                Objective::Multilabel { .. } => vec![f64::from(signal > 1.0), f64::from(signal > 2.0)],
                Objective::Poisson => vec![(signal * signal + 0.5 * draw.uniform()).round()],
                _ => vec![100.0 * signal + draw.normal()],
            });
            let labels = if matches!(objective, Objective::Huber { .. }) {
                found.iter().map(|label| label / 100.0).collect()
            } else {
                found
            };
            Task::new(*objective, labels)
        })
        .collect();
    let (train, validation) = split(rows);
    for growth in [Growth::Leafwise, Growth::Depthwise, Growth::Symmetric] {
        let growing = Growing { growth, max_leaves: 16, max_depth: 5, ..Growing::default() };
        let options = Boosting { growing, ..quick() };
        let fitted = boost(&features(&columns), &tasks, &train, &validation, &options, &mut Silent).expect("fit");
        let predictions = fitted.model.predict(&features(&columns)).expect("predict");
        for (index, task) in tasks.iter().enumerate() {
            let width = task.objective.label_width();
            let known: Vec<usize> =
                validation.iter().copied().filter(|&row| !task.labels[row * width].is_nan()).collect();
            let score = match task.objective {
                Objective::Binary | Objective::Category { .. } | Objective::Multilabel { .. } => {
                    let right = known.iter().filter(|&&row| {
                        let chances = predictions.row(index, row);
                        assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
                        let best =
                            (0..chances.len()).max_by(|&a, &b| chances[a].total_cmp(&chances[b])).expect("a class");
                        let class = if chances.len() == 3 { best as f64 } else { f64::from(chances[0] > 0.5) };
                        class == task.labels[row * width]
                    });
                    right.count() as f64 / known.len() as f64
                }
                Objective::Quantile { .. } => {
                    let below = known.iter().filter(|&&row| task.labels[row] <= predictions.row(index, row)[0]).count();
                    1.0 - (below as f64 / known.len() as f64 - 0.9).abs()
                }
                _ => {
                    let labels: Vec<f64> = known.iter().map(|&row| task.labels[row]).collect();
                    r2(&labels, &known.iter().map(|&row| predictions.row(index, row)[0]).collect::<Vec<_>>())
                }
            };
            assert!(score > 0.85, "{growth:?} {:?}: {score}", task.objective);
        }
    }
}

/// A row without a label counts nothing: with and without it, every bit is the same.
#[test]
fn rows_without_a_label_are_as_good_as_absent() {
    let mut draw = Draw(5);
    let rows = 400;
    let columns: Vec<Vec<f64>> = draw
        .columns(rows, 3)
        .into_iter()
        .map(|column| column.into_iter().map(|value| (20.0 * value).floor()).collect())
        .collect();
    let labels: Vec<f64> = (0..rows)
        .map(|row| if row % 3 == 0 { f64::NAN } else { columns[0][row] + (columns[1][row] - 7.0).abs() })
        .collect();
    for objective in [Objective::Squared, Objective::Absolute, Objective::Poisson] {
        let task = [Task::new(objective, labels.clone())];
        let all: Vec<usize> = (0..rows).collect();
        let some: Vec<usize> = all.iter().copied().filter(|row| row % 3 != 0).collect();
        let options = Boosting { rounds: 20, ..quick() };
        let fit =
            |train: &[usize]| boost(&features(&columns), &task, train, &[], &options, &mut Silent).expect("fit").model;
        assert_eq!(fit(&all), fit(&some), "{objective:?}");
    }
}

/// In a shared tree, too, a task's leaf is found by its own rows alone.
#[test]
fn leaves_of_a_task_do_not_see_rows_of_others() {
    let columns = [vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]];
    let gap = f64::NAN;
    let tasks = [
        Task::new(Objective::Squared, vec![1.0, gap, gap, 1.0, 5.0, gap, gap, 5.0]),
        Task::new(Objective::Squared, vec![gap, 20.0, 20.0, gap, gap, 80.0, 80.0, gap]),
    ];
    let growing = Growing { min_rows: 1, l2: 0.0, ..Growing::default() };
    let options = Boosting { rounds: 1, learning_rate: 1.0, growing, ..plain() };
    let rows: Vec<usize> = (0..8).collect();
    let fitted = boost(&features(&columns), &tasks, &rows, &[], &options, &mut Silent).expect("fit");
    let predictions = fitted.model.predict(&features(&columns)).expect("predict");
    assert_eq!((predictions.row(0, 1), predictions.row(1, 0)), (&[1.0][..], &[20.0][..]));
    assert_eq!((predictions.row(0, 6), predictions.row(1, 4)), (&[5.0][..], &[80.0][..]));
}

#[test]
fn missing_values_go_where_they_belong() {
    for missing_is_high in [false, true] {
        let columns =
            [(0..200).map(|row| if row % 4 == 0 { f64::NAN } else { f64::from(row % 50) }).collect::<Vec<f64>>()];
        let labels = columns[0]
            .iter()
            .map(|value| if value.is_nan() { f64::from(missing_is_high) } else { f64::from(*value > 25.0) })
            .collect();
        let tasks = [Task::new(Objective::Squared, labels)];
        let growing = Growing { max_leaves: 2, l2: 0.0, ..Growing::default() };
        for growth in [Growth::Leafwise, Growth::Symmetric] {
            let options =
                Boosting { rounds: 1, learning_rate: 1.0, growing: Growing { growth, ..growing.clone() }, ..plain() };
            let rows: Vec<usize> = (0..200).collect();
            let model = boost(&features(&columns), &tasks, &rows, &[], &options, &mut Silent).expect("fit").model;
            let predictions = model.predict(&features(&columns)).expect("predict").task(0);
            assert!(
                predictions.iter().zip(&tasks[0].labels).all(|(a, b)| (a - b).abs() < 1e-6),
                "{missing_is_high} {growth:?}"
            );
        }
    }
}

#[test]
fn a_column_that_is_only_known_or_not_is_split() {
    let columns = [(0..100).map(|row| if row % 2 == 0 { f64::NAN } else { 3.0 }).collect::<Vec<f64>>()];
    let tasks = [Task::new(Objective::Squared, (0..100).map(|row| f64::from(row % 2)).collect())];
    let rows: Vec<usize> = (0..100).collect();
    let model = boost(&features(&columns), &tasks, &rows, &[], &quick(), &mut Silent).expect("fit").model;
    let predictions = model.predict(&features(&columns)).expect("predict").task(0);
    assert!(r2(&tasks[0].labels, &predictions) > 0.99);
}

/// Categories in no order: the two tasks divide them in different ways.
#[test]
fn categories_are_split_into_sets() {
    let mut draw = Draw(8);
    let rows = 2000;
    let codes: Vec<u32> = (0..rows)
        .map(|_| 1000 * (draw.uniform() * 40.0) as u32)
        .map(|code| if code == 5000 { MISSING } else { code })
        .collect();
    let effect =
        |code: u32, task: u32| f64::from((code / 1000 * 7 + task * 3) % 11) + if code == MISSING { 20.0 } else { 0.0 };
    let tasks: Vec<Task> = (0..2)
        .map(|task| {
            Task::new(Objective::Squared, codes.iter().map(|&code| effect(code, task) + 0.1 * draw.normal()).collect())
        })
        .collect();
    let table = Features::new(rows, vec![Column::Categories(codes.clone())]).expect("columns");
    let (train, validation) = split(rows);
    for growth in [Growth::Leafwise, Growth::Symmetric] {
        let growing = Growing { growth, max_depth: 6, ..Growing::default() };
        let fitted =
            boost(&table, &tasks, &train, &validation, &Boosting { growing, ..quick() }, &mut Silent).expect("fit");
        let predictions = fitted.model.predict(&table.take(&validation)).expect("predict");
        for (index, task) in tasks.iter().enumerate() {
            let labels: Vec<f64> = validation.iter().map(|&row| task.labels[row]).collect();
            assert!(r2(&labels, &predictions.task(index)) > 0.97, "{growth:?} {index}");
        }
        let unknown = Features::new(2, vec![Column::Categories(vec![77, MISSING])]).expect("columns");
        let predictions = fitted.model.predict(&unknown).expect("predict");
        assert_eq!(predictions.row(0, 0), predictions.row(0, 1), "an unknown category is as good as missing");
    }
}

#[test]
fn monotone_features_are_monotone_task_by_task() {
    let mut draw = Draw(9);
    let rows = 800;
    let columns = draw.columns(rows, 2);
    let wave = |row: usize| (9.0 * columns[0][row]).sin() + columns[0][row] + columns[1][row];
    let labels: Vec<f64> = (0..rows).map(wave).collect();
    let tasks = [
        Task::new(Objective::Squared, labels.clone()),
        Task::new(Objective::Absolute, labels.clone()),
        Task::new(Objective::Squared, labels),
    ];
    let monotone = vec![
        Monotone { feature: 0, task: Some(0), increasing: true },
        Monotone { feature: 0, task: Some(1), increasing: false },
    ];
    for growth in [Growth::Leafwise, Growth::Symmetric] {
        let growing = Growing { growth, max_depth: 5, monotone: monotone.clone(), ..Growing::default() };
        let rows: Vec<usize> = (0..rows).collect();
        let options = Boosting { rounds: 40, growing, ..quick() };
        let model = boost(&features(&columns), &tasks, &rows, &[], &options, &mut Silent).expect("fit").model;
        let grid: Vec<f64> = (0..200).map(|step| f64::from(step) / 199.0).collect();
        for other in [0.1, 0.5, 0.9] {
            let predictions = model.predict(&features(&[grid.clone(), vec![other; 200]])).expect("predict");
            let rises = |task: usize, sign: f64| {
                predictions.task(task).windows(2).all(|pair| sign * (pair[1] - pair[0]) >= 0.0)
            };
            assert!(rises(0, 1.0) && rises(1, -1.0), "{growth:?}");
        }
        assert!(
            model.predict(&features(&columns)).is_ok_and(|found| r2(&tasks[0].labels, &found.task(0)) > 0.4),
            "{growth:?}"
        );
        let free = model.predict(&features(&[grid, vec![0.5; 200]])).expect("predict").task(2);
        assert!(
            free.windows(2).any(|pair| pair[1] > pair[0]) && free.windows(2).any(|pair| pair[1] < pair[0]),
            "{growth:?} the third task is free"
        );
    }
}

#[test]
fn sketches_find_the_structure_of_many_outputs() {
    let mut draw = Draw(10);
    let rows = 600;
    let columns = draw.columns(rows, 4);
    let outputs = 64;
    let flag = |row: usize, output: usize| f64::from(columns[output % 2][row] > 0.3 + 0.005 * output as f64);
    let labels = (0..rows)
        .flat_map(|row| (0..outputs).map(move |output| (row, output)))
        .map(|(row, output)| flag(row, output))
        .collect();
    let tasks = [Task::new(Objective::Multilabel { labels: outputs }, labels)];
    let (train, validation) = split(rows);
    for sketch in [None, Some(Sketch::Projection(5)), Some(Sketch::Top(5))] {
        let options = Boosting { sketch, rounds: 60, learning_rate: 0.2, ..plain() };
        let fitted = boost(&features(&columns), &tasks, &train, &validation, &options, &mut Silent).expect("fit");
        assert!(fitted.validation[0].is_some_and(|loss| loss < 0.15), "{sketch:?} {:?}", fitted.validation);
    }
}

#[test]
fn weights_of_rows_are_as_good_as_repeats() {
    let columns = [vec![0.0, 1.0, 2.0, 3.0]];
    let growing = Growing { min_rows: 1, ..Growing::default() };
    let options = Boosting { rounds: 5, growing, ..plain() };
    let weighted =
        Task { weights: Some(vec![2.0, 1.0, 1.0, 3.0]), ..Task::new(Objective::Squared, vec![1.0, 5.0, 2.0, 9.0]) };
    let repeated = [vec![0.0, 0.0, 1.0, 2.0, 3.0, 3.0, 3.0]];
    let task = Task::new(Objective::Squared, vec![1.0, 1.0, 5.0, 2.0, 9.0, 9.0, 9.0]);
    let first = boost(&features(&columns), &[weighted], &[0, 1, 2, 3], &[], &options, &mut Silent).expect("fit").model;
    let second =
        boost(&features(&repeated), &[task], &[0, 1, 2, 3, 4, 5, 6], &[], &options, &mut Silent).expect("fit").model;
    let (a, b) =
        (first.predict(&features(&columns)).expect("predict"), second.predict(&features(&columns)).expect("predict"));
    assert!(a.task(0).iter().zip(b.task(0)).all(|(a, b)| (a - b).abs() < 1e-5), "{:?} {:?}", a.task(0), b.task(0));
}
