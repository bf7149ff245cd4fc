//! Settings found by trying: points of a [`Space`] are trained and compared on the validation rows. The test rows are
//! looked at once, with the best.
//!
//! A [`Sampler`] asks for trials in rounds, by what came of those before; the trials of a round are trained side by side.
//! What a trial is depends on the seed and its number, so the same search makes the same trials, and comes to the same,
//! on any number of threads and however often it was interrupted.

mod best;
mod error;
mod journal;
pub mod sampler;
mod skill;
mod space;
mod trial;

pub use error::TuneError;
pub use journal::{Header, Journal};
pub use skill::TaskSkill;
pub use space::{Coordinate, Point, Space};
pub use trial::Trial;

use crate::Error;
use indexmap::IndexMap;
use polytask_data::Table;
use polytask_model::config::{Config, Template, Values, dotted};
use polytask_model::files;
use polytask_model::model::Scores;
use polytask_train::train::Budget;
use polytask_train::{Prepared, Source, prepare};
use rayon::prelude::*;
use sampler::{Ask, Halving, RandomSearch, Sampler, Supply, Told, Tpe};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// How points are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// All alike.
    Random,
    /// Near the better ones.
    Tpe,
    /// All alike, and most of them given up early.
    Halving,
}

impl Method {
    fn word(self) -> &'static str {
        match self {
            Method::Random => "random",
            Method::Tpe => "tpe",
            Method::Halving => "halving",
        }
    }
}

/// How to search.
#[derive(Clone, Debug)]
pub struct Options {
    /// How points are chosen.
    pub method: Method,
    /// Points in all, 1 or more.
    pub trials: usize,
    /// What they are drawn by.
    pub seed: u64,
    /// Points that TPE chooses at a time, 1 or more.
    pub round: usize,
    /// Where trials and the best config are written; made where it is not there.
    pub out: PathBuf,
    /// Whether to go on with what is there.
    pub resume: bool,
    /// The rows, where they are in memory and not in the file that the config names.
    pub table: Option<Table>,
}

impl Options {
    /// The data as a config reads and fits them.
    fn prepare(&self, config: &Config) -> Result<Prepared, Error> {
        Ok(match &self.table {
            Some(table) => Source::of_table(config, table.clone())?.prepare(config)?,
            None => prepare(config)?,
        })
    }
}

/// Who is told how the search goes.
pub trait Audience: Sync {
    /// Something worth saying.
    fn note(&self, text: &str);

    /// The data are read, and the search begins.
    fn begin(&self);

    /// So many trials, or parts of them, are about to be trained.
    fn round(&self, trials: usize);

    /// One of them is done, and this one is the best so far.
    fn done(&self, trial: &Trial, best: &Trial);
}

/// The answer.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Tuned {
    /// The best trial.
    pub best: Trial,
    /// The config as it stands, trained likewise.
    pub base: Trial,
    /// Every trial, as far as it was trained, the best first: those that were trained longer come first.
    pub trials: Vec<Trial>,
    /// Of the best on the test rows; none without test rows.
    pub test: Option<Scores>,
    /// Where its config stands.
    pub config: PathBuf,
    /// Why the config could not be written, where it could not, and what it is.
    #[serde(skip)]
    pub unwritten: Option<(String, String)>,
}

/// The file of trials in [`Options::out`].
pub const TRIALS: &str = "trials.jsonl";
/// The file of the best config there.
pub const BEST: &str = "best.toml";
/// The folder of trials that have been trained in part.
const CHECKPOINTS: &str = "checkpoints";

