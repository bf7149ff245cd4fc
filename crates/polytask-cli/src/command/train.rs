//! `polytask train`

mod groups;

use super::{ConfigArguments, evaluate, on_threads, print};
use crate::failure::Failure;
use crate::ranks::{self, Ranks};
use crate::track::Mlflow;
use crate::watching::{Tracking, Watching};
use crate::{stop, text};
use polytask::config::{Config, Family, Time};
use polytask::files::Lock;
use polytask::linear::{Solved, ignored};
use polytask::model::{Body, CHECKPOINT, FITS, GateUse, Model, Scores, gate_warnings};
use polytask::search;
use polytask::share::Sharing;
use polytask::tasks::Task;
use polytask::train::{Callback, Checkpoint, Fitted, StopReason, TrainError};
use polytask::{Device, Experiment, FitError, Fits, Plan, Prepared, Run};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Train a joint model and write its directory
#[derive(clap::Args)]
pub struct Train {
    #[command(flatten)]
    config: ConfigArguments,
    /// The model directory to write; one with an older model is replaced
    #[arg(long, default_value = "model")]
    out: PathBuf,
    /// Go on from the checkpoint in the model directory
    #[arg(long)]
    resume: bool,
    /// How long an ensemble may take, such as 90s or 2m; the best so far is kept then
    #[arg(long, value_name = "TIME")]
    time: Option<Time>,
    /// Train a model for each group of this selection.json (see `polytask select`) and write them as one
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    #[command(flatten)]
    tracking: Tracking,
}

impl Train {
    pub fn run(self) -> Result<(), Failure> {
        let mut config = self.config.load()?;
        config.model.time = self.time.or(config.model.time);
        self.tracking.mlflow.as_deref().map_or(Ok(()), Mlflow::check)?;
        let stop = stop::on_signal();
        let ranks = Ranks::join()?;
        let (rank, device) = (ranks.rank, ranks.device());
        let threads = self.config.threads.or_else(ranks::threads);
        let done = on_threads(threads, || self.train(&config, stop, rank, device)).flatten();
        ranks.finish(done)
    }

    fn train(&self, config: &Config, stop: Arc<AtomicBool>, rank: usize, device: Device) -> Result<(), Failure> {
        let experiment = Experiment::new(config.clone()).device(device);
        let prepared = experiment.prepare()?;
        prepared.notes.iter().for_each(|note| crate::text::note(note));
        if let Some(groups) = &self.groups {
            return self.train_groups(config, &prepared, groups, stop);
        }
        let plan = plan(&experiment, &prepared, &stop)?;
        if rank > 0 {
            return self.help(prepared, plan, &stop);
        }
        ranks::agree(&prepared, &plan)?;
        let lock = self.lock()?;
        let checkpoint = self.out.join(CHECKPOINT);
        let folder = self.out.join(FITS);
        let ensemble = plan.config().model.family == Family::Ensemble && plan.network().is_none();
        let begins = lock.interrupted && !(if ensemble { &folder } else { &checkpoint }).exists();
        if self.resume && begins {
            crate::text::note(
                "the run was killed before its first checkpoint was written; it starts from the beginning",
            );
        }
        if self.resume && plan.network().is_none() && !ensemble {
            crate::text::note("trees have no checkpoint; they are fitted from the beginning");
        }
        let fits = match (ensemble, self.resume && !begins) {
            (false, _) => None,
            (true, true) => Some(Arc::new(Fits::resume(&folder).map_err(TrainError::from)?)),
            (true, false) => Some(Arc::new(Fits::begin(&folder))),
        };
        let resume = match plan.job(&prepared).filter(|_| self.resume && !begins) {
            Some(job) => Some(Checkpoint::load(&checkpoint, &job).map_err(TrainError::from)?),
            None => None,
        };
        let config = plan.config();
        announce(&plan, &prepared);
        ranks::said(&prepared, &plan).iter().for_each(|note| crate::text::note(note));
        note(&plan, &prepared)?.iter().for_each(|note| crate::text::note(note));
        let length = plan.length(&prepared);
        let mut watching = Watching::begin(&self.tracking, config, &prepared.tasks, length, stop, checkpoint)?;
        watching.keep_fits(fits.clone());
        let run = Experiment::train(prepared, plan, resume, &mut watching);
        watching.clear();
        watching.finish(run.as_ref().ok().filter(|run| !run.diverged()).map(Run::scores));
        let run = run?;
        run.save(&self.out)?;
        if let (Some(fits), StopReason::Complete) = (fits, &run.fitted().stop_reason) {
            fits.remove();
        }
        self.say(&run)
    }

    /// What a process does that trains with the first one: its share of every batch. It writes nothing.
    fn help(&self, prepared: Prepared, plan: Plan, stop: &AtomicBool) -> Result<(), Failure> {
        ranks::agree(&prepared, &plan)?;
        let Some(job) = plan.job(&prepared) else { return Ok(()) };
        let checkpoint = self.out.join(CHECKPOINT);
        let resume = match self.resume && checkpoint.exists() {
            true => Some(Checkpoint::load(&checkpoint, &job).map_err(TrainError::from)?),
            false => None,
        };
        Experiment::train(prepared, plan, resume, &mut Stopping(stop))?;
        Ok(())
    }

