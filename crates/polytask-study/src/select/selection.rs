//! The whole: measure, judge, group, recommend, and check where that is asked for.

use super::curve::{Curve, curve};
use super::error::SelectError;
use super::evidence::{Evidence, affinities, cosines, errors};
use super::matrix::Matrix;
use super::measure::{Measured, measure};
use super::member::Member;
use super::recommend::{Recommendation, recommend};
use super::runs::Runs;
use super::signal::{EXHAUSTIVE, Signal};
use super::verify::{Verified, Way, distinct, verify, ways};
use super::worth::{MOST_TASKS, Set, members, set_of};
use super::{Rows, write};
use crate::Error;
use polytask_graph::LossId;
use polytask_model::config::{Config, ModelConfig, Role};
use polytask_model::files;
use polytask_model::share;
use polytask_train::Prepared;
use polytask_train::train::{Budget, Callback};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// What to select by, and within which limits.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where everything is written.
    pub out: PathBuf,
    /// What groups are judged by.
    pub signal: Signal,
    /// Which rows a look-ahead is judged on.
    pub rows: Rows,
    /// Groups at most; none for as many as tasks.
    pub groups: Option<usize>,
    /// Trained scalars at most, of all models together.
    pub parameters: Option<usize>,
    /// Multiply-adds at most to predict a row of all tasks.
    pub multiply_adds: Option<usize>,
    /// Whether a task may help in models that do not serve it.
    pub overlap: bool,
    /// Share of the run that looks may cost on top.
    pub overhead: f64,
    /// Whether to train what is recommended, and the extremes.
    pub verify: bool,
    /// Seeds of every trained group.
    pub seeds: u64,
    /// Go on with what `out` holds.
    pub resume: bool,
}

/// What looking cost.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Cost {
    /// The joint run with looks to what it would have taken without.
    pub factor: f64,
    /// Seconds of the joint run.
    pub seconds: f64,
    /// Steps between two looks.
    pub every: u64,
    /// Looks.
    pub looks: usize,
}

/// What came of it.
pub struct Selected {
    /// The tasks' names, in the order of the config.
    pub tasks: Vec<String>,
    /// Those that count.
    pub served: Vec<usize>,
    /// What groups were judged by.
    pub signal: Signal,
    /// The judgement.
    pub evidence: Evidence,
    /// Affinities, whatever was judged by, with their standard errors.
    pub affinity: Matrix,
    /// Standard errors of the affinities.
    pub noise: Matrix,
    /// Cosines of the gradients, norms on the diagonal.
    pub gradients: Matrix,
    /// Every number of groups.
    pub curve: Curve,
    /// Trained scalars and multiply-adds a row, by number of groups.
    pub sizes: Vec<(usize, usize)>,
    /// The proposed groups, by the signal alone.
    pub proposed: Recommendation,
    /// The groups to take: the proposed ones, unless training showed better.
    pub members: Vec<Member>,
    /// What training showed.
    pub verified: Option<Verified>,
    /// Of the looks.
    pub cost: Cost,
    /// Things worth saying of the tasks.
    pub notes: Vec<String>,
    /// Why its files could not be written, where they could not.
    pub unwritten: Option<String>,
}

impl Selected {
    /// Why these groups, in words.
    pub fn reason(&self) -> String {
        let way = match self.verified.as_ref().map(|v| v.best) {
            Some(Way::Together) if self.proposed.members.len() > 1 => "one model for all",
            Some(Way::Apart) => "a model a task",
            _ => return self.proposed.reason.clone(),
        };
        format!(
            "trained, {way} was the smallest of what was within a standard error of the best on the validation rows"
        )
    }
}

/// Who looks on: at the joint run, and at models that are trained after it.
pub trait Onlooker: Callback + Sync {
    /// So many models follow, of a kind.
    fn models(&mut self, count: usize, what: &str);
    /// One of them is done.
    fn model_done(&self);
}

/// Labelled training rows that a task needs: with fewer, a half of the looks would see no label at all.
const LABELS: usize = 32;

