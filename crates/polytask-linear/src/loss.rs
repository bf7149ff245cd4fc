//! What a row costs.

use crate::LinearError;

/// How a row's loss is computed from the output `z` (one number, or one a class or event) and the label `y`.
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
    /// The mean of the logistic loss over several events, those with a label: `z_k` against `y_k` in `[0, 1]`. A label that
    /// is NaN is missing; a row that counts has at least one.
    Events {
        /// Number of events.
        count: usize,
    },
    /// `ln(sum_k exp(z_k)) - z_y` with a class `y`: multinomial logistic regression.
    Softmax {
        /// Number of classes.
        classes: usize,
    },
    /// `exp(z) - y z + y ln(y) - y` with a count `y >= 0` and `0 ln 0 = 0`: Poisson regression, half the deviance.
    Poisson,
}

/// The labels of a task, one a row of the features, for [`Loss::Events`] one an event; any value where the weight is 0.
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

    /// The labels of a row, so many: numbers, or the number of a class, for which there is room in `class`.
    pub(crate) fn of<'a>(&'a self, row: u32, count: usize, class: &'a mut f64) -> &'a [f64] {
        match self {
            Labels::Real(values) => &values[row as usize * count..][..count],
            Labels::Class(classes) => {
                *class = f64::from(classes[row as usize]);
                std::slice::from_ref(class)
            }
        }
    }

    /// The number that is a row's only label.
    pub(crate) fn at(&self, row: u32) -> f64 {
        self.of(row, 1, &mut 0.0)[0]
    }
}

/// `ln(1 + exp(z)) - y z`; its derivative takes the place of `z`.
fn logistic(z: &mut f64, y: f64) -> f64 {
    let small = (-z.abs()).exp();
    let value = z.max(0.0) + small.ln_1p() - y * *z;
    *z = if *z >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) } - y;
    value
}

impl Loss {
    /// Outputs a row.
    pub fn outputs(self) -> usize {
        match self {
            Loss::Softmax { classes } => classes,
            Loss::Events { count } => count,
            _ => 1,
        }
    }

    /// Labels a row.
    pub fn labels(self) -> usize {
        match self {
            Loss::Events { count } => count,
            _ => 1,
        }
    }

    /// The loss of a row; its derivatives take the place of the outputs.
    pub(crate) fn slope(self, z: &mut [f64], labels: &[f64]) -> f64 {
        let y = labels[0];
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
            Loss::Logistic => logistic(&mut z[0], y),
            Loss::Events { .. } => {
                let there = labels.iter().filter(|y| !y.is_nan()).count() as f64;
                let mut sum = 0.0;
                for (z, y) in z.iter_mut().zip(labels) {
                    if y.is_nan() {
                        *z = 0.0;
                        continue;
                    }
                    sum += logistic(z, *y);
                    *z /= there;
                }
                sum / there
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

    /// Intercepts that are best without features, from the weights and labels of rows: the weighted mean, or its link. A
    /// class or an event that is never there has a tenth of a row.
    pub(crate) fn constant(self, rows: impl Iterator<Item = (f64, u32)>, labels: &Labels) -> Vec<f64> {
        let mut sums = vec![0.0; self.outputs()];
        let mut totals = vec![0.0; self.outputs()];
        let (mut class, mut count) = (0.0, 0.0);
        for (weight, row) in rows {
            let own = labels.of(row, self.labels(), &mut class);
            let there = own.iter().filter(|y| !y.is_nan()).count() as f64;
            match self {
                Loss::Softmax { .. } => {
                    sums[own[0] as usize] += weight;
                    totals.iter_mut().for_each(|total| *total += weight);
                }
                _ => {
                    for (k, y) in own.iter().enumerate().filter(|(_, y)| !y.is_nan()) {
                        sums[k] += weight / there * y;
                        totals[k] += weight / there;
                    }
                }
            }
            count += 1.0;
        }
        let least = 0.1 / f64::max(count, 1.0);
        let means = sums.iter().zip(&totals).map(|(sum, total)| if *total > 0.0 { sum / total } else { 0.0 });
        let link = |mean: f64| match self {
            Loss::Squared | Loss::Huber { .. } => mean,
            Loss::Logistic | Loss::Events { .. } => {
                let share = mean.clamp(least, 1.0 - least);
                (share / (1.0 - share)).ln()
            }
            Loss::Softmax { .. } | Loss::Poisson => mean.max(least).ln(),
        };
        means.map(link).collect()
    }

    /// Whether labels of the given rows fit the loss.
    pub(crate) fn check(self, labels: &Labels, rows: impl Iterator<Item = u32>) -> Result<(), LinearError> {
        if let Loss::Huber { delta } = self
            && (delta.is_nan() || delta <= 0.0)
        {
            return Err(LinearError::Setting { name: "delta", value: delta, rule: "it must be above 0" });
        }
        let mut class = 0.0;
        for row in rows {
            let own = labels.of(row, self.labels(), &mut class);
            let fits = |value: f64| match self {
                Loss::Squared | Loss::Huber { .. } => value.is_finite(),
                Loss::Logistic => (0.0..=1.0).contains(&value),
                Loss::Events { .. } => value.is_nan() || (0.0..=1.0).contains(&value),
                Loss::Softmax { classes } => value.fract() == 0.0 && (0.0..classes as f64).contains(&value),
                Loss::Poisson => value.is_finite() && value >= 0.0,
            };
            let none = own.iter().all(|value| value.is_nan()).then_some(&f64::NAN);
            if let Some(&value) = own.iter().find(|value| !fits(**value)).or(none) {
                return Err(LinearError::Value { what: "labels", place: row as usize, value });
            }
        }
        Ok(())
    }
}
