//! Forests: the average of trees that are grown without regard to one another (Breiman 2001).
//!
//! Every output is grown by squared error on its label, one 0 or 1 a class: for classes this is the Gini impurity, and
//! leaves hold shares. With quantiles and medians the leaf values are those of labels.

use rayon::prelude::*;

use crate::boost::data::Data;
use crate::boost::heads;
use crate::grow::{Grower, Residual, Statistics, Valued, values};
use crate::loss::{self, target};
use crate::model::{Kind, Schema, Tree};
use crate::random::{Random, Use};
use crate::{Callback, Features, Fitted, Forest, Head, Model, Objective, Predictions, Round, Task, TreesError};

/// Trees that are grown before the callback is asked again; not the number of threads, so that it is asked as often
/// on every machine.
const BATCH: usize = 16;

/// A forest, and what its trees say of rows that they did not see.
#[derive(Clone, Debug, PartialEq)]
pub struct Grown {
    /// The model; `validation` is empty of losses.
    pub fitted: Fitted,
    /// Predictions for the training rows, in their order, by the trees that a row was not drawn for. `None` without
    /// bootstrap.
    pub out_of_bag: Option<Predictions>,
    /// For every training row and task the number of those trees; where it is 0, the prediction is the start.
    pub out_of_bag_trees: Vec<Vec<u32>>,
}

/// Tasks that share trees, and what their trees are grown on.
struct Part<'a> {
    tasks: &'a [usize],
    outputs: Vec<u32>,
    rows: Vec<u32>,
    gradients: Vec<f32>,
    hessians: Vec<f32>,
    statistics: Statistics,
    signs: Vec<Option<Vec<i8>>>,
}

/// One tree, and the leaves of rows that it was not grown with.
struct One {
    tree: Tree,
    unseen: Vec<(u32, u32)>,
}

