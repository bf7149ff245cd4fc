//! Ops on images.

use super::emit::{Emit, Form};
use super::ops::Made;
use super::writer::Setting;
use crate::error::Refusal;
use polytask_graph::{Interpolation, Node, ParameterId, Pooling, Window, ops};

impl Emit<'_> {
    pub fn batch_norm_op(&mut self, node: &Node, op: &ops::BatchNorm) -> Made {
        let (form, x) = match node.shape.image() {
            Some(_) => (Form::Image, self.image(node.inputs[0])?),
            None => (Form::Plain, self.plain(node.inputs[0])),
        };
        let [gain, bias, mean, variance] = [op.gain, op.bias, op.mean, op.variance].map(|p| self.parameter(p));
        let inputs = [x.as_str(), &gain, &bias, &mean, &variance];
        let y = self.w.op_with("BatchNormalization", &inputs, vec![("epsilon", Setting::Float(op.epsilon))]);
        Ok((form, self.activation(op.activation, &y)))
    }

    pub fn group_norm_op(&mut self, node: &Node, op: &ops::GroupNorm) -> Made {
        let (groups, parameters) = (op.groups, [op.gain, op.bias]);
        let (form, y) = match node.shape.image() {
            Some(_) => (Form::Image, self.image_groups(node, groups, parameters, op.epsilon)?),
            None => (Form::Plain, self.plain_groups(node, groups, parameters, op.epsilon)),
        };
        Ok((form, self.activation(op.activation, &y)))
    }

    pub fn global_pool_op(&mut self, node: &Node) -> Made {
        let x = self.image(node.inputs[0])?;
        let mean = self.w.op("GlobalAveragePool", &[&x]);
        Ok((Form::Plain, self.w.reshape(&mean, &[0, node.shape.width() as i64])))
    }

    /// A number for each channel of an image.
    pub fn gate_op(&mut self, node: &Node) -> Made {
        let (x, gate) = (self.image(node.inputs[0])?, self.plain(node.inputs[1]));
        let gate = self.w.unsqueeze(&gate, &[2, 3]);
        Ok((Form::Image, self.w.op("Mul", &[&x, &gate])))
    }

    pub fn conv2d_op(&mut self, node: &Node, op: &ops::Conv2d) -> Made {
        let x = self.image(node.inputs[0])?;
        let parameter = self.graph.parameter(op.weight);
        let (dims, values) = filters(self.values(op.weight), &parameter.dims);
        let weight = self.tensor(&parameter.name, &dims, &values);
        let bias = op.bias.map(|bias| self.parameter(bias));
        let inputs: Vec<&str> =
            [Some(&x), Some(&weight), bias.as_ref()].into_iter().flatten().map(|s| s.as_str()).collect();
        let mut settings = window_settings(&op.window);
        settings.push(("group", Setting::Int(op.groups as i64)));
        let y = self.w.op_with("Conv", &inputs, settings);
        Ok((Form::Image, self.activation(op.activation, &y)))
    }

    pub fn pool_op(&mut self, node: &Node, op: &ops::Pool) -> Made {
        let x = self.image(node.inputs[0])?;
        let mut settings = window_settings(&op.window);
        let name = match op.pooling {
            Pooling::Max => "MaxPool",
            Pooling::Average => {
                settings.push(("count_include_pad", Setting::Int(0)));
                "AveragePool"
            }
        };
        Ok((Form::Image, self.w.op_with(name, &[&x], settings)))
    }

    pub fn upsample_op(&mut self, node: &Node, op: &ops::Upsample) -> Made {
        let (x, [down, across]) = (self.image(node.inputs[0])?, op.factor);
        let scales = self.w.floats(&[4], &[1.0, 1.0, down as f32, across as f32]);
        let settings = match op.interpolation {
            Interpolation::Nearest => vec![
                ("mode", Setting::Word("nearest")),
                ("coordinate_transformation_mode", Setting::Word("asymmetric")),
                ("nearest_mode", Setting::Word("floor")),
            ],
            Interpolation::Bilinear => {
                vec![("mode", Setting::Word("linear")), ("coordinate_transformation_mode", Setting::Word("half_pixel"))]
            }
        };
        Ok((Form::Image, self.w.op_with("Resize", &[&x, "", &scales], settings)))
    }

    /// Every group of channels is normalised as an instance with one channel.
    fn image_groups(
        &mut self,
        node: &Node,
        groups: usize,
        [gain, bias]: [ParameterId; 2],
        epsilon: f32,
    ) -> Result<String, Refusal> {
        let x = self.image(node.inputs[0])?;
        let (pixels, channels) = (node.shape.pixels(), node.shape.channels());
        let apart = self.w.reshape(&x, &[0, groups as i64, (pixels * channels / groups) as i64]);
        let (ones, zeros) =
            (self.w.floats(&[groups], &vec![1.0; groups]), self.w.floats(&[groups], &vec![0.0; groups]));
        let settings = vec![("epsilon", Setting::Float(epsilon))];
        let normal = self.w.op_with("InstanceNormalization", &[&apart, &ones, &zeros], settings);
        let [height, width, _] = node.shape.image().unwrap_or_default();
        let normal = self.w.reshape(&normal, &[0, channels as i64, height as i64, width as i64]);
        let [gain, bias] = [gain, bias].map(|p| {
            let values = self.values(p);
            self.tensor(&self.graph.parameter(p).name, &[channels, 1, 1], values)
        });
        let scaled = self.w.op("Mul", &[&normal, &gain]);
        Ok(self.w.op("Add", &[&scaled, &bias]))
    }

    fn plain_groups(&mut self, node: &Node, groups: usize, [gain, bias]: [ParameterId; 2], epsilon: f32) -> String {
        let x = self.plain(node.inputs[0]);
        let width = node.shape.width();
        let own = width / groups;
        let apart = self.split_last(&x, node.domain, &[groups, own]);
        let (ones, zeros) = (self.w.floats(&[own], &vec![1.0; own]), self.w.floats(&[own], &vec![0.0; own]));
        let settings = vec![("axis", Setting::Int(-1)), ("epsilon", Setting::Float(epsilon))];
        let normal = self.w.op_with("LayerNormalization", &[&apart, &ones, &zeros], settings);
        let normal = self.split_last(&normal, node.domain, &[width]);
        let (gain, bias) = (self.parameter(gain), self.parameter(bias));
        let scaled = self.w.op("Mul", &[&normal, &gain]);
        self.w.op("Add", &[&scaled, &bias])
    }
}

fn window_settings(window: &Window) -> Vec<(&'static str, Setting<'static>)> {
    let ints = |values: [usize; 2]| Setting::Ints(values.map(|v| v as i64).to_vec());
    let [above, left] = window.padding.map(|p| p as i64);
    let [below, right] = window.beyond.map(|p| p as i64);
    vec![
        ("kernel_shape", ints(window.size)),
        ("strides", ints(window.stride)),
        ("dilations", ints(window.dilation)),
        ("pads", Setting::Ints(vec![above, left, above + below, left + right])),
    ]
}

/// Filters `[height, width, in, out]` as `[out, in, height, width]`.
pub fn filters(values: &[f32], dims: &[usize]) -> (Vec<usize>, Vec<f32>) {
    let [height, width, inputs, outputs] = <[usize; 4]>::try_from(dims).unwrap_or_default();
    let mut turned = Vec::with_capacity(values.len());
    for output in 0..outputs {
        for input in 0..inputs {
            turned.extend((0..height * width).map(|pixel| values[(pixel * inputs + input) * outputs + output]));
        }
    }
    (vec![outputs, inputs, height, width], turned)
}
