//! The messages of `onnx.proto3` that a model needs, under their numbers there (IR version 9).
//!
//! Fields are optional, as the standard has them: its checker asks which are set.

use prost::Message;

/// A whole model.
#[derive(Clone, PartialEq, Message)]
pub struct Model {
    /// Version of the format.
    #[prost(int64, optional, tag = "1")]
    pub ir_version: Option<i64>,
    /// Which program wrote it.
    #[prost(string, optional, tag = "2")]
    pub producer_name: Option<String>,
    /// Which version of it.
    #[prost(string, optional, tag = "3")]
    pub producer_version: Option<String>,
    /// What it is, in words.
    #[prost(string, optional, tag = "6")]
    pub doc_string: Option<String>,
    /// The network.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    /// The sets of operators it uses.
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
}

/// A set of operators.
#[derive(Clone, PartialEq, Message)]
pub struct OperatorSet {
    /// Empty for that of ONNX itself.
    #[prost(string, optional, tag = "1")]
    pub domain: Option<String>,
    /// Its version.
    #[prost(int64, optional, tag = "2")]
    pub version: Option<i64>,
}

/// A network, or the body of a loop.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    /// In an order in which they can run.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Its name.
    #[prost(string, optional, tag = "2")]
    pub name: Option<String>,
    /// Weights and other constants.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    /// What is fed.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<Value>,
    /// What comes out.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<Value>,
}

/// An operator at work.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Values it reads.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Values it gives.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Its own name.
    #[prost(string, optional, tag = "3")]
    pub name: Option<String>,
    /// Which operator.
    #[prost(string, optional, tag = "4")]
    pub op_type: Option<String>,
    /// Its settings.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
    /// The operator's set.
    #[prost(string, optional, tag = "7")]
    pub domain: Option<String>,
}

/// A setting of an operator.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// A number.
    #[prost(float, optional, tag = "2")]
    pub f: Option<f32>,
    /// A whole number.
    #[prost(int64, optional, tag = "3")]
    pub i: Option<i64>,
    /// A word.
    #[prost(bytes = "vec", optional, tag = "4")]
    pub s: Option<Vec<u8>>,
    /// A tensor.
    #[prost(message, optional, tag = "5")]
    pub t: Option<Tensor>,
    /// The body of a loop.
    #[prost(message, optional, boxed, tag = "6")]
    pub g: Option<Box<Graph>>,
    /// Numbers.
    #[prost(float, repeated, packed = "false", tag = "7")]
    pub floats: Vec<f32>,
    /// Whole numbers.
    #[prost(int64, repeated, packed = "false", tag = "8")]
    pub ints: Vec<i64>,
    /// Words.
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub strings: Vec<Vec<u8>>,
    /// Which of the fields holds it.
    #[prost(int32, optional, tag = "20")]
    pub r#type: Option<i32>,
}

/// A constant.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Its shape.
    #[prost(int64, repeated, packed = "false", tag = "1")]
    pub dims: Vec<i64>,
    /// The number of a type of elements.
    #[prost(int32, optional, tag = "2")]
    pub data_type: Option<i32>,
    /// Elements that are words.
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub string_data: Vec<Vec<u8>>,
    /// Its name as a value.
    #[prost(string, optional, tag = "8")]
    pub name: Option<String>,
    /// Elements that are numbers, little-endian.
    #[prost(bytes = "vec", optional, tag = "9")]
    pub raw_data: Option<Vec<u8>>,
}

/// A value that is fed or comes out.
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// What it is.
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<ValueType>,
    /// In words.
    #[prost(string, optional, tag = "3")]
    pub doc_string: Option<String>,
}

/// What a value is.
#[derive(Clone, PartialEq, Message)]
pub struct ValueType {
    /// A tensor.
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorType>,
}

/// Elements and shape of a tensor.
#[derive(Clone, PartialEq, Message)]
pub struct TensorType {
    /// The number of a type of elements.
    #[prost(int32, optional, tag = "1")]
    pub elem_type: Option<i32>,
    /// Its shape.
    #[prost(message, optional, tag = "2")]
    pub shape: Option<TensorShape>,
}

/// A shape.
#[derive(Clone, PartialEq, Message)]
pub struct TensorShape {
    /// Its axes.
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

/// The length of an axis: a number, or a name where it is known only at run time.
#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    /// A number.
    #[prost(int64, optional, tag = "1")]
    pub dim_value: Option<i64>,
    /// A name.
    #[prost(string, optional, tag = "2")]
    pub dim_param: Option<String>,
}
