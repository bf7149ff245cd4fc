//! MGDA, the multiple-gradient descent algorithm (Desideri, C. R. Acad. Sci. 2012; Sener and Koltun, "Multi-Task
//! Learning as Multi-Objective Optimization", NeurIPS 2018):
//!
//! ```text
//! w = argmin ||J^T w||^2 over w >= 0, sum w = 1        d = J^T w
//! ```
//!
//! Solved exactly. The direction conflicts with no task, and is 0 exactly where no direction improves all. With
//! `normalization` the problem is solved on `g_i / n_i` and its `w` applied to the raw gradients, as Sener and Koltun do:
//! `l2`: `n_i = ||g_i||`; `loss`: `L_i`; `loss+`: `L_i ||g_i||`. (The wrapper key `normalize` scales the direction too.)
//! Heads are unweighted.

use crate::prelude::*;
use crate::solve::shortest;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "mgda",
    title: "MGDA",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[KeyInfo {
        name: "normalization",
        default: "\"none\"",
        range: "none, l2, loss or loss+",
        purpose: "what each gradient is divided by before the weights are solved for",
    }],
    paper: "Sener, Koltun: Multi-Task Learning as Multi-Objective Optimization. NeurIPS 2018",
    when: "no task may get worse, even if all go slowly; small gradients rule the direction",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        Ok(Box::new(Mgda { normalization: keys.normalization }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    normalization: Normalization,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Normalization {
    None,
    L2,
    Loss,
    #[serde(rename = "loss+")]
    LossAndNorm,
}

struct Mgda {
    normalization: Normalization,
}

impl Mgda {
    fn uses_losses(&self) -> bool {
        matches!(self.normalization, Normalization::Loss | Normalization::LossAndNorm)
    }
}

impl Balancer for Mgda {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        if self.uses_losses() { LossRange::Above(0.0) } else { LossRange::Any }
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let gramian = need(gramian, INFO.name)?;
        if self.uses_losses() && step.losses.is_empty() {
            return Err(BalanceError::Missing { method: INFO.name, what: "the losses, to normalise with them" });
        }
        // A zero gradient stays zero, whatever it is divided by.
        let norm = |i: usize| Some(gramian.get(i, i).sqrt()).filter(|norm| *norm > 0.0).unwrap_or(1.0);
        let scale: Option<Vec<f64>> = match self.normalization {
            Normalization::None => None,
            Normalization::L2 => Some((0..gramian.size()).map(|i| 1.0 / norm(i)).collect()),
            Normalization::Loss => Some(step.losses.iter().map(|loss| 1.0 / loss).collect()),
            Normalization::LossAndNorm => {
                Some(step.losses.iter().enumerate().map(|(i, loss)| 1.0 / loss / norm(i)).collect())
            }
        };
        let scaled = scale.map(|scale| gramian.scaled(&scale));
        Ok(Weights::shared_only(shortest(scaled.as_ref().unwrap_or(gramian))))
    }
}