/// Searches; none where `stop` was set.
///
/// # Errors
/// Whatever is wrong with the config, its `[tune]` and the data; what is in `out` already; no trial that can be trained.
pub fn tune(
    template: Template,
    options: &Options,
    audience: &dyn Audience,
    stop: &AtomicBool,
) -> Result<Option<Tuned>, Error> {
    let space = Space::new(template)?;
    let base = space.base()?;
    let prepared = options.prepare(&base)?;
    prepared.notes.iter().for_each(|note| audience.note(note));
    if prepared.split.valid.is_empty() {
        return Err(TuneError::NoValid.into());
    }
    files::check_folder(&options.out)?;
    let _lock = files::Lock::take(&options.out)?;
    let mut notes = Vec::new();
    let header = header(&space, &base, &prepared, options)?;
    let journal = Journal::open(&options.out.join(TRIALS), &header, options.resume, &mut notes)?;
    notes.iter().for_each(|note| audience.note(note));
    audience.begin();
    let best = Mutex::new(None);
    let search = Search {
        space: &space,
        base: &base,
        prepared: &prepared,
        journal: &journal,
        options,
        audience,
        stop,
        best,
        lost: AtomicBool::new(false),
    };
    let Some((base_trial, trials)) = search.run()? else { return Ok(None) };
    let finished = trials.iter().chain([&base_trial]).filter(|trial| trial.steps == search.full());
    let Some(best) = finished.filter(|trial| trial.score.is_some()).reduce(better) else {
        let first = trials.into_iter().chain([base_trial]).find_map(|trial| trial.error);
        return Err(TuneError::Nothing(first.unwrap_or_else(|| "no task has a metric there".to_owned())).into());
    };
    let (best, base) = (best.clone(), base_trial.clone());
    let config = search.config_of(&best)?;
    let path = options.out.join(BEST);
    let text = best::text(&space, &config, &best, &base, options)?;
    let unwritten = files::write(&path, text.as_bytes()).err().map(|error| (error.to_string(), text));
    let test = match prepared.split.test.is_empty() {
        true => None,
        false => {
            let own = search.own_data(&config)?;
            let prepared = own.as_ref().unwrap_or(&prepared);
            let Some(trained) = trial::train(&config, prepared, search.full(), None, stop)? else { return Ok(None) };
            let labels: Vec<usize> = (0..prepared.tasks.len()).collect();
            Some(trained.model.score(&prepared.data, &labels, &prepared.split.test)?)
        }
    };
    Ok(Some(Tuned { best, base, trials, test, config: path, unwritten }))
}

/// The one with the higher score; of equals the one with the lower number.
fn better<'a>(a: &'a Trial, b: &'a Trial) -> &'a Trial {
    let key = |trial: &Trial| (trial.score.unwrap_or(f64::NEG_INFINITY), std::cmp::Reverse(trial.trial));
    if key(b) > key(a) { b } else { a }
}

fn header(space: &Space, base: &Config, prepared: &Prepared, options: &Options) -> Result<Header, Error> {
    let range = |values: &Values| match values {
        Values::Choices(choices) => serde_json::json!(choices),
        Values::Integer { low, high, log } => serde_json::json!({ "low": low, "high": high, "log": log }),
        Values::Real { low, high, log } => serde_json::json!({ "low": low, "high": high, "log": log }),
    };
    let ranges = space.dimensions().iter().map(|dimension| (dotted(&dimension.key), range(&dimension.values)));
    let split = &prepared.split;
    Ok(Header {
        polytask: env!("CARGO_PKG_VERSION").to_owned(),
        sampler: options.method.word().to_owned(),
        seed: options.seed,
        round: options.round,
        ranges: ranges.collect(),
        config: crc32fast::hash(base.to_toml()?.as_bytes()),
        rows: [split.train.len(), split.valid.len(), split.test.len()],
    })
}

/// A search under way.
struct Search<'a> {
    space: &'a Space,
    base: &'a Config,
    prepared: &'a Prepared,
    journal: &'a Journal,
    options: &'a Options,
    audience: &'a dyn Audience,
    stop: &'a AtomicBool,
    /// So far.
    best: Mutex<Option<Trial>>,
    /// Whether a trial could not be written down.
    lost: AtomicBool,
}

