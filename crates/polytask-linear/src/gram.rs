//! Squared losses through the Gramian of their rows: after one pass over the data no row is looked at again.

use crate::task::{Counted, Part, mean};
use crate::{Features, Labels, Matrix};
use polytask_math::algebra::vector::{add, dot};
use rayon::prelude::*;

/// `sum_k 0.5 w_k^T G w_k - w_k^T m_k + 0.5 c_k` over tasks `k` with the same rows: `G` is the weighted covariance of the
/// features, `m_k` their covariance with the labels, `c_k` the variance of the labels.
#[derive(Debug)]
pub(crate) struct Gram {
    gram: Matrix,
    moments: Matrix,
    variances: Vec<f64>,
    /// The tasks' columns in the weights.
    columns: Vec<usize>,
}

/// Values that the partial Gramians of one pass may hold together.
const PARTIAL: usize = 8 << 20;

impl Gram {
    pub(crate) fn new(features: &Features, counted: &Counted, labels: &[&Labels], columns: Vec<usize>) -> Self {
        let width = features.width();
        let center = mean(features, counted);
        let means: Vec<f64> = labels
            .iter()
            .map(|labels| counted.rows.iter().zip(&counted.weights).map(|(r, v)| v * labels.at(*r)).sum())
            .collect();
        // The rows are cut by their number and the width alone, so that the sums do not depend on the threads.
        let size = width * width + width * labels.len();
        let parts = (PARTIAL / size.max(1)).clamp(1, 16).min(counted.rows.len().div_ceil(512)).max(1);
        let each = counted.rows.len().div_ceil(parts);
        let partial = (0..parts).into_par_iter().map(|part| {
            let range = (part * each).min(counted.rows.len())..((part + 1) * each).min(counted.rows.len());
            let mut gram = Matrix::zeros(width, width);
            let mut moments = Matrix::zeros(width, labels.len());
            let mut variances = vec![0.0; labels.len()];
            let (mut places, mut values) = (Vec::new(), Vec::new());
            for (row, weight) in counted.rows[range.clone()].iter().zip(&counted.weights[range]) {
                features.gather(*row, &mut places, &mut values);
                let errors: Vec<f64> = labels.iter().zip(&means).map(|(l, mean)| l.at(*row) - mean).collect();
                variances.iter_mut().zip(&errors).for_each(|(c, e)| *c += weight * e * e);
                for (i, (place, value)) in places.iter().zip(&values).enumerate() {
                    let scaled = weight * value;
                    add(moments.row_mut(*place), scaled, &errors);
                    let out = gram.row_mut(*place);
                    places[i..].iter().zip(&values[i..]).for_each(|(p, v)| out[*p] += scaled * v);
                }
            }
            (gram, moments, variances)
        });
        let mut partial: Vec<_> = partial.collect();
        let (mut gram, mut moments, mut variances) = partial.remove(0);
        for (g, m, c) in &partial {
            gram.add(1.0, g);
            moments.add(1.0, m);
            add(&mut variances, 1.0, c);
        }
        // Only the upper half was summed; centring takes the product of the means off.
        for i in 0..width {
            for j in i..width {
                let centred = gram.get(i, j) - center[i] * center[j];
                *gram.get_mut(i, j) = centred;
                *gram.get_mut(j, i) = centred;
            }
        }
        Gram { gram, moments, variances, columns }
    }

    /// The largest diagonal entry.
    pub(crate) fn curvature(&self) -> f64 {
        (0..self.gram.rows()).map(|j| self.gram.get(j, j)).fold(0.0, f64::max)
    }

    /// Loss and derivatives of its columns.
    pub(crate) fn part(&self, weights: &Matrix, _slope: bool) -> Part {
        let own = weights.select(&self.columns);
        let mut product = self.times(&own);
        let quadratic = own.dot(&product) - 2.0 * own.dot(&self.moments);
        let value = 0.5 * (quadratic + self.variances.iter().sum::<f64>());
        product.add(-1.0, &self.moments);
        let columns = self.columns.clone();
        Part { value, by_weights: product, by_intercepts: vec![0.0; columns.len()], columns }
    }

    /// `G W`
    fn times(&self, own: &Matrix) -> Matrix {
        let (width, columns) = (own.rows(), own.columns());
        let mut out = Matrix::zeros(width, columns);
        let row = |i: usize, out: &mut [f64]| match columns {
            1 => out[0] = dot(self.gram.row(i), own.values()),
            _ => self.gram.row(i).iter().enumerate().for_each(|(k, g)| add(out, *g, own.row(k))),
        };
        if width * width * columns < 1 << 18 {
            out.values_mut().chunks_exact_mut(columns).enumerate().for_each(|(i, out)| row(i, out));
        } else {
            out.values_mut()
                .par_chunks_exact_mut(columns)
                .with_min_len(16)
                .enumerate()
                .for_each(|(i, out)| row(i, out));
        }
        out
    }
}
