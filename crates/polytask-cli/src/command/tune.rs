//! `polytask tune`

use super::{Format, evaluate, on_threads, print, print_json};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{stop, text};
use clap::ValueEnum;
use polytask::config::Template;
use polytask::tune::{Audience, Method, Options, Trial, Tuned, tune};
use std::path::PathBuf;
use std::sync::Mutex;

/// Try settings within the ranges of the config's [tune] and write the best config
///
/// The config names the keys and what they may be, for example `[tune]` and below it
/// `train.learning_rate = { low = 1e-4, high = 1e-2, log = true }` and `model.sharing = ["hard", "mmoe"]`. Trials are
/// compared on the validation rows, by the mean of the tasks' skills or as train.criterion has it; the best alone is
/// measured on the test rows, once.
#[derive(clap::Args)]
pub struct Tune {
    /// The config, a TOML file with a section [tune]
    config: PathBuf,
    /// How many settings to try, besides those of the config as it stands
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    trials: u32,
    /// How settings are chosen
    #[arg(long, value_enum, default_value = "tpe")]
    sampler: Sampler,
    /// What settings are drawn by
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// tpe: settings that are chosen at a time, and trained side by side
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=1024))]
    round: u16,
    /// The folder to write trials.jsonl and best.toml to
    #[arg(long, default_value = "tune")]
    out: PathBuf,
    /// Go on with the trials that are in the folder; --trials may have grown
    #[arg(long)]
    resume: bool,
    /// Override a key of the config, for example train.epochs=50; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Threads to use; the result does not depend on it [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// How settings are chosen.
#[derive(Clone, Copy, ValueEnum)]
enum Sampler {
    /// All alike
    Random,
    /// Near those that did well (tree-structured Parzen estimator)
    Tpe,
    /// All alike, the worse two thirds given up early, again and again (successive halving)
    Halving,
}

impl Tune {
    pub fn run(self) -> Result<(), Failure> {
        let template = Template::load(&self.config, &self.set).map_err(polytask::Error::from)?;
        let options = Options {
            method: match self.sampler {
                Sampler::Random => Method::Random,
                Sampler::Tpe => Method::Tpe,
                Sampler::Halving => Method::Halving,
            },
            trials: self.trials as usize,
            seed: self.seed,
            round: usize::from(self.round),
            out: self.out.clone(),
            resume: self.resume,
            table: None,
        };
        let stop = stop::on_signal();
        let show = Show { progress: Mutex::new(Progress::new(0)), trials: options.trials };
        let tuned = on_threads(self.threads, || tune(template, &options, &show, &stop));
        show.finish();
        let Some(tuned) = tuned?? else {
            say!("stopped; --resume goes on with the trials of {}", self.out.display());
            return Ok(());
        };
        let config = tuned.config.display();
        if tuned.unwritten.is_none() {
            say!("wrote {config}; next: `polytask train {config} --out model`");
        }
        match self.format {
            Format::Json => print_json(&tuned)?,
            Format::Text => print(&words(&tuned))?,
        }
        match tuned.unwritten {
            Some((error, text)) => {
                say!("the config that was to be written:\n{text}");
                Err(Failure::Unwritten(error))
            }
            None => Ok(()),
        }
    }
}

/// Shows how the search goes.
struct Show {
    progress: Mutex<Progress>,
    trials: usize,
}

impl Show {
    fn with(&self, what: impl FnOnce(&mut Progress)) {
        what(&mut self.progress.lock().unwrap_or_else(std::sync::PoisonError::into_inner));
    }

    fn finish(&self) {
        self.with(|progress| progress.finish());
    }
}

impl Audience for Show {
    fn note(&self, text: &str) {
        self.with(|progress| progress.say(&format!("note: {text}")));
    }

    fn begin(&self) {
        let trials = text::counted(self.trials, "trial");
        self.with(|progress| progress.say(&format!("training {trials}, and the config as it stands")));
    }

    fn round(&self, trials: usize) {
        self.with(|progress| progress.more(trials as u64));
    }

    fn done(&self, trial: &Trial, best: &Trial) {
        self.with(|progress| {
            progress.tick();
            if let Some(error) = &trial.error {
                progress.say(&format!("note: trial {} cannot be trained: {error}", trial.trial));
            }
            let best = best.score.map(|score| format!("best so far trial {}, score {score:.4}", best.trial));
            best.iter().for_each(|best| progress.stands(best));
        });
    }
}

/// Tasks that have a column of their own; more would hide the rest.
const COLUMNS: usize = 6;

/// The answer for people: a line a trial, then the best on the test rows.
fn words(tuned: &Tuned) -> String {
    let Tuned { best, base, trials, test, .. } = tuned;
    let tasks: Vec<&String> = if best.tasks.len() > COLUMNS { Vec::new() } else { best.tasks.keys().collect() };
    let keys: Vec<&String> = trials.first().map(|trial| trial.values.keys().collect()).unwrap_or_default();
    let parts = trials.iter().any(|trial| trial.steps < base.steps);
    let heads = tasks.iter().map(|task| format!("{task} {}", best.tasks[*task].metric));
    let mut header: Vec<String> = vec!["trial".into(), "score".into()];
    header.extend(parts.then(|| "steps".to_owned()));
    header.extend(heads.chain(keys.iter().map(|key| (*key).clone())));
    let line = |trial: &Trial| {
        let name = if trial.trial == 0 { "as it stands".to_owned() } else { trial.trial.to_string() };
        let mut cells = vec![name, trial.score.map_or("-".to_owned(), text::number)];
        cells.extend(parts.then(|| text::count(trial.steps as usize)));
        cells.extend(
            tasks.iter().map(|t| trial.tasks.get(*t).map_or("-".to_owned(), |skill| text::number(skill.value))),
        );
        let value = |key: &&String| {
            trial
                .values
                .get(*key)
                .map_or("-".to_owned(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned))
        };
        cells.extend(keys.iter().map(value));
        cells
    };
    let lines: Vec<Vec<String>> = trials.iter().chain([base]).map(line).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut out = text::table(&header, &lines);
    out.push_str(
        "\nScore: the mean of the tasks' skills on the validation rows, as train.criterion weighs them; 1 is a perfect\n\
         prediction, 0 is as good as a constant.\n",
    );
    let which = match best.trial {
        0 => "The config as it stands is the best".to_owned(),
        trial => format!("Trial {trial} is the best"),
    };
    match test {
        Some(scores) => out.push_str(&format!("\n{which}. On the test rows:\n\n{}", evaluate::table(scores))),
        None => out.push_str(&format!("\n{which}. There are no test rows to measure it on.\n")),
    }
    out
}
