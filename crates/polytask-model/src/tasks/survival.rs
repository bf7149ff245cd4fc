//! The time until an event, of rows some of which were not followed to it.

use super::labels::{LabelColumn, Labels, Target, Truth};
use super::multilabel::truths;
use super::{Layout, Outcome, Prediction, TaskError};
use crate::metric::{Better, Metrics, Seen, concordance, integrated_brier};
use crate::section::{TaskConfig, check_times};
use polytask_data::Hint;
use polytask_exec::TaskOutput;
use polytask_graph::LossKind;
use serde::{Deserialize, Serialize};

/// Intervals at most where the config names none, and events that one has at least.
const INTERVALS: usize = 20;
const EVENTS: usize = 10;

/// Predicts, by one logit for each of several intervals of time, the probability that the event comes in it where it has not
/// come before: the hazard in discrete time (Brown 1975; Gensheimer and Narasimhan, "A scalable discrete-time survival model",
/// PeerJ 2019). A row counts for the intervals that it was followed through, so one that is censored counts for what is known
/// of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Survival {
    /// The column that says whether the event came.
    pub event: String,
    /// Where the intervals end, rising; the first begins at 0.
    pub times: Vec<f64>,
    /// The hazards of the training rows.
    pub hazards: Vec<f64>,
}

impl Survival {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let columns = config.columns_of(source.task);
        let [_, event] = columns[..] else {
            let reason = "it needs two columns, of the time followed and of whether the event came: columns = [\"TIME\", \"EVENT\"]";
            return Err(source.own(None, reason.into()));
        };
        let mut task = Survival { event: event.to_owned(), times: Vec::new(), hazards: Vec::new() };
        let seen = task.seen(source)?;
        let known: Vec<Seen> = rows.iter().filter_map(|row| seen.get(*row as usize).copied().flatten()).collect();
        if known.is_empty() {
            return Err(source.no_label());
        }
        let mut events: Vec<f64> = known.iter().filter(|row| row.event).map(|row| row.time).collect();
        events.sort_by(f64::total_cmp);
        if events.is_empty() {
            let reason = format!(
                "column `{event}` says of no training row that the event came: of rows that are all censored nothing can be learnt"
            );
            return Err(source.own(None, reason));
        }
        task.times = config.times.clone().unwrap_or_else(|| quantiles(&events));
        let mut risk = vec![0.0; task.times.len()];
        let mut came = risk.clone();
        for flags in known.iter().map(|row| task.flags(*row)) {
            for (k, flag) in flags.iter().enumerate().filter(|(_, flag)| !flag.is_nan()) {
                risk[k] += 1.0;
                came[k] += f64::from(*flag);
            }
        }
        task.hazards = came.iter().zip(&risk).map(|(came, risk)| came / f64::max(*risk, 1.0)).collect();
        Ok(task)
    }

    /// What is known of each row of a table; none where the time or the event is missing.
    fn seen(&self, source: &LabelColumn) -> Result<Vec<Option<Seen>>, TaskError> {
        let times = source.numbers("survival")?;
        if let Some(row) = times.iter().position(|time| *time < 0.0) {
            let reason =
                format!("the time followed, column `{}`, is {}; it must be 0 or above", source.column.name, times[row]);
            return Err(source.own(Some(row), reason));
        }
        let events = truths(&LabelColumn::find(source.task, &self.event, source.table)?)?;
        let row = |(time, event): (&f64, f32)| {
            (!time.is_nan() && !event.is_nan()).then_some(Seen { time: *time, event: event == 1.0 })
        };
        Ok(times.iter().zip(events).map(row).collect())
    }

    /// By interval: 1 where the event came in it, 0 where the row was followed through it, NaN where neither is known.
    fn flags(&self, seen: Seen) -> Vec<f32> {
        let own = self.times.partition_point(|end| *end < seen.time);
        let flag = |(k, end): (usize, &f64)| match k.cmp(&own) {
            std::cmp::Ordering::Less => 0.0,
            std::cmp::Ordering::Equal if seen.event => 1.0,
            std::cmp::Ordering::Equal if seen.time == *end => 0.0,
            std::cmp::Ordering::Equal | std::cmp::Ordering::Greater => f32::NAN,
        };
        self.times.iter().enumerate().map(flag).collect()
    }

    /// From the hazards of rows, end to end.
    fn of_hazards(&self, hazards: &[f64]) -> Prediction {
        let mut alive = Vec::with_capacity(hazards.len());
        for row in hazards.chunks_exact(self.times.len()) {
            let mut left = 1.0;
            alive.extend(row.iter().map(|hazard| {
                left *= 1.0 - hazard;
                left
            }));
        }
        Prediction::Survival { times: self.times.clone(), alive }
    }
}

