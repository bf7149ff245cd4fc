//! Dense layers that read one node, as one product with their weights side by side.

use super::dense::Dense;
use super::{Kernel, Lane, activation, product, put, read_write, vectorized};
use crate::wiring::{Flow, WideWeight};
use polytask_graph::Activation;

pub(super) struct Wide {
    /// In the order of their columns. The first has the scratch.
    pub layers: Vec<Dense>,
    pub weight: WideWeight,
    /// Where in the lane's gradient there is room for that of all weights side by side.
    pub scratch: usize,
}

impl Kernel for Wide {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.layers[0].wiring;
        let WideWeight { k, n, .. } = self.weight;
        let sums = lane.range(w.scratch[0]);
        let (x, z) = read_write(lane.arena, lane.range(w.inputs[0]), sums.clone());
        product::forward(x, &lane.wide[0][self.weight.range.clone()], None, z, k, n);
        for (layer, first) in self.columns() {
            let out = lane.range(layer.wiring.out);
            let (z, y) = read_write(lane.arena, sums.clone(), out.clone());
            let bias = layer.bias.then(|| &lane.values[layer.wiring.parameters[1].value.clone()]);
            spread(z, y, bias, layer.activation == Activation::Relu, (first, n));
            let saved = lane.range(layer.wiring.saved);
            activation::follow(lane, layer.activation, out, saved);
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.layers[0].wiring;
        for copy in 0..w.copies {
            for (layer, first) in self.columns() {
                layer.retrace(lane, copy);
                layer.bias_gradient(lane, copy);
                self.gather(lane, layer, first, copy);
            }
            self.weight_gradients(lane, copy);
        }
        if let Some(flow) = &w.flows[0] {
            self.input_gradient(lane, flow);
        }
    }
}

impl Wide {
    /// Each layer with its first column.
    fn columns(&self) -> impl Iterator<Item = (&Dense, usize)> {
        self.layers.iter().scan(0, |next, layer| {
            let first = *next;
            *next += layer.wiring.out.width;
            Some((layer, first))
        })
    }

    /// Puts a layer's cotangent beside those of the others.
    fn gather(&self, lane: &mut Lane<'_>, layer: &Dense, first: usize, copy: usize) {
        let (n, width) = (self.weight.n, layer.wiring.out.width);
        let from = lane.copies(layer.wiring.cotangent, copy, 1);
        let into = lane.copies(self.layers[0].wiring.scratch[1], copy, 1);
        let (dy, all) = read_write(lane.arena, from, into);
        let rows = dy.chunks_exact(width).zip(all.chunks_exact_mut(n));
        rows.for_each(|(dy, all)| all[first..first + width].copy_from_slice(dy));
    }

    /// `dW = x^T dy` for all layers at once, then each to its own place.
    fn weight_gradients(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.layers[0].wiring;
        let WideWeight { k, n, .. } = self.weight;
        let x = &lane.arena[lane.range(w.inputs[0])];
        let dy = &lane.arena[lane.copies(w.scratch[1], copy, 1)];
        let (gradients, all) = lane.gradient.split_at_mut(self.scratch);
        let all = &mut all[..k * n];
        product::weight_gradient(x, dy, all, k, n, false);
        for (layer, first) in self.columns() {
            let (wire, width) = (&layer.wiring.parameters[0], layer.wiring.out.width);
            for (run, at) in wire.of(copy) {
                let gradient = &mut gradients[wire.copy(run.to + at)];
                for (all, own) in all.chunks_exact(n).zip(gradient.chunks_exact_mut(width)) {
                    put(&all[first..first + width], own, run.accumulate);
                }
            }
        }
    }

    /// `dx = dy W^T`, for all copies of a run in one product.
    fn input_gradient(&self, lane: &mut Lane<'_>, flow: &Flow) {
        let w = &self.layers[0].wiring;
        let WideWeight { k, n, .. } = self.weight;
        let [values, transposed] = lane.wide.map(|all| &all[self.weight.range.clone()]);
        let weight = product::Weight { values, transposed, k, n };
        for run in &flow.runs {
            let (from, into) = (lane.copies(w.scratch[1], run.from, run.len), lane.copies(flow.into, run.to, run.len));
            let (dy, dx) = read_write(lane.arena, from, into);
            product::input_gradient(dy, weight, dx, run.accumulate);
        }
    }
}

/// `y = z + bias` over the columns of `z` from the first on, so many as `y` has; rectified where that is asked for.
fn spread(z: &[f32], y: &mut [f32], bias: Option<&[f32]>, relu: bool, (first, all): (usize, usize)) {
    let rows = z.len() / all;
    if rows == 0 {
        return;
    }
    let n = y.len() / rows;
    let floor = if relu { 0.0 } else { f32::NEG_INFINITY };
    vectorized(
        #[inline(always)]
        || {
            for (z, y) in z.chunks_exact(all).zip(y.chunks_exact_mut(n)) {
                let z = &z[first..first + n];
                match bias {
                    Some(bias) => y.iter_mut().zip(z).zip(bias).for_each(|((y, z), b)| *y = (z + b).max(floor)),
                    None => y.iter_mut().zip(z).for_each(|(y, z)| *y = z.max(floor)),
                }
            }
        },
    );
}
