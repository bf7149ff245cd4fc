//! Metrics of classes.

use super::numbers::mean;

/// Probabilities are kept this far from 0 and 1, so that one confident mistake does not make the loss infinite.
const CLIP: f64 = 1e-15;

/// The share of rows whose class was predicted.
pub fn accuracy(labels: &[u32], predictions: &[u32]) -> Option<f64> {
    mean(labels.iter().zip(predictions).map(|(y, p)| f64::from(u8::from(y == p))), labels.len())
}

/// The mean over the classes of `F1 = 2 tp / (2 tp + fp + fn)`. The classes are those among labels or predictions;
/// `u32::MAX` in place of a prediction is none.
pub fn macro_f1(labels: &[u32], predictions: &[u32]) -> Option<f64> {
    use std::collections::BTreeMap;
    // By class: true positives, then how often it stands among labels and predictions.
    let mut classes: BTreeMap<u32, (u64, u64)> = BTreeMap::new();
    for (&y, &p) in labels.iter().zip(predictions) {
        classes.entry(y).or_default().1 += 1;
        // No prediction is no class.
        if p != u32::MAX {
            let predicted = classes.entry(p).or_default();
            predicted.1 += 1;
            predicted.0 += u64::from(y == p);
        }
    }
    // tp + fp is the number of predictions, tp + fn that of labels.
    mean(classes.values().map(|(hits, seen)| 2.0 * *hits as f64 / *seen as f64), classes.len())
}

/// The mean of `-ln p(label)`; `probabilities` are `rows x classes`. Rows whose label is no class (one that training
/// never saw) are left out.
pub fn log_loss(labels: &[u32], probabilities: &[f64], classes: usize) -> Option<f64> {
    let of = |(&y, row): (&u32, &[f64])| row.get(y as usize).map(|p| -p.clamp(CLIP, 1.0 - CLIP).ln());
    let losses: Vec<f64> = labels.iter().zip(probabilities.chunks_exact(classes.max(1))).filter_map(of).collect();
    mean(losses.iter().copied(), losses.len())
}

/// The area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half,
/// computed from the ranks (Hanley and McNeil 1982). `None` where one of the two classes has no row.
pub fn auc(positive: &[bool], scores: &[f64]) -> Option<f64> {
    if scores.iter().any(|s| s.is_nan()) {
        return None;
    }
    let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let positives = positive.iter().filter(|p| **p).count() as f64;
    let negatives = rows.len() as f64 - positives;
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    // The sum of the ranks of the positive rows; tied rows share the mean of their ranks.
    let (mut rank_sum, mut before) = (0.0, 0usize);
    for tied in rows.chunk_by(|a, b| a.0 == b.0) {
        let rank = before as f64 + (tied.len() as f64 + 1.0) / 2.0;
        rank_sum += rank * tied.iter().filter(|row| row.1).count() as f64;
        before += tied.len();
    }
    Some((rank_sum - positives * (positives + 1.0) / 2.0) / (positives * negatives))
}

/// The mean of `(p - y)^2` over rows that are positive, y = 1, with a probability of p (Brier 1950).
pub fn brier(positive: &[bool], scores: &[f64]) -> Option<f64> {
    let squares = positive.iter().zip(scores).map(|(y, p)| (p - f64::from(u8::from(*y))).powi(2));
    mean(squares, positive.len())
}

/// The expected calibration error of claims that each were made with a probability and came true or not: how far the mean
/// probability of each tenth is from how often it came true, averaged over the claims (Naeini et al. 2015).
pub fn calibration_error(claims: &[(f64, bool)]) -> Option<f64> {
    const BINS: usize = 10;
    let mut off = [0.0; BINS];
    for (probability, came) in claims {
        off[((probability * BINS as f64) as usize).min(BINS - 1)] += probability - f64::from(u8::from(*came));
    }
    mean(off.iter().map(|off: &f64| off.abs()), claims.len())
}

/// How often the positive class was said and was right.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Confused {
    /// Said, and right.
    pub hits: f64,
    /// Said, and wrong.
    pub wrong: f64,
    /// Not said, and wrong.
    pub missed: f64,
    /// Not said, and right.
    pub quiet: f64,
}

impl Confused {
    /// From labels and what was said of them: 1 is the positive class.
    pub fn of(labels: &[u32], said: &[u32]) -> Self {
        let mut all = Confused::default();
        for (label, said) in labels.iter().zip(said) {
            let count = match (*label == 1, *said == 1) {
                (true, true) => &mut all.hits,
                (false, true) => &mut all.wrong,
                (true, false) => &mut all.missed,
                (false, false) => &mut all.quiet,
            };
            *count += 1.0;
        }
        all
    }

    /// The share of those said that are right; `None` where none is said.
    pub fn precision(&self) -> Option<f64> {
        let said = self.hits + self.wrong;
        (said > 0.0).then(|| self.hits / said)
    }

    /// The share of the positive rows that are said; `None` where there is none.
    pub fn recall(&self) -> Option<f64> {
        let there = self.hits + self.missed;
        (there > 0.0).then(|| self.hits / there)
    }

    /// The correlation of what is said with what is there (Matthews 1975); 0 where one of them is always the same.
    pub fn mcc(&self) -> Option<f64> {
        let Confused { hits, wrong, missed, quiet } = *self;
        if hits + wrong + missed + quiet == 0.0 {
            return None;
        }
        let sides = (hits + wrong) * (hits + missed) * (quiet + wrong) * (quiet + missed);
        Some(if sides > 0.0 { (hits * quiet - wrong * missed) / sides.sqrt() } else { 0.0 })
    }
}

/// Cohen's kappa with squared weights (Cohen 1968): one less the squares of the places that predictions are off by, over what
/// they would be if predictions were dealt out by chance. Rows whose label is none of `classes` are left out; `None` where
/// labels and predictions are all of one class.
pub fn quadratic_kappa(labels: &[u32], predictions: &[u32], classes: usize) -> Option<f64> {
    let rows = labels.iter().zip(predictions).filter(|(y, p)| (**y).max(**p) < classes as u32);
    let (mut found, mut seen, mut said, mut count) = (0.0, vec![0.0; classes], vec![0.0; classes], 0.0);
    for (y, p) in rows {
        found += (f64::from(*y) - f64::from(*p)).powi(2);
        seen[*y as usize] += 1.0;
        said[*p as usize] += 1.0;
        count += 1.0;
    }
    let pairs = seen.iter().enumerate().flat_map(|(y, a)| said.iter().enumerate().map(move |(p, b)| (y, p, a * b)));
    let chance: f64 = pairs.map(|(y, p, both)| (y as f64 - p as f64).powi(2) * both).sum::<f64>() / count;
    (count > 0.0 && chance > 0.0).then(|| 1.0 - found / chance)
}

/// The mean number of places that predictions are off by; rows whose label is none of `classes` are left out.
pub fn places_off(labels: &[u32], predictions: &[u32], classes: usize) -> Option<f64> {
    let rows = labels.iter().zip(predictions).filter(|(y, _)| **y < classes as u32);
    let off: Vec<f64> = rows.map(|(y, p)| (f64::from(*y) - f64::from(*p)).abs()).collect();
    mean(off.iter().copied(), off.len())
}
