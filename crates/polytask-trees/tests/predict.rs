//! Predictions by blocks of rows and of a few rows, against each row's way through each tree, for trees that no fit would
//! give: more thresholds than a byte can count, leaves than a byte can name, any set of categories.

#![allow(clippy::expect_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::Draw;
use polytask_trees::{Column, Features, Head, Kind, MISSING, Model, Node, Objective, Schema, Test, Tree};

const CODES: u32 = 254;

fn test(draw: &mut Draw, feature: u32) -> Test {
    if feature < 2 {
        let whole = feature == 1;
        let threshold = draw.normal() as f32 * 3.0;
        return Test::Number {
            threshold: if whole { threshold.round() } else { threshold },
            missing_left: draw.uniform() < 0.5,
        };
    }
    let share = draw.uniform();
    let left = match (share * 10.0) as u8 {
        0 => Vec::new(),
        1 => (0..=255).collect(),
        2 => (100..=255).collect(),
        _ => (0..=255).filter(|_| draw.uniform() < share).collect(),
    };
    Test::Category { left }
}

/// A tree that cuts leaves at random, so that it is neither even nor a chain.
fn tree(draw: &mut Draw, leaves: usize, outputs: Vec<u32>) -> Tree {
    let mut nodes: Vec<Node> = Vec::new();
    // Every leaf's parent and side.
    let mut open = vec![None];
    while open.len() < leaves {
        let at = open.swap_remove((draw.uniform() * open.len() as f64) as usize);
        let index = nodes.len();
        if let Some((parent, side)) = at {
            let parent: usize = parent;
            nodes[parent].children[side] = index as i32;
        }
        let feature = (draw.uniform() * 3.0) as u32;
        nodes.push(Node { feature, test: test(draw, feature), children: [0; 2], cover: 1, gain: 1.0 });
        open.extend([Some((index, 0)), Some((index, 1))]);
    }
    for (leaf, at) in open.into_iter().enumerate() {
        if let Some((parent, side)) = at {
            nodes[parent].children[side] = -1 - leaf as i32;
        }
    }
    let values = (0..leaves * outputs.len()).map(|_| draw.normal() as f32).collect();
    Tree { outputs, nodes, values, covers: vec![1; leaves] }
}

fn table(draw: &mut Draw, rows: usize) -> Features {
    let mut number = |whole: bool| match (draw.uniform() * 20.0) as u8 {
        0 => f32::NAN,
        1 => f32::INFINITY,
        2 => f32::NEG_INFINITY,
        3 => -0.0,
        _ if whole => (draw.normal() as f32 * 3.0).round(),
        _ => draw.normal() as f32 * 3.0,
    };
    let columns = [false, true].map(|whole| Column::Numbers((0..rows).map(|_| number(whole)).collect()));
    let codes = (0..rows).map(|row| if row % 9 == 0 { MISSING } else { (draw.uniform() * 300.0) as u32 }).collect();
    let [first, second] = columns;
    Features::new(rows, vec![first, second, Column::Categories(codes)]).expect("columns")
}

fn by_hand(model: &Model, features: &Features, row: usize) -> Vec<f64> {
    let mut sums = model.start().to_vec();
    for tree in model.trees() {
        let mut at = if tree.nodes.is_empty() { -1 } else { 0 };
        while at >= 0 {
            let node = &tree.nodes[at as usize];
            let left = match (&node.test, &features.columns()[node.feature as usize]) {
                (Test::Number { threshold, missing_left }, Column::Numbers(values)) => {
                    values[row] <= *threshold || (values[row].is_nan() && *missing_left)
                }
                (Test::Category { left }, Column::Categories(codes)) => {
                    // Known codes, then rare ones, then what is missing.
                    let bin = if codes[row] == MISSING { CODES + 1 } else { codes[row].min(CODES) };
                    left.contains(&(bin as u8))
                }
                _ => panic!("a test of another kind than its column"),
            };
            at = node.children[usize::from(!left)];
        }
        let leaf = tree.leaf((-1 - at) as usize);
        tree.outputs.iter().zip(leaf).for_each(|(&output, &value)| sums[output as usize] += f64::from(value));
    }
    sums
}

#[test]
fn rows_find_their_leaves_in_any_tree() {
    let mut draw = Draw(31);
    for outputs in [1, 2, 3, 8] {
        let sizes = [1, 2, 3, 64, 255, 256, 257, 700, 64, 256];
        let all: Vec<u32> = (0..outputs).collect();
        let mut trees: Vec<Tree> = sizes.iter().map(|&leaves| tree(&mut draw, leaves, all.clone())).collect();
        trees.push(tree(&mut draw, 40, vec![outputs - 1]));
        let heads = all.iter().map(|&first| Head { objective: Objective::Squared, first: first as usize, width: 1 });
        let columns =
            vec![Schema::Numbers, Schema::Numbers, Schema::Categories { codes: (0..CODES).collect(), rare: true }];
        let start = (0..outputs).map(f64::from).collect();
        let model = Model::new(Kind::Boosted, columns, heads.collect(), start, trees, 11).expect("a model");
        for rows in [1, 7, 64, 300] {
            let features = table(&mut draw, rows);
            let scores = model.scores(&features).expect("scores");
            for (row, scores) in scores.chunks_exact(outputs as usize).enumerate() {
                assert_eq!(scores, by_hand(&model, &features, row), "{outputs} outputs, row {row} of {rows}");
            }
        }
    }
}
