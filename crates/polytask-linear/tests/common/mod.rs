//! Random numbers, random problems, and every penalty.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use polytask_linear::*;

/// A generator that is the same everywhere.
pub struct Noise(pub u64);

impl Noise {
    /// In [0, 1).
    pub fn uniform(&mut self) -> f64 {
        // Knuth's MMIX constants; the upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub fn matrix(&mut self, rows: usize, columns: usize) -> Matrix {
        Matrix::from_fn(rows, columns, |_, _| self.normal())
    }
}

/// Every penalty, for tasks with these numbers of columns (all the same).
pub fn penalties(blocks: &[usize]) -> Vec<(&'static str, Box<dyn Penalty>)> {
    let edges = [(0, 1, 1.0), (1, 2, 0.5), (0, 3, 2.0)];
    vec![
        ("ridge", Box::new(Ridge)),
        ("lasso", Box::new(Lasso::new(1.0).unwrap())),
        ("elastic net", Box::new(Lasso::new(0.4).unwrap())),
        ("l21", Box::new(L21::new(1.0).unwrap())),
        ("l21 with ridge", Box::new(L21::new(0.4).unwrap())),
        ("trace", Box::new(Trace)),
        ("mean", Box::new(mean(0.1, blocks).unwrap())),
        ("graph", Box::new(graph(&edges, 0.2, blocks).unwrap())),
        ("sparse + low-rank", Box::new(sparse_low_rank(0.3).unwrap())),
        ("robust", Box::new(robust(0.7, blocks).unwrap())),
        ("dirty", Box::new(dirty(0.5).unwrap())),
        ("clustered", Box::new(Clustered::new(2, 0.3, blocks).unwrap())),
        ("clustered in one", Box::new(Clustered::new(1, 1.0, blocks).unwrap())),
    ]
}

/// Squared-loss tasks with labels of their own rows each, about linear in the features.
pub fn squared(noise: &mut Noise, features: &Matrix, truth: &Matrix, level: f64) -> Vec<Task> {
    let task = |t: usize| {
        let label = |r: usize| -> f64 { (0..features.columns()).map(|j| features.get(r, j) * truth.get(j, t)).sum() };
        Task {
            loss: Loss::Squared,
            labels: Labels::Real((0..features.rows()).map(|r| 1.0 + label(r) + level * noise.normal()).collect()),
            weights: vec![1.0; features.rows()],
        }
    };
    (0..truth.columns()).map(task).collect()
}

pub fn features(matrix: &Matrix) -> Features {
    Features::numbers(matrix.rows(), matrix.values().to_vec()).unwrap()
}

/// To the last digit.
pub const EXACT: Options = Options { tolerance: 0.0, iterations: 100_000 };

pub fn sum(parts: &[Matrix]) -> Matrix {
    let mut sum = parts[0].clone();
    parts[1..].iter().for_each(|part| sum.add(1.0, part));
    sum
}
