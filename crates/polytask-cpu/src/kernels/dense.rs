//! `y = activation(x W + b)`.

use super::matmul::{Matrix, matmul};
use super::{BLOCK, Kernel, Lane, activation, narrow, read_write, sum_rows, vectorized};
use crate::plan::{Flow, Wiring};
use polytask_graph::Activation;

pub(super) struct Dense {
    pub activation: Activation,
    pub bias: bool,
    /// Saves the pre-activation where the activation's derivative needs it.
    pub wiring: Wiring,
}

impl Kernel for Dense {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (rows, k, n) = (lane.count(w.out), w.inputs[0].width, w.out.width);
        let weight = &lane.values[w.parameters[0].value.clone()];
        let bias = self.bias.then(|| &lane.values[w.parameters[1].value.clone()]);
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        if n <= narrow::NARROW {
            narrow::forward(x, weight, bias, y, k, n);
        } else {
            matmul(Matrix::new(x, rows, k), Matrix::new(weight, k, n), y, n, false);
        }
        if n > narrow::NARROW
            && self.activation == Activation::Relu
            && let Some(bias) = bias
        {
            // The common case in one sweep.
            vectorized(|| {
                y.chunks_exact_mut(n).for_each(|y| y.iter_mut().zip(bias).for_each(|(y, b)| *y = (*y + b).max(0.0)));
            });
            return;
        }
        if n > narrow::NARROW
            && let Some(bias) = bias
        {
            vectorized(|| y.chunks_exact_mut(n).for_each(|y| y.iter_mut().zip(bias).for_each(|(y, b)| *y += b)));
        }
        if w.saved.width > 0 {
            let (y, saved) = read_write(lane.arena, lane.range(w.out), lane.range(w.saved));
            saved.copy_from_slice(y);
        }
        activation::apply(self.activation, lane.values_mut(w.out));
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let seen = if activation::from_output(self.activation) { w.out } else { w.saved };
        for copy in 0..w.copies {
            if self.activation != Activation::Linear {
                let (seen, own) = read_write(lane.arena, lane.range(seen), lane.copies(w.cotangent, copy, 1));
                activation::pull_back(self.activation, own, seen);
            }
            self.parameter_gradients(lane, copy);
        }
        if let Some(flow) = &w.flows[0] {
            self.input_gradient(lane, flow);
        }
    }
}

impl Dense {
    /// `dW = x^T dy`, `db = sum over rows of dy`.
    fn parameter_gradients(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let (rows, k, n) = (lane.count(w.out), w.inputs[0].width, w.out.width);
        let x = &lane.arena[lane.range(w.inputs[0])];
        let dy = &lane.arena[lane.copies(w.cotangent, copy, 1)];
        for (which, wire) in w.parameters.iter().enumerate() {
            for run in wire.runs.iter().filter(|r| (r.from..r.from + r.len).contains(&copy)) {
                let gradient = &mut lane.gradient[wire.copy(run.to + copy - run.from)];
                if which == 1 {
                    if !run.accumulate {
                        gradient.fill(0.0);
                    }
                    sum_rows(dy, gradient);
                } else if n <= narrow::NARROW {
                    narrow::weight_gradient(x, dy, gradient, k, n, run.accumulate);
                } else {
                    matmul(Matrix::new(x, rows, k).t(), Matrix::new(dy, rows, n), gradient, n, run.accumulate);
                }
            }
        }
    }

    /// `dx = dy W^T`, for all copies of a run in one product.
    fn input_gradient(&self, lane: &mut Lane<'_>, flow: &Flow) {
        let w = &self.wiring;
        let (rows, k, n) = (lane.count(w.out), w.inputs[0].width, w.out.width);
        let weight = &lane.values[w.parameters[0].value.clone()];
        let transposed = &lane.transposed[w.parameters[0].value.clone()];
        for run in &flow.runs {
            let (from, into) = (lane.copies(w.cotangent, run.from, run.len), lane.copies(flow.into, run.to, run.len));
            let (dy, dx) = read_write(lane.arena, from, into);
            if n <= narrow::NARROW {
                narrow::input_gradient(dy, weight, dx, k, n, run.accumulate);
                continue;
            }
            for (i, block) in transposed.chunks(BLOCK * n).enumerate() {
                let width = block.len() / n;
                let (dx, dy) = (&mut dx[i * BLOCK..], Matrix::new(dy, run.len * rows, n));
                matmul(dy, Matrix::new(block, n, width), dx, k, run.accumulate);
            }
        }
    }
}
