//! Models of some of the tasks of the one that is served, made when they are first asked for.

use crate::problem::{Kind, Problem};
use polytask::model::{Model, Predictor};
use std::sync::{Arc, Mutex, PoisonError};

/// Sets of tasks whose models are kept; the one that was asked for longest ago goes first.
const KEPT: usize = 8;

/// A model of all or some of the tasks.
pub struct Part {
    pub model: Arc<Model>,
    /// The places of its tasks among all.
    pub tasks: Vec<usize>,
}

/// The parts of a model.
pub struct Parts {
    whole: Arc<Part>,
    made: Mutex<Vec<Arc<Part>>>,
}

impl Parts {
    pub fn new(model: Arc<Model>) -> Self {
        let tasks = (0..model.tasks.len()).collect();
        Parts { whole: Arc::new(Part { model, tasks }), made: Mutex::default() }
    }

    /// All tasks.
    pub fn whole(&self) -> &Arc<Part> {
        &self.whole
    }

    /// That of some tasks.
    ///
    /// # Errors
    /// A name that no task has, or tasks that are found together.
    pub fn of(&self, names: &[String]) -> Result<Arc<Part>, Problem> {
        let all = &self.whole.model.tasks;
        let tasks: Vec<usize> = (0..all.len()).filter(|at| names.contains(&all[*at].name)).collect();
        let known = names.iter().all(|name| all.iter().any(|task| task.name == *name));
        if known && tasks.len() == all.len() {
            return Ok(Arc::clone(&self.whole));
        }
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = made.iter().position(|part| known && part.tasks == tasks) {
            let part = made.remove(at);
            made.push(Arc::clone(&part));
            return Ok(part);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let cut = self.whole.model.only(&names);
        let (model, tasks) = cut.map_err(|error| Problem::new(Kind::BadQuery, error.to_string()))?;
        let part = Arc::new(Part { model: Arc::new(model), tasks });
        if made.len() == KEPT {
            made.remove(0);
        }
        made.push(Arc::clone(&part));
        Ok(part)
    }
}

/// What a thread predicts with: the whole model, and parts of it.
pub struct Predictors {
    rows: usize,
    whole: Predictor,
    parts: Vec<(Arc<Part>, Predictor)>,
}

impl Predictors {
    /// # Errors
    /// The model's device cannot run it.
    pub fn new(model: &Arc<Model>, rows: usize) -> Result<Self, polytask::BuildError> {
        Ok(Predictors { rows, whole: Predictor::new(Arc::clone(model), rows)?, parts: Vec::new() })
    }

    /// That of a part.
    ///
    /// # Errors
    /// The model's device cannot run it.
    pub fn of(&mut self, part: &Arc<Part>) -> Result<&mut Predictor, polytask::BuildError> {
        if Arc::ptr_eq(self.whole.model(), &part.model) {
            return Ok(&mut self.whole);
        }
        let at = match self.parts.iter().position(|(known, _)| Arc::ptr_eq(known, part)) {
            Some(at) => at,
            None => {
                if self.parts.len() == KEPT {
                    self.parts.remove(0);
                }
                self.parts.push((Arc::clone(part), Predictor::new(Arc::clone(&part.model), self.rows)?));
                self.parts.len() - 1
            }
        };
        Ok(&mut self.parts[at].1)
    }
}
