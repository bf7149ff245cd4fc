//! How the gates of a mixture of experts are used: the mean weight that each gives each expert.

use super::{Body, Model, Network};
use crate::Error;
use crate::dataset::Dataset;
use indexmap::{IndexMap, IndexSet};
use polytask_graph::{Graph, NodeId, Op};
use serde::Serialize;

/// What one gate makes of its experts.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct GateUse {
    /// The gate's name in the graph.
    pub gate: String,
    /// The tasks that learn from what it mixes.
    pub tasks: Vec<String>,
    /// The mean over rows of what it weighs each expert by.
    pub weights: IndexMap<String, f64>,
    /// Whether it is built to leave experts out, as those of DSelect-k are.
    #[serde(skip)]
    pub sparse: bool,
}

impl Model {
    /// The mean weights that the model's gates give their experts over some rows; none where there is no gate or no row.
    ///
    /// # Errors
    /// An image that could be read before and cannot be now.
    pub fn gates(&self, data: &Dataset, rows: &[u32]) -> Result<Vec<GateUse>, Error> {
        let Some(network) = self.network() else { return Ok(Vec::new()) };
        let graph = &network.graph;
        let mixtures = mixtures(graph);
        if mixtures.is_empty() || rows.is_empty() {
            return Ok(Vec::new());
        }
        let gates: Vec<NodeId> = mixtures.iter().map(|m| graph.node(*m).inputs[0]).collect();
        let inside = Model {
            body: Body::Network(Network { graph: graph.with_outputs(&gates), parameters: network.parameters.clone() }),
            ..self.clone()
        };
        let reach = graph.reach();
        let outputs = inside.outputs(data, rows)?;
        let used = mixtures.iter().zip(&gates).zip(&outputs.tasks).map(|((mixture, gate), output)| {
            let weights = output.prediction.values();
            let (gate, names) = (graph.node(*gate), experts(graph, *mixture));
            let mut sums = vec![0.0; names.len()];
            for row in weights.chunks_exact(names.len()) {
                sums.iter_mut().zip(row).for_each(|(sum, weight)| *sum += f64::from(*weight));
            }
            let count = (weights.len() / names.len()).max(1) as f64;
            GateUse {
                gate: gate.name.clone(),
                tasks: reach.nodes[mixture.0].iter().map(|l| graph.losses()[l.0].task.clone()).collect(),
                weights: names.into_iter().zip(sums.iter().map(|sum| sum / count)).collect(),
                sparse: !matches!(gate.op, Op::Softmax(_)),
            }
        });
        Ok(used.collect())
    }
}

/// The mixtures of experts: those that are no other mixture's gate.
fn mixtures(graph: &Graph) -> Vec<NodeId> {
    let all = graph.nodes().iter().enumerate().filter(|(_, node)| matches!(node.op, Op::Mixture));
    let gates: Vec<NodeId> = all.clone().map(|(_, node)| node.inputs[0]).collect();
    all.map(|(i, _)| NodeId(i)).filter(|mixture| !gates.contains(mixture)).collect()
}

/// The names of the experts that a mixture weighs.
fn experts(graph: &Graph, mixture: NodeId) -> Vec<String> {
    let node = graph.node(mixture);
    let names = node.inputs[1..].iter().flat_map(|&input| {
        let input = graph.node(input);
        let held = input.shape.width() / node.shape.width();
        let name = expert(&input.name);
        (0..held).map(move |i| if held == 1 { name.to_owned() } else { format!("{name}.{i}") })
    });
    names.collect()
}

/// `levels.0.shared.experts.1` of the layer `levels.0.shared.experts.1.2.dropout`.
fn expert(layer: &str) -> &str {
    let Some(at) = layer.find("experts.").map(|at| at + "experts.".len()) else { return layer };
    &layer[..at + layer[at..].find('.').unwrap_or(layer.len() - at)]
}

/// A gate that gives one expert more than this has collapsed.
const ALL: f64 = 0.95;

impl GateUse {
    /// The expert that has all but a little of the weight.
    fn favourite(&self) -> Option<(&String, f64)> {
        self.weights.iter().map(|(expert, weight)| (expert, *weight)).find(|(_, weight)| *weight > ALL)
    }
}

/// What is wrong with how experts are used, in plain words: gates that listen to one expert, and experts that none of the
/// others listens to (less than a twentieth of an even share).
pub fn gate_warnings(gates: &[GateUse]) -> Vec<String> {
    let dense: Vec<&GateUse> = gates.iter().filter(|g| !g.sparse && g.weights.len() > 1).collect();
    let (collapsed, dense): (Vec<&GateUse>, Vec<&GateUse>) = dense.into_iter().partition(|g| g.favourite().is_some());
    let mut warnings = Vec::new();
    for gate in collapsed {
        let Some((expert, weight)) = gate.favourite() else { continue };
        let (name, percent) = (&gate.gate, 100.0 * weight);
        warnings.push(format!(
            "the gate `{name}` gives {percent:.0} % of its weight to one expert, `{expert}`: it mixes nothing; \
             model.sharing.gate.dropout = 0.1 keeps several in use"
        ));
    }
    let experts: IndexSet<&String> = dense.iter().flat_map(|g| g.weights.keys()).collect();
    let idle = experts.into_iter().filter(|expert| {
        let mut weighed = dense.iter().filter_map(|g| Some((g.weights.len(), g.weights.get(*expert)?)));
        weighed.all(|(count, weight)| *weight < 1.0 / (20.0 * count as f64))
    });
    let idle: Vec<String> = idle.map(|expert| format!("`{expert}`")).collect();
    if !idle.is_empty() {
        warnings.push(format!(
            "no gate makes use of {}: fewer experts would do, or model.sharing.gate.dropout = 0.1 may bring them in",
            idle.join(", ")
        ));
    }
    warnings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate(name: &str, weights: &[(&str, f64)]) -> GateUse {
        let weights = weights.iter().map(|(expert, weight)| ((*expert).to_owned(), *weight)).collect();
        GateUse { gate: name.to_owned(), tasks: vec![], weights, sparse: false }
    }

    #[test]
    fn collapse_and_idleness_are_told() {
        let fine = [gate("a", &[("x", 0.94), ("y", 0.06)]), gate("b", &[("x", 0.01), ("y", 0.99)])];
        assert_eq!(gate_warnings(&fine[..1]), [""; 0]);
        let [one] = &gate_warnings(&fine)[..] else { panic!() };
        assert!(one.starts_with("the gate `b` gives 99 % of its weight to one expert, `y`"), "{one}");
        // A twentieth of an even share of three is 0.0167, under every gate that reads the expert.
        let idle = [gate("a", &[("x", 0.5), ("y", 0.485), ("z", 0.015)]), gate("b", &[("x", 0.5), ("y", 0.5)])];
        let [one] = &gate_warnings(&idle)[..] else { panic!() };
        assert!(one.starts_with("no gate makes use of `z`: "), "{one}");
        let used = [idle[0].clone(), gate("b", &[("x", 0.5), ("y", 0.48), ("z", 0.02)])];
        assert_eq!(gate_warnings(&used), [""; 0]);
        let sparse = GateUse { sparse: true, ..gate("c", &[("x", 1.0), ("y", 0.0)]) };
        assert_eq!(gate_warnings(&[sparse]), [""; 0]);
    }

    #[test]
    fn experts_are_named_without_their_layers() {
        let names = ["experts.3.1", "experts.12", "levels.0.tasks.a.experts.1.2.dropout", "own"].map(expert);
        assert_eq!(names, ["experts.3", "experts.12", "levels.0.tasks.a.experts.1", "own"]);
    }
}
