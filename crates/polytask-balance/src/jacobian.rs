//! The task gradients over the shared parameters, read in blocks of columns.

use std::ops::Range;

use crate::error::BalanceError;
use crate::gramian::{Gramian, dot};

/// Columns read at once: with 64 tasks a block of `f64` is 256 KiB and stays in the second-level cache.
const COLUMNS: usize = 512;

/// `J`: one row of `width` values a present task, not owned. All arithmetic is in `f64`, whatever the rows hold.
#[derive(Debug, Clone)]
pub struct Jacobian<'a> {
    rows: Rows<'a>,
    width: usize,
    tensors: &'a [Range<usize>],
}

#[derive(Debug, Clone)]
enum Rows<'a> {
    F32(Vec<&'a [f32]>),
    F64(Vec<&'a [f64]>),
}

/// Where a direction of `width` values goes.
#[derive(Debug)]
pub enum Output<'a> {
    /// Rounded to single precision.
    F32(&'a mut [f32]),
    /// As computed.
    F64(&'a mut [f64]),
}

impl Output<'_> {
    /// Number of values.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F64(values) => values.len(),
        }
    }

    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn write(&mut self, start: usize, values: &[f64]) {
        match self {
            Self::F32(out) => {
                for (o, v) in out[start..start + values.len()].iter_mut().zip(values) {
                    *o = *v as f32;
                }
            }
            Self::F64(out) => out[start..start + values.len()].copy_from_slice(values),
        }
    }

    pub(crate) fn fill_zero(&mut self) {
        match self {
            Self::F32(out) => out.fill(0.0),
            Self::F64(out) => out.fill(0.0),
        }
    }
}

/// A few columns of a Jacobian in `f64`.
pub(crate) struct Block<'a> {
    values: &'a [f64],
    len: usize,
}

impl Block<'_> {
    /// The values of task `i`.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.values[i * self.len..(i + 1) * self.len]
    }

    pub(crate) fn rows(&self) -> impl Iterator<Item = &[f64]> {
        self.values.chunks_exact(self.len)
    }
}

impl<'a> Jacobian<'a> {
    /// A Jacobian of single-precision rows. `tensors` are the column ranges of the parameter tensors, ascending and
    /// without gaps; empty means one tensor. Only `metabalance` and `gradvac` by tensor look at them.
    ///
    /// # Errors
    /// [`BalanceError::Shape`] if rows differ in length or the tensors do not tile the columns.
    pub fn new(rows: Vec<&'a [f32]>, tensors: &'a [Range<usize>]) -> Result<Self, BalanceError> {
        Self::checked(rows.iter().map(|r| r.len()).collect(), Rows::F32(rows), tensors)
    }

