//! Gradients of whole networks against central differences.

use super::Noise;
use polytask_exec::*;
use polytask_graph::*;
use polytask_model::Device;

/// Names the random draws of a step.
pub const NOISE: u64 = 7;

/// A session away from where everything starts, which is special: copies alike, mixtures even, corrections zero.
pub fn session(graph: &Graph, rows: usize, groups: Groups) -> Box<dyn Session> {
    let mut parameters = Parameters::init(graph, 5);
    let mut noise = Noise(8);
    parameters.values_mut().iter_mut().for_each(|v| *v += 0.3 * (noise.next() as f32 - 0.5));
    Device::default().gradients(graph, rows, groups, &parameters).unwrap()
}

/// The gradient of the weighted losses of a network, at some `samples` of its parameters.
pub fn check_gradients(name: &str, graph: &Graph, feed: &Batch<'_>, weights: &[f64], samples: usize) {
    let rows = feed.rows.len();
    let mut r = session(graph, rows, Groups::merged(graph));
    r.forward_backward(feed, weights, NOISE);
    let all = (0..graph.parameters().len()).map(|p| {
        let gradient = r.gradients(ParameterId(p)).pop().map(|g| g.1);
        gradient.unwrap_or_else(|| vec![0.0; graph.parameter(ParameterId(p)).len()])
    });
    let gradients: Vec<f32> = all.flatten().collect();
    let start = r.parameters().clone();
    let scale = gradients.iter().fold(0.0f32, |m, g| m.max(g.abs()));
    assert!(scale > 1e-2, "{name}");
    for i in (0..gradients.len()).step_by(1 + gradients.len() / samples) {
        let mut at = |by: f32| {
            let mut moved = start.clone();
            moved.values_mut()[i] += by;
            r.set_parameters(&moved);
            let losses = r.forward(feed, NOISE);
            let losses: f64 = losses.iter().zip(weights).map(|(l, w)| l.unwrap() * w).sum();
            losses + r.auxiliary_loss(weights)
        };
        const STEP: f32 = 4e-3;
        let (left, here, right) = (at(-STEP), at(0.0), at(STEP));
        let slopes = [(here - left) / f64::from(STEP), (right - here) / f64::from(STEP)];
        // See the gradient checks of the ops: truncation and rounding, and more where a kink lies within the step.
        let slack = 1e-3 * f64::from(scale) + 0.5 * (slopes[1] - slopes[0]).abs();
        let (found, expected) = (f64::from(gradients[i]), 0.5 * (slopes[0] + slopes[1]));
        assert!((found - expected).abs() < slack, "{name}, parameter {i}: {found} and {expected}");
    }
}
