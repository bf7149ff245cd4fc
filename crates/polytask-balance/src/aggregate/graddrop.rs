//! GradDrop, gradient sign dropout (Chen et al., "Just Pick a Sign", NeurIPS 2020). For each coordinate `k`:
//!
//! ```text
//! P = 0.5 (1 + sum_i g_ik / sum_i |g_ik|),   U uniform in [0, 1)
//! keep g_ik if g_ik > 0 and P > U, or g_ik < 0 and P <= U;   what is dropped still counts leak_i
//! ```
//!
//! The paper does this to the gradient of a shared activation; here it is done to whatever gradients are given, so a run
//! at the representation level comes closest. `U` is drawn from the run's seed. The shared weights reported are the
//! shares of coordinates in which a task was kept. Heads are unweighted.

use crate::prelude::*;
use crate::random::Random;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "graddrop",
    title: "GradDrop",
    family: Family::Aggregator,
    needs: Needs::Jacobian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[KeyInfo {
        name: "leak",
        default: "{}",
        range: "{ task = number from 0 to 1 }, 0 where left out",
        purpose: "how much of what is dropped a task keeps",
    }],
    paper: "Chen et al.: Just Pick a Sign: Optimizing Deep Multitask Models with Gradient Sign Dropout. NeurIPS 2020",
    when: "many tasks, and noise that acts as regularisation is welcome",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        let leak = setup.per_task("leak", &keys.leak, 0.0, |leak| (0.0..=1.0).contains(&leak))?;
        Ok(Box::new(GradDrop { leak, memory: Memory::new(Random::new(setup.seed)) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    leak: PerTask,
}

struct GradDrop {
    leak: Vec<f64>,
    memory: Memory<Random>,
}

impl Balancer for GradDrop {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let leak: Vec<f64> = step.tasks.iter().map(|&task| self.leak[task]).collect();
        let mut kept = vec![0u64; leak.len()];
        let mut sizes = Vec::new();
        jacobians[0].map(0..jacobians[0].width(), out, |block, direction| {
            // Row by row, so that the loops run over neighbouring values; `direction` holds the sums first.
            sizes.clear();
            sizes.resize(direction.len(), 0.0);
            for row in block.rows() {
                for ((d, size), g) in direction.iter_mut().zip(&mut sizes).zip(row) {
                    *d += g;
                    *size += g.abs();
                }
            }
            let keep_positive: Vec<bool> = direction
                .iter()
                .zip(&sizes)
                .map(|(sum, size)| if *size > 0.0 { 0.5 * (1.0 + sum / size) } else { 0.5 })
                .map(|positive| positive > self.memory.uniform())
                .collect();
            direction.fill(0.0);
            for ((row, leak), count) in block.rows().zip(&leak).zip(&mut kept) {
                for ((d, keep), g) in direction.iter_mut().zip(&keep_positive).zip(row) {
                    let dropped = u8::from((*g > 0.0) != *keep);
                    // Without a branch: signs are as good as random, and a processor guesses half of them wrong.
                    *d += g * (1.0 - f64::from(dropped) * (1.0 - leak));
                    *count += u64::from(1 - dropped);
                }
            }
        });
        let all = jacobians[0].width().max(1) as f64;
        Ok(Weights::shared_only(kept.into_iter().map(|count| count as f64 / all).collect()))
    }

    remembers!();
}
