//! Ops and losses that callers bring: in files, bound again, and refused where they are not.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_graph::*;

/// A gated layer under a softened loss.
fn graph() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 3);
    let a = g.dense(x, 4, Activation::Tanh);
    let y = g.named("gate").custom(testing::gated(), &[a, a]);
    g.custom_loss("task", y, testing::softened());
    g.finish().unwrap()
}

#[test]
fn parameters_and_cost_are_the_ops_own() {
    let graph = graph();
    assert_eq!(graph.parameters().last().unwrap().name, "gate.weight");
    assert_eq!(graph.parameter_count(), 3 * 4 + 4 + 4);
    assert_eq!(graph.multiply_adds(), 3 * 4 + 3 * 4);
    assert!(graph.text().contains("gated") && graph.text().contains("softened"));
}

#[test]
fn files_have_names_and_settings_and_are_bound_again() {
    let graph = graph();
    let json = serde_json::to_value(&graph).unwrap();
    assert_eq!(json["nodes"][2]["op"], serde_json::json!({ "custom": { "name": "gated", "parameters": [2] } }));
    assert_eq!(json["losses"][0]["name"], "softened");
    assert_eq!(json["losses"][0]["kind"], "custom");
    assert_eq!(json["losses"][0]["settings"], serde_json::json!({ "sharpness": 1.5 }));
    let mut again: Graph = serde_json::from_value(json).unwrap();
    assert_eq!(again, graph);
    let refused = again.validate().unwrap_err().to_string();
    assert_eq!(
        refused,
        "layer \"gate\": its op \"gated\" is a caller's own and is not bound; `Graph::bind` finds it in a registry"
    );
    assert_eq!(again.ready().unwrap_err().to_string(), refused);
    again.bind(&testing::registry()).unwrap();
    again.ready().unwrap();
    assert_eq!(again.multiply_adds(), graph.multiply_adds());
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let read = |change: &dyn Fn(&mut serde_json::Value)| -> Graph {
        let mut json = serde_json::to_value(graph()).unwrap();
        change(&mut json);
        serde_json::from_value(json).unwrap()
    };
    let bind = |mut graph: Graph| graph.bind(&testing::registry()).unwrap_err().to_string();
    let unknown = read(&|json| json["nodes"][2]["op"]["custom"]["name"] = "swish".into());
    assert_eq!(bind(unknown), "layer \"gate\": the registry has no op \"swish\"; it has: gated");
    let unset = read(&|json| json["losses"][0]["settings"] = serde_json::json!({}));
    assert_eq!(bind(unset), "layer \"task\": its loss \"softened\": it has no sharpness");
    let missing = read(&|json| json["nodes"][2]["op"]["custom"]["parameters"] = serde_json::json!([]));
    assert_eq!(bind(missing), "layer \"gate\": it has 0 parameters, expected 1");
    let twice = read(&|json| json["nodes"][2]["op"]["custom"]["parameters"] = serde_json::json!([2, 2]));
    assert_eq!(bind(twice), "layer \"gate\": it reads one parameter twice");
    let far = read(&|json| json["nodes"][2]["op"]["custom"]["parameters"] = serde_json::json!([9]));
    assert_eq!(bind(far), "layer \"gate\": it reads parameter 9 which does not exist");
    let mut g = GraphBuilder::new();
    let x = g.input("x", 3);
    let y = g.named("gate").custom(testing::gated(), &[x]);
    g.custom_loss("task", y, testing::softened());
    assert!(g.finish().unwrap_err().to_string().starts_with("layer \"gate\": it gates features"));
}