/// Grows a forest for all tasks at once.
///
/// # Errors
/// Labels, weights or options that cannot be used; see [`TreesError`].
pub fn forest(
    features: &Features,
    tasks: &[Task],
    train: &[usize],
    options: &Forest,
    callback: &mut dyn Callback,
) -> Result<Grown, TreesError> {
    options.check(tasks.len())?;
    let data = Data::new(features, tasks, train, &[], options.growing.max_bins)?;
    let heads = heads(tasks);
    let start: Vec<f64> = tasks.iter().flat_map(|task| start(task, train)).collect();
    let groups = options.sharing.groups(tasks.len());
    let parts =
        groups.iter().map(|group| part(&data, options, &heads, &start, group)).collect::<Result<Vec<_>, _>>()?;
    let columns = data.bins.iter().map(Schema::new).collect();
    let mut model = Model { kind: Kind::Forest, columns, heads, start, trees: Vec::new(), rounds: 0 };
    let width = model.outputs();
    let mut sums = if options.bootstrap { vec![0.0; train.len() * width] } else { Vec::new() };
    let mut counts = if options.bootstrap { vec![vec![0; train.len()]; tasks.len()] } else { Vec::new() };
    let none = vec![None; tasks.len()];
    let active = vec![true; tasks.len()];
    while model.rounds < options.trees {
        let end = (model.rounds + BATCH).min(options.trees);
        let jobs: Vec<(usize, &Part<'_>)> =
            (model.rounds..end).flat_map(|tree| parts.iter().map(move |part| (tree, part))).collect();
        let grown: Vec<One> = jobs.par_iter().map(|(tree, part)| one(&data, options, &model, part, *tree)).collect();
        for (One { tree, unseen }, (_, part)) in grown.into_iter().zip(&jobs) {
            for (row, leaf) in unseen {
                let sums = &mut sums[row as usize * width..][..width];
                tree.outputs
                    .iter()
                    .zip(tree.leaf(leaf as usize))
                    .for_each(|(&output, &value)| sums[output as usize] += f64::from(value));
                part.tasks.iter().for_each(|&task| counts[task][row as usize] += 1);
            }
            model.trees.push(tree);
        }
        model.rounds = end;
        if callback.after_round(&Round { number: end, validation: &none, active: &active }).is_break() {
            break;
        }
    }
    let share = 1.0 / model.rounds as f64;
    model
        .trees
        .iter_mut()
        .flat_map(|tree| &mut tree.values)
        .for_each(|value| *value = (f64::from(*value) * share) as f32);
    let out_of_bag = options.bootstrap.then(|| unseen(&model, sums, &counts));
    let trees = vec![model.rounds; tasks.len()];
    let rounds = model.rounds;
    Ok(Grown { fitted: Fitted { model, trees, validation: none, rounds }, out_of_bag, out_of_bag_trees: counts })
}

/// Averages over the trees that did not see a row.
fn unseen(model: &Model, mut sums: Vec<f64>, counts: &[Vec<u32>]) -> Predictions {
    for (row, sums) in sums.chunks_exact_mut(model.outputs().max(1)).enumerate() {
        for (head, counts) in model.heads.iter().zip(counts) {
            let outputs = head.first..head.first + head.width;
            for (sum, start) in sums[outputs.clone()].iter_mut().zip(&model.start[outputs]) {
                *sum = start + *sum / f64::from(counts[row].max(1));
            }
        }
    }
    Predictions::new(model, sums)
}

/// Mean labels, or their quantile.
fn start(task: &Task, rows: &[usize]) -> Vec<f64> {
    if task.objective.leaf_quantile().is_some() {
        return loss::start(task, rows);
    }
    let mean = |output: usize| {
        let (mut sum, mut total) = (0.0, 0.0);
        for &row in rows {
            if let Some(target) = target(&task.objective, task.row_labels(row), output) {
                let weight = f64::from(task.row_weight(row));
                sum += weight * target;
                total += weight;
            }
        }
        if total > 0.0 { sum / total } else { 0.0 }
    };
    (0..task.objective.width()).map(mean).collect()
}

fn part<'a>(
    data: &Data<'_>,
    options: &Forest,
    heads: &[Head],
    start: &[f64],
    tasks: &'a [usize],
) -> Result<Part<'a>, TreesError> {
    let outputs: Vec<u32> = tasks
        .iter()
        .flat_map(|&task| heads[task].first..heads[task].first + heads[task].width)
        .map(|output| output as u32)
        .collect();
    let width = outputs.len();
    let mut gradients = vec![0.0f32; data.train.rows.len() * width];
    let mut hessians = gradients.clone();
    for (place, &row) in data.train.rows.iter().enumerate() {
        let mut at = place * width;
        for &task in tasks {
            let task_data = &data.tasks[task];
            let weight = f64::from(task_data.row_weight(row));
            for output in 0..heads[task].width {
                if let Some(target) = target(&task_data.objective, task_data.row_labels(row), output) {
                    gradients[at] = (weight * (start[heads[task].first + output] - target)) as f32;
                    hessians[at] = weight as f32;
                }
                at += 1;
            }
        }
    }
    let counts = |row: &usize| tasks.iter().any(|&task| data.tasks[task].counts(*row));
    let rows: Vec<u32> = (0..).zip(&data.train.rows).filter(|(_, row)| counts(row)).map(|(place, _)| place).collect();
    let factors = factors(data, options, heads, tasks, &gradients, &hessians);
    let statistics = Statistics::new(width, [&gradients, &hessians], &rows, &factors, Vec::new());
    let signs = data.signs(&options.growing)?;
    let signs = signs
        .iter()
        .map(|signs| signs.as_ref().map(|signs| tasks.iter().flat_map(|&task| signs[task].iter().copied()).collect()))
        .collect();
    Ok(Part { tasks, outputs, rows, gradients, hessians, statistics, signs })
}

