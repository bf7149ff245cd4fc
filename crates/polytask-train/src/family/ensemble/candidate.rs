//! One way to model the tasks, and what it learns from.

use super::super::table::Table;
use super::super::trees::{Method, Rows};
use super::Until;
use super::fits::Kept;
use super::folds::{Fold, folds};
use crate::Error;
use crate::build::Build;
use crate::own::Own;
use crate::prepare::Prepared;
use crate::train::{Budget, Job, StopReason, TrainError};
use polytask_model::config::Config;
use polytask_model::model::Body;
use rayon::prelude::*;
use std::ops::ControlFlow;
use std::time::Instant;

/// Rows of a fold that tell who has no chance.
const TELLING: usize = 500;
/// Cells of the table up to which a fit is small.
const SMALL: usize = 200_000;

/// One way to model the tasks.
pub(super) struct Candidate {
    /// For people: "boosted trees, shared".
    pub name: String,
    pub recipe: Recipe,
}

/// How a candidate is fitted.
#[derive(Debug)]
pub(super) enum Recipe {
    Trees(Box<Method>),
    /// A network or a linear model.
    Network(Box<Config>),
}

/// All that candidates learn from.
pub(super) struct Material<'a> {
    pub table: &'a Table,
    pub prepared: &'a Prepared,
    pub folds: Vec<Fold>,
    rows: Rows,
    /// Fits on disk, where someone keeps them.
    kept: Option<Kept<'a>>,
}

impl<'a> Material<'a> {
    pub(super) fn new(table: &'a Table, prepared: &'a Prepared, kept: Option<Kept<'a>>) -> Result<Self, Error> {
        Ok(Material { table, prepared, folds: folds(table, prepared), rows: Rows::new(table, prepared)?, kept })
    }

    /// Fits a candidate on the folds; those that there was time for, in order.
    ///
    /// `hopeless` is told of each, and says whether the others are worth their time.
    pub(super) fn fit(
        &self,
        candidate: &Candidate,
        until: &mut Until<'_>,
        hopeless: &mut dyn FnMut(usize, &Body) -> Result<bool, Error>,
    ) -> Result<Vec<Body>, Error> {
        let build = match &candidate.recipe {
            Recipe::Trees(_) => None,
            Recipe::Network(config) => {
                Some(Build::settled((**config).clone(), self.prepared, &self.table.labels, &Own::default())?)
            }
        };
        let first = until.done == 0;
        if self.is_small() {
            // A fit is too small to share out, so that folds go side by side.
            let clock = until.clock();
            let one = |fold| self.one(candidate, build.as_ref(), fold, first, &mut || clock.goes_on());
            let fitted = (0..self.folds.len()).into_par_iter().map(one).collect::<Result<Vec<_>, _>>()?;
            let bodies: Vec<Body> = fitted.into_iter().map_while(|body| body).collect();
            for (fold, body) in bodies.iter().enumerate() {
                hopeless(fold, body)?;
                until.fitted();
            }
            until.goes_on();
            return Ok(bodies);
        }
        let mut bodies = Vec::new();
        for fold in 0..self.folds.len() {
            let one = self.one(candidate, build.as_ref(), fold, first, &mut || until.goes_on())?;
            let Some(body) = one else { break };
            until.fitted();
            let ends = hopeless(bodies.len(), &body)?;
            bodies.push(body);
            if ends {
                break;
            }
        }
        Ok(bodies)
    }

    /// Whether a fold has rows enough to tell good from bad.
    pub(super) fn is_large(&self) -> bool {
        self.folds.len() > 1 && self.folds.iter().all(|fold| fold.held.len() >= TELLING)
    }

    /// Whether a fit takes so little that threads are better spent on several.
    fn is_small(&self) -> bool {
        let rows = self.table.train.len() + self.table.valid.len();
        rows * self.rows.features.columns().len().max(1) <= SMALL
    }

    /// One fit; none where it was cut short, unless there is nothing else yet.
    fn one(
        &self,
        candidate: &Candidate,
        build: Option<&Build>,
        number: usize,
        first: bool,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<Option<Body>, Error> {
        let kept = self.kept.as_ref();
        if let Some(body) = kept.and_then(|kept| kept.find(candidate, number)) {
            return Ok(Some(body));
        }
        let (fold, began) = (&self.folds[number], Instant::now());
        let (body, cut) = match (&candidate.recipe, build) {
            (Recipe::Network(_), Some(build)) => self.network(build, fold, goes_on)?,
            (Recipe::Network(_), None) => (None, false),
            (Recipe::Trees(method), _) => self.trees(method, fold, goes_on)?,
        };
        if let (Some(kept), Some(body), false) = (kept, &body, cut) {
            kept.keep(candidate, number, body, began.elapsed());
        }
        Ok(body.filter(|_| !cut || first))
    }

    fn trees(
        &self,
        method: &Method,
        fold: &Fold,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<(Option<Body>, bool), Error> {
        let places = |rows: &[u32]| rows.iter().map(|row| *row as usize).collect::<Vec<_>>();
        let (train, held) = (places(&fold.train), places(&fold.held));
        let Rows { features, tasks } = &self.rows;
        let mut cut = false;
        let mut look = |_: &polytask_trees::Round<'_>| match goes_on() {
            true => ControlFlow::Continue(()),
            false => {
                cut = true;
                ControlFlow::Break(())
            }
        };
        let fitted = match method {
            Method::Boosted(boosting) => polytask_trees::boost(features, tasks, &train, &held, boosting, &mut look),
            Method::Forest(forest) => {
                polytask_trees::forest(features, tasks, &train, forest, &mut look).map(|grown| grown.fitted)
            }
        };
        Ok((Some(Body::Trees(fitted.map_err(TrainError::from)?.model)), cut))
    }

    fn network(
        &self,
        build: &Build,
        fold: &Fold,
        goes_on: &mut dyn FnMut() -> bool,
    ) -> Result<(Option<Body>, bool), Error> {
        let budget = Budget::of(&build.config.train, fold.train.len());
        let job = Job { train: &fold.train, valid: &fold.held, budget, ..build.job(self.prepared) };
        let mut watch = Watch { goes_on, cut: false };
        let fitted = crate::fit(&job, &build.start, None, &mut watch)?;
        let sound = !matches!(fitted.stop_reason, StopReason::Diverged(_)) || fitted.best_epoch.is_some();
        Ok((sound.then_some(fitted.body), watch.cut))
    }
}

/// Looks on while a network is trained.
struct Watch<'a> {
    goes_on: &'a mut dyn FnMut() -> bool,
    cut: bool,
}

impl crate::train::Callback for Watch<'_> {
    fn step(&mut self, _: u64, _: u64) {
        self.cut |= !(self.goes_on)();
    }

    fn stop(&self) -> bool {
        self.cut
    }
}
