//! Mixtures of experts: their keys, and what is whose in the networks they make.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use polytask::config::{Config, Sharing};
use polytask::share::{Cgc, Counts, DselectK, GateConfig, Mmoe, cgc, dselect_k_gate, mmoe, omoe, ple, softmax_gate};
use polytask_graph::{Activation, Graph, GraphBuilder, LossKind, NodeId, Op};

fn sharing(text: &str) -> Result<Sharing, String> {
    let text = format!("[data]\npath = \"x.csv\"\n[tasks.a]\n[tasks.b]\n[model]\n{text}\n");
    Config::from_toml(&text, "c.toml").map(|config| config.model.sharing).map_err(|error| error.to_string())
}

#[test]
fn keys_are_read_and_written() {
    assert_eq!(sharing("sharing = \"mmoe\"").unwrap(), Sharing::Mmoe(Mmoe::default()));
    let gate = GateConfig { hidden: vec![16], dropout: 0.1 };
    let full = "sharing = { method = \"cgc\", shared = 3, specific = 2, widths = [32, 8], gate = { hidden = [16], dropout = 0.1 } }";
    let expected = Cgc { shared: 3, specific: 2, widths: Some(vec![32, 8]), gate };
    assert_eq!(sharing(full).unwrap(), Sharing::Cgc(expected));
    let chosen = sharing("sharing = { method = \"dselect_k\", experts = 5, k = 5, per_row = false }").unwrap();
    assert_eq!(chosen, Sharing::DselectK(DselectK { experts: 5, k: 5, per_row: false, entropy: 1e-3, widths: None }));
    for text in [full, "sharing = \"ple\""] {
        let config = format!("[data]\npath = \"x.csv\"\n[tasks.a]\n[model]\n{text}\n");
        let written = Config::from_toml(&config, "c.toml").unwrap().to_toml().unwrap();
        assert_eq!(Config::from_toml(&written, "w.toml").unwrap().model.sharing, sharing(text).unwrap());
    }
}

#[test]
fn wrong_values_are_refused_at_their_key() {
    let refused = [
        ("{ method = \"mmoe\", experts = 0 }", "`model.sharing.experts` is 0; it must be from 1 to 1024"),
        ("{ method = \"omoe\", experts = 5000 }", "`model.sharing.experts` is 5000; it must be from 1 to 1024"),
        ("{ method = \"cgc\", shared = 0 }", "`model.sharing.shared` is 0; it must be from 1 to 1024"),
        ("{ method = \"cgc\", specific = 0 }", "`model.sharing.specific` is 0; it must be from 1 to 1024"),
        ("{ method = \"ple\", levels = 0 }", "`model.sharing.levels` is 0; it must be from 1 to 1024"),
        ("{ method = \"mmoe\", widths = [8, 0] }", "`model.sharing.widths` has a layer of width 0"),
        ("{ method = \"mmoe\", widths = [] }", "experts without layers are all the same"),
        ("{ method = \"mmoe\", gate = { hidden = [0] } }", "`model.sharing.gate.hidden` has a layer of width 0"),
        ("{ method = \"mmoe\", gate = { dropout = 1.0 } }", "`model.sharing.gate.dropout` is 1; it must be at least 0"),
        ("{ method = \"dselect_k\", experts = 1, k = 1 }", "`model.sharing.experts` is 1; a choice needs 2 experts"),
        ("{ method = \"dselect_k\", k = 0 }", "`model.sharing.k` is 0; it must be from 1 to the number of experts, 8"),
        ("{ method = \"dselect_k\", entropy = -1 }", "`model.sharing.entropy` is -1; it must be 0 or above"),
        ("{ method = \"dselect_k\", experts = 3, k = 4 }", "it must be from 1 to the number of experts, 3"),
    ];
    for (table, message) in refused {
        let error = sharing(&format!("sharing = {table}")).unwrap_err();
        assert!(error.contains(message) && error.contains("c.toml:6:"), "{table}:\n{error}");
    }
    let error = sharing("trunk = []\nsharing = \"mmoe\"").unwrap_err();
    assert!(error.contains("experts without layers are all the same"), "{error}");
}

fn owners() -> [String; 2] {
    ["a.".to_owned(), "b.".to_owned()]
}

/// Two tasks on the representations that `share` makes of four inputs.
fn network(share: impl FnOnce(&mut GraphBuilder, NodeId) -> Vec<NodeId>) -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 4);
    let h = share(&mut g, x);
    for (task, h) in ["a", "b"].into_iter().zip(h) {
        let y = g.named(format!("heads.{task}")).dense(h, 1, Activation::Linear);
        g.loss(task, y, LossKind::Mse);
    }
    g.finish().unwrap()
}

fn expert(g: &mut GraphBuilder, name: &str, x: NodeId) -> NodeId {
    g.named(name).dense(x, 3, Activation::Relu)
}

