//! What sharing does on planted tasks, and forests.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{Draw, features, plain, r2, split};
use polytask_trees::{Boosting, Features, Forest, GainScale, Objective, Sharing, Silent, Task, boost, forest};

const ROWS: usize = 600;

/// Noisy tasks; the first `related` go by the same features, the others by features of their own.
fn planted(seed: u64, related: usize, others: usize, noise: f64) -> (Features, Vec<Task>, Vec<Vec<f64>>) {
    let mut draw = Draw(seed);
    let columns = draw.columns(ROWS, 10);
    let common = |row: usize| (6.0 * columns[0][row]).sin() * 2.0 * columns[1][row] + f64::from(columns[2][row] > 0.6);
    let mut truths = Vec::new();
    for task in 0..related + others {
        let truth: Vec<f64> = (0..ROWS)
            .map(|row| match task < related {
                true => common(row),
                false => (5.0 * columns[3 + task % 7][row]).cos() + columns[3 + (task + 1) % 7][row],
            })
            .collect();
        truths.push(truth);
    }
    let scale = |task: usize| 10f64.powi(task as i32 % 5 - 2);
    let noisy = |(task, truth): (usize, &Vec<f64>)| {
        Task::new(Objective::Squared, truth.iter().map(|truth| scale(task) * (truth + noise * draw.normal())).collect())
    };
    let tasks = truths.iter().enumerate().map(noisy).collect();
    let truths = truths
        .iter()
        .enumerate()
        .map(|(task, truth)| truth.iter().map(|truth| scale(task) * truth).collect())
        .collect();
    (features(&columns), tasks, truths)
}

/// Mean R2 over tasks against the truth, on rows beyond the training and validation rows.
fn score(seed: u64, related: usize, others: usize, sharing: Sharing, scale: GainScale) -> f64 {
    let (features, tasks, truths) = planted(seed, related, others, 0.7);
    let test: Vec<usize> = (ROWS / 2..ROWS).collect();
    let (train, validation) = split(ROWS / 2);
    let options = Boosting { sharing, scale, learning_rate: 0.1, ..plain() };
    let model = boost(&features, &tasks, &train, &validation, &options, &mut Silent).expect("fit").model;
    let predictions = model.predict(&features.take(&test)).expect("predict");
    let of = |task: usize| r2(&test.iter().map(|&row| truths[task][row]).collect::<Vec<_>>(), &predictions.task(task));
    (0..tasks.len()).map(of).sum::<f64>() / tasks.len() as f64
}

fn mean(related: usize, others: usize, sharing: &Sharing, scale: GainScale) -> f64 {
    (0..4).map(|seed| score(seed, related, others, sharing.clone(), scale)).sum::<f64>() / 4.0
}

#[test]
fn related_tasks_gain_by_sharing() {
    let shared = mean(6, 0, &Sharing::Shared, GainScale::Start);
    let own = mean(6, 0, &Sharing::None, GainScale::Start);
    assert!(shared > own + 0.03, "shared {shared}, own {own}");
}

#[test]
fn partial_sharing_is_as_good_as_the_better_way() {
    let shared = mean(4, 3, &Sharing::Shared, GainScale::Start);
    let own = mean(4, 3, &Sharing::None, GainScale::Start);
    let partial = mean(4, 3, &Sharing::Partial, GainScale::Start);
    assert!(partial > shared.max(own) - 0.01, "shared {shared}, own {own}, partial {partial}");
    let groups = Sharing::Groups(vec![vec![0, 1, 2, 3], vec![4], vec![5], vec![6]]);
    let groups = mean(4, 3, &groups, GainScale::Start);
    assert!(groups > own, "groups {groups}, own {own}");
}

/// Tasks whose labels differ by powers of ten: on a raw scale the largest alone chooses.
#[test]
fn scales_keep_large_labels_from_outvoting_small_ones() {
    let start = mean(0, 5, &Sharing::Shared, GainScale::Start);
    let current = mean(0, 5, &Sharing::Shared, GainScale::Current);
    let raw = mean(0, 5, &Sharing::Shared, GainScale::Raw);
    assert!(start > raw + 0.1 && current > raw + 0.1, "start {start}, current {current}, raw {raw}");
}

