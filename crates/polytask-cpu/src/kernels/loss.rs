//! The losses: a lane's part of a task's loss, and the cotangent of its prediction. Here are those of single elements.

use super::math::{exp, sigmoid};
use super::{Lane, largest, read_write, sum_of, vectorized};
use crate::wiring::{Flow, ParameterWire, Slot};
use polytask_exec::{Labels, Target};
use polytask_graph::{Loss, LossKind, Shape};

/// One loss at work.
pub(crate) trait LossKernel: Send + Sync {
    /// `sum over elements of weight * loss`.
    fn forward(&self, lane: &Lane<'_>, target: &Target<'_>) -> f64;

    /// Cotangent of `scale * sum over elements of weight * loss`.
    fn backward(&self, lane: &mut Lane<'_>, target: &Target<'_>, scale: f64);
}

/// A node that a loss reads, and where its cotangent goes: a single copy.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub slot: Slot,
    pub flow: Option<Flow>,
}

/// The kernel of a loss that reads these nodes, in the order of [`Loss::nodes`](polytask_graph::Loss::nodes); `shape` is that
/// of its prediction.
pub(crate) fn build_loss(
    loss: &Loss,
    shape: &Shape,
    nodes: Vec<Read>,
    parameter: Option<ParameterWire>,
) -> Box<dyn LossKernel> {
    let mut nodes = nodes.into_iter();
    let mut node = || nodes.next().unwrap_or_else(|| unreachable!("a loss has the nodes that it reads"));
    let prediction = node();
    match &loss.kind {
        LossKind::Crf { .. } => {
            let Some(transitions) = parameter else { unreachable!("a CRF has transitions") };
            Box::new(super::crf::Crf { prediction, transitions })
        }
        LossKind::Arcs { .. } => Box::new(super::arcs::Arcs { scores: prediction, labels: node() }),
        LossKind::Custom(custom) => super::custom_loss::build(custom, shape, prediction),
        LossKind::CrossEntropy => {
            let class_weights = loss.class_weights.clone();
            Box::new(CrossEntropy { places: shape.pixels(), class_weights, prediction })
        }
        LossKind::Mse => Box::new(OfNumbers { measure: Measure::Square, prediction }),
        LossKind::Mae => Box::new(OfNumbers { measure: Measure::Absolute, prediction }),
        LossKind::Huber { delta } => Box::new(OfNumbers { measure: Measure::Huber { delta: *delta }, prediction }),
        LossKind::BinaryCrossEntropy => Box::new(OfNumbers { measure: Measure::Logistic, prediction }),
        LossKind::Poisson => Box::new(OfNumbers { measure: Measure::Poisson, prediction }),
    }
}

/// A loss of single elements whose labels are numbers.
struct OfNumbers {
    measure: Measure,
    prediction: Read,
}

/// How far a number is from its label.
#[derive(Clone, Copy)]
enum Measure {
    /// Of [`LossKind::Mse`].
    Square,
    /// Of [`LossKind::Mae`].
    Absolute,
    /// Of [`LossKind::Huber`].
    Huber { delta: f32 },
    /// Of [`LossKind::BinaryCrossEntropy`].
    Logistic,
    /// Of [`LossKind::Poisson`].
    Poisson,
}

/// A loss of single elements whose labels are classes.
struct CrossEntropy {
    /// Class labels of an element: one, or one a pixel.
    places: usize,
    /// What the classes weigh in the mean over an element's places; none: all alike.
    class_weights: Vec<f32>,
    prediction: Read,
}

/// Labels that are numbers.
fn numbers<'a>(target: &Target<'a>) -> &'a [f32] {
    match target.labels {
        Labels::Real(labels) => labels,
        Labels::Class(_) => unreachable!("the runner has checked the kinds of its labels"),
    }
}

/// Labels that are classes.
fn classes<'a>(target: &Target<'a>) -> &'a [u32] {
    match target.labels {
        Labels::Class(classes) => classes,
        Labels::Real(_) => unreachable!("the runner has checked the kinds of its labels"),
    }
}

/// Calls `fill` for every copy of a prediction's cotangent, with what is there to write it.
fn for_each_run<'a>(
    lane: &mut Lane<'_>,
    prediction: &Read,
    target: &Target<'a>,
    scale: f64,
    mut fill: impl FnMut(Rows<'_>, Into<'_>),
) {
    let Read { slot, flow: Some(flow) } = prediction else { return };
    let (rows, width) = (lane.elements(*slot).sources.as_slice(), slot.width);
    for run in &flow.runs {
        let (values, into) = (lane.range(*slot), lane.copies(flow.into, run.to, 1));
        let (values, dz) = read_write(lane.arena, values, into);
        fill(Rows { values, width }, Into { dz, accumulate: run.accumulate, rows, weights: target.weights, scale });
    }
}

