//! `y = activation(window(x) * W + b)`, directly on blocks of sixteen rows.

mod axis;
mod bias;
mod sweep;
mod weights;

use super::{Kernel, Lane, activation, read_write};
use crate::wiring::{ParameterWire, SIDE, Site, Wiring};
pub(super) use axis::Axis;
use axis::{Extent, Tiling};
use bias::rectify_and_sum;
pub(super) use bias::sum_pixels;
use polytask_graph::{Activation, Window};
use sweep::{Start, Sweep};
use weights::WeightGradient;

pub(super) struct Conv2d {
    /// Outputs that read the image: along its height, along its width.
    forward: [Axis; 2],
    /// The image's pixels that read the outputs' cotangents.
    backward: [Axis; 2],
    /// Of their columns.
    forward_tiles: [Tiling; 2],
    backward_tiles: [Tiling; 2],
    size: [usize; 2],
    groups: usize,
    activation: Activation,
    bias: bool,
    /// Whether the cotangent comes rectified.
    pooled: bool,
    zeros: Vec<f32>,
    /// Saves the activation's slope where the output does not tell it.
    wiring: Wiring,
}

/// The window of an op along each axis of the image.
pub(super) fn extents(window: &Window) -> [Extent; 2] {
    let Window { size, stride, padding, beyond: _, dilation } = *window;
    [0, 1].map(|axis| Extent {
        size: size[axis],
        stride: stride[axis],
        padding: padding[axis],
        dilation: dilation[axis],
    })
}

/// Outputs that read the image of a site, by axis.
pub(super) fn forward_axes(window: &Window, site: &Site<'_>) -> [Axis; 2] {
    let extents = extents(window);
    [0, 1].map(|axis| Axis::forward(site.inputs[0].0[axis], site.shape.0[axis], extents[axis]))
}

impl Conv2d {
    pub(super) fn new(
        window: &Window,
        groups: usize,
        activation: Activation,
        bias: bool,
        wiring: Wiring,
        site: &Site<'_>,
    ) -> Self {
        let extents = extents(window);
        let channels = site.inputs[0].channels().max(site.shape.channels());
        let forward = forward_axes(window, site);
        let backward = [0, 1].map(|axis| Axis::backward(site.inputs[0].0[axis], site.shape.0[axis], extents[axis]));
        Conv2d {
            forward_tiles: [4, 2].map(|most| forward[1].tiling(most)),
            backward_tiles: [4, 2].map(|most| backward[1].tiling(most)),
            forward,
            backward,
            size: window.size,
            groups,
            activation,
            bias,
            pooled: site.pooled,
            zeros: vec![0.0; channels * SIDE],
            wiring,
        }
    }

    /// Channels of the input and of the output in a group.
    fn channels(&self) -> [usize; 2] {
        let pixels = |[y, x]: [usize; 2]| y * x * self.groups;
        let [from, to] = [self.forward.each_ref().map(|a| a.sources), self.forward.each_ref().map(|a| a.outputs)];
        [self.wiring.inputs[0].width / pixels(from), self.wiring.out.width / pixels(to)]
    }
}

impl Kernel for Conv2d {
    fn forward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let [from, to] = self.channels();
        let (x, y) = read_write(lane.arena, lane.range(w.inputs[0]), lane.range(w.out));
        // What is rectified costs nothing on the way out of the registers.
        let rectified = match self.activation {
            Activation::Relu => Some(f32::INFINITY),
            Activation::Relu6 => Some(6.0),
            _ => None,
        };
        let bias = self.bias.then(|| Start::Bias(&lane.values[w.parameters[1].value.clone()]));
        pulp::Arch::new().dispatch(Sweep {
            rows: &self.forward[0],
            columns: &self.forward[1],
            tilings: &self.forward_tiles,
            groups: self.groups,
            from,
            to,
            source: x,
            out: y,
            weight: &lane.values[w.parameters[0].value.clone()],
            width: self.size[1],
            backward: false,
            start: bias.unwrap_or(Start::Zero),
            most: rectified,
            zeros: &self.zeros,
        });
        if rectified.is_none() {
            activation::follow(lane, self.activation, lane.range(w.out), lane.range(w.saved));
        }
    }

    fn backward(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        for copy in 0..w.copies {
            self.retrace(lane, copy);
            self.weight_gradient(lane, copy);
        }
        self.input_gradient(lane);
    }
}

