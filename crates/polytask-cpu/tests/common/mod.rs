//! Fixtures, a probe that runs one op forward and backward, and comparison within a tolerance.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "a fixture that cannot be read must stop the test")]

pub mod differences;
pub mod mixed;
pub mod random;

use polytask_cpu::*;
use polytask_graph::*;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;

/// Row-major numbers of a fixture, right to half a unit in the last place of f32.
#[derive(Deserialize)]
pub struct Tensor {
    pub shape: Vec<usize>,
    pub data: Vec<f32>,
}

impl Tensor {
    pub fn rows(&self) -> usize {
        self.shape[0]
    }

    pub fn width(&self) -> usize {
        self.shape[1]
    }

    /// Class indices or ids, which stand in the same layout.
    pub fn indices(&self) -> Vec<u32> {
        self.data.iter().map(|v| *v as u32).collect()
    }
}

/// Reads `fixtures/NAME.json`.
pub fn fixture<T: DeserializeOwned>(name: &str) -> T {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// One unit of relative rounding in f32, `2^-24`: what a single operation, or a number in a fixture, is off by at most.
pub const UNIT: f32 = f32::EPSILON / 2.0;

/// Every number within `units` roundings of the largest expected magnitude.
pub fn assert_close(what: &str, got: &[f32], expected: &[f32], units: f32) {
    assert_eq!(got.len(), expected.len(), "{what}: length");
    let size = expected.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    // A NaN becomes the worst and stays it.
    let errors = got.iter().zip(expected).map(|(g, e)| (g - e).abs());
    let worst = errors.fold(0.0f32, |m, e| if e <= m || m.is_nan() { m } else { e });
    let allowed = units * UNIT * size;
    assert!(
        worst <= allowed,
        "{what}: off by {worst:e}, allowed {allowed:e}\n  got      {got:?}\n  expected {expected:?}"
    );
}

/// How far away [`far_labels`] lie. A power of two, so that dividing by it loses nothing.
const FAR: f32 = (1u32 << 30) as f32;

/// Labels and a task weight that give a squared error the cotangent `c`: with the task weight `w W / (2 FAR)`, over `w`
/// features and rows of total weight `W`, the cotangent is `(z - y) / FAR`, which is `c` for `y = z - FAR c`. So far
/// away a rounding error of the prediction `z` leaves no trace, and `c` comes out right to two roundings.
pub fn far_labels(z: &[f32], cotangent: &[f32], rows: usize) -> (Vec<f32>, f64) {
    let labels = z.iter().zip(cotangent).map(|(z, c)| z - FAR * c).collect();
    let width = cotangent.len() / rows;
    (labels, (width * rows) as f64 / (2.0 * f64::from(FAR)))
}

/// What a probe of an op finds.
pub struct Probe {
    pub output: Vec<f32>,
    /// By parameter name.
    pub gradients: BTreeMap<String, Vec<f32>>,
}

/// Runs a graph of one index input and one squared error over rows with these indices, with the given parameters, and
/// pulls the cotangent back. The gradient of a table that is looked up once a row is the gradient of an op's input.
pub fn probe(graph: &Graph, parameters: &[(&str, &[f32])], ids: &[u32], z: &[f32], cotangent: &[f32]) -> Probe {
    let mut values = Parameters::zeros(graph);
    for (name, of) in parameters {
        values.set(graph, name, of).unwrap();
    }
    let (labels, weight) = far_labels(z, cotangent, ids.len());
    let rows: Vec<u32> = (0..ids.len() as u32).collect();
    let targets = [Target { labels: Labels::Real(&labels), weights: &vec![1.0; ids.len()] }];
    let feed = Batch { inputs: &[Numbers::Index(ids)], targets: &targets, offsets: &[], rows: &rows };
    let groups = Groups::merged(graph);
    let plan = |mode| Plan::new(graph, rows.len(), mode, &groups);
    let output = Runner::new(plan(Mode::Predict), values.clone()).predict(&feed).remove(0);
    let mut train = Runner::new(plan(Mode::Train), values);
    train.forward_backward(&feed, &[weight], 0);
    Probe { output, gradients: gradients(&train, rows.len()) }
}

/// The merged gradient of every parameter, by name.
pub fn gradients(runner: &Runner, rows: usize) -> BTreeMap<String, Vec<f32>> {
    let parameters = runner.plan().graph().parameters().iter().enumerate();
    let one = |(i, p): (usize, &Parameter)| Some((p.name.clone(), runner.gradients(ParameterId(i), rows).pop()?.1));
    parameters.filter_map(one).collect()
}

/// A table as the first layer: row i of it is what row i of the batch holds.
pub fn looked_up(g: &mut GraphBuilder, levels: usize, width: usize) -> NodeId {
    let ids = g.index_input("ids", 1);
    g.named("x").embedding(ids, IndexColumn { column: 0, levels }, width)
}
