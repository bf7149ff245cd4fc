//! Planning: done once, before the first step.

mod arena;
mod fusion;
mod layout;

use crate::kernels::{self, AuxiliaryKernel, Kernel, LossKernel};
use crate::wiring::{Boundary, Flow, ParameterWire, Run, Site, Slot, WideWeight, Wiring, runs};
use arena::Room;
use fusion::Bundles;
pub(crate) use fusion::{WideBlock, refresh};
use layout::Layout;
use polytask_exec::{Batch, DEFAULT_LANES, Groups, MAX_LANES, MERGED, Mode, Spec};
use polytask_graph::{DomainId, Graph, LossId, NodeId, Op, ParameterId, Reach, Role, Shape, ops};
use std::ops::Range;

/// An input node and its place.
#[derive(Clone, Copy, Debug)]
pub(crate) enum InputSlot {
    Real(Slot),
    Index(Slot),
}

/// Where a parameter's gradient stands in a lane's.
#[derive(Clone, Debug, Default)]
pub(crate) struct GradientPlace {
    /// The first scalar; copies stand end to end.
    pub start: usize,
    /// The groups it has a copy for.
    pub groups: Vec<usize>,
    /// Its place among [`Plan::tables`]; then it has none in the lane's gradient.
    pub table: Option<usize>,
}

/// A parameter that is looked up alone: of its gradient a lane keeps the rows that it has looked up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Table {
    pub rows: usize,
    pub width: usize,
    pub copies: usize,
}

/// The order of work for one graph, with every buffer in its place.
pub struct Plan {
    pub(crate) graph: Graph,
    pub(crate) mode: Mode,
    /// By node; forward runs them in this order.
    pub(crate) kernels: Vec<Box<dyn Kernel>>,
    /// Nodes in the order of the backward pass.
    pub(crate) backward: Vec<usize>,
    /// Where in that order the shared part begins, if it waits for weights; the end otherwise.
    pub(crate) shared_from: usize,
    pub(crate) boundaries: Vec<Boundary>,
    pub(crate) losses: Vec<Box<dyn LossKernel>>,
    /// Training only.
    pub(crate) auxiliary: Vec<AuxiliaryKernel>,
    pub(crate) inputs: Vec<InputSlot>,
    /// By loss, the nodes that it reads.
    pub(crate) outputs: Vec<Vec<Slot>>,
    /// Of dense layers that run as one.
    pub(crate) wides: Vec<WideWeight>,
    pub(crate) wide_blocks: Vec<WideBlock>,
    /// By parameter: whether a layer reads it that runs alone.
    pub(crate) read_alone: Vec<bool>,
    /// Per parameter.
    pub(crate) gradients: Vec<GradientPlace>,
    pub(crate) tables: Vec<Table>,
    pub(crate) groups: usize,
    /// By domain: scalars that the values on it need, in all for the rows and for each element of the others.
    pub(crate) arena: Vec<usize>,
    /// The same for category indices.
    pub(crate) indices: Vec<usize>,
    pub(crate) gradient: usize,
    /// Rows of a full batch.
    pub(crate) batch: usize,
    /// Rows of a lane at most.
    pub(crate) lane_rows: usize,
    pub(crate) lanes: usize,
    /// By domain: floating-point operations of a training step for each element.
    costs: Vec<usize>,
}

/// Work below which a lane is not worth a thread: a hand-over costs some tens of microseconds.
const MIN_LANE_FLOPS: usize = 4_000_000;
/// Rows below which matrix products lose too much of their speed.
const MIN_LANE_ROWS: usize = 128;
/// Ragged rows below which a lane has too few sequences to step through side by side: a product of a few rows leaves
/// vector registers empty, and reads all of a recurrent weight for them.
const MIN_LANE_SEQUENCES: usize = 16;
impl Plan {
    /// Plans for batches of at most `batch` rows.
    ///
    /// # Panics
    /// If an op or a loss that a caller brought is not bound: [`Graph::ready`], which [`Graph::validate`] asks too, says
    /// which.
    pub fn new(graph: &Graph, batch: usize, mode: Mode, groups: &Groups) -> Self {
        Plan::with(graph, batch, mode, groups, DEFAULT_LANES, true)
    }

