//! Whether a difference stands out from the noise: that of the seeds and that of the test rows.

use super::statistics::{freedom, holm, p_value, student};
use super::{deviation, mean};
use polytask_data::Random;
use polytask_model::metric::{Better, Metrics};
use polytask_model::tasks::{Prediction, Task, Truth};
use rayon::prelude::*;
use serde::Serialize;

/// Chance of a false alarm that is allowed, over all tasks together.
const LEVEL: f64 = 0.05;

/// What sharing did to a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Better than the other way, beyond the noise.
    Helped,
    /// Worse, beyond the noise.
    Hurt,
    /// No difference beyond the noise.
    NoDifference,
    /// One seed shows no noise, so nothing can be said.
    Unknown,
}

impl Verdict {
    /// From a difference, positive where it is for the better, and its p value.
    pub fn of(difference: f64, p: Option<f64>) -> Self {
        match p {
            None => Verdict::Unknown,
            Some(p) if p < LEVEL && difference > 0.0 => Verdict::Helped,
            Some(p) if p < LEVEL && difference < 0.0 => Verdict::Hurt,
            Some(_) => Verdict::NoDifference,
        }
    }

    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Verdict::Helped => "helped",
            Verdict::Hurt => "hurt",
            Verdict::NoDifference => "no difference beyond the noise",
            Verdict::Unknown => "one seed cannot tell",
        }
    }
}

/// The difference of two ways to train a task, in the metric that stands for it, paired by seed and by test row.
#[derive(Clone, Debug, Serialize)]
pub struct Contrast {
    /// Mean over seeds, turned so that positive is better.
    pub difference: f64,
    /// Half the width of its 95 % confidence interval, `t sqrt(seeds^2 + rows^2)`, for this task alone; none with one
    /// seed.
    pub margin: Option<f64>,
    /// Standard error from the draw of the seeds: their deviation over the root of their number; none with one.
    pub seeds_error: Option<f64>,
    /// Standard error from the draw of the test rows: the deviation of the difference over bootstrap samples of them, the
    /// same for both sides and all seeds; none where the metric is not defined on them.
    pub rows_error: Option<f64>,
    /// Two-sided p value of Student's t, with Satterthwaite's degrees of freedom; none with one seed.
    pub p: Option<f64>,
    /// Corrected for the number of tasks (Holm 1979); what the verdict goes by, at 0.05.
    pub p_adjusted: Option<f64>,
    /// In a word.
    pub verdict: Verdict,
}

/// What one way came to with one seed.
#[derive(Clone, Copy)]
pub struct Outcomes<'a> {
    /// On the test rows.
    pub metrics: &'a Metrics,
    /// Of the test rows.
    pub prediction: &'a Prediction,
}

impl Contrast {
    /// Of `these` against `those`, by seed. `truth` has the labels of the test rows. Not corrected yet.
    pub fn new(task: &Task, truth: &Truth, these: &[Outcomes<'_>], those: &[Outcomes<'_>]) -> Self {
        let (metric, better) = task.outcome().primary();
        let sign = if better == Better::Higher { 1.0 } else { -1.0 };
        let pairs = these.iter().zip(those);
        let differences: Vec<f64> =
            pairs.filter_map(|(a, b)| Some(sign * (a.metrics.value(metric)? - b.metrics.value(metric)?))).collect();
        let seeds = differences.len();
        let seeds_error = (seeds >= 2).then(|| deviation(&differences) / (seeds as f64).sqrt());
        let (rows_error, rows) = rows_error(task, truth, these, those);
        let mut contrast = Contrast {
            difference: mean(&differences),
            margin: None,
            seeds_error,
            rows_error,
            p: None,
            p_adjusted: None,
            verdict: Verdict::Unknown,
        };
        if let Some(by_seeds) = seeds_error {
            let by_rows = rows_error.unwrap_or(0.0);
            let (error, freedom) = (
                by_seeds.hypot(by_rows),
                freedom(&[(by_seeds * by_seeds, seeds as f64 - 1.0), (by_rows * by_rows, rows as f64 - 1.0)]),
            );
            contrast.margin = Some(if error > 0.0 { student(freedom.min(1e9)) * error } else { 0.0 });
            contrast.p = Some(match (error > 0.0, contrast.difference == 0.0) {
                (true, _) => p_value(contrast.difference / error, freedom.min(1e9)),
                (false, same) => f64::from(u8::from(same)),
            });
        }
        contrast
    }

    /// Corrects the p values of several tasks and draws the verdicts.
    pub fn judge(contrasts: &mut [&mut Contrast]) {
        let p: Vec<Option<f64>> = contrasts.iter().map(|contrast| contrast.p).collect();
        for (contrast, p) in contrasts.iter_mut().zip(holm(&p)) {
            contrast.p_adjusted = p;
            contrast.verdict = Verdict::of(contrast.difference, p);
        }
    }
}

/// Bootstrap samples: a deviation from 200 is right to 5 %, from 50 to 10 %. Large test sets need fewer, since their
/// noise is small.
fn samples(rows: usize) -> u64 {
    (4_000_000 / rows.max(1)).clamp(50, 200) as u64
}