impl Search<'_> {
    /// The step at which the config as it stands ends. A key that is tuned may change how long a trial is, which then has
    /// as many steps as it says; this is only where a rung of it begins.
    fn budget(&self) -> Budget {
        Budget::of(&self.base.train, self.prepared.split.train.len())
    }

    /// What stands for the end of a trial.
    fn full(&self) -> u64 {
        self.budget().steps
    }

    /// All trials but the config as it stands, which comes beside them.
    fn run(&self) -> Result<Option<(Trial, Vec<Trial>)>, Error> {
        let Options { trials, round, .. } = *self.options;
        let steps = self.full();
        let mut sampler: Box<dyn Sampler> = match self.options.method {
            Method::Random => Box::new(RandomSearch { trials, steps }),
            Method::Tpe => Box::new(Tpe { trials, steps, round }),
            Method::Halving => Box::new(Halving::new(trials, steps, self.budget().every)),
        };
        let mut supply = Supply::new(self.space, self.options.seed);
        let mut told: Vec<Told> = Vec::new();
        let mut done: Vec<Trial> = Vec::new();
        let mut base = None;
        loop {
            let asks = sampler.ask(&mut supply, &told);
            if asks.is_empty() {
                break;
            }
            if told.is_empty() && asks.len() < self.options.trials && self.options.method != Method::Tpe {
                self.audience.note(&format!("{} different trials are all that can be drawn", asks.len()));
            }
            let first = base.is_none().then_some(None);
            let all: Vec<Option<&Ask>> = first.into_iter().chain(asks.iter().map(Some)).collect();
            self.audience.round(all.len());
            let made: Result<Vec<Option<Trial>>, Error> = all.par_iter().map(|ask| self.trial(*ask)).collect();
            let Some(made) = made?.into_iter().collect::<Option<Vec<Trial>>>() else { return Ok(None) };
            let mut made = made.into_iter();
            if base.is_none() {
                base = made.next();
            }
            let made: Vec<Trial> = made.collect();
            told.extend(asks.into_iter().zip(&made).map(|(ask, trial)| Told { ask, score: trial.score }));
            done.extend(made);
        }
        // Checkpoints have done their work.
        std::fs::remove_dir_all(self.options.out.join(CHECKPOINTS)).ok();
        let mut last: IndexMap<usize, Trial> = IndexMap::new();
        for trial in done {
            last.insert(trial.trial, trial);
        }
        let mut trials: Vec<Trial> = last.into_values().collect();
        let key = |trial: &Trial| (trial.steps, trial.score.unwrap_or(f64::NEG_INFINITY));
        trials.sort_by(|a, b| {
            let ((a_steps, a_score), (b_steps, b_score)) = (key(a), key(b));
            b_steps.cmp(&a_steps).then(b_score.total_cmp(&a_score)).then(a.trial.cmp(&b.trial))
        });
        Ok(base.map(|base| (base, trials)))
    }

    /// A trial, or the config as it stands: as it was written down, or trained.
    fn trial(&self, ask: Option<&Ask>) -> Result<Option<Trial>, Error> {
        let (number, steps) = ask.map_or((0, self.full()), |ask| (ask.trial, ask.steps));
        let values: IndexMap<String, serde_json::Value> = match ask {
            None => IndexMap::new(),
            Some(ask) => {
                let values = self.space.values(&ask.point).into_iter().map(|value| serde_json::json!(value));
                self.space.dimensions().iter().map(|range| dotted(&range.key)).zip(values).collect()
            }
        };
        if let Some(known) = self.journal.find(number, steps, &values)? {
            self.done(known);
            return Ok(Some(known.clone()));
        }
        if self.stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let config = match ask {
            None => self.base.clone(),
            Some(ask) => self.space.config(&ask.point).map_err(polytask_model::config::ConfigError::from)?,
        };
        let halved = self.options.method == Method::Halving && number > 0;
        let checkpoint = halved.then(|| self.options.out.join(CHECKPOINTS).join(format!("trial-{number}.safetensors")));
        let blank =
            Trial { trial: number, steps, values, score: None, tasks: IndexMap::new(), seconds: 0.0, error: None };
        let trained = self.own_data(&config).and_then(|own| {
            let until = if steps == self.full() { u64::MAX } else { steps };
            trial::train(&config, own.as_ref().unwrap_or(self.prepared), until, checkpoint.as_deref(), self.stop)
        });
        let trial = match trained {
            Ok(None) => return Ok(None),
            Ok(Some(t)) => Trial { score: t.score, tasks: t.skills, seconds: t.seconds, ..blank },
            // Settings that do not fit these data, or that break the training, are a trial that is lost.
            Err(error) if error.is_usage() || matches!(error, Error::Train(polytask_train::Error::Diverged { .. })) => {
                Trial { error: Some(error.to_string()), ..blank }
            }
            Err(error) => return Err(error),
        };
        // What was trained is worth more than not to train it again.
        if let Err(error) = self.journal.add(&trial)
            && !self.lost.swap(true, Ordering::Relaxed)
        {
            self.audience.note(&format!("{error}: the search goes on, and its trials are not kept for --resume"));
        }
        self.done(&trial);
        Ok(Some(trial))
    }

    fn done(&self, trial: &Trial) {
        let mut best = self.best.lock().unwrap_or_else(PoisonError::into_inner);
        let best = best.get_or_insert_with(|| trial.clone());
        *best = better(best, trial).clone();
        self.audience.done(trial, best);
    }

    /// The config of a trial.
    fn config_of(&self, trial: &Trial) -> Result<Config, Error> {
        if trial.trial == 0 {
            return Ok(self.base.clone());
        }
        let values = trial.values.values().map(toml::Value::try_from);
        let values: Vec<toml::Value> = values.collect::<Result<_, _>>().map_err(TuneError::Value)?;
        Ok(self.space.with(&values).map_err(polytask_model::config::ConfigError::from)?)
    }

    /// The data of a config that reads or fits them otherwise than the config as it stands.
    fn own_data(&self, config: &Config) -> Result<Option<Prepared>, Error> {
        let base = self.base;
        let tokens = |config: &Config| config.model.trunk.reads_tokens();
        let alike = config.inputs == base.inputs && config.tasks == base.tasks && tokens(config) == tokens(base);
        if alike { Ok(None) } else { Ok(Some(self.options.prepare(config)?)) }
    }
}
