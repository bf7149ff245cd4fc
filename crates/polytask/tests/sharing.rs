//! Every architecture: its gradients, with labels missing and with every kind of balancer.

#![allow(clippy::unwrap_used, reason = "the data of a test is known to be there")]

mod common;

use common::gradients::{NOISE, check_gradients, session};
use common::{Noise, config, learn};
use polytask::prepare;
use polytask::share::{self, NAMES};
use polytask_exec::*;
use polytask_graph::*;

/// Two events in order, a quantity and a class; a third of the labels missing.
fn table(rows: usize) -> String {
    let mut noise = Noise(3);
    let mut text = "x,z,c,click,buy,price,kind\n".to_owned();
    for _ in 0..rows {
        let (x, z) = (noise.next() * 2.0 - 1.0, noise.next() * 2.0 - 1.0);
        let c = ["u", "v", "w"][(noise.next() * 3.0) as usize];
        let click = x + 0.5 * z + noise.next() - 0.5 > 0.0;
        let buy = click && z + noise.next() > 0.3;
        let kind = ["p", "q", "r"][((x + 1.0) * 1.49) as usize];
        let mut or_missing = |label: String| if noise.next() < 0.33 { String::new() } else { label };
        let labels = [u8::from(click).to_string(), u8::from(buy).to_string(), format!("{:.4}", x * z), kind.into()];
        let labels = labels.map(&mut or_missing).join(",");
        text.push_str(&format!("{x:.4},{z:.4},{c},{labels}\n"));
    }
    text
}

const DATA: &str = "split = { valid = 0, test = 0 }\n[inputs]\nx = \"number\"\nz = \"number\"\n\
                    c = { kind = \"category\", embedding = 3 }\n\
                    [tasks.click]\nkind = \"binary\"\n[tasks.buy]\nkind = \"binary\"\n[tasks.price]\n[tasks.kind]\n";

/// An architecture as the config has it: its name where its defaults suit these tasks.
fn sharing(name: &str) -> String {
    match name {
        "esmm" | "aitm" => format!("{{ method = \"{name}\", after = {{ buy = \"click\" }} }}"),
        "tree" => {
            let layers = "[[[\"click\", \"buy\", \"price\", \"kind\"]], [[\"click\", \"buy\"], [\"price\", \"kind\"]]]";
            format!("{{ method = \"tree\", layers = {layers} }}")
        }
        // Not every code has an expert.
        "dselect_k" => "{ method = \"dselect_k\", experts = 5, entropy = 0.1 }".to_owned(),
        "mmoe" => "{ method = \"mmoe\", experts = 3, gate = { hidden = [4], dropout = 0.2 } }".to_owned(),
        "dependent" => "{ method = \"dependent\", pass = \"hidden\" }".to_owned(),
        _ => format!("\"{name}\""),
    }
}

fn sections(name: &str, rest: &str) -> String {
    let sharing = sharing(name);
    format!("{DATA}[model]\nsharing = {sharing}\ntrunk = [8, 8]\nhead = [5]\nactivation = \"tanh\"\n{rest}")
}

/// Builds the network of an architecture and hands it out with a feed of all rows.
fn with(name: &str, work: impl FnOnce(&Graph, &Batch<'_>)) {
    const ROWS: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder, &table(ROWS), &sections(name, ""));
    let prepared = prepare(&config).unwrap();
    let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks)).unwrap();
    let again: Graph = serde_json::from_str(&serde_json::to_string(&graph).unwrap()).unwrap();
    again.validate().unwrap();
    assert_eq!(again, graph, "{name}");
    let rows: Vec<u32> = (0..ROWS as u32).collect();
    prepared.data.with_batch(&graph, &[0, 1, 2, 3], &rows, |feed| work(&graph, feed)).unwrap();
}

#[test]
fn gradients_by_central_differences() {
    // What a choice learns from is no derivative.
    for name in NAMES.iter().filter(|name| **name != "branch") {
        with(name, |graph, feed| check_gradients(name, graph, feed, &[1.0, 0.5, 2.0, 1.5], 120));
    }
}

/// What a task's last layer starts at.
fn start(graph: &Graph, task: &str) -> Vec<f32> {
    let name = format!("heads.{task}.1.bias");
    let bias = graph.parameters().iter().position(|p| p.name == name).unwrap();
    let all = Parameters::init(graph, 5);
    assert_eq!(graph.parameters()[bias].start.as_deref(), Some(all.of(ParameterId(bias))), "{task}");
    all.of(ParameterId(bias)).to_vec()
}

