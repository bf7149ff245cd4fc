//! Labels of one task for all rows of a table.

use super::{NO_CLASS, TaskError};
use crate::column::is_plain;
use crate::inputs::{Encoder, Image, Sentences, Texts};
use crate::metric::Seen;
use polytask_data::text::{Frame, Span};
use polytask_data::{Column, DataError, Table};

/// In [`Truth::Classes`]: no label.
pub const MISSING: u32 = u32::MAX;
/// In [`Truth::Classes`]: a label that is no class of the training rows.
pub const UNSEEN: u32 = u32::MAX - 1;

/// Labels of one task for all rows of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// What the loss compares with; any value where the weight is 0.
    pub target: Target,
    /// What the metrics compare with.
    pub truth: Truth,
    /// What a row weighs in the loss: 0 without a label or with a class that training never saw, the class weight
    /// otherwise.
    pub weights: Vec<f32>,
    /// Where the targets and weights of each row begin, and where the last one's end; none where each row has one.
    pub elements: Option<Vec<u32>>,
    /// The image input whose pixels are labelled; none where rows or tokens are.
    pub image: Option<String>,
    /// Things worth saying.
    pub notes: Vec<String>,
}

/// What the loss compares with, one a row or several.
#[derive(Clone, Debug, PartialEq)]
pub enum Target {
    /// Numbers, standardised where the task is; of several a row, those that are missing are NaN.
    Real(Vec<f32>),
    /// Class indices.
    Class(Vec<u32>),
}

/// Labels in the person's units, one a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// NaN where missing.
    Numbers(Vec<f64>),
    /// Class indices, [`MISSING`] or [`UNSEEN`].
    Classes(Vec<u32>),
    /// Labelled spans of tokens; none where a row has no label.
    Spans(Vec<Option<Vec<Span>>>),
    /// Class indices of tokens, [`MISSING`] or [`UNSEEN`].
    Tokens {
        /// Where those of each row begin, and where the last one's end.
        offsets: Vec<u32>,
        /// One a token.
        classes: Vec<u32>,
    },
    /// Predicates with their senses and arguments; none where a row has no label.
    Frames(Vec<Option<Vec<Frame>>>),
    /// Dependency trees.
    Arcs {
        /// Where the tokens of each row begin, and where the last one's end.
        offsets: Vec<u32>,
        /// The head of each token, a place in its sentence, its own where it is the root; [`MISSING`] where unknown.
        heads: Vec<u32>,
        /// Class indices of the relations, [`MISSING`] or [`UNSEEN`].
        relations: Vec<u32>,
    },
    /// Of each row several labels.
    Flags {
        /// How many.
        width: usize,
        /// `rows x width`: 1 where the label is there, 0 where it is not, NaN where that is unknown.
        values: Vec<f32>,
    },
    /// How long each row was followed, and whether to the event; none where that is missing.
    Times(Vec<Option<Seen>>),
    /// Class indices of the pixels of images, [`NO_CLASS`](super::NO_CLASS) or [`OTHER_CLASS`](super::OTHER_CLASS).
    PixelClasses {
        /// Pixels of an image.
        pixels: usize,
        /// `rows x pixels`
        classes: Vec<u8>,
    },
    /// Quantities of the pixels of images, NaN where missing.
    PixelNumbers {
        /// Pixels of an image.
        pixels: usize,
        /// `rows x pixels`
        values: Vec<f32>,
    },
}

