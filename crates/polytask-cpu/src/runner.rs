//! Runs a plan: lanes in parallel, their gradients summed along a tree, one optimiser step.

use crate::jacobian;
use crate::kernels::{AuxiliaryKernel, transpose_block};
use crate::lane::{Lane, Weights};
use crate::penalty::Penalties;
use crate::piece::{self, Piece};
use crate::plan::{InputSlot, Plan, refresh};
use crate::reduce::Ranks;
use crate::rows::Met;
use crate::update::{Source, State, Work};
use crate::wiring::{Scales, Slot};
use polytask_exec::{
    Batch, Collective, Combine, Jacobian, Labels, Local, Mode, Numbers, Optimizer, Outputs, Parameters, StepLosses,
    TaskOutput, Update, Values, tree,
};
use polytask_graph::{DomainId, LossId, ParameterId};
use rayon::prelude::*;
use std::sync::Arc;

/// A planned graph with its parameters, ready to run.
pub struct Runner {
    plan: Plan,
    lanes: Vec<Lane>,
    parameters: Parameters,
    copies: Copies,
    pieces: Vec<Piece>,
    /// Of the batch: the lanes that this rank runs, `(first row, rows)` each.
    parts: Vec<(usize, usize)>,
    /// Of the batch: its rows, on all ranks.
    rows: usize,
    ranks: Ranks,
    /// Whether the first lane's gradient is that of all lanes and ranks.
    reduced: bool,
    /// Of the batch, by table: the rows that it has looked up.
    met: Vec<Met>,
    /// Of the batch, by task: the sum of its rows' weights, and what a row's weight is multiplied with.
    totals: Vec<f64>,
    /// Of the batch: the tasks' losses and auxiliary losses, summed over all lanes.
    sums: Vec<f64>,
    scales: Scales,
    penalties: Penalties,
}

/// What is copied from the parameters for kernels to read at full speed, and what else they are told.
struct Copies {
    /// Training only.
    transposed: Vec<f32>,
    wide: Vec<f32>,
    /// Training only.
    wide_transposed: Vec<f32>,
    temperature: f32,
}

impl Copies {
    fn new(plan: &Plan, parameters: usize) -> Self {
        let wide = plan.wides.last().map_or(0, |wide| wide.range.end);
        let train = |len: usize| if plan.mode == Mode::Train { vec![0.0; len] } else { Vec::new() };
        Copies { transposed: train(parameters), wide: vec![0.0; wide], wide_transposed: train(wide), temperature: 1.0 }
    }

    fn read<'a>(&'a self, values: &'a [f32]) -> Weights<'a> {
        let Copies { transposed, wide, wide_transposed, temperature } = self;
        Weights { values, transposed, wide: [wide, wide_transposed], temperature: *temperature }
    }

    fn refresh_wide(&mut self, plan: &Plan, values: &[f32]) {
        refresh(&plan.wides, &plan.wide_blocks, values, &mut self.wide, &mut self.wide_transposed);
    }
}

impl Runner {
    /// Takes a plan and the parameters it starts from.
    pub fn new(plan: Plan, parameters: Parameters) -> Self {
        Runner::among(plan, parameters, Arc::new(Local))
    }

    /// The same as one of several ranks, which all run the same batches with the same plan: each its block of lanes.
    pub fn among(plan: Plan, parameters: Parameters, collective: Arc<dyn Collective>) -> Self {
        // No rank has more than the first.
        let own = tree::block(plan.lanes, 0, collective.size()).len().max(1);
        let lanes = (0..own).map(|_| Lane::new(&plan)).collect();
        let copies = Copies::new(&plan, parameters.values().len());
        let pieces = piece::pieces(&plan, &parameters);
        let totals = vec![0.0; plan.losses.len()];
        let scales = Scales { losses: totals.clone(), auxiliary: totals.clone(), counts: vec![0; plan.arena.len()] };
        let penalties = Penalties::new(&plan.graph, |p| parameters.range(p));
        let (sums, met) =
            (vec![0.0; totals.len() + plan.auxiliary.len()], plan.tables.iter().map(|_| Met::default()).collect());
        let mut runner = Runner {
            plan,
            lanes,
            parameters,
            copies,
            pieces,
            parts: Vec::new(),
            rows: 0,
            ranks: Ranks::new(collective),
            reduced: false,
            met,
            totals,
            sums,
            scales,
            penalties,
        };
        runner.refresh();
        runner
    }