    /// Plans what a session is for.
    pub(crate) fn of(graph: &Graph, spec: &Spec) -> Self {
        Plan::with(graph, spec.rows, spec.mode, &spec.groups, spec.lanes.clamp(1, MAX_LANES), true)
    }

    /// The same with every layer on its own: dense layers that read one node do not run as one wide product. For
    /// measurements of what that brings.
    pub fn unfused(graph: &Graph, batch: usize, mode: Mode, groups: &Groups) -> Self {
        Plan::with(graph, batch, mode, groups, DEFAULT_LANES, false)
    }

    /// `most` lanes at most.
    fn with(graph: &Graph, batch: usize, mode: Mode, groups: &Groups, most: usize, fuse: bool) -> Self {
        let ready = graph.ready();
        assert!(ready.is_ok(), "a graph that cannot run was planned: {ready:?}");
        let batch = batch.max(1);
        let (graph, blocked) = layout::layout(graph);
        // How long sequences are is known batch by batch; all of a batch's rows may end up in one lane.
        let (lanes, lane_rows) = match graph.domains().is_empty() {
            true => {
                let lane_rows = match blocked.contains(&true) {
                    true => layout::lane_rows(&graph, batch, most),
                    false => batch.div_ceil(lanes_for(batch, batch.saturating_mul(graph.training_flops()), most)),
                };
                (batch.div_ceil(lane_rows), lane_rows)
            }
            false => (batch.div_ceil(MIN_LANE_SEQUENCES).min(most), batch),
        };
        Planner::new(graph, blocked, lane_rows, mode, groups).plan(lanes, batch, fuse)
    }

    /// Lanes a full batch is cut into, at most if the graph has ragged sequences.
    pub fn lanes(&self) -> usize {
        self.lanes
    }

    /// Bytes of working memory in all lanes together, without what depends on the length of sequences.
    pub fn memory(&self) -> usize {
        4 * self.lanes * (self.arena[0] + self.indices[0] + self.gradient)
    }

    /// Cuts a batch into lanes of consecutive rows, `(first row, rows)` each. It looks at the batch alone, never at the
    /// number of threads.
    pub(crate) fn cut(&self, feed: &Batch<'_>, parts: &mut Vec<(usize, usize)>) {
        parts.clear();
        let rows = feed.rows.len();
        if self.graph.domains().is_empty() {
            let full = self.lane_rows;
            parts.extend((0..rows).step_by(full).map(|first| (first, full.min(rows - first))));
            return;
        }
        let count = |d: usize, row: u32| feed.elements(&self.graph, DomainId(d), row).len();
        let cost = |row: u32| self.costs.iter().enumerate().map(|(d, cost)| cost * count(d, row)).sum::<usize>();
        let ragged = |row: &u32| (1..self.costs.len()).map(|d| count(d, *row)).sum::<usize>();
        let total: usize = feed.rows.iter().map(|&row| cost(row)).sum();
        let elements = feed.rows.iter().map(ragged).sum();
        let lanes = lanes_for(elements, total, rows / MIN_LANE_SEQUENCES).min(self.lanes);
        // A row belongs to the lane in whose share of the cost its middle lies.
        let (mut first, mut before, mut lane) = (0, 0, 0);
        for (i, &row) in feed.rows.iter().enumerate() {
            let cost = cost(row);
            let own = ((2 * before + cost) * lanes / (2 * total).max(1)).min(lanes - 1);
            if own > lane && i > first {
                parts.push((first, i - first));
                first = i;
            }
            (before, lane) = (before + cost, own);
        }
        if rows > first {
            parts.push((first, rows - first));
        }
    }

    /// The graph that was planned.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }
}

/// Lanes that are worth while for so many rows, or elements of ragged sequences, and this work; `most` at most.
fn lanes_for(elements: usize, flops: usize, most: usize) -> usize {
    (elements / MIN_LANE_ROWS).min(flops / MIN_LANE_FLOPS).min(most).max(1)
}

struct Planner<'a> {
    graph: Graph,
    /// By node: whether it lies in blocks.
    blocked: Vec<bool>,
    rows: usize,
    mode: Mode,
    groups: &'a Groups,
    reach: Reach,
    /// Parameter offsets in the flat values.
    values: Vec<Range<usize>>,
}

