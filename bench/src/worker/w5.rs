//! W5: 32 sequences a step, an embedding, an encoder and two classes a token; training, or prediction alone.

use super::net::{ADAM, UPDATE, pool};
use crate::protocol::Steps;
use crate::sequences::{BATCH, Data, SEQUENCES, graph, parameters};
use crate::workload::Workload;
use crate::{Error, Result};
use polytask_cpu::{Batch, Combine, Groups, Labels, Mode, Numbers, Optimizer, Parameters, Plan, Runner, Target};

struct Training {
    pool: rayon::ThreadPool,
    runner: Runner,
    optimizer: Optimizer,
    data: Data,
    weights: Vec<f32>,
    rows: Vec<u32>,
    step: u64,
}

pub(super) fn start(workload: Workload, threads: usize) -> Result<Box<dyn Steps>> {
    let graph = graph(workload).map_err(|e| Error::Unavailable(e.to_string()))?;
    let mut values = Parameters::zeros(&graph);
    for (name, of) in parameters(&graph) {
        values.set(&graph, &name, &of).map_err(|e| Error::Unavailable(e.to_string()))?;
    }
    let data = Data::new(workload);
    let (pool, rows) = (pool(threads)?, (0..SEQUENCES as u32).collect());
    let groups = Groups::merged(&graph);
    Ok(match workload.sentences() {
        Some(sentences) => {
            let runner = Runner::new(Plan::new(&graph, sentences, Mode::Predict, &groups), values);
            Box::new(Prediction { pool, runner, data, rows, sentences, step: 0 })
        }
        None => Box::new(Training {
            pool,
            optimizer: Optimizer::new(ADAM, values.values().len()),
            runner: Runner::new(Plan::new(&graph, BATCH, Mode::Train, &groups), values),
            weights: vec![1.0; data.tokens.len()],
            data,
            rows,
            step: 0,
        }),
    })
}

/// The rows of a step.
fn batch(rows: &[u32], step: u64, count: usize) -> &[u32] {
    let start = (step as usize * count) % SEQUENCES;
    &rows[start..start + count]
}

impl Steps for Training {
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        let Self { pool, runner, optimizer, data, weights, rows, step } = self;
        let target = |labels| Target { labels: Labels::Class(labels), weights };
        let targets = [target(&data.labels[0]), target(&data.labels[1])];
        let (inputs, offsets) = ([Numbers::Index(&data.tokens)], [data.offsets.as_slice()]);
        let mut total = 0.0;
        pool.install(|| {
            for step in *step..*step + count {
                let feed =
                    Batch { inputs: &inputs, targets: &targets, offsets: &offsets, rows: batch(rows, step, BATCH) };
                let losses = runner.forward_backward(&feed, &[1.0, 1.0], step);
                runner.update(optimizer, UPDATE, BATCH, Combine::Sum);
                total = losses.iter().flatten().sum();
            }
        });
        *step += count;
        Ok(Some(total as f32))
    }
}

/// Predictions of so many sentences at a time.
struct Prediction {
    pool: rayon::ThreadPool,
    runner: Runner,
    data: Data,
    rows: Vec<u32>,
    sentences: usize,
    step: u64,
}

impl Steps for Prediction {
    /// In place of a loss, the sum of what was predicted last.
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        let Self { pool, runner, data, rows, sentences, step } = self;
        let (inputs, offsets) = ([Numbers::Index(&data.tokens)], [data.offsets.as_slice()]);
        let mut total = 0.0;
        pool.install(|| {
            for step in *step..*step + count {
                let rows = batch(rows, step, *sentences);
                let outputs = runner.predict(&Batch { inputs: &inputs, targets: &[], offsets: &offsets, rows });
                total = outputs.iter().flatten().map(|z| z.abs()).sum();
            }
        });
        *step += count;
        Ok(Some(total))
    }
}
