//! Adapters: one trunk for all tasks, with a small residual bottleneck of each task's own after every layer (Rebuffi et
//! al., NeurIPS 2017; Houlsby et al., ICML 2019).
//!
//! ```text
//! h = layer_l(x_t);   x_t <- h + up_t(activation(down_t(h)))      up starts at 0
//! ```
//!
//! The trunk has one set of weights and runs once a task, but for its first layer, which runs once.

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use polytask_graph::{Activation, GraphBuilder, Init};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "adapter",
    shares: "one trunk; each task adds a small correction after every layer",
    when: "one trunk serves all tasks but for some; more room to differ than film",
    paper: "Rebuffi et al., NeurIPS 2017; Houlsby et al., ICML 2019",
};

/// One trunk with a small residual layer of every task's own after each layer (Houlsby et al. 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Adapter {
    /// Width of the bottleneck, from 1 to 65536. Default 8.
    pub width: usize,
}

impl Default for Adapter {
    fn default() -> Self {
        Adapter { width: 8 }
    }
}

impl Architecture for Adapter {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)?;
        keys::width("width", self.width)
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let tips = design.streams(g, |g, t, i, h| {
            let name = format!("{}adapter.{i}", design.own(t));
            let channels = g.shape(h).channels();
            let down = design.pointwise(g, &format!("{name}.down.0"), h, self.width);
            let up = g.named(format!("{name}.up"));
            let up = up.pointwise_from(down, channels, Activation::Linear, Init::Constant(0.0));
            g.named(name).add(&[h, up])
        });
        design.heads(g, &tips);
    }
}
