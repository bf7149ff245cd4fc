//! Trees of tasks that share them, round by round.

use rayon::prelude::*;

use super::data::{BLOCK, Data, mean_loss};
use super::gradients::{Gradients, energies, gradients};
use super::stop::Stop;
use crate::grow::{Grower, Residual, Statistics, Structure, Valued, values};
use crate::model::Tree;
use crate::random::{Random, Use};
use crate::{Boosting, GainScale, Task, TreesError};

/// One task of a group.
pub(super) struct Member {
    /// Its number among all tasks.
    pub(super) task: usize,
    /// Its first output among those of the group, and of the model.
    pub(super) first: usize,
    pub(super) global: usize,
    pub(super) width: usize,
    pub(super) stop: Stop,
    pub(super) active: bool,
    /// What there was to gain before the first tree.
    energy: f64,
    pub(super) loss: Option<f64>,
}

/// Tasks that share trees.
pub(super) struct Group {
    pub(super) members: Vec<Member>,
    outputs: usize,
    /// Training rows that count for some task.
    rows: Vec<u32>,
    scores: Vec<f64>,
    validation: Vec<f64>,
    pub(super) trees: Vec<Tree>,
    /// Rounds in a row without a split.
    idle: usize,
    memory: Memory,
}

/// What a round allocates and the next one uses again.
#[derive(Default)]
struct Memory {
    gradients: Gradients,
    records: Vec<i16>,
}

/// Rounds without a split after which a group with sampled rows or features has nothing left to find.
const IDLE: usize = 10;

impl Group {
    /// `scores` are those of all outputs of the model, for training and validation rows.
    pub(super) fn new(
        data: &Data<'_>,
        tasks: &[usize],
        heads: &[crate::Head],
        scores: [&[f64]; 2],
        energies: &[f64],
        patience: Option<usize>,
    ) -> Self {
        let all: usize = heads.iter().map(|head| head.width).sum();
        let columns: Vec<usize> =
            tasks.iter().flat_map(|&task| heads[task].first..heads[task].first + heads[task].width).collect();
        let pick = |scores: &[f64]| {
            scores.chunks_exact(all).flat_map(|row| columns.iter().map(|&column| row[column])).collect::<Vec<f64>>()
        };
        let (train, validation) = (pick(scores[0]), pick(scores[1]));
        let outputs = columns.len();
        let counts = |row: &usize| tasks.iter().any(|&task| data.tasks[task].counts(*row));
        let rows: Vec<u32> =
            (0..).zip(&data.train.rows).filter(|(_, row)| counts(row)).map(|(place, _)| place).collect();
        let mut first = 0;
        let member = |&task: &usize| {
            let width = heads[task].width;
            let loss = mean_loss(&data.tasks[task], &data.validation.rows, &validation, outputs, first);
            let active = data.train.rows.iter().any(|&row| data.tasks[task].counts(row));
            first += width;
            Member {
                task,
                first: first - width,
                global: heads[task].first,
                width,
                stop: Stop::new(loss, patience),
                active,
                energy: energies[task],
                loss,
            }
        };
        let members = tasks.iter().map(member).collect();
        Self {
            members,
            outputs,
            rows,
            scores: train,
            validation,
            trees: Vec::new(),
            idle: 0,
            memory: Memory::default(),
        }
    }

    pub(super) fn active(&self) -> bool {
        self.members.iter().any(|member| member.active)
    }

    /// Training loss of each member.
    pub(super) fn losses(&self, data: &Data<'_>) -> Vec<(usize, f64)> {
        let loss = |member: &Member| {
            mean_loss(&data.tasks[member.task], &data.train.rows, &self.scores, self.outputs, member.first)
        };
        self.members.iter().map(|member| (member.task, loss(member).unwrap_or(0.0))).collect()
    }

    /// One more tree.
    pub(super) fn round(
        &mut self,
        data: &Data<'_>,
        options: &Boosting,
        signs: &[Option<Vec<Vec<i8>>>],
        weights: &[f64],
        round: usize,
    ) -> Result<(), TreesError> {
        let active: Vec<usize> = (0..self.members.len()).filter(|&member| self.members[member].active).collect();
        let all: Vec<(&Task, usize)> =
            active.iter().map(|&member| (&data.tasks[self.members[member].task], self.members[member].first)).collect();
        let Memory { gradients: spare, records } = std::mem::take(&mut self.memory);
        let found = gradients(&all, &data.train.rows, &self.scores, self.outputs, spare);
        let factors = self.factors(&active, &found, options.scale, weights);
        let name = self.members[active[0]].task;
        let rows = match options.rows_per_tree {
            all if all >= 1.0 => self.rows.clone(),
            some => {
                let count = ((some * self.rows.len() as f64).ceil() as usize).max(1);
                let chosen = Random::new(options.seed, Use::Rows, &[round, name]).choose(self.rows.len(), count);
                chosen.into_iter().map(|place| self.rows[place as usize]).collect()
            }
        };
        let features = features(data, options, round, name);
        let local: Vec<Option<Vec<i8>>> = signs
            .iter()
            .map(|signs| {
                signs.as_ref().map(|signs| {
                    active.iter().flat_map(|&member| signs[self.members[member].task].iter().copied()).collect()
                })
            })
            .collect();
        let statistics = match options.sketch {
            Some(sketch) if sketch.width() < found.outputs => {
                let sketched = found.sketch(sketch, &factors, Random::new(options.seed, Use::Sketch, &[round, name]));
                let even = vec![1.0; sketched.outputs];
                Statistics::new(sketched.outputs, [&sketched.gradients, &sketched.hessians], &rows, &even, records)
            }
            Some(_) | None => {
                Statistics::new(found.outputs, [&found.gradients, &found.hessians], &rows, &factors, records)
            }
        };
        let grower = Grower {
            matrix: &data.train.matrix,
            bins: &data.bins,
            growing: &options.growing,
            statistics: &statistics,
            features: &features,
            signs: &local,
            seed: options.seed ^ ((name as u64) << 32),
            tree: round,
        };
        let structure = grower.grow(rows);
        let records = statistics.into_records();
        if structure.nodes.is_empty() {
            self.idle += 1;
            let drawn = options.rows_per_tree < 1.0
                || options.growing.features_per_tree < 1.0
                || options.growing.features_per_split < 1.0;
            if !drawn || self.idle >= IDLE {
                self.members.iter_mut().for_each(|member| member.active = false);
            }
            return Ok(());
        }
        self.idle = 0;
        self.add(data, options, &active, &found, &structure);
        self.memory = Memory { gradients: found, records };
        Ok(())
    }