impl<'a> Planner<'a> {
    fn new(graph: Graph, blocked: Vec<bool>, rows: usize, mode: Mode, groups: &'a Groups) -> Self {
        let mut end = 0;
        let values = graph.parameters().iter().map(|p| {
            end += p.len();
            end - p.len()..end
        });
        let values = values.collect();
        let reach = graph.reach();
        Planner { graph, blocked, rows, mode, groups, reach, values }
    }

    fn plan(self, lanes: usize, batch: usize, fuse: bool) -> Plan {
        let room = || Room::new(self.rows, self.graph.domains().len());
        let (mut arena, mut indices) = (room(), room());
        let count = self.graph.nodes().len();
        let train = self.mode == Mode::Train;
        let groups: Vec<Vec<usize>> = self.reach.nodes.iter().map(|losses| self.groups.copies(losses)).collect();
        let bundles = match fuse {
            true => self.bundles(&groups),
            false => Bundles::none(&self.graph),
        };
        let (order, shared_from) = self.backward_order(&bundles);
        // The schedule: nodes forward at 0.., losses at `count`, nodes backward after that.
        let mut backward = vec![0; count];
        order.iter().enumerate().for_each(|(place, &node)| backward[node] = count + 1 + place);
        (0..count).for_each(|node| backward[node] = backward[bundles.leader(node)]);

        // Lives: a value until its last reader has run, and while training until its own backward has.
        // A cotangent is born when the first of its node's readers runs backward, or with the losses.
        let mut last_use: Vec<usize> = (0..count).collect();
        let mut born = backward.clone();
        for (i, node) in self.graph.nodes().iter().enumerate() {
            for input in &node.inputs {
                last_use[input.0] = i;
                born[input.0] = born[input.0].min(backward[i]);
            }
        }
        for loss in self.graph.losses() {
            for node in loss.nodes() {
                last_use[node.0] = count;
                born[node.0] = count;
            }
        }
        for auxiliary in self.graph.auxiliary_losses() {
            last_use[auxiliary.node.0] = count;
            born[auxiliary.node.0] = count;
        }
        let needs = self.needs_gradient();
        let stacked = self.boundary_groups(&needs, &groups);

        let mut values = Vec::with_capacity(count);
        let mut saved = Vec::with_capacity(count);
        let mut cotangents = Vec::with_capacity(count);
        let mut stacks = Vec::with_capacity(count);
        let mut scratch = Vec::with_capacity(count);
        for (i, node) in self.graph.nodes().iter().enumerate() {
            let (width, at) = (node.shape.width(), Layout { domain: node.domain, blocked: self.blocked[i] });
            let life = bundles.leader(i)..=if train { backward[i] } else { last_use[i] };
            let place = if node.op.fed() == Some(ops::Fed::Indices) { &mut indices } else { &mut arena };
            values.push(place.place(at, life.clone(), width, 1));
            let inputs: Vec<&Shape> = node.inputs.iter().map(|x| &self.graph.node(*x).shape).collect();
            let extra = if train { kernels::saved_width(&node.op, &node.shape, &inputs) } else { 0 };
            saved.push(arena.place(at, life, extra, 1));
            let copies = if train && needs[i] { groups[i].len() } else { 0 };
            let life = born[i]..=backward[i];
            cotangents.push(arena.place(at, life.clone(), width, copies));
            stacks.push(arena.place(at, life, width, stacked[i].len()));
            let ([forward, back], turns) = match bundles.width(&self.graph, i) {
                0 => (kernels::scratch_widths(&node.op, &node.shape, &inputs, train, copies), 1),
                wide => ([wide; 2], copies),
            };
            let back = if train { back } else { 0 };
            let then = backward[i]..=backward[i];
            scratch.push([arena.place(at, i..=i, forward, 1), arena.place(at, then, back, turns)]);
        }

        let (gradients, tables, gradient) = self.gradient_places(&groups);

        // Backward order: losses first, then nodes. Whoever comes first to a copy overwrites it.
        let mut node_written: Vec<Vec<bool>> = groups.iter().map(|g| vec![false; g.len()]).collect();
        let mut stack_written: Vec<Vec<bool>> = stacked.iter().map(|g| vec![false; g.len()]).collect();
        let mut parameter_written: Vec<Vec<bool>> = gradients.iter().map(|g| vec![false; g.groups.len()]).collect();
        // From something with copies for the groups `own` into a node: its cotangent, or its stack if it waits for weights.
        let mut flow = |own: &[usize], into: usize| match own != [MERGED] && groups[into] == [MERGED] {
            true => Flow { into: stacks[into], runs: connect(own, &stacked[into], &mut stack_written[into]) },
            false => Flow { into: cotangents[into], runs: connect(own, &groups[into], &mut node_written[into]) },
        };
        let losses = self.graph.losses().iter().enumerate().map(|(l, loss)| {
            let own = self.groups.of(&[LossId(l)]);
            let read = |node: NodeId| kernels::Read {
                slot: values[node.0],
                flow: (train && needs[node.0]).then(|| flow(&own, node.0)),
            };
            let nodes = loss.nodes().map(read).collect();
            let wire = |p: ParameterId| ParameterWire {
                value: self.values[p.0].clone(),
                gradient: gradients[p.0].start,
                table: None,
                runs: match train {
                    true => connect(&own, &gradients[p.0].groups, &mut parameter_written[p.0]),
                    false => Vec::new(),
                },
            };
            let parameter = loss.parameter().map(wire);
            kernels::build_loss(loss, &self.graph.node(loss.prediction).shape, nodes, parameter)
        });
        let losses = losses.collect();
        let auxiliary = self.graph.auxiliary_losses().iter().filter(|_| train).map(|auxiliary| {
            let n = auxiliary.node.0;
            let mut share = |loss: LossId| (loss.0, needs[n].then(|| flow(&self.groups.of(&[loss]), n)));
            AuxiliaryKernel {
                values: values[n],
                weight: f64::from(auxiliary.weight) / (auxiliary.losses.len() * values[n].width) as f64,
                losses: auxiliary.losses.iter().map(|l| share(*l)).collect(),
            }
        });
        let auxiliary = auxiliary.collect();
        let pooled = layout::pooled(&self.graph);
        let mut wired: Vec<(usize, Box<dyn Kernel>)> = Vec::with_capacity(count);
        let mut wides: Vec<WideWeight> = Vec::new();
        for &i in &order {
            let (node, own) = (&self.graph.nodes()[i], &groups[i]);
            let active = train && needs[i] && !own.is_empty();
            let flows = node.inputs.iter().map(|input| (active && needs[input.0]).then(|| flow(own, input.0)));
            let flows: Vec<Option<Flow>> = flows.collect();
            let mut wiring = |i: usize| {
                let node = &self.graph.nodes()[i];
                let parameters = node.op.parameters().into_iter().map(|p| ParameterWire {
                    value: self.values[p.0].clone(),
                    gradient: gradients[p.0].start,
                    table: gradients[p.0].table,
                    runs: if active {
                        connect(own, &gradients[p.0].groups, &mut parameter_written[p.0])
                    } else {
                        Vec::new()
                    },
                });
                Wiring {
                    inputs: node.inputs.iter().map(|n| values[n.0]).collect(),
                    out: values[i],
                    saved: saved[i],
                    scratch: scratch[i],
                    cotangent: cotangents[i],
                    copies: if active { own.len() } else { 0 },
                    flows: flows.clone(),
                    parameters: parameters.collect(),
                }
            };
            match bundles.members(i) {
                None => {
                    let inputs = node.inputs.iter().map(|x| &self.graph.node(*x).shape).collect();
                    let site = Site {
                        node: i,
                        inputs,
                        shape: &node.shape,
                        blocked: self.blocked[i],
                        pooled: pooled[i],
                        pools: node.inputs.first().is_some_and(|x| pooled[x.0]),
                    };
                    wired.push((i, kernels::build(&node.op, wiring(i), &site)));
                }
                Some(members) => {
                    let layers: Vec<(&Op, Wiring)> =
                        members.iter().map(|&m| (&self.graph.nodes()[m].op, wiring(m))).collect();
                    let start = wides.last().map_or(0, |wide| wide.range.end);
                    let parts = layers.iter().map(|(_, wiring)| wiring.parameters[0].value.clone()).collect();
                    let wide = WideWeight::new(start, self.graph.node(node.inputs[0]).shape.width(), parts);
                    wired.push((i, kernels::build_wide(layers, &wide, gradient)));
                    wired.extend(members[1..].iter().map(|&m| (m, kernels::idle())));
                    wides.push(wide);
                }
            }
        }
        wired.sort_by_key(|(node, _)| *node);
        let kernels = wired.into_iter().map(|(_, kernel)| kernel).collect();
        let boundaries = (0..count).filter(|&i| !stacked[i].is_empty()).map(|node| Boundary {
            node: bundles.leader(node),
            stack: stacks[node],
            groups: stacked[node].clone(),
            into: cotangents[node],
            accumulate: node_written[node][0],
        });
        let boundaries = boundaries.collect();

        let inputs = self.graph.nodes().iter().zip(&values).filter_map(|(node, slot)| {
            Some(match node.op.fed()? {
                ops::Fed::Numbers => InputSlot::Real(*slot),
                ops::Fed::Indices => InputSlot::Index(*slot),
            })
        });
        let inputs = inputs.collect();
        Plan {
            mode: self.mode,
            kernels,
            backward: order,
            shared_from,
            boundaries,
            losses,
            auxiliary,
            // Behind the gradients there is room for one of layers that run as one.
            gradient: gradient + wides.iter().filter(|_| train).map(|wide| wide.range.len()).max().unwrap_or(0),
            wide_blocks: wides.iter().enumerate().flat_map(|(i, wide)| wide.blocks(i)).collect(),
            wides,
            read_alone: self.read_alone(&bundles),
            inputs,
            outputs: self.graph.losses().iter().map(|l| l.nodes().map(|n| values[n.0]).collect()).collect(),
            gradients,
            tables,
            groups: self.groups.len(),
            arena: arena.sizes(),
            indices: indices.sizes(),
            batch,
            lane_rows: self.rows,
            costs: (0..=self.graph.domains().len()).map(|d| 6 * self.graph.multiply_adds_on(DomainId(d))).collect(),
            lanes,
            graph: self.graph,
        }
    }

