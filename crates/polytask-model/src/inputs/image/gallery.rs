//! The images of a column at the size the model reads: in memory where they fit, else where they are.

use super::{Image, view};
use crate::inputs::{EncodeError, InputPlan, infer};
use crate::section::{InputConfig, InputKind, OnError};
use polytask_data::image::Look;
use polytask_data::source::{Source, sources};
use polytask_data::{Fit, ImageProblem, ImageShape, Images, Pixels, Table, Values};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

/// What loading must keep to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of an image.
    pub max_pixels: u64,
    /// Bytes of unpacked images.
    pub memory: u64,
    pub on_error: OnError,
}

impl Limits {
    /// Those a model was trained with.
    pub(crate) fn like(image: &Image) -> Self {
        Limits { max_pixels: image.max_pixels, memory: 4 << 30, on_error: OnError::Stop }
    }
}

/// What images are wanted; nothing of what is to be read off them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted {
    pub size: Option<(usize, usize)>,
    pub channels: Option<usize>,
    pub fit: Fit,
}

/// The galleries of all image columns of a table, by name.
pub type Galleries = BTreeMap<String, Gallery>;

/// The images of a column, one a row.
#[derive(Clone, Debug)]
pub struct Gallery {
    shape: ImageShape,
    store: Store,
    /// Rows without an image that can be used, ascending.
    absent: Vec<u32>,
    /// Those of them that have one, and what is wrong with the first.
    broken: Option<(Vec<u32>, String)>,
}

#[derive(Clone, Debug)]
enum Store {
    Memory(Pixels),
    Sources(Arc<Sources>),
}

/// Images that are unpacked whenever they are asked for.
#[derive(Debug)]
struct Sources {
    all: Vec<Source>,
    fit: Fit,
    max_pixels: u64,
    /// A pixel of what stands for a missing image.
    blank: Vec<u8>,
    /// The first failure that could not be handed back where it was met.
    failed: Mutex<Option<EncodeError>>,
}

impl PartialEq for Gallery {
    fn eq(&self, other: &Self) -> bool {
        let stores = match (&self.store, &other.store) {
            (Store::Memory(ours), Store::Memory(theirs)) => ours == theirs,
            (Store::Sources(ours), Store::Sources(theirs)) => Arc::ptr_eq(ours, theirs),
            _ => false,
        };
        stores && self.shape == other.shape && self.absent == other.absent
    }
}

/// Loads every image input of a plan.
///
/// # Errors
/// An image that cannot be read, or images of different sizes.
pub fn load_all(plan: &InputPlan<'_>, table: &Table) -> Result<Galleries, EncodeError> {
    let mut galleries = Galleries::new();
    for (name, input) in &plan.inputs {
        let Some(column) = table.column(name) else { continue };
        if input.kind.unwrap_or_else(|| infer::infer(column)) == InputKind::Image {
            let wanted = Wanted::of(name, input, plan)?;
            galleries.insert((*name).to_owned(), Gallery::load(table, name, wanted, &plan.limits)?);
        }
    }
    Ok(galleries)
}

impl Wanted {
    fn of(name: &str, config: &InputConfig, plan: &InputPlan<'_>) -> Result<Self, EncodeError> {
        if let Some(encoder) = &config.encoder {
            let prepared = view::preparation(name, config, encoder, plan.folder)?;
            let [height, width, channels] = prepared.input;
            return Ok(Wanted { size: Some((height, width)), channels: Some(channels), fit: prepared.fit() });
        }
        Ok(Wanted {
            size: config.size.map(|size| (size.height, size.width)),
            channels: config.channels,
            fit: config.fit.unwrap_or_default().into(),
        })
    }

    /// What a model reads.
    pub(crate) fn like(image: &Image) -> Self {
        Wanted { size: Some((image.height, image.width)), channels: Some(image.channels), fit: image.fit }
    }
}

impl Gallery {
    /// The images of a column as they are wanted.
    pub(crate) fn load(table: &Table, column: &str, wanted: Wanted, limits: &Limits) -> Result<Self, EncodeError> {
        let sources = sources(table, column).map_err(|source| EncodeError::Column {
            input: column.to_owned(),
            kind: None,
            source: Box::new(source),
        })?;
        let loading = Loading { table, column, sources, limits };
        let shape = loading.shape(wanted)?;
        if let Some(Values::Images(Images::Pixels(pixels))) = table.column(column).map(|column| &column.values)
            && pixels.shape() == shape
            && wanted.fit.keeps()
        {
            return Ok(Gallery { shape, store: Store::Memory(pixels.clone()), absent: Vec::new(), broken: None });
        }
        loading.unpack(shape, wanted.fit)
    }

    /// Of every image.
    pub(crate) fn shape(&self) -> ImageShape {
        self.shape
    }

