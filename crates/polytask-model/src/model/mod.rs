//! A trained model: all that prediction needs.

mod beside;
mod body;
mod check;
mod directory;
mod gates;
mod passes;
mod predictor;
mod run;

pub use body::{Body, Ensemble, Member, Network, PartError, TreeColumn, columns, tree_columns};
pub use directory::{CHECKPOINT, CONFIG, FITS, HISTORY, METRICS, ModelError, OWN, RUN, SUMMARY, TENSORS};
pub use gates::{GateUse, gate_warnings};
pub use predictor::Predictor;
pub use run::{RunInfo, peak_memory};

use crate::Error;
use crate::dataset::Dataset;
use crate::device::Device;
use crate::files;
use crate::inputs::{Encoder, Features, Galleries, embed_numbers};
use crate::metric::Metrics;
use crate::structure::Structure;
use crate::tasks::{Prediction, Task};
use body::{Ask, Engine};
use indexmap::IndexMap;
use polytask_data::{Dialect, ReadOptions, Table};
use polytask_exec::{Outputs, Parameters};
use polytask_graph::{Graph, ParameterId};
use std::path::Path;

/// A fitted model with its tasks and inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Model {
    /// What it computes with.
    pub body: Body,
    /// How columns become inputs.
    pub encoder: Encoder,
    /// What is predicted.
    pub tasks: Vec<Task>,
    /// How the files it learnt from are written.
    pub dialect: Dialect,
    /// Where its networks run.
    pub device: Device,
}

impl Model {
    /// How files are to be read for this model.
    pub fn read_options(&self) -> ReadOptions {
        let labels = self.tasks.iter().map(|task| (task.column.clone(), task.outcome().hint()));
        let hints = labels.chain(self.encoder.hints()).collect();
        let mut images = self.encoder.image_columns();
        let image = images.next().filter(|_| images.next().is_none()).map(|(column, _)| column.to_owned());
        ReadOptions { dialect: self.dialect.clone(), hints, image, ..ReadOptions::default() }
    }

    /// Outputs of every task for some rows of a data set.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn outputs(&self, data: &Dataset, rows: &[u32]) -> Result<Outputs, Error> {
        self.run(&mut self.engine(rows.len())?, &data.structure, data, rows)
    }

    /// What runs this many rows at a time, or as many as memory allows.
    fn engine(&self, rows: usize) -> Result<Engine, Error> {
        self.body.engine(&self.device, rows)
    }

    /// The network, of a model that is one.
    pub fn network(&self) -> Option<&Network> {
        self.body.network()
    }

    /// Outputs of every task for some rows, with what is known of the sentences from `structure`.
    fn run(&self, engine: &mut Engine, structure: &Structure, data: &Dataset, rows: &[u32]) -> Result<Outputs, Error> {
        self.body.run(engine, Ask { encoder: &self.encoder, tasks: &self.tasks, structure, data, rows })
    }

    /// What the model reads of a table, for a [`Predictor`].
    ///
    /// # Errors
    /// An input column that is not there or does not fit its kind.
    pub fn read(&self, table: &Table) -> Result<Dataset, Error> {
        Dataset::unlabelled(&self.encoder, &self.tasks, table)
    }

    /// Predictions of every task for every row of a table. Label columns need not be there; where the column of frames is,
    /// senses and roles are those of the predicates that it gives, and of predicted ones in rows without any.
    ///
    /// # Errors
    /// An input column that is not there or does not fit its kind.
    pub fn predict(&self, table: &Table) -> Result<Vec<Prediction>, Error> {
        let data = self.read(table)?;
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        self.predict_rows(&mut self.engine(rows.len())?, &data, &rows)
    }

    /// Features, and the labels of every task, of every row of a table.
    ///
    /// # Errors
    /// A column that is not there or does not fit its kind or task.
    pub fn dataset(&self, table: &Table) -> Result<Dataset, Error> {
        Dataset::labelled(&self.encoder, &self.tasks, table, &Galleries::new())
    }

    /// Metrics of every task whose label column is in a table.
    ///
    /// # Errors
    /// An input column that is not there or does not fit its kind, labels that do not fit their task, or no label
    /// column at all.
    pub fn evaluate(&self, table: &Table) -> Result<Scores, Error> {
        let there: Vec<&Task> = self.tasks.iter().filter(|task| table.column(&task.column).is_some()).collect();
        if let (true, Some(first)) = (there.is_empty(), self.tasks.first()) {
            first.labels(table)?;
        }
        let texts = self.encoder.texts(table)?;
        let labels = self.tasks.iter().map(|task| match table.column(&task.column) {
            Some(_) => task.labels_over(table, &texts).map(|labels| Some(labels.truth)),
            None => Ok(None),
        });
        let truths = labels.collect::<Result<Vec<_>, _>>()?;
        let data = Dataset::of(&self.encoder, &self.tasks, table, &texts, &Galleries::new())?;
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        self.score_rows(&data, &rows, truths)
    }

    /// Metrics of every task over some rows of prepared data, whose labels stand at the given places.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn score(&self, data: &Dataset, labels: &[usize], rows: &[u32]) -> Result<Scores, Error> {
        let truths = labels.iter().map(|&at| Some(data.labels[at].truth.select(rows))).collect();
        self.score_rows(data, rows, truths)
    }
}

/// Metrics of every task.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Scores {
    /// By name, in the model's order.
    #[serde(serialize_with = "metrics_alone")]
    pub tasks: IndexMap<String, Score>,
}

/// Metrics of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Score {
    /// Of the model.
    pub metrics: Metrics,
    /// Of the best constant prediction, on the same rows.
    pub baseline: Metrics,
}

fn metrics_alone<S: serde::Serializer>(tasks: &IndexMap<String, Score>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_map(tasks.iter().map(|(name, score)| (name, &score.metrics)))
}

/// Where a graph's parameters start: as the graph says, words by the vectors that a config names for them, scales of numbers
/// by the rows to learn from, then what a file of weights has of them.
///
/// # Errors
/// The file cannot be read, or names or shapes parameters that the graph does not have.
pub fn start(
    graph: &Graph,
    encoder: &Encoder,
    (features, rows): (&Features, &[u32]),
    seed: u64,
    init: Option<&Path>,
) -> Result<Parameters, Error> {
    let mut parameters = Parameters::init(graph, seed);
    encoder.start(graph, &mut parameters);
    embed_numbers::start(graph, features, rows, &mut parameters);
    if let Some(path) = init {
        for tensor in files::read_tensors(path).map_err(|e| Error::Init(e.to_string()))?.0 {
            let known = graph.parameters().iter().position(|p| p.name == tensor.name);
            let Some(i) = known else {
                return Err(Error::Init(format!("{} has {:?}, which the model has not", path.display(), tensor.name)));
            };
            let dims = &graph.parameter(ParameterId(i)).dims;
            if *dims != tensor.dims {
                let (name, got) = (&tensor.name, &tensor.dims);
                return Err(Error::Init(format!("{}: {name:?} has shape {got:?}, expected {dims:?}", path.display())));
            }
            parameters.of_mut(ParameterId(i)).copy_from_slice(&tensor.values);
        }
    }
    Ok(parameters)
}
