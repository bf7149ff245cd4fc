//! What a group of tasks is worth: how much its members gain by learning together, by one signal or another.

use super::matrix::Matrix;
use std::sync::Arc;

/// Tasks, one bit each.
pub type Set = u128;

/// Tasks at most.
pub const MOST_TASKS: usize = 128;

/// The tasks of a set, ascending.
pub fn members(set: Set) -> impl Iterator<Item = usize> {
    let mut rest = set;
    std::iter::from_fn(move || {
        let next = (rest != 0).then(|| rest.trailing_zeros() as usize)?;
        rest &= rest - 1;
        Some(next)
    })
}

/// The set of these tasks.
pub fn set_of(tasks: impl IntoIterator<Item = usize>) -> Set {
    tasks.into_iter().fold(0, |set, task| set | 1 << task)
}

/// What a signal says of groups.
#[derive(Clone)]
pub enum Gain {
    /// A task gains the mean over its partners of what each does for it; alone it gains nothing.
    Pairs(Matrix),
    /// Said of every group anew.
    Groups(Arc<dyn Fn(usize, Set) -> f64 + Send + Sync>),
}

impl Gain {
    /// What a task gains in the model that learns `group`, itself included.
    pub fn of(&self, task: usize, group: Set) -> f64 {
        let partners = group & !(1 << task);
        if partners == 0 {
            return 0.0;
        }
        match self {
            Gain::Pairs(matrix) => {
                members(partners).map(|from| matrix.at(from, task)).sum::<f64>() / f64::from(partners.count_ones())
            }
            Gain::Groups(of) => of(task, group),
        }
    }

    /// What all of `served` gain together in the model that learns `group`.
    fn sum(&self, served: Set, group: Set) -> f64 {
        members(served).map(|task| self.of(task, group)).sum()
    }
}

/// What may be grouped, and who counts.
#[derive(Clone)]
pub struct Choice {
    /// What the signal says.
    pub gain: Gain,
    /// Tasks whose gain counts; every one is served by one model.
    pub served: Vec<usize>,
    /// Tasks that any model may learn beside those it serves, for their help alone.
    pub helpers: Set,
}

impl Choice {
    /// What the tasks of `served` gain together in a model of their own, with the helpers that raise it most.
    ///
    /// Helpers join one by one while the sum rises. Where gains are means over pairs this finds the best ones: of each
    /// number of helpers those with the largest sums, and a mean of descending numbers rises and then falls.
    pub fn worth(&self, served: Set) -> (f64, Set) {
        let (mut best, mut group) = (self.gain.sum(served, served), served);
        loop {
            let free = members(self.helpers & !group);
            let joined = free.map(|task| (self.gain.sum(served, group | 1 << task), task));
            let Some((sum, task)) = joined.max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1))) else { break };
            if sum <= best {
                break;
            }
            (best, group) = (sum, group | 1 << task);
        }
        (best, group & !served)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_gains_the_mean_of_what_its_partners_do() {
        // What task i does for task j: 10 i + j.
        let gain = Gain::Pairs(Matrix::from_fn(4, |(i, j)| (10 * i + j) as f64));
        assert_eq!(gain.of(1, 0b0010), 0.0);
        assert_eq!(gain.of(1, 0b1011), (1.0 + 31.0) / 2.0);
        assert_eq!(members(0b1011).collect::<Vec<_>>(), [0, 1, 3]);
        assert_eq!(set_of([3, 0, 1]), 0b1011);
    }

    #[test]
    fn helpers_join_while_they_help() {
        let mut matrix = Matrix::from_fn(5, |_| 0.0);
        for (from, to, value) in [(0, 1, 1.0), (1, 0, 1.0), (2, 0, 3.0), (2, 1, 2.0), (3, 0, -1.0), (4, 1, 1.4)] {
            matrix.set(from, to, value);
        }
        let choice = Choice { gain: Gain::Pairs(matrix), served: vec![0, 1], helpers: 0b11100 };
        // Alone 1 and 1; with task 2 they gain (1 + 3) / 2 and (1 + 2) / 2; tasks 3 and 4 lower the sum.
        assert_eq!(choice.worth(0b11), (3.5, 0b100));
        // Task 0 with task 2 alone gains 3.
        assert_eq!(choice.worth(0b1), (3.0, 0b100));
    }
}
