//! Contributions against those of the package `shap`; `fixtures/shap_reference.py` wrote them.

#![allow(clippy::expect_used, reason = "helpers of tests")]

use polytask_trees::{Column, Features, Head, Kind, Model, Node, Objective, Schema, Test, Tree};

#[derive(serde::Deserialize)]
struct Case {
    features: usize,
    outputs: usize,
    rows: Vec<f32>,
    trees: Vec<Plain>,
    base: Vec<f64>,
    values: Vec<f64>,
}

#[derive(serde::Deserialize)]
struct Plain {
    feature: Vec<u32>,
    threshold: Vec<f32>,
    children: Vec<[i32; 2]>,
    cover: Vec<u32>,
    covers: Vec<u32>,
    values: Vec<f32>,
}

fn tree(plain: Plain, outputs: usize) -> Tree {
    let node = |at: usize| Node {
        feature: plain.feature[at],
        test: Test::Number { threshold: plain.threshold[at], missing_left: false },
        children: plain.children[at],
        cover: plain.cover[at],
        gain: 0.0,
    };
    Tree {
        outputs: (0..outputs as u32).collect(),
        nodes: (0..plain.feature.len()).map(node).collect(),
        values: plain.values.clone(),
        covers: plain.covers.clone(),
    }
}

#[test]
fn contributions_are_those_of_the_package_shap() {
    let cases: Vec<Case> = serde_json::from_str(include_str!("fixtures/shap.json")).expect("a fixture");
    for Case { features, outputs, rows, trees, base, values } in cases {
        let heads = (0..outputs).map(|first| Head { objective: Objective::Squared, first, width: 1 }).collect();
        let trees = trees.into_iter().map(|plain| tree(plain, outputs)).collect();
        let columns = vec![Schema::Numbers; features];
        let model = Model::new(Kind::Boosted, columns, heads, vec![0.0; outputs], trees, 0).expect("a model");
        let column = |at: usize| Column::Numbers(rows.iter().copied().skip(at).step_by(features).collect());
        let table = Features::new(rows.len() / features, (0..features).map(column).collect()).expect("columns");
        let found = model.contributions(&table).expect("contributions");
        assert_eq!(found.values().len(), values.len());
        for (found, wanted) in found.values().iter().zip(&values).chain(found.base.iter().zip(&base)) {
            assert!((found - wanted).abs() < 1e-5, "{features} features: {found} for {wanted}");
        }
    }
}
