//! Many losses in one backward against one backward each, over random networks in which every op there is comes up.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::differences::check_stacked;
use common::random::random_graph;
use polytask_graph::*;
use proptest::prelude::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::collections::BTreeSet;

/// The networks that are always checked.
const SEEDS: std::ops::Range<u64> = 0..150;

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    /// The stacked backward gives, for every parameter, exactly the tasks that reach it and the gradient that a
    /// backward pass of that task alone gives.
    #[test]
    fn many_losses_in_one_backward(seed in 1_000u64..1_000_000, rows in 1usize..60) {
        check_stacked(&random_graph(seed), rows, seed);
    }
}

#[test]
fn every_op_with_several_losses_above_it() {
    let mut drawn = BTreeSet::new();
    let mut losses = BTreeSet::new();
    for seed in SEEDS {
        let graph = random_graph(seed);
        check_stacked(&graph, 7 + seed as usize % 30, seed);
        let reach = graph.reach().nodes;
        drawn.extend(graph.nodes().iter().zip(&reach).filter(|(_, losses)| losses.len() > 1).map(|(n, _)| name(&n.op)));
        losses.extend(graph.losses().iter().map(|loss| loss.kind.clone()).map(|kind| name(&kind)));
    }
    assert_eq!(all::<Op>("\"none\"").difference(&drawn).collect::<Vec<_>>(), [""; 0], "ops that no network has");
    let missing = all::<LossKind>("{\"kind\": \"none\"}");
    assert_eq!(missing.difference(&losses).collect::<Vec<_>>(), [""; 0], "losses that no network has");
}

/// What a variant is called in files.
fn name(of: &impl Serialize) -> String {
    let value = serde_json::to_value(of).unwrap();
    let key = || {
        value.as_object().and_then(|o| o.get("kind").and_then(|k| k.as_str()).or(o.keys().next().map(|k| k.as_str())))
    };
    value.as_str().or_else(key).unwrap().to_owned()
}

/// The names of all variants there are, as the complaint about one that is not there lists them: no list to forget a new
/// op in.
fn all<T: DeserializeOwned>(wrong: &str) -> BTreeSet<String> {
    let complaint = serde_json::from_str::<T>(wrong).map(|_| ()).unwrap_err().to_string();
    let names = complaint.split('`').skip(3).step_by(2).map(str::to_owned).collect::<BTreeSet<_>>();
    assert!(names.len() > 7, "{complaint}");
    names
}
