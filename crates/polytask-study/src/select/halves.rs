//! What a model is worth on validation rows that did not choose its epoch.
//!
//! The state that does best on some rows looks better on them than it is, and the more models there are that choose one
//! each, the more: many small models would look better than one large one. So the validation rows are cut in two, and each
//! half judges the state that the other half chose.

use polytask_exec::{Parameters, Session};
use polytask_train::train::{Callback, Job, TrainError, criterion};
use std::sync::atomic::{AtomicBool, Ordering};

/// Watches a run and chooses its best state by each half of the validation rows.
pub struct Halves<'a> {
    stop: &'a AtomicBool,
    /// By task of the job: the metric that stands for it.
    primary: Vec<&'static str>,
    halves: Option<[Half; 2]>,
}

/// Half of the validation rows, and what it chose.
struct Half {
    rows: Vec<u32>,
    judge: Box<dyn Session>,
    /// The tasks' losses on its rows before the first step.
    first: Vec<Option<f64>>,
    criterion: Option<f64>,
    /// By task, of the state it chose: the loss and the metric on the rows of the other half.
    fair: Vec<Worth>,
}

/// A task's loss and the metric that stands for it; none without labels.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Worth {
    /// Loss.
    pub loss: Option<f64>,
    /// Metric.
    pub metric: Option<f64>,
}

impl<'a> Halves<'a> {
    /// For a run of tasks whose metrics these are, which `stop` may end.
    pub fn new(stop: &'a AtomicBool, primary: Vec<&'static str>) -> Self {
        Halves { stop, primary, halves: None }
    }

    /// By task: what each half says of the state that the other chose, the mean of both. None where nothing was watched:
    /// a linear model, or fewer than two validation rows.
    pub fn worth(&self) -> Option<Vec<Worth>> {
        let [a, b] = self.halves.as_ref()?;
        let mean = |a: Option<f64>, b: Option<f64>| match (a, b) {
            (Some(a), Some(b)) => Some((a + b) / 2.0),
            (one, other) => one.or(other),
        };
        let both = a.fair.iter().zip(&b.fair);
        Some(both.map(|(a, b)| Worth { loss: mean(a.loss, b.loss), metric: mean(a.metric, b.metric) }).collect())
    }
}

impl Callback for Halves<'_> {
    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn model(&mut self, job: &Job<'_>, parameters: &Parameters) -> Result<(), TrainError> {
        let Some(halves) = &mut self.halves else {
            if job.valid.len() >= 2 {
                self.halves = Some([Half::new(job, parameters, 0)?, Half::new(job, parameters, 1)?]);
            }
            return Ok(());
        };
        let names: Vec<&str> = job.tasks.iter().map(|task| task.name.as_str()).collect();
        let mut losses = Vec::new();
        for half in halves.iter_mut() {
            half.judge.set_parameters(parameters);
            losses.push(job.losses(half.judge.as_mut(), &half.rows)?);
        }
        for (own, other) in [(0, 1), (1, 0)] {
            let criterion = criterion::value(&job.config.criterion, &names, &losses[own], &halves[own].first);
            if halves[own].criterion.zip(criterion).is_none_or(|(old, new)| new < old) {
                let Half { rows, judge, .. } = &mut halves[other];
                let (losses, scores) = job.scores(judge.as_mut(), rows)?;
                let metric = |at: usize| scores.get(names[at])?.get(self.primary[at]).copied();
                let fair = (0..names.len()).map(|at| Worth { loss: losses[at], metric: metric(at) });
                (halves[own].fair, halves[own].criterion) = (fair.collect(), criterion);
            }
        }
        Ok(())
    }
}

