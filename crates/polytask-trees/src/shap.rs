//! Exact Shapley values of trees (Lundberg et al., Consistent Individualized Feature Attribution for Tree Ensembles, 2018),
//! path-dependent: a feature that is not known sends a row down both sides of a node, in proportion to the training rows
//! that went there. One walk over a tree's edges does (as in Yu et al., Linear TreeShap, 2022), with sums over subsets as
//! integrals.

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

/// Points and weights of the rule of Gauss and Legendre on `0..1`: exact for polynomials of a degree below `2 N`.
struct Rule<const N: usize> {
    points: [f64; N],
    weights: [f64; N],
}

impl<const N: usize> Rule<N> {
    fn new() -> Self {
        let (mut points, mut weights) = ([0.0; N], [0.0; N]);
        for (i, (point, weight)) in points.iter_mut().zip(&mut weights).enumerate() {
            // Newton's method from near the root of the Legendre polynomial on -1..1.
            let mut x = (std::f64::consts::PI * (i as f64 + 0.75) / (N as f64 + 0.5)).cos();
            let mut slope = 1.0;
            for _ in 0..64 {
                let (mut value, mut before) = (1.0, 0.0);
                for n in 1..=N {
                    let n = n as f64;
                    (value, before) = (((2.0 * n - 1.0) * x * value - (n - 1.0) * before) / n, value);
                }
                slope = N as f64 * (x * value - before) / (x * x - 1.0);
                let step = value / slope;
                x -= step;
                if step.abs() < 1e-15 {
                    break;
                }
            }
            *point = 0.5 * (1.0 + x);
            *weight = 1.0 / ((1.0 - x * x) * slope * slope);
        }
        Self { points, weights }
    }
}

/// What the way from the root has asked of a feature.
#[derive(Clone, Copy)]
struct Asked {
    /// Share of rows that go this way when the feature is not known.
    zero: f64,
    /// 1 if the row goes this way, otherwise 0.
    one: f64,
}

/// Nothing.
const NOTHING: Asked = Asked { zero: 1.0, one: 1.0 };

impl Asked {
    /// `t one + (1 - t) zero` at the points of a rule.
    #[inline(always)]
    fn at<const N: usize>(self, points: &[f64; N]) -> [f64; N] {
        points.map(|t| t * self.one + (1.0 - t) * self.zero)
    }
}

/// A tree's explanation of one row.
///
/// A leaf of value `v` whose way asks features `j` adds `v (one_i - zero_i) integral of the product over j != i of
/// (t one_j + (1 - t) zero_j) dt` for feature `i`: integrals over `t` of `t^s (1 - t)^(m - 1 - s)` are the weights of Shapley.
/// The integral is of a polynomial, which the rule takes exactly, and the sum over leaves can be taken inside it, so that an
/// edge costs `N` operations an output, whatever lies below it.
struct Walk<'a, const N: usize> {
    rule: &'a Rule<N>,
    tree: &'a Tree,
    row: &'a [f32],
    outputs: usize,
    /// By feature.
    asked: &'a mut [Asked],
    into: &'a mut [f64],
}

impl<const N: usize> Walk<'_, N> {
    fn cover(&self, child: i32) -> f64 {
        f64::from(if child >= 0 {
            self.tree.nodes[child as usize].cover
        } else {
            self.tree.covers[(-1 - child) as usize]
        })
    }

    /// Adds, for each output, the leaves below times the product over all features to the first `outputs` of `sums`; the rest
    /// is for what is below. Depth is bounded by [`crate::DEEPEST`].
    fn down(&mut self, child: i32, product: &[f64; N], sums: &mut [[f64; N]]) {
        let count = self.tree.outputs.len();
        if child < 0 {
            let values = self.tree.leaf((-1 - child) as usize);
            for (sums, &value) in sums.iter_mut().zip(values) {
                sums.iter_mut().zip(product).for_each(|(sum, part)| *sum += f64::from(value) * part);
            }
            return;
        }
        let node = &self.tree.nodes[child as usize];
        let feature = node.feature as usize;
        let side = usize::from(!goes_left(&node.test, self.row[feature]));
        let covers = node.children.map(|child| self.cover(child));
        let all = covers[0] + covers[1];
        let before = self.asked[feature];
        let factor = before.at(&self.rule.points);
        for (place, &next) in node.children.iter().enumerate() {
            let share = if all > 0.0 { covers[place] / all } else { 0.5 };
            let now = Asked { zero: before.zero * share, one: if place == side { before.one } else { 0.0 } };
            // A side that no training row took and that this row does not take adds nothing.
            if now.zero <= 0.0 && now.one <= 0.0 {
                continue;
            }
            let new = now.at(&self.rule.points);
            let mut below = *product;
            below.iter_mut().zip(new.iter().zip(&factor)).for_each(|(below, (new, old))| *below *= new / old);
            let (own, rest) = sums.split_at_mut(count);
            rest[..count].fill([0.0; N]);
            self.asked[feature] = now;
            self.down(next, &below, rest);
            self.asked[feature] = before;
            // What the feature adds by what is asked so far, in place of what it added by what was asked above.
            let mut weights = self.rule.weights;
            for (weight, (new, old)) in weights.iter_mut().zip(new.iter().zip(&factor)) {
                *weight *= (now.one - now.zero) / new - (before.one - before.zero) / old;
            }
            let into = &mut self.into[feature * self.outputs..][..self.outputs];
            for ((own, below), &output) in own.iter_mut().zip(&*rest).zip(&self.tree.outputs) {
                into[output as usize] += weights.iter().zip(below).map(|(weight, below)| weight * below).sum::<f64>();
                own.iter_mut().zip(below).for_each(|(own, below)| *own += below);
            }
        }
    }
}

/// A row's contributions by some of a model's trees, each of which asks for at most `2 N` features on a way.
fn walk<const N: usize>(trees: &[&Tree], row: &[f32], outputs: usize, into: &mut [f64]) {
    if trees.is_empty() {
        return;
    }
    let rule = Rule::<N>::new();
    let mut asked = vec![NOTHING; row.len()];
    let mut sums = Vec::new();
    for tree in trees {
        sums.resize(((tree.depth() + 1) * tree.outputs.len()).max(sums.len()), [0.0; N]);
        Walk { rule: &rule, tree, row, outputs, asked: &mut asked, into }.down(0, &[1.0; N], &mut sums);
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
        // Trees by how many features a way can ask for: at most 4, 8, 16, and DEEPEST = 64.
        let mut by_size: [Vec<&Tree>; 4] = Default::default();
        for tree in self.trees().iter().filter(|tree| !tree.nodes.is_empty()) {
            let asked = tree.depth().min(columns);
            by_size[[4, 8, 16].iter().filter(|most| asked > **most).count()].push(tree);
        }
        let mut values = vec![0.0; features.rows() * columns * outputs];
        if !values.is_empty() {
            values.par_chunks_mut(columns * outputs).enumerate().for_each(|(index, into)| {
                let mut row = vec![0.0f32; columns];
                predictor.row(features, index, &mut row);
                walk::<2>(&by_size[0], &row, outputs, into);
                walk::<4>(&by_size[1], &row, outputs, into);
                walk::<8>(&by_size[2], &row, outputs, into);
                walk::<32>(&by_size[3], &row, outputs, into);
            });
        }
        Ok(Contributions { base, features: columns, values })
    }
}