    /// Factors of the outputs' gains.
    fn factors(&self, active: &[usize], found: &Gradients, scale: GainScale, weights: &[f64]) -> Vec<f64> {
        let now = if scale == GainScale::Current { energies(found) } else { Vec::new() };
        let mut factors = Vec::with_capacity(found.outputs);
        for &index in active {
            let member = &self.members[index];
            let unit = match scale {
                GainScale::Start => member.energy,
                GainScale::Current => now[factors.len()..][..member.width].iter().sum(),
                GainScale::Raw => 1.0,
            };
            let factor = if unit > 0.0 { weights[member.task] / unit } else { 0.0 };
            factors.extend(std::iter::repeat_n(factor, member.width));
        }
        factors
    }

    /// Leaf values for a structure; scores and losses with them.
    fn add(&mut self, data: &Data<'_>, options: &Boosting, active: &[usize], found: &Gradients, structure: &Structure) {
        let members: Vec<&Member> = active.iter().map(|&member| &self.members[member]).collect();
        let residual = |member: &Member, place: u32| {
            let (task, row) = (&data.tasks[member.task], data.train.rows[place as usize]);
            let residual = task.row_labels(row)[0] - self.scores[place as usize * self.outputs + member.first];
            task.counts(row).then(|| (residual, f64::from(task.row_weight(row))))
        };
        let residuals: Vec<_> = members.iter().map(|&member| move |place: u32| residual(member, place)).collect();
        let valued: Vec<Valued<'_>> = members
            .iter()
            .zip(&residuals)
            .flat_map(|(member, residual)| {
                let objective = data.tasks[member.task].objective;
                let one = move || Valued {
                    quantile: objective.leaf_quantile().map(|level| (level, residual as &Residual)),
                    longest: objective.longest_step(),
                };
                (0..member.width).map(move |_| one())
            })
            .collect();
        let values =
            values(structure, &valued, &found.gradients, &found.hessians, options.growing.l2, options.learning_rate);
        drop(valued);
        drop(residuals);
        let places: Vec<usize> = members.iter().flat_map(|member| member.first..member.first + member.width).collect();
        let outputs = members
            .iter()
            .flat_map(|member| member.global..member.global + member.width)
            .map(|output| output as u32)
            .collect();
        let covers = structure.leaves.iter().map(|leaf| (leaf.end - leaf.first) as u32).collect();
        let mut leaves = vec![u32::MAX; data.train.rows.len()];
        for (index, leaf) in structure.leaves.iter().enumerate() {
            structure.rows[leaf.first..leaf.end].iter().for_each(|&row| leaves[row as usize] = index as u32);
        }
        let count = places.len();
        let step = |row: &mut [f64], leaf: usize| {
            places
                .iter()
                .zip(&values[leaf * count..(leaf + 1) * count])
                .for_each(|(&place, &value)| row[place] += f64::from(value));
        };
        let width = self.outputs;
        self.scores.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, scores)| {
            for (place, row) in scores.chunks_exact_mut(width).enumerate() {
                let at = block * BLOCK + place;
                let leaf =
                    if leaves[at] == u32::MAX { structure.leaf(&data.train.matrix, at) } else { leaves[at] as usize };
                step(row, leaf);
            }
        });
        self.validation.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, scores)| {
            for (place, row) in scores.chunks_exact_mut(width).enumerate() {
                step(row, structure.leaf(&data.validation.matrix, block * BLOCK + place));
            }
        });
        self.trees.push(Tree { outputs, nodes: structure.nodes(&data.bins), values, covers });
        let trees = self.trees.len();
        for &index in active {
            let member = &mut self.members[index];
            member.loss =
                mean_loss(&data.tasks[member.task], &data.validation.rows, &self.validation, width, member.first);
            member.active = !member.stop.after(trees, member.loss);
        }
    }

    /// The trees, each with the outputs of those tasks for which it counts.
    pub(super) fn finish(self) -> Vec<Tree> {
        let all = self.trees.len();
        let mut trees = self.trees;
        let members = self.members;
        let mut number = 0;
        trees.retain_mut(|tree| {
            number += 1;
            tree.retain(|output| {
                members.iter().any(|member| {
                    (member.global..member.global + member.width).contains(&(output as usize))
                        && number <= member.stop.trees(all)
                })
            })
        });
        trees
    }
}

/// Features of a tree.
fn features(data: &Data<'_>, options: &Boosting, round: usize, name: usize) -> Vec<usize> {
    let some = options.growing.features_per_tree;
    if some >= 1.0 {
        return data.usable.clone();
    }
    let count = ((some * data.usable.len() as f64).ceil() as usize).max(1);
    let chosen = Random::new(options.seed, Use::Round, &[round, name]).choose(data.usable.len(), count);
    chosen.into_iter().map(|place| data.usable[place as usize]).collect()
}