    /// For every parameter its place in a lane's gradient and the groups it has a copy for; the tables; and the gradient's
    /// length. `groups` are those of the nodes; a parameter that several nodes read has those of all of them.
    fn gradient_places(&self, groups: &[Vec<usize>]) -> (Vec<GradientPlace>, Vec<Table>, usize) {
        let mut places = vec![GradientPlace::default(); self.values.len()];
        let mut readers = vec![0; self.values.len()];
        if self.mode != Mode::Train {
            return (places, Vec::new(), 0);
        }
        for (node, groups) in self.graph.nodes().iter().zip(groups) {
            for p in node.op.parameters().into_iter().filter(|p| self.gathers(*p)) {
                let own = &mut places[p.0].groups;
                own.extend_from_slice(groups);
                own.sort_unstable();
                own.dedup();
                readers[p.0] += 1;
            }
        }
        // What a loss itself reads is gathered before all layers, and kept.
        for (l, loss) in self.graph.losses().iter().enumerate() {
            if let Some(p) = loss.parameter().filter(|p| self.graph.parameter(*p).is_trained()) {
                places[p.0].groups = self.groups.of(&[LossId(l)]);
                readers[p.0] += 2;
            }
        }
        // Statistics belong to no loss. What lanes leave of them is summed as gradients are.
        for (place, parameter) in places.iter_mut().zip(self.graph.parameters()) {
            if parameter.role == Role::Statistic {
                place.groups = vec![MERGED];
            }
        }
        let mut tables = Vec::new();
        for p in self.graph.tables().filter(|p| self.graph.parameter(*p).is_trained()) {
            if let [rows, width] = self.graph.parameter(p).dims[..] {
                places[p.0].table = Some(tables.len());
                tables.push(Table { rows, width, copies: places[p.0].groups.len() });
            }
        }
        // Layer by layer, what one node alone reads may lie where another layer's gradient was. What several read
        // waits for all of them.
        let len = |p: usize| if places[p].table.is_some() { 0 } else { self.values[p].len() * places[p].groups.len() };
        let mut starts = vec![0; places.len()];
        let mut kept = 0;
        for p in (0..starts.len()).filter(|&p| readers[p] > 1 || (readers[p] == 1 && !self.groups.is_layerwise())) {
            starts[p] = kept;
            kept += len(p);
        }
        let mut length = kept;
        for node in self.graph.nodes().iter().filter(|_| self.groups.is_layerwise()) {
            let mut next = kept;
            for p in node.op.parameters().iter().filter(|p| readers[p.0] == 1) {
                starts[p.0] = next;
                next += len(p.0);
            }
            length = length.max(next);
        }
        places.iter_mut().zip(starts).for_each(|(place, start)| place.start = start);
        (places, tables, length)
    }

