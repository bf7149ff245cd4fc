//! Where the outputs of each row stand.

use polytask_data::text::{Argument, Frame};
use polytask_exec::{TaskOutput, Values};
use std::ops::Range;

/// A predicate in its sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its token, from 0.
    pub token: u32,
    /// The token in lower case.
    pub form: String,
    /// Its lemma, where that is known.
    pub lemma: Option<String>,
}

impl Place {
    /// The predicate with these arguments.
    pub(super) fn frame(&self, arguments: Vec<Argument>) -> Frame {
        Frame { predicate: self.token as usize, lemma: self.lemma.clone(), roleset: None, arguments }
    }
}

/// The predicates of a row, and how many tokens it has.
pub(crate) type Predicates = (Vec<Place>, usize);

/// How many outputs each row has, and where they stand: one, or one for each of its elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    rows: usize,
    /// Where the elements of each row begin, and where the last one's end; none where a row is its only element.
    offsets: Option<Vec<u32>>,
    /// By row, where outputs are of predicates.
    predicates: Vec<Predicates>,
}

impl Layout {
    /// One output a row.
    pub fn of_rows(rows: usize) -> Self {
        Layout { rows, offsets: None, predicates: Vec::new() }
    }

    /// One output for each element; `counts` are those of each row.
    pub fn of_elements(counts: impl Iterator<Item = u32>) -> Self {
        let mut offsets = vec![0];
        let mut end = 0;
        offsets.extend(counts.map(|count| {
            end += count;
            end
        }));
        Layout { rows: offsets.len() - 1, offsets: Some(offsets), predicates: Vec::new() }
    }

    /// One output for each predicate, or `beside_tokens` for each token beside each predicate.
    pub(crate) fn of_predicates(predicates: Vec<Predicates>, beside_tokens: bool) -> Self {
        let outputs = |(places, tokens): &Predicates| places.len() * if beside_tokens { *tokens } else { 1 };
        let elements = Self::of_elements(predicates.iter().map(|row| outputs(row) as u32));
        Layout { predicates, ..elements }
    }

    /// The same output for every element.
    pub(super) fn repeat(&self, output: &[f32]) -> TaskOutput {
        let mut prediction = Values::of_elements(output.len(), (0..self.rows).map(|row| self.elements(row).len()));
        prediction.extend(&output.repeat(self.count()));
        TaskOutput { prediction, ..TaskOutput::default() }
    }

    /// The predicates of a row.
    pub fn predicates(&self, row: usize) -> &[Place] {
        self.predicates.get(row).map_or(&[], |(places, _)| places)
    }

    /// The number of tokens of a row with predicates.
    pub fn tokens(&self, row: usize) -> usize {
        self.predicates.get(row).map_or(0, |(_, tokens)| *tokens)
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
