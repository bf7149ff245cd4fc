//! Puts an ONNX graph together, operator by operator.

use super::proto::{Attribute, Dimension, Graph, Node, Tensor, TensorShape, TensorType, Value, ValueType};
use crate::array::{Axis, Type};
use std::collections::{HashMap, HashSet};

/// The set of operators for data that is no numbers.
pub const ML: &str = "ai.onnx.ml";

/// A graph in the making. Values are called by their names.
#[derive(Default)]
pub struct Writer {
    graph: Graph,
    names: HashSet<String>,
    /// Small constants by what they hold, so that each is there once.
    constants: HashMap<(i32, Vec<i64>, Vec<u8>), String>,
    /// What new values are called after.
    scope: String,
}

/// A setting of an operator.
pub enum Setting<'a> {
    /// A whole number.
    Int(i64),
    /// A number.
    Float(f32),
    /// A word.
    Word(&'a str),
    /// Whole numbers.
    Ints(Vec<i64>),
    /// Numbers.
    Floats(Vec<f32>),
    /// Words.
    Words(Vec<String>),
    /// A tensor.
    Tensor(Tensor),
    /// The body of a loop.
    Body(Graph),
}

impl Writer {
    /// What the next values are called after: the layer that they belong to.
    pub fn scope(&mut self, scope: impl Into<String>) {
        self.scope = scope.into();
    }

    /// A name that nothing has yet: this one, or this one with a number.
    pub fn unique(&mut self, wanted: &str) -> String {
        let numbered = (1..).map(|i| format!("{wanted}_{i}"));
        let free = std::iter::once(wanted.to_owned()).chain(numbered).find(|name| !self.names.contains(name));
        let name = free.unwrap_or_default();
        self.names.insert(name.clone());
        name
    }

    /// An operator without settings; gives its value.
    pub fn op(&mut self, op: &str, inputs: &[&str]) -> String {
        self.op_with(op, inputs, vec![])
    }

