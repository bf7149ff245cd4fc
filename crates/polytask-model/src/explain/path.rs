//! From what inputs add before a link to what they add behind it: the slope of the link is averaged over the straight way from
//! the base to the score (integrated gradients, Sundararajan, Taly and Yan 2017, with the inputs' contributions as what
//! changes). What the inputs add still adds up: to the difference of the predictions.

use crate::tasks::{Decision, Link};

/// Parts of the way over whose ends and middles slopes of the softmax are averaged (Simpson's rule).
const PARTS: usize = 32;
/// Scores nearer to each other than this have the slope of their middle.
const NEAR: f64 = 1e-6;

/// What predictions are made by.
#[derive(Clone, Copy)]
pub(super) enum Curve<'a> {
    /// From scores.
    Link(Link),
    /// From predictions behind a link that are calibrated.
    Calibration(Link, &'a Decision),
}

impl Curve<'_> {
    fn link(self) -> Link {
        match self {
            Curve::Link(link) | Curve::Calibration(link, _) => link,
        }
    }

    /// What it makes of a row.
    fn through(self, row: &mut [f64]) {
        if let Curve::Calibration(link, decision) = self {
            link.encode(row);
            row.iter_mut().for_each(|z| *z = decision.logit(*z));
        }
        self.link().decode(row);
    }

    /// How fast a logit grows with what it is the logit, or the logarithm, of.
    fn slope(self, value: f64) -> f64 {
        match self {
            Curve::Link(_) => 1.0,
            Curve::Calibration(_, decision) => decision.scale / value.max(NEAR),
        }
    }
}

/// Takes a base of `K` outputs, and rows of `inputs x K` contributions to them, along a curve.
pub(super) fn along(curve: Curve<'_>, base: &mut [f64], values: &mut [f64], inputs: usize) {
    let width = base.len();
    if width > 0 && inputs > 0 {
        for row in values.chunks_exact_mut(inputs * width) {
            match curve.link() {
                Link::Identity => {}
                Link::Logit | Link::Log => each(curve, base, row),
                Link::Softmax => together(curve, base, row),
            }
        }
    }
    curve.through(base);
}

fn scores(base: &[f64], row: &[f64]) -> Vec<f64> {
    let mut sums = base.to_vec();
    for own in row.chunks_exact(base.len()) {
        sums.iter_mut().zip(own).for_each(|(sum, value)| *sum += value);
    }
    sums
}

/// Outputs that go through the link each for itself.
fn each(curve: Curve<'_>, base: &[f64], row: &mut [f64]) {
    let through = |z: f64| {
        let mut value = [z];
        curve.through(&mut value);
        value[0]
    };
    let slope = |(from, to): (&f64, &f64)| match (to - from).abs() > NEAR {
        true => (through(*to) - through(*from)) / (to - from),
        false => {
            let middle = 0.5 * (from + to);
            (through(middle + NEAR) - through(middle - NEAR)) / (2.0 * NEAR)
        }
    };
    let slopes: Vec<f64> = base.iter().zip(&scores(base, row)).map(slope).collect();
    for own in row.chunks_exact_mut(base.len()) {
        own.iter_mut().zip(&slopes).for_each(|(value, slope)| *value *= slope);
    }
}

