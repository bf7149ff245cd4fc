//! PCGrad, projecting conflicting gradients (Yu et al., "Gradient Surgery for Multi-Task Learning", NeurIPS 2020):
//!
//! ```text
//! for each i:  p = g_i;  for j != i in random order:  if <p, g_j> < 0:  p -= <p, g_j> / ||g_j||^2 g_j
//! d = sum_i p_i  (or their mean)
//! ```
//!
//! Done on the coefficients of each `p`, so the Gramian is enough. The order is drawn from the run's seed; for two tasks
//! it does not matter. Heads are unweighted.

use crate::prelude::*;
use crate::random::Random;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "pcgrad",
    title: "PCGrad",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[KeyInfo {
        name: "reduction",
        default: "\"sum\"",
        range: "sum or mean",
        purpose: "how the projected gradients make one",
    }],
    paper: "Yu et al.: Gradient Surgery for Multi-Task Learning. NeurIPS 2020",
    when: "few tasks whose gradients conflict now and then",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        Ok(Box::new(PcGrad { reduction: keys.reduction, memory: Memory::new(Random::new(setup.seed)) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    reduction: Reduction,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Reduction {
    Sum,
    Mean,
}

struct PcGrad {
    reduction: Reduction,
    memory: Memory<Random>,
}

impl Balancer for PcGrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, _step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let gramian = need(gramian, INFO.name)?;
        let size = gramian.size();
        let mut weights = vec![0.0; size];
        for i in 0..size {
            let mut others: Vec<usize> = (0..size).filter(|&j| j != i).collect();
            self.memory.shuffle(&mut others);
            // `inner[j]` is <p, g_j>, kept up to date as p changes.
            let mut inner = gramian.row(i).to_vec();
            weights[i] += 1.0;
            for j in others {
                if inner[j] < 0.0 && gramian.get(j, j) > 0.0 {
                    let coefficient = -inner[j] / gramian.get(j, j);
                    weights[j] += coefficient;
                    inner.iter_mut().zip(gramian.row(j)).for_each(|(p, g)| *p += coefficient * g);
                }
            }
        }
        if self.reduction == Reduction::Mean {
            weights.iter_mut().for_each(|w| *w /= size as f64);
        }
        Ok(Weights::shared_only(weights))
    }

    remembers!();
}
