//! An op that a caller brings.

use crate::{Init, Role, Shape};
use serde_json::Value;
use std::fmt::Debug;

/// Inputs and parameters that a custom op has at most, so that a step gathers them without allocating.
pub const MOST: usize = 16;

/// An op with its kernel for the CPU: plain functions on slices. Values are row-major, `rows x features`; an image is as
/// many features as it has numbers. `rows` are the elements of the node's domain that a thread works on at once: what an
/// element gives must not depend on the others, or batches of different sizes would give different results.
///
/// Kernels run on several threads, and must give the same for the same.
pub trait CustomOp: Debug + Send + Sync {
    /// What it is called, in files and messages.
    fn name(&self) -> &str;

    /// What it is set to, from which a [`Registry`](crate::Registry) makes it again. Default null: nothing.
    fn settings(&self) -> Value {
        Value::Null
    }

    /// What it gives for an element, from what it reads.
    ///
    /// # Errors
    /// Why it cannot read these inputs, as the end of the sentence "layer x: ...".
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String>;

    /// The parameters it has for such inputs. Default: none.
    fn parameters(&self, _inputs: &[&Shape]) -> Vec<CustomParameter> {
        Vec::new()
    }

    /// Multiply-adds of one forward pass over one element; they say how much work a thread is given.
    fn multiply_adds(&self, inputs: &[&Shape]) -> usize;

    /// Numbers an element that the forward pass keeps for the backward pass, beside what it gives. Default: none.
    fn saved(&self, _inputs: &[&Shape]) -> usize {
        0
    }

    /// Fills `out`, `rows x features`, and `saved`, `rows x` [`saved`](Self::saved). When nothing is trained `saved` is
    /// empty.
    fn forward(&self, given: Given<'_>, out: &mut [f32], saved: &mut [f32]);

    /// Adds to the cotangents of inputs and parameters what follows from `cotangent`, that of what was given out.
    fn backward(&self, given: Given<'_>, kept: Kept<'_>, cotangent: &[f32], into: Cotangents<'_, '_>);
}

/// A parameter that a custom op has.
#[derive(Clone, Debug, PartialEq)]
pub struct CustomParameter {
    /// Behind the layer's name and a dot it is the parameter's name; different for each of an op.
    pub name: String,
    /// Row-major shape.
    pub dims: Vec<usize>,
    /// Where it starts.
    pub init: Init,
    /// What it is for: all but a [`Statistic`](Role::Statistic), which is not trained.
    pub role: Role,
}

/// What a custom op reads.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Elements that are worked on.
    pub rows: usize,
    /// Each `rows x` its features, in the order of the node's inputs.
    pub inputs: &'a [&'a [f32]],
    /// In the order of [`CustomOp::parameters`].
    pub parameters: &'a [&'a [f32]],
}

/// What the forward pass left.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a> {
    /// What it gave.
    pub out: &'a [f32],
    /// What it saved.
    pub saved: &'a [f32],
}

/// What a backward pass adds to. Where nothing is asked for a slice is empty.
#[derive(Debug)]
pub struct Cotangents<'a, 'b> {
    /// Each `rows x` the input's features.
    pub inputs: &'a mut [&'b mut [f32]],
    /// Each as long as the parameter.
    pub parameters: &'a mut [&'b mut [f32]],
}
