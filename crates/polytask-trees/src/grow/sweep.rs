//! Gains of all thresholds of a feature: cells are added up from the left, and both sides are scored at every step.

use pulp::NullaryFnOnce;

use super::Statistics;

/// What a side must have.
#[derive(Clone, Copy)]
pub(super) struct Least {
    pub(super) rows: i32,
    pub(super) hessian: f32,
    pub(super) l2: f32,
}

/// Puts into `gains[i]` the score of both sides when the bins `sequence[..= i]` and what `left` starts with go left and
/// the rest of `total` right; minus infinity where a side has too little.
pub(super) fn sweep(
    statistics: &Statistics,
    cells: &[i32],
    sequence: &[u8],
    left: &mut [i32],
    total: &[i32],
    least: Least,
    gains: &mut Vec<f32>,
) {
    gains.clear();
    gains.resize(sequence.len(), f32::NEG_INFINITY);
    pulp::Arch::new().dispatch(Sweep { statistics, cells, sequence, left, total, least, gains });
}

struct Sweep<'a> {
    statistics: &'a Statistics,
    cells: &'a [i32],
    sequence: &'a [u8],
    left: &'a mut [i32],
    total: &'a [i32],
    least: Least,
    gains: &'a mut [f32],
}

impl NullaryFnOnce for Sweep<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        match (self.statistics.width, self.statistics.own) {
            (1, _) => self.common::<1>(),
            (2, false) => self.common::<2>(),
            (4, false) => self.common::<4>(),
            (_, false) => self.common::<8>(),
            (2, true) => self.own::<2>(),
            (4, true) => self.own::<4>(),
            (_, true) => self.own::<8>(),
        }
    }
}

impl Sweep<'_> {
    /// One Hessian for all outputs; `L` outputs at a time.
    #[inline(always)]
    fn common<const L: usize>(self) {
        let Self { statistics, cells, sequence, left, total, least, gains } = self;
        let width = statistics.width;
        let size = width + 2;
        let step = statistics.hessian_steps[0];
        let (left, total) = (&mut left[..size], &total[..size]);
        let factors = statistics.factors.as_chunks::<L>().0;
        for (gain, &bin) in gains.iter_mut().zip(sequence) {
            let cell = &cells[usize::from(bin) * size..][..size];
            for (sum, &value) in left.iter_mut().zip(cell) {
                *sum = sum.wrapping_add(value);
            }
            let (few, many) = (left[width + 1], total[width + 1] - left[width + 1]);
            let (low, high) = (left[width] as f32 * step, (total[width] - left[width]) as f32 * step);
            if few < least.rows || many < least.rows || low < least.hessian || high < least.hessian {
                continue;
            }
            let (low, high) = (1.0 / (low + least.l2), 1.0 / (high + least.l2));
            let mut sums = [0.0f32; L];
            for ((factor, left), total) in factors.iter().zip(left.as_chunks::<L>().0).zip(total.as_chunks::<L>().0) {
                for lane in 0..L {
                    let l = left[lane] as f32;
                    let r = total[lane].wrapping_sub(left[lane]) as f32;
                    sums[lane] += factor[lane] * (l * l * low + r * r * high);
                }
            }
            *gain = sums.iter().sum();
        }
    }

    /// A Hessian an output; `L` outputs at a time.
    #[inline(always)]
    fn own<const L: usize>(self) {
        let Self { statistics, cells, sequence, left, total, least, gains } = self;
        let width = statistics.width;
        let size = 2 * width + 1;
        let (left, total) = (&mut left[..size], &total[..size]);
        let factors = statistics.factors.as_chunks::<L>().0;
        let steps = statistics.hessian_steps.as_chunks::<L>().0;
        for (gain, &bin) in gains.iter_mut().zip(sequence) {
            let cell = &cells[usize::from(bin) * size..][..size];
            for (sum, &value) in left.iter_mut().zip(cell) {
                *sum = sum.wrapping_add(value);
            }
            let (few, many) = (left[2 * width], total[2 * width] - left[2 * width]);
            if few < least.rows || many < least.rows {
                continue;
            }
            let (mut sums, mut lows, mut highs) = ([0.0f32; L], [0.0f32; L], [0.0f32; L]);
            let (gradients, hessians) = (left[..width].as_chunks::<L>().0, left[width..2 * width].as_chunks::<L>().0);
            let (all, whole) = (total[..width].as_chunks::<L>().0, total[width..2 * width].as_chunks::<L>().0);
            for chunk in 0..factors.len() {
                for lane in 0..L {
                    let l = gradients[chunk][lane] as f32;
                    let r = all[chunk][lane].wrapping_sub(gradients[chunk][lane]) as f32;
                    let low = hessians[chunk][lane] as f32 * steps[chunk][lane];
                    let high = whole[chunk][lane].wrapping_sub(hessians[chunk][lane]) as f32 * steps[chunk][lane];
                    lows[lane] += low;
                    highs[lane] += high;
                    sums[lane] += factors[chunk][lane] * (l * l / (low + least.l2) + r * r / (high + least.l2));
                }
            }
            if lows.iter().sum::<f32>() >= least.hessian && highs.iter().sum::<f32>() >= least.hessian {
                *gain = sums.iter().sum();
            }
        }
    }
}
