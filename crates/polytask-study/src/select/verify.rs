//! The check by training: the groups, all together, and all apart, at equal steps and seeds.

use super::member::{Member, Outcome};
use super::runs::Runs;
use super::worth::{Gain, Set, members, set_of};
use crate::Error;
use crate::compare::statistics::{p_value, student};
use crate::compare::{Verdict, deviation, mean};
use indexmap::IndexMap;
use polytask_model::metric::Better;
use polytask_train::Prepared;
use serde::Serialize;
use std::sync::atomic::AtomicBool;

/// One way to train all tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A model a task.
    Apart,
    /// One model.
    Together,
    /// The groups that the signal proposes.
    Groups,
}

impl Way {
    /// In a word.
    pub fn word(self) -> &'static str {
        match self {
            Way::Apart => "apart",
            Way::Together => "together",
            Way::Groups => "groups",
        }
    }
}

/// A number over seeds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Sample standard deviation.
    pub std: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        Spread { mean: mean(values), std: deviation(values) }
    }
}

/// What training showed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Verified {
    /// By task that counts.
    pub tasks: IndexMap<String, TaskVerified>,
    /// By way: the mean over tasks of the metric that stands for each, on the test rows, over seeds.
    pub test: IndexMap<&'static str, Spread>,
    /// The same on the validation rows, by which the best way is chosen; none of them chose the epoch that it judges.
    pub valid: IndexMap<&'static str, Spread>,
    /// Test score of the groups less the better extreme's (by its test score), paired over seeds: its mean and half the
    /// width of its 95 % interval.
    pub against_better: (f64, Option<f64>),
    /// The way to take: of those whose validation score is within a standard error of the best, that with the fewest
    /// parameters.
    pub best: Way,
    /// Spearman's rank correlation of what the signal says that a task gains in a group with what it gained there over
    /// learning alone on the test rows; none where there are fewer than three such pairs or all are alike.
    pub rank_correlation: Option<f64>,
    /// How many pairs of a task and a group that is over.
    pub compared: usize,
    /// Trained scalars and multiply-adds to predict a row, by way.
    pub parameters: IndexMap<&'static str, usize>,
    /// Multiply-adds that predict a row, by way.
    pub multiply_adds: IndexMap<&'static str, usize>,
    /// Optimiser steps of every model.
    pub steps: u64,
    /// Seeds.
    pub seeds: Vec<u64>,
    /// Seconds of training, by way; mean over seeds.
    #[serde(skip)]
    pub seconds: IndexMap<&'static str, f64>,
}

/// One task's scores on the test rows.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskVerified {
    /// The metric that stands for it.
    pub metric: &'static str,
    /// By way.
    pub scores: IndexMap<&'static str, Spread>,
    /// Groups against apart, in a word.
    pub groups_against_apart: Verdict,
}

