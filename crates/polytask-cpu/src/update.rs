//! The optimiser step over all parameters, shared out between threads.

use crate::kernels::transpose_block;
use crate::lane::Lane;
use crate::penalty::Penalties;
use crate::piece::{PIECE, Piece};
use crate::rows::Met;
use polytask_exec::tree::PART;
use polytask_exec::{Combine, Stepper, Update};
use rayon::prelude::*;
use std::ops::Range;

/// Share of a running average that a step replaces.
const MOMENTUM: f32 = 0.1;

/// Where a step's gradient comes from.
#[derive(Clone, Copy)]
pub(crate) struct Source<'a> {
    pub lanes: &'a [Lane],
    /// Rows of the batch.
    pub rows: usize,
    pub combine: Combine<'a>,
    pub update: Update,
    /// Worked out at the parameters as they are.
    pub penalties: &'a Penalties,
    /// By table, the rows that the batch has looked up.
    pub met: &'a [Met],
}

impl Source<'_> {
    /// Factor of the L2 term.
    fn l2(&self, piece: &Piece) -> f32 {
        if piece.decays || self.update.l2_biases { self.update.l2 } else { 0.0 }
    }

    /// The gradient over one part of a piece, whose parameters are `values`, the L2 term and the penalties included.
    fn gradient(&self, piece: &Piece, part: &Range<usize>, values: &[f32], into: &mut [f32]) {
        piece.gradient(self.lanes, self.combine, part, into);
        let l2 = self.l2(piece);
        if l2 != 0.0 {
            into.iter_mut().zip(values).for_each(|(g, w)| *g += l2 * w);
        }
        let first = piece.offset + part.start - piece.range.start;
        if let Some(penalty) = self.penalties.of(piece.parameter, first..first + part.len()) {
            into.iter_mut().zip(penalty).for_each(|(g, p)| *g += p);
        }
    }

    /// Calls `each` with the parts that a step moves: all but the rows of tables that rest. A row rests that the batch has
    /// not looked up, or whose given gradient is zero.
    fn moving(&self, piece: &Piece, mut each: impl FnMut(Range<usize>)) {
        let given = match (self.combine, piece.shared) {
            (Combine::Whole(all), _) => Some(&all[piece.range.clone()]),
            (Combine::Direction { shared, .. }, Some(at)) => Some(&shared[at..at + piece.range.len()]),
            _ => None,
        };
        let (Some(table), Some(given)) = (&piece.table, given) else { return piece.reached(self.met, each) };
        for (row, given) in table.rows.clone().zip(given.chunks(table.width)) {
            if given.iter().any(|g| *g != 0.0) {
                piece.row(table, row).for_each(&mut each);
            }
        }
    }

    /// Moves a running average a tenth of the way to the mean of what the lanes have left, each its own mean times its
    /// rows.
    fn average(&self, piece: &Piece, base: usize, values: &mut [f32]) {
        let rows = self.rows as f32;
        let mut buffer = [0.0f32; PART];
        for part in piece.parts() {
            let seen = &mut buffer[..part.len()];
            piece.copy(self.lanes, 0, &part, seen);
            let values = &mut values[part.start - base..part.end - base];
            values.iter_mut().zip(&*seen).for_each(|(v, sum)| *v += MOMENTUM * (sum / rows - *v));
        }
    }

    /// Euclidean norm of the whole gradient.
    pub(crate) fn norm(&self, pieces: &[Piece], values: &[f32]) -> f64 {
        let squares = pieces.par_iter().map(|piece| {
            if piece.statistic || piece.rate == 0.0 {
                return 0.0;
            }
            let mut buffer = [0.0f32; PART];
            let mut sum = 0.0;
            self.moving(piece, |part| {
                let gradient = &mut buffer[..part.len()];
                self.gradient(piece, &part, &values[part.clone()], gradient);
                sum += gradient.iter().map(|g| f64::from(*g) * f64::from(*g)).sum::<f64>();
            });
            sum
        });
        // Collected first, so that the order of the sum does not depend on the threads.
        squares.collect::<Vec<f64>>().iter().sum::<f64>().sqrt()
    }
}

/// An update in progress.
#[derive(Clone, Copy)]
pub(crate) struct Work<'a> {
    pub source: Source<'a>,
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
        if piece.statistic {
            self.source.average(piece, base, values);
            return 0.0;
        }
        if piece.rate == 0.0 {
            return 0.0;
        }
        let counts = self.source.l2(piece) != 0.0;
        let mut buffer = [0.0f32; PART];
        let mut squares = 0.0;
        let stepper = self.stepper.faster(piece.rate);
        self.source.moving(piece, |part| {
            let gradient = &mut buffer[..part.len()];
            let at = part.start - base..part.end - base;
            let values = &mut values[at.clone()];
            self.source.gradient(piece, &part, values, gradient);
            if self.shrink != 1.0 {
                gradient.iter_mut().for_each(|g| *g *= self.shrink);
            }
            if counts {
                squares += values.iter().map(|w| f64::from(*w) * f64::from(*w)).sum::<f64>();
            }
            stepper.apply(values, gradient, some(m, &at), some(v, &at), piece.decays);
        });
        if let Some(n) = piece.columns {
            let own = piece.range.start - base..piece.range.end - base;
            transpose_block(&values[own.clone()], n, &mut transposed[own]);
        }
        0.5 * squares
    }
}

fn some<'a>(moment: &'a mut [f32], at: &Range<usize>) -> &'a mut [f32] {
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
