//! What rows that a model was not fitted on say of it: how its probabilities are set right, where its thresholds lie, and how
//! wide its intervals are.

use crate::Error;
use crate::prepare::Prepared;
use crate::train::Fitted;
use polytask_model::config::Config;
use polytask_model::conformal::{Conformal, HeldOut};
use polytask_model::model::Model;
use polytask_model::tasks::{Prediction, Truth};

/// Decides how the outputs of a model of the tasks `which` are read, see [`Task::decide`](polytask_model::tasks::Task::decide),
/// by an ensemble's folds or the validation rows. Gives the model's mistakes there, none without such rows, and what is to be
/// said.
///
/// # Errors
/// Rows that cannot be predicted.
pub(crate) fn decide(
    config: &Config,
    prepared: &Prepared,
    which: &[usize],
    fitted: &Fitted,
    model: &mut Model,
) -> Result<(Option<Conformal>, Vec<String>), Error> {
    let (rows, predictions, of) = match &fitted.out_of_fold {
        Some(held) => (&held.rows, held.predictions.clone(), HeldOut::Folds),
        None if prepared.split.valid.is_empty() => {
            let tasks = model.tasks.iter_mut();
            let said = tasks.filter_map(|task| task.decide_plainly(config.tasks.get(&task.name)?));
            return Ok((None, said.collect()));
        }
        None => {
            let rows = &prepared.split.valid;
            (rows, model.predict_judged(&prepared.data, rows)?, HeldOut::Validation)
        }
    };
    let truths: Vec<Truth> = which.iter().map(|at| prepared.data.labels[*at].truth.select(rows)).collect();
    let mut said = Vec::new();
    let decided = model.tasks.iter_mut().zip(&truths).zip(predictions).map(|((task, truth), held)| {
        let Some(own) = config.tasks.get(&task.name) else { return held };
        let (decided, more) = task.decide(own, truth, held);
        said.extend(more);
        decided
    });
    let decided: Vec<Prediction> = decided.collect();
    Ok((Conformal::new(&model.tasks, &truths, &decided, of), said))
}
