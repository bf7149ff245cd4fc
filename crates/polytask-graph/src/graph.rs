//! The graph itself.

use crate::{AuxiliaryLoss, Domain, DomainId, Loss, LossId, LossKind, Op, Parameter, ParameterId, Penalty, ops};
use serde::{Deserialize, Serialize};

/// Values at most that a parameter has, or an element of a node: so few that the product of two such numbers can be counted.
const MOST: usize = 1 << 31;
/// Domains at most, which may lie in one another.
const MOST_DOMAINS: usize = 256;

/// Position of a node in its graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub usize);

/// Features of one element of a node's domain, row-major.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Shape(pub Vec<usize>);

impl Shape {
    /// Number of scalars an element has.
    pub fn width(&self) -> usize {
        self.0.iter().product()
    }

    /// Height, width and channels of an image; none for other features.
    pub fn image(&self) -> Option<[usize; 3]> {
        <[usize; 3]>::try_from(self.0.as_slice()).ok()
    }

    /// All axes but the last.
    pub fn leading(&self) -> &[usize] {
        self.0.split_last().map_or(&[], |(_, leading)| leading)
    }

    /// Number of places along all axes but the last: the pixels of an image, 1 for plain features.
    pub fn pixels(&self) -> usize {
        self.leading().iter().product()
    }

    /// Length of the last axis: the channels of an image, the features of a plain row.
    pub fn channels(&self) -> usize {
        self.0.last().copied().unwrap_or(0)
    }
}

/// One op, where it reads from, and the shape of what it gives.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Node {
    /// Unique within the graph, for example `trunk.0`.
    pub name: String,
    /// What it computes.
    pub op: Op,
    /// Earlier nodes.
    pub inputs: Vec<NodeId>,
    /// Per element of the domain.
    pub shape: Shape,
    /// What it has one element for.
    #[serde(default, skip_serializing_if = "DomainId::is_rows")]
    pub domain: DomainId,
}

/// A network with one loss per task. Nodes stand in an order in which they can run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Graph {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) domains: Vec<Domain>,
    pub(crate) nodes: Vec<Node>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) losses: Vec<Loss>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) penalties: Vec<Penalty>,
    #[serde(default, skip_serializing_if = "Vec::is_empty", alias = "charges")]
    pub(crate) auxiliary_losses: Vec<AuxiliaryLoss>,
}

impl Graph {
    /// Nothing: no node, no loss.
    pub fn empty() -> Self {
        Graph {
            domains: Vec::new(),
            nodes: Vec::new(),
            parameters: Vec::new(),
            losses: Vec::new(),
            penalties: Vec::new(),
            auxiliary_losses: Vec::new(),
        }
    }

    /// All nodes, in running order; a [`NodeId`] is a position here.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All domains but the rows: the one at position i has the id `i + 1`.
    pub fn domains(&self) -> &[Domain] {
        &self.domains
    }

    /// The domain at `id`; none for the rows.
    pub fn domain(&self, id: DomainId) -> Option<&Domain> {
        self.domains.get(id.0.checked_sub(1)?)
    }

    /// Whether every element of `inner` lies in one of `outer`: they are the same, or `outer` is a parent further up.
    pub fn lies_in(&self, inner: DomainId, outer: DomainId) -> bool {
        inner == outer || self.domain(inner).is_some_and(|domain| self.lies_in(domain.parent, outer))
    }

    /// All parameters; a [`ParameterId`] is a position here.
    pub fn parameters(&self) -> &[Parameter] {
        &self.parameters
    }

    /// One loss per task; a [`LossId`] is a position here.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// Terms of what is minimised that depend on parameters alone.
    pub fn penalties(&self) -> &[Penalty] {
        &self.penalties
    }

    /// Terms of what is minimised that need no label.
    pub fn auxiliary_losses(&self) -> &[AuxiliaryLoss] {
        &self.auxiliary_losses
    }

