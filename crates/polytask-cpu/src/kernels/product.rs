//! Products with a weight `W [k, n]`: loops of their own for few features, matrix products otherwise. Rows stand one after
//! the other, `x [rows, k]` and `y [rows, n]`.

use super::matmul::{Matrix, matmul};
use super::{BLOCK, narrow, vectorized};

/// `y = x W + b`
pub(super) fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, y: &mut [f32], k: usize, n: usize) {
    if n <= narrow::NARROW {
        return narrow::forward(x, weight, bias, y, k, n);
    }
    matmul(Matrix::new(x, x.len() / k, k), Matrix::new(weight, k, n), y, n, false);
    if let Some(bias) = bias {
        vectorized(|| y.chunks_exact_mut(n).for_each(|y| y.iter_mut().zip(bias).for_each(|(y, b)| *y += b)));
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
