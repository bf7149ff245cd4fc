use rayon::prelude::*;

use super::kernel;

/// Rows that one job turns into integers.
const BLOCK: usize = 4096;

/// How one output counts in the choice of splits: factor of its gain.
pub(crate) type Weight = f64;

/// What splits are chosen by, a record of small integers a row.
///
/// Gradients and Hessians of a tree are rounded to 16 bits, each output on a scale of its own, so that sums over rows
/// are sums of integers: the same in any order and on any number of threads (Shi et al., Quantized Training of Gradient
/// Boosting Decision Trees, 2022). Leaf values do not come from these sums.
///
/// Where all outputs have the same Hessian in every row (regression without gaps in the labels), it is kept once.
pub(crate) struct Statistics {
    /// Outputs, filled up to a power of two or a multiple of 8.
    pub(super) width: usize,
    /// Whether every output has a Hessian of its own.
    pub(super) own: bool,
    /// Gradients, Hessians, at the end 1, of every row.
    records: Vec<i16>,
    /// Factor of an output's gain, on integers; the largest is 1. Two arrays of one meaning: see `unit`.
    pub(super) factors: Vec<f32>,
    /// Real gain of a gain of 1.
    pub(super) unit: f64,
    /// Real gradient of 1, an output.
    pub(super) gradient_steps: Vec<f64>,
    /// Real Hessian of 1, an output (or one for all).
    pub(super) hessian_steps: Vec<f32>,
}

/// Outputs with what fills them up.
fn padded(outputs: usize) -> usize {
    if outputs <= 8 { outputs.next_power_of_two() } else { outputs.next_multiple_of(8) }
}

/// Gradients, Hessians, a count, and where these are an odd number a 0 before the count: pairs of integers go through
/// wide registers, single ones do not.
fn cell(width: usize, channels: usize) -> usize {
    (width + channels + 1).next_multiple_of(2)
}

impl Statistics {
    /// From gradients and Hessians of all rows (`outputs` a row), of which `rows` are used; `spare` is memory for records.
    pub(crate) fn new(
        outputs: usize,
        [gradients, hessians]: [&[f32]; 2],
        rows: &[u32],
        weights: &[Weight],
        spare: Vec<i16>,
    ) -> Self {
        let width = padded(outputs);
        let own = outputs > 1
            && !hessians
                .par_chunks(outputs * BLOCK)
                .all(|block| block.chunks_exact(outputs).all(|row| row.iter().all(|hessian| *hessian == row[0])));
        let channels = if own { width } else { 1 };
        let limit = (i32::MAX as usize / rows.len().max(1)).clamp(1, i16::MAX as usize) as f64;
        let step = |most: f32| if most > 0.0 { f64::from(most) / limit } else { 1.0 };
        let [most, heaviest] = [gradients, hessians].map(|values| largest(outputs, values, rows));
        let steps = |most: &[f32], count: usize| -> Vec<f64> {
            (0..count).map(|output| most.get(output).map_or(1.0, |&most| step(most))).collect()
        };
        let (gradient_steps, hessian_steps) = (steps(&most, width), steps(&heaviest, channels));
        let mut real: Vec<f64> = gradient_steps.iter().map(|step| step * step).collect();
        real.iter_mut().enumerate().for_each(|(output, factor)| *factor *= weights.get(output).copied().unwrap_or(0.0));
        let unit = real.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let size = cell(width, channels);
        let mut records = spare;
        records.clear();
        records.resize(gradients.len() / outputs.max(1) * size, 0);
        let inverse = |steps: &[f64]| steps.iter().map(|step| (1.0 / step) as f32).collect::<Vec<f32>>();
        let rounding = Rounding {
            outputs,
            size,
            inverses: [inverse(&gradient_steps[..outputs]), inverse(&hessian_steps[..channels.min(outputs)])],
            second: width,
            exact: limit >= f64::from(i16::MAX) / 2.0,
        };
        records.par_chunks_mut(size * BLOCK).enumerate().for_each(|(block, records)| {
            let first = block * BLOCK * outputs;
            let count = records.len() / size * outputs;
            let values = [&gradients[first..][..count], &hessians[first..][..count]];
            pulp::Arch::new().dispatch(
                #[inline(always)]
                || rounding.put(values, records, first),
            );
        });
        Self {
            width,
            own,
            records,
            factors: real.iter().map(|factor| (factor / unit) as f32).collect(),
            unit,
            gradient_steps,
            hessian_steps: hessian_steps.into_iter().map(|step| step as f32).collect(),
        }
    }

    /// The memory of the records, to be used again.
    pub(crate) fn into_records(self) -> Vec<i16> {
        self.records
    }

    /// Integers in a row's record and in a histogram's cell. The last one is the number of rows.
    pub(super) fn cell(&self) -> usize {
        cell(self.width, if self.own { self.width } else { 1 })
    }

