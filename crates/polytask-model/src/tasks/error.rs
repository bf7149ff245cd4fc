//! What can be wrong with the labels of a task.

use crate::nearest::suggest;
use polytask_data::{DataError, ImageProblem, Place};

/// Labels that cannot be learnt from.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TaskError {
    /// The column is not in the table.
    #[error("task `{task}`: {source}")]
    Column {
        /// The task.
        task: String,
        /// What the table says.
        source: Box<DataError>,
    },
    /// A label could not be read as what the rest of its column is.
    #[error(transparent)]
    Values(Box<DataError>),
    /// No label to fit on.
    #[error("task `{task}`: column `{column}` has no label in the training rows")]
    NoLabel {
        /// The task.
        task: String,
        /// Its column.
        column: String,
    },
    /// Nothing to tell apart.
    #[error("task `{task}`: every label in the training rows is `{value}`; there is nothing to learn")]
    OneLabel {
        /// The task.
        task: String,
        /// The label.
        value: String,
    },
    /// A part of the split has rows, but not one label.
    #[error("task `{task}`: every label is missing in the {part} rows")]
    EmptyPart {
        /// The task.
        task: String,
        /// `training`, `validation` or `test`.
        part: String,
    },
    /// Lists or objects where a row should have one plain label.
    #[error("task `{task}` has one label a row, but column `{column}` holds {found}")]
    NotPlain {
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// What it holds.
        found: &'static str,
    },
    /// A task of tokens without a text, or with a choice of several.
    #[error("task `{task}` labels tokens, {}", which(over.as_deref(), texts, "text"))]
    Over {
        /// The task.
        task: String,
        /// The text input it names.
        over: Option<String>,
        /// Those that are there.
        texts: Vec<String>,
    },
    /// A task of pixels without an image, or with a choice of several.
    #[error("task `{task}` labels pixels, {}", which(over.as_deref(), images, "image"))]
    OverImage {
        /// The task.
        task: String,
        /// The image input it names.
        over: Option<String>,
        /// Those that are there.
        images: Vec<String>,
    },
    /// A mask that cannot be used.
    #[error("{place}: task `{task}`: the mask {mask}: {problem}")]
    Mask {
        /// The row.
        place: Box<Place>,
        /// The task.
        task: String,
        /// Where it is.
        mask: String,
        /// What is wrong with it.
        problem: ImageProblem,
    },
    /// Tasks over the tokens of several texts.
    #[error(
        "task `{task}` labels the tokens of `{other}`, task `{first}` those of `{text}`; a model labels those of one text"
    )]
    TwoTexts {
        /// The task.
        task: String,
        /// Its text.
        other: String,
        /// A task before it.
        first: String,
        /// That one's text.
        text: String,
    },
    /// Plain labels where each token should have one.
    #[error("task `{task}` labels tokens, but column `{column}` holds {found}")]
    NotLists {
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// What it holds.
        found: &'static str,
    },
    /// Something else where frames should be.
    #[error("task `{task}` reads frames, but column `{column}` holds {found}")]
    NotFrames {
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// What it holds.
        found: &'static str,
    },
    /// Predicates that two tasks take from different columns.
    #[error(
        "task `{task}` reads frames from `{column}`, task `{first}` from `{other}`; a sentence has its predicates once"
    )]
    TwoFrames {
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// A task before it.
        first: String,
        /// That one's column.
        other: String,
    },
    /// Labels that do not fit the tokens of a row.
    #[error("{place}: task `{task}`: {reason}")]
    Tags {
        /// The row.
        place: Box<Place>,
        /// The task.
        task: String,
        /// What is wrong.
        reason: String,
    },
    /// A word in a task of numbers.
    #[error("{place}: task `{task}` is a {kind}, but column `{column}` holds `{value}`")]
    NotNumber {
        /// The row.
        place: Box<Place>,
        /// The task.
        task: String,
        /// Its kind.
        kind: &'static str,
        /// Its column.
        column: String,
        /// The word.
        value: String,
    },
    /// A number that is no count.
    #[error("{place}: task `{task}` is a count, but column `{column}` holds {value}")]
    NotCount {
        /// The row.
        place: Box<Place>,
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// The number.
        value: f64,
    },
    /// A label of several that is neither there nor not.
    #[error("{place}: task `{task}`: column `{column}` says whether the label is there, but holds `{value}`")]
    NotFlag {
        /// The row.
        place: Box<Place>,
        /// The task.
        task: String,
        /// The column.
        column: String,
        /// What it holds.
        value: String,
    },
    /// Something else where several labels a row should be.
    #[error("task `{task}` has any number of labels a row, but column `{column}` holds {found}")]
    NotLabels {
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// What it holds.
        found: &'static str,
    },
    /// More than two classes in a binary task.
    #[error("task `{task}` is binary, but column `{column}` holds {count} labels: {}", list(labels))]
    NotBinary {
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// How many.
        count: usize,
        /// The first of them.
        labels: Vec<String>,
    },
    /// Words that are nearly all different, or more classes than a head can have.
    #[error("task `{task}`: column `{column}` holds {count} different words in {rows} rows; these are no classes")]
    NoClasses {
        /// The task.
        task: String,
        /// Its column.
        column: String,
        /// How many.
        count: usize,
        /// Rows with a label.
        rows: usize,
    },
    /// The config names a label that is not there.
    #[error("task `{task}`: `{key}` names the label `{label}`, which is not among the labels of the training rows")]
    UnknownLabel {
        /// The task.
        task: String,
        /// `positive` or `class_weights`.
        key: &'static str,
        /// The label.
        label: String,
        /// Those that are there.
        labels: Vec<String>,
    },
    /// A key that does nothing for the kind that was inferred.
    #[error("task `{task}` was taken for kind \"{kind}\", for which `{key}` has no meaning")]
    StrayKey {
        /// The task.
        task: String,
        /// The kind inferred.
        kind: &'static str,
        /// The key.
        key: &'static str,
    },
    /// The column of row weights is not in the table.
    #[error("`data.sample_weight`: {0}")]
    WeightColumn(Box<DataError>),
    /// A row weight that is no number of 0 or above.
    #[error("{place}: the sample weight in column `{column}` is {value}")]
    BadWeight {
        /// The row.
        place: Place,
        /// The column.
        column: String,
        /// What it holds.
        value: String,
    },
    /// No training row counts.
    #[error("every training row has a weight of 0 in column `{column}`: there is nothing to learn from")]
    NoWeight {
        /// The column.
        column: String,
    },
    /// Labels that a kind of the program's own refuses.
    #[error("{}task `{task}`: {reason}", place.as_ref().map(|place| format!("{place}: ")).unwrap_or_default())]
    Own {
        /// The row, where it is one.
        place: Option<Box<Place>>,
        /// The task.
        task: String,
        /// What is wrong.
        reason: String,
    },
    /// A stored task that does not hold together.
    #[error("task `{task}` is damaged: {reason}")]
    Damaged {
        /// The task.
        task: String,
        /// What does not hold.
        reason: String,
    },
}