impl Truth {
    /// The number of rows.
    pub fn len(&self) -> usize {
        match self {
            Truth::Numbers(values) => values.len(),
            Truth::Classes(classes) => classes.len(),
            Truth::Spans(rows) => rows.len(),
            Truth::Frames(rows) => rows.len(),
            Truth::Times(rows) => rows.len(),
            Truth::Tokens { offsets, .. } | Truth::Arcs { offsets, .. } => offsets.len().saturating_sub(1),
            Truth::Flags { width, values } | Truth::PixelNumbers { pixels: width, values } => {
                values.len() / (*width).max(1)
            }
            Truth::PixelClasses { pixels, classes } => classes.len() / (*pixels).max(1),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `row` has a label; a class that training never saw is one.
    pub fn known(&self, row: usize) -> bool {
        match self {
            Truth::Numbers(values) => values.get(row).is_some_and(|v| !v.is_nan()),
            Truth::Classes(classes) => classes.get(row).is_some_and(|c| *c != MISSING),
            Truth::Spans(rows) => rows.get(row).is_some_and(Option::is_some),
            Truth::Frames(rows) => rows.get(row).is_some_and(Option::is_some),
            Truth::Times(rows) => rows.get(row).is_some_and(Option::is_some),
            Truth::Tokens { offsets, classes } | Truth::Arcs { offsets, heads: classes, .. } => {
                of_row(offsets, classes, row).iter().any(|c| *c != MISSING)
            }
            Truth::Flags { width, values } | Truth::PixelNumbers { pixels: width, values } => {
                values.get(row * width..(row + 1) * width).is_some_and(|row| row.iter().any(|flag| !flag.is_nan()))
            }
            Truth::PixelClasses { pixels, classes } => {
                classes.get(row * pixels..(row + 1) * pixels).is_some_and(|row| row.iter().any(|c| *c != NO_CLASS))
            }
        }
    }

    /// The labels of `rows`, in their order. A row past the end has no label.
    pub fn select(&self, rows: &[u32]) -> Truth {
        match self {
            Truth::Numbers(values) => {
                Truth::Numbers(rows.iter().map(|r| values.get(*r as usize).copied().unwrap_or(f64::NAN)).collect())
            }
            Truth::Classes(classes) => {
                Truth::Classes(rows.iter().map(|r| classes.get(*r as usize).copied().unwrap_or(MISSING)).collect())
            }
            Truth::Spans(spans) => {
                Truth::Spans(rows.iter().map(|r| spans.get(*r as usize).cloned().flatten()).collect())
            }
            Truth::Frames(frames) => {
                Truth::Frames(rows.iter().map(|r| frames.get(*r as usize).cloned().flatten()).collect())
            }
            Truth::Times(seen) => Truth::Times(rows.iter().map(|r| seen.get(*r as usize).copied().flatten()).collect()),
            Truth::Tokens { offsets, classes } => {
                let (offsets, classes) = select(offsets, classes, rows);
                Truth::Tokens { offsets, classes }
            }
            Truth::Arcs { offsets, heads, relations } => {
                let (ends, heads) = select(offsets, heads, rows);
                Truth::Arcs { offsets: ends, heads, relations: select(offsets, relations, rows).1 }
            }
            Truth::Flags { width, values } => {
                Truth::Flags { width: *width, values: choose(values, *width, rows, f32::NAN) }
            }
            Truth::PixelNumbers { pixels, values } => {
                Truth::PixelNumbers { pixels: *pixels, values: choose(values, *pixels, rows, f32::NAN) }
            }
            Truth::PixelClasses { pixels, classes } => {
                Truth::PixelClasses { pixels: *pixels, classes: choose(classes, *pixels, rows, NO_CLASS) }
            }
        }
    }
}

/// The values of some rows of so many each, in their order; a row past the end is unknown.
fn choose<T: Copy>(values: &[T], width: usize, rows: &[u32], unknown: T) -> Vec<T> {
    let unknown = vec![unknown; width];
    let row = |row: &u32| values.get(*row as usize * width..(*row as usize + 1) * width).unwrap_or(&unknown);
    rows.iter().flat_map(row).copied().collect()
}

/// The part of the elements that a row has.
fn of_row<'a, T>(offsets: &[u32], elements: &'a [T], row: usize) -> &'a [T] {
    match offsets.get(row..row + 2) {
        Some(&[start, end]) => elements.get(start as usize..end as usize).unwrap_or_default(),
        _ => &[],
    }
}