    /// An operator; gives its value.
    pub fn op_with(&mut self, op: &str, inputs: &[&str], settings: Vec<(&str, Setting<'_>)>) -> String {
        let mut outputs = self.op_many(op, inputs, settings, 1);
        outputs.pop().unwrap_or_default()
    }

    /// An operator that gives several values.
    pub fn op_many(
        &mut self,
        op: &str,
        inputs: &[&str],
        settings: Vec<(&str, Setting<'_>)>,
        outputs: usize,
    ) -> Vec<String> {
        let wanted = format!("{}/{op}", self.scope);
        let names: Vec<String> = (0..outputs).map(|_| self.unique(&wanted)).collect();
        let domain = ["LabelEncoder", "TreeEnsembleRegressor"].contains(&op).then(|| ML.to_owned());
        self.graph.node.push(Node {
            input: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: names.clone(),
            name: names.first().cloned(),
            op_type: Some(op.to_owned()),
            attribute: settings.into_iter().map(|(name, setting)| attribute(name, setting)).collect(),
            domain,
        });
        names
    }

    /// A weight, under its own name.
    pub fn weight(&mut self, name: &str, dims: &[usize], values: &[f32]) -> String {
        let name = self.unique(name);
        let dims = dims.iter().map(|d| *d as i64).collect();
        self.graph.initializer.push(tensor(Some(&name), Type::Float, dims, float_bytes(values)));
        name
    }

    /// Constants.
    pub fn floats(&mut self, dims: &[usize], values: &[f32]) -> String {
        self.constant(Type::Float, dims, float_bytes(values))
    }

    /// A constant without axes.
    pub fn float(&mut self, value: f32) -> String {
        self.floats(&[], &[value])
    }

    /// Constants.
    pub fn doubles(&mut self, dims: &[usize], values: &[f64]) -> String {
        self.constant(Type::Double, dims, values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// Whole constants on one axis, as shapes and axes are given.
    pub fn longs(&mut self, values: &[i64]) -> String {
        self.constant(Type::Long, &[values.len()], values.iter().flat_map(|v| v.to_le_bytes()).collect())
    }

    /// A whole constant without axes.
    pub fn long(&mut self, value: i64) -> String {
        self.constant(Type::Long, &[], value.to_le_bytes().to_vec())
    }

    /// Words on one axis.
    pub fn words(&mut self, values: &[String]) -> String {
        let name = self.unique(&format!("{}/words", self.scope));
        let string_data = values.iter().map(|word| word.clone().into_bytes()).collect();
        self.graph.initializer.push(Tensor {
            dims: vec![values.len() as i64],
            data_type: Some(Type::String as i32),
            string_data,
            name: Some(name.clone()),
            raw_data: None,
        });
        name
    }

    fn constant(&mut self, kind: Type, dims: &[usize], bytes: Vec<u8>) -> String {
        let dims: Vec<i64> = dims.iter().map(|d| *d as i64).collect();
        let key = (kind as i32, dims.clone(), bytes.clone());
        if let Some(name) = self.constants.get(&key) {
            return name.clone();
        }
        let name = self.unique(&format!("{}/constant", self.scope));
        self.graph.initializer.push(tensor(Some(&name), kind, dims, bytes));
        self.constants.insert(key, name.clone());
        name
    }

    /// Declares what is fed.
    pub fn input(&mut self, name: &str, kind: Type, axes: &[Axis], words: &str) -> String {
        let name = self.unique(name);
        self.graph.input.push(value(&name, kind, axes, words));
        name
    }

    /// Declares a value as an output, under a name of its own.
    pub fn output(&mut self, name: &str, from: &str, kind: Type, axes: &[Axis], words: &str) -> String {
        let name = self.unique(name);
        self.graph.node.push(Node {
            input: vec![from.to_owned()],
            output: vec![name.clone()],
            name: Some(name.clone()),
            op_type: Some("Identity".to_owned()),
            ..Node::default()
        });
        self.graph.output.push(value(&name, kind, axes, words));
        name
    }

    /// Turns a value into another type.
    pub fn cast(&mut self, x: &str, to: Type) -> String {
        self.op_with("Cast", &[x], vec![("to", Setting::Int(to as i64))])
    }

    /// Parts of a value along its last axis, of these lengths.
    pub fn split(&mut self, x: &str, lengths: &[i64]) -> Vec<String> {
        if let [_] = lengths {
            return vec![x.to_owned()];
        }
        let parts = self.longs(lengths);
        self.op_many("Split", &[x, &parts], vec![("axis", Setting::Int(-1))], lengths.len())
    }

    /// Adds axes of length 1 at these places of the result.
    pub fn unsqueeze(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.longs(axes);
        self.op("Unsqueeze", &[x, &axes])
    }

    /// Takes axes of length 1 away.
    pub fn squeeze(&mut self, x: &str, axes: &[i64]) -> String {
        let axes = self.longs(axes);
        self.op("Squeeze", &[x, &axes])
    }

    /// Another shape; 0 keeps the axis at this place, -1 is what remains.
    pub fn reshape(&mut self, x: &str, shape: &[i64]) -> String {
        let shape = self.longs(shape);
        self.op("Reshape", &[x, &shape])
    }

    /// Another order of the axes.
    pub fn transpose(&mut self, x: &str, order: &[i64]) -> String {
        self.op_with("Transpose", &[x], vec![("perm", Setting::Ints(order.to_vec()))])
    }

    /// Values side by side along an axis.
    pub fn concat(&mut self, parts: &[String], axis: i64) -> String {
        match parts {
            [only] => only.clone(),
            _ => {
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                self.op_with("Concat", &parts, vec![("axis", Setting::Int(axis))])
            }
        }
    }

    /// Elements `start..end` of an axis.
    pub fn slice(&mut self, x: &str, axis: i64, start: i64, end: i64) -> String {
        let (start, end, axis) = (self.longs(&[start]), self.longs(&[end]), self.longs(&[axis]));
        self.op("Slice", &[x, &start, &end, &axis])
    }

    /// One element of an axis, which goes.
    pub fn take(&mut self, x: &str, axis: i64, index: i64) -> String {
        let index = self.long(index);
        self.op_with("Gather", &[x, &index], vec![("axis", Setting::Int(axis))])
    }

    /// The graph.
    pub fn finish(mut self, name: &str) -> Graph {
        self.graph.name = Some(name.to_owned());
        self.graph
    }
}

/// A tensor of numbers.
pub fn tensor(name: Option<&str>, kind: Type, dims: Vec<i64>, bytes: Vec<u8>) -> Tensor {
    let name = name.map(str::to_owned);
    Tensor { dims, data_type: Some(kind as i32), string_data: vec![], name, raw_data: Some(bytes) }
}

fn float_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn attribute(name: &str, setting: Setting<'_>) -> Attribute {
    let mut attribute = Attribute { name: Some(name.to_owned()), ..Attribute::default() };
    let kind = match setting {
        Setting::Float(value) => {
            attribute.f = Some(value);
            1
        }
        Setting::Int(value) => {
            attribute.i = Some(value);
            2
        }
        Setting::Word(word) => {
            attribute.s = Some(word.as_bytes().to_vec());
            3
        }
        Setting::Tensor(tensor) => {
            attribute.t = Some(tensor);
            4
        }
        Setting::Body(body) => {
            attribute.g = Some(Box::new(body));
            5
        }
        Setting::Ints(values) => {
            attribute.ints = values;
            7
        }
        Setting::Floats(values) => {
            attribute.floats = values;
            6
        }
        Setting::Words(words) => {
            attribute.strings = words.into_iter().map(String::into_bytes).collect();
            8
        }
    };
    attribute.r#type = Some(kind);
    attribute
}

/// A value's name, type and shape.
pub fn value(name: &str, kind: Type, axes: &[Axis], words: &str) -> Value {
    let dimension = |axis: &Axis| match axis {
        Axis::Fixed(length) => Dimension { dim_value: Some(*length as i64), dim_param: None },
        Axis::Named(name) => Dimension { dim_value: None, dim_param: Some(name.clone()) },
    };
    let shape = TensorShape { dim: axes.iter().map(dimension).collect() };
    let tensor = TensorType { elem_type: Some(kind as i32), shape: Some(shape) };
    Value {
        name: Some(name.to_owned()),
        r#type: Some(ValueType { tensor_type: Some(tensor) }),
        doc_string: (!words.is_empty()).then(|| words.to_owned()),
    }
}