/// Trains what has not been trained yet and compares; none where `stop` ended it.
///
/// # Errors
/// Whatever keeps a model from being trained.
pub fn verify(
    runs: &Runs<'_>,
    prepared: &Prepared,
    (served, groups): (&[usize], &[Member]),
    gain: &Gain,
    (steps, seeds): (u64, &[u64]),
    stop: &AtomicBool,
    done: &(dyn Fn() + Sync),
) -> Result<Option<Verified>, Error> {
    let ways = ways(prepared, served, groups);
    let all = distinct(&ways);
    let Some(by_seed) = runs.all(&all, seeds, stop, done)? else { return Ok(None) };
    let find =
        |outcomes: &[Outcome], member: &Member| all.iter().position(|m| m == member).map(|i| outcomes[i].clone());
    // By way, seed and task that counts: the score on test (or validation) rows, turned so that more is better.
    let score = |way: usize, seed: usize, task: usize, test: bool| {
        let member = ways[way].1.iter().find(|m| m.served >> task & 1 == 1)?;
        let outcome = find(&by_seed[seed], member)?;
        let place = member.tasks().iter().position(|t| *t == task)?;
        if test { outcome.scores[place] } else { outcome.valid[place] }
    };
    let sign = |task: usize| if prepared.tasks[task].outcome().primary().1 == Better::Higher { 1.0 } else { -1.0 };
    let over_seeds = |way: usize, task: usize, test: bool| -> Vec<f64> {
        (0..seeds.len()).filter_map(|seed| score(way, seed, task, test)).collect()
    };
    let means = |way: usize, test: bool| -> Vec<f64> {
        let of = |seed: usize| {
            let known: Vec<f64> = served.iter().filter_map(|&t| Some(sign(t) * score(way, seed, t, test)?)).collect();
            mean(&known)
        };
        (0..seeds.len()).map(of).collect()
    };
    let named = |of: &dyn Fn(usize) -> Spread| ways.iter().enumerate().map(|(i, w)| (w.0.word(), of(i))).collect();
    let tasks = served.iter().map(|&task| {
        let (apart, grouped) = (over_seeds(0, task, true), over_seeds(2, task, true));
        let differences: Vec<f64> = grouped.iter().zip(&apart).map(|(g, a)| sign(task) * (g - a)).collect();
        let (difference, p) = tested(&differences);
        let verified = TaskVerified {
            metric: prepared.tasks[task].outcome().primary().0,
            scores: named(&|way| Spread::of(&over_seeds(way, task, true))),
            groups_against_apart: Verdict::of(difference, p),
        };
        (prepared.tasks[task].name.clone(), verified)
    });
    let tasks = tasks.collect();
    let better = if mean(&means(1, true)) > mean(&means(0, true)) { 1 } else { 0 };
    let paired: Vec<f64> = means(2, true).iter().zip(means(better, true)).map(|(g, b)| g - b).collect();
    let gains = ways[1..].iter().enumerate().flat_map(|(i, (_, models))| {
        let shared = models.iter().filter(|m| (m.served | m.helpers).count_ones() > 1);
        shared.flat_map(move |m| members(m.served).map(move |task| (i + 1, *m, task)))
    });
    let mut seen = Vec::new();
    let mut pairs: Vec<(f64, f64)> = Vec::new();
    for (way, member, task) in gains {
        if seen.contains(&(member, task)) {
            continue;
        }
        seen.push((member, task));
        let (with, alone) = (over_seeds(way, task, true), over_seeds(0, task, true));
        if !with.is_empty() && with.len() == alone.len() {
            pairs.push((gain.of(task, member.served | member.helpers), sign(task) * (mean(&with) - mean(&alone))));
        }
    }
    let total = |of: &dyn Fn(&Outcome) -> usize| -> IndexMap<&'static str, usize> {
        let sum = |models: &[Member]| models.iter().filter_map(|m| find(&by_seed[0], m)).map(|o| of(&o)).sum();
        ways.iter().map(|(way, models)| (way.word(), sum(models))).collect()
    };
    let parameters = total(&|outcome| outcome.parameters);
    let best = taken([0, 1, 2].map(|way| means(way, false)), ways.each_ref().map(|way| parameters[way.0.word()]));
    let seconds = |models: &[Member]| {
        let one = |outcomes: &Vec<Outcome>| models.iter().filter_map(|m| find(outcomes, m)).map(|o| o.seconds).sum();
        mean(&by_seed.iter().map(one).collect::<Vec<f64>>())
    };
    Ok(Some(Verified {
        tasks,
        test: named(&|way| Spread::of(&means(way, true))),
        valid: named(&|way| Spread::of(&means(way, false))),
        against_better: interval(&paired),
        best: ways[best].0,
        rank_correlation: spearman(&pairs),
        compared: pairs.len(),
        parameters,
        multiply_adds: total(&|outcome| outcome.multiply_adds),
        steps,
        seeds: seeds.to_vec(),
        seconds: ways.iter().map(|(way, models)| (way.word(), seconds(models))).collect(),
    }))
}

/// The way to take, by the validation scores of every seed: of those within one standard error of the best (Breiman et al.,
/// "Classification and Regression Trees", 1984, ch. 3.4), paired over seeds, the one with the fewest parameters; of equals
/// the proposed groups, then one model. One seed has no error to tell.
fn taken(valid: [Vec<f64>; 3], parameters: [usize; 3]) -> usize {
    let order = [2, 1, 0];
    let top = order.into_iter().fold(2, |top, way| if mean(&valid[way]) > mean(&valid[top]) { way } else { top });
    let as_good = |way: &usize| {
        let behind: Vec<f64> = valid[top].iter().zip(&valid[*way]).map(|(top, own)| top - own).collect();
        mean(&behind) <= deviation(&behind) / (behind.len() as f64).sqrt()
    };
    order.into_iter().filter(as_good).min_by_key(|way| parameters[*way]).unwrap_or(top)
}