/// The elements of some rows, end to end, and where each row's begin.
fn select(offsets: &[u32], elements: &[u32], rows: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let (mut ends, mut chosen) = (vec![0], Vec::new());
    for row in rows {
        chosen.extend_from_slice(of_row(offsets, elements, *row as usize));
        ends.push(chosen.len() as u32);
    }
    (ends, chosen)
}

impl Labels {
    /// Labels of one a row.
    pub fn new(target: Target, truth: Truth, weights: Vec<f32>) -> Self {
        Labels { target, truth, weights, elements: None, image: None, notes: Vec::new() }
    }

    /// Whether the loss counts a row.
    pub fn weighs(&self, row: usize) -> bool {
        let own = match &self.elements {
            None => self.weights.get(row..row + 1).unwrap_or_default(),
            Some(offsets) => of_row(offsets, &self.weights, row),
        };
        own.iter().any(|weight| *weight > 0.0)
    }

    /// Takes the label of a row away.
    fn forget(&mut self, row: usize) {
        match &self.elements {
            None => self.weights[row] = 0.0,
            Some(offsets) => self.weights[offsets[row] as usize..offsets[row + 1] as usize].fill(0.0),
        }
        let own = |offsets: &[u32]| offsets[row] as usize..offsets[row + 1] as usize;
        match &mut self.truth {
            Truth::Numbers(values) => values[row] = f64::NAN,
            Truth::Classes(classes) => classes[row] = MISSING,
            Truth::Spans(spans) => spans[row] = None,
            Truth::Frames(frames) => frames[row] = None,
            Truth::Times(seen) => seen[row] = None,
            Truth::Tokens { offsets, classes } => classes[own(offsets)].fill(MISSING),
            Truth::Arcs { offsets, heads, relations } => {
                heads[own(offsets)].fill(MISSING);
                relations[own(offsets)].fill(MISSING);
            }
            Truth::Flags { width, values } | Truth::PixelNumbers { pixels: width, values } => {
                values[row * *width..(row + 1) * *width].fill(f32::NAN);
            }
            Truth::PixelClasses { pixels, classes } => classes[row * *pixels..(row + 1) * *pixels].fill(NO_CLASS),
        }
    }

    /// Weighs every row by what a column of a task has for it; a row of weight 0 has no label any more.
    ///
    /// # Errors
    /// No such column; a row with a label whose weight is missing, below 0 or no number.
    pub fn weigh(&mut self, table: &Table, name: &str, task: &str) -> Result<(), TaskError> {
        let weights = task_weights(table, name, task, &|row| self.truth.known(row))?;
        (0..weights.len()).filter(|row| weights[*row] == 0.0).for_each(|row| self.forget(row));
        self.multiply(&weights);
        Ok(())
    }

    /// How many of `rows` have a label.
    pub fn count(&self, rows: &[u32]) -> usize {
        rows.iter().filter(|row| self.truth.known(**row as usize)).count()
    }

    /// Multiplies the weight of every row by that of the sample.
    pub fn multiply(&mut self, sample_weights: &[f32]) {
        match &self.elements {
            None => self.weights.iter_mut().zip(sample_weights).for_each(|(weight, sample)| *weight *= sample),
            Some(offsets) => {
                for (own, sample) in offsets.windows(2).zip(sample_weights) {
                    let own = self.weights.get_mut(own[0] as usize..own[1] as usize);
                    own.into_iter().flatten().for_each(|weight| *weight *= sample);
                }
            }
        }
    }
}

