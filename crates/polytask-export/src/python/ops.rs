//! Ops on plain features and images.

use super::layers::pair;
use super::{Emit, Form, Made, Target};
use crate::error::Refusal;
use crate::spec;
use polytask_graph::{IndexColumn, Interpolation, Node, Op, ParameterId, Pooling, Weighing, Window, ops};
use std::borrow::Cow;

impl Emit<'_> {
    pub fn node(&mut self, node: &Node) -> Made {
        let plain = |value: String| Ok((Form::Plain, value));
        let torch = self.target == Target::Torch;
        match &node.op {
            Op::Input | Op::Index => plain(String::new()),
            Op::OneHot(ops::OneHot { columns }) => {
                let mut blocks = Vec::with_capacity(columns.len());
                for column in columns {
                    let index = self.index(node, *column);
                    blocks.push(format!("{}({index}, {})", self.helper("one_hot"), column.levels));
                }
                plain(self.concat(&blocks, -1))
            }
            Op::Embedding(ops::Embedding { column, table, .. }) => {
                let (table, index) = (self.table(*table), self.index(node, *column));
                plain(format!("{table}({index})"))
            }
            Op::Dense(ops::Dense { weight, bias, activation }) => {
                let (layer, x) = (self.dense(*weight, *bias), self.plain(node.inputs[0]));
                plain(self.activation(*activation, format!("{layer}({x})")))
            }
            Op::Activation(activation) => {
                let (form, x) = self.one(node)?;
                Ok((form, self.activation(*activation, x)))
            }
            // What they do while training is not exported.
            Op::Dropout(_) | Op::StopGradient => self.one(node),
            Op::LayerNorm(ops::LayerNorm { gain, bias, epsilon }) => {
                let (layer, x) = (self.layer_norm(*gain, *bias, *epsilon), self.plain(node.inputs[0]));
                plain(format!("{layer}({x})"))
            }
            Op::Concat => self.join(node),
            Op::Add => {
                let (form, parts) = self.alike(&node.inputs)?;
                Ok((form, parts.join(" + ")))
            }
            Op::Blend(ops::Blend { weights, weighing }) => self.blend(node, *weights, *weighing),
            Op::Slice(ops::Slice { start, end }) => self.cut(node, *start, *end),
            Op::Mul => {
                let same = self.graph.node(node.inputs[0]).shape == self.graph.node(node.inputs[1]).shape;
                let (form, parts) = match same {
                    true => self.alike(&node.inputs)?,
                    false => (Form::Plain, node.inputs.iter().map(|x| self.plain(*x)).collect()),
                };
                Ok((form, parts.join(" * ")))
            }
            Op::Softmax(_) => {
                let x = self.plain(node.inputs[0]);
                plain(if torch { format!("{x}.softmax(-1)") } else { format!("ops.softmax({x})") })
            }
            Op::Mixture => plain(self.mixture(node)),
            Op::Affine(ops::Affine { scale, shift }) => {
                let (form, x) = self.one(node)?;
                Ok((form, format!("{scale} * {x} + {shift}")))
            }
            Op::Dot(ops::Dot { scale }) => {
                let (a, b) = (self.plain(node.inputs[0]), self.plain(node.inputs[1]));
                plain(match torch {
                    true => format!("{scale} * ({a} * {b}).sum(-1, keepdim=True)"),
                    false => format!("{scale} * ops.sum({a} * {b}, axis=-1, keepdims=True)"),
                })
            }
            Op::AllOf => {
                let parts: Vec<String> = node.inputs.iter().map(|x| self.plain(*x)).collect();
                plain(format!("{}({})", self.helper("all_of"), parts.join(", ")))
            }
            Op::Vector(ops::Vector { value }) => {
                let width = node.shape.width();
                let values = self.network.parameters.of(*value);
                let near = self.near();
                let value = self.weight(*value, &[width], values.into(), &near);
                plain(match torch {
                    true => format!("{value}.expand(len({near}), -1)"),
                    false => format!("{value} + ops.zeros_like(ops.cast({near}[:, :1], \"float32\"))"),
                })
            }
            Op::Codes(ops::Codes { choices }) => {
                let bits = self.plain(node.inputs[0]);
                plain(format!("{}({bits}, {choices})", self.helper("codes")))
            }
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
            Op::Gather(op) => plain(self.gather(node, op)?),
            Op::Neighbours(op) => plain(self.neighbours(node, op)?),
            Op::Position(op) => plain(self.position(node, op)?),
            Op::Lstm(op) => plain(self.running(node, [op.input, op.recurrent, op.bias], false, op.reverse)?),
            Op::Gru(op) => plain(self.running(node, [op.input, op.recurrent, op.bias], true, op.reverse)?),
            Op::Attention(op) => plain(self.attention(node, op)?),
            Op::Rotary(op) => plain(self.rotary(node, op)?),
            Op::Pairwise(op) => plain(self.pairwise(node, op)?),
            Op::Squash(op) => plain(self.squash(node, op)),
            Op::Bins(op) => plain(self.bins(node, op.edges)),
            Op::Periodic(op) => plain(self.periodic(node, op)),
        }
    }

    /// An input of the network with plain features, to know the batch by.
    fn near(&self) -> String {
        self.inputs.values().next_back().map(|fed| fed.variable.clone()).unwrap_or_default()
    }

    fn one(&mut self, node: &Node) -> Made {
        let (form, mut values) = self.alike(&node.inputs[..1])?;
        Ok((form, values.pop().unwrap_or_default()))
    }

    fn index(&mut self, node: &Node, column: IndexColumn) -> String {
        let index = self.plain(node.inputs[0]);
        let index = format!("{index}[..., {}]", column.column);
        match self.graph.node(node.inputs[0]).name == "categories" {
            true => index,
            false => format!("{}({index}, {})", self.helper("fed"), column.levels),
        }
    }

    /// Values whose last axis is a pixel's, or that of the features where there are none.
    fn apart(&self, x: &str, node: &Node, pixels: usize, channels: usize) -> Result<String, Refusal> {
        match (node.domain.is_rows(), self.target) {
            (false, _) => Err(Refusal::new("it reads images of the elements of sequences")),
            (true, Target::Torch) => Ok(format!("{x}.reshape(-1, {pixels}, {channels})")),
            (true, Target::Keras) => Ok(format!("ops.reshape({x}, (-1, {pixels}, {channels}))")),
        }
    }

    fn flat(&self, x: &str, width: usize) -> String {
        match self.target {
            Target::Torch => format!("{x}.flatten(1)"),
            Target::Keras => format!("ops.reshape({x}, (-1, {width}))"),
        }
    }

    /// The axis of channels.
    fn channels(&self) -> i64 {
        if self.target == Target::Torch { 1 } else { -1 }
    }

    fn join(&mut self, node: &Node) -> Made {
        let (form, parts) = self.alike(&node.inputs)?;
        if form == Form::Image && node.shape.image().is_some() {
            return Ok((Form::Image, self.concat(&parts, self.channels())));
        }
        let parts: Vec<String> = node.inputs.iter().map(|x| self.plain(*x)).collect();
        let pixels = node.shape.pixels();
        if pixels == 1 {
            return Ok((Form::Plain, self.concat(&parts, -1)));
        }
        let shapes = node.inputs.iter().map(|x| self.graph.node(*x).shape.channels());
        let apart = parts.iter().zip(shapes).map(|(part, channels)| self.apart(part, node, pixels, channels));
        let joined = self.concat(&apart.collect::<Result<Vec<_>, _>>()?, -1);
        Ok((Form::Plain, self.flat(&joined, node.shape.width())))
    }

    fn cut(&mut self, node: &Node, start: usize, end: usize) -> Made {
        let (form, x) = self.one(node)?;
        let shape = self.graph.node(node.inputs[0]).shape.clone();
        match (form, shape.pixels()) {
            (Form::Image, _) if self.target == Target::Torch => Ok((Form::Image, format!("{x}[:, {start}:{end}]"))),
            (Form::Image, _) => Ok((Form::Image, format!("{x}[..., {start}:{end}]"))),
            (Form::Plain, 1) => Ok((Form::Plain, format!("{x}[..., {start}:{end}]"))),
            (Form::Plain, pixels) => {
                let apart = self.apart(&x, node, pixels, shape.channels())?;
                Ok((Form::Plain, self.flat(&format!("{apart}[..., {start}:{end}]"), node.shape.width())))
            }
        }
    }

    fn blend(&mut self, node: &Node, weights: ParameterId, weighing: Weighing) -> Made {
        let numbers = self.network.parameters.of(weights);
        if weighing == Weighing::Sampled {
            let taken = spec::taken(numbers);
            let (form, mut parts) = self.alike(&node.inputs[taken..=taken])?;
            return Ok((form, parts.pop().unwrap_or_default()));
        }
        let each = numbers.len() / node.inputs.len();
        let (mut form, mut parts) = self.alike(&node.inputs)?;
        if each > 1 && node.shape.pixels() > 1 && form == Form::Plain {
            parts = node.inputs.iter().map(|x| self.image(*x)).collect::<Result<_, _>>()?;
            form = Form::Image;
        }
        let near = parts.first().cloned().unwrap_or_default();
        let dims: &[usize] = match (each, form, self.target) {
            (1, ..) => &[parts.len()],
            (_, Form::Image, Target::Torch) => &[parts.len(), each, 1, 1],
            _ => &[parts.len(), each],
        };
        let mut shares = self.weight(weights, dims, Cow::from(numbers), &near);
        if weighing == Weighing::Softmax {
            shares = match self.target {
                Target::Torch => format!("{shares}.softmax(0)"),
                Target::Keras => format!("ops.softmax({shares}, axis=0)"),
            };
        }
        let shares = self.assign(&format!("{}.shares", node.name), shares);
        let terms: Vec<String> = parts.iter().enumerate().map(|(i, x)| format!("{shares}[{i}] * {x}")).collect();
        Ok((form, terms.join(" + ")))
    }

    fn mixture(&mut self, node: &Node) -> String {
        let (gate, width) = (self.plain(node.inputs[0]), node.shape.width());
        let mut terms = Vec::new();
        for input in &node.inputs[1..] {
            let (x, held) = (self.plain(*input), self.graph.node(*input).shape.width() / width);
            for i in 0..held {
                let expert = terms.len();
                let own = match held {
                    1 => x.clone(),
                    _ => format!("{x}[..., {}:{}]", i * width, (i + 1) * width),
                };
                terms.push(format!("{gate}[..., {expert}:{}] * {own}", expert + 1));
            }
        }
        terms.join(" + ")
    }

    fn batch_norm_op(&mut self, node: &Node, op: &ops::BatchNorm) -> Made {
        let image = node.shape.image().is_some();
        let (form, x) = match image {
            true => (Form::Image, self.image(node.inputs[0])?),
            false => (Form::Plain, self.plain(node.inputs[0])),
        };
        let layer = self.batch_norm([op.gain, op.bias, op.mean, op.variance], op.epsilon, image);
        Ok((form, self.activation(op.activation, format!("{layer}({x})"))))
    }

    fn group_norm_op(&mut self, node: &Node, op: &ops::GroupNorm) -> Made {
        let (form, x) = match node.shape.image() {
            Some(_) => (Form::Image, self.image(node.inputs[0])?),
            None if node.domain.is_rows() => (Form::Plain, self.plain(node.inputs[0])),
            None => return Err(Refusal::new("it normalises the elements of sequences")),
        };
        let layer = self.group_norm(op.gain, op.bias, op.groups, op.epsilon);
        Ok((form, self.activation(op.activation, format!("{layer}({x})"))))
    }

    fn global_pool_op(&mut self, node: &Node) -> Made {
        let x = self.image(node.inputs[0])?;
        Ok((
            Form::Plain,
            match self.target {
                Target::Torch => format!("{x}.mean((2, 3))"),
                Target::Keras => format!("ops.mean({x}, axis=(1, 2))"),
            },
        ))
    }

    /// A number for each channel of an image.
    fn gate_op(&mut self, node: &Node) -> Made {
        let (x, gate) = (self.image(node.inputs[0])?, self.plain(node.inputs[1]));
        let axes = if self.target == Target::Torch { "[:, :, None, None]" } else { "[:, None, None, :]" };
        Ok((Form::Image, format!("{x} * {gate}{axes}")))
    }

    fn conv2d_op(&mut self, node: &Node, op: &ops::Conv2d) -> Made {
        let mut x = self.image(node.inputs[0])?;
        let layer = self.conv2d(op.weight, op.bias, &op.window, op.groups)?;
        if op.window.beyond != [0, 0] {
            let [below, right] = op.window.beyond;
            x = match self.target {
                Target::Torch => format!("F.pad({x}, (0, {right}, 0, {below}))"),
                Target::Keras => format!("ops.pad({x}, ((0, 0), (0, {below}), (0, {right}), (0, 0)))"),
            };
        }
        if self.target == Target::Keras && op.window.padding != [0, 0] {
            let [height, width] = op.window.padding;
            x = format!("{}({x}, ({height}, {width}))", self.helper("padded"));
        }
        Ok((Form::Image, self.activation(op.activation, format!("{layer}({x})"))))
    }

    fn pool_op(&mut self, node: &Node, op: &ops::Pool) -> Made {
        Ok((Form::Image, self.pool(node, op.pooling, &op.window)?))
    }

    fn upsample_op(&mut self, node: &Node, op: &ops::Upsample) -> Made {
        let x = self.image(node.inputs[0])?;
        let factor = format!("({}, {})", op.factor[0], op.factor[1]);
        let value = match (self.target, op.interpolation) {
            (Target::Torch, Interpolation::Nearest) => format!("F.interpolate({x}, scale_factor={factor})"),
            (Target::Torch, Interpolation::Bilinear) => {
                format!("F.interpolate({x}, scale_factor={factor}, mode=\"bilinear\")")
            }
            (Target::Keras, Interpolation::Nearest) => {
                format!("{}({x}, {factor}, \"nearest\")", self.helper("enlarged"))
            }
            (Target::Keras, Interpolation::Bilinear) => {
                format!("{}({x}, {factor}, \"bilinear\")", self.helper("enlarged"))
            }
        };
        Ok((Form::Image, value))
    }

    fn pool(&mut self, node: &Node, pooling: Pooling, window: &Window) -> Result<String, Refusal> {
        let x = self.image(node.inputs[0])?;
        let torch = self.target == Target::Torch;
        if window.dilation != [1, 1] && !(torch && pooling == Pooling::Max) {
            return Err(Refusal::new("its window has a dilation"));
        }
        if window.beyond != [0, 0] {
            return Err(Refusal::new("its window reaches further over one edge than over the other"));
        }
        let (size, stride) = (pair(window.size), pair(window.stride));
        if window.padding == [0, 0] && window.dilation == [1, 1] {
            return Ok(match (torch, pooling) {
                (true, Pooling::Max) => format!("F.max_pool2d({x}, {size}, {stride})"),
                (true, Pooling::Average) => format!("F.avg_pool2d({x}, {size}, {stride})"),
                (false, Pooling::Max) => format!("ops.max_pool({x}, {size}, {stride})"),
                (false, Pooling::Average) => format!("ops.average_pool({x}, {size}, {stride})"),
            });
        }
        let [height, width] = window.padding;
        let padding = format!("({height}, {width})");
        Ok(match pooling {
            Pooling::Max if torch => {
                let dilation = pair(window.dilation);
                format!("{}({x}, {size}, {stride}, {padding}, {dilation})", self.helper("max_pool"))
            }
            Pooling::Max => format!("{}({x}, {size}, {stride}, {padding})", self.helper("max_pool")),
            Pooling::Average => format!("{}({x}, {size}, {stride}, {padding})", self.helper("average_pool")),
        })
    }
}
