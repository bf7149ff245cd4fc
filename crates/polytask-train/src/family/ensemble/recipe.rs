//! What the networks of an ensemble are set to, from the size of the data: the one place that knows. Every line is a key
//! that a config may write as well.
//!
//! Scales, activation, optimiser and schedule follow RealMLP (Holzmüller et al., "Better by default", NeurIPS 2024), members
//! TabM (Gorishniy et al., ICLR 2025), embeddings of numbers Gorishniy et al. (NeurIPS 2022).

use polytask_model::config::{
    Activation, Batch, Config, ModelConfig, NumberEmbedding, NumberScale, NumbersModel, Schedule, TrainConfig,
};

/// Rows below which one network is several: they cost as many times more, and bring most where data are few.
const FEW: usize = 1_000;
/// Rows beyond which layers are wider.
const MANY: usize = 20_000;
/// Floating-point operations of a network's whole training at most, forward and backward, that parts of numbers are chosen
/// by: some seconds on a few threads.
const ROOM: f64 = 1e11;
/// The same for members.
const MEMBERS_ROOM: f64 = 4e10;

/// The size of what there is to learn from.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// Rows to learn from.
    pub rows: usize,
    /// Features of numbers.
    pub numbers: usize,
    /// Networks that are trained side by side: one, or one for each task.
    pub networks: usize,
}

impl Size {
    fn width(self) -> usize {
        if self.rows < MANY { 128 } else { 256 }
    }

    fn epochs(self) -> usize {
        (400_000 / self.rows.max(1)).clamp(20, 100)
    }

    fn batch(self) -> usize {
        if self.rows < MANY { 64 } else { 256 }
    }

    /// What training costs with each number in so many parts, and so many members.
    fn work(self, parts: usize, members: usize) -> f64 {
        let weights = (self.numbers * (1 + parts) + self.width()) * self.width();
        let rows = self.rows * self.epochs() * members * self.networks;
        6.0 * rows as f64 * weights as f64
    }

    /// Parts of each embedded number, at most so many.
    fn parts(self, most: usize) -> usize {
        (2..=most).rev().find(|parts| self.work(*parts, 1) <= ROOM).unwrap_or(2)
    }

    fn members(self, parts: usize) -> usize {
        let fits = |members: &usize| self.rows < FEW && self.work(parts, *members) <= MEMBERS_ROOM;
        [4, 2].into_iter().find(fits).unwrap_or(1)
    }

    /// Whether networks on the data are trained in reasonable time.
    pub(super) fn is_affordable(self) -> bool {
        self.work(2, 1) <= 2.0 * ROOM
    }
}

/// Sets a network's keys of `[model]` and `[train]` but what it shares, its seed and its criterion. A key of `[model]` that
/// a config sets to anything but its default stays.
pub(super) fn set(config: &mut Config, size: Size, embedding: NumberEmbedding) {
    let (plain, model) = (ModelConfig::default(), &mut config.model);
    let parts = size.parts(if size.rows < 2 * FEW && embedding == NumberEmbedding::Bins { 8 } else { 16 });
    if model.activation == plain.activation {
        model.activation = Activation::Silu;
    }
    if model.trunk == plain.trunk {
        model.trunk = vec![size.width(); 2].into();
    }
    if model.members == plain.members && !model.layer_norm {
        model.members = size.members(parts);
    }
    if model.numbers == plain.numbers {
        let (scale, bins, waves) = (NumberScale::Robust, parts, parts);
        model.numbers = NumbersModel { scale, embedding, bins, waves, ..NumbersModel::default() };
    }
    let TrainConfig { seed, criterion, .. } = config.train.clone();
    config.train = TrainConfig {
        epochs: Some(size.epochs() as u64),
        batch: Batch::Rows(size.batch()),
        learning_rate: 5e-3,
        beta2: Some(0.95),
        schedule: Schedule::Cycles { count: 4 },
        patience: 0,
        seed,
        criterion,
        ..TrainConfig::default()
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_stays_affordable() {
        let size = |rows, numbers, networks| Size { rows, numbers, networks };
        let of = |size: Size| (size.parts(16), size.members(size.parts(16)), size.is_affordable());
        assert_eq!(of(size(100, 8, 1)), (16, 4, true));
        assert_eq!(of(size(5_000, 20, 1)), (8, 1, true));
        assert_eq!(size(520, 13, 3).members(16), 1, "several networks of several members are too much");
        assert!(of(size(9_000, 64, 1)).0 < 16);
        assert!(!size(9_000, 64, 8).is_affordable(), "a network for each of many tasks is too much there");
        assert!(size(1_000_000, 10, 1).parts(16) < 16);
    }
}