/// Finds which tasks should learn together and writes it to [`Options::out`]. None where someone ended it; what was
/// measured is kept for [`Options::resume`].
///
/// # Errors
/// Tasks, limits or data that nothing can be selected of; whatever keeps a model from being trained.
pub fn select(
    config: &Config,
    prepared: &Prepared,
    options: &Options,
    watch: &mut dyn Onlooker,
    stop: &AtomicBool,
) -> Result<Option<Selected>, Error> {
    // A group stays in the family of all, which its tasks alone would not tell.
    let family = config.family(&prepared.encoder, &prepared.tasks);
    let config = &Config { model: ModelConfig { family, ..config.model.clone() }, ..config.clone() };
    let served = check(config, prepared, options)?;
    files::check_folder(&options.out)?;
    let _lock = files::Lock::take(&options.out)?;
    let mut notes = twins(prepared);
    let measured = measure(config, prepared, options.rows, options.overhead, &options.out, options.resume, watch)?;
    let Some(measured) = measured else { return Ok(None) };
    let tasks = prepared.tasks.len();
    let counts = set_of(served.iter().copied());
    let helpers: Set = if options.overlap { set_of(0..tasks) } else { set_of(0..tasks) & !counts };
    let runs = Runs::open(config, prepared, &options.out)?;
    let seeds: Vec<u64> = (0..options.seeds.max(1)).map(|s| config.train.seed.wrapping_add(s)).collect();
    let to_train = runs.missing(&options.signal.trains(tasks), &seeds);
    if to_train > 0 {
        watch.models(to_train, "for the signal");
    }
    let done = || watch.model_done();
    let evidence = options.signal.evidence(&measured, &runs, (tasks, &seeds), stop, &done)?;
    let Some(evidence) = evidence else { return Ok(None) };
    let curve = curve(&evidence, &served, helpers);
    let sizes =
        curve.points.iter().map(|point| size(config, prepared, &point.members)).collect::<Result<Vec<_>, _>>()?;
    let within = |k: usize| {
        let (parameters, multiply_adds) = sizes[k - 1];
        options.groups.is_none_or(|most| k <= most)
            && options.parameters.is_none_or(|most| parameters <= most)
            && options.multiply_adds.is_none_or(|most| multiply_adds <= most)
    };
    affordable(&curve, &sizes, options, prepared)?;
    let proposed = recommend(&curve, &served, within);
    let mut chosen = proposed.members.clone();
    let mut verified = None;
    if options.verify {
        let models = distinct(&ways(prepared, &served, &chosen));
        let missing = runs.missing(&models, &seeds);
        if missing > 0 {
            watch.models(missing, "to verify");
        }
        let steps = Budget::of(&config.train, prepared.split.train.len()).steps;
        let done = || watch.model_done();
        let checked = (served.as_slice(), chosen.as_slice());
        verified = verify(&runs, prepared, checked, &evidence.gain, (steps, &seeds), stop, &done)?;
        let Some(verified) = &verified else { return Ok(None) };
        let all = ways(prepared, &served, &chosen);
        let way = all.into_iter().find(|(way, _)| *way == verified.best);
        if let Some((_, better)) = way {
            chosen = better;
        }
    }
    if stop.load(Ordering::Relaxed) {
        return Ok(None);
    }
    let looks = affinities(measured.counted());
    notes.extend(runs.note());
    let mut selected = Selected {
        tasks: prepared.tasks.iter().map(|task| task.name.clone()).collect(),
        affinity: Matrix::mean(looks.iter()),
        noise: errors(&looks),
        gradients: Matrix::mean(cosines(measured.counted()).iter()),
        served,
        signal: options.signal,
        evidence,
        curve,
        sizes,
        proposed,
        members: chosen,
        verified,
        cost: cost(&measured),
        notes,
        unwritten: None,
    };
    selected.unwritten = write::write(&selected, config, &measured, &options.out).err().map(|error| error.to_string());
    Ok(Some(selected))
}

fn cost(measured: &Measured) -> Cost {
    let (seconds, every, looks) = (measured.seconds, measured.every, measured.looks.len());
    Cost { factor: measured.cost(), seconds, every, looks }
}

