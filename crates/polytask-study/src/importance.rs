//! Permutation importance: how much worse each task gets when the values of an input are permuted between rows (Breiman
//! 2001; Fisher et al. 2019).

use crate::Error;
use indexmap::IndexMap;
use polytask_data::Random;
use polytask_model::Dataset;
use polytask_model::inputs::Code;
use polytask_model::metric::Better;
use polytask_model::model::Model;
use polytask_model::tasks::Truth;
use serde::Serialize;

/// How to measure.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Times that the values of an input are permuted; at least one.
    pub repeats: u64,
    /// Rows at most; a sample of more is drawn.
    pub rows: usize,
    /// Of the permutations and of the sample.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Options { repeats: 5, rows: 5000, seed: 0 }
    }
}

/// The answer.
#[derive(Clone, Debug, Serialize)]
pub struct Importance {
    /// Rows it was measured on.
    pub rows: usize,
    /// Times that the values of each input were permuted.
    pub repeats: u64,
    /// By task.
    pub tasks: IndexMap<String, TaskImportance>,
    /// Inputs that cannot be permuted: the text whose tokens are labelled, images where there are several.
    pub left_out: Vec<String>,
}

/// What the inputs are to a task.
#[derive(Clone, Debug, Serialize)]
pub struct TaskImportance {
    /// The metric that stands for the task.
    pub metric: &'static str,
    /// With all inputs as they are; none where the metric is not defined on the rows.
    pub score: Option<f64>,
    /// By input column, the most important first.
    pub inputs: IndexMap<String, Drop>,
}

/// How much worse a task gets.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Drop {
    /// Mean over the repeats of the change of the metric, turned so that positive is worse: what the input is worth to the
    /// model, in units of the metric.
    pub mean: f64,
    /// Standard deviation over the repeats.
    pub std: f64,
}

/// Measures how much a model leans on each of its inputs, on the given rows, which should be none that it was trained on.
/// `data` has the labels of the model's tasks in their order.
///
/// Inputs that tell the same have little importance each, since the model can read off the one what the other would say.
///
/// # Errors
/// An image that could be read before and cannot be now.
pub fn importance(model: &Model, data: &Dataset, rows: &[u32], options: Options) -> Result<Importance, Error> {
    let mut rows = rows.to_vec();
    if rows.len() > options.rows {
        Random::numbered(options.seed, 0).shuffle(&mut rows);
        rows.truncate(options.rows.max(2));
        rows.sort_unstable();
    }
    let repeats = options.repeats.max(1);
    let images = model.encoder.images().count();
    let can = |code: &Code, column: &str| match code {
        Code::Image(_) => images == 1,
        Code::Number(_)
        | Code::Boolean(_)
        | Code::Category(_)
        | Code::Date(_)
        | Code::Text(_)
        | Code::Encoded(_)
        | Code::Seen(_)
        | Code::Own(_) => model.encoder.tokens.as_deref() != Some(column),
    };
    let (able, unable): (Vec<_>, Vec<_>) =
        model.encoder.columns().into_iter().partition(|input| can(&input.code, &input.column));
    let mut work = data.clone();
    let before = scores(model, &work, &rows, None)?;
    let mut drops: Vec<IndexMap<String, Vec<f64>>> = vec![IndexMap::new(); model.tasks.len()];
    for (i, input) in able.into_iter().enumerate() {
        // Of an image it is the other way round: all else is permuted, and the images stay where they are.
        let image = matches!(input.code, Code::Image(_));
        let permuted = model.encoder.columns().into_iter().filter(|other| (other.column == input.column) != image);
        let permuted: Vec<&str> = permuted.map(|input| input.column.as_str()).collect();
        let permute = |data: &mut Dataset, order: &[u32]| {
            for column in &permuted {
                data.features.permute(&model.encoder, column, &rows, order);
            }
        };
        for repeat in 0..repeats {
            let mut order: Vec<u32> = (0..rows.len() as u32).collect();
            Random::numbered(options.seed, 1 + i as u64 * repeats + repeat).shuffle(&mut order);
            let mut back = vec![0; order.len()];
            order.iter().enumerate().for_each(|(place, from)| back[*from as usize] = place as u32);
            permute(&mut work, &order);
            let after = scores(model, &work, &rows, image.then_some(&order))?;
            permute(&mut work, &back);
            for (((task, drops), before), after) in model.tasks.iter().zip(&mut drops).zip(&before).zip(after) {
                if let (Some(before), Some(after)) = (before, after) {
                    let sign = if task.outcome().primary().1 == Better::Higher { 1.0 } else { -1.0 };
                    drops.entry(input.column.clone()).or_default().push(sign * (before - after));
                }
            }
        }
    }
    let tasks = model.tasks.iter().zip(drops).zip(before).map(|((task, drops), score)| {
        let drop =
            |values: Vec<f64>| Drop { mean: crate::compare::mean(&values), std: crate::compare::deviation(&values) };
        let mut inputs: IndexMap<String, Drop> = drops.into_iter().map(|(name, values)| (name, drop(values))).collect();
        inputs.sort_by(|_, a, _, b| b.mean.total_cmp(&a.mean));
        (task.name.clone(), TaskImportance { metric: task.outcome().primary().0, score, inputs })
    });
    Ok(Importance {
        rows: rows.len(),
        repeats,
        tasks: tasks.collect(),
        left_out: unable.into_iter().map(|input| input.column.clone()).collect(),
    })
}

/// Each task's score; the labels are permuted by `order` where there is one.
fn scores(model: &Model, data: &Dataset, rows: &[u32], order: Option<&Vec<u32>>) -> Result<Vec<Option<f64>>, Error> {
    let predictions = model.predict_judged(data, rows)?;
    let scores = model.tasks.iter().zip(&data.labels).zip(&predictions).map(|((task, labels), prediction)| {
        let mut truth: Truth = labels.truth.select(rows);
        if let Some(order) = order {
            truth = truth.select(order);
        }
        task.outcome().score(&truth, prediction).value(task.outcome().primary().0)
    });
    Ok(scores.collect())
}
