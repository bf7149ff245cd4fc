//! What a model says of the rows of a batch.

use std::ops::Range;

/// What every task's loss reads, in the graph's order of losses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Outputs {
    /// By task.
    pub tasks: Vec<TaskOutput>,
}

/// What one task's loss reads.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TaskOutput {
    /// The prediction, before any link function: numbers, logits, log rates, scores of arcs.
    pub prediction: Values,
    /// Of arcs: the logits of the labels that they may have.
    pub arc_labels: Option<Values>,
    /// Of a conditional random field over tags: its transitions, `(tags + 1) x tags` row-major, the same for all rows.
    pub transitions: Option<Vec<f32>>,
}

/// Values of a node for some rows, end to end: one element a row, or one for each of its elements.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Values {
    values: Vec<f32>,
    width: usize,
    rows: usize,
    /// Where the elements of each row begin, and where the last one's end; none where a row is its only element.
    offsets: Option<Vec<u32>>,
}

impl Outputs {
    /// Adds those of the rows that come next, of the same model.
    pub fn append(&mut self, next: Outputs) {
        if self.tasks.is_empty() {
            *self = next;
            return;
        }
        for (task, next) in self.tasks.iter_mut().zip(next.tasks) {
            task.prediction.append(next.prediction);
            if let (Some(labels), Some(next)) = (&mut task.arc_labels, next.arc_labels) {
                labels.append(next);
            }
        }
    }

    /// Those of some of the rows, as if these had been all.
    pub fn select(&self, rows: Range<usize>) -> Outputs {
        Outputs { tasks: self.tasks.iter().map(|task| task.select(rows.clone())).collect() }
    }
}

impl TaskOutput {
    /// Those of some of the rows, as if these had been all.
    pub fn select(&self, rows: Range<usize>) -> TaskOutput {
        TaskOutput {
            prediction: self.prediction.select(rows.clone()),
            arc_labels: self.arc_labels.as_ref().map(|labels| labels.select(rows)),
            transitions: self.transitions.clone(),
        }
    }

    /// All of it end to end: the prediction, the labels of arcs, the transitions.
    pub fn flat(self) -> Vec<f32> {
        let mut all = self.prediction.values;
        all.extend(self.arc_labels.into_iter().flat_map(|labels| labels.values));
        all.extend(self.transitions.into_iter().flatten());
        all
    }
}

impl Values {
    /// None yet, `width` an element, for rows with so many elements each.
    pub fn of_elements(width: usize, counts: impl Iterator<Item = usize>) -> Self {
        let mut end = 0;
        let offsets: Vec<u32> = std::iter::once(0)
            .chain(counts.map(|count| {
                end += count as u32;
                end
            }))
            .collect();
        let values = Vec::with_capacity(width * end as usize);
        Values { values, width, rows: offsets.len() - 1, offsets: Some(offsets) }
    }

    /// None yet, `width` a row.
    pub fn of_rows(width: usize, rows: usize) -> Self {
        Values { values: Vec::with_capacity(width * rows), width, rows, offsets: None }
    }

    /// Adds the values of the rows that come next.
    pub fn extend(&mut self, values: &[f32]) {
        self.values.extend_from_slice(values);
    }

    /// Adds other rows with their values.
    fn append(&mut self, next: Values) {
        if let (Some(offsets), Some(next)) = (&mut self.offsets, &next.offsets) {
            let end = offsets.last().copied().unwrap_or_default();
            offsets.extend(next.iter().skip(1).map(|at| end + at));
        }
        self.rows += next.rows;
        self.values.extend(next.values);
    }

    /// All of them, `elements x width`, row-major.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Values an element.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of elements.
    pub fn elements(&self) -> usize {
        self.offsets.as_ref().map_or(self.rows, |offsets| offsets.last().map_or(0, |end| *end as usize))
    }

    /// The elements of a row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn elements_of(&self, row: usize) -> Range<usize> {
        match &self.offsets {
            None => row..row + 1,
            Some(offsets) => offsets[row] as usize..offsets[row + 1] as usize,
        }
    }

    /// The values of a row, `elements x width`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn of(&self, row: usize) -> &[f32] {
        let own = self.elements_of(row);
        &self.values[own.start * self.width..own.end * self.width]
    }

    /// Those of some of the rows, as if these had been all.
    ///
    /// # Panics
    /// If there are no such rows.
    pub fn select(&self, rows: Range<usize>) -> Values {
        let (offsets, own) = match &self.offsets {
            None => (None, rows.clone()),
            Some(offsets) => {
                let own = &offsets[rows.start..=rows.end];
                let (start, end) = (offsets[rows.start], offsets[rows.end]);
                (Some(own.iter().map(|at| at - start).collect()), start as usize..end as usize)
            }
        };
        let values = self.values[own.start * self.width..own.end * self.width].to_vec();
        Values { values, width: self.width, rows: rows.len(), offsets }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_keep_their_elements_when_they_are_taken_apart() {
        let mut ragged = Values::of_elements(2, [1, 0, 3, 2].into_iter());
        ragged.extend(&(0..12).map(|v| v as f32).collect::<Vec<_>>());
        assert_eq!(
            (ragged.rows(), ragged.elements(), ragged.of(1), ragged.of(3)),
            (4, 6, &[][..], &[8., 9., 10., 11.][..])
        );
        let part = ragged.select(1..3);
        assert_eq!((part.rows(), part.elements(), part.of(1)), (2, 3, &[2.0, 3.0, 4.0, 5.0, 6.0, 7.0][..]));
        let mut plain = Values::of_rows(1, 3);
        plain.extend(&[1.0, 2.0, 3.0]);
        let output = TaskOutput { prediction: plain, arc_labels: Some(ragged), transitions: Some(vec![7.0]) };
        let part = output.select(2..3);
        assert_eq!((part.prediction.values(), part.prediction.elements()), (&[3.0][..], 1));
        assert_eq!(part.flat(), [3.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 7.0]);
    }
}