    /// How many there are.
    pub(crate) fn rows(&self) -> usize {
        match &self.store {
            Store::Memory(pixels) => pixels.rows(),
            Store::Sources(sources) => sources.all.len(),
        }
    }

    /// Whether a row has an image that can be used.
    pub(crate) fn has(&self, row: u32) -> bool {
        self.absent.binary_search(&row).is_err()
    }

    /// The rows that have, ascending.
    pub(super) fn present(&self) -> Vec<u32> {
        (0..self.rows() as u32).filter(|row| self.has(*row)).collect()
    }

    /// All images one after the other, where they are in memory.
    pub fn memory(&self) -> Option<&Pixels> {
        match &self.store {
            Store::Memory(pixels) => Some(pixels),
            Store::Sources(_) => None,
        }
    }

    /// Adds the images of `other`, which are in memory as these are.
    pub(crate) fn append(&mut self, other: &Self) {
        let rows = self.memory().map_or(0, Pixels::rows) as u32;
        self.absent.extend(other.absent.iter().map(|row| rows + row));
        if let (Store::Memory(ours), Store::Memory(theirs)) = (&mut self.store, &other.store) {
            ours.append(theirs);
        }
    }

    /// The image of a row, unpacked into `scratch` where it is not in memory.
    pub(crate) fn image<'a>(&'a self, row: u32, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], EncodeError> {
        let sources = match &self.store {
            Store::Memory(pixels) => return Ok(pixels.image(row as usize).unwrap_or_default()),
            Store::Sources(sources) => sources,
        };
        scratch.clear();
        scratch.extend(sources.blank.iter().cycle().take(self.shape.len()));
        if let Some(source) = sources.all.get(row as usize) {
            source.decode((self.shape, sources.fit), sources.max_pixels, scratch).map_err(|problem| {
                EncodeError::Image {
                    image: name(source).unwrap_or_else(|| format!("of row {row}")),
                    problem,
                    others: 0,
                }
            })?;
        }
        Ok(scratch)
    }

    /// The same; an image that could be read when it was loaded and cannot be now is blank, and [`failure`](Self::failure)
    /// tells of it.
    pub(super) fn image_or_blank<'a>(&'a self, row: u32, scratch: &'a mut Vec<u8>) -> &'a [u8] {
        if let Store::Memory(pixels) = &self.store {
            return pixels.image(row as usize).unwrap_or_default();
        }
        if let (Err(error), Store::Sources(sources)) = (self.image(row, scratch), &self.store) {
            sources.failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
        }
        scratch
    }

    /// What went wrong since it was asked last.
    pub(crate) fn failure(&self) -> Option<EncodeError> {
        match &self.store {
            Store::Memory(_) => None,
            Store::Sources(sources) => sources.failed.lock().unwrap_or_else(PoisonError::into_inner).take(),
        }
    }

    /// Adds the pixels of a row, or where they are, to a checksum.
    pub(super) fn digest(&self, row: u32, hasher: &mut crc32fast::Hasher) {
        match &self.store {
            Store::Memory(pixels) => hasher.update(pixels.image(row as usize).unwrap_or_default()),
            Store::Sources(sources) => match sources.all.get(row as usize) {
                Some(Source::File(path)) => hasher.update(path.display().to_string().as_bytes()),
                Some(Source::Bytes(bytes)) => hasher.update(bytes),
                Some(Source::Pixels(pixels, row)) => hasher.update(pixels.image(*row).unwrap_or_default()),
                Some(Source::Missing) | None => {}
            },
        }
    }

    /// The same; empty where the row has no image that can be used.
    pub(in crate::inputs) fn known<'a>(&'a self, row: u32, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], EncodeError> {
        match self.absent.binary_search(&row) {
            Ok(_) => Ok(&[]),
            Err(_) => self.image(row, scratch),
        }
    }

    /// Rows whose image cannot be used, ascending, and what is wrong with the first.
    pub fn broken(&self) -> Option<(&[u32], &str)> {
        self.broken.as_ref().map(|(rows, first)| (rows.as_slice(), first.as_str()))
    }

    /// Puts a pixel everywhere in images that are missing.
    pub(super) fn fill_absent(&mut self, blank: &[u8]) {
        match &mut self.store {
            Store::Memory(pixels) => {
                for row in &self.absent {
                    let image = pixels.image_mut(*row as usize).unwrap_or_default();
                    image.chunks_exact_mut(blank.len().max(1)).for_each(|pixel| pixel.copy_from_slice(blank));
                }
            }
            Store::Sources(sources) => {
                let Sources { all, fit, max_pixels, .. } = &**sources;
                let blank = blank.to_vec();
                let failed = Mutex::default();
                *sources = Arc::new(Sources { all: all.clone(), fit: *fit, max_pixels: *max_pixels, blank, failed });
            }
        }
    }
}

