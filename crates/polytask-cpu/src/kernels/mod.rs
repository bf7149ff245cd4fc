//! One file an op: forward and backward together.
//!
//! A kernel runs single-threaded inside one lane. Activations are row-major, `elements x features`, where the elements are
//! those of the node's domain: the rows, or tokens end to end. A cotangent has one copy per group of losses, `copies x
//! elements x features`, so that one wide product serves all copies.

mod activation;
mod add;
mod affine;
mod all_of;
mod arcs;
mod attention;
mod auxiliary;
mod batch_norm;
mod bins;
mod blend;
mod boundary;
mod codes;
mod concat;
mod conv2d;
mod crf;
mod custom;
mod custom_loss;
mod dense;
mod dropout;
mod embedding;
mod gate;
mod group_norm;
mod inner;
mod layer_norm;
mod loss;
pub(crate) mod math;
mod matmul;
mod max_pool;
mod mixture;
mod mul;
mod narrow;
mod neighbours;
mod noise;
mod one_hot;
mod pairwise;
mod periodic;
mod pixel_sum;
mod pixels;
mod places;
mod position;
mod product;
mod recurrent;
mod reduce;
mod reshape;
mod rotary;
mod route;
mod slice;
mod softmax;
mod squash;
mod stop_gradient;
mod vector;
mod wide;

use crate::domains::Elements;
use crate::rows::Rows;
use crate::wiring::{Flow, ParameterWire, SIDE, Site, Slot, WideWeight, Wiring};
pub(crate) use auxiliary::AuxiliaryKernel;
pub(crate) use boundary::{add_gramian, merge};
pub(crate) use loss::{LossKernel, Read, build_loss};
pub(crate) use matmul::transpose_block;
use places::Places;
pub(crate) use polytask_exec::vectorized;
use polytask_graph::{Op, Pooling, Shape, ops};
use std::ops::Range;

/// Rows of a dense weight that are transposed together, see [`transpose_block`].
pub(crate) const BLOCK: usize = 64;

/// What a kernel sees of its lane.
pub(crate) struct Lane<'a> {
    pub arena: &'a mut [f32],
    pub indices: &'a [u32],
    /// All parameters, flat.
    pub values: &'a [f32],
    /// Dense weights in transposed blocks, at the places of their values. Training only.
    pub transposed: &'a [f32],
    /// Weights of layers that run as one, side by side; and the same in transposed blocks, training only.
    pub wide: [&'a [f32]; 2],
    /// The lane's gradient, flat. Training only.
    pub gradient: &'a mut [f32],
    /// The gradients of tables, by row.
    pub tables: &'a mut [Rows],
    /// Names this step's random draws; none when predicting.
    pub noise: Option<u64>,
    /// Of ops that draw one of several inputs.
    pub temperature: f32,
    /// The elements of each domain.
    pub domains: &'a [Elements],
}

impl<'a> Lane<'a> {
    /// The elements of a slot's domain.
    pub(crate) fn elements(&self, slot: Slot) -> &'a Elements {
        &self.domains[slot.domain]
    }

    /// How many elements a slot has.
    pub(crate) fn count(&self, slot: Slot) -> usize {
        self.elements(slot).count()
    }

    /// Place of a slot's values.
    pub(crate) fn range(&self, slot: Slot) -> Range<usize> {
        self.elements(slot).range(slot)
    }

    /// A slot's values, to write.
    pub(crate) fn values_mut(&mut self, slot: Slot) -> &mut [f32] {
        let range = self.range(slot);
        &mut self.arena[range]
    }

    /// Place of `len` copies of a cotangent, from copy `first` on.
    pub(crate) fn copies(&self, slot: Slot, first: usize, len: usize) -> Range<usize> {
        let (start, one) = (self.elements(slot).start(slot), self.elements(slot).filled(slot) * slot.width);
        start + first * one..start + (first + len) * one
    }

    /// A weight `[k, n]` to pull cotangents through.
    fn weight(&self, wire: &ParameterWire, k: usize, n: usize) -> product::Weight<'a> {
        let (values, transposed) = (&self.values[wire.value.clone()], &self.transposed[wire.value.clone()]);
        product::Weight { values, transposed, k, n }
    }

    /// Category indices of a slot.
    pub(crate) fn indices(&self, slot: Slot) -> &'a [u32] {
        &self.indices[self.elements(slot).index_range(slot)]
    }
}

