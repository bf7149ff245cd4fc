//! Sluice networks: columns whose layers are cut into subspaces, mixed across tasks; heads that read a learnt mixture of
//! all layers (Ruder et al., "Latent Multi-task Architecture Learning", AAAI 2019).
//!
//! ```text
//! (t, g) <- sum over tasks s and subspaces k of alpha[(t, g), (s, k)] (s, k)        after every layer
//! h_t = sum_l softmax(beta_t)_l x_t^l;   + orthogonality * sum_{g<k} ||W_g^T W_k||^2 over the subspaces of a layer
//! ```

use super::ModelConfig;
use super::cross_stitch::columns;
use super::{Architecture, Design, Info, keys};
use crate::section::{Layer, Problem};
use polytask_graph::{GraphBuilder, NodeId, ParameterId, PenaltyKind, Per, Role};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "sluice",
    shares: "a column for each task; subspaces of every layer are mixed, and heads choose among layers",
    when: "tasks share a part of each layer, or want different depths",
    paper: "Ruder et al., AAAI 2019",
};

/// Columns with subspaces that are mixed across tasks, and heads that mix layers (Ruder et al. 2019).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Sluice {
    /// Parts that each layer is cut into, at least 1; they divide the widths of `model.trunk`. Default 2.
    pub subspaces: usize,
    /// Weight of the penalty that keeps the subspaces of a layer orthogonal, at least 0. Default 0.001.
    pub orthogonality: f64,
    /// Where the weight of a subspace for itself starts, from 0 to 1; the others share the rest. Default 0.9.
    pub own: f64,
    /// Learning rate of the mixing weights, as a multiple of the run's, 0 or above. Default 1; see "cross_stitch".
    pub rate: f64,
}

impl Default for Sluice {
    fn default() -> Self {
        Sluice { subspaces: 2, orthogonality: 0.001, own: 0.9, rate: 1.0 }
    }
}

impl Architecture for Sluice {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, _: &[&str]) -> Result<(), Problem> {
        keys::has_layers(model, INFO.name)?;
        keys::at_least_0("orthogonality", self.orthogonality)?;
        keys::share("own", self.own)?;
        keys::at_least_0("rate", self.rate)?;
        let layers = model.trunk.layers();
        if layers.iter().any(|layer| matches!(layer, Layer::Image(_))) {
            let message = "\"sluice\" mixes the layers of a trunk into each head, and image layers differ in size";
            return Err(keys::wrong(&["method"], message));
        }
        if let Some(i) = layers.iter().position(|layer| matches!(layer, Layer::Sequence(_))) {
            let message =
                format!("\"sluice\" keeps the subspaces of dense layers apart, and layer {i} of `model.trunk` is none");
            return Err(keys::wrong(&["method"], message));
        }
        let widths: Vec<usize> = layers.iter().filter_map(Layer::width).collect();
        let first = widths[0];
        let wrong = if self.subspaces == 0 {
            "`model.sharing.subspaces` is 0; it must be at least 1".to_owned()
        } else if let Some(odd) = widths.iter().find(|w| **w != first) {
            format!(
                "\"sluice\" mixes the layers of a trunk into each head, so they have one width; here are {first} and {odd}"
            )
        } else if !first.is_multiple_of(self.subspaces) {
            format!("`model.sharing.subspaces` is {}, which does not divide the layers' width {first}", self.subspaces)
        } else {
            return Ok(());
        };
        Err(keys::wrong(&["subspaces"], wrong))
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let mut layers: Vec<Vec<NodeId>> = vec![Vec::new(); design.tasks()];
        let first = g.next_parameter();
        let alone = columns(g, design, false, |g, i, columns| {
            let each = columns.first().map_or(0, |c| g.shape(*c).channels()) / self.subspaces;
            let mut parts = Vec::with_capacity(columns.len() * self.subspaces);
            for (t, &column) in columns.iter().enumerate() {
                for k in 0..self.subspaces {
                    let name = format!("{}subspace.{i}.{k}", design.own(t));
                    parts.push(g.named(name).slice(column, k * each, (k + 1) * each));
                }
            }
            let mut mixed = Vec::with_capacity(columns.len());
            for (t, layers) in layers.iter_mut().enumerate() {
                let own = design.own(t);
                let alpha = |k: usize| {
                    let name = format!("{own}alpha.{i}.{k}");
                    let part = g.named(name).blend(&parts, Per::Layer, t * self.subspaces + k, self.own as f32);
                    g.learning_rate(part, self.rate as f32);
                    part
                };
                let subspaces: Vec<NodeId> = (0..self.subspaces).map(alpha).collect();
                let whole = g.named(format!("{own}mixed.{i}")).concat(&subspaces);
                layers.push(whole);
                mixed.push(whole);
            }
            mixed
        });
        if self.subspaces > 1 {
            let weights = (first.0..g.next_parameter().0).map(ParameterId).filter(|p| g.role(*p) == Some(Role::Weight));
            for weight in weights.collect::<Vec<_>>() {
                g.penalty(self.orthogonality as f32, &[weight], PenaltyKind::Orthogonal { groups: self.subspaces });
            }
        }
        let mut tips = Vec::with_capacity(layers.len());
        for (t, layers) in layers.iter().enumerate() {
            tips.push(match layers.len() {
                // A task alone has nothing to mix with.
                0 => alone[t],
                1 => layers[0],
                _ => {
                    let beta = g.named(format!("{}beta", design.own(t))).softmax_blend(layers);
                    g.learning_rate(beta, self.rate as f32);
                    beta
                }
            });
        }
        design.heads(g, &tips);
    }
}
