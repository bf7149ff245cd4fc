//! Layers of plain features.

use super::GraphBuilder;
use crate::{Activation, DomainId, IndexColumn, Init, NodeId, Op, Role, Shape, ops};

impl GraphBuilder {
    /// Numbers fed from outside, `[width]` a row.
    pub fn input(&mut self, name: &str, width: usize) -> NodeId {
        self.input_on(DomainId::ROWS, name, width)
    }

    /// Numbers fed from outside, `[width]` an element of `domain`.
    pub fn input_on(&mut self, domain: DomainId, name: &str, width: usize) -> NodeId {
        self.named(name).push_on(domain, Op::Input, vec![], Shape(vec![width]))
    }

    /// Category indices fed from outside, `[width]` a row.
    pub fn index_input(&mut self, name: &str, width: usize) -> NodeId {
        self.index_on(DomainId::ROWS, name, width)
    }

    /// Category indices fed from outside, `[width]` an element of `domain`.
    pub fn index_on(&mut self, domain: DomainId, name: &str, width: usize) -> NodeId {
        self.named(name).push_on(domain, Op::Index, vec![], Shape(vec![width]))
    }

    /// Index columns as one-hot blocks side by side, `[sum of levels]`.
    pub fn one_hot(&mut self, index: NodeId, columns: &[IndexColumn]) -> NodeId {
        for column in columns {
            self.check_column(index, *column);
        }
        let width = columns.iter().map(|c| c.levels).sum();
        self.push(Op::OneHot(ops::OneHot { columns: columns.to_vec() }), vec![index], Shape(vec![width]))
    }

    /// An index column looked up in a new table, `[dim]`. The table starts normal with standard deviation
    /// `1 / sqrt(dim)`, so that a row has length about one whatever its width.
    pub fn embedding(&mut self, index: NodeId, column: IndexColumn, dim: usize) -> NodeId {
        self.look_up(index, column, dim, false)
    }

    /// [`embedding`](Self::embedding) of which a step moves the rows alone that its batch has looked up: value, moments, decay
    /// and L2 (as PyTorch's `SparseAdam`). For tables much larger than what a batch looks up.
    pub fn sparse_embedding(&mut self, index: NodeId, column: IndexColumn, dim: usize) -> NodeId {
        self.look_up(index, column, dim, true)
    }

    fn look_up(&mut self, index: NodeId, column: IndexColumn, dim: usize, sparse: bool) -> NodeId {
        self.check_column(index, column);
        let name = self.take_name("embedding");
        let init = Init::Normal(1.0 / (dim.max(1) as f32).sqrt());
        let table = self.parameter(&name, "table", vec![column.levels, dim], init, Role::Table);
        self.named(name).push(Op::Embedding(ops::Embedding { column, table, sparse }), vec![index], Shape(vec![dim]))
    }

    /// `activation(x W + b)`, `[d] -> [width]`. Weights start He-uniform before rectifying activations and
    /// Glorot-uniform otherwise; biases start at zero.
    pub fn dense(&mut self, x: NodeId, width: usize, activation: Activation) -> NodeId {
        let fan_in = self.width(x);
        let init = match activation.is_rectifying() {
            true => Init::he(fan_in.max(1)),
            false => Init::glorot(fan_in, width.max(1)),
        };
        self.dense_from(x, width, activation, init)
    }

    /// [`dense`](Self::dense) with weights that start as told.
    pub fn dense_from(&mut self, x: NodeId, width: usize, activation: Activation, init: Init) -> NodeId {
        self.weighted(x, width, activation, init, true)
    }

    /// `activation(x W)`, `[d] -> [width]`: [`dense`](Self::dense) without biases, with weights that start as told.
    pub fn linear_from(&mut self, x: NodeId, width: usize, activation: Activation, init: Init) -> NodeId {
        self.weighted(x, width, activation, init, false)
    }

    fn weighted(&mut self, x: NodeId, width: usize, activation: Activation, init: Init, bias: bool) -> NodeId {
        let name = self.take_name("dense");
        let fan_in = self.width(x);
        let weight = self.parameter(&name, "weight", vec![fan_in, width], init, Role::Weight);
        let bias = bias.then(|| self.parameter(&name, "bias", vec![width], Init::Constant(0.0), Role::Bias));
        self.named(name).push(Op::Dense(ops::Dense { weight, bias, activation }), vec![x], Shape(vec![width]))
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
        self.push(Op::Dropout(ops::Dropout { rate }), vec![x], shape)
    }

    /// Normalises the features of a row, then scales and shifts them; epsilon is 1e-5.
    pub fn layer_norm(&mut self, x: NodeId) -> NodeId {
        self.layer_norm_with(x, 1e-5)
    }

    /// [`layer_norm`](Self::layer_norm) with another epsilon, which is added to the variance.
    pub fn layer_norm_with(&mut self, x: NodeId, epsilon: f32) -> NodeId {
        let name = self.take_name("layer_norm");
        let (shape, width) = (self.shape(x), self.width(x));
        let gain = self.parameter(&name, "gain", vec![width], Init::Constant(1.0), Role::Gain);
        let bias = self.parameter(&name, "bias", vec![width], Init::Constant(0.0), Role::Bias);
        self.named(name).push(Op::LayerNorm(ops::LayerNorm { gain, bias, epsilon }), vec![x], shape)
    }

    /// Several nodes side by side along the last axis, or as plain features where the other axes differ. A single one adds no node.
    pub fn concat(&mut self, parts: &[NodeId]) -> NodeId {
        if let [only] = parts {
            self.next_name = None;
            return *only;
        }
        let shapes: Vec<Shape> = parts.iter().map(|p| self.shape(*p)).collect();
        let axes = shapes.first().map_or(&[][..], |s| s.leading());
        let shape = match shapes.iter().all(|s| s.leading() == axes) {
            true => axes.iter().copied().chain([shapes.iter().map(Shape::channels).sum()]).collect(),
            false => vec![shapes.iter().map(Shape::width).sum()],
        };
        self.push(Op::Concat, parts.to_vec(), Shape(shape))
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

    /// Features `start..end` of the last axis.
    pub fn slice(&mut self, x: NodeId, start: usize, end: usize) -> NodeId {
        let mut shape = self.shape(x);
        shape.0.pop();
        shape.0.push(end.saturating_sub(start));
        self.push(Op::Slice(ops::Slice { start, end }), vec![x], shape)
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
}
