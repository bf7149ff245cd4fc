//! Matrix products, on the `gemm` crate's kernels for single precision. They are fastest where the result is
//! column-major, so `c = a b` is asked for as `c^T = b^T a^T`.

use super::BLOCK;

/// A matrix in a slice: `rows x cols`, with the distance between neighbours in each direction.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    cols: usize,
    row_stride: usize,
    col_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Row-major.
    pub(super) fn new(data: &'a [f32], rows: usize, cols: usize) -> Self {
        Matrix { data, rows, cols, row_stride: cols, col_stride: 1 }
    }

    /// Rows that are `row_stride` apart.
    pub(super) fn strided(data: &'a [f32], rows: usize, cols: usize, row_stride: usize) -> Self {
        Matrix { data, rows, cols, row_stride, col_stride: 1 }
    }

    /// The same data read the other way round.
    pub(super) fn t(self) -> Self {
        let Matrix { data, rows, cols, row_stride, col_stride } = self;
        Matrix { data, rows: cols, cols: rows, row_stride: col_stride, col_stride: row_stride }
    }

    fn last(&self) -> usize {
        (self.rows - 1) * self.row_stride + (self.cols - 1) * self.col_stride
    }
}

/// `c = a b`, or `c += a b`. `c` has rows that are `c_stride` apart.
pub(super) fn matmul(a: Matrix<'_>, b: Matrix<'_>, c: &mut [f32], c_stride: usize, accumulate: bool) {
    let (m, k, n) = (a.rows, a.cols, b.cols);
    if m == 0 || n == 0 {
        return;
    }
    if k == 0 {
        // A sum of nothing: a lane may have no token at all.
        if !accumulate {
            c.chunks_mut(c_stride).take(m).for_each(|row| row[..n].fill(0.0));
        }
        return;
    }
    assert_eq!(k, b.rows, "inner sizes of a product agree");
    assert!(a.last() < a.data.len() && b.last() < b.data.len(), "matrices lie inside their slices");
    assert!(n <= c_stride && (m - 1) * c_stride + n <= c.len(), "the result lies inside its slice");
    // SAFETY: the assertions above bound every element that is read or written by the given sizes and strides, the
    // strides are positive, and `c` is borrowed mutably, so it overlaps neither `a` nor `b`.
    unsafe {
        gemm_f32::gemm::f32::get_gemm_fn()(
            n,
            m,
            k,
            c.as_mut_ptr(),
            c_stride as isize,
            1,
            accumulate,
            b.data.as_ptr(),
            b.row_stride as isize,
            b.col_stride as isize,
            a.data.as_ptr(),
            a.row_stride as isize,
            a.col_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm_common::Parallelism::None,
        );
    }
}

/// Writes rows of a row-major weight `W [k, n]` as transposed blocks: `BLOCK` rows at a time become `n x BLOCK`.
///
/// The backward pass multiplies by `W^T`. With W as it lies that product runs at little over half the speed of the
/// others; a transposed copy, made once a step for all lanes, brings it level. Blocks keep the copy of a few rows of
/// W in one place, so that the threads that update W can each write their own part.
pub(crate) fn transpose_block(weight: &[f32], n: usize, into: &mut [f32]) {
    for (weight, into) in weight.chunks(BLOCK * n).zip(into.chunks_mut(BLOCK * n)) {
        let rows = weight.len() / n;
        // A few columns at a time, so that the rows they become stay in the nearest cache while they fill.
        for first in (0..n).step_by(16) {
            for (i, row) in weight.chunks_exact(n).enumerate() {
                for (j, v) in row.iter().enumerate().skip(first).take(16) {
                    into[j * rows + i] = *v;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_and_blocks() {
        let a: Vec<f32> = (0..6).map(|v| v as f32).collect();
        let b: Vec<f32> = (0..6).map(|v| v as f32 - 2.0).collect();
        let mut c = vec![1.0; 4];
        matmul(Matrix::new(&a, 2, 3), Matrix::new(&b, 3, 2), &mut c, 2, true);
        assert_eq!(c, [5.0, 8.0, 5.0, 17.0]);
        matmul(Matrix::new(&a, 3, 2).t(), Matrix::new(&b, 3, 2), &mut c, 2, false);
        assert_eq!(c, [8.0, 14.0, 8.0, 17.0]);
        let weight: Vec<f32> = (0..(BLOCK + 2) * 3).map(|v| v as f32).collect();
        let mut blocks = vec![0.0; weight.len()];
        transpose_block(&weight, 3, &mut blocks);
        assert_eq!(blocks[BLOCK + 1], weight[3 + 1], "row 1, column 1");
        assert_eq!(blocks[BLOCK * 3 + 2 * 2 + 1], weight[(BLOCK + 1) * 3 + 2], "last row and column, in a block of 2");
    }
}
