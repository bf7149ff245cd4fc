//! Lasso: few weights, each task with features of its own (Tibshirani, JRSS B 58, 1996); with a ridge part the elastic
//! net (Zou and Hastie, JRSS B 67, 2005).
//!
//! ```text
//! penalty(W) = ratio |W|_1 + 0.5 (1 - ratio) |W|^2
//! ```
//!
//! The same as scikit-learn's `ElasticNet(alpha = strength, l1_ratio = ratio)` task by task.

use super::{Penalty, check_share, shrink};
use crate::{LinearError, Matrix};

/// `ratio |W|_1 + 0.5 (1 - ratio) |W|^2`
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lasso {
    ratio: f64,
}

impl Lasso {
    /// A ratio of 1 is the lasso, 0 is ridge.
    ///
    /// # Errors
    /// A ratio that is not within 0 and 1.
    pub fn new(ratio: f64) -> Result<Self, LinearError> {
        check_share("ratio", ratio)?;
        Ok(Lasso { ratio })
    }
}

impl Penalty for Lasso {
    fn value(&self, parts: &[Matrix]) -> f64 {
        let sum: f64 = parts[0].values().iter().map(|w| w.abs()).sum();
        self.ratio * sum + 0.5 * (1.0 - self.ratio) * parts[0].dot(&parts[0])
    }

    fn prox(&self, parts: &mut [Matrix], step: f64) {
        let scale = 1.0 + step * (1.0 - self.ratio);
        parts[0].values_mut().iter_mut().for_each(|w| *w = shrink(*w, step * self.ratio) / scale);
    }

    fn ceiling(&self, slope: &Matrix) -> f64 {
        slope.values().iter().fold(0.0, |top: f64, z| top.max(z.abs())) / self.ratio
    }

    fn conjugate(&self, slope: &Matrix) -> Option<f64> {
        let over: f64 = slope.values().iter().map(|z| (z.abs() - self.ratio).max(0.0).powi(2)).sum();
        (self.ratio < 1.0).then(|| over / (2.0 * (1.0 - self.ratio)))
    }
}
