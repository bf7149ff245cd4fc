//! One way to model the tasks, and what it learns from.

use super::super::table::Table;
use super::super::trees::{Method, Rows};
use super::Until;
use super::folds::{Fold, folds};
use crate::Error;
use crate::build::Build;
use crate::own::Own;
use crate::prepare::Prepared;
use crate::train::{Budget, Job, StopReason};
use polytask_model::config::Config;
use polytask_model::model::Body;
use std::ops::ControlFlow;

/// One way to model the tasks.
pub(super) struct Candidate {
    /// For people: "boosted trees, shared".
    pub name: String,
    pub recipe: Recipe,
}

/// How a candidate is fitted.
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
}

impl<'a> Material<'a> {
    pub(super) fn new(table: &'a Table, prepared: &'a Prepared) -> Result<Self, Error> {
        Ok(Material { table, prepared, folds: folds(table, prepared), rows: Rows::new(table, prepared)? })
    }

    /// Fits a candidate on the folds, one after the other; those that there was time for.
    pub(super) fn fit(&self, candidate: &Candidate, until: &mut Until<'_>) -> Result<Vec<Body>, Error> {
        let mut bodies = Vec::new();
        match &candidate.recipe {
            Recipe::Trees(method) => {
                for fold in &self.folds {
                    let Some(body) = self.trees(method, fold, until)? else { break };
                    bodies.push(body);
                    until.fitted();
                }
            }
            Recipe::Network(config) => {
                let build = Build::settled((**config).clone(), self.prepared, &self.table.labels, &Own::default())?;
                for fold in &self.folds {
                    let Some(body) = self.network(&build, fold, until)? else { break };
                    bodies.push(body);
                    until.fitted();
                }
            }
        }
        Ok(bodies)
    }

    fn trees(&self, method: &Method, fold: &Fold, until: &mut Until<'_>) -> Result<Option<Body>, Error> {
        let places = |rows: &[u32]| rows.iter().map(|row| *row as usize).collect::<Vec<_>>();
        let (train, held) = (places(&fold.train), places(&fold.held));
        let Rows { features, tasks } = &self.rows;
        let mut cut = false;
        let mut look = |_: &polytask_trees::Round<'_>| match until.goes_on() {
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
        let fitted = fitted.map_err(crate::train::TrainError::from)?;
        // What is cut short is worth keeping only where there is nothing else.
        Ok((!cut || until.done == 0).then_some(Body::Trees(fitted.model)))
    }

    fn network(&self, build: &Build, fold: &Fold, until: &mut Until<'_>) -> Result<Option<Body>, Error> {
        let budget = Budget::of(&build.config.train, fold.train.len());
        let job = Job { train: &fold.train, valid: &fold.held, budget, ..build.job(self.prepared) };
        let mut watch = Watch { until, cut: false };
        let fitted = crate::fit(&job, &build.start, None, &mut watch)?;
        let whole = !watch.cut || watch.until.done == 0;
        let sound = !matches!(fitted.stop_reason, StopReason::Diverged(_)) || fitted.best_epoch.is_some();
        Ok((whole && sound).then_some(fitted.body))
    }
}

/// Looks on while a network is trained.
struct Watch<'a, 'b> {
    until: &'a mut Until<'b>,
    cut: bool,
}

impl crate::train::Callback for Watch<'_, '_> {
    fn step(&mut self, _: u64, _: u64) {
        self.cut |= !self.until.goes_on();
    }

    fn stop(&self) -> bool {
        self.cut
    }
}
