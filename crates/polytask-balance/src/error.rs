//! What can go wrong, said so that the reader knows what would be right.

use std::fmt::Write as _;

/// Every way a balancer can refuse.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BalanceError {
    /// No method has this name.
    #[error("unknown balancing method `{name}`")]
    UnknownMethod {
        /// The name asked for.
        name: String,
        /// Names that look like it, best first.
        nearest: Vec<String>,
    },
    /// The method has no such hyperparameter.
    #[error("`{method}` has no key `{key}`")]
    UnknownKey {
        /// The method.
        method: &'static str,
        /// The key given.
        key: String,
        /// Keys that look like it, best first.
        nearest: Vec<String>,
        /// Every key the method takes.
        known: Vec<&'static str>,
    },
    /// The value of a hyperparameter has the wrong type or is no known word.
    #[error("`{method}`: the value of `{key}` cannot be used: {message}")]
    BadValue {
        /// The method.
        method: &'static str,
        /// The key.
        key: String,
        /// What is wrong with the value.
        message: String,
    },
    /// A hyperparameter lies outside its range.
    #[error("`{method}`: `{key}` = {value} is out of range, allowed is {range}")]
    OutOfRange {
        /// The method.
        method: &'static str,
        /// The key, with the task where the value is per task.
        key: String,
        /// The value given.
        value: f64,
        /// The range, in words.
        range: &'static str,
    },
    /// A hyperparameter without a default was not given.
    #[error("`{method}` needs the key `{key}`: {purpose}")]
    MissingKey {
        /// The method.
        method: &'static str,
        /// The key.
        key: &'static str,
        /// What it is for.
        purpose: &'static str,
    },
    /// A per-task hyperparameter names a task that does not exist.
    #[error("`{method}`: `{key}` names the task `{task}`, which does not exist")]
    UnknownTask {
        /// The method.
        method: &'static str,
        /// The key.
        key: String,
        /// The task named.
        task: String,
        /// Tasks that look like it, best first.
        nearest: Vec<String>,
    },
    /// The method cannot work with so few tasks.
    #[error("`{method}` with `{key}` = {value} needs at least {least} tasks, there are {have}")]
    TooFewTasks {
        /// The method.
        method: &'static str,
        /// The key that asks for them.
        key: &'static str,
        /// Its value.
        value: usize,
        /// How many tasks are needed.
        least: usize,
        /// How many there are.
        have: usize,
    },
    /// A loss, gradient or KPI is NaN or infinite.
    #[error("the {what} of task `{task}` is not finite at step {step}")]
    NotFinite {
        /// `loss`, `gradient` or `KPI`.
        what: &'static str,
        /// The task's name.
        task: String,
        /// The step's index.
        step: u64,
    },
    /// A loss the method cannot take: zero or negative for those that use its logarithm.
    #[error("`{method}` needs losses {bound}: the loss of task `{task}` is {value} at step {step}")]
    LossRange {
        /// The method.
        method: &'static str,
        /// The task's name.
        task: String,
        /// The loss.
        value: f64,
        /// What is allowed, in words.
        bound: String,
        /// The step's index.
        step: u64,
    },
    /// The caller did not hand over something that the method needs.
    #[error("`{method}` needs {what}")]
    Missing {
        /// The method.
        method: &'static str,
        /// What it needs.
        what: &'static str,
    },
    /// The numbers are so large that the weights are no longer finite.
    #[error("the weights of `{method}` overflow at step {step}")]
    Overflow {
        /// The method.
        method: &'static str,
        /// The step's index.
        step: u64,
    },
    /// A step that a method tried out leads to losses or gradients that are NaN or infinite.
    #[error("a step that `{method}` tries out leads to losses or gradients that are not finite at step {step}")]
    Ahead {
        /// The method.
        method: &'static str,
        /// The step's index.
        step: u64,
    },
    /// Sizes that do not belong together.
    #[error("{0}")]
    Shape(String),
    /// A saved state that does not belong to this method or these tasks, or is damaged.
    #[error("the saved state does not fit `{method}`: {message}")]
    State {
        /// The method.
        method: &'static str,
        /// What does not fit.
        message: String,
    },
}

impl BalanceError {
    /// What would be right, where that is known: to be shown on a line of its own.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::UnknownMethod { nearest, .. } if nearest.is_empty() => Some("see `METHODS` for every name".into()),
            Self::UnknownMethod { nearest, .. } | Self::UnknownTask { nearest, .. } => suggestion(nearest),
            Self::UnknownKey { nearest, known, .. } => suggestion(nearest).or_else(|| {
                Some(if known.is_empty() {
                    "it takes no keys".into()
                } else {
                    format!("its keys are {}", quoted(known))
                })
            }),
            Self::LossRange { .. } => {
                Some("choose a method that takes any loss, such as `equal`, or a loss that stays in range".into())
            }
            Self::Ahead { .. } => Some("lower the method's `inner_rate` or the learning rate".into()),
            Self::NotFinite { what: "loss" | "gradient", .. } => {
                Some("lower the learning rate, clip gradients, or look at that task's labels".into())
            }
            _ => None,
        }
    }
}

fn suggestion(names: &[String]) -> Option<String> {
    (!names.is_empty()).then(|| format!("did you mean {}?", quoted(names)))
}

fn quoted<S: AsRef<str>>(names: &[S]) -> String {
    let mut text = String::new();
    for (i, name) in names.iter().enumerate() {
        let joint = if i == 0 { "" } else { ", " };
        let _ = write!(text, "{joint}`{}`", name.as_ref());
    }
    text
}

/// Up to three of `known` that look like `name`, best first.
pub(crate) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Vec<String> {
    let name = name.to_lowercase().replace('-', "_");
    let mut scored: Vec<(f64, &str)> = known
        .map(|candidate| {
            let other = candidate.to_lowercase();
            // One slip of the finger is near, even in a name too short for shares of letters to say so.
            let slip = if strsim::damerau_levenshtein(&name, &other) <= 1 { 0.9 } else { 0.0 };
            (strsim::jaro_winkler(&name, &other).max(slip), candidate)
        })
        .filter(|(like, _)| *like > 0.75)
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0));
    scored.truncate(3);
    scored.into_iter().map(|(_, candidate)| candidate.to_string()).collect()
}
