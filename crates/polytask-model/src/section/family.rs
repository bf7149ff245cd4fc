//! `model.family`, `model.preset` and `model.trees`: which family of models is fitted, and how much is tried.

use super::error::Problem;
use indexmap::IndexMap;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A family of models.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// An ensemble for tables, a network for texts and images, and wherever a key of networks is set.
    #[default]
    Auto,
    /// Networks; with `model.sharing = "linear"` linear models.
    Network,
    /// Boosted trees or a forest.
    Trees,
    /// Trees, networks and linear models, joint and independent, whose predictions are averaged with weights of their own
    /// for every task.
    Ensemble,
}

impl Family {
    /// The word in a config.
    pub fn word(self) -> &'static str {
        match self {
            Family::Auto => "auto",
            Family::Network => "network",
            Family::Trees => "trees",
            Family::Ensemble => "ensemble",
        }
    }
}

/// How much an ensemble tries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// One holdout, few candidates.
    Fast,
    /// Every family, bagged over folds.
    #[default]
    Good,
    /// More folds and more candidates, at several times the price.
    Best,
}

/// Which candidates an ensemble of several tasks has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Candidates {
    /// Joint and independent ones.
    #[default]
    All,
    /// Those that learn all tasks together.
    Joint,
}

impl Candidates {
    /// Whether none are left out.
    pub fn is_all(&self) -> bool {
        *self == Candidates::All
    }
}

/// `[model.trees]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TreesConfig {
    /// "boosted" (gradient boosting), "forest" (Breiman 2001) or "extra" (extremely randomised trees, Geurts et al. 2006).
    /// Default "boosted".
    pub method: TreesMethod,
    /// What the tasks share: "shared" (all of them every tree), "none" (each has trees of its own) or "partial" (shared
    /// trees, then own ones for the tasks that still gain). Default "shared".
    pub sharing: TreesSharing,
    /// Trees at most, or of a forest exactly, 1 or more. Default 2000, of a forest 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trees: Option<usize>,
    /// Boosted trees: the part of a tree's correction that is taken, above 0 and at most 1. Default 0.05.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub learning_rate: Option<f64>,
    /// Boosted trees: trees without improvement on the validation rows after which a task stops; 0 never stops early.
    /// Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patience: Option<usize>,
    /// Leaves of a tree at most, 2 or more. Default 31, of a forest no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leaves: Option<usize>,
    /// Questions from the root to a leaf at most, 1 to 64. Default 16, of a forest 32.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub depth: Option<usize>,
    /// Training rows of a leaf at least. Default 10, of a forest 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_rows: Option<usize>,
    /// Penalty on the squares of leaf values, 0 or above. Default 3, of a forest 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub l2: Option<f64>,
    /// The fraction of the training rows that each boosted tree sees, above 0 and at most 1. Default 0.8.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<f64>,
    /// The fraction of the inputs that each split may ask, above 0 and at most 1. Default 1, of a forest 0.7.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inputs: Option<f64>,
    /// By input of numbers: the direction in which predictions may change as it grows, "increasing" or "decreasing".
    #[serde(skip_serializing_if = "IndexMap::is_empty")]
    pub monotone: IndexMap<String, Direction>,
}

/// A way to combine trees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TreesMethod {
    /// Each tree corrects the sum of those before it.
    #[default]
    Boosted,
    /// The mean of trees on rows drawn with replacement.
    Forest,
    /// The mean of trees on random thresholds.
    Extra,
}

/// What the trees of several tasks share.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum TreesSharing {
    /// All tasks have every tree.
    #[default]
    Shared,
    /// First shared trees, then own ones.
    Partial,
    /// Every task has trees of its own.
    None,
}

/// Which way predictions may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Never down.
    Increasing,
    /// Never up.
    Decreasing,
}

impl TreesConfig {
    /// Whether every key has its default.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        let at_least = |key: &'static str, value: Option<usize>, least: usize| match value {
            Some(value) if value < least => {
                Err(Problem::value(&["model", "trees", key], value as f64, &format!("it must be {least} or more")))
            }
            _ => Ok(()),
        };
        at_least("trees", self.trees, 1)?;
        at_least("leaves", self.leaves, 2)?;
        at_least("depth", self.depth, 1)?;
        if let Some(depth) = self.depth.filter(|depth| *depth > polytask_trees::DEEPEST) {
            return Err(Problem::value(&["model", "trees", "depth"], depth as f64, "it must be at most 64"));
        }
        let fractions = [("learning_rate", self.learning_rate), ("rows", self.rows), ("inputs", self.inputs)];
        for (key, value) in fractions {
            if let Some(value) = value.filter(|value| !(*value > 0.0 && *value <= 1.0)) {
                return Err(Problem::value(&["model", "trees", key], value, "it must be above 0 and at most 1"));
            }
        }
        match self.l2.filter(|l2| !(*l2 >= 0.0 && l2.is_finite())) {
            Some(l2) => Err(Problem::value(&["model", "trees", "l2"], l2, "it must be 0 or above")),
            None => Ok(()),
        }?;
        match (self.method, self.sharing) {
            (TreesMethod::Forest | TreesMethod::Extra, TreesSharing::Partial) => Err(Problem::new(
                &["model", "trees", "sharing"],
                "a forest cannot share \"partial\"ly: none of its trees corrects another",
            )
            .hint("choose \"shared\" or \"none\"".to_owned())),
            _ => Ok(()),
        }
    }
}
