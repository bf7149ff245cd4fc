//! What is predicted. A task kind is one file that owns all of it: how a label is read, the width of its head, its
//! loss, how an output becomes a prediction, its metrics and which way is better.
//!
//! A [`Task`] is fitted on the training rows (mean and deviation, or the classes), goes into the model as it is, and
//! reads labels from any other table afterwards. Labels may be missing anywhere.

mod arborescence;
mod arcs;
mod binary;
mod bio;
mod category;
mod classes;
mod count;
mod decision;
mod digits;
pub(crate) mod domains;
mod error;
mod frames;
mod head;
mod infer;
mod labels;
mod layout;
mod link;
mod multilabel;
mod ordinal;
mod own;
mod pixel_regression;
mod pixels;
mod predicates;
mod prediction;
mod regression;
mod roles;
mod segmentation;
mod senses;
mod survival;
mod tags;
mod token_category;
mod viterbi;

pub use arcs::Arcs;
pub(crate) use arcs::heads;
pub use binary::Binary;
pub use bio::TagSet;
pub use category::Category;
pub use classes::Classes;
pub use count::Count;
pub use decision::Decision;
pub use error::TaskError;
pub(crate) use frames::{Frames, read as read_frames};
pub use head::Site;
pub use infer::infer_kind;
pub(crate) use labels::task_weights;
pub use labels::{LabelColumn, Labels, MISSING, Target, Truth, UNSEEN, sample_weights};
pub(crate) use layout::Predicates as RowPredicates;
pub use layout::{Layout, Place};
pub use link::Link;
pub use multilabel::{Multilabel, separator_of};
pub use ordinal::Ordinal;
pub use own::{Own, OwnOutcome, OwnTask, register};
pub use pixel_regression::PixelRegression;
pub use pixels::Canvas;
pub use predicates::Predicates;
pub use prediction::{Prediction, Said};
pub use regression::Regression;
pub use roles::Roles;
pub use segmentation::{NO_CLASS, OTHER_CLASS, Segmentation};
pub use senses::Senses;
pub use survival::Survival;
pub use tags::Tags;
pub use token_category::TokenCategory;

use crate::inputs::{Encoder, Texts};
use crate::metric::{Better, Metrics};
use crate::section::{TaskConfig, TaskKind};
use polytask_data::{Hint, Table};
use polytask_exec::TaskOutput;
use polytask_graph::{GraphBuilder, LossKind, NodeId};
use serde::{Deserialize, Serialize};

/// Features at most of a hidden layer of a head, in a model that was read.
pub(crate) const WIDEST: usize = 65_536;

/// Everything a task kind knows.
pub trait Outcome {
    /// Outputs of the head a row, or a pixel.
    fn width(&self) -> usize;

    /// Height and width of what is labelled pixel by pixel; none of a task that labels rows or tokens.
    fn pixels(&self) -> Option<[usize; 2]> {
        None
    }

    /// What the head is trained with, where that reads a single output; see [`attach`](Self::attach).
    fn loss(&self) -> LossKind;

    /// Adds the head's last layers on its features `h`; gives the output, in the units of the loss.
    fn output(&self, g: &mut GraphBuilder, site: &Site<'_>, h: NodeId) -> NodeId {
        site.output(g, h, self.width())
    }

    /// Adds the loss on the head's output.
    fn attach(&self, g: &mut GraphBuilder, site: &Site<'_>, output: NodeId) {
        g.loss(site.task, output, self.loss());
    }

    /// A bias of the head, `[width]`, that predicts the training rows' mean or shares before any training; zeros by default.
    fn initial_bias(&self) -> Vec<f32> {
        vec![0.0; self.width()]
    }

    /// How the label column is to be read from another file; as numbers by default.
    fn hint(&self) -> Hint {
        Hint::Number
    }

    /// The labels of every row of a table.
    ///
    /// # Errors
    /// A word where a number should be, a number that is no count.
    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError>;

