use rayon::prelude::*;

use super::data::BLOCK;
use crate::random::Random;
use crate::{Objective, Sketch, Task};

/// Gradients and Hessians of some tasks' outputs, row by row.
#[derive(Default)]
pub(super) struct Gradients {
    pub(super) outputs: usize,
    pub(super) gradients: Vec<f32>,
    pub(super) hessians: Vec<f32>,
}

/// Gradients of tasks whose scores begin at a place of a row of `width` scores; `spare` is memory that is used again.
pub(super) fn gradients(
    tasks: &[(&Task, usize)],
    rows: &[usize],
    scores: &[f64],
    width: usize,
    spare: Gradients,
) -> Gradients {
    let outputs: usize = tasks.iter().map(|task| task.0.objective.width()).sum();
    let Gradients { mut gradients, mut hessians, .. } = spare;
    gradients.resize(rows.len() * outputs, 0.0);
    hessians.resize(rows.len() * outputs, 0.0);
    let blocks = gradients.par_chunks_mut(BLOCK * outputs).zip(hessians.par_chunks_mut(BLOCK * outputs));
    blocks.zip(rows.par_chunks(BLOCK)).zip(scores.par_chunks(BLOCK * width)).for_each(
        |(((gradients, hessians), rows), scores)| {
            let mut at = 0;
            for &(task, first) in tasks {
                let block = Block { task, rows, scores, width, first, outputs, at };
                match task.objective {
                    // Known when compiling, so that the commonest loss is not asked for in every row.
                    Objective::Squared => block.put(Objective::Squared, gradients, hessians),
                    other => block.put(other, gradients, hessians),
                }
                at += task.objective.width();
            }
        },
    );
    Gradients { outputs, gradients, hessians }
}

/// Rows of one task: its scores begin at `first` of `width`, its gradients at `at` of `outputs`.
struct Block<'a> {
    task: &'a Task,
    rows: &'a [usize],
    scores: &'a [f64],
    width: usize,
    first: usize,
    outputs: usize,
    at: usize,
}

impl Block<'_> {
    #[inline(always)]
    fn put(&self, objective: Objective, gradients: &mut [f32], hessians: &mut [f32]) {
        let own = objective.width();
        let into = gradients.chunks_exact_mut(self.outputs).zip(hessians.chunks_exact_mut(self.outputs));
        for ((&row, scores), (gradients, hessians)) in
            self.rows.iter().zip(self.scores.chunks_exact(self.width)).zip(into)
        {
            let (gradients, hessians) = (&mut gradients[self.at..][..own], &mut hessians[self.at..][..own]);
            match self.task.row_weight(row) {
                weight if weight > 0.0 => {
                    let scores = &scores[self.first..][..own];
                    objective.gradient(f64::from(weight), self.task.row_labels(row), scores, gradients, hessians);
                }
                _ => {
                    gradients.fill(0.0);
                    hessians.fill(0.0);
                }
            }
        }
    }
}

/// What a perfect split could gain in each output: the sum of squared gradients over the mean Hessian of labelled rows.
pub(super) fn energies(found: &Gradients) -> Vec<f64> {
    sums(found)
        .into_iter()
        .map(|(squares, hessian, rows)| if hessian > 0.0 { squares * rows / hessian } else { 0.0 })
        .collect()
}

/// Of each output, the sum of squared gradients, the sum of Hessians and the number of rows that have one.
fn sums(found: &Gradients) -> Vec<(f64, f64, f64)> {
    let outputs = found.outputs;
    let none = vec![(0.0, 0.0, 0.0); outputs];
    let block = |(gradients, hessians): (&[f32], &[f32])| {
        let mut sums = none.clone();
        for (gradients, hessians) in gradients.chunks_exact(outputs).zip(hessians.chunks_exact(outputs)) {
            for ((sum, &gradient), &hessian) in sums.iter_mut().zip(gradients).zip(hessians) {
                sum.0 += f64::from(gradient) * f64::from(gradient);
                sum.1 += f64::from(hessian);
                sum.2 += f64::from(u8::from(hessian > 0.0));
            }
        }
        sums
    };
    let size = BLOCK * outputs;
    let blocks: Vec<Vec<(f64, f64, f64)>> =
        found.gradients.par_chunks(size).zip(found.hessians.par_chunks(size)).map(block).collect();
    blocks.into_iter().fold(none.clone(), |mut all, block| {
        all.iter_mut().zip(block).for_each(|(all, block)| *all = (all.0 + block.0, all.1 + block.1, all.2 + block.2));
        all
    })
}

impl Gradients {
    /// Fewer columns in place of all outputs. Each output's gradient is first put on the scale on which gains are
    /// compared; a row that has any label has a Hessian of 1.
    pub(super) fn sketch(&self, sketch: Sketch, factors: &[f64], mut random: Random) -> Self {
        let sums = sums(self);
        let scale = |output: usize| {
            let (_, hessian, rows) = sums[output];
            if hessian > 0.0 { (factors[output] * rows / hessian).sqrt() } else { 0.0 }
        };
        let scales: Vec<f64> = (0..self.outputs).map(scale).collect();
        let most = scales.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let width = sketch.width();
        let mut mix = vec![0.0f32; self.outputs * width];
        match sketch {
            Sketch::Projection(_) => {
                let spread = 1.0 / (width as f64).sqrt();
                for (output, mix) in mix.chunks_exact_mut(width).enumerate() {
                    mix.iter_mut().for_each(|mix| *mix = (spread * random.normal() * scales[output] / most) as f32);
                }
            }
            Sketch::Top(_) => {
                let mut order: Vec<usize> = (0..self.outputs).collect();
                let size = |output: usize| sums[output].0 * scales[output] * scales[output];
                order.sort_by(|&a, &b| size(b).total_cmp(&size(a)).then(a.cmp(&b)));
                order
                    .iter()
                    .take(width)
                    .enumerate()
                    .for_each(|(place, &output)| mix[output * width + place] = (scales[output] / most) as f32);
            }
        }
        let rows = self.gradients.len() / self.outputs;
        let mut gradients = vec![0.0f32; rows * width];
        let mut hessians = gradients.clone();
        let into = gradients.par_chunks_mut(width).zip(hessians.par_chunks_mut(width));
        into.zip(self.gradients.par_chunks(self.outputs).zip(self.hessians.par_chunks(self.outputs))).for_each(
            |((into, ones), (gradient, hessian))| {
                for (&gradient, mix) in gradient.iter().zip(mix.chunks_exact(width)) {
                    into.iter_mut().zip(mix).for_each(|(into, mix)| *into += gradient * mix);
                }
                ones.fill(if hessian.iter().any(|&hessian| hessian > 0.0) { 1.0 } else { 0.0 });
            },
        );
        Self { outputs: width, gradients, hessians }
    }
}
