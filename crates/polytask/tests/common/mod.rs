//! A config and a table turned into a trained model.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

pub mod gradients;
pub mod mutate;

use polytask::config::Config;
use polytask::fit;
use polytask::model::{Model, Network};
use polytask::train::{Callback, Fitted};
use polytask::{Build, Own, Prepared, prepare};
use polytask_data::{ReadOptions, Table};
use polytask_exec::Parameters;
use polytask_graph::{Graph, ParameterId};

/// All that came of training.
pub struct Learnt {
    pub prepared: Prepared,
    pub start: Parameters,
    pub fitted: Fitted,
    pub model: Model,
}

/// A config that reads `data`, with `sections` after its `[data]` section.
pub fn config(folder: &tempfile::TempDir, data: &str, sections: &str) -> Config {
    std::fs::write(folder.path().join("data.csv"), data).unwrap();
    let text = format!("[data]\npath = \"data.csv\"\n{sections}");
    Config::from_toml(&text, folder.path().join("config.toml").to_str().unwrap()).unwrap()
}

/// The data of a config, split and encoded.
pub fn prepared(data: &str, sections: &str) -> Prepared {
    let folder = tempfile::tempdir().unwrap();
    prepare(&config(&folder, data, sections)).unwrap()
}

/// Trains on `data` as `sections` say; they go on in the `[data]` section.
pub fn learn(data: &str, sections: &str) -> Learnt {
    learn_watched(data, sections, &mut ())
}

/// The same, and someone looks on.
pub fn learn_watched(data: &str, sections: &str, watch: &mut dyn Callback) -> Learnt {
    let folder = tempfile::tempdir().unwrap();
    let config = config(&folder, data, sections);
    train_watched(&config, prepare(&config).unwrap(), watch)
}

/// Trains on what is prepared.
pub fn train(config: &Config, prepared: Prepared) -> Learnt {
    train_watched(config, prepared, &mut ())
}

fn train_watched(config: &Config, prepared: Prepared, watch: &mut dyn Callback) -> Learnt {
    let build = build(config, &prepared);
    let fitted = fit(&build.job(&prepared), &build.start, None, watch).unwrap();
    let start = build.start.clone();
    let model = build.model(&prepared, fitted.body.clone());
    Learnt { prepared, start, fitted, model }
}

/// The network of all tasks.
pub fn build(config: &Config, prepared: &Prepared) -> Build {
    let all: Vec<usize> = (0..prepared.tasks.len()).collect();
    Build::new(config, prepared, &all, &Own::default(), &mut ()).unwrap().unwrap()
}

impl Learnt {
    /// What was fitted.
    pub fn network(&self) -> &Network {
        self.fitted.body.network().unwrap()
    }

    /// Values of a parameter after training.
    pub fn after(&self, name: &str) -> &[f32] {
        of(&self.network().graph, &self.network().parameters, name)
    }

    /// Values of a parameter before training.
    pub fn before(&self, name: &str) -> &[f32] {
        of(&self.network().graph, &self.start, name)
    }

    /// Euclidean distance from the start.
    pub fn distance(&self) -> f64 {
        let pairs = self.network().parameters.values().iter().zip(self.start.values());
        pairs.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt()
    }

    /// The validation losses of a task, round by round.
    pub fn valid(&self, task: &str) -> Vec<f64> {
        self.fitted.history.iter().map(|round| round.valid[task]).collect()
    }

    /// A metric of a task over all rows.
    pub fn score(&self, task: &str, metric: &str) -> f64 {
        let rows: Vec<u32> = (0..self.prepared.data.features.rows as u32).collect();
        let labels: Vec<usize> = (0..self.prepared.tasks.len()).collect();
        let scores = self.model.score(&self.prepared.data, &labels, &rows).unwrap();
        scores.tasks[task].metrics.value(metric).unwrap()
    }
}

fn of<'a>(graph: &Graph, parameters: &'a Parameters, name: &str) -> &'a [f32] {
    let at = graph.parameters().iter().position(|p| p.name == name).unwrap();
    parameters.of(ParameterId(at))
}

/// A table of a CSV text.
pub fn table(text: &str) -> Table {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("more.csv");
    std::fs::write(&path, text).unwrap();
    polytask_data::read(&path, &ReadOptions::default()).unwrap()
}

/// Numbers in [0, 1); the same everywhere.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f64 {
        // Knuth's MMIX constants; the upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// `x`, `z` and what can be learnt of them: `a`, about `x + z`, and `b`, about `x z`.
pub fn sums(rows: usize) -> String {
    let mut noise = Noise(11);
    let mut text = "x,z,a,b\n".to_owned();
    for _ in 0..rows {
        let (x, z) = (noise.next() * 2.0 - 1.0, noise.next() * 2.0 - 1.0);
        let (a, b) = (x + z + noise.next() * 0.3, x * z + noise.next() * 0.3);
        text.push_str(&format!("{x:.5},{z:.5},{a:.5},{b:.5}\n"));
    }
    text
}
