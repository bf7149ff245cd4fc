//! Products with few output features, where a general matrix product spends its time on packing.

use super::vectorized;

/// Output features up to which these loops win.
pub(super) const NARROW: usize = 8;

/// `y = x W + b`, all row-major, `W [k, N]`.
pub(super) fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, y: &mut [f32], k: usize, n: usize) {
    match n {
        1 => forward_n::<1>(x, weight, bias, y, k),
        2 => forward_n::<2>(x, weight, bias, y, k),
        3 => forward_n::<3>(x, weight, bias, y, k),
        4 => forward_n::<4>(x, weight, bias, y, k),
        5 => forward_n::<5>(x, weight, bias, y, k),
        6 => forward_n::<6>(x, weight, bias, y, k),
        7 => forward_n::<7>(x, weight, bias, y, k),
        _ => forward_n::<8>(x, weight, bias, y, k),
    }
}

/// `dW = x^T dy` (or `+=`).
pub(super) fn weight_gradient(x: &[f32], dy: &[f32], dw: &mut [f32], k: usize, n: usize, accumulate: bool) {
    if !accumulate {
        dw.fill(0.0);
    }
    match n {
        1 => weight_n::<1>(x, dy, dw, k),
        2 => weight_n::<2>(x, dy, dw, k),
        3 => weight_n::<3>(x, dy, dw, k),
        4 => weight_n::<4>(x, dy, dw, k),
        5 => weight_n::<5>(x, dy, dw, k),
        6 => weight_n::<6>(x, dy, dw, k),
        7 => weight_n::<7>(x, dy, dw, k),
        _ => weight_n::<8>(x, dy, dw, k),
    }
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
