//! From a graph to ONNX: where each node's values are.
//!
//! Plain features have the shape `[batch, .., width]`: an axis for the rows, and one more for every domain of ragged
//! sequences that leads to a node's own. Sequences are padded to the longest; a mask says which elements are there.
//! Images on rows are `[batch, channels, height, width]`, as ONNX has them, and become plain for ops that read features.

use super::writer::Writer;
use crate::array::{Axis, Type};
use crate::error::{ExportError, Refusal};
use crate::spec;
use polytask::model::{Model, Network};
use polytask_graph::{DomainId, Graph, Node, NodeId, ParameterId};
use std::collections::HashMap;

/// A graph on its way to ONNX.
pub struct Emit<'a> {
    pub model: &'a Model,
    network: &'a Network,
    pub graph: &'a Graph,
    pub w: Writer,
    places: Vec<Place>,
    /// What stands for the columns of each index node.
    pub indices: HashMap<NodeId, Indices>,
    /// By domain: which elements are there, `[batch, ..]`.
    pub masks: HashMap<DomainId, String>,
    /// Some value with the batch as its first axis.
    pub batch: Option<String>,
    /// Before the name of every weight.
    pub prefix: String,
    /// Weights that are there, by the name and shape of their parameter: layers may share them.
    weights: HashMap<(String, Vec<usize>), String>,
}

/// Where a node's values are, in one form or both.
#[derive(Clone, Default)]
struct Place {
    plain: Option<String>,
    image: Option<String>,
}

/// The columns of an index node.
#[derive(Clone)]
pub enum Indices {
    /// Each a value `[batch, ..]`; a missing level is the number of levels.
    Columns(Vec<String>),
    /// Side by side as they are fed, `[batch, .., columns]`; out of range where missing.
    Fed(String),
}

/// How several nodes' values are read together.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `[batch, .., width]`
    Plain,
    /// `[batch, channels, height, width]`
    Image,
}

impl<'a> Emit<'a> {
    pub fn new(model: &'a Model, network: &'a Network) -> Self {
        let graph = &network.graph;
        let places = vec![Place::default(); graph.nodes().len()];
        let (indices, masks, prefix, weights) = Default::default();
        Emit { model, network, graph, w: Writer::default(), places, indices, masks, batch: None, prefix, weights }
    }

    /// Puts all nodes into the ONNX graph.
    pub fn nodes(&mut self) -> Result<(), ExportError> {
        let needed = spec::needed(self.network);
        for (i, node) in self.graph.nodes().iter().enumerate().filter(|(i, _)| needed[*i]) {
            self.w.scope(format!("{}{}", self.prefix, node.name));
            let id = NodeId(i);
            let (form, value) = self.node(node).map_err(|refusal| refusal.at(node, "onnx"))?;
            if !value.is_empty() {
                self.put(id, form, value);
            }
        }
        Ok(())
    }

    /// Sets a node's value.
    pub fn put(&mut self, id: NodeId, form: Form, value: String) {
        let place = &mut self.places[id.0];
        match form {
            Form::Plain => place.plain = Some(value),
            Form::Image => place.image = Some(value),
        }
    }

    /// A node's values as plain features.
    pub fn plain(&mut self, id: NodeId) -> String {
        if let Some(value) = &self.places[id.0].plain {
            return value.clone();
        }
        let image = self.places[id.0].image.clone().unwrap_or_default();
        let last = self.w.transpose(&image, &[0, 2, 3, 1]);
        let plain = self.w.reshape(&last, &[0, self.graph.node(id).shape.width() as i64]);
        self.places[id.0].plain = Some(plain.clone());
        plain
    }

    /// A node's values as images.
    pub fn image(&mut self, id: NodeId) -> Result<String, Refusal> {
        if let Some(value) = &self.places[id.0].image {
            return Ok(value.clone());
        }
        let node = self.graph.node(id);
        let Some([height, width, channels]) = node.shape.image().filter(|_| node.domain.is_rows()) else {
            return Err(Refusal::new("it reads images of the elements of sequences"));
        };
        let plain = self.plain(id);
        let last = self.w.reshape(&plain, &[0, height as i64, width as i64, channels as i64]);
        let image = self.w.transpose(&last, &[0, 3, 1, 2]);
        self.places[id.0].image = Some(image.clone());
        Ok(image)
    }

    /// Several nodes of one shape in one form: as images where all are, else plain.
    pub fn alike(&mut self, ids: &[NodeId]) -> Result<(Form, Vec<String>), Refusal> {
        match ids.iter().all(|id| self.places[id.0].image.is_some()) {
            true => Ok((Form::Image, ids.iter().map(|id| self.image(*id)).collect::<Result<_, _>>()?)),
            false => Ok((Form::Plain, ids.iter().map(|id| self.plain(*id)).collect())),
        }
    }

