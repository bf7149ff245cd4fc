//! Aligned-MTL (Senushkin et al., "Independent Component Alignment for Multi-Task Learning", CVPR 2023). With
//! `G = V diag(lambda) V^T`, its eigenvalues above `max(lambda) T epsilon` and `sigma` one of them or their mean:
//!
//! ```text
//! w = sqrt(sigma) V diag(lambda^(-1/2)) V^T p,   p the preference over T
//! ```
//!
//! so that all principal components of the gradients have the same length. Without any gradient `w = p`. Heads are
//! unweighted.

use crate::prelude::*;
use polytask_math::algebra::Eigen;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "aligned",
    title: "Aligned-MTL",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[
        KeyInfo {
            name: "scale",
            default: "\"min\"",
            range: "min, median or rmse (the mean)",
            purpose: "the eigenvalue that all are brought to",
        },
        PREFERENCE,
    ],
    paper: "Senushkin et al.: Independent Component Alignment for Multi-Task Learning. CVPR 2023",
    when: "training is unstable: gradients conflict and differ much in size",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        let preference = setup.per_task("preference", &keys.preference, 1.0, |p| p >= 0.0)?;
        Ok(Box::new(Aligned { scale: keys.scale, preference }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    scale: Scale,
    preference: PerTask,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Scale {
    Min,
    Median,
    Rmse,
}

struct Aligned {
    scale: Scale,
    preference: Vec<f64>,
}

impl Balancer for Aligned {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let preference = over_present(&self.preference, step);
        let gramian = need(gramian, INFO.name)?;
        let eigen = Eigen::new(gramian.values(), gramian.size());
        let least = eigen.threshold();
        let mut kept: Vec<f64> = eigen.values().iter().copied().filter(|v| *v > least).collect();
        kept.sort_by(f64::total_cmp);
        if kept.is_empty() {
            return Ok(Weights::shared_only(preference));
        }
        let sigma = match self.scale {
            Scale::Min => kept[0],
            // The lower of the two in the middle, as the authors' library takes it.
            Scale::Median => kept[(kept.len() - 1) / 2],
            Scale::Rmse => kept.iter().sum::<f64>() / kept.len() as f64,
        };
        let factor = |value: f64| if value > least { (sigma / value).sqrt() } else { 0.0 };
        Ok(Weights::shared_only(eigen.apply(factor, &preference)))
    }
}
