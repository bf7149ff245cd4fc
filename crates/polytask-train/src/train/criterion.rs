//! One number that says how good a model is over all its tasks; lower is better.

use polytask_model::config::Criterion;

/// The criterion from the tasks' validation losses and each task's own first value. Tasks without a value are left
/// out; none if none is left.
///
/// By default the mean over tasks of `loss / first loss`: losses of different size count alike.
pub fn value(criterion: &Criterion, tasks: &[&str], losses: &[Option<f64>], first: &[Option<f64>]) -> Option<f64> {
    let relative = |i: usize| match (losses[i], first[i]) {
        // No loss is below 0; a first one of 0 leaves nothing to gain.
        (Some(loss), Some(first)) => Some(loss / first.max(f64::MIN_POSITIVE)),
        _ => None,
    };
    let mean = |weight: &dyn Fn(&str) -> f64| {
        let terms = tasks.iter().enumerate().filter_map(|(i, task)| Some((weight(task), relative(i)?)));
        let (sum, total) = terms.fold((0.0, 0.0), |(sum, total), (w, r)| (sum + w * r, total + w));
        (total > 0.0).then_some(sum / total)
    };
    match criterion {
        Criterion::Mean => mean(&|_| 1.0),
        Criterion::Task(task) => tasks.iter().position(|t| t == task).and_then(|i| losses[i]),
        Criterion::Weights(weights) => mean(&|task| weights.get(task).copied().unwrap_or(0.0)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_mean_by_task_and_weighted() {
        let tasks = ["a", "b", "c"];
        let (losses, first) = ([Some(1.0), Some(30.0), None], [Some(2.0), Some(40.0), Some(1.0)]);
        let of = |criterion| value(&criterion, &tasks, &losses, &first);
        assert_eq!(of(Criterion::Mean), Some(0.625));
        assert_eq!(of(Criterion::Task("b".into())), Some(30.0));
        assert_eq!(of(Criterion::Task("c".into())), None);
        let weights = [("a".to_owned(), 3.0), ("b".to_owned(), 1.0)].into_iter().collect();
        assert_eq!(of(Criterion::Weights(weights)), Some((3.0 * 0.5 + 0.75) / 4.0));
    }
}
