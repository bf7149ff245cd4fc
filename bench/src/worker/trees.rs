//! Boosted trees: fits, and predictions of what was fitted.

use super::net;
use crate::problem::normal;
use crate::protocol::{Answers, Steps, serve};
use crate::trees::Shape;
use crate::{Error, Result};
use polytask_trees::{Boosting, Column, Features, Growing, Model, Objective, Silent, Task};

/// Serves the protocol until told to quit.
///
/// # Errors
/// Threads that cannot be had, or a line that is not in the protocol.
pub fn run(shape: Shape, threads: usize) -> Result<()> {
    serve(&mut Trees { pool: net::pool(threads)?, shape, case: None })
}

struct Trees {
    pool: rayon::ThreadPool,
    shape: Shape,
    case: Option<Case>,
}

struct Case {
    features: Features,
    tasks: Vec<Task>,
    model: Model,
    predicts: bool,
}

/// Inputs, and by target `z + sin(2 a) b` of a linear mixture `z` and two of the inputs; `peers/trees.py` makes the same.
fn data(shape: Shape, tasks: usize) -> (Vec<f32>, Vec<Vec<f64>>) {
    let Shape { rows, inputs, .. } = shape;
    let (x, mixture) = (normal(0, rows * inputs), normal(2, inputs * tasks));
    let label = |row: usize, task: usize| {
        let own = &x[row * inputs..][..inputs];
        let z: f64 = (0..inputs).map(|i| f64::from(own[i]) * f64::from(mixture[i * tasks + task])).sum();
        let (a, b) = (f64::from(own[task % inputs]), f64::from(own[(task + 1) % inputs]));
        z / (inputs as f64).sqrt() + (2.0 * a).sin() * b
    };
    let labels = (0..tasks).map(|task| (0..rows).map(|row| label(row, task)).collect()).collect();
    (x, labels)
}

impl Case {
    fn fit(&self, shape: Shape) -> Result<Model> {
        fit(&self.features, &self.tasks, shape)
    }
}

fn fit(features: &Features, tasks: &[Task], shape: Shape) -> Result<Model> {
    let growing =
        Growing { max_leaves: 1 << shape.depth, max_depth: shape.depth, min_rows: 20, l2: 1.0, ..Growing::default() };
    let options = Boosting {
        rounds: shape.trees,
        learning_rate: 0.1,
        patience: None,
        rows_per_tree: 1.0,
        growing,
        ..Boosting::default()
    };
    let rows: Vec<usize> = (0..features.rows()).collect();
    let fitted = polytask_trees::boost(features, tasks, &rows, &[], &options, &mut Silent);
    Ok(fitted.map_err(|error| Error::Unavailable(error.to_string()))?.model)
}

impl Steps for Trees {
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        let Trees { pool, shape, case } = self;
        let Some(case) = case else { return Ok(None) };
        for _ in 0..count {
            pool.install(|| match case.predicts {
                true => {
                    let scores = case.model.scores(&case.features);
                    std::hint::black_box(scores.map_err(|error| Error::Unavailable(error.to_string()))?);
                    Ok::<_, Error>(())
                }
                false => {
                    std::hint::black_box(case.fit(*shape)?);
                    Ok(())
                }
            })?;
        }
        Ok(None)
    }

    fn turn_to(&mut self, what: &str, tasks: usize) -> Result<Answers> {
        let Trees { pool, shape, case } = self;
        let (x, labels) = data(*shape, tasks);
        let column = |i: usize| Column::numbers((0..shape.rows).map(|row| f64::from(x[row * shape.inputs + i])));
        let unavailable = |error: polytask_trees::TreesError| Error::Unavailable(error.to_string());
        let features = Features::new(shape.rows, (0..shape.inputs).map(column).collect()).map_err(unavailable)?;
        let own = labels.iter().map(|labels| Task::new(Objective::Squared, labels.clone())).collect::<Vec<_>>();
        let model = pool.install(|| fit(&features, &own, *shape))?;
        let scores = model.scores(&features).map_err(unavailable)?;
        let r2 = |task: usize| {
            let labels = &labels[task];
            let mean = labels.iter().sum::<f64>() / labels.len() as f64;
            let error = |row: usize| (labels[row] - scores[row * tasks + task]).powi(2);
            let rest: f64 = (0..labels.len()).map(error).sum();
            1.0 - rest / labels.iter().map(|label| (label - mean).powi(2)).sum::<f64>()
        };
        let r2 = (0..tasks).map(r2).sum::<f64>() / tasks as f64;
        *case = Some(Case { features, tasks: own, model, predicts: what == "predict" });
        Ok(Answers { answers: vec![vec![r2]] })
    }
}
