//! `polytask train --groups`: a model for each group of a selection, written as one.

use super::{Train, warn_of_useless};
use crate::command::{evaluate, print};
use crate::failure::Failure;
use crate::text;
use crate::watching::Watching;
use polytask::config::{Config, Role};
use polytask::files::{self, Replacement};
use polytask::model::{CHECKPOINT, CONFIG, FITS, HISTORY, METRICS, Model, OWN, Scores};
use polytask::select::{Member, SELECTION, load_groups};
use polytask::tasks::Task;
use polytask::train::{Budget, Checkpoint, Round, StopReason, TrainError};
use polytask::{Fits, Prepared, lines};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A line of `history.jsonl`.
#[derive(serde::Serialize)]
struct Line<'a> {
    group: usize,
    #[serde(flatten)]
    round: &'a Round,
}

impl Train {
    /// Trains one group after the other, each into a model directory of its own below the set's.
    pub(super) fn train_groups(
        &self,
        config: &Config,
        prepared: &Prepared,
        selection: &Path,
        stop: Arc<AtomicBool>,
    ) -> Result<(), Failure> {
        let counts = |name: &str| config.tasks.get(name).is_none_or(|task| task.role == Role::Primary);
        let tasks: Vec<(&str, bool)> =
            prepared.tasks.iter().map(|task| (task.name.as_str(), counts(&task.name))).collect();
        let groups = load_groups(selection, &tasks)?;
        let _lock = self.lock()?;
        let budget = Budget::of(&config.train, prepared.split.train.len());
        let (mut models, mut history) = (Vec::new(), Vec::new());
        for (i, group) in groups.iter().enumerate() {
            let folder = self.out.join("groups").join(i.to_string());
            let named = names(prepared, group.served);
            say!("group {} of {}: {}", i + 1, groups.len(), named.join(", "));
            let checkpoint = folder.join(CHECKPOINT);
            let resume = |job: &polytask::train::Job<'_>| match self.resume && checkpoint.exists() {
                true => Ok(Some(Checkpoint::load(&checkpoint, job).map_err(TrainError::from)?)),
                false => Ok(None),
            };
            let tasks: Vec<Task> = group.tasks().into_iter().map(|t| prepared.tasks[t].clone()).collect();
            let stop = Arc::clone(&stop);
            let mut watch = Watching::begin(&self.tracking, config, &tasks, budget.steps, stop, checkpoint.clone())?;
            let finished = folder.join(FITS);
            let fits = match self.resume && finished.exists() {
                true => Fits::resume(&finished).map_err(TrainError::from)?,
                false => Fits::begin(&finished),
            };
            let fits = Arc::new(fits);
            watch.keep_fits(Some(Arc::clone(&fits)));
            let trained = group.group().train(config, prepared, budget, &mut watch, &resume);
            watch.clear();
            // What the groups score is known when all are there.
            watch.finish(trained.is_ok().then(Scores::default).as_ref());
            let trained = trained?;
            if trained.fitted.stop_reason == StopReason::Stopped {
                say!("stopped; go on with --resume --out {}", self.out.display());
                return Ok(());
            }
            let mut new = Replacement::begin(&folder)?;
            new.write(HISTORY, &lines(&trained.fitted.history)?)?;
            new.write(CONFIG, trained.config.anchored().to_toml()?.as_bytes())?;
            trained.model.write(&mut new)?;
            new.commit(OWN)?;
            fits.remove();
            for round in &trained.fitted.history {
                serde_json::to_writer(&mut history, &Line { group: i, round }).map_err(std::io::Error::from)?;
                history.push(b'\n');
            }
            models.push((trained.model, named));
        }
        let order: Vec<String> = tasks.iter().map(|task| task.0.to_owned()).collect();
        let model = Model::beside(&models, &order)?;
        let rows = prepared.measured();
        let labels: Vec<usize> = model.tasks.iter().filter_map(|t| tasks.iter().position(|o| o.0 == t.name)).collect();
        let scores = model.score(&prepared.data, &labels, rows.1)?;
        let mut new = Replacement::begin(&self.out)?;
        let metrics = serde_json::to_string_pretty(&scores).map_err(std::io::Error::from)?;
        new.write(METRICS, format!("{metrics}\n").as_bytes())?;
        new.write(HISTORY, &history)?;
        new.write(CONFIG, config.to_toml()?.as_bytes())?;
        new.write(SELECTION, files::read_text(selection)?.as_bytes())?;
        model.write(&mut new)?;
        new.commit(OWN)?;
        print(&format!(
            "{}\nScores on the {} {} rows.\n",
            evaluate::table(&scores),
            text::count(rows.1.len()),
            rows.0
        ))?;
        warn_of_useless(&model.tasks, &scores);
        let out = self.out.display();
        say!(
            "wrote {out}, one model of {}; next: `polytask predict {out} --data FILE`",
            text::counted(groups.len(), "group")
        );
        Ok(())
    }
}

fn names(prepared: &Prepared, set: polytask::select::Set) -> Vec<String> {
    Member::of(set).tasks().into_iter().map(|task| prepared.tasks[task].name.clone()).collect()
}
