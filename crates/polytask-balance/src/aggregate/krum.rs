//! Krum and Multi-Krum (Blanchard et al., "Machine Learning with Adversaries", NeurIPS 2017): the mean of the
//! `selected` gradients with the lowest scores, where a score is the sum of squared distances to the `T - f - 2` nearest
//! others, `f = byzantine`.
//!
//! Distances come from the Gramian: `G_ii + G_jj - 2 G_ij`. With fewer present tasks than `f + 3`, `f` is lowered to what
//! they allow; with one or two, all are averaged. Robust against bad gradients, not against conflict. Heads are
//! unweighted.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "krum",
    title: "Krum, Multi-Krum",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[
        KeyInfo {
            name: "byzantine",
            default: "0",
            range: "a whole number of at least 0, at most T - 3",
            purpose: "f, how many gradients may be arbitrarily bad",
        },
        KeyInfo {
            name: "selected",
            default: "1",
            range: "a whole number of at least 1, at most T",
            purpose: "how many gradients are averaged; above 1 it is Multi-Krum",
        },
    ],
    paper: "Blanchard et al.: Machine Learning with Adversaries: Byzantine Tolerant Gradient Descent. NeurIPS 2017",
    when: "many like tasks, of which some may have broken data",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        let have = setup.tasks.len();
        let few = |key, value, least| BalanceError::TooFewTasks { method: INFO.name, key, value, least, have };
        setup.check("selected", keys.selected as f64, keys.selected >= 1)?;
        if keys.byzantine > 0 && have < keys.byzantine.saturating_add(3) {
            return Err(few("byzantine", keys.byzantine, keys.byzantine.saturating_add(3)));
        }
        if keys.selected > have {
            return Err(few("selected", keys.selected, keys.selected));
        }
        Ok(Box::new(Krum { byzantine: keys.byzantine, selected: keys.selected }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    byzantine: usize,
    selected: usize,
}

struct Krum {
    byzantine: usize,
    selected: usize,
}

impl Balancer for Krum {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, _step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let gramian = need(gramian, INFO.name)?;
        let size = gramian.size();
        if size < 3 {
            return Ok(Weights::shared_only(vec![1.0 / size as f64; size]));
        }
        let neighbours = size - self.byzantine.min(size - 3) - 2;
        let score = |i: usize| -> f64 {
            let distance = |j: usize| (gramian.get(i, i) + gramian.get(j, j) - 2.0 * gramian.get(i, j)).max(0.0);
            let mut distances: Vec<f64> = (0..size).filter(|&j| j != i).map(distance).collect();
            distances.sort_by(f64::total_cmp);
            distances[..neighbours].iter().sum()
        };
        let mut ranked: Vec<(f64, usize)> = (0..size).map(|i| (score(i), i)).collect();
        ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
        let selected = self.selected.min(size);
        let mut weights = vec![0.0; size];
        ranked[..selected].iter().for_each(|&(_, i)| weights[i] = 1.0 / selected as f64);
        Ok(Weights::shared_only(weights))
    }
}
