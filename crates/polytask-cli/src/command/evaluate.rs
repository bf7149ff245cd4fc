//! `polytask evaluate`

use super::{Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::text;
use polytask::config::Config;
use polytask::drift::Summary;
use polytask::model::{CONFIG, Model, RUN, RunInfo, Scores};
use polytask_data::{ReadOptions, Table};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Score a model on the rows of a file
#[derive(clap::Args)]
pub struct Evaluate {
    /// The model directory
    model: PathBuf,
    /// A file with the inputs and the labels of at least one task, or a folder of images in folders a class
    #[arg(long)]
    data: PathBuf,
    /// What paths of images in the file are relative to [default: the folder of the file]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// How to print the scores
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Threads to use [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Evaluate {
    pub fn run(self) -> Result<(), Failure> {
        let model = Model::load(&self.model)?;
        let (scores, notes) = on_threads(self.threads, || {
            let options = ReadOptions { folder: self.folder.clone(), ..model.read_options() };
            let table = polytask_data::read(&self.data, &options)?;
            let mut notes = model.notes(&table)?;
            notes.extend(drifted(&self.model, &table));
            Ok::<_, Failure>((model.evaluate(&table)?, notes))
        })??;
        let trained = self.trained_on().then(|| TRAINED.to_owned());
        let notes: Vec<String> = trained.into_iter().chain(notes).collect();
        notes.iter().for_each(|note| crate::text::note(note));
        match self.format {
            Format::Json => print_json(&Answer { scores: &scores, notes: &notes }),
            Format::Text => print(&table(&scores)),
        }
    }
}

/// What is to be said of inputs that are not as in the training rows of a model.
pub(super) fn drifted(model: &Path, table: &Table) -> Vec<String> {
    Summary::load(model).ok().flatten().map_or_else(Vec::new, |summary| summary.notes(table))
}

/// What is to be said where nothing new is asked of a model.
const TRAINED: &str = "the model was trained on rows of this file, and its scores there flatter it: `inspect` has those of the \
                       test rows, and `report` shows them";

impl Evaluate {
    /// Whether the data are the file that the model directory says its training rows are from.
    fn trained_on(&self) -> bool {
        let info = std::fs::read_to_string(self.model.join(RUN)).ok();
        let info: Option<RunInfo> = info.and_then(|text| serde_json::from_str(&text).ok());
        let (Some(info), Ok(mut config)) = (info, Config::load(&self.model.join(CONFIG), &[])) else { return false };
        config.folder = self.model.join(&info.folder);
        let same =
            |path: PathBuf| path.canonicalize().is_ok_and(|path| self.data.canonicalize().is_ok_and(|own| own == path));
        config.data.sets().any(|set| config.resolve(&set.path).is_ok_and(same))
    }
}

/// The scores in JSON, with what is to be said of the rows.
#[derive(Serialize)]
struct Answer<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    notes: &'a [String],
}

/// The scores of every task, a line a metric, beside those of the best constant prediction.
pub fn table(scores: &Scores) -> String {
    let mut rows = Vec::new();
    for (task, score) in &scores.tasks {
        for (i, metric) in score.metrics.scores.iter().enumerate() {
            let first = |text: String| if i == 0 { text } else { String::new() };
            let unseen = score.metrics.unseen;
            // Beside the loss of some rows stands of how many.
            let counted = match metric.name {
                "log_loss" if unseen > 0 => {
                    format!("{} ({} unseen)", text::count(score.metrics.n - unseen), text::count(unseen))
                }
                _ => first(text::count(score.metrics.n)),
            };
            rows.push(vec![
                first(task.clone()),
                metric.name.to_owned(),
                text::number(metric.value),
                score.baseline.value(metric.name).map_or("-".to_owned(), text::number),
                counted,
            ]);
        }
        if score.metrics.scores.is_empty() {
            rows.push(vec![task.clone(), "-".into(), "-".into(), "-".into(), text::count(score.metrics.n)]);
        }
    }
    text::table(&["task", "metric", "model", "constant", "rows"], &rows)
}
