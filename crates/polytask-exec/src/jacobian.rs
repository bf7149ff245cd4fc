//! Every task's gradient over what the tasks share.

use std::ops::Range;

/// The gradients of all groups over the shared parameters, those that more than one loss reaches.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Jacobian {
    /// One row a group, over all shared parameters end to end; zeros where the group does not reach.
    pub rows: Vec<Vec<f32>>,
    /// Where each shared parameter stands in a row.
    pub tensors: Vec<Range<usize>>,
}