/// One op at work.
pub(crate) trait Kernel: Send + Sync {
    /// Fills this node's values from its inputs' values.
    fn forward(&self, lane: &mut Lane<'_>);
    /// Turns this node's cotangent into those of its inputs and parameters. May destroy its own cotangent.
    fn backward(&self, lane: &mut Lane<'_>);
}

/// The kernel of an op at its site.
pub(crate) fn build(op: &Op, wiring: Wiring, site: &Site<'_>) -> Box<dyn Kernel> {
    let node = site.node;
    let channels = site.shape.channels();
    match op {
        Op::Input | Op::Index => idle(),
        Op::OneHot(ops::OneHot { columns }) => Box::new(one_hot::OneHot { columns: columns.clone(), wiring }),
        Op::Embedding(ops::Embedding { column, .. }) => Box::new(embedding::Embedding { column: *column, wiring }),
        Op::Dense(ops::Dense { bias, activation, .. }) => {
            Box::new(dense::Dense { activation: *activation, bias: bias.is_some(), wiring })
        }
        Op::Activation(kind) => Box::new(activation::Elementwise { kind: *kind, wiring }),
        Op::Dropout(ops::Dropout { rate }) => Box::new(dropout::Dropout { rate: *rate, node: node as u64, wiring }),
        Op::LayerNorm(ops::LayerNorm { epsilon, .. }) => Box::new(layer_norm::LayerNorm { epsilon: *epsilon, wiring }),
        Op::Concat => Box::new(concat::Concat { runs: site.runs(), wiring }),
        Op::Add => Box::new(add::Add { wiring }),
        Op::Blend(ops::Blend { weighing, .. }) => {
            Box::new(blend::Blend { weighing: *weighing, node: node as u64, wiring })
        }
        Op::Slice(ops::Slice { start, end }) => {
            let side = if site.blocked { SIDE } else { 1 };
            Box::new(slice::Slice { part: start * side..end * side, run: site.inputs[0].channels() * side, wiring })
        }
        Op::Mul => Box::new(mul::Mul { wiring }),
        Op::Softmax(ops::Softmax { dropout }) => {
            Box::new(softmax::Softmax { dropout: *dropout, node: node as u64, wiring })
        }
        Op::Mixture => Box::new(mixture::Mixture { wiring }),
        Op::Affine(ops::Affine { scale, shift }) => Box::new(affine::Affine { scale: *scale, shift: *shift, wiring }),
        Op::Dot(ops::Dot { scale }) => Box::new(inner::Dot { scale: *scale, wiring }),
        Op::AllOf => Box::new(all_of::AllOf { wiring }),
        Op::StopGradient => Box::new(stop_gradient::StopGradient { wiring }),
        Op::Vector(_) => Box::new(vector::Vector { wiring }),
        Op::Codes(ops::Codes { choices }) => Box::new(codes::Codes { choices: *choices, wiring }),
        Op::Reduce(kind) => Box::new(reduce::Reduce { kind: *kind, wiring }),
        Op::Spread(ops::Spread { over: false }) => Box::new(route::Route { by: route::By::Parent, wiring }),
        Op::Spread(ops::Spread { over: true }) => Box::new(route::Route { by: route::By::Factor, wiring }),
        Op::Gather(ops::Gather { column }) => Box::new(route::Route { by: route::By::Index(*column), wiring }),
        Op::Neighbours(ops::Neighbours { before, after }) => {
            Box::new(neighbours::Neighbours { before: *before, after: *after, wiring })
        }
        Op::Position(_) => Box::new(position::Position { wiring }),
        Op::Rotary(op) => Box::new(rotary::Rotary::new(op.clone(), wiring)),
        Op::Attention(ops::Attention { heads, window }) => {
            Box::new(attention::Attention { heads: *heads, window: *window, wiring })
        }
        Op::Pairwise(ops::Pairwise { root }) => Box::new(pairwise::Pairwise { root: root.is_some(), wiring }),
        Op::Lstm(ops::Lstm { reverse, .. }) => Box::new(recurrent::Recurrent::new(recurrent::Lstm, *reverse, wiring)),
        Op::Gru(ops::Gru { reverse, .. }) => Box::new(recurrent::Recurrent::new(recurrent::Gru, *reverse, wiring)),
        Op::Reshape => Box::new(reshape::Reshape { wiring }),
        Op::Conv2d(ops::Conv2d { bias, window, groups, activation, .. }) => {
            Box::new(conv2d::Conv2d::new(window, *groups, *activation, bias.is_some(), wiring, site))
        }
        Op::Pool(ops::Pool { pooling, window }) => {
            let places = Places::window(&conv2d::forward_axes(window, site));
            match pooling {
                Pooling::Max => Box::new(max_pool::MaxPool::new(places, channels, site.pools, wiring)),
                Pooling::Average => Box::new(pixel_sum::PixelSum { places, channels, wiring }),
            }
        }
        Op::GlobalPool => {
            let places = Places::all(site.inputs[0].pixels());
            Box::new(pixel_sum::PixelSum { places, channels, wiring })
        }
        Op::Gate => Box::new(gate::Gate { wiring }),
        Op::Pixels(ops::Pixels { before }) => Box::new(pixels::Pixels { before: *before, wiring }),
        Op::BatchNorm(ops::BatchNorm { epsilon, activation, .. }) => {
            Box::new(batch_norm::BatchNorm { epsilon: *epsilon, channels, activation: *activation, wiring })
        }
        Op::GroupNorm(ops::GroupNorm { epsilon, groups, activation, .. }) => Box::new(group_norm::GroupNorm {
            epsilon: *epsilon,
            groups: *groups,
            channels,
            activation: *activation,
            wiring,
        }),
        Op::Upsample(ops::Upsample { interpolation, factor }) => {
            let places = Places::enlarged([site.inputs[0].0[0], site.inputs[0].0[1]], *factor, *interpolation);
            Box::new(pixel_sum::PixelSum { places, channels, wiring })
        }
        Op::Squash(ops::Squash { limit, .. }) => Box::new(squash::Squash { limit: *limit, wiring }),
        Op::Bins(_) => Box::new(bins::Bins { bins: site.shape.width() / site.inputs[0].width(), wiring }),
        Op::Periodic(_) => Box::new(periodic::Periodic { count: site.shape.width() / site.inputs[0].width(), wiring }),
        Op::Custom(own) => custom::build(own, wiring),
    }
}

/// Scalars an element that an op keeps from its forward to its backward pass beside its output.
pub(crate) fn saved_width(op: &Op, shape: &Shape, inputs: &[&Shape]) -> usize {
    let width = shape.width();
    // The slope of some activations cannot be read off the output.
    let own = |activation| if activation::from_output(activation) { 0 } else { width };
    match op {
        Op::Dense(ops::Dense { activation, .. })
        | Op::Conv2d(ops::Conv2d { activation, .. })
        | Op::Activation(activation) => own(*activation),
        Op::LayerNorm(_) => width + 1,
        Op::BatchNorm(norm) => batch_norm::saved_width(shape.channels()) + own(norm.activation),
        Op::GroupNorm(norm) => 2 * norm.groups + own(norm.activation),
        Op::Lstm(_) => recurrent::kept_width::<recurrent::Lstm>(width),
        Op::Gru(_) => recurrent::kept_width::<recurrent::Gru>(width),
        Op::Attention(attention) => attention::kept_width(attention.heads),
        Op::Custom(own) => custom::kept_width(own, inputs),
        Op::Input
        | Op::Index
        | Op::OneHot(_)
        | Op::Embedding(_)
        | Op::Dropout(_)
        | Op::Concat
        | Op::Add
        | Op::Blend(_)
        | Op::Slice(_)
        | Op::Mul
        | Op::Softmax(_)
        | Op::Mixture
        | Op::Affine(_)
        | Op::Dot(_)
        | Op::AllOf
        | Op::StopGradient
        | Op::Vector(_)
        | Op::Codes(_)
        | Op::Reshape
        | Op::Pool(_)
        | Op::GlobalPool
        | Op::Gate
        | Op::Pixels(_)
        | Op::Upsample(_)
        | Op::Reduce(_)
        | Op::Spread(_)
        | Op::Gather(_)
        | Op::Neighbours(_)
        | Op::Position(_)
        | Op::Rotary(_)
        | Op::Pairwise(_)
        | Op::Squash(_)
        | Op::Bins(_)
        | Op::Periodic(_) => 0,
    }
}

/// Scalars an element that an op works with besides, in its forward pass, and in a backward pass of so many copies.
pub(crate) fn scratch_widths(op: &Op, shape: &Shape, inputs: &[&Shape], train: bool, copies: usize) -> [usize; 2] {
    match op {
        Op::Lstm(_) => recurrent::scratch_widths::<recurrent::Lstm>(shape.width(), train, copies),
        Op::Gru(_) => recurrent::scratch_widths::<recurrent::Gru>(shape.width(), train, copies),
        Op::Attention(_) => attention::scratch_widths(shape.width()),
        Op::Custom(_) => [0, custom::scratch_width(inputs)],
        Op::Input
        | Op::Index
        | Op::OneHot(_)
        | Op::Embedding(_)
        | Op::Dense(_)
        | Op::Activation(_)
        | Op::Dropout(_)
        | Op::LayerNorm(_)
        | Op::Concat
        | Op::Add
        | Op::Blend(_)
        | Op::Slice(_)
        | Op::Mul
        | Op::Softmax(_)
        | Op::Mixture
        | Op::Affine(_)
        | Op::Dot(_)
        | Op::AllOf
        | Op::StopGradient
        | Op::Vector(_)
        | Op::Codes(_)
        | Op::Reshape
        | Op::Conv2d(_)
        | Op::Pool(_)
        | Op::GlobalPool
        | Op::Gate
        | Op::Pixels(_)
        | Op::BatchNorm(_)
        | Op::GroupNorm(_)
        | Op::Upsample(_)
        | Op::Reduce(_)
        | Op::Spread(_)
        | Op::Gather(_)
        | Op::Neighbours(_)
        | Op::Position(_)
        | Op::Rotary(_)
        | Op::Pairwise(_)
        | Op::Squash(_)
        | Op::Bins(_)
        | Op::Periodic(_) => [0, 0],
    }
}

/// The kernel of dense layers that read one node.
pub(crate) fn build_wide(layers: Vec<(&Op, Wiring)>, weight: &WideWeight, scratch: usize) -> Box<dyn Kernel> {
    let layers = layers.into_iter().filter_map(|(op, wiring)| {
        // Nothing else is ever put together.
        let Op::Dense(layer) = op else { return None };
        Some(dense::Dense { activation: layer.activation, bias: layer.bias.is_some(), wiring })
    });
    Box::new(wide::Wide { layers: layers.collect(), weight: weight.clone(), scratch })
}

/// The kernel of a node whose work another node does.
pub(crate) fn idle() -> Box<dyn Kernel> {
    Box::new(Idle)
}

/// Nothing is left to do: the lane fills the inputs before the first kernel runs, and a wide product does the work of
/// several layers.
struct Idle;

impl Kernel for Idle {
    fn forward(&self, _: &mut Lane<'_>) {}
    fn backward(&self, _: &mut Lane<'_>) {}
}

/// Two parts of an arena that do not overlap, as the plan promises: one to read, one to write.
fn read_write(arena: &mut [f32], read: Range<usize>, write: Range<usize>) -> (&[f32], &mut [f32]) {
    let [read, write] = disjoint(arena, [read, write]);
    (read, write)
}

/// All of an arena but the part that is written.
#[derive(Clone, Copy)]
struct Others<'a> {
    low: &'a [f32],
    high: &'a [f32],
    /// Where `high` begins.
    from: usize,
    domains: &'a [Elements],
}

impl<'a> Others<'a> {
    /// The values of a slot.
    fn of(self, slot: Slot) -> &'a [f32] {
        self.get(self.domains[slot.domain].range(slot))
    }

    fn get(self, read: Range<usize>) -> &'a [f32] {
        if read.end <= self.low.len() {
            return &self.low[read];
        }
        assert!(self.from <= read.start, "the plan gave two live buffers one place");
        &self.high[read.start - self.from..read.end - self.from]
    }
}

/// One part of a lane's arena to write, and all others to read.
fn around<'a>(lane: &'a mut Lane<'_>, write: Range<usize>) -> (Others<'a>, &'a mut [f32]) {
    let (low, rest) = lane.arena.split_at_mut(write.start);
    let (own, high) = rest.split_at_mut(write.len());
    (Others { low, high, from: write.end, domains: lane.domains }, own)
}

