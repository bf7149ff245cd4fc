//! Ops on plain features and images.

use super::layers::pair;
use super::{Emit, Form, Made, Target};
use crate::error::Refusal;
use crate::spec;
use polytask_graph::{IndexColumn, Interpolation, Node, Op, ParameterId, Pooling, Weighing, Window};
use std::borrow::Cow;

impl Emit<'_> {
    pub fn node(&mut self, node: &Node) -> Made {
        let plain = |value: String| Ok((Form::Plain, value));
        let torch = self.target == Target::Torch;
        match &node.op {
            Op::Input | Op::Index => plain(String::new()),
            Op::OneHot { columns } => {
                let mut blocks = Vec::with_capacity(columns.len());
                for column in columns {
                    let index = self.index(node, *column);
                    blocks.push(format!("{}({index}, {})", self.helper("one_hot"), column.levels));
                }
                plain(self.concat(&blocks, -1))
            }
            Op::Embedding { column, table, .. } => {
                let (table, index) = (self.table(*table), self.index(node, *column));
                plain(format!("{table}({index})"))
            }
            Op::Dense { weight, bias, activation } => {
                let (layer, x) = (self.dense(*weight, *bias), self.plain(node.inputs[0]));
                plain(self.activation(*activation, format!("{layer}({x})")))
            }
            Op::Activation(activation) => {
                let (form, x) = self.one(node)?;
                Ok((form, self.activation(*activation, x)))
            }
            // What they do while training is not exported.
            Op::Dropout { .. } | Op::StopGradient => self.one(node),
            Op::LayerNorm { gain, bias, epsilon } => {
                let (layer, x) = (self.layer_norm(*gain, *bias, *epsilon), self.plain(node.inputs[0]));
                plain(format!("{layer}({x})"))
            }
            Op::Concat => self.join(node),
            Op::Add => {
                let (form, parts) = self.alike(&node.inputs)?;
                Ok((form, parts.join(" + ")))
            }
            Op::Blend { weights, weighing } => self.blend(node, *weights, *weighing),
            Op::Slice { start, end } => self.cut(node, *start, *end),
            Op::Mul => {
                let same = self.graph.node(node.inputs[0]).shape == self.graph.node(node.inputs[1]).shape;
                let (form, parts) = match same {
                    true => self.alike(&node.inputs)?,
                    false => (Form::Plain, node.inputs.iter().map(|x| self.plain(*x)).collect()),
                };
                Ok((form, parts.join(" * ")))
            }
            Op::Softmax { .. } => {
                let x = self.plain(node.inputs[0]);
                plain(if torch { format!("{x}.softmax(-1)") } else { format!("ops.softmax({x})") })
            }
            Op::Mixture => plain(self.mixture(node)),
            Op::Affine { scale, shift } => {
                let (form, x) = self.one(node)?;
                Ok((form, format!("{scale} * {x} + {shift}")))
            }
            Op::Dot { scale } => {
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
            Op::Vector { value } => {
                let width = node.shape.width();
                let values = self.model.parameters.of(*value);
                let near = self.near();
                let value = self.weight(*value, &[width], values.into(), &near);
                plain(match torch {
                    true => format!("{value}.expand(len({near}), -1)"),
                    false => format!("{value} + ops.zeros_like(ops.cast({near}[:, :1], \"float32\"))"),
                })
            }
            Op::Codes { choices } => {
                let bits = self.plain(node.inputs[0]);
                plain(format!("{}({bits}, {choices})", self.helper("codes")))
            }
            Op::Reshape => plain(self.plain(node.inputs[0])),
            Op::Conv2d { .. }
            | Op::Pool { .. }
            | Op::GlobalPool
            | Op::BatchNorm { .. }
            | Op::GroupNorm { .. }
            | Op::Upsample { .. } => self.image_op(node),
            _ => plain(self.sequence_op(node)?),
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
        let numbers = self.model.parameters.of(weights);
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

    fn image_op(&mut self, node: &Node) -> Made {
        let (torch, input) = (self.target == Target::Torch, node.inputs[0]);
        let value = match &node.op {
            Op::BatchNorm { gain, bias, mean, variance, epsilon, activation } => {
                let image = node.shape.image().is_some();
                let (form, x) = match image {
                    true => (Form::Image, self.image(input)?),
                    false => (Form::Plain, self.plain(input)),
                };
                let layer = self.batch_norm([*gain, *bias, *mean, *variance], *epsilon, image);
                return Ok((form, self.activation(*activation, format!("{layer}({x})"))));
            }
            Op::GroupNorm { gain, bias, groups, epsilon, activation } => {
                let (form, x) = match node.shape.image() {
                    Some(_) => (Form::Image, self.image(input)?),
                    None if node.domain.is_rows() => (Form::Plain, self.plain(input)),
                    None => return Err(Refusal::new("it normalises the elements of sequences")),
                };
                let layer = self.group_norm(*gain, *bias, *groups, *epsilon);
                return Ok((form, self.activation(*activation, format!("{layer}({x})"))));
            }
            Op::GlobalPool => {
                let x = self.image(input)?;
                let mean = if torch { format!("{x}.mean((2, 3))") } else { format!("ops.mean({x}, axis=(1, 2))") };
                return Ok((Form::Plain, mean));
            }
            Op::Conv2d { weight, bias, window, groups, activation } => {
                let mut x = self.image(input)?;
                let layer = self.conv2d(*weight, *bias, window, *groups)?;
                if !torch && window.padding != [0, 0] {
                    let [height, width] = window.padding;
                    x = format!("{}({x}, ({height}, {width}))", self.helper("padded"));
                }
                self.activation(*activation, format!("{layer}({x})"))
            }
            Op::Pool { pooling, window } => self.pool(node, *pooling, window)?,
            Op::Upsample { interpolation, factor } => {
                let x = self.image(input)?;
                let factor = format!("({}, {})", factor[0], factor[1]);
                match (torch, interpolation) {
                    (true, Interpolation::Nearest) => format!("F.interpolate({x}, scale_factor={factor})"),
                    (true, Interpolation::Bilinear) => {
                        format!("F.interpolate({x}, scale_factor={factor}, mode=\"bilinear\")")
                    }
                    (false, kind) => {
                        let kind = if *kind == Interpolation::Nearest { "nearest" } else { "bilinear" };
                        format!("{}({x}, {factor}, \"{kind}\")", self.helper("enlarged"))
                    }
                }
            }
            _ => return Err(Refusal::new("it is no op on images")),
        };
        Ok((Form::Image, value))
    }

    fn pool(&mut self, node: &Node, pooling: Pooling, window: &Window) -> Result<String, Refusal> {
        let x = self.image(node.inputs[0])?;
        let torch = self.target == Target::Torch;
        if window.dilation != [1, 1] && !(torch && pooling == Pooling::Max) {
            return Err(Refusal::new("its window has a dilation"));
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
