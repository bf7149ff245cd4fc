//! Geometric loss strategy, GLS (Chennupati et al., "MultiNet++", CVPR Workshops 2019):
//!
//! ```text
//! L = (prod_i L_i)^(1/T)        weight of task i = L / (T L_i)
//! ```
//!
//! Computed through the mean of logarithms. Losses must be above 0. Heads are weighted too.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "geometric",
    title: "Geometric loss strategy (GLS)",
    family: Family::Scalarizer,
    needs: Needs::Losses,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[],
    paper: "Chennupati et al.: MultiNet++: Multi-Stream Feature Aggregation and Geometric Loss Strategy. CVPRW 2019",
    when: "positive losses of different size; relative progress counts the same for all",
    build: |_| Ok(Box::new(Geometric)),
};

struct Geometric;

impl Balancer for Geometric {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::Above(0.0)
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let tasks = step.losses.len() as f64;
        let mean_log = step.losses.iter().map(|loss| loss.ln()).sum::<f64>() / tasks;
        Ok(Weights::both(step.losses.iter().map(|loss| (mean_log - loss.ln()).exp() / tasks).collect()))
    }
}
