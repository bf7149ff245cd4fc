//! What can be wrong with a problem.

/// Data or settings that make no linear model.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LinearError {
    /// Numbers of values that do not go together.
    #[error("{what}: {got} values where {expected} are expected")]
    Length {
        /// Of what.
        what: &'static str,
        /// How many there are.
        got: usize,
        /// How many there should be.
        expected: usize,
    },
    /// A value that is NaN or infinite, or a weight below 0.
    #[error("{what}: {value} at place {place} is out of range")]
    Value {
        /// Of what.
        what: &'static str,
        /// Counted from 0.
        place: usize,
        /// The value.
        value: f64,
    },
    /// Nothing to learn from.
    #[error("task {0} has no row with a weight above 0")]
    NoRow(usize),
    /// A task of another loss than the squared one, where a closed form is asked for.
    #[error("task {0} has no squared loss")]
    NotSquared(usize),
    /// A setting out of its range.
    #[error("{name} is {value}; {rule}")]
    Setting {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: f64,
        /// What would be right.
        rule: &'static str,
    },
    /// An edge of a task graph that begins or ends nowhere.
    #[error("an edge joins task {task}, of {tasks} tasks")]
    Edge {
        /// Counted from 0.
        task: usize,
        /// How many there are.
        tasks: usize,
    },
    /// A penalty that ties whole tasks together, and tasks of different widths.
    #[error("task {task} has {got} outputs, task 0 has {expected}; this penalty ties output to output")]
    Widths {
        /// Counted from 0.
        task: usize,
        /// Its outputs.
        got: usize,
        /// Those of the first task.
        expected: usize,
    },
}
