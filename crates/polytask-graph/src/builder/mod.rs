//! Builds graphs layer by layer, checking shapes on the way: the layers people call, a family a file. The rules of every
//! op stand with the op.

mod custom;
mod domains;
mod events;
mod gates;
mod image;
mod layers;
mod losses;
mod mixing;
mod numbers;
mod penalty;
mod sharing;
mod tokens;

pub use mixing::Per;

use crate::ops::Site;
use crate::{
    DomainId, Graph, GraphError, Init, Loss, LossId, LossKind, Node, NodeId, Op, Parameter, ParameterId, Role, Shape,
};
use std::collections::BTreeSet;

/// Builds a [`Graph`] in the functional style.
///
/// Layer methods return the new node at once; the first mistake is kept and returned by [`finish`](Self::finish), so
/// that model code reads without error handling between its lines.
#[derive(Debug)]
pub struct GraphBuilder {
    graph: Graph,
    names: BTreeSet<String>,
    next_name: Option<String>,
    /// Layers named with the first prefix read the parameters of those named with the second.
    tied: Option<(String, String)>,
    error: Option<GraphError>,
}

impl Default for GraphBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl GraphBuilder {
    /// An empty graph.
    pub fn new() -> Self {
        let graph = Graph {
            domains: Vec::new(),
            nodes: Vec::new(),
            parameters: Vec::new(),
            losses: Vec::new(),
            penalties: Vec::new(),
            auxiliary_losses: Vec::new(),
        };
        GraphBuilder { graph, names: BTreeSet::new(), next_name: None, tied: None, error: None }
    }

    /// Keeps a mistake of whoever builds: [`finish`](Self::finish) returns the first.
    pub fn refuse(&mut self, layer: &str, reason: impl Into<String>) {
        self.fail_at(layer, reason.into());
    }

    /// Names the next layer; without it a layer is called after its op and position.
    pub fn named(&mut self, name: impl Into<String>) -> &mut Self {
        self.next_name = Some(name.into());
        self
    }

    /// The loss of a task.
    pub fn loss(&mut self, task: &str, prediction: NodeId, kind: LossKind) -> LossId {
        if self.graph.losses.iter().any(|l| l.task == task) {
            self.fail(GraphError::Duplicate(task.to_owned()));
        }
        let loss = Loss { task: task.to_owned(), prediction, kind, class_weights: Vec::new() };
        if let Err(reason) = self.check_loss(&loss) {
            self.fail_at(task, reason);
        }
        self.graph.losses.push(loss);
        LossId(self.graph.losses.len() - 1)
    }

    /// The graph, or the first mistake made on the way.
    pub fn finish(self) -> Result<Graph, GraphError> {
        match self.error {
            Some(error) => Err(error),
            None if self.graph.losses.is_empty() => Err(GraphError::NoLoss),
            None => Ok(self.graph),
        }
    }

    /// Builds `graph` again node by node, so that a graph from a file passes the same checks.
    pub(crate) fn replay(&mut self, graph: &Graph) -> Result<(), GraphError> {
        for domain in &graph.domains {
            self.add_domain(domain.clone());
        }
        // What comes later may only be checked against what holds.
        self.holds()?;
        for parameter in &graph.parameters {
            self.add_parameter(parameter.clone());
        }
        self.holds()?;
        for node in &graph.nodes {
            let Node { name, op, inputs, shape, domain } = node.clone();
            self.named(name).push_on(domain, op, inputs, shape);
            self.holds()?;
        }
        for loss in &graph.losses {
            let again = self.loss(&loss.task, loss.prediction, loss.kind.clone());
            self.class_weights(again, &loss.class_weights);
        }
        graph.penalties.iter().for_each(|penalty| self.add_penalty(penalty.clone()));
        graph.auxiliary_losses.iter().for_each(|auxiliary| self.add_auxiliary(auxiliary.clone()));
        std::mem::take(self).finish().map(|_| ())
    }

    /// The first mistake made so far.
    fn holds(&mut self) -> Result<(), GraphError> {
        self.error.take().map_or(Ok(()), Err)
    }

    /// A node of its first input's domain.
    fn push(&mut self, op: Op, inputs: Vec<NodeId>, shape: Shape) -> NodeId {
        let domain = inputs.first().map_or(DomainId::ROWS, |x| self.domain(*x));
        self.push_on(domain, op, inputs, shape)
    }

    fn push_on(&mut self, domain: DomainId, op: Op, inputs: Vec<NodeId>, shape: Shape) -> NodeId {
        let name = self.take_name(op.label());
        if !self.names.insert(name.clone()) {
            self.fail(GraphError::Duplicate(name.clone()));
        }
        if let Err(reason) = op.check(&Site::new(&self.graph, &inputs, &shape, domain)) {
            self.fail_at(&name, reason);
        }
        self.graph.nodes.push(Node { name, op, inputs, shape, domain });
        NodeId(self.graph.nodes.len() - 1)
    }

    fn parameter(&mut self, layer: &str, part: &str, dims: Vec<usize>, init: Init, role: Role) -> ParameterId {
        match self.tied_parameter(layer, part, &dims) {
            (_, Some(there)) => there,
            (name, None) => {
                self.add_parameter(Parameter { name, dims, init, role, rate: 1.0, held: 0, start: None, twin: None })
            }
        }
    }

    fn add_parameter(&mut self, parameter: Parameter) -> ParameterId {
        if self.graph.parameters.iter().any(|p| p.name == parameter.name) {
            self.fail(GraphError::Duplicate(parameter.name.clone()));
        }
        if let Err(reason) = self.check_parameter(&parameter) {
            self.fail_at(&parameter.name, reason);
        }
        self.graph.parameters.push(parameter);
        ParameterId(self.graph.parameters.len() - 1)
    }

    fn take_name(&mut self, label: &str) -> String {
        self.next_name.take().unwrap_or_else(|| format!("{label}_{}", self.graph.nodes.len()))
    }

    /// What has been built so far, for those who compare.
    pub fn so_far(&self) -> &Graph {
        &self.graph
    }

    /// What a node gives for an element.
    pub fn shape(&self, x: NodeId) -> Shape {
        self.graph.nodes.get(x.0).map_or(Shape(vec![0]), |n| n.shape.clone())
    }

    /// The node of this name, if there is one.
    pub fn find(&self, name: &str) -> Option<NodeId> {
        self.graph.nodes.iter().position(|node| node.name == name).map(NodeId)
    }

    /// The domain of this name; the rows if there is none.
    pub fn domain_named(&self, name: &str) -> DomainId {
        self.graph.domains.iter().position(|domain| domain.name == name).map_or(DomainId::ROWS, |i| DomainId(i + 1))
    }

    /// What a node has one element for.
    pub fn domain(&self, x: NodeId) -> DomainId {
        self.graph.nodes.get(x.0).map_or(DomainId::ROWS, |n| n.domain)
    }

    fn width(&self, x: NodeId) -> usize {
        self.graph.nodes.get(x.0).map_or(0, |n| n.shape.width())
    }

    fn fail_at(&mut self, layer: &str, reason: String) {
        self.fail(GraphError::Layer { layer: layer.to_owned(), reason });
    }

    fn fail(&mut self, error: GraphError) {
        self.error.get_or_insert(error);
    }
}