impl Half {
    /// Every other row from this one on: neighbours in a file are alike, and both halves get their share.
    fn new(job: &Job<'_>, parameters: &Parameters, from: usize) -> Result<Self, TrainError> {
        let rows: Vec<u32> = job.valid.iter().skip(from).step_by(2).copied().collect();
        let mut judge = job.device.predicting(job.graph, rows.len(), parameters)?;
        let first = job.losses(judge.as_mut(), &rows)?;
        Ok(Half { rows, judge, first, criterion: None, fair: Vec::new() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_model::config::Config;
    use polytask_train::Group;
    use polytask_train::train::Budget;
    use polytask_train::{Prepared, prepare};

    /// Halves, and beside them every state that they saw, measured on every other row.
    struct Beside<'a> {
        halves: Halves<'a>,
        /// By state and half: the tasks' losses.
        seen: Vec<[Vec<Option<f64>>; 2]>,
    }

    impl Callback for Beside<'_> {
        fn model(&mut self, job: &Job<'_>, parameters: &Parameters) -> Result<(), TrainError> {
            let mut judge = job.device.predicting(job.graph, job.valid.len(), parameters)?;
            let rows = [0, 1].map(|from| job.valid.iter().skip(from).step_by(2).copied().collect::<Vec<u32>>());
            let [a, b] = rows.map(|rows| job.losses(judge.as_mut(), &rows).unwrap());
            self.seen.push([a, b]);
            self.halves.model(job, parameters)
        }
    }

    /// Forty rows of noise, which a wide trunk learns by heart; `b` has labels on few of them.
    fn noise() -> (Config, Prepared) {
        let folder = tempfile::tempdir().unwrap();
        let noise = |i: u32| f64::from(crc32fast::hash(&i.to_le_bytes())) / f64::from(u32::MAX);
        let row = |i: u32| {
            let b = if i.is_multiple_of(2) { noise(4 * i + 3).to_string() } else { String::new() };
            format!("{},{},{},{b}\n", noise(4 * i), noise(4 * i + 1), noise(4 * i + 2))
        };
        let data: String = std::iter::once("x,y,a,b\n".to_owned()).chain((0..40).map(row)).collect();
        std::fs::write(folder.path().join("data.csv"), data).unwrap();
        let text = "[data]\npath = \"data.csv\"\nsplit = { valid = 0.4, test = 0.2, seed = 1 }\n[tasks]\na = {}\nb = {}\n\
                    [train]\nepochs = 12\nbatch = 4\nlearning_rate = 0.03";
        let config = Config::from_toml(text, folder.path().join("config.toml").to_str().unwrap()).unwrap();
        let prepared = prepare(&config).unwrap();
        (config, prepared)
    }

    #[test]
    fn each_half_judges_the_state_that_the_other_chose() {
        let (config, prepared) = noise();
        let never = AtomicBool::new(false);
        let mut watch = Beside { halves: Halves::new(&never, vec!["r2", "r2"]), seen: Vec::new() };
        let budget = Budget { patience: 0, ..Budget::of(&config.train, prepared.split.train.len()) };
        let group = Group::of(vec![0, 1]);
        group.train(&config, &prepared, budget, &mut watch, &|_| Ok(None)).unwrap();
        let seen = watch.seen;
        assert_eq!(seen.len(), 13, "before the first step and after each of 12 epochs");
        // The mean over tasks of the loss by its first value, after each epoch.
        let chosen = [0, 1].map(|half: usize| {
            let part = |state: usize, task: usize| Some(seen[state][half][task]? / seen[0][half][task]?);
            let mean = |state: usize| {
                let parts: Vec<f64> = (0..2).filter_map(|task| part(state, task)).collect();
                parts.iter().sum::<f64>() / parts.len() as f64
            };
            (1..seen.len()).min_by(|a, b| mean(*a).total_cmp(&mean(*b))).unwrap()
        });
        assert_ne!(chosen[0], chosen[1], "else the test says nothing");
        let worth = watch.halves.worth().unwrap();
        for (task, worth) in worth.iter().enumerate() {
            let fair = (seen[chosen[0]][1][task].unwrap() + seen[chosen[1]][0][task].unwrap()) / 2.0;
            assert!((worth.loss.unwrap() - fair).abs() < 1e-12, "{task}: {worth:?}, {fair}");
            assert!(worth.metric.unwrap().is_finite());
        }
    }

    #[test]
    fn where_nothing_was_watched_there_is_no_worth() {
        assert_eq!(Halves::new(&AtomicBool::new(false), Vec::new()).worth(), None);
    }
}