    /// The plan.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// The parameters as they are now.
    pub fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    /// Replaces the parameters.
    pub fn set_parameters(&mut self, parameters: &Parameters) {
        self.parameters.clone_from(parameters);
        self.refresh();
    }

    /// Changes the parameters in place, flat in their order.
    pub fn change_parameters(&mut self, change: impl FnOnce(&mut [f32])) {
        change(self.parameters.values_mut());
        self.refresh();
    }

    /// The temperature at which ops that draw one of several inputs ([`Weighing::Sampled`](polytask_graph::Weighing)) are
    /// differentiated, above 0: the lower, the closer to the choice itself. Default 1.
    pub fn set_temperature(&mut self, temperature: f32) {
        self.copies.temperature = temperature;
    }

    /// Forward and backward in one go: gradients of `sum over tasks of weights[t] * loss_t`, per group. `noise` names
    /// the step's random draws (dropout). Weights of absent tasks do not matter.
    ///
    /// # Panics
    /// If the feed does not have the inputs and targets that the graph asks for; see [`Batch`].
    pub fn forward_backward(&mut self, feed: &Batch<'_>, weights: &[f64], noise: u64) -> StepLosses {
        self.begin(feed);
        self.set_scales(weights);
        let Runner { plan, lanes, parameters, copies, parts, scales, .. } = self;
        let read = copies.read(parameters.values());
        each_lane(lanes, parts, |lane, part| {
            lane.forward(plan, read, feed, part, Some(noise));
            lane.backward(plan, read, feed, Some(noise), scales);
        });
        self.sum_losses();
        self.sum_gradients(false);
        self.losses()
    }

    /// The forward pass of a training step alone, for methods that need the losses before they can weigh them.
    pub fn forward(&mut self, feed: &Batch<'_>, noise: u64) -> StepLosses {
        self.begin(feed);
        let Runner { plan, lanes, parameters, copies, parts, .. } = self;
        let read = copies.read(parameters.values());
        each_lane(lanes, parts, |lane, part| lane.forward(plan, read, feed, part, Some(noise)));
        self.sum_losses();
        self.losses()
    }

    /// The backward pass that follows [`forward`](Self::forward) with the same feed and noise.
    pub fn backward(&mut self, feed: &Batch<'_>, weights: &[f64], noise: u64) {
        self.set_scales(weights);
        let Runner { plan, lanes, parameters, copies, parts, scales, .. } = self;
        let read = copies.read(parameters.values());
        each_lane(lanes, parts, |lane, _| lane.backward(plan, read, feed, Some(noise), scales));
        self.sum_gradients(false);
    }

    /// Inner products of the groups' gradients over the shared representation, `groups x groups`, row-major. Follows a
    /// backward pass over `rows` rows with [`Groups::representation`](crate::Groups::representation).
    pub fn representation_gramian(&self, rows: usize) -> Vec<f64> {
        debug_assert_eq!(rows, self.rows, "asked about another batch");
        let one = |lane: &Lane| {
            let mut gramian = vec![0.0; self.plan.groups * self.plan.groups];
            lane.add_gramian(&self.plan, &mut gramian);
            gramian
        };
        let lanes: Vec<Vec<f64>> = self.lanes[..self.parts.len()].iter().map(one).collect();
        let sum = |i: usize| tree::total(0..lanes.len(), &|lane| lanes[lane][i]);
        let mut gramian: Vec<f64> = (0..self.plan.groups * self.plan.groups).map(sum).collect();
        self.ranks.collective.sum_f64(&mut gramian, self.ranks.holders);
        gramian
    }

