//! Why a prediction is what it is: what each input adds to it, for each row and task.
//!
//! **What adds up.** `base + sum over inputs = prediction`, in the units of the prediction: of the label for a quantity or a
//! count, the probability of a class. The base is what is predicted where no input is known.
//!
//! **How.** A family a file. Trees: exact Shapley values of their scores (TreeSHAP, Lundberg et al. 2018), path-dependent: an
//! input that is not known goes both ways, in proportion to the training rows. Networks: Shapley values by sampling
//! (Strumbelj and Kononenko 2014), where an input that is not known is as in a few training rows ([`Background`]); for linear
//! models they are exact. What was explained before a link (logits of trees and of linear models) is taken behind it along the
//! straight way from the base to the score. Of an ensemble: the weighted sum of its members' explanations.

mod path;
mod sampled;
mod trees;

use crate::Error;
use crate::background::{Background, NoBackground};
use crate::dataset::Dataset;
use crate::inputs::{Code, Encoder, Input};
use crate::model::{Body, Ensemble, Model};
use crate::tasks::{Kind, Link, Task};
use sampled::Sampler;
use std::path::Path;

/// What the inputs add to the predictions of one task.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// What is predicted where no input is known, by output: one of a quantity or count, or of the positive one of two
    /// classes, of classes in an order of each but the lowest or a higher one, otherwise one a class or label.
    pub base: Vec<f64>,
    /// `rows x inputs x outputs`
    pub values: Vec<f64>,
}

/// The same in the units of the link, and of members for their own tasks.
struct Part {
    base: Vec<f64>,
    values: Vec<f64>,
}

/// Why a model's predictions are not explained.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unexplained {
    /// A network reads it word by word.
    #[error("predictions are explained by inputs of a table, and `{0}` is a text that is read word by word")]
    Text(String),
    /// An image.
    #[error("predictions are explained by inputs of a table, and `{0}` is an image")]
    Image(String),
    /// Only tasks that label rows are explained.
    #[error("predictions are explained of tasks that label rows, and `{0}` labels parts of them")]
    Task(String),
    /// Networks need rows to compare with.
    #[error(transparent)]
    Background(#[from] NoBackground),
}

impl Unexplained {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            Unexplained::Background(NoBackground::None(_)) => {
                Some("train the model again: `polytask train` keeps some rows with it".to_owned())
            }
            Unexplained::Text(_) => {
                Some("a pretrained encoder that learns nothing makes a text one input: `train = \"frozen\"`".to_owned())
            }
            Unexplained::Image(_) | Unexplained::Task(_) | Unexplained::Background(_) => None,
        }
    }
}

/// A model, and what explains its predictions.
pub struct Explainer<'a> {
    model: &'a Model,
    background: Option<&'a Background>,
    names: Vec<String>,
}

impl<'a> Explainer<'a> {
    /// Of a model and the rows to compare with that belong to it, as [`background`] reads them.
    ///
    /// # Errors
    /// A model that reads texts word by word or images, or one of whose tasks does not label rows.
    pub fn new(model: &'a Model, background: Option<&'a Background>) -> Result<Self, Unexplained> {
        check(model)?;
        let names = model.encoder.columns().iter().map(|input| input.column.clone()).collect();
        Ok(Explainer { model, background, names })
    }

    /// The inputs, in the order in which explanations have them.
    pub fn inputs(&self) -> &[String] {
        &self.names
    }

    /// What each input adds, for some rows of a data set that the model has read: an explanation a task.
    ///
    /// # Errors
    /// Rows that do not fit the model.
    pub fn explain(&self, data: &Dataset, rows: &[u32]) -> Result<Vec<Explanation>, Error> {
        let Model { body, encoder, tasks, .. } = self.model;
        let parts = self.parts(body, encoder, tasks, data, rows)?;
        Ok(tasks.iter().zip(parts).map(|(task, part)| self.in_units(task, part)).collect())
    }

    fn parts(
        &self,
        body: &Body,
        encoder: &Encoder,
        tasks: &[Task],
        data: &Dataset,
        rows: &[u32],
    ) -> Result<Vec<Part>, Error> {
        match body {
            Body::Trees(trees) => Ok(trees::explain(trees, (encoder, &self.names), tasks, &data.features, rows)?),
            Body::Network(_) => {
                let rows: Vec<usize> = rows.iter().map(|row| *row as usize).collect();
                let rows = data.features.take(&rows);
                // A row that is compared with itself, where there is no other, owes nothing to any input.
                let background = self.background.map_or(&rows, Background::features);
                Sampler { device: &self.model.device, body, encoder, tasks, names: &self.names, background }
                    .explain(&rows)
            }
            Body::Ensemble(ensemble) => self.ensemble(ensemble, encoder, tasks, data, rows),
        }
    }

