use rayon::prelude::*;

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
    /// Gradients, then Hessians, of every row.
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

impl Statistics {
    /// From gradients and Hessians of all rows (`outputs` a row), of which `rows` are used.
    pub(crate) fn new(outputs: usize, gradients: &[f32], hessians: &[f32], rows: &[u32], weights: &[Weight]) -> Self {
        let width = padded(outputs);
        let own = outputs > 1
            && !hessians
                .par_chunks(outputs * BLOCK)
                .all(|block| block.chunks_exact(outputs).all(|row| row.iter().all(|hessian| *hessian == row[0])));
        let channels = if own { width } else { 1 };
        let limit = (i32::MAX as usize / rows.len().max(1)).clamp(1, i16::MAX as usize) as f64;
        let step = |most: f32| if most > 0.0 { f64::from(most) / limit } else { 1.0 };
        let largest = largest(outputs, gradients, hessians, rows);
        let gradient_steps: Vec<f64> =
            (0..width).map(|output| largest.get(output).map_or(1.0, |most| step(most.0))).collect();
        let hessian_steps: Vec<f64> =
            (0..channels).map(|channel| largest.get(channel).map_or(1.0, |most| step(most.1))).collect();
        let mut real: Vec<f64> = gradient_steps.iter().map(|step| step * step).collect();
        real.iter_mut().enumerate().for_each(|(output, factor)| *factor *= weights.get(output).copied().unwrap_or(0.0));
        let unit = real.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
        let stride = width + channels;
        let mut records = vec![0i16; gradients.len() / outputs.max(1) * stride];
        let exact = limit >= f64::from(i16::MAX) / 2.0;
        records.par_chunks_mut(stride * BLOCK).enumerate().for_each(|(block, records)| {
            for (place, record) in records.chunks_exact_mut(stride).enumerate() {
                let row = block * BLOCK + place;
                for output in 0..outputs {
                    let at = row * outputs + output;
                    record[output] = rounded(f64::from(gradients[at]) / gradient_steps[output], exact, at);
                    if output < channels {
                        record[width + output] = rounded(f64::from(hessians[at]) / hessian_steps[output], exact, !at);
                    }
                }
            }
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

    /// Integers in a row's record.
    pub(super) fn stride(&self) -> usize {
        self.width + if self.own { self.width } else { 1 }
    }

    /// Integers in a histogram's cell: a record and a count of rows.
    pub(super) fn cell(&self) -> usize {
        self.stride() + 1
    }

    /// The records of some rows, one after the other.
    pub(super) fn gather(&self, rows: &[u32], into: &mut Vec<i16>) {
        let stride = self.stride();
        into.clear();
        into.reserve(rows.len() * stride);
        for &row in rows {
            into.extend_from_slice(&self.records[row as usize * stride..][..stride]);
        }
    }

    /// Sums over records, as a histogram's cell has them.
    pub(super) fn total(&self, records: &[i16]) -> Vec<i32> {
        let stride = self.stride();
        let mut total = vec![0i32; self.cell()];
        for record in records.chunks_exact(stride) {
            total.iter_mut().zip(record).for_each(|(sum, &value)| *sum += i32::from(value));
        }
        total[stride] = (records.len() / stride) as i32;
        total
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

/// Nearest integer; with few steps, up or down by chance in proportion (so that small values are not lost in sums).
/// Chance is drawn from the value's place.
fn rounded(value: f64, exact: bool, place: usize) -> i16 {
    if exact {
        return value.round() as i16;
    }
    let mut bits = (place as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits ^= bits >> 29;
    bits = bits.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (value + (bits >> 40) as f64 / (1u64 << 24) as f64).floor() as i16
}

/// Largest absolute gradient and Hessian of every output.
fn largest(outputs: usize, gradients: &[f32], hessians: &[f32], rows: &[u32]) -> Vec<(f32, f32)> {
    let none = || vec![(0.0f32, 0.0f32); outputs];
    rows.par_chunks(BLOCK)
        .fold(none, |mut most, block| {
            for &row in block {
                let at = row as usize * outputs;
                for (output, most) in most.iter_mut().enumerate() {
                    *most = (most.0.max(gradients[at + output].abs()), most.1.max(hessians[at + output]));
                }
            }
            most
        })
        .reduce(none, |mut a, b| {
            a.iter_mut().zip(b).for_each(|(a, b)| *a = (a.0.max(b.0), a.1.max(b.1)));
            a
        })
}
