//! From a gradient for each group of losses to the one that a step follows.

/// How a task-by-task gradient becomes one.
#[derive(Clone, Copy, Debug)]
pub enum Combine<'a> {
    /// Copies are added up.
    Sum,
    /// Copies are weighed by group: one weight where a parameter is shared, another where it belongs to one group.
    Weighted {
        /// For shared parameters.
        shared: &'a [f64],
        /// For parameters that one group has to itself.
        heads: &'a [f64],
    },
    /// Shared parameters get a given gradient, flat in their order; the others are weighed.
    Direction {
        /// For shared parameters.
        shared: &'a [f32],
        /// For parameters that one group has to itself.
        heads: &'a [f64],
    },
    /// Every parameter gets a given gradient, flat in their order; that of the backward pass does not count.
    Whole(&'a [f32]),
}
