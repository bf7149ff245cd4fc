//! Singular values and vectors by one-sided Jacobi rotations (Hestenes 1958; Demmel and Veselić 1992): every pair of
//! columns is turned until it is orthogonal. Slower than bidiagonalisation, and accurate to the last small value.

use super::Matrix;
use super::vector::{add, dot, norm};

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
pub fn eigen(matrix: &Matrix) -> (Vec<f64>, Matrix) {
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
pub fn spectral(matrix: &Matrix, f: impl FnOnce(&[f64]) -> Vec<f64>) -> Matrix {
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
            add(out.row_mut(r), value * (new / old), vector);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal;
    use crate::seed::SplitMix64;

    fn random(rows: usize, columns: usize, seed: u64) -> Matrix {
        let mut draws = SplitMix64::new(seed);
        Matrix::from_fn(rows, columns, |_, _| normal(1.0, draws.unit(), draws.unit()))
    }

    fn product(a: &Matrix, b: &Matrix) -> Matrix {
        let b = b.transposed();
        Matrix::from_fn(a.rows(), b.rows(), |r, c| dot(a.row(r), b.row(c)))
    }

    #[test]
    fn eigenvectors_give_the_matrix_back() {
        for (rows, rank) in [(1, 1), (3, 3), (5, 2), (12, 12)] {
            let half = random(rows, rank, 3);
            let matrix = product(&half, &half.transposed());
            let (values, vectors) = eigen(&matrix);
            let scaled = Matrix::from_fn(rows, rows, |r, c| vectors.get(r, c) * values[c]);
            let mut difference = product(&scaled, &vectors.transposed());
            difference.add(-1.0, &matrix);
            assert!(difference.norm() < 1e-12 * matrix.norm(), "{rows} {rank}");
            let mut squares = product(&vectors.transposed(), &vectors);
            squares.add(-1.0, &Matrix::from_fn(rows, rows, |r, c| f64::from(u8::from(r == c))));
            assert!(squares.norm() < 1e-12, "{rows} {rank}");
        }
    }

    #[test]
    fn functions_of_singular_values() {
        for (rows, columns) in [(7, 3), (3, 7), (4, 4)] {
            let matrix = random(rows, columns, 5);
            let squares: f64 = singular_values(&matrix).iter().map(|value| value * value).sum();
            assert!((squares.sqrt() - matrix.norm()).abs() < 1e-12 * matrix.norm());
            let mut same = spectral(&matrix, <[f64]>::to_vec);
            same.add(-1.0, &matrix);
            assert!(same.norm() < 1e-12 * matrix.norm(), "{rows} {columns}");
            assert_eq!(spectral(&matrix, |values| vec![0.0; values.len()]).norm(), 0.0);
        }
    }
}
