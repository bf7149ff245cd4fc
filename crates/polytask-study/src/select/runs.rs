//! Groups trained for several seeds, each once: what is done is written down, so that an interrupted check goes on.

use super::halves::Halves;
use super::linear;
use super::member::{Member, Outcome};
use super::worth::Gain;
use crate::Error;
use polytask_exec::Parameters;
use polytask_model::config::Config;
use polytask_model::files;
use polytask_train::Prepared;
use polytask_train::train::Budget;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

const RUNS: &str = "runs.json";

/// What has been trained, and what with.
pub struct Runs<'a> {
    config: &'a Config,
    prepared: &'a Prepared,
    path: PathBuf,
    done: Mutex<File>,
    /// The first reason why the file could not be written.
    unwritten: Mutex<Option<String>>,
}

#[derive(Serialize, Deserialize)]
struct File {
    /// Of the config, data and tasks: runs of others are not taken.
    fingerprint: u32,
    runs: BTreeMap<String, Outcome>,
}

impl<'a> Runs<'a> {
    /// Those of a folder, or none yet.
    ///
    /// # Errors
    /// A config that cannot be written down.
    pub fn open(config: &'a Config, prepared: &'a Prepared, folder: &std::path::Path) -> Result<Self, Error> {
        let path = folder.join(RUNS);
        let parts = [&prepared.split.train, &prepared.split.valid, &prepared.split.test];
        let what = format!("{}\n{parts:?}\n{:?}", config.to_toml()?, prepared.tasks);
        let fingerprint = crc32fast::hash(what.as_bytes());
        let known = std::fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str::<File>(&text).ok());
        let done = known.filter(|file| file.fingerprint == fingerprint);
        let done = Mutex::new(done.unwrap_or(File { fingerprint, runs: BTreeMap::new() }));
        Ok(Runs { config, prepared, path, done, unwritten: Mutex::default() })
    }

    /// What a linearised joint model says of groups; none is trained.
    ///
    /// # Errors
    /// The network cannot be built.
    pub fn estimates(&self, joint: &Parameters) -> Result<Vec<Gain>, Error> {
        linear::estimates(self.config, self.prepared, joint)
    }

    /// What kept it from writing down what was trained, if something did.
    pub fn note(&self) -> Option<String> {
        let unwritten = self.unwritten.lock().unwrap_or_else(PoisonError::into_inner);
        unwritten.as_ref().map(|error| format!("{error}: what was trained for the selection is not kept for --resume"))
    }

    /// How many of these are still to be trained.
    pub fn missing(&self, members: &[Member], seeds: &[u64]) -> usize {
        let done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let keys = seeds.iter().flat_map(|seed| members.iter().map(move |member| key(*member, *seed)));
        keys.filter(|key| !done.runs.contains_key(key)).count()
    }

    /// What came of each group under each seed, by seed. Every model makes as many steps and keeps its best state by the
    /// validation rows; what it is worth on them each half tells of the state that the other chose. None where `stop` ended it.
    ///
    /// # Errors
    /// Whatever keeps a model from being trained.
    pub fn all(
        &self,
        members: &[Member],
        seeds: &[u64],
        stop: &AtomicBool,
        done: &(dyn Fn() + Sync),
    ) -> Result<Option<Vec<Vec<Outcome>>>, Error> {
        let jobs: Vec<(u64, Member)> = seeds.iter().flat_map(|s| members.iter().map(move |m| (*s, *m))).collect();
        let outcomes = jobs.par_iter().map(|(seed, member)| self.one(*member, *seed, stop, done));
        let outcomes: Option<Vec<Outcome>> = outcomes.collect::<Result<Vec<_>, Error>>()?.into_iter().collect();
        Ok(outcomes.map(|all| all.chunks(members.len().max(1)).map(<[Outcome]>::to_vec).collect()))
    }

    fn one(
        &self,
        member: Member,
        seed: u64,
        stop: &AtomicBool,
        done: &(dyn Fn() + Sync),
    ) -> Result<Option<Outcome>, Error> {
        let key = key(member, seed);
        if let Some(known) = self.done.lock().unwrap_or_else(PoisonError::into_inner).runs.get(&key) {
            return Ok(Some(known.clone()));
        }
        let mut config = self.config.clone();
        config.train.seed = seed;
        config.loss.watch = false;
        let budget = Budget { patience: 0, ..Budget::of(&config.train, self.prepared.split.train.len()) };
        let primary = member.tasks().into_iter().map(|task| self.prepared.tasks[task].outcome().primary().0);
        let mut halves = Halves::new(stop, primary.collect());
        let trained = member.group().train(&config, self.prepared, budget, &mut halves, &|_| Ok(None))?;
        if stop.load(Ordering::Relaxed) {
            return Ok(None);
        }
        let outcome = Outcome::of(&trained, halves.worth(), self.prepared, member)?;
        let mut file = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        file.runs.insert(key, outcome.clone());
        let text = serde_json::to_vec(&*file).map_err(polytask_train::train::CheckpointError::from);
        let text = text.map_err(polytask_train::train::TrainError::from)?;
        let folder = self.path.parent().map_or(Ok(()), files::make_folder);
        // What was trained is worth more than not to train it again.
        if let Err(error) = folder.and_then(|()| files::write(&self.path, &text)) {
            self.unwritten.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error.to_string());
        }
        drop(file);
        done();
        Ok(Some(outcome))
    }
}

fn key(member: Member, seed: u64) -> String {
    format!("{:x}+{:x} seed {seed}", member.served, member.helpers)
}
