//! The graph for people: as a table of its layers, and as a drawing in which what is shared has one colour and what
//! belongs to one task has that task's own.

mod layout;
mod svg;
mod text;

use crate::{Graph, LossId, Op, Shape};

/// Whom a layer learns from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Owner {
    /// No loss depends on it.
    Nobody,
    /// One task's own.
    Task(LossId),
    /// Some tasks.
    Some(Vec<LossId>),
    /// All tasks of several.
    All,
}

impl Graph {
    fn owner(&self, losses: &[LossId]) -> Owner {
        match losses {
            [] => Owner::Nobody,
            [only] => Owner::Task(*only),
            all if all.len() == self.losses.len() => Owner::All,
            some => Owner::Some(some.to_vec()),
        }
    }

    /// The owner in words: a task's name, the names of several, or "all tasks".
    fn owner_words(&self, owner: &Owner) -> String {
        let name = |loss: &LossId| self.losses[loss.0].task.clone();
        match owner {
            Owner::Nobody => "nobody".to_owned(),
            Owner::Task(loss) => name(loss),
            Owner::Some(losses) => losses.iter().map(name).collect::<Vec<_>>().join(", "),
            Owner::All => "all tasks".to_owned(),
        }
    }

    /// Trained scalars of a node.
    fn node_parameters(&self, op: &Op) -> usize {
        op.parameters().iter().map(|p| self.parameter(*p).len()).sum()
    }
}

/// A shape as people write it: `64`, or `28 x 28 x 3`.
fn dims(shape: &Shape) -> String {
    shape.0.iter().map(usize::to_string).collect::<Vec<_>>().join(" x ")
}

/// A whole number with its thousands apart: 12,345.
pub fn count(value: usize) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
