//! Terms beside the losses, and the rules they keep.

use super::GraphBuilder;
use crate::{AuxiliaryLoss, LossId, NodeId, Op, ParameterId, Penalty, PenaltyKind, Role};

impl GraphBuilder {
    /// Adds `strength` times a measure of parameters of one shape to what is minimised. A strength of 0 adds nothing.
    pub fn penalty(&mut self, strength: f32, parameters: &[ParameterId], kind: PenaltyKind) {
        if strength != 0.0 {
            self.add_penalty(Penalty { strength, parameters: parameters.to_vec(), kind });
        }
    }

    /// Adds `weight` times the mean of a node's values to what is minimised, in equal shares to some losses. A weight of
    /// 0 adds nothing.
    pub fn auxiliary_loss(&mut self, node: NodeId, weight: f32, losses: &[LossId]) {
        if weight != 0.0 {
            self.add_auxiliary(AuxiliaryLoss { node, weight, losses: losses.to_vec() });
        }
    }

    pub(super) fn add_penalty(&mut self, penalty: Penalty) {
        if let Err(reason) = self.check_penalty(&penalty) {
            self.fail_at("penalty", reason);
        }
        self.graph.penalties.push(penalty);
    }

    pub(super) fn add_auxiliary(&mut self, auxiliary: AuxiliaryLoss) {
        if let Err(reason) = self.check_auxiliary(&auxiliary) {
            self.fail_at("auxiliary loss", reason);
        }
        self.graph.auxiliary_losses.push(auxiliary);
    }

    fn check_penalty(&self, penalty: &Penalty) -> Result<(), String> {
        positive("strength", penalty.strength)?;
        let all = &self.graph.parameters;
        let Some(parameters) = penalty.parameters.iter().map(|p| all.get(p.0)).collect::<Option<Vec<_>>>() else {
            return Err("it measures a parameter which does not exist".into());
        };
        let Some(first) = parameters.first() else { return Err("it measures no parameter".into()) };
        if let Some(odd) = parameters.iter().find(|p| p.dims != first.dims) {
            return Err(format!("it measures {:?} and {:?}, which have different shapes", first.name, odd.name));
        }
        if let Some(odd) = parameters.iter().find(|p| p.role == Role::Statistic) {
            return Err(format!("it measures {:?}, which is not trained", odd.name));
        }
        let count = parameters.len();
        match &penalty.kind {
            PenaltyKind::Mean | PenaltyKind::TraceNorm => Ok(()),
            PenaltyKind::Edges(edges) => edges.iter().try_for_each(|edge| match edge.a.max(edge.b) < count {
                true => positive("weight", edge.weight),
                false => Err(format!("it ties parameters {} and {} of {count}", edge.a, edge.b)),
            }),
            PenaltyKind::Orthogonal { groups } => match first.dims[..] {
                [_, columns] if *groups >= 2 && columns.is_multiple_of(*groups) => Ok(()),
                _ => Err(format!("it cuts the columns of shape {:?} into {groups} equal groups", first.dims)),
            },
        }
    }

    fn check_auxiliary(&self, auxiliary: &AuxiliaryLoss) -> Result<(), String> {
        positive("weight", auxiliary.weight)?;
        match self.graph.nodes.get(auxiliary.node.0) {
            None => return Err("its node is one of another graph".into()),
            Some(node) if matches!(node.op, Op::Index) => return Err("category indices have no mean".into()),
            Some(_) => {}
        }
        match auxiliary.losses.iter().any(|l| l.0 >= self.graph.losses.len()) || auxiliary.losses.is_empty() {
            true => Err("it is carried by losses which do not exist; losses come first".into()),
            false => Ok(()),
        }
    }
}

fn positive(what: &str, value: f32) -> Result<(), String> {
    match value.is_finite() && value >= 0.0 {
        true => Ok(()),
        false => Err(format!("its {what} is {value}; it must be 0 or above")),
    }
}
