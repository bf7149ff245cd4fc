//! Columns become bins of one byte: at most 255 for values and one more for what is missing.

mod edges;

use rayon::prelude::*;

use crate::{Column, Features, MISSING, TreesError};

/// An infinite number counts as the largest finite one; `NaN` stays.
pub(crate) fn finite(value: f32) -> f32 {
    value.clamp(f32::MIN, f32::MAX)
}

/// How the values of one column become bins.
#[derive(Clone, Debug)]
pub(crate) enum Bins {
    /// Upper edges of all bins but the last.
    Numbers { edges: Vec<f32> },
    /// Codes in ascending order, a bin each; with `rare`, one more bin for all other codes.
    Categories { codes: Vec<u32>, rare: bool },
}

impl Bins {
    fn fit(column: &Column, rows: &[usize], most: usize) -> Self {
        match column {
            Column::Numbers(values) => {
                Self::Numbers { edges: edges::edges(rows.iter().map(|&row| finite(values[row])), most) }
            }
            Column::Categories(codes) => {
                let mut known: Vec<u32> = rows.iter().map(|&row| codes[row]).filter(|&code| code != MISSING).collect();
                known.sort_unstable();
                let mut counts: Vec<(u32, usize)> = Vec::new();
                for code in known {
                    match counts.last_mut() {
                        Some((last, count)) if *last == code => *count += 1,
                        Some(_) | None => counts.push((code, 1)),
                    }
                }
                let rare = counts.len() > most;
                if rare {
                    counts.sort_by_key(|&(code, count)| (std::cmp::Reverse(count), code));
                    counts.truncate(most - 1);
                    counts.sort_unstable();
                }
                Self::Categories { codes: counts.into_iter().map(|count| count.0).collect(), rare }
            }
        }
    }

    /// Bins of values, without the bin of missing values, which comes after them.
    pub(crate) fn values(&self) -> usize {
        match self {
            Self::Numbers { edges } => edges.len() + 1,
            Self::Categories { codes, rare } => codes.len() + usize::from(*rare),
        }
    }

    pub(crate) fn number(&self, value: f32) -> u8 {
        match self {
            Self::Numbers { edges } if !value.is_nan() => edges.partition_point(|&edge| edge < finite(value)) as u8,
            Self::Numbers { .. } | Self::Categories { .. } => self.values() as u8,
        }
    }

    /// The bin of a code. One that was never seen is as good as missing where no bin holds the rare ones.
    pub(crate) fn category(&self, code: u32) -> u8 {
        match self {
            Self::Categories { codes, rare } if code != MISSING => match codes.binary_search(&code) {
                Ok(bin) => bin as u8,
                Err(_) if *rare => codes.len() as u8,
                Err(_) => self.values() as u8,
            },
            Self::Categories { .. } | Self::Numbers { .. } => self.values() as u8,
        }
    }

    fn put(&self, column: &Column, rows: &[usize], into: &mut [u8]) -> Result<(), TreesError> {
        match (self, column) {
            (Self::Numbers { .. }, Column::Numbers(values)) => {
                into.iter_mut().zip(rows).for_each(|(bin, &row)| *bin = self.number(values[row]));
            }
            (Self::Categories { .. }, Column::Categories(codes)) => {
                into.iter_mut().zip(rows).for_each(|(bin, &row)| *bin = self.category(codes[row]));
            }
            (Self::Numbers { .. }, Column::Categories(_)) | (Self::Categories { .. }, Column::Numbers(_)) => {
                return Err(TreesError::Columns("a column changed between numbers and categories".into()));
            }
        }
        Ok(())
    }
}

/// Bins of every column, fitted on some rows.
pub(crate) fn fit(features: &Features, rows: &[usize], most: usize) -> Vec<Bins> {
    features.columns().par_iter().map(|column| Bins::fit(column, rows, most)).collect()
}

/// The bins of some rows, a column after the other.
pub(crate) struct Matrix {
    rows: usize,
    data: Vec<u8>,
}

impl Matrix {
    pub(crate) fn new(features: &Features, bins: &[Bins], rows: &[usize]) -> Result<Self, TreesError> {
        let mut data = vec![0; rows.len() * bins.len()];
        if !rows.is_empty() {
            data.par_chunks_mut(rows.len())
                .zip(features.columns())
                .zip(bins)
                .try_for_each(|((into, column), bins)| bins.put(column, rows, into))?;
        }
        Ok(Self { rows: rows.len(), data })
    }

    pub(crate) fn column(&self, feature: usize) -> &[u8] {
        &self.data[feature * self.rows..(feature + 1) * self.rows]
    }

    pub(crate) fn get(&self, feature: usize, row: usize) -> u8 {
        self.data[feature * self.rows + row]
    }
}
