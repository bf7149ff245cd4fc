//! Update rules, written once: applied to a part of the parameters at a time, or to a few numbers outside a graph.

mod adam;
mod alone;
mod sgd;

pub use alone::Alone;

use serde::{Deserialize, Serialize};

/// How a gradient becomes a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "rule")]
pub enum Rule {
    /// Gradient descent with momentum, as PyTorch writes it: `v = momentum v + g`, `w -= rate v` (Sutskever et al. 2013
    /// in the Nesterov form `w -= rate (g + momentum v)`).
    Sgd {
        /// 0 for none.
        momentum: f32,
        /// Look ahead along the momentum.
        nesterov: bool,
    },
    /// Adam (Kingma and Ba 2015); with `decay` above 0 AdamW (Loshchilov and Hutter 2019), where weights and tables
    /// shrink by `rate * decay` a step apart from the gradient.
    Adam {
        /// Decay of the mean of gradients.
        beta1: f32,
        /// Decay of the mean of squares.
        beta2: f32,
        /// Added to the root of the mean of squares.
        epsilon: f32,
        /// Decoupled weight decay.
        decay: f32,
    },
}

impl Rule {
    /// The same without weight decay: for scalars that are no weights, a balancer's own for example.
    pub fn without_decay(self) -> Self {
        match self {
            Rule::Adam { beta1, beta2, epsilon, .. } => Rule::Adam { beta1, beta2, epsilon, decay: 0.0 },
            Rule::Sgd { .. } => self,
        }
    }

    /// What a step does whatever the gradient: the share of the last step's velocity that it keeps, and by how much of
    /// themselves, times the learning rate, weights and tables shrink. Adam's running mean counts as part of its gradient.
    pub fn inertia(self) -> Inertia {
        match self {
            Rule::Sgd { momentum, .. } => Inertia { momentum, decay: 0.0 },
            Rule::Adam { decay, .. } => Inertia { momentum: 0.0, decay },
        }
    }

    fn moments(self) -> usize {
        match self {
            Rule::Sgd { momentum, .. } => usize::from(momentum != 0.0),
            Rule::Adam { .. } => 2,
        }
    }
}

/// See [`Rule::inertia`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Inertia {
    /// Share of the last step's velocity.
    pub momentum: f32,
    /// Decoupled weight decay.
    pub decay: f32,
}

/// What changes from step to step.
#[derive(Clone, Copy, Debug)]
pub struct Update {
    /// Learning rate.
    pub rate: f64,
    /// Largest Euclidean norm of the gradient, the L2 term included; a longer one is scaled down to it.
    pub clip: Option<f64>,
    /// Adds `l2 * 0.5 * ||w||^2` over weights and tables to the loss; of tables that are looked up, over the rows of the
    /// batch.
    pub l2: f32,
    /// Counts biases and gains to the L2 term too.
    pub l2_biases: bool,
}

/// A rule with its moments.
#[derive(Clone, Debug, PartialEq)]
pub struct Optimizer {
    rule: Rule,
    state: OptimizerState,
}

/// What an optimizer remembers: enough to go on bit for bit.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OptimizerState {
    /// Steps taken.
    pub step: u64,
    /// Running means, flat as the parameters are: none, one (momentum) or two (Adam's first and second).
    pub moments: Vec<Vec<f32>>,
}

impl Optimizer {
    /// Starts at rest, for this many parameters.
    pub fn new(rule: Rule, parameters: usize) -> Self {
        let moments = (0..rule.moments()).map(|_| vec![0.0; parameters]).collect();
        Optimizer { rule, state: OptimizerState { step: 0, moments } }
    }

    /// What it remembers.
    pub fn state(&self) -> &OptimizerState {
        &self.state
    }

    /// Goes on from a remembered state; false, and no change, if it is not one of this rule and size.
    pub fn restore(&mut self, state: OptimizerState) -> bool {
        let own: Vec<usize> = self.state.moments.iter().map(Vec::len).collect();
        let fits = own == state.moments.iter().map(Vec::len).collect::<Vec<_>>();
        if fits {
            self.state = state;
        }
        fits
    }

    /// The rule.
    pub fn rule(&self) -> Rule {
        self.rule
    }

    /// Counts a step and gives what it applies, and the moments, flat; those that the rule does not keep are empty.
    pub fn begin(&mut self, rate: f64) -> (Stepper, [&mut [f32]; 2]) {
        self.state.step += 1;
        let stepper = Stepper::new(self.rule, self.state.step, rate);
        let mut moments = self.state.moments.iter_mut().map(Vec::as_mut_slice);
        let both = [moments.next().unwrap_or_default(), moments.next().unwrap_or_default()];
        (stepper, both)
    }

    /// One step on plain slices, for a handful of parameters that live outside a graph, a balancer's for example.
    pub fn step(&mut self, rate: f64, values: &mut [f32], gradient: &[f32]) {
        let (stepper, [m, v]) = self.begin(rate);
        stepper.apply(values, gradient, m, v, false);
    }
}

/// A rule at one step, its constants worked out.
#[derive(Clone, Copy, Debug)]
pub struct Stepper(Kind);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Sgd(sgd::Sgd),
    Adam(adam::Adam),
}

impl Stepper {
    fn new(rule: Rule, step: u64, rate: f64) -> Self {
        Stepper(match rule {
            Rule::Sgd { momentum, nesterov } => Kind::Sgd(sgd::Sgd { rate: rate as f32, momentum, nesterov }),
            Rule::Adam { beta1, beta2, epsilon, decay } => {
                Kind::Adam(adam::Adam::new(step, rate, beta1, beta2, epsilon, decay))
            }
        })
    }

    /// The same at a multiple of the learning rate.
    pub fn faster(self, times: f32) -> Self {
        Stepper(match self.0 {
            Kind::Sgd(sgd) => Kind::Sgd(sgd::Sgd { rate: sgd.rate * times, ..sgd }),
            Kind::Adam(adam) => Kind::Adam(adam.faster(times)),
        })
    }

    /// Moves `values` along; they, the gradient and the moments are of the same parameters. Moments that the rule does not
    /// keep are empty. Weights and tables decay.
    pub fn apply(&self, values: &mut [f32], gradient: &[f32], m: &mut [f32], v: &mut [f32], decays: bool) {
        match &self.0 {
            Kind::Sgd(sgd) => sgd.apply(values, gradient, m),
            Kind::Adam(adam) => adam.apply(values, gradient, m, v, decays),
        }
    }
}
