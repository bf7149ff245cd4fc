//! Builds graphs layer by layer, checking shapes on the way.

use crate::{
    Activation, Graph, GraphError, IndexColumn, Init, Loss, LossId, LossKind, Node, NodeId, Op, Parameter, ParameterId,
    Role, Shape,
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
        let graph = Graph { nodes: Vec::new(), parameters: Vec::new(), losses: Vec::new() };
        GraphBuilder { graph, names: BTreeSet::new(), next_name: None, error: None }
    }

    /// Names the next layer; without it a layer is called after its op and position.
    pub fn named(&mut self, name: impl Into<String>) -> &mut Self {
        self.next_name = Some(name.into());
        self
    }

    /// Numbers fed from outside, `[width]` a row.
    pub fn input(&mut self, name: &str, width: usize) -> NodeId {
        self.named(name).push(Op::Input, vec![], Shape(vec![width]))
    }

    /// Category indices fed from outside, `[width]` a row.
    pub fn index_input(&mut self, name: &str, width: usize) -> NodeId {
        self.named(name).push(Op::Index, vec![], Shape(vec![width]))
    }

    /// Index columns as one-hot blocks side by side, `[sum of levels]`.
    pub fn one_hot(&mut self, index: NodeId, columns: &[IndexColumn]) -> NodeId {
        for column in columns {
            self.check_column(index, *column);
        }
        let width = columns.iter().map(|c| c.levels).sum();
        self.push(Op::OneHot { columns: columns.to_vec() }, vec![index], Shape(vec![width]))
    }

    /// An index column looked up in a new table, `[dim]`. The table starts normal with standard deviation
    /// `1 / sqrt(dim)`, so that a row has length about one whatever its width.
    pub fn embedding(&mut self, index: NodeId, column: IndexColumn, dim: usize) -> NodeId {
        self.check_column(index, column);
        let name = self.take_name("embedding");
        let init = Init::Normal(1.0 / (dim.max(1) as f32).sqrt());
        let table = self.parameter(&name, "table", vec![column.levels, dim], init, Role::Table);
        self.named(name).push(Op::Embedding { column, table }, vec![index], Shape(vec![dim]))
    }

    /// `activation(x W + b)`, `[d] -> [width]`. Weights start He-uniform before rectifying activations and
    /// Glorot-uniform otherwise; biases start at zero.
    pub fn dense(&mut self, x: NodeId, width: usize, activation: Activation) -> NodeId {
        let name = self.take_name("dense");
        let fan_in = self.width(x);
        let init = match activation {
            Activation::Relu | Activation::Gelu | Activation::Silu => Init::he(fan_in.max(1)),
            _ => Init::glorot(fan_in, width.max(1)),
        };
        let weight = self.parameter(&name, "weight", vec![fan_in, width], init, Role::Weight);
        let bias = Some(self.parameter(&name, "bias", vec![width], Init::Constant(0.0), Role::Bias));
        self.named(name).push(Op::Dense { weight, bias, activation }, vec![x], Shape(vec![width]))
    }

    /// An elementwise non-linearity.
    pub fn activation(&mut self, x: NodeId, activation: Activation) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Activation(activation), vec![x], shape)
    }

    /// Drops a share of the features while training. A rate of 0 adds no node.
    pub fn dropout(&mut self, x: NodeId, rate: f32) -> NodeId {
        if rate == 0.0 {
            self.next_name = None;
            return x;
        }
        let shape = self.shape(x);
        self.push(Op::Dropout { rate }, vec![x], shape)
    }

    /// Normalises the features of a row, then scales and shifts them; epsilon is 1e-5.
    pub fn layer_norm(&mut self, x: NodeId) -> NodeId {
        let name = self.take_name("layer_norm");
        let (shape, width) = (self.shape(x), self.width(x));
        let gain = self.parameter(&name, "gain", vec![width], Init::Constant(1.0), Role::Gain);
        let bias = self.parameter(&name, "bias", vec![width], Init::Constant(0.0), Role::Bias);
        self.named(name).push(Op::LayerNorm { gain, bias, epsilon: 1e-5 }, vec![x], shape)
    }

    /// Features of several nodes side by side. A single one adds no node.
    pub fn concat(&mut self, parts: &[NodeId]) -> NodeId {
        if let [only] = parts {
            self.next_name = None;
            return *only;
        }
        let width = parts.iter().map(|p| self.width(*p)).sum();
        self.push(Op::Concat, parts.to_vec(), Shape(vec![width]))
    }

    /// Elementwise sum of nodes of one shape. A single one adds no node.
    pub fn add(&mut self, parts: &[NodeId]) -> NodeId {
        if let [only] = parts {
            self.next_name = None;
            return *only;
        }
        let shape = parts.first().map_or(Shape(vec![0]), |p| self.shape(*p));
        self.push(Op::Add, parts.to_vec(), shape)
    }

    /// Features `start..end`.
    pub fn slice(&mut self, x: NodeId, start: usize, end: usize) -> NodeId {
        self.push(Op::Slice { start, end }, vec![x], Shape(vec![end.saturating_sub(start)]))
    }

    /// The loss of a task.
    pub fn loss(&mut self, task: &str, prediction: NodeId, kind: LossKind) -> LossId {
        if self.graph.losses.iter().any(|l| l.task == task) {
            self.fail(GraphError::Duplicate(task.to_owned()));
        }
        if let LossKind::Huber { delta } = kind
            && (!delta.is_finite() || delta <= 0.0)
        {
            self.fail_at(task, format!("huber delta is {delta}; it must be above 0"));
        }
        if prediction.0 >= self.graph.nodes.len() {
            self.fail_at(task, "its prediction is a node of another graph".into());
        } else if matches!(self.graph.node(prediction).op, Op::Index) {
            self.fail_at(task, "a loss compares numbers, not category indices".into());
        }
        self.graph.losses.push(Loss { task: task.to_owned(), prediction, kind });
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
        for parameter in &graph.parameters {
            self.add_parameter(parameter.clone());
        }
        for node in &graph.nodes {
            self.named(node.name.clone()).push(node.op.clone(), node.inputs.clone(), node.shape.clone());
            // A later node may only be checked against nodes that hold.
            if let Some(error) = self.error.take() {
                return Err(error);
            }
        }
        for loss in &graph.losses {
            self.loss(&loss.task, loss.prediction, loss.kind);
        }
        std::mem::take(self).finish().map(|_| ())
    }

    fn push(&mut self, op: Op, inputs: Vec<NodeId>, shape: Shape) -> NodeId {
        let name = self.take_name(op.label());
        if !self.names.insert(name.clone()) {
            self.fail(GraphError::Duplicate(name.clone()));
        }
        if let Err(reason) = self.check(&op, &inputs, &shape) {
            self.fail_at(&name, reason);
        }
        self.graph.nodes.push(Node { name, op, inputs, shape });
        NodeId(self.graph.nodes.len() - 1)
    }

    /// The rules each op puts on its inputs, parameters and shape.
    fn check(&self, op: &Op, inputs: &[NodeId], shape: &Shape) -> Result<(), String> {
        if let Some(far) = inputs.iter().find(|i| i.0 >= self.graph.nodes.len()) {
            return Err(format!("it reads node {} which does not come before it", far.0));
        }
        if let Some(far) = op.parameters().iter().find(|p| p.0 >= self.graph.parameters.len()) {
            return Err(format!("it reads parameter {} which does not exist", far.0));
        }
        if shape.width() == 0 {
            return Err("it has no features; widths start at 1".into());
        }
        let width = |i: usize| self.width(inputs[i]);
        let dims = |p: &ParameterId| self.graph.parameters[p.0].dims.as_slice();
        let expect = |count: usize| match inputs.len() == count {
            true => Ok(()),
            false => Err(format!("it takes {count} input(s) and got {}", inputs.len())),
        };
        let is_index = |i: usize| matches!(self.graph.node(inputs[i]).op, Op::Index);
        let reads_index = matches!(op, Op::OneHot { .. } | Op::Embedding { .. });
        if let Some(i) = (0..inputs.len()).find(|&i| is_index(i) != reads_index) {
            let name = &self.graph.node(inputs[i]).name;
            return Err(match reads_index {
                true => format!("it reads category indices, but {name:?} gives numbers"),
                false => format!("it reads numbers, but {name:?} gives category indices"),
            });
        }
        let same = |wanted: &[usize], got: &[usize]| match wanted == got {
            true => Ok(()),
            false => Err(format!("its parameter has shape {got:?}, expected {wanted:?}")),
        };
        let keeps = |wanted: usize| match shape.width() == wanted {
            true => Ok(()),
            false => Err(format!("it gives {} features, expected {wanted}", shape.width())),
        };
        match op {
            Op::Input | Op::Index => expect(0),
            Op::OneHot { columns } => {
                expect(1)?;
                keeps(columns.iter().map(|c| c.levels).sum())
            }
            Op::Embedding { column, table } => {
                expect(1)?;
                same(&[column.levels, shape.width()], dims(table))
            }
            Op::Dense { weight, bias, .. } => {
                expect(1)?;
                same(&[width(0), shape.width()], dims(weight))?;
                bias.as_ref().map_or(Ok(()), |b| same(&[shape.width()], dims(b)))
            }
            Op::Activation(_) => expect(1).and_then(|()| keeps(width(0))),
            Op::Dropout { rate } => {
                expect(1).and_then(|()| keeps(width(0)))?;
                match (0.0..1.0).contains(rate) {
                    true => Ok(()),
                    false => Err(format!("dropout rate is {rate}; it must be at least 0 and below 1")),
                }
            }
            Op::LayerNorm { gain, bias, .. } => {
                expect(1).and_then(|()| keeps(width(0)))?;
                same(&[width(0)], dims(gain)).and_then(|()| same(&[width(0)], dims(bias)))
            }
            Op::Concat => keeps((0..inputs.len()).map(width).sum()),
            Op::Add => match (0..inputs.len()).find(|&i| width(i) != shape.width()) {
                Some(i) => Err(format!("it adds {} features to {}", width(i), shape.width())),
                None if inputs.is_empty() => Err("it adds nothing".into()),
                None => Ok(()),
            },
            Op::Slice { start, end } => {
                expect(1)?;
                match start < end && *end <= width(0) {
                    true => keeps(end - start),
                    false => Err(format!("it takes features {start}..{end} of {}", width(0))),
                }
            }
        }
    }

    fn check_column(&mut self, index: NodeId, column: IndexColumn) {
        let reason = if column.column >= self.width(index) {
            format!("it reads index column {} of {}", column.column, self.width(index))
        } else if column.levels == 0 {
            format!("index column {} has no levels", column.column)
        } else {
            return;
        };
        let layer = self.next_name.clone().unwrap_or_else(|| "embedding".into());
        self.fail_at(&layer, reason);
    }

    fn parameter(&mut self, layer: &str, part: &str, dims: Vec<usize>, init: Init, role: Role) -> ParameterId {
        self.add_parameter(Parameter { name: format!("{layer}.{part}"), dims, init, role })
    }

    fn add_parameter(&mut self, parameter: Parameter) -> ParameterId {
        if self.graph.parameters.iter().any(|p| p.name == parameter.name) {
            self.fail(GraphError::Duplicate(parameter.name.clone()));
        }
        self.graph.parameters.push(parameter);
        ParameterId(self.graph.parameters.len() - 1)
    }

    fn take_name(&mut self, label: &str) -> String {
        self.next_name.take().unwrap_or_else(|| format!("{label}_{}", self.graph.nodes.len()))
    }

    fn shape(&self, x: NodeId) -> Shape {
        self.graph.nodes.get(x.0).map_or(Shape(vec![0]), |n| n.shape.clone())
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
