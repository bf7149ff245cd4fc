//! Ops on images against PyTorch in f64: outputs and gradients. Images are looked up in a table, whose gradient is theirs.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::*;
use polytask_cpu::*;
use polytask_graph::*;
use serde::Deserialize;
use std::collections::BTreeMap;

/// A number here is a sum of at most 17 rows times 21 pixels or 54 products, whose roundings add up like a random walk,
/// to a few dozen units. Sixty-four units are 4e-6.
const UNITS: f32 = 64.0;

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Layer {
    Conv2d { channels: usize, groups: usize, window: Window, relu: bool },
    Pool { pooling: Pooling, window: Window },
    GlobalPool,
    Upsample { interpolation: Interpolation, factor: usize },
    GroupNorm { groups: usize },
}

#[derive(Deserialize)]
struct Case {
    op: Layer,
    input: Tensor,
    parameters: BTreeMap<String, Tensor>,
    output: Tensor,
    cotangent: Tensor,
    input_gradient: Tensor,
    gradients: BTreeMap<String, Tensor>,
}

/// Images of a fixture from a table.
fn images(g: &mut GraphBuilder, input: &Tensor) -> (NodeId, Vec<u32>) {
    let (rows, shape) = (input.shape[0], &input.shape[1..]);
    let x = looked_up(g, rows, shape.iter().product());
    (g.reshape(x, shape), (0..rows as u32).collect())
}

#[test]
fn layers() {
    let cases: Vec<Case> = fixture("images");
    assert_eq!(cases.len(), 15);
    for (i, case) in cases.iter().enumerate() {
        let mut g = GraphBuilder::new();
        let (x, ids) = images(&mut g, &case.input);
        let g1 = g.named("layer");
        let z = match case.op {
            Layer::Conv2d { channels, groups, window, relu } => {
                g1.grouped_conv2d(x, channels, window, groups, relu.then_some(Activation::Relu))
            }
            Layer::Pool { pooling, window } => g1.pool(x, pooling, window),
            Layer::GlobalPool => g1.global_pool(x),
            Layer::Upsample { interpolation, factor } => g1.upsample(x, factor, interpolation),
            Layer::GroupNorm { groups } => g1.group_norm(x, groups, Activation::Relu),
        };
        g.loss("task", z, LossKind::Mse);
        let graph = g.finish().unwrap();
        assert_eq!(graph.node(z).shape.0, case.output.shape[1..], "case {i}, shape");
        let names: Vec<String> = case.parameters.keys().map(|name| format!("layer.{name}")).collect();
        let own = names.iter().zip(case.parameters.values()).map(|(name, of)| (name.as_str(), of.data.as_slice()));
        let values: Vec<_> = own.chain([("x.table", case.input.data.as_slice())]).collect();
        let found = probe(&graph, &values, &ids, &case.output.data, &case.cotangent.data);
        assert_close(&format!("case {i}, output"), &found.output, &case.output.data, UNITS);
        let own = names.iter().map(String::as_str).zip(case.gradients.values());
        for (name, expected) in own.chain([("x.table", &case.input_gradient)]) {
            assert_close(&format!("case {i}, gradient of {name}"), &found.gradients[name], &expected.data, UNITS);
        }
    }
}

#[derive(Deserialize)]
struct BatchNormCase {
    input: Tensor,
    gain: Tensor,
    bias: Tensor,
    mean: Tensor,
    variance: Tensor,
    evaluated: Tensor,
    cotangent: Tensor,
    input_gradient: Tensor,
    gain_gradient: Tensor,
    bias_gradient: Tensor,
    new_mean: Tensor,
    new_variance: Tensor,
}

