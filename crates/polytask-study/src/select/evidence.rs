//! From looks to numbers with their noise: means over stretches of the run, each a witness of its own.

use super::ahead::Measurement;
use super::matrix::Matrix;
use super::worth::{Gain, Set};
use std::sync::Arc;

/// What a signal says, on the whole and by each of several witnesses that share no looks, seeds or rows.
#[derive(Clone)]
pub struct Evidence {
    /// On the whole.
    pub gain: Gain,
    /// By witness; empty where there is but one.
    pub witnesses: Vec<Gain>,
}

/// Stretches at most.
const STRETCHES: usize = 32;

/// The looks in stretches of at least two.
fn stretches(looks: &[Measurement]) -> impl Iterator<Item = &[Measurement]> + Clone {
    let count = (looks.len() / 2).clamp(1, STRETCHES);
    (0..count).map(move |i| &looks[i * looks.len() / count..(i + 1) * looks.len() / count])
}

/// Affinities over the looks: the mean over stretches of `1 - sum of losses after the step / sum before it`, every look
/// weighed by the labels it was measured on. A look at very few labels, whose loss may be next to nothing, so counts for
/// little, where a mean of its ratios would be ruled by it.
pub fn affinities(looks: &[Measurement]) -> Vec<Matrix> {
    let tasks = looks.first().map_or(0, |look| look.losses.len());
    let of = |stretch: &[Measurement]| {
        Matrix::from_fn(tasks, |(from, to)| {
            let known =
                stretch.iter().filter(|look| look.after.at(from, to).is_finite() && look.losses[to].is_finite());
            let (before, after) = known.fold((0.0, 0.0), |(before, after), look| {
                (before + look.weights[to] * look.losses[to], after + look.weights[to] * look.after.at(from, to))
            });
            if before > 0.0 { 1.0 - after / before } else { f64::NAN }
        })
    };
    stretches(looks).map(of).collect()
}

/// Cosines of the gradients over the looks, likewise; norms on the diagonal.
pub fn cosines(looks: &[Measurement]) -> Vec<Matrix> {
    stretches(looks).map(|stretch| Matrix::mean(stretch.iter().map(|look| &look.gradients))).collect()
}

impl Evidence {
    /// Of pairs, from a matrix a witness.
    pub fn of_pairs(witnesses: &[Matrix]) -> Self {
        let gain = Gain::Pairs(Matrix::mean(witnesses.iter()).filled());
        let several = witnesses.len() > 1;
        let witnesses = witnesses.iter().filter(|_| several).cloned().map(Gain::Pairs).collect();
        Evidence { gain, witnesses }
    }

    /// Of whole groups, by a function a witness.
    pub fn of_groups(witnesses: Vec<Gain>) -> Self {
        Evidence { gain: together(&witnesses), witnesses: if witnesses.len() > 1 { witnesses } else { Vec::new() } }
    }

    /// The same from some of the witnesses.
    pub fn from(&self, chosen: impl Fn(usize) -> bool) -> Gain {
        let some: Vec<Gain> =
            self.witnesses.iter().enumerate().filter(|(i, _)| chosen(*i)).map(|(_, w)| w.clone()).collect();
        together(&some)
    }
}

/// The mean of several witnesses.
fn together(witnesses: &[Gain]) -> Gain {
    let matrices = witnesses.iter().map(|gain| match gain {
        Gain::Pairs(matrix) => Some(matrix),
        Gain::Groups(_) => None,
    });
    if let Some(matrices) = matrices.collect::<Option<Vec<&Matrix>>>() {
        return Gain::Pairs(Matrix::mean(matrices.into_iter()).filled());
    }
    let all = witnesses.to_vec();
    Gain::Groups(Arc::new(move |task: usize, group: Set| {
        all.iter().map(|gain| gain.of(task, group)).sum::<f64>() / all.len().max(1) as f64
    }))
}

/// Standard error of the mean of several matrices, pair by pair, from the differences of neighbours: what changes slowly
/// over the run is no noise (von Neumann 1941). NaN from fewer than two.
pub fn errors(witnesses: &[Matrix]) -> Matrix {
    let n = witnesses.first().map_or(0, Matrix::tasks);
    Matrix::from_fn(n, |(from, to)| {
        let known: Vec<f64> = witnesses.iter().map(|m| m.at(from, to)).filter(|v| v.is_finite()).collect();
        error(&known).unwrap_or(f64::NAN)
    })
}

/// The same of plain numbers; none from fewer than two.
pub(super) fn error(values: &[f64]) -> Option<f64> {
    let squares: f64 = values.windows(2).map(|pair| (pair[1] - pair[0]).powi(2)).sum();
    let pairs = values.len().saturating_sub(1);
    (pairs > 0).then(|| (squares / (2 * pairs) as f64 / values.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(weight: f64, loss: f64, after: f64) -> Measurement {
        let after = Matrix::from_fn(2, |(i, j)| {
            if i == j {
                loss
            } else if j == 1 {
                after
            } else {
                f64::NAN
            }
        });
        let gradients = Matrix::from_fn(2, |_| 0.5);
        Measurement { step: 0, weights: vec![weight; 2], losses: vec![loss; 2], after, gradients }
    }

    #[test]
    fn a_look_at_next_to_nothing_does_not_rule_the_mean() {
        // The second look has one label and a loss of 1e-6 that a step makes 0.01: its own ratio is -9999.
        let all = affinities(&[look(64.0, 1.0, 0.9), look(1.0, 1e-6, 0.01)]);
        assert_eq!(all.len(), 1);
        assert!((all[0].at(0, 1) - 0.1).abs() < 1e-3, "{}", all[0].at(0, 1));
        assert!(all[0].at(1, 0).is_nan(), "never measured");
    }

    #[test]
    fn the_error_is_that_of_the_mean() {
        // Alternating by 2 about a slow rise: differences of neighbours are 2.1 and -1.9.
        let series: Vec<Matrix> =
            (0..50).map(|i| Matrix::from_fn(1, |_| 0.1 * f64::from(i) + f64::from(i % 2) * 2.0)).collect();
        let error = errors(&series).at(0, 0);
        assert!((error - (4.0f64 / 2.0 / 50.0).sqrt()).abs() < 0.01, "{error}");
    }
}
