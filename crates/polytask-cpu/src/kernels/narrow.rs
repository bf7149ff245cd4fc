//! Products with few output features, where a general matrix product spends its time on packing.

use super::vectorized;

/// Output features up to which these loops win.
pub(super) const NARROW: usize = 8;

/// Calls a function with the number of output features as a constant, so that its inner loops unroll.
macro_rules! by_width {
    ($n:expr, $call:ident($($argument:expr),*)) => {
        match $n {
            1 => $call::<1>($($argument),*),
            2 => $call::<2>($($argument),*),
            3 => $call::<3>($($argument),*),
            4 => $call::<4>($($argument),*),
            5 => $call::<5>($($argument),*),
            6 => $call::<6>($($argument),*),
            7 => $call::<7>($($argument),*),
            _ => $call::<NARROW>($($argument),*),
        }
    };
}

/// `y = x W + b`, all row-major, `W [k, n]`.
pub(super) fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, y: &mut [f32], k: usize, n: usize) {
    by_width!(n, forward_n(x, weight, bias, y, k));
}

/// `dW = x^T dy` (or `+=`).
pub(super) fn weight_gradient(x: &[f32], dy: &[f32], dw: &mut [f32], k: usize, n: usize, accumulate: bool) {
    if !accumulate {
        dw.fill(0.0);
    }
    by_width!(n, weight_n(x, dy, dw, k));
}

/// `dx = dy W^T` (or `+=`).
pub(super) fn input_gradient(dy: &[f32], weight: &[f32], dx: &mut [f32], k: usize, n: usize, accumulate: bool) {
    by_width!(n, input_n(dy, weight, dx, k, accumulate));
}

/// Lanes of the partial sums of a long dot product.
const WIDE: usize = 32;

fn forward_n<const N: usize>(x: &[f32], weight: &[f32], bias: Option<&[f32]>, y: &mut [f32], k: usize) {
    let (weight, _) = weight.as_chunks::<N>();
    let bias: [f32; N] = std::array::from_fn(|j| bias.map_or(0.0, |b| b[j]));
    let (y, _) = y.as_chunks_mut::<N>();
    vectorized(
        #[inline(always)]
        || {
            if N == 1 && k >= WIDE {
                for (x, y) in x.chunks_exact(k).zip(y) {
                    y[0] = bias[0] + dot(x, weight.as_flattened());
                }
                return;
            }
            for (x, y) in x.chunks_exact(k).zip(y) {
                let mut sum = bias;
                for (x, w) in x.iter().zip(weight) {
                    for j in 0..N {
                        sum[j] += x * w[j];
                    }
                }
                *y = sum;
            }
        },
    );
}

fn weight_n<const N: usize>(x: &[f32], dy: &[f32], dw: &mut [f32], k: usize) {
    let (dy, _) = dy.as_chunks::<N>();
    let (dw, _) = dw.as_chunks_mut::<N>();
    vectorized(
        #[inline(always)]
        || {
            if k == 2 {
                // Kept in registers; with so few the loads and stores would be most of the work.
                let mut sum = [[0.0f32; N]; 2];
                for (x, dy) in x.chunks_exact(2).zip(dy) {
                    for j in 0..N {
                        sum[0][j] += x[0] * dy[j];
                        sum[1][j] += x[1] * dy[j];
                    }
                }
                for (dw, sum) in dw.iter_mut().zip(sum) {
                    for j in 0..N {
                        dw[j] += sum[j];
                    }
                }
                return;
            }
            for (x, dy) in x.chunks_exact(k).zip(dy) {
                for (dw, x) in dw.iter_mut().zip(x) {
                    for j in 0..N {
                        dw[j] += x * dy[j];
                    }
                }
            }
        },
    );
}

fn input_n<const N: usize>(dy: &[f32], weight: &[f32], dx: &mut [f32], k: usize, accumulate: bool) {
    let (dy, _) = dy.as_chunks::<N>();
    let (weight, _) = weight.as_chunks::<N>();
    vectorized(
        #[inline(always)]
        || {
            for (dx, dy) in dx.chunks_exact_mut(k).zip(dy) {
                for (dx, w) in dx.iter_mut().zip(weight) {
                    let mut sum = if accumulate { *dx } else { 0.0 };
                    for j in 0..N {
                        sum += dy[j] * w[j];
                    }
                    *dx = sum;
                }
            }
        },
    );
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
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
