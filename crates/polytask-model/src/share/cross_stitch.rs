//! Cross-stitch networks: a column of layers for every task, and after every layer learnt mixtures of all columns
//! (Misra et al., CVPR 2016).
//!
//! ```text
//! x_t <- layer_t(x_t);  x_t <- sum_s A[t, s] x_s      A starts at 0.9 for the task's own column
//! ```

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use polytask_graph::{GraphBuilder, NodeId, ParameterId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "cross_stitch",
    shares: "a column of layers for each task; every layer's outputs are mixed between the columns",
    when: "it is not known which tasks help each other, at which layer, and how much",
    paper: "Misra et al., CVPR 2016",
};

/// A column of layers for every task, mixed after each layer by learnt weights (Misra et al. 2016).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CrossStitch {
    /// A mixing weight for a whole "layer", or for every "channel" of it. Default "layer".
    pub per: Per,
    /// Where the weight of a task's own column starts, from 0 to 1; the others share the rest. Default 0.9.
    pub own: f64,
    /// Learning rate of the mixing weights, as a multiple of the run's, 0 or above. Default 1, which suits adam, whose steps
    /// have one size for all; with sgd they would hardly move, and the paper takes 100 to 1000.
    pub rate: f64,
}

/// What a mixing weight belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Per {
    /// A layer of a column.
    #[default]
    Layer,
    /// A feature of it.
    Channel,
}

impl From<Per> for polytask_graph::Per {
    fn from(per: Per) -> Self {
        match per {
            Per::Layer => Self::Layer,
            Per::Channel => Self::Channel,
        }
    }
}

impl Default for CrossStitch {
    fn default() -> Self {
        CrossStitch { per: Per::Layer, own: 0.9, rate: 1.0 }
    }
}

impl Architecture for CrossStitch {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)?;
        keys::share("own", self.own)?;
        keys::at_least_0("rate", self.rate)
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let tips = columns(g, design, false, |g, i, columns| {
            let mix = |(t, _): (usize, &NodeId)| {
                let name = format!("{}stitch.{i}", design.own(t));
                let mixed = g.named(name).blend(columns, self.per.into(), t, self.own as f32);
                g.learning_rate(mixed, self.rate as f32);
                mixed
            };
            columns.iter().enumerate().map(mix).collect()
        });
        design.heads(g, &tips);
    }
}

/// A column of layers for every task over common embeddings, starting alike or each from its own draw; `mix(g, layer, outputs)` makes the next
/// layer's inputs.
pub(super) fn columns(
    g: &mut GraphBuilder,
    design: &Design<'_>,
    alike: bool,
    mut mix: impl FnMut(&mut GraphBuilder, usize, &[NodeId]) -> Vec<NodeId>,
) -> Vec<NodeId> {
    let inputs = design.inputs(g);
    let x = design.embed(g, inputs, "");
    let mut tips = vec![x; design.tasks()];
    for i in 0..design.depth() {
        let mut copies: Vec<Vec<ParameterId>> = Vec::with_capacity(tips.len());
        for (t, tip) in tips.iter_mut().enumerate() {
            let first = g.next_parameter();
            *tip = design.stage(g, &format!("{}trunk", design.own(t)), i, *tip);
            copies.push((first.0..g.next_parameter().0).map(ParameterId).collect());
        }
        let same = if alike { copies.first().map_or(0, Vec::len) } else { 0 };
        (0..same).for_each(|k| g.start_alike(&copies.iter().map(|copy| copy[k]).collect::<Vec<_>>()));
        if tips.len() > 1 {
            tips = mix(g, i, &tips);
        }
    }
    tips
}
