//! DualProj, the projection of Gradient Episodic Memory (Lopez-Paz and Ranzato, NeurIPS 2017, Eq. 11): the mean
//! gradient is projected onto the cone of directions that conflict with no task.
//!
//! ```text
//! w = argmin v^T G v  subject to  v >= p        p the preference over T
//! ```
//!
//! `G` is divided by its trace, and `regularization` is added to its diagonal. Solved exactly by an active set. Heads are
//! unweighted.

use super::upgrad::{Cone, ConeKeys, REGULARIZATION};
use crate::prelude::*;
use crate::solve::dual_cone;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "dualproj",
    title: "DualProj (GEM)",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[PREFERENCE, REGULARIZATION],
    paper: "Lopez-Paz, Ranzato: Gradient Episodic Memory for Continual Learning. NeurIPS 2017",
    when: "the mean gradient, changed as little as needed so that no task gets worse",
    build: |setup| {
        let keys: ConeKeys = setup.parse()?;
        Ok(Box::new(DualProj(Cone::new(setup, &keys)?)))
    },
};

struct DualProj(Cone);

impl Balancer for DualProj {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let (gramian, preference) = self.0.problem(step, need(gramian, INFO.name)?);
        Ok(Weights::shared_only(dual_cone(&gramian, &preference)))
    }
}
