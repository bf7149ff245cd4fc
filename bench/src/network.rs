//! The networks of the workloads.

use crate::sequences;
use crate::workload::{Work, Workload};
use crate::{Error, Result, images};
use polytask::share::{Counts, mmoe, ple, softmax_gate};
use polytask_graph::{Activation, Graph, GraphBuilder, LossKind, NodeId, Op, ops};

/// Experts of MMoE.
const EXPERTS: usize = 8;
/// Experts of each level of PLE, two levels.
const LEVELS: [Counts; 2] = [Counts { shared: 2, specific: 2 }; 2];

/// The network of a workload; its layers are called `trunk.0`, ..., `heads.TASK.0`, ..., and experts and gates as
/// polytask calls them.
///
/// # Errors
/// Layers that do not fit together, which would be a slip of this file.
pub fn graph(work: Work) -> Result<Graph> {
    if work.workload.sequences() {
        return sequences::graph(work.workload).map_err(|error| Error::Unavailable(error.to_string()));
    }
    let mut g = GraphBuilder::new();
    if let Some(image) = work.workload.image() {
        images::add(&mut g, work, image);
        return g.finish().map_err(|error| Error::Unavailable(error.to_string()));
    }
    let x = g.input("x", work.workload.features());
    let owners: Vec<String> = (0..work.tasks).map(|task| format!("tasks.{task}.")).collect();
    let widths = [work.expert, work.expert / 2];
    let expert = |g: &mut GraphBuilder, name: &str, x: NodeId| layers(g, name, x, &widths, Activation::Relu);
    let (h, head, hidden): (Vec<NodeId>, &[usize], _) = match work.workload {
        Workload::W4 | Workload::Resnet8 => (Vec::new(), &[], Activation::Relu),
        Workload::W1 => (vec![layers(&mut g, "trunk", x, &[5], Activation::Linear)], &[], Activation::Linear),
        Workload::Mmoe => (mmoe(&mut g, x, &owners, EXPERTS, &expert, &softmax_gate), &[32], Activation::Relu),
        Workload::Ple => (ple(&mut g, x, &owners, &LEVELS, &expert, &softmax_gate), &[32], Activation::Relu),
        _ => (vec![layers(&mut g, "trunk", x, &[256, 256], Activation::Relu)], &[64], Activation::Relu),
    };
    for task in 0..work.tasks {
        let name = format!("heads.{task}");
        let z = layers(&mut g, &name, h[task % h.len()], head, hidden);
        let y = g.named(format!("{name}.{}", head.len())).dense(z, 1, Activation::Linear);
        g.loss(&task.to_string(), y, LossKind::Mse);
    }
    g.finish().map_err(|error| Error::Unavailable(error.to_string()))
}

fn layers(g: &mut GraphBuilder, name: &str, x: NodeId, widths: &[usize], activation: Activation) -> NodeId {
    let each = widths.iter().enumerate();
    each.fold(x, |h, (i, &width)| g.named(format!("{name}.{i}")).dense(h, width, activation))
}

/// A dense layer or a convolution.
pub struct Weighing<'a> {
    /// Of its node.
    pub name: &'a str,
    /// Numbers that one output reads: of a convolution window height x window width x channels.
    pub inputs: usize,
    /// Width of the output, or its channels.
    pub outputs: usize,
    /// Whether it has a bias.
    pub bias: bool,
    /// Places it has: one, or the pixels of its output.
    places: usize,
    /// Whether it reads an input of the network.
    first: bool,
    /// Tasks that reach it.
    tasks: usize,
}