    /// As [`new`](Self::new) with double-precision rows.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_f64(rows: Vec<&'a [f64]>, tensors: &'a [Range<usize>]) -> Result<Self, BalanceError> {
        Self::checked(rows.iter().map(|r| r.len()).collect(), Rows::F64(rows), tensors)
    }

    fn checked(lengths: Vec<usize>, rows: Rows<'a>, tensors: &'a [Range<usize>]) -> Result<Self, BalanceError> {
        let width = lengths.first().copied().unwrap_or(0);
        if let Some(row) = lengths.iter().position(|&len| len != width) {
            return Err(BalanceError::Shape(format!(
                "row {row} of the Jacobian has {} values, row 0 has {width}",
                lengths[row]
            )));
        }
        let mut end = 0;
        for tensor in tensors {
            if tensor.start != end || tensor.end < tensor.start {
                return Err(BalanceError::Shape(format!(
                    "tensor {tensor:?} does not begin where the last ended, at {end}"
                )));
            }
            end = tensor.end;
        }
        if !tensors.is_empty() && end != width {
            return Err(BalanceError::Shape(format!("the tensors end at {end}, the rows at {width}")));
        }
        Ok(Self { rows, width, tensors })
    }

    /// Number of present tasks.
    pub fn tasks(&self) -> usize {
        match &self.rows {
            Rows::F32(rows) => rows.len(),
            Rows::F64(rows) => rows.len(),
        }
    }

    /// Number of shared parameters.
    pub fn width(&self) -> usize {
        self.width
    }

    /// The column ranges of the parameter tensors.
    pub fn tensors(&self) -> Vec<Range<usize>> {
        if self.tensors.is_empty() { std::iter::once(0..self.width).collect() } else { self.tensors.to_vec() }
    }

    /// The first row with a value that is not finite.
    pub(crate) fn not_finite(&self) -> Option<usize> {
        match &self.rows {
            Rows::F32(rows) => rows.iter().position(|row| !row.iter().all(|v| v.is_finite())),
            Rows::F64(rows) => rows.iter().position(|row| !row.iter().all(|v| v.is_finite())),
        }
    }

    /// Calls `visit` with the columns of `range`, a block at a time.
    pub(crate) fn each_block(&self, range: Range<usize>, mut visit: impl FnMut(Range<usize>, Block)) {
        let mut scratch = vec![0.0; self.tasks() * COLUMNS.min(range.len())];
        let mut start = range.start;
        while start < range.end {
            let end = (start + COLUMNS).min(range.end);
            let len = end - start;
            self.read(start..end, &mut scratch[..self.tasks() * len]);
            visit(start..end, Block { values: &scratch[..self.tasks() * len], len });
            start = end;
        }
    }

    fn read(&self, columns: Range<usize>, into: &mut [f64]) {
        match &self.rows {
            Rows::F32(rows) => {
                for (row, out) in rows.iter().zip(into.chunks_exact_mut(columns.len())) {
                    for (o, v) in out.iter_mut().zip(&row[columns.clone()]) {
                        *o = f64::from(*v);
                    }
                }
            }
            Rows::F64(rows) => {
                for (row, out) in rows.iter().zip(into.chunks_exact_mut(columns.len())) {
                    out.copy_from_slice(&row[columns.clone()]);
                }
            }
        }
    }

    /// Fills `columns` of `out` a block at a time: `compute` gets the block and a zeroed direction for it.
    pub(crate) fn map(&self, columns: Range<usize>, out: &mut Output, mut compute: impl FnMut(&Block, &mut [f64])) {
        let mut direction = vec![0.0; COLUMNS.min(columns.len())];
        self.each_block(columns, |columns, block| {
            let direction = &mut direction[..columns.len()];
            direction.fill(0.0);
            compute(&block, direction);
            out.write(columns.start, direction);
        });
    }

    /// `G = J J^T`.
    pub fn gramian(&self) -> Gramian {
        self.gramian_of(0..self.width)
    }

    /// `J J^T` over some of the columns.
    pub fn gramian_of(&self, columns: Range<usize>) -> Gramian {
        let tasks = self.tasks();
        let mut sums = vec![0.0; tasks * tasks];
        self.each_block(columns, |_, block| {
            for i in 0..tasks {
                for j in 0..=i {
                    sums[i * tasks + j] += dot(block.row(i), block.row(j));
                }
            }
        });
        Gramian::symmetric(tasks, |i, j| sums[i * tasks + j])
    }

    /// `J K^T` for the Jacobian `K` of another batch, row-major.
    pub(crate) fn cross(&self, other: &Jacobian) -> Vec<f64> {
        let tasks = self.tasks();
        let mut sums = vec![0.0; tasks * tasks];
        let mut scratch = vec![0.0; tasks * COLUMNS];
        self.each_block(0..self.width, |columns, block| {
            let len = columns.len();
            let theirs = &mut scratch[..tasks * len];
            other.read(columns, theirs);
            for i in 0..tasks {
                for j in 0..tasks {
                    sums[i * tasks + j] += dot(block.row(i), &theirs[j * len..(j + 1) * len]);
                }
            }
        });
        sums
    }

    /// `||g_i||` for all tasks.
    pub(crate) fn norms(&self) -> Vec<f64> {
        self.norms_of(0..self.width)
    }

    /// `||g_i||` over some of the columns.
    pub(crate) fn norms_of(&self, columns: Range<usize>) -> Vec<f64> {
        let mut squares = vec![0.0; self.tasks()];
        self.each_block(columns, |_, block| {
            squares.iter_mut().zip(block.rows()).for_each(|(square, row)| *square += dot(row, row));
        });
        squares.into_iter().map(f64::sqrt).collect()
    }

    /// `out = J^T w`.
    pub fn combine(&self, weights: &[f64], out: &mut Output) {
        self.combine_columns(0..self.width, weights, out);
    }

    /// `out = J^T w` for some of the columns.
    pub(crate) fn combine_columns(&self, columns: Range<usize>, weights: &[f64], out: &mut Output) {
        self.map(columns, out, |block, direction| {
            for (row, &w) in block.rows().zip(weights) {
                direction.iter_mut().zip(row).for_each(|(d, g)| *d += w * g);
            }
        });
    }
}
