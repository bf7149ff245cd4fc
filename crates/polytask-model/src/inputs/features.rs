//! Encoded rows.

use super::image::{Gallery, Limits, Pictures, Wanted};
use super::text::{Texts, TokenFeatures};
use super::{Code, EncodeError, Encoder, Galleries, Input, InputColumn, boolean::Boolean, number::Number};
use crate::section::InputKind;
use polytask_data::image::write_image;
use polytask_data::{ImageProblem, ImageShape, Table};
use rayon::prelude::*;
use std::borrow::Cow;
use std::ops::Range;

/// The inputs of every row of a table, as the graph reads them.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    /// The number of rows, n.
    pub rows: usize,
    /// `n x number_width`, row-major, for the node `numbers`; empty where there is none.
    pub numbers: Vec<f32>,
    /// Features a row in `numbers`.
    pub number_width: usize,
    /// `n x index_width`, row-major, for the node `categories`; `u32::MAX` marks a missing or unseen level.
    pub indices: Vec<u32>,
    /// Columns in `indices`.
    pub index_width: usize,
    /// The tokens of texts, for the nodes `tokens.COLUMN`.
    pub texts: Vec<TokenFeatures>,
    /// Images, for the nodes `images.COLUMN`.
    pub images: Vec<Pictures>,
}

/// Where the features of an input stand in a row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Among the numbers.
    pub numbers: Range<usize>,
    /// Among the indices.
    pub indices: Range<usize>,
}

impl Encoder {
    /// Where the features of each input stand, in the order of the inputs; texts that are read word by word and images stand
    /// elsewhere.
    pub fn places(&self) -> Vec<Place> {
        let (mut number, mut index) = (0, 0);
        let of = |input: &Input| {
            let numbers = input.code.numbers();
            let indices = usize::from(matches!(input.code, Code::Category(_)));
            (number, index) = (number + numbers, index + indices);
            Place { numbers: number - numbers..number, indices: index - indices..index }
        };
        self.inputs.iter().map(of).collect()
    }
}

impl Features {
    /// Rows of numbers and of categories alone, each with how many of them a row has.
    pub fn plain(rows: usize, numbers: (Vec<f32>, usize), indices: (Vec<u32>, usize)) -> Self {
        let ((numbers, number_width), (indices, index_width)) = (numbers, indices);
        Features { rows, numbers, number_width, indices, index_width, texts: Vec::new(), images: Vec::new() }
    }

    /// The numbers and categories of some rows.
    pub fn take(&self, rows: &[usize]) -> Self {
        let numbers = rows.iter().flat_map(|row| &self.numbers[row * self.number_width..][..self.number_width]);
        let indices = rows.iter().flat_map(|row| &self.indices[row * self.index_width..][..self.index_width]);
        let (numbers, indices) = (numbers.copied().collect(), indices.copied().collect());
        Self::plain(rows.len(), (numbers, self.number_width), (indices, self.index_width))
    }

    /// Gives each of `rows` what another of them has in an input column: the row at place i takes what the one at place
    /// `order[i]` had. Whether it could: images stay with their rows.
    pub fn permute(&mut self, encoder: &Encoder, column: &str, rows: &[u32], order: &[u32]) -> bool {
        let mut moved = false;
        for (input, Place { numbers, indices }) in encoder.inputs.iter().zip(encoder.places()) {
            if input.column != column {
                continue;
            }
            if matches!(input.code, Code::Text(_)) {
                let text = self.texts.iter_mut().find(|text| text.column == column);
                moved |= text.map(|text| text.permute(rows, order)).is_some();
            }
            moved |= numbers.len() + indices.len() > 0;
            move_blocks(&mut self.numbers, self.number_width, numbers, rows, order);
            move_blocks(&mut self.indices, self.index_width, indices, rows, order);
        }
        moved
    }

