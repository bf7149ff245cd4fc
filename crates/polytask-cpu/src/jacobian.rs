//! What a backward pass with one group a loss leaves behind: every task's gradient, and their inner products.

use crate::kernels::{dot, vectorized};
use crate::lane::Lane;
use crate::piece::Piece;
use crate::rows::Met;
use polytask_exec::Jacobian;
use polytask_exec::tree::PART;
use rayon::prelude::*;

/// `G = J J^T`, `groups x groups`, row-major. Products of f32 gradients are summed in f32 over a thousand scalars at a
/// time, and those sums in f64.
pub(crate) fn gramian(pieces: &[&Piece], lanes: &[Lane], met: &[Met], groups: usize) -> Vec<f64> {
    let sums = pieces.par_iter().filter(|piece| piece.shared.is_some()).map(|piece| {
        let mut gramian = vec![0.0f64; groups * groups];
        let mut rows = vec![0.0f32; piece.groups.len() * PART];
        piece.reached(met, |part| {
            for copy in 0..piece.groups.len() {
                piece.copy(lanes, copy, &part, &mut rows[copy * PART..][..part.len()]);
            }
            for (i, &a) in piece.groups.iter().enumerate() {
                for (j, &b) in piece.groups.iter().enumerate().take(i + 1) {
                    let (x, y) = (&rows[i * PART..][..part.len()], &rows[j * PART..][..part.len()]);
                    gramian[a * groups + b] += f64::from(vectorized(
                        #[inline(always)]
                        || dot(x, y),
                    ));
                }
            }
        });
        gramian
    });
    // Collected first, so that the order of the sum does not depend on the threads.
    let sums: Vec<Vec<f64>> = sums.collect();
    let mut total = vec![0.0; groups * groups];
    for sum in sums {
        total.iter_mut().zip(sum).for_each(|(t, s)| *t += s);
    }
    for a in 0..groups {
        for b in 0..a {
            // Groups of a piece ascend, so only the lower triangle was written.
            total[b * groups + a] = total[a * groups + b];
        }
    }
    total
}

/// Gathers the rows.
pub(crate) fn jacobian(pieces: &[Piece], lanes: &[Lane], groups: usize, into: &mut Jacobian) {
    let shared: Vec<&Piece> = pieces.iter().filter(|piece| piece.shared.is_some()).collect();
    let width = shared.iter().map(|piece| piece.range.len()).sum();
    into.rows.resize(groups, Vec::new());
    into.rows.par_iter_mut().enumerate().for_each(|(group, row)| {
        row.resize(width, 0.0);
        for piece in &shared {
            let at = piece.shared.unwrap_or(0);
            match piece.groups.iter().position(|g| *g == group) {
                None => row[at..at + piece.range.len()].fill(0.0),
                Some(copy) => {
                    for part in piece.parts() {
                        let at = at + part.start - piece.range.start;
                        piece.copy(lanes, copy, &part, &mut row[at..at + part.len()]);
                    }
                }
            }
        }
    });
    into.tensors.clear();
    for piece in shared {
        let at = piece.shared.unwrap_or(0);
        // Pieces of one parameter follow each other; a new parameter starts at a piece of its own.
        match into.tensors.last_mut() {
            Some(last) if last.end == at && piece.continues() => last.end += piece.range.len(),
            _ => into.tensors.push(at..at + piece.range.len()),
        }
    }
}
