//! What the details of a task are made from.

use crate::rows::{Measured, Rows};
use crate::run::Run;
use polytask::tasks::Task;

/// What the details of a task are made from.
pub struct Context<'a> {
    /// The directory.
    pub run: &'a Run,
    /// The rows.
    pub rows: &'a Rows,
    /// The task.
    pub task: &'a Task,
    /// On its labelled rows.
    pub measured: &'a Measured,
    /// Points that a cloud may have, so that a report of many tasks stays small.
    pub points: usize,
}
