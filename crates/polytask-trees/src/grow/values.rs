//! Leaf values: Newton steps, or quantiles of what is left, from the unrounded gradients.

use rayon::prelude::*;

use super::Structure;
use crate::loss::quantile;

/// What is left of a row's label, and the row's weight; `None` where the label is missing.
pub(crate) type Residual<'a> = dyn Fn(u32) -> Option<(f64, f64)> + Sync + 'a;

/// How the values of one output are found.
pub(crate) struct Valued<'a> {
    /// A quantile of residuals in place of a Newton step.
    pub(crate) quantile: Option<(f64, &'a Residual<'a>)>,
    /// Longest step.
    pub(crate) longest: f64,
}

/// Values of all leaves, one an output, times `rate`. `gradients` and `hessians` have a value an output for every row.
pub(crate) fn values(
    structure: &Structure,
    outputs: &[Valued<'_>],
    gradients: &[f32],
    hessians: &[f32],
    l2: f64,
    rate: f64,
) -> Vec<f32> {
    let count = outputs.len();
    let leaf = |leaf: &super::Leaf| {
        let rows = &structure.rows[leaf.first..leaf.end];
        let mut sums = vec![(0.0f64, 0.0f64); count];
        for &row in rows {
            let at = row as usize * count;
            for (sum, (&gradient, &hessian)) in
                sums.iter_mut().zip(gradients[at..at + count].iter().zip(&hessians[at..at + count]))
            {
                sum.0 += f64::from(gradient);
                sum.1 += f64::from(hessian);
            }
        }
        let value = |(output, valued): (usize, &Valued<'_>)| {
            let value = match valued.quantile {
                Some((level, residual)) => {
                    quantile(&mut rows.iter().filter_map(|&row| residual(row)).collect::<Vec<_>>(), level)
                }
                None if sums[output].1 > 0.0 => -sums[output].0 / (sums[output].1 + l2),
                None => 0.0,
            };
            let [low, high] = leaf.bounds.as_ref().map_or([f64::NEG_INFINITY, f64::INFINITY], |bounds| bounds[output]);
            let bounded = value.clamp(-valued.longest, valued.longest).clamp(low, high);
            (rate * bounded).clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32
        };
        outputs.iter().enumerate().map(value).collect::<Vec<f32>>()
    };
    structure.leaves.par_iter().with_min_len(8).map(leaf).flatten_iter().collect()
}
