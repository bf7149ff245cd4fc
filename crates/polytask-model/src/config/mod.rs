//! The config people write: TOML with unknown keys refused, a JSON schema, and defaults good enough that the shortest
//! file works.
//!
//! ```
//! use polytask_model::config::Config;
//!
//! let text = r#"
//! [data]
//! path = "people.csv"
//! [tasks.height]
//! [tasks.weight]
//! "#;
//! let config = Config::from_toml(text, "people.toml")?;
//! assert_eq!(config.model.trunk, vec![64, 64].into());
//! assert_eq!(config.tasks.keys().collect::<Vec<_>>(), ["height", "weight"]);
//! # Ok::<(), polytask_model::config::ConfigError>(())
//! ```

mod design;
mod family;
mod inputs;
mod load;
mod sets;
mod subset;
mod translate;

pub use crate::section::*;
pub use crate::share::{ModelConfig, Sharing};
pub use family::is_table;
pub use load::{Template, line_of};

use crate::section::environment;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// What to learn, from which data, with which model, and how.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "polytask config")]
pub struct Config {
    /// Where the data are and how the rows are split; `[[data]]` several times for several data sets, each with its own
    /// tasks and split. Inputs have the same names in all of them.
    #[serde(with = "sets")]
    #[schemars(schema_with = "sets::schema")]
    pub data: DataConfig,
    /// The columns the model reads: `NAME = "number"`, "category", "boolean", "date", "text" or "image", or a table. Default:
    /// every column that is no task, is not ignored, and is not used for splitting or weighing; of lists and objects only the
    /// column `tokens`. Kinds are inferred: whole numbers that most rows have one value of, and the others many values that
    /// come again with gaps between them (amounts that a form knows), are a category, other numbers are numbers.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub inputs: IndexMap<String, InputConfig>,
    /// What is predicted, one table a task; an empty table infers everything from the column of that name.
    #[serde(default)]
    pub tasks: IndexMap<String, TaskConfig>,
    /// The network.
    #[serde(default)]
    pub model: ModelConfig,
    /// How the losses of the tasks become one step.
    #[serde(default)]
    pub loss: LossConfig,
    /// How the model is trained.
    #[serde(default)]
    pub train: TrainConfig,
    /// What `polytask tune` may set, and to what: `KEY = [VALUE, ...]` or `KEY = { low = NUMBER, high = NUMBER }`, with
    /// `log = true` where factors count instead of differences. All else makes no use of it.
    #[serde(default, skip_serializing_if = "Tune::is_empty")]
    pub tune: Tune,
    /// The folder of the config; paths in it are relative to this.
    #[serde(skip)]
    pub folder: PathBuf,
}

impl Config {
    /// These data with no task yet and every other key at its default.
    pub fn of_data(data: DataConfig) -> Self {
        Config {
            data,
            inputs: IndexMap::new(),
            tasks: IndexMap::new(),
            model: ModelConfig::default(),
            loss: LossConfig::default(),
            train: TrainConfig::default(),
            tune: Tune::default(),
            folder: PathBuf::new(),
        }
    }

    /// The config of a table alone, with overrides of the keys of `[data]`, such as `data.missing=["unknown"]`. It has no task
    /// and is not checked for that.
    ///
    /// # Errors
    /// An override that is none, or of another key.
    pub fn reading(path: &str, overrides: &[String]) -> Result<Self, ConfigError> {
        Template::of_data(path, overrides)
    }

    /// Reads a config and applies overrides of the form `KEY=VALUE` in their order, for example `train.epochs=50`,
    /// `model.trunk=[32]` or `data.path=x.csv`. A value is read as TOML, or taken as a word where it is none.
    pub fn load(path: &Path, overrides: &[String]) -> Result<Self, ConfigError> {
        Template::load(path, overrides)?.config()
    }

