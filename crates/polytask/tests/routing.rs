//! Two unrelated groups of tasks: gates lead them to different experts. Real training, several seeds.

#![allow(clippy::unwrap_used, reason = "the data of a test is known to be there")]

mod common;

use common::{Noise, learn};
use polytask::model::GateUse;

const SEEDS: [u64; 8] = [1, 2, 3, 4, 5, 6, 7, 8];
/// The first two belong together, and so do the last two.
const TASKS: [&str; 4] = ["a0", "a1", "b0", "b1"];

/// Tasks a0 and a1 depend on the first four inputs, b0 and b1 on the other four, in ways that have nothing in common.
fn table(rows: usize, seed: u64) -> String {
    let mut noise = Noise(500 + seed);
    let mut normal = move || (0..12).map(|_| noise.next()).sum::<f64>() - 6.0;
    let directions: Vec<[f64; 4]> = (0..4).map(|_| std::array::from_fn(|_| normal())).collect();
    let along = |x: &[f64], w: &[f64; 4]| x.iter().zip(w).map(|(x, w)| x * w).sum::<f64>();
    let mut text = "x0,x1,x2,x3,x4,x5,x6,x7,a0,a1,b0,b1\n".to_owned();
    for _ in 0..rows {
        let x: Vec<f64> = (0..8).map(|_| normal()).collect();
        let of = |x: &[f64], w: &[[f64; 4]]| along(x, &w[0]).tanh() + along(x, &w[1]).max(0.0);
        let (a, b) = (of(&x[..4], &directions[..2]), of(&x[4..], &directions[2..]));
        let labels = [a + 0.3 * x[0], a - 0.3 * x[1], b + 0.3 * x[4], b - 0.3 * x[5]].map(|y| y + 0.1 * normal());
        let cells: Vec<String> = x.iter().chain(&labels).map(|v| format!("{v:.4}")).collect();
        text.push_str(&format!("{}\n", cells.join(",")));
    }
    text
}

fn gates(sharing: &str, seed: u64) -> Vec<GateUse> {
    let tasks: String = TASKS.iter().map(|t| format!("[tasks.{t}]\n")).collect();
    let sections = format!(
        "split = {{ valid = 0.2, test = 0 }}\n{tasks}[model]\nsharing = {sharing}\n[train]\nepochs = 30\nbatch = 64\n\
         learning_rate = 0.01\nseed = {seed}\n"
    );
    let learnt = learn(&table(2400, seed), &sections);
    for task in TASKS {
        assert!(learnt.score(task, "r2") > 0.9, "{sharing}, seed {seed}: {task} has not been learnt");
    }
    learnt.model.gates(&learnt.prepared.data, &learnt.prepared.split.valid).unwrap()
}

/// The weight that two gates give the same experts, from 0 to 1.
fn overlap(a: &GateUse, b: &GateUse) -> f64 {
    a.weights.values().zip(b.weights.values()).map(|(a, b)| a.min(*b)).sum()
}

/// How much more weight gates give the same experts within groups than between them: the mean over seeds, and its
/// standard error.
fn gap(sharing: &str) -> (f64, f64) {
    let of = SEEDS.map(|seed| {
        let gates = gates(sharing, seed);
        assert_eq!(gates.iter().map(|g| g.tasks.join("")).collect::<Vec<_>>(), TASKS);
        for gate in &gates {
            assert!((gate.weights.values().sum::<f64>() - 1.0).abs() < 0.01, "{gate:?}");
        }
        let within = 0.5 * (overlap(&gates[0], &gates[1]) + overlap(&gates[2], &gates[3]));
        let between = [(0, 2), (0, 3), (1, 2), (1, 3)].map(|(i, j)| overlap(&gates[i], &gates[j]));
        within - between.iter().sum::<f64>() / 4.0
    });
    let n = of.len() as f64;
    let mean = of.iter().sum::<f64>() / n;
    let error = (of.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
    println!("{sharing}: {of:.2?}, {mean:.2} ± {error:.2}");
    (mean, error)
}

#[test]
fn mmoe_leads_unrelated_groups_to_different_experts() {
    let (mean, error) = gap("{ method = \"mmoe\", experts = 6, widths = [4] }");
    assert!(mean > 0.1 && mean > 3.0 * error, "{mean} ± {error}");
}

#[test]
fn dselect_k_chooses_different_experts_for_unrelated_groups() {
    let (mean, error) = gap("{ method = \"dselect_k\", experts = 4, k = 2, widths = [4] }");
    assert!(mean > 0.1 && mean > 3.0 * error, "{mean} ± {error}");
}
