//! What a step gives to the tasks that are present in it: preferences, shares, the Gramian.

use crate::balancer::KeyInfo;
use crate::error::BalanceError;
use crate::gramian::Gramian;
use crate::step::Step;

/// `preference`, as every method that has one takes it.
pub(crate) const PREFERENCE: KeyInfo = KeyInfo {
    name: "preference",
    default: "{}",
    range: "{ task = number of at least 0 }, 1 where left out",
    purpose: "how much each task counts; divided by the number of present tasks",
};

/// The Gramian that the guard has already asked for.
pub(crate) fn need<'a>(gramian: Option<&'a Gramian>, method: &'static str) -> Result<&'a Gramian, BalanceError> {
    gramian.ok_or(BalanceError::Missing { method, what: "the Gramian of the task gradients" })
}

/// The present tasks' preferences over their number.
pub(crate) fn over_present(preference: &[f64], step: &Step) -> Vec<f64> {
    let tasks = step.tasks.len() as f64;
    step.tasks.iter().map(|&task| preference[task] / tasks).collect()
}

/// The present tasks' shares of a vector that sums to 1 over all tasks, scaled to sum to 1, and their sum before.
pub(crate) fn present_shares(all: &[f64], step: &Step) -> (Vec<f64>, f64) {
    let present: Vec<f64> = step.tasks.iter().map(|&task| all[task]).collect();
    let sum: f64 = present.iter().sum();
    if sum > 0.0 {
        (present.iter().map(|share| share / sum).collect(), sum)
    } else {
        (vec![1.0 / present.len() as f64; present.len()], sum)
    }
}

/// Puts the present tasks' shares back, with the sum they had.
pub(crate) fn keep_shares(all: &mut [f64], step: &Step, shares: &[f64], sum: f64) {
    step.tasks.iter().zip(shares).for_each(|(&task, share)| all[task] = share * sum);
}