    /// Predictions from the output of the head; of `layout` are read the predicates of each row alone.
    fn predict(&self, output: &TaskOutput, layout: &Layout) -> Prediction;

    /// The same prediction for every row: the mean, or the shares of the classes, of the training rows. A model that
    /// does not beat it has learnt nothing.
    fn constant(&self, rows: usize) -> Prediction;

    /// The same where a row may have any number of outputs.
    fn constant_in(&self, layout: &Layout) -> Prediction {
        self.constant(layout.rows())
    }

    /// The metrics of a prediction over the rows that have a label.
    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics;

    /// The metric that stands for the task in comparisons, and which way it improves.
    fn primary(&self) -> (&'static str, Better);

    /// Whether a task from a file holds together.
    ///
    /// # Errors
    /// What does not.
    fn check(&self) -> Result<(), String> {
        Ok(())
    }
}

/// A task kind with what it learnt from the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    /// A quantity.
    Regression(Regression),
    /// One of two classes.
    Binary(Binary),
    /// One of several classes.
    Category(Category),
    /// How many.
    Count(Count),
    /// Labelled spans of tokens.
    Tags(Tags),
    /// One of several classes for each token.
    TokenCategory(TokenCategory),
    /// Any number of labels.
    Multilabel(Multilabel),
    /// Which tokens are predicates.
    Predicates(Predicates),
    /// The senses of predicates.
    Senses(Senses),
    /// The arguments of predicates.
    Roles(Roles),
    /// Dependency trees.
    Arcs(Arcs),
    /// One of several classes for each pixel.
    Segmentation(Segmentation),
    /// A quantity for each pixel.
    PixelRegression(PixelRegression),
    /// One of several classes in an order.
    Ordinal(Ordinal),
    /// The time until an event.
    Survival(Survival),
    /// A kind that the program has brought.
    Own(Own),
}

/// A fitted task, as it stands in `model.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Task {
    /// Unique in the model.
    pub name: String,
    /// Where its labels are.
    pub column: String,
    /// The text input whose tokens it labels, or the image input whose pixels; none where it labels rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// What it predicts.
    #[serde(flatten)]
    pub kind: Kind,
}

impl Task {
    /// Fits a task on the training rows of a table; its kind is inferred from the whole column where the config does
    /// not say it.
    ///
    /// # Errors
    /// No such column, no label or only one among the rows, labels that do not fit the kind, a key or a label in the
    /// config that does not.
    pub fn fit(name: &str, config: &TaskConfig, table: &Table, rows: &[u32]) -> Result<Self, TaskError> {
        Self::fit_over(name, config, table, &Texts::new(), None, rows)
    }

