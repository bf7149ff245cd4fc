//! Trees and ensembles: what each body says of a row, brought to predictions, averaged, and given out.

use super::emit::{Emit, Form, Indices};
use super::trees;
use super::writer::{Setting, Writer};
use crate::array::Type;
use crate::error::ExportError;
use crate::spec::{self, Output};
use polytask::model::{Body, Ensemble, Member, Model, Network};
use polytask::tasks::{Link, Task};
use polytask_graph::{Graph, NodeId};

/// The rows as bodies read them.
pub struct Rows {
    /// `[batch, width]`, with the marks of missing values; none where no input is a number.
    pub numbers: Option<String>,
    /// By category, `[batch]`: the index of the level, the number of levels where there is none.
    pub categories: Vec<String>,
}

/// Puts a model of trees, or an ensemble, into an ONNX graph; gives the graph and what comes out.
///
/// # Errors
/// An op of a network that ONNX does not have.
pub fn model(model: &Model) -> Result<(Writer, Vec<Output>), ExportError> {
    let nothing = Network { graph: Graph::empty(), parameters: polytask_exec::Parameters::zeros(&Graph::empty()) };
    let mut emit = Emit::new(model, &nothing);
    let rows = emit.rows()?;
    let alone;
    let ensemble = match &model.body {
        Body::Ensemble(ensemble) => ensemble,
        body @ (Body::Trees(_) | Body::Network(_)) => {
            let tasks: Vec<usize> = (0..model.tasks.len()).collect();
            let weights = vec![1.0; tasks.len()];
            alone =
                Ensemble { members: vec![Member { name: String::new(), bodies: vec![body.clone()], tasks, weights }] };
            &alone
        }
    };
    let mut sums: Vec<Option<String>> = vec![None; model.tasks.len()];
    add(model, &rows, ensemble, &mut emit.w, &mut sums)?;
    let outputs = emit.predictions(&sums)?;
    Ok((emit.w, outputs))
}

/// Adds the weighted predictions of an ensemble to the sums of its tasks, `[batch, width]`.
fn add(
    model: &Model,
    rows: &Rows,
    ensemble: &Ensemble,
    w: &mut Writer,
    sums: &mut [Option<String>],
) -> Result<(), ExportError> {
    for (i, member) in ensemble.members.iter().enumerate() {
        let tasks: Vec<Task> = member.tasks.iter().map(|task| model.tasks[*task].clone()).collect();
        let body = Body::Ensemble(Ensemble::default());
        let own = Model {
            tasks,
            body,
            encoder: model.encoder.clone(),
            dialect: model.dialect.clone(),
            device: model.device.clone(),
        };
        for (j, body) in member.bodies.iter().enumerate() {
            w.scope(format!("members/{i}/{j}"));
            for (place, predicted) in predictions(&own, rows, body, w)?.into_iter().enumerate() {
                let weight = member.weights[place] / member.bodies.len() as f64;
                if weight == 0.0 {
                    continue;
                }
                let weight = w.doubles(&[], &[weight]);
                let part = w.op("Mul", &[&predicted, &weight]);
                let sum = &mut sums[member.tasks[place]];
                *sum = Some(match sum.take() {
                    Some(sum) => w.op("Add", &[&sum, &part]),
                    None => part,
                });
            }
        }
    }
    Ok(())
}

/// What a body predicts for each of its tasks, `[batch, width]` in f64.
fn predictions(model: &Model, rows: &Rows, body: &Body, w: &mut Writer) -> Result<Vec<String>, ExportError> {
    let raw = match body {
        Body::Network(network) => network_outputs(model, rows, network, w)?,
        Body::Trees(forest) => {
            let (scores, decoded) = trees::scores(&model.encoder, rows, forest, w);
            let widths: Vec<i64> = forest.heads().iter().map(|head| head.width as i64).collect();
            let parts = w.split(&scores, &widths);
            if decoded {
                return Ok(parts.iter().map(|part| w.cast(part, Type::Double)).collect());
            }
            parts
        }
        Body::Ensemble(ensemble) => {
            let mut sums: Vec<Option<String>> = vec![None; model.tasks.len()];
            add(model, rows, ensemble, w, &mut sums)?;
            return Ok(sums.into_iter().flatten().collect());
        }
    };
    Ok(model.tasks.iter().zip(raw).map(|(task, raw)| decode(task, &raw, w)).collect())
}

/// The outputs of a network for its tasks.
fn network_outputs(model: &Model, rows: &Rows, network: &Network, w: &mut Writer) -> Result<Vec<String>, ExportError> {
    let mut emit = Emit::new(model, network);
    emit.w = std::mem::take(w);
    for (i, node) in network.graph.nodes().iter().enumerate() {
        match spec::Source::of(&model.encoder, node) {
            Some(spec::Source::Numbers) => {
                let numbers = rows.numbers.clone().unwrap_or_default();
                emit.batch = Some(numbers.clone());
                emit.put(NodeId(i), Form::Plain, numbers);
            }
            Some(spec::Source::Categories) => {
                emit.batch = emit.batch.take().or_else(|| rows.categories.first().cloned());
                emit.indices.insert(NodeId(i), Indices::Columns(rows.categories.clone()));
            }
            // Tables have neither images nor tokens.
            Some(
                spec::Source::Image(_)
                | spec::Source::Pieces(..)
                | spec::Source::FirstPlace
                | spec::Source::Vectors(..)
                | spec::Source::Fed,
            )
            | None => {}
        }
    }
    emit.nodes()?;
    let outputs = network.graph.losses().iter().map(|loss| emit.plain(loss.prediction)).collect();
    *w = emit.w;
    Ok(outputs)
}

/// Raw outputs become predictions.
fn decode(task: &Task, raw: &str, w: &mut Writer) -> String {
    let z = w.cast(raw, Type::Double);
    match task.link().unwrap_or(Link::Identity) {
        Link::Identity => z,
        Link::Logit => w.op("Sigmoid", &[&z]),
        Link::Softmax => w.op_with("Softmax", &[&z], vec![("axis", Setting::Int(-1))]),
        Link::Log => w.op("Exp", &[&z]),
    }
}
