//! Metrics of predictions against labels, in the person's units.
//!
//! A metric is absent rather than NaN where it is not defined: r2 of labels that are all the same, auc of one class,
//! anything of no rows or of predictions that are not finite. Rows are not weighted.

mod classes;
mod count;
pub mod frames;
mod labels;
mod numbers;
mod pixels;
pub mod spans;
mod survival;

pub use classes::{Confused, accuracy, auc, brier, calibration_error, log_loss, macro_f1, places_off, quadratic_kappa};
pub use count::poisson_deviance;
pub use labels::{Ranked, average_precision, macro_auc, macro_f1_of_labels, mean_average_precision, micro_f1};
pub use numbers::{mae, pearson, r2, rmse};
pub use pixels::Confusion;
pub use survival::{Curve, Seen, concordance, integrated_brier};

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Which way a metric improves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Better {
    /// Higher is better, as with accuracy.
    Higher,
    /// Lower is better, as with errors.
    Lower,
}

impl Better {
    /// Whether `new` is better than `old`.
    pub fn improves(self, new: f64, old: f64) -> bool {
        match self {
            Better::Higher => new > old,
            Better::Lower => new < old,
        }
    }
}

/// One metric of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    /// Its name in reports, for example `r2`.
    pub name: &'static str,
    /// Always finite.
    pub value: f64,
    /// Which way it improves.
    pub better: Better,
}

/// The metrics of one task, in the order of reports, and the number of labelled rows they are over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metrics {
    /// Without those that are not defined.
    pub scores: Vec<Metric>,
    /// Rows with a label.
    pub n: usize,
    /// Those of them whose class training never saw: they are mistakes for `accuracy`, and `log_loss` leaves them out.
    pub unseen: usize,
}

impl Metrics {
    /// No metrics yet, over `n` rows.
    pub fn new(n: usize) -> Self {
        Metrics { n, ..Metrics::default() }
    }

    /// Adds a metric where it is defined and finite.
    pub fn push(&mut self, name: &'static str, better: Better, value: Option<f64>) {
        if let Some(value) = value.filter(|v| v.is_finite()) {
            self.scores.push(Metric { name, value, better });
        }
    }

    /// The metric called `name`, where it is defined.
    pub fn get(&self, name: &str) -> Option<&Metric> {
        self.scores.iter().find(|m| m.name == name)
    }

    /// The value of the metric called `name`, where it is defined.
    pub fn value(&self, name: &str) -> Option<f64> {
        self.get(name).map(|m| m.value)
    }
}

impl Serialize for Metrics {
    /// A map from names to values in order, `n` last, and `unseen` behind it where there are such rows.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for metric in &self.scores {
            map.serialize_entry(metric.name, &metric.value)?;
        }
        map.serialize_entry("n", &self.n)?;
        if self.unseen > 0 {
            map.serialize_entry("unseen", &self.unseen)?;
        }
        map.end()
    }
}
