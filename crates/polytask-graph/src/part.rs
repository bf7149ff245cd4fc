//! Parts of graphs, and graphs side by side, for those who predict.

use crate::{Domain, DomainId, Graph, GraphError, Loss, LossId, Node, NodeId, Op, ParameterId};
use std::collections::{BTreeMap, BTreeSet};

impl Graph {
    /// What these losses' predictions depend on, with these losses, in their order. Penalties and auxiliary losses, which only
    /// training has, are left out; parameters keep their names.
    pub fn only(&self, losses: &[LossId]) -> Graph {
        let mut needed = vec![false; self.nodes.len()];
        let losses: Vec<&Loss> = losses.iter().map(|loss| &self.losses[loss.0]).collect();
        losses.iter().flat_map(|loss| loss.nodes()).for_each(|node| needed[node.0] = true);
        // Inputs of a node stand before it, so one walk down sees them all.
        for i in (0..self.nodes.len()).rev() {
            if needed[i] {
                self.nodes[i].inputs.iter().for_each(|input| needed[input.0] = true);
            }
        }
        let kept = |i: &usize| needed[*i];
        let by_nodes = (0..self.nodes.len()).filter(kept).flat_map(|i| self.nodes[i].op.parameters());
        let read: BTreeSet<ParameterId> = by_nodes.chain(losses.iter().filter_map(|loss| loss.parameter())).collect();
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
        let losses = losses.iter().map(|loss| loss.moved(|x| moved[x.0], |p| places[&p]));
        Graph {
            domains: self.domains.clone(),
            losses: losses.collect(),
            parameters: parameters.collect(),
            nodes,
            penalties: Vec::new(),
            auxiliary_losses: Vec::new(),
        }
    }

    /// Several networks that read the same inputs as one: inputs and domains of one name are one, everything else is called
    /// `{prefix}{name}`. Penalties and auxiliary losses, which only training has, are left out.
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
            auxiliary_losses: Vec::new(),
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
        let losses = part.losses.iter().map(|loss| loss.moved(|x| moved[x.0], |p| ParameterId(first + p.0)));
        self.losses.extend(losses);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Activation, GraphBuilder, LossKind};

    /// What a loss reads beside its prediction comes along, and is found where it then is.
    #[test]
    fn a_part_has_what_its_losses_read_themselves() {
        let mut g = GraphBuilder::new();
        let tokens = g.ragged("tokens", DomainId::ROWS);
        let x = g.input_on(tokens, "x", 3);
        let other = g.named("other").dense(x, 2, Activation::Linear);
        g.loss("other", other, LossKind::Mse);
        let pairs = g.product("pairs", tokens, tokens);
        let labels = g.named("labels").dense(x, 4, Activation::Linear);
        let scores = g.biaffine(pairs, x, x, false);
        g.loss("arcs", scores, LossKind::Arcs { labels });
        let tags = g.named("tags").dense(x, 5, Activation::Linear);
        g.named("crf").crf_loss("tags", tags);
        let graph = g.finish().unwrap();
        for losses in [vec![LossId(1)], vec![LossId(2), LossId(1)]] {
            let part = graph.only(&losses);
            part.validate().unwrap();
            let [.., arcs] = &part.losses[..] else { panic!("no loss") };
            assert_eq!(part.node(arcs.labelled()).name, "labels");
            let both = Graph::beside(&[("0.".to_owned(), part.clone()), ("1.".to_owned(), graph.only(&[LossId(0)]))]);
            assert_eq!(both.unwrap().losses.len(), losses.len() + 1);
        }
        let tags = graph.only(&[LossId(2)]);
        let transitions = tags.losses[0].parameter().unwrap();
        assert_eq!(tags.parameter(transitions).name, "crf.transitions");
    }

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