/// Classes, which change each other's probabilities.
fn together(curve: Curve<'_>, base: &[f64], row: &mut [f64]) {
    let width = base.len();
    let to = scores(base, row);
    let at = |share: f64| {
        let mut p: Vec<f64> = base.iter().zip(&to).map(|(from, to)| from + share * (to - from)).collect();
        let slopes: Vec<f64> = p.iter().map(|value| curve.slope(*value)).collect();
        curve.through(&mut p);
        (p, slopes)
    };
    // Averages over the way of p_k s_k, and of p_k p_j s_j, of logits that grow by s.
    let (mut single, mut pair) = (vec![0.0; width], vec![0.0; width * width]);
    for step in 0..=2 * PARTS {
        let weight = if step == 0 || step == 2 * PARTS { 1.0 } else { 2.0 * (1.0 + (step % 2) as f64) };
        let weight = weight / (6 * PARTS) as f64;
        let (p, slopes) = at(step as f64 / (2 * PARTS) as f64);
        for (k, own) in pair.chunks_exact_mut(width).enumerate() {
            single[k] += weight * p[k] * slopes[k];
            let others = p.iter().zip(&slopes);
            own.iter_mut().zip(others).for_each(|(pair, (other, slope))| *pair += weight * p[k] * other * slope);
        }
    }
    let (first, last) = (at(0.0).0, at(1.0).0);
    let mut rest: Vec<f64> = last.iter().zip(&first).map(|(last, first)| last - first).collect();
    let mut sizes = vec![0.0; width];
    for own in row.chunks_exact_mut(width) {
        let shared = |pair: &[f64]| pair.iter().zip(&*own).map(|(pair, value)| pair * value).sum::<f64>();
        let new: Vec<f64> =
            pair.chunks_exact(width).enumerate().map(|(k, of)| single[k] * own[k] - shared(of)).collect();
        own.copy_from_slice(&new);
        for (k, value) in new.iter().enumerate() {
            rest[k] -= value;
            sizes[k] += value.abs();
        }
    }
    // What the rule of Simpson missed goes to the inputs by what they add.
    for own in row.chunks_exact_mut(width) {
        for (k, value) in own.iter_mut().enumerate().filter(|(k, _)| sizes[*k] > 0.0) {
            *value += rest[k] * value.abs() / sizes[k];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_inputs_add_adds_up_behind_a_link_too() {
        let row = [0.5, -1.0, 2.0, 3.0, 0.0, -0.25];
        for (link, width) in
            [(Link::Identity, 2), (Link::Logit, 2), (Link::Log, 1), (Link::Softmax, 3), (Link::Softmax, 2)]
        {
            let from = [0.3, -0.7, 1.0];
            let (mut base, mut values) = (from[..width].to_vec(), row.to_vec());
            let mut end = scores(&base, &values);
            link.decode(&mut end);
            along(Curve::Link(link), &mut base, &mut values, row.len() / width);
            let adds_up = |base: &[f64], values: &[f64], end: &[f64]| {
                for (found, wanted) in scores(base, values).iter().zip(end) {
                    assert!((found - wanted).abs() < 1e-12, "{link:?}: {found} for {wanted}");
                }
            };
            adds_up(&base, &values, &end);
            if matches!(link, Link::Logit | Link::Softmax) {
                let decision =
                    Decision { scale: 0.6, shift: if link == Link::Logit { 0.5 } else { 0.0 }, ..Decision::default() };
                let curve = Curve::Calibration(link, &decision);
                curve.through(&mut end);
                along(curve, &mut base, &mut values, row.len() / width);
                adds_up(&base, &values, &end);
            }
        }
    }

    #[test]
    fn two_classes_are_one_logit() {
        // The logit of the second class is the difference of its score and the first's.
        let (mut base, mut values) = (vec![0.0, 0.4], vec![0.0, 3.0, 0.0, -1.0, 0.0, 0.5]);
        along(Curve::Link(Link::Softmax), &mut base, &mut values, 3);
        let (mut one, mut own) = (vec![0.4], vec![3.0, -1.0, 0.5]);
        along(Curve::Link(Link::Logit), &mut one, &mut own, 3);
        assert!((base[1] - one[0]).abs() < 1e-12);
        for (pair, single) in values.chunks_exact(2).zip(&own) {
            assert!((pair[1] - single).abs() < 1e-6 && (pair[0] + pair[1]).abs() < 1e-6, "{pair:?} for {single}");
        }
    }

    #[test]
    fn nothing_changes_where_nothing_was_added() {
        let (mut base, mut values) = (vec![1.0], vec![0.25, -0.25]);
        along(Curve::Link(Link::Log), &mut base, &mut values, 2);
        assert!((values[0] - 0.25 * std::f64::consts::E).abs() < 1e-6 && (values[0] + values[1]).abs() < 1e-12);
    }
}
