//! A number for every ordered pair of tasks.

/// `n x n` numbers, from one task to another; NaN where nobody has measured.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    n: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// The number of every pair `(from, to)`.
    pub fn from_fn(n: usize, of: impl FnMut((usize, usize)) -> f64) -> Self {
        Matrix { n, values: (0..n * n).map(|i| (i / n, i % n)).map(of).collect() }
    }

    /// Number of tasks.
    pub fn tasks(&self) -> usize {
        self.n
    }

    /// What `from` does to `to`.
    pub fn at(&self, from: usize, to: usize) -> f64 {
        self.values[from * self.n + to]
    }

    /// Sets what `from` does to `to`.
    pub fn set(&mut self, from: usize, to: usize, value: f64) {
        self.values[from * self.n + to] = value;
    }

    /// The mean of several, pair by pair, over those that have a number there; NaN where none has.
    pub fn mean<'a>(all: impl Iterator<Item = &'a Matrix> + Clone) -> Self {
        let n = all.clone().next().map_or(0, |first| first.n);
        Matrix::from_fn(n, |(from, to)| {
            let known = all.clone().map(|m| m.at(from, to)).filter(|v| v.is_finite());
            let (sum, count) = known.fold((0.0, 0usize), |(sum, count), v| (sum + v, count + 1));
            if count == 0 { f64::NAN } else { sum / count as f64 }
        })
    }

    /// The same numbers with 0 where nobody has measured.
    pub fn filled(&self) -> Self {
        Matrix { n: self.n, values: self.values.iter().map(|v| if v.is_finite() { *v } else { 0.0 }).collect() }
    }
}
