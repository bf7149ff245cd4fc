//! One loss a file; here they are brought together behind [`Objective`].

mod absolute;
mod binary;
mod category;
mod huber;
mod multilabel;
mod poisson;
mod quantile;
mod squared;

pub(crate) use quantile::quantile;

use crate::{Objective, Task};

impl Objective {
    /// The loss of one row; labels that are missing count nothing. `labels` has [`Objective::label_width`] values that the
    /// objective allows, `scores` has [`Objective::width`]; with fewer it panics.
    pub fn loss(&self, labels: &[f64], scores: &[f64]) -> f64 {
        let (label, score) = (labels[0], scores[0]);
        if !matches!(self, Self::Multilabel { .. }) && label.is_nan() {
            return 0.0;
        }
        match *self {
            Self::Squared => squared::loss(label, score),
            Self::Absolute => absolute::loss(label, score),
            Self::Huber { delta } => huber::loss(delta, label, score),
            Self::Quantile { level } => quantile::loss(level, label, score),
            Self::Binary => binary::loss(label, score),
            Self::Category { .. } => category::loss(label as usize, scores),
            Self::Multilabel { .. } => multilabel::loss(labels, scores),
            Self::Poisson => poisson::loss(label, score),
        }
    }

    /// Gradient and Hessian of one row times `weight`, an output after the other; both 0 where a label is missing. The
    /// Hessian is the diagonal, or what stands in for it (see [`Objective`]). Slices are as long as for [`Objective::loss`].
    #[inline(always)]
    pub fn gradient(&self, weight: f64, labels: &[f64], scores: &[f64], gradient: &mut [f32], hessian: &mut [f32]) {
        let mut put = |output: usize, g: f64, h: f64| {
            gradient[output] = (weight * g) as f32;
            hessian[output] = (weight * h) as f32;
        };
        if let Self::Category { .. } = self {
            return match labels[0].is_nan() {
                true => (0..scores.len()).for_each(|output| put(output, 0.0, 0.0)),
                false => category::gradient(labels[0] as usize, scores, put),
            };
        }
        for (output, (&label, &score)) in labels.iter().zip(scores).enumerate() {
            let (g, h) = match *self {
                _ if label.is_nan() => (0.0, 0.0),
                Self::Squared => squared::gradient(label, score),
                Self::Absolute => absolute::gradient(label, score),
                Self::Huber { delta } => huber::gradient(delta, label, score),
                Self::Quantile { level } => quantile::gradient(level, label, score),
                Self::Binary | Self::Multilabel { .. } => binary::gradient(label, score),
                Self::Category { .. } => (0.0, 0.0),
                Self::Poisson => poisson::gradient(label, score),
            };
            put(output, g, h);
        }
    }

    /// The quantile of residuals that a leaf takes in place of a Newton step, if any.
    pub(crate) fn leaf_quantile(&self) -> Option<f64> {
        match *self {
            Self::Absolute => Some(0.5),
            Self::Quantile { level } => Some(level),
            Self::Squared
            | Self::Huber { .. }
            | Self::Binary
            | Self::Category { .. }
            | Self::Multilabel { .. }
            | Self::Poisson => None,
        }
    }

    /// The longest step of a leaf, before the learning rate. Where a Hessian can vanish a Newton step has no bound of
    /// its own.
    pub(crate) fn longest_step(&self) -> f64 {
        match self {
            Self::Squared | Self::Absolute | Self::Huber { .. } | Self::Quantile { .. } => f64::INFINITY,
            Self::Binary | Self::Category { .. } | Self::Multilabel { .. } => 8.0,
            Self::Poisson => 2.0,
        }
    }

    /// Scores become predictions: probabilities, rates, or the numbers themselves.
    pub fn decode(&self, scores: &mut [f64]) {
        match self {
            Self::Squared | Self::Absolute | Self::Huber { .. } | Self::Quantile { .. } => {}
            Self::Binary | Self::Multilabel { .. } => {
                scores.iter_mut().for_each(|score| *score = binary::sigmoid(*score))
            }
            Self::Category { .. } => category::softmax(scores),
            Self::Poisson => scores.iter_mut().for_each(|score| *score = poisson::mean(*score)),
        }
    }
}

/// The best constant outputs of a task over some rows; 0 where no label is known.
pub(crate) fn start(task: &Task, rows: &[usize]) -> Vec<f64> {
    let labelled = |output: usize| {
        rows.iter()
            .map(move |&row| (task.row_labels(row)[output], f64::from(task.row_weight(row))))
            .filter(|(label, weight)| !label.is_nan() && *weight > 0.0)
    };
    let mean = |output: usize| {
        let (sum, total) =
            labelled(output).fold((0.0, 0.0), |(sum, total), (label, weight)| (sum + weight * label, total + weight));
        if total > 0.0 { Some(sum / total) } else { None }
    };
    match task.objective {
        Objective::Squared | Objective::Huber { .. } => vec![mean(0).unwrap_or(0.0)],
        Objective::Absolute => vec![quantile(&mut labelled(0).collect::<Vec<_>>(), 0.5)],
        Objective::Quantile { level } => vec![quantile(&mut labelled(0).collect::<Vec<_>>(), level)],
        Objective::Binary | Objective::Multilabel { .. } => {
            (0..task.objective.width()).map(|output| mean(output).map_or(0.0, binary::start)).collect()
        }
        Objective::Poisson => vec![mean(0).map_or(0.0, poisson::start)],
        Objective::Category { classes } => {
            let mut shares = vec![0.0; classes];
            labelled(0).for_each(|(label, weight)| shares[label as usize] += weight);
            let total: f64 = shares.iter().sum();
            if total > 0.0 {
                shares.iter_mut().for_each(|share| *share /= total);
                category::start(&mut shares);
            }
            shares
        }
    }
}

/// What forests average: the label itself, or one 0 or 1 a class. `None` where it is missing.
pub(crate) fn target(objective: &Objective, labels: &[f64], output: usize) -> Option<f64> {
    let label = if let Objective::Category { .. } = objective { labels[0] } else { labels[output] };
    if label.is_nan() {
        return None;
    }
    Some(match objective {
        Objective::Category { .. } => f64::from(label as usize == output),
        _ => label,
    })
}
