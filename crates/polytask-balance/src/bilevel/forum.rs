//! FORUM (Ye, Lin, Cao, Zhang and Tsang, "A First-Order Multi-Gradient Algorithm for Multi-Objective Bi-Level
//! Optimization", ECAI 2024): as [`moml`](super::moml), without second derivatives. That the model `w` is the best for
//! the shares `p = softmax(z)` becomes a constraint on both, `q(z, w) = f(z, w) - min_w f(z, w) <= 0`, and one direction
//! of `(z, w)` descends on every outer loss while it shrinks `q`. With losses `L` on the inner and `V` on the outer
//! batch, `f = sum_i p_i L_i`:
//!
//! ```text
//! w_0 = w,  w_{k+1} = w_k - eta grad_w f(z, w_k)                                    K inner steps, for min f
//! q_z = grad_z f(z, w) - grad_z f(z, w_K),  q_w = grad_w f(z, w),  Q = ||(q_z, q_w)||^2
//! F_i = grad V_i / ||grad V_i||
//! l = argmin over the simplex of ||sum_i l_i F_i + nu q||^2 - nu rho Q,             nu(l) = max(rho - <q, sum_i l_i F_i> / Q, 0)
//! l~ <- l~ + (epoch + 1)^(-3/4) (l - l~),   direction: sum_i l~_i F_i + nu(l~) q
//! ```
//!
//! The run's optimiser takes the part of `w`, heads included, instead of a gradient; Adam takes the part of `z`. The
//! quadratic program is solved to rounding. Reported are the factors of the tasks' gradients in the direction,
//! `l~_i / ||grad V_i|| + nu p_i`. A task without a label in one of the two batches sits the step out; with fewer than
//! two tasks in both it is an ordinary step on `f`.