impl Conv2d {
    /// Turns a copy of the cotangent into that of the sums, and adds it up for the bias on the way where there is one.
    fn retrace(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let own = lane.copies(w.cotangent, copy, 1);
        let own_run = |wire: &ParameterWire| {
            let run = wire.runs.iter().find(|r| (r.from..r.from + r.len).contains(&copy));
            run.map(|run| (wire.copy(run.to + copy - run.from), run.accumulate))
        };
        let bias = w.parameters.get(1).and_then(own_run);
        let relu = self.activation == Activation::Relu && !self.pooled;
        if !relu && !self.pooled {
            activation::retrace(lane, self.activation, lane.range(w.out), lane.range(w.saved), own.clone());
        }
        let Some((bias, accumulate)) = bias else {
            if relu {
                activation::retrace(lane, self.activation, lane.range(w.out), lane.range(w.saved), own);
            }
            return;
        };
        let bias = &mut lane.gradient[bias];
        if !accumulate {
            bias.fill(0.0);
        }
        match relu {
            true => {
                let (y, dy) = read_write(lane.arena, lane.domains[w.out.domain].range(w.out), own);
                rectify_and_sum(dy, y, bias);
            }
            false => sum_pixels(&lane.arena[own], bias),
        }
    }

    fn weight_gradient(&self, lane: &mut Lane<'_>, copy: usize) {
        let w = &self.wiring;
        let [from, to] = self.channels();
        let x = &lane.arena[lane.range(w.inputs[0])];
        let dy = &lane.arena[lane.copies(w.cotangent, copy, 1)];
        let wire = &w.parameters[0];
        // A line of taps of few channels that is inside the image everywhere is one tap of all their channels.
        let columns = &self.forward[1];
        let inside = columns.valid(0, 0) == columns.valid(0, self.size[1] as isize - 1);
        let joined = self.groups == 1 && inside && self.is_close() && self.size[1] * from <= LINE;
        let (from, size) = if joined { (self.size[1] * from, [self.size[0], 1]) } else { (from, self.size) };
        for run in wire.runs.iter().filter(|r| (r.from..r.from + r.len).contains(&copy)) {
            let gradient = &mut lane.gradient[wire.copy(run.to + copy - run.from)];
            if !run.accumulate {
                gradient.fill(0.0);
            }
            pulp::Arch::new().dispatch(WeightGradient {
                rows: &self.forward[0],
                columns,
                groups: self.groups,
                from,
                to,
                x,
                dy,
                gradient,
                size,
                x_pixel: w.inputs[0].width / (self.forward[0].sources * columns.sources),
            });
        }
    }

    /// Whether the taps of a line read pixels side by side, the first of them the one that an output begins at.
    fn is_close(&self) -> bool {
        self.forward[1].phases[0].iter().all(|tap| tap.offset == tap.k as isize)
    }

    fn input_gradient(&self, lane: &mut Lane<'_>) {
        let w = &self.wiring;
        let Some(flow) = &w.flows[0] else { return };
        let [from, to] = self.channels();
        let weight = &lane.values[w.parameters[0].value.clone()];
        super::for_each_copy(lane, w.cotangent, flow, |dy, dx, accumulate| {
            pulp::Arch::new().dispatch(Sweep {
                rows: &self.backward[0],
                columns: &self.backward[1],
                tilings: &self.backward_tiles,
                groups: self.groups,
                from: to,
                to: from,
                source: dy,
                out: dx,
                weight,
                width: self.size[1],
                backward: true,
                start: if accumulate { Start::Own } else { Start::Zero },
                most: None,
                zeros: &self.zeros,
            });
        });
    }
}

/// Channels of a line of taps that are worked on together at most.
const LINE: usize = 8;