    /// The rest of such a backward pass: the groups' cotangents at the shared representation, summed with these weights,
    /// flow on through the shared part.
    pub fn backward_shared(&mut self, groups: &[f64], noise: u64) {
        let Runner { plan, lanes, parameters, copies, parts, .. } = self;
        let read = copies.read(parameters.values());
        each_lane(lanes, parts, |lane, _| lane.backward_shared(plan, read, Some(noise), groups));
        self.sum_gradients(true);
    }

    /// Finds the rows of tables that the batch has looked up. Several ranks join their gradients, once these are complete.
    fn sum_gradients(&mut self, complete: bool) {
        let Runner { plan, lanes, pieces, parts, met, ranks, reduced, .. } = self;
        for (table, met) in met.iter_mut().enumerate() {
            met.gather(lanes[..parts.len()].iter().map(|lane| lane.table(table)));
        }
        *reduced &= complete;
        if ranks.several() && !*reduced && (complete || plan.shared_from == plan.backward.len()) {
            let ends = pieces.iter().filter(|piece| piece.table.is_none()).map(|piece| piece.place().end);
            ranks.dense(lanes, parts.len(), 0..ends.max().unwrap_or(0));
            met.iter_mut().enumerate().for_each(|(table, met)| ranks.table(lanes, parts.len(), table, met));
            *reduced = true;
        }
    }

    /// Sums the lanes' losses and auxiliary losses.
    fn sum_losses(&mut self) {
        let Runner { lanes, parts, sums, totals, ranks, .. } = self;
        let (losses, auxiliary) = sums.split_at_mut(totals.len());
        for (task, sum) in losses.iter_mut().enumerate() {
            *sum = tree::total(0..parts.len(), &|lane| lanes[lane].losses()[task]);
        }
        for (i, sum) in auxiliary.iter_mut().enumerate() {
            *sum = tree::total(0..parts.len(), &|lane| lanes[lane].auxiliary()[i]);
        }
        ranks.collective.sum_f64(sums, ranks.holders);
    }

    /// What every loss reads for the rows of a feed, end to end, one vector a loss: see [`TaskOutput::flat`].
    pub fn predict(&mut self, feed: &Batch<'_>) -> Vec<Vec<f32>> {
        self.outputs(feed).tasks.into_iter().map(TaskOutput::flat).collect()
    }

    /// What every loss reads for the rows of a feed: its prediction, the logits of the labels of arcs, the transitions of a
    /// CRF. Random ops are off.
    pub fn outputs(&mut self, feed: &Batch<'_>) -> Outputs {
        self.check(feed);
        let slots = self.plan.outputs.clone();
        let graph = &self.plan.graph;
        let room = |slot: &Slot| match slot.domain {
            0 => Values::of_rows(slot.width, feed.rows.len()),
            domain => {
                let count = |&row: &u32| feed.elements(graph, DomainId(domain), row).len();
                Values::of_elements(slot.width, feed.rows.iter().map(count))
            }
        };
        let mut outputs: Vec<Vec<Values>> = slots.iter().map(|of| of.iter().map(room).collect()).collect();
        self.sweep(&Batch { targets: &[], ..*feed }, |lane| {
            let all = outputs.iter_mut().flatten().zip(slots.iter().flatten());
            all.for_each(|(all, slot)| all.extend(lane.output(*slot)));
        });
        let parameters = self.plan.graph.losses().iter().map(|loss| loss.parameter());
        let typed = |(of, parameter): (Vec<Values>, Option<ParameterId>)| {
            let mut of = of.into_iter();
            TaskOutput {
                prediction: of.next().unwrap_or_default(),
                arc_labels: of.next(),
                transitions: parameter.map(|p| self.parameters.of(p).to_vec()),
            }
        };
        Outputs { tasks: outputs.into_iter().zip(parameters).map(typed).collect() }
    }

