//! What people see of a graph.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_graph::{Activation, Graph, GraphBuilder, LossKind};

/// A trunk for three tasks, a branch for two of them, a head for each.
fn branches() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("numbers", 2);
    let trunk = g.named("trunk.0").dense(x, 8, Activation::Relu);
    let branch = g.named("branch.0").dense(trunk, 4, Activation::Relu);
    for (task, h) in [("height & more", branch), ("weight", branch), ("sex", trunk)] {
        let out = g.named(format!("heads.{task}")).dense(h, 1, Activation::Linear);
        g.loss(task, out, if task == "sex" { LossKind::BinaryCrossEntropy } else { LossKind::Mse });
    }
    g.finish().unwrap()
}

#[test]
fn text_says_who_learns_what() {
    let expected = "\
layer                op           gives  parameters  multiply-adds  learns from
numbers              input        2               0              0  all tasks
trunk.0              dense, relu  8              24             16  all tasks
branch.0             dense, relu  4              36             32  height & more, weight
heads.height & more  dense        1               5              4  height & more
heads.weight         dense        1               5              4  weight
heads.sex            dense        1               9              8  sex

losses: height & more (squared error), weight (squared error), sex (binary cross-entropy)
79 parameters, 60 of them shared (76 %); 64 multiply-adds a row
";
    assert_eq!(branches().text(), expected);
}

#[test]
fn the_drawing_has_a_box_a_layer_a_line_an_edge_and_colours_by_owner() {
    let svg = branches().svg();
    let has = |what: &str| svg.matches(what).count();
    // Six layers and three losses; five reads and three losses' reads.
    assert_eq!((has("<g><title>"), has("<path")), (9, 8));
    let fill = |name: &str| {
        let start = svg.find(&format!("<g><title>{name}:")).unwrap_or_else(|| panic!("{name} in {svg}"));
        svg[start..].split("fill=\"").nth(1).and_then(|s| s.split('"').next()).unwrap().to_owned()
    };
    let colors = ["trunk.0", "branch.0", "heads.weight", "heads.sex", "numbers"].map(fill);
    for (i, color) in colors.iter().enumerate() {
        assert!(!colors[..i].contains(color), "{colors:?}");
    }
    assert_eq!(fill("heads.sex"), fill("loss of sex"));
    assert!(svg.contains("height &amp; more") && !svg.contains("height & more"), "names are escaped");
}

#[test]
fn readers_stand_below_what_they_read() {
    let svg = branches().svg();
    let y = |name: &str| -> f64 {
        let start = svg.find(&format!("<g><title>{name}:")).unwrap();
        svg[start..].split(" y=\"").nth(1).and_then(|s| s.split('"').next()).unwrap().parse().unwrap()
    };
    assert!(y("numbers") < y("trunk.0") && y("trunk.0") < y("branch.0") && y("branch.0") < y("heads.weight"));
    assert_eq!(y("loss of sex"), y("loss of weight"), "losses stand in one row");
}
