//! The CPU as a backend: typed outputs, little memory, an optimiser that goes on.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::differences::Data;
use polytask_cpu::Cpu;
use polytask_exec::*;
use polytask_graph::*;

/// Tags by a conditional random field, arcs between tokens with labels, and a number a row.
fn graph() -> Graph {
    let mut g = GraphBuilder::new();
    let tokens = g.ragged("tokens", DomainId::ROWS);
    let words = g.index_on(tokens, "words", 1);
    let x = g.embedding(words, IndexColumn { column: 0, levels: 5 }, 6);
    let z = g.dense(x, 5, Activation::Linear);
    g.crf_loss("tags", z);
    let pairs = g.product("pairs", tokens, tokens);
    let (dependent, head) = (g.dense(x, 4, Activation::Tanh), g.dense(x, 4, Activation::Tanh));
    let arcs = g.biaffine(pairs, dependent, head, true);
    let labels = g.dense(x, 3, Activation::Linear);
    g.loss("heads", arcs, LossKind::Arcs { labels });
    let row = g.reduce(x, Reduction::Mean);
    let z = g.dense(row, 2, Activation::Linear);
    g.loss("row", z, LossKind::Mse);
    g.finish().unwrap()
}

#[test]
fn outputs_know_their_widths_and_rows() {
    let (graph, n) = (graph(), 23);
    let parameters = Parameters::init(&graph, 3);
    let session = |spec: &Spec| Cpu.session(&graph, spec, &parameters).unwrap();
    Data::new(&graph, n, 2).with(&graph, |feed| {
        let all = session(&Spec::predict(&graph, n)).predict(feed);
        let [tags, heads, row] = [0, 1, 2].map(|task| &all.tasks[task]);
        assert_eq!((tags.prediction.width(), tags.prediction.rows()), (5, n));
        assert_eq!(tags.transitions.as_ref().map(Vec::len), Some(6 * 5));
        assert_eq!((row.prediction.width(), row.prediction.elements()), (2, n));
        assert!(heads.transitions.is_none() && row.arc_labels.is_none());
        let labels = heads.arc_labels.as_ref().unwrap();
        assert_eq!((labels.width(), heads.prediction.width()), (3, 1));
        for r in 0..n {
            let tokens = tags.prediction.elements_of(r).len();
            assert_eq!((labels.elements_of(r).len(), heads.prediction.elements_of(r).len()), (tokens, tokens * tokens));
        }
        assert!(tags.prediction.elements() > n, "else there is nothing to cut");
        // The rows of a request that was run with others are those of the request alone.
        let alone = session(&Spec::predict(&graph, n)).predict(&Batch { rows: &feed.rows[7..11], ..*feed });
        assert_eq!(all.select(7..11), alone);
    });
}

#[test]
fn little_memory_changes_no_bit() {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 8);
    let h = g.dense(x, 300, Activation::Relu);
    let z = g.dense(h, 2, Activation::Linear);
    g.loss("y", z, LossKind::Mse);
    let graph = g.finish().unwrap();
    let parameters = Parameters::init(&graph, 3);
    Data::new(&graph, 900, 2).with(&graph, |feed| {
        let spec = Spec::predict(&graph, 900);
        let mut wide = Cpu.session(&graph, &spec, &parameters).unwrap();
        let mut narrow = Cpu.session(&graph, &spec.memory(100_000), &parameters).unwrap();
        assert_eq!(wide.predict(feed), narrow.predict(feed));
        let [wide, narrow] = [&mut wide, &mut narrow].map(|session| session.evaluate(feed)[0].unwrap());
        assert!((wide - narrow).abs() <= 1e-12 * wide, "{wide} {narrow}");
    });
}

#[test]
fn an_optimiser_goes_on_where_it_was() {
    let graph = graph();
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 };
    let spec = Spec::train(23, Groups::merged(&graph)).rule(rule);
    let update = Update { rate: 1e-2, clip: None, l2: 0.0, l2_biases: false };
    Data::new(&graph, 23, 2).with(&graph, |feed| {
        let step = |session: &mut Box<dyn Session>| {
            session.forward_backward(feed, &[1.0; 3], 0);
            session.step(update, Combine::Sum);
        };
        let mut whole = Cpu.session(&graph, &spec, &Parameters::init(&graph, 3)).unwrap();
        step(&mut whole);
        let mut later = Cpu.session(&graph, &spec, whole.parameters()).unwrap();
        assert!(later.restore(whole.optimizer().clone()));
        step(&mut whole);
        step(&mut later);
        assert!(whole.parameters() == later.parameters() && whole.optimizer() == later.optimizer());
        let other = OptimizerState { step: 1, moments: vec![vec![0.0; 3]] };
        assert!(!later.restore(other) && later.optimizer() == whole.optimizer());
    });
}
