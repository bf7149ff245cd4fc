//! What a row is described by: numbers, and categories of which only the code is kept.

use crate::LinearError;

/// Features of all rows. A row is its numbers, then a one-hot block for every category; the blocks are never written
/// out, so wide categories cost no more than narrow ones.
#[derive(Clone, Debug, PartialEq)]
pub struct Features {
    rows: usize,
    numbers: Vec<f64>,
    number_width: usize,
    codes: Vec<u32>,
    levels: Vec<usize>,
    /// Where each category's block begins.
    starts: Vec<usize>,
    width: usize,
}

impl Features {
    /// Numbers alone, `rows x width`, row after row.
    ///
    /// # Errors
    /// A number of values that is no multiple of `rows`; a value that is not finite.
    pub fn numbers(rows: usize, numbers: Vec<f64>) -> Result<Self, LinearError> {
        Features::new(rows, numbers, Vec::new(), Vec::new())
    }

    /// Numbers, and the codes of categories, both row after row. `levels` has the number of levels of each category; a
    /// code at or above it (a missing or unseen level) stands for zeros.
    ///
    /// # Errors
    /// Numbers of values that do not go together; a number that is not finite.
    pub fn new(rows: usize, numbers: Vec<f64>, codes: Vec<u32>, levels: Vec<usize>) -> Result<Self, LinearError> {
        let number_width = numbers.len() / rows.max(1);
        for (what, got, expected) in
            [("numbers", numbers.len(), rows * number_width), ("codes", codes.len(), rows * levels.len())]
        {
            if got != expected {
                return Err(LinearError::Length { what, got, expected });
            }
        }
        if let Some(place) = numbers.iter().position(|v| !v.is_finite()) {
            return Err(LinearError::Value { what: "numbers", place, value: numbers[place] });
        }
        let mut width = number_width;
        let mut starts = Vec::with_capacity(levels.len());
        for count in &levels {
            starts.push(width);
            width += count;
        }
        Ok(Features { rows, numbers, number_width, codes, levels, starts, width })
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Features a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Calls `f(feature, value)` for every feature of a row that can differ from 0, in their order.
    pub(crate) fn each(&self, row: u32, mut f: impl FnMut(usize, f64)) {
        let row = row as usize;
        let numbers = &self.numbers[row * self.number_width..][..self.number_width];
        numbers.iter().enumerate().for_each(|(feature, value)| f(feature, *value));
        let codes = &self.codes[row * self.levels.len()..][..self.levels.len()];
        for ((code, levels), start) in codes.iter().zip(&self.levels).zip(&self.starts) {
            if (*code as usize) < *levels {
                f(start + *code as usize, 1.0);
            }
        }
    }

    /// The same as a list of features and one of their values, in vectors that are kept.
    pub(crate) fn gather(&self, row: u32, places: &mut Vec<usize>, values: &mut Vec<f64>) {
        places.clear();
        values.clear();
        self.each(row, |place, value| {
            places.push(place);
            values.push(value);
        });
    }
}
