//! ConFIG, conflict-free inverse gradients (Liu, Chu, Thuerey, "ConFIG: Towards Conflict-free Training of Physics
//! Informed Neural Networks", ICLR 2025). With the unit gradients `u_i` as the rows of `U`:
//!
//! ```text
//! x = pinv(U) p,   d = (sum_i <g_i, x^>) x^,   x^ = x / ||x||        p the preference
//! ```
//!
//! The direction has the same cosine with every task (times its preference). From the Gramian: `x = U^T y` with
//! `y = pinv(U U^T) p`. Zero gradients are left out. Heads are unweighted.

use crate::prelude::*;
use crate::solve::pseudo_inverse;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "config",
    title: "ConFIG",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[PREFERENCE],
    paper: "Liu, Chu, Thuerey: ConFIG: Towards Conflict-free Training of Physics Informed Neural Networks. ICLR 2025",
    when: "losses of one physical system: equations, boundaries, data",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        let preference = setup.per_task("preference", &keys.preference, 1.0, |p| p >= 0.0)?;
        Ok(Box::new(ConFig { preference }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    preference: PerTask,
}

struct ConFig {
    preference: Vec<f64>,
}

impl Balancer for ConFig {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let (cosines, norms) = need(gramian, INFO.name)?.cosines();
        let wanted = step.tasks.iter().zip(&norms).map(|(&task, n)| if *n > 0.0 { self.preference[task] } else { 0.0 });
        let y = pseudo_inverse(&cosines, &wanted.collect::<Vec<_>>());
        // <u_i, x>, and from them ||x||^2 and sum_i <g_i, x>.
        let along = cosines.times(&y);
        let square = dot(&along, &y);
        let length = dot(&along, &norms);
        let weight = |(y, n): (&f64, &f64)| if *n > 0.0 && square > 0.0 { length / square * y / n } else { 0.0 };
        Ok(Weights::shared_only(y.iter().zip(&norms).map(weight).collect()))
    }
}
