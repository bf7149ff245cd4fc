//! Each penalty finds the structure it is for, on data that have it: few rows, the strength chosen on held-out rows, errors
//! on fresh ones, over several seeds.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Noise, features, squared};
use polytask_linear::*;

const SEEDS: u64 = 5;
const TRAIN: usize = 30;
const VALID: usize = 30;
const TEST: usize = 500;

/// Independent features and tasks with these true weights.
struct World {
    features: Features,
    tasks: Vec<Task>,
    truth: Matrix,
}

impl World {
    fn new(seed: u64, truth: Matrix, noise_level: f64) -> Self {
        let mut noise = Noise(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
        let x = noise.matrix(TRAIN + VALID + TEST, truth.rows());
        World { features: features(&x), tasks: squared(&mut noise, &x, &truth, noise_level), truth }
    }

    fn blocks(&self) -> Vec<usize> {
        vec![1; self.tasks.len()]
    }

    fn error(&self, found: &Solution, rows: std::ops::Range<usize>) -> f64 {
        let rows: Vec<u32> = rows.map(|r| r as u32).collect();
        let losses = losses(&self.features, &self.tasks, &rows, &found.weights, &found.intercepts);
        losses.iter().map(|(sum, total)| sum / total).sum::<f64>() / losses.len() as f64
    }

    /// The solution with the least error on the validation rows along the path, and its error on the test rows.
    fn fit(&self, penalty: &dyn Penalty) -> (Solution, f64) {
        let rows: Vec<u32> = (0..TRAIN as u32).collect();
        let problem = Problem::new(&self.features, &self.tasks, &rows).unwrap();
        let options = Options { tolerance: 1e-7, iterations: 5_000 };
        let mut last: Option<Solution> = None;
        let mut best: Option<(f64, Solution)> = None;
        for strength in strengths(&problem, penalty, 20, 1e-3) {
            let found = solve(&problem, penalty, strength, &options, last.as_ref());
            let error = self.error(&found, TRAIN..TRAIN + VALID);
            if best.as_ref().is_none_or(|(least, _)| error < *least) {
                best = Some((error, found.clone()));
            }
            last = Some(found);
        }
        let found = best.unwrap().1;
        let error = self.error(&found, TRAIN + VALID..TRAIN + VALID + TEST);
        (found, error)
    }

    /// What no model can take away, and what the weights miss: the excess of a test error over that of the truth.
    fn excess(&self, penalty: &dyn Penalty) -> f64 {
        let (found, _) = self.fit(penalty);
        let mut off = found.weights.clone();
        off.add(-1.0, &self.truth);
        off.dot(&off) / self.truth.dot(&self.truth)
    }
}

/// Mean and standard deviation over seeds.
fn spread(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let square = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64;
    (mean, square.sqrt())
}

/// A penalty for a world.
type Make<'a> = &'a dyn Fn(&World) -> Box<dyn Penalty>;

/// What share of the weights every penalty misses, over the seeds; printed, and by name.
fn compare(world: impl Fn(u64) -> World, penalties: &[(&'static str, Make<'_>)]) -> Vec<Vec<f64>> {
    let mut all = Vec::new();
    for (name, penalty) in penalties {
        let missed: Vec<f64> = (0..SEEDS)
            .map(|seed| {
                let world = world(seed);
                world.excess(penalty(&world).as_ref())
            })
            .collect();
        let (mean, deviation) = spread(&missed);
        println!("{name}: misses {mean:.3} ± {deviation:.3}");
        all.push(missed);
    }
    all
}

/// Better on every seed.
fn always_less(a: &[f64], b: &[f64], factor: f64) -> bool {
    a.iter().zip(b).all(|(a, b)| *a < factor * b)
}

fn ridge(_: &World) -> Box<dyn Penalty> {
    Box::new(Ridge)
}

fn lasso(_: &World) -> Box<dyn Penalty> {
    Box::new(Lasso::new(1.0).unwrap())
}

#[test]
fn l21_finds_a_common_support() {
    let world = |seed| {
        let mut noise = Noise(seed + 100);
        World::new(seed, Matrix::from_fn(50, 8, |j, _| if j < 5 { noise.normal() } else { 0.0 }), 1.0)
    };
    let l21 = |_: &World| -> Box<dyn Penalty> { Box::new(L21::new(1.0).unwrap()) };
    let missed = compare(world, &[("l21", &l21), ("lasso", &lasso), ("ridge", &ridge)]);
    assert!(always_less(&missed[0], &missed[1], 0.8) && always_less(&missed[0], &missed[2], 0.8));
    // Rows that are not 0 are the five, and hardly another.
    let (found, _) = world(0).fit(&L21::new(1.0).unwrap());
    let length = |j: usize| found.weights.row(j).iter().map(|w| w * w).sum::<f64>().sqrt();
    let least = (0..5).map(length).fold(f64::INFINITY, f64::min);
    assert!((5..50).all(|j| length(j) < 0.5 * least), "{least}");
}

#[test]
fn the_trace_norm_finds_a_common_subspace() {
    let world = |seed| {
        let mut noise = Noise(seed + 200);
        let (basis, mix) = (noise.matrix(30, 2), noise.matrix(2, 10));
        let truth = Matrix::from_fn(30, 10, |j, t| 0.5 * (0..2).map(|k| basis.get(j, k) * mix.get(k, t)).sum::<f64>());
        World::new(seed, truth, 1.0)
    };
    let trace = |_: &World| -> Box<dyn Penalty> { Box::new(Trace) };
    let missed = compare(world, &[("trace", &trace), ("lasso", &lasso), ("ridge", &ridge)]);
    assert!(always_less(&missed[0], &missed[1], 0.8) && always_less(&missed[0], &missed[2], 0.8));
    let (found, _) = world(0).fit(&Trace);
    let mut values = singular_values(&found.weights);
    values.sort_by(|a, b| b.total_cmp(a));
    assert!(values[2] < 0.25 * values[1], "two directions stand out: {values:?}");
}

#[test]
fn mean_pulls_related_tasks_together_and_a_graph_its_neighbours() {
    let world = |seed| {
        let mut noise = Noise(seed + 300);
        let common = noise.matrix(20, 1);
        World::new(seed, Matrix::from_fn(20, 8, |j, _| common.get(j, 0) + 0.2 * noise.normal()), 3.0)
    };
    let tied = |world: &World| -> Box<dyn Penalty> { Box::new(mean(0.02, &world.blocks()).unwrap()) };
    let missed = compare(world, &[("mean", &tied), ("ridge", &ridge)]);
    assert!(always_less(&missed[0], &missed[1], 0.7));
    // Tasks along a line that change slowly: neighbours are alike, the ends are not.
    let world = |seed| {
        let mut noise = Noise(seed + 400);
        let (from, to) = (noise.matrix(20, 1), noise.matrix(20, 1));
        let at = |j: usize, t: usize| from.get(j, 0) * (1.0 - t as f64 / 7.0) + to.get(j, 0) * t as f64 / 7.0;
        World::new(seed, Matrix::from_fn(20, 8, at), 3.0)
    };
    let line = |world: &World| -> Box<dyn Penalty> {
        let edges: Vec<(usize, usize, f64)> = (0..7).map(|t| (t, t + 1, 1.0)).collect();
        Box::new(graph(&edges, 0.05, &world.blocks()).unwrap())
    };
    let missed = compare(world, &[("graph", &line), ("mean", &tied), ("ridge", &ridge)]);
    assert!(always_less(&missed[0], &missed[2], 0.6));
    assert!(spread(&missed[0]).0 < spread(&missed[1]).0);
}

/// Nine tasks of a common subspace, and the last one on its own.
fn with_outlier(seed: u64) -> World {
    let mut noise = Noise(seed + 500);
    let (basis, own) = (noise.matrix(30, 2), noise.matrix(30, 1));
    let truth = Matrix::from_fn(30, 10, |j, t| match t {
        9 => 2.0 * own.get(j, 0),
        _ => basis.get(j, 0) * if t % 2 == 0 { 1.0 } else { -1.0 } + basis.get(j, 1) * if t < 4 { 1.0 } else { -1.0 },
    });
    World::new(seed, truth, 0.5)
}

#[test]
fn robust_isolates_the_outlier() {
    for seed in 0..SEEDS {
        let world = with_outlier(seed);
        let rows: Vec<u32> = (0..100).collect();
        let problem = Problem::new(&world.features, &world.tasks, &rows).unwrap();
        let penalty = robust(0.8, &world.blocks()).unwrap();
        let strongest = strengths(&problem, &penalty, 2, 0.1)[0];
        for share in [0.2, 0.1, 0.05] {
            let found = solve(&problem, &penalty, share * strongest, &Options::default(), None);
            let length = |t: usize| (0..30).map(|j| found.parts[1].get(j, t).powi(2)).sum::<f64>().sqrt();
            let others: Vec<f64> = (0..9).map(length).collect();
            println!("seed {seed}, {share}: the outlier's own part {:.2}, the others' {others:.2?}", length(9));
            assert!(length(9) > 3.0 && others.iter().all(|own| *own == 0.0), "{seed}: {} {others:?}", length(9));
        }
    }
}

#[test]
fn sparse_and_low_rank_parts_are_told_apart() {
    let world = |seed| {
        let mut noise = Noise(seed + 600);
        let (basis, mix) = (noise.matrix(30, 1), noise.matrix(1, 10));
        let truth = Matrix::from_fn(30, 10, |j, t| {
            0.5 * basis.get(j, 0) * mix.get(0, t) + if (j * 7 + t * 3) % 40 == 0 { 4.0 } else { 0.0 }
        });
        World::new(seed, truth, 0.5)
    };
    let both = |_: &World| -> Box<dyn Penalty> { Box::new(sparse_low_rank(0.3).unwrap()) };
    let trace = |_: &World| -> Box<dyn Penalty> { Box::new(Trace) };
    let missed = compare(world, &[("sparse + low-rank", &both), ("trace", &trace), ("lasso", &lasso)]);
    assert!(always_less(&missed[0], &missed[1], 1.0) && always_less(&missed[0], &missed[2], 1.0));
}

#[test]
fn dirty_has_common_features_and_single_ones() {
    let world = |seed| {
        let mut noise = Noise(seed + 700);
        let sign = |noise: &mut Noise| if noise.uniform() < 0.5 { -1.0 } else { 1.0 };
        // Four features for all, and two more for every task alone.
        let truth = Matrix::from_fn(60, 6, |j, t| match j {
            0..4 => sign(&mut noise),
            _ if j >= 10 && (j - 10) / 2 == t => 1.5 * sign(&mut noise),
            _ => 0.0,
        });
        World::new(seed, truth, 0.5)
    };
    let dirty = |_: &World| -> Box<dyn Penalty> { Box::new(dirty(0.45).unwrap()) };
    let l21 = |_: &World| -> Box<dyn Penalty> { Box::new(L21::new(1.0).unwrap()) };
    let missed = compare(world, &[("dirty", &dirty), ("l21", &l21), ("lasso", &lasso)]);
    assert!(spread(&missed[0]).0 < 0.8 * spread(&missed[1]).0 && spread(&missed[0]).0 < 0.8 * spread(&missed[2]).0);
}

#[test]
fn clustered_finds_the_groups() {
    // Two groups, whose tasks alternate.
    let world = |seed| {
        let mut noise = Noise(seed + 800);
        let centers = noise.matrix(20, 2);
        World::new(seed, Matrix::from_fn(20, 16, |j, t| centers.get(j, t % 2) + 0.1 * noise.normal()), 4.0)
    };
    let clustered = |world: &World| -> Box<dyn Penalty> { Box::new(Clustered::new(2, 0.02, &world.blocks()).unwrap()) };
    let tied = |world: &World| -> Box<dyn Penalty> { Box::new(mean(0.1, &world.blocks()).unwrap()) };
    let missed = compare(world, &[("clustered", &clustered), ("mean", &tied), ("ridge", &ridge)]);
    assert!(always_less(&missed[0], &missed[1], 0.9) && always_less(&missed[0], &missed[2], 0.9));
    for seed in 0..SEEDS {
        let world = world(seed);
        let (found, _) = world.fit(clustered(&world).as_ref());
        assert_eq!(
            groups(&found.weights, &world.blocks(), 2),
            [[0, 2, 4, 6, 8, 10, 12, 14], [1, 3, 5, 7, 9, 11, 13, 15]],
            "seed {seed}"
        );
    }
}
