//! Terms beside the losses, and the rules they keep.

use super::GraphBuilder;
use crate::{Charge, LossId, NodeId, Op, ParameterId, Penalty, PenaltyKind, Role};

impl GraphBuilder {
    /// Adds `strength` times a measure of parameters of one shape to what is minimised. A strength of 0 adds nothing.
    pub fn penalty(&mut self, strength: f32, parameters: &[ParameterId], kind: PenaltyKind) {
        if strength != 0.0 {
            self.add_penalty(Penalty { strength, parameters: parameters.to_vec(), kind });
        }
    }

    /// Adds `weight` times the mean of a node's values to what is minimised, in equal shares to some losses. A weight of
    /// 0 adds nothing.
    pub fn charge(&mut self, node: NodeId, weight: f32, losses: &[LossId]) {
        if weight != 0.0 {
            self.add_charge(Charge { node, weight, losses: losses.to_vec() });
        }
    }

    pub(super) fn add_penalty(&mut self, penalty: Penalty) {
        if let Err(reason) = self.check_penalty(&penalty) {
            self.fail_at("penalty", reason);
        }
        self.graph.penalties.push(penalty);
    }

    pub(super) fn add_charge(&mut self, charge: Charge) {
        if let Err(reason) = self.check_charge(&charge) {
            self.fail_at("charge", reason);
        }
        self.graph.charges.push(charge);
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

    fn check_charge(&self, charge: &Charge) -> Result<(), String> {
        positive("weight", charge.weight)?;
        match self.graph.nodes.get(charge.node.0) {
            None => return Err("its node is one of another graph".into()),
            Some(node) if matches!(node.op, Op::Index) => return Err("category indices have no mean".into()),
            Some(_) => {}
        }
        match charge.losses.iter().any(|l| l.0 >= self.graph.losses.len()) || charge.losses.is_empty() {
            true => Err("it is charged to losses which do not exist; losses come first".into()),
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
