//! From logits to probabilities, and from probabilities to what is said: both as held-out rows have it.
//!
//! Probabilities are calibrated by a line through the logits, `scale * logit + shift`, with the scale and shift of least log
//! loss (Platt, "Probabilistic outputs for support vector machines", 1999); of several classes by a scale alone, which is
//! one over the temperature of Guo et al., "On calibration of modern neural networks", ICML 2017. They are left as they are
//! unless that predicts rows better which it was not fitted on.

use super::labels::Truth;
use super::{Kind, Prediction, Task};
use crate::section::{TaskConfig, Threshold};
use serde::{Deserialize, Serialize};

/// What is made of the outputs of a task with classes or labels. The default leaves them as they are: the likeliest class is
/// said, and every label that is likelier there than not.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decision {
    /// What logits are multiplied by, above 0.
    #[serde(default = "one")]
    pub scale: f64,
    /// What is added then, of one logit.
    #[serde(default)]
    pub shift: f64,
    /// By output, the least probability of what is said; none: 0.5.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thresholds: Vec<f64>,
}

fn one() -> f64 {
    1.0
}

impl Default for Decision {
    fn default() -> Self {
        Decision { scale: 1.0, shift: 0.0, thresholds: Vec::new() }
    }
}

/// What is known of one output, or of all classes, on held-out rows.
#[derive(Clone, Copy)]
pub(super) struct Seen<'a> {
    /// `rows x classes` logits; of one class, those of the positive one.
    pub logits: &'a [f64],
    /// The right class of each row; of one logit 1 where it is there and 0 where not.
    pub truth: &'a [u32],
    /// How many classes, 1 of one logit.
    pub classes: usize,
}

/// Held-out rows below which nothing is calibrated: the fit would follow their chance.
const FEW: usize = 100;
/// Of how many parts of the rows each is predicted by a fit on the others.
const PARTS: usize = 5;
/// What a calibration must take off the log loss to be worth having.
const WORTH: f64 = 1e-3;

impl Decision {
    /// Whether it leaves everything as it is.
    pub fn is_plain(&self) -> bool {
        *self == Decision::default()
    }

    /// A logit as it is calibrated.
    pub fn logit(&self, z: f64) -> f64 {
        self.scale * z + self.shift
    }

    /// The least probability of output `i` that is said.
    pub fn threshold(&self, i: usize) -> f64 {
        self.thresholds.get(i).copied().unwrap_or(0.5)
    }

    /// A logit as a probability.
    pub(super) fn positive(&self, z: f64) -> f64 {
        1.0 / (1.0 + (-self.logit(z)).exp())
    }

    /// The threshold for an aim, from held-out logits and what is there.
    pub(super) fn find(&self, aim: Threshold, logits: &[f64], truth: &[u32]) -> Option<f64> {
        let probabilities: Vec<f64> = logits.iter().map(|z| self.positive(*z)).collect();
        threshold(aim, &probabilities, &truth.iter().map(|there| *there == 1).collect::<Vec<_>>())
    }

    /// Finds scale and shift on held-out rows, where they help on rows that they were not fitted on.
    pub(super) fn calibrate(&mut self, seen: &[Seen<'_>]) {
        let rows: usize = seen.iter().map(|own| own.truth.len()).max().unwrap_or(0);
        if rows < FEW {
            return;
        }
        // A line of its own for one logit; one scale for what has several.
        let shifts = matches!(seen, [own] if own.classes == 1);
        let (mut plain, mut fitted) = (0.0, 0.0);
        for part in 0..PARTS {
            let line = fit(seen, |row| row % PARTS != part, shifts);
            plain += loss(seen, |row| row % PARTS == part, [1.0, 0.0]);
            fitted += loss(seen, |row| row % PARTS == part, line);
        }
        let count: usize = seen.iter().map(|own| own.truth.len()).sum();
        if (plain - fitted) / count as f64 > WORTH {
            [self.scale, self.shift] = fit(seen, |_| true, shifts);
        }
    }

    /// Whether a stored one holds together, for so many outputs.
    pub(super) fn check(&self, outputs: usize) -> Result<(), String> {
        let line = self.scale.is_finite() && self.scale > 0.0 && self.shift.is_finite();
        let within = self.thresholds.iter().all(|threshold| (0.0..=1.0).contains(threshold));
        match line && within && (self.thresholds.is_empty() || self.thresholds.len() == outputs) {
            true => Ok(()),
            false => Err("its calibration or thresholds are out of range".to_owned()),
        }
    }
}

/// A probability as its logarithm, which is far from infinite.
pub(super) fn log(p: f64) -> f64 {
    p.max(1e-15).ln()
}

impl Task {
    /// Sets its probabilities right and finds its thresholds on held-out rows: their labels, and what was predicted for them
    /// by models that were not fitted on them. Gives the same predictions as they are decided now, and what is to be said.
    pub fn decide(&mut self, config: &TaskConfig, truth: &Truth, held: Prediction) -> (Prediction, Vec<String>) {
        let calibrates = config.calibrate.unwrap_or(config.class_weights.is_none());
        let (decided, unmet) = match (&mut self.kind, truth) {
            (Kind::Binary(own), Truth::Classes(truth)) => own.decide(calibrates, config.threshold, truth, held),
            (Kind::Category(own), Truth::Classes(truth)) => (own.decide(calibrates, truth, held), Vec::new()),
            (Kind::Multilabel(own), Truth::Flags { values, .. }) => {
                own.decide(calibrates, config.threshold, values, held)
            }
            // Quantities, and what is said of tokens and pixels, have no probabilities to decide by.
            (
                Kind::Binary(_)
                | Kind::Category(_)
                | Kind::Multilabel(_)
                | Kind::Regression(_)
                | Kind::Count(_)
                | Kind::Tags(_)
                | Kind::TokenCategory(_)
                | Kind::Predicates(_)
                | Kind::Senses(_)
                | Kind::Roles(_)
                | Kind::Arcs(_)
                | Kind::Segmentation(_)
                | Kind::PixelRegression(_)
                | Kind::Ordinal(_)
                | Kind::Survival(_)
                | Kind::Own(_),
                _,
            ) => (held, Vec::new()),
        };
        let said = |of: String| match config.threshold {
            Some(aim) => {
                format!("task `{}`: no threshold gives {aim}{of} on the held-out rows: it stays 0.5", self.name)
            }
            None => of,
        };
        (decided, unmet.into_iter().map(said).collect())
    }

