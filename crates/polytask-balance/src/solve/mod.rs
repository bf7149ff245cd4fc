//! The small problems that several methods solve, in `f64`, for up to a few hundred tasks.

mod newton;
mod nonnegative;
mod pseudo_inverse;
mod simplex;

pub(crate) use newton::proportional;
pub(crate) use nonnegative::{dual_cone, nonnegative};
pub(crate) use pseudo_inverse::pseudo_inverse;
pub(crate) use simplex::{project, shortest};