/// The layers with weights, each with the tasks that learn it.
fn owned(graph: &Graph) -> Vec<String> {
    let reach = graph.reach();
    let weights = graph.parameters().iter().zip(&reach.parameters).filter(|(p, _)| !p.name.ends_with("bias"));
    let tasks = |losses: &[polytask_graph::LossId]| losses.iter().map(|l| ["a", "b"][l.0]).collect::<String>();
    weights.map(|(p, losses)| format!("{}: {}", p.name.trim_end_matches(".weight"), tasks(losses))).collect()
}

#[test]
fn who_learns_what() {
    let of = network(|g, x| vec![omoe(g, x, 2, &expert, &softmax_gate); 2]);
    assert_eq!(owned(&of), ["experts.0: ab", "experts.1: ab", "gate.0: ab", "heads.a: a", "heads.b: b"]);
    let of = network(|g, x| mmoe(g, x, &owners(), 2, &expert, &softmax_gate));
    let gates = ["a.gate.0: a", "b.gate.0: b"];
    assert_eq!(owned(&of), ["experts.0: ab", "experts.1: ab", gates[0], gates[1], "heads.a: a", "heads.b: b"]);
    let counts = Counts { shared: 1, specific: 2 };
    let of = network(|g, x| cgc(g, x, &owners(), counts, &expert, &softmax_gate));
    let own = |task: &str| [0, 1].map(|e| format!("{task}.experts.{e}: {task}"));
    let expected = [
        vec!["shared.experts.0: ab".to_owned()],
        own("a").to_vec(),
        vec![gates[0].to_owned()],
        own("b").to_vec(),
        vec![gates[1].to_owned(), "heads.a: a".to_owned(), "heads.b: b".to_owned()],
    ];
    assert_eq!(owned(&of), expected.concat());
}

#[test]
fn levels_of_experts() {
    let counts = Counts { shared: 1, specific: 1 };
    let of = network(|g, x| ple(g, x, &owners(), &[counts, counts], &expert, &softmax_gate));
    let expected = [
        "levels.0.shared.experts.0: ab",
        // What task b reads at the next level, the shared state, mixes task a's experts too.
        "levels.0.a.experts.0: ab",
        "levels.0.a.gate.0: a",
        "levels.0.b.experts.0: ab",
        "levels.0.b.gate.0: b",
        "levels.0.shared.gate.0: ab",
        "levels.1.shared.experts.0: ab",
        "levels.1.a.experts.0: a",
        "levels.1.a.gate.0: a",
        "levels.1.b.experts.0: b",
        "levels.1.b.gate.0: b",
        "heads.a: a",
        "heads.b: b",
    ];
    assert_eq!(owned(&of), expected);
    // A gate weighs its task's own experts first, then the shared ones, and the shared gate weighs all of them.
    let reads = |name: &str| {
        let node = of.nodes().iter().find(|n| n.name == name).unwrap();
        node.inputs.iter().map(|i| of.node(*i).name.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(reads("levels.1.b.mixture"), ["levels.1.b.gate", "levels.1.b.experts.0", "levels.1.shared.experts.0"]);
    let all = ["levels.0.shared.gate", "levels.0.a.experts.0", "levels.0.b.experts.0", "levels.0.shared.experts.0"];
    assert_eq!(reads("levels.0.shared.mixture"), all);
    // Each reads what its own level made: gates and experts of a task its own state, shared ones the shared state.
    for (name, input) in [
        ("levels.1.a.experts.0", "levels.0.a.mixture"),
        ("levels.1.a.gate.0", "levels.0.a.mixture"),
        ("levels.1.shared.experts.0", "levels.0.shared.mixture"),
        ("levels.0.shared.gate.0", "x"),
    ] {
        assert_eq!(reads(name), [input]);
    }
    // One level is cgc.
    let one = network(|g, x| ple(g, x, &owners(), &[counts], &expert, &softmax_gate));
    let same = network(|g, x| cgc(g, x, &owners(), counts, &expert, &softmax_gate));
    assert_eq!(one.parameter_count(), same.parameter_count());
}

#[test]
fn choices_of_k() {
    let build = |per_row: bool| {
        let gate = move |g: &mut GraphBuilder, name: &str, x: NodeId, n: usize| {
            dselect_k_gate(g, name, (x, per_row), n, 3).weights
        };
        network(|g, x| mmoe(g, x, &owners(), 5, &expert, &gate))
    };
    let (rows, fixed) = (build(true), build(false));
    // Five experts have codes of three bits: nine logits and three weights a gate.
    let experts_and_heads = 5 * (4 + 1) * 3 + 2 * 4;
    assert_eq!(rows.parameter_count(), experts_and_heads + 2 * (4 + 1) * (9 + 3));
    assert_eq!(fixed.parameter_count(), experts_and_heads + 2 * (9 + 3));
    assert!(fixed.nodes().iter().any(|n| matches!(n.op, Op::Vector(_))));
}