    /// The pixels of a row's image, `height x width x channels`; none without such an input.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn pixels(&self, column: &str, row: u32) -> Result<Option<(ImageShape, Vec<u8>)>, EncodeError> {
        let node = super::image::node(column);
        let Some(pictures) = self.images.iter().find(|pictures| pictures.node == node) else { return Ok(None) };
        let mut scratch = Vec::new();
        let pixels = pictures.gallery.image(row, &mut scratch)?.to_vec();
        Ok(Some((pictures.gallery.shape(), pixels)))
    }

    /// Whether the rows of `other`, made by the same encoder, can be added below: images must be in memory.
    pub(crate) fn goes_with(&self, other: &Self) -> bool {
        self.galleries().chain(other.galleries()).all(|gallery| gallery.memory().is_some())
    }

    /// Adds the rows of `other`, which [goes with](Self::goes_with) these.
    pub(crate) fn append(&mut self, other: Self) {
        let Features { rows, numbers, number_width: _, indices, index_width: _, texts, images } = other;
        self.rows += rows;
        self.numbers.extend(numbers);
        self.indices.extend(indices);
        self.texts.iter_mut().zip(texts).for_each(|(ours, theirs)| ours.append(theirs));
        self.images.iter_mut().zip(images).for_each(|(ours, theirs)| ours.append(&theirs));
    }

    /// The images of each input.
    pub fn galleries(&self) -> impl Iterator<Item = &Gallery> {
        self.images.iter().map(|pictures| &pictures.gallery)
    }

    /// The columns of images.
    pub fn image_columns(&self) -> impl Iterator<Item = &str> {
        self.images.iter().map(|pictures| pictures.column.as_str())
    }

    /// The image of a row as the model reads it, before it is standardised, as a PNG file; none where the row has none.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn png(&self, column: &str, row: u32) -> Result<Option<Vec<u8>>, EncodeError> {
        let Some(pictures) = self.images.iter().find(|pictures| pictures.column == column) else { return Ok(None) };
        let mut scratch = Vec::new();
        let pixels = pictures.gallery.known(row, &mut scratch)?;
        if pixels.is_empty() {
            return Ok(None);
        }
        let failed = |error: std::io::Error| EncodeError::Image {
            image: format!("`{column}` of row {row}"),
            problem: ImageProblem::Io(error.to_string()),
            others: 0,
        };
        write_image(pixels, pictures.gallery.shape()).map(Some).map_err(failed)
    }

    /// Refuses what was made of images that could be read when they were loaded and could not be later.
    ///
    /// # Errors
    /// The first of them.
    pub fn check(&self) -> Result<(), EncodeError> {
        self.galleries().find_map(Gallery::failure).map_or(Ok(()), Err)
    }
}

/// Moves a block of columns between rows.
fn move_blocks<T: Copy>(values: &mut [T], width: usize, block: Range<usize>, rows: &[u32], order: &[u32]) {
    if block.is_empty() {
        return;
    }
    let at = |row: u32| row as usize * width + block.start..row as usize * width + block.end;
    let before: Vec<T> = rows.iter().flat_map(|row| values[at(*row)].iter().copied()).collect();
    for (row, from) in rows.iter().zip(order) {
        values[at(*row)].copy_from_slice(&before[*from as usize * block.len()..][..block.len()]);
    }
}

/// Numbers on their way into the features.
enum Source<'a> {
    /// A column.
    Column(Scaled<'a>),
    /// So many of every row, as they are.
    Vectors(Vec<f32>, usize),
}

/// A column of numbers.
struct Scaled<'a> {
    values: Cow<'a, [f64]>,
    shift: f64,
    factor: f64,
    fill: f64,
    indicator: bool,
}

/// Rows a task of the pool works on at a time.
const ROWS: usize = 4096;

