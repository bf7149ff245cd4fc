//! `y = activation(x W + b)`.

use super::{Kernel, Lane, activation, narrow, product, read_write, sum_rows, vectorized};
use crate::wiring::{Flow, Wiring};
use polytask_graph::Activation;

pub(super) struct Dense {
    pub activation: Activation,
    pub bias: bool,
    /// Saves the activation's slope where the output does not tell it.
    pub wiring: Wiring,
}

impl Kernel for Dense {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let (k, n) = (w.inputs[0].width, w.out.width);
        let weight = &lane.values[w.parameters[0].value.clone()];
        let bias = self.bias.then(|| &lane.values[w.parameters[1].value.clone()]);
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        if n > narrow::NARROW
            && self.activation == Activation::Relu
            && let Some(bias) = bias
        {
            // The common case, bias and activation in one sweep.
            product::forward(x, weight, None, y, k, n);
            vectorized(
                #[inline(always)]
                || {
                    y.chunks_exact_mut(n)
                        .for_each(|y| y.iter_mut().zip(bias).for_each(|(y, b)| *y = (*y + b).max(0.0)));
                },
            );
            return;
        }
        product::forward(x, weight, bias, y, k, n);
        if self.activation == Activation::Relu {
            return vectorized(
                #[inline(always)]
                || y.iter_mut().for_each(|y| *y = y.max(0.0)),
            );
        }
        activation::follow(lane, self.activation, lane.range(w.out), lane.range(w.saved));
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        for copy in 0..w.copies {
            self.retrace(lane, copy);
            self.weight_gradient(lane, copy);
            self.bias_gradient(lane, copy);
        }
        if let Some(flow) = &w.flows[0] {
            self.input_gradient(lane, flow);
        }
    }
}

impl Dense {
    /// Turns a copy of the cotangent into that of the sum.
    pub(super) fn retrace(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let own = lane.copies(w.cotangent, copy, 1);
        activation::retrace(lane, self.activation, lane.range(w.out), lane.range(w.saved), own);
    }

    /// `dW = x^T dy`
    fn weight_gradient(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let (k, n) = (w.inputs[0].width, w.out.width);
        let x = &lane.arena[lane.range(w.inputs[0])];
        let dy = &lane.arena[lane.copies(w.cotangent, copy, 1)];
        let wire = &w.parameters[0];
        for (run, at) in wire.of(copy) {
            let gradient = &mut lane.gradient[wire.copy(run.to + at)];
            product::weight_gradient(x, dy, gradient, k, n, run.accumulate);
        }
    }

    /// `db = sum over rows of dy`
    pub(super) fn bias_gradient(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let dy = &lane.arena[lane.copies(w.cotangent, copy, 1)];
        for wire in w.parameters.iter().skip(1) {
            for (run, at) in wire.of(copy) {
                let gradient = &mut lane.gradient[wire.copy(run.to + at)];
                if !run.accumulate {
                    gradient.fill(0.0);
                }
                sum_rows(dy, gradient);
            }
        }
    }

    /// `dx = dy W^T`, for all copies of a run in one product.
    fn input_gradient(&self, lane: &mut Lane<'_>, flow: &Flow) {
        let w = &self.wiring;
        let weight = lane.weight(&w.parameters[0], w.inputs[0].width, w.out.width);
        for run in &flow.runs {
            let (from, into) = (lane.copies(w.cotangent, run.from, run.len), lane.copies(flow.into, run.to, run.len));
            let (dy, dx) = read_write(lane.arena, from, into);
            product::input_gradient(dy, weight, dx, run.accumulate);
        }
    }
}
