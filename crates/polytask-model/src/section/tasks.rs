//! `[tasks.NAME]`: what is predicted.

use super::error::Problem;
use super::own::{OwnWord, kind_of_word};
use super::scalar::Scalar;
use super::shorthand::{Shorthand, shorthand};
use super::threshold::Threshold;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a task predicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskKind {
    /// A quantity.
    Regression,
    /// One of two classes.
    Binary,
    /// One of several classes.
    Category,
    /// How many: 0, 1, 2, ...
    Count,
    /// Labelled spans of tokens, such as names or slots, written as BIO tags or as spans.
    Tags,
    /// One of several classes for each token, such as parts of speech.
    TokenCategory,
    /// Any number of labels a row.
    Multilabel,
    /// Which tokens are predicates, from frames.
    Predicates,
    /// The sense of each predicate, from frames.
    Senses,
    /// The arguments of each predicate with their roles, from frames.
    Roles,
    /// The head of each token and its relation to it: a dependency tree.
    Arcs,
    /// One of several classes for each pixel of an image.
    Segmentation,
    /// A quantity for each pixel of an image, such as its depth.
    PixelRegression,
    /// One of several classes in an order, such as grades or stages.
    Ordinal,
    /// The time until an event, of rows some of which were not followed to it (censored).
    Survival,
    /// A kind that the program has brought.
    #[serde(untagged)]
    #[schemars(skip)]
    Own(OwnWord),
}

kind_of_word!(TaskKind, OWN_TASKS);

impl TaskKind {
    /// The built-in kinds.
    const ALL: [TaskKind; 15] = [
        TaskKind::Regression,
        TaskKind::Binary,
        TaskKind::Category,
        TaskKind::Count,
        TaskKind::Tags,
        TaskKind::TokenCategory,
        TaskKind::Multilabel,
        TaskKind::Predicates,
        TaskKind::Senses,
        TaskKind::Roles,
        TaskKind::Arcs,
        TaskKind::Segmentation,
        TaskKind::PixelRegression,
        TaskKind::Ordinal,
        TaskKind::Survival,
    ];

    /// As it is written in the config.
    pub const fn word(self) -> &'static str {
        match self {
            TaskKind::Regression => "regression",
            TaskKind::Binary => "binary",
            TaskKind::Category => "category",
            TaskKind::Count => "count",
            TaskKind::Tags => "tags",
            TaskKind::TokenCategory => "token_category",
            TaskKind::Multilabel => "multilabel",
            TaskKind::Predicates => "predicates",
            TaskKind::Senses => "senses",
            TaskKind::Roles => "roles",
            TaskKind::Arcs => "arcs",
            TaskKind::Segmentation => "segmentation",
            TaskKind::PixelRegression => "pixel_regression",
            TaskKind::Ordinal => "ordinal",
            TaskKind::Survival => "survival",
            TaskKind::Own(word) => word.as_str(),
        }
    }

    /// Whether it labels tokens rather than rows.
    pub fn is_of_tokens(self) -> bool {
        matches!(self, TaskKind::Tags | TaskKind::TokenCategory | TaskKind::Arcs) || self.is_of_frames()
    }

    /// Whether its labels are frames, predicates with their arguments, which several tasks may read.
    pub fn is_of_frames(self) -> bool {
        matches!(self, TaskKind::Predicates | TaskKind::Senses | TaskKind::Roles)
    }

    /// Whether it labels pixels rather than rows.
    pub fn is_of_pixels(self) -> bool {
        matches!(self, TaskKind::Segmentation | TaskKind::PixelRegression)
    }
}

impl From<TaskKind> for TaskConfig {
    fn from(kind: TaskKind) -> Self {
        TaskConfig { kind: Some(kind), ..TaskConfig::default() }
    }
}

/// The loss of a task that can have several.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TaskLoss {
    /// The mean squared error.
    #[default]
    Mse,
    /// The mean absolute error.
    Mae,
    /// Squared near zero, absolute beyond `delta` (Huber 1964).
    Huber,
    /// The cross-entropy of each token's tag.
    Softmax,
    /// The likelihood of the whole sequence of tags, with learnt scores for which follows which (Lafferty et al. 2001).
    Crf,
}

impl TaskLoss {
    /// Whether it compares numbers.
    fn is_of_numbers(self) -> bool {
        matches!(self, TaskLoss::Mse | TaskLoss::Mae | TaskLoss::Huber)
    }
}

/// What classes weigh in the loss.
#[derive(Clone, Debug, PartialEq)]
pub enum ClassWeights {
    /// `rows / (classes * rows of the class)`: every class counts the same in total.
    Balanced,
    /// By label; classes that are not named weigh 1.
    Labels(IndexMap<String, f64>),
}

