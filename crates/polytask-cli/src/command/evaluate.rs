//! `polytask evaluate`

use super::{Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::text;
use polytask::model::{Model, Scores};
use polytask_data::ReadOptions;
use std::path::PathBuf;

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
        let scores = on_threads(self.threads, || {
            let options = ReadOptions { folder: self.folder.clone(), ..model.read_options() };
            let table = polytask_data::read(&self.data, &options)?;
            Ok::<_, Failure>(model.evaluate(&table)?)
        })??;
        match self.format {
            Format::Json => print_json(&scores),
            Format::Text => print(&table(&scores)),
        }
    }
}

/// The scores of every task, a line a metric, beside those of the best constant prediction.
pub fn table(scores: &Scores) -> String {
    let mut rows = Vec::new();
    for (task, score) in &scores.tasks {
        for (i, metric) in score.metrics.scores.iter().enumerate() {
            let first = |text: String| if i == 0 { text } else { String::new() };
            rows.push(vec![
                first(task.clone()),
                metric.name.to_owned(),
                text::number(metric.value),
                score.baseline.value(metric.name).map_or("-".to_owned(), text::number),
                first(text::count(score.metrics.n)),
            ]);
        }
        if score.metrics.scores.is_empty() {
            rows.push(vec![task.clone(), "-".into(), "-".into(), "-".into(), text::count(score.metrics.n)]);
        }
    }
    text::table(&["task", "metric", "model", "constant", "rows"], &rows)
}
