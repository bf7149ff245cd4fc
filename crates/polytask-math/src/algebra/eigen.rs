//! Functions of a symmetric matrix applied to a vector, through its eigenvalues.
//!
//! Householder reflections make the matrix tridiagonal, implicit QL rotations make that diagonal (Golub and Van Loan,
//! "Matrix Computations", ch. 8). The eigenvectors are never formed: reflections and rotations are kept and replayed on
//! the vector, which costs far less.

use super::vector::short_dot as dot;

/// `A = V diag(values) V^T`, with `V` as the reflections and rotations that make it.
pub struct Eigen {
    values: Vec<f64>,
    reflections: Vec<Reflection>,
    rotations: Vec<Rotation>,
}

/// `x -= scale * v (v^T x)` on the last `v.len()` entries.
struct Reflection {
    v: Vec<f64>,
    scale: f64,
}

/// Turns the entries `first` and `first + 1`.
struct Rotation {
    first: usize,
    c: f64,
    s: f64,
}

impl Reflection {
    fn apply(&self, x: &mut [f64]) {
        let from = x.len() - self.v.len();
        let tail = &mut x[from..];
        let along = self.scale * dot(&self.v, tail);
        tail.iter_mut().zip(&self.v).for_each(|(x, v)| *x -= along * v);
    }
}

impl Eigen {
    /// Decomposes a symmetric matrix of any scale: `size` x `size`, row-major.
    pub fn new(matrix: &[f64], size: usize) -> Self {
        let unit = matrix.iter().fold(0.0_f64, |top, v| top.max(v.abs()));
        let mut eigen = Self { values: vec![0.0; size], reflections: Vec::new(), rotations: Vec::new() };
        if unit == 0.0 {
            return eigen;
        }
        let mut a: Vec<f64> = matrix.iter().map(|v| v / unit).collect();
        let mut beside = eigen.tridiagonalize(&mut a);
        eigen.diagonalize(&mut beside);
        eigen.values.iter_mut().for_each(|v| *v *= unit);
        eigen
    }

    /// The eigenvalues, in no order.
    pub fn values(&self) -> &[f64] {
        &self.values
    }

    /// Eigenvalues up to this count as zero: `max * size * epsilon`.
    pub fn threshold(&self) -> f64 {
        let top = self.values.iter().fold(0.0_f64, |top, v| top.max(*v));
        top * self.values.len() as f64 * f64::EPSILON
    }

    /// `V diag(f(values)) V^T b`.
    pub fn apply(&self, f: impl Fn(f64) -> f64, b: &[f64]) -> Vec<f64> {
        let mut x = self.coordinates(b);
        x.iter_mut().zip(&self.values).for_each(|(x, value)| *x *= f(*value));
        self.back(&x)
    }

    /// `V^T b`: how far a vector goes along each eigenvector.
    pub fn coordinates(&self, b: &[f64]) -> Vec<f64> {
        let mut x = b.to_vec();
        for reflection in &self.reflections {
            reflection.apply(&mut x);
        }
        for Rotation { first, c, s } in &self.rotations {
            let (a, b) = (x[*first], x[first + 1]);
            x[*first] = c * a - s * b;
            x[first + 1] = s * a + c * b;
        }
        x
    }

    /// `V x`: the vector that goes so far along each eigenvector.
    pub fn back(&self, x: &[f64]) -> Vec<f64> {
        let mut x = x.to_vec();
        for Rotation { first, c, s } in self.rotations.iter().rev() {
            let (a, b) = (x[*first], x[first + 1]);
            x[*first] = c * a + s * b;
            x[first + 1] = c * b - s * a;
        }
        for reflection in self.reflections.iter().rev() {
            reflection.apply(&mut x);
        }
        x
    }