impl Shorthand for ClassWeights {
    type Table = IndexMap<String, f64>;
    const WORDS: &'static [&'static str] = &["balanced"];
    const TABLE: &'static str = "or a table such as { LABEL = 2.0 }";

    fn from_word(word: &str) -> Option<Self> {
        (word == "balanced").then_some(ClassWeights::Balanced)
    }

    fn from_table(table: Self::Table) -> Result<Self, String> {
        Ok(ClassWeights::Labels(table))
    }
}

shorthand!(ClassWeights);

impl Serialize for ClassWeights {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            ClassWeights::Balanced => serializer.serialize_str("balanced"),
            ClassWeights::Labels(weights) => weights.serialize(serializer),
        }
    }
}

/// A class label: a word, a whole number, `true` or `false`, kept as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Scalar")]
pub struct Label(pub String);

impl TryFrom<Scalar> for Label {
    type Error = String;

    fn try_from(value: Scalar) -> Result<Self, String> {
        Ok(Label(match value {
            Scalar::Text(text) => polytask_data::level(&text).into_owned(),
            other => other.to_string(),
        }))
    }
}

impl JsonSchema for Label {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Label".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": ["string", "number", "boolean"] })
    }
}

/// Labels that mean none: one, or a list of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "it must be a label, such as 255, or a list of labels")]
pub enum Ignored {
    /// One.
    One(Label),
    /// Several.
    Several(Vec<Label>),
}

impl Ignored {
    /// All of them.
    pub fn labels(&self) -> &[Label] {
        match self {
            Ignored::One(label) => std::slice::from_ref(label),
            Ignored::Several(labels) => labels,
        }
    }
}

/// Whether a task is wanted for its own sake.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// It counts.
    #[default]
    Primary,
    /// It is learnt for the help that it gives others: it does not count where the best model is chosen by all tasks, and
    /// `polytask select` may drop it.
    Auxiliary,
}

impl Role {
    fn is_primary(&self) -> bool {
        *self == Role::Primary
    }
}

/// One task.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TaskConfig {
    /// What is predicted. Default: inferred from the column: 0 and 1, or two words, are binary; other numbers a
    /// regression; more words a category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<TaskKind>,
    /// The column the labels are read from. Default: the task's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The loss. Regression, also of pixels: "mse", "mae" or "huber", default "mse". Tags and roles: "softmax" or "crf", default "softmax"
    /// for tags and "crf" for roles.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loss: Option<TaskLoss>,
    /// Regression with `loss = "huber"`: where the parabola becomes a line, above 0; in standard deviations of the
    /// label where `standardize` is on, in the label's units otherwise. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delta: Option<f64>,
    /// Regression, also of pixels: standardise the label inside, by the mean and deviation of the training rows. Predictions and
    /// metrics are in the label's own units either way. Default true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standardize: Option<bool>,
    /// Binary: the label whose probability is predicted. In a column of more than two labels it stands against all
    /// others together. Default: the one of the two that says 1, true or yes, else the last in order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub positive: Option<Label>,
    /// Tasks of classes, of tokens and pixels too: what the classes weigh in the loss: "balanced", or a weight (above 0) by
    /// label; labels that are not named weigh 1. Default: all weigh 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub class_weights: Option<ClassWeights>,
    /// Tasks of tokens: the text input whose tokens are labelled. Tasks of pixels: the image input whose pixels are
    /// labelled. Default: the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub over: Option<String>,
    /// Tasks of pixels: numbers of a mask, or labels of a list, that mean no label: one, such as 255, or a list of them.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ignore: Option<Ignored>,
    /// Tags: refuse an `I-x` that follows neither `B-x` nor `I-x`, rather than let a span begin there. Default false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strict: Option<bool>,
    /// Multilabel: what stands between the labels of a row where they are one text. Default "|". An empty list,
    /// or an empty text of JSON or Parquet, is a row without a label; the labels of an empty field of CSV are missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Multilabel: columns that each say of one label whether it is there (1 or 0, yes or no), instead of one column of
    /// labels. Default: none. Arcs: the columns of heads, counted from 1 with 0 for the root, and of relations. Default
    /// ["head", "deprel"]. Survival: the columns of the time followed, 0 or above, and of whether the event came (1 or 0, yes or
    /// no); no default.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Senses, roles and arcs: features that stand for a predicate, for a token beside its predicate, and for either end of
    /// an arc, from 2 to 4096, even. Default 128.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Roles: layers of LSTMs in both directions over the tokens of each predicate's sentence, from 0 to 8. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<usize>,
    /// A column of what each row weighs in this task's loss beside `data.sample_weight`, 0 or above; a row of weight 0 has no
    /// label of this task, and neither shapes its scale nor its scores. Default: all weigh 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weight: Option<String>,
    /// Ordinal: the labels from the lowest to the highest; labels of numbers need none. Default: by value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Vec<Label>>,
    /// Survival: the times, rising, for which the share that the event has not come to is predicted. Default: up to 20, with as
    /// many events of the training rows between each two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<Vec<f64>>,
    /// Binary and multilabel: the least probability at which the positive class, or a label, is said: a number above 0 and
    /// below 1, or what it is to be good for on held-out rows: "f1", "balanced_accuracy", { precision = 0.9 } (at least),
    /// { recall = 0.9 } or { cost = { fp = 1, fn = 5 } }. Default 0.5.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub threshold: Option<Threshold>,
    /// Binary, category and multilabel: set the probabilities right on held-out rows, where that predicts others of them
    /// better. Default true, and false with `class_weights`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrate: Option<bool>,
    /// Widths of the hidden layers of this task's head. Of pixels each is a convolution of 3 x 3, after the image has been
    /// doubled in size where it is still smaller than the labels. Default: `model.head`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Vec<usize>>,
    /// "primary", or "auxiliary" for a task that is learnt for the help that it gives others alone: it does not count in
    /// `train.criterion = "mean"`, and `polytask select` may drop it. Default "primary".
    #[serde(default, skip_serializing_if = "Role::is_primary")]
    pub role: Role,
}

