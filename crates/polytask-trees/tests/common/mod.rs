//! Tables that tests plant tasks in.
#![allow(dead_code)]

use polytask_trees::{Boosting, Column, Features, Growing};

/// A small generator, so that tests do not depend on the crate's own.
pub struct Draw(pub u64);

impl Draw {
    pub fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let word = (self.0 ^ (self.0 >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        (word >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub fn columns(&mut self, rows: usize, count: usize) -> Vec<Vec<f64>> {
        (0..count).map(|_| (0..rows).map(|_| self.uniform()).collect()).collect()
    }
}

pub fn features(columns: &[Vec<f64>]) -> Features {
    let rows = columns.first().map_or(0, Vec::len);
    Features::new(rows, columns.iter().map(|column| Column::numbers(column.iter().copied())).collect())
        .expect("columns")
}

pub fn r2(labels: &[f64], predictions: &[f64]) -> f64 {
    let mean = labels.iter().sum::<f64>() / labels.len() as f64;
    let left: f64 = labels.iter().zip(predictions).map(|(a, b)| (a - b) * (a - b)).sum();
    1.0 - left / labels.iter().map(|a| (a - mean) * (a - mean)).sum::<f64>()
}

/// Rows by turns: three of four to train on, one to validate.
pub fn split(rows: usize) -> (Vec<usize>, Vec<usize>) {
    (0..rows).partition(|row| row % 4 != 3)
}

/// Boosting in which nothing is drawn.
pub fn plain() -> Boosting {
    Boosting {
        rounds: 1000,
        patience: Some(50),
        rows_per_tree: 1.0,
        growing: Growing { min_rows: 5, l2: 1.0, ..Growing::default() },
        ..Boosting::default()
    }
}