    /// Reads a config from its text; `file_name` is for messages, and its folder is the one paths are relative to.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Self, ConfigError> {
        load::read(text, file_name, &[])
    }

    /// The config as TOML with the defaults filled in; reading it gives an equal config.
    pub fn to_toml(&self) -> Result<String, ConfigError> {
        let filled = Config { train: self.train.filled(), ..self.clone() };
        Ok(toml::to_string(&filled)?)
    }

    /// The JSON schema of the config, for editors and for `polytask schema`.
    pub fn schema() -> serde_json::Value {
        schemars::schema_for!(Config).to_value()
    }

    /// A path as it is written in the config, with `${NAME}` expanded and the folder of the config before it.
    ///
    /// # Errors
    /// An environment variable that is not set; [`load`](Self::load) has tried all paths of the config.
    pub fn resolve(&self, written: &str) -> Result<PathBuf, ConfigError> {
        Ok(environment::resolve(&self.folder, written).map_err(|message| Problem::new(&[], message))?)
    }

    /// Checks everything the types cannot: ranges, and names that stand in several places.
    pub fn check(&self) -> Result<(), ConfigError> {
        self.problem().map_err(ConfigError::from)
    }

    /// The same as a problem whose place in a file is still to be found.
    ///
    /// # Errors
    /// What is wrong, and at which key.
    pub fn problem(&self) -> Result<(), Problem> {
        self.data.sets().try_for_each(DataConfig::check)?;
        sets::check(&self.data, &self.tasks)?;
        if self.inputs.is_empty() && !self.data.others.is_empty() {
            let message = "there are several data sets, and no input is named that all of them have";
            return Err(
                Problem::new(&["data"], message).hint("name them in [inputs], such as `text = \"text\"`".to_owned())
            );
        }
        for (name, input) in &self.inputs {
            input.check(name)?;
        }
        if self.tasks.is_empty() {
            let problem = Problem::new(&["tasks"], "there is no task");
            return Err(problem.hint("add a section such as `[tasks.height]` for every column to predict".to_owned()));
        }
        for (name, task) in &self.tasks {
            task.check(name)?;
        }
        self.model.check(&self.tasks.keys().map(String::as_str).collect::<Vec<_>>())?;
        self.loss.check(&self.tasks)?;
        self.train.check()?;
        self.train.criterion.check(&self.tasks)?;
        self.check_columns()?;
        self.tune.ranges()?;
        for (key, path) in self.paths() {
            environment::expand(path).map_err(|message| Problem::new(&key, message).at_value())?;
        }
        Ok(())
    }

    /// Every path of the config with its key.
    fn paths(&self) -> Vec<(Vec<&str>, &str)> {
        let mut paths = Vec::new();
        for data in self.data.sets() {
            paths.push((vec!["data", "path"], data.path.as_str()));
            paths.extend(data.folder.as_deref().map(|folder| (vec!["data", "folder"], folder)));
            paths.extend(data.labels.iter().flat_map(|labels| labels.paths(&["data"])));
            if let Split::Parts { valid, test, .. } = &data.split {
                for (name, part) in [("valid", valid), ("test", test)] {
                    if let Part::File(file) = part {
                        paths.push((vec!["data", "split", name], file.path.as_str()));
                        paths.extend(file.labels.iter().flat_map(|labels| labels.paths(&["data", "split", name])));
                    }
                }
            }
        }
        if let Some(init) = &self.model.init {
            paths.push((vec!["model", "init"], init));
        }
        paths
    }

    /// The same config to be written to another folder: relative paths begin with `back`, which leads from there to the
    /// folder they were relative to.
    pub fn moved(&self, back: &Path) -> Self {
        let mut config = self.clone();
        let move_path = |path: &mut String| {
            // A variable may hold a whole path.
            if !path.starts_with("${") && Path::new(path.as_str()).is_relative() {
                *path = back.join(path.as_str()).display().to_string();
            }
        };
        let first = &mut config.data;
        let (mut others, mut sets) = (std::mem::take(&mut first.others), vec![first]);
        sets.extend(&mut others);
        for set in sets {
            set.paths_mut().into_iter().for_each(move_path);
        }
        config.data.others = others;
        config.inputs.values_mut().filter_map(|input| input.vectors.as_mut()).for_each(move_path);
        config.model.init.iter_mut().for_each(move_path);
        config
    }

    /// The same config, to be written anywhere: paths that are relative to its folder are absolute.
    pub fn anchored(&self) -> Self {
        let folder = if self.folder.as_os_str().is_empty() { Path::new(".") } else { self.folder.as_path() };
        self.moved(&folder.canonicalize().unwrap_or_else(|_| folder.to_owned()))
    }

    /// A label among the inputs would be read off instead of learnt.
    fn check_columns(&self) -> Result<(), Problem> {
        if let Some(column) =
            self.data.sets().flat_map(|set| &set.ignore).find(|c| self.inputs.contains_key(c.as_str()))
        {
            let message = format!("the column \"{column}\" is an input and ignored by `data.ignore`");
            return Err(Problem::new(&["inputs", column], message));
        }
        let columns =
            self.tasks.iter().flat_map(|(name, task)| task.columns_of(name).into_iter().map(move |c| (name, c)));
        for (name, column) in columns {
            if self.inputs.contains_key(column) {
                let message = format!("the column \"{column}\" is an input and the label of the task \"{name}\"");
                return Err(Problem::new(&["inputs", column], message));
            }
            // Frames say which tokens are predicates, in which sense, and what their arguments are: a task for each.
            // Several events may end the time that a row is followed.
            let frames = |task: &TaskConfig| task.kind.is_some_and(TaskKind::is_of_frames);
            let survival = |task: &TaskConfig| task.kind == Some(TaskKind::Survival);
            let own = self.tasks.get(name);
            let reads = |(other, task): &(&String, &TaskConfig)| {
                let both = |of: &dyn Fn(&TaskConfig) -> bool| own.is_some_and(of) && of(task);
                *other != name && task.columns_of(other).contains(&column) && !both(&frames) && !both(&survival)
            };
            if let Some((other, _)) = self.tasks.iter().find(reads) {
                let message = format!("the tasks \"{name}\" and \"{other}\" read the same column \"{column}\"");
                return Err(Problem::new(&["tasks", other], message));
            }
        }
        Ok(())
    }

    /// Columns that are no inputs because something else reads them: labels, their weights, the split, row weights, and those that
    /// are to be ignored.
    pub fn reserved_columns(&self) -> Vec<&str> {
        let labels = self.tasks.iter().flat_map(|(name, task)| task.columns_of(name));
        let labels = labels.chain(self.tasks.values().filter_map(|task| task.weight.as_deref()));
        labels.chain(self.data.sets().flat_map(DataConfig::reserved_columns)).collect()
    }
}
