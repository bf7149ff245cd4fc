//! What trees and ensembles learn from: the rows of a table.

use super::{ensemble, trees};
use crate::Error;
use crate::build::labelled;
use crate::prepare::Prepared;
use crate::train::{Callback, Fitted, TrainError};
use polytask_model::config::{Config, Family, is_table};
use polytask_model::tasks::Task;

/// Tasks that trees or an ensemble learn.
pub struct Table {
    /// Of these tasks.
    pub config: Config,
    /// What is learnt.
    pub tasks: Vec<Task>,
    /// Places of the tasks among the prepared ones.
    pub(crate) labels: Vec<usize>,
    /// Rows to learn from that have a label of one of the tasks.
    pub(crate) train: Vec<u32>,
    /// Rows that choose, likewise.
    pub(crate) valid: Vec<u32>,
}

impl Table {
    pub(super) fn new(
        config: &Config,
        family: Family,
        prepared: &Prepared,
        tasks: Vec<Task>,
        which: &[usize],
    ) -> Result<Self, Error> {
        if !is_table(&prepared.encoder, &tasks) {
            return Err(TrainError::NotTable(family.word()).into());
        }
        let mut config = config.clone();
        config.model.family = family;
        let [train, valid] = [&prepared.split.train, &prepared.split.valid].map(|rows| labelled(prepared, which, rows));
        Ok(Table { config, tasks, labels: which.to_vec(), train, valid })
    }

    /// Keeps the validation rows out of an ensemble, for something else to be judged by; trees need them to stop in time.
    pub fn keep_validation(&mut self) {
        if self.config.model.family == Family::Ensemble && !self.train.is_empty() {
            self.valid.clear();
        }
    }

    pub(super) fn candidates(&self, prepared: &Prepared) -> Vec<String> {
        match self.config.model.family {
            Family::Ensemble => ensemble::names(self, prepared),
            Family::Trees | Family::Network | Family::Auto => Vec::new(),
        }
    }

    pub(super) fn length(&self, prepared: &Prepared) -> u64 {
        match self.config.model.family {
            Family::Ensemble => ensemble::length(self, prepared),
            Family::Trees | Family::Network | Family::Auto => trees::length(&self.config.model.trees),
        }
    }

    pub(super) fn fit(&self, prepared: &Prepared, callback: &mut dyn Callback) -> Result<Fitted, Error> {
        match self.config.model.family {
            Family::Ensemble => ensemble::fit(self, prepared, callback),
            Family::Trees | Family::Network | Family::Auto => Ok(trees::fit(self, prepared, callback)?),
        }
    }
}
