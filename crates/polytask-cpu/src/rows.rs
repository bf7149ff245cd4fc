//! The gradient of a table that is looked up: the rows that a batch has looked up, and no others.

/// One lane's part. A thousand rows of a table of a million cost what a thousand rows cost.
pub(crate) struct Rows {
    width: usize,
    copies: usize,
    /// Of each row of the table its place below, if that is its place: what stands here of rows that were not looked up
    /// is left over, and never cleared.
    places: Vec<u32>,
    /// The rows looked up, in the order in which they were met.
    met: Vec<u32>,
    /// `met x copies x width`
    gradient: Vec<f32>,
}

impl Rows {
    /// None of `rows` rows of `width` scalars yet, with so many copies of the gradient.
    pub(crate) fn new(rows: usize, width: usize, copies: usize) -> Self {
        Rows { width, copies, places: vec![0; rows], met: Vec::new(), gradient: Vec::new() }
    }

    /// Forgets what was looked up.
    pub(crate) fn clear(&mut self) {
        self.met.clear();
        self.gradient.clear();
    }

    /// The rows looked up.
    pub(crate) fn met(&self) -> &[u32] {
        &self.met
    }

    /// One copy of a row's gradient, to add to.
    pub(crate) fn add(&mut self, row: usize, copy: usize) -> &mut [f32] {
        let place = match self.place(row) {
            Some(place) => place,
            None => {
                self.places[row] = self.met.len() as u32;
                self.met.push(row as u32);
                self.gradient.resize(self.met.len() * self.copies * self.width, 0.0);
                self.met.len() - 1
            }
        };
        let start = (place * self.copies + copy) * self.width;
        &mut self.gradient[start..start + self.width]
    }

    /// One copy of a row's gradient, if the row was looked up.
    pub(crate) fn get(&self, row: usize, copy: usize) -> Option<&[f32]> {
        let start = (self.place(row)? * self.copies + copy) * self.width;
        Some(&self.gradient[start..start + self.width])
    }

    /// All copies of a row's gradient end to end, if the row was looked up.
    pub(crate) fn copies(&self, row: usize) -> Option<&[f32]> {
        let start = self.place(row)? * self.stride();
        Some(&self.gradient[start..start + self.stride()])
    }

    /// Has these rows, with the gradients `rows x copies x width`, and no others.
    pub(crate) fn replace(&mut self, rows: &[u32], gradient: &[f32]) {
        self.clear();
        for (place, &row) in rows.iter().enumerate() {
            self.places[row as usize] = place as u32;
        }
        self.met.extend_from_slice(rows);
        self.gradient.extend_from_slice(gradient);
    }

    /// Scalars of all copies of a row.
    pub(crate) fn stride(&self) -> usize {
        self.copies * self.width
    }

    fn place(&self, row: usize) -> Option<usize> {
        let place = self.places[row] as usize;
        (self.met.get(place) == Some(&(row as u32))).then_some(place)
    }
}

/// The rows that any of a batch's lanes has looked up, in order.
#[derive(Default)]
pub(crate) struct Met(Vec<u32>);

impl Met {
    /// Gathers them.
    pub(crate) fn gather<'a>(&mut self, lanes: impl Iterator<Item = &'a Rows>) {
        self.0.clear();
        lanes.for_each(|rows| self.0.extend_from_slice(rows.met()));
        self.0.sort_unstable();
        self.0.dedup();
    }

    /// All of them.
    pub(crate) fn all_mut(&mut self) -> &mut Vec<u32> {
        &mut self.0
    }

    /// Those of `first..end`.
    pub(crate) fn between(&self, first: usize, end: usize) -> &[u32] {
        let at = |row: usize| self.0.partition_point(|met| (*met as usize) < row);
        &self.0[at(first)..at(end)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_found_again_and_forgotten() {
        let mut rows = Rows::new(9, 2, 2);
        rows.add(7, 1).copy_from_slice(&[1.0, 2.0]);
        rows.add(0, 0)[1] += 3.0;
        rows.add(7, 1)[0] += 4.0;
        assert_eq!((rows.get(7, 1), rows.get(7, 0)), (Some(&[5.0, 2.0][..]), Some(&[0.0, 0.0][..])));
        assert_eq!((rows.get(0, 0), rows.get(3, 0)), (Some(&[0.0, 3.0][..]), None));
        let mut met = Met::default();
        let mut other = Rows::new(9, 2, 2);
        other.add(3, 0);
        other.add(7, 0);
        met.gather([&rows, &other].into_iter());
        assert_eq!((met.between(0, 9), met.between(1, 7)), (&[0, 3, 7][..], &[3][..]));
        rows.replace(&[2, 7], &[1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0, 4.5]);
        assert_eq!(
            (rows.get(7, 1), rows.get(2, 0), rows.get(0, 0)),
            (Some(&[4.0, 4.5][..]), Some(&[1.0, 1.5][..]), None)
        );
        rows.clear();
        assert_eq!((rows.get(7, 1), rows.met()), (None, &[][..]));
        assert_eq!(rows.add(3, 1), [0.0, 0.0]);
    }
}
