//! What a way to train costs: parameters, arithmetic, and time measured.

use super::side::Trained;
use polytask_cpu::{Groups, Mode, Plan, Runner};
use polytask_exec::PortError;
use polytask_graph::DomainId;
use polytask_model::Dataset;
use polytask_model::model::Model;
use std::time::{Duration, Instant};

/// Rows predicted at a time.
const BLOCK: usize = 4096;

/// Passes over the rows go on for this long.
const WHILE: Duration = Duration::from_millis(30);

/// Multiply-adds of predicting one row, on the mean over `rows`: what lies on the tokens of a text counts as often as a row
/// has tokens.
pub fn multiply_adds(model: &Model, data: &Dataset, rows: &[u32]) -> f64 {
    let of = |domain| model.graph.multiply_adds_on(domain) as f64;
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
    for domain in model.graph.domains() {
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
pub fn seconds<'a>(models: impl Iterator<Item = &'a Trained>, data: &Dataset, rows: &[u32]) -> Result<f64, PortError> {
    let of = |trained: &Trained| {
        let graph = &trained.model.graph;
        let plan = Plan::new(graph, rows.len().clamp(1, BLOCK), Mode::Predict, &Groups::merged(graph));
        let mut runner = Runner::new(plan, trained.model.parameters.clone());
        data.with_feed(graph, &[], rows, |feed| {
            runner.predict(feed);
            let (began, mut best) = (Instant::now(), f64::INFINITY);
            while began.elapsed() < WHILE {
                let pass = Instant::now();
                runner.predict(feed);
                best = best.min(pass.elapsed().as_secs_f64());
            }
            best
        })
    };
    models.map(of).sum()
}
