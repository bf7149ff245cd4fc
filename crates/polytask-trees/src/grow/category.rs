//! Sets of categories: those are put into an order in which the best set is (nearly) a prefix.

use super::Statistics;

/// Steps of the power iteration; the direction need not be exact.
const STEPS: usize = 6;

/// Brings the bins of a node's categories into the order of their leaf values, smoothed.
///
/// For one output this is the order of `G / (H + smoothing)`, in which the best of all sets is a prefix (Fisher 1958).
/// For several it is the order along the direction in which categories differ most, the first principal component of
/// their leaf values, each counted by what it could gain.
pub(super) fn order(statistics: &Statistics, cells: &[i32], total: &[i32], smoothing: f64, bins: &mut Vec<u8>) {
    let width = statistics.width;
    let size = statistics.cell();
    let rows = f64::from(total[size - 1].max(1));
    // A row's worth of Hessian.
    let smooth: Vec<f64> =
        (0..width).map(|output| smoothing * statistics.hessian(total, output) / rows + 1e-9).collect();
    // Values of each category, in units in which their squares times Hessians are gains.
    let roots: Vec<f64> = statistics.factors.iter().map(|factor| f64::from(*factor).sqrt()).collect();
    let values: Vec<f64> = bins
        .iter()
        .flat_map(|&bin| {
            let cell = &cells[usize::from(bin) * size..][..size];
            let (roots, smooth) = (&roots, &smooth);
            (0..width).map(move |output| {
                let all = statistics.hessian(total, output) + smooth[output];
                let mean = f64::from(total[output]) / all;
                roots[output] * (f64::from(cell[output]) / (statistics.hessian(cell, output) + smooth[output]) - mean)
            })
        })
        .collect();
    let counts: Vec<f64> = bins.iter().map(|&bin| f64::from(cells[usize::from(bin) * size + size - 1])).collect();
    let direction = direction(width, &values, &counts);
    let along: Vec<f64> = values.chunks_exact(width).map(|value| dot(value, &direction)).collect();
    let mut places: Vec<usize> = (0..bins.len()).collect();
    places.sort_by(|&a, &b| along[a].total_cmp(&along[b]).then(a.cmp(&b)));
    *bins = places.into_iter().map(|place| bins[place]).collect();
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The first principal component of weighted values, by power iteration from the largest of them.
fn direction(width: usize, values: &[f64], counts: &[f64]) -> Vec<f64> {
    if width == 1 {
        return vec![1.0];
    }
    let largest =
        values.chunks_exact(width).zip(counts).max_by(|a, b| (dot(a.0, a.0) * a.1).total_cmp(&(dot(b.0, b.0) * b.1)));
    let mut direction = largest.map_or_else(|| vec![1.0; width], |largest| largest.0.to_vec());
    for _ in 0..STEPS {
        let norm = dot(&direction, &direction).sqrt();
        if !(norm > 0.0 && norm.is_finite()) {
            break;
        }
        direction.iter_mut().for_each(|part| *part /= norm);
        let mut next = vec![0.0; width];
        for (value, count) in values.chunks_exact(width).zip(counts) {
            let along = count * dot(value, &direction);
            next.iter_mut().zip(value).for_each(|(next, part)| *next += along * part);
        }
        direction = next;
    }
    direction
}
