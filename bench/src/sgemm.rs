//! What the machine can do at most: a large single-precision matrix product, the rows of the result split by hand
//! over the threads, single-threaded kernels inside.

use std::time::Instant;

use crate::problem::normal;
use crate::protocol::Lap;

/// Rows and columns of the three matrices.
const SIZE: usize = 2048;

/// `C = A B`, all `[2048, 2048]`, row-major.
pub struct Sgemm {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
    threads: usize,
}

impl Sgemm {
    /// Fills the matrices.
    pub fn new(threads: usize) -> Self {
        let size = SIZE * SIZE;
        Self { a: normal(2, size), b: normal(3, size), c: vec![0.0; size], threads: threads.max(1) }
    }

    /// Floating-point operations of one product.
    pub fn flops() -> f64 {
        2.0 * (SIZE as f64).powi(3)
    }

    /// Multiplies `count` times.
    pub fn run(&mut self, count: u64) -> Lap {
        let start = Instant::now();
        let rows = SIZE.div_ceil(self.threads);
        for _ in 0..count {
            std::thread::scope(|scope| {
                for (a, c) in self.a.chunks(rows * SIZE).zip(self.c.chunks_mut(rows * SIZE)) {
                    scope.spawn(|| product(a, &self.b, c));
                }
            });
        }
        Lap { seconds: start.elapsed().as_secs_f64(), loss: None }
    }
}

/// `c = a b`, asked for as `c^T = b^T a^T` since the kernels prefer column-major results, with `a` and `c` of `[n, SIZE]` and `b` of `[SIZE, SIZE]`.
fn product(a: &[f32], b: &[f32], c: &mut [f32]) {
    let rows = c.len() / SIZE;
    assert_eq!((a.len(), b.len(), c.len()), (rows * SIZE, SIZE * SIZE, rows * SIZE));
    let (right, down) = (1, SIZE as isize);
    // SAFETY: the lengths asserted above cover every element that the row-major strides reach, and `c` is borrowed
    // for writing alone.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            SIZE,
            rows,
            SIZE,
            c.as_mut_ptr(),
            down,
            right,
            false,
            b.as_ptr(),
            down,
            right,
            a.as_ptr(),
            down,
            right,
            0.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn multiplies_on_any_number_of_threads() {
        let mut one = Sgemm::new(1);
        let mut three = Sgemm::new(3);
        one.run(1);
        three.run(1);
        for (row, column) in [(0, 0), (682, 5), (683, 2047), (2047, 1024)] {
            let exact: f64 =
                (0..SIZE).map(|k| f64::from(one.a[row * SIZE + k]) * f64::from(one.b[k * SIZE + column])).sum();
            for c in [&one.c, &three.c] {
                // Sums of 2048 products of standard normals: about 45, rounded 2048 times at 6e-8 at the very worst.
                assert!((f64::from(c[row * SIZE + column]) - exact).abs() < 5e-3);
            }
        }
    }
}
