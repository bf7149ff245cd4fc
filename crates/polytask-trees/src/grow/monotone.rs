//! Predictions that only rise or only fall along a feature: a split that would break this gains nothing in the outputs
//! that are bound, and both sides of every split are kept on their side of its middle ever after.

use super::Statistics;

/// Signs of the outputs along a feature: 1 rises, -1 falls, 0 is free. And the bounds of a node's values.
pub(super) struct Bound<'a> {
    pub(super) signs: &'a [i8],
    pub(super) bounds: &'a [[f64; 2]],
}

impl Bound<'_> {
    /// Leaf values of both sides, within the node's bounds.
    fn sides(&self, statistics: &Statistics, left: &[i32], total: &[i32], l2: f64, output: usize) -> (f64, f64) {
        let gradient = statistics.gradient(left, output);
        let hessian = statistics.hessian(left, output);
        let [low, high] = self.bounds[output];
        let rest = statistics.gradient(total, output) - gradient;
        let others = statistics.hessian(total, output) - hessian;
        ((-gradient / (hessian + l2)).clamp(low, high), (-rest / (others + l2)).clamp(low, high))
    }

    /// Gains anew, as [`super::sweep`] finds them, but without what a split would gain in an output whose sign it goes
    /// against: that output will have (nearly) one value on both sides. Other tasks may still want the split.
    #[expect(clippy::too_many_arguments, reason = "the arguments of a sweep")]
    pub(super) fn adjust(
        &self,
        statistics: &Statistics,
        cells: &[i32],
        sequence: &[u8],
        left: &mut [i32],
        total: &[i32],
        l2: f64,
        gains: &mut [f32],
    ) {
        let size = statistics.cell();
        let whole: Vec<f64> = (0..self.signs.len()).map(|output| statistics.score_of(total, output, l2)).collect();
        let mut right = vec![0; size];
        for (gain, &bin) in gains.iter_mut().zip(sequence) {
            left.iter_mut().zip(&cells[usize::from(bin) * size..][..size]).for_each(|(sum, value)| *sum += value);
            if !gain.is_finite() {
                continue;
            }
            right.iter_mut().zip(total.iter().zip(&*left)).for_each(|(right, (all, left))| *right = all - left);
            let one = |output: usize| {
                let (low, high) = self.sides(statistics, left, total, l2, output);
                let against = match self.signs[output] {
                    1 => low > high,
                    -1 => low < high,
                    _ => false,
                };
                match against {
                    true => whole[output],
                    false => statistics.score_of(left, output, l2) + statistics.score_of(&right, output, l2),
                }
            };
            *gain = (0..self.signs.len()).map(one).sum::<f64>() as f32;
        }
    }

    /// Bounds of both children of a split.
    pub(super) fn children(&self, statistics: &Statistics, left: &[i32], total: &[i32], l2: f64) -> [Vec<[f64; 2]>; 2] {
        let mut children = [self.bounds.to_vec(), self.bounds.to_vec()];
        for (output, &sign) in self.signs.iter().enumerate().filter(|sign| *sign.1 != 0) {
            let (low, high) = self.sides(statistics, left, total, l2, output);
            let middle = 0.5 * (low + high);
            let side = usize::from(sign < 0);
            children[side][output][1] = middle;
            children[1 - side][output][0] = middle;
        }
        children
    }
}
