//! UPGrad (Quinton and Rey, "Jacobian Descent for Multi-Objective Optimization", arXiv 2406.16232, 2024): each gradient
//! is projected onto the cone of directions that conflict with no task, then they are averaged.
//!
//! ```text
//! v_i = argmin v^T G v  subject to  v >= p_i e_i        w = sum_i v_i,   p the preference over T
//! ```
//!
//! `G` is divided by its trace, and `regularization` is added to its diagonal. Solved exactly by an active set.
//! Conflicts with no task, grows linearly with each gradient, and does not depend on the order of tasks. Heads are
//! unweighted.

use crate::prelude::*;
use crate::solve::dual_cone;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "upgrad",
    title: "UPGrad",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[PREFERENCE, REGULARIZATION],
    paper: "Quinton, Rey: Jacobian Descent for Multi-Objective Optimization. arXiv 2406.16232, 2024",
    when: "no task may get worse, and larger gradients should still count for more: a good first aggregator",
    build: |setup| {
        let keys: ConeKeys = setup.parse()?;
        Ok(Box::new(UpGrad(Cone::new(setup, &keys)?)))
    },
};

struct UpGrad(Cone);

impl Balancer for UpGrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let (gramian, preference) = self.0.problem(step, need(gramian, INFO.name)?);
        let mut weights = vec![0.0; preference.len()];
        let mut target = vec![0.0; preference.len()];
        for (i, &p) in preference.iter().enumerate() {
            target[i] = p;
            let v = dual_cone(&gramian, &target);
            target[i] = 0.0;
            weights.iter_mut().zip(v).for_each(|(w, v)| *w += v);
        }
        Ok(Weights::shared_only(weights))
    }
}

/// `regularization`, as UPGrad and DualProj take it.
pub(crate) const REGULARIZATION: KeyInfo = KeyInfo {
    name: "regularization",
    default: "0.0001",
    range: "at least 0",
    purpose: "added to the diagonal of the Gramian over its trace; 0 projects exactly",
};

/// The keys of both methods that project onto the dual cone.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConeKeys {
    preference: PerTask,
    regularization: f64,
}

/// What both methods that project onto the dual cone share.
pub(crate) struct Cone {
    preference: Vec<f64>,
    regularization: f64,
}

impl Cone {
    pub(crate) fn new(setup: &Setup, keys: &ConeKeys) -> Result<Self, BalanceError> {
        setup.check("regularization", keys.regularization, keys.regularization >= 0.0)?;
        let preference = setup.per_task("preference", &keys.preference, 1.0, |p| p >= 0.0)?;
        Ok(Self { preference, regularization: keys.regularization })
    }

    /// The normalised, regularised Gramian and the preference over the present tasks.
    pub(crate) fn problem(&self, step: &Step, gramian: &Gramian) -> (Gramian, Vec<f64>) {
        let trace = Some(gramian.trace()).filter(|trace| *trace > 0.0).unwrap_or(1.0);
        let normalized = Gramian::symmetric(gramian.size(), |i, j| {
            gramian.get(i, j) / trace + if i == j { self.regularization } else { 0.0 }
        });
        (normalized, over_present(&self.preference, step))
    }
}
