//! The sections of a config, one a file: their keys, defaults and checks. Types alone, which know nothing of what is made of
//! them; the whole is a [`Config`](crate::config::Config).

pub(crate) mod criterion;
mod data;
pub(crate) mod environment;
mod error;
mod family;
mod image;
mod inputs;
pub(crate) mod key;
mod layer;
mod loss;
mod mixing;
mod numbers;
mod scalar;
mod schedule;
mod sequence;
pub(crate) mod shorthand;
mod strength;
mod tasks;
mod text;
mod time;
mod train;
mod trunk;
mod tune;

pub use criterion::Criterion;
pub use data::{DataConfig, FileConfig, Part, Split};
pub use error::{ConfigError, KeyError, Place, Problem, dotted};
pub use family::{Candidates, Direction, Family, Preset, TreesConfig, TreesMethod, TreesSharing};
pub use image::{Augment, Flip, ImageFit, ImageSize, LabelsConfig, OnError};
pub use inputs::{Embedding, InputConfig, InputKind, Subwords};
pub use layer::Activation;
pub(crate) use layer::check_widths;
pub use loss::{Balance, Level, LossConfig};
pub use mixing::Mixing;
pub use numbers::{NumberEmbedding, NumberScale, NumbersModel};
pub use schedule::Schedule;
pub use sequence::{Along, SequenceLayer};
pub(crate) use shorthand::Shorthand;
pub use strength::Strength;
pub use tasks::{ClassWeights, Ignored, Label, Role, TaskConfig, TaskKind, TaskLoss};
pub use text::{Positions, TextEncoder, TextModel, TextPool};
pub use time::Time;
pub use train::{Batch, Length, Optimizer, OptimizerName, TrainConfig};
pub use trunk::{ImageLayer, Layer, Norm, Pooling, Resnet, Trunk, Word};
pub use tune::{Range, Tune, Values};
