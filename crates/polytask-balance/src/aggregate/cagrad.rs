//! CAGrad, conflict-averse gradient descent (Liu et al., NeurIPS 2021). With `g_0` the mean gradient, `g_w = J^T w`:
//!
//! ```text
//! d = argmax of min_i <g_i, d>  subject to  ||d - g_0|| <= c ||g_0||
//! w = argmin over the simplex of <g_w, g_0> + c ||g_0|| ||g_w||,   d = g_0 + c ||g_0|| g_w / ||g_w||
//! ```
//!
//! `c = 0` is the mean; from `c = 1` on the direction conflicts with no task. Solved exactly: for a given `tau` the
//! shortest vector in the hull of `g_i + tau g_0` solves the problem with the radius `||g_w|| / tau`, which falls as
//! `tau` grows and is found by secants. Where the gradients cancel (`g_w = 0`) every answer has a worst task that stands
//! still at best; the one nearest to `g_0` is taken, its projection onto the cone without conflict. Heads are unweighted.

use crate::prelude::*;
use crate::solve::{dual_cone, shortest};

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "cagrad",
    title: "CAGrad",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[
        KeyInfo {
            name: "c",
            default: "0.5",
            range: "at least 0",
            purpose: "how far the direction may leave the mean gradient, in its norm",
        },
        KeyInfo {
            name: "rescale",
            default: "\"none\"",
            range: "none, linear (by 1 + c) or square (by 1 + c^2)",
            purpose: "what the direction is divided by",
        },
    ],
    paper: "Liu et al.: Conflict-Averse Gradient Descent for Multi-task Learning. NeurIPS 2021",
    when: "the mean loss matters, but no task should be left behind",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("c", keys.c, keys.c >= 0.0)?;
        Ok(Box::new(CaGrad { c: keys.c, rescale: keys.rescale }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    c: f64,
    rescale: Rescale,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Rescale {
    None,
    Linear,
    Square,
}

struct CaGrad {
    c: f64,
    rescale: Rescale,
}

/// The problem in units of the mean squared norm.
struct Problem {
    gramian: Gramian,
    /// `<g_i, g_0>` and `||g_0||^2`.
    along: Vec<f64>,
    mean: f64,
    /// `c ||g_0||`.
    radius: f64,
}

impl Problem {
    fn new(gramian: &Gramian, c: f64) -> Self {
        let size = gramian.size();
        let unit = gramian.trace() / size as f64;
        let gramian = Gramian::symmetric(size, |i, j| gramian.get(i, j) / unit);
        let along = gramian.times(&vec![1.0 / size as f64; size]);
        let mean = (along.iter().sum::<f64>() / size as f64).max(0.0);
        Self { gramian, along, mean, radius: c * mean.sqrt() }
    }

    /// The weights for `tau`, and `||g_w||^2`.
    fn at(&self, tau: f64) -> (Vec<f64>, f64) {
        let moved = Gramian::symmetric(self.along.len(), |i, j| {
            self.gramian.get(i, j) + tau * (self.along[i] + self.along[j]) + tau * tau * self.mean
        });
        let w = shortest(&moved);
        let square = self.gramian.quadratic(&w);
        (w, square)
    }

    /// `1/T + radius / ||g_w|| w` at the solution.
    fn solve(&self) -> Vec<f64> {
        let size = self.along.len();
        let share = 1.0 / size as f64;
        if self.radius <= 0.0 {
            return vec![share; size];
        }
        let (mut w, mut square) = self.at(0.0);
        // What counts as zero: the Gramian holds squares of lengths, so it knows a length to the root of rounding.
        let active = w.iter().enumerate().filter(|(_, w)| **w > 0.0).map(|(i, _)| self.gramian.get(i, i));
        let zero = 1e-12 * active.fold(0.0, f64::max);
        let room = self.radius * self.radius;
        if square <= zero {
            // The gradients cancel. If the radius is too small to undo all conflict, the search goes on.
            let v = dual_cone(&self.gramian, &vec![share; size]);
            let correction: Vec<f64> = v.iter().map(|v| v - share).collect();
            if self.gramian.quadratic(&correction) <= room * (1.0 + 1e-9) {
                return v;
            }
        }
        // On each set of active tasks ||g_w||^2 is linear in s = tau^2, so secants in s end after finitely many steps.
        let excess = |s: f64, square: f64| square - s * room;
        // ||g_w|| is at least that of the shortest vector, found above, and at most the longest gradient.
        let longest = (0..size).map(|i| self.gramian.get(i, i)).fold(0.0, f64::max);
        let (mut low, mut high) = (square.max(zero) / room, longest / room);
        let (mut at_low, mut at_high) = (excess(low, self.at(low.sqrt()).1), excess(high, self.at(high.sqrt()).1));
        for round in 0..100 {
            let secant = low + (high - low) * at_low / (at_low - at_high);
            // Every third round halves the interval, on a logarithmic scale.
            let s = if round % 3 < 2 && secant > low && secant < high { secant } else { (low * high).sqrt() };
            (w, square) = self.at(s.sqrt());
            let left = excess(s, square);
            if left.abs() <= 1e-13 * (square + s * room) || high - low <= 1e-14 * high {
                break;
            }
            if left > 0.0 {
                (low, at_low) = (s, left);
            } else {
                (high, at_high) = (s, left);
            }
        }
        if square <= 0.0 {
            return vec![share; size];
        }
        let length = self.radius / square.sqrt();
        w.iter().map(|w| share + length * w).collect()
    }
}

impl Balancer for CaGrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, _step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let gramian = need(gramian, INFO.name)?;
        let mut weights = if gramian.trace() > 0.0 {
            Problem::new(gramian, self.c).solve()
        } else {
            vec![1.0 / gramian.size() as f64; gramian.size()]
        };
        let divisor = match self.rescale {
            Rescale::None => 1.0,
            Rescale::Linear => 1.0 + self.c,
            Rescale::Square => 1.0 + self.c * self.c,
        };
        weights.iter_mut().for_each(|w| *w /= divisor);
        Ok(Weights::shared_only(weights))
    }
}
