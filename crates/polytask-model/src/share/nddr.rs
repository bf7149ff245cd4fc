//! Neural discriminative dimensionality reduction: the tasks' features side by side, and for every task a layer that
//! brings them back to their width (Gao et al., "NDDR-CNN", CVPR 2019).
//!
//! ```text
//! x_t <- layer_t(x_t);  x_t <- activation(norm([x_1; ...; x_T] W_t + b_t))     W_t starts as 0.9 I for the own features
//! ```
//!
//! A cross-stitch that mixes features of any kind. The paper's batch normalisation is `model.layer_norm` here.

use super::ModelConfig;
use super::cross_stitch::columns;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use polytask_graph::{GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "nddr",
    shares: "a column of layers for each task; a learnt layer reduces all columns' features to each task's",
    when: "cross-stitch helps and there are rows enough for its larger mixing layers",
    paper: "Gao et al., CVPR 2019",
};

/// A column of layers for every task; after each layer all columns' features are reduced to each task's (Gao et al.
/// 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nddr {
    /// What a task's own features are multiplied with at the start, from 0 to 1; the others share the rest. Default 0.9.
    pub own: f64,
}

impl Default for Nddr {
    fn default() -> Self {
        Nddr { own: 0.9 }
    }
}

impl Architecture for Nddr {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)?;
        keys::share("own", self.own)
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let tips = columns(g, design, false, |g, i, columns| {
            let reduce = |(t, _): (usize, &NodeId)| {
                let name = format!("{}nddr.{i}", design.own(t));
                design.activated(g, &name, |g, activation| g.nddr(columns, t, self.own as f32, activation))
            };
            columns.iter().enumerate().map(reduce).collect()
        });
        design.heads(g, &tips);
    }
}