#[test]
fn heads_start_at_the_shares_of_the_training_rows() {
    let mut outcomes = Vec::new();
    with("hard", |graph, _| outcomes = ["click", "buy", "price", "kind"].map(|task| start(graph, task)).into());
    let [click, buy, price, kind] = &outcomes[..] else { unreachable!() };
    assert_eq!((click.len(), price.as_slice(), kind.len()), (1, &[0.0][..], 3));
    let shares: f32 = kind.iter().map(|z| z.exp()).sum();
    assert!((shares - 1.0).abs() < 1e-5, "{kind:?}");
    // What follows another event starts at its share among the rows that had that.
    let share = |z: f32| 1.0 / (1.0 + (-z).exp());
    with("esmm", |graph, _| {
        assert_eq!(start(graph, "click"), *click);
        let given = share(start(graph, "buy")[0]);
        assert!((given * share(click[0]) - share(buy[0])).abs() < 1e-5, "{given}");
    });
}

/// Task by task from one walk, and summed at the shared representation, as from a walk a task.
#[test]
fn stacked_gradients_are_those_of_separate_backward_passes() {
    for name in NAMES {
        with(name, |graph, feed| {
            let (tasks, rows) = (graph.losses().len(), feed.rows.len());
            let reach = graph.reach();
            let weights = [0.5, -1.25, 2.0, 0.75];
            let mut stacked = session(graph, rows, Groups::separate(graph));
            let losses = stacked.forward_backward(feed, &vec![1.0; tasks], NOISE);
            let mut split = session(graph, rows, Groups::representation(graph));
            // Which layers run together depends on where gradients are kept apart, and the last digit on that.
            for (a, b) in split.forward_backward(feed, &vec![1.0; tasks], NOISE).iter().zip(&losses) {
                assert!((a.unwrap() - b.unwrap()).abs() < 1e-6 * b.unwrap().abs(), "{name}: {a:?} {b:?}");
            }
            split.backward_shared(&weights, NOISE);
            let mut merged = session(graph, rows, Groups::merged(graph));
            let mut sums: Vec<Vec<f32>> = graph.parameters().iter().map(|p| vec![0.0; p.len()]).collect();
            for (task, &own_weight) in weights[..tasks].iter().enumerate() {
                let alone: Vec<f64> = (0..tasks).map(|t| f64::from(u8::from(t == task))).collect();
                merged.forward_backward(feed, &alone, NOISE);
                for p in (0..graph.parameters().len()).map(ParameterId) {
                    let one = merged.gradients(p).pop().map_or(vec![], |g| g.1);
                    let own = stacked.gradients(p).into_iter().find(|(group, _)| *group == task);
                    let reached = reach.parameters[p.0].contains(&LossId(task));
                    let parameter = &graph.parameter(p).name;
                    assert_eq!(own.is_some(), reached, "{name}, {parameter}, task {task}");
                    let size = one.iter().fold(1e-2f32, |m, v| m.max(v.abs()));
                    let other = own.map_or(vec![0.0; one.len()], |own| own.1);
                    for (a, b) in one.iter().zip(&other) {
                        assert!((a - b).abs() <= 1e-5 * size, "{name}, {parameter}, task {task}: {a} {b}");
                    }
                    let shared = reach.parameters[p.0].len() > 1;
                    let weight = if shared { own_weight as f32 } else { 1.0 };
                    sums[p.0].iter_mut().zip(&other).for_each(|(sum, g)| *sum += weight * g);
                }
            }
            for (p, sum) in sums.iter().enumerate() {
                let shared = reach.parameters[p].len() > 1;
                let mut found = vec![0.0f32; sum.len()];
                for (group, gradient) in split.gradients(ParameterId(p)) {
                    // What flowed on below the shared representation was weighed there.
                    let weight = weights.get(group).filter(|_| shared).map_or(1.0, |w| *w as f32);
                    found.iter_mut().zip(gradient).for_each(|(f, g)| *f += weight * g);
                }
                let size = sum.iter().fold(1e-2f32, |m, v| m.max(v.abs()));
                for (a, b) in found.iter().zip(sum) {
                    let parameter = &graph.parameters()[p].name;
                    assert!((a - b).abs() <= 2e-5 * size, "{name}, {parameter}: {a} {b}");
                }
            }
        });
    }
}

#[test]
fn learns_with_every_kind_of_balancer() {
    let data = table(400);
    for name in NAMES {
        for loss in ["balance = \"equal\"", "balance = \"upgrad\"", "balance = \"mgda\"\nlevel = \"representation\""] {
            let train = "[train]\nepochs = 12\nbatch = 64\nlearning_rate = 0.01\n";
            let learnt = learn(&data, &sections(name, &format!("[loss]\n{loss}\n{train}")));
            let (first, last) = (&learnt.fitted.history[0], learnt.fitted.history.last().unwrap());
            for (task, loss) in &last.train {
                assert!(loss.is_finite(), "{name}, {task}");
            }
            let fell = |task: &str| last.train[task] < 0.97 * first.train[task];
            assert!(fell("click") || fell("kind"), "{name}, {loss}: {:?} {:?}", first.train, last.train);
            let measured = ["linear", "soft", "sluice", "aitm", "dselect_k"].contains(name);
            assert_eq!(last.penalty > 0.0, measured, "{name}: {}", last.penalty);
        }
    }
}
