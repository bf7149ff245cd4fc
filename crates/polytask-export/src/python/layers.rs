//! Layers that have weights.

use super::{Emit, Target};
use crate::error::Refusal;
use crate::onnx::filters;
use polytask::files::Tensor;
use polytask_graph::{ParameterId, Window};
use std::borrow::Cow;

/// A weight of a layer: the name it has there, its shape and its values.
type Part<'a> = (&'static str, Vec<usize>, Cow<'a, [f32]>);

impl<'a> Emit<'a> {
    /// The layer whose first parameter this is: made by `make` where it is not there yet, with its weights by part. Layers
    /// that share a parameter are one.
    fn layer(&mut self, first: ParameterId, make: [String; 2], parts: Vec<Part<'a>>) -> String {
        let own = self.graph.parameter(first).name.as_str();
        let wanted = own.rsplit_once('.').map_or(own, |(layer, _)| layer);
        let letter = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
        let mut name: String = wanted.chars().map(letter).collect();
        if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
            name = format!("x_{name}");
        }
        // Names that differ only in what Python cannot write.
        let position = first.0;
        let taken = self.layers.get(&name).is_some_and(|there| !there.ends_with(&mark(position)));
        let name = if taken { format!("{name}_{position}") } else { name };
        if !self.layers.contains_key(&name) {
            let [torch, keras] = make;
            let made = match self.target {
                Target::Torch => torch,
                Target::Keras => format!("{}{}name=\"{name}\")", keras, if keras.ends_with('(') { "" } else { ", " }),
            };
            self.layers.insert(name.clone(), format!("{made}{}", mark(position)));
            for (part, dims, values) in parts {
                self.tensors.push(Tensor { name: format!("{name}.{part}"), dims, values });
            }
        }
        match self.target {
            Target::Torch => format!("self.{name}"),
            Target::Keras => format!("{name}_layer"),
        }
    }

    fn values(&self, id: ParameterId) -> (Vec<usize>, &'a [f32]) {
        (self.graph.parameter(id).dims.clone(), self.network.parameters.of(id))
    }

    pub fn dense(&mut self, weight: ParameterId, bias: Option<ParameterId>) -> String {
        let (dims, values) = self.values(weight);
        let [inputs, outputs] = [dims[0], dims[1]];
        let mut parts = match self.target {
            Target::Torch => vec![("weight", vec![outputs, inputs], turned(values, inputs, outputs).into())],
            Target::Keras => vec![("kernel", dims, values.into())],
        };
        if let Some(bias) = bias {
            let (dims, values) = self.values(bias);
            parts.push(("bias", dims, values.into()));
        }
        let without = if bias.is_some() { ["", ""] } else { [", bias=False", ", use_bias=False"] };
        let torch = format!("nn.Linear({inputs}, {outputs}{})", without[0]);
        self.layer(weight, [torch, format!("layers.Dense({outputs}{}", without[1])], parts)
    }

    /// With a last row of zeros, which a missing level reads.
    pub fn table(&mut self, table: ParameterId) -> String {
        let (dims, values) = self.values(table);
        let [levels, width] = [dims[0], dims[1]];
        let mut values = values.to_vec();
        values.resize((levels + 1) * width, 0.0);
        let part = if self.target == Target::Torch { "weight" } else { "embeddings" };
        let torch = format!("nn.Embedding({}, {width}, padding_idx={levels})", levels + 1);
        let keras = format!("layers.Embedding({}, {width}", levels + 1);
        self.layer(table, [torch, keras], vec![(part, vec![levels + 1, width], values.into())])
    }

    pub fn layer_norm(&mut self, gain: ParameterId, bias: ParameterId, epsilon: f32) -> String {
        let width = self.values(gain).0[0];
        let parts = self.gain_and_bias(gain, bias);
        let torch = format!("nn.LayerNorm({width}, eps={epsilon:e})");
        self.layer(gain, [torch, format!("layers.LayerNormalization(epsilon={epsilon:e}")], parts)
    }

    pub fn batch_norm(&mut self, [gain, bias, mean, variance]: [ParameterId; 4], epsilon: f32, image: bool) -> String {
        let width = self.values(gain).0[0];
        let mut parts = self.gain_and_bias(gain, bias);
        let names = match self.target {
            Target::Torch => ["running_mean", "running_var"],
            Target::Keras => ["moving_mean", "moving_variance"],
        };
        for (name, parameter) in names.into_iter().zip([mean, variance]) {
            let (dims, values) = self.values(parameter);
            parts.push((name, dims, values.into()));
        }
        let torch = format!("nn.BatchNorm{}d({width}, eps={epsilon:e})", if image { 2 } else { 1 });
        self.layer(gain, [torch, format!("layers.BatchNormalization(epsilon={epsilon:e}")], parts)
    }

    pub fn group_norm(&mut self, gain: ParameterId, bias: ParameterId, groups: usize, epsilon: f32) -> String {
        let width = self.values(gain).0[0];
        let parts = self.gain_and_bias(gain, bias);
        let torch = format!("nn.GroupNorm({groups}, {width}, eps={epsilon:e})");
        self.layer(gain, [torch, format!("layers.GroupNormalization({groups}, epsilon={epsilon:e}")], parts)
    }

    fn gain_and_bias(&self, gain: ParameterId, bias: ParameterId) -> Vec<Part<'a>> {
        let names = match self.target {
            Target::Torch => ["weight", "bias"],
            Target::Keras => ["gamma", "beta"],
        };
        let part = |(name, parameter)| {
            let (dims, values) = self.values(parameter);
            (name, dims, values.into())
        };
        names.into_iter().zip([gain, bias]).map(part).collect()
    }

    pub fn conv2d(
        &mut self,
        weight: ParameterId,
        bias: Option<ParameterId>,
        window: &Window,
        groups: usize,
    ) -> Result<String, Refusal> {
        let (dims, values) = self.values(weight);
        let (inputs, outputs) = (dims[2] * groups, dims[3]);
        if self.target == Target::Keras && window.stride != [1, 1] && window.dilation != [1, 1] {
            return Err(Refusal::new("its window has a stride and a dilation"));
        }
        let mut parts = match self.target {
            Target::Torch => {
                let (dims, values) = filters(values, &dims);
                vec![("weight", dims, values.into())]
            }
            Target::Keras => vec![("kernel", dims, values.into())],
        };
        if let Some(bias) = bias {
            let (dims, values) = self.values(bias);
            parts.push(("bias", dims, values.into()));
        }
        let (size, stride, dilation) = (pair(window.size), pair(window.stride), pair(window.dilation));
        let mut torch = format!("nn.Conv2d({inputs}, {outputs}, {size}");
        let mut keras = format!("layers.Conv2D({outputs}, {size}");
        for (given, default, names, value) in [
            (window.stride, [1, 1], ["stride", "strides"], stride),
            (window.padding, [0, 0], ["padding", ""], pair(window.padding)),
            (window.dilation, [1, 1], ["dilation", "dilation_rate"], dilation),
            ([groups; 2], [1, 1], ["groups", "groups"], groups.to_string()),
        ] {
            if given != default {
                torch += &format!(", {}={value}", names[0]);
                // Keras pads before the layer.
                if !names[1].is_empty() {
                    keras += &format!(", {}={value}", names[1]);
                }
            }
        }
        if bias.is_none() {
            torch += ", bias=False";
            keras += ", use_bias=False";
        }
        Ok(self.layer(weight, [torch + ")", keras], parts))
    }

    /// Gates `i f g o` of an LSTM, `r z n` of a GRU, in both libraries; Keras has `z r n`.
    pub fn recurrent(&mut self, [input, own, bias]: [ParameterId; 3], gru: bool) -> String {
        let ([dims, own_dims], [values, own_values]) =
            ([self.values(input).0, self.values(own).0], [self.values(input).1, self.values(own).1]);
        let (width, hidden, columns) = (dims[0], own_dims[0], dims[1]);
        let bias = self.values(bias).1;
        let part = |i: usize| bias[i * hidden..(i + 1) * hidden].to_vec();
        let nothing = |gates: usize| vec![0.0; gates * hidden];
        let kind = if gru { "GRU" } else { "LSTM" };
        let torch = format!("nn.{kind}({width}, {hidden}, batch_first=True)");
        let keras =
            format!("layers.{kind}({hidden}, return_sequences=True{}", if gru { ", reset_after=True" } else { "" });
        let parts: Vec<Part<'a>> = match (self.target, gru) {
            (Target::Torch, _) => {
                let [first, second] = match gru {
                    false => [bias.to_vec(), nothing(4)],
                    true => [bias[..3 * hidden].to_vec(), [nothing(2), part(3)].concat()],
                };
                vec![
                    ("weight_ih_l0", vec![columns, width], turned(values, width, columns).into()),
                    ("weight_hh_l0", vec![columns, hidden], turned(own_values, hidden, columns).into()),
                    ("bias_ih_l0", vec![columns], first.into()),
                    ("bias_hh_l0", vec![columns], second.into()),
                ]
            }
            (Target::Keras, false) => vec![
                ("cell.kernel", dims, values.into()),
                ("cell.recurrent_kernel", own_dims, own_values.into()),
                ("cell.bias", vec![columns], bias.into()),
            ],
            (Target::Keras, true) => {
                let both = [part(1), part(0), part(2), nothing(2), part(3)].concat();
                vec![
                    ("cell.kernel", dims, swapped(values, hidden).into()),
                    ("cell.recurrent_kernel", own_dims, swapped(own_values, hidden).into()),
                    ("cell.bias", vec![2, columns], both.into()),
                ]
            }
        };
        self.layer(input, [torch, keras], parts)
    }

    /// A trained tensor by itself. `near` is a value of the network, which Keras asks for.
    pub fn weight(&mut self, id: ParameterId, dims: &[usize], values: Cow<'a, [f32]>, near: &str) -> String {
        let shape: String = dims.iter().map(|d| format!("{d}, ")).collect();
        let (torch, part) = (format!("nn.Parameter(torch.empty(({shape})))"), "value");
        let keras = format!("{}(({shape})", self.helper("Weight"));
        let name = match self.target {
            Target::Torch => self.layer(id, [torch, keras], vec![]),
            Target::Keras => self.layer(id, [torch, keras], vec![(part, dims.to_vec(), values.clone())]),
        };
        match self.target {
            Target::Keras => format!("{name}({near})"),
            Target::Torch => {
                // A parameter is an attribute itself, not part of one.
                let own = name.trim_start_matches("self.").to_owned();
                if !self.tensors.iter().any(|tensor| tensor.name == own) {
                    self.tensors.push(Tensor { name: own, dims: dims.to_vec(), values });
                }
                name
            }
        }
    }
}

/// Tells layers apart whose names are alike; it is cut off when they are written.
fn mark(position: usize) -> String {
    format!("\0{position}")
}

pub fn pair([a, b]: [usize; 2]) -> String {
    if a == b { a.to_string() } else { format!("({a}, {b})") }
}

/// `[rows, columns]` as `[columns, rows]`.
fn turned(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| (0..rows).map(move |row| values[row * columns + column])).collect()
}

/// Rows of three gates with the first two in the other order.
fn swapped(values: &[f32], hidden: usize) -> Vec<f32> {
    let row = |row: &[f32]| [&row[hidden..2 * hidden], &row[..hidden], &row[2 * hidden..]].concat();
    values.chunks_exact(3 * hidden).flat_map(row).collect()
}