/// The path of an image of its own.
fn name(source: &Source) -> Option<String> {
    match source {
        Source::File(path) => Some(path.display().to_string()),
        _ => None,
    }
}

struct Loading<'a> {
    table: &'a Table,
    column: &'a str,
    sources: Vec<Source>,
    limits: &'a Limits,
}

impl Loading<'_> {
    /// The shape that is wanted, as far as it is not said the one that all images have.
    fn shape(&self, wanted: Wanted) -> Result<ImageShape, EncodeError> {
        if let (Some((height, width)), Some(channels)) = (wanted.size, wanted.channels) {
            return Ok(ImageShape { height, width, channels });
        }
        let looks: Vec<Result<Option<Look>, ImageProblem>> =
            self.sources.par_iter().map(|source| source.look(self.limits.max_pixels)).collect();
        let problems = looks.iter().enumerate().filter_map(|(row, look)| Some((row as u32, look.clone().err()?)));
        self.judge(&problems.collect::<Vec<_>>())?;
        let known = || looks.iter().enumerate().filter_map(|(row, look)| Some((row, look.as_ref().ok()?.as_ref()?)));
        let Some((first, look)) = known().next() else {
            return Err(EncodeError::AllMissing { input: self.column.to_owned() });
        };
        let (height, width) = match wanted.size {
            Some(size) => size,
            None => match known().find(|(_, l)| (l.height, l.width) != (look.height, look.width)) {
                None => (look.height, look.width),
                Some((other, l)) => {
                    let shown = |row: usize, look: &Look| {
                        format!("{} has {} x {} pixels", self.describe(row), look.height, look.width)
                    };
                    let (first, other) = (shown(first, look), shown(other, l));
                    return Err(EncodeError::Sizes { input: self.column.to_owned(), first, other });
                }
            },
        };
        let channels = wanted.channels.unwrap_or(if known().any(|(_, look)| look.color) { 3 } else { 1 });
        Ok(ImageShape { height, width, channels })
    }

    /// Unpacks every image, if only to see whether it can be used.
    fn unpack(self, shape: ImageShape, fit: Fit) -> Result<Gallery, EncodeError> {
        let (rows, max_pixels) = (self.sources.len(), self.limits.max_pixels);
        let fits = (rows as u64).saturating_mul(shape.len() as u64) <= self.limits.memory;
        let mut values = vec![0; if fits { rows * shape.len() } else { 0 }];
        let problem = |(row, problem): (usize, Result<(), ImageProblem>)| Some((row as u32, problem.err()?));
        let problems: Vec<(u32, ImageProblem)> = match fits {
            true => {
                let all = values.par_chunks_exact_mut(shape.len()).zip(&self.sources);
                let unpacked = all.map(|(into, source)| source.decode((shape, fit), max_pixels, into));
                unpacked.enumerate().filter_map(problem).collect()
            }
            false => {
                let scratch = || vec![0; shape.len()];
                let unpack = |into: &mut Vec<u8>, source: &Source| source.decode((shape, fit), max_pixels, into);
                self.sources.par_iter().map_init(scratch, unpack).enumerate().filter_map(problem).collect()
            }
        };
        let broken = self.judge(&problems)?;
        let missing = (0..rows as u32).filter(|row| self.sources[*row as usize].is_missing());
        let mut absent: Vec<u32> = missing.chain(problems.into_iter().map(|(row, _)| row)).collect();
        absent.sort_unstable();
        let store = match fits {
            true => Store::Memory(Pixels::new(shape, values)),
            false => {
                let blank = vec![0; shape.channels];
                let failed = Mutex::default();
                Store::Sources(Arc::new(Sources { all: self.sources, fit, max_pixels, blank, failed }))
            }
        };
        Ok(Gallery { shape, store, absent, broken })
    }

    /// What the first problem is and how many there are, which is an error unless such rows are to be left out.
    fn judge(&self, problems: &[(u32, ImageProblem)]) -> Result<Option<(Vec<u32>, String)>, EncodeError> {
        let Some((row, problem)) = problems.first() else { return Ok(None) };
        let (image, problem) = (self.describe(*row as usize), problem.clone());
        match self.limits.on_error {
            OnError::Stop => Err(EncodeError::Image { image, problem, others: problems.len() - 1 }),
            OnError::Skip => {
                let rows = problems.iter().map(|(row, _)| *row).collect();
                Ok(Some((rows, format!("{image}: {problem}"))))
            }
        }
    }

    /// The image of a row, in words.
    fn describe(&self, row: usize) -> String {
        let place = self.table.place(row);
        match self.sources.get(row).and_then(name) {
            // A row of a folder is its file.
            Some(path) if Path::new(&place.file) == self.table.folder(row) => path,
            Some(path) => format!("{place}: the image {path}"),
            None => format!("{place}: the image in `{}`", self.column),
        }
    }
}