    /// The tasks' losses over the rows of a feed, however many they are. Random ops are off.
    pub fn evaluate(&mut self, feed: &Batch<'_>) -> StepLosses {
        let mut sums = vec![0.0; self.plan.losses.len()];
        self.sweep(feed, |lane| sums.iter_mut().zip(lane.losses()).for_each(|(sum, loss)| *sum += loss));
        let graph = &self.plan.graph;
        let mean = |(task, sum): (usize, f64)| {
            let total = feed.weight(graph, LossId(task));
            (total > 0.0).then(|| sum / total)
        };
        sums.into_iter().enumerate().map(mean).collect()
    }

    /// Runs all rows forward, as many at a time as the lanes hold, and shows every lane to `each` in row order.
    fn sweep(&mut self, feed: &Batch<'_>, mut each: impl FnMut(&Lane)) {
        self.check(feed);
        let Runner { plan, lanes, parameters, copies, parts, .. } = self;
        let read = copies.read(parameters.values());
        let whole = if plan.graph.domains().is_empty() { plan.lane_rows * plan.lanes } else { plan.batch };
        for rows in feed.rows.chunks(whole) {
            let batch = Batch { rows, ..*feed };
            plan.cut(&batch, parts);
            // One of several ranks has fewer lanes than the plan.
            for parts in parts.chunks(lanes.len()) {
                each_lane(lanes, parts, |lane, part| lane.forward(plan, read, &batch, part, None));
                lanes[..parts.len()].iter().for_each(&mut each);
            }
        }
    }

    /// Forward and backward with [`Groups::layerwise`](crate::Groups::layerwise): the losses, and the Gramian that
    /// [`gramian`](Self::gramian) would give, gathered a layer at a time. No gradient is left to update with.
    pub fn layerwise_gramian(&mut self, feed: &Batch<'_>, noise: u64) -> (StepLosses, Vec<f64>) {
        self.begin(feed);
        self.set_scales(&vec![1.0; self.totals.len()]);
        let Runner { plan, lanes, parameters, copies, pieces, parts, met, ranks, scales, .. } = self;
        let read = copies.read(parameters.values());
        each_lane(lanes, parts, |lane, part| {
            lane.forward(plan, read, feed, part, Some(noise));
            lane.backward_losses(plan, read, feed, scales);
        });
        let mut gramian = vec![0.0; plan.groups * plan.groups];
        for &node in &plan.backward {
            each_lane(lanes, parts, |lane, _| lane.backward_node(plan, read, Some(noise), node));
            let own: Vec<&Piece> = pieces.iter().filter(|piece| piece.first_reader == Some(node)).collect();
            for piece in own.iter().filter(|piece| !piece.continues()) {
                match &piece.table {
                    Some(table) => {
                        let met = &mut met[table.table];
                        met.gather(lanes[..parts.len()].iter().map(|lane| lane.table(table.table)));
                        if ranks.several() {
                            ranks.table(lanes, parts.len(), table.table, met);
                        }
                    }
                    None if ranks.several() => ranks.dense(lanes, parts.len(), piece.place()),
                    None => {}
                }
            }
            let used = if ranks.several() { 1 } else { parts.len() };
            let layer = jacobian::gramian(&own, &lanes[..used], met, plan.groups);
            gramian.iter_mut().zip(layer).for_each(|(sum, g)| *sum += g);
        }
        self.sum_losses();
        (self.losses(), gramian)
    }

    /// The gradients of each group over one parameter, summed over lanes: `(group, gradient)` for the groups that
    /// reach it. Follows a backward pass over `rows` rows.
    pub fn gradients(&self, parameter: ParameterId, rows: usize) -> Vec<(usize, Vec<f32>)> {
        let range = self.parameters.range(parameter);
        let lanes = self.used(rows);
        let pieces = || self.pieces.iter().filter(|p| range.contains(&p.range.start));
        let groups = pieces().next().filter(|p| !p.statistic).map_or(&[][..], |piece| &piece.groups);
        let one = |(copy, &group): (usize, &usize)| {
            let mut gradient = vec![0.0; range.len()];
            for piece in pieces() {
                let at = piece.range.start - range.start..piece.range.end - range.start;
                piece.copy(lanes, copy, &piece.range, &mut gradient[at]);
            }
            (group, gradient)
        };
        groups.iter().enumerate().map(one).collect()
    }

