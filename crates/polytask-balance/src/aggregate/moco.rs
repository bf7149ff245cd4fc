//! MoCo (Fernando et al., "Mitigating Gradient Bias in Multi-objective Learning", ICLR 2023): a moving average of each
//! task's gradient takes the bias out of stochastic weights. With `ghat_i = L_i g_i / ||g_i||`, step `t` from 1:
//!
//! ```text
//! Y_i <- Y_i - beta_t (Y_i - ghat_i)                                          beta_t  = beta / sqrt(t)
//! lambda <- softmax(lambda - gamma_t (Y Y^T + rho I) lambda),   d = Y^T lambda     gamma_t = gamma / sqrt(t)
//! ```
//!
//! as in the authors' code; `constraint = "simplex"` projects onto the simplex instead, as in the paper. `Y` begins at 0
//! and `lambda` at 1/T; both are kept for absent tasks, and the present ones share their sum of `lambda`. `Y` is kept in
//! single precision: one value a parameter and task. The shared weights reported are `lambda`. With one present task `d`
//! is its own gradient. Needs the losses. Heads are unweighted.

use crate::prelude::*;
use crate::scalars::softmax;
use crate::solve::project;
use crate::state::State;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "moco",
    title: "MoCo",
    family: Family::Aggregator,
    needs: Needs::Jacobian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[
        KeyInfo {
            name: "beta",
            default: "0.5",
            range: "above 0, at most 1",
            purpose: "share of the newest gradient in the average, at the first step",
        },
        KeyInfo { name: "gamma", default: "0.1", range: "above 0", purpose: "rate of the weights, at the first step" },
        KeyInfo { name: "rho", default: "0", range: "at least 0", purpose: "pulls the weights towards equal ones" },
        KeyInfo {
            name: "constraint",
            default: "\"softmax\"",
            range: "softmax or simplex",
            purpose: "what keeps the weights summing to 1",
        },
    ],
    paper: "Fernando et al.: Mitigating Gradient Bias in Multi-objective Learning. ICLR 2023",
    when: "small, noisy batches, where weights solved for on one batch mislead",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("beta", keys.beta, keys.beta > 0.0 && keys.beta <= 1.0)?;
        setup.check("gamma", keys.gamma, keys.gamma > 0.0)?;
        setup.check("rho", keys.rho, keys.rho >= 0.0)?;
        let tasks = setup.tasks.len();
        let fresh = Average { steps: 0, lambda: vec![1.0 / tasks as f64; tasks], y: vec![Buffer::default(); tasks] };
        Ok(Box::new(MoCo { keys, memory: Memory::new(fresh) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    beta: f64,
    gamma: f64,
    rho: f64,
    constraint: Constraint,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Constraint {
    Softmax,
    Simplex,
}

#[derive(Clone, Serialize, Deserialize)]
struct Average {
    steps: u64,
    lambda: Vec<f64>,
    y: Vec<Buffer>,
}

impl State for Average {
    fn fits(&self, fresh: &Self) -> bool {
        self.lambda.len() == fresh.lambda.len() && self.y.len() == fresh.y.len()
    }
}

struct MoCo {
    keys: Keys,
    memory: Memory<Average>,
}

impl MoCo {
    /// `Y_i <- Y_i - beta_t (Y_i - ghat_i)`.
    fn average(&mut self, step: &Step, jacobian: &Jacobian, rate: f64) {
        let scale = |(norm, loss): (f64, &f64)| if norm > 0.0 { loss / norm } else { 0.0 };
        let scales: Vec<f64> = jacobian.norms().into_iter().zip(step.losses).map(scale).collect();
        jacobian.each_block(0..jacobian.width(), |columns, block| {
            for ((&task, row), scale) in step.tasks.iter().zip(block.rows()).zip(&scales) {
                for (y, g) in self.memory.y[task].0[columns.clone()].iter_mut().zip(row) {
                    let old = f64::from(*y);
                    *y = (old - rate * (old - scale * g)) as f32;
                }
            }
        });
    }
}

impl Balancer for MoCo {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let jacobian = &jacobians[0];
        if step.losses.is_empty() {
            return Err(BalanceError::Missing { method: INFO.name, what: "the losses of the present tasks" });
        }
        for &task in step.tasks {
            self.memory.y[task].ready(INFO.name, jacobian.width())?;
        }
        self.memory.steps += 1;
        let decay = (self.memory.steps as f64).sqrt();
        self.average(step, jacobian, self.keys.beta / decay);
        if step.tasks.len() == 1 {
            jacobian.combine(&[1.0], out);
            return Ok(Weights::ones(1));
        }
        let rows = step.tasks.iter().map(|&task| self.memory.y[task].0.as_slice()).collect();
        let tracked = Jacobian::new(rows, &[])?;
        let (mut lambda, sum) = present_shares(&self.memory.lambda, step);
        let pull = tracked.gramian().times(&lambda);
        for (l, pull) in lambda.iter_mut().zip(pull) {
            *l -= self.keys.gamma / decay * (pull + self.keys.rho * *l);
        }
        match self.keys.constraint {
            Constraint::Softmax => lambda = softmax(&lambda),
            Constraint::Simplex => project(&mut lambda),
        }
        tracked.combine(&lambda, out);
        keep_shares(&mut self.memory.lambda, step, &lambda, sum);
        Ok(Weights::shared_only(lambda))
    }

    remembers!();
}