#[test]
fn every_task_keeps_its_own_number_of_trees() {
    let (features, mut tasks, _) = planted(1, 1, 0, 0.05);
    let mut draw = Draw(77);
    tasks.push(Task::new(Objective::Squared, (0..ROWS).map(|_| draw.normal()).collect()));
    let (train, validation) = split(ROWS);
    let fitted = boost(&features, &tasks, &train, &validation, &plain(), &mut Silent).expect("fit");
    assert!(fitted.trees[0] > 2 * fitted.trees[1], "{:?}", fitted.trees);
    let of = |output: u32| fitted.model.trees().iter().filter(|tree| tree.outputs.contains(&output)).count();
    assert_eq!([of(0), of(1)], fitted.trees[..]);
}

#[test]
fn forests_predict_and_out_of_bag_rows_tell_how_well() {
    let (features, tasks, _) = planted(2, 2, 1, 0.3);
    let train: Vec<usize> = (0..ROWS / 2).collect();
    let test: Vec<usize> = (ROWS / 2..ROWS).collect();
    for options in [Forest { trees: 60, ..Forest::default() }, Forest { trees: 60, ..Forest::extremely_randomised() }] {
        let grown = forest(&features, &tasks, &train, &options, &mut Silent).expect("forest");
        let predictions = grown.fitted.model.predict(&features.take(&test)).expect("predict");
        for (index, task) in tasks.iter().enumerate() {
            let labels = |rows: &[usize]| rows.iter().map(|&row| task.labels[row]).collect::<Vec<f64>>();
            let score = r2(&labels(&test), &predictions.task(index));
            assert!(score > 0.5, "{index} {score}");
            match &grown.out_of_bag {
                Some(unseen) => {
                    let estimate = r2(&labels(&train), &unseen.task(index));
                    assert!((estimate - score).abs() < 0.1, "{index}: out of bag {estimate}, test {score}");
                    let trees = grown.out_of_bag_trees[index].iter().map(|&trees| f64::from(trees)).sum::<f64>()
                        / train.len() as f64;
                    assert!((trees / 60.0 - 0.368).abs() < 0.02, "{trees}");
                }
                None => assert!(!options.bootstrap),
            }
        }
    }
}

/// A tree that may grow as it likes, on all rows and features, knows its training rows by heart.
#[test]
fn a_forest_of_one_tree_without_bootstrap_is_exact() {
    let (features, tasks, _) = planted(3, 2, 0, 0.3);
    let rows: Vec<usize> = (0..200).collect();
    let mut options = Forest { trees: 1, bootstrap: false, ..Forest::default() };
    options.growing.features_per_split = 1.0;
    let model = forest(&features, &tasks, &rows, &options, &mut Silent).expect("forest").fitted.model;
    let predictions = model.predict(&features.take(&rows)).expect("predict");
    for (index, task) in tasks.iter().enumerate() {
        assert!(r2(&task.labels[..200], &predictions.task(index)) > 0.9999);
    }
}

#[test]
fn forests_of_classes_hold_shares() {
    let columns = [vec![0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]];
    let tasks = [
        Task::new(Objective::Category { classes: 3 }, vec![0.0, 0.0, 0.0, 1.0, 2.0, 2.0, 1.0, 1.0]),
        Task::new(Objective::Binary, vec![0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
        Task::new(Objective::Poisson, vec![0.0, 0.0, 0.0, 4.0, 8.0, 8.0, 8.0, 8.0]),
    ];
    let rows: Vec<usize> = (0..8).collect();
    let options = Forest { trees: 2, bootstrap: false, ..Forest::default() };
    let model = forest(&features(&columns), &tasks, &rows, &options, &mut Silent).expect("forest").fitted.model;
    let predictions = model.predict(&features(&columns)).expect("predict");
    let near = |found: &[f64], wanted: &[f64]| found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-6);
    assert!(near(predictions.row(0, 0), &[0.75, 0.25, 0.0]) && near(predictions.row(0, 7), &[0.0, 0.5, 0.5]));
    assert!(
        near(predictions.row(1, 0), &[0.25])
            && near(predictions.row(2, 0), &[1.0])
            && near(predictions.row(2, 5), &[8.0])
    );
}
