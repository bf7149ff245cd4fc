//! A loss of one's own, trained: the pinball loss, whose minimum is a quantile, for two tasks on one trunk.

use polytask::Device;
use polytask::exec::{Batch, Combine, Groups, Labels, Numbers, Parameters, Rule, Target, Update};
use polytask::graph::CustomLoss;
use polytask::prelude::*;
use std::error::Error;
use std::sync::Arc;

/// Least where this fraction of the labels lies below the prediction.
#[derive(Debug)]
struct Pinball(f32);

impl CustomLoss for Pinball {
    fn name(&self) -> &str {
        "pinball"
    }
    fn value(&self, prediction: &[f32], label: &[f32]) -> f64 {
        let excess = prediction.iter().zip(label).map(|(p, y)| y - p);
        excess.map(|e| f64::from((self.0 * e).max((self.0 - 1.0) * e))).sum()
    }
    fn add_gradient(&self, prediction: &[f32], label: &[f32], scale: f32, into: &mut [f32]) {
        for (into, (p, y)) in into.iter_mut().zip(prediction.iter().zip(label)) {
            *into += scale * if y > p { -self.0 } else { 1.0 - self.0 };
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut g = GraphBuilder::new();
    let input = g.input("x", 1);
    let trunk = g.named("trunk").dense(input, 16, Activation::Relu);
    for (task, fraction) in [("median", 0.5), ("high", 0.9)] {
        let out = g.named(format!("heads.{task}")).dense(trunk, 1, Activation::Linear);
        g.custom_loss(task, out, Arc::new(Pinball(fraction)));
    }
    let graph = g.finish()?;

    // Labels lie evenly between x and x + 1.
    let x: Vec<f32> = (0..1000_u16).map(|i| f32::from(i) / 1000.0).collect();
    let y: Vec<f32> = x.iter().zip(0_u16..).map(|(x, i)| x + (f32::from(i) * 0.618_034).fract()).collect();
    let target = Target { labels: Labels::Real(&y), weights: &[1.0; 1000] };
    let rows: Vec<u32> = (0..1000).collect();
    let batch = Batch { inputs: &[Numbers::Real(&x)], targets: &[target, target], offsets: &[], rows: &rows };

    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.0 };
    let start = Parameters::init(&graph, 0);
    let mut session = Device::default().training(&graph, 1000, Groups::merged(&graph), rule, &start)?;
    for step in 0..1000 {
        session.forward_backward(&batch, &[1.0, 1.0], step);
        session.step(Update { rate: 0.01, clip: None, l2: 0.0, l2_biases: false }, Combine::Sum);
    }
    for (loss, output) in graph.losses().iter().zip(session.predict(&batch).tasks) {
        let below = y.iter().zip(output.prediction.values()).filter(|(y, p)| y < p).count();
        println!("{}: {:.0} % of the labels lie below", loss.task, below as f64 / 10.0);
    }
    Ok(())
}