    /// Whether lanes leave something of a parameter: its gradient, or what a running average sees.
    fn gathers(&self, p: ParameterId) -> bool {
        let parameter = self.graph.parameter(p);
        parameter.is_trained() || parameter.role == Role::Statistic
    }

    /// Nodes in the order of the backward pass, and where in it the nodes begin that wait for weights. These come last:
    /// nothing that they read is read by a single loss's own nodes alone, so their readers have all run.
    fn backward_order(&self, bundles: &Bundles) -> (Vec<usize>, usize) {
        let leaders = (0..self.graph.nodes().len()).rev().filter(|&i| bundles.leader(i) == i);
        let (shared, mut order): (Vec<usize>, Vec<usize>) = leaders.partition(|&i| self.waits(i));
        let shared_from = order.len();
        order.extend(shared);
        (order, shared_from)
    }

    /// Whether a node's backward pass comes after the weights are known.
    fn waits(&self, node: usize) -> bool {
        self.groups.is_to_representation() && self.reach.nodes[node].len() > 1
    }

    /// Dense layers that run as one: their cotangents have the same copies at the same time. Layer by layer, each stands
    /// alone.
    fn bundles(&self, groups: &[Vec<usize>]) -> Bundles {
        match (self.mode, self.groups.is_layerwise()) {
            (Mode::Train, true) => Bundles::none(&self.graph),
            (Mode::Train, false) => Bundles::find(&self.graph, |i| (&groups[i], self.waits(i))),
            (Mode::Predict, _) => Bundles::find(&self.graph, |_| ()),
        }
    }

