//! How good a trial is, over all its tasks.

use indexmap::IndexMap;
use polytask_model::config::Criterion;
use polytask_model::metric::Better;
use polytask_model::model::Scores;
use polytask_model::tasks::Task;
use serde::{Deserialize, Serialize};

/// How well one task is predicted on the validation rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TaskSkill {
    /// The metric that stands for the task.
    pub metric: String,
    /// Of the trial.
    pub value: f64,
    /// Of the best constant prediction.
    pub constant: f64,
    /// The share of the way from the constant to a perfect prediction: 1 is perfect, 0 as good as the constant (the skill
    /// score of Murphy 1988).
    pub skill: f64,
}

/// The skill of every task whose metric is defined on these rows.
pub(super) fn skills(tasks: &[Task], scores: &Scores) -> IndexMap<String, TaskSkill> {
    let of = |task: &Task| {
        let score = scores.tasks.get(&task.name)?;
        let (metric, better) = task.outcome().primary();
        let value = score.metrics.value(metric)?;
        // Errors are at best 0; what is better high is at best 1.
        let (constant, perfect) = match better {
            Better::Lower => (score.baseline.value(metric)?, 0.0),
            // Some, such as scores of spans, are not defined for a constant, which finds none.
            Better::Higher => (score.baseline.value(metric).unwrap_or(0.0), 1.0),
        };
        let way = perfect - constant;
        // A constant that is perfect leaves nothing to gain.
        let skill = if way == 0.0 { if value == perfect { 1.0 } else { 0.0 } } else { (value - constant) / way };
        Some((task.name.clone(), TaskSkill { metric: metric.to_owned(), value, constant, skill }))
    };
    tasks.iter().filter_map(of).collect()
}

/// One number of the tasks' skills, by the tasks that `train.criterion` names, and with its weights; none where none of
/// them has a skill. Higher is better.
pub(super) fn overall(criterion: &Criterion, skills: &IndexMap<String, TaskSkill>) -> Option<f64> {
    let weight = |task: &str| match criterion {
        Criterion::Mean => 1.0,
        Criterion::Task(name) => f64::from(u8::from(name == task)),
        Criterion::Weights(weights) => weights.get(task).copied().unwrap_or(0.0),
    };
    let total: f64 = skills.keys().map(|task| weight(task)).sum();
    let sum: f64 = skills.iter().map(|(task, skill)| weight(task) * skill.skill).sum();
    (total > 0.0 && sum.is_finite()).then_some(sum / total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_mean_by_task_and_weighted() {
        let skill = |skill| TaskSkill { metric: "r2".to_owned(), value: skill, constant: 0.0, skill };
        let skills: IndexMap<_, _> =
            [("a".to_owned(), skill(0.5)), ("b".to_owned(), skill(-0.1))].into_iter().collect();
        assert_eq!(overall(&Criterion::Mean, &skills), Some(0.2));
        assert_eq!(overall(&Criterion::Task("b".into()), &skills), Some(-0.1));
        assert_eq!(overall(&Criterion::Task("c".into()), &skills), None);
        let weights = [("a".to_owned(), 3.0), ("b".to_owned(), 1.0)].into_iter().collect();
        assert_eq!(overall(&Criterion::Weights(weights), &skills), Some((1.5 - 0.1) / 4.0));
    }
}
