//! A Cholesky factor that grows and shrinks with the set of active variables.

use super::vector::short_dot as dot;

/// `L L^T = K[active, active]`, for a symmetric positive semidefinite `K`; `L` is lower triangular, its rows packed.
#[derive(Debug, Default)]
pub struct Cholesky {
    active: Vec<usize>,
    lower: Vec<f64>,
}

/// Where row `r` of the packed triangle begins.
const fn start(r: usize) -> usize {
    r * (r + 1) / 2
}

impl Cholesky {
    /// The whole of `K`, row-major `size` x `size`; `None` if a pivot falls below `least` times its diagonal.
    pub fn whole(k: &[f64], size: usize, least: f64) -> Option<Self> {
        let mut factor = Self { active: Vec::with_capacity(size), lower: Vec::with_capacity(start(size)) };
        (0..size).all(|j| factor.push_above(k, size, j, least)).then_some(factor)
    }

    /// The variables in the factor, in order of arrival.
    pub fn active(&self) -> &[usize] {
        &self.active
    }

    /// Keeps only the first `places` variables.
    pub fn truncate(&mut self, places: usize) {
        self.active.truncate(places);
        self.lower.truncate(start(places));
    }

    /// Adds variable `j`. Refuses, and changes nothing, if it depends on those here up to rounding.
    pub fn push(&mut self, k: &[f64], size: usize, j: usize) -> bool {
        let noise = 16.0 * (self.active.len() + 1) as f64 * f64::EPSILON;
        self.push_above(k, size, j, noise)
    }

    fn push_above(&mut self, k: &[f64], size: usize, j: usize, least: f64) -> bool {
        let n = self.active.len();
        let row = &k[j * size..(j + 1) * size];
        self.lower.extend(self.active.iter().map(|&i| row[i]));
        let (above, new) = self.lower.split_at_mut(start(n));
        for r in 0..n {
            let (done, rest) = new.split_at_mut(r);
            let l = &above[start(r)..=start(r) + r];
            rest[0] = (rest[0] - dot(&l[..r], done)) / l[r];
        }
        let pivot = row[j] - dot(new, new);
        if pivot > least * row[j] && pivot > 0.0 {
            self.lower.push(pivot.sqrt());
            self.active.push(j);
            true
        } else {
            self.lower.truncate(start(n));
            false
        }
    }

    /// Takes out the variable at place `place`.
    pub fn remove(&mut self, place: usize) {
        let n = self.active.len();
        self.active.remove(place);
        // The rows below keep one column too many; rotations of neighbouring columns bring it to zero.
        let mut rows: Vec<Vec<f64>> = (place + 1..n).map(|r| self.lower[start(r)..=start(r) + r].to_vec()).collect();
        self.lower.truncate(start(place));
        for first in 0..rows.len() {
            let column = place + first;
            let (a, b) = (rows[first][column], rows[first][column + 1]);
            let length = a.hypot(b);
            let (c, s) = (a / length, b / length);
            for row in &mut rows[first..] {
                let (x, y) = (row[column], row[column + 1]);
                row[column] = c * x + s * y;
                row[column + 1] = c * y - s * x;
            }
            self.lower.extend_from_slice(&rows[first][..=column]);
        }
    }

    /// Solves `L L^T x = b` in place; `b` has one number an active variable, in their order.
    pub fn solve(&self, b: &mut [f64]) {
        for r in 0..b.len() {
            let l = &self.lower[start(r)..=start(r) + r];
            b[r] = (b[r] - dot(&l[..r], &b[..r])) / l[r];
        }
        for r in (0..b.len()).rev() {
            let l = &self.lower[start(r)..=start(r) + r];
            b[r] /= l[r];
            let x = b[r];
            for (v, l) in b[..r].iter_mut().zip(l) {
                *v -= x * l;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const K: [f64; 16] = [4.0, 1.0, 2.0, 0.5, 1.0, 3.0, 0.0, 1.0, 2.0, 0.0, 5.0, 1.5, 0.5, 1.0, 1.5, 2.0];

    fn residual(factor: &Cholesky) -> f64 {
        let n = factor.active().len();
        let b: Vec<f64> = (0..n).map(|i| i as f64 - 1.0).collect();
        let mut x = b.clone();
        factor.solve(&mut x);
        let back = |r: usize| (0..n).map(|c| K[factor.active()[r] * 4 + factor.active()[c]] * x[c]).sum::<f64>();
        (0..n).map(|r| (back(r) - b[r]).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn grows_and_shrinks() {
        let mut factor = Cholesky::default();
        for j in [2, 0, 3, 1] {
            assert!(factor.push(&K, 4, j));
            assert!(residual(&factor) < 1e-13);
        }
        factor.remove(1);
        assert_eq!(factor.active(), [2, 3, 1]);
        assert!(residual(&factor) < 1e-13);
        factor.remove(2);
        factor.remove(0);
        assert_eq!(factor.active(), [3]);
        assert!(residual(&factor) < 1e-13);
    }

    #[test]
    fn refuses_dependent_variables() {
        let k = [1.0, 2.0, 2.0, 4.0];
        let mut factor = Cholesky::default();
        assert!(factor.push(&k, 2, 0));
        assert!(!factor.push(&k, 2, 1));
        assert_eq!(factor.active(), [0]);
        assert!(Cholesky::whole(&k, 2, 1e-12).is_none());
    }
}
