//! Four tasks of four kinds on a shared trunk, with dropout and missing labels: large enough for several lanes.

use polytask_cpu::*;
use polytask_graph::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A network and its data.
pub struct Mixed {
    pub graph: Graph,
    numbers: Vec<f32>,
    categories: Vec<u32>,
    /// One a task; those of the category task are not looked at.
    labels: [Vec<f32>; TASKS],
    classes: Vec<u32>,
    weights: [Vec<f32>; TASKS],
}

/// Number of tasks.
pub const TASKS: usize = 4;
/// Rows in the data.
pub const ROWS: usize = 3000;
const NUMBERS: usize = 40;
const LEVELS: usize = 12;

impl Mixed {
    pub fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(8);
        let mut draw = |len: usize| (0..len).map(|_| rng.random_range(-1.0f32..1.0)).collect::<Vec<_>>();
        let numbers = draw(ROWS * NUMBERS);
        // Some rows have no category.
        let categories = draw(ROWS).iter().map(|v| ((v + 1.0) * 0.55 * LEVELS as f32) as u32).collect();
        // Three labels in four are there, of unequal weight.
        let weights: [Vec<f32>; TASKS] = [(); TASKS].map(|()| draw(ROWS).iter().map(|v| (v + 0.5).max(0.0)).collect());
        // Every label depends on the numbers of its row, so that there is something to learn.
        let score: Vec<f32> = numbers.chunks_exact(NUMBERS).map(|x| x[0] + x[1] * x[2] - x[3]).collect();
        let kinds: [fn(f32) -> f32; TASKS] =
            [|s| s, |s| f32::from(s > 0.0), |_| f32::NAN, |s| (s + 2.0).max(0.0).round()];
        let present = |kind: fn(f32) -> f32, weights: &[f32]| {
            // What a missing label holds must not be read.
            let one = |(s, w): (&f32, &f32)| if *w > 0.0 { kind(*s) } else { f32::NAN };
            score.iter().zip(weights).map(one).collect()
        };
        let labels = std::array::from_fn(|task| present(kinds[task], &weights[task]));
        let class = |(s, w): (&f32, &f32)| if *w > 0.0 { (s + 1.5).clamp(0.0, 2.0) as u32 } else { u32::MAX };
        let classes = score.iter().zip(&weights[2]).map(class).collect();
        Mixed { graph: network(), numbers, categories, labels, classes, weights }
    }

    /// Gives the inputs and targets of a feed.
    pub fn with<R>(&self, work: impl FnOnce(&[Numbers<'_>], &[Target<'_>]) -> R) -> R {
        let inputs = [Numbers::Real(&self.numbers), Numbers::Index(&self.categories)];
        let target = |task: usize| Target {
            labels: if task == 2 { Labels::Class(&self.classes) } else { Labels::Real(&self.labels[task]) },
            weights: &self.weights[task],
        };
        let targets: [Target<'_>; TASKS] = std::array::from_fn(target);
        work(&inputs, &targets)
    }
}

fn network() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("numbers", NUMBERS);
    let c = g.index_input("category", 1);
    let e = g.embedding(c, IndexColumn { column: 0, levels: LEVELS }, 8);
    let joined = g.concat(&[x, e]);
    let h = g.dense(joined, 128, Activation::Relu);
    let h = g.dropout(h, 0.1);
    let h = g.dense(h, 128, Activation::Gelu);
    let h = g.layer_norm(h);
    let kinds = [LossKind::Mse, LossKind::BinaryCrossEntropy, LossKind::CrossEntropy, LossKind::Poisson];
    for (kind, width) in kinds.into_iter().zip([1, 1, 3, 1]) {
        let head = g.dense(h, 32, Activation::Silu);
        let head = g.dropout(head, 0.1);
        let z = g.dense(head, width, Activation::Linear);
        g.loss(&format!("{kind:?}"), z, kind);
    }
    g.finish().unwrap()
}
