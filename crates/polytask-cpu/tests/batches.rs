//! What is predicted for a row does not depend on the rows it is predicted with, to the bit: a server that runs requests
//! together gives the numbers that a file gives.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::differences::Data;
use polytask_cpu::*;
use polytask_graph::*;

/// Predicts all rows with plans for batches of several sizes, and row by row.
fn check(name: &str, graph: &Graph, rows: usize) {
    let data = Data::new(graph, rows, 1);
    data.with(graph, |feed| {
        let predict = |batch: usize, at_once: usize| {
            let plan = Plan::new(graph, batch, Mode::Predict, &Groups::merged(graph));
            let mut runner = Runner::new(plan, Parameters::init(graph, 3));
            let mut all: Vec<Vec<u32>> = vec![Vec::new(); graph.losses().len()];
            for rows in feed.rows.chunks(at_once) {
                let outputs = runner.predict(&Batch { rows, targets: &[], ..*feed });
                all.iter_mut().zip(outputs).for_each(|(all, out)| all.extend(out.iter().map(|v| v.to_bits())));
            }
            all
        };
        let whole = predict(rows, rows);
        for (batch, at_once) in [(1, 1), (rows, 1), (64, 2), (256, 7), (7, rows), (64, 33), (300, 129)] {
            assert!(predict(batch, at_once) == whole, "{name}: {at_once} rows at once, planned for {batch}");
        }
    });
}

/// A graph of one input of a width, and what is built on it.
fn on_rows(width: usize, build: impl FnOnce(&mut GraphBuilder, NodeId) -> NodeId) -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("x", width);
    let h = build(&mut g, x);
    let y = g.dense(h, 3, Activation::Linear);
    g.loss("loss", y, LossKind::Mse);
    g.finish().unwrap()
}

#[test]
fn dense_layers_of_any_width() {
    for (inputs, width) in [(1, 9), (2, 40), (3, 64), (31, 300), (513, 64), (784, 33), (1100, 20), (1536, 65)] {
        let graph = on_rows(inputs, |g, x| g.dense(x, width, Activation::Relu));
        check(&format!("{inputs} to {width}"), &graph, 300);
    }
}

#[test]
fn other_layers_of_rows() {
    check(
        "norms and gates",
        &on_rows(40, |g, x| {
            let h = g.dense(x, 48, Activation::Gelu);
            let h = g.layer_norm(h);
            let gate = g.softmax(h);
            let h = g.mul(h, gate);
            let h = g.dense(h, 600, Activation::Tanh);
            g.dense(h, 24, Activation::Sigmoid)
        }),
        300,
    );
}

#[test]
fn images() {
    let mut g = GraphBuilder::new();
    let x = g.image_input("x", [12, 12, 3]);
    let h = g.plain_conv2d(x, 8, Window::square(3));
    let h = g.batch_norm(h, Activation::Relu);
    let h = g.pool(h, Pooling::Max, Window::square(2).stride(2));
    let h = g.conv2d(h, 20, Window::square(3), Activation::Relu);
    let h = g.global_pool(h);
    let y = g.dense(h, 10, Activation::Linear);
    g.loss("loss", y, LossKind::Mse);
    check("images", &g.finish().unwrap(), 150);
}

#[test]
fn sequences() {
    let mut g = GraphBuilder::new();
    let tokens = g.ragged("tokens", DomainId::ROWS);
    let words = g.index_on(tokens, "words", 1);
    let x = g.embedding(words, IndexColumn { column: 0, levels: 5 }, 24);
    let h = g.lstm(x, 20, false);
    let back = g.gru(h, 32, true);
    let both = g.concat(&[h, back]);
    let h = g.attention(both, 2, true);
    let row = g.reduce(h, Reduction::Max);
    let y = g.dense(row, 12, Activation::Linear);
    g.loss("loss", y, LossKind::Mse);
    let z = g.dense(h, 9, Activation::Linear);
    g.loss("tokens", z, LossKind::Mse);
    check("sequences", &g.finish().unwrap(), 150);
}
