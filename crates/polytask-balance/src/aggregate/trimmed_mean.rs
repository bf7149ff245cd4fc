//! Coordinate-wise trimmed mean (Yin et al., "Byzantine-Robust Distributed Learning", ICML 2018): for each coordinate
//! the `trim` largest and the `trim` smallest of the task gradients are dropped, and the rest averaged. With the largest
//! `trim` it is the coordinate-wise median.
//!
//! With fewer present tasks than `2 trim + 1`, `trim` is lowered to what they allow. Left out, it is 1, or 0 for fewer
//! than three tasks. The shared weights reported are the shares of coordinates in which a task was averaged, over the
//! number averaged. Heads are unweighted.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "trimmed_mean",
    title: "Trimmed mean",
    family: Family::Aggregator,
    needs: Needs::Jacobian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[KeyInfo {
        name: "trim",
        default: "null",
        range: "a whole number of at least 0, at most (T - 1) / 2",
        purpose: "how many values are dropped at each end; 1 where there are three tasks, if left out",
    }],
    paper: "Yin et al.: Byzantine-Robust Distributed Learning: Towards Optimal Statistical Rates. ICML 2018",
    when: "many like tasks, of which some may have broken data",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        let have = setup.tasks.len();
        let trim = keys.trim.unwrap_or(1);
        let least = trim.saturating_mul(2).saturating_add(1);
        if keys.trim.is_some() && have < least {
            return Err(BalanceError::TooFewTasks { method: INFO.name, key: "trim", value: trim, least, have });
        }
        Ok(Box::new(TrimmedMean { trim }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    trim: Option<usize>,
}

struct TrimmedMean {
    trim: usize,
}

impl Balancer for TrimmedMean {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let size = step.tasks.len();
        let trim = self.trim.min((size - 1) / 2);
        let kept = size - 2 * trim;
        let mut used = vec![0u64; size];
        let mut ranks = Vec::new();
        jacobians[0].map(0..jacobians[0].width(), out, |block, direction| {
            // A value's place in its column is the number of values before it: counted row against row, which is
            // faster than sorting short columns one by one.
            for (i, row) in block.rows().enumerate() {
                ranks.clear();
                ranks.resize(row.len(), 0u32);
                for (j, other) in block.rows().enumerate() {
                    for ((rank, g), o) in ranks.iter_mut().zip(row).zip(other) {
                        *rank += u32::from(o < g || (j < i && o == g));
                    }
                }
                for ((d, rank), g) in direction.iter_mut().zip(&ranks).zip(row) {
                    let inside = (trim..trim + kept).contains(&(*rank as usize));
                    // A choice of values, not a product: what is dropped may be huge.
                    *d += if inside { *g } else { 0.0 };
                    used[i] += u64::from(inside);
                }
            }
            direction.iter_mut().for_each(|d| *d /= kept as f64);
        });
        let all = (jacobians[0].width().max(1) * kept) as f64;
        Ok(Weights::shared_only(used.into_iter().map(|count| count as f64 / all).collect()))
    }
}
