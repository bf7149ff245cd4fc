//! An op and a loss of one's own, each with its kernel: a layer of squares, and the log-cosh loss.

use polytask::graph::{Cotangents, CustomLoss, CustomOp, Given, Kept, Shape};
use polytask::prelude::*;
use std::sync::Arc;

#[derive(Debug)]
struct Square;

impl CustomOp for Square {
    fn name(&self) -> &str {
        "square"
    }
    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        inputs.first().map(|shape| (*shape).clone()).ok_or_else(|| "it reads one input".to_owned())
    }
    fn multiply_adds(&self, inputs: &[&Shape]) -> usize {
        inputs[0].width()
    }
    fn forward(&self, given: Given<'_>, out: &mut [f32], _: &mut [f32]) {
        out.iter_mut().zip(given.inputs[0]).for_each(|(out, x)| *out = x * x);
    }
    fn backward(&self, given: Given<'_>, _: Kept<'_>, cotangent: &[f32], into: Cotangents<'_, '_>) {
        let terms = cotangent.iter().zip(given.inputs[0]);
        into.inputs[0].iter_mut().zip(terms).for_each(|(into, (c, x))| *into += 2.0 * c * x);
    }
}

#[derive(Debug)]
struct LogCosh;

impl CustomLoss for LogCosh {
    fn name(&self) -> &str {
        "log_cosh"
    }
    fn value(&self, prediction: &[f32], label: &[f32]) -> f64 {
        prediction.iter().zip(label).map(|(p, y)| f64::from(p - y).cosh().ln()).sum()
    }
    fn add_gradient(&self, prediction: &[f32], label: &[f32], scale: f32, into: &mut [f32]) {
        into.iter_mut().zip(prediction.iter().zip(label)).for_each(|(into, (p, y))| *into += scale * (p - y).tanh());
    }
}

fn main() -> Result<(), polytask::graph::GraphError> {
    let mut g = GraphBuilder::new();
    let x = g.input("x", 4);
    let h = g.named("hidden").dense(x, 8, Activation::Linear);
    let squares = g.named("squares").custom(Arc::new(Square), &[h]);
    for task in ["a", "b"] {
        let out = g.named(format!("heads.{task}")).dense(squares, 1, Activation::Linear);
        g.custom_loss(task, out, Arc::new(LogCosh));
    }
    println!("{}", g.finish()?.text());
    Ok(())
}
