//! Small dense linear algebra in `f64`, for up to a few hundred tasks.

mod eigen;
mod factor;
mod newton;
mod nonnegative;
mod simplex;

pub(crate) use eigen::{Eigen, pseudo_inverse};
pub(crate) use factor::Factor;
pub(crate) use newton::proportional;
pub(crate) use nonnegative::{dual_cone, nonnegative};
pub(crate) use simplex::{project, shortest};
