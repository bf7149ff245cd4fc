//! The optimiser step over all parameters, shared out between threads.

use crate::kernels::{BLOCK, transpose_block};
use crate::lane::Lane;
use crate::optimizer::{Stepper, Update};
use crate::parameters::Parameters;
use crate::plan::Plan;
use polytask_graph::{Op, ParameterId, Role};
use rayon::prelude::*;
use std::ops::Range;

/// Part of a parameter that one thread updates: whole blocks of rows of a dense weight.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    pub range: Range<usize>,
    /// Columns of a dense weight, whose transposed copy is kept.
    pub columns: Option<usize>,
    /// A weight or a table.
    decays: bool,
}

/// Scalars in a piece, roughly: large enough to keep a thread busy for microseconds, small enough to share out.
const PIECE: usize = 16 * 1024;
/// Scalars worked on at once, so that they stay in the nearest cache.
const PART: usize = 1024;

/// Cuts all parameters into pieces, in their order.
pub(crate) fn pieces(plan: &Plan, parameters: &Parameters) -> Vec<Piece> {
    let graph = plan.graph();
    let mut dense = vec![false; graph.parameters().len()];
    for node in graph.nodes() {
        if let Op::Dense { weight, .. } = node.op {
            dense[weight.0] = true;
        }
    }
    let mut pieces = Vec::new();
    for (i, parameter) in graph.parameters().iter().enumerate() {
        let all = parameters.range(ParameterId(i));
        let columns = dense[i].then(|| parameter.dims[1]);
        let unit = columns.map_or(1, |n| n * BLOCK);
        let len = unit * (PIECE / unit).max(1);
        let decays = matches!(parameter.role, Role::Weight | Role::Table);
        pieces.extend(all.clone().step_by(len).map(|start| {
            let range = start..(start + len).min(all.end);
            Piece { range, columns, decays }
        }));
    }
    pieces
}

/// `sum = sum over lanes, in order, of their gradients`.
pub(crate) fn sum_lanes(lanes: &[Lane], range: Range<usize>, sum: &mut [f32]) {
    for (i, lane) in lanes.iter().enumerate() {
        let gradient = &lane.gradient()[range.clone()];
        if i == 0 {
            sum.copy_from_slice(gradient);
        } else {
            sum.iter_mut().zip(gradient).for_each(|(s, g)| *s += g);
        }
    }
}

/// Euclidean norm of the whole gradient, the L2 term included.
pub(crate) fn gradient_norm(pieces: &[Piece], lanes: &[Lane], values: &[f32], update: Update) -> f64 {
    let squares = pieces.par_iter().map(|piece| {
        let mut buffer = [0.0f32; PART];
        let mut sum = 0.0;
        for range in piece.parts() {
            let gradient = &mut buffer[..range.len()];
            piece.gradient(lanes, range.clone(), &values[range], update, gradient);
            sum += gradient.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>();
        }
        sum
    });
    // Collected first, so that the order of the sum does not hang on the threads.
    squares.collect::<Vec<f64>>().iter().sum::<f64>().sqrt()
}

impl Piece {
    fn parts(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let end = self.range.end;
        self.range.clone().step_by(PART).map(move |start| start..(start + PART).min(end))
    }

    /// Factor of the L2 term.
    fn l2(&self, update: Update) -> f32 {
        if self.decays || update.l2_biases { update.l2 } else { 0.0 }
    }

    /// The gradient over one part, whose parameters are `values`.
    fn gradient(&self, lanes: &[Lane], range: Range<usize>, values: &[f32], update: Update, into: &mut [f32]) {
        sum_lanes(lanes, range, into);
        let l2 = self.l2(update);
        if l2 != 0.0 {
            into.iter_mut().zip(values).for_each(|(g, w)| *g += l2 * w);
        }
    }
}

/// An update in progress.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub lanes: &'a [Lane],
    pub update: Update,
    /// Factor that brings the gradient down to the clipping norm.
    pub shrink: f32,
    pub stepper: Stepper,
}

/// What an update writes, for a range of pieces. Moments that the rule does not keep are empty.
pub(crate) struct State<'a> {
    pub values: &'a mut [f32],
    pub transposed: &'a mut [f32],
    pub m: &'a mut [f32],
    pub v: &'a mut [f32],
}

impl Work<'_> {
    /// Halves the pieces until one is left, so that threads can take halves from each other. `base` is the place of
    /// the state's first scalar. Gives `0.5 * ||w||^2` before the step over what the L2 term counts; sums pair up in
    /// the same way whatever the threads.
    pub(crate) fn run(&self, pieces: &[Piece], base: usize, state: State<'_>) -> f64 {
        let (left, right) = match pieces {
            [] => return 0.0,
            [piece] => return self.piece(piece, base, state),
            _ => pieces.split_at(pieces.len() / 2),
        };
        let middle = right[0].range.start;
        let end = right[right.len() - 1].range.end;
        let (low, high) = state.split(middle - base);
        let (a, b) = match end - base < 2 * PIECE {
            // A hand-over would cost more than the work.
            true => (self.run(left, base, low), self.run(right, middle, high)),
            false => rayon::join(|| self.run(left, base, low), || self.run(right, middle, high)),
        };
        a + b
    }

    fn piece(&self, piece: &Piece, base: usize, state: State<'_>) -> f64 {
        let State { values, transposed, m, v } = state;
        let counts = piece.l2(self.update) != 0.0;
        let mut buffer = [0.0f32; PART];
        let mut squares = 0.0;
        for range in piece.parts() {
            let gradient = &mut buffer[..range.len()];
            let at = range.start - base..range.end - base;
            let values = &mut values[at.clone()];
            piece.gradient(self.lanes, range, values, self.update, gradient);
            if self.shrink != 1.0 {
                gradient.iter_mut().for_each(|g| *g *= self.shrink);
            }
            if counts {
                squares += values.iter().map(|w| f64::from(*w) * f64::from(*w)).sum::<f64>();
            }
            self.stepper.apply(values, gradient, part(m, &at), part(v, &at), piece.decays);
        }
        if let Some(n) = piece.columns {
            let own = piece.range.start - base..piece.range.end - base;
            transpose_block(&values[own.clone()], n, &mut transposed[own]);
        }
        0.5 * squares
    }
}

fn part<'a>(moment: &'a mut [f32], at: &Range<usize>) -> &'a mut [f32] {
    if moment.is_empty() { moment } else { &mut moment[at.clone()] }
}

impl<'a> State<'a> {
    fn split(self, at: usize) -> (State<'a>, State<'a>) {
        let cut = |all: &'a mut [f32]| {
            let at = at.min(all.len());
            all.split_at_mut(at)
        };
        let (values, transposed, m, v) = (cut(self.values), cut(self.transposed), cut(self.m), cut(self.v));
        (
            State { values: values.0, transposed: transposed.0, m: m.0, v: v.0 },
            State { values: values.1, transposed: transposed.1, m: m.1, v: v.1 },
        )
    }
}
