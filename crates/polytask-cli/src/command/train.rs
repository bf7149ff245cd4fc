//! `polytask train`

mod groups;

use super::{ConfigArguments, evaluate, on_threads, print};
use crate::failure::Failure;
use crate::track::Mlflow;
use crate::watching::Watching;
use crate::{stop, text};
use indexmap::IndexMap;
use polytask::config::Config;
use polytask::files;
use polytask::linear::{Solved, ignored};
use polytask::model::{
    self, CHECKPOINT, CONFIG, GateUse, HISTORY, METRICS, Model, RUN, RunInfo, Scores, gate_warnings, peak_memory,
};
use polytask::search;
use polytask::share::{self, Design, Linear, Sharing};
use polytask::task::Task;
use polytask::train::{Checkpoint, Ending, Fitted, Round, TrainError, Watch, fit};
use polytask::{Error, Prepared};
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
    /// Train a model for each group of this selection.json (see `polytask select`) and write them as one
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    #[command(flatten)]
    tracking: Tracking,
}

/// Who is told how training goes.
#[derive(clap::Args)]
pub struct Tracking {
    /// Show curves in the whole terminal while training
    #[arg(long)]
    pub tui: bool,
    /// Write event files for TensorBoard to this folder
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,
    /// Log to the MLflow server at this address (http://...); the experiment is $MLFLOW_EXPERIMENT_NAME, or polytask
    #[arg(long, value_name = "URI")]
    pub mlflow: Option<String>,
}

impl Train {
    pub fn run(self) -> Result<(), Failure> {
        let config = self.config.load()?;
        self.tracking.mlflow.as_deref().map_or(Ok(()), Mlflow::check)?;
        let stop = stop::on_ctrl_c();
        on_threads(self.config.threads, || self.train(&config, stop))?
    }

    fn train(&self, config: &Config, stop: Arc<AtomicBool>) -> Result<(), Failure> {
        let prepared = polytask::prepare(config)?;
        prepared.notes.iter().for_each(|note| eprintln!("note: {note}"));
        if let Some(groups) = &self.groups {
            return self.train_groups(config, &prepared, groups, stop);
        }
        let settled = search_first(config, &prepared, &stop)?;
        let config = settled.as_ref().unwrap_or(config);
        let graph = share::build(&Design::new(config, &prepared.encoder, &prepared.tasks)).map_err(Error::from)?;
        let init = config.model.init.as_ref().map(|path| config.resolve(path)).transpose()?;
        let start = model::start(&graph, &prepared.encoder, &prepared.tasks, config.train.seed, init.as_deref())?;
        Model::check_room(&self.out)?;
        let labels: Vec<usize> = (0..prepared.tasks.len()).collect();
        let job = prepared.job(&graph, &labels, config);
        let checkpoint = self.out.join(CHECKPOINT);
        let resume = self.resume.then(|| Checkpoint::load(&checkpoint, &job)).transpose();
        let resume = resume.map_err(TrainError::from)?;
        announce(config, &prepared, graph.parameter_count());
        let method = polytask_balance::method(&config.loss.balance.method).map_err(TrainError::from)?;
        let note = match job.linear {
            None => polytask_balance::note(method, prepared.tasks.len()),
            Some(_) => idle(&ignored(config)),
        };
        note.iter().for_each(|note| eprintln!("note: {note}"));
        let length = job.linear.map_or(job.budget.steps, Linear::tries);
        let mut watch = Watching::begin(&self.tracking, config, &prepared.tasks, length, stop, checkpoint)?;
        let fitted = fit(&job, &start, resume, &mut watch).map_err(Error::from);
        watch.clear();
        if !fitted.as_ref().is_ok_and(|fitted| !matches!(fitted.ending, Ending::Broken(_))) {
            watch.finish(None);
        }
        let fitted = fitted?;
        if let (Ending::Broken(by), None) = (&fitted.ending, fitted.best_epoch) {
            let kept = "; no epoch was complete, so no model was written".to_owned();
            return Err(Error::Broken { by: by.clone(), kept }.into());
        }
        let model = Model {
            graph,
            encoder: prepared.encoder.clone(),
            tasks: prepared.tasks.clone(),
            dialect: prepared.dialect.clone(),
            parameters: fitted.parameters.clone(),
        };
        let rows = measured(&prepared);
        let scores = model.score(&prepared.data, &labels, rows.1)?;
        watch.finish(Some(&scores));
        let chosen = [&prepared.split.valid, &prepared.split.train].into_iter().find(|rows| !rows.is_empty());
        let gates = chosen.map_or(Ok(Vec::new()), |rows| model.gates(&prepared.data, rows))?;
        model.save(&self.out)?;
        let metrics =
            serde_json::to_string_pretty(&Measured { scores: &scores, gates: &gates, linear: fitted.solved.as_ref() });
        files::write(&self.out.join(METRICS), format!("{}\n", metrics.map_err(std::io::Error::from)?).as_bytes())?;
        files::write(&self.out.join(HISTORY), &lines(&fitted.history)?)?;
        files::write(&self.out.join(CONFIG), config.to_toml()?.as_bytes())?;
        let info =
            serde_json::to_string_pretty(&info(&self.out, config, &prepared, &fitted)).map_err(std::io::Error::from)?;
        files::write(&self.out.join(RUN), format!("{info}\n").as_bytes())?;
        eprintln!("{}", ending(&fitted));
        if let Ending::Broken(by) = fitted.ending {
            let epoch = fitted.best_epoch.unwrap_or(0);
            let kept = format!("; {} holds the best model before that, of epoch {epoch}", self.out.display());
            return Err(Error::Broken { by, kept }.into());
        }
        print(&format!(
            "{}\nScores on the {} {} rows.\n",
            evaluate::table(&scores),
            text::count(rows.1.len()),
            rows.0
        ))?;
        if !gates.is_empty() {
            print(&format!("\nWhat the gates weigh each expert by, on average:\n\n{}", gate_tables(&gates)))?;
        }
        gate_warnings(&gates).iter().for_each(|warning| eprintln!("warning: {warning}"));
        warn_of_useless(&model.tasks, &scores);
        eprintln!("{}", next_steps(&self.out, &self.config.config));
        Ok(())
    }
}

