//! Wrappers that any aggregator of a Gramian can wear.

use serde_json::{Map, Value, json};

use crate::balancer::Balancer;
use crate::balancer::{Family, Heads, KeyInfo, MethodInfo};
use crate::error::BalanceError;
use crate::gramian::Gramian;
use crate::step::{Learnable, LossRange, Needs, Step, Weights};

/// The keys that every aggregator of a Gramian takes besides its own.
pub static WRAPPER_KEYS: &[KeyInfo] = &[
    KeyInfo {
        name: "normalize",
        default: "false",
        range: "true or false",
        purpose: "give the method unit gradients g_i / ||g_i||, so that only their directions count",
    },
    KeyInfo {
        name: "momentum",
        default: "null",
        range: "at least 0, below 1",
        purpose: "average the method's weights over steps (CR-MOGM, Zhou et al., NeurIPS 2022; 0.9 in the paper)",
    },
];

/// Whether a method can wear the wrappers.
pub(crate) fn fits(info: &MethodInfo) -> bool {
    info.family == Family::Aggregator && info.needs == Needs::Gramian
}

/// Which wrappers were asked for.
pub(crate) struct Wrappers {
    normalize: bool,
    momentum: Option<f64>,
}

/// Takes the wrappers' keys out of a method's, where the method can wear them.
pub(crate) fn split(
    info: &MethodInfo,
    keys: &Map<String, Value>,
) -> Result<(Map<String, Value>, Wrappers), BalanceError> {
    let mut own = keys.clone();
    let mut wrappers = Wrappers { normalize: false, momentum: None };
    if !fits(info) {
        return Ok((own, wrappers));
    }
    let bad = |key: &str, message: &str| BalanceError::BadValue {
        method: info.name,
        key: key.into(),
        message: message.into(),
    };
    if let Some(value) = own.remove("normalize") {
        wrappers.normalize = value.as_bool().ok_or_else(|| bad("normalize", "expected true or false"))?;
    }
    if let Some(value) = own.remove("momentum").filter(|value| !value.is_null()) {
        let momentum = value.as_f64().ok_or_else(|| bad("momentum", "expected a number"))?;
        if !(0.0..1.0).contains(&momentum) {
            return Err(BalanceError::OutOfRange {
                method: info.name,
                key: "momentum".into(),
                value: momentum,
                range: WRAPPER_KEYS[1].range,
            });
        }
        wrappers.momentum = Some(momentum);
    }
    Ok((own, wrappers))
}

impl Wrappers {
    /// Puts the wrappers on: the average is over the weights of unit gradients where both are asked for.
    pub(crate) fn apply(self, method: Box<dyn Balancer>) -> Result<Box<dyn Balancer>, BalanceError> {
        let mut method = method;
        if method.needs() != Needs::Gramian && (self.normalize || self.momentum.is_some()) {
            return Err(BalanceError::BadValue {
                method: method.name(),
                key: if self.normalize { "normalize" } else { "momentum" }.into(),
                message: "it works on a Gramian only, and with these keys the method needs the Jacobian".into(),
            });
        }
        if let Some(rate) = self.momentum {
            method = Box::new(Momentum { inner: method, rate, average: Vec::new() });
        }
        if self.normalize {
            method = Box::new(Normalize { inner: method });
        }
        Ok(method)
    }
}

/// Everything that a wrapper passes on unchanged.
macro_rules! passes_on {
    () => {
        fn info(&self) -> &'static MethodInfo {
            self.inner.info()
        }
        fn needs(&self) -> Needs {
            self.inner.needs()
        }
        fn loss_range(&self, task: usize) -> LossRange {
            self.inner.loss_range(task)
        }
        fn observe(&mut self, step: &Step) -> Result<(), BalanceError> {
            self.inner.observe(step)
        }
        fn end_epoch(&mut self) {
            self.inner.end_epoch();
        }
        fn learnable(&mut self) -> Option<&mut Learnable> {
            self.inner.learnable()
        }
    };
}

/// Unit gradients: `G_ij / (||g_i|| ||g_j||)` goes in, `w_i / ||g_i||` comes out. A zero gradient stays zero and its
/// weight is left alone.
struct Normalize {
    inner: Box<dyn Balancer>,
}

impl Balancer for Normalize {
    passes_on!();

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let Some(gramian) = gramian else {
            return Err(BalanceError::Missing { method: self.name(), what: "the Gramian of the task gradients" });
        };
        let (cosines, norms) = gramian.cosines();
        let mut weights = self.inner.weights(step, Some(&cosines))?;
        divide(&mut weights.shared, &norms);
        if self.info().heads == Heads::Weighted {
            divide(&mut weights.heads, &norms);
        }
        Ok(weights)
    }

    fn state(&self) -> Value {
        self.inner.state()
    }

    fn restore(&mut self, state: &Value) -> Result<(), BalanceError> {
        self.inner.restore(state)
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}

fn divide(weights: &mut [f64], norms: &[f64]) {
    for (w, &norm) in weights.iter_mut().zip(norms) {
        if norm > 0.0 {
            *w /= norm;
        }
    }
}

/// CR-MOGM: `lambda_k = a lambda_{k-1} + (1 - a) lambda-hat_k`, begun at each task's first weight (Zhou et al., "On the
/// Convergence of Stochastic Multi-Objective Gradient Manipulation and Beyond", NeurIPS 2022).
struct Momentum {
    inner: Box<dyn Balancer>,
    rate: f64,
    /// By task number, grown as tasks appear.
    average: Vec<Option<f64>>,
}

impl Balancer for Momentum {
    passes_on!();

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let mut weights = self.inner.weights(step, gramian)?;
        for (&task, w) in step.tasks.iter().zip(&mut weights.shared) {
            if self.average.len() <= task {
                self.average.resize(task + 1, None);
            }
            let average = self.average[task].map_or(*w, |old| self.rate * old + (1.0 - self.rate) * *w);
            self.average[task] = Some(average);
            *w = average;
        }
        if self.info().heads == Heads::Weighted {
            weights.heads.clone_from(&weights.shared);
        }
        Ok(weights)
    }

    fn state(&self) -> Value {
        json!({ "average": self.average, "inner": self.inner.state() })
    }

    fn restore(&mut self, state: &Value) -> Result<(), BalanceError> {
        let average = serde_json::from_value(state["average"].clone())
            .map_err(|error| BalanceError::State { method: self.name(), message: error.to_string() })?;
        self.inner.restore(&state["inner"])?;
        self.average = average;
        Ok(())
    }

    fn reset(&mut self) {
        self.average.clear();
        self.inner.reset();
    }
}