use super::{HELD_OUT, OUTER_RATE, Scalar, shares, through_softmax};
use crate::gramian::dot;
use crate::oracle::{Batch, Checked, HeldOut, Oracle, inner, moved};
use crate::prelude::*;
use crate::solve::shortest;
use crate::state::State;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "forum",
    title: "FORUM",
    family: Family::Bilevel,
    needs: Needs::Model,
    heads: Heads::Other,
    cost: "T + 5 over the whole model, T in one many-loss walk, and 2 forward passes",
    keys: &[
        KeyInfo {
            name: "rho",
            default: "0.1",
            range: "above 0",
            purpose: "how firmly the model is held to the best for its weights",
        },
        KeyInfo { name: "inner_rate", default: "0.1", range: "above 0", purpose: "eta, length of an inner step" },
        KeyInfo {
            name: "inner_steps",
            default: "5",
            range: "1 to 100",
            purpose: "K, inner steps; each costs a backward pass",
        },
        OUTER_RATE,
        HELD_OUT,
    ],
    paper: "Ye, Lin, Cao, Zhang, Tsang: A First-Order Multi-Gradient Algorithm for Multi-Objective Bi-Level Optimization. ECAI 2024",
    when: "as `moml`, with directions that take every task along",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("rho", keys.rho, keys.rho > 0.0)?;
        setup.check("inner_rate", keys.inner_rate, keys.inner_rate > 0.0)?;
        setup.check("inner_steps", keys.inner_steps as f64, (1..=100).contains(&keys.inner_steps))?;
        setup.check("outer_rate", keys.outer_rate, keys.outer_rate > 0.0)?;
        let tasks = setup.tasks.len();
        let fresh = Shares { logits: vec![Scalar::default(); tasks], outer: vec![1.0 / tasks as f64; tasks] };
        Ok(Box::new(Forum { keys, memory: Memory::new(fresh) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    rho: f64,
    inner_rate: f64,
    inner_steps: usize,
    outer_rate: f64,
    held_out: HeldOut,
}

struct Forum {
    keys: Keys,
    memory: Memory<Shares>,
}

#[derive(Clone, Serialize, Deserialize)]
struct Shares {
    logits: Vec<Scalar>,
    /// `l~`
    outer: Vec<f64>,
}

impl State for Shares {
    fn fits(&self, fresh: &Self) -> bool {
        self.logits.len() == fresh.logits.len() && self.outer.len() == fresh.outer.len()
    }
}

/// `argmin over the simplex of ||F l||^2 + 2 nu <q, F l> + nu^2 Q - nu rho Q` with `nu = max(rho - s, 0)`,
/// `s = <q, F l> / Q`.
struct Problem {
    /// `<F_i, F_j>`
    gramian: Gramian,
    /// `<q, F_i>`
    along: Vec<f64>,
    /// `Q`
    square: f64,
    rho: f64,
}

impl Problem {
    /// `l` that minimises `||F l||^2 - mu <q, F l>`: the shortest vector of the hull of `F_i - 0.5 mu q`. And its `s`.
    fn at(&self, mu: f64) -> (Vec<f64>, f64) {
        let (along, square) = (&self.along, self.square);
        let moved = Gramian::symmetric(along.len(), |i, j| {
            self.gramian.get(i, j) - 0.5 * mu * (along[i] + along[j]) + 0.25 * mu * mu * square
        });
        let l = shortest(&moved);
        let s = dot(&l, along) / square;
        (l, s)
    }

    /// Of all `l` with one `s` the best is an [`at`](Self::at); `s` grows with `mu`. What is left is convex in `s`, with
    /// a kink at `rho`: beyond it the minimum has `mu = 0`, before it `mu = 2 s - rho`, and in the kink a `mu` between.
    fn solve(&self) -> Vec<f64> {
        if self.square <= 0.0 {
            return shortest(&self.gramian);
        }
        let rho = self.rho;
        let (l, s) = self.at(0.0);
        if s >= rho {
            return l;
        }
        if self.at(rho).1 > rho {
            return self.root(0.0, rho, |_, s| rho - s);
        }
        let least = self.along.iter().copied().fold(f64::INFINITY, f64::min) / self.square;
        self.root(2.0 * least - rho, rho, |mu, s| 2.0 * s - rho - mu)
    }

    /// `l` where `left(mu, s)`, which falls from at least 0 at `low` to at most 0 at `high`, is 0.
    fn root(&self, mut low: f64, mut high: f64, left: impl Fn(f64, f64) -> f64) -> Vec<f64> {
        let value = |mu: f64| left(mu, self.at(mu).1);
        let (mut at_low, mut at_high) = (value(low), value(high));
        let mut mu = high;
        for round in 0..200 {
            let secant = low + (high - low) * at_low / (at_low - at_high);
            // Every third round halves the interval.
            mu = if round % 3 < 2 && secant > low && secant < high { secant } else { 0.5 * (low + high) };
            let here = value(mu);
            if here.abs() <= 1e-15 * (mu.abs() + self.rho) || high - low <= 1e-15 * (low.abs() + high.abs()) {
                break;
            }
            if here > 0.0 {
                (low, at_low) = (mu, here);
            } else {
                (high, at_high) = (mu, here);
            }
        }
        self.at(mu).0
    }

    /// `nu(l)`
    fn hold(&self, l: &[f64]) -> f64 {
        if self.square > 0.0 { (self.rho - dot(l, &self.along) / self.square).max(0.0) } else { 0.0 }
    }
}

impl Forum {
    /// `q_z` (by the shares, not yet by the logits) and `q_w`.
    fn constraint(
        &self,
        oracle: &mut Checked,
        here: &[f32],
        shares: &[f64],
    ) -> Result<(Vec<f64>, Vec<f32>), BalanceError> {
        let mut slope = vec![0.0; here.len()];
        let losses = oracle.gradient(Batch::Inner, here, shares, &mut slope)?;
        let mut at = moved(here, -self.keys.inner_rate, &slope);
        let first = slope.clone();
        for _ in 1..self.keys.inner_steps {
            oracle.gradient(Batch::Inner, &at, shares, &mut slope)?;
            at = moved(&at, -self.keys.inner_rate, &slope);
        }
        let best = oracle.losses(Batch::Inner, &at)?;
        Ok((losses.iter().zip(best).map(|(loss, best)| loss - best).collect(), first))
    }
}

impl Balancer for Forum {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn held_out(&self) -> HeldOut {
        self.keys.held_out
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::both(shares(&self.memory.logits, step)))
    }

    fn explore(
        &mut self,
        step: &Step,
        oracle: &mut dyn Oracle,
        out: &mut [f32],
    ) -> Result<Option<Weights>, BalanceError> {
        let p = shares(&self.memory.logits, step);
        let mut oracle = Checked::new(INFO.name, step, oracle);
        let here = oracle.here();
        let (gained, held) = self.constraint(&mut oracle, &here, &p)?;
        let pull = through_softmax(&p, &gained);
        let rows = oracle.gradients(Batch::Outer, &here)?;
        let unit: Vec<f64> = rows
            .iter()
            .map(|row| Some(inner(row, row).sqrt()).filter(|norm| *norm > 0.0).map_or(0.0, |norm| 1.0 / norm))
            .collect();
        let problem = Problem {
            gramian: Gramian::symmetric(rows.len(), |i, j| inner(&rows[i], &rows[j]) * unit[i] * unit[j]),
            along: rows.iter().zip(&unit).map(|(row, unit)| inner(row, &held) * unit).collect(),
            square: dot(&pull, &pull) + inner(&held, &held),
            rho: self.keys.rho,
        };
        let newest = problem.solve();

        let (mut outer, sum) = present_shares(&self.memory.outer, step);
        let share = ((step.epoch + 1) as f64).powf(-0.75);
        outer.iter_mut().zip(&newest).for_each(|(old, new)| *old += share * (new - *old));
        keep_shares(&mut self.memory.outer, step, &outer, sum);
        let nu = problem.hold(&outer);
        for (&task, pull) in step.tasks.iter().zip(&pull) {
            self.memory.logits[task].descend(nu * pull, self.keys.outer_rate);
        }
        let factors: Vec<f64> = outer.iter().zip(&unit).map(|(l, unit)| l * unit).collect();
        for (k, out) in out.iter_mut().enumerate() {
            let outer: f64 = rows.iter().zip(&factors).map(|(row, factor)| factor * f64::from(row[k])).sum();
            *out = (outer + nu * f64::from(held[k])) as f32;
        }
        Ok(Some(Weights::both(factors.iter().zip(&p).map(|(factor, p)| factor + nu * p).collect())))
    }

    remembers!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    impl Problem {
        fn objective(&self, l: &[f64]) -> f64 {
            let (nu, along) = (self.hold(l), dot(l, &self.along));
            self.gramian.quadratic(l) + 2.0 * nu * along + nu * nu * self.square - nu * self.rho * self.square
        }
    }

    /// Unit gradients in few and many dimensions, and constraints of every size beside them, so that the minimum lies
    /// before, in and beyond the kink.
    #[test]
    fn no_other_shares_are_better() {
        let mut dice = Random::new(4);
        let mut found = [0; 3];
        for round in 0..600 {
            let (tasks, width) = ([1, 2, 3, 7][round % 4], [1, 2, 5][round / 4 % 3]);
            let mut vector = || (0..width).map(|_| dice.normal()).collect::<Vec<f64>>();
            let mut rows: Vec<Vec<f64>> = (0..tasks).map(|_| vector()).collect();
            let mut q = vector();
            for row in &mut rows {
                let norm = dot(row, row).sqrt();
                row.iter_mut().for_each(|v| *v /= norm);
            }
            let size = 10f64.powf(2.0 * dice.uniform() - 1.0);
            q.iter_mut().for_each(|v| *v *= size);
            let along: Vec<f64> = rows.iter().map(|row| dot(row, &q)).collect();
            let square = dot(&q, &q);
            let most = along.iter().copied().fold(0.01, f64::max) / square;
            let problem = Problem {
                gramian: Gramian::symmetric(tasks, |i, j| dot(&rows[i], &rows[j])),
                along,
                square,
                rho: [0.1, 1.0, most * dice.uniform()][round / 12 % 3],
            };
            let l = problem.solve();
            assert!((l.iter().sum::<f64>() - 1.0).abs() < 1e-12 && l.iter().all(|v| *v >= 0.0));
            let s = dot(&l, &problem.along) / problem.square;
            let kind = if (s - problem.rho).abs() < 1e-9 { 1 } else { 2 * usize::from(s > problem.rho) };
            found[kind] += 1;
            let least = problem.objective(&l);
            let slack = 1e-9 * (1.0 + problem.square * problem.rho * problem.rho);
            for _ in 0..30 {
                let other: Vec<f64> = (0..tasks).map(|_| -(1.0 - dice.uniform()).ln()).collect();
                let sum: f64 = other.iter().sum();
                for part in [1.0, 0.1, 1e-3] {
                    let between: Vec<f64> = l.iter().zip(&other).map(|(l, o)| l + part * (o / sum - l)).collect();
                    assert!(problem.objective(&between) >= least - slack, "round {round}, {part} away");
                }
            }
        }
        assert!(found.iter().all(|count| *count >= 8), "{found:?}");
    }
}
