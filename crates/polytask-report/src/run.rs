//! A model directory, as far as it goes: what is there is read, what is not is said.

use crate::ReportError;
use indexmap::IndexMap;
use polytask::config::Config;
use polytask::files;
use polytask::model::{CONFIG, HISTORY, METRICS, Model, RUN, RunInfo};
use polytask::train::Round;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// What a comparison is called in a model directory.
pub const COMPARISON: &str = "compare.json";
/// What a selection of tasks is called there.
pub const SELECTION: &str = "selection.json";

/// What a model directory has.
pub struct Run {
    /// Its path as it was given.
    pub folder: PathBuf,
    /// The model.
    pub model: Model,
    /// As it was run.
    pub config: Option<Config>,
    /// The same as text.
    pub config_text: String,
    /// The scores it was left with, by task and metric.
    pub metrics: IndexMap<String, IndexMap<String, f64>>,
    /// Every round.
    pub history: Vec<Round>,
    /// How the run went.
    pub info: Option<RunInfo>,
    /// What `polytask compare` wrote, as text: the order of its tasks counts.
    pub comparison: Option<String>,
    /// What `polytask select` wrote.
    pub selection: Option<Value>,
    /// What could not be read.
    pub notes: Vec<String>,
}

impl Run {
    /// Reads a model directory; `comparison` and `selection` stand elsewhere where they are given.
    ///
    /// # Errors
    /// No model there, or a damaged one; a comparison or selection that was asked for and is none.
    pub fn read(folder: &Path, comparison: Option<&Path>, selection: Option<&Path>) -> Result<Self, ReportError> {
        let model = Model::load(folder)?;
        let mut run = Run {
            folder: folder.to_owned(),
            model,
            config: None,
            config_text: String::new(),
            metrics: IndexMap::new(),
            history: Vec::new(),
            info: None,
            comparison: None,
            selection: None,
            notes: Vec::new(),
        };
        run.info = run.part(RUN, |text| serde_json::from_str(text).map_err(|e| e.to_string()));
        run.config_text = run.part(CONFIG, |text| Ok(text.to_owned())).unwrap_or_default();
        run.config = run.part(CONFIG, |text| {
            let mut config = Config::from_toml(text, CONFIG).map_err(|e| e.to_string())?;
            config.folder = PathBuf::new();
            Ok(config)
        });
        if let (Some(config), Some(info)) = (&mut run.config, &run.info) {
            config.folder = folder.join(&info.folder);
        }
        run.metrics = run.part(METRICS, scores).unwrap_or_default();
        run.history = run.part(HISTORY, rounds).unwrap_or_default();
        let json = |text: &str| serde_json::from_str::<Value>(text).map_err(|e| e.to_string());
        run.comparison = match comparison {
            Some(path) => Some(read_json(path)?.1),
            None if folder.join(COMPARISON).exists() => {
                run.part(COMPARISON, |text| json(text).map(|_| text.to_owned()))
            }
            None => None,
        };
        run.selection = match selection {
            Some(path) => Some(read_json(path)?.0),
            None if files::find(folder, SELECTION).exists() => run.part(SELECTION, json),
            None => None,
        };
        Ok(run)
    }

    /// The name of the directory, for headings.
    pub fn name(&self) -> String {
        let whole = || self.folder.display().to_string();
        self.folder.file_name().map_or_else(whole, |name| name.to_string_lossy().into_owned())
    }

    /// A file of the directory, where it is there and reads.
    fn part<T>(&mut self, name: &str, read: impl Fn(&str) -> Result<T, String>) -> Option<T> {
        let text = match files::read_text(&files::find(&self.folder, name)) {
            Ok(text) => text,
            Err(error) => {
                self.notes.push(format!("{error}; what it tells is left out."));
                return None;
            }
        };
        match read(&text) {
            Ok(part) => Some(part),
            Err(reason) => {
                self.notes.push(format!("{name} cannot be read ({reason}); what it tells is left out."));
                None
            }
        }
    }
}

fn read_json(path: &Path) -> Result<(Value, String), ReportError> {
    let text = files::read_text(path)?;
    match serde_json::from_str(&text) {
        Ok(value) => Ok((value, text)),
        Err(error) => Err(ReportError::Json { path: path.to_owned(), reason: error.to_string() }),
    }
}

fn rounds(text: &str) -> Result<Vec<Round>, String> {
    let line = |(i, line): (usize, &str)| serde_json::from_str(line).map_err(|e| format!("line {}: {e}", i + 1));
    text.lines().enumerate().map(line).collect()
}

fn scores(text: &str) -> Result<IndexMap<String, IndexMap<String, f64>>, String> {
    let value: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
    let tasks = value.get("tasks").and_then(Value::as_object).ok_or("it has no `tasks`")?;
    let numbers = |metrics: &Value| {
        let metrics = metrics.as_object().into_iter().flatten();
        metrics.filter_map(|(name, value)| Some((name.clone(), value.as_f64()?))).collect()
    };
    Ok(tasks.iter().map(|(task, metrics)| (task.clone(), numbers(metrics))).collect())
}
