//! Systems whose matrix may be singular.

use crate::gramian::Gramian;
use polytask_math::algebra::{Cholesky, Eigen};

/// `pinv(C) b` for a Gramian `C` of unit gradients (and zeros): by Cholesky where `C` is far from singular.
pub(crate) fn pseudo_inverse(cosines: &Gramian, b: &[f64]) -> Vec<f64> {
    if let Some(factor) = Cholesky::whole(cosines.values(), cosines.size(), 1e-6) {
        let mut x = b.to_vec();
        factor.solve(&mut x);
        return x;
    }
    let eigen = Eigen::new(cosines.values(), cosines.size());
    let least = eigen.threshold();
    eigen.apply(|value| if value > least { 1.0 / value } else { 0.0 }, b)
}