/// The dense layers and convolutions of a network, in their order.
pub fn weighing(graph: &Graph) -> Vec<Weighing<'_>> {
    let reach = graph.reach();
    let nodes = graph.nodes().iter().zip(&reach.nodes);
    let layers = nodes.filter_map(|(node, losses)| {
        let (weight, bias) = match &node.op {
            Op::Dense(ops::Dense { weight, bias, .. }) | Op::Conv2d(ops::Conv2d { weight, bias, .. }) => {
                (weight, bias.is_some())
            }
            _ => return None,
        };
        let (outputs, inputs) = graph.parameter(*weight).dims.split_last()?;
        Some(Weighing {
            name: &node.name,
            inputs: inputs.iter().product(),
            outputs: *outputs,
            bias,
            places: node.shape.pixels(),
            first: node.inputs.iter().all(|x| graph.node(*x).op == Op::Input),
            tasks: losses.len(),
        })
    });
    layers.collect()
}

/// Floating-point operations of one step, counting dense layers and convolutions alone: two for each weight, place
/// and row forward, and twice that back, less the gradient of the input itself, which nobody needs. A layer whose
/// gradients are kept apart is walked back once a task that reaches it.
///
/// # Errors
/// As [`graph`].
pub fn flops(work: Work) -> Result<f64> {
    if work.workload.sequences() {
        return Ok(sequences::flops(work.workload));
    }
    let graph = graph(work)?;
    let layers = weighing(&graph);
    let row = layers.iter().map(|layer| {
        let walks = if work.is_apart() { layer.tasks } else { 1 };
        let back = if layer.first { 2 } else { 4 };
        layer.inputs * layer.outputs * layer.places * (2 + walks * back)
    });
    Ok((work.workload.batch() * row.sum::<usize>()) as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::Method;

    #[test]
    fn flops_by_hand() {
        let flops = |work: Work| flops(work).unwrap();
        // 544 * (2 * 20 + 4 * 10 + 4 * 10 - 2 * 10)
        assert_eq!(flops(Workload::W1.into()), 544.0 * 100.0);
        // Macs: trunk 81,920 (first layer 16,384), heads 131,584.
        let (trunk, first, heads) = (81_920.0, 16_384.0, 131_584.0);
        let forward_and_heads = 2.0 * (trunk + heads) + 4.0 * heads;
        let back = 4.0 * trunk - 2.0 * first;
        assert_eq!(flops(Workload::W2.into()), 256.0 * (forward_and_heads + back));
        let w3 = Work::from(Workload::W3);
        assert_eq!(flops(w3), 256.0 * (forward_and_heads + 8.0 * back));
        let two = 2.0 * trunk + 6.0 * heads / 4.0;
        assert_eq!(flops(Work { tasks: 2, ..w3 }), 256.0 * (two + 2.0 * back));
        // Experts 8 x (64 x 128 + 128 x 64), gates 4 x 64 x 8, heads 4 x (64 x 32 + 32).
        let (all, first) = (8 * 16_384 + 2_048 + 4 * 2_080, 8 * 8_192 + 2_048);
        assert_eq!(flops(Workload::Mmoe.into()), 256.0 * f64::from(6 * all - 2 * first));
        // Ten experts a level; gates of 4 experts for each task and one of 10 between the levels.
        let (all, first) = (20 * 16_384 + 8 * 64 * 4 + 640 + 4 * 2_080, 10 * 8_192 + 4 * 64 * 4 + 640);
        assert_eq!(flops(Workload::Ple.into()), 256.0 * f64::from(6 * all - 2 * first));
        // LeNet: 32 x 32 places of 25 -> 10, 12 x 12 of 250 -> 20, 720 -> 50; heads of 50 -> 50 -> 10.
        let (first, trunk, heads) = (256_000.0, 256_000.0 + 720_000.0 + 36_000.0, 2.0 * 3_000.0);
        let (forward_and_heads, back) = (2.0 * (trunk + heads) + 4.0 * heads, 4.0 * trunk - 2.0 * first);
        let w4 = Work::from(Workload::W4);
        assert_eq!(flops(w4), 256.0 * (forward_and_heads + back));
        assert_eq!(flops(Work { method: Method::Mgda, ..w4 }), 256.0 * (forward_and_heads + 2.0 * back));
    }
}
