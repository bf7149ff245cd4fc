use serde::{Deserialize, Serialize};

use crate::TreesError;

/// What a task's labels are and the loss that its outputs are fitted with.
///
/// `f` is the task's output before its link, `y` a label. Gradients and Hessians are taken by `f`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Objective {
    /// A number by its mean: `(f - y)^2 / 2`.
    Squared,
    /// A number by its median: `|f - y|`. Leaves are medians of what is left.
    Absolute,
    /// A number, squared near the label and absolute beyond `delta` (in the label's units).
    Huber {
        /// Where the loss turns from square to straight; above 0.
        delta: f64,
    },
    /// A number by one of its quantiles (pinball loss). Leaves are quantiles of what is left.
    Quantile {
        /// The quantile, between 0 and 1.
        level: f64,
    },
    /// 0 or 1 by the cross-entropy of a sigmoid.
    Binary,
    /// One of `classes` by the cross-entropy of a softmax; labels are `0 .. classes`.
    Category {
        /// How many classes, at least 1.
        classes: usize,
    },
    /// `labels` flags at once, each 0 or 1, by their mean cross-entropy; any of them can be missing.
    Multilabel {
        /// How many flags, at least 1.
        labels: usize,
    },
    /// A count (or a rate) of 0 or more by the Poisson likelihood: `exp(f) - y f`.
    Poisson,
}

impl Objective {
    /// Outputs of a task of this kind.
    pub fn width(&self) -> usize {
        match *self {
            Self::Category { classes } => classes,
            Self::Multilabel { labels } => labels,
            Self::Squared
            | Self::Absolute
            | Self::Huber { .. }
            | Self::Quantile { .. }
            | Self::Binary
            | Self::Poisson => 1,
        }
    }

    /// Labels a row: `labels` for [`Objective::Multilabel`], otherwise 1.
    pub fn label_width(&self) -> usize {
        match *self {
            Self::Category { .. } => 1,
            other => other.width(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), TreesError> {
        let reason = match *self {
            Self::Huber { delta } if !(delta > 0.0 && delta.is_finite()) => {
                format!("a Huber delta of {delta} is not above 0")
            }
            Self::Quantile { level } if !(level > 0.0 && level < 1.0) => {
                format!("a quantile of {level} is not between 0 and 1")
            }
            Self::Category { classes: 0 } | Self::Multilabel { labels: 0 } => {
                "a task without classes has no outputs".into()
            }
            Self::Category { classes } | Self::Multilabel { labels: classes } if classes > 1 << 20 => {
                format!("{classes} outputs in one task are too many")
            }
            _ => return Ok(()),
        };
        Err(TreesError::Option(reason))
    }

    fn allows(&self, label: f64) -> bool {
        match *self {
            Self::Squared | Self::Absolute | Self::Huber { .. } | Self::Quantile { .. } => {
                label.is_finite() && label.abs() < 1e30
            }
            Self::Binary | Self::Multilabel { .. } => label == 0.0 || label == 1.0,
            Self::Category { classes } => label >= 0.0 && label.fract() == 0.0 && label < classes as f64,
            Self::Poisson => (0.0..1e15).contains(&label),
        }
    }
}

/// One task: what is to be predicted, with a label for some or all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// Kind of labels and loss.
    pub objective: Objective,
    /// Labels, row by row ([`Objective::label_width`] a row); `NaN` is missing and counts nothing.
    pub labels: Vec<f64>,
    /// A weight a row, 0 or more (sample weight times class weight); all 1 if `None`.
    pub weights: Option<Vec<f32>>,
    /// Weight of the whole task in the choice of splits; 1 is even. Its leaves do not change with it.
    pub weight: f64,
}

impl Task {
    /// A task of weight 1 in which every row counts as much.
    pub fn new(objective: Objective, labels: Vec<f64>) -> Self {
        Self { objective, labels, weights: None, weight: 1.0 }
    }

    /// The weight of a row, regardless of its labels.
    pub(crate) fn row_weight(&self, row: usize) -> f32 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    /// The labels of a row.
    pub(crate) fn row_labels(&self, row: usize) -> &[f64] {
        let width = self.objective.label_width();
        &self.labels[row * width..(row + 1) * width]
    }

    /// Whether a row counts for the task.
    pub(crate) fn counts(&self, row: usize) -> bool {
        self.row_weight(row) > 0.0 && self.row_labels(row).iter().any(|label| !label.is_nan())
    }

    pub(crate) fn check(&self, index: usize, rows: usize) -> Result<(), TreesError> {
        self.objective.check()?;
        let expected = rows * self.objective.label_width();
        if self.labels.len() != expected {
            let what = format!("the labels of task {index}");
            return Err(TreesError::Length { what, expected, found: self.labels.len() });
        }
        if let Some(label) = self.labels.iter().find(|label| !label.is_nan() && !self.objective.allows(**label)) {
            return Err(TreesError::Value(format!(
                "task {index} ({:?}) cannot have the label {label}",
                self.objective
            )));
        }
        if let Some(weights) = &self.weights {
            if weights.len() != rows {
                let what = format!("the weights of task {index}");
                return Err(TreesError::Length { what, expected: rows, found: weights.len() });
            }
            if let Some(weight) = weights.iter().find(|weight| !(**weight >= 0.0 && **weight < 1e15)) {
                return Err(TreesError::Value(format!(
                    "task {index} has a row weight of {weight}; weights are 0 or more"
                )));
            }
        }
        if !(self.weight >= 0.0 && self.weight.is_finite()) {
            return Err(TreesError::Option(format!(
                "task {index} has a weight of {}; weights are 0 or more",
                self.weight
            )));
        }
        Ok(())
    }
}
