//! The families of models: the one place that chooses how tasks are fitted.

pub(crate) mod ensemble;
mod network;
mod table;
pub(crate) mod trees;

pub use network::fit;
pub use table::Table;

use crate::Error;
use crate::build::Build;
use crate::own::Own;
use crate::prepare::Prepared;
use crate::train::{Budget, Callback, Checkpoint, Fitted, Job};
use polytask_model::config::{Config, Family};
use polytask_model::model::{Body, Model};
use polytask_model::tasks::Task;

/// Tasks ready to be fitted by the family that their config asks for.
pub enum Plan {
    /// A network, or a linear model.
    Network(Box<Build>),
    /// Trees or an ensemble, which learn from the rows of a table.
    Table(Box<Table>),
}

impl Plan {
    /// The tasks at the places `which` among the prepared ones, as a config of these tasks describes their model; none
    /// where `callback` ended a search that the config asks for.
    ///
    /// # Errors
    /// A family that does not fit inputs and tasks; layers that do not fit together, a file of weights that does not fit, a
    /// search that fails.
    pub fn new(
        config: &Config,
        prepared: &Prepared,
        which: &[usize],
        own: &Own,
        callback: &mut dyn Callback,
    ) -> Result<Option<Self>, Error> {
        let tasks: Vec<Task> = which.iter().map(|&task| prepared.tasks[task].clone()).collect();
        let family = match own.is_empty() {
            true => config.family(&prepared.encoder, &tasks),
            false => Family::Network,
        };
        Ok(match family {
            Family::Auto | Family::Network => {
                Build::new(config, prepared, which, own, callback)?.map(|build| Plan::Network(Box::new(build)))
            }
            Family::Trees | Family::Ensemble => {
                Some(Plan::Table(Box::new(Table::new(config, family, prepared, tasks, which)?)))
            }
        })
    }

    /// The config that it is fitted by, with what it left to be found or chosen.
    pub fn config(&self) -> &Config {
        match self {
            Plan::Network(build) => &build.config,
            Plan::Table(table) => &table.config,
        }
    }

    /// What it learns.
    pub fn tasks(&self) -> &[Task] {
        match self {
            Plan::Network(build) => &build.tasks,
            Plan::Table(table) => &table.tasks,
        }
    }

    /// The network, where it is one.
    pub fn network(&self) -> Option<&Build> {
        match self {
            Plan::Network(build) => Some(build),
            Plan::Table(_) => None,
        }
    }

    /// The training of a network, where it is one.
    pub fn job<'a>(&'a self, prepared: &'a Prepared) -> Option<Job<'a>> {
        self.network().map(|build| build.job(prepared))
    }

    /// What an ensemble tries, in order; none of another family.
    pub fn candidates(&self, prepared: &Prepared) -> Vec<String> {
        match self {
            Plan::Network(_) => Vec::new(),
            Plan::Table(table) => table.candidates(prepared),
        }
    }

    /// Units of work that [`Callback::step`] counts.
    pub fn length(&self, prepared: &Prepared) -> u64 {
        match self {
            Plan::Network(build) => {
                let job = build.job(prepared);
                job.linear.map_or(job.budget.steps, polytask_model::share::Linear::tries)
            }
            Plan::Table(table) => table.length(prepared),
        }
    }

    /// Fits the tasks. `budget` is that of networks, where it is not the config's.
    ///
    /// # Errors
    /// Whatever keeps the model from being fitted.
    pub fn fit(
        &self,
        prepared: &Prepared,
        budget: Option<Budget>,
        resume: Option<Checkpoint>,
        callback: &mut dyn Callback,
    ) -> Result<Fitted, Error> {
        match self {
            Plan::Network(build) => {
                let job = build.job(prepared);
                let job = Job { budget: budget.unwrap_or(job.budget), ..job };
                Ok(fit(&job, &build.start, resume, callback)?)
            }
            Plan::Table(table) => table.fit(prepared, callback),
        }
    }

    /// The model that what was fitted makes of it.
    pub fn model(self, prepared: &Prepared, body: Body) -> Model {
        match self {
            Plan::Network(build) => build.model(prepared, body),
            Plan::Table(table) => prepared.model(table.tasks, body),
        }
    }
}
