//! Matrices of `f64`.

use super::vector::{add, dot, norm};

/// A dense matrix, row after row.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    columns: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// All zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Matrix { columns, values: vec![0.0; rows * columns] }
    }

    /// `f(row, column)` in every place.
    pub fn from_fn(rows: usize, columns: usize, mut f: impl FnMut(usize, usize) -> f64) -> Self {
        let values = (0..rows * columns).map(|i| f(i / columns, i % columns)).collect();
        Matrix { columns, values }
    }

    /// Number of rows; 0 where there are no columns.
    pub fn rows(&self) -> usize {
        self.values.len() / self.columns.max(1)
    }

    /// Number of columns.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The value at a place.
    pub fn get(&self, row: usize, column: usize) -> f64 {
        self.values[row * self.columns + column]
    }

    /// The value at a place.
    pub fn get_mut(&mut self, row: usize, column: usize) -> &mut f64 {
        &mut self.values[row * self.columns + column]
    }

    /// A row.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.columns..][..self.columns]
    }

    /// A row.
    pub fn row_mut(&mut self, row: usize) -> &mut [f64] {
        &mut self.values[row * self.columns..][..self.columns]
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// All values, row after row.
    pub fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// Rows as columns.
    pub fn transposed(&self) -> Self {
        Matrix::from_fn(self.columns, self.rows(), |r, c| self.get(c, r))
    }

    /// Some columns, in the order given.
    pub fn select(&self, columns: &[usize]) -> Self {
        Matrix::from_fn(self.rows(), columns.len(), |r, c| self.get(r, columns[c]))
    }

    /// Sum of the products of the values in the same places.
    pub fn dot(&self, other: &Matrix) -> f64 {
        dot(&self.values, &other.values)
    }

    /// Root of the sum of squares (Frobenius).
    pub fn norm(&self) -> f64 {
        norm(&self.values)
    }

    /// Adds `factor * other`.
    pub fn add(&mut self, factor: f64, other: &Matrix) {
        add(&mut self.values, factor, &other.values);
    }
}