    fn read_alone(&self, bundles: &Bundles) -> Vec<bool> {
        let mut alone = vec![false; self.values.len()];
        for (i, node) in self.graph.nodes().iter().enumerate() {
            let bundled = bundles.members(bundles.leader(i)).is_some();
            node.op.matrices().iter().filter(|_| !bundled).for_each(|p| alone[p.0] = true);
        }
        alone
    }

    /// For every node that waits for weights, the groups whose own layers or losses read it.
    fn boundary_groups(&self, needs: &[bool], groups: &[Vec<usize>]) -> Vec<Vec<usize>> {
        let mut stacked: Vec<Vec<usize>> = vec![Vec::new(); groups.len()];
        if self.mode != Mode::Train {
            return stacked;
        }
        let mut reads = |own: &[usize], into: usize| {
            if own != [MERGED] && groups[into] == [MERGED] && needs[into] {
                stacked[into].extend_from_slice(own);
            }
        };
        for (l, loss) in self.graph.losses().iter().enumerate() {
            loss.nodes().for_each(|node| reads(&self.groups.of(&[LossId(l)]), node.0));
        }
        for auxiliary in self.graph.auxiliary_losses() {
            auxiliary.losses.iter().for_each(|l| reads(&self.groups.of(&[*l]), auxiliary.node.0));
        }
        for (i, node) in self.graph.nodes().iter().enumerate() {
            node.inputs.iter().for_each(|input| reads(&groups[i], input.0));
        }
        for groups in &mut stacked {
            groups.sort_unstable();
            groups.dedup();
        }
        stacked
    }

    /// Nodes at or below which there is something to train.
    fn needs_gradient(&self) -> Vec<bool> {
        let mut needs: Vec<bool> = Vec::with_capacity(self.graph.nodes().len());
        for node in self.graph.nodes() {
            let below = node.op.passes_gradients() && node.inputs.iter().any(|i| needs[i.0]);
            needs.push(below || node.op.parameters().iter().any(|p| self.graph.parameter(*p).is_trained()));
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
    runs(copies.collect::<Vec<_>>())
}
