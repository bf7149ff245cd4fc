//! Which losses' gradients are kept apart.

use polytask_graph::{Graph, LossId};

/// Which losses share a cotangent in the backward pass. A loss is in exactly one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups {
    losses: Vec<Vec<LossId>>,
    to_representation: bool,
    layerwise: bool,
}

/// The number of the group of what flows below the shared representation.
pub const MERGED: usize = usize::MAX;

impl Groups {
    /// One gradient, that of the weighted sum of all losses.
    pub fn merged(graph: &Graph) -> Self {
        let all = (0..graph.losses().len()).map(LossId).collect();
        Groups { losses: vec![all], to_representation: false, layerwise: false }
    }

    /// One gradient a loss.
    pub fn separate(graph: &Graph) -> Self {
        let each = (0..graph.losses().len()).map(|i| vec![LossId(i)]).collect();
        Groups { losses: each, to_representation: false, layerwise: false }
    }

    /// One gradient a loss over the shared representation: the features that more than one loss depends on and a
    /// single loss's own layers read. Below it their weighted sum flows on (Sener and Koltun 2018, MGDA-UB).
    pub fn representation(graph: &Graph) -> Self {
        Groups { to_representation: true, ..Groups::separate(graph) }
    }

    /// One gradient a loss, a layer at a time: for [`Session::layerwise_gramian`](crate::Session::layerwise_gramian),
    /// which needs no more memory than one layer's gradients.
    pub fn layerwise(graph: &Graph) -> Self {
        Groups { layerwise: true, ..Groups::separate(graph) }
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.losses.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.losses.is_empty()
    }

    /// Whether groups stay apart only down to what is shared; below, their weighted sum flows on.
    pub fn is_to_representation(&self) -> bool {
        self.to_representation
    }

    /// Whether gradients are of one layer at a time: each layer's go where the last one's were.
    pub fn is_layerwise(&self) -> bool {
        self.layerwise
    }

    /// The groups that a node or parameter which these losses depend on has copies for: [`MERGED`] below the shared
    /// representation, if groups meet there.
    pub fn copies(&self, losses: &[LossId]) -> Vec<usize> {
        match self.to_representation && losses.len() > 1 {
            true => vec![MERGED],
            false => self.of(losses),
        }
    }

    /// The groups that any of these losses is in, ascending.
    pub fn of(&self, losses: &[LossId]) -> Vec<usize> {
        (0..self.len()).filter(|&g| self.losses[g].iter().any(|l| losses.contains(l))).collect()
    }
}