    /// The same where there are texts whose tokens may be labelled, and inputs with images whose pixels may be.
    ///
    /// # Errors
    /// Those of [`fit`](Self::fit); no text or image input, or several and the config does not say which.
    pub fn fit_over(
        name: &str,
        config: &TaskConfig,
        table: &Table,
        texts: &Texts,
        inputs: Option<&Encoder>,
        rows: &[u32],
    ) -> Result<Self, TaskError> {
        let column = config.column_of(name);
        let mut source = LabelColumn::find(name, column, table)?;
        let image = match config.kind {
            Some(kind) if kind.is_of_pixels() => Some(source.choose_image(config.over.as_deref(), inputs)?),
            _ => None,
        };
        source.picture = image.map(|(name, _)| name);
        let over = match config.kind {
            Some(kind) if kind.is_of_pixels() => image.map(|(name, _)| name.to_owned()),
            Some(kind) if kind.is_of_tokens() => Some(source.choose(config.over.as_deref(), texts)?.to_owned()),
            kind => {
                if kind != Some(TaskKind::Multilabel) {
                    source.check_plain()?;
                }
                None
            }
        };
        let kind = match config.kind {
            Some(kind) => kind,
            None => infer::infer(&source)?,
        };
        if let Some(key) = config.stray_key(kind) {
            return Err(TaskError::StrayKey { task: name.to_owned(), kind: kind.word(), key });
        }
        let kind = match (kind, image) {
            (TaskKind::Segmentation, Some((_, image))) => {
                Kind::Segmentation(Segmentation::fit(&source, config, image, rows)?)
            }
            (TaskKind::PixelRegression, Some((_, image))) => {
                Kind::PixelRegression(PixelRegression::fit(&source, config, image, rows)?)
            }
            (TaskKind::Segmentation | TaskKind::PixelRegression, None) => return Err(source.no_image(None, &[])),
            (TaskKind::Regression, _) => Kind::Regression(Regression::fit(&source, config, rows)?),
            (TaskKind::Binary, _) => Kind::Binary(Binary::fit(&source, config, rows)?),
            (TaskKind::Category, _) => Kind::Category(Category::fit(&source, config, rows)?),
            (TaskKind::Count, _) => Kind::Count(Count::fit(&source, rows)?),
            (TaskKind::Tags, _) => Kind::Tags(Tags::fit(&source, config, rows)?),
            (TaskKind::TokenCategory, _) => Kind::TokenCategory(TokenCategory::fit(&source, config, rows)?),
            (TaskKind::Multilabel, _) => Kind::Multilabel(Multilabel::fit(&source, config, rows)?),
            (TaskKind::Predicates, _) => Kind::Predicates(Predicates::fit(&source, rows)?),
            (TaskKind::Senses, _) => Kind::Senses(Senses::fit(&source, config, rows)?),
            (TaskKind::Roles, _) => Kind::Roles(Roles::fit(&source, config, rows)?),
            (TaskKind::Arcs, _) => Kind::Arcs(Arcs::fit(&source, config, rows)?),
            (TaskKind::Ordinal, _) => Kind::Ordinal(Ordinal::fit(&source, config, rows)?),
            (TaskKind::Survival, _) => Kind::Survival(Survival::fit(&source, config, rows)?),
            (TaskKind::Own(word), _) => Kind::Own(Own::fit(word, &source, rows)?),
        };
        Ok(Task { name: name.to_owned(), column: column.to_owned(), over, kind })
    }

    /// Whether its outputs are of predicates, which something else has to say.
    pub fn is_of_predicates(&self) -> bool {
        matches!(self.kind, Kind::Senses(_) | Kind::Roles(_))
    }

    /// Whether its outputs are events that may each come or not, with a label each; of one binary label it is not.
    pub fn is_of_events(&self) -> bool {
        match &self.kind {
            Kind::Multilabel(_) | Kind::Ordinal(_) | Kind::Survival(_) => true,
            Kind::Regression(_)
            | Kind::Binary(_)
            | Kind::Category(_)
            | Kind::Count(_)
            | Kind::Tags(_)
            | Kind::TokenCategory(_)
            | Kind::Predicates(_)
            | Kind::Senses(_)
            | Kind::Roles(_)
            | Kind::Arcs(_)
            | Kind::Segmentation(_)
            | Kind::PixelRegression(_)
            | Kind::Own(_) => false,
        }
    }

    /// What its kind knows.
    pub fn outcome(&self) -> &dyn Outcome {
        match &self.kind {
            Kind::Regression(kind) => kind,
            Kind::Binary(kind) => kind,
            Kind::Category(kind) => kind,
            Kind::Count(kind) => kind,
            Kind::Tags(kind) => kind,
            Kind::TokenCategory(kind) => kind,
            Kind::Multilabel(kind) => kind,
            Kind::Predicates(kind) => kind,
            Kind::Senses(kind) => kind,
            Kind::Roles(kind) => kind,
            Kind::Arcs(kind) => kind,
            Kind::Segmentation(kind) => kind,
            Kind::PixelRegression(kind) => kind,
            Kind::Ordinal(kind) => kind,
            Kind::Survival(kind) => kind,
            Kind::Own(kind) => kind.outcome(),
        }
    }