    /// The values of a parameter.
    pub fn values(&self, id: ParameterId) -> &'a [f32] {
        self.network.parameters.of(id)
    }

    /// A parameter as a weight of the ONNX graph.
    pub fn parameter(&mut self, id: ParameterId) -> String {
        let parameter = self.graph.parameter(id);
        self.tensor(&parameter.name, &parameter.dims, self.network.parameters.of(id))
    }

    /// A weight under the name of a parameter, in another layout.
    pub fn tensor(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let key = (name.to_owned(), dims.to_vec());
        if let Some(there) = self.weights.get(&key) {
            return there.clone();
        }
        let value = self.w.weight(&format!("{}{name}", self.prefix), dims, values);
        self.weights.insert(key, value.clone());
        value
    }

    /// Axes that a domain has, the batch included.
    pub fn rank(&self, domain: DomainId) -> usize {
        match self.graph.domain(domain) {
            None => 1,
            Some(of) => 1 + self.rank(of.parent),
        }
    }

    /// The axes of a domain, the batch included.
    pub fn axes(&self, domain: DomainId) -> Vec<Axis> {
        match self.graph.domain(domain) {
            None => vec!["batch".into()],
            Some(of) => {
                let length = match of.over {
                    Some(over) => self.axes(over).pop().unwrap_or(Axis::Fixed(1)),
                    None => Axis::Named(length(&of.name)),
                };
                let mut axes = self.axes(of.parent);
                axes.push(length);
                axes
            }
        }
    }

    /// The lengths of a domain's axes, the batch included, as a value on one axis.
    pub fn shape(&mut self, domain: DomainId) -> Result<String, Refusal> {
        match domain.is_rows() {
            true => {
                let batch = self.batch.clone().unwrap_or_default();
                let shape = self.w.op("Shape", &[&batch]);
                Ok(self.w.slice(&shape, 0, 0, 1))
            }
            false => {
                let mask = self.mask(domain)?;
                Ok(self.w.op("Shape", &[&mask]))
            }
        }
    }

    /// Which elements of a domain are there.
    pub fn mask(&mut self, domain: DomainId) -> Result<String, Refusal> {
        if let Some(mask) = self.masks.get(&domain) {
            return Ok(mask.clone());
        }
        let Some((parent, over)) = self.graph.domain(domain).map(|d| (d.parent, d.over)) else {
            return Err(Refusal::new("it works on sequences; a row is none"));
        };
        let Some(over) = over else { return Err(Refusal::new("its sequences have no lengths")) };
        if self.rank(over) != 2 {
            return Err(Refusal::new("it pairs elements with those of nested sequences"));
        }
        let (a, b) = (self.mask(parent)?, self.mask(over)?);
        let a = self.w.unsqueeze(&a, &[-1]);
        let between: Vec<i64> = (1..self.rank(parent) as i64).collect();
        let b = self.w.unsqueeze(&b, &between);
        let mask = self.w.op("And", &[&a, &b]);
        self.masks.insert(domain, mask.clone());
        Ok(mask)
    }

    /// How many elements of a domain each element of its parent has, `[batch, ..]` with a last axis of 1 if `keep`.
    pub fn count(&mut self, domain: DomainId, kind: Type, keep: bool) -> Result<String, Refusal> {
        let mask = self.mask(domain)?;
        let ones = self.w.cast(&mask, kind);
        Ok(self.sum(&ones, -1, keep))
    }

    /// The sum over an axis.
    pub fn sum(&mut self, x: &str, axis: i64, keep: bool) -> String {
        let axes = self.w.longs(&[axis]);
        self.w.op_with("ReduceSum", &[x, &axes], vec![("keepdims", super::writer::Setting::Int(keep.into()))])
    }

    /// Values `[width]` or `[length, width]` for all elements of a domain.
    pub fn everywhere(&mut self, x: &str, domain: DomainId, width: usize) -> Result<String, Refusal> {
        let axes = self.shape(domain)?;
        let width = self.w.longs(&[width as i64]);
        let shape = self.w.concat(&[axes, width], 0);
        Ok(self.w.op("Expand", &[x, &shape]))
    }

    /// The positions of the elements of a domain in their sequence, `[length]`.
    pub fn positions(&mut self, domain: DomainId) -> Result<String, Refusal> {
        let shape = self.shape(domain)?;
        let length = self.w.take(&shape, 0, -1);
        let (zero, one) = (self.w.long(0), self.w.long(1));
        Ok(self.w.op("Range", &[&zero, &length, &one]))
    }

    /// Features with 0 where there is no element.
    pub fn masked(&mut self, x: &str, domain: DomainId, other: f32) -> Result<String, Refusal> {
        let mask = self.mask(domain)?;
        let mask = self.w.unsqueeze(&mask, &[-1]);
        let other = self.w.float(other);
        Ok(self.w.op("Where", &[&mask, x, &other]))
    }

    /// A node with a new shape of its last axis alone: `[batch, .., lengths]`.
    pub fn split_last(&mut self, x: &str, domain: DomainId, lengths: &[usize]) -> String {
        let mut shape = vec![0; self.rank(domain)];
        shape.extend(lengths.iter().map(|l| *l as i64));
        self.w.reshape(x, &shape)
    }

    /// The domain and width of a node.
    pub fn of(&self, node: &Node) -> (DomainId, usize) {
        (node.domain, node.shape.width())
    }
}

/// The name of the axis of a domain's elements.
pub fn length(domain: &str) -> String {
    format!("{domain}.length")
}
