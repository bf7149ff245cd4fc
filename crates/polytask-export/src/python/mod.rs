//! Python: a readable file that builds the network with the layers of PyTorch or Keras, reads columns as the model does, and
//! loads the weights that lie beside it.

mod layers;
mod numbers;
mod ops;
mod script;
mod sequence;

pub(crate) use script::script;

use crate::error::{ExportError, Refusal};
use crate::spec;
use indexmap::IndexMap;
use polytask::files::Tensor;
use polytask::model::{Model, Network};
use polytask_graph::{Activation, DomainId, Graph, Node, NodeId};
use std::collections::{BTreeSet, HashMap, HashSet};

/// Which library builds the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Torch,
    Keras,
}

impl Target {
    /// The name of its format.
    pub fn format(self) -> &'static str {
        match self {
            Target::Torch => "pytorch",
            Target::Keras => "keras",
        }
    }
}

/// A network on its way to Python.
///
/// Plain features are `[batch, .., width]`, as in ONNX. Images are `[batch, channels, height, width]` in PyTorch and
/// `[batch, height, width, channels]` in Keras.
struct Emit<'a> {
    target: Target,
    model: &'a Model,
    network: &'a Network,
    graph: &'a Graph,
    /// What the network reads, by its name in the graph.
    inputs: IndexMap<String, Fed>,
    /// Layers by name, with what makes them.
    layers: IndexMap<String, String>,
    tensors: Vec<Tensor<'a>>,
    /// The body of the network, a statement a line.
    lines: Vec<String>,
    /// By node, the expression of its values, plain and as an image.
    places: Vec<[Option<String>; 2]>,
    masks: HashMap<DomainId, String>,
    names: HashSet<String>,
    /// Functions beside the network that it calls.
    helpers: BTreeSet<&'static str>,
}

/// Something that the network reads.
struct Fed {
    variable: String,
    /// How Keras declares it.
    declared: String,
}

/// How features lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Plain = 0,
    Image = 1,
}

type Made = Result<(Form, String), Refusal>;

impl<'a> Emit<'a> {
    fn new(model: &'a Model, network: &'a Network, target: Target) -> Self {
        let modules = ["self", "F", "nn", "np", "ops", "layers", "torch", "keras", "math", "sum", "len"];
        let functions = script::functions(target);
        Emit {
            target,
            model,
            network,
            graph: &network.graph,
            inputs: IndexMap::new(),
            layers: IndexMap::new(),
            tensors: Vec::new(),
            lines: Vec::new(),
            places: vec![[None, None]; network.graph.nodes().len()],
            masks: HashMap::new(),
            names: modules.into_iter().chain(functions).map(str::to_owned).collect(),
            helpers: BTreeSet::new(),
        }
    }

    /// Writes the statements of all nodes that predictions need.
    fn nodes(&mut self) -> Result<(), ExportError> {
        let graph = self.graph;
        for (i, domain) in graph.domains().iter().enumerate().filter(|(_, d)| d.over.is_none()) {
            let name = spec::mask(&domain.name);
            let mask = self.unique(&name);
            let axes = "None, ".repeat(self.rank(DomainId(i + 1)) - 1);
            let declared = format!("keras.Input(({axes}), dtype=\"bool\", name=\"{mask}\")");
            self.inputs.insert(name, Fed { variable: mask.clone(), declared });
            self.masks.insert(DomainId(i + 1), mask);
        }
        let needed = spec::needed(self.network);
        for (i, node) in graph.nodes().iter().enumerate().filter(|(i, _)| needed[*i]) {
            if node.op.fed().is_some() {
                let kind = node.name.split('.').next().unwrap_or_default();
                if !["numbers", "categories", "images", "tokens"].contains(&kind) {
                    let reason = "it is made of more than columns and tokens; ONNX is fed with it";
                    return Err(Refusal::new(reason).at(node, self.target.format()));
                }
                self.input(NodeId(i), node);
                continue;
            }
            let (form, value) = self.node(node).map_err(|refusal| refusal.at(node, self.target.format()))?;
            let value = if is_name(&value) { value } else { self.assign(&node.name, value) };
            self.places[i][form as usize] = Some(value);
        }
        Ok(())
    }

    fn input(&mut self, id: NodeId, node: &Node) {
        let name = self.unique(&node.name);
        let lengths = std::iter::repeat_n("None".to_owned(), self.rank(node.domain) - 1);
        let axes: Vec<String> = lengths.chain(node.shape.0.iter().map(usize::to_string)).collect();
        let kind = if node.op.fed() == Some(polytask_graph::ops::Fed::Indices) { "dtype=\"int64\", " } else { "" };
        let declared = format!("keras.Input(({},), {kind}name=\"{name}\")", axes.join(", "));
        self.inputs.insert(node.name.clone(), Fed { variable: name.clone(), declared });
        let form = if node.shape.image().is_some() { Form::Image } else { Form::Plain };
        self.places[id.0][form as usize] = Some(name);
    }

    /// A statement that gives a value a name.
    fn assign(&mut self, wanted: &str, value: String) -> String {
        let name = self.unique(wanted);
        self.lines.push(format!("{name} = {value}"));
        name
    }

