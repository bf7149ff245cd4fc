//! MoDo (Chen, Fernando et al., "Three-Way Trade-Off in Multi-Objective Learning", NeurIPS 2023): stochastic MGDA
//! without bias, from independent batches 1, 2, 3:
//!
//! ```text
//! lambda <- project(lambda - gamma (J_1 J_2^T + rho I) lambda) onto the simplex,   d = J_3^T lambda
//! ```
//!
//! With `batches = 2` the direction is the mean of both: `d = 0.5 (J_1 + J_2)^T lambda`. `lambda` begins at 1/T; absent
//! tasks keep theirs, and the present ones share their sum. The shared weights reported are `lambda`. Heads are
//! unweighted.

use crate::prelude::*;
use crate::solve::project;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "modo",
    title: "MoDo",
    family: Family::Aggregator,
    needs: Needs::Jacobian,
    heads: Heads::Unweighted,
    cost: "3 T over the shared part, on three batches (2 T with `batches = 2`)",
    keys: &[
        KeyInfo { name: "gamma", default: "0.001", range: "above 0", purpose: "rate of the weights" },
        KeyInfo { name: "rho", default: "0.1", range: "at least 0", purpose: "pulls the weights towards equal ones" },
        KeyInfo { name: "batches", default: "3", range: "2 or 3", purpose: "batches a step" },
    ],
    paper: "Chen, Fernando et al.: Three-Way Trade-Off in Multi-Objective Learning. NeurIPS 2023",
    when: "small, noisy batches, and generalisation matters more than speed",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("gamma", keys.gamma, keys.gamma > 0.0)?;
        setup.check("rho", keys.rho, keys.rho >= 0.0)?;
        setup.check("batches", keys.batches as f64, (2..=3).contains(&keys.batches))?;
        let tasks = setup.tasks.len();
        Ok(Box::new(MoDo { keys, memory: Memory::new(vec![1.0 / tasks as f64; tasks]) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    gamma: f64,
    rho: f64,
    batches: usize,
}

struct MoDo {
    keys: Keys,
    memory: Memory<Vec<f64>>,
}

impl Balancer for MoDo {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn batches(&self) -> usize {
        self.keys.batches
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let cross = jacobians[0].cross(&jacobians[1]);
        let (mut lambda, sum) = present_shares(&self.memory, step);
        let pull: Vec<f64> = cross.chunks_exact(lambda.len()).map(|row| dot(row, &lambda)).collect();
        for (l, pull) in lambda.iter_mut().zip(pull) {
            *l -= self.keys.gamma * (pull + self.keys.rho * *l);
        }
        project(&mut lambda);
        match jacobians {
            [_, _, third] => third.combine(&lambda, out),
            _ => {
                let mut directions = [vec![0.0; out.len()], vec![0.0; out.len()]];
                for (jacobian, direction) in jacobians.iter().zip(&mut directions) {
                    jacobian.combine(&lambda, &mut Output::F64(direction));
                }
                let [mut mean, second] = directions;
                mean.iter_mut().zip(second).for_each(|(a, b)| *a = 0.5 * (*a + b));
                out.write(0, &mean);
            }
        }
        keep_shares(&mut self.memory, step, &lambda, sum);
        Ok(Weights::shared_only(lambda))
    }

    remembers!();
}
