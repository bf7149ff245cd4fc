//! Intervals and sets that hold the label with a stated probability: split conformal prediction (Vovk, Gammerman and Shafer,
//! "Algorithmic Learning in a Random World", 2005; Lei et al., "Distribution-free predictive inference", 2018).
//!
//! What a model was wrong by on rows that it was not fitted on says how wide an interval must be: with `n` of them and a
//! level of `l`, the `ceil((n + 1) l)`-th smallest mistake is exceeded by a new row with a probability of at most `1 - l`, if
//! the rows are exchangeable (drawn alike, in any order). For several tasks at once a row's mistake is the largest of the
//! ranks that its mistakes have among those of their tasks, so that quantities and classes go together.

use crate::files::{self, FileError};
use crate::tasks::{Kind, Prediction, Task, Truth};
use polytask_data::MISSING;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// The file in the model directory.
pub const CONFORMAL: &str = "conformal.json";

/// Mistakes that are kept of a task; of more, as many evenly spaced ones, the largest among them.
const MOST: usize = 10_000;

/// Which rows the mistakes are from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldOut {
    /// The validation rows. They chose the best state of a network or the number of trees, which makes mistakes there a
    /// little smaller than on new rows.
    Validation,
    /// All rows but those for testing, each predicted by the models of an ensemble that were not fitted on it.
    Folds,
}

/// What a model's mistakes on held-out rows were.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conformal {
    /// Which rows.
    pub rows: HeldOut,
    /// In the order of the model's tasks; none of tasks that label tokens or pixels, or of several labels.
    tasks: Vec<Option<Mistakes>>,
    /// The largest rank among the tasks, of the rows that have a label of each, ascending.
    joint: Vec<f64>,
}

/// The mistakes of a task, ascending: absolute differences of quantities, one less the probability of the right class.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Mistakes {
    task: String,
    sizes: Vec<f64>,
}

/// What an interval or set is made by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A quantity is within so much of its prediction; a `least` value it cannot fall below.
    Within {
        /// Half the width of the interval.
        width: f64,
        /// 0 of counts.
        least: f64,
    },
    /// The classes of at least this probability.
    Likely(f64),
    /// Nothing can be said of such a task.
    Unknown,
}

