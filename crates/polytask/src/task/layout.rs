//! Where the outputs of each row stand.

use std::ops::Range;

/// How many outputs each row has, and where they stand: one, or one for each of its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    rows: usize,
    /// Where the elements of each row begin, and where the last one's end; none where a row is its only element.
    offsets: Option<Vec<u32>>,
}

impl Layout {
    /// One output a row.
    pub fn of_rows(rows: usize) -> Self {
        Layout { rows, offsets: None }
    }

    /// One output for each element; `counts` are those of each row.
    pub fn of_elements(counts: impl Iterator<Item = u32>) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        offsets.extend(counts.map(|count| {
            end += count;
            end
        }));
        Layout { rows: offsets.len() - 1, offsets: Some(offsets) }
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// The number of outputs.
    pub fn count(&self) -> usize {
        self.offsets.as_ref().map_or(self.rows, |offsets| offsets.last().map_or(0, |end| *end as usize))
    }

    /// The outputs of a row.
    pub fn elements(&self, row: usize) -> Range<usize> {
        match &self.offsets {
            None => row..row + 1,
            Some(offsets) => match offsets.get(row..row + 2) {
                Some(&[start, end]) => start as usize..end as usize,
                _ => 0..0,
            },
        }
    }
}
