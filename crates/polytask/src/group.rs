//! Some of the tasks as one model: its config, its rows, its training. What [`compare`](crate::compare()) and
//! [`select`](crate::select) train is made of these.

use crate::config::{Config, Criterion, LossConfig, Role};
use crate::error::Error;
use crate::model::{self, Model};
use crate::prepare::Prepared;
use crate::search;
use crate::share::{self, Design, Nothing, Sharing};
use crate::task::Task;
use crate::train::{Budget, Checkpoint, Ending, Fitted, Job, Watch, fit};

/// Tasks that one model learns, as places among the prepared tasks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Group {
    /// Those that the model is for, ascending.
    pub served: Vec<usize>,
    /// Those that it learns for their help alone, ascending.
    pub helpers: Vec<usize>,
}

/// A trained group with the config it was trained by.
pub struct Trained {
    /// The config of the group.
    pub config: Config,
    /// What it became; its tasks are [`Group::tasks`].
    pub model: Model,
    /// How training went.
    pub fitted: Fitted,
}

impl Group {
    /// A model for these tasks and no others.
    pub fn of(served: Vec<usize>) -> Self {
        Group { served, helpers: Vec::new() }
    }

    /// All that it learns, ascending.
    pub fn tasks(&self) -> Vec<usize> {
        let mut all = [self.served.as_slice(), &self.helpers].concat();
        all.sort_unstable();
        all
    }

    /// The group's config, of the config of all tasks, whose names are `tasks`. A task alone shares with nobody, and has nothing to balance; helpers do
    /// not count in what chooses the best state.
    ///
    /// # Errors
    /// An architecture that cannot do without a task that is left out.
    pub fn config(&self, config: &Config, tasks: &[&str]) -> Result<Config, Error> {
        let names = |which: &[usize]| which.iter().map(|&t| tasks[t]).collect::<Vec<_>>();
        let (served, helpers, all) = (names(&self.served), names(&self.helpers), names(&self.tasks()));
        let mut own = config.clone();
        if all.len() < tasks.len() {
            own = config.for_tasks(&all)?;
            // A file of weights is for the whole model.
            own.model.init = None;
        }
        if !helpers.is_empty() {
            own.tasks.iter_mut().filter(|task| helpers.contains(&task.0.as_str())).for_each(|task| {
                task.1.role = Role::Auxiliary;
            });
            own.train.criterion = serving(&own.train.criterion, &served);
        }
        if all.len() == 1 && tasks.len() > 1 {
            own.model.sharing = match own.model.sharing.linear() {
                Some(linear) => Sharing::Linear(linear.alone()),
                None => Sharing::None(Nothing {}),
            };
            let LossConfig { l2, l2_biases, watch, .. } = own.loss;
            own.loss = LossConfig { l2, l2_biases, watch, ..LossConfig::default() };
            own.train.criterion = Criterion::Mean;
        }
        Ok(own)
    }

    /// Trains the group on the rows that have a label of one of its tasks, so that no step is wasted on others. `resume` is
    /// asked for a checkpoint once the job is known.
    ///
    /// # Errors
    /// Whatever keeps a model from being trained; a run that broke.
    pub fn train(
        &self,
        config: &Config,
        prepared: &Prepared,
        budget: Budget,
        watch: &mut dyn Watch,
        resume: &dyn Fn(&Job<'_>) -> Result<Option<Checkpoint>, Error>,
    ) -> Result<Trained, Error> {
        let which = self.tasks();
        let mut config = self.config(config, &prepared.names())?;
        let [train, valid] =
            [&prepared.split.train, &prepared.split.valid].map(|rows| labelled(prepared, &which, rows));
        if let Some(settled) = search::settle(&config, prepared, &which, watch)? {
            config = settled;
        }
        let tasks: Vec<Task> = which.iter().map(|&t| prepared.tasks[t].clone()).collect();
        let graph = share::build(&Design::new(&config, &prepared.encoder, &tasks))?;
        // Parameters are drawn by their names, so every group's trunk starts alike under one seed.
        let start = model::start(&graph, &prepared.encoder, &tasks, config.train.seed, None)?;
        let job = Job {
            graph: &graph,
            tasks: &tasks,
            labels: &which,
            data: &prepared.data,
            train: &train,
            valid: &valid,
            loss: &config.loss,
            config: &config.train,
            budget,
            linear: config.model.sharing.linear(),
        };
        let fitted = fit(&job, &start, resume(&job)?, watch)?;
        if let Ending::Broken(by) = fitted.ending {
            let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
            let of = match which.len() {
                all if all == prepared.tasks.len() => "the joint model".to_owned(),
                1 => format!("the single-task model of `{}`", names[0]),
                _ => format!("the model of {}", names.join(", ")),
            };
            return Err(Error::Broken { by, kept: format!(", in {of} with seed {}", config.train.seed) });
        }
        let (encoder, dialect) = (prepared.encoder.clone(), prepared.dialect.clone());
        let parameters = fitted.parameters.clone();
        Ok(Trained { config, model: Model { graph, encoder, tasks, dialect, parameters }, fitted })
    }
}

/// Rows that have a label of one of the tasks.
fn labelled(prepared: &Prepared, which: &[usize], rows: &[u32]) -> Vec<u32> {
    if which.len() == prepared.tasks.len() {
        return rows.to_vec();
    }
    let has = |row: &u32| which.iter().any(|&task| prepared.data.labels[task].weighs(*row as usize));
    rows.iter().copied().filter(has).collect()
}

/// What is left of a criterion where only some tasks count.
fn serving(all: &Criterion, served: &[&str]) -> Criterion {
    let counts = |name: &str| served.contains(&name);
    match all {
        Criterion::Task(task) if counts(task) => all.clone(),
        Criterion::Weights(weights) if weights.iter().any(|(name, weight)| counts(name) && *weight > 0.0) => {
            Criterion::Weights(weights.iter().filter(|(name, _)| counts(name)).map(|(n, w)| (n.clone(), *w)).collect())
        }
        _ => Criterion::Weights(served.iter().map(|name| ((*name).to_owned(), 1.0)).collect()),
    }
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

    #[test]
    fn what_only_helps_chooses_nothing() {
        let weights = |pairs: &[(&str, f64)]| {
            Criterion::Weights(pairs.iter().map(|(name, weight)| ((*name).to_owned(), *weight)).collect())
        };
        let only_a = weights(&[("a", 1.0)]);
        assert_eq!(serving(&Criterion::Mean, &["a"]), only_a);
        assert_eq!(serving(&Criterion::Task("b".to_owned()), &["a"]), only_a);
        assert_eq!(serving(&Criterion::Task("a".to_owned()), &["a"]), Criterion::Task("a".to_owned()));
        assert_eq!(serving(&weights(&[("a", 3.0), ("b", 1.0)]), &["a"]), weights(&[("a", 3.0)]));
        assert_eq!(serving(&weights(&[("a", 0.0), ("b", 1.0)]), &["a"]), only_a);
    }
}
