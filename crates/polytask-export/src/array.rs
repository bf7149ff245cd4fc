//! What the arrays hold that a network reads and gives, and how long their axes are.

/// Types of the elements of tensors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Type {
    /// `f32`
    Float = 1,
    /// `u8`
    Byte = 2,
    /// `i32`
    Int = 6,
    /// `i64`
    Long = 7,
    /// UTF-8
    String = 8,
    /// `bool`
    Bool = 9,
    /// `f64`
    Double = 11,
}

/// The length of an axis.
#[derive(Clone, Debug, PartialEq)]
pub enum Axis {
    /// Always the same.
    Fixed(usize),
    /// Known at run time.
    Named(String),
}

impl From<usize> for Axis {
    fn from(length: usize) -> Self {
        Axis::Fixed(length)
    }
}

impl From<&str> for Axis {
    fn from(name: &str) -> Self {
        Axis::Named(name.to_owned())
    }
}

/// How NumPy calls a type of ONNX.
pub(crate) fn numpy(kind: i32) -> &'static str {
    let all = [Type::Float, Type::Double, Type::Byte, Type::Int, Type::Long, Type::String, Type::Bool];
    let names = ["float32", "float64", "uint8", "int32", "int64", "str", "bool"];
    all.iter().zip(names).find(|(known, _)| **known as i32 == kind).map_or("", |(_, name)| name)
}

pub(crate) fn shape(axes: &[Axis]) -> Vec<String> {
    let length = |axis: &Axis| match axis {
        Axis::Fixed(length) => length.to_string(),
        Axis::Named(name) => name.clone(),
    };
    axes.iter().map(length).collect()
}
