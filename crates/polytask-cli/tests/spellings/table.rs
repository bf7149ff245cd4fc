//! A table of every kind of column, apart from how it is written.

use crate::common::Noise;

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    Missing,
    Whole(i64),
    Number(f64),
    Word(&'static str),
    Flag(bool),
    /// Days since 1970.
    Day(i32),
}

/// A named column.
#[derive(Debug, Clone)]
pub struct Column {
    pub name: &'static str,
    pub cells: Vec<Cell>,
}

/// Past 2^53, where floats are two apart.
const LONG: i64 = 9_007_199_254_740_993;
/// Words that hold what means something in a file.
const PLACES: [&str; 5] = ["north, east", "the \"far\" west", "a;b|c", "Ünï\u{a0}cøde 🙂", "two\nlines"];

/// Inputs `x`, `n` (numbers), `place`, `code` (categories, the codes long), `open` (boolean), `day` (date), the groups `id`,
/// and labels: `y` a quantity, `b` yes or no, `k` three whole numbers, `w` three words. A seventh of all inputs and labels is
/// missing.
pub fn columns(rows: usize) -> Vec<Column> {
    let mut noise = Noise(11);
    let mut column = |name, missing: bool, cell: &dyn Fn(usize, f64) -> Cell| {
        let cell = |row: usize| match (missing && noise.next() < 1.0 / 7.0, noise.next()) {
            (true, _) => Cell::Missing,
            (false, drawn) => cell(row, drawn),
        };
        Column { name, cells: (0..rows).map(cell).collect() }
    };
    let of = |count: usize, drawn: f64| (drawn * count as f64) as usize;
    vec![
        column("id", false, &|row, _| Cell::Whole(LONG + row as i64 / 2)),
        column("x", true, &|_, drawn| Cell::Number(((drawn * 1e6).round() + 0.5) / 1e4)),
        column("n", true, &|_, drawn| Cell::Whole(of(200, drawn) as i64 - 100)),
        column("place", true, &|_, drawn| Cell::Word(PLACES[of(5, drawn)])),
        column("code", true, &|_, drawn| Cell::Whole(LONG + of(4, drawn) as i64)),
        column("open", true, &|_, drawn| Cell::Flag(drawn < 0.5)),
        column("day", true, &|_, drawn| Cell::Day(18_000 + of(1500, drawn) as i32)),
        column("y", true, &|_, drawn| Cell::Number(drawn * 100.0 - 20.0)),
        column("b", true, &|_, drawn| Cell::Word(["no", "yes"][of(2, drawn)])),
        column("k", true, &|_, drawn| Cell::Whole(of(3, drawn) as i64)),
        column("w", true, &|_, drawn| Cell::Word(["red", "light \"green\"", "blue, dark"][of(3, drawn)])),
    ]
}

/// The columns in another order.
pub fn shuffled(columns: &[Column], noise: &mut Noise) -> Vec<Column> {
    let mut left = columns.to_vec();
    (0..columns.len()).map(|_| left.remove((noise.next() * left.len() as f64) as usize)).collect()
}
