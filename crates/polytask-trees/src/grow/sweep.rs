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

/// Gains of all places of a sequence, in memory that is used again.
#[derive(Default)]
pub(super) struct Gains {
    pub(super) all: Vec<f32>,
    /// The parts of which they are sums.
    parts: Vec<f32>,
}

/// Puts into `gains.all[i]` the score of both sides when the bins `sequence[..= i]` and what `left` starts with go left and
/// the rest of `total` right; minus infinity where a side has too little.
pub(super) fn sweep(
    statistics: &Statistics,
    cells: &[i32],
    sequence: &[u8],
    left: &mut [i32],
    total: &[i32],
    least: Least,
    gains: &mut Gains,
) {
    let Gains { all: gains, parts } = gains;
    gains.clear();
    gains.resize(sequence.len(), f32::NEG_INFINITY);
    parts.resize(sequence.len() * MOST, 0.0);
    pulp::Arch::new().dispatch(Sweep { statistics, cells, sequence, left, total, least, gains, parts });
}

/// Most outputs whose sums stay in registers.
const MOST: usize = 8;

struct Sweep<'a> {
    statistics: &'a Statistics,
    cells: &'a [i32],
    sequence: &'a [u8],
    left: &'a mut [i32],
    total: &'a [i32],
    least: Least,
    gains: &'a mut [f32],
    parts: &'a mut [f32],
}

impl NullaryFnOnce for Sweep<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        match (self.statistics.width, self.statistics.own) {
            (1, _) => self.few::<1>(),
            (2, false) => self.few::<2>(),
            (4, false) => self.few::<4>(),
            (MOST, false) => self.few::<MOST>(),
            (_, false) => self.common(),
            (2, true) => self.own::<2>(),
            (4, true) => self.own::<4>(),
            (_, true) => self.own::<8>(),
        }
    }
}

/// The sum of a power of two of numbers, half and half.
#[inline(always)]
fn added<const L: usize>(mut parts: [f32; L]) -> f32 {
    let mut half = L / 2;
    while half > 0 {
        for lane in 0..half {
            parts[lane] += parts[lane + half];
        }
        half /= 2;
    }
    parts[0]
}

impl Sweep<'_> {
    /// One Hessian for all of `L` outputs, whose sums stay in registers.
    #[inline(always)]
    fn few<const L: usize>(self) {
        let Self { statistics, cells, sequence, left, total, least, gains, parts } = self;
        let step = statistics.hessian_steps[0];
        // By value, so that they stay in registers.
        let factors = statistics.factors.first_chunk::<L>().copied();
        let [all, sums] = [total, left].map(|cell: &[i32]| cell.first_chunk::<L>().copied());
        let (Some(factors), Some(all), Some(mut sums)) = (factors, all, sums) else { return };
        // What comes last is the count.
        let size = statistics.cell();
        let (mut weight, mut count) = (left[L], left[size - 1]);
        let (whole, rows) = (total[L], total[size - 1]);
        let parts = &mut parts[..L * sequence.len()];
        for ((gain, parts), &bin) in gains.iter_mut().zip(parts.as_chunks_mut::<L>().0).zip(sequence) {
            let cell = &cells[usize::from(bin) * size..][..size];
            for lane in 0..L {
                sums[lane] = sums[lane].wrapping_add(cell[lane]);
            }
            weight = weight.wrapping_add(cell[L]);
            count = count.wrapping_add(cell[size - 1]);
            let others = rows.wrapping_sub(count);
            let (low, high) = (weight as f32 * step, whole.wrapping_sub(weight) as f32 * step);
            if count < least.rows || others < least.rows || low < least.hessian || high < least.hessian {
                continue;
            }
            let (low, high) = (1.0 / (low + least.l2), 1.0 / (high + least.l2));
            for lane in 0..L {
                let l = sums[lane] as f32;
                let r = all[lane].wrapping_sub(sums[lane]) as f32;
                parts[lane] = factors[lane] * (l * l * low + r * r * high);
            }
            *gain = 0.0;
        }
        // In a loop of its own, so that the one above keeps whole registers.
        for (gain, parts) in gains.iter_mut().zip(parts.as_chunks::<L>().0) {
            *gain += added(*parts);
        }
    }

    /// One Hessian for all of many outputs.
    #[inline(always)]
    fn common(self) {
        const L: usize = 8;
        let Self { statistics, cells, sequence, left, total, least, gains, .. } = self;
        let width = statistics.width;
        let size = statistics.cell();
        let step = statistics.hessian_steps[0];
        let (left, total) = (&mut left[..size], &total[..size]);
        let factors = statistics.factors.as_chunks::<L>().0;
        for (gain, &bin) in gains.iter_mut().zip(sequence) {
            let cell = &cells[usize::from(bin) * size..][..size];
            for (sum, &value) in left.iter_mut().zip(cell) {
                *sum = sum.wrapping_add(value);
            }
            let (few, many) = (left[size - 1], total[size - 1] - left[size - 1]);
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
            *gain = added(sums);
        }
    }

    /// A Hessian an output; `L` outputs at a time.
    #[inline(always)]
    fn own<const L: usize>(self) {
        let Self { statistics, cells, sequence, left, total, least, gains, .. } = self;
        let width = statistics.width;
        let size = statistics.cell();
        let (left, total) = (&mut left[..size], &total[..size]);
        let factors = statistics.factors.as_chunks::<L>().0;
        let steps = statistics.hessian_steps.as_chunks::<L>().0;
        for (gain, &bin) in gains.iter_mut().zip(sequence) {
            let cell = &cells[usize::from(bin) * size..][..size];
            for (sum, &value) in left.iter_mut().zip(cell) {
                *sum = sum.wrapping_add(value);
            }
            let (few, many) = (left[size - 1], total[size - 1] - left[size - 1]);
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
            if added(lows) >= least.hessian && added(highs) >= least.hessian {
                *gain = added(sums);
            }
        }
    }
}