    /// A Python name like this one that nothing has yet.
    fn unique(&mut self, wanted: &str) -> String {
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let mut base: String = wanted.chars().map(letter).collect();
        if !base.starts_with(|c: char| c.is_ascii_alphabetic()) || KEYWORDS.contains(&base.as_str()) {
            base = format!("x_{base}");
        }
        if base.ends_with("_layer") {
            // Layers of Keras end so.
            base.push('_');
        }
        let numbered = (1..).map(|i| format!("{base}_{i}"));
        let name = std::iter::once(base.clone()).chain(numbered).find(|name| !self.names.contains(name));
        let name = name.unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    /// A call of a function beside the network.
    fn helper(&mut self, name: &'static str) -> &'static str {
        self.helpers.insert(name);
        name
    }

    /// A node's values as plain features.
    fn plain(&mut self, id: NodeId) -> String {
        if let [Some(value), _] = &self.places[id.0] {
            return value.clone();
        }
        let image = self.places[id.0][1].clone().unwrap_or_default();
        let node = self.graph.node(id);
        let value = match self.target {
            Target::Torch => format!("{image}.permute(0, 2, 3, 1).flatten(1)"),
            Target::Keras => format!("ops.reshape({image}, (-1, {}))", node.shape.width()),
        };
        let value = self.assign(&format!("{}.flat", node.name), value);
        self.places[id.0][0] = Some(value.clone());
        value
    }

    /// A node's values as images.
    fn image(&mut self, id: NodeId) -> Result<String, Refusal> {
        if let [_, Some(value)] = &self.places[id.0] {
            return Ok(value.clone());
        }
        let node = self.graph.node(id);
        let Some([height, width, channels]) = node.shape.image().filter(|_| node.domain.is_rows()) else {
            return Err(Refusal::new("it reads images of the elements of sequences"));
        };
        let plain = self.plain(id);
        let value = match self.target {
            Target::Torch => format!("{plain}.reshape(-1, {height}, {width}, {channels}).permute(0, 3, 1, 2)"),
            Target::Keras => format!("ops.reshape({plain}, (-1, {height}, {width}, {channels}))"),
        };
        let value = self.assign(&format!("{}.image", node.name), value);
        self.places[id.0][1] = Some(value.clone());
        Ok(value)
    }

    /// Several nodes in one form: as images where all are, else plain.
    fn alike(&mut self, ids: &[NodeId]) -> Result<(Form, Vec<String>), Refusal> {
        match ids.iter().all(|id| self.places[id.0][1].is_some()) {
            true => Ok((Form::Image, ids.iter().map(|id| self.image(*id)).collect::<Result<_, _>>()?)),
            false => Ok((Form::Plain, ids.iter().map(|id| self.plain(*id)).collect())),
        }
    }

    /// Axes that a domain has, the batch included.
    fn rank(&self, domain: DomainId) -> usize {
        self.graph.domain(domain).map_or(1, |of| 1 + self.rank(of.parent))
    }

    /// Which elements of a domain are there.
    fn mask(&mut self, domain: DomainId) -> Result<String, Refusal> {
        if let Some(mask) = self.masks.get(&domain) {
            return Ok(mask.clone());
        }
        let of = self.graph.domain(domain).ok_or_else(|| Refusal::new("it works on sequences; a row is none"))?;
        let (name, parent, over) = (of.name.clone(), of.parent, of.over.unwrap_or(of.parent));
        if self.rank(over) != 2 {
            return Err(Refusal::new("it pairs elements with those of nested sequences"));
        }
        let (a, b) = (self.mask(parent)?, self.mask(over)?);
        let between = "None, ".repeat(self.rank(parent) - 1);
        let mask = self.assign(&spec::mask(&name), format!("{a}[..., None] & {b}[:, {between}:]"));
        self.masks.insert(domain, mask.clone());
        Ok(mask)
    }

    /// An activation of a value.
    fn activation(&mut self, activation: Activation, x: String) -> String {
        let torch = self.target == Target::Torch;
        let function = match activation {
            Activation::Linear => return x,
            Activation::Relu => ["F.relu", "ops.relu"],
            Activation::Relu6 => ["F.relu6", "ops.relu6"],
            Activation::Gelu if torch => ["F.gelu", ""],
            Activation::Gelu => [self.helper("gelu"); 2],
            Activation::Tanh => ["torch.tanh", "ops.tanh"],
            Activation::Sigmoid => ["torch.sigmoid", "ops.sigmoid"],
            Activation::Silu => ["F.silu", "ops.silu"],
            Activation::HardSigmoid => ["F.hardsigmoid", "ops.hard_sigmoid"],
            Activation::HardSwish => ["F.hardswish", "ops.hard_silu"],
            Activation::SmoothStep => [self.helper("smooth_step"); 2],
            Activation::Entropy => [self.helper("entropy"); 2],
        };
        format!("{}({x})", function[usize::from(!torch)])
    }

    /// Values side by side along an axis.
    fn concat(&self, parts: &[String], axis: i64) -> String {
        match (self.target, parts) {
            (_, [only]) => only.clone(),
            (Target::Torch, _) => format!("torch.cat([{}], {axis})", parts.join(", ")),
            (Target::Keras, _) => format!("ops.concatenate([{}], axis={axis})", parts.join(", ")),
        }
    }
}

const KEYWORDS: [&str; 35] = [
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except",
    "false", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda", "none", "nonlocal", "not", "or",
    "pass", "raise", "return", "true", "try", "while", "with", "yield",
];

/// Whether an expression is no more than a name.
fn is_name(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// A text as a Python literal: JSON writes those of Python but for characters beyond its basic plane, which it leaves.
fn literal(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
