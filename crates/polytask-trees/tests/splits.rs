//! Every split of a tree against all splits that its node could have had.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::{Draw, plain};
use polytask_trees::{
    Boosting, Column, Features, GainScale, Growing, Growth, MISSING, Model, Objective, Silent, Task, Test, boost,
};

const ROWS: usize = 900;

fn table(seed: u64) -> Vec<Column> {
    let mut draw = Draw(seed);
    let mut numbers = || {
        let values: Vec<f64> =
            (0..ROWS).map(|_| if draw.uniform() < 0.1 { f64::NAN } else { (30.0 * draw.uniform()).floor() }).collect();
        Column::numbers(values)
    };
    let mut columns = vec![numbers(), numbers()];
    columns.push(Column::Categories(
        (0..ROWS).map(|_| (7.0 * draw.uniform()) as u32).map(|code| if code == 6 { MISSING } else { code }).collect(),
    ));
    columns
}

fn value(column: &Column, row: usize) -> f64 {
    match column {
        Column::Numbers(values) => f64::from(values[row]),
        Column::Categories(codes) => {
            if codes[row] == MISSING {
                6.0
            } else {
                f64::from(codes[row])
            }
        }
    }
}

fn left(test: &Test, value: f64) -> bool {
    match test {
        Test::Number { threshold, missing_left } => value <= f64::from(*threshold) || (value.is_nan() && *missing_left),
        Test::Category { left } => left.contains(&(value as u8)),
    }
}

/// The gain of any split of some rows, by its definition.
fn gain(tasks: &[Task], rows: &[usize], left: &dyn Fn(usize) -> bool, l2: f64) -> f64 {
    let score = |task: &Task, rows: &mut dyn Iterator<Item = usize>| {
        let mean = task.labels.iter().sum::<f64>() / ROWS as f64;
        let (sum, count) = rows.fold((0.0, 0.0), |(sum, count), row| (sum + mean - task.labels[row], count + 1.0));
        sum * sum / (count + l2)
    };
    let of = |task: &Task| {
        score(task, &mut rows.iter().copied().filter(|&row| left(row)))
            + score(task, &mut rows.iter().copied().filter(|&row| !left(row)))
            - score(task, &mut rows.iter().copied())
    };
    tasks.iter().map(of).sum()
}

/// The best gain of all splits on one column: all thresholds with both sides for what is missing, all sets of categories.
fn best(tasks: &[Task], rows: &[usize], column: &Column, l2: f64) -> f64 {
    let of = |test: Test| gain(tasks, rows, &|row| left(&test, value(column, row)), l2);
    match column {
        Column::Numbers(_) => {
            let thresholds = (0..30).flat_map(|step| {
                [false, true].map(|missing_left| Test::Number { threshold: step as f32 + 0.5, missing_left })
            });
            thresholds.map(of).fold(0.0, f64::max)
        }
        Column::Categories(_) => (1..127u32)
            .map(|set| of(Test::Category { left: (0..7).filter(|bin| set >> bin & 1 == 1).collect() }))
            .fold(0.0, f64::max),
    }
}

fn check(model: &Model, tasks: &[Task], columns: &[Column], l2: f64) {
    let tree = &model.trees()[0];
    assert!(tree.nodes.len() > 8);
    let mut rows = vec![Vec::new(); tree.nodes.len()];
    rows[0] = (0..ROWS).collect();
    for (index, node) in tree.nodes.iter().enumerate() {
        let here = std::mem::take(&mut rows[index]);
        assert_eq!(here.len(), node.cover as usize);
        let column = &columns[node.feature as usize];
        let goes_left = |row: usize| left(&node.test, value(column, row));
        let own = gain(tasks, &here, &goes_left, l2);
        let most = columns.iter().map(|column| best(tasks, &here, column, l2)).fold(0.0, f64::max);
        let found = f64::from(node.gain);
        assert!((found - own).abs() < 1e-3 * own, "node {index}: a gain of {found} is said, {own} is had");
        assert!(own > 0.999 * most, "node {index} gains {own}, but {most} can be had");
        for (side, &child) in node.children.iter().enumerate() {
            if child >= 0 {
                rows[child as usize] = here.iter().copied().filter(|&row| goes_left(row) == (side == 0)).collect();
            }
        }
    }
}

#[test]
fn no_split_could_be_better() {
    for count in [1, 2, 3, 9] {
        let columns = table(count as u64);
        let mut draw = Draw(50 + count as u64);
        let tasks: Vec<Task> = (0..count)
            .map(|task| {
                let label = |row: usize| {
                    let known = |column: usize| {
                        Some(value(&columns[column], row)).filter(|value| !value.is_nan()).unwrap_or(21.0 + task as f64)
                    };
                    (known(0) * (1.0 + task as f64) / 5.0).sin()
                        + 0.1 * known(1)
                        + ((known(2) as usize * (3 + task)) % 7) as f64 * 0.3
                        + 0.2 * draw.normal()
                };
                Task::new(Objective::Squared, (0..ROWS).map(label).collect())
            })
            .collect();
        // With several outputs the order of categories is a good one, not always the best: numbers alone are checked.
        let columns = if count == 1 { columns } else { columns[..2].to_vec() };
        for growth in [Growth::Leafwise, Growth::Depthwise] {
            let growing = Growing {
                growth,
                max_leaves: 14,
                min_rows: 1,
                category_smoothing: 0.0,
                category_l2: 0.0,
                ..plain().growing
            };
            let options = Boosting { rounds: 1, scale: GainScale::Raw, growing, ..plain() };
            let rows: Vec<usize> = (0..ROWS).collect();
            let features = Features::new(ROWS, columns.clone()).expect("columns");
            let model = boost(&features, &tasks, &rows, &[], &options, &mut Silent).expect("fit").model;
            check(&model, &tasks, &columns, 1.0);
        }
    }
}
