//! Ops against PyTorch in f64: outputs and gradients. Inputs are looked up in a table, whose gradient is theirs.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::*;
use polytask_graph::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;

/// A number here is a sum of at most eight products, taken through an approximation of a transcendental function that
/// is right to three or four units, times a cotangent that is right to two. Sixteen units are 1e-6.
const UNITS: f32 = 16.0;

#[derive(Deserialize)]
struct LayerCase {
    activation: Option<Activation>,
    input: Tensor,
    weight: Tensor,
    bias: Tensor,
    output: Tensor,
    cotangent: Tensor,
    input_gradient: Tensor,
    weight_gradient: Tensor,
    bias_gradient: Tensor,
}

impl LayerCase {
    /// Compares a layer called `layer`, whose parameters are `weight` and `layer.bias`.
    fn check(&self, what: &str, layer: impl FnOnce(&mut GraphBuilder, NodeId) -> NodeId, weight: &str) {
        let mut g = GraphBuilder::new();
        let x = looked_up(&mut g, self.input.rows(), self.input.width());
        let z = layer(&mut g, x);
        g.loss("task", z, LossKind::Mse);
        let graph = g.finish().unwrap();
        let ids: Vec<u32> = (0..self.input.rows() as u32).collect();
        let values = [("x.table", &self.input), (weight, &self.weight), ("layer.bias", &self.bias)]
            .map(|(name, of)| (name, of.data.as_slice()));
        let found = probe(&graph, &values, &ids, &self.output.data, &self.cotangent.data);
        assert_close(&format!("{what}, output"), &found.output, &self.output.data, UNITS);
        let expected =
            [("x.table", &self.input_gradient), (weight, &self.weight_gradient), ("layer.bias", &self.bias_gradient)];
        for (name, expected) in expected {
            assert_close(&format!("{what}, gradient of {name}"), &found.gradients[name], &expected.data, UNITS);
        }
    }
}

#[test]
fn dense_with_every_activation() {
    let cases: Vec<LayerCase> = fixture("dense");
    assert_eq!(cases.len(), 6);
    for case in cases {
        let activation = case.activation.unwrap();
        case.check(
            &format!("{activation:?}"),
            |g, x| g.named("layer").dense(x, case.weight.width(), activation),
            "layer.weight",
        );
    }
}

#[test]
fn layer_norm() {
    let cases: Vec<LayerCase> = fixture("layer_norm");
    assert_eq!(cases.len(), 2);
    for (i, case) in cases.iter().enumerate() {
        case.check(&format!("case {i}"), |g, x| g.named("layer").layer_norm(x), "layer.gain");
    }
}

#[derive(Deserialize)]
struct EmbeddingCase {
    ids: Tensor,
    table: Tensor,
    output: Tensor,
    cotangent: Tensor,
    table_gradient: Tensor,
}

#[test]
fn embedding() {
    let cases: Vec<EmbeddingCase> = fixture("embedding");
    for case in cases {
        let mut g = GraphBuilder::new();
        let z = looked_up(&mut g, case.table.rows(), case.table.width());
        g.loss("task", z, LossKind::Mse);
        let graph = g.finish().unwrap();
        let values = [("x.table", case.table.data.as_slice())];
        let found = probe(&graph, &values, &case.ids.indices(), &case.output.data, &case.cotangent.data);
        assert_eq!(found.output, case.output.data, "a look-up copies");
        // Two roundings of the cotangent, at most two additions a row of the table, one rounding of the fixture.
        assert_close("gradient of the table", &found.gradients["x.table"], &case.table_gradient.data, 8.0);
    }
}

#[derive(Deserialize)]
struct GateCase {
    op: String,
    /// Of the op's inputs, which stand side by side.
    widths: Vec<usize>,
    input: Tensor,
    output: Tensor,
    cotangent: Tensor,
    input_gradient: Tensor,
}

