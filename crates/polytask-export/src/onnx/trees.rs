//! Trees: the operator `TreeEnsembleRegressor`, which adds up leaves. It asks whether numbers are at most a threshold; for
//! the sets of a category that trees ask for, a table says of every level whether it is outside of each.

use super::table::Rows;
use super::writer::{Setting, Writer};
use polytask::inputs::{Code, Encoder};
use polytask_trees::{Kind, Model, Schema, Test};
use std::collections::HashMap;

/// The columns that the operator reads, as they come to stand.
struct Columns {
    /// By column of the trees: its place among the numbers.
    numbers: HashMap<u32, i64>,
    /// By column of the trees and set of bins: its place.
    sets: HashMap<(u32, Vec<u8>), i64>,
    /// `[batch, columns]`
    value: String,
}

/// The nodes of all trees, an entry a node or leaf.
#[derive(Default)]
struct Nodes {
    trees: Vec<i64>,
    ids: Vec<i64>,
    features: Vec<i64>,
    thresholds: Vec<f32>,
    modes: Vec<String>,
    yes: Vec<i64>,
    no: Vec<i64>,
    missing_yes: Vec<i64>,
}

/// What leaves add to which output.
#[derive(Default)]
struct Leaves {
    trees: Vec<i64>,
    ids: Vec<i64>,
    outputs: Vec<i64>,
    values: Vec<f32>,
}

/// The sums of the trees, `[batch, outputs]`, and whether these are predictions already.
pub fn scores(encoder: &Encoder, rows: &Rows, model: &Model, w: &mut Writer) -> (String, bool) {
    let decoded = model.kind() == Kind::Forest;
    let start: Vec<f32> = model.start().iter().map(|start| *start as f32).collect();
    if model.trees().iter().all(|tree| tree.nodes.is_empty()) {
        // Nothing is asked: the same for every row.
        let batch = rows.numbers.clone().or_else(|| rows.categories.first().cloned()).unwrap_or_default();
        let shape = w.op("Shape", &[&batch]);
        let count = w.slice(&shape, 0, 0, 1);
        let width = w.longs(&[start.len() as i64]);
        let shape = w.concat(&[count, width], 0);
        let mut all = start;
        for tree in model.trees() {
            tree.outputs.iter().zip(&tree.values).for_each(|(output, value)| all[*output as usize] += value);
        }
        let row = w.floats(&[all.len()], &all);
        return (w.op("Expand", &[&row, &shape]), decoded);
    }
    let columns = columns(encoder, rows, model, w);
    let (nodes, leaves) = lists(model, &columns);
    let count = nodes.ids.len();
    let settings = vec![
        ("n_targets", Setting::Int(model.outputs() as i64)),
        ("aggregate_function", Setting::Word("SUM")),
        ("post_transform", Setting::Word("NONE")),
        ("base_values", Setting::Floats(start)),
        ("nodes_treeids", Setting::Ints(nodes.trees)),
        ("nodes_nodeids", Setting::Ints(nodes.ids)),
        ("nodes_featureids", Setting::Ints(nodes.features)),
        ("nodes_values", Setting::Floats(nodes.thresholds)),
        ("nodes_hitrates", Setting::Floats(vec![1.0; count])),
        ("nodes_modes", Setting::Words(nodes.modes)),
        ("nodes_truenodeids", Setting::Ints(nodes.yes)),
        ("nodes_falsenodeids", Setting::Ints(nodes.no)),
        ("nodes_missing_value_tracks_true", Setting::Ints(nodes.missing_yes)),
        ("target_treeids", Setting::Ints(leaves.trees)),
        ("target_nodeids", Setting::Ints(leaves.ids)),
        ("target_ids", Setting::Ints(leaves.outputs)),
        ("target_weights", Setting::Floats(leaves.values)),
    ];
    (w.op_with("TreeEnsembleRegressor", &[&columns.value], settings), decoded)
}

fn columns(encoder: &Encoder, rows: &Rows, model: &Model, w: &mut Writer) -> Columns {
    let mut parts = Vec::new();
    let (mut numbers, mut sets, mut end) = (HashMap::new(), HashMap::new(), 0);
    if let Some(value) = &rows.numbers {
        let read: Vec<(u32, bool)> = numbers_of(encoder);
        parts.push(with_gaps(value, &read, w));
        read.iter().enumerate().for_each(|(place, (column, _))| {
            numbers.insert(*column, place as i64);
        });
        end = read.len() as i64;
    }
    let mut categories = encoder.categories();
    for (column, schema) in model.columns().iter().enumerate() {
        let Schema::Categories { codes, rare } = schema else { continue };
        let (Some((_, category)), place) = (categories.next(), sets_before(model, column)) else { continue };
        let mut own: Vec<Vec<u8>> = Vec::new();
        for node in model.trees().iter().flat_map(|tree| &tree.nodes).filter(|node| node.feature as usize == column) {
            if let Test::Category { left } = &node.test
                && !sets.contains_key(&(node.feature, left.clone()))
            {
                sets.insert((node.feature, left.clone()), end);
                own.push(left.clone());
                end += 1;
            }
        }
        if own.is_empty() {
            continue;
        }
        let bin = |level: u32| match codes.binary_search(&level) {
            Ok(bin) => bin,
            Err(_) if *rare => codes.len(),
            Err(_) => codes.len() + usize::from(*rare),
        };
        let levels = category.levels.len() as u32;
        // The last line is for what is missing or unknown.
        let missing = codes.len() + usize::from(*rare);
        let bins = (0..levels).map(bin).chain(std::iter::once(missing));
        let outside = |bin: usize| own.iter().map(move |set| f32::from(u8::from(!set.contains(&(bin as u8)))));
        let table: Vec<f32> = bins.flat_map(outside).collect();
        let table = w.floats(&[levels as usize + 1, own.len()], &table);
        let index = &rows.categories[place];
        parts.push(w.op_with("Gather", &[&table, index], vec![("axis", Setting::Int(0))]));
    }
    let value = if parts.len() == 1 { parts.remove(0) } else { w.concat(&parts, -1) };
    Columns { numbers, sets, value }
}