    /// The name of its kind, as in the config.
    pub fn kind_name(&self) -> &'static str {
        match &self.kind {
            Kind::Regression(_) => TaskKind::Regression.word(),
            Kind::Binary(_) => TaskKind::Binary.word(),
            Kind::Category(_) => TaskKind::Category.word(),
            Kind::Count(_) => TaskKind::Count.word(),
            Kind::Tags(_) => TaskKind::Tags.word(),
            Kind::TokenCategory(_) => TaskKind::TokenCategory.word(),
            Kind::Multilabel(_) => TaskKind::Multilabel.word(),
            Kind::Predicates(_) => TaskKind::Predicates.word(),
            Kind::Senses(_) => TaskKind::Senses.word(),
            Kind::Roles(_) => TaskKind::Roles.word(),
            Kind::Arcs(_) => TaskKind::Arcs.word(),
            Kind::Segmentation(_) => TaskKind::Segmentation.word(),
            Kind::PixelRegression(_) => TaskKind::PixelRegression.word(),
            Kind::Ordinal(_) => TaskKind::Ordinal.word(),
            Kind::Survival(_) => TaskKind::Survival.word(),
            Kind::Own(kind) => kind.word(),
        }
    }

    /// The labels of every row of a table.
    ///
    /// # Errors
    /// No such column, or labels that do not fit the kind.
    pub fn labels(&self, table: &Table) -> Result<Labels, TaskError> {
        self.labels_over(table, &Texts::new())
    }

    /// The same where there are texts whose tokens may be labelled.
    ///
    /// # Errors
    /// Those of [`labels`](Self::labels); labels that do not fit the tokens.
    pub fn labels_over(&self, table: &Table, texts: &Texts) -> Result<Labels, TaskError> {
        let mut source = LabelColumn::find(&self.name, &self.column, table)?;
        if self.outcome().pixels().is_some() {
            source.picture = self.over.as_deref();
            let labels = self.outcome().labels(&source)?;
            return Ok(Labels { image: self.over.clone(), ..labels });
        }
        if let Some(over) = &self.over {
            source.choose(Some(over), texts)?;
        } else if !matches!(self.kind, Kind::Multilabel(_)) {
            source.check_plain()?;
        }
        self.outcome().labels(&source)
    }

    /// Refuses a part of the split that has rows but no label.
    ///
    /// # Errors
    /// [`TaskError::EmptyPart`] naming `part`, for example `validation`.
    pub fn check_part(&self, labels: &Labels, part: &str, rows: &[u32]) -> Result<(), TaskError> {
        match rows.is_empty() || labels.count(rows) > 0 {
            true => Ok(()),
            false => Err(TaskError::EmptyPart { task: self.name.clone(), part: part.to_owned() }),
        }
    }

    /// Predictions from the output of the head; of `layout` are read the predicates of each row alone.
    pub fn predict(&self, output: &TaskOutput, layout: &Layout) -> Prediction {
        self.outcome().predict(output, layout)
    }

    /// The metrics of the best constant prediction, for comparison.
    pub fn baseline(&self, truth: &Truth) -> Metrics {
        self.outcome().score(truth, &self.outcome().constant(truth.len()))
    }

    /// The same where a row may have any number of outputs.
    pub fn baseline_in(&self, truth: &Truth, layout: &Layout) -> Metrics {
        self.outcome().score(truth, &self.outcome().constant_in(layout))
    }

    /// Checks a task that was read from a file.
    ///
    /// # Errors
    /// [`TaskError::Damaged`].
    pub fn check(&self) -> Result<(), TaskError> {
        self.outcome().check().map_err(|reason| TaskError::Damaged { task: self.name.clone(), reason })
    }
}