    /// Sets the thresholds that a config gives as numbers, where there are no held-out rows; says what cannot be found.
    pub fn decide_plainly(&mut self, config: &TaskConfig) -> Option<String> {
        let aim = config.threshold?;
        let (decision, outputs) = match &mut self.kind {
            Kind::Binary(own) => (&mut own.decision, 1),
            Kind::Multilabel(own) => (&mut own.decision, own.labels.len()),
            Kind::Regression(_)
            | Kind::Category(_)
            | Kind::Count(_)
            | Kind::Tags(_)
            | Kind::TokenCategory(_)
            | Kind::Predicates(_)
            | Kind::Senses(_)
            | Kind::Roles(_)
            | Kind::Arcs(_)
            | Kind::Segmentation(_)
            | Kind::PixelRegression(_)
            | Kind::Ordinal(_)
            | Kind::Survival(_)
            | Kind::Own(_) => return None,
        };
        match aim {
            Threshold::At(at) => {
                decision.thresholds = vec![at; outputs];
                None
            }
            _ => Some(format!(
                "task `{}`: its threshold is to be found on held-out rows, and there are none: it stays 0.5; give \
                 data.split.valid a share",
                self.name
            )),
        }
    }
}

/// The sum of the log losses of the rows that are `taken`.
fn loss(seen: &[Seen<'_>], taken: impl Fn(usize) -> bool, [scale, shift]: [f64; 2]) -> f64 {
    let mut sum = 0.0;
    for own in seen {
        for (row, (truth, z)) in own.truth.iter().zip(own.logits.chunks_exact(own.classes)).enumerate() {
            if taken(row) {
                sum += match z {
                    [z] => softplus(if *truth == 1 { -(scale * z + shift) } else { scale * z + shift }),
                    _ => {
                        let largest = z.iter().fold(f64::NEG_INFINITY, |most, z| most.max(scale * z));
                        let all: f64 = z.iter().map(|z| (scale * z - largest).exp()).sum();
                        largest + all.ln() - scale * z.get(*truth as usize).copied().unwrap_or(0.0)
                    }
                };
            }
        }
    }
    sum
}

fn softplus(z: f64) -> f64 {
    z.max(0.0) + (-z.abs()).exp().ln_1p()
}

/// The line of least log loss over the rows that are `taken`, by Newton's method with halved steps; the loss is convex.
fn fit(seen: &[Seen<'_>], taken: impl Fn(usize) -> bool + Copy, shifts: bool) -> [f64; 2] {
    let mut line = [1.0, 0.0];
    let mut at = loss(seen, taken, line);
    for _ in 0..50 {
        // A little of both squared keeps a fit from running away where the rows are told apart without a mistake.
        let (mut slope, mut bend) = ([1e-6 * (line[0] - 1.0), 1e-6 * line[1]], [1e-6, 0.0, 1e-6]);
        for own in seen {
            for (row, (truth, z)) in own.truth.iter().zip(own.logits.chunks_exact(own.classes)).enumerate() {
                if taken(row) {
                    add_slope(*truth, z, line, &mut slope, &mut bend);
                }
            }
        }
        if !shifts {
            (slope[1], bend[1], bend[2]) = (0.0, 0.0, 1.0);
        }
        let determinant = bend[0] * bend[2] - bend[1] * bend[1];
        let step = [
            (bend[2] * slope[0] - bend[1] * slope[1]) / determinant,
            (bend[0] * slope[1] - bend[1] * slope[0]) / determinant,
        ];
        let mut share = 1.0;
        let moved = loop {
            let moved = [line[0] - share * step[0], line[1] - share * step[1]];
            if share < 1e-6 {
                return line;
            }
            if moved[0] > 1e-3 && loss(seen, taken, moved) <= at {
                break moved;
            }
            share *= 0.5;
        };
        let next = loss(seen, taken, moved);
        let done = at - next <= 1e-10 * at.abs();
        (line, at) = (moved, next);
        if done {
            break;
        }
    }
    line
}

/// Adds a row's part of the slope and the bend of the loss.
fn add_slope(truth: u32, z: &[f64], [scale, shift]: [f64; 2], slope: &mut [f64; 2], bend: &mut [f64; 3]) {
    if let [z] = z {
        let p = 1.0 / (1.0 + (-(scale * z + shift)).exp());
        let (off, spread) = (p - f64::from(truth), p * (1.0 - p));
        (slope[0], slope[1]) = (slope[0] + off * z, slope[1] + off);
        *bend = [bend[0] + spread * z * z, bend[1] + spread * z, bend[2] + spread];
        return;
    }
    let largest = z.iter().fold(f64::NEG_INFINITY, |most, z| most.max(scale * z));
    let (mut all, mut mean, mut square) = (0.0, 0.0, 0.0);
    for z in z {
        let weight = (scale * z - largest).exp();
        (all, mean, square) = (all + weight, mean + weight * z, square + weight * z * z);
    }
    (mean, square) = (mean / all, square / all);
    slope[0] += mean - z.get(truth as usize).copied().unwrap_or(mean);
    bend[0] += square - mean * mean;
}

/// The probability from which on a class is to be said for an aim, from the held-out rows' probabilities and whether it is
/// there; none where no threshold meets the aim, or one of the two has no row. It stands halfway between neighbours.
fn threshold(aim: Threshold, probabilities: &[f64], there: &[bool]) -> Option<f64> {
    if let Threshold::At(at) = aim {
        return Some(at);
    }
    let mut rows: Vec<(f64, bool)> = probabilities.iter().copied().zip(there.iter().copied()).collect();
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    let positives = rows.iter().filter(|row| row.1).count() as f64;
    let negatives = rows.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let (mut hits, mut wrong, mut best) = (0.0, 0.0, None::<(f64, f64)>);
    let groups: Vec<&[(f64, bool)]> = rows.chunk_by(|a, b| a.0 == b.0).collect();
    for (i, tied) in groups.iter().enumerate() {
        let more = tied.iter().filter(|row| row.1).count() as f64;
        (hits, wrong) = (hits + more, wrong + tied.len() as f64 - more);
        let (precision, recall) = (hits / (hits + wrong), hits / positives);
        let worth = match aim {
            Threshold::F1 => 2.0 * hits / (hits + wrong + positives),
            Threshold::BalancedAccuracy => 0.5 * (recall + (negatives - wrong) / negatives),
            Threshold::Precision(least) if precision >= least => recall,
            Threshold::Recall(least) if recall >= least => precision,
            Threshold::Precision(_) | Threshold::Recall(_) => continue,
            Threshold::Cost { wrong: each, missed } => -(each * wrong + missed * (positives - hits)),
            Threshold::At(_) => 0.0,
        };
        if best.is_none_or(|(most, _)| worth > most) {
            let (here, below) = (tied[0].0, groups.get(i + 1).map_or(0.0, |next| next[0].0));
            best = Some((worth, 0.5 * (here + below)));
        }
    }
    // Of costs it may be best to say nothing at all.
    if let (Threshold::Cost { missed, .. }, Some((worth, _))) = (aim, best)
        && -missed * positives > worth
    {
        return Some(1.0);
    }
    best.map(|(_, at)| at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_math::seed;

    /// Numbers in [0, 1), spread evenly.
    fn unit(i: u32) -> f64 {
        seed::unit(seed::nth(u64::from(i)))
    }

    #[test]
    fn logits_that_are_too_sure_are_pulled_back() {
        // The truth follows half the logit and half of one more.
        let logits: Vec<f64> = (0..4000).map(|i| 8.0 * unit(i) - 4.0).collect();
        let there = |(i, z): (usize, &f64)| u32::from(unit(50_000 + i as u32) < 1.0 / (1.0 + (-(0.5 * z + 0.5)).exp()));
        let truth: Vec<u32> = logits.iter().enumerate().map(there).collect();
        let mut decision = Decision::default();
        decision.calibrate(&[Seen { logits: &logits, truth: &truth, classes: 1 }]);
        assert!((decision.scale - 0.5).abs() < 0.06 && (decision.shift - 0.5).abs() < 0.1, "{decision:?}");
        // At its optimum the loss is flat: the mean probability is the share.
        let mean: f64 = logits.iter().map(|z| 1.0 / (1.0 + (-decision.logit(*z)).exp())).sum::<f64>() / 4000.0;
        let share = truth.iter().map(|there| f64::from(*there)).sum::<f64>() / 4000.0;
        assert!((mean - share).abs() < 1e-6, "{mean} {share}");
        // What is right is left alone, and so is what few rows say.
        let right = |(i, z): (usize, &f64)| u32::from(unit(90_000 + i as u32) < 1.0 / (1.0 + (-z).exp()));
        let truth: Vec<u32> = logits.iter().enumerate().map(right).collect();
        let mut plain = Decision::default();
        plain.calibrate(&[Seen { logits: &logits, truth: &truth, classes: 1 }]);
        assert!(plain.is_plain(), "{plain:?}");
        let wrong: Vec<u32> = truth[..50].iter().map(|there| 1 - there).collect();
        plain.calibrate(&[Seen { logits: &logits[..50], truth: &wrong, classes: 1 }]);
        assert!(plain.is_plain(), "{plain:?}");
    }

    #[test]
    fn several_classes_have_one_temperature() {
        let logits: Vec<f64> = (0..9000).map(|i| 6.0 * unit(i)).collect();
        let class = |(i, z): (usize, &[f64])| {
            let weights: Vec<f64> = z.iter().map(|z| (0.4 * z).exp()).collect();
            let mut left = unit(200_000 + i as u32) * weights.iter().sum::<f64>();
            let found = weights.iter().position(|weight| {
                left -= weight;
                left <= 0.0
            });
            found.unwrap_or(2) as u32
        };
        let truth: Vec<u32> = logits.chunks_exact(3).enumerate().map(class).collect();
        let mut decision = Decision::default();
        decision.calibrate(&[Seen { logits: &logits, truth: &truth, classes: 3 }]);
        assert!((decision.scale - 0.4).abs() < 0.04 && decision.shift == 0.0, "{decision:?}");
    }

    #[test]
    fn thresholds_are_what_a_search_over_all_finds() {
        let probabilities: Vec<f64> = (0..60).map(|i| (20.0 * unit(i)).round() / 20.0).collect();
        let there: Vec<bool> = (0..60).map(|i| unit(1000 + i) < probabilities[i as usize].powi(2)).collect();
        let counts = |at: f64| {
            let mut counts = [0.0f64; 4];
            for (p, there) in probabilities.iter().zip(&there) {
                counts[usize::from(*p >= at) * 2 + usize::from(*there)] += 1.0;
            }
            counts
        };
        let worth = |aim: Threshold, at: f64| {
            let [quiet, missed, wrong, hits] = counts(at);
            let (precision, recall) = (hits / (hits + wrong).max(1.0), hits / (hits + missed));
            match aim {
                Threshold::F1 => 2.0 * hits / (2.0 * hits + wrong + missed),
                Threshold::BalancedAccuracy => 0.5 * (recall + quiet / (quiet + wrong)),
                Threshold::Precision(least) => {
                    if precision >= least {
                        recall
                    } else {
                        -1.0
                    }
                }
                Threshold::Recall(least) => {
                    if recall >= least {
                        precision
                    } else {
                        -1.0
                    }
                }
                Threshold::Cost { wrong: each, missed: other } => -(each * wrong + other * missed),
                Threshold::At(_) => 0.0,
            }
        };
        let aims = [
            Threshold::F1,
            Threshold::BalancedAccuracy,
            Threshold::Precision(0.7),
            Threshold::Recall(0.8),
            Threshold::Cost { wrong: 1.0, missed: 4.0 },
            Threshold::Cost { wrong: 100.0, missed: 1.0 },
        ];
        for aim in aims {
            let found = threshold(aim, &probabilities, &there).unwrap();
            let best = (0..=1000).map(|i| worth(aim, f64::from(i) / 1000.0)).fold(f64::NEG_INFINITY, f64::max);
            assert!((worth(aim, found) - best).abs() < 1e-12, "{aim:?}: {found}");
        }
        assert_eq!(threshold(Threshold::At(0.3), &[], &[]), Some(0.3));
        assert_eq!(threshold(Threshold::F1, &[0.2, 0.3], &[true, true]), None, "one of the two has no row");
        assert_eq!(
            threshold(Threshold::Precision(0.9), &[0.9, 0.1], &[false, true]),
            None,
            "nothing is precise enough"
        );
    }
}
