//! Networks, by sampling (Strumbelj and Kononenko 2014): a background row becomes the row to explain, input by input in a
//! random order, and an input adds what the prediction changed by when it was its turn. Over every order and background row
//! the average is the Shapley value; over some of them it still adds up to the prediction less the mean prediction of the
//! background rows.
//!
//! In a linear model an input adds the same in every order, so that one is enough, and the values are exact:
//! `w (x - mean of the background rows)` before the link.

use super::Part;
use super::path::{Curve, along};
use crate::Error;
use crate::dataset::Dataset;
use crate::device::Device;
use crate::inputs::{Encoder, Features, Place};
use crate::model::Body;
use crate::structure::Structure;
use crate::tasks::{Link, Task};
use polytask_graph::{Activation, Graph, Op};
use polytask_math::seed::SplitMix64;

/// Orders of the inputs at least.
const ORDERS: usize = 64;
/// Rows between background and explained ones that are predicted at a time, at most.
const TOGETHER: usize = 16_384;

/// What is asked.
pub(super) struct Sampler<'a> {
    pub device: &'a Device,
    pub body: &'a Body,
    pub encoder: &'a Encoder,
    pub tasks: &'a [Task],
    /// The columns whose contributions are wanted.
    pub names: &'a [String],
    pub background: &'a Features,
}

/// Outputs by task, row by row.
type All = Vec<Vec<f64>>;

