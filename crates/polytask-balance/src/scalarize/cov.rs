//! CoV-weighting (Groenendijk et al., "Multi-Loss Weighting with Coefficient of Variations", WACV 2021). With the loss
//! ratio `l_i(t) = L_i(t) / mean(L_i up to t-1)`:
//!
//! ```text
//! w_i = (std(l_i) / mean(l_i)) / sum_j (std(l_j) / mean(l_j))        over all steps so far
//! ```
//!
//! The weights sum to 1; a step's weights use the moments from before it, and they are equal until every present task
//! has been seen twice. Moments run by Welford's rule. Losses must not be negative. Heads are weighted too.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "cov",
    title: "Coefficient of variations (CoV)",
    family: Family::Scalarizer,
    needs: Needs::State,
    heads: Heads::Weighted,
    cost: ONE,
    keys: &[],
    paper: "Groenendijk et al.: Multi-Loss Weighting with Coefficient of Variations. WACV 2021",
    when: "losses of different size; those that still vary most get the weight",
    build: |setup| Ok(Box::new(Cov { memory: Memory::new(vec![Moments::default(); setup.tasks.len()]) })),
};

#[derive(Clone, Default, Serialize, Deserialize)]
struct Moments {
    count: u64,
    mean_loss: f64,
    mean_ratio: f64,
    squares: f64,
}

struct Cov {
    memory: Memory<Vec<Moments>>,
}

impl Balancer for Cov {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::AtLeast(0.0)
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let variation = |task: usize| {
            let Moments { count, mean_ratio, squares, .. } = self.memory[task];
            // The small constant, from the authors' code, keeps constant losses in play.
            let deviation = (squares / count.max(1) as f64 + 1e-8).sqrt();
            if mean_ratio > 0.0 { deviation / mean_ratio } else { 0.0 }
        };
        let begun = step.tasks.iter().all(|&task| self.memory[task].count > 1);
        let weights: Vec<f64> = step.tasks.iter().map(|&task| variation(task)).collect();
        let sum: f64 = weights.iter().sum();
        let equal = 1.0 / step.tasks.len() as f64;
        Ok(Weights::both(weights.into_iter().map(|w| if begun && sum > 0.0 { w / sum } else { equal }).collect()))
    }

    fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
        for (&task, &loss) in step.tasks.iter().zip(step.losses) {
            let moments = &mut self.memory[task];
            let ratio = if moments.count > 0 && moments.mean_loss > 0.0 { loss / moments.mean_loss } else { 1.0 };
            moments.count += 1;
            let share = 1.0 / moments.count as f64;
            let before = ratio - moments.mean_ratio;
            moments.mean_loss += share * (loss - moments.mean_loss);
            moments.mean_ratio += share * before;
            moments.squares += before * (ratio - moments.mean_ratio);
        }
        Ok(())
    }

    remembers!();
}