    /// Keeps the directory for this run, if it may have it.
    fn lock(&self) -> Result<Lock, Failure> {
        Model::check_room(&self.out)?;
        Ok(Lock::take(&self.out)?)
    }

    /// Says how training went and what the model scores.
    fn say(&self, run: &Run) -> Result<(), Failure> {
        let fitted = run.fitted();
        say!("{}", ending(fitted));
        if let StopReason::Diverged(by) = &fitted.stop_reason {
            let epoch = fitted.best_epoch.unwrap_or(0);
            let kept = format!("; {} holds the best model before that, of epoch {epoch}", self.out.display());
            return Err(FitError::Diverged { by: by.clone(), kept }.into());
        }
        if let Body::Ensemble(ensemble) = &run.model().body {
            say!("\n{}", ensemble.text(&run.prepared().names()));
        }
        let (name, rows) = run.prepared().measured();
        let table = evaluate::table(run.scores());
        print(&format!("{table}\nScores on the {} {name} rows.\n", text::count(rows.len())))?;
        let gates = run.gates();
        if !gates.is_empty() {
            print(&format!("\nWhat the gates weigh each expert by, on average:\n\n{}", gate_tables(gates)))?;
        }
        gate_warnings(gates).iter().for_each(|warning| say!("warning: {warning}"));
        run.notes().iter().for_each(|note| crate::text::note(note));
        warn_of_useless(&run.model().tasks, run.scores());
        warn_of_silent(&run.model().tasks, run.scores());
        say!("{}", next_steps(&self.out, &self.config.config));
        Ok(())
    }
}

/// What is to be said of settings that do less than they seem to.
fn note(plan: &Plan, prepared: &Prepared) -> Result<Option<String>, Failure> {
    let Some(job) = plan.job(prepared) else { return Ok(None) };
    let config = plan.config();
    let method = polytask_balance::method(&config.loss.balance.method).map_err(TrainError::from)?;
    Ok(match job.linear {
        None => polytask_balance::note(method, prepared.tasks.len()),
        Some(_) => idle(&ignored(config)),
    })
}

/// Makes the model ready to be fitted, and says so where its network is searched for.
fn plan(experiment: &Experiment, prepared: &Prepared, stop: &Arc<AtomicBool>) -> Result<Plan, Failure> {
    let searching = search::is_asked(experiment.config());
    if searching {
        say!("searching for branches");
    }
    let plan = experiment.plan(prepared, &mut Stopping(stop))?.ok_or(FitError::Stopped)?;
    if let (true, Sharing::Tree(tree)) = (searching, &plan.config().model.sharing) {
        say!("found {}; training it from scratch", search::in_words(tree));
    }
    Ok(plan)
}

/// Ends a search when someone has asked for it.
struct Stopping<'a>(&'a AtomicBool);

impl Callback for Stopping<'_> {
    fn stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A line a gate, a column an expert, and a table for gates that weigh the same ones.
fn gate_tables(gates: &[GateUse]) -> String {
    let alike = gates.chunk_by(|a, b| a.weights.keys().eq(b.weights.keys()));
    let tables = alike.map(|gates| {
        let header: Vec<&str> = std::iter::once("gate").chain(gates[0].weights.keys().map(String::as_str)).collect();
        let line = |gate: &GateUse| {
            let weights = gate.weights.values().map(|weight| format!("{weight:.3}"));
            std::iter::once(gate.gate.clone()).chain(weights).collect()
        };
        text::table(&header, &gates.iter().map(line).collect::<Vec<_>>())
    });
    tables.collect::<Vec<_>>().join("\n")
}

/// What to say of keys that do nothing.
fn idle(keys: &[String]) -> Option<String> {
    (!keys.is_empty()).then(|| format!("a linear model makes no use of {}", keys.join(", ")))
}

/// Inputs that are named when they were not chosen; more would hide the rest of what is said.
const LISTED: usize = 20;

