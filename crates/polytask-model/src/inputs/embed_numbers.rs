//! What the first layer of a network reads of numbers, and where that starts.

use super::{Features, NUMBERS};
use crate::section::{NumberEmbedding, NumberScale, NumbersModel};
use polytask_exec::Parameters;
use polytask_graph::{Graph, GraphBuilder, NodeId, Op, ops};

/// What scaled numbers stay below in magnitude (Holzmüller et al. 2024).
const LIMIT: f32 = 3.0;

/// Training rows at most that quantiles are taken of: more change nothing that matters.
const ROWS: usize = 65_536;

/// Adds what the first layer reads of the node `numbers`: the numbers themselves, scaled (`{prefix}squash`), and their
/// embeddings (`{prefix}bins`, `{prefix}periodic`).
pub(super) fn embed(g: &mut GraphBuilder, numbers: NodeId, prefix: &str, model: &NumbersModel) -> Vec<NodeId> {
    let scaled = match model.scale {
        NumberScale::Plain => numbers,
        NumberScale::Robust => {
            let scaled = g.named(format!("{prefix}squash")).squash(numbers, LIMIT);
            g.learning_rate(scaled, 0.0);
            scaled
        }
    };
    let embedded = match model.embedding {
        NumberEmbedding::None => None,
        NumberEmbedding::Bins => Some(g.named(format!("{prefix}bins")).bins(numbers, model.bins)),
        NumberEmbedding::Periodic => {
            Some(g.named(format!("{prefix}periodic")).periodic(scaled, model.waves, model.deviation as f32))
        }
    };
    std::iter::once(scaled).chain(embedded).collect()
}

/// Puts the medians, ranges and quantiles of these rows where layers that read the numbers start.
pub(crate) fn start(graph: &Graph, features: &Features, rows: &[u32], parameters: &mut Parameters) {
    let reads = |node: &polytask_graph::Node| matches!(&node.inputs[..], [x] if graph.node(*x).name == NUMBERS);
    let layers: Vec<&Op> = graph.nodes().iter().filter(|node| reads(node)).map(|node| &node.op).collect();
    let fed = layers.iter().any(|op| matches!(op, Op::Squash(_) | Op::Bins(_)));
    if !fed || rows.is_empty() || features.number_width == 0 {
        return;
    }
    let step = rows.len().div_ceil(ROWS);
    for number in 0..features.number_width {
        let at = |row: &u32| features.numbers[*row as usize * features.number_width + number];
        let mut values: Vec<f32> = rows.iter().step_by(step).map(at).collect();
        values.sort_by(f32::total_cmp);
        for op in &layers {
            if let Op::Squash(ops::Squash { center, scale, .. }) = op {
                let (median, range) = middle(&values);
                parameters.of_mut(*center)[number] = median;
                parameters.of_mut(*scale)[number] = range;
            }
            if let Op::Bins(ops::Bins { edges }) = op {
                let count = graph.parameter(*edges).dims[1];
                let own = &mut parameters.of_mut(*edges)[number * count..][..count];
                own.copy_from_slice(&quantiles(&values, count));
            }
        }
    }
}

/// The median of sorted values, and one over the range between their quartiles; where that is 0, two over the range of all;
/// 0 where they are all alike.
fn middle(values: &[f32]) -> (f32, f32) {
    let median = quantile(values, 0.5);
    let quartiles = quantile(values, 0.75) - quantile(values, 0.25);
    let all = values[values.len() - 1] - values[0];
    let scale = match (quartiles > 0.0, all > 0.0) {
        (true, _) => quartiles.recip(),
        (false, true) => 2.0 / all,
        (false, false) => 0.0,
    };
    (median, if scale.is_finite() { scale } else { 0.0 })
}

/// So many quantiles of sorted values, each once, the last of them again in place of those that are alike.
fn quantiles(values: &[f32], count: usize) -> Vec<f32> {
    let mut edges: Vec<f32> = (0..count).map(|i| quantile(values, i as f64 / (count - 1).max(1) as f64)).collect();
    edges.dedup();
    let last = edges[edges.len() - 1];
    edges.resize(count, last);
    edges
}

/// A quantile of sorted values, between two of them where it must be.
fn quantile(values: &[f32], share: f64) -> f32 {
    let place = share * (values.len() - 1) as f64;
    let (low, rest) = (place.floor() as usize, place.fract() as f32);
    match values.get(low + 1) {
        Some(next) if rest > 0.0 => values[low] + (next - values[low]) * rest,
        _ => values[low],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_quantiles() {
        assert_eq!(middle(&[0.0, 1.0, 2.0, 3.0, 400.0]), (2.0, 0.5));
        assert_eq!(middle(&[0.0, 0.0, 0.0, 0.0, 0.0, 4.0]), (0.0, 0.5));
        assert_eq!(middle(&[7.0, 7.0]), (7.0, 0.0));
        assert_eq!(quantiles(&[0.0, 1.0, 2.0, 3.0, 400.0], 3), [0.0, 2.0, 400.0]);
        assert_eq!(quantiles(&[0.0, 0.0, 0.0, 1.0], 4), [0.0, 1.0, 1.0, 1.0], "bins of no width come last");
        assert_eq!(quantile(&[0.0, 1.0], 0.25), 0.25);
    }
}