/// Ends of intervals that have about as many events each, the last at the last event.
fn quantiles(events: &[f64]) -> Vec<f64> {
    let count = (events.len() / EVENTS).clamp(1, INTERVALS);
    let mut ends: Vec<f64> = (1..=count).map(|k| events[(k * events.len()).div_ceil(count) - 1]).collect();
    ends.dedup();
    // An interval of no length is none.
    if ends.len() > 1 && ends[0] == 0.0 {
        ends.remove(0);
    }
    ends
}

impl Outcome for Survival {
    fn width(&self) -> usize {
        self.times.len()
    }

    fn loss(&self) -> LossKind {
        LossKind::BinaryCrossEntropy
    }

    fn initial_bias(&self) -> Vec<f32> {
        let odds = |share: f64| (share / (1.0 - share)).ln() as f32;
        self.hazards.iter().map(|hazard| odds(hazard.clamp(1e-3, 1.0 - 1e-3))).collect()
    }

    fn hint(&self) -> Hint {
        Hint::Number
    }

    /// A row weighs as many parts of one as it has intervals of all: its loss is the mean over them, and the likelihood of
    /// what happened is their sum.
    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let seen = self.seen(source)?;
        let width = self.times.len();
        let (mut target, mut weights) = (Vec::with_capacity(seen.len() * width), Vec::with_capacity(seen.len()));
        for row in &seen {
            let flags = row.map_or(vec![f32::NAN; width], |row| self.flags(row));
            let known = flags.iter().filter(|flag| !flag.is_nan()).count();
            weights.push(known as f32 / width as f32);
            target.extend(flags);
        }
        Ok(Labels::new(Target::Real(target), Truth::Times(seen), weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let hazards = output.prediction.values().iter().map(|z| 1.0 / (1.0 + (-f64::from(*z)).exp()));
        self.of_hazards(&hazards.collect::<Vec<_>>())
    }

    fn constant(&self, rows: usize) -> Prediction {
        self.of_hazards(&self.hazards.repeat(rows))
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (Truth::Times(seen), Prediction::Survival { times, alive }) = (truth, prediction) else {
            return Metrics::new(0);
        };
        let expected = prediction.expected_times();
        let rows = seen.iter().zip(alive.chunks_exact(times.len().max(1))).zip(&expected);
        let (mut known, mut curves, mut lives) = (Vec::new(), Vec::new(), Vec::new());
        for ((seen, alive), expected) in rows {
            if let Some(seen) = seen {
                known.push(*seen);
                curves.extend_from_slice(alive);
                lives.push(*expected);
            }
        }
        let mut metrics = Metrics::new(known.len());
        metrics.push("concordance", Better::Higher, concordance(&known, &lives));
        metrics.push("integrated_brier", Better::Lower, integrated_brier(&known, times, &curves));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("concordance", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        check_times(&self.times)?;
        let shares = self.hazards.iter().all(|hazard| (0.0..=1.0).contains(hazard));
        match shares && self.hazards.len() == self.times.len() {
            true => Ok(()),
            false => Err("its hazards are out of range, or not as many as its times".into()),
        }
    }
}