/// How many categories stand before a column.
fn sets_before(model: &Model, column: usize) -> usize {
    model.columns()[..column].iter().filter(|schema| matches!(schema, Schema::Categories { .. })).count()
}

/// The columns of numbers, and whether a mark follows each among the features.
fn numbers_of(encoder: &Encoder) -> Vec<(u32, bool)> {
    let mut column = 0;
    let mut all = Vec::new();
    for input in &encoder.inputs {
        match &input.code {
            Code::Number(number) => all.push((column, number.indicator)),
            Code::Boolean(boolean) => all.push((column, boolean.indicator)),
            Code::Category(_) => {}
            Code::Encoded(encoded) => {
                let width = encoded.width() as u32;
                all.extend((column..column + width).map(|feature| (feature, false)));
                column += width;
                continue;
            }
            // Dates, images and a program's own kinds are refused before.
            Code::Date(_) | Code::Text(_) | Code::Seen(_) | Code::Image(_) | Code::Own(_) => continue,
        }
        column += 1;
    }
    all
}

/// The numbers without their marks, missing ones as NaN.
fn with_gaps(value: &str, read: &[(u32, bool)], w: &mut Writer) -> String {
    let (mut values, mut marks, mut at) = (Vec::new(), Vec::new(), 0i64);
    for (_, marked) in read {
        values.push(at);
        marks.push(marked.then_some(at + 1));
        at += 1 + i64::from(*marked);
    }
    let order = w.longs(&values);
    let numbers = w.op_with("Gather", &[value, &order], vec![("axis", Setting::Int(-1))]);
    if marks.iter().all(Option::is_none) {
        return numbers;
    }
    // A column without a mark looks at a place behind all features, which is never marked.
    let first = w.slice(value, 1, 0, 1);
    let zero = w.op("Sub", &[&first, &first]);
    let padded = w.concat(&[value.to_owned(), zero], -1);
    let marks = w.longs(&marks.into_iter().map(|mark| mark.unwrap_or(at)).collect::<Vec<_>>());
    let marks = w.op_with("Gather", &[&padded, &marks], vec![("axis", Setting::Int(-1))]);
    let half = w.float(0.5);
    let missing = w.op("Greater", &[&marks, &half]);
    let nan = w.float(f32::NAN);
    w.op("Where", &[&missing, &nan, &numbers])
}

fn lists(model: &Model, columns: &Columns) -> (Nodes, Leaves) {
    let (mut nodes, mut leaves) = (Nodes::default(), Leaves::default());
    for (t, tree) in model.trees().iter().enumerate() {
        let inner = tree.nodes.len() as i64;
        let place = |child: i32| if child >= 0 { i64::from(child) } else { inner + i64::from(-1 - child) };
        for (id, node) in tree.nodes.iter().enumerate() {
            let (feature, threshold, missing) = match &node.test {
                Test::Number { threshold, missing_left } => {
                    (columns.numbers.get(&node.feature), *threshold, *missing_left)
                }
                // 0 where the level is in the set, which goes left.
                Test::Category { left } => (columns.sets.get(&(node.feature, left.clone())), 0.5, false),
            };
            nodes.trees.push(t as i64);
            nodes.ids.push(id as i64);
            nodes.features.push(feature.copied().unwrap_or(0));
            nodes.thresholds.push(threshold);
            nodes.modes.push("BRANCH_LEQ".to_owned());
            nodes.yes.push(place(node.children[0]));
            nodes.no.push(place(node.children[1]));
            nodes.missing_yes.push(i64::from(missing));
        }
        for leaf in 0..tree.leaves() {
            let id = inner + leaf as i64;
            nodes.trees.push(t as i64);
            nodes.ids.push(id);
            nodes.features.push(0);
            nodes.thresholds.push(0.0);
            nodes.modes.push("LEAF".to_owned());
            nodes.yes.push(0);
            nodes.no.push(0);
            nodes.missing_yes.push(0);
            for (output, value) in tree.outputs.iter().zip(tree.leaf(leaf)) {
                leaves.trees.push(t as i64);
                leaves.ids.push(id);
                leaves.outputs.push(i64::from(*output));
                leaves.values.push(*value);
            }
        }
    }
    (nodes, leaves)
}
