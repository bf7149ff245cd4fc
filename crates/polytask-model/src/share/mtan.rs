//! Attention over a shared trunk: every task masks the trunk's features, layer by layer (MTAN; Liu, Johns and Davison,
//! "End-to-End Multi-Task Learning with Attention", CVPR 2019).
//!
//! ```text
//! h_l = layer_l(h_{l-1});   a_t^l = sigmoid(B_t relu(A_t [h_{l-1}; z_t^{l-1}]));   z_t^l = a_t^l * h_l;   y_t = head_t(z_t^L)
//! ```
//!
//! On images `A_t` and `B_t` work pixel by pixel and see `[h_l; layer_t(z_t^{l-1})]`, since a layer may change the size of
//! the image: as in the paper, a layer of the same form brings the attended features there.

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use polytask_graph::{Activation, GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "mtan",
    shares: "one trunk; each task attends to the features of every layer by masks of its own",
    when: "one trunk serves all tasks but each should use a part of it; few parameters a task",
    paper: "Liu, Johns and Davison, CVPR 2019",
};

/// One trunk whose features every task masks, layer by layer (Liu et al. 2019).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Mtan {
    /// Width of the hidden layer that computes a mask, from 1 to 65536. Default: that of the layer which is masked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hidden: Option<usize>,
}

impl Architecture for Mtan {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)?;
        keys::width("hidden", self.hidden.unwrap_or(1))
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let mut below = design.embed(g, inputs, "");
        let mut attended: Vec<Option<NodeId>> = vec![None; design.tasks()];
        for i in 0..design.depth() {
            let h = design.stage(g, "trunk", i, below);
            for (t, z) in attended.iter_mut().enumerate() {
                let own = design.own(t);
                let seen: Vec<NodeId> = match (g.shape(h).image(), *z) {
                    // What is still an image below the first plain features is read as such.
                    (None, z) => std::iter::once(below).chain(z).map(|x| g.flatten(x)).collect(),
                    (Some(_), None) => vec![h],
                    (Some(_), Some(z)) => vec![h, design.stage(g, &format!("{own}between"), i, z)],
                };
                let seen = g.named(format!("{own}attention.{i}.seen")).concat(&seen);
                let mask = self.mask(g, design, &format!("{own}attention.{i}"), h, seen);
                *z = Some(g.named(format!("{own}masked.{i}")).mul(mask, h));
            }
            below = h;
        }
        let tips: Vec<NodeId> = attended.into_iter().map(|z| z.unwrap_or(below)).collect();
        design.heads(g, &tips);
    }
}

impl Mtan {
    /// What the features `h` of a stage are multiplied with, from 0 to 1.
    fn mask(&self, g: &mut GraphBuilder, design: &Design<'_>, name: &str, h: NodeId, seen: NodeId) -> NodeId {
        let width = g.shape(h).channels();
        let hidden = design.pointwise(g, &format!("{name}.0"), seen, self.hidden.unwrap_or(width));
        g.named(format!("{name}.1")).pointwise(hidden, width, Activation::Sigmoid)
    }
}
