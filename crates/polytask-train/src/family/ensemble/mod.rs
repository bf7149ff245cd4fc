//! The ensemble: candidates of all families, joint and independent, are fitted on folds of the rows; what each predicts for
//! rows that it has not seen chooses how much it counts for every task (Caruana et al., "Ensemble selection from libraries
//! of models", ICML 2004).

mod candidate;
mod fits;
mod folds;
mod library;
mod recipe;
mod weigh;

use super::table::Table;
use crate::Error;
use crate::prepare::Prepared;
use crate::train::{Callback, Fitted, Round, StopReason, TrainError, criterion};
use candidate::Material;
use fits::Kept;
use library::Library;
use polytask_model::model::{Body, Ensemble, Member};
use std::time::{Duration, Instant};

/// What is tried, in order.
pub(super) fn names(table: &Table, prepared: &Prepared) -> Vec<String> {
    library::candidates(table, prepared).into_iter().map(|candidate| candidate.name).collect()
}

/// Units of work that the callback counts: fits of a candidate on a fold.
pub(super) fn length(table: &Table, prepared: &Prepared) -> u64 {
    let folds = folds::count(table, prepared);
    (library::candidates(table, prepared).len() * folds) as u64
}

/// Fits the candidates and weighs them.
pub(super) fn fit(table: &Table, prepared: &Prepared, callback: &mut dyn Callback) -> Result<Fitted, Error> {
    let began = Instant::now();
    let names: Vec<&str> = table.tasks.iter().map(|task| task.name.as_str()).collect();
    let fits = callback.fits();
    let kept = fits.as_ref().map(|fits| Kept::new(fits, table, prepared)).transpose().map_err(TrainError::from)?;
    let material = Material::new(table, prepared, kept)?;
    let candidates = library::candidates(table, prepared);
    let of = (candidates.len() * material.folds.len()) as u64;
    let limit = table.config.model.time.map(polytask_model::config::Time::duration);
    let mut library = Library::new(&material);
    let (mut history, mut first, mut stop_reason) = (Vec::<Round>::new(), Vec::new(), StopReason::Complete);
    for candidate in candidates {
        let mut until = Until { callback, began, limit, done: library.fits() as u64, of, over: false };
        until.callback.step(until.done, of);
        library.add(&candidate, &mut until)?;
        let over = until.over;
        let losses = library.last_losses();
        if first.is_empty() {
            first = library.constant_losses();
        }
        let round = Round {
            epoch: history.len() as u64 + 1,
            step: library.fits() as u64,
            seconds: began.elapsed().as_secs_f64(),
            valid: names.iter().zip(&losses).filter_map(|(name, loss)| Some(((*name).to_owned(), (*loss)?))).collect(),
            candidate: Some(candidate.name.clone()),
            criterion: criterion::value(&table.config.train.criterion, &names, &losses, &first),
            ..Round::default()
        };
        callback.round(&round);
        history.push(round);
        if callback.stop() {
            stop_reason = StopReason::Stopped;
            break;
        }
        if over {
            stop_reason = StopReason::TimeOver;
            break;
        }
    }
    mark_best(&mut history);
    let (ensemble, out_of_fold) = library.ensemble(table.config.train.seed);
    Ok(Fitted {
        body: Body::Ensemble(ensemble),
        stop_reason,
        best_epoch: None,
        steps: of,
        seconds: began.elapsed().as_secs_f64(),
        history,
        solved: None,
        out_of_fold,
    })
}

/// Marks the best single candidate.
fn mark_best(history: &mut [Round]) {
    let value = |round: &Round| round.criterion.unwrap_or(f64::INFINITY);
    let best = history.iter().map(value).enumerate().min_by(|a, b| a.1.total_cmp(&b.1));
    if let Some((best, _)) = best {
        history[best].best = true;
    }
}

/// When time is over.
#[derive(Clone, Copy)]
struct Clock {
    began: Instant,
    limit: Option<Duration>,
}

impl Clock {
    fn goes_on(self) -> bool {
        self.limit.is_none_or(|limit| self.began.elapsed() < limit)
    }
}

/// Ends the fit of a candidate when its time is over or someone has asked for it.
struct Until<'a> {
    callback: &'a mut dyn Callback,
    began: Instant,
    limit: Option<Duration>,
    done: u64,
    of: u64,
    over: bool,
}

impl Until<'_> {
    /// Whether to go on.
    fn goes_on(&mut self) -> bool {
        self.over |= self.limit.is_some_and(|limit| self.began.elapsed() >= limit);
        !self.over && !self.callback.stop()
    }

    /// The time that is left, for several threads.
    fn clock(&self) -> Clock {
        Clock { began: self.began, limit: self.limit }
    }

    /// A fit is done.
    fn fitted(&mut self) {
        self.done += 1;
        self.callback.step(self.done, self.of);
    }
}
