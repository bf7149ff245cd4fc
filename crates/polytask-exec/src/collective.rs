//! Several machines, or processes, at work on one batch.

use std::fmt::Debug;

/// Ranks that run a batch together: every rank knows the whole batch and runs a [`block`](crate::tree::block) of its
/// lanes. A call returns once all ranks have made the same call, and leaves the same on each.
pub trait Collective: Debug + Send + Sync {
    /// This one's number, from 0.
    fn rank(&self) -> usize;

    /// How many there are, at least 1.
    fn size(&self) -> usize;

    /// Each of the first `holders` ranks has a vector; all get the sum, added along the same tree over ranks as lanes are
    /// within one ([`tree`](crate::tree)): neighbours in pairs. What other ranks have in `values` does not count.
    fn sum(&self, values: &mut [f32], holders: usize);

    /// The same in double precision.
    fn sum_f64(&self, values: &mut [f64], holders: usize);

    /// What is in any rank's list, ascending, each once. Lists may differ in length.
    fn union(&self, values: &mut Vec<u32>);

    /// Whether all ranks say the same: of a seed, a config, a data set's fingerprint.
    fn agree(&self, value: u64) -> bool;
}

/// One process on its own: what it has is the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Local;

impl Collective for Local {
    fn rank(&self) -> usize {
        0
    }

    fn size(&self) -> usize {
        1
    }

    fn sum(&self, _values: &mut [f32], _holders: usize) {}

    fn sum_f64(&self, _values: &mut [f64], _holders: usize) {}

    fn union(&self, values: &mut Vec<u32>) {
        values.sort_unstable();
        values.dedup();
    }

    fn agree(&self, _value: u64) -> bool {
        true
    }
}
