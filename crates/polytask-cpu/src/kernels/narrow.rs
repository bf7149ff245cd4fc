//! Products with few output features, where a general matrix product spends its time on packing.

use super::{WIDE, dot, vectorized};

/// Features up to which these loops win.
pub(super) const NARROW: usize = 8;

/// Calls a function with a number from 1 to [`NARROW`] as its constant, so that its loops unroll.
macro_rules! with_constant {
    ($n:expr, $call:ident::<$($before:ident,)? _>($($argument:expr),*)) => {
        match $n {
            1 => $call::<$($before,)? 1>($($argument),*),
            2 => $call::<$($before,)? 2>($($argument),*),
            3 => $call::<$($before,)? 3>($($argument),*),
            4 => $call::<$($before,)? 4>($($argument),*),
            5 => $call::<$($before,)? 5>($($argument),*),
            6 => $call::<$($before,)? 6>($($argument),*),
            7 => $call::<$($before,)? 7>($($argument),*),
            _ => $call::<$($before,)? NARROW>($($argument),*),
        }
    };
}

/// `y = x W + b`, all row-major, `W [k, n]`.
pub(super) fn forward(x: &[f32], weight: &[f32], bias: Option<&[f32]>, y: &mut [f32], k: usize, n: usize) {
    with_constant!(n, forward_n::<_>(x, weight, bias, y, k));
}

/// `dW = x^T dy` (or `+=`).
pub(super) fn weight_gradient(x: &[f32], dy: &[f32], dw: &mut [f32], k: usize, n: usize, accumulate: bool) {
    if !accumulate {
        dw.fill(0.0);
    }
    with_constant!(n, weight_n::<_>(x, dy, dw, k));
}

/// `dx = dy W^T` (or `+=`).
pub(super) fn input_gradient(dy: &[f32], weight: &[f32], dx: &mut [f32], k: usize, n: usize, accumulate: bool) {
    with_constant!(n, input_n::<_>(dy, weight, dx, k, accumulate));
}

fn forward_n<const N: usize>(x: &[f32], weight: &[f32], bias: Option<&[f32]>, y: &mut [f32], k: usize) {
    let (weight, _) = weight.as_chunks::<N>();
    let bias: [f32; N] = std::array::from_fn(|j| bias.map_or(0.0, |b| b[j]));
    let (y, _) = y.as_chunks_mut::<N>();
    if k <= NARROW {
        return with_constant!(k, forward_nk::<N, _>(x, weight, bias, y));
    }
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
    if k <= NARROW {
        return with_constant!(k, weight_nk::<N, _>(x, dy, dw));
    }
    vectorized(
        #[inline(always)]
        || {
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
    if k <= NARROW {
        return with_constant!(k, input_nk::<N, _>(dy, weight, dx, accumulate));
    }
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

/// Few inputs too: everything but the rows stays in registers.
fn forward_nk<const N: usize, const K: usize>(x: &[f32], weight: &[[f32; N]], bias: [f32; N], y: &mut [[f32; N]]) {
    let weight: [[f32; N]; K] = std::array::from_fn(|i| weight[i]);
    let (x, _) = x.as_chunks::<K>();
    vectorized(
        #[inline(always)]
        || {
            for (x, y) in x.iter().zip(y) {
                let mut sum = bias;
                for i in 0..K {
                    for j in 0..N {
                        sum[j] += x[i] * weight[i][j];
                    }
                }
                *y = sum;
            }
        },
    );
}

fn weight_nk<const N: usize, const K: usize>(x: &[f32], dy: &[[f32; N]], dw: &mut [[f32; N]]) {
    let (x, _) = x.as_chunks::<K>();
    let sum = vectorized(
        #[inline(always)]
        || {
            let mut sum = [[0.0f32; N]; K];
            for (x, dy) in x.iter().zip(dy) {
                for i in 0..K {
                    for j in 0..N {
                        sum[i][j] += x[i] * dy[j];
                    }
                }
            }
            sum
        },
    );
    dw.as_flattened_mut().iter_mut().zip(sum.as_flattened()).for_each(|(dw, sum)| *dw += sum);
}

fn input_nk<const N: usize, const K: usize>(dy: &[[f32; N]], weight: &[[f32; N]], dx: &mut [f32], accumulate: bool) {
    let weight: [[f32; N]; K] = std::array::from_fn(|i| weight[i]);
    let (dx, _) = dx.as_chunks_mut::<K>();
    vectorized(
        #[inline(always)]
        || {
            for (dx, dy) in dx.iter_mut().zip(dy) {
                let mut sum = if accumulate { *dx } else { [0.0; K] };
                for i in 0..K {
                    for j in 0..N {
                        sum[i] += dy[j] * weight[i][j];
                    }
                }
                *dx = sum;
            }
        },
    );
}