/// Finds what the config leaves to be found; what comes of it is trained from scratch.
fn search_first(config: &Config, prepared: &Prepared, stop: &Arc<AtomicBool>) -> Result<Option<Config>, Failure> {
    if !matches!(config.model.sharing, Sharing::Branch(_)) {
        return Ok(None);
    }
    eprintln!("searching for branches");
    let all: Vec<usize> = (0..prepared.tasks.len()).collect();
    let settled = search::settle(config, prepared, &all, &mut Stopping(stop))?;
    match settled.as_ref().map(|config| &config.model.sharing) {
        Some(Sharing::Tree(tree)) => eprintln!("found {}; training it from scratch", search::in_words(tree)),
        _ => return Err(Error::Stopped.into()),
    }
    Ok(settled)
}

/// Ends a search when someone has asked for it.
struct Stopping<'a>(&'a AtomicBool);

impl Watch for Stopping<'_> {
    fn stop(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// What `metrics.json` holds.
#[derive(serde::Serialize)]
struct Measured<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    /// Over the validation rows, or the training rows where there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gates: &'a [GateUse],
    /// What the strength of a linear model's penalty came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    linear: Option<&'a Solved>,
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

/// The rows that the scores are measured on: those kept for it, or the best there are.
fn measured(prepared: &Prepared) -> (&'static str, &[u32]) {
    let split = &prepared.split;
    let parts =
        [("test", &split.test), ("validation (no test rows)", &split.valid), ("training (no others)", &split.train)];
    let first = parts.into_iter().find(|(_, rows)| !rows.is_empty());
    first.map_or(("training", &[]), |(name, rows)| (name, rows.as_slice()))
}

/// Inputs that are named when they were not chosen; more would hide the rest of what is said.
const LISTED: usize = 20;

fn announce(config: &Config, prepared: &Prepared, parameters: usize) {
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
        eprintln!(
            "inputs, as every column that nothing else reads: {}{more}",
            names[..names.len().min(LISTED)].join(", ")
        );
    }
    eprintln!("{} -> {}", text::counted(inputs.len(), "input"), tasks.join(", "));
    eprintln!(
        "{} rows to train on, {} to choose the best model, {} to measure it; {} parameters, {}",
        text::count(split.train.len()),
        text::count(split.valid.len()),
        text::count(split.test.len()),
        text::count(parameters),
        match config.model.sharing.linear() {
            Some(linear) => format!("linear, penalty {}", linear.penalty.word()),
            None => format!("balance {}", config.loss.balance.method),
        }
    );
}

