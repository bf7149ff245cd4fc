//! Trade-offs: which ways to train are beaten by another in every task.

use indexmap::IndexMap;
use polytask_model::metric::Better;
use serde::Serialize;

/// One way to train with what every task came to.
#[derive(Clone, Debug, Serialize)]
pub struct Point {
    /// `joint`, `single`, `groups`, or `favour TASK`.
    pub name: String,
    /// By task, the mean over seeds of the metric that stands for it.
    pub scores: IndexMap<String, f64>,
    /// The ways that are at least as good in every task and better in one (Pareto). Means alone are looked at, not their
    /// noise.
    pub dominated_by: Vec<String>,
}

/// Finds out who dominates whom; `better` says which way each task's score improves.
pub(super) fn dominance(points: &mut [Point], better: &IndexMap<String, Better>) {
    let beats = |a: &Point, b: &Point| {
        let pairs: Vec<(f64, f64)> = better
            .iter()
            .filter_map(|(task, better)| {
                let sign = if *better == Better::Higher { 1.0 } else { -1.0 };
                Some((sign * a.scores.get(task)?, sign * b.scores.get(task)?))
            })
            .collect();
        // A way that leaves a task out cannot be held against one that has it.
        let whole = pairs.len() == b.scores.len();
        whole && pairs.iter().all(|(a, b)| a >= b) && pairs.iter().any(|(a, b)| a > b)
    };
    for i in 0..points.len() {
        let by = points.iter().filter(|other| beats(other, &points[i])).map(|other| other.name.clone());
        points[i].dominated_by = by.collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_nowhere_better_is_dominated() {
        let better: IndexMap<String, Better> =
            [("a".to_owned(), Better::Higher), ("b".to_owned(), Better::Lower)].into_iter().collect();
        let point = |name: &str, a: f64, b: f64| Point {
            name: name.to_owned(),
            scores: [("a".to_owned(), a), ("b".to_owned(), b)].into_iter().collect(),
            dominated_by: Vec::new(),
        };
        let mut points = vec![point("joint", 0.9, 2.0), point("single", 0.8, 1.0), point("bad", 0.8, 2.0)];
        dominance(&mut points, &better);
        let by: Vec<&[String]> = points.iter().map(|point| point.dominated_by.as_slice()).collect();
        assert_eq!(by, [&[] as &[&str], &[], &["joint", "single"]]);
    }
}
