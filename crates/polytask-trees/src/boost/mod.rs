//! Gradient boosting: every tree corrects the sum of those before it.

mod callback;
pub(crate) mod data;
mod gradients;
mod group;
mod stop;

use rayon::prelude::*;

pub use callback::{Callback, Round, Silent};
use data::Data;
use gradients::{Gradients, energies, gradients};
use group::Group;

use crate::model::{Kind, Schema};
use crate::{Boosting, Features, Head, Model, Sharing, Task, TreesError, loss};

/// A model and how its fit went.
#[derive(Clone, Debug, PartialEq)]
pub struct Fitted {
    /// The model; each task with the trees that were best for it.
    pub model: Model,
    /// Trees that each task has.
    pub trees: Vec<usize>,
    /// Validation loss of each task with these; `None` without validation rows.
    pub validation: Vec<Option<f64>>,
    /// Rounds that were fitted.
    pub rounds: usize,
}

/// Outputs of all tasks, one task after the other.
pub(crate) fn heads(tasks: &[Task]) -> Vec<Head> {
    let mut first = 0;
    let head = |task: &Task| {
        let width = task.objective.width();
        first += width;
        Head { objective: task.objective, first: first - width, width }
    };
    tasks.iter().map(head).collect()
}

/// Fits boosted trees for all tasks at once.
///
/// `train` and `validation` are rows of `features` and of the tasks' labels. A task stops when its loss on validation
/// rows has not been better for [`Boosting::patience`] rounds, keeps the trees up to its best, and no longer counts in
/// the choice of splits.
///
/// # Errors
/// Labels, weights or options that cannot be used; see [`TreesError`].
pub fn boost(
    features: &Features,
    tasks: &[Task],
    train: &[usize],
    validation: &[usize],
    options: &Boosting,
    callback: &mut dyn Callback,
) -> Result<Fitted, TreesError> {
    run(features, tasks, train, validation, options, callback, None)
}

/// Goes on where a model left off, with up to [`Boosting::rounds`] more rounds on the same rows. Without validation rows
/// this ends with the same bits as one fit of all rounds.
///
/// # Errors
/// As [`boost`], and a model of other tasks or columns.
pub fn resume(
    model: &Model,
    features: &Features,
    tasks: &[Task],
    train: &[usize],
    validation: &[usize],
    options: &Boosting,
    callback: &mut dyn Callback,
) -> Result<Fitted, TreesError> {
    if model.kind != Kind::Boosted || model.heads != heads(tasks) {
        return Err(TreesError::Option("only a boosted model of the same tasks can be gone on with".into()));
    }
    run(features, tasks, train, validation, options, callback, Some(model))
}

fn run(
    features: &Features,
    tasks: &[Task],
    train: &[usize],
    validation: &[usize],
    options: &Boosting,
    callback: &mut dyn Callback,
    previous: Option<&Model>,
) -> Result<Fitted, TreesError> {
    options.check(tasks.len())?;
    let data = Data::new(features, tasks, train, validation, options.growing.max_bins)?;
    let columns: Vec<Schema> = data.bins.iter().map(Schema::new).collect();
    let mut model = match previous {
        Some(previous) if previous.columns == columns => previous.clone(),
        Some(_) => return Err(TreesError::Columns("the columns are not those that the model was fitted on".into())),
        None => {
            let start = tasks.iter().flat_map(|task| loss::start(task, train)).collect();
            Model { kind: Kind::Boosted, columns, heads: heads(tasks), start, trees: Vec::new(), rounds: 0 }
        }
    };
    let mut fit = Fit {
        data: &data,
        options,
        callback,
        number: 0,
        validation: vec![None; tasks.len()],
        trees: vec![0; tasks.len()],
    };
    let half = if options.sharing == Sharing::Partial && validation.is_empty() {
        options.rounds.div_ceil(2)
    } else {
        options.rounds
    };
    let goes_on = fit.phase(&mut model, &options.sharing.groups(tasks.len()), half)?;
    if options.sharing == Sharing::Partial && goes_on {
        let rest = if validation.is_empty() { options.rounds - half } else { options.rounds };
        fit.phase(&mut model, &Sharing::None.groups(tasks.len()), rest)?;
    }
    let (rounds, trees, validation) = (fit.number, fit.trees, fit.validation);
    Ok(Fitted { model, trees, validation, rounds })
}

/// What there is to gain in each task before the first tree.
fn start_energies(data: &Data<'_>, model: &Model) -> Vec<f64> {
    let energy = |(task, head): (&Task, &Head)| {
        let scores = model.start[head.first..head.first + head.width].repeat(data.train.rows.len());
        let found = gradients(&[(task, 0)], &data.train.rows, &scores, head.width, Gradients::default());
        energies(&found).iter().sum()
    };
    data.tasks.iter().zip(&model.heads).map(energy).collect()
}

/// A fit under way.
struct Fit<'a> {
    data: &'a Data<'a>,
    options: &'a Boosting,
    callback: &'a mut dyn Callback,
    number: usize,
    validation: Vec<Option<f64>>,
    trees: Vec<usize>,
}

impl Fit<'_> {
    /// Boosts groups of tasks from where the model is and adds their trees to it; false if the callback ended the fit.
    fn phase(&mut self, model: &mut Model, groups: &[Vec<usize>], rounds: usize) -> Result<bool, TreesError> {
        let (data, options) = (self.data, self.options);
        let scores = |rows: &[usize]| model.scores(&data.features.take(rows));
        let energies = start_energies(data, model);
        let (train, validation) = (scores(&data.train.rows)?, scores(&data.validation.rows)?);
        let new = |tasks: &Vec<usize>| {
            Group::new(data, tasks, &model.heads, [&train, &validation], &energies, options.patience)
        };
        let mut groups: Vec<Group> = groups.iter().map(new).collect();
        let signs = data.signs(&options.growing)?;
        let mut weights: Vec<f64> = data.tasks.iter().map(|task| task.weight).collect();
        let mut goes_on = true;
        for _ in 0..rounds {
            if !groups.iter().any(Group::active) {
                break;
            }
            let mut losses = || {
                let mut losses: Vec<(usize, f64)> = groups.iter().flat_map(|group| group.losses(data)).collect();
                losses.sort_unstable_by_key(|loss| loss.0);
                losses.into_iter().map(|loss| loss.1).collect()
            };
            if let Some(given) = self.callback.task_weights(&mut losses) {
                if given.len() != weights.len() || given.iter().any(|weight| !(*weight >= 0.0 && weight.is_finite())) {
                    return Err(TreesError::Option("a callback's task weights must be one a task, 0 or more".into()));
                }
                weights = given;
            }
            let round = model.rounds;
            groups
                .par_iter_mut()
                .filter(|group| group.active())
                .try_for_each(|group| group.round(data, options, &signs, &weights, round))?;
            model.rounds += 1;
            self.number += 1;
            let mut members: Vec<_> = groups.iter().flat_map(|group| &group.members).collect();
            members.sort_unstable_by_key(|member| member.task);
            let losses: Vec<Option<f64>> = members.iter().map(|member| member.loss).collect();
            let active: Vec<bool> = members.iter().map(|member| member.active).collect();
            if self
                .callback
                .after_round(&Round { number: self.number, validation: &losses, active: &active })
                .is_break()
            {
                goes_on = false;
                break;
            }
        }
        for group in groups {
            for member in &group.members {
                self.trees[member.task] += member.stop.trees(group.trees.len());
                self.validation[member.task] = member.stop.loss();
            }
            model.trees.extend(group.finish());
        }
        Ok(goes_on)
    }
}
