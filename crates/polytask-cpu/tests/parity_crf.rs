//! Linear-chain CRFs against PyTorch's autograd in f64 (`fixtures/crf.py`): the loss, and the gradients of scores and
//! transitions.

#![allow(clippy::unwrap_used, reason = "a fixture that makes no sense must stop the test")]

use polytask_cpu::*;
use polytask_graph::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    lengths: Vec<u32>,
    scores: Vec<f32>,
    transitions: Vec<f32>,
    tags: Vec<u32>,
    loss: f64,
    scores_gradient: Vec<f32>,
    transitions_gradient: Vec<f32>,
}

fn close(got: &[f32], wanted: &[f32]) {
    assert_eq!(got.len(), wanted.len());
    for (i, (got, wanted)) in got.iter().zip(wanted).enumerate() {
        assert!((got - wanted).abs() < 1e-6, "{i}: {got} instead of {wanted}");
    }
}

#[test]
fn conditional_random_fields() {
    let case: Case = serde_json::from_str(include_str!("fixtures/crf.json")).unwrap();
    let (tokens, tags) = (case.tags.len(), case.scores.len() / case.tags.len());
    let mut g = GraphBuilder::new();
    let domain = g.ragged("tokens", DomainId::ROWS);
    // A row of a table for every token: its gradient is that of the scores.
    let index = g.index_on(domain, "index", 1);
    let z = g.embedding(index, IndexColumn { column: 0, levels: tokens }, tags);
    g.crf_loss("tags", z);
    let graph = g.finish().unwrap();
    let mut parameters = Parameters::zeros(&graph);
    parameters.of_mut(ParameterId(0)).copy_from_slice(&case.scores);
    parameters.of_mut(ParameterId(1)).copy_from_slice(&case.transitions);
    let rows = case.lengths.len();
    let plan = Plan::new(&graph, rows, Mode::Train, &Groups::merged(&graph));
    let mut runner = Runner::new(plan, parameters);
    let mut offsets = vec![0];
    case.lengths.iter().for_each(|length| offsets.push(offsets.last().unwrap() + length));
    let feed = Batch {
        inputs: &[Numbers::Index(&(0..tokens as u32).collect::<Vec<_>>())],
        targets: &[Target { labels: Labels::Class(&case.tags), weights: &vec![1.0; tokens] }],
        offsets: &[&offsets],
        rows: &(0..rows as u32).collect::<Vec<_>>(),
    };
    let loss = runner.forward_backward(&feed, &[1.0], 0)[0].unwrap();
    assert!((loss - case.loss).abs() < 1e-6, "{loss} instead of {}", case.loss);
    close(&runner.gradients(ParameterId(0), rows)[0].1, &case.scores_gradient);
    close(&runner.gradients(ParameterId(1), rows)[0].1, &case.transitions_gradient);
}
