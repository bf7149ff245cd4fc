//! Products with a weight `W [k, n]`: loops of their own for few features, matrix products otherwise. Rows stand one after
//! the other, `x [rows, k]` and `y [rows, n]`.

use super::matmul::{Matrix, matmul};
use super::{BLOCK, narrow, vectorized};

/// Inputs whose products are summed in one go. The matrix product adds up this many in the order they stand in, whatever
/// the number of rows; where there are more, it cuts them up in another way for one row than for many.
const RUN: usize = 512;

/// `y = x W + b`. What a row gives does not depend on the other rows, to the bit.
pub(super) fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, y: &mut [f32], k: usize, n: usize) {
    if n <= narrow::NARROW {
        return narrow::forward(x, weight, bias, y, k, n);
    }
    match k <= RUN {
        true => matmul(Matrix::new(x, x.len() / k, k), Matrix::new(weight, k, n), y, n, false),
        false => in_runs(x, weight, y, k, n),
    }
    if let Some(bias) = bias {
        vectorized(
            #[inline(always)]
            || y.chunks_exact_mut(n).for_each(|y| y.iter_mut().zip(bias).for_each(|(y, b)| *y += b)),
        );
    }
}

/// `y = x W` as a sum of products of runs of inputs.
fn in_runs(x: &[f32], weight: &[f32], y: &mut [f32], k: usize, n: usize) {
    let rows = x.len() / k;
    if rows == 0 {
        return;
    }
    let run = k.div_ceil(k.div_ceil(RUN));
    for (first, weight) in (0..k).step_by(run).zip(weight.chunks(run * n)) {
        let weight = Matrix::new(weight, weight.len() / n, n);
        let own = Matrix::strided(&x[first..], rows, run.min(k - first), k);
        match rows {
            // A product for one row would add to `y` term by term, one for many adds the run's sum.
            1 if first > 0 => {
                let mut sum = vec![0.0; n];
                matmul(own, weight, &mut sum, n, false);
                vectorized(
                    #[inline(always)]
                    || y.iter_mut().zip(&sum).for_each(|(y, sum)| *y += sum),
                );
            }
            _ => matmul(own, weight, y, n, first > 0),
        }
    }
}

/// `dW = x^T dy` (or `+=`).
pub(super) fn weight_gradient(x: &[f32], dy: &[f32], dw: &mut [f32], k: usize, n: usize, accumulate: bool) {
    if n <= narrow::NARROW {
        return narrow::weight_gradient(x, dy, dw, k, n, accumulate);
    }
    let rows = x.len() / k;
    matmul(Matrix::new(x, rows, k).t(), Matrix::new(dy, rows, n), dw, n, accumulate);
}

/// A weight and its transposed blocks.
#[derive(Clone, Copy)]
pub(super) struct Weight<'a> {
    pub values: &'a [f32],
    pub transposed: &'a [f32],
    pub k: usize,
    pub n: usize,
}

/// `dx = dy W^T` (or `+=`).
pub(super) fn input_gradient(dy: &[f32], weight: Weight<'_>, dx: &mut [f32], accumulate: bool) {
    let Weight { values, transposed, k, n } = weight;
    if n <= narrow::NARROW {
        return narrow::input_gradient(dy, values, dx, k, n, accumulate);
    }
    let dy = Matrix::new(dy, dy.len() / n, n);
    for (i, block) in transposed.chunks(BLOCK * n).enumerate() {
        let width = block.len() / n;
        if let Some(dx) = dx.get_mut(i * BLOCK..) {
            matmul(dy, Matrix::new(block, n, width), dx, k, accumulate);
        }
    }
}
