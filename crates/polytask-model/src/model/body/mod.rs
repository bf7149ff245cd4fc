//! What a fitted model computes with: a network, trees, or several of them whose predictions are averaged.

mod columns;
mod engine;
mod ensemble;
mod file;
mod part;
mod stored;
mod text;

pub use columns::{TreeColumn, columns, tree_columns};
pub(super) use engine::{Ask, Engine};
pub use ensemble::{Ensemble, Member};
pub use part::PartError;
pub(super) use stored::Stored;

use polytask_exec::Parameters;
use polytask_graph::Graph;

/// A network with its weights.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    /// The layers; the losses are those of the tasks, in their order.
    pub graph: Graph,
    /// The weights.
    pub parameters: Parameters,
}

/// What a fitted model computes with.
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// A network; linear models are networks of one layer.
    Network(Network),
    /// Boosted trees or a forest; the heads are those of the tasks, in their order.
    Trees(polytask_trees::Model),
    /// Several models whose predictions are averaged, with weights of their own for every task.
    Ensemble(Ensemble),
}

impl Body {
    /// The family of models it is of.
    pub fn family(&self) -> &'static str {
        match self {
            Body::Network(_) => "network",
            Body::Trees(_) => "trees",
            Body::Ensemble(_) => "ensemble",
        }
    }

    /// Numbers that were learnt: weights of networks, thresholds and leaf values of trees.
    pub fn parameter_count(&self) -> usize {
        match self {
            Body::Network(network) => network.graph.parameter_count(),
            Body::Trees(trees) => trees.trees().iter().map(|tree| tree.nodes.len() + tree.values.len()).sum(),
            Body::Ensemble(ensemble) => ensemble.bodies().map(Body::parameter_count).sum(),
        }
    }

    /// The network, of a model that is one.
    pub fn network(&self) -> Option<&Network> {
        match self {
            Body::Network(network) => Some(network),
            Body::Trees(_) | Body::Ensemble(_) => None,
        }
    }
}