fn announce(plan: &Plan, prepared: &Prepared) {
    let config = plan.config();
    let split = &prepared.split;
    let tasks: Vec<String> = prepared
        .tasks
        .iter()
        .zip(&prepared.data.labels)
        .map(|(task, labels)| {
            let missing = split.train.len() - labels.count(&split.train);
            let missing =
                if missing > 0 { format!(", {} labels missing", text::count(missing)) } else { String::new() };
            format!("{} ({}{missing})", task.name, task.kind_name())
        })
        .collect();
    let inputs = &prepared.encoder.inputs;
    if config.inputs.is_empty() {
        // Nobody has written them down: a column that gives a label away should not slip in unseen.
        let names: Vec<&str> = inputs.iter().map(|input| input.column.as_str()).collect();
        let more = names.len().saturating_sub(LISTED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        say!("inputs, as every column that nothing else reads: {}{more}", names[..names.len().min(LISTED)].join(", "));
    }
    say!("{} -> {}", text::counted(inputs.len(), "input"), tasks.join(", "));
    say!(
        "{} rows to train on, {} to choose the best model, {} to measure it; {}",
        text::count(split.train.len()),
        text::count(split.valid.len()),
        text::count(split.test.len()),
        match (plan.network(), config.model.sharing.linear()) {
            (Some(build), linear) => {
                let parameters = text::count(build.graph.parameter_count());
                match linear {
                    Some(linear) => format!("{parameters} parameters, linear, penalty {}", linear.penalty.word()),
                    None => format!("{parameters} parameters, balance {}", config.loss.balance.method),
                }
            }
            (None, _) => match plan.candidates(prepared).len() {
                0 => "trees".to_owned(),
                candidates => format!("an ensemble of up to {candidates} models, chosen and weighed for each task"),
            },
        }
    );
}

fn ending(fitted: &Fitted) -> String {
    if let Some(solved) = &fitted.solved {
        return solution(fitted, solved);
    }
    let why = match &fitted.stop_reason {
        StopReason::Complete => "done",
        StopReason::EarlyStopping => "no improvement any more",
        StopReason::Stopped => "stopped",
        StopReason::TimeOver => "its time was over",
        StopReason::Diverged(_) => "broken off",
    };
    if let Body::Ensemble(ensemble) = &fitted.body {
        let tried = text::counted(fitted.history.len(), "candidate");
        let more = match fitted.stop_reason {
            StopReason::Stopped => "; --resume goes on",
            StopReason::TimeOver => "; --resume with a longer --time goes on",
            StopReason::Complete | StopReason::EarlyStopping | StopReason::Diverged(_) => "",
        };
        return format!(
            "{why} after {tried}, {}; it keeps {} of them{more}",
            text::seconds(fitted.seconds),
            ensemble.members.len()
        );
    }
    let best = fitted.best_epoch.map_or("the last step".to_owned(), |epoch| format!("epoch {epoch}"));
    let (epochs, steps) = (text::counted(fitted.history.len(), "epoch"), text::counted(fitted.steps as usize, "step"));
    let waits: Vec<f64> = fitted.history.iter().filter_map(|round| round.waiting).collect();
    let waited = match waits.is_empty() {
        true => String::new(),
        false => format!(" ({:.1} % of it waiting for images)", 100.0 * waits.iter().sum::<f64>() / waits.len() as f64),
    };
    format!("{why} after {epochs}, {steps}, {}{waited}; kept the model of {best}", text::seconds(fitted.seconds))
}

/// Says of which tasks the positive class is never said, though some rows have it.
fn warn_of_silent(tasks: &[Task], scores: &Scores) {
    let silent = |task: &&Task| {
        let metrics = scores.tasks.get(&task.name).map(|score| &score.metrics);
        metrics.is_some_and(|own| own.value("recall") == Some(0.0) && own.value("precision").is_none())
    };
    for task in tasks.iter().filter(silent) {
        let name = &task.name;
        say!(
            "note: `{name}`'s positive class is said of no row, since its probability is nowhere 0.5 or more; \
             [tasks.{name}] threshold = \"f1\" finds a better threshold on held-out rows"
        );
    }
}

/// Says which tasks a constant would have predicted as well, by the metric that `compare` goes by.
fn warn_of_useless(tasks: &[Task], scores: &Scores) {
    for (task, score) in tasks.iter().zip(scores.tasks.values()) {
        let (metric, better) = task.outcome().primary();
        let Some((model, constant)) = score.metrics.value(metric).zip(score.baseline.value(metric)) else { continue };
        if !better.improves(model, constant) {
            let (name, model, constant) = (&task.name, text::number(model), text::number(constant));
            let jointly = match tasks.len() {
                1 => "the inputs may not tell it",
                _ => "the inputs may not tell it, or learning jointly hurt it; `polytask compare` tells which",
            };
            say!(
                "warning: `{name}` is predicted no better than by a constant ({metric} {model}, the constant's {constant}): \
                 {jointly}"
            );
        }
    }
}

/// What became of a linear model.
fn solution(fitted: &Fitted, solved: &Solved) -> String {
    let why = if fitted.stop_reason == StopReason::Stopped { "stopped" } else { "done" };
    let ratio = solved.ratio.map_or(String::new(), |ratio| format!(", ratio {}", text::number(ratio)));
    let far = if solved.converged {
        ""
    } else {
        "\nwarning: the solver ran out of iterations; raise model.sharing.iterations"
    };
    format!(
        "{why} after {} strengths, {} iterations, {}; {} of strength {}{ratio}, by {}, uses {} of {} features{far}",
        solved.tried,
        text::count(fitted.steps as usize),
        text::seconds(fitted.seconds),
        solved.penalty,
        text::number(solved.strength),
        solved.chosen_by,
        text::count(solved.used),
        text::count(solved.features)
    )
}

fn next_steps(out: &Path, config: &Path) -> String {
    let (out, config) = (out.display(), config.display());
    format!(
        "wrote {out}; next: `polytask predict {out} --data FILE`, or `polytask compare {config}` to see whether sharing helped"
    )
}