/// The tasks that count, if something can be selected at all.
fn check(config: &Config, prepared: &Prepared, options: &Options) -> Result<Vec<usize>, SelectError> {
    let tasks = &prepared.tasks;
    if let [only] = tasks.as_slice() {
        return Err(SelectError::OneTask(only.name.clone()));
    }
    if tasks.len() > MOST_TASKS {
        return Err(SelectError::TooMany(tasks.len()));
    }
    let counts = |name: &str| config.tasks.get(name).is_none_or(|task| task.role != Role::Auxiliary);
    let served: Vec<usize> = (0..tasks.len()).filter(|t| counts(&tasks[*t].name)).collect();
    if served.is_empty() {
        return Err(SelectError::NoPrimary);
    }
    if let Some(asked) = options.groups.filter(|k| !(1..=served.len()).contains(k)) {
        return Err(SelectError::Groups { asked, tasks: served.len() });
    }
    for (task, labels) in tasks.iter().zip(&prepared.data.labels) {
        let labels = prepared.split.train.iter().filter(|row| labels.weighs(**row as usize)).count();
        if labels < LABELS {
            return Err(SelectError::FewLabels { task: task.name.clone(), labels, needed: LABELS });
        }
    }
    if config.model.sharing.linear().is_some() {
        return Err(SelectError::Linear);
    }
    if options.signal == Signal::Exhaustive && tasks.len() > EXHAUSTIVE {
        return Err(SelectError::Exhaustive { tasks: tasks.len(), most: EXHAUSTIVE });
    }
    let trains = !options.signal.trains(tasks.len()).is_empty();
    if trains && prepared.split.valid.is_empty() {
        return Err(SelectError::NoValidation(options.signal.name()));
    }
    for (rows, name) in [(&prepared.split.valid, "validation"), (&prepared.split.test, "test")] {
        if options.verify && rows.is_empty() {
            return Err(SelectError::NoRows(name));
        }
    }
    Ok(served)
}

/// What to say of tasks that are one: the same labels in the same rows.
fn twins(prepared: &Prepared) -> Vec<String> {
    let mut notes = Vec::new();
    let labels = &prepared.data.labels;
    for b in 0..labels.len() {
        let same = |a: &usize| labels[*a].truth == labels[b].truth && labels[*a].weights == labels[b].weights;
        if let Some(a) = (0..b).find(same) {
            let (a, b) = (&prepared.tasks[a].name, &prepared.tasks[b].name);
            notes.push(format!("`{a}` and `{b}` have the same label in every row: they are one task twice"));
        }
    }
    notes
}

/// Trained scalars, and multiply-adds that predict a row, of all models together, without what only helps in training.
fn size(config: &Config, prepared: &Prepared, models: &[Member]) -> Result<(usize, usize), Error> {
    let mut total = (0, 0);
    for member in models {
        let own = member.group().config(config, &prepared.names())?;
        let which = member.tasks();
        let tasks: Vec<_> = which.iter().map(|&t| prepared.tasks[t].clone()).collect();
        let graph = share::build(&own.design(&prepared.encoder, &tasks))?;
        let places = members(member.served).filter_map(|task| which.iter().position(|t| *t == task));
        let predicts = graph.only(&places.map(LossId).collect::<Vec<_>>());
        total.0 += predicts.parameter_count();
        total.1 += predicts.multiply_adds();
    }
    Ok(total)
}

/// Refuses limits that no groups keep.
fn affordable(
    curve: &Curve,
    sizes: &[(usize, usize)],
    options: &Options,
    prepared: &Prepared,
) -> Result<(), SelectError> {
    let within = |(parameters, multiply_adds): &(usize, usize)| {
        options.parameters.is_none_or(|most| *parameters <= most)
            && options.multiply_adds.is_none_or(|most| *multiply_adds <= most)
    };
    let most = options.groups.unwrap_or(sizes.len());
    if sizes[..most].iter().any(within) {
        return Ok(());
    }
    let pick = |size: &(usize, usize)| match options.parameters.is_some_and(|most| sizes.iter().all(|s| s.0 > most)) {
        true => ("parameters", size.0, options.parameters),
        false => ("multiply-adds a row", size.1, options.multiply_adds),
    };
    let cheapest = sizes[..most].iter().enumerate().min_by_key(|(_, size)| pick(size).1);
    let Some((place, size)) = cheapest else { return Ok(()) };
    let (what, needed, limit) = pick(size);
    let names = |member: &Member| {
        members(member.served).map(|t| prepared.tasks[t].name.as_str()).collect::<Vec<_>>().join(" + ")
    };
    let cheapest = curve.points[place].members.iter().map(names).collect::<Vec<_>>().join(" | ");
    Err(SelectError::Budget { what, limit: limit.unwrap_or(0), needed, cheapest })
}

/// The folder of a group's config, beside `selection.json`.
pub fn group_config(out: &Path, group: usize) -> PathBuf {
    out.join("groups").join(format!("{group}.toml"))
}