impl Sampler<'_> {
    /// What each input adds to each task's predictions of some rows.
    pub(super) fn explain(&self, rows: &Features) -> Result<Vec<Part>, Error> {
        let linear = self.body.network().is_some_and(|network| is_linear(&network.graph));
        let links = self.links();
        if !linear {
            let orders = self.orders();
            let known = self.outputs(self.background.clone(), &links)?;
            let values = self.changes(rows, &orders, &known, &links)?;
            return Ok(self.parts(&known, values));
        }
        // Before the link, where it is linear.
        let none = vec![Link::Identity; self.tasks.len()];
        let known = self.outputs(self.background.clone(), &none)?;
        let order = [(0, (0..self.names.len()).collect())];
        let mut values = self.changes(rows, &order, &known, &none)?;
        let own = self.changes(self.background, &order, &known, &none)?;
        for ((values, own), task) in values.iter_mut().zip(&own).zip(self.tasks) {
            let width = self.names.len() * task.outcome().width();
            let means = mean(own, width);
            let rows = values.chunks_exact_mut(width.max(1));
            rows.for_each(|row| row.iter_mut().zip(&means).for_each(|(value, mean)| *value -= mean));
        }
        let mut parts = self.parts(&known, values);
        for (part, link) in parts.iter_mut().zip(links) {
            along(Curve::Link(link), &mut part.base, &mut part.values, self.names.len());
        }
        Ok(parts)
    }

    fn links(&self) -> Vec<Link> {
        self.tasks.iter().map(|task| task.link().unwrap_or(Link::Identity)).collect()
    }

    /// With the mean outputs of the background rows as bases.
    fn parts(&self, known: &All, values: All) -> Vec<Part> {
        let all = self.tasks.iter().zip(known).zip(values);
        all.map(|((task, known), values)| Part { base: mean(known, task.outcome().width()), values }).collect()
    }

    /// Background rows and orders of the inputs. Every background row has as many, and every second order is the one before it
    /// backwards, which lowers the noise. They are the same for every row that is explained.
    fn orders(&self) -> Vec<(usize, Vec<usize>)> {
        let background = self.background.rows;
        let count = ORDERS.div_ceil(background.max(1)) * background;
        let order = |sample: usize| {
            let mut random = SplitMix64::of(0, &[sample as u64 / 2]);
            let mut order: Vec<usize> = (0..self.names.len()).collect();
            for last in (1..order.len()).rev() {
                order.swap(last, (random.unit() * (last + 1) as f64) as usize);
            }
            if sample % 2 == 1 {
                order.reverse();
            }
            (sample % background, order)
        };
        (0..count).map(order).collect()
    }

    /// Predictions behind the links.
    fn outputs(&self, features: Features, links: &[Link]) -> Result<All, Error> {
        let rows: Vec<u32> = (0..features.rows as u32).collect();
        if rows.is_empty() {
            return Ok(vec![Vec::new(); self.tasks.len()]);
        }
        let data = Dataset { features, structure: Structure::default(), labels: Vec::new(), starts: Vec::new() };
        let outputs = self.body.outputs_of(self.device, self.encoder, self.tasks, &data, &rows)?;
        let of = |(output, link): (&polytask_exec::TaskOutput, &Link)| {
            let mut values: Vec<f64> = output.prediction.values().iter().map(|z| f64::from(*z)).collect();
            values.chunks_exact_mut(output.prediction.width().max(1)).for_each(|row| link.decode(row));
            values
        };
        Ok(outputs.tasks.iter().zip(links).map(of).collect())
    }

    /// The mean change of each task's outputs when it is an input's turn, `rows x inputs x outputs`. `known` are the outputs of
    /// the background rows.
    fn changes(
        &self,
        rows: &Features,
        orders: &[(usize, Vec<usize>)],
        known: &All,
        links: &[Link],
    ) -> Result<All, Error> {
        let inputs = self.names.len();
        let width = |task: usize| self.tasks[task].outcome().width();
        let mut all: All = (0..self.tasks.len()).map(|task| vec![0.0; rows.rows * inputs * width(task)]).collect();
        let places = self.places();
        let most = (TOGETHER / (orders.len() * inputs).max(1)).max(1);
        let share = 1.0 / orders.len() as f64;
        for first in (0..rows.rows).step_by(most) {
            let block: Vec<usize> = (first..rows.rows.min(first + most)).collect();
            let mut mixed = Features { rows: 0, ..rows.take(&[]) };
            // For every row, order and turn: whether anything changed, which a row of `mixed` then is of.
            let mut turns: Vec<bool> = Vec::with_capacity(block.len() * orders.len() * inputs);
            for &row in &block {
                for (from, order) in orders {
                    let mut own = self.background.take(&[*from]);
                    for &input in order {
                        let changed =
                            places[input].iter().fold(false, |any, place| take(&mut own, rows, row, place) | any);
                        turns.push(changed);
                        if changed {
                            mixed.numbers.extend_from_slice(&own.numbers);
                            mixed.indices.extend_from_slice(&own.indices);
                            mixed.rows += 1;
                        }
                    }
                }
            }
            let outputs = self.outputs(mixed, links)?;
            for (task, (values, outputs)) in all.iter_mut().zip(&outputs).enumerate() {
                let width = width(task);
                let (mut turns, mut outputs) = (turns.iter(), outputs.chunks_exact(width.max(1)));
                for &row in &block {
                    for (from, order) in orders {
                        let mut before = &known[task][from * width..][..width];
                        for &input in order {
                            let changed = turns.next().is_some_and(|changed| *changed);
                            let Some(after) = changed.then(|| outputs.next()).flatten() else { continue };
                            let into = values[(row * inputs + input) * width..][..width].iter_mut();
                            into.zip(after.iter().zip(before))
                                .for_each(|(value, (after, before))| *value += share * (after - before));
                            before = after;
                        }
                    }
                }
            }
        }
        Ok(all)
    }

    /// Where the features of each wanted column stand.
    fn places(&self) -> Vec<Vec<Place>> {
        let all: Vec<Place> = self.encoder.places();
        let of = |name: &String| {
            let own = self.encoder.inputs.iter().zip(&all).filter(|(input, _)| input.column == *name);
            own.map(|(_, place)| place.clone()).collect()
        };
        self.names.iter().map(of).collect()
    }
}

/// Gives the only row of `own` what a row has at a place; whether that changed it.
fn take(own: &mut Features, rows: &Features, row: usize, place: &Place) -> bool {
    let (ours, theirs) =
        (&mut own.numbers[place.numbers.clone()], &rows.numbers[row * rows.number_width..][place.numbers.clone()]);
    let numbers = ours != theirs;
    ours.copy_from_slice(theirs);
    let (ours, theirs) =
        (&mut own.indices[place.indices.clone()], &rows.indices[row * rows.index_width..][place.indices.clone()]);
    let indices = ours != theirs;
    ours.copy_from_slice(theirs);
    numbers || indices
}

/// The mean of rows of this width.
fn mean(values: &[f64], width: usize) -> Vec<f64> {
    let mut sums = vec![0.0; width];
    let mut rows = 0.0;
    for row in values.chunks_exact(width.max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
        rows += 1.0;
    }
    sums.iter().map(|sum| sum / f64::max(rows, 1.0)).collect()
}

/// Whether outputs are sums of what each input gives.
fn is_linear(graph: &Graph) -> bool {
    graph.nodes().iter().all(|node| {
        let linear = |op: &Op| matches!(op, Op::Dense(dense) if dense.activation == Activation::Linear);
        linear(&node.op) || matches!(node.op, Op::Input | Op::Index | Op::OneHot(_) | Op::Concat)
    })
}
