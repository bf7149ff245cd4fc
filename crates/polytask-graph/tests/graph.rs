//! What the builder accepts, refuses and derives.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_graph::*;

fn two_heads() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("numbers", 3);
    let c = g.index_input("categories", 2);
    let e = g.named("embed").embedding(c, IndexColumn { column: 1, levels: 7 }, 4);
    let o = g.one_hot(c, &[IndexColumn { column: 0, levels: 2 }]);
    let joined = g.concat(&[x, e, o]);
    let h = g.named("trunk.0").dense(joined, 5, Activation::Relu);
    let h = g.layer_norm(h);
    let a = g.named("heads.a").dense(h, 1, Activation::Linear);
    let b = g.named("heads.b").dense(h, 3, Activation::Linear);
    g.loss("a", a, LossKind::Mse);
    g.loss("b", b, LossKind::CrossEntropy);
    g.finish().unwrap()
}

#[test]
fn counts_and_reach() {
    let g = two_heads();
    assert_eq!(g.parameter_count(), 7 * 4 + (9 * 5 + 5) + 10 + (5 + 1) + (15 + 3));
    // one-hot 2, embedding 4, trunk 45, layer norm 5, heads 5 and 15
    assert_eq!(g.multiply_adds(), 2 + 4 + 45 + 5 + 5 + 15);
    let reach = g.reach();
    let shared: Vec<_> = g.parameters().iter().zip(&reach.parameters).filter(|(_, r)| r.len() == 2).collect();
    assert_eq!(
        shared.iter().map(|(p, _)| p.name.as_str()).collect::<Vec<_>>(),
        ["embed.table", "trunk.0.weight", "trunk.0.bias", "layer_norm_6.gain", "layer_norm_6.bias"]
    );
    let head_b = g.parameters().iter().position(|p| p.name == "heads.b.weight").unwrap();
    assert_eq!(reach.parameters[head_b], [LossId(1)]);
}

#[test]
fn survives_json_and_is_checked_again() {
    let g = two_heads();
    let text = serde_json::to_string(&g).unwrap();
    let back: Graph = serde_json::from_str(&text).unwrap();
    assert_eq!(back, g);
    back.validate().unwrap();
    let broken: Graph = serde_json::from_str(&text.replace("\"dims\":[9,5]", "\"dims\":[8,5]")).unwrap();
    let error = broken.validate().unwrap_err().to_string();
    assert_eq!(error, "layer \"trunk.0\": its parameter has shape [8, 5], expected [9, 5]");
    let far: Graph = serde_json::from_str(&text.replace("\"prediction\":7", "\"prediction\":70")).unwrap();
    assert!(far.validate().is_err());
}

#[test]
fn a_head_carries_what_its_bias_starts_at() {
    let head = |values: &[f32]| {
        let mut g = GraphBuilder::new();
        let x = g.input("numbers", 2);
        let y = g.named("heads.a").dense(x, 2, Activation::Linear);
        g.start_bias("heads.a", values);
        g.start_bias("heads.b", &[7.0]);
        g.loss("a", y, LossKind::Mse);
        g.finish()
    };
    let graph = head(&[0.1, -3.0]).unwrap();
    let starts: Vec<_> = graph.parameters().iter().map(|p| p.start.clone()).collect();
    assert_eq!(starts, [None, Some(vec![0.1, -3.0])]);
    let text = serde_json::to_string(&graph).unwrap();
    let back: Graph = serde_json::from_str(&text).unwrap();
    assert_eq!(back, graph);
    let longer: Graph = serde_json::from_str(&text.replace("[0.1,-3.0]", "[0.1]")).unwrap();
    let said = "layer \"heads.a.bias\": it has 2 values, and 1 to start at";
    assert_eq!(longer.validate().unwrap_err().to_string(), said);
    assert_eq!(head(&[1.0]).unwrap_err().to_string(), said);
    let infinite = head(&[1.0, f32::INFINITY]).unwrap_err().to_string();
    assert_eq!(infinite, "layer \"heads.a.bias\": it starts at values that are not finite");
}