/// The models of each way: apart, together, the groups.
pub fn ways(prepared: &Prepared, served: &[usize], groups: &[Member]) -> [(Way, Vec<Member>); 3] {
    let counts = set_of(served.iter().copied());
    let others: Set = set_of(0..prepared.tasks.len()) & !counts;
    let apart = served.iter().map(|task| Member::of(1 << task)).collect();
    let together = vec![Member { served: counts, helpers: others }];
    [(Way::Apart, apart), (Way::Together, together), (Way::Groups, groups.to_vec())]
}

/// The models of all ways, each once.
pub fn distinct(ways: &[(Way, Vec<Member>)]) -> Vec<Member> {
    let mut all: Vec<Member> = Vec::new();
    for member in ways.iter().flat_map(|(_, models)| models) {
        if !all.contains(member) {
            all.push(*member);
        }
    }
    all
}

/// Mean of paired differences and half the width of its 95 % interval (Student 1908); no width from fewer than two.
fn interval(differences: &[f64]) -> (f64, Option<f64>) {
    let n = differences.len();
    let margin = (n >= 2).then(|| student((n - 1) as f64) * deviation(differences) / (n as f64).sqrt());
    (mean(differences), margin)
}

/// Mean of paired differences and how likely one as far from 0 would be by chance; unknown from fewer than two.
fn tested(differences: &[f64]) -> (f64, Option<f64>) {
    let (n, center) = (differences.len(), mean(differences));
    let error = deviation(differences) / (n as f64).sqrt();
    let p = (n >= 2).then(|| match error > 0.0 {
        true => p_value(center / error, (n - 1) as f64),
        false if center == 0.0 => 1.0,
        false => 0.0,
    });
    (center, p)
}

/// Spearman's rank correlation; ties share the mean of their ranks.
fn spearman(pairs: &[(f64, f64)]) -> Option<f64> {
    if pairs.len() < 3 {
        return None;
    }
    let ranks = |values: Vec<f64>| -> Vec<f64> {
        let below = |v: &f64| values.iter().filter(|w| *w < v).count() as f64;
        let equal = |v: &f64| values.iter().filter(|w| *w == v).count() as f64;
        values.iter().map(|v| below(v) + (equal(v) + 1.0) / 2.0).collect()
    };
    let (x, y) = (ranks(pairs.iter().map(|p| p.0).collect()), ranks(pairs.iter().map(|p| p.1).collect()));
    let (mx, my) = (mean(&x), mean(&y));
    let dot: f64 = x.iter().zip(&y).map(|(a, b)| (a - mx) * (b - my)).sum();
    let squares = |v: &[f64], m: f64| v.iter().map(|a| (a - m).powi(2)).sum::<f64>();
    let scale = (squares(&x, mx) * squares(&y, my)).sqrt();
    (scale > 0.0).then(|| dot / scale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_smallest_of_what_is_as_good_is_taken() {
        let noisy = |center: f64| vec![center - 0.02, center, center + 0.02];
        let (apart, groups) = (vec![0.9, 0.9, 0.9], vec![0.8, 0.8, 0.8]);
        // Apart is best by .01, within its error of .0115 of one model for all; the groups are worse for certain.
        assert_eq!(taken([apart.clone(), noisy(0.89), groups.clone()], [9, 3, 1]), 1);
        assert_eq!(taken([apart.clone(), noisy(0.88), groups.clone()], [9, 3, 1]), 0);
        assert_eq!(taken([apart.clone(), noisy(0.89), groups], [3, 9, 1]), 0);
        // Of equals the groups; of one seed the best.
        assert_eq!(taken([apart.clone(), apart.clone(), apart], [9, 3, 3]), 2);
        assert_eq!(taken([vec![0.9], vec![0.89], vec![0.88]], [9, 3, 5]), 0);
    }

    #[test]
    fn ranks_correlate_whatever_the_scale() {
        assert_eq!(spearman(&[(1.0, 10.0), (2.0, 1e6), (3.0, 1e9)]), Some(1.0));
        assert_eq!(spearman(&[(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]), Some(-1.0));
        assert_eq!(spearman(&[(1.0, 3.0), (1.0, 2.0), (1.0, 1.0)]), None);
        // Ranks 1, 2.5, 2.5, 4 against 1, 2, 3, 4: scipy.stats.spearmanr gives 0.9486832980505138.
        let tied = spearman(&[(1.0, 1.0), (2.0, 2.0), (2.0, 3.0), (5.0, 4.0)]).unwrap();
        assert!((tied - 0.948_683_298_050_513_8).abs() < 1e-12);
    }
}
