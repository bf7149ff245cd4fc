//! Trees for many tasks at once: gradient boosting and forests in which a tree has one structure and, in every leaf, a
//! value for each output of each task.
//!
//! Tasks can be of any mixture of kinds ([`Objective`]), and labels can be missing anywhere: a row without a label for a
//! task counts nothing for it.
//!
//! ```
//! use polytask_trees::{Boosting, Column, Features, Objective, Silent, Task, boost};
//!
//! // Two features, one with a gap and one of categories; a number and a yes or no that both go by them.
//! let rows = 200;
//! let numbers = (0..rows).map(|row| if row % 10 == 0 { f64::NAN } else { f64::from(row % 7) });
//! let features = Features::new(
//!     200,
//!     vec![Column::numbers(numbers), Column::Categories((0..200).map(|row| row / 5 % 4).collect())],
//! )?;
//! let height = (0..rows).map(|row| f64::from(row % 7 + 10 * (row / 5 % 2))).collect();
//! let tall = (0..rows).map(|row| if row % 3 == 0 { f64::NAN } else { f64::from(row / 5 % 2) }).collect();
//! let tasks = [Task::new(Objective::Squared, height), Task::new(Objective::Binary, tall)];
//!
//! // Three rows of four to train on; the others say when each task has enough trees.
//! let (train, validation): (Vec<usize>, Vec<usize>) = (0..200).partition(|row| row % 4 != 3);
//! let fitted = boost(&features, &tasks, &train, &validation, &Boosting::default(), &mut Silent)?;
//!
//! let predictions = fitted.model.predict(&features)?;
//! assert!((predictions.row(0, 6)[0] - 16.0).abs() < 0.5, "a number");
//! assert!(predictions.row(1, 6)[0] > 0.95, "a probability");
//!
//! // Why? Exact Shapley values, which add up to the score.
//! let why = fitted.model.contributions(&features.take(&[6]))?;
//! let sum: f64 = (0..2).map(|feature| why.get(0, feature, 0)).sum();
//! assert!((why.base[0] + sum - predictions.row(0, 6)[0]).abs() < 1e-9);
//! # Ok::<(), polytask_trees::TreesError>(())
//! ```
//!
//! # How trees are shared
//!
//! A split is chosen by the sum of the tasks' gains, each on its own scale ([`GainScale`]) and times its weight
//! ([`Task::weight`], or round by round from a [`Callback`], where a balancer fits in). What tasks have in common is
//! [`Sharing`]: everything, nothing, groups, or first everything and then trees of their own. Each task keeps the number
//! of trees that was best for it on validation rows; a task that has stopped no longer counts in the choice of splits.
//!
//! # How a tree grows
//!
//! 1. Columns are cut into at most 255 bins of a byte, once. Missing values have a bin of their own, and every split
//!    learns the side they go to.
//! 2. Each round, gradients and Hessians of all outputs are rounded to 16 bits, each output on its own scale. Histograms
//!    of these are sums of integers, so they are the same in any order: **same seed, same bits on any number of
//!    threads**.
//! 3. The histogram of a node's larger child is its own minus that of the smaller. A cell has all outputs side by side,
//!    so one pass over a column's bins serves all tasks.
//! 4. Leaf values are Newton steps from gradients that are not rounded (quantiles of residuals for
//!    [`Objective::Absolute`] and [`Objective::Quantile`]).
//!
//! Categories are split into sets: in every node they are put in the order of their leaf values (for several outputs,
//! along the direction in which categories differ most), and the best prefix is taken.
//!
//! [`forest`] averages trees that are grown by the same code on rows drawn with replacement, or on random thresholds, and
//! says what trees predict for rows that they did not see.

#![forbid(unsafe_code)]

mod binning;
mod boost;
mod error;
mod features;
mod forest;
mod grow;
mod loss;
mod model;
mod options;
mod random;
mod shap;
mod task;

pub use boost::{Callback, Fitted, Round, Silent, boost, resume};
pub use error::TreesError;
pub use features::{Column, Features, MISSING};
pub use forest::{Grown, forest};
pub use model::{Head, Kind, Model, Node, Predictions, Predictor, Schema, Test, Tree};
pub use options::{Boosting, DEEPEST, Forest, GainScale, Growing, Growth, Monotone, Sharing, Sketch, Thresholds};
pub use shap::Contributions;
pub use task::{Objective, Task};
