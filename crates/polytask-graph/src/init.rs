//! Parameters and how they start.

use serde::{Deserialize, Serialize};

/// Position of a parameter in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ParameterId(pub usize);

/// The distribution a parameter starts from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Init {
    /// All the same.
    Constant(f32),
    /// Uniform in `[-bound, bound]`.
    Uniform(f32),
    /// Normal with mean 0 and this standard deviation.
    Normal(f32),
    /// Each row rises from -1 to 1 in equal steps.
    Steps,
    /// One row holds a value, the others another.
    Row {
        /// Which row.
        own: usize,
        /// What it holds.
        value: f32,
        /// What the others hold.
        others: f32,
    },
    /// A column of square blocks, each a multiple of the identity.
    Blocks {
        /// Which block.
        own: usize,
        /// What it is a multiple by.
        value: f32,
        /// What the others are a multiple by.
        others: f32,
    },
}

impl Init {
    /// Uniform with variance `2 / (fan_in + fan_out)` (Glorot and Bengio 2010).
    pub fn glorot(fan_in: usize, fan_out: usize) -> Self {
        Init::Uniform((6.0 / (fan_in + fan_out) as f32).sqrt())
    }

    /// Uniform with variance `2 / fan_in`, for rectifying activations (He et al. 2015).
    pub fn he(fan_in: usize) -> Self {
        Init::Uniform((6.0 / fan_in as f32).sqrt())
    }
}

/// What a parameter is for; L2 regularisation and weight decay act on weights and tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A matrix that multiplies features.
    Weight,
    /// An additive vector.
    Bias,
    /// A scale of features, or of whole inputs.
    Gain,
    /// A lookup table.
    Table,
    /// A running average of what was seen while training: kept with the parameters, not trained.
    Statistic,
}

/// A tensor that is trained, or kept with those that are.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Parameter {
    /// Unique within the graph, for example `trunk.0.weight`.
    pub name: String,
    /// Row-major shape; a dense weight is `[in, out]`.
    pub dims: Vec<usize>,
    /// Where it starts.
    pub init: Init,
    /// What it is for.
    pub role: Role,
    /// Its learning rate as a multiple of the run's; 0 leaves it as it starts, and spends nothing on its gradient.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rate: f32,
    /// Steps of a run before it begins to learn.
    #[serde(default, skip_serializing_if = "is_none")]
    pub held: u64,
    /// The values it starts at, in place of `init`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<Vec<f32>>,
    /// Starts as this earlier parameter of the same shape does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub twin: Option<ParameterId>,
}

fn one() -> f32 {
    1.0
}

fn is_none(steps: &u64) -> bool {
    *steps == 0
}

fn is_one(rate: &f32) -> bool {
    *rate == 1.0
}

impl Parameter {
    /// Number of scalars.
    pub fn len(&self) -> usize {
        self.dims.iter().product()
    }

    /// Whether steps move it: what is kept beside the parameters does not learn, nor what has a learning rate of 0.
    pub fn is_trained(&self) -> bool {
        self.role != Role::Statistic && self.rate > 0.0
    }

    /// Whether it holds no scalars.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
