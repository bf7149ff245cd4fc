//! `polytask predict`

mod explain;
mod name;
mod skip;

use super::on_threads;
use crate::failure::Failure;
use clap::ValueEnum;
use name::Packing;
use polytask::conformal::{Bound, Conformal};
use polytask::files::{self, FileError};
use polytask::model::Model;
use polytask::output::{Beside, Rows, Tokens, write_masks};
use polytask::tasks::Prediction;
use polytask_data::{Column, DataError, Hint, ReadOptions, Table};
use std::collections::BTreeMap;
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
    /// A column of the data that is written before the predictions, such as a key of the rows
    #[arg(long, value_name = "COLUMN")]
    id: Option<String>,
    /// What becomes of a row whose image cannot be used: `skip` writes it without predictions, and why in a column `error`
    #[arg(long, value_enum, default_value = "stop")]
    on_error: OnError,
    /// Predict these tasks alone, with commas between their names; what only the others need is not computed
    #[arg(long, value_delimiter = ',', value_name = "TASK")]
    tasks: Vec<String>,
    /// Add a column `TASK=CLASS` with the probability of every class
    #[arg(long)]
    probabilities: bool,
    /// Add what holds the label with this probability, such as 0.9: columns `TASK low` and `TASK high` of a quantity, `TASK
    /// set` of classes
    #[arg(long, value_name = "LEVEL")]
    interval: Option<f64>,
    /// With --interval: one level for the labels of all tasks of a row at once
    #[arg(long, requires = "interval")]
    joint: bool,
    /// Write what each input adds to each prediction, in its units: in CSV a line for every row, task, class and input in place
    /// of the predictions, with `jsonl` objects `TASK explanation` beside them
    #[arg(long, conflicts_with_all = ["text", "masks"])]
    explain: bool,
    /// Threads to use [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Predict {
    pub fn run(self) -> Result<(), Failure> {
        let (format, packing) = self.layout()?;
        let whole = Model::load(&self.model)?;
        let bounds = self.bounds(&whole)?;
        let names: Vec<&str> = self.tasks.iter().map(String::as_str).collect();
        let (model, kept) = if names.is_empty() { (whole, Vec::new()) } else { whole.only(&names)? };
        let bounds = bounds.map(|all| if names.is_empty() { all } else { kept.iter().map(|at| all[*at]).collect() });
        let bounds = bounds.as_deref();
        let of_pixels = model.tasks.iter().find(|task| task.outcome().pixels().is_some());
        if let (Some(task), None, Layout::Csv) = (of_pixels, &self.masks, format) {
            return Err(Failure::NoMasks(task.name.clone()));
        }
        if self.explain {
            return on_threads(self.threads, || explain::write(&self, (&model, bounds), (format, packing)))?;
        }
        let text = on_threads(self.threads, || {
            let Some(table) = self.table(&model)? else {
                // No rows: what stands above them is still told.
                let predictions: Vec<Prediction> = model.tasks.iter().map(|task| task.outcome().constant(0)).collect();
                return self.written((&model, bounds), format, None, &predictions, None);
            };
            let (failed, table) = match self.on_error {
                OnError::Stop => (None, table),
                OnError::Skip => {
                    let (failed, usable) = skip::broken(&model, &table)?;
                    (Some(failed), usable.unwrap_or(table))
                }
            };
            let predictions = model.predict(&table)?;
            // Labels are not asked for here: what they hold does not matter.
            let drifted = super::evaluate::drifted(&self.model, &table);
            model.notes(&table)?.iter().chain(&drifted).for_each(|note| crate::text::note(note));
            if let Some((row, reason)) = failed.iter().flatten().next() {
                let count = failed.as_ref().map_or(0, BTreeMap::len);
                say!(
                    "note: {} without a prediction, the first row {}: {reason}",
                    crate::text::counted(count, "row"),
                    row + 1
                );
            }
            self.written((&model, bounds), format, Some(&table), &predictions, failed.as_ref())
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

/// What was written, or what memory had no room for.
type Text = std::io::Result<Vec<u8>>;

impl Predict {
    /// How predictions are written: as the name of the file says, and `--format` where that says nothing.
    fn layout(&self) -> Result<(Layout, Packing), Failure> {
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

    /// The predictions of a table in the format that was asked for.
    fn written(
        &self,
        (model, bounds): (&Model, Option<&[Bound]>),
        format: Layout,
        table: Option<&Table>,
        predictions: &[Prediction],
        failed: Option<&BTreeMap<usize, String>>,
    ) -> Result<Text, Failure> {
        let none = || Table::from_columns(vec![Column::text("x", [None])]);
        let blank = if table.is_none() { Some(none()?) } else { None };
        let Some(table) = table.or(blank.as_ref()) else { return Ok(Ok(Vec::new())) };
        let id = self.id.as_ref().map(|name| match blank {
            None => table.find(name).cloned(),
            Some(_) => Ok(Column::text(name.clone(), [])),
        });
        let id = id.transpose()?;
        // The rows of a folder are known by its files.
        let file = self.data.as_ref().is_some_and(|path| path.is_dir()).then(|| table.columns().first()).flatten();
        let files = id.as_ref().or(file);
        let tokens = if blank.is_some() { Tokens::none() } else { Tokens::read(model, table)? };
        let masks = match &self.masks {
            Some(folder) => write_masks(folder, model, files, predictions)?,
            None => vec![Vec::new(); predictions.len()],
        };
        let beside = Beside { probabilities: self.probabilities, bounds, explained: None };
        let rows = Rows { model, files, predictions, tokens: &tokens, masks: &masks, failed, beside };
        Ok(match format {
            Layout::Csv => Ok(rows.csv()),
            Layout::Jsonl => rows.jsonl(),
        })
    }

    /// How intervals are made, where they are asked for.
    fn bounds(&self, model: &Model) -> Result<Option<Vec<Bound>>, Failure> {
        let Some(level) = self.interval else { return Ok(None) };
        Ok(Some(Conformal::load(&self.model, &model.tasks)?.bounds(&model.tasks, level, self.joint)?))
    }

    /// The table of the data; none if it has no rows.
    fn table(&self, model: &Model) -> Result<Option<Table>, Failure> {
        let Some(path) = &self.data else {
            let Some(column) = model.encoder.text_columns().into_iter().next() else { return Err(Failure::NoText) };
            let column = Column::text(column, self.text.iter().map(|text| Some(text.as_str())));
            return Ok(Some(Table::from_columns(vec![column])?));
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
        if let Some(id) = &self.id {
            options.omit.remove(id);
            // As it is written: 007 is not 7.
            options.hints.entry(id.clone()).or_insert(Hint::Text);
        }
        match polytask_data::read(path, &options) {
            Err(DataError::NoRows { .. }) => Ok(None),
            table => Ok(Some(table?)),
        }
    }
}

/// What becomes of rows that nothing can be predicted for.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnError {
    /// Nothing is predicted
    Stop,
    /// They are written without predictions
    Skip,
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
