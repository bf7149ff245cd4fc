//! Planning: done once, before the first step.

mod arena;
mod wiring;

use crate::kernels::{self, Kernel, LossKernel};
use arena::Arena;
use polytask_graph::{Graph, LossId, Op, Reach};
use std::ops::Range;
pub(crate) use wiring::{Flow, ParameterWire, Run, Slot, Wiring};

/// Whether gradients will be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Forward only: dropout is off, buffers are reused as soon as their readers have run.
    Predict,
    /// Forward and backward.
    Train,
}

/// Which losses share a cotangent in the backward pass. A loss is in exactly one group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Groups(pub(crate) Vec<Vec<LossId>>);

impl Groups {
    /// One gradient, that of the weighted sum of all losses.
    pub fn merged(graph: &Graph) -> Self {
        Groups(vec![(0..graph.losses().len()).map(LossId).collect()])
    }

    /// One gradient a loss.
    pub fn separate(graph: &Graph) -> Self {
        Groups((0..graph.losses().len()).map(|i| vec![LossId(i)]).collect())
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn of(&self, losses: &[LossId]) -> Vec<usize> {
        (0..self.0.len()).filter(|&g| self.0[g].iter().any(|l| losses.contains(l))).collect()
    }
}

/// An input node and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InputSlot {
    Real(Slot),
    Index(Slot),
}

/// The order of work for one graph, with every buffer in its place.
pub struct Plan {
    pub(crate) graph: Graph,
    pub(crate) mode: Mode,
    pub(crate) kernels: Vec<Box<dyn Kernel>>,
    pub(crate) losses: Vec<LossKernel>,
    pub(crate) inputs: Vec<InputSlot>,
    pub(crate) outputs: Vec<Slot>,
    /// Per parameter: its place in a lane's gradient and the groups it has a copy for.
    pub(crate) gradients: Vec<(Range<usize>, Vec<usize>)>,
    pub(crate) groups: usize,
    pub(crate) arena: usize,
    pub(crate) indices: usize,
    pub(crate) gradient: usize,
    pub(crate) lane_rows: usize,
    pub(crate) lanes: usize,
}

/// Work below which a lane is not worth a thread: a hand-over costs some tens of microseconds.
const MIN_LANE_FLOPS: usize = 4_000_000;
/// Rows below which matrix products lose too much of their speed.
const MIN_LANE_ROWS: usize = 128;
/// Lanes at most: more would only cost memory, one gradient each.
const MAX_LANES: usize = 16;

impl Plan {
    /// Plans for batches of at most `batch` rows.
    pub fn new(graph: &Graph, batch: usize, mode: Mode, groups: &Groups) -> Self {
        let batch = batch.max(1);
        let lanes = (batch / MIN_LANE_ROWS)
            .min(batch.saturating_mul(graph.training_flops()) / MIN_LANE_FLOPS)
            .clamp(1, MAX_LANES);
        let lane_rows = batch.div_ceil(lanes);
        Planner::new(graph, lane_rows, mode, groups).plan(batch.div_ceil(lane_rows))
    }

    /// Lanes a full batch is cut into.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Bytes of working memory in all lanes together.
    pub fn memory(&self) -> usize {
        4 * self.lanes * (self.arena + self.indices + self.gradient)
    }

    /// The graph that was planned.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

struct Planner<'a> {
    graph: &'a Graph,
    rows: usize,
    mode: Mode,
    groups: &'a Groups,
    reach: Reach,
    /// Parameter offsets in the flat values.
    values: Vec<Range<usize>>,
}

impl<'a> Planner<'a> {
    fn new(graph: &'a Graph, rows: usize, mode: Mode, groups: &'a Groups) -> Self {
        let mut end = 0;
        let values = graph.parameters().iter().map(|p| {
            end += p.len();
            end - p.len()..end
        });
        let values = values.collect();
        Planner { graph, rows, mode, groups, reach: graph.reach(), values }
    }