impl LossKernel for OfNumbers {
    fn forward(&self, lane: &Lane<'_>, target: &Target<'_>) -> f64 {
        let (slot, y, weights) = (self.prediction.slot, numbers(target), target.weights);
        let rows = lane.elements(slot).sources.as_slice();
        let z = Rows { values: &lane.arena[lane.range(slot)], width: slot.width };
        match self.measure {
            Measure::Square => z.sum(rows, y, weights, |z, y| (z - y) * (z - y)),
            Measure::Absolute => z.sum(rows, y, weights, |z, y| (z - y).abs()),
            Measure::Huber { delta } => z.sum(rows, y, weights, |z, y| {
                let e = (z - y).abs();
                if e <= delta { 0.5 * e * e } else { delta * (e - 0.5 * delta) }
            }),
            Measure::Logistic => z.sum(rows, y, weights, |z, y| z.max(0.0) - z * y + (-z.abs()).exp().ln_1p()),
            Measure::Poisson => z.sum(rows, y, weights, half_deviance),
        }
    }

    fn backward(&self, lane: &mut Lane<'_>, target: &Target<'_>, scale: f64) {
        let y = numbers(target);
        for_each_run(lane, &self.prediction, target, scale, |z, to| match self.measure {
            Measure::Square => to.fill(z, y, |z, y| 2.0 * (z - y)),
            // The subgradient at 0 is 0.
            Measure::Absolute => to.fill(z, y, |z, y| if z == y { 0.0 } else { (z - y).signum() }),
            Measure::Huber { delta } => to.fill(z, y, |z, y| (z - y).clamp(-delta, delta)),
            Measure::Logistic => to.fill(z, y, |z, y| sigmoid(z) - y),
            Measure::Poisson => to.fill(z, y, |z, y| z.exp() - y),
        });
    }
}

/// What a class weighs, 0 where there is none.
fn class_weight(weights: &[f32], class: u32) -> f64 {
    match class {
        MISSING => 0.0,
        class => weights.get(class as usize).map_or(1.0, |w| f64::from(*w)),
    }
}

impl LossKernel for CrossEntropy {
    fn forward(&self, lane: &Lane<'_>, target: &Target<'_>) -> f64 {
        let (slot, classes) = (self.prediction.slot, classes(target));
        let elements = lane.arena[lane.range(slot)].chunks_exact(slot.width).zip(&lane.elements(slot).sources);
        let labelled = elements.map(|(z, &row)| match target.weights[row as usize] {
            0.0 => 0.0,
            weight => f64::from(weight) * self.of_row(z, classes, row as usize),
        });
        labelled.sum()
    }

    fn backward(&self, lane: &mut Lane<'_>, target: &Target<'_>, scale: f64) {
        let classes = classes(target);
        for_each_run(lane, &self.prediction, target, scale, |z, to| {
            to.fill_softmax(z, classes, self.places, &self.class_weights);
        });
    }
}

impl CrossEntropy {
    /// The mean of a row's cross-entropies over its labelled places, weighed by their classes.
    fn of_row(&self, z: &[f32], classes: &[u32], row: usize) -> f64 {
        let labels = classes[row * self.places..][..self.places].iter();
        let (mut sum, mut total) = (0.0, 0.0);
        for (z, &class) in z.chunks_exact(z.len() / self.places).zip(labels).filter(|(_, class)| **class != MISSING) {
            let weight = class_weight(&self.class_weights, class);
            sum += weight * cross_entropy(z, class);
            total += weight;
        }
        if total == 0.0 { 0.0 } else { sum / total }
    }
}

/// `exp(z) - y z + y ln(y) - y = y (exp(d) - 1 - d)` with `d = z - ln(y)`: no large terms cancel, and where a rounded
/// `exp(d) - 1` would fall below `d` the loss is still not below 0. It is `exp(z)` at `y = 0`.
fn half_deviance(z: f32, y: f32) -> f32 {
    if y == 0.0 {
        return z.exp();
    }
    let d = z - y.ln();
    y * (d.exp_m1().max(d) - d)
}

/// A place without a class.
const MISSING: u32 = u32::MAX;

/// `ln(sum_j exp(z_j)) - z_class`
pub(super) fn cross_entropy(z: &[f32], class: u32) -> f64 {
    let (max, sum) = vectorized(
        #[inline(always)]
        || {
            let max = largest(z);
            // Terms right to f32, summed in f64: of a class that is all but certain the others' small terms count.
            let (blocks, rest) = z.as_chunks::<8>();
            let mut sums = [0.0f64; 8];
            for block in blocks {
                for j in 0..8 {
                    sums[j] += f64::from(exp(block[j] - max));
                }
            }
            (max, sums.iter().sum::<f64>() + rest.iter().map(|z| f64::from(exp(z - max))).sum::<f64>())
        },
    );
    sum.ln() + f64::from(max) - f64::from(z[class as usize])
}

