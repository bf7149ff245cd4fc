//! Exact Shapley values of trees (Lundberg et al., Consistent Individualized Feature Attribution for Tree Ensembles, 2018),
//! path-dependent: a feature that is not known sends a row down both sides of a node, in proportion to the training rows
//! that went there.

use rayon::prelude::*;

use crate::model::goes_left;
use crate::{Features, Model, Predictor, Tree, TreesError};

/// What every feature adds to the scores of some rows.
///
/// For every row and output, `base + sum of contributions = score` (before any link).
#[derive(Clone, Debug, PartialEq)]
pub struct Contributions {
    /// Expected score of each output over the training rows, as the trees' covers have them.
    pub base: Vec<f64>,
    features: usize,
    values: Vec<f64>,
}

impl Contributions {
    /// What a feature adds to an output's score in a row.
    pub fn get(&self, row: usize, feature: usize, output: usize) -> f64 {
        let outputs = self.base.len();
        self.values[(row * self.features + feature) * outputs + output]
    }

    /// All contributions, by row, feature and output.
    pub fn values(&self) -> &[f64] {
        &self.values
    }
}

/// A feature on the way from the root.
#[derive(Clone, Copy, Default)]
struct Step {
    feature: usize,
    /// Share of rows that go this way when the feature is not known.
    zero: f64,
    /// 1 if the row goes this way, otherwise 0.
    one: f64,
    /// Weight of subsets by their size.
    weight: f64,
}

/// A tree's explanation of one row.
struct Walk<'a> {
    tree: &'a Tree,
    row: &'a [f32],
    outputs: usize,
    into: &'a mut [f64],
}

/// Adds a feature to a path.
fn extend(path: &mut Vec<Step>, zero: f64, one: f64, feature: usize) {
    let length = path.len();
    path.push(Step { feature, zero, one, weight: if length == 0 { 1.0 } else { 0.0 } });
    for place in (0..length).rev() {
        let weight = path[place].weight;
        path[place + 1].weight += one * weight * (place + 1) as f64 / (length + 1) as f64;
        path[place].weight = zero * weight * (length - place) as f64 / (length + 1) as f64;
    }
}

/// Takes a feature out of a path.
fn unwind(path: &mut Vec<Step>, index: usize) {
    let last = path.len() - 1;
    let Step { zero, one, .. } = path[index];
    let mut next = path[last].weight;
    for place in (0..last).rev() {
        if one != 0.0 {
            let weight = path[place].weight;
            path[place].weight = next * (last + 1) as f64 / ((place + 1) as f64 * one);
            next = weight - path[place].weight * zero * (last - place) as f64 / (last + 1) as f64;
        } else {
            path[place].weight = path[place].weight * (last + 1) as f64 / (zero * (last - place) as f64);
        }
    }
    for place in index..last {
        let Step { feature, zero, one, .. } = path[place + 1];
        path[place] = Step { feature, zero, one, weight: path[place].weight };
    }
    path.pop();
}

/// Sum of the weights of a path without one of its features.
fn unwound(path: &[Step], index: usize) -> f64 {
    let last = path.len() - 1;
    let Step { zero, one, .. } = path[index];
    let mut next = path[last].weight;
    let mut sum = 0.0;
    for place in (0..last).rev() {
        if one != 0.0 {
            let weight = next * (last + 1) as f64 / ((place + 1) as f64 * one);
            sum += weight;
            next = path[place].weight - weight * zero * (last - place) as f64 / (last + 1) as f64;
        } else {
            sum += path[place].weight * (last + 1) as f64 / (zero * (last - place) as f64);
        }
    }
    sum
}

impl Walk<'_> {
    fn cover(&self, child: i32) -> f64 {
        f64::from(if child >= 0 {
            self.tree.nodes[child as usize].cover
        } else {
            self.tree.covers[(-1 - child) as usize]
        })
    }

    /// Goes down from a node with a copy of the path to it. Depth is bounded by [`crate::DEEPEST`].
    fn down(&mut self, child: i32, mut path: Vec<Step>, zero: f64, one: f64, feature: usize) {
        extend(&mut path, zero, one, feature);
        if child < 0 {
            let values = self.tree.leaf((-1 - child) as usize);
            for index in 1..path.len() {
                let step = path[index];
                let weight = unwound(&path, index) * (step.one - step.zero);
                let into = &mut self.into[step.feature * self.outputs..][..self.outputs];
                self.tree
                    .outputs
                    .iter()
                    .zip(values)
                    .for_each(|(&output, &value)| into[output as usize] += weight * f64::from(value));
            }
            return;
        }
        let node = &self.tree.nodes[child as usize];
        let feature = node.feature as usize;
        let side = usize::from(!goes_left(&node.test, self.row[feature]));
        let (mut zero, mut one) = (1.0, 1.0);
        if let Some(index) = (1..path.len()).find(|&index| path[index].feature == feature) {
            (zero, one) = (path[index].zero, path[index].one);
            unwind(&mut path, index);
        }
        let covers = node.children.map(|child| self.cover(child));
        let all = covers[0] + covers[1];
        for (place, &next) in node.children.iter().enumerate() {
            let share = if all > 0.0 { covers[place] / all } else { 0.5 };
            let taken = if place == side { one } else { 0.0 };
            // A side that no training row took and that this row does not take adds nothing.
            if zero * share > 0.0 || taken > 0.0 {
                self.down(next, path.clone(), zero * share, taken, feature);
            }
        }
    }
}

/// Mean leaf values of a tree over its training rows.
fn expected(tree: &Tree, into: &mut [f64]) {
    let all: f64 = tree.covers.iter().map(|&cover| f64::from(cover)).sum();
    for (leaf, &cover) in tree.covers.iter().enumerate() {
        let share = if all > 0.0 { f64::from(cover) / all } else { 1.0 / tree.leaves() as f64 };
        tree.outputs
            .iter()
            .zip(tree.leaf(leaf))
            .for_each(|(&output, &value)| into[output as usize] += share * f64::from(value));
    }
}

impl Model {
    /// What every feature adds to every score of some rows, exactly.
    ///
    /// # Errors
    /// Rows without the model's columns.
    pub fn contributions(&self, features: &Features) -> Result<Contributions, TreesError> {
        let predictor = Predictor::new(self);
        predictor.check(features)?;
        let (outputs, columns) = (self.outputs(), self.columns().len());
        let mut base = self.start().to_vec();
        self.trees().iter().for_each(|tree| expected(tree, &mut base));
        let mut values = vec![0.0; features.rows() * columns * outputs];
        if !values.is_empty() {
            values.par_chunks_mut(columns * outputs).enumerate().for_each(|(index, into)| {
                let mut row = vec![0.0f32; columns];
                predictor.row(features, index, &mut row);
                for tree in self.trees().iter().filter(|tree| !tree.nodes.is_empty()) {
                    let mut walk = Walk { tree, row: &row, outputs, into };
                    walk.down(0, Vec::with_capacity(16), 1.0, 1.0, usize::MAX);
                }
            });
        }
        Ok(Contributions { base, features: columns, values })
    }
}
