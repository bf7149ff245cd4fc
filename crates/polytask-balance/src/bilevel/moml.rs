//! MOML, multi-objective meta-learning (Ye, Lin, Yue, Guo, Xiao and Zhang, "Multi-Objective Meta Learning", NeurIPS
//! 2021), for task weights: they are such that the model they make is good for every task on a batch it was not learnt
//! from. With shares `p = softmax(z)`, losses `L` on the inner and `V` on the outer batch:
//!
//! ```text
//! w_0 = theta,  w_{k+1} = w_k - eta grad sum_i p_i L_i(w_k)                  K virtual steps
//! h_j = d V_j(w_K) / d z                                                     one hypergradient a task
//! d = sum_j s_j h_j / ||h_j||,  s = MGDA of the h_j / ||h_j||,               z <- Adam(z, d)
//! ```
//!
//! Backwards along the steps, with `u_K = grad V_j(w_K)`: each gives `-eta <grad L_i(w_k), u_{k+1}>` to
//! `d V_j / d p_i`, and `u_k = u_{k+1} - eta H(w_k) u_{k+1}`, where the product with the Hessian of the weighted loss is
//! a central difference of its gradients over `0.01 / ||u||`. With one virtual step, the default and what the authors'
//! code does, no Hessian is needed. Logits begin at 0, that is at equal shares, and stay where there is a single task.
//! Then the model takes an ordinary step on `sum_i p_i L_i`; heads are weighted too.

use super::{HELD_OUT, OUTER_RATE, Scalar, shares, through_softmax};
use crate::gramian::dot;
use crate::oracle::{Batch, Checked, HeldOut, Oracle, inner, moved};
use crate::prelude::*;
use crate::solve::shortest;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "moml",
    title: "MOML",
    family: Family::Bilevel,
    needs: Needs::Model,
    heads: Heads::Weighted,
    cost: "2 T + 1 over the whole model, T in one many-loss walk",
    keys: &[
        KeyInfo { name: "inner_rate", default: "0.1", range: "above 0", purpose: "eta, length of a virtual step" },
        KeyInfo {
            name: "inner_steps",
            default: "1",
            range: "1 to 20",
            purpose: "K, virtual steps; each beyond the first costs 3 T backward passes more",
        },
        OUTER_RATE,
        HELD_OUT,
    ],
    paper: "Ye, Lin, Yue, Guo, Xiao, Zhang: Multi-Objective Meta Learning. NeurIPS 2021",
    when: "every task should generalise, and there is time to ask which weights make it",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("inner_rate", keys.inner_rate, keys.inner_rate > 0.0)?;
        setup.check("inner_steps", keys.inner_steps as f64, (1..=20).contains(&keys.inner_steps))?;
        setup.check("outer_rate", keys.outer_rate, keys.outer_rate > 0.0)?;
        Ok(Box::new(Moml { keys, memory: Memory::new(vec![Scalar::default(); setup.tasks.len()]) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    inner_rate: f64,
    inner_steps: usize,
    outer_rate: f64,
    held_out: HeldOut,
}

struct Moml {
    keys: Keys,
    memory: Memory<Vec<Scalar>>,
}

/// `sum_i weights[i] rows[i]`
fn blend(rows: &[Vec<f32>], weights: &[f64]) -> Vec<f32> {
    let width = rows.first().map_or(0, Vec::len);
    let value = |k: usize| rows.iter().zip(weights).map(|(row, w)| w * f64::from(row[k])).sum::<f64>();
    (0..width).map(|k| value(k) as f32).collect()
}

impl Moml {
    /// `d V_j / d p_i` for each `j`, a row each.
    fn hypergradients(&self, oracle: &mut Checked, shares: &[f64]) -> Result<Vec<Vec<f64>>, BalanceError> {
        let eta = self.keys.inner_rate;
        // The points of the virtual steps, and the tasks' gradients there.
        let mut way: Vec<(Vec<f32>, Vec<Vec<f32>>)> = Vec::new();
        let mut at = oracle.here();
        for _ in 0..self.keys.inner_steps {
            let slopes = oracle.gradients(Batch::Inner, &at)?;
            let next = moved(&at, -eta, &blend(&slopes, shares));
            way.push((std::mem::replace(&mut at, next), slopes));
        }
        let mut all = Vec::new();
        for mut back in oracle.gradients(Batch::Outer, &at)? {
            let mut hyper = vec![0.0; shares.len()];
            for (k, (point, slopes)) in way.iter().enumerate().rev() {
                for (h, slope) in hyper.iter_mut().zip(slopes) {
                    *h -= eta * inner(slope, &back);
                }
                let norm = inner(&back, &back).sqrt();
                if k > 0 && norm > 0.0 {
                    let reach = 0.01 / norm;
                    let (mut above, mut below) = (vec![0.0; back.len()], vec![0.0; back.len()]);
                    oracle.gradient(Batch::Inner, &moved(point, reach, &back), shares, &mut above)?;
                    oracle.gradient(Batch::Inner, &moved(point, -reach, &back), shares, &mut below)?;
                    let curve = moved(&above, -1.0, &below);
                    back = moved(&back, -eta / (2.0 * reach), &curve);
                }
            }
            all.push(hyper);
        }
        Ok(all)
    }
}

impl Balancer for Moml {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn held_out(&self) -> HeldOut {
        self.keys.held_out
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::both(shares(&self.memory, step)))
    }

    fn explore(
        &mut self,
        step: &Step,
        oracle: &mut dyn Oracle,
        _out: &mut [f32],
    ) -> Result<Option<Weights>, BalanceError> {
        let shares = shares(&self.memory, step);
        let hyper = self.hypergradients(&mut Checked::new(INFO.name, step, oracle), &shares)?;
        let unit = |h: &Vec<f64>| {
            let h = through_softmax(&shares, h);
            let norm = dot(&h, &h).sqrt();
            h.iter().map(|v| if norm > 0.0 { v / norm } else { 0.0 }).collect::<Vec<_>>()
        };
        let units: Vec<Vec<f64>> = hyper.iter().map(unit).collect();
        let weights = shortest(&Gramian::symmetric(units.len(), |i, j| dot(&units[i], &units[j])));
        for (k, &task) in step.tasks.iter().enumerate() {
            let slope = units.iter().zip(&weights).map(|(unit, w)| w * unit[k]).sum();
            self.memory[task].descend(slope, self.keys.outer_rate);
        }
        Ok(None)
    }

    remembers!();
}
