//! Labels of pixels: masks or lists, brought to the size at which the model reads the image they belong to.

use super::TaskError;
use super::labels::LabelColumn;
use crate::inputs::{Image, MOST_PIXELS};
use crate::section::TaskConfig;
use polytask_data::image::Mask;
use polytask_data::source::{Source, sources};
use polytask_data::{Column, Fit, Values};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;

/// The pixels that are labelled: those of an image input.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Canvas {
    /// Rows of pixels.
    pub height: usize,
    /// Columns of pixels.
    pub width: usize,
    /// How masks of other sides are made to fit, as their images are.
    pub fit: Fit,
    /// Larger masks are refused.
    pub max_pixels: u64,
    /// What means no label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
}

/// The labels of an image's pixels.
pub(super) enum Labelled<'a> {
    /// It has none.
    Missing,
    /// Numbers of a mask.
    Mask(Vec<u16>),
    /// Items of a list, which may be missing one by one.
    Items(Vec<Option<Cow<'a, str>>>),
}

impl Canvas {
    pub(super) fn new(image: &Image, config: &TaskConfig) -> Self {
        let ignore = config.ignore.iter().flat_map(|ignored| ignored.labels()).map(|label| label.0.clone());
        Canvas {
            height: image.height,
            width: image.width,
            fit: image.fit,
            max_pixels: image.max_pixels,
            ignore: ignore.collect(),
        }
    }

    /// Height and width.
    pub fn size(&self) -> [usize; 2] {
        [self.height, self.width]
    }

    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.height * self.width
    }

    /// Whether a label means that there is none.
    pub(super) fn ignores(&self, label: &str) -> bool {
        self.ignore.iter().any(|ignored| ignored == label)
    }

    /// Whether a number of a mask means that there is no label.
    pub(super) fn ignores_number(&self, number: u16) -> bool {
        self.ignore.iter().any(|ignored| ignored.parse() == Ok(f64::from(number)))
    }

    /// What `make` makes of the labels of each of these rows, in their order.
    pub(super) fn read<'a, T: Send>(
        &self,
        source: &LabelColumn<'a>,
        rows: &[u32],
        make: impl Fn(u32, Labelled<'a>) -> Result<T, TaskError> + Sync,
    ) -> Result<Vec<T>, TaskError> {
        let column = source.column;
        let files = match &column.values {
            Values::List(_) | Values::Nested(_) => Vec::new(),
            _ => sources(source.table, &column.name)
                .map_err(|error| TaskError::Column { task: source.task.to_owned(), source: Box::new(error) })?,
        };
        // A mask was drawn on its picture, and is turned with it.
        let pictures = source.picture.and_then(|picture| sources(source.table, picture).ok()).unwrap_or_default();
        let one = |row: &u32| {
            let labels = match files.get(*row as usize) {
                Some(file) => self.mask(source, *row, file, pictures.get(*row as usize))?,
                None => self.items(column, *row as usize).map_err(|reason| source.pixels_differ(*row, reason))?,
            };
            make(*row, labels)
        };
        rows.par_iter().map(one).collect()
    }

    fn mask<'a>(
        &self,
        source: &LabelColumn<'_>,
        row: u32,
        file: &Source,
        picture: Option<&Source>,
    ) -> Result<Labelled<'a>, TaskError> {
        let mask = file.mask(self.max_pixels).map_err(|problem| TaskError::Mask {
            place: Box::new(source.table.place(row as usize)),
            task: source.task.to_owned(),
            mask: match file {
                Source::File(path) => path.display().to_string(),
                _ => format!("in `{}`", source.column.name),
            },
            problem,
        })?;
        let turned = |mask: Mask| match picture {
            Some(picture) => picture.turn(mask, self.max_pixels),
            None => mask,
        };
        Ok(mask.map_or(Labelled::Missing, |mask| Labelled::Mask(turned(mask).scaled(self.size(), self.fit))))
    }

    /// The items of a list, or of a list of lines.
    fn items<'a>(&self, column: &'a Column, row: usize) -> Result<Labelled<'a>, String> {
        let items: Vec<Option<Cow<'a, str>>> = match &column.values {
            Values::List(list) => match list.get(row) {
                Some(items) => items.map(|item| item.map(Cow::Borrowed)).collect(),
                None => return Ok(Labelled::Missing),
            },
            Values::Nested(text) => match text.get(row) {
                Some(text) => self.lines(text)?,
                None => return Ok(Labelled::Missing),
            },
            _ => return Ok(Labelled::Missing),
        };
        match items.len() == self.pixels() {
            true => Ok(Labelled::Items(items)),
            false => Err(format!("{} labels for {}", items.len(), self.described())),
        }
    }

    /// The items of a list of lines, written as JSON.
    fn lines<'a>(&self, text: &str) -> Result<Vec<Option<Cow<'a, str>>>, String> {
        use serde_json::Value;
        let wrong = || format!("it holds no list of {} lines of {} labels", self.height, self.width);
        let lines: Vec<Vec<Value>> = serde_json::from_str(text).map_err(|_| wrong())?;
        if let Some(line) = lines.iter().find(|line| line.len() != self.width) {
            return Err(format!("a line of {} labels for {}", line.len(), self.described()));
        }
        let item = |item: Value| match item {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(Cow::Owned(text))),
            Value::Number(_) | Value::Bool(_) => Ok(Some(Cow::Owned(item.to_string()))),
            Value::Array(_) | Value::Object(_) => Err(wrong()),
        };
        lines.into_iter().flatten().map(item).collect()
    }

    fn described(&self) -> String {
        format!("an image of {} x {} pixels", self.height, self.width)
    }

    /// Whether a stored value holds together.
    pub(super) fn check(&self) -> Result<(), String> {
        match self.height.checked_mul(self.width) {
            Some(0) => Err("it has no pixels".into()),
            Some(pixels) if pixels < MOST_PIXELS => Ok(()),
            Some(_) | None => Err(format!("it has {} x {} pixels", self.height, self.width)),
        }
    }
}