/// Factors of the outputs' gains: a task's weight over what there is to gain.
fn factors(
    data: &Data<'_>,
    options: &Forest,
    heads: &[Head],
    tasks: &[usize],
    gradients: &[f32],
    hessians: &[f32],
) -> Vec<f64> {
    let width: usize = tasks.iter().map(|&task| heads[task].width).sum();
    let mut first = 0;
    let mut factors = Vec::with_capacity(width);
    for &task in tasks {
        let outputs = first..first + heads[task].width;
        let squares = |(gradient, hessian): (&[f32], &[f32])| {
            let square = |output: usize| {
                if hessian[output] > 0.0 {
                    f64::from(gradient[output]).powi(2) / f64::from(hessian[output])
                } else {
                    0.0
                }
            };
            outputs.clone().map(square).sum::<f64>()
        };
        let energy: f64 = gradients.chunks_exact(width).zip(hessians.chunks_exact(width)).map(squares).sum();
        let unit = if options.scale == crate::GainScale::Raw { 1.0 } else { energy };
        factors.extend(std::iter::repeat_n(
            if unit > 0.0 { data.tasks[task].weight / unit } else { 0.0 },
            heads[task].width,
        ));
        first = outputs.end;
    }
    factors
}

fn one(data: &Data<'_>, options: &Forest, model: &Model, part: &Part<'_>, number: usize) -> One {
    let name = part.tasks[0];
    let rows = match options.bootstrap {
        true => {
            let mut random = Random::new(options.seed, Use::Rows, &[number, name]);
            let mut rows: Vec<u32> = (0..part.rows.len()).map(|_| part.rows[random.below(part.rows.len())]).collect();
            rows.sort_unstable();
            rows
        }
        false => part.rows.clone(),
    };
    let features = match options.growing.features_per_tree {
        some if some < 1.0 => {
            let count = ((some * data.usable.len() as f64).ceil() as usize).max(1);
            let chosen = Random::new(options.seed, Use::Round, &[number, name]).choose(data.usable.len(), count);
            chosen.into_iter().map(|place| data.usable[place as usize]).collect()
        }
        _ => data.usable.clone(),
    };
    let grower = Grower {
        matrix: &data.train.matrix,
        bins: &data.bins,
        growing: &options.growing,
        statistics: &part.statistics,
        features: &features,
        signs: &part.signs,
        seed: options.seed ^ ((name as u64) << 32),
        tree: number,
    };
    let structure = grower.grow(rows);
    let residual = |task: usize, place: u32| {
        let (data_task, row) = (&data.tasks[task], data.train.rows[place as usize]);
        let residual = data_task.row_labels(row)[0] - model.start[model.heads[task].first];
        data_task.counts(row).then(|| (residual, f64::from(data_task.row_weight(row))))
    };
    let residuals: Vec<_> = part
        .tasks
        .iter()
        .map(|&task| {
            let residual = &residual;
            move |place: u32| residual(task, place)
        })
        .collect();
    let outputs: Vec<Valued<'_>> = part
        .tasks
        .iter()
        .zip(&residuals)
        .flat_map(|(&task, residual)| {
            let objective: Objective = model.heads[task].objective;
            (0..model.heads[task].width).map(move |_| Valued {
                quantile: objective.leaf_quantile().map(|level| (level, residual as &Residual)),
                longest: f64::INFINITY,
            })
        })
        .collect();
    let values = values(&structure, &outputs, &part.gradients, &part.hessians, options.growing.l2, 1.0);
    let unseen = if options.bootstrap {
        let mut seen = vec![false; data.train.rows.len()];
        structure.rows.iter().for_each(|&row| seen[row as usize] = true);
        let leaf = |row: usize| (row as u32, structure.leaf(&data.train.matrix, row) as u32);
        (0..seen.len()).filter(|&row| !seen[row]).map(leaf).collect()
    } else {
        Vec::new()
    };
    let covers = structure.leaves.iter().map(|leaf| (leaf.end - leaf.first) as u32).collect();
    One { tree: Tree { outputs: part.outputs.clone(), nodes: structure.nodes(&data.bins), values, covers }, unseen }
}
