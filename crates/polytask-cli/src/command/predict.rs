//! `polytask predict`

mod name;

use super::on_threads;
use crate::failure::Failure;
use clap::ValueEnum;
use name::Packing;
use polytask::files::{self, FileError};
use polytask::model::Model;
use polytask::output::{Rows, Tokens, write_masks};
use polytask_data::{Column, ReadOptions, Table};
use std::path::{Path, PathBuf};

/// Predict every task for the rows of a file
#[derive(clap::Args)]
pub struct Predict {
    /// The model directory
    model: PathBuf,
    /// A file with the inputs, or a folder of images; label columns need not be there
    #[arg(long, required_unless_present = "text", conflicts_with = "text")]
    data: Option<PathBuf>,
    /// What paths of images in the file are relative to [default: the folder of the file]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// A text to predict for, in place of a file; may be given several times
    #[arg(long)]
    text: Vec<String>,
    /// How predictions are written; with `jsonl` spans come with the places of their characters [default: as the name of
    /// --out says, or csv]
    #[arg(long, value_enum)]
    format: Option<Layout>,
    /// Where to write the predictions: a name that ends in .gz or .zst has them compressed [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,
    /// A folder for the predictions of tasks that label pixels, `TASK/ROW.png` each; they are of the size that the model
    /// reads [default: none, and `jsonl` writes them as lists]
    #[arg(long)]
    masks: Option<PathBuf>,
    /// Add a column `TASK=CLASS` with the probability of every class
    #[arg(long)]
    probabilities: bool,
    /// Threads to use [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Predict {
    pub fn run(self) -> Result<(), Failure> {
        let (format, packing) = self.written()?;
        let model = Model::load(&self.model)?;
        let of_pixels = model.tasks.iter().find(|task| task.outcome().pixels().is_some());
        if let (Some(task), None, Layout::Csv) = (of_pixels, &self.masks, format) {
            return Err(Failure::NoMasks(task.name.clone()));
        }
        let text = on_threads(self.threads, || {
            let table = self.table(&model)?;
            // The rows of a folder are known by its files.
            let files = self.data.as_ref().is_some_and(|path| path.is_dir()).then(|| table.columns().first()).flatten();
            let predictions = model.predict(&table)?;
            let tokens = Tokens::read(&model, &table)?;
            let masks = match &self.masks {
                Some(folder) => write_masks(folder, &model, files, &predictions)?,
                None => vec![Vec::new(); predictions.len()],
            };
            let rows = Rows { model: &model, files, predictions: &predictions, tokens: &tokens, masks: &masks };
            let text = match format {
                Layout::Csv => Ok(rows.csv(self.probabilities)),
                Layout::Jsonl => rows.jsonl(self.probabilities),
            };
            Ok::<_, Failure>(text)
        })??;
        match &self.out {
            Some(path) => {
                let text = text.and_then(|text| packing.pack(text)).map_err(|source| unwritten(path, source))?;
                Ok(files::write(path, &text)?)
            }
            None => Ok(std::io::Write::write_all(&mut std::io::stdout().lock(), &text?)?),
        }
    }
}

impl Predict {
    /// How predictions are written: as the name of the file says, and `--format` where that says nothing.
    fn written(&self) -> Result<(Layout, Packing), Failure> {
        let Some(out) = &self.out else { return Ok((self.format.unwrap_or(Layout::Csv), Packing::None)) };
        files::check_file(out)?;
        if self.data.as_ref().is_some_and(|data| reads(data, out)) {
            return Err(Failure::OntoData(out.clone()));
        }
        let (named, packing) = name::of(out)?;
        match (named, self.format) {
            (Some(named), Some(format)) if named != format => {
                Err(Failure::TwoFormats { path: out.clone(), named: named.word(), format: format.word() })
            }
            (named, format) => Ok((format.or(named).unwrap_or(Layout::Csv), packing)),
        }
    }

    fn table(&self, model: &Model) -> Result<Table, Failure> {
        let Some(path) = &self.data else {
            let Some((column, _)) = model.encoder.text_inputs().next() else { return Err(Failure::NoText) };
            let column = Column::text(column, self.text.iter().map(|text| Some(text.as_str())));
            return Ok(Table::from_columns(vec![column])?);
        };
        let mut options = ReadOptions { folder: self.folder.clone(), ..model.read_options() };
        // Labels of rows are not read, so it does not matter what stands in their columns.
        let inputs = &model.encoder.inputs;
        for task in &model.tasks {
            options.hints.remove(&task.column);
            if task.over.is_none() && inputs.iter().all(|input| input.column != task.column) {
                options.omit.insert(task.column.clone());
            }
        }
        Ok(polytask_data::read(path, &options)?)
    }
}

/// How predictions are written.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Layout {
    /// A column a task; spans stand in the text, as in `wake me at [nine](time)`
    Csv,
    /// A JSON object a line, a key a task
    Jsonl,
}

impl Layout {
    fn word(self) -> &'static str {
        match self {
            Layout::Csv => "csv",
            Layout::Jsonl => "jsonl",
        }
    }
}

/// Whether a file is read where these data are: it is the file, or one of the folder's.
fn reads(data: &Path, file: &Path) -> bool {
    let entries = std::fs::read_dir(data).ok().into_iter().flatten().flatten();
    files::same(data, file) || entries.map(|entry| entry.path()).any(|entry| files::same(&entry, file))
}

fn unwritten(path: &Path, source: std::io::Error) -> FileError {
    FileError::Write { path: path.to_owned(), source }
}