    /// Reduces `a` to a tridiagonal matrix: its diagonal goes to `values`, what is beside it is returned (and a zero).
    fn tridiagonalize(&mut self, a: &mut [f64]) -> Vec<f64> {
        let size = self.values.len();
        let mut beside = vec![0.0; size];
        for k in 0..size {
            self.values[k] = a[k * size + k];
            if k + 1 == size {
                break;
            }
            let mut v = a[k * size + k + 1..(k + 1) * size].to_vec();
            let length = dot(&v, &v).sqrt();
            if v.len() == 1 || length == 0.0 {
                beside[k] = v[0];
                continue;
            }
            let alpha = if v[0] > 0.0 { -length } else { length };
            beside[k] = alpha;
            v[0] -= alpha;
            let scale = 2.0 / dot(&v, &v);
            // A <- H A H on the trailing block: A - v q^T - q v^T with p = scale A v, q = p - (scale/2) (p^T v) v.
            let from = k + 1;
            let row = |r: usize| r * size + from..(r + 1) * size;
            let mut q: Vec<f64> = (from..size).map(|r| scale * dot(&a[row(r)], &v)).collect();
            let along = 0.5 * scale * dot(&q, &v);
            q.iter_mut().zip(&v).for_each(|(q, v)| *q -= along * v);
            for r in from..size {
                let (vr, qr) = (v[r - from], q[r - from]);
                for ((a, v), q) in a[row(r)].iter_mut().zip(&v).zip(&q) {
                    *a -= vr * q + qr * v;
                }
            }
            self.reflections.push(Reflection { v, scale });
        }
        beside
    }

    /// Implicit QL sweeps with Wilkinson's shift, until nothing is left beside the diagonal.
    fn diagonalize(&mut self, beside: &mut [f64]) {
        let size = self.values.len();
        let d = &mut self.values;
        let norm = d.iter().chain(beside.iter()).fold(0.0_f64, |top, v| top.max(v.abs()));
        for low in 0..size {
            // Two or three sweeps an eigenvalue are usual; the bound only guards against rounding.
            for _ in 0..60 {
                let small = |m: usize| beside[m].abs() <= f64::EPSILON * (d[m].abs() + d[m + 1].abs()).max(0.01 * norm);
                let high = (low..size - 1).find(|&m| small(m)).unwrap_or(size - 1);
                if high == low {
                    break;
                }
                let half = (d[low + 1] - d[low]) / (2.0 * beside[low]);
                let root = half.hypot(1.0).copysign(half);
                let mut g = d[high] - d[low] + beside[low] / (half + root);
                let (mut s, mut c, mut p) = (1.0, 1.0, 0.0);
                let mut cut = false;
                for i in (low..high).rev() {
                    let (f, b) = (s * beside[i], c * beside[i]);
                    let length = (f * f + g * g).sqrt();
                    beside[i + 1] = length;
                    if length == 0.0 {
                        // The matrix fell apart here: go on with the upper part.
                        d[i + 1] -= p;
                        beside[high] = 0.0;
                        cut = true;
                        break;
                    }
                    (s, c) = (f / length, g / length);
                    g = d[i + 1] - p;
                    let r = (d[i] - g) * s + 2.0 * c * b;
                    p = s * r;
                    d[i + 1] = g + p;
                    g = c * r - b;
                    self.rotations.push(Rotation { first: i, c, s });
                }
                if !cut {
                    d[low] -= p;
                    beside[low] = g;
                    beside[high] = 0.0;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::normal;
    use crate::seed::SplitMix64;

    #[test]
    fn functions_of_a_matrix() {
        let mut draws = SplitMix64::new(1);
        let mut random = |n: usize| (0..n).map(|_| normal(1.0, draws.unit(), draws.unit())).collect::<Vec<f64>>();
        for (size, rank) in [(1, 1), (2, 1), (2, 2), (3, 2), (7, 7), (16, 5), (64, 64), (64, 10)] {
            let rows: Vec<Vec<f64>> = (0..size).map(|_| random(rank)).collect();
            let g: Vec<f64> = rows.iter().flat_map(|a| rows.iter().map(|b| dot(a, b))).collect();
            let times = |x: &[f64]| g.chunks(size).map(|row| dot(row, x)).collect::<Vec<f64>>();
            let all: f64 = (0..size).map(|i| g[i * size + i]).sum();
            let eigen = Eigen::new(&g, size);
            let b = random(size);
            let trace: f64 = eigen.values().iter().sum();
            assert!((trace - all).abs() < 1e-12 * all);
            for (x, y) in eigen.apply(|v| v, &b).iter().zip(times(&b)) {
                assert!((x - y).abs() < 1e-12 * all, "size {size}, rank {rank}");
            }
            let least = eigen.threshold();
            let pinv = |v: f64| if v > least { 1.0 / v } else { 0.0 };
            assert_eq!(eigen.values().iter().filter(|v| **v > least).count(), rank.min(size));
            // G pinv(G) G = G.
            let again = times(&eigen.apply(pinv, &times(&b)));
            for (x, y) in again.iter().zip(times(&b)) {
                assert!((x - y).abs() < 1e-10 * all, "size {size}, rank {rank}");
            }
        }
    }
}
