//! What a task learns from, which rows count for it, and what a part of the problem costs.

use crate::{Features, Labels, LinearError, Loss, Matrix};

/// What a task learns from.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// What a row costs.
    pub loss: Loss,
    /// Those of the rows of the features.
    pub labels: Labels,
    /// What each row counts, 0 or above; 0 where the label is missing.
    pub weights: Vec<f64>,
}

/// The rows that count for a task, and what they weigh: 1 together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Counted {
    pub rows: Vec<u32>,
    pub weights: Vec<f64>,
}

/// The data loss of some columns and its derivatives by them.
pub(crate) struct Part {
    pub columns: Vec<usize>,
    pub value: f64,
    pub by_weights: Matrix,
    pub by_intercepts: Vec<f64>,
}

pub(crate) fn count(features: &Features, t: usize, task: &Task, rows: &[u32]) -> Result<Counted, LinearError> {
    let labels = task.loss.labels();
    for (what, got, each) in [("labels", task.labels.len(), labels), ("weights", task.weights.len(), 1)] {
        let expected = features.rows() * each;
        if got != expected {
            return Err(LinearError::Length { what, got, expected });
        }
    }
    let mut kept = Vec::new();
    for &row in rows {
        match task.weights.get(row as usize) {
            Some(weight) if weight.is_finite() && *weight >= 0.0 => {
                if *weight > 0.0 {
                    kept.push(row);
                }
            }
            other => {
                let value = other.copied().unwrap_or(f64::NAN);
                return Err(LinearError::Value { what: "weights", place: row as usize, value });
            }
        }
    }
    let total: f64 = kept.iter().map(|row| task.weights[*row as usize]).sum();
    if total <= 0.0 {
        return Err(LinearError::NoRow(t));
    }
    task.loss.check(&task.labels, kept.iter().copied())?;
    let weights = kept.iter().map(|row| task.weights[*row as usize] / total).collect();
    Ok(Counted { rows: kept, weights })
}

/// Weighted means of the features.
pub(crate) fn mean(features: &Features, counted: &Counted) -> Vec<f64> {
    let mut mean = vec![0.0; features.width()];
    for (row, weight) in counted.rows.iter().zip(&counted.weights) {
        features.each(*row, |feature, value| mean[feature] += weight * value);
    }
    mean
}