#[test]
fn gates() {
    let cases: Vec<GateCase> = fixture("gates");
    assert_eq!(cases.len(), 11);
    for case in cases {
        let mut g = GraphBuilder::new();
        let x = looked_up(&mut g, case.input.rows(), case.input.width());
        let mut end = 0;
        let mut part = |width: &usize| {
            end += width;
            g.slice(x, end - width, end)
        };
        let inputs: Vec<NodeId> = case.widths.iter().map(&mut part).collect();
        let z = match case.op.as_str() {
            "softmax" => g.softmax(inputs[0]),
            "mul" => g.mul(inputs[0], inputs[1]),
            "mixture" => g.mixture(inputs[0], &inputs[1..]),
            "smooth_step" => g.activation(inputs[0], Activation::SmoothStep),
            codes => g.codes(inputs[0], codes.trim_start_matches("codes_").parse().unwrap()),
        };
        g.loss("task", z, LossKind::Mse);
        let ids: Vec<u32> = (0..case.input.rows() as u32).collect();
        let values = [("x.table", case.input.data.as_slice())];
        let found = probe(&g.finish().unwrap(), &values, &ids, &case.output.data, &case.cotangent.data);
        let what = format!("{} of {:?}", case.op, case.widths);
        assert_close(&format!("{what}, output"), &found.output, &case.output.data, UNITS);
        let gradient = &found.gradients["x.table"];
        assert_close(&format!("{what}, gradient"), gradient, &case.input_gradient.data, UNITS);
    }
}

/// The fixtures are narrow. This is every way a product can be computed (narrow, long dot, blocked), against sums in f64. Roundings of at
/// most 150 terms add up like a random walk, to about a dozen units; 32 are 2e-6.
#[test]
fn dense_of_every_shape() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for k in [1, 2, 3, 8, 31, 32, 40, 64, 65, 150] {
        for n in [1, 2, 3, 7, 8, 9, 16, 33, 70] {
            let mut draw = |len: usize| (0..len).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<f32>>();
            let rows = 19;
            let (x, w, b, c) = (draw(rows * k), draw(k * n), draw(n), draw(rows * n));
            // `sum over i of a(i) b(i)`, for every pair of places.
            let product = |m: usize, n: usize, len: usize, term: &dyn Fn(usize, usize, usize) -> f64| -> Vec<f32> {
                let all = (0..m).flat_map(|i| (0..n).map(move |j| (i, j)));
                all.map(|(i, j)| (0..len).map(|l| term(i, j, l)).sum::<f64>() as f32).collect()
            };
            let at = |m: &[f32], i: usize| f64::from(m[i]);
            let y = product(rows, n, k, &|r, j, i| at(&x, r * k + i) * at(&w, i * n + j) + at(&b, j) / k as f64);
            let dx = product(rows, k, n, &|r, i, j| at(&c, r * n + j) * at(&w, i * n + j));
            let dw = product(k, n, rows, &|i, j, r| at(&x, r * k + i) * at(&c, r * n + j));
            let db = product(1, n, rows, &|_, j, r| at(&c, r * n + j));
            let mut g = GraphBuilder::new();
            let h = looked_up(&mut g, rows, k);
            let z = g.named("layer").dense(h, n, Activation::Linear);
            g.loss("task", z, LossKind::Mse);
            let ids: Vec<u32> = (0..rows as u32).collect();
            let values = [("x.table", x.as_slice()), ("layer.weight", &w), ("layer.bias", &b)];
            let found = probe(&g.finish().unwrap(), &values, &ids, &y, &c);
            assert_close(&format!("{k} x {n}, output"), &found.output, &y, 32.0);
            for (name, expected) in [("x.table", &dx), ("layer.weight", &dw), ("layer.bias", &db)] {
                assert_close(&format!("{k} x {n}, gradient of {name}"), &found.gradients[name], expected, 32.0);
            }
        }
    }
}