/// The deviation over bootstrap samples of the labelled test rows of the mean over seeds of the difference, and the number
/// of these rows.
fn rows_error(task: &Task, truth: &Truth, these: &[Outcomes<'_>], those: &[Outcomes<'_>]) -> (Option<f64>, usize) {
    let metric = task.outcome().primary().0;
    let labelled: Vec<u32> = (0..truth.len() as u32).filter(|row| truth.known(*row as usize)).collect();
    if labelled.len() < 2 {
        return (None, labelled.len());
    }
    let draw = |sample: u64| {
        let drawn = Random::numbered(0, sample).draw_again(labelled.len());
        let rows: Vec<u32> = drawn.into_iter().map(|place| labelled[place as usize]).collect();
        let truth = truth.select(&rows);
        let score = |one: &Outcomes<'_>| task.outcome().score(&truth, &one.prediction.select(&rows)).value(metric);
        let differences: Option<Vec<f64>> = these.iter().zip(those).map(|(a, b)| Some(score(a)? - score(b)?)).collect();
        differences.map(|differences| mean(&differences))
    };
    let drawn: Vec<f64> = (0..samples(labelled.len())).into_par_iter().filter_map(draw).collect();
    ((drawn.len() >= 2).then(|| deviation(&drawn)), labelled.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_model::config::TaskLoss;
    use polytask_model::tasks::{Kind, Regression};

    fn height() -> Task {
        let (mean, deviation) = (0.0, 1.0);
        let kind = Regression { loss: TaskLoss::Mse, delta: 1.0, standardize: true, mean, deviation };
        Task { name: "height".into(), column: "height".into(), over: None, kind: Kind::Regression(kind) }
    }

    /// Labels of unit variance and predictions with errors of given sizes, by seed.
    fn contrast(rows: usize, these: &[f64], those: &[f64]) -> Contrast {
        let task = height();
        let mut random = Random::numbered(3, 1);
        // A sum of 12 uniform numbers is close to normal.
        let mut normal = || (0..12).map(|_| random.below(1 << 20) as f64 / f64::from(1 << 20)).sum::<f64>() - 6.0;
        let labels: Vec<f64> = (0..rows).map(|_| normal()).collect();
        let truth = Truth::Numbers(labels.clone());
        let mut side = |sizes: &[f64]| -> Vec<(Metrics, Prediction)> {
            let of = |size: &f64| {
                let prediction = Prediction::Numbers(labels.iter().map(|y| y + size * normal()).collect());
                (task.outcome().score(&truth, &prediction), prediction)
            };
            sizes.iter().map(of).collect()
        };
        let (a, b) = (side(these), side(those));
        let a: Vec<Outcomes<'_>> = a.iter().map(|(metrics, prediction)| Outcomes { metrics, prediction }).collect();
        let b: Vec<Outcomes<'_>> = b.iter().map(|(metrics, prediction)| Outcomes { metrics, prediction }).collect();
        let mut contrast = Contrast::new(&task, &truth, &a, &b);
        Contrast::judge(&mut [&mut contrast]);
        contrast
    }

    #[test]
    fn a_difference_must_stand_out_of_both_noises() {
        let clear = contrast(2000, &[0.3, 0.3, 0.3], &[0.6, 0.6, 0.6]);
        assert_eq!(clear.verdict, Verdict::Helped);
        // r2 = 1 - error^2, so the difference is about 0.36 - 0.09.
        assert!((clear.difference - 0.27).abs() < 0.03, "{clear:?}");
        assert_eq!(contrast(2000, &[0.6, 0.6, 0.6], &[0.3, 0.3, 0.3]).verdict, Verdict::Hurt);
        assert_eq!(contrast(2000, &[0.3, 0.3, 0.3], &[0.3, 0.3, 0.3]).verdict, Verdict::NoDifference);
        assert_eq!(contrast(2000, &[0.3], &[0.6]).verdict, Verdict::Unknown);
        // The same sizes of error on few rows: the seeds may agree, but other rows might not.
        let few = contrast(12, &[0.5, 0.5, 0.5], &[0.55, 0.55, 0.55]);
        assert_eq!(few.verdict, Verdict::NoDifference);
        assert!(few.rows_error > clear.rows_error.map(|error| 3.0 * error), "{few:?}");
    }

    #[test]
    fn the_same_predictions_differ_by_nothing() {
        let task = height();
        let truth = Truth::Numbers(vec![1.0, 2.0, 4.0, f64::NAN]);
        let prediction = Prediction::Numbers(vec![1.5, 2.0, 3.0, 9.0]);
        let metrics = task.outcome().score(&truth, &prediction);
        let same = [Outcomes { metrics: &metrics, prediction: &prediction }; 3];
        let contrast = Contrast::new(&task, &truth, &same, &same);
        assert_eq!((contrast.difference, contrast.margin, contrast.p), (0.0, Some(0.0), Some(1.0)));
        assert_eq!(contrast.rows_error, Some(0.0));
    }
}
