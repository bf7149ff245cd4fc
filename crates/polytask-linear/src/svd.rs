//! Singular values and vectors by one-sided Jacobi rotations (Hestenes 1958; Demmel and Veselić 1992): every pair of
//! columns is turned until it is orthogonal. Slower than bidiagonalisation, and accurate to the last small value.

use crate::Matrix;
use crate::matrix::{dot, norm};

/// `M = U diag(values) V^T`, with `U diag(values)` and `V` column by column.
struct Svd {
    scaled: Vec<Vec<f64>>,
    right: Vec<Vec<f64>>,
    values: Vec<f64>,
}

/// Sweeps; six to ten are usual.
const SWEEPS: usize = 60;

fn decompose(matrix: &Matrix) -> Svd {
    let n = matrix.columns();
    let mut scaled: Vec<Vec<f64>> = (0..n).map(|c| (0..matrix.rows()).map(|r| matrix.get(r, c)).collect()).collect();
    let mut right: Vec<Vec<f64>> = (0..n).map(|c| (0..n).map(|r| f64::from(u8::from(r == c))).collect()).collect();
    for _ in 0..SWEEPS {
        let mut turned = false;
        for i in 0..n {
            for j in i + 1..n {
                let (a, b, c) = (dot(&scaled[i], &scaled[i]), dot(&scaled[j], &scaled[j]), dot(&scaled[i], &scaled[j]));
                if c.abs() <= f64::EPSILON * (a * b).sqrt() {
                    continue;
                }
                turned = true;
                let zeta = (b - a) / (2.0 * c);
                let tangent = zeta.signum() / (zeta.abs() + zeta.hypot(1.0));
                let cosine = tangent.hypot(1.0).recip();
                turn(&mut scaled, i, j, cosine, cosine * tangent);
                turn(&mut right, i, j, cosine, cosine * tangent);
            }
        }
        if !turned {
            break;
        }
    }
    let values = scaled.iter().map(|column| norm(column)).collect();
    Svd { scaled, right, values }
}

fn turn(columns: &mut [Vec<f64>], i: usize, j: usize, cosine: f64, sine: f64) {
    let (left, right) = columns.split_at_mut(j);
    for (a, b) in left[i].iter_mut().zip(&mut right[0]) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

/// The eigenvalues of a symmetric matrix without negative ones, and its eigenvectors, column by column.
pub(crate) fn eigen(matrix: &Matrix) -> (Vec<f64>, Matrix) {
    let Svd { right, values, .. } = decompose(matrix);
    (values, Matrix::from_fn(right.len(), right.len(), |r, c| right[c][r]))
}

/// The singular values, as many as the shorter side is long, in no order.
pub fn singular_values(matrix: &Matrix) -> Vec<f64> {
    match matrix.columns() > matrix.rows() {
        true => decompose(&matrix.transposed()).values,
        false => decompose(matrix).values,
    }
}

/// `U diag(f(values)) V^T`: `f` turns the singular values, in no order, into others.
pub(crate) fn spectral(matrix: &Matrix, f: impl FnOnce(&[f64]) -> Vec<f64>) -> Matrix {
    if matrix.columns() > matrix.rows() {
        return spectral(&matrix.transposed(), f).transposed();
    }
    let Svd { scaled, right, values } = decompose(matrix);
    let mut out = Matrix::zeros(matrix.rows(), matrix.columns());
    for (((column, vector), old), new) in scaled.iter().zip(&right).zip(&values).zip(f(&values)) {
        if *old == 0.0 || new == 0.0 {
            continue;
        }
        for (r, value) in column.iter().enumerate() {
            crate::matrix::add(out.row_mut(r), value * (new / old), vector);
        }
    }
    out
}
