//! Auto-Lambda (Liu, James, Davison and Johns, "Auto-Lambda: Disentangling Dynamic Task Relationships", TMLR 2022): a
//! task weighs as much as learning it helps the primary tasks on a batch it was not learnt from. With weights `lambda`,
//! losses `L` on the inner and `V` on the outer batch, learning rate `a`, and `m` what momentum and decay add:
//!
//! ```text
//! theta' = theta - a (grad sum_i lambda_i L_i(theta) + m)              a virtual step
//! v = grad sum_{p primary} V_p(theta')                                 what would help now
//! d V / d lambda_i = -a <grad L_i(theta), v> ~ -a (L_i(theta + e v) - L_i(theta - e v)) / 2 e,      e = 0.01 / ||v||
//! lambda_i <- Adam(lambda_i, d V / d lambda_i)
//! ```
//!
//! Then the model takes an ordinary step on `sum_i lambda_i L_i`; heads are weighted too. With `primary` left out all
//! tasks are primary (multi-task learning); with some of them the others are auxiliary.
//!
//! Weights are kept at 0 or above, where the authors' code lets them go below: a loss with a negative weight would be
//! driven up without bound. They move by about `rate` a step, so a run needs some `initial / rate` steps to drop a task.
//! Without a primary task in the batch, or with a single task, they stay.

use super::{HELD_OUT, Scalar};
use crate::oracle::{Batch, Checked, HeldOut, Oracle, inner, moved};
use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "auto_lambda",
    title: "Auto-Lambda",
    family: Family::Bilevel,
    needs: Needs::Model,
    heads: Heads::Weighted,
    cost: "3, and 2 forward passes",
    keys: &[
        KeyInfo {
            name: "primary",
            default: "null",
            range: "a list of tasks; all where left out",
            purpose: "the tasks that are to get better; the others are learnt as far as they help",
        },
        KeyInfo { name: "initial", default: "0.1", range: "above 0", purpose: "every weight at first" },
        KeyInfo { name: "rate", default: "0.0001", range: "above 0", purpose: "learning rate of the weights (Adam)" },
        HELD_OUT,
    ],
    paper: "Liu, James, Davison, Johns: Auto-Lambda: Disentangling Dynamic Task Relationships. TMLR 2022",
    when: "auxiliary tasks of which nobody knows which ones help",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("initial", keys.initial, keys.initial > 0.0)?;
        setup.check("rate", keys.rate, keys.rate > 0.0)?;
        let mut primary = vec![keys.primary.is_none(); setup.tasks.len()];
        for name in keys.primary.iter().flatten() {
            primary[setup.task("primary", name)?] = true;
        }
        if !primary.contains(&true) {
            let message = "it names no task; leave it out for all of them".into();
            return Err(BalanceError::BadValue { method: INFO.name, key: "primary".into(), message });
        }
        Ok(Box::new(AutoLambda {
            primary,
            rate: keys.rate,
            held_out: keys.held_out,
            memory: Memory::new(vec![Scalar::new(keys.initial); setup.tasks.len()]),
        }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    primary: Option<Vec<String>>,
    initial: f64,
    rate: f64,
    held_out: HeldOut,
}

struct AutoLambda {
    primary: Vec<bool>,
    rate: f64,
    held_out: HeldOut,
    memory: Memory<Vec<Scalar>>,
}

impl AutoLambda {
    fn lambda(&self, step: &Step) -> Vec<f64> {
        step.tasks.iter().map(|&task| self.memory[task].value).collect()
    }
}

impl Balancer for AutoLambda {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn held_out(&self) -> HeldOut {
        self.held_out
    }

    fn weights(&mut self, step: &Step, _gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::both(self.lambda(step)))
    }

    fn explore(
        &mut self,
        step: &Step,
        oracle: &mut dyn Oracle,
        _out: &mut [f32],
    ) -> Result<Option<Weights>, BalanceError> {
        let judges: Vec<f64> = step.tasks.iter().map(|&task| f64::from(u8::from(self.primary[task]))).collect();
        if !judges.contains(&1.0) {
            return Ok(None);
        }
        let mut oracle = Checked::new(INFO.name, step, oracle);
        let (here, rate) = (oracle.here(), oracle.rate());
        let (mut along, mut drift) = (vec![0.0; here.len()], vec![0.0; here.len()]);
        oracle.gradient(Batch::Inner, &here, &self.lambda(step), &mut along)?;
        oracle.drift(&mut drift);
        let ahead = moved(&moved(&here, -rate, &drift), -rate, &along);
        oracle.gradient(Batch::Outer, &ahead, &judges, &mut along)?;
        let norm = inner(&along, &along).sqrt();
        if norm == 0.0 {
            return Ok(None);
        }
        let reach = 0.01 / norm;
        let above = oracle.losses(Batch::Inner, &moved(&here, reach, &along))?;
        let below = oracle.losses(Batch::Inner, &moved(&here, -reach, &along))?;
        for ((&task, above), below) in step.tasks.iter().zip(above).zip(below) {
            let lambda = &mut self.memory[task];
            lambda.descend(-rate * (above - below) / (2.0 * reach), self.rate);
            lambda.value = lambda.value.max(0.0);
        }
        Ok(None)
    }

    remembers!();
}
