//! ExcessMTL (He et al., "Robust Multi-Task Learning with Excess Risks", ICML 2024). With `S_i` the running sum of
//! squared gradients, elementwise:
//!
//! ```text
//! S_i += g_i^2,   e_i = sum_k g_ik^2 / sqrt(S_ik + 1e-7),   w_i <- w_i exp(rate * e_i / e_i(0)),   sum w = T
//! ```
//!
//! `e_i(0)` is a task's first excess risk, and its first step leaves its weight alone; weights begin at 1. A first
//! excess of zero (no gradient yet) waits for the next. Weights are kept above 1e-6, since a product can never leave
//! zero, and exponents below 50. `S` is kept in single precision: one value a parameter and task. The direction is
//! `sum_i w_i g_i`; heads are weighted too.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "excess",
    title: "ExcessMTL",
    family: Family::Scalarizer,
    needs: Needs::Jacobian,
    heads: Heads::Weighted,
    cost: ALL,
    keys: &[KeyInfo {
        name: "rate",
        default: "0.01",
        range: "above 0, at most 50",
        purpose: "eta, how fast weights follow excess risks",
    }],
    paper: "He et al.: Robust Multi-Task Learning with Excess Risks. ICML 2024",
    when: "some tasks have noisy labels that no training will fit",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("rate", keys.rate, keys.rate > 0.0 && keys.rate <= 50.0)?;
        let task = Risk { weight: 1.0, first: None, squares: Buffer::default() };
        Ok(Box::new(Excess { rate: keys.rate, memory: Memory::new(vec![task; setup.tasks.len()]) }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    rate: f64,
}

#[derive(Clone, Serialize, Deserialize)]
struct Risk {
    weight: f64,
    first: Option<f64>,
    squares: Buffer,
}

struct Excess {
    rate: f64,
    memory: Memory<Vec<Risk>>,
}

impl Excess {
    /// Adds the squared gradients and gives `e`.
    fn risks(&mut self, step: &Step, jacobian: &Jacobian) -> Vec<f64> {
        let mut risks = vec![0.0; step.tasks.len()];
        jacobian.each_block(0..jacobian.width(), |columns, block| {
            for ((row, &task), risk) in block.rows().zip(step.tasks).zip(&mut risks) {
                let squares = &mut self.memory[task].squares.0[columns.clone()];
                for (g, sum) in row.iter().zip(squares) {
                    let square = g * g;
                    let total = (f64::from(*sum) + square).min(f64::from(f32::MAX));
                    *sum = total as f32;
                    *risk += square / (total + 1e-7).sqrt();
                }
            }
        });
        risks
    }
}

impl Balancer for Excess {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let jacobian = &jacobians[0];
        for &task in step.tasks {
            self.memory[task].squares.ready(INFO.name, jacobian.width())?;
        }
        let risks = self.risks(step, jacobian);
        let rate = self.rate;
        for (&task, &risk) in step.tasks.iter().zip(&risks) {
            let state = &mut self.memory[task];
            match state.first {
                Some(first) => state.weight *= (rate * risk / first).min(50.0).exp(),
                None if risk > 0.0 => state.first = Some(risk),
                None => {}
            }
        }
        let sum: f64 = step.tasks.iter().map(|&task| self.memory[task].weight).sum();
        let scale = step.tasks.len() as f64 / sum;
        for &task in step.tasks {
            self.memory[task].weight = (self.memory[task].weight * scale).max(1e-6);
        }
        let weights = Weights::both(step.tasks.iter().map(|&task| self.memory[task].weight).collect());
        jacobian.combine(&weights.shared, out);
        Ok(weights)
    }

    remembers!();
}
