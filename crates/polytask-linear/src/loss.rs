//! What a row costs.

use crate::LinearError;

/// How a row's loss is computed from the output `z` (one number, or one a class) and the label `y`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// `0.5 (z - y)^2`
    Squared,
    /// `0.5 e^2` where `|e| <= delta`, `delta (|e| - 0.5 delta)` beyond (Huber 1964).
    Huber {
        /// Where the parabola becomes a line, above 0.
        delta: f64,
    },
    /// `ln(1 + exp(z)) - y z` with `y` in `[0, 1]`: logistic regression.
    Logistic,
    /// `ln(sum_k exp(z_k)) - z_y` with a class `y`: multinomial logistic regression.
    Softmax {
        /// Number of classes.
        classes: usize,
    },
    /// `exp(z) - y z + y ln(y) - y` with a count `y >= 0` and `0 ln 0 = 0`: Poisson regression, half the deviance.
    Poisson,
}

/// The labels of a task, one a row of the features; any value where the weight is 0.
#[derive(Clone, Debug, PartialEq)]
pub enum Labels {
    /// Numbers.
    Real(Vec<f64>),
    /// Classes, for [`Loss::Softmax`].
    Class(Vec<u32>),
}

impl Labels {
    pub(crate) fn len(&self) -> usize {
        match self {
            Labels::Real(values) => values.len(),
            Labels::Class(classes) => classes.len(),
        }
    }

    /// A number, or the number of a class.
    pub(crate) fn at(&self, row: u32) -> f64 {
        match self {
            Labels::Real(values) => values[row as usize],
            Labels::Class(classes) => f64::from(classes[row as usize]),
        }
    }
}

impl Loss {
    /// Outputs a row.
    pub fn outputs(self) -> usize {
        match self {
            Loss::Softmax { classes } => classes,
            _ => 1,
        }
    }

    /// The loss of a row; its derivatives take the place of the outputs.
    pub(crate) fn slope(self, z: &mut [f64], y: f64) -> f64 {
        match self {
            Loss::Squared => {
                z[0] -= y;
                0.5 * z[0] * z[0]
            }
            Loss::Huber { delta } => {
                let error = z[0] - y;
                z[0] = error.clamp(-delta, delta);
                z[0] * (error - 0.5 * z[0])
            }
            Loss::Logistic => {
                let small = (-z[0].abs()).exp();
                let value = z[0].max(0.0) + small.ln_1p() - y * z[0];
                z[0] = if z[0] >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) } - y;
                value
            }
            Loss::Softmax { .. } => {
                let class = y as usize;
                let largest = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let of_class = z[class] - largest;
                z.iter_mut().for_each(|z| *z = (*z - largest).exp());
                let sum: f64 = z.iter().sum();
                z.iter_mut().for_each(|z| *z /= sum);
                z[class] -= 1.0;
                sum.ln() - of_class
            }
            Loss::Poisson => {
                let rate = z[0].exp();
                let value = rate - y * z[0] + if y > 0.0 { y * y.ln() - y } else { 0.0 };
                z[0] = rate - y;
                value
            }
        }
    }

    /// Intercepts that are best without features: the weighted mean, or its link. A class or an event that is never
    /// there has a tenth of a row.
    pub(crate) fn constant(self, rows: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
        let mut sums = vec![0.0; self.outputs()];
        let (mut total, mut count) = (0.0, 0.0);
        for (weight, y) in rows {
            match self {
                Loss::Softmax { .. } => sums[y as usize] += weight,
                _ => sums[0] += weight * y,
            }
            total += weight;
            count += 1.0;
        }
        let least = 0.1 / f64::max(count, 1.0);
        let mean = |sum: f64| sum / total;
        match self {
            Loss::Squared | Loss::Huber { .. } => vec![mean(sums[0])],
            Loss::Logistic => {
                let share = mean(sums[0]).clamp(least, 1.0 - least);
                vec![(share / (1.0 - share)).ln()]
            }
            Loss::Softmax { .. } => sums.iter().map(|sum| mean(*sum).max(least).ln()).collect(),
            Loss::Poisson => vec![mean(sums[0]).max(least).ln()],
        }
    }

    /// Whether labels of the given rows fit the loss.
    pub(crate) fn check(self, labels: &Labels, rows: impl Iterator<Item = u32>) -> Result<(), LinearError> {
        if let Loss::Huber { delta } = self
            && (delta.is_nan() || delta <= 0.0)
        {
            return Err(LinearError::Setting { name: "delta", value: delta, rule: "it must be above 0" });
        }
        for row in rows {
            let value = labels.at(row);
            let fits = match self {
                Loss::Squared | Loss::Huber { .. } => value.is_finite(),
                Loss::Logistic => (0.0..=1.0).contains(&value),
                Loss::Softmax { classes } => value.fract() == 0.0 && (0.0..classes as f64).contains(&value),
                Loss::Poisson => value.is_finite() && value >= 0.0,
            };
            if !fits {
                return Err(LinearError::Value { what: "labels", place: row as usize, value });
            }
        }
        Ok(())
    }
}
