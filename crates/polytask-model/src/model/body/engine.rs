//! A body at work: planned once, its working memory kept.

use super::{Body, Ensemble, columns};
use crate::Error;
use crate::dataset::Dataset;
use crate::device::Device;
use crate::inputs::Encoder;
use crate::structure::Structure;
use crate::tasks::{Link, Task};
use polytask_exec::{Batch, Outputs, Session, TaskOutput, Values};
use polytask_trees::{Kind, Predictor};

/// A body made ready to predict.
pub(in crate::model) enum Engine {
    Network(Box<dyn Session>),
    Trees {
        predictor: Box<Predictor>,
        kind: Kind,
        widths: Vec<usize>,
    },
    /// Those of each member.
    Ensemble(Vec<Vec<Engine>>),
}

/// What is asked of an engine: the outputs of some rows.
#[derive(Clone, Copy)]
pub(in crate::model) struct Ask<'a> {
    pub encoder: &'a Encoder,
    pub tasks: &'a [Task],
    pub structure: &'a Structure,
    pub data: &'a Dataset,
    pub rows: &'a [u32],
}

impl Body {
    /// What runs this many rows at a time, or as many as memory allows.
    ///
    /// # Errors
    /// The device cannot run a network.
    pub(in crate::model) fn engine(&self, device: &Device, rows: usize) -> Result<Engine, Error> {
        Ok(match self {
            Body::Network(network) => Engine::Network(device.predicting(&network.graph, rows, &network.parameters)?),
            Body::Trees(trees) => Engine::Trees {
                predictor: Box::new(Predictor::new(trees)),
                kind: trees.kind(),
                widths: trees.heads().iter().map(|head| head.width).collect(),
            },
            Body::Ensemble(ensemble) => {
                let of = |bodies: &[Body]| bodies.iter().map(|body| body.engine(device, rows)).collect();
                Engine::Ensemble(
                    ensemble.members.iter().map(|member| of(&member.bodies)).collect::<Result<_, Error>>()?,
                )
            }
        })
    }

    /// Outputs of every task for some rows of a data set that this encoder has made.
    ///
    /// # Errors
    /// Rows that do not fit the body.
    pub fn outputs_of(
        &self,
        device: &Device,
        encoder: &Encoder,
        tasks: &[Task],
        data: &Dataset,
        rows: &[u32],
    ) -> Result<Outputs, Error> {
        let ask = Ask { encoder, tasks, structure: &data.structure, data, rows };
        self.run(&mut self.engine(device, rows.len())?, ask)
    }

    /// The outputs of every task.
    pub(in crate::model) fn run(&self, engine: &mut Engine, ask: Ask<'_>) -> Result<Outputs, Error> {
        let mut read = None;
        self.outputs(engine, ask, &mut read)
    }

    /// The same; what trees read is made once for all of them.
    fn outputs(
        &self,
        engine: &mut Engine,
        ask: Ask<'_>,
        read: &mut Option<polytask_trees::Features>,
    ) -> Result<Outputs, Error> {
        match (self, engine) {
            (Body::Network(network), Engine::Network(session)) => {
                let run = |batch: &Batch<'_>| session.predict(batch);
                let outputs = ask.data.with_structure(ask.structure, &network.graph, &[], ask.rows, run)?;
                ask.data.features.check()?;
                Ok(outputs)
            }
            (Body::Trees(_), Engine::Trees { predictor, kind, widths }) => {
                let features = match read {
                    Some(features) => &*features,
                    None => read.insert(columns(ask.encoder, &ask.data.features, ask.rows)?),
                };
                Ok(raw(ask.tasks, *kind, widths, &predictor.scores(features)?))
            }
            (Body::Ensemble(ensemble), Engine::Ensemble(engines)) => mean(ensemble, engines, ask, read),
            // A body makes its own engine.
            (Body::Network(_) | Body::Trees(_) | Body::Ensemble(_), _) => unreachable!("an engine of another body"),
        }
    }
}

/// Scores of trees, row by row, as outputs of tasks.
fn raw(tasks: &[Task], kind: Kind, widths: &[usize], scores: &[f64]) -> Outputs {
    let all: usize = widths.iter().sum::<usize>().max(1);
    let rows = scores.len() / all;
    let mut first = 0;
    let of = |(task, &width): (&Task, &usize)| {
        let mut values = Values::of_rows(width, rows);
        for row in scores.chunks_exact(all) {
            let mut own = row[first..first + width].to_vec();
            if let (Kind::Forest, Some(link)) = (kind, task.link()) {
                // Leaves of forests hold averages of labels.
                link.encode(&mut own);
            }
            values.extend(&own.iter().map(|z| *z as f32).collect::<Vec<_>>());
        }
        first += width;
        TaskOutput { prediction: values, ..TaskOutput::default() }
    };
    Outputs { tasks: tasks.iter().zip(widths).map(of).collect() }
}

/// The weighted mean of the predictions of an ensemble's members, as outputs.
fn mean(
    ensemble: &Ensemble,
    engines: &mut [Vec<Engine>],
    ask: Ask<'_>,
    read: &mut Option<polytask_trees::Features>,
) -> Result<Outputs, Error> {
    let rows = ask.rows.len();
    let link = |task: &Task| task.link().unwrap_or(Link::Identity);
    let width = |task: &Task| task.outcome().width();
    let mut sums: Vec<Vec<f64>> = ask.tasks.iter().map(|task| vec![0.0; rows * width(task)]).collect();
    for (member, engines) in ensemble.members.iter().zip(engines) {
        let tasks: Vec<Task> = member.tasks.iter().map(|task| ask.tasks[*task].clone()).collect();
        let share = 1.0 / member.bodies.len() as f64;
        for (body, engine) in member.bodies.iter().zip(engines) {
            let outputs = body.outputs(engine, Ask { tasks: &tasks, ..ask }, read)?;
            for ((task, weight), output) in member.tasks.iter().zip(&member.weights).zip(&outputs.tasks) {
                if *weight > 0.0 {
                    add(&mut sums[*task], weight * share, link(&ask.tasks[*task]), output);
                }
            }
        }
    }
    let of = |(task, mut sums): (&Task, Vec<f64>)| {
        let width = width(task);
        let mut values = Values::of_rows(width, rows);
        sums.chunks_exact_mut(width.max(1)).for_each(|row| link(task).encode(row));
        values.extend(&sums.iter().map(|z| *z as f32).collect::<Vec<_>>());
        TaskOutput { prediction: values, ..TaskOutput::default() }
    };
    Ok(Outputs { tasks: ask.tasks.iter().zip(sums).map(of).collect() })
}

/// Adds the predictions of one model.
fn add(sums: &mut [f64], weight: f64, link: Link, output: &TaskOutput) {
    let width = output.prediction.width().max(1);
    let mut own = vec![0.0; width];
    for (sums, row) in sums.chunks_exact_mut(width).zip(output.prediction.values().chunks_exact(width)) {
        own.iter_mut().zip(row).for_each(|(own, z)| *own = f64::from(*z));
        link.decode(&mut own);
        sums.iter_mut().zip(&own).for_each(|(sum, p)| *sum += weight * p);
    }
}