    fn plan(self, lanes: usize) -> Plan {
        let (mut arena, mut indices) = (Arena::default(), Arena::default());
        let count = self.graph.nodes().len();
        let backward = |i: usize| 2 * count - i;
        let train = self.mode == Mode::Train;

        // Lives: a value until its last reader has run, and while training until its own backward has.
        let mut last_use: Vec<usize> = (0..count).collect();
        for (i, node) in self.graph.nodes().iter().enumerate() {
            node.inputs.iter().for_each(|input| last_use[input.0] = i);
        }
        self.graph.losses().iter().for_each(|loss| last_use[loss.prediction.0] = count);
        let needs = self.needs_gradient();
        let groups: Vec<Vec<usize>> = self.reach.nodes.iter().map(|losses| self.groups.of(losses)).collect();

        let mut values = Vec::with_capacity(count);
        let mut saved = Vec::with_capacity(count);
        let mut cotangents = Vec::with_capacity(count);
        // A cotangent is born when the first of its readers, the last in graph order, runs backward.
        for (i, node) in self.graph.nodes().iter().enumerate() {
            let width = node.shape.width();
            let life = i..=if train { backward(i) } else { last_use[i] };
            let place = if matches!(node.op, Op::Index) { &mut indices } else { &mut arena };
            values.push(Slot { start: place.place(life.clone(), width * self.rows), width });
            let extra = if train { kernels::saved_width(&node.op, width) } else { 0 };
            saved.push(Slot { start: arena.place(life, extra * self.rows), width: extra });
            let copies = if train && needs[i] { groups[i].len() } else { 0 };
            let life = backward(last_use[i])..=backward(i);
            cotangents.push(Slot { start: arena.place(life, copies * width * self.rows), width });
        }

        let mut gradient = 0;
        let gradients: Vec<(Range<usize>, Vec<usize>)> = (0..self.graph.parameters().len())
            .map(|p| {
                let of = if train { self.groups.of(&self.reach.parameters[p]) } else { Vec::new() };
                let start = gradient;
                gradient += self.values[p].len() * of.len();
                (start..gradient, of)
            })
            .collect();

        // Backward order: losses first, then nodes from last to first. Whoever comes first to a copy overwrites it.
        let mut node_written: Vec<Vec<bool>> = groups.iter().map(|g| vec![false; g.len()]).collect();
        let mut parameter_written: Vec<Vec<bool>> = gradients.iter().map(|(_, g)| vec![false; g.len()]).collect();
        let losses = self.graph.losses().iter().enumerate().map(|(l, loss)| {
            let p = loss.prediction.0;
            let copy = self.groups.of(&[LossId(l)]).first().and_then(|g| groups[p].iter().position(|o| o == g));
            let flow = copy
                .filter(|_| train && needs[p])
                .map(|to| Flow { into: cotangents[p], runs: connect(&[to], &[to], &mut node_written[p]) });
            LossKernel::new(loss.kind, values[p], flow)
        });
        let losses = losses.collect();
        let mut kernels: Vec<Box<dyn Kernel>> = Vec::with_capacity(count);
        for (i, node) in self.graph.nodes().iter().enumerate().rev() {
            let own = &groups[i];
            let active = train && needs[i] && !own.is_empty();
            let flows = node.inputs.iter().map(|input| {
                (active && needs[input.0]).then(|| Flow {
                    into: cotangents[input.0],
                    runs: connect(own, &groups[input.0], &mut node_written[input.0]),
                })
            });
            let flows = flows.collect();
            let parameters = node.op.parameters().into_iter().map(|p| ParameterWire {
                value: self.values[p.0].clone(),
                gradient: gradients[p.0].0.start,
                runs: if active { connect(own, &gradients[p.0].1, &mut parameter_written[p.0]) } else { Vec::new() },
            });
            let wiring = Wiring {
                inputs: node.inputs.iter().map(|n| values[n.0]).collect(),
                out: values[i],
                saved: saved[i],
                cotangent: cotangents[i],
                copies: if active { own.len() } else { 0 },
                flows,
                parameters: parameters.collect(),
            };
            kernels.push(kernels::build(&node.op, wiring, i));
        }
        kernels.reverse();

        let inputs = self.graph.nodes().iter().enumerate().filter_map(|(i, node)| match node.op {
            Op::Input => Some(InputSlot::Real(values[i])),
            Op::Index => Some(InputSlot::Index(values[i])),
            _ => None,
        });
        let inputs = inputs.collect();
        Plan {
            mode: self.mode,
            kernels,
            losses,
            inputs,
            outputs: self.graph.losses().iter().map(|l| values[l.prediction.0]).collect(),
            gradients,
            groups: self.groups.len(),
            arena: arena.size(),
            indices: indices.size(),
            gradient,
            lane_rows: self.rows,
            lanes,
            graph: self.graph.clone(),
        }
    }

    /// Nodes at or below which there is something to train.
    fn needs_gradient(&self) -> Vec<bool> {
        let mut needs: Vec<bool> = Vec::with_capacity(self.graph.nodes().len());
        for node in self.graph.nodes() {
            let below = node.inputs.iter().any(|i| needs[i.0]);
            needs.push(below || !node.op.parameters().is_empty());
        }
        needs
    }
}

/// Leads each of the groups `own` to its copy among `target`, marking what has been written.
fn connect(own: &[usize], target: &[usize], written: &mut [bool]) -> Vec<Run> {
    let copies = own.iter().enumerate().filter_map(|(from, group)| {
        let to = target.iter().position(|t| t == group)?;
        Some((from, to, std::mem::replace(&mut written[to], true)))
    });
    wiring::runs(copies.collect::<Vec<_>>())
}
