//! A network made ready for its training: the one way from a config and prepared data to a [`Job`].

mod memory;
pub mod search;

use crate::Error;
use crate::own::Own;
use crate::prepare::Prepared;
use crate::train::{Budget, Callback, Job};
use polytask_exec::Parameters;
use polytask_graph::Graph;
use polytask_model::config::Config;
use polytask_model::model::{self, Body, Model};
use polytask_model::share;
use polytask_model::tasks::Task;

/// The network of some of the prepared tasks with the parameters it starts from.
pub struct Build {
    /// The config it is trained by; what a config leaves to be searched for is found.
    pub config: Config,
    /// Its losses are those of `tasks`, in that order.
    pub graph: Graph,
    /// Which it learns.
    pub tasks: Vec<Task>,
    /// Where training begins.
    pub start: Parameters,
    /// Places of the tasks among the prepared ones.
    labels: Vec<usize>,
    train: Vec<u32>,
    valid: Vec<u32>,
    own: Own,
}

impl Build {
    /// Searches where the config asks for it, and builds the network of the tasks at the places `which` as a config of these
    /// tasks describes it; none where `callback` ended the search. It learns from the rows that have a label of one of its
    /// tasks, so that no step is wasted on others.
    ///
    /// # Errors
    /// Layers that do not fit together, a file of weights that does not fit, a search that fails.
    pub fn new(
        config: &Config,
        prepared: &Prepared,
        which: &[usize],
        own: &Own,
        callback: &mut dyn Callback,
    ) -> Result<Option<Self>, Error> {
        let config = match search::settle(config, prepared, which, callback)? {
            Some(settled) => settled,
            None if search::is_asked(config) => return Ok(None),
            None => config.clone(),
        };
        Self::settled(config, prepared, which, own).map(Some)
    }

    /// The same without a search: the branches of a config that leaves them to be found stay open.
    ///
    /// # Errors
    /// Layers that do not fit together, a file of weights that does not fit.
    pub fn settled(config: Config, prepared: &Prepared, which: &[usize], own: &Own) -> Result<Self, Error> {
        let tasks: Vec<Task> = which.iter().map(|&task| prepared.tasks[task].clone()).collect();
        let design = config.design(&prepared.encoder, &tasks);
        let graph = match &own.architecture {
            Some(architecture) => share::build_as(architecture.as_ref(), &design)?,
            None => share::build(&design)?,
        };
        drop(design);
        if config.model.sharing.linear().is_none() || own.architecture.is_some() {
            memory::check(&graph, &prepared.device, config.train.batch.rows(prepared.split.train.len()))?;
        }
        let init = config.model.init.as_ref().map(|path| config.resolve(path)).transpose()?;
        // Parameters are drawn by their names, so every group's trunk starts alike under one seed.
        let seen = (&prepared.data.features, prepared.split.train.as_slice());
        let start = model::start(&graph, &prepared.encoder, seen, config.train.seed, init.as_deref())?;
        let [train, valid] = [&prepared.split.train, &prepared.split.valid].map(|rows| labelled(prepared, which, rows));
        Ok(Build { config, graph, tasks, start, labels: which.to_vec(), train, valid, own: own.clone() })
    }

    /// Its training, as long as the config says.
    pub fn job<'a>(&'a self, prepared: &'a Prepared) -> Job<'a> {
        Job {
            graph: &self.graph,
            tasks: &self.tasks,
            labels: &self.labels,
            data: &prepared.data,
            device: &prepared.device,
            train: &self.train,
            valid: &self.valid,
            loss: &self.config.loss,
            config: &self.config.train,
            budget: Budget::of(&self.config.train, self.train.len()),
            linear: self.config.model.sharing.linear().filter(|_| self.own.architecture.is_none()),
            balancer: self.own.balancer.as_deref(),
        }
    }

    /// The model that what was fitted makes of it.
    pub fn model(self, prepared: &Prepared, body: Body) -> Model {
        prepared.model(self.tasks, body)
    }
}

/// Rows that have a label of one of the tasks.
pub(crate) fn labelled(prepared: &Prepared, which: &[usize], rows: &[u32]) -> Vec<u32> {
    if which.len() == prepared.tasks.len() {
        return rows.to_vec();
    }
    let has = |row: &u32| which.iter().any(|&task| prepared.data.labels[task].weighs(*row as usize));
    rows.iter().copied().filter(has).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prepare::prepare;

    #[test]
    fn a_task_alone_learns_from_the_rows_that_label_it() {
        let folder = tempfile::tempdir().unwrap();
        let cell = |i: usize, every: usize| if i.is_multiple_of(every) { i.to_string() } else { String::new() };
        let row = |i: usize| format!("{i},{},{}\n", cell(i, 2), cell(i, 3));
        let data: String = (0..30).map(row).collect();
        std::fs::write(folder.path().join("data.csv"), format!("x,a,b\n{data}")).unwrap();
        let text = "[data]\npath = \"data.csv\"\nsplit = { valid = 0, test = 0 }\n[tasks.a]\nkind = \"count\"\n[tasks.b]\n\
                    kind = \"regression\"\n";
        let config = Config::from_toml(text, folder.path().join("config.toml").to_str().unwrap()).unwrap();
        let prepared = prepare(&config).unwrap();
        let rows: Vec<u32> = (3..13).collect();
        assert_eq!(labelled(&prepared, &[0], &rows), [4, 6, 8, 10, 12]);
        assert_eq!(labelled(&prepared, &[1], &rows), [3, 6, 9, 12]);
        assert_eq!(labelled(&prepared, &[0, 1], &rows), rows, "all tasks see all rows");
    }
}
