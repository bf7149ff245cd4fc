//! `polytask check`

use super::{Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::text;
use polytask::drift::{Drift, FEW, Limits, Summary};
use polytask::model::Model;
use polytask_data::ReadOptions;
use serde::Serialize;
use std::path::PathBuf;

/// Say whether the inputs of a file look like those that a model learnt from; exit status 3 where they do not
#[derive(clap::Args)]
pub struct Check {
    /// The model directory
    model: PathBuf,
    /// A file with the model's inputs, or a folder of images
    #[arg(long)]
    data: PathBuf,
    /// What paths of images in the file are relative to [default: the folder of the file]
    #[arg(long)]
    folder: Option<PathBuf>,
    /// The population stability index of an input from which on it has drifted
    #[arg(long, value_name = "INDEX", default_value_t = Limits::default().index)]
    psi: f64,
    /// The difference in the share of missing values from which on an input has drifted
    #[arg(long, value_name = "SHARE", default_value_t = Limits::default().missing)]
    missing: f64,
    /// The share of numbers out of the training rows' range from which on an input has drifted
    #[arg(long, value_name = "SHARE", default_value_t = Limits::default().outside)]
    outside: f64,
    /// The share of words that training never saw from which on an input has drifted
    #[arg(long, value_name = "SHARE", default_value_t = Limits::default().unseen)]
    unseen: f64,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Threads to use [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

/// The answer in JSON.
#[derive(Serialize)]
struct Answer<'a> {
    rows: usize,
    training_rows: usize,
    inputs: &'a [Drift],
    drifted: Vec<&'a str>,
}

impl Check {
    pub fn run(self) -> Result<(), Failure> {
        let limits = Limits { index: self.psi, missing: self.missing, outside: self.outside, unseen: self.unseen };
        let given = [limits.index, limits.missing, limits.outside, limits.unseen];
        if let Some(limit) = given.into_iter().find(|limit| limit.is_nan() || *limit < 0.0) {
            return Err(Failure::Limit(limit));
        }
        let model = Model::load(&self.model)?;
        let none = || Failure::NoSummary(self.model.clone());
        let summary = Summary::load(&self.model).map_err(polytask::BuildError::from)?.ok_or_else(none)?;
        let (rows, drift) = on_threads(self.threads, || {
            let options = ReadOptions { folder: self.folder.clone(), ..model.read_options() };
            let table = polytask_data::read(&self.data, &options)?;
            // What cannot be read as the model reads it has done more than drift.
            model.read(&table)?;
            Ok::<_, Failure>((table.rows(), summary.drift(&table)))
        })??;
        let drifted = drift.iter().filter(|own| !own.beyond(&limits).is_empty());
        let drifted: Vec<&str> = drifted.map(|own| own.column.as_str()).collect();
        if rows < FEW {
            crate::text::note(&format!("{rows} rows are few: below {FEW} chance alone makes a large index"));
        }
        match self.format {
            Format::Json => {
                print_json(&Answer { rows, training_rows: summary.rows, inputs: &drift, drifted: drifted.clone() })?
            }
            Format::Text => print(&table(&drift, &limits))?,
        }
        match drifted.is_empty() {
            true => Ok(()),
            false => Err(Failure::Drifted(drifted.join(", "))),
        }
    }
}

/// A line an input.
fn table(drift: &[Drift], limits: &Limits) -> String {
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let row = |own: &Drift| {
        vec![
            own.column.clone(),
            text::number(own.index),
            format!("{} -> {}", percent(own.missing[0]), percent(own.missing[1])),
            percent(own.outside),
            percent(own.unseen),
            own.beyond(limits).join(", "),
        ]
    };
    let rows: Vec<Vec<String>> = drift.iter().map(row).collect();
    text::table(&["input", "PSI", "missing", "out of range", "never seen", "drifted"], &rows)
}
