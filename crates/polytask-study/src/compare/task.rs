//! One task's part of a comparison.

use super::contrast::{Contrast, Outcomes};
use super::{deviation, mean};
use polytask_model::metric::{Better, Metric, Metrics};
use polytask_model::tasks::{Task, Truth};
use serde::Serialize;

/// One task's scores both ways.
#[derive(Clone, Debug, Serialize)]
pub struct TaskComparison {
    /// Means over seeds, and the number of test rows with a label.
    pub joint: Metrics,
    /// The same of the single-task model.
    pub single: Metrics,
    /// Standard deviations over seeds.
    pub joint_std: Metrics,
    /// Standard deviations over seeds.
    pub single_std: Metrics,
    /// What the best constant prediction scores.
    pub baseline: Metrics,
    /// What a linear model of all tasks scores; none where it was left out.
    pub linear: Option<Metrics>,
    /// Name of the metric that the verdict goes by.
    pub metric: &'static str,
    /// Joint against single.
    #[serde(flatten)]
    pub contrast: Contrast,
    /// Signed change relative to single-task, mean over the task's metrics, in percent; positive where sharing helped.
    pub change: f64,
    /// The model of the task's group, where groups were asked for and one has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupsComparison>,
}

/// A task in its group.
#[derive(Clone, Debug, Serialize)]
pub struct GroupsComparison {
    /// Means over seeds.
    pub scores: Metrics,
    /// Standard deviations over seeds.
    pub std: Metrics,
    /// Its group against single.
    #[serde(flatten)]
    pub contrast: Contrast,
}

/// One task with a share of the labels.
#[derive(Clone, Debug, Serialize)]
pub struct SharePoint {
    /// Labels that training had.
    pub labels: usize,
    /// Its scores both ways.
    #[serde(flatten)]
    pub scores: Pair,
}

/// One task both ways, by the metric that stands for it.
#[derive(Clone, Debug, Serialize)]
pub struct Pair {
    /// Name of the metric.
    pub metric: &'static str,
    /// Mean over seeds.
    pub joint: Option<f64>,
    /// Standard deviation over seeds.
    pub joint_std: Option<f64>,
    /// Mean over seeds.
    pub single: Option<f64>,
    /// Standard deviation over seeds.
    pub single_std: Option<f64>,
    /// Joint against single.
    #[serde(flatten)]
    pub contrast: Contrast,
}

impl TaskComparison {
    pub(super) fn new(
        task: &Task,
        truth: &Truth,
        joint: &[Outcomes<'_>],
        single: &[Outcomes<'_>],
        groups: Option<&[Outcomes<'_>]>,
        (baseline, linear): (Metrics, Option<Metrics>),
    ) -> Self {
        let (joint_mean, single_mean) = (over(joint, mean), over(single, mean));
        let of_groups = |groups: &[Outcomes<'_>]| GroupsComparison {
            scores: over(groups, mean),
            std: over(groups, deviation),
            contrast: Contrast::new(task, truth, groups, single),
        };
        TaskComparison {
            change: mean(&relative_changes(&joint_mean, &single_mean)),
            joint: joint_mean,
            single: single_mean,
            joint_std: over(joint, deviation),
            single_std: over(single, deviation),
            baseline,
            linear,
            metric: task.outcome().primary().0,
            contrast: Contrast::new(task, truth, joint, single),
            groups: groups.map(of_groups),
        }
    }
}

impl Pair {
    pub(super) fn new(task: &Task, truth: &Truth, joint: &[Outcomes<'_>], single: &[Outcomes<'_>]) -> Self {
        let metric = task.outcome().primary().0;
        Pair {
            metric,
            joint: over(joint, mean).value(metric),
            joint_std: over(joint, deviation).value(metric),
            single: over(single, mean).value(metric),
            single_std: over(single, deviation).value(metric),
            contrast: Contrast::new(task, truth, joint, single),
        }
    }

    /// Whether both ways came to the same, as a constant does.
    pub(super) fn is_same(&self) -> bool {
        self.contrast.difference == 0.0 && self.contrast.seeds_error.is_none_or(|error| error == 0.0)
    }
}

/// A statistic of every metric over several seeds.
fn over(runs: &[Outcomes<'_>], statistic: fn(&[f64]) -> f64) -> Metrics {
    let Some(first) = runs.first().map(|run| run.metrics) else { return Metrics::default() };
    let mut all = Metrics::new(first.n);
    for metric in &first.scores {
        let values: Option<Vec<f64>> = runs.iter().map(|run| run.metrics.value(metric.name)).collect();
        all.push(metric.name, metric.better, values.map(|values| statistic(&values)));
    }
    all
}

/// `100 * (joint - single) / |single|` of every metric, turned so that positive is better.
pub(super) fn relative_changes(joint: &Metrics, single: &Metrics) -> Vec<f64> {
    let change = |metric: &Metric| {
        let base = single.value(metric.name)?;
        let sign = if metric.better == Better::Higher { 1.0 } else { -1.0 };
        (base != 0.0).then(|| 100.0 * sign * (metric.value - base) / base.abs())
    };
    joint.scores.iter().filter_map(change).collect()
}