impl TaskError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Column { source, .. } | Self::Values(source) | Self::WeightColumn(source) => return source.hint(),
            Self::UnknownLabel { label, labels, .. } => {
                let labels: Vec<&str> = labels.iter().map(String::as_str).collect();
                return suggest(label, &labels);
            }
            Self::Over { texts, .. } if texts.is_empty() => {
                "name the column of texts or tokens in [inputs] with kind \"text\""
            }
            Self::Over { texts, .. } => return Some(format!("say which with `over`; the texts are {}", list(texts))),
            Self::OverImage { images, .. } if images.is_empty() => {
                "name the column of images in [inputs] with kind \"image\""
            }
            Self::OverImage { images, .. } => {
                return Some(format!("say which with `over`; the images are {}", list(images)));
            }
            Self::Mask { .. } => "mend it, or leave the field empty: the row has no label of this task then",
            Self::NotLists { .. } => "a row's labels are a list, one a token, or spans; null where a row has none",
            Self::NotFrames { .. } => {
                "a row's frames are a list such as [{\"pred\": 1, \"roleset\": \"see.01\", \"args\": [[\"ARG0\", 0, 0]]}]; null where a row has none"
            }
            Self::EmptyPart { .. } => {
                "use a larger share, another seed, or a split that has labels in every part; a task with role = \"auxiliary\" needs labels \
                 in the training rows alone"
            }
            Self::OneLabel { task, .. } | Self::NoLabel { task, .. } => {
                return Some(format!(
                    "take [tasks.{task}] out to learn the other tasks, or let the training rows have more of its labels: another \
                     seed or share, or `stratify` in data.split"
                ));
            }
            Self::NotNumber { .. } => {
                "list the word in data.missing if it stands for a missing value, or choose kind = \"category\""
            }
            Self::NotCount { .. } => "a count is 0, 1, 2, ...; kind = \"regression\" takes any number",
            Self::NotFlag { .. } => "accepted are true and false, yes and no, t and f, y and n, 1 and 0, in any case",
            Self::NotLabels { .. } => {
                "write them as one text with `separator` between them, as a list, or as a column each, named in `columns`"
            }
            Self::NotBinary { .. } => {
                "kind = \"category\" takes any number of classes; with `positive` one label stands against all others"
            }
            Self::NoClasses { .. } => {
                "check the column; if the words are classes, say so with kind = \"category\" (at most 65536 of them)"
            }
            Self::StrayKey { .. } => "say the kind of the task, or take the key out",
            Self::NoWeight { .. } => "give the rows to learn from a weight above 0, or take data.sample_weight out",
            Self::BadWeight { .. } => "every row needs a weight of 0 or above",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

fn which(over: Option<&str>, there: &[String], kind: &str) -> String {
    match over {
        Some(over) => format!("but there is no {kind} input `{over}`"),
        None if there.is_empty() => format!("but there is no {kind} input"),
        None => format!("and there are several {kind} inputs"),
    }
}

fn list(labels: &[String]) -> String {
    let shown: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
    shown.join(", ")
}