    /// In the units of the label, and as probabilities are calibrated.
    fn in_units(&self, task: &Task, part: Part) -> Explanation {
        let Part { mut base, mut values } = part;
        if let Kind::Regression(regression) = &task.kind {
            let (mean, deviation) = regression.scaling();
            base.iter_mut().for_each(|base| *base = *base * deviation + mean);
            values.iter_mut().for_each(|value| *value *= deviation);
        }
        let calibration = match &task.kind {
            Kind::Binary(binary) => Some((Link::Logit, &binary.decision)),
            Kind::Category(category) => Some((Link::Softmax, &category.decision)),
            Kind::Multilabel(multilabel) => Some((Link::Logit, &multilabel.decision)),
            Kind::Regression(_)
            | Kind::Ordinal(_)
            | Kind::Survival(_)
            | Kind::Count(_)
            | Kind::Tags(_)
            | Kind::TokenCategory(_)
            | Kind::Predicates(_)
            | Kind::Senses(_)
            | Kind::Roles(_)
            | Kind::Arcs(_)
            | Kind::Segmentation(_)
            | Kind::PixelRegression(_)
            | Kind::Own(_) => None,
        };
        if let Some((link, decision)) =
            calibration.filter(|(_, decision)| decision.scale != 1.0 || decision.shift != 0.0)
        {
            path::along(path::Curve::Calibration(link, decision), &mut base, &mut values, self.names.len());
        }
        Explanation { base, values }
    }

    /// The weighted sum of the members' explanations.
    fn ensemble(
        &self,
        ensemble: &Ensemble,
        encoder: &Encoder,
        tasks: &[Task],
        data: &Dataset,
        rows: &[u32],
    ) -> Result<Vec<Part>, Error> {
        let none = |task: &Task| {
            let width = task.outcome().width();
            Part { base: vec![0.0; width], values: vec![0.0; rows.len() * self.names.len() * width] }
        };
        let mut sums: Vec<Part> = tasks.iter().map(none).collect();
        for member in ensemble.members.iter().filter(|member| member.weights.iter().any(|weight| *weight > 0.0)) {
            let own: Vec<Task> = member.tasks.iter().map(|task| tasks[*task].clone()).collect();
            let share = 1.0 / member.bodies.len() as f64;
            for body in &member.bodies {
                let parts = self.parts(body, encoder, &own, data, rows)?;
                for ((task, weight), part) in member.tasks.iter().zip(&member.weights).zip(&parts) {
                    let add = |into: &mut [f64], from: &[f64]| {
                        into.iter_mut().zip(from).for_each(|(sum, value)| *sum += weight * share * value);
                    };
                    add(&mut sums[*task].base, &part.base);
                    add(&mut sums[*task].values, &part.values);
                }
            }
        }
        Ok(sums)
    }
}

fn check(model: &Model) -> Result<(), Unexplained> {
    for Input { column, code } in &model.encoder.inputs {
        match code {
            Code::Number(_)
            | Code::Boolean(_)
            | Code::Category(_)
            | Code::Date(_)
            | Code::Encoded(_)
            | Code::Seen(_)
            | Code::Own(_) => {}
            Code::Text(_) => return Err(Unexplained::Text(column.clone())),
            Code::Image(_) => return Err(Unexplained::Image(column.clone())),
        }
    }
    match model.tasks.iter().find(|task| task.link().is_none()) {
        Some(task) => Err(Unexplained::Task(task.name.clone())),
        None => Ok(()),
    }
}

/// The rows of a model directory that explanations of its model compare with; none where they need none, as those of trees.
///
/// # Errors
/// A model that cannot be explained, or rows that are needed and not there.
pub fn background(folder: &Path, model: &Model) -> Result<Option<Background>, Unexplained> {
    check(model)?;
    match compares(&model.body) {
        true => Ok(Some(Background::load(folder, &model.encoder)?)),
        false => Ok(None),
    }
}

/// Whether a model's explanations compare with other rows: a network's do.
fn compares(body: &Body) -> bool {
    match body {
        Body::Network(_) => true,
        Body::Trees(_) => false,
        Body::Ensemble(ensemble) => ensemble.bodies().any(compares),
    }
}

/// What the outputs of a task's explanation are called: the classes or labels; one without a name of a quantity or count.
pub fn outputs(task: &Task) -> Vec<Option<&str>> {
    fn named(labels: &[String]) -> Vec<Option<&str>> {
        labels.iter().map(|label| Some(label.as_str())).collect()
    }
    match &task.kind {
        Kind::Binary(binary) => named(&binary.classes.labels[1..]),
        Kind::Category(category) => named(&category.classes.labels),
        // This class or a higher one.
        Kind::Ordinal(ordinal) => named(&ordinal.classes.labels[1..]),
        Kind::Multilabel(multilabel) => named(&multilabel.labels),
        Kind::Survival(survival) => vec![None; survival.times.len()],
        Kind::Regression(_)
        | Kind::Count(_)
        | Kind::Tags(_)
        | Kind::TokenCategory(_)
        | Kind::Predicates(_)
        | Kind::Senses(_)
        | Kind::Roles(_)
        | Kind::Arcs(_)
        | Kind::Segmentation(_)
        | Kind::PixelRegression(_)
        | Kind::Own(_) => vec![None],
    }
}
