//! SDMGrad (Xiao, Ban, Ji, "Direction-oriented Multi-objective Learning", NeurIPS 2023), from independent batches 1, 2,
//! 3, with `G = J_1 J_2^T / scale^2`, `scale = mean_i sqrt(max((J_1 J_2^T)_ii, 0))`:
//!
//! ```text
//! rounds times:  w <- project(SGD with momentum on  G w + lambda mean_j G_.j) onto the simplex
//! d = J_3^T (w + lambda / T) / (1 + lambda)
//! ```
//!
//! `lambda` pulls the direction towards the mean gradient. `w` begins at 1/T, its velocity at 0; both last from step to
//! step, absent tasks keep theirs, and the present ones share their sum of `w`. Heads are unweighted.

use crate::prelude::*;
use crate::solve::project;
use crate::state::State;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "sdmgrad",
    title: "SDMGrad",
    family: Family::Aggregator,
    needs: Needs::Jacobian,
    heads: Heads::Unweighted,
    cost: "3 T over the shared part, on three batches",
    keys: &[
        KeyInfo { name: "lambda", default: "0.3", range: "at least 0", purpose: "pull towards the mean gradient" },
        KeyInfo { name: "rate", default: "5", range: "above 0", purpose: "rate of the weights" },
        KeyInfo { name: "momentum", default: "0.5", range: "at least 0, below 1", purpose: "momentum of the weights" },
        KeyInfo { name: "rounds", default: "20", range: "from 1 to 10000", purpose: "updates of the weights a step" },
    ],
    paper: "Xiao, Ban, Ji: Direction-oriented Multi-objective Learning: Simple and Provable Stochastic Algorithms. NeurIPS 2023",
    when: "small, noisy batches, and the mean loss matters too",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("lambda", keys.lambda, keys.lambda >= 0.0)?;
        setup.check("rate", keys.rate, keys.rate > 0.0)?;
        setup.check("momentum", keys.momentum, (0.0..1.0).contains(&keys.momentum))?;
        setup.check("rounds", keys.rounds as f64, (1..=10_000).contains(&keys.rounds))?;
        let tasks = setup.tasks.len();
        let fresh = Shares { w: vec![1.0 / tasks as f64; tasks], velocity: vec![0.0; tasks] };
        Ok(Box::new(SdmGrad { keys, memory: Memory::new(fresh) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    lambda: f64,
    rate: f64,
    momentum: f64,
    rounds: u32,
}

#[derive(Clone, Serialize, Deserialize)]
struct Shares {
    w: Vec<f64>,
    velocity: Vec<f64>,
}

impl State for Shares {
    fn fits(&self, fresh: &Self) -> bool {
        self.w.len() == fresh.w.len() && self.velocity.len() == fresh.velocity.len()
    }
}

struct SdmGrad {
    keys: Keys,
    memory: Memory<Shares>,
}

impl Balancer for SdmGrad {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn batches(&self) -> usize {
        3
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let Keys { lambda, rate, momentum, rounds } = self.keys;
        let size = step.tasks.len();
        let cross = jacobians[0].cross(&jacobians[1]);
        let (mut w, sum) = present_shares(&self.memory.w, step);
        let mut velocity: Vec<f64> = step.tasks.iter().map(|&task| self.memory.velocity[task]).collect();
        let scale = (0..size).map(|i| cross[i * size + i].max(0.0).sqrt()).sum::<f64>() / size as f64;
        // Batches whose gradients point apart for every task say nothing about the weights.
        if scale > 0.0 && size > 1 {
            let g: Vec<f64> = cross.iter().map(|v| v / scale / scale).collect();
            let towards_mean: Vec<f64> =
                g.chunks_exact(size).map(|row| lambda * row.iter().sum::<f64>() / size as f64).collect();
            for _ in 0..rounds {
                let pull: Vec<f64> = g.chunks_exact(size).map(|row| dot(row, &w)).collect();
                for i in 0..size {
                    velocity[i] = momentum * velocity[i] + pull[i] + towards_mean[i];
                    w[i] -= rate * velocity[i];
                }
                project(&mut w);
            }
        }
        let shared: Vec<f64> = w.iter().map(|w| (w + lambda / size as f64) / (1.0 + lambda)).collect();
        jacobians[2].combine(&shared, out);
        keep_shares(&mut self.memory.w, step, &w, sum);
        step.tasks.iter().zip(velocity).for_each(|(&task, v)| self.memory.velocity[task] = v);
        Ok(Weights::shared_only(shared))
    }

    remembers!();
}
