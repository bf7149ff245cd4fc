//! Linear multi-task models: one weight vector a task, `W = [w_1 .. w_T]`, found together by
//!
//! ```text
//! minimise   sum_t  sum_r v_tr loss_t(x_r w_t + b_t, y_tr) / sum_r v_tr   +   strength * penalty(W)
//! ```
//!
//! Every task has rows and row weights `v` of its own: a missing label is a weight of 0. Intercepts are not penalised.
//! A [`Problem`] holds the data, a [`Penalty`] says what the tasks have in common, [`solve`] finds the one minimum by
//! accelerated proximal gradient, and [`strengths`] proposes a path of strengths. Arithmetic is in `f64`, nothing is
//! drawn at random, and the result has the same bits on any number of threads.
//!
//! ```
//! use polytask_linear::{Features, Labels, L21, Loss, Options, Problem, Task, solve};
//!
//! // Two tasks that both go by the first of two features.
//! let features = Features::numbers(4, vec![0.0, 1.0, 1.0, -1.0, 2.0, 1.0, 3.0, -1.0])?;
//! let task = |y: [f64; 4]| Task { loss: Loss::Squared, labels: Labels::Real(y.to_vec()), weights: vec![1.0; 4] };
//! let tasks = [task([0.0, 1.0, 2.0, 3.0]), task([1.0, 3.0, 5.0, 7.0])];
//! let problem = Problem::new(&features, &tasks, &[0, 1, 2, 3])?;
//! let found = solve(&problem, &L21::new(1.0)?, 0.1, &Options::default(), None);
//! assert!(found.weights.get(0, 0) > 0.9 && found.weights.get(0, 1) > 1.9);
//! assert_eq!(found.weights.row(1), [0.0, 0.0], "the second feature is out for both");
//! # Ok::<(), polytask_linear::LinearError>(())
//! ```

#![forbid(unsafe_code)]

mod error;
mod features;
mod gram;
mod groups;
mod loss;
mod path;
mod penalty;
mod problem;
mod ridge;
mod rows;
mod solve;
mod task;

pub use error::LinearError;
pub use features::Features;
pub use groups::groups;
pub use loss::{Labels, Loss};
pub use path::strengths;
pub use penalty::{Clustered, L21, Lasso, Penalty, Ridge, Split, Tied, Trace};
pub use penalty::{dirty, graph, mean, robust, sparse_low_rank};
pub use polytask_math::algebra::{Matrix, singular_values};
pub use problem::{Problem, losses};
pub use ridge::{Ridges, ridge};
pub use solve::{Options, Solution, solve};
pub use task::Task;
