//! Ops on plain features.

use super::emit::{Emit, Form, Indices};
use super::writer::Setting;
use crate::array::Type;
use crate::error::Refusal;
use crate::spec;
use polytask_graph::{Activation, IndexColumn, Node, Op, ParameterId, Weighing, ops};

/// The value of a node, and how its features lie. An input has none here.
pub(super) type Made = Result<(Form, String), Refusal>;

impl Emit<'_> {
    pub fn node(&mut self, node: &Node) -> Made {
        let plain = |value: String| Ok((Form::Plain, value));
        let (domain, width) = self.of(node);
        match &node.op {
            // Inputs are there before the network.
            Op::Input | Op::Index => plain(String::new()),
            Op::OneHot(ops::OneHot { columns }) => plain(self.one_hot(node, columns)?),
            Op::Embedding(ops::Embedding { column, table, .. }) => plain(self.embedding(node, *column, *table)?),
            Op::Dense(ops::Dense { weight, bias, activation }) => {
                let (x, weight) = (self.plain(node.inputs[0]), self.parameter(*weight));
                let bias = bias.map(|bias| self.parameter(bias));
                let sum = match (&bias, domain.is_rows()) {
                    (Some(bias), true) => self.w.op("Gemm", &[&x, &weight, bias]),
                    (Some(bias), false) => {
                        let product = self.w.op("MatMul", &[&x, &weight]);
                        self.w.op("Add", &[&product, bias])
                    }
                    (None, _) => self.w.op("MatMul", &[&x, &weight]),
                };
                plain(self.activation(*activation, &sum))
            }
            Op::Activation(activation) => {
                let (form, x) = self.one(node)?;
                Ok((form, self.activation(*activation, &x)))
            }
            // What they do while training is not exported.
            Op::Dropout(_) | Op::StopGradient => self.one(node),
            Op::LayerNorm(ops::LayerNorm { gain, bias, epsilon }) => {
                let x = self.plain(node.inputs[0]);
                let (gain, bias) = (self.parameter(*gain), self.parameter(*bias));
                let settings = vec![("axis", Setting::Int(-1)), ("epsilon", Setting::Float(*epsilon))];
                plain(self.w.op_with("LayerNormalization", &[&x, &gain, &bias], settings))
            }
            Op::Concat => self.concat(node),
            Op::Add => {
                let (form, parts) = self.alike(&node.inputs)?;
                Ok((form, self.add(&parts)))
            }
            Op::Blend(ops::Blend { weights, weighing }) => self.blend(node, *weights, *weighing),
            Op::Slice(ops::Slice { start, end }) => self.cut(node, *start, *end),
            Op::Mul => {
                let (form, parts) = self.alike(&node.inputs)?;
                let same = self.graph.node(node.inputs[0]).shape == self.graph.node(node.inputs[1]).shape;
                match same {
                    true => Ok((form, self.w.op("Mul", &[&parts[0], &parts[1]]))),
                    false => {
                        let (a, b) = (self.plain(node.inputs[0]), self.plain(node.inputs[1]));
                        plain(self.w.op("Mul", &[&a, &b]))
                    }
                }
            }
            Op::Softmax(_) => {
                let x = self.plain(node.inputs[0]);
                plain(self.w.op_with("Softmax", &[&x], vec![("axis", Setting::Int(-1))]))
            }
            Op::Mixture => {
                let gate = self.plain(node.inputs[0]);
                let vectors: Vec<String> = node.inputs[1..].iter().map(|x| self.plain(*x)).collect();
                let all = self.w.concat(&vectors, -1);
                let experts = self.graph.node(node.inputs[0]).shape.width();
                let all = self.split_last(&all, domain, &[experts, width]);
                let gate = self.w.unsqueeze(&gate, &[-2]);
                let mixed = self.w.op("MatMul", &[&gate, &all]);
                plain(self.w.squeeze(&mixed, &[-2]))
            }
            Op::Affine(ops::Affine { scale, shift }) => {
                let (form, x) = self.one(node)?;
                let (scale, shift) = (self.w.float(*scale), self.w.float(*shift));
                let scaled = self.w.op("Mul", &[&x, &scale]);
                Ok((form, self.w.op("Add", &[&scaled, &shift])))
            }
            Op::Dot(ops::Dot { scale }) => {
                let (a, b) = (self.plain(node.inputs[0]), self.plain(node.inputs[1]));
                let products = self.w.op("Mul", &[&a, &b]);
                let (sum, scale) = (self.sum(&products, -1, true), self.w.float(*scale));
                plain(self.w.op("Mul", &[&sum, &scale]))
            }
            Op::AllOf => plain(self.all_of(node)),
            Op::Vector(ops::Vector { value }) => {
                let value = self.parameter(*value);
                plain(self.everywhere(&value, domain, width)?)
            }
            Op::Codes(ops::Codes { choices }) => plain(self.codes(node, *choices)),
            Op::Reshape => plain(self.plain(node.inputs[0])),
            Op::Conv2d(op) => self.conv2d_op(node, op),
            Op::Pool(op) => self.pool_op(node, op),
            Op::GlobalPool => self.global_pool_op(node),
            Op::Gate => self.gate_op(node),
            Op::Pixels(_) => Err(Refusal::new("it takes images apart into sequences of pixels")),
            Op::BatchNorm(op) => self.batch_norm_op(node, op),
            Op::GroupNorm(op) => self.group_norm_op(node, op),
            Op::Upsample(op) => self.upsample_op(node, op),
            Op::Custom(op) => {
                Err(Refusal::new(format!("{:?} is a caller's own, which only the CPU can run", op.what.name)))
            }
            Op::Reduce(reduction) => plain(self.reduce(node, *reduction)?),
            Op::Spread(op) => plain(self.spread(node, op)?),
            Op::Gather(op) => plain(self.gather(node, op.column)?),
            Op::Neighbours(op) => plain(self.neighbours(node, op)?),
            Op::Position(op) => plain(self.position(node, op)?),
            Op::Lstm(op) => plain(self.lstm(node, op)?),
            Op::Gru(op) => plain(self.gru(node, op)?),
            Op::Attention(op) => plain(self.attention(node, op)?),
            Op::Rotary(op) => plain(self.rotary(node, op)?),
            Op::Pairwise(op) => plain(self.pairwise(node, op.root)?),
            Op::Squash(op) => plain(self.squash(node, op)),
            Op::Bins(op) => plain(self.bins(node, op.edges)),
            Op::Periodic(op) => plain(self.periodic(node, op)),
        }
    }

    /// The first input in the form it is in.
    fn one(&mut self, node: &Node) -> Made {
        let (form, mut values) = self.alike(&node.inputs[..1])?;
        Ok((form, values.pop().unwrap_or_default()))
    }

    pub fn add(&mut self, parts: &[String]) -> String {
        let mut parts = parts.iter();
        let first = parts.next().cloned().unwrap_or_default();
        parts.fold(first, |sum, part| self.w.op("Add", &[&sum, part]))
    }

    pub fn activation(&mut self, activation: Activation, x: &str) -> String {
        match activation {
            Activation::Linear => x.to_owned(),
            Activation::Relu => self.w.op("Relu", &[x]),
            Activation::Relu6 => {
                let (low, high) = (self.w.float(0.0), self.w.float(6.0));
                self.w.op("Clip", &[x, &low, &high])
            }
            Activation::HardSigmoid => {
                let slope = vec![("alpha", Setting::Float(1.0 / 6.0)), ("beta", Setting::Float(0.5))];
                self.w.op_with("HardSigmoid", &[x], slope)
            }
            Activation::HardSwish => self.w.op("HardSwish", &[x]),
            Activation::Tanh => self.w.op("Tanh", &[x]),
            Activation::Sigmoid => self.w.op("Sigmoid", &[x]),
            Activation::Silu => {
                let sigmoid = self.w.op("Sigmoid", &[x]);
                self.w.op("Mul", &[x, &sigmoid])
            }
            Activation::Gelu => {
                let (root, one, half) = (self.w.float(2f32.sqrt()), self.w.float(1.0), self.w.float(0.5));
                let scaled = self.w.op("Div", &[x, &root]);
                let erf = self.w.op("Erf", &[&scaled]);
                let twice = self.w.op("Add", &[&erf, &one]);
                let product = self.w.op("Mul", &[x, &twice]);
                self.w.op("Mul", &[&product, &half])
            }
            Activation::SmoothStep => {
                let (low, half, steep, two) =
                    (self.w.float(-0.5), self.w.float(0.5), self.w.float(1.5), self.w.float(2.0));
                let x = self.w.op("Clip", &[x, &low, &half]);
                let square = self.w.op("Mul", &[&x, &x]);
                let bend = self.w.op("Mul", &[&square, &two]);
                let slope = self.w.op("Sub", &[&steep, &bend]);
                let rise = self.w.op("Mul", &[&x, &slope]);
                self.w.op("Add", &[&rise, &half])
            }
            Activation::Entropy => {
                let tiny = self.w.float(1e-6);
                let sum = self.w.op("Add", &[x, &tiny]);
                let log = self.w.op("Log", &[&sum]);
                let product = self.w.op("Mul", &[x, &log]);
                self.w.op("Neg", &[&product])
            }
        }
    }

    /// An index column, `[batch, ..]`: between 0 and its number of levels, which stands for a missing one.
    fn index(&mut self, node: &Node, column: IndexColumn) -> Result<String, Refusal> {
        match self.indices.get(&node.inputs[0]) {
            Some(Indices::Columns(columns)) => Ok(columns[column.column].clone()),
            Some(Indices::Fed(fed)) => {
                let fed = fed.clone();
                let (index, zero) = (self.w.take(&fed, -1, column.column as i64), self.w.long(0));
                let levels = self.w.long(column.levels as i64);
                let (below, above) = (self.w.op("Less", &[&index, &zero]), self.w.op("Greater", &[&index, &levels]));
                let outside = self.w.op("Or", &[&below, &above]);
                Ok(self.w.op("Where", &[&outside, &levels, &index]))
            }
            None => Err(Refusal::new("it reads places as if they were levels")),
        }
    }

    fn one_hot(&mut self, node: &Node, columns: &[IndexColumn]) -> Result<String, Refusal> {
        let mut blocks = Vec::with_capacity(columns.len());
        for column in columns {
            let index = self.index(node, *column)?;
            let index = self.w.unsqueeze(&index, &[-1]);
            let levels: Vec<i64> = (0..column.levels as i64).collect();
            let levels = self.w.longs(&levels);
            let same = self.w.op("Equal", &[&index, &levels]);
            blocks.push(self.w.cast(&same, Type::Float));
        }
        Ok(self.w.concat(&blocks, -1))
    }

    /// A missing level reads a last row of zeros.
    fn embedding(&mut self, node: &Node, column: IndexColumn, table: ParameterId) -> Result<String, Refusal> {
        let index = self.index(node, column)?;
        let width = node.shape.width();
        let mut values = self.values(table).to_vec();
        values.resize(values.len() + width, 0.0);
        let table = self.tensor(&self.graph.parameter(table).name, &[column.levels + 1, width], &values);
        Ok(self.w.op_with("Gather", &[&table, &index], vec![("axis", Setting::Int(0))]))
    }

    fn concat(&mut self, node: &Node) -> Made {
        let (form, parts) = self.alike(&node.inputs)?;
        let shapes: Vec<_> = node.inputs.iter().map(|x| &self.graph.node(*x).shape).collect();
        let pixels = node.shape.pixels();
        if form == Form::Image && node.shape.image().is_some() {
            return Ok((Form::Image, self.w.concat(&parts, 1)));
        }
        let parts: Vec<String> = node.inputs.iter().map(|x| self.plain(*x)).collect();
        if pixels == 1 {
            return Ok((Form::Plain, self.w.concat(&parts, -1)));
        }
        let apart: Vec<String> = parts
            .iter()
            .zip(shapes)
            .map(|(part, shape)| self.split_last(part, node.domain, &[pixels, shape.channels()]))
            .collect();
        let joined = self.w.concat(&apart, -1);
        Ok((Form::Plain, self.split_last(&joined, node.domain, &[node.shape.width()])))
    }

    fn cut(&mut self, node: &Node, start: usize, end: usize) -> Made {
        let (form, x) = self.one(node)?;
        let (start, end) = (start as i64, end as i64);
        let shape = self.graph.node(node.inputs[0]).shape.clone();
        match (form, shape.pixels()) {
            (Form::Image, _) => Ok((Form::Image, self.w.slice(&x, 1, start, end))),
            (Form::Plain, 1) => Ok((Form::Plain, self.w.slice(&x, -1, start, end))),
            (Form::Plain, pixels) => {
                let apart = self.split_last(&x, node.domain, &[pixels, shape.channels()]);
                let cut = self.w.slice(&apart, -1, start, end);
                Ok((Form::Plain, self.split_last(&cut, node.domain, &[node.shape.width()])))
            }
        }
    }

    fn blend(&mut self, node: &Node, weights: ParameterId, weighing: Weighing) -> Made {
        let numbers = self.values(weights);
        if weighing == Weighing::Sampled {
            let taken = spec::taken(numbers);
            let (form, mut parts) = self.alike(&node.inputs[taken..=taken])?;
            return Ok((form, parts.pop().unwrap_or_default()));
        }
        let (mut form, mut parts) = self.alike(&node.inputs)?;
        let each = numbers.len() / parts.len();
        let name = &self.graph.parameter(weights).name;
        if each > 1 && node.shape.pixels() > 1 && form == Form::Plain {
            // A weight a channel: channels have an axis of their own in images.
            parts = node.inputs.iter().map(|x| self.image(*x)).collect::<Result<_, _>>()?;
            form = Form::Image;
        }
        let shares = match weighing {
            Weighing::Softmax => spec::softmax(numbers),
            Weighing::Free | Weighing::Sampled => numbers.to_vec(),
        };
        let mut terms = Vec::with_capacity(parts.len());
        for (i, (part, own)) in parts.iter().zip(shares.chunks_exact(each)).enumerate() {
            let dims: &[usize] = match (each, form) {
                (1, _) => &[],
                (_, Form::Plain) => &[each],
                (_, Form::Image) => &[each, 1, 1],
            };
            let weight = self.tensor(&format!("{name}.{i}"), dims, own);
            terms.push(self.w.op("Mul", &[part, &weight]));
        }
        Ok((form, self.add(&terms)))
    }

    /// In double precision, as `1 - p` is all that is left near `p = 1`.
    fn all_of(&mut self, node: &Node) -> String {
        let mut logs = Vec::with_capacity(node.inputs.len());
        for input in &node.inputs {
            let x = self.plain(*input);
            let x = self.w.cast(&x, Type::Double);
            let p = self.w.op("Sigmoid", &[&x]);
            logs.push(self.w.op("Log", &[&p]));
        }
        let sum = self.add(&logs);
        let (tiny, one) = (self.w.doubles(&[], &[-1e-16]), self.w.doubles(&[], &[1.0]));
        let log = self.w.op("Min", &[&sum, &tiny]);
        let p = self.w.op("Exp", &[&log]);
        let rest = self.w.op("Sub", &[&one, &p]);
        let rest = self.w.op("Log", &[&rest]);
        let logit = self.w.op("Sub", &[&log, &rest]);
        self.w.cast(&logit, Type::Float)
    }

    /// A bit `s` counts as `s` where the code has it and as `1 - s` where not.
    fn codes(&mut self, node: &Node, choices: usize) -> String {
        let bits = Op::code_bits(choices);
        let groups = node.shape.width() / choices;
        let s = self.plain(node.inputs[0]);
        let s = self.split_last(&s, node.domain, &[groups, 1, bits]);
        let set = |i: usize| if (i / bits) >> (i % bits) & 1 == 1 { 1.0f32 } else { 0.0 };
        let codes: Vec<f32> = (0..choices * bits).map(set).collect();
        let sign: Vec<f32> = codes.iter().map(|set| 2.0 * set - 1.0).collect();
        let unset: Vec<f32> = codes.iter().map(|set| 1.0 - set).collect();
        let (sign, unset) = (self.w.floats(&[choices, bits], &sign), self.w.floats(&[choices, bits], &unset));
        let signed = self.w.op("Mul", &[&s, &sign]);
        let factors = self.w.op("Add", &[&signed, &unset]);
        let axes = self.w.longs(&[-1]);
        let product = self.w.op_with("ReduceProd", &[&factors, &axes], vec![("keepdims", Setting::Int(0))]);
        self.split_last(&product, node.domain, &[node.shape.width()])
    }
}