    /// The gradient over all parameters, flat in their order, combined as told: what [`update`](Self::update) would begin
    /// with, without the L2 term and the penalties. Follows a backward pass over `rows` rows.
    pub fn gradient(&self, rows: usize, combine: Combine<'_>, mut into: &mut [f32]) {
        let lanes = self.used(rows);
        let mut places = Vec::with_capacity(self.pieces.len());
        for piece in &self.pieces {
            let (own, rest) = into.split_at_mut(piece.range.len());
            places.push((piece, own));
            into = rest;
        }
        places.into_par_iter().for_each(|(piece, own)| {
            for part in piece.parts() {
                let at = part.start - piece.range.start..part.end - piece.range.start;
                piece.gradient(lanes, combine, &part, &mut own[at]);
            }
        });
    }

    /// Inner products of the groups' gradients over the shared parameters, `groups x groups`, row-major. Follows a
    /// backward pass over `rows` rows.
    pub fn gramian(&self, rows: usize) -> Vec<f64> {
        jacobian::gramian(&self.pieces.iter().collect::<Vec<_>>(), self.used(rows), &self.met, self.plan.groups)
    }

    /// The groups' gradients over the shared parameters themselves. Follows a backward pass over `rows` rows.
    pub fn jacobian(&self, rows: usize, into: &mut Jacobian) {
        jacobian::jacobian(&self.pieces, self.used(rows), self.plan.groups, into);
    }

    /// One optimiser step on the gradients of the last backward pass, which was over `rows` rows, combined as told.
    /// Of a table that is looked up, only the rows that the batch has looked up move, and count to the L2 term and the
    /// norm: the others keep their value and their moments, whatever the rule (as in PyTorch's `SparseAdam`). Gives
    /// `0.5 * ||w||^2` over the parameters that the L2 term counts, before the step (0 without L2).
    pub fn update(&mut self, optimizer: &mut Optimizer, update: Update, rows: usize, combine: Combine<'_>) -> f64 {
        self.penalties.refresh(self.parameters.values());
        let lanes = used(&self.lanes, &self.parts, &self.ranks);
        debug_assert_eq!(rows, self.rows, "asked about another batch");
        let source = Source { lanes, rows, combine, update, penalties: &self.penalties, met: &self.met };
        let shrink = update.clip.map_or(1.0, |clip| {
            let norm = source.norm(&self.pieces, self.parameters.values());
            if norm > clip { (clip / norm) as f32 } else { 1.0 }
        });
        let (stepper, [m, v]) = optimizer.begin(update.rate);
        let work = Work { source, shrink, stepper };
        let state = State { values: self.parameters.values_mut(), transposed: &mut self.copies.transposed, m, v };
        let squares = work.run(&self.pieces, 0, state);
        self.copies.refresh_wide(&self.plan, self.parameters.values());
        squares
    }

    /// The lanes whose sum is the gradient of the last batch, which had this many rows.
    fn used(&self, rows: usize) -> &[Lane] {
        debug_assert_eq!(rows, self.rows, "asked about another batch");
        used(&self.lanes, &self.parts, &self.ranks)
    }