    /// The records of some rows, one after the other, in memory that may have been used before.
    pub(super) fn gather<'a>(&self, rows: &[u32], into: &'a mut Vec<i16>) -> &'a [i16] {
        let size = self.cell();
        if into.len() < rows.len() * size {
            into.resize(rows.len() * size, 0);
        }
        let found = &mut into[..rows.len() * size];
        found
            .par_chunks_mut(BLOCK * size)
            .zip(rows.par_chunks(BLOCK))
            .for_each(|(found, rows)| kernel::gather(&self.records, rows, size, found));
        found
    }

    /// Sums over rows, as a histogram's cell has them.
    pub(super) fn total(&self, rows: &[u32]) -> Vec<i32> {
        let none = || vec![0i32; self.cell()];
        let block = |rows: &[u32]| {
            let mut total = none();
            kernel::total(&mut total, &self.records, rows);
            total
        };
        rows.par_chunks(BLOCK).map(block).reduce(none, |mut all, block| {
            all.iter_mut().zip(block).for_each(|(all, block)| *all += block);
            all
        })
    }

    /// Real Hessian of an output in a cell.
    pub(super) fn hessian(&self, cell: &[i32], output: usize) -> f64 {
        let channel = if self.own { output } else { 0 };
        f64::from(cell[self.width + channel]) * f64::from(self.hessian_steps[channel])
    }

    /// Real gradient of an output in a cell.
    pub(super) fn gradient(&self, cell: &[i32], output: usize) -> f64 {
        f64::from(cell[output]) * self.gradient_steps[output]
    }

    /// What a node is worth when it is not split: the sum of `factor G^2 / (H + l2)`.
    pub(super) fn score(&self, cell: &[i32], l2: f64) -> f64 {
        (0..self.width).map(|output| self.score_of(cell, output, l2)).sum()
    }

    /// One output's part of a score.
    pub(super) fn score_of(&self, cell: &[i32], output: usize, l2: f64) -> f64 {
        let gradient = f64::from(cell[output]);
        f64::from(self.factors[output]) * gradient * gradient / (self.hessian(cell, output) + l2)
    }
}

/// How gradients and Hessians become small integers.
struct Rounding {
    outputs: usize,
    size: usize,
    /// Of gradients and of Hessians: integers in a real 1.
    inverses: [Vec<f32>; 2],
    /// Where Hessians begin in a record.
    second: usize,
    /// Whether there are steps enough to round to the nearest.
    exact: bool,
}

impl Rounding {
    /// Records of some rows, of which the first value is number `first` of all.
    #[inline(always)]
    fn put(&self, [gradients, hessians]: [&[f32]; 2], records: &mut [i16], first: usize) {
        let (outputs, second) = (self.outputs, self.second);
        let [by, per] = &self.inverses;
        let values = gradients.chunks_exact(outputs).zip(hessians.chunks_exact(outputs));
        for (row, (record, (gradients, hessians))) in records.chunks_exact_mut(self.size).zip(values).enumerate() {
            record[self.size - 1] = 1;
            let (gradient, hessian) = record.split_at_mut(second);
            if self.exact {
                gradient.iter_mut().zip(gradients).zip(by).for_each(|((into, value), by)| *into = nearest(value * by));
                hessian.iter_mut().zip(hessians).zip(per).for_each(|((into, value), per)| *into = nearest(value * per));
                continue;
            }
            let at = first + row * outputs;
            for (output, ((into, value), by)) in gradient.iter_mut().zip(gradients).zip(by).enumerate() {
                *into = drawn(value * by, at + output);
            }
            for (output, ((into, value), per)) in hessian.iter_mut().zip(hessians).zip(per).enumerate() {
                *into = drawn(value * per, !(at + output));
            }
        }
    }
}

/// Nearest integer of a number that fits.
#[inline(always)]
fn nearest(value: f32) -> i16 {
    // Adding 1.5 * 2^23 leaves no bits for a fraction: the integer is in the low bits.
    const SHIFT: f32 = 12_582_912.0;
    (value + SHIFT).to_bits() as i16
}

/// With few steps, up or down by chance in proportion (so that small values are not lost in sums). Chance is drawn from
/// the value's place.
#[inline(always)]
fn drawn(value: f32, place: usize) -> i16 {
    let mut bits = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (f64::from(value) + (bits >> 40) as f64 / (1u64 << 24) as f64).floor() as i16
}

/// Largest absolute value of every output in some rows.
fn largest(outputs: usize, values: &[f32], rows: &[u32]) -> Vec<f32> {
    let none = || vec![0.0f32; outputs];
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let block = |rows: &[u32]| {
        let mut most = none();
        pulp::Arch::new().dispatch(
            #[inline(always)]
            || {
                for &row in rows {
                    let row = &values[row as usize * outputs..][..outputs];
                    most.iter_mut().zip(row).for_each(|(most, value)| *most = larger(*most, value.abs()));
                }
            },
        );
        most
    };
    rows.par_chunks(BLOCK).map(block).reduce(none, |mut most, others| {
        most.iter_mut().zip(others).for_each(|(most, other)| *most = larger(*most, other));
        most
    })
}
