//! Architectures against the same weights in PyTorch in f64: outputs, losses and gradients.

#![allow(clippy::unwrap_used, reason = "the fixtures of a test are right")]

mod common;

use polytask::prepare;
use polytask::share;
use polytask_exec::{Groups, Parameters};
use polytask_graph::ParameterId;
use polytask_model::Device;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Tensor {
    shape: Vec<usize>,
    data: Vec<f32>,
}

#[derive(Deserialize)]
struct Fixture {
    trunk: Vec<usize>,
    input: Tensor,
    labels: BTreeMap<String, Vec<Option<f32>>>,
    outputs: BTreeMap<String, Tensor>,
    losses: BTreeMap<String, f64>,
    parameters: BTreeMap<String, Tensor>,
    gradients: BTreeMap<String, Tensor>,
}

/// Numbers pass two layers and their mixing or masks, each worth some roundings of 6e-8 of the terms of its sums, which
/// are of the size `terms` where they may cancel.
fn assert_close(what: &str, got: &[f32], expected: &[f32], terms: f32) {
    assert_eq!(got.len(), expected.len(), "{what}");
    let size = largest(expected).max(terms);
    for (g, e) in got.iter().zip(expected) {
        assert!((g - e).abs() <= 3e-6 * size, "{what}: {g} {e}");
    }
}

fn largest(values: &[f32]) -> f32 {
    values.iter().fold(0.0, |m, v| m.max(v.abs()))
}

fn check(name: &str) {
    let path = format!("{}/tests/fixtures/{name}.json", env!("CARGO_MANIFEST_DIR"));
    let fixture: Fixture = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let width = fixture.input.shape[1];
    let names = (0..width).map(|i| format!("x{i}")).chain(fixture.labels.keys().cloned());
    let mut text = names.collect::<Vec<_>>().join(",");
    for (row, x) in fixture.input.data.chunks(width).enumerate() {
        let label = |label: Option<f32>| label.map_or(String::new(), |v| v.to_string());
        let labels = fixture.labels.values().map(|labels| label(labels[row]));
        text += &format!("\n{}", x.iter().map(f32::to_string).chain(labels).collect::<Vec<_>>().join(","));
    }
    let plain = |i: usize| format!("x{i} = {{ kind = \"number\", standardize = false }}\n");
    let inputs: String = (0..width).map(plain).collect();
    let tasks: String =
        fixture.labels.keys().map(|t| format!("[tasks.{t}]\nkind = \"regression\"\nstandardize = false\n")).collect();
    let sections = format!(
        "split = {{ valid = 0, test = 0 }}\n[inputs]\n{inputs}{tasks}[model]\nsharing = \"{name}\"\ntrunk = {:?}\n",
        fixture.trunk
    );
    let folder = tempfile::tempdir().unwrap();
    let config = common::config(&folder, &text, &sections);
    let prepared = prepare(&config).unwrap();
    let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks)).unwrap();
    let mut values = Parameters::zeros(&graph);
    assert_eq!(graph.parameters().len(), fixture.parameters.len());
    for (of, tensor) in &fixture.parameters {
        let parameter = graph.parameters().iter().find(|p| p.name == *of).unwrap();
        assert_eq!(parameter.dims, tensor.shape, "{of}");
        values.set(&graph, of, &tensor.data).unwrap();
    }
    let rows: Vec<u32> = (0..fixture.input.shape[0] as u32).collect();
    let device = Device::default();
    let tasks: Vec<usize> = (0..fixture.labels.len()).collect();
    prepared
        .data
        .with_batch(&graph, &tasks, &rows, |feed| {
            let outputs = device.predicting(&graph, rows.len(), &values).unwrap().predict(feed);
            for ((task, expected), output) in fixture.outputs.iter().zip(&outputs.tasks) {
                assert_close(&format!("{name}, output of {task}"), output.prediction.values(), &expected.data, 0.0);
            }
            let mut session = device.gradients(&graph, rows.len(), Groups::merged(&graph), &values).unwrap();
            let losses = session.forward_backward(feed, &vec![1.0; tasks.len()], 0);
            for ((task, expected), loss) in fixture.losses.iter().zip(losses) {
                assert_close(&format!("{name}, loss of {task}"), &[loss.unwrap() as f32], &[*expected as f32], 0.0);
            }
            let steep = fixture.gradients.values().fold(0.0, |m: f32, g| m.max(largest(&g.data)));
            for (i, parameter) in graph.parameters().iter().enumerate() {
                let gradient = session.gradients(ParameterId(i)).remove(0).1;
                let of = &parameter.name;
                assert_close(&format!("{name}, gradient of {of}"), &gradient, &fixture.gradients[of].data, 0.1 * steep);
            }
        })
        .unwrap();
}

#[test]
fn cross_stitch() {
    check("cross_stitch");
}

#[test]
fn mtan() {
    check("mtan");
}

#[test]
fn hard() {
    check("hard");
}

#[test]
fn mmoe() {
    check("mmoe");
}

#[test]
fn ple() {
    check("ple");
}
