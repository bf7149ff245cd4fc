//! The same bits on any number of threads.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{Draw, plain, split};
use polytask_trees::{
    Boosting, Column, Features, Forest, Growing, Growth, Model, Objective, Sharing, Silent, Sketch, Task, boost, forest,
};

fn table(rows: usize) -> (Features, Vec<Task>) {
    let mut draw = Draw(4);
    let mut columns = draw.columns(rows, 12);
    let labels = |draw: &mut Draw, columns: &[Vec<f64>], of: usize| -> Vec<f64> {
        (0..rows)
            .map(|row| {
                if draw.uniform() < 0.2 {
                    f64::NAN
                } else {
                    columns[of][row] * columns[of + 1][row] + 0.1 * draw.normal()
                }
            })
            .collect()
    };
    let first = labels(&mut draw, &columns, 0);
    let binary = labels(&mut draw, &columns, 1)
        .iter()
        .map(|label| if label.is_nan() { *label } else { f64::from(*label > 0.3) })
        .collect();
    let classes = labels(&mut draw, &columns, 2).iter().map(|label| (3.0 * label).clamp(0.0, 2.0).floor()).collect();
    let counts = labels(&mut draw, &columns, 3).iter().map(|label| (9.0 * label).max(0.0).floor()).collect();
    let tasks = vec![
        Task::new(Objective::Squared, first),
        Task::new(Objective::Binary, binary),
        Task::new(Objective::Category { classes: 3 }, classes),
        Task::new(Objective::Poisson, counts),
        Task::new(Objective::Quantile { level: 0.3 }, columns[5].clone()),
    ];
    columns[4].iter_mut().step_by(7).for_each(|value| *value = f64::NAN);
    let codes = columns[6].iter().map(|value| (value * 30.0) as u32).collect();
    let mut all: Vec<Column> = columns.into_iter().map(Column::numbers).collect();
    all.push(Column::Categories(codes));
    (Features::new(rows, all).expect("columns"), tasks)
}

fn same(fit: impl Fn() -> Model + Sync) {
    let on =
        |threads: usize| rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads").install(&fit);
    let one = on(1);
    assert!(!one.trees().is_empty());
    for threads in [2, 4] {
        assert!(one == on(threads), "{threads} threads");
    }
}

#[test]
fn boosting_has_the_same_bits_on_any_number_of_threads() {
    let (features, tasks) = table(6000);
    let (train, validation) = split(6000);
    let growing = Growing { features_per_tree: 0.8, ..Growing::default() };
    let base = Boosting { rounds: 8, rows_per_tree: 0.7, growing, ..plain() };
    let symmetric = Growing { growth: Growth::Symmetric, max_depth: 5, ..Growing::default() };
    for options in [
        base.clone(),
        Boosting { sharing: Sharing::None, ..base.clone() },
        Boosting { sharing: Sharing::Partial, growing: symmetric, ..base.clone() },
        Boosting {
            sharing: Sharing::Groups(vec![vec![0, 4], vec![1, 2, 3]]),
            sketch: Some(Sketch::Projection(2)),
            ..base
        },
    ] {
        same(|| boost(&features, &tasks, &train, &validation, &options, &mut Silent).expect("fit").model);
    }
}

#[test]
fn forests_have_the_same_bits_on_any_number_of_threads() {
    let (features, tasks) = table(1500);
    let rows: Vec<usize> = (0..1500).collect();
    for options in [Forest { trees: 6, ..Forest::default() }, Forest { trees: 6, ..Forest::extremely_randomised() }] {
        same(|| forest(&features, &tasks, &rows, &options, &mut Silent).expect("fit").fitted.model);
    }
}

#[test]
fn a_seed_names_a_model() {
    let (features, tasks) = table(1500);
    let rows: Vec<usize> = (0..1500).collect();
    let fit = |seed: u64| {
        let options = Boosting { rounds: 5, rows_per_tree: 0.5, seed, ..plain() };
        boost(&features, &tasks, &rows, &[], &options, &mut Silent).expect("fit").model
    };
    assert!(fit(1) == fit(1) && fit(1) != fit(2));
}