pub(super) fn features(
    encoder: &Encoder,
    table: &Table,
    sentences: &Texts,
    galleries: &Galleries,
) -> Result<Features, EncodeError> {
    let (mut sources, mut codes, mut texts, mut images) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for input in &encoder.inputs {
        if let Code::Text(text) = &input.code {
            if let Some(sentences) = sentences.get(&input.column) {
                let source =
                    InputColumn::find(encoder.text_column(&input.column, table), Some(input.code.kind()), table)?;
                texts.push(text.features(&input.column, &source, sentences, encoder.reads_tokens(&input.column))?);
            }
            continue;
        }
        let name = match input.code.kind() {
            InputKind::Text => encoder.text_column(&input.column, table),
            InputKind::Number
            | InputKind::Category
            | InputKind::Boolean
            | InputKind::Date
            | InputKind::Image
            | InputKind::Own(_) => &input.column,
        };
        let column = InputColumn::find(name, Some(input.code.kind()), table)?;
        match &input.code {
            Code::Number(number) => {
                let (shift, factor, fill) = number.scaling();
                let values = Number::read(&column)?;
                let (least, most) = number.range();
                if let Some(row) = values.iter().position(|value| *value < least || *value > most) {
                    return Err(column.too_large(row));
                }
                sources.push(Source::Column(Scaled { values, shift, factor, fill, indicator: number.indicator }));
            }
            Code::Boolean(boolean) => {
                let (values, fill) = (Boolean::read(&column)?, boolean.share);
                let scaled = Scaled { values, shift: 0.0, factor: 1.0, fill, indicator: boolean.indicator };
                sources.push(Source::Column(scaled));
            }
            Code::Date(date) => {
                let parts = date.read(&column)?;
                let last = parts.len() - 1;
                sources.extend(parts.into_iter().enumerate().map(|(i, values)| {
                    let (values, indicator) = (values.into(), date.indicator && i == last);
                    Source::Column(Scaled { values, shift: 0.0, factor: 1.0, fill: 0.0, indicator })
                }));
            }
            Code::Own(own) => sources.extend(own.read(&column)?.into_iter().map(|values| {
                Source::Column(Scaled { values: values.into(), shift: 0.0, factor: 1.0, fill: 0.0, indicator: false })
            })),
            Code::Category(category) => {
                column.check_plain()?;
                codes.push(category.read(&column));
            }
            Code::Encoded(encoded) => sources.push(Source::Vectors(encoded.read(&column)?, encoded.width())),
            Code::Seen(seen) => {
                let values = seen.read(table, &input.column, galleries.get(&input.column))?;
                sources.push(Source::Vectors(values, seen.width()));
            }
            // Texts stand in sentences.
            Code::Text(_) => {}
            Code::Image(image) => {
                let gallery = match galleries.get(&input.column) {
                    Some(gallery) => gallery.clone(),
                    None => Gallery::load(table, &input.column, Wanted::like(image), &Limits::like(image))?,
                };
                images.push(image.pictures(&input.column, gallery));
            }
        }
    }
    let rows = table.rows();
    let number_width = encoder.number_width();
    let mut numbers = vec![0.0; rows * number_width];
    if number_width > 0 {
        numbers.par_chunks_mut(ROWS * number_width).enumerate().for_each(|(chunk, out)| {
            fill_numbers(&sources, chunk * ROWS, out, number_width);
        });
    }
    let index_width = codes.len();
    let mut indices = vec![0; rows * index_width];
    if index_width > 0 {
        indices.par_chunks_mut(ROWS * index_width).enumerate().for_each(|(chunk, out)| {
            for (row, out) in out.chunks_exact_mut(index_width).enumerate() {
                for (out, codes) in out.iter_mut().zip(&codes) {
                    *out = codes[chunk * ROWS + row];
                }
            }
        });
    }
    Ok(Features { rows, numbers, number_width, indices, index_width, texts, images })
}

/// Writes the features of the rows from `first` on.
fn fill_numbers(sources: &[Source], first: usize, out: &mut [f32], width: usize) {
    let mut at = 0;
    for source in sources {
        let source = match source {
            Source::Column(source) => source,
            Source::Vectors(values, own) => {
                let rows = values.chunks_exact(*own).skip(first).zip(out.chunks_exact_mut(width));
                rows.for_each(|(values, out)| out[at..at + own].copy_from_slice(values));
                at += own;
                continue;
            }
        };
        for (value, out) in source.values[first..].iter().zip(out.chunks_exact_mut(width)) {
            let missing = value.is_nan();
            out[at] = if missing { source.fill } else { (value - source.shift) * source.factor } as f32;
            if source.indicator {
                out[at + 1] = f32::from(u8::from(missing));
            }
        }
        at += 1 + usize::from(source.indicator);
    }
}
