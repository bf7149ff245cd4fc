//! Parts of graphs, and graphs side by side, for those who predict.

use crate::{Domain, DomainId, Graph, GraphError, Loss, LossId, Node, NodeId, Op, ParameterId};
use std::collections::{BTreeMap, BTreeSet};

impl Graph {
    /// What these losses' predictions depend on, with these losses, in their order. Penalties and charges, which only
    /// training has, are left out; parameters keep their names.
    pub fn only(&self, losses: &[LossId]) -> Graph {
        let mut needed = vec![false; self.nodes.len()];
        losses.iter().for_each(|loss| needed[self.losses[loss.0].prediction.0] = true);
        // Inputs of a node stand before it, so one walk down sees them all.
        for i in (0..self.nodes.len()).rev() {
            if needed[i] {
                self.nodes[i].inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        let kept = |i: &usize| needed[*i];
        let read: BTreeSet<ParameterId> =
            (0..self.nodes.len()).filter(kept).flat_map(|i| self.nodes[i].op.parameters()).collect();
        let places: BTreeMap<ParameterId, ParameterId> =
            read.iter().enumerate().map(|(new, old)| (*old, ParameterId(new))).collect();
        let parameters = read.iter().map(|old| {
            let mut parameter = self.parameters[old.0].clone();
            parameter.twin = parameter.twin.and_then(|twin| places.get(&twin).copied());
            parameter
        });
        let mut moved = vec![NodeId(0); self.nodes.len()];
        let mut nodes = Vec::new();
        for i in (0..self.nodes.len()).filter(kept) {
            let mut node = self.nodes[i].clone();
            node.inputs.iter_mut().for_each(|input| *input = moved[input.0]);
            node.op.parameters_mut().into_iter().for_each(|p| *p = places[p]);
            moved[i] = NodeId(nodes.len());
            nodes.push(node);
        }
        let losses = losses.iter().map(|loss| {
            let loss = &self.losses[loss.0];
            Loss { prediction: moved[loss.prediction.0], ..loss.clone() }
        });
        Graph {
            domains: self.domains.clone(),
            losses: losses.collect(),
            parameters: parameters.collect(),
            nodes,
            penalties: Vec::new(),
            charges: Vec::new(),
        }
    }

    /// Several networks that read the same inputs as one: inputs and domains of one name are one, everything else is called
    /// `{prefix}{name}`. Penalties and charges, which only training has, are left out.
    ///
    /// # Errors
    /// Two losses of one task; inputs of one name and different widths.
    pub fn beside(parts: &[(String, Graph)]) -> Result<Graph, GraphError> {
        let mut all = Graph {
            domains: Vec::new(),
            nodes: Vec::new(),
            parameters: Vec::new(),
            losses: Vec::new(),
            penalties: Vec::new(),
            charges: Vec::new(),
        };
        for (prefix, part) in parts {
            all.add(prefix, part);
        }
        all.validate()?;
        Ok(all)
    }

    fn add(&mut self, prefix: &str, part: &Graph) {
        let mut domains = vec![DomainId::ROWS];
        for domain in &part.domains {
            let place = self.domains.iter().position(|there| there.name == domain.name).unwrap_or_else(|| {
                let (parent, over) = (domains[domain.parent.0], domain.over.map(|over| domains[over.0]));
                self.domains.push(Domain { name: domain.name.clone(), parent, over });
                self.domains.len() - 1
            });
            domains.push(DomainId(place + 1));
        }
        let first = self.parameters.len();
        for parameter in &part.parameters {
            let mut own = parameter.clone();
            own.name = format!("{prefix}{}", own.name);
            own.twin = own.twin.map(|twin| ParameterId(first + twin.0));
            self.parameters.push(own);
        }
        let mut moved: Vec<NodeId> = Vec::with_capacity(part.nodes.len());
        for node in &part.nodes {
            if matches!(node.op, Op::Input | Op::Index) {
                let same = |there: &Node| there.name == node.name && there.op == node.op && there.shape == node.shape;
                if let Some(place) = self.nodes.iter().position(same) {
                    moved.push(NodeId(place));
                    continue;
                }
            }
            let mut own = node.clone();
            own.domain = domains[node.domain.0];
            own.inputs.iter_mut().for_each(|input| *input = moved[input.0]);
            own.op.parameters_mut().into_iter().for_each(|p| *p = ParameterId(first + p.0));
            if !matches!(node.op, Op::Input | Op::Index) {
                own.name = format!("{prefix}{}", own.name);
            }
            moved.push(NodeId(self.nodes.len()));
            self.nodes.push(own);
        }
        let losses = part.losses.iter().map(|loss| Loss { prediction: moved[loss.prediction.0], ..loss.clone() });
        self.losses.extend(losses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, GraphBuilder, LossKind};

    /// Two tasks on a shared layer of width 3.
    fn pair(tasks: [&str; 2]) -> Graph {
        let mut g = GraphBuilder::new();
        let x = g.input("numbers", 2);
        let h = g.named("trunk").dense(x, 3, Activation::Relu);
        for task in tasks {
            let y = g.named(format!("heads.{task}")).dense(h, 1, Activation::Linear);
            g.loss(task, y, LossKind::Mse);
        }
        g.finish().unwrap()
    }

    fn names<'a>(of: impl Iterator<Item = &'a String>) -> Vec<&'a str> {
        of.map(String::as_str).collect()
    }

    #[test]
    fn a_part_has_what_its_losses_need_and_no_more() {
        let part = pair(["a", "b"]).only(&[LossId(1)]);
        assert_eq!(names(part.nodes.iter().map(|n| &n.name)), ["numbers", "trunk", "heads.b"]);
        let parameters = names(part.parameters.iter().map(|p| &p.name));
        assert_eq!(parameters, ["trunk.weight", "trunk.bias", "heads.b.weight", "heads.b.bias"]);
        assert_eq!(part.losses[0].task, "b");
        part.validate().unwrap();
        let turned = pair(["a", "b"]).only(&[LossId(1), LossId(0)]);
        assert_eq!(names(turned.losses.iter().map(|l| &l.task)), ["b", "a"]);
    }

    #[test]
    fn graphs_side_by_side_share_their_inputs_alone() {
        let parts = [("0.".to_owned(), pair(["a", "b"])), ("1.".to_owned(), pair(["c", "d"]))];
        let both = Graph::beside(&parts).unwrap();
        assert_eq!(both.parameter_count(), 2 * parts[0].1.parameter_count());
        assert_eq!(both.nodes.iter().filter(|n| n.op == Op::Input).count(), 1);
        assert_eq!(names(both.losses.iter().map(|l| &l.task)), ["a", "b", "c", "d"]);
        let reach = both.reach();
        let trunk = both.parameters.iter().position(|p| p.name == "1.trunk.weight").unwrap();
        assert_eq!(reach.parameters[trunk], [LossId(2), LossId(3)]);
        assert!(Graph::beside(&[("0.".to_owned(), pair(["a", "b"])), ("1.".to_owned(), pair(["a", "d"]))]).is_err());
    }
}