/// Why no interval can be given.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum Unbounded {
    /// Not a probability.
    #[error("an interval's level is {0}; it must be above 0 and below 1, such as 0.9")]
    Level(f64),
    /// Too few rows to tell so small a chance.
    #[error("`{task}` has {have} held-out labels, and a level of {level} needs {need}")]
    Few {
        /// The task, or all of them.
        task: String,
        /// The level that was asked for.
        level: f64,
        /// Held-out labels.
        have: usize,
        /// How many it takes.
        need: usize,
    },
    /// Made without held-out rows, or by an older program.
    #[error("{0} holds no mistakes on held-out rows, which intervals are made of")]
    None(std::path::PathBuf),
    /// It belongs to another model.
    #[error("{0} is damaged: it is of other tasks than the model")]
    Other(std::path::PathBuf),
    /// It cannot be read.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl Unbounded {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Unbounded::Few { have, .. } => {
                let most = *have as f64 / (*have as f64 + 1.0);
                return Some(format!(
                    "ask for a level of at most {:.3}, or train with more validation rows",
                    most - 5e-4
                ));
            }
            Unbounded::None(_) => "train the model again, with validation rows (`data.split.valid`)",
            Unbounded::Level(_) | Unbounded::Other(_) | Unbounded::File { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

impl Conformal {
    /// From predictions for held-out rows and their labels, by task; none where no task has any.
    pub fn new(tasks: &[Task], truths: &[Truth], predictions: &[Prediction], rows: HeldOut) -> Option<Self> {
        let all: Vec<Option<Vec<f64>>> =
            truths.iter().zip(predictions).map(|(truth, prediction)| mistakes(truth, prediction)).collect();
        let sorted: Vec<Option<Vec<f64>>> = all.iter().map(|own| own.as_deref().map(ascending)).collect();
        let usable: Vec<(&Vec<f64>, &Vec<f64>)> = all.iter().flatten().zip(sorted.iter().flatten()).collect();
        let count = usable.first().map_or(0, |(own, _)| own.len());
        let rank = |row: usize| {
            let of = |(own, sorted): &(&Vec<f64>, &Vec<f64>)| {
                let below = sorted.partition_point(|size| *size <= own[row]);
                (!own[row].is_nan()).then(|| below as f64 / sorted.len() as f64)
            };
            usable.iter().map(of).try_fold(0.0, |most: f64, rank| Some(most.max(rank?)))
        };
        let joint: Vec<f64> = (0..count).filter_map(rank).collect();
        let kept = |(task, sizes): (&Task, Option<Vec<f64>>)| {
            let sizes = sizes.filter(|sizes| !sizes.is_empty())?;
            Some(Mistakes { task: task.name.clone(), sizes: thinned(sizes) })
        };
        let tasks: Vec<Option<Mistakes>> = tasks.iter().zip(sorted).map(kept).collect();
        let any = tasks.iter().any(Option::is_some);
        any.then(|| Conformal { rows, tasks, joint: thinned(ascending(&joint)) })
    }

    /// Reads that of a model directory.
    ///
    /// # Errors
    /// There is none, or it is of other tasks.
    pub fn load(folder: &Path, tasks: &[Task]) -> Result<Self, Unbounded> {
        let path = files::find(folder, CONFORMAL);
        if !path.exists() {
            return Err(Unbounded::None(folder.to_owned()));
        }
        let text = files::read_text(&path);
        let text =
            text.map_err(|error: FileError| Unbounded::File { path: path.clone(), reason: error.to_string() })?;
        let own: Conformal = serde_json::from_str(&text)
            .map_err(|error| Unbounded::File { path: path.clone(), reason: error.to_string() })?;
        let named = |(own, task): (&Option<Mistakes>, &Task)| own.as_ref().is_none_or(|own| own.task == task.name);
        let sorted = |sizes: &[f64]| sizes.is_sorted() && sizes.iter().all(|size| size.is_finite());
        let sound = own.tasks.len() == tasks.len()
            && own.tasks.iter().zip(tasks).all(named)
            && own.tasks.iter().flatten().all(|own| !own.sizes.is_empty() && sorted(&own.sizes))
            && sorted(&own.joint);
        if sound { Ok(own) } else { Err(Unbounded::Other(path)) }
    }

    /// What holds each task's label of a new row with a probability of at least `level`; with `joint`, those of all its tasks
    /// at once.
    ///
    /// # Errors
    /// A level that is no probability between 0 and 1, or too few held-out labels for it.
    pub fn bounds(&self, tasks: &[Task], level: f64, joint: bool) -> Result<Vec<Bound>, Unbounded> {
        if !(level > 0.0 && level < 1.0) {
            return Err(Unbounded::Level(level));
        }
        let shared = match joint {
            true => Some(quantile(&self.joint, level).ok_or_else(|| few("all tasks", level, self.joint.len()))?),
            false => None,
        };
        let of = |(task, own): (&Task, &Option<Mistakes>)| {
            let Some(own) = own else { return Ok(Bound::Unknown) };
            let size = match shared {
                // The mistake of that rank.
                Some(rank) => {
                    let place = (rank * own.sizes.len() as f64 - 1e-9).ceil().max(1.0) as usize;
                    own.sizes.get(place - 1).or(own.sizes.last()).copied()
                }
                None => quantile(&own.sizes, level),
            };
            let size = size.ok_or_else(|| few(&task.name, level, own.sizes.len()))?;
            Ok(match &task.kind {
                Kind::Binary(_) | Kind::Category(_) | Kind::Ordinal(_) => Bound::Likely(1.0 - size),
                Kind::Count(_) => Bound::Within { width: size, least: 0.0 },
                Kind::Regression(_) => Bound::Within { width: size, least: f64::NEG_INFINITY },
                // They have no mistakes of this kind.
                Kind::Survival(_)
                | Kind::Multilabel(_)
                | Kind::Tags(_)
                | Kind::TokenCategory(_)
                | Kind::Predicates(_)
                | Kind::Senses(_)
                | Kind::Roles(_)
                | Kind::Arcs(_)
                | Kind::Segmentation(_)
                | Kind::PixelRegression(_)
                | Kind::Own(_) => Bound::Unknown,
            })
        };
        tasks.iter().zip(&self.tasks).map(of).collect()
    }
}

impl Conformal {
    /// The highest level that the held-out labels are enough for; with `joint`, of all tasks at once. None where no task has
    /// intervals.
    pub fn highest_level(&self, joint: bool) -> Option<f64> {
        let fewest = self.tasks.iter().flatten().map(|own| own.sizes.len()).min()?;
        let rows = if joint { self.joint.len() } else { fewest };
        (rows > 0).then(|| rows as f64 / (rows + 1) as f64)
    }
}

impl Bound {
    /// The interval about a prediction, of a quantity.
    pub fn interval(&self, value: f64) -> Option<[f64; 2]> {
        match self {
            Bound::Within { width, least } => Some([(value - width).max(*least), value + width]),
            Bound::Likely(_) | Bound::Unknown => None,
        }
    }

    /// The places of the classes in the set, of a row's probabilities: the most likely one at least.
    pub fn set(&self, probabilities: &[f64]) -> Vec<usize> {
        let Bound::Likely(least) = self else { return Vec::new() };
        let best = (0..probabilities.len()).max_by(|a, b| probabilities[*a].total_cmp(&probabilities[*b]));
        (0..probabilities.len()).filter(|at| Some(*at) == best || probabilities[*at] >= *least).collect()
    }
}

fn few(task: &str, level: f64, have: usize) -> Unbounded {
    // The (n + 1) l-th of n is there from n = l / (1 - l) on, give or take a rounding.
    let about = ((level / (1.0 - level)).floor() as usize).max(2) - 1;
    let need = (about..).find(|rows| place(*rows, level) <= *rows).unwrap_or(usize::MAX);
    Unbounded::Few { task: task.to_owned(), level, have, need }
}

/// The `ceil((n + 1) level)`-th smallest; none where that is beyond the largest.
fn quantile(sorted: &[f64], level: f64) -> Option<f64> {
    sorted.get(place(sorted.len(), level) - 1).copied()
}

/// Which of so many, counted from 1.
fn place(rows: usize, level: f64) -> usize {
    ((rows + 1) as f64 * level - 1e-9).ceil().max(1.0) as usize
}

/// By row, how far a prediction was off; NaN where that is not known. None of tasks that nothing can be said of.
fn mistakes(truth: &Truth, prediction: &Prediction) -> Option<Vec<f64>> {
    match (truth, prediction) {
        (Truth::Numbers(truth), Prediction::Numbers(values)) => {
            Some(truth.iter().zip(values).map(|(truth, value)| (truth - value).abs()).collect())
        }
        (Truth::Classes(truth), Prediction::Classes { labels, probabilities, .. }) => {
            let width = labels.len().max(1);
            let of = |(class, row): (&u32, &[f64])| match *class {
                MISSING => f64::NAN,
                // A class that training never saw is as wrong as can be.
                class => row.get(class as usize).map_or(1.0, |p| 1.0 - p),
            };
            Some(truth.iter().zip(probabilities.chunks_exact(width)).map(of).collect())
        }
        _ => None,
    }
}

fn ascending(sizes: &[f64]) -> Vec<f64> {
    let mut known: Vec<f64> = sizes.iter().copied().filter(|size| size.is_finite()).collect();
    known.sort_by(f64::total_cmp);
    known
}

fn thinned(sizes: Vec<f64>) -> Vec<f64> {
    if sizes.len() <= MOST {
        return sizes;
    }
    (1..=MOST).map(|i| sizes[i * sizes.len() / MOST - 1]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_math::seed::SplitMix64;

    fn known(sizes: &[f64]) -> Mistakes {
        Mistakes { task: "t".to_owned(), sizes: ascending(sizes) }
    }

    #[test]
    fn the_quantile_counts_the_new_row() {
        let sizes: Vec<f64> = (1..=9).map(f64::from).collect();
        assert_eq!(quantile(&sizes, 0.9), Some(9.0), "the ninth of nine and a new one");
        assert_eq!(quantile(&sizes, 0.5), Some(5.0));
        assert_eq!(quantile(&sizes, 0.91), None, "ten would be needed");
        assert!(matches!(few("t", 0.9, 8), Unbounded::Few { need: 9, .. }));
        assert!(matches!(few("t", 0.95, 8), Unbounded::Few { need: 19, .. }));
    }

    #[test]
    fn levels_are_kept_over_many_draws() {
        // Two tasks whose mistakes hang together, 60 rows to learn the width from, 4,000 draws of a new row.
        let draw = |stream: u64| {
            let mut random = SplitMix64::of(7, &[stream]);
            let (a, b) = (random.unit(), random.unit());
            [a * a, 10.0 * (0.5 * a + 0.5 * b)]
        };
        let level = 0.8;
        let (mut each, mut all) = ([0.0; 2], 0.0);
        let trials = 4_000u64;
        for trial in 0..trials {
            let rows: Vec<[f64; 2]> = (0..60).map(|row| draw(trial * 100 + row)).collect();
            let own = [0, 1].map(|task| known(&rows.iter().map(|row| row[task]).collect::<Vec<_>>()));
            let rank = |row: &[f64; 2]| {
                let of = |task: usize| own[task].sizes.partition_point(|size| *size <= row[task]) as f64 / 60.0;
                of(0).max(of(1))
            };
            let joint = ascending(&rows.iter().map(rank).collect::<Vec<_>>());
            let new = draw(trial * 100 + 99);
            let shared = quantile(&joint, level).unwrap();
            let at = |task: usize| own[task].sizes[(shared * 60.0 - 1e-9).ceil() as usize - 1];
            (0..2).for_each(|task| {
                each[task] += f64::from(u8::from(new[task] <= quantile(&own[task].sizes, level).unwrap()))
            });
            all += f64::from(u8::from(new[0] <= at(0) && new[1] <= at(1)));
        }
        // Three standard errors of 4,000 draws are .019; the guarantee is one-sided, and above by 1 in 61 at most.
        for covered in [each[0], each[1], all] {
            let share = covered / trials as f64;
            assert!(share > level - 0.019 && share < level + 1.0 / 61.0 + 0.03, "{each:?} {all}");
        }
    }

    #[test]
    fn sets_hold_the_likeliest_class() {
        let bound = Bound::Likely(0.3);
        assert_eq!(bound.set(&[0.5, 0.3, 0.2]), [0, 1]);
        assert_eq!(bound.set(&[0.26, 0.25, 0.25, 0.24]), [0], "never empty");
        assert_eq!(Bound::Within { width: 2.0, least: 0.0 }.interval(1.0), Some([0.0, 3.0]));
        assert_eq!(Bound::Unknown.interval(1.0), None);
    }

    #[test]
    fn many_mistakes_are_thinned_to_the_same_quantiles() {
        let sizes: Vec<f64> = (1..=100_000).map(f64::from).collect();
        let few = thinned(sizes.clone());
        assert_eq!((few.len(), few.last()), (MOST, sizes.last()));
        let (a, b) = (quantile(&sizes, 0.9).unwrap(), quantile(&few, 0.9).unwrap());
        assert!((a - b).abs() <= 20.0, "{a} {b}");
    }
}