    /// Rows of the last batch, on all ranks.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn check(&self, feed: &Batch<'_>) {
        let inputs = self.plan.inputs.iter().zip(feed.inputs).all(|pair| {
            matches!(pair, (InputSlot::Index(_), Numbers::Index(_)))
                || matches!(pair, (InputSlot::Real(_), Numbers::Real(_) | Numbers::Bytes(_) | Numbers::Made(_)))
        });
        assert!(inputs && self.plan.inputs.len() == feed.inputs.len(), "the feed's inputs are those of the graph");
        let losses = self.plan.graph.losses();
        let targets = losses
            .iter()
            .zip(feed.targets)
            .all(|(loss, target)| loss.kind.is_of_classes() == matches!(target.labels, Labels::Class(_)));
        let complete = feed.targets.is_empty() || feed.targets.len() == losses.len();
        assert!(targets && complete, "the feed's targets are those of the graph");
        assert_eq!(feed.offsets.len(), self.plan.graph.domains().len(), "the feed's domains are those of the graph");
    }

    /// Checks a batch and sums its rows' weights.
    fn begin(&mut self, feed: &Batch<'_>) {
        self.check(feed);
        let Runner { plan, totals, scales, parts, rows, ranks, reduced, .. } = self;
        assert!(feed.rows.len() <= plan.batch, "a batch is at most as long as was planned for");
        plan.cut(feed, parts);
        ranks.choose(parts);
        (*rows, *reduced) = (feed.rows.len(), false);
        let weight = |(task, total): (usize, &mut f64)| *total = feed.weight(&plan.graph, LossId(task));
        totals.iter_mut().enumerate().for_each(weight);
        let count = |d: usize| feed.rows.iter().map(|&row| feed.elements(&plan.graph, DomainId(d), row).len()).sum();
        scales.counts[0] = feed.rows.len();
        (1..scales.counts.len()).for_each(|d| scales.counts[d] = count(d));
    }

    /// A task's weights sum to W over the batch; its loss is `1 / W` times the lanes' sums.
    fn set_scales(&mut self, weights: &[f64]) {
        for (task, (&total, weight)) in self.totals.iter().zip(weights).enumerate() {
            let present = total > 0.0;
            self.scales.losses[task] = if present { weight / total } else { 0.0 };
            self.scales.auxiliary[task] = if present { *weight } else { 0.0 };
        }
    }

    /// What the auxiliary losses of the last forward pass, over `rows` rows, came to for the tasks that were present, times the
    /// tasks' weights.
    pub fn auxiliary_loss(&self, weights: &[f64], rows: usize) -> f64 {
        debug_assert_eq!(rows, self.rows, "asked about another batch");
        let term = |(i, term): (usize, &AuxiliaryKernel)| {
            let count = self.scales.counts[term.values.domain].max(1) as f64;
            let share = self.sums[self.totals.len() + i] / count;
            let present = term.losses.iter().filter(|(task, _)| self.totals[*task] > 0.0);
            present.map(|(task, _)| weights[*task] * share).sum::<f64>()
        };
        self.plan.auxiliary.iter().enumerate().map(term).sum()
    }

    /// What the graph's penalties came to when [`update`](Self::update) began.
    pub fn penalty(&self) -> f64 {
        self.penalties.value()
    }

    fn losses(&self) -> StepLosses {
        self.totals.iter().zip(&self.sums).map(|(&total, sum)| (total > 0.0).then(|| sum / total)).collect()
    }

    /// Brings the copies up to date.
    fn refresh(&mut self) {
        let Runner { plan, parameters, copies, pieces, .. } = self;
        copies.refresh_wide(plan, parameters.values());
        if copies.transposed.is_empty() {
            return;
        }
        for piece in pieces {
            if let Some(n) = piece.columns {
                let range = piece.range.clone();
                transpose_block(&parameters.values()[range.clone()], n, &mut copies.transposed[range]);
            }
        }
    }
}

/// The lanes whose sum is a gradient: all that the batch has filled, or the first one where ranks have joined theirs.
fn used<'a>(lanes: &'a [Lane], parts: &[(usize, usize)], ranks: &Ranks) -> &'a [Lane] {
    if ranks.several() { &lanes[..1] } else { &lanes[..parts.len()] }
}

/// Runs the lanes of a batch's parts.
fn each_lane(lanes: &mut [Lane], parts: &[(usize, usize)], run: impl Fn(&mut Lane, (usize, usize)) + Sync) {
    match (&mut lanes[..parts.len()], parts) {
        ([only], [part]) => run(only, *part),
        (lanes, parts) => lanes.par_iter_mut().zip(parts).with_max_len(1).for_each(|(lane, part)| run(lane, *part)),
    }
}
