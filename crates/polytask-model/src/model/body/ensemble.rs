//! Several models as one: a prediction is the weighted mean of theirs.

use super::Body;

/// Models whose predictions are averaged: numbers, probabilities or rates, not what stands before the link.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Ensemble {
    /// Each counts for at least one task.
    pub members: Vec<Member>,
}

/// One way to model the tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    /// What it is, for people: "boosted trees, shared".
    pub name: String,
    /// Fitted on different rows, of which the plain mean counts; one at least.
    pub bodies: Vec<Body>,
    /// The tasks of the whole model that it predicts, in its own order.
    pub tasks: Vec<usize>,
    /// What it counts for each of these; over all members that predict a task they add up to 1.
    pub weights: Vec<f64>,
}

impl Ensemble {
    /// All models of all members.
    pub fn bodies(&self) -> impl Iterator<Item = &Body> {
        self.members.iter().flat_map(|member| &member.bodies)
    }

    /// What the prediction of a task is made of: the members that count for it, and how much.
    pub fn of_task(&self, task: usize) -> Vec<(&str, f64)> {
        let own = |member: &Member| {
            let at = member.tasks.iter().position(|own| *own == task)?;
            member.weights.get(at).copied().filter(|weight| *weight > 0.0)
        };
        self.members.iter().filter_map(|member| Some((member.name.as_str(), own(member)?))).collect()
    }

    /// A line a task: what its prediction is made of, the largest weight first.
    pub fn text(&self, tasks: &[&str]) -> String {
        let line = |(task, name): (usize, &&str)| {
            let mut members = self.of_task(task);
            members.sort_by(|a, b| b.1.total_cmp(&a.1));
            let part = |(member, weight): &(&str, f64)| format!("{:.0} % {member}", 100.0 * weight);
            format!("{name}: {}\n", members.iter().map(part).collect::<Vec<_>>().join(" + "))
        };
        tasks.iter().enumerate().map(line).collect()
    }

    /// Refuses members that do not make a model of so many tasks.
    pub(crate) fn check(&self, tasks: usize) -> Result<(), String> {
        let mut sums = vec![0.0; tasks];
        for member in &self.members {
            if member.bodies.is_empty() || member.tasks.len() != member.weights.len() {
                return Err(format!("the member {:?} has no model, or not one weight a task", member.name));
            }
            for (task, weight) in member.tasks.iter().zip(&member.weights) {
                let fits = *task < tasks && (0.0..=1.0 + 1e-6).contains(weight);
                match sums.get_mut(*task).filter(|_| fits) {
                    Some(sum) => *sum += weight,
                    None => return Err(format!("the member {:?} has a weight that cannot be", member.name)),
                }
            }
        }
        match sums.iter().all(|sum| (sum - 1.0).abs() < 1e-6) {
            true => Ok(()),
            false => Err("the weights of the members of a task do not add up to 1".to_owned()),
        }
    }
}
