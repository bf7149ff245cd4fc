//! Where an op stands in its graph, and the questions its rules ask of that.

use super::Fed;
use crate::{DomainId, Graph, Node, NodeId, Parameter, ParameterId, Shape, Window};

/// An op's inputs, what it gives, and on what domain.
#[derive(Clone, Copy)]
pub struct Site<'a> {
    graph: &'a Graph,
    /// The nodes it reads.
    pub inputs: &'a [NodeId],
    /// What it gives for an element.
    pub shape: &'a Shape,
    /// What it has one element for.
    pub domain: DomainId,
}

impl<'a> Site<'a> {
    /// Of an op that is about to join a graph.
    pub fn new(graph: &'a Graph, inputs: &'a [NodeId], shape: &'a Shape, domain: DomainId) -> Self {
        Site { graph, inputs, shape, domain }
    }

    /// Of a node.
    pub fn of(graph: &'a Graph, node: &'a Node) -> Self {
        Site::new(graph, &node.inputs, &node.shape, node.domain)
    }

    /// The graph.
    pub fn graph(&self) -> &'a Graph {
        self.graph
    }

    /// Shape of an input.
    pub fn input(&self, i: usize) -> &'a Shape {
        &self.graph.node(self.inputs[i]).shape
    }

    /// Features of an input.
    pub fn width(&self, i: usize) -> usize {
        self.input(i).width()
    }

    /// Features of all inputs, in order.
    pub fn widths(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.inputs.len()).map(|i| self.width(i))
    }

    /// A parameter.
    pub fn parameter(&self, id: ParameterId) -> &'a Parameter {
        self.graph.parameter(id)
    }

    /// The name of an input, and whether it gives category indices.
    pub(super) fn source(&self, i: usize) -> (&'a str, bool) {
        let node = self.graph.node(self.inputs[i]);
        (&node.name, node.op.fed() == Some(Fed::Indices))
    }

    /// The domain of an input.
    pub fn domain_of(&self, i: usize) -> DomainId {
        self.graph.node(self.inputs[i]).domain
    }

    /// The name of a domain.
    pub fn domain_name(&self, id: DomainId) -> &'a str {
        self.graph.domain(id).map_or("rows", |domain| &domain.name)
    }

    /// Inputs, parameters and the domain must be there before anything else is asked of them.
    pub(super) fn exists(&self, parameters: &[ParameterId]) -> Result<(), String> {
        if let Some(far) = self.inputs.iter().find(|i| i.0 >= self.graph.nodes().len()) {
            return Err(format!("it reads node {} which does not come before it", far.0));
        }
        if let Some(far) = parameters.iter().find(|p| p.0 >= self.graph.parameters().len()) {
            return Err(format!("it reads parameter {} which does not exist", far.0));
        }
        if self.shape.width() == 0 {
            return Err("it has no features; widths start at 1".into());
        }
        match self.domain.0 > self.graph.domains().len() {
            true => Err(format!("it is on domain {} which does not exist", self.domain.0)),
            false => Ok(()),
        }
    }

    /// It must have so many inputs.
    pub fn takes(&self, count: usize) -> Result<(), String> {
        match self.inputs.len() == count {
            true => Ok(()),
            false => Err(format!("it takes {count} input(s) and got {}", self.inputs.len())),
        }
    }

    /// It must give so many features.
    pub fn gives_width(&self, wanted: usize) -> Result<(), String> {
        match self.shape.width() == wanted {
            true => Ok(()),
            false => Err(format!("it gives {} features, expected {wanted}", self.shape.width())),
        }
    }

    /// It must have one input, and give as many features as that has.
    pub fn keeps_width(&self) -> Result<(), String> {
        self.takes(1)?;
        self.gives_width(self.width(0))
    }

    /// It must give this shape.
    pub fn gives(&self, wanted: &[usize]) -> Result<(), String> {
        match self.shape.0 == wanted {
            true => Ok(()),
            false => Err(format!("it gives {:?}, expected {wanted:?}", self.shape.0)),
        }
    }

    /// A parameter must have this shape.
    pub fn is_shaped(&self, parameter: ParameterId, wanted: &[usize]) -> Result<(), String> {
        match &self.parameter(parameter).dims {
            got if got == wanted => Ok(()),
            got => Err(format!("its parameter has shape {got:?}, expected {wanted:?}")),
        }
    }

    /// The first of several inputs that has another width than it gives, which must all be alike.
    pub fn odd_width(&self) -> Option<usize> {
        self.widths().find(|width| *width != self.shape.width())
    }

    /// It must stand on sequences.
    pub fn is_on_sequences(&self) -> Result<(), String> {
        match self.domain.is_rows() {
            true => Err("it works on sequences; a row is none".into()),
            false => Ok(()),
        }
    }

    /// Its only input must be an image: `[height, width, channels]`.
    pub fn image(&self) -> Result<[usize; 3], String> {
        self.takes(1)?;
        let input = self.input(0);
        input.image().ok_or_else(|| format!("it reads images, [height, width, channels], but gets {:?}", input.0))
    }

    /// Places of a window, which must be right, on an image.
    pub fn places(&self, window: &Window, [height, width, _]: [usize; 3]) -> Result<[usize; 2], String> {
        match (window.fault(), window.places([height, width])) {
            (Some(fault), _) => Err(fault),
            (None, Some(places)) => Ok(places),
            (None, None) => {
                Err(format!("its window of {:?} does not fit an image of {:?}", window.size, [height, width]))
            }
        }
    }

    /// Channels must fall into groups of one size.
    pub fn divides(&self, groups: usize, channels: usize) -> Result<(), String> {
        match groups > 0 && channels.is_multiple_of(groups) {
            true => Ok(()),
            false => Err(format!("{channels} channels cannot be cut into {groups} groups of one size")),
        }
    }
}

/// A share of features that is dropped must be in `[0, 1)`.
pub(super) fn dropped(share: f32) -> Result<(), String> {
    match (0.0..1.0).contains(&share) {
        true => Ok(()),
        false => Err(format!("dropout rate is {share}; it must be at least 0 and below 1")),
    }
}
