//! `[model]`: which family of models, and the keys of each.

use super::{self as share, Sharing};
use crate::section::{
    Activation, Candidates, Family, Layer, NumbersModel, Preset, Problem, TextModel, Time, TreesConfig, Trunk,
    check_widths, shorthand,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The model: its family, and the layers of a network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// The family of models: "ensemble" (trees, networks and linear models, joint and independent, averaged with weights
    /// of their own for every task), "trees", "network", or "auto". Default "network" where another key of networks is
    /// written (of `[model]`, `[loss]`, or of `[train]` but for `seed`, `criterion` and `checkpoint_every`), else "auto": an ensemble for
    /// tables of numbers and categories, a network for texts and images.
    pub family: Family,
    /// How much an ensemble tries: "fast", "good" or "best". Default "good".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub preset: Option<Preset>,
    /// Which candidates an ensemble has where there are several tasks: "all", or "joint" without those that model each task
    /// on its own (what `polytask compare` sets against independent models). Default "all".
    #[serde(skip_serializing_if = "Candidates::is_all")]
    pub candidates: Candidates,
    /// How long an ensemble may take, such as "90s" or "2m"; the best so far is kept then. Default: no limit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Time>,
    /// The keys of trees.
    #[serde(skip_serializing_if = "TreesConfig::is_default")]
    pub trees: TreesConfig,
    /// What the tasks share: the name of an architecture, or a table with `method` and the architecture's own keys.
    /// Default "hard".
    #[serde(serialize_with = "share::serialize", deserialize_with = "shorthand::deserialize")]
    #[schemars(schema_with = "shorthand::schema::<Sharing>")]
    pub sharing: Sharing,
    /// The layers that tasks may share, from the inputs up: widths of dense layers, each from 1 to 65536; for images also
    /// tables such as { conv = 16, pool = 2 }, "lenet", or { resnet = 20 }; for texts { lstm = 256 }, { gru = 256 },
    /// { conv1d = 256, window = 5 } or { transformer = 256, heads = 4 }. Default [64, 64].
    pub trunk: Trunk,
    /// Widths of the hidden layers of each task's head, each from 1 to 65536. Default [], the output layer alone.
    pub head: Vec<usize>,
    /// What follows every hidden layer. Default "relu".
    pub activation: Activation,
    /// Share of the features dropped after every hidden layer while training, at least 0 and below 1. Default 0.
    pub dropout: f64,
    /// Normalise the features of a row before every activation (Ba et al. 2016). Default false.
    pub layer_norm: bool,
    /// Networks in one whose predictions are averaged, from 1 to 64: they share all layers, and each reads the inputs times
    /// trained numbers of its own (TabM-mini, Gorishniy et al. 2025). With sharing "hard" and "none" and dense layers.
    /// Default 1.
    #[serde(skip_serializing_if = "is_one")]
    pub members: usize,
    /// What the first layer reads of numbers.
    #[serde(skip_serializing_if = "NumbersModel::is_default")]
    pub numbers: NumbersModel,
    /// How the tokens of text inputs become features.
    #[serde(skip_serializing_if = "TextModel::is_default")]
    pub text: TextModel,
    /// A safetensors file of weights to start from, relative to the folder of the config. Default: drawn at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub init: Option<String>,
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            family: Family::default(),
            preset: None,
            candidates: Candidates::default(),
            time: None,
            trees: TreesConfig::default(),
            sharing: Sharing::default(),
            trunk: vec![64, 64].into(),
            head: Vec::new(),
            activation: Activation::default(),
            dropout: 0.0,
            layer_norm: false,
            members: 1,
            numbers: NumbersModel::default(),
            text: TextModel::default(),
            init: None,
        }
    }
}

impl ModelConfig {
    pub(crate) fn check(&self, tasks: &[&str]) -> Result<(), Problem> {
        self.trees.check()?;
        self.trunk.check()?;
        check_widths(&["model", "head"], &self.head)?;
        if !(0.0..1.0).contains(&self.dropout) {
            return Err(Problem::value(&["model", "dropout"], self.dropout, "it must be at least 0 and below 1"));
        }
        self.numbers.check()?;
        self.check_members()?;
        self.text.check()?;
        self.sharing.check(self, tasks)
    }

    fn check_members(&self) -> Result<(), Problem> {
        let key = ["model", "members"];
        if !(1..=64).contains(&self.members) {
            return Err(Problem::value(&key, self.members, "it must be from 1 to 64"));
        }
        let refused = match self.members {
            1 => None,
            _ if !matches!(self.sharing, Sharing::Hard(_) | Sharing::None(_)) => {
                Some("several members go with sharing \"hard\" and \"none\"")
            }
            _ if self.layer_norm => Some("several members do not go with `model.layer_norm`"),
            _ if self.trunk.layers().iter().any(|layer| !matches!(layer, Layer::Dense(_))) => {
                Some("several members go with dense layers")
            }
            _ => None,
        };
        match refused {
            Some(reason) => Err(Problem::new(&key, reason.to_owned()).at_value()),
            None => Ok(()),
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_one(value: &usize) -> bool {
    *value == 1
}
