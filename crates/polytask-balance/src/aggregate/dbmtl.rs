//! DB-MTL, dual-balancing (Lin et al., "Dual-Balancing for Multi-Task Learning", 2023): logarithms balance the losses,
//! norms balance the gradients. With `ghat_i` the gradient of `log(L_i + 1e-8)` and `t` the task's steps, from 1:
//!
//! ```text
//! B_i <- b B_i + (1 - b) ghat_i,   b = beta / t^sigma
//! d = sum_i (max_j ||B_j|| / (||B_i|| + 1e-8)) B_i
//! ```
//!
//! `B` begins at 0 and is kept in single precision: one value a parameter and task. The shared weights reported are the
//! factors of `B_i`. With one present task `d` is the gradient of its logarithm. Losses must be above 0. Heads learn from
//! `log(L_i + 1e-8)`: their weights are `1 / (L_i + 1e-8)`.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "dbmtl",
    title: "DB-MTL",
    family: Family::Aggregator,
    needs: Needs::Jacobian,
    heads: Heads::Other,
    cost: ALL,
    keys: &[
        KeyInfo { name: "beta", default: "0.9", range: "at least 0, below 1", purpose: "share of the old average" },
        KeyInfo { name: "sigma", default: "0", range: "at least 0", purpose: "how fast that share falls over steps" },
    ],
    paper: "Lin et al.: Dual-Balancing for Multi-Task Learning. arXiv 2308.12029, 2023",
    when: "positive losses and gradients of very different size",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("beta", keys.beta, (0.0..1.0).contains(&keys.beta))?;
        setup.check("sigma", keys.sigma, keys.sigma >= 0.0)?;
        Ok(Box::new(DbMtl { keys, memory: Memory::new(vec![Average::default(); setup.tasks.len()]) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    beta: f64,
    sigma: f64,
}

#[derive(Clone, Default, Serialize, Deserialize)]
struct Average {
    steps: u64,
    gradient: Buffer,
}

struct DbMtl {
    keys: Keys,
    memory: Memory<Vec<Average>>,
}

impl Balancer for DbMtl {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn loss_range(&self, _task: usize) -> LossRange {
        LossRange::Above(0.0)
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let jacobian = &jacobians[0];
        if step.losses.is_empty() {
            return Err(BalanceError::Missing { method: INFO.name, what: "the losses of the present tasks" });
        }
        let heads: Vec<f64> = step.losses.iter().map(|loss| 1.0 / (loss + 1e-8)).collect();
        let mut keep = Vec::new();
        for &task in step.tasks {
            let average = &mut self.memory[task];
            average.gradient.ready(INFO.name, jacobian.width())?;
            average.steps += 1;
            keep.push(self.keys.beta / (average.steps as f64).powf(self.keys.sigma));
        }
        jacobian.each_block(0..jacobian.width(), |columns, block| {
            for (i, (&task, row)) in step.tasks.iter().zip(block.rows()).enumerate() {
                let average = &mut self.memory[task].gradient.0[columns.clone()];
                for (b, g) in average.iter_mut().zip(row) {
                    *b = (keep[i] * f64::from(*b) + (1.0 - keep[i]) * g * heads[i]) as f32;
                }
            }
        });
        if step.tasks.len() == 1 {
            jacobian.combine(&heads, out);
            return Ok(Weights::both(heads));
        }
        let rows = step.tasks.iter().map(|&task| self.memory[task].gradient.0.as_slice()).collect();
        let tracked = Jacobian::new(rows, &[])?;
        let norms = tracked.norms();
        let largest = norms.iter().copied().fold(0.0, f64::max);
        let shared: Vec<f64> = norms.iter().map(|norm| largest / (norm + 1e-8)).collect();
        tracked.combine(&shared, out);
        Ok(Weights { shared, heads })
    }

    remembers!();
}
