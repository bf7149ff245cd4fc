//! Methods that weigh losses: one loss, one ordinary backward pass.

pub(crate) mod cov;
pub(crate) mod dtp;
pub(crate) mod dwa;
pub(crate) mod equal;
pub(crate) mod excess;
pub(crate) mod famo;
pub(crate) mod fixed;
pub(crate) mod geometric;
pub(crate) mod gradnorm;
pub(crate) mod imtl_l;
pub(crate) mod lbtw;
pub(crate) mod rlw;
pub(crate) mod scale_invariant;
pub(crate) mod stch;
pub(crate) mod uncertainty;
