//! What the tests share: building methods by text, and the input families of `properties.rs`.
#![allow(dead_code)] // Each test program uses its own part.
#![allow(clippy::unwrap_used, clippy::panic)] // Helpers of tests, which clippy does not see as such.

use polytask_balance::{
    BalanceError, Balancer, Direction, LossFamily, METHODS, Needs, Step, TaskInfo, build, direction,
};
use serde_json::{Map, Value};

pub fn tasks(count: usize) -> Vec<TaskInfo> {
    let kind = |i: usize| if i.is_multiple_of(2) { LossFamily::Regression } else { LossFamily::Classification };
    (0..count).map(|i| TaskInfo::new(format!("t{i}"), kind(i))).collect()
}

pub fn keys(text: &str) -> Map<String, Value> {
    serde_json::from_str(text).unwrap()
}

pub fn make(name: &str, text: &str, count: usize) -> Box<dyn Balancer> {
    build(name, &keys(text), &tasks(count), 7).unwrap_or_else(|error| panic!("{name} {text}: {error}"))
}

pub fn refused(name: &str, text: &str, count: usize) -> BalanceError {
    match build(name, &keys(text), &tasks(count), 7) {
        Ok(_) => panic!("{name} {text} was built"),
        Err(error) => error,
    }
}

/// Every method that needs no model (`bilevel.rs` has those) with its defaults, and variants that take other paths.
pub fn everything() -> Vec<(&'static str, &'static str)> {
    let keys = |name: &str| if name == "fixed" { r#"{"weights": {"t0": 2}}"# } else { "{}" };
    let numbers = METHODS.iter().filter(|m| m.needs != Needs::Model);
    let mut all: Vec<(&str, &str)> = numbers.map(|m| (m.name, keys(m.name))).collect();
    all.extend([
        ("stch", r#"{"form": "plain", "mu": 0.1}"#),
        ("stch", r#"{"warmup": 0}"#),
        ("mgda", r#"{"normalization": "l2"}"#),
        ("mgda", r#"{"normalization": "loss+"}"#),
        ("mgda", r#"{"normalize": true}"#),
        ("upgrad", r#"{"regularization": 0}"#),
        ("upgrad", r#"{"momentum": 0.9}"#),
        ("dualproj", r#"{"regularization": 0}"#),
        ("cagrad", r#"{"c": 1}"#),
        ("cagrad", r#"{"c": 20, "rescale": "linear"}"#),
        ("nash", r#"{"max_norm": 0}"#),
        ("nash", r#"{"normalize": true, "momentum": 0.5}"#),
        ("fairgrad", r#"{"alpha": 0.1}"#),
        ("fairgrad", r#"{"alpha": 10}"#),
        ("aligned", r#"{"scale": "median"}"#),
        ("aligned", r#"{"scale": "rmse"}"#),
        ("gradvac", r#"{"by": "tensor"}"#),
        ("moco", r#"{"constraint": "simplex", "rho": 0.1}"#),
        ("modo", r#"{"batches": 2}"#),
    ]);
    all
}

/// A small generator of its own, so that inputs do not depend on the code under test (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn normal(&mut self) -> f64 {
        (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }

    pub fn matrix(&mut self, rows: usize, columns: usize) -> Vec<Vec<f64>> {
        (0..rows).map(|_| (0..columns).map(|_| self.normal()).collect()).collect()
    }

    /// Normal entries, of the given rank.
    pub fn ranked(&mut self, rows: usize, columns: usize, rank: usize) -> Vec<Vec<f64>> {
        let (left, right) = (self.matrix(rows, rank), self.matrix(rank, columns));
        left.iter().map(|l| (0..columns).map(|k| (0..rank).map(|r| l[r] * right[r][k]).sum()).collect()).collect()
    }

    /// Rows with a positive combination that vanishes: no direction improves all tasks.
    pub fn stationary(&mut self, rows: usize, columns: usize, rank: usize) -> Vec<Vec<f64>> {
        let mut j = self.ranked(rows, columns, rank);
        let weights: Vec<f64> = (0..rows).map(|_| 0.1 + self.uniform()).collect();
        let others = &j[..rows - 1];
        let sum = |k: usize| -> f64 { others.iter().zip(&weights).map(|(row, w)| w * row[k]).sum() };
        j[rows - 1] = (0..columns).map(|k| -sum(k) / weights[rows - 1]).collect();
        j
    }
}

pub fn scaled(j: &[Vec<f64>], scale: f64) -> Vec<Vec<f64>> {
    j.iter().map(|row| row.iter().map(|v| v * scale).collect()).collect()
}

pub fn inner(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

pub fn norm(a: &[f64]) -> f64 {
    inner(a, a).sqrt()
}

/// The families of section C: sizes 1x1 to 9x11 of every rank, zeros, stationary ones, and scales 1e-10 to 1e15.
pub fn families() -> Vec<(String, Vec<Vec<f64>>)> {
    let mut dice = Dice(3);
    let mut all = Vec::new();
    for (rows, columns, rank) in [
        (1, 1, 1),
        (1, 5, 1),
        (2, 1, 1),
        (2, 3, 1),
        (2, 3, 2),
        (3, 7, 2),
        (4, 3, 3),
        (5, 5, 5),
        (9, 11, 5),
        (9, 11, 9),
        (9, 11, 1),
        (64, 80, 64),
    ] {
        all.push((format!("normal {rows}x{columns} rank {rank}"), dice.ranked(rows, columns, rank)));
    }
    for (rows, columns) in [(1, 1), (2, 2), (4, 3), (9, 11)] {
        all.push((format!("zero {rows}x{columns}"), vec![vec![0.0; columns]; rows]));
    }
    let mut one_zero = dice.matrix(4, 6);
    one_zero[2].fill(0.0);
    all.push(("one zero row".into(), one_zero));
    all.push(("opposed".into(), vec![vec![1.0, 2.0], vec![-1.0, -2.0]]));
    all.push(("repeated".into(), vec![vec![1.0, 2.0]; 5]));
    for (columns, rank) in [(10, 1), (10, 5), (10, 9), (100, 1), (100, 19)] {
        all.push((format!("stationary 20x{columns} rank {rank}"), dice.stationary(20, columns, rank)));
    }
    let base = dice.ranked(4, 6, 3);
    for scale in [1e-10, 1e3, 1e5, 1e10, 1e15] {
        all.push((format!("scale {scale:e}"), scaled(&base, scale)));
    }
    let mut mixed = dice.matrix(5, 7);
    for (row, scale) in mixed.iter_mut().zip([1e-10, 1.0, 1e3, 1e10, 1e15]) {
        row.iter_mut().for_each(|v| *v *= scale);
    }
    all.push(("mixed scales".into(), mixed));
    all
}

pub fn losses(count: usize, step: u64) -> Vec<f64> {
    (0..count).map(|i| 0.3 + ((i as f64 + 1.3) * (step as f64 + 0.7)).sin().powi(2) * (i + 1) as f64).collect()
}

/// One step with all tasks present, through the whole order of calls.
pub fn step(method: &mut dyn Balancer, index: u64, j: &[Vec<f64>]) -> Direction {
    let present: Vec<usize> = (0..j.len()).collect();
    step_of(method, index, &present, j)
}

/// One step of the tasks `present` with the rows `j`, through the whole order of calls.
pub fn step_of(method: &mut dyn Balancer, index: u64, present: &[usize], j: &[Vec<f64>]) -> Direction {
    let now = losses(j.len(), index);
    let later: Vec<f64> = now.iter().enumerate().map(|(i, l)| l * (0.9 - 0.01 * i as f64)).collect();
    let epoch = index / 3;
    let here = Step { index, epoch, tasks: present, losses: &now };
    let answer = direction(method, &here, j).unwrap_or_else(|e| panic!("{}: {e}", method.name()));
    if let Some(learnable) = method.learnable() {
        for (value, gradient) in learnable.values.iter_mut().zip(&learnable.gradients) {
            *value -= 0.1 * gradient.unwrap_or(0.0);
        }
    }
    if method.wants_losses_after() {
        method.observe_after(&Step { losses: &later, ..here }).unwrap();
    }
    if index % 3 == 2 {
        for &task in present {
            method.observe_kpi(task, 0.2 + 0.1 * (task % 5) as f64).unwrap();
        }
        method.end_epoch();
    }
    answer
}
