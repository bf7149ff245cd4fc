//! The rows a model is measured on, with what it predicts for them.

use crate::ReportError;
use crate::run::Run;
use polytask::notes::unseen;
use polytask::tasks::{Prediction, Task, Truth};
use polytask::{Dataset, Source};
use polytask_data::{Random, ReadOptions, Table};
use rayon::prelude::*;
use std::path::Path;

/// Rows that no training saw, their labels, and the model's predictions.
pub struct Rows {
    /// All rows of the file.
    pub table: Table,
    /// The same as the model reads them; labels by task.
    pub data: Dataset,
    /// Those measured.
    pub rows: Vec<u32>,
    /// What they are, in words.
    pub what: String,
    /// By task.
    pub tasks: Vec<Measured>,
    /// What is to be said of them.
    pub notes: Vec<String>,
}

/// One task on the rows that have a label for it.
pub struct Measured {
    /// Rows of the table.
    pub rows: Vec<u32>,
    /// Their labels.
    pub truth: Truth,
    /// Their predictions.
    pub prediction: Prediction,
    /// Metrics in the order of reports.
    pub scores: Vec<Scored>,
}

/// A metric with what other rows might have given.
pub struct Scored {
    /// Its name.
    pub name: &'static str,
    /// On the rows.
    pub value: f64,
    /// 95 % bootstrap interval over the rows; none from fewer than two.
    pub interval: Option<(f64, f64)>,
    /// Of the best constant prediction.
    pub constant: Option<f64>,
}

impl Rows {
    /// The test rows of the run's config, or all rows of a file; none, with the reason, where there is no such file any
    /// more.
    ///
    /// # Errors
    /// A file that was asked for and does not fit the model; an image that cannot be read.
    pub fn read(run: &Run, file: Option<&Path>) -> Result<Result<Self, String>, ReportError> {
        match file {
            Some(file) => Self::of_file(run, file).map(Ok),
            None => match Self::of_config(run) {
                Ok(rows) => Ok(Ok(rows)),
                Err(reason) => Ok(Err(reason)),
            },
        }
    }

    fn of_file(run: &Run, file: &Path) -> Result<Self, ReportError> {
        let model = &run.model;
        let table =
            polytask_data::read(file, &ReadOptions { ..model.read_options() }).map_err(polytask::Error::from)?;
        let data = model.dataset(&table)?;
        let rows = (0..table.rows() as u32).collect();
        Self::measure(run, table, data, rows, format!("the rows of {}", file.display()))
    }

    fn of_config(run: &Run) -> Result<Self, String> {
        let Some(config) = &run.config else { return Err("the directory has no config.toml to find them by".into()) };
        let source = Source::read(config).map_err(|error| error.to_string())?;
        let data = source.dataset(&run.model.encoder, &run.model.tasks).map_err(|error| error.to_string())?;
        let split = source.split;
        let parts = [
            (split.test, "the test rows"),
            (split.valid, "the validation rows, since there are no test rows"),
            (split.train, "the training rows, since there are no others"),
        ];
        let first = parts.into_iter().find(|(rows, _)| !rows.is_empty());
        let (rows, what) = first.ok_or_else(|| "the split leaves no rows".to_owned())?;
        Self::measure(run, source.table, data, rows, what.to_owned()).map_err(|error| error.to_string())
    }

    fn measure(run: &Run, table: Table, data: Dataset, rows: Vec<u32>, what: String) -> Result<Self, ReportError> {
        let predictions = run.model.predict_judged(&data, &rows)?;
        let tasks =
            run.model.tasks.par_iter().zip(&data.labels).zip(predictions).map(|((task, labels), prediction)| {
                let layout = data.layout(task, &rows);
                let truth = labels.truth.select(&rows);
                let constant = task.baseline_in(&truth, &layout);
                let known: Vec<u32> = (0..rows.len() as u32).filter(|place| truth.known(*place as usize)).collect();
                let (truth, prediction) = (truth.select(&known), prediction.select(&known));
                let scores = scored(task, &truth, &prediction, |name| constant.value(name));
                let rows = known.iter().map(|place| rows[*place as usize]).collect();
                Measured { rows, truth, prediction, scores }
            });
        let tasks = tasks.collect();
        let notes = unseen(&run.model.encoder, &run.model.tasks, &table, &rows, "rows");
        Ok(Rows { table, data, rows, what, tasks, notes })
    }
}

/// Samples that an interval is read off.
fn samples(rows: usize) -> u64 {
    (2_000_000 / rows.max(1)).clamp(100, 1000) as u64
}

/// Every metric with its percentile interval over bootstrap samples of the rows (Efron 1979).
fn scored(task: &Task, truth: &Truth, prediction: &Prediction, constant: impl Fn(&str) -> Option<f64>) -> Vec<Scored> {
    let metrics = task.outcome().score(truth, prediction);
    let count = truth.len();
    let draws: Vec<_> = match count {
        0 | 1 => Vec::new(),
        _ => (0..samples(count))
            .into_par_iter()
            .map(|sample| {
                let rows = Random::numbered(0, sample).draw_again(count);
                task.outcome().score(&truth.select(&rows), &prediction.select(&rows))
            })
            .collect(),
    };
    let interval = |name: &str| {
        let mut values: Vec<f64> = draws.iter().filter_map(|metrics| metrics.value(name)).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values.get((share * (values.len().saturating_sub(1)) as f64).round() as usize).copied();
        Some((at(0.025)?, at(0.975)?))
    };
    let of = |metric: &polytask::metric::Metric| Scored {
        name: metric.name,
        value: metric.value,
        interval: interval(metric.name),
        constant: constant(metric.name),
    };
    metrics.scores.iter().map(of).collect()
}