/// The column of frames where the config names none.
const FRAMES: &str = "frames";
/// The columns of heads and relations where the config names none.
const ARCS: [&str; 2] = ["head", "deprel"];

impl TaskConfig {
    /// The column of the task called `name`.
    pub fn column_of<'a>(&'a self, name: &'a str) -> &'a str {
        self.columns_of(name).first().copied().unwrap_or(name)
    }

    /// All columns of the task called `name`.
    pub fn columns_of<'a>(&'a self, name: &'a str) -> Vec<&'a str> {
        match &self.columns {
            Some(columns) => columns.iter().map(String::as_str).collect(),
            None if self.kind == Some(TaskKind::Arcs) => ARCS.to_vec(),
            None if self.kind.is_some_and(TaskKind::is_of_frames) => vec![self.column.as_deref().unwrap_or(FRAMES)],
            None => vec![self.column.as_deref().unwrap_or(name)],
        }
    }

    /// The first key that has no meaning for a task of `kind`.
    pub fn stray_key(&self, kind: TaskKind) -> Option<&'static str> {
        let regression = matches!(kind, TaskKind::Regression | TaskKind::PixelRegression);
        let classes = matches!(
            kind,
            TaskKind::Binary
                | TaskKind::Category
                | TaskKind::Ordinal
                | TaskKind::TokenCategory
                | TaskKind::Segmentation
        );
        let tags = matches!(kind, TaskKind::Tags | TaskKind::Roles);
        let sized = matches!(kind, TaskKind::Senses | TaskKind::Roles | TaskKind::Arcs);
        [
            ("loss", self.loss.is_some_and(|loss| if loss.is_of_numbers() { !regression } else { !tags })),
            ("delta", self.delta.is_some() && !regression),
            ("standardize", self.standardize.is_some() && !regression),
            ("positive", self.positive.is_some() && kind != TaskKind::Binary),
            ("class_weights", self.class_weights.is_some() && !classes),
            ("over", self.over.is_some() && !kind.is_of_tokens() && !kind.is_of_pixels()),
            ("ignore", self.ignore.is_some() && !kind.is_of_pixels()),
            ("strict", self.strict.is_some() && kind != TaskKind::Tags),
            ("separator", self.separator.is_some() && kind != TaskKind::Multilabel),
            (
                "columns",
                self.columns.is_some() && !matches!(kind, TaskKind::Multilabel | TaskKind::Arcs | TaskKind::Survival),
            ),
            ("times", self.times.is_some() && kind != TaskKind::Survival),
            ("column", self.column.is_some() && matches!(kind, TaskKind::Arcs | TaskKind::Survival)),
            ("width", self.width.is_some() && !sized),
            ("layers", self.layers.is_some() && kind != TaskKind::Roles),
            ("order", self.order.is_some() && kind != TaskKind::Ordinal),
            ("threshold", self.threshold.is_some() && !matches!(kind, TaskKind::Binary | TaskKind::Multilabel)),
            (
                "calibrate",
                self.calibrate.is_some()
                    && !matches!(kind, TaskKind::Binary | TaskKind::Category | TaskKind::Multilabel),
            ),
        ]
        .iter()
        .find_map(|(key, stray)| stray.then_some(*key))
    }

    pub(crate) fn check(&self, name: &str) -> Result<(), Problem> {
        let key = |key| ["tasks", name, key];
        if name.is_empty() {
            return Err(Problem::new(&["tasks", name], "a task has an empty name"));
        }
        if let Some(kind) = self.kind
            && let Some(stray) = self.stray_key(kind)
        {
            let message = format!("`{stray}` has no meaning for a task of kind \"{}\"", kind.word());
            return Err(Problem::new(&key(stray), message));
        }
        if self.separator.as_deref() == Some("") {
            return Err(Problem::value(&key("separator"), "empty", "it must be one character or more"));
        }
        if let Some(columns) = &self.columns {
            if self.column.is_some() || self.separator.is_some() {
                let message = "`columns` stands instead of `column` and `separator`";
                return Err(Problem::new(&key("columns"), message));
            }
            if columns.is_empty() {
                return Err(Problem::value(&key("columns"), "empty", "it must name one column or more"));
            }
            match self.kind {
                Some(TaskKind::Multilabel) => {}
                Some(TaskKind::Arcs | TaskKind::Survival) if columns.len() == 2 => {}
                Some(TaskKind::Arcs) => {
                    let found = format!("{} column(s)", columns.len());
                    return Err(Problem::value(&key("columns"), found, "it must name those of heads and relations"));
                }
                Some(TaskKind::Survival) => {
                    let found = format!("{} column(s)", columns.len());
                    let must = "it must name those of the time followed and of whether the event came";
                    return Err(Problem::value(&key("columns"), found, must));
                }
                None
                | Some(
                    TaskKind::Regression
                    | TaskKind::Binary
                    | TaskKind::Category
                    | TaskKind::Count
                    | TaskKind::Tags
                    | TaskKind::TokenCategory
                    | TaskKind::Predicates
                    | TaskKind::Senses
                    | TaskKind::Roles
                    | TaskKind::Segmentation
                    | TaskKind::PixelRegression
                    | TaskKind::Ordinal
                    | TaskKind::Own(_),
                ) => return Err(Problem::new(&key("columns"), "`columns` belongs to `kind = \"multilabel\"`")),
            }
        }
        if self.kind == Some(TaskKind::Survival) && self.columns.is_none() {
            let message = "a task of kind \"survival\" needs the columns of the time followed and of whether the event came: \
                           columns = [\"TIME\", \"EVENT\"]";
            return Err(Problem::new(&key("kind"), message));
        }
        if let Some(Err(must)) = self.times.as_deref().map(check_times) {
            return Err(Problem::new(&key("times"), format!("`times`: {must}")));
        }
        self.threshold.map_or(Ok(()), |threshold| threshold.check(&key("threshold")))?;
        if let Some(width) = self.width.filter(|w| !(2..=4096).contains(w) || w % 2 == 1) {
            return Err(Problem::value(&key("width"), width, "it must be even, from 2 to 4096"));
        }
        if let Some(layers) = self.layers.filter(|layers| *layers > 8) {
            return Err(Problem::value(&key("layers"), layers, "it must be from 0 to 8"));
        }
        if let Some(delta) = self.delta {
            if self.loss != Some(TaskLoss::Huber) {
                return Err(Problem::new(&key("delta"), "`delta` belongs to `loss = \"huber\"`"));
            }
            if !(delta.is_finite() && delta > 0.0) {
                return Err(Problem::value(&key("delta"), delta, "it must be above 0"));
            }
        }
        if let Some(ClassWeights::Labels(weights)) = &self.class_weights
            && let Some((label, weight)) = weights.iter().find(|(_, w)| !(w.is_finite() && **w > 0.0))
        {
            return Err(Problem::value(&["tasks", name, "class_weights", label], weight, "a weight must be above 0"));
        }
        super::layer::check_widths(&key("head"), self.head.as_deref().unwrap_or_default())
    }
}

/// Times at most.
const MOST_TIMES: usize = 256;

/// Whether times can be the ends of intervals.
///
/// # Errors
/// What they must be.
pub(crate) fn check_times(times: &[f64]) -> Result<(), String> {
    let rising = times.windows(2).all(|pair| pair[0] < pair[1]);
    let inside = times.iter().all(|time| time.is_finite() && *time >= 0.0);
    match rising && inside && (1..=MOST_TIMES).contains(&times.len()) {
        true => Ok(()),
        false => Err(format!("they must rise from above 0, 1 to {MOST_TIMES} of them")),
    }
}
