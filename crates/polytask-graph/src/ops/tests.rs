//! Every op has an example, and reads back as it was written.

#![allow(clippy::unwrap_used, reason = "examples are right")]

use super::{NAMES, Op, examples};
use crate::example::{Kind, losses};
use crate::{Graph, LossKind};

/// The name of an op's variant as its JSON has it.
fn tag(op: &Op) -> String {
    match serde_json::to_value(op).unwrap() {
        serde_json::Value::String(tag) => tag,
        other => other.as_object().unwrap().keys().next().unwrap().clone(),
    }
}

#[test]
fn every_op_has_an_example_that_has_the_op() {
    for name in NAMES {
        assert!(examples().iter().any(|(of, _)| of == name), "{name} has no example");
    }
    for (name, example) in examples() {
        let graph = example.graph().unwrap();
        let wanted = name.chars().flat_map(|c| match c.is_uppercase() {
            true => vec!['_', c.to_ascii_lowercase()],
            false => vec![c],
        });
        let wanted: String = wanted.skip(1).collect();
        assert!(graph.nodes().iter().any(|node| tag(&node.op) == wanted), "an example of {name} is without it");
        graph.validate().unwrap();
        let again: Graph = serde_json::from_str(&serde_json::to_string(&graph).unwrap()).unwrap();
        assert_eq!(again, graph, "{name}");
        assert_eq!(again.validate().is_err(), example.kind == Kind::Custom, "{name}: from a file it is not bound");
    }
}

#[test]
fn every_loss_has_a_network() {
    let all = losses().unwrap();
    // The names that an unknown one is told of.
    let known = serde_json::from_str::<LossKind>("{\"kind\": \"none\"}").unwrap_err().to_string();
    let known: Vec<&str> = known.split('`').skip(3).step_by(2).collect();
    assert_eq!(known.len(), 9, "{known:?}");
    for name in known {
        assert!(all.iter().any(|(there, _)| *there == name), "{name} has no network");
    }
}

#[test]
fn labels_are_the_tags_of_json() {
    for (_, example) in examples() {
        for node in example.graph().unwrap().nodes() {
            match &node.op {
                Op::Custom(custom) => assert_eq!(node.op.label(), custom.what.name),
                op => assert_eq!(op.label(), tag(op)),
            }
        }
    }
}