/// The weights of the rows in the column called `name`.
///
/// # Errors
/// No such column; a row without a weight, or with one that is below 0 or no number.
pub fn sample_weights(table: &Table, name: &str) -> Result<Vec<f32>, TaskError> {
    let column = table.find(name).map_err(|source| TaskError::WeightColumn(Box::new(source)))?;
    let bad = |row: usize| TaskError::BadWeight {
        place: table.place(row),
        column: name.to_owned(),
        value: column.shown(row).map_or_else(|| "missing".to_owned(), |value| format!("`{value}`")),
    };
    let numbers = crate::column::numbers(column).map_err(bad)?;
    // NaN, a missing weight, is not 0 or above.
    match numbers.iter().position(|w| !(*w >= 0.0 && (*w as f32).is_finite())) {
        Some(row) => Err(bad(row)),
        None => Ok(numbers.iter().map(|w| *w as f32).collect()),
    }
}

/// What each row weighs for a task, as a column has it; 0 where both weight and label are missing.
///
/// # Errors
/// Those of [`Labels::weigh`].
pub(crate) fn task_weights(
    table: &Table,
    name: &str,
    task: &str,
    labelled: &dyn Fn(usize) -> bool,
) -> Result<Vec<f32>, TaskError> {
    let column =
        table.find(name).map_err(|source| TaskError::Column { task: task.to_owned(), source: Box::new(source) })?;
    let bad = |row: usize| TaskError::Own {
        place: Some(Box::new(table.place(row))),
        task: task.to_owned(),
        reason: format!(
            "its weight in column `{name}` is {}; it must be a number, 0 or above",
            column.shown(row).map_or_else(|| "missing".to_owned(), |value| format!("`{value}`"))
        ),
    };
    let numbers = crate::column::numbers(column).map_err(bad)?;
    let weight = |(row, weight): (usize, &f64)| match *weight {
        weight if weight >= 0.0 && (weight as f32).is_finite() => Ok(weight as f32),
        weight if weight.is_nan() && !labelled(row) => Ok(0.0),
        _ => Err(bad(row)),
    };
    numbers.iter().enumerate().map(weight).collect()
}

/// The column of a task in a table, with what messages need.
#[derive(Clone, Copy)]
pub struct LabelColumn<'a> {
    /// The name of the task.
    pub task: &'a str,
    /// The table, for the places of rows.
    pub table: &'a Table,
    /// The column the labels are in.
    pub column: &'a Column,
    /// The image input whose pixels are labelled.
    pub(super) picture: Option<&'a str>,
    /// The text input whose tokens are labelled, and its sentences.
    over: Option<(&'a str, &'a Sentences)>,
}

impl<'a> LabelColumn<'a> {
    pub(crate) fn find(task: &'a str, column: &str, table: &'a Table) -> Result<Self, TaskError> {
        match table.find(column) {
            Ok(column) => Ok(LabelColumn { task, table, column, picture: None, over: None }),
            Err(source @ DataError::UnknownColumn { .. }) => {
                Err(TaskError::Column { task: task.to_owned(), source: Box::new(source) })
            }
            Err(source) => Err(TaskError::Values(Box::new(source))),
        }
    }

    /// Chooses the text input whose tokens are labelled: the one named, or the only one.
    pub(crate) fn choose(&mut self, over: Option<&str>, texts: &'a Texts) -> Result<&'a str, TaskError> {
        let named = texts.iter().find(|(name, _)| over.is_none_or(|over| over == name.as_str()));
        match named {
            Some((name, sentences)) if over.is_some() || texts.len() == 1 => {
                self.over = Some((name, sentences));
                Ok(name)
            }
            _ => Err(TaskError::Over {
                task: self.task.to_owned(),
                over: over.map(str::to_owned),
                texts: texts.keys().cloned().collect(),
            }),
        }
    }

    /// Chooses the image input whose pixels are labelled: the one named, or the only one.
    pub(super) fn choose_image<'b>(
        &self,
        over: Option<&str>,
        inputs: Option<&'b Encoder>,
    ) -> Result<(&'b str, &'b Image), TaskError> {
        let images: Vec<(&str, &Image)> = inputs.map(|inputs| inputs.images().collect()).unwrap_or_default();
        let named = images.iter().find(|(name, _)| over.is_none_or(|over| over == *name));
        match named {
            Some(image) if over.is_some() || images.len() == 1 => Ok(*image),
            _ => Err(self.no_image(over, &images)),
        }
    }

