//! Trees for many tasks at once.

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
