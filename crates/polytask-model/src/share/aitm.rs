//! Adaptive information transfer between steps in order (AITM; Xi et al., "Modeling the Sequential Dependence among
//! Audience Multi-step Conversions with Multi-task Learning", KDD 2021).
//!
//! ```text
//! q_t = tower_t(h);  z_t = attention over {q_t, info_t(z_{t-1})};  y_t = output_t(z_t)
//! + gamma * mean(max(p_t - p_{t-1}, 0))        a later step is no more likely than the one before it
//! ```

use super::ModelConfig;
use super::esmm::{only_events, steps};
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use indexmap::IndexMap;
use polytask_graph::{Activation, GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "aitm",
    shares: "one trunk; each step's head attends to what the step before hands on",
    when: "binary tasks in order, as for esmm, with few positives in the later ones",
    paper: "Xi et al., KDD 2021",
};

/// Binary tasks in order, each attending to what the one before hands on (Xi et al. 2021).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Aitm {
    /// The step before each step: { buy = "click" }; tasks that are not named follow none. Default: each task follows the
    /// one before it in the config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<IndexMap<String, String>>,
    /// What a step that is likelier than the one before it costs, 0 or above. Default 0.6.
    pub gamma: f64,
}

impl Default for Aitm {
    fn default() -> Self {
        Aitm { after: None, gamma: 0.6 }
    }
}

impl Architecture for Aitm {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, _: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        keys::at_least_0("gamma", self.gamma)?;
        keys::order(&steps(self.after.as_ref(), tasks), tasks).map(|_| ())
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let h = design.trunk(g, "trunk", x);
        let (after, order) = design.plan(Some(&steps(self.after.as_ref(), &design.names())));
        let mut hidden = vec![h; design.tasks()];
        let mut outputs = vec![h; design.tasks()];
        let mut follows = Vec::new();
        for t in order {
            let name = format!("heads.{}", design.task(t).name);
            hidden[t] = design.tower(g, t, h);
            let source = after.get(&design.task(t).name).and_then(|sources| design.find(sources.first()?));
            if let Some(source) = source {
                only_events(g, design, &[source, t], INFO.name);
                let width = g.features(hidden[t]);
                let handed = g.named(format!("{name}.info")).dense(hidden[source], width, Activation::Relu);
                hidden[t] = g.named(format!("{name}.transfer")).transfer(hidden[t], handed);
                follows.push((t, source));
            }
            outputs[t] = design.output(g, t, hidden[t]);
        }
        let losses = design.losses(g, &outputs);
        for (t, source) in follows.into_iter().filter(|_| self.gamma > 0.0) {
            let name = format!("heads.{}.calibration", design.task(t).name);
            let excess = excess(g, &name, outputs[t], outputs[source]);
            g.auxiliary_loss(excess, self.gamma as f32, &[losses[t]]);
        }
    }
}

/// `max(sigmoid(a) - sigmoid(b), 0)`
fn excess(g: &mut GraphBuilder, name: &str, a: NodeId, b: NodeId) -> NodeId {
    let likely = g.named(format!("{name}.likely")).activation(a, Activation::Sigmoid);
    // 1 - sigmoid(b) = sigmoid(-b)
    let not = g.named(format!("{name}.not")).affine(b, -1.0, 0.0);
    let unlikely = g.named(format!("{name}.unlikely")).activation(not, Activation::Sigmoid);
    let sum = g.named(format!("{name}.sum")).add(&[likely, unlikely]);
    let above = g.named(format!("{name}.above")).affine(sum, 1.0, -1.0);
    g.named(name).activation(above, Activation::Relu)
}