    /// No image, or a choice of several.
    pub(super) fn no_image(&self, over: Option<&str>, images: &[(&str, &Image)]) -> TaskError {
        TaskError::OverImage {
            task: self.task.to_owned(),
            over: over.map(str::to_owned),
            images: images.iter().map(|(name, _)| (*name).to_owned()).collect(),
        }
    }

    /// Labels that do not fit the pixels of a row's image.
    pub(super) fn pixels_differ(&self, row: u32, reason: String) -> TaskError {
        let place = Box::new(self.table.place(row as usize));
        TaskError::Tags { place, task: self.task.to_owned(), reason }
    }

    /// The sentences whose tokens are labelled.
    pub(super) fn sentences(&self) -> Result<&'a Sentences, TaskError> {
        let none = || TaskError::Over { task: self.task.to_owned(), over: None, texts: Vec::new() };
        self.over.map(|(_, sentences)| sentences).ok_or_else(none)
    }

    /// The text of a row whose tokens are labelled; of a list of tokens with blanks between them.
    pub(super) fn text_of(&self, row: usize) -> String {
        let column = self.over.and_then(|(name, _)| self.table.column(name));
        column.and_then(|column| column.shown(row)).unwrap_or_default()
    }

    /// Labels of tokens that are no lists.
    pub(super) fn not_lists(&self) -> TaskError {
        let (task, column) = (self.task.to_owned(), self.column.name.clone());
        TaskError::NotLists { task, column, found: self.column.kind() }
    }

    /// Something else where frames should be.
    pub(super) fn not_frames(&self) -> TaskError {
        let (task, column) = (self.task.to_owned(), self.column.name.clone());
        TaskError::NotFrames { task, column, found: self.column.kind() }
    }

    /// Refuses lists and objects.
    pub(super) fn check_plain(&self) -> Result<(), TaskError> {
        match is_plain(self.column) {
            true => Ok(()),
            false => Err(TaskError::NotPlain {
                task: self.task.to_owned(),
                column: self.column.name.clone(),
                found: self.column.kind(),
            }),
        }
    }

    /// Labels that a kind of the program's own refuses: all of them, or that of a row.
    pub fn own(&self, row: Option<usize>, reason: String) -> TaskError {
        let place = row.map(|row| Box::new(self.table.place(row)));
        TaskError::Own { place, task: self.task.to_owned(), reason }
    }

    /// The labels as numbers, NaN where missing.
    ///
    /// # Errors
    /// A word; `kind` is what the message says that the task is.
    pub fn numbers(&self, kind: &'static str) -> Result<std::borrow::Cow<'a, [f64]>, TaskError> {
        crate::column::numbers(self.column).map_err(|row| TaskError::NotNumber {
            place: Box::new(self.table.place(row)),
            task: self.task.to_owned(),
            kind,
            column: self.column.name.clone(),
            value: self.column.shown(row).unwrap_or_default(),
        })
    }

    pub(super) fn no_label(&self) -> TaskError {
        TaskError::NoLabel { task: self.task.to_owned(), column: self.column.name.clone() }
    }

    /// Mean and deviation of the labels of the training rows.
    ///
    /// # Errors
    /// No label, or only one.
    pub fn moments(&self, values: &[f64], rows: &[u32]) -> Result<(f64, f64), TaskError> {
        let known = rows.iter().filter_map(|row| values.get(*row as usize).copied());
        let (mean, deviation) = crate::column::moments(known).ok_or_else(|| self.no_label())?;
        match deviation > 0.0 {
            true => Ok((mean, deviation)),
            false => Err(TaskError::OneLabel { task: self.task.to_owned(), value: mean.to_string() }),
        }
    }
}
