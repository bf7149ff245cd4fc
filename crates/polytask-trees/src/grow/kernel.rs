//! The inner loop of growing: rows' records are added to the cells of their bins.

use pulp::NullaryFnOnce;

/// Adds the records of `rows` to the cells of one feature's histogram. `records` holds a record of `stride` integers for
/// each of `rows`, in their order, and a cell has one more integer, the count.
pub(super) fn add(cells: &mut [i32], bins: &[u8], rows: &[u32], records: &[i16], stride: usize) {
    pulp::Arch::new().dispatch(Add { cells, bins, rows, records, stride });
}

struct Add<'a> {
    cells: &'a mut [i32],
    bins: &'a [u8],
    rows: &'a [u32],
    records: &'a [i16],
    stride: usize,
}

impl NullaryFnOnce for Add<'_> {
    type Output = ();

    #[inline(always)]
    fn call(self) {
        match self.stride {
            2 => self.fixed::<2>(),
            3 => self.fixed::<3>(),
            4 => self.fixed::<4>(),
            5 => self.fixed::<5>(),
            8 => self.fixed::<8>(),
            9 => self.fixed::<9>(),
            16 => self.fixed::<16>(),
            17 => self.fixed::<17>(),
            32 => self.fixed::<32>(),
            _ => self.any(),
        }
    }
}

impl Add<'_> {
    #[inline(always)]
    fn fixed<const STRIDE: usize>(self) {
        for (&row, record) in self.rows.iter().zip(self.records.as_chunks::<STRIDE>().0) {
            let first = usize::from(self.bins[row as usize]) * (STRIDE + 1);
            let (sums, count) = self.cells[first..first + STRIDE + 1].split_at_mut(STRIDE);
            for (sum, &value) in sums.iter_mut().zip(record) {
                *sum = sum.wrapping_add(i32::from(value));
            }
            count[0] = count[0].wrapping_add(1);
        }
    }

    #[inline(always)]
    fn any(self) {
        for (&row, record) in self.rows.iter().zip(self.records.chunks_exact(self.stride)) {
            let first = usize::from(self.bins[row as usize]) * (self.stride + 1);
            let (sums, count) = self.cells[first..first + self.stride + 1].split_at_mut(self.stride);
            for (sum, &value) in sums.iter_mut().zip(record) {
                *sum = sum.wrapping_add(i32::from(value));
            }
            count[0] = count[0].wrapping_add(1);
        }
    }
}

/// `parent -= child`, cell by cell: what is left is the other child.
pub(super) fn subtract(parent: &mut [i32], child: &[i32]) {
    parent.iter_mut().zip(child).for_each(|(parent, child)| *parent = parent.wrapping_sub(*child));
}
