//! Feature-wise modulation: one trunk for all tasks, whose features every task scales and shifts (FiLM; Perez et al.,
//! AAAI 2018).
//!
//! ```text
//! x_t <- gamma_t^l * layer_l(x_t) + beta_t^l      gamma starts at 1, beta at 0
//! ```
//!
//! The trunk has one set of weights and runs once a task, but for its first layer, which runs once.

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use polytask_graph::{GraphBuilder, Init};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "film",
    shares: "one trunk; each task scales and shifts the features of every layer",
    when: "many tasks that differ a little: two numbers a feature and task",
    paper: "Perez et al., AAAI 2018",
};

/// One trunk whose features every task scales and shifts (Perez et al. 2018).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Film {}

impl Architecture for Film {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let tips = design.streams(g, |g, t, i, h| {
            let name = format!("{}film.{i}", design.own(t));
            let shape = g.shape(h);
            if shape.image().is_some() {
                return g.named(name).scale_channels(h);
            }
            let (width, domain) = (shape.width(), g.domain(h));
            let gamma = g.named(format!("{name}.gamma")).vector_on(domain, width, Init::Constant(1.0));
            let beta = g.named(format!("{name}.beta")).vector_on(domain, width, Init::Constant(0.0));
            let scaled = g.named(format!("{name}.scaled")).mul(h, gamma);
            g.named(name).add(&[scaled, beta])
        });
        design.heads(g, &tips);
    }
}
