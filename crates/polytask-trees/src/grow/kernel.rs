//! The inner loops of growing: rows' records are brought together and added to the cells of their bins.

use pulp::NullaryFnOnce;

/// Adds the records of `rows` to the cells of one feature's histogram. `records` holds a record of `size` integers for
/// each of `rows`, in their order, and a cell has as many.
pub(super) fn add(cells: &mut [i32], bins: &[u8], rows: &[u32], records: &[i16], size: usize) {
    pulp::Arch::new().dispatch(Add { cells, bins, rows, records, size });
}

/// Puts the records of some rows one after the other.
pub(super) fn gather(all: &[i16], rows: &[u32], size: usize, into: &mut [i16]) {
    pulp::Arch::new().dispatch(Gather { all, rows, size, into });
}

/// Adds the records of some rows to one cell.
pub(super) fn total(cell: &mut [i32], all: &[i16], rows: &[u32]) {
    let size = cell.len();
    pulp::Arch::new().dispatch(Total { cell, all, rows, size });
}

struct Add<'a> {
    cells: &'a mut [i32],
    bins: &'a [u8],
    rows: &'a [u32],
    records: &'a [i16],
    size: usize,
}

struct Gather<'a> {
    all: &'a [i16],
    rows: &'a [u32],
    size: usize,
    into: &'a mut [i16],
}

struct Total<'a> {
    cell: &'a mut [i32],
    all: &'a [i16],
    rows: &'a [u32],
    size: usize,
}

/// A record is added by one instruction for eight integers.
const LANES: usize = 8;

/// Calls a method for a size that is known when compiling, where it is one of those of few outputs.
macro_rules! by_size {
    ($self:ident, $fixed:ident, $any:ident) => {
        match $self.size {
            4 => $self.$fixed::<4>(),
            6 => $self.$fixed::<6>(),
            10 => $self.$fixed::<10>(),
            18 => $self.$fixed::<18>(),
            26 => $self.$fixed::<26>(),
            34 => $self.$fixed::<34>(),
            _ => $self.$any(),
        }
    };
}

impl NullaryFnOnce for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        by_size!(self, fixed, any)
    }
}

impl Add<'_> {
    #[inline(always)]
    fn fixed<const SIZE: usize>(self) {
        let cells = self.cells.as_chunks_mut::<SIZE>().0;
        for (&row, record) in self.rows.iter().zip(self.records.as_chunks::<SIZE>().0) {
            let cell = &mut cells[usize::from(self.bins[row as usize])];
            *cell = sum(*cell, record);
        }
    }

    #[inline(always)]
    fn any(self) {
        for (&row, record) in self.rows.iter().zip(self.records.chunks_exact(self.size)) {
            sum_any(&mut self.cells[usize::from(self.bins[row as usize]) * self.size..][..self.size], record);
        }
    }
}

/// By value, so that the compiler knows that the sums are not among the values.
#[inline(always)]
fn sum<const N: usize>(mut sums: [i32; N], values: &[i16; N]) -> [i32; N] {
    for lane in 0..N {
        sums[lane] = sums[lane].wrapping_add(i32::from(values[lane]));
    }
    sums
}

#[inline(always)]
fn sum_any(sums: &mut [i32], values: &[i16]) {
    let (many, rest) = sums.as_chunks_mut::<LANES>();
    let (values, others) = values.as_chunks::<LANES>();
    many.iter_mut().zip(values).for_each(|(lanes, values)| *lanes = sum(*lanes, values));
    rest.iter_mut().zip(others).for_each(|(lane, &value)| *lane = lane.wrapping_add(i32::from(value)));
}

impl NullaryFnOnce for Total<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        by_size!(self, fixed, any)
    }
}

impl Total<'_> {
    #[inline(always)]
    fn fixed<const SIZE: usize>(self) {
        let all = self.all.as_chunks::<SIZE>().0;
        if let [cell] = self.cell.as_chunks_mut::<SIZE>().0 {
            *cell = self.rows.iter().fold(*cell, |sums, &row| sum(sums, &all[row as usize]));
        }
    }

    #[inline(always)]
    fn any(self) {
        self.rows.iter().for_each(|&row| sum_any(self.cell, &self.all[row as usize * self.size..][..self.size]));
    }
}

impl NullaryFnOnce for Gather<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        by_size!(self, fixed, any)
    }
}

impl Gather<'_> {
    #[inline(always)]
    fn fixed<const SIZE: usize>(self) {
        let all = self.all.as_chunks::<SIZE>().0;
        let into = self.into.as_chunks_mut::<SIZE>().0;
        into.iter_mut().zip(self.rows).for_each(|(into, &row)| *into = all[row as usize]);
    }

    #[inline(always)]
    fn any(self) {
        let into = self.into.chunks_exact_mut(self.size);
        into.zip(self.rows)
            .for_each(|(into, &row)| into.copy_from_slice(&self.all[row as usize * self.size..][..self.size]));
    }
}

/// `parent -= child`, cell by cell: what is left is the other child.
pub(super) fn subtract(parent: &mut [i32], child: &[i32]) {
    pulp::Arch::new().dispatch(
        #[inline(always)]
        || parent.iter_mut().zip(child).for_each(|(parent, child)| *parent = parent.wrapping_sub(*child)),
    );
}
