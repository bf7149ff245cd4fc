//! Every op and every loss that there is, on an example beside its definition: gradients against differences, many losses in
//! one backward pass against one each, the same bits on any number of threads, and a row alone as among others.

#![allow(clippy::unwrap_used, reason = "the examples are right")]

mod common;

use common::differences::*;
use polytask_cpu::*;
use polytask_graph::testing::{self, Kind};
use polytask_graph::*;

/// All graphs, with what they are examples of.
fn all() -> Vec<(String, Graph, Kind)> {
    let ops = testing::examples().into_iter();
    let ops = ops.map(|(name, example)| (name.to_owned(), example.graph().unwrap(), example.kind));
    let losses = testing::losses().unwrap().into_iter();
    ops.chain(losses.map(|(name, graph)| (format!("loss {name}"), graph, Kind::Plain))).collect()
}

#[test]
fn gradients() {
    for (name, graph, kind) in all() {
        println!("{name}");
        // What is drawn has a gradient that is right on average only.
        if kind != Kind::Drawn {
            check_differences(&graph, 35);
        }
        check_stacked(&graph, 35, 2);
    }
}

#[test]
fn the_same_bits_on_any_number_of_threads() {
    for (name, graph, _) in all() {
        let data = Data::new(&graph, 700, 3);
        let step = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                data.with(&graph, |feed| {
                    let mut runner = runner(&graph, 700, &Groups::separate(&graph));
                    let losses = runner.forward_backward(feed, &vec![1.0; graph.losses().len()], NOISE);
                    let ids = (0..graph.parameters().len()).map(ParameterId);
                    let gradients: Vec<_> = ids.map(|p| runner.gradients(p, 700)).collect();
                    (losses, gradients, runner.predict(feed))
                })
            })
        };
        let one = step(1);
        assert!(step(4) == one, "{name}: four threads give other bits");
    }
}
