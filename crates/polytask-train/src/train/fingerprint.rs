//! What a run is made of. A run goes on bit for bit only where all of this is as it was.

use super::Job;
use crc32fast::Hasher;
use polytask_model::Dataset;
use polytask_model::config::Schedule;
use polytask_model::tasks::{Labels, Target};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Tasks, settings, network and data of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    /// Name and kind of each task.
    tasks: Vec<String>,
    train: Map<String, Value>,
    loss: Map<String, Value>,
    /// Name and shape of each parameter.
    parameters: Vec<(String, Vec<usize>)>,
    /// CRC-32 of the graph.
    graph: u32,
    training: Rows,
    validation: Rows,
}

/// The rows of a part: how many, and the CRC-32 of their features, labels and weights in order.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Rows {
    count: usize,
    checksum: u32,
}

impl Fingerprint {
    pub(super) fn of(job: &Job<'_>) -> Result<Self, serde_json::Error> {
        let graph = serde_json::to_vec(job.graph)?;
        let parameters = job.graph.parameters().iter().map(|p| (p.name.clone(), p.dims.clone())).collect();
        Ok(Fingerprint {
            tasks: job.tasks.iter().map(|task| format!("{} ({})", task.name, task.kind_name())).collect(),
            train: train(job)?,
            loss: loss(job)?,
            parameters,
            graph: crc32fast::hash(&graph),
            training: Rows::of(job.data, job.labels, job.train),
            validation: Rows::of(job.data, job.labels, job.valid),
        })
    }

    /// What is different now, in words; nothing where all is the same.
    pub(super) fn difference(&self, now: &Fingerprint) -> Option<String> {
        if self.tasks != now.tasks {
            return Some(format!("its tasks were {}, now they are {}", self.tasks.join(", "), now.tasks.join(", ")));
        }
        setting("train", &self.train, &now.train)
            .or_else(|| setting("loss", &self.loss, &now.loss))
            .or_else(|| shape(&self.parameters, &now.parameters))
            .or_else(|| self.training.difference("training", &now.training))
            .or_else(|| self.validation.difference("validation", &now.validation))
            // After the rows: heads start at their shares.
            .or_else(|| (self.graph != now.graph).then(|| "its network had other layers".to_owned()))
    }
}

impl Rows {
    pub(crate) fn of(data: &Dataset, tasks: &[usize], rows: &[u32]) -> Self {
        let mut hasher = Hasher::new();
        let features = &data.features;
        let (numbers, indices) = (features.number_width, features.index_width);
        for images in &features.images {
            hasher.update(format!("{:?}", images.image).as_bytes());
        }
        for &row in rows {
            let row = row as usize;
            let number = &features.numbers[row * numbers..][..numbers];
            let index = &features.indices[row * indices..][..indices];
            number.iter().for_each(|v| hasher.update(&v.to_le_bytes()));
            index.iter().for_each(|v| hasher.update(&v.to_le_bytes()));
            for text in &features.texts {
                let own = text.offsets[row] as usize * text.width..text.offsets[row + 1] as usize * text.width;
                text.indices[own].iter().for_each(|v| hasher.update(&v.to_le_bytes()));
            }
            features.images.iter().for_each(|images| images.digest(row as u32, &mut hasher));
            for &task in tasks {
                let Labels { target, weights, elements, .. } = &data.labels[task];
                let own = match elements {
                    Some(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
                    None => row..row + 1,
                };
                weights[own.clone()].iter().for_each(|v| hasher.update(&v.to_le_bytes()));
                match target {
                    Target::Real(values) => {
                        let width = values.len() / weights.len().max(1);
                        let labels = &values[own.start * width..own.end * width];
                        labels.iter().for_each(|v| hasher.update(&v.to_le_bytes()));
                    }
                    Target::Class(classes) => {
                        let width = classes.len() / weights.len().max(1);
                        let labels = &classes[own.start * width..own.end * width];
                        labels.iter().for_each(|v| hasher.update(&v.to_le_bytes()));
                    }
                }
            }
        }
        Rows { count: rows.len(), checksum: hasher.finalize() }
    }

    pub(crate) fn difference(&self, part: &str, now: &Rows) -> Option<String> {
        match self.count == now.count {
            false => Some(format!("it had {} {part} rows, now there are {}", self.count, now.count)),
            true => (self.checksum != now.checksum).then(|| format!("its {part} rows held other values")),
        }
    }
}

/// The `[train]` section without what only says when to end. A cosine schedule ends with the run, so there the length
/// shapes every step.
fn train(job: &Job<'_>) -> Result<Map<String, Value>, serde_json::Error> {
    let mut train = object(&job.config.filled())?;
    train.remove("patience");
    train.remove("checkpoint_every");
    if job.config.schedule != Schedule::Cosine {
        train.remove("epochs");
        train.remove("steps");
    }
    Ok(train)
}

/// The `[loss]` section without what only looks on.
fn loss(job: &Job<'_>) -> Result<Map<String, Value>, serde_json::Error> {
    let mut loss = object(job.loss)?;
    loss.remove("watch");
    Ok(loss)
}

pub(crate) fn object(section: &impl Serialize) -> Result<Map<String, Value>, serde_json::Error> {
    match serde_json::to_value(section)? {
        Value::Object(map) => Ok(map),
        _ => Ok(Map::new()),
    }
}

/// The first key of a section that has another value.
pub(crate) fn setting(section: &str, then: &Map<String, Value>, now: &Map<String, Value>) -> Option<String> {
    let shown = |value: Option<&Value>| value.map_or_else(|| "left out".to_owned(), Value::to_string);
    let key = then.keys().chain(now.keys()).find(|key| then.get(*key) != now.get(*key))?;
    Some(format!("`{section}.{key}` was {}, now it is {}", shown(then.get(key)), shown(now.get(key))))
}

/// The first parameter that has another shape, or is not there.
fn shape(then: &[(String, Vec<usize>)], now: &[(String, Vec<usize>)]) -> Option<String> {
    let find = |all: &[(String, Vec<usize>)], name: &str| {
        all.iter().find(|(n, _)| n == name).map_or_else(|| "not there".to_owned(), |(_, dims)| format!("{dims:?}"))
    };
    let (name, _) = then.iter().chain(now).find(|(name, _)| find(then, name) != find(now, name))?;
    Some(format!("`{name}` was {}, now it is {}", find(then, name), find(now, name)))
}
