//! Strengths worth trying.

use crate::{Matrix, Penalty, Problem};

/// `count` strengths from strong to weak, evenly spaced on a logarithmic scale: from the least that makes all weights 0
/// down to `smallest` times that. Penalties under which weights never become 0 (ridge and its kin) begin at 10 times
/// the largest mean square of a feature.
pub fn strengths(problem: &Problem<'_>, penalty: &dyn Penalty, count: usize, smallest: f64) -> Vec<f64> {
    let zeros = Matrix::zeros(problem.width(), problem.columns());
    let (_, mut slope, _) = problem.slope(&zeros, &problem.constants());
    slope.values_mut().iter_mut().for_each(|g| *g = -*g);
    let ceiling = penalty.ceiling(&slope);
    let top = if ceiling.is_finite() { ceiling } else { 10.0 * problem.curvature() };
    // Data without any variation have a top of 0; any strength will do.
    let top = if top > 0.0 { top } else { 1.0 };
    let step = smallest.powf(1.0 / (count.max(2) - 1) as f64);
    (0..count).map(|i| top * step.powi(i as i32)).collect()
}
