//! From a config or a table to a trained model, in one call or step by step.

use crate::Error;
use crate::family::Plan;
use crate::own::{BuildBalancer, Own};
use crate::prepare::{Prepared, Source};
use crate::run::Run;
use crate::train::{Callback, Checkpoint, StopReason};
use polytask_data::Table;
use polytask_model::Device;
use polytask_model::config::{Config, DataConfig, Family, InputConfig, Sharing, TaskConfig};
use polytask_model::share::Architecture;
use std::sync::Arc;

/// What is to be learnt, from which rows, and how.
///
/// ```no_run
/// # use polytask_train::Experiment;
/// # use polytask_data::{Column, Table};
/// # use polytask_model::config::TaskKind;
/// let age: Vec<f64> = (0..100).map(f64::from).collect();
/// let height = age.iter().map(|age| 170.0 - 80.0 * (-age / 8.0).exp()).collect();
/// let weight = age.iter().map(|age| 60.0 - 50.0 * (-age / 12.0).exp()).collect();
/// let columns = vec![Column::number("age", age), Column::number("height", height), Column::number("weight", weight)];
/// let run = Experiment::from_table(Table::from_columns(columns)?)
///     .task("height", TaskKind::Regression)
///     .task("weight", TaskKind::Regression)
///     .seed(1)
///     .fit(&mut ())?;
/// run.save("model".as_ref())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Experiment {
    config: Config,
    table: Option<Table>,
    own: Own,
    device: Device,
}

impl Experiment {
    /// What a config says.
    pub fn new(config: Config) -> Self {
        Experiment { config, table: None, own: Own::default(), device: Device::default() }
    }

    /// A table in memory, of which nothing is predicted yet: add tasks with [`task`](Self::task). Every other column is an
    /// input, until [`input`](Self::input) names some.
    pub fn from_table(table: Table) -> Self {
        let config = Config::of_data(DataConfig::in_memory());
        Experiment { config, table: Some(table), own: Own::default(), device: Device::default() }
    }

    /// Adds a task, the column of this name: its kind, or a whole [`TaskConfig`]; the default infers its kind.
    #[must_use]
    pub fn task(mut self, name: &str, task: impl Into<TaskConfig>) -> Self {
        self.config.tasks.insert(name.to_owned(), task.into());
        self
    }

    /// Adds an input, the column of this name: its kind, or a whole [`InputConfig`].
    #[must_use]
    pub fn input(mut self, name: &str, input: impl Into<InputConfig>) -> Self {
        self.config.inputs.insert(name.to_owned(), input.into());
        self
    }

    /// The family of models. Default: what fits the data.
    #[must_use]
    pub fn family(mut self, family: Family) -> Self {
        self.config.model.family = family;
        self
    }

    /// What the tasks share in a network. Default: [`Sharing::default`].
    #[must_use]
    pub fn sharing(mut self, sharing: Sharing) -> Self {
        self.config.model.family = Family::Network;
        self.config.model.sharing = sharing;
        self
    }

    /// An architecture of the caller's own in place of the config's.
    #[must_use]
    pub fn architecture(mut self, architecture: impl Architecture + Send + Sync + 'static) -> Self {
        self.own.architecture = Some(Arc::new(architecture));
        self
    }

    /// A balancing method of the caller's own in place of the config's, made anew for the tasks of each training.
    #[must_use]
    pub fn balancer(mut self, build: Box<BuildBalancer>) -> Self {
        self.own.balancer = Some(Arc::from(build));
        self
    }

    /// The seed that parameters, the order of rows and dropout are drawn by. Default 0.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.config.train.seed = seed;
        self
    }

    /// Where networks run. Default: on the CPU.
    #[must_use]
    pub fn device(mut self, device: Device) -> Self {
        self.device = device;
        self
    }

    /// Any other setting.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.config);
        self
    }

    /// The config as it stands.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Checks the config, reads and splits the data, and fits inputs and tasks.
    ///
    /// # Errors
    /// Whatever is wrong with the config, the files, the columns or the split.
    pub fn prepare(&self) -> Result<Prepared, Error> {
        self.config.check()?;
        let prepared = match &self.table {
            Some(table) => Source::of_table(&self.config, table.clone())?.prepare(&self.config),
            None => crate::prepare(&self.config),
        };
        Ok(Prepared { device: self.device.clone(), ..prepared? })
    }

    /// The model of all tasks made ready to be fitted; none where `callback` ended a search that the config asks for.
    ///
    /// # Errors
    /// A family that does not fit the data, layers that do not fit together, a file of weights that does not fit, a search
    /// that fails.
    pub fn plan(&self, prepared: &Prepared, callback: &mut dyn Callback) -> Result<Option<Plan>, Error> {
        let all: Vec<usize> = (0..prepared.tasks.len()).collect();
        Plan::new(&self.config, prepared, &all, &self.own, callback)
    }

    /// Prepares the data, trains a model of all tasks and scores it.
    ///
    /// # Errors
    /// Whatever is wrong with config and data, and training that diverges before there is anything to keep.
    pub fn fit(&self, callback: &mut dyn Callback) -> Result<Run, Error> {
        let prepared = self.prepare()?;
        let plan = self.plan(&prepared, callback)?.ok_or(Error::Stopped)?;
        Self::train(prepared, plan, None, callback)
    }

    /// Fits what was planned, or goes on from a checkpoint of it, and scores the model.
    ///
    /// # Errors
    /// A checkpoint of another job, and training that diverges before there is anything to keep.
    pub fn train(
        prepared: Prepared,
        plan: Plan,
        resume: Option<Checkpoint>,
        callback: &mut dyn Callback,
    ) -> Result<Run, Error> {
        let fitted = plan.fit(&prepared, None, resume, callback)?;
        if let (StopReason::Diverged(by), None) = (&fitted.stop_reason, fitted.best_epoch) {
            let kept = "; no epoch was complete, so no model was written".to_owned();
            return Err(Error::Diverged { by: by.clone(), kept });
        }
        Run::new(prepared, plan, fitted)
    }
}