/// Predictions of a lane's rows, or elements of another domain.
#[derive(Clone, Copy)]
struct Rows<'a> {
    values: &'a [f32],
    width: usize,
}

impl Rows<'_> {
    /// `sum over rows of weight * mean over labelled features of loss(z, y)`. A row of weight 0 counts nothing whatever
    /// its label; labels stand where the data set has the row.
    #[inline(always)]
    fn sum(self, rows: &[u32], labels: &[f32], weights: &[f32], loss: impl Fn(f32, f32) -> f32) -> f64 {
        let width = self.width;
        if width == 1 {
            // The most common head, without the inner loop.
            let one = |(z, &row): (&f32, &u32)| match weights[row as usize] {
                0.0 => 0.0,
                weight => f64::from(weight) * f64::from(loss(*z, labels[row as usize])),
            };
            return self.values.iter().zip(rows).map(one).sum();
        }
        let one = |(z, &row): (&[f32], &u32)| {
            let row = row as usize;
            let weight = weights[row];
            if weight == 0.0 {
                return 0.0;
            }
            let labels = &labels[row * width..(row + 1) * width];
            let labelled = z.iter().zip(labels).filter(|(_, y)| !y.is_nan());
            let sum: f64 = labelled.map(|(z, y)| f64::from(loss(*z, *y))).sum();
            f64::from(weight) * sum / count(labels)
        };
        self.values.chunks_exact(width).zip(rows).map(one).sum()
    }
}

/// Labels that are there.
fn count(labels: &[f32]) -> f64 {
    labels.iter().filter(|y| !y.is_nan()).count().max(1) as f64
}

/// Where a cotangent goes, and what it is scaled by.
struct Into<'a> {
    dz: &'a mut [f32],
    accumulate: bool,
    rows: &'a [u32],
    weights: &'a [f32],
    scale: f64,
}

impl Into<'_> {
    #[inline(always)]
    fn fill(self, z: Rows<'_>, labels: &[f32], slope: impl Fn(f32, f32) -> f32) {
        let width = z.width;
        if width == 1 {
            let scale = self.scale as f32;
            for ((z, dz), &row) in z.values.iter().zip(self.dz).zip(self.rows) {
                let weight = scale * self.weights[row as usize];
                let own = if weight == 0.0 { 0.0 } else { weight * slope(*z, labels[row as usize]) };
                *dz = if self.accumulate { *dz + own } else { own };
            }
            return;
        }
        let rows = z.values.chunks_exact(width).zip(self.dz.chunks_exact_mut(width)).zip(self.rows);
        for ((z, dz), &row) in rows {
            let row = row as usize;
            let labels = &labels[row * width..(row + 1) * width];
            let weight = (self.scale / count(labels)) as f32 * self.weights[row];
            for ((dz, z), y) in dz.iter_mut().zip(z).zip(labels) {
                // A missing label may hold anything, so its slope must not be multiplied by 0 but left out.
                let own = if weight == 0.0 || y.is_nan() { 0.0 } else { weight * slope(*z, *y) };
                *dz = if self.accumulate { *dz + own } else { own };
            }
        }
    }

    /// `softmax(z) - onehot(class)`, at every one of a row's places.
    fn fill_softmax(self, z: Rows<'_>, classes: &[u32], places: usize, class_weights: &[f32]) {
        let width = z.width / places;
        if !self.accumulate {
            self.dz.fill(0.0);
        }
        let rows = z.values.chunks_exact(z.width).zip(self.dz.chunks_exact_mut(z.width)).zip(self.rows);
        for ((z, dz), &row) in rows {
            let row = row as usize;
            let labels = &classes[row * places..][..places];
            let there: f64 = labels.iter().map(|class| class_weight(class_weights, *class)).sum();
            let weight = self.scale * f64::from(self.weights[row]) / there;
            if there == 0.0 || weight == 0.0 {
                continue;
            }
            for ((z, dz), &class) in z.chunks_exact(width).zip(dz.chunks_exact_mut(width)).zip(labels) {
                if class != MISSING {
                    softmax_slope(z, dz, class as usize, (weight * class_weight(class_weights, class)) as f32);
                }
            }
        }
    }
}

/// `dz += weight * (softmax(z) - onehot(class))`
pub(super) fn softmax_slope(z: &[f32], dz: &mut [f32], class: usize, weight: f32) {
    vectorized(
        #[inline(always)]
        || {
            let max = largest(z);
            let scale = weight / sum_of(z, |z| exp(z - max));
            dz.iter_mut().zip(z).for_each(|(dz, z)| *dz += scale * exp(z - max));
        },
    );
    dz[class] -= weight;
}