#[test]
fn batch_norm() {
    let case: BatchNormCase = fixture("batch_norm");
    let mut g = GraphBuilder::new();
    let (x, ids) = images(&mut g, &case.input);
    let z = g.named("layer").batch_norm(x, Activation::Relu);
    g.loss("task", z, LossKind::Mse);
    let graph = g.finish().unwrap();
    let own = [
        ("x.table", &case.input),
        ("layer.gain", &case.gain),
        ("layer.bias", &case.bias),
        ("layer.mean", &case.mean),
        ("layer.variance", &case.variance),
    ];
    let values = own.map(|(name, of)| (name, of.data.as_slice()));
    let found = probe(&graph, &values, &ids, &case.evaluated.data, &case.cotangent.data);
    assert_close("output by the running averages", &found.output, &case.evaluated.data, UNITS);
    let expected =
        [("x.table", &case.input_gradient), ("layer.gain", &case.gain_gradient), ("layer.bias", &case.bias_gradient)];
    for (name, expected) in expected {
        assert_close(&format!("gradient of {name}"), &found.gradients[name], &expected.data, UNITS);
    }

    // A step without a learning rate moves the running averages alone, whatever is clipped.
    let mut parameters = Parameters::zeros(&graph);
    values.iter().for_each(|(name, of)| parameters.set(&graph, name, of).unwrap());
    let mut runner =
        Runner::new(Plan::new(&graph, ids.len(), Mode::Train, &Groups::separate(&graph)), parameters.clone());
    let (labels, weights) = (vec![0.0; case.cotangent.data.len()], vec![1.0; ids.len()]);
    let targets = [Target { labels: Labels::Real(&labels), weights: &weights }];
    let feed = Batch { inputs: &[Numbers::Index(&ids)], targets: &targets, offsets: &[], rows: &ids };
    runner.forward_backward(&feed, &[1.0], 0);
    let mut optimizer = Optimizer::new(Rule::Sgd { momentum: 0.0, nesterov: false }, parameters.values().len());
    let update = Update { rate: 0.0, clip: Some(1e-3), l2: 0.1, l2_biases: true };
    runner.update(&mut optimizer, update, ids.len(), Combine::Weighted { shared: &[0.5], heads: &[0.5] });
    for (i, parameter) in graph.parameters().iter().enumerate() {
        let (new, old) = (runner.parameters().of(ParameterId(i)), parameters.of(ParameterId(i)));
        match parameter.name.as_str() {
            "layer.mean" => assert_close("new mean", new, &case.new_mean.data, UNITS),
            "layer.variance" => assert_close("new variance", new, &case.new_variance.data, UNITS),
            name => assert_eq!(new, old, "{name}"),
        }
    }
}

#[derive(Deserialize)]
struct PixelCase {
    input: Tensor,
    classes: Tensor,
    weights: Tensor,
    loss: f64,
    input_gradient: Tensor,
}

#[test]
fn a_class_for_every_pixel() {
    let case: PixelCase = fixture("pixel_cross_entropy");
    let mut g = GraphBuilder::new();
    let (z, ids) = images(&mut g, &case.input);
    g.loss("task", z, LossKind::CrossEntropy);
    let graph = g.finish().unwrap();
    let classes: Vec<u32> = case.classes.data.iter().map(|c| if *c < 0.0 { u32::MAX } else { *c as u32 }).collect();
    let targets = [Target { labels: Labels::Class(&classes), weights: &case.weights.data }];
    let feed = Batch { inputs: &[Numbers::Index(&ids)], targets: &targets, offsets: &[], rows: &ids };
    let mut parameters = Parameters::zeros(&graph);
    parameters.set(&graph, "x.table", &case.input.data).unwrap();
    let mut runner = Runner::new(Plan::new(&graph, ids.len(), Mode::Train, &Groups::merged(&graph)), parameters);
    let loss = runner.forward_backward(&feed, &[1.0], 0)[0].unwrap();
    assert!((loss - case.loss).abs() < 1e-6 * case.loss, "{loss} {}", case.loss);
    let gradient = &gradients(&runner, ids.len())["x.table"];
    assert_close("gradient of the logits", gradient, &case.input_gradient.data, UNITS);
}
