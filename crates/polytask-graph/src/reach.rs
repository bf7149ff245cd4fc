//! Which losses depend on which nodes and parameters. Sharing is read off the graph, never declared.

use crate::{Graph, LossId};

/// Losses in ascending order.
pub type LossSet = Vec<LossId>;

/// For every node and every parameter, the losses whose gradients reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reach {
    /// By [`NodeId`](crate::NodeId).
    pub nodes: Vec<LossSet>,
    /// By [`ParameterId`](crate::ParameterId). More than one loss: the parameter is shared. No loss reaches one that is not
    /// trained.
    pub parameters: Vec<LossSet>,
}

impl Graph {
    /// Walks the graph once, from the losses down.
    pub fn reach(&self) -> Reach {
        let mut nodes: Vec<LossSet> = vec![Vec::new(); self.nodes.len()];
        let mut parameters: Vec<LossSet> = vec![Vec::new(); self.parameters.len()];
        for (i, loss) in self.losses.iter().enumerate() {
            loss.nodes().for_each(|node| nodes[node.0].push(LossId(i)));
            let own = loss.parameter().into_iter().filter(|p| self.parameter(*p).is_trained());
            own.for_each(|parameter| parameters[parameter.0].push(LossId(i)));
        }
        for auxiliary in &self.auxiliary_losses {
            merge(&mut nodes[auxiliary.node.0], &auxiliary.losses);
        }
        for (i, node) in self.nodes.iter().enumerate().rev() {
            let own = std::mem::take(&mut nodes[i]);
            for input in node.inputs.iter().filter(|_| node.op.passes_gradients()) {
                merge(&mut nodes[input.0], &own);
            }
            for parameter in node.op.parameters().into_iter().filter(|p| self.parameter(*p).is_trained()) {
                merge(&mut parameters[parameter.0], &own);
            }
            nodes[i] = own;
        }
        Reach { nodes, parameters }
    }
}

fn merge(into: &mut LossSet, from: &[LossId]) {
    into.extend_from_slice(from);
    into.sort_unstable();
    into.dedup();
}
