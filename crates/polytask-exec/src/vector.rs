//! Loops at the full width of this machine's vector registers.

/// Runs a loop with the widest vector instructions of this machine. The closure must be `#[inline(always)]`: one that the
/// compiler leaves a function of its own has the instructions of any machine. Sums keep their order, so results are the
/// same bits on all machines.
#[inline(always)]
pub fn vectorized<R>(work: impl FnOnce() -> R) -> R {
    pulp::Arch::new().dispatch(work)
}
