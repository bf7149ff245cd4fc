//! What a way to train costs: parameters, arithmetic, and time measured.

use super::side::Trained;
use crate::Error;
use polytask_graph::{DomainId, Graph};
use polytask_model::Dataset;
use polytask_model::model::{Body, Model, Predictor};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Rows predicted at a time.
const BLOCK: usize = 4096;

/// Passes over the rows go on for this long.
const WHILE: Duration = Duration::from_millis(30);

/// Multiply-adds of predicting one row, on the mean over `rows`: what lies on the tokens of a text counts as often as a row
/// has tokens. Of trees the questions from the root to the deepest leaf, and an addition an output.
pub fn multiply_adds(model: &Model, data: &Dataset, rows: &[u32]) -> f64 {
    of_body(&model.body, data, rows)
}

fn of_body(body: &Body, data: &Dataset, rows: &[u32]) -> f64 {
    match body {
        Body::Network(network) => of_graph(&network.graph, data, rows),
        Body::Trees(trees) => trees.trees().iter().map(|tree| (tree.depth() + tree.outputs.len()) as f64).sum(),
        Body::Ensemble(ensemble) => ensemble.bodies().map(|body| of_body(body, data, rows)).sum(),
    }
}

fn of_graph(graph: &Graph, data: &Dataset, rows: &[u32]) -> f64 {
    let of = |domain| graph.multiply_adds_on(domain) as f64;
    let tokens = |name: &str| {
        let text = data.features.texts.iter().find(|text| polytask_model::inputs::text::node(&text.column) == name)?;
        let count = |row: &u32| match text.offsets.get(*row as usize..*row as usize + 2) {
            Some(&[start, end]) => f64::from(end - start),
            _ => 0.0,
        };
        Some(rows.iter().map(count).sum::<f64>() / rows.len().max(1) as f64)
    };
    // How many elements a row has in each domain.
    let mut counts = vec![1.0];
    for domain in graph.domains() {
        let own = match domain.over {
            Some(over) => counts.get(over.0).copied().unwrap_or(1.0),
            None => tokens(&domain.name).unwrap_or(1.0),
        };
        counts.push(counts.get(domain.parent.0).copied().unwrap_or(1.0) * own);
    }
    counts.iter().enumerate().map(|(d, count)| count * of(DomainId(d))).sum()
}

/// Seconds that models take one after the other to predict the rows, features at hand: the fastest of several passes.
///
/// # Errors
/// A model that reads what the data does not give.
pub fn seconds<'a>(models: impl Iterator<Item = &'a Trained>, data: &Dataset, rows: &[u32]) -> Result<f64, Error> {
    let of = |trained: &Trained| {
        let mut predictor = Predictor::new(Arc::new(trained.model.clone()), rows.len().clamp(1, BLOCK))?;
        predictor.outputs(data, rows)?;
        let (began, mut best) = (Instant::now(), f64::INFINITY);
        while began.elapsed() < WHILE {
            let pass = Instant::now();
            predictor.outputs(data, rows)?;
            best = best.min(pass.elapsed().as_secs_f64());
        }
        Ok(best)
    };
    models.map(of).sum()
}