/// Parts of an arena that do not overlap, as the plan promises.
fn disjoint<const N: usize>(arena: &mut [f32], parts: [Range<usize>; N]) -> [&mut [f32]; N] {
    match arena.get_disjoint_mut(parts) {
        Ok(parts) => parts,
        Err(error) => unreachable!("the plan gave two live buffers one place: {error}"),
    }
}

/// The elements of each parent.
fn parents(offsets: &[u32]) -> impl Iterator<Item = Range<usize>> {
    offsets.windows(2).map(|pair| pair[0] as usize..pair[1] as usize)
}

/// Calls `each(from, into, accumulate)` for every copy of a cotangent that flows to an input.
fn for_each_copy(lane: &mut Lane<'_>, cotangent: Slot, flow: &Flow, mut each: impl FnMut(&[f32], &mut [f32], bool)) {
    with_each_copy(lane, cotangent, flow, |_, from, into, accumulate| each(from, into, accumulate));
}

/// The same with the rest of the arena to read: `each(others, from, into, accumulate)`.
fn with_each_copy(
    lane: &mut Lane<'_>,
    cotangent: Slot,
    flow: &Flow,
    mut each: impl FnMut(Others<'_>, &[f32], &mut [f32], bool),
) {
    for run in &flow.runs {
        for c in 0..run.len {
            let (from, into) = (lane.copies(cotangent, run.from + c, 1), lane.copies(flow.into, run.to + c, 1));
            let (others, into) = around(lane, into);
            each(others, others.get(from), into, run.accumulate);
        }
    }
}

/// `into = from` or `into += from`.
fn put(from: &[f32], into: &mut [f32], accumulate: bool) {
    if accumulate {
        into.iter_mut().zip(from).for_each(|(i, f)| *i += f);
    } else {
        into.copy_from_slice(from);
    }
}

/// `sums += sum over rows of values`.
fn sum_rows(values: &[f32], sums: &mut [f32]) {
    let n = sums.len();
    if n == 1 {
        sums[0] += values.iter().sum::<f32>();
        return;
    }
    vectorized(
        #[inline(always)]
        || values.chunks_exact(n).for_each(|row| sums.iter_mut().zip(row).for_each(|(s, v)| *s += v)),
    );
}

/// Lanes of the partial sums of a long dot product.
const WIDE: usize = 32;

/// `sum_j a_j b_j`
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a, a_rest) = a.as_chunks::<WIDE>();
    let (b, b_rest) = b.as_chunks::<WIDE>();
    let mut sums = [0.0f32; WIDE];
    for (a, b) in a.iter().zip(b) {
        for j in 0..WIDE {
            sums[j] += a[j] * b[j];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// `sum_j f(a_j)`, in partial sums that fill a vector.
#[inline(always)]
pub(crate) fn sum_of(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = values.as_chunks::<16>();
    let mut sums = [0.0f32; 16];
    for block in blocks {
        for j in 0..16 {
            sums[j] += f(block[j]);
        }
    }
    sums.iter().sum::<f32>() + rest.iter().map(|v| f(*v)).sum::<f32>()
}

/// The largest value; minus infinity of none.
#[inline(always)]
pub(crate) fn largest(values: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let (blocks, rest) = values.as_chunks::<16>();
    let mut most = [f32::NEG_INFINITY; 16];
    for block in blocks {
        for j in 0..16 {
            most[j] = larger(most[j], block[j]);
        }
    }
    most.iter().chain(rest).copied().fold(f32::NEG_INFINITY, larger)
}
