//! The penalty of a config for the tasks at hand, at each of its ratios.

use super::LinearProblem;
use polytask_linear::{
    Clustered, L21, Lasso, LinearError, Penalty, Problem, Ridge, Trace, dirty, graph, mean, robust, sparse_low_rank,
};
use polytask_model::share::{Linear, PenaltyName};

/// A penalty and its ratio, where it has one.
pub(super) type Candidate = (Box<dyn Penalty>, Option<f64>);

pub(super) fn candidates(
    settings: &Linear,
    names: &[&str],
    problem: &Problem<'_>,
) -> Result<Vec<Candidate>, LinearProblem> {
    let blocks = problem.blocks();
    let build = |ratio: f64| -> Result<Box<dyn Penalty>, LinearError> {
        Ok(match settings.penalty {
            PenaltyName::Ridge => Box::new(Ridge),
            PenaltyName::Lasso => Box::new(Lasso::new(ratio)?),
            PenaltyName::L21 => Box::new(L21::new(ratio)?),
            PenaltyName::Trace => Box::new(Trace),
            PenaltyName::Mean => Box::new(mean(ratio, blocks)?),
            PenaltyName::Graph => Box::new(graph(&edges(settings, names), ratio, blocks)?),
            PenaltyName::SparseLowRank => Box::new(sparse_low_rank(ratio)?),
            PenaltyName::Robust => Box::new(robust(ratio, blocks)?),
            PenaltyName::Dirty => Box::new(dirty(ratio)?),
            PenaltyName::Clustered => Box::new(Clustered::new(settings.clusters.unwrap_or(1), ratio, blocks)?),
        })
    };
    let default = default_ratio(settings.penalty, problem);
    let ratios = match (&settings.ratio, default) {
        (Some(ratio), _) => ratio.values().to_vec(),
        (None, default) => vec![default.unwrap_or(1.0)],
    };
    let candidate = |ratio: f64| -> Result<Candidate, LinearProblem> {
        let penalty = build(ratio).map_err(|error| match error {
            LinearError::Widths { task, got, expected } => LinearProblem::Widths {
                penalty: settings.penalty.word(),
                task: names[task].to_owned(),
                got,
                first: names[0].to_owned(),
                expected,
            },
            other => other.into(),
        })?;
        Ok((penalty, default.map(|_| ratio)))
    };
    ratios.into_iter().map(candidate).collect()
}

/// A ratio that leaves neither part of a penalty empty; none for penalties without.
fn default_ratio(penalty: PenaltyName, problem: &Problem<'_>) -> Option<f64> {
    let (tasks, columns) = (problem.blocks().len() as f64, problem.columns() as f64);
    match penalty {
        PenaltyName::Ridge | PenaltyName::Trace => None,
        PenaltyName::Lasso | PenaltyName::L21 => Some(1.0),
        PenaltyName::Mean | PenaltyName::Graph | PenaltyName::Clustered => Some(0.1),
        // As in robust principal components (Candès et al., JACM 58, 2011).
        PenaltyName::SparseLowRank => Some(1.0 / columns.max(problem.width() as f64).sqrt()),
        // Halfway, on a logarithmic scale, between the ratios at which one part is empty.
        PenaltyName::Robust => Some(tasks.powf(-0.25)),
        PenaltyName::Dirty => Some(columns.powf(-0.5)),
    }
}

/// The edges of the task graph.
fn edges(settings: &Linear, names: &[&str]) -> Vec<(usize, usize, f64)> {
    let at = |name: &str| names.iter().position(|n| *n == name);
    let pairs = settings.graph.iter().flatten();
    let edges = pairs.flat_map(|(a, others)| others.iter().map(move |(b, weight)| (a, b, *weight)));
    edges.filter_map(|(a, b, weight)| Some((at(a)?, at(b)?, weight))).collect()
}
