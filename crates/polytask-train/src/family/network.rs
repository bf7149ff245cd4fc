//! Networks, trained step by step, and linear models, which are solved.

use crate::train::{Callback, Checkpoint, Fitted, Job, TrainError};
use crate::{linear, train};
use polytask_exec::Parameters;

/// Trains a model from `start`, or from where a checkpoint left off; finds a linear one, for which neither counts. Same
/// job, same result, bit for bit, whatever the threads and however often it was interrupted.
///
/// # Errors
/// A balancing method that does not fit the tasks, a checkpoint of another job.
pub fn fit(
    job: &Job<'_>,
    start: &Parameters,
    resume: Option<Checkpoint>,
    callback: &mut dyn Callback,
) -> Result<Fitted, TrainError> {
    match job.linear {
        Some(settings) => linear::fit(job, settings, callback),
        None => train::network(job, start, resume, callback),
    }
}
