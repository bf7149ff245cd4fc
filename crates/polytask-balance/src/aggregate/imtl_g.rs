//! IMTL-G (Liu et al., "Towards Impartial Multi-task Learning", ICLR 2021): the weights, summing to 1, for which the
//! direction has the same projection onto every unit gradient `u_i = g_i / ||g_i||`.
//!
//! ```text
//! v = D^-1 pinv(C) 1,   w = v / sum v        with C_ij = <u_i, u_j>,  D = diag(||g_i||)
//! ```
//!
//! Equal to the paper's closed form wherever that has a solution. Weights may be negative. Zero gradients get weight 0.
//! If the weights sum to (nearly) zero, no such combination exists and all are 0: the shared part stands still for a
//! step. Heads are unweighted.

use crate::prelude::*;
use crate::solve::pseudo_inverse;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "imtl_g",
    title: "IMTL-G",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[],
    paper: "Liu et al.: Towards Impartial Multi-task Learning. ICLR 2021",
    when: "every task should advance alike, whatever the size of its gradient",
    build: |_| Ok(Box::new(ImtlG)),
};

struct ImtlG;

impl Balancer for ImtlG {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn weights(&mut self, _step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        Ok(Weights::shared_only(impartial(need(gramian, INFO.name)?)))
    }
}

/// The weights of the file's formula.
pub(crate) fn impartial(gramian: &Gramian) -> Vec<f64> {
    let (cosines, norms) = gramian.cosines();
    // Only ratios of norms matter; relative to the smallest, no sum can overflow.
    let unit = norms.iter().copied().filter(|n| *n > 0.0).fold(f64::INFINITY, f64::min);
    let ones: Vec<f64> = norms.iter().map(|n| if *n > 0.0 { 1.0 } else { 0.0 }).collect();
    let mut v = pseudo_inverse(&cosines, &ones);
    v.iter_mut().zip(&norms).for_each(|(v, n)| *v = if *n > 0.0 { *v * unit / n } else { 0.0 });
    let sum: f64 = v.iter().sum();
    let size: f64 = v.iter().map(|v| v.abs()).sum();
    if sum.abs() <= 1e-12 * size {
        return vec![0.0; v.len()];
    }
    v.iter().map(|v| v / sum).collect()
}