#[test]
fn mistakes_name_the_layer() {
    let error = |build: &dyn Fn(&mut GraphBuilder)| {
        let mut g = GraphBuilder::new();
        build(&mut g);
        g.finish().unwrap_err().to_string()
    };
    assert_eq!(error(&|_| ()), "the graph has no loss; add one per task");
    let zero = error(&|g| {
        let x = g.input("x", 2);
        g.named("wide").dense(x, 0, Activation::Relu);
    });
    assert_eq!(zero, "layer \"wide\": it has no features; widths start at 1");
    let twice = error(&|g| {
        let x = g.input("x", 2);
        let h = g.named("h").dense(x, 2, Activation::Relu);
        g.named("h").dense(h, 2, Activation::Relu);
    });
    assert!(twice.contains("is used twice"), "{twice}");
    let rate = error(&|g| {
        let x = g.input("x", 2);
        g.named("drop").dropout(x, 1.0);
    });
    assert!(rate.contains("layer \"drop\": dropout rate is 1"), "{rate}");
    let unlike = error(&|g| {
        let (a, b) = (g.input("a", 2), g.input("b", 3));
        g.named("sum").add(&[a, b]);
    });
    assert_eq!(unlike, "layer \"sum\": it adds 3 features to 2");
    let index = error(&|g| {
        let c = g.index_input("c", 2);
        g.named("d").dense(c, 2, Activation::Relu);
    });
    assert!(index.contains("gives category indices"), "{index}");
    let column = error(&|g| {
        let c = g.index_input("c", 2);
        g.named("e").embedding(c, IndexColumn { column: 2, levels: 3 }, 2);
    });
    assert_eq!(column, "layer \"e\": it reads index column 2 of 2");
    let part = error(&|g| {
        let x = g.input("x", 2);
        g.named("s").slice(x, 1, 3);
    });
    assert_eq!(part, "layer \"s\": it takes features 1..3 of 2");
    let product = error(&|g| {
        let (a, b) = (g.input("a", 2), g.input("b", 3));
        g.named("product").mul(a, b);
    });
    assert_eq!(product, "layer \"product\": it multiplies 2 features with 3");
    let gate = error(&|g| {
        let (gate, a) = (g.input("gate", 3), g.input("a", 4));
        g.named("mix").mixture(gate, &[a, a]);
    });
    assert_eq!(gate, "layer \"mix\": its gate weighs 3 vectors of 2 features, and it gets 8 features");
    let ragged = error(&|g| {
        let (gate, a, b) = (g.input("gate", 2), g.input("a", 4), g.input("b", 3));
        g.named("mix").mixture(gate, &[a, b]);
    });
    assert_eq!(ragged, "layer \"mix\": it mixes vectors of 4 features, and one input has 3");
    let bits = error(&|g| {
        let bits = g.input("bits", 4);
        g.named("codes").codes(bits, 5);
    });
    assert_eq!(bits, "layer \"codes\": 5 choices have 3 bits, and it gets 4 features");
}

#[test]
fn a_stopped_gradient_is_not_reached() {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 2);
    let below = g.named("below").dense(x, 2, Activation::Relu);
    let stopped = g.stop_gradient(below);
    let a = g.named("a").dense(stopped, 1, Activation::Linear);
    let b = g.named("b").dense(below, 1, Activation::Linear);
    g.loss("a", a, LossKind::Mse);
    g.loss("b", b, LossKind::Mse);
    let reach = g.finish().unwrap().reach();
    assert_eq!(reach.parameters[0], [LossId(1)]);
    assert_eq!(reach.parameters[2], [LossId(0)]);
}

#[test]
fn bits_of_codes() {
    assert_eq!([1, 2, 3, 4, 5, 8, 9].map(Op::code_bits), [0, 1, 2, 2, 3, 3, 4]);
}
