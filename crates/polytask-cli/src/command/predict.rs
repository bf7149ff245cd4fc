//! `polytask predict`

use super::on_threads;
use crate::failure::Failure;
use clap::ValueEnum;
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
    /// How predictions are written; with `jsonl` spans come with the places of their characters
    #[arg(long, value_enum, default_value = "csv")]
    format: Layout,
    /// Where to write the predictions [default: standard output]
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
        let model = Model::load(&self.model)?;
        let of_pixels = model.tasks.iter().find(|task| task.outcome().pixels().is_some());
        if let (Some(task), None, Layout::Csv) = (of_pixels, &self.masks, self.format) {
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
            let text = match self.format {
                Layout::Csv => Ok(rows.csv(self.probabilities)),
                Layout::Jsonl => rows.jsonl(self.probabilities),
            };
            Ok::<_, Failure>(text)
        })??;
        match &self.out {
            Some(path) => Ok(files::write(path, &text.map_err(|source| unwritten(path, source))?)?),
            None => Ok(std::io::Write::write_all(&mut std::io::stdout().lock(), &text?)?),
        }
    }
}

impl Predict {
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

fn unwritten(path: &Path, source: std::io::Error) -> FileError {
    FileError::Write { path: path.to_owned(), source }
}