    /// The node at `id`.
    pub fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0]
    }

    /// The parameter at `id`.
    pub fn parameter(&self, id: ParameterId) -> &Parameter {
        &self.parameters[id.0]
    }

    /// The loss of a task.
    pub fn loss_of(&self, task: &str) -> Option<LossId> {
        self.losses.iter().position(|l| l.task == task).map(LossId)
    }

    /// Number of scalars of all parameters, those that are kept but not trained included.
    pub fn scalar_count(&self) -> usize {
        self.parameters.iter().map(Parameter::len).sum()
    }

    /// The graph in which nothing learns that a run holds at first, and after how many steps it learns; none where nothing is
    /// held.
    pub fn holding(&self) -> Option<(Self, u64)> {
        let steps = self.parameters.iter().filter(|p| p.is_trained()).map(|p| p.held).max().filter(|held| *held > 0)?;
        let mut held = self.clone();
        held.parameters.iter_mut().filter(|p| p.held > 0).for_each(|p| p.rate = 0.0);
        Some((held, steps))
    }

    /// Number of trained scalars.
    pub fn parameter_count(&self) -> usize {
        self.parameters.iter().filter(|p| p.is_trained()).map(Parameter::len).sum()
    }

    /// Number of trained scalars that more than one loss reaches.
    pub fn shared_parameter_count(&self) -> usize {
        let reach = self.reach();
        let shared = self.parameters.iter().zip(&reach.parameters).filter(|(_, losses)| losses.len() > 1);
        shared.map(|(parameter, _)| parameter.len()).sum()
    }

    /// The same network with these nodes as its predictions, for those who look inside; each has a loss, called after it,
    /// that nobody is meant to learn from.
    pub fn with_outputs(&self, nodes: &[NodeId]) -> Graph {
        let loss = |&prediction: &NodeId| Loss {
            task: self.node(prediction).name.clone(),
            prediction,
            kind: LossKind::Mse,
            class_weights: Vec::new(),
        };
        Graph { losses: nodes.iter().map(loss).collect(), auxiliary_losses: Vec::new(), ..self.clone() }
    }

    /// The same network with a reshape to its own shape behind every node of which `copied` says that a reader (none: a
    /// loss or auxiliary loss) reads a copy. It is for those who run graphs: a place to lay features out differently.
    pub fn with_copies(&self, copied: impl Fn(NodeId, Option<NodeId>) -> bool) -> Graph {
        let read = |reader: &Option<NodeId>| match reader {
            Some(reader) => self.node(*reader).inputs.clone(),
            None => {
                self.losses.iter().flat_map(Loss::nodes).chain(self.auxiliary_losses.iter().map(|c| c.node)).collect()
            }
        };
        let readers: Vec<Option<NodeId>> = (0..self.nodes.len()).map(|i| Some(NodeId(i))).chain([None]).collect();
        let mut has_copy = vec![false; self.nodes.len()];
        for reader in &readers {
            read(reader).iter().filter(|x| copied(**x, *reader)).for_each(|x| has_copy[x.0] = true);
        }
        let mut nodes: Vec<Node> = Vec::with_capacity(self.nodes.len());
        let mut moved = Vec::with_capacity(self.nodes.len());
        let place = |moved: &[NodeId], x: NodeId, reader| NodeId(moved[x.0].0 + usize::from(copied(x, reader)));
        for (i, node) in self.nodes.iter().enumerate() {
            let reader = Some(NodeId(i));
            let inputs = node.inputs.iter().map(|x| place(&moved, *x, reader)).collect();
            let own = NodeId(nodes.len());
            moved.push(own);
            nodes.push(Node { inputs, ..node.clone() });
            if has_copy[i] {
                let (name, shape) = (format!("{}.copy", node.name), node.shape.clone());
                nodes.push(Node { name, op: Op::Reshape, inputs: vec![own], shape, domain: node.domain });
            }
        }
        let losses = self.losses.iter().map(|loss| loss.moved(|x| place(&moved, x, None), |p| p));
        let auxiliary_losses =
            self.auxiliary_losses.iter().map(|c| AuxiliaryLoss { node: place(&moved, c.node, None), ..c.clone() });
        Graph { losses: losses.collect(), auxiliary_losses: auxiliary_losses.collect(), nodes, ..self.clone() }
    }

    /// The tables of sparse embeddings that nothing else reads or penalises: their gradient has only the rows that were
    /// looked up.
    pub fn tables(&self) -> impl Iterator<Item = ParameterId> {
        let looked_up = |node: &Node, p: ParameterId| matches!(node.op, Op::Embedding(ops::Embedding { table, sparse: true, .. }) if table == p);
        let reads = move |node: &&Node, p: ParameterId| node.op.parameters().contains(&p);
        (0..self.parameters.len()).map(ParameterId).filter(move |p| {
            let mut readers = self.nodes.iter().filter(|node| reads(node, *p)).peekable();
            readers.peek().is_some()
                && readers.all(|node| looked_up(node, *p))
                && !self.penalties.iter().any(|penalty| penalty.parameters.contains(p))
        })
    }

    /// Refuses sizes that cannot be counted with, before anything is computed of them.
    fn countable(&self) -> Result<(), GraphError> {
        let count = |sizes: &[usize]| sizes.iter().try_fold(1usize, |all, size| all.checked_mul(*size));
        let shapes = self.nodes.iter().map(|node| (&node.name, &node.shape.0));
        for (name, sizes) in self.parameters.iter().map(|parameter| (&parameter.name, &parameter.dims)).chain(shapes) {
            if count(sizes).is_none_or(|all| all > MOST) {
                let reason = format!("its shape {sizes:?} has more than {MOST} values");
                return Err(GraphError::Layer { layer: name.clone(), reason });
            }
        }
        match self.domains.get(MOST_DOMAINS) {
            None => Ok(()),
            Some(domain) => {
                let reason = format!("it is one of more than {MOST_DOMAINS} kinds of sequences");
                Err(GraphError::Layer { layer: domain.name.clone(), reason })
            }
        }
    }

    /// Checks a graph that was not made by the builder (read from a file, say): references point backwards, shapes
    /// agree with parameters, names are unique, and what callers brought is bound.
    ///
    /// # Errors
    /// The first mistake.
    pub fn validate(&self) -> Result<(), GraphError> {
        self.countable()?;
        let mut again = crate::GraphBuilder::new();
        again.replay(self)?;
        self.ready()
    }
}

/// Why a graph cannot be built. Every message names the layer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GraphError {
    /// A layer got inputs or settings it cannot work with.
    #[error("layer {layer:?}: {reason}")]
    Layer {
        /// Name of the layer.
        layer: String,
        /// What is wrong and what would be right.
        reason: String,
    },
    /// Two layers or tasks of one name.
    #[error("the name {0:?} is used twice; names of layers and tasks are unique")]
    Duplicate(String),
    /// Nothing to learn.
    #[error("the graph has no loss; add one per task")]
    NoLoss,
}
