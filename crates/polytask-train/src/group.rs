//! Some of the tasks as one model: its config, its rows, its training. Comparing and selecting
//! train these.

use crate::Error;
use crate::build::Build;
use crate::family::Plan;
use crate::held;
use crate::own::Own;
use crate::prepare::Prepared;
use crate::train::{Budget, Callback, Checkpoint, Fitted, Job, StopReason};
use polytask_model::config::{Config, Criterion, Family, LossConfig, ModelConfig, Role};
use polytask_model::model::Model;
use polytask_model::share::{Nothing, Sharing};

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
        let mut own = if all.len() < tasks.len() { config.for_tasks(&all)? } else { config.clone() };
        // A file of weights is for the whole model, and would favour it.
        own.model.init = None;
        if !helpers.is_empty() {
            own.tasks.iter_mut().filter(|task| helpers.contains(&task.0.as_str())).for_each(|task| {
                task.1.role = Role::Auxiliary;
            });
            own.train.criterion = serving(&own.train.criterion, &served);
        }
        // Keys of networks in a config of trees or ensembles would make networks of its single tasks.
        let network = matches!(own.model.family, Family::Network | Family::Auto);
        if all.len() == 1 && tasks.len() > 1 && network {
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
        callback: &mut dyn Callback,
        resume: &dyn Fn(&Job<'_>) -> Result<Option<Checkpoint>, Error>,
    ) -> Result<Trained, Error> {
        let which = self.tasks();
        // A group is of the family that all tasks together are of, or the two could not be compared.
        let family = config.family(&prepared.encoder, &prepared.tasks);
        let config = Config { model: ModelConfig { family, ..config.model.clone() }, ..config.clone() };
        let config = self.config(&config, &prepared.names())?;
        let plan = match Plan::new(&config, prepared, &which, &Own::default(), callback)? {
            Some(plan) => plan,
            // The search was ended: what was asked for is trained, which ends at once.
            None => Plan::Network(Box::new(Build::settled(config, prepared, &which, &Own::default())?)),
        };
        let from = match plan.job(prepared) {
            Some(job) => resume(&Job { budget, ..job })?,
            None => None,
        };
        let fitted = plan.fit(prepared, Some(budget), from, callback)?;
        if let StopReason::Diverged(by) = fitted.stop_reason {
            let names: Vec<&str> = plan.tasks().iter().map(|task| task.name.as_str()).collect();
            let of = match which.len() {
                all if all == prepared.tasks.len() => "the joint model".to_owned(),
                1 => format!("the single-task model of `{}`", names[0]),
                _ => format!("the model of {}", names.join(", ")),
            };
            return Err(Error::Diverged { by, kept: format!(", in {of} with seed {}", plan.config().train.seed) });
        }
        let config = plan.config().clone();
        let mut model = plan.model(prepared, fitted.body.clone());
        held::decide(&config, prepared, &which, &fitted, &mut model)?;
        Ok(Trained { config, model, fitted })
    }
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

    #[test]
    fn a_task_alone_stays_in_the_family_of_all() {
        let text = "[data]\npath = \"x.csv\"\n[tasks.a]\n[tasks.b]\n";
        let mut config = Config::from_toml(text, "x.toml").unwrap();
        for family in [Family::Ensemble, Family::Trees] {
            config.model.family = family;
            let own = Group::of(vec![0]).config(&config, &["a", "b"]).unwrap();
            assert_eq!((own.model.family, &own.model.sharing), (family, &config.model.sharing));
        }
        config.model.family = Family::Network;
        let own = Group::of(vec![0]).config(&config, &["a", "b"]).unwrap();
        assert_eq!(own.model.sharing, Sharing::None(Nothing {}));
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