/// How the run went.
fn info(out: &Path, config: &Config, prepared: &Prepared, fitted: &Fitted) -> RunInfo {
    let split = &prepared.split;
    let parts = [("train", &split.train), ("valid", &split.valid), ("test", &split.test)];
    let counts = |count: &dyn Fn(&[u32]) -> usize| {
        parts.iter().map(|(part, rows)| ((*part).to_owned(), count(rows))).collect::<IndexMap<String, usize>>()
    };
    let labels = prepared.tasks.iter().zip(&prepared.data.labels);
    RunInfo {
        polytask: env!("CARGO_PKG_VERSION").to_owned(),
        folder: files::way(out, &config.folder),
        ending: match &fitted.ending {
            Ending::Complete => "all steps were made".to_owned(),
            Ending::NoImprovement => "nothing got better any more".to_owned(),
            Ending::Stopped => "it was stopped".to_owned(),
            Ending::Broken(by) => by.to_string(),
        },
        best_epoch: fitted.best_epoch,
        steps: fitted.steps,
        seconds: fitted.seconds,
        threads: rayon::current_num_threads(),
        peak_memory: peak_memory(),
        rows: counts(&|rows| rows.len()),
        labels: labels.map(|(task, labels)| (task.name.clone(), counts(&|rows| labels.count(rows)))).collect(),
    }
}

fn ending(fitted: &Fitted) -> String {
    if let Some(solved) = &fitted.solved {
        return solution(fitted, solved);
    }
    let why = match &fitted.ending {
        Ending::Complete => "done",
        Ending::NoImprovement => "no improvement any more",
        Ending::Stopped => "stopped",
        Ending::Broken(_) => "broken off",
    };
    let best = fitted.best_epoch.map_or("the last step".to_owned(), |epoch| format!("epoch {epoch}"));
    let (epochs, steps) = (text::counted(fitted.history.len(), "epoch"), text::counted(fitted.steps as usize, "step"));
    let waits: Vec<f64> = fitted.history.iter().filter_map(|round| round.waiting).collect();
    let waited = match waits.is_empty() {
        true => String::new(),
        false => format!(" ({:.1} % of it waiting for images)", 100.0 * waits.iter().sum::<f64>() / waits.len() as f64),
    };
    format!("{why} after {epochs}, {steps}, {}{waited}; kept the model of {best}", text::seconds(fitted.seconds))
}

/// Says which tasks a constant would have predicted as well, by the metric that `compare` goes by.
fn warn_of_useless(tasks: &[Task], scores: &Scores) {
    for (task, score) in tasks.iter().zip(scores.tasks.values()) {
        let (metric, better) = task.outcome().primary();
        let Some((model, constant)) = score.metrics.value(metric).zip(score.baseline.value(metric)) else { continue };
        if !better.improves(model, constant) {
            let (name, model, constant) = (&task.name, text::number(model), text::number(constant));
            eprintln!(
                "warning: `{name}` is predicted no better than by a constant ({metric} {model}, the constant's {constant}): \
                 the inputs may not tell it, or learning jointly hurt it; `polytask compare` tells which"
            );
        }
    }
}

/// What became of a linear model.
fn solution(fitted: &Fitted, solved: &Solved) -> String {
    let why = if fitted.ending == Ending::Stopped { "stopped" } else { "done" };
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

fn lines(history: &[Round]) -> Result<Vec<u8>, std::io::Error> {
    let mut all = Vec::new();
    for round in history {
        serde_json::to_writer(&mut all, round)?;
        all.push(b'\n');
    }
    Ok(all)
}
