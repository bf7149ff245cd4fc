//! Which rows train, which select and which test.

mod group;
mod share;

use std::collections::BTreeMap;
use std::ops::Range;

use crate::column::{Column, MISSING, Values};
use crate::error::DataError;
use crate::level::level;
use crate::random::{Random, SPLIT};
use crate::table::Table;

/// The rows of each part, ascending. No row is in two parts; rows outside all ranges of [`SplitRule::Given`] are in
/// none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<u32>,
    /// Rows to stop and to select by.
    pub valid: Vec<u32>,
    /// Rows to report on.
    pub test: Vec<u32>,
}

/// How rows are divided.
#[derive(Debug, Clone, PartialEq)]
pub enum SplitRule {
    /// At random, by shares of all rows.
    Shares {
        /// The share of validation rows, in [0, 1).
        valid: f64,
        /// The share of test rows, in [0, 1).
        test: f64,
        /// The seed of the draw.
        seed: u64,
        /// A column each of whose values (missing is one of them) is divided by the shares to within one row.
        stratify: Option<String>,
        /// A column none of whose values may be in two parts; rows where it is missing stay together. Shares are then
        /// met as nearly as the sizes of the groups allow.
        group: Option<String>,
    },
    /// By a column that says `train`, `valid` (also `validation`, `val`, `dev`) or `test`, in any case.
    Column {
        /// Its name.
        column: String,
    },
    /// Row i is a test row where i % `test_every` = 0.
    Every {
        /// The period, 2 or more.
        test_every: usize,
        /// The share of validation rows among the others, in [0, 1).
        valid: f64,
        /// The seed of that draw.
        seed: u64,
    },
    /// By row ranges, such as those of files that were appended to one table.
    Given {
        /// Training rows.
        train: Range<usize>,
        /// Validation rows, may be empty.
        valid: Range<usize>,
        /// Test rows, may be empty.
        test: Range<usize>,
    },
}

/// Divides the rows of `table`. The result depends on the table and the rule alone.
///
/// # Errors
/// A part that is asked for (and the training part always) would be empty; a share outside [0, 1), or shares that
/// leave nothing to train on; an unknown column; a split column with another word in it; ranges past the end or
/// overlapping.
pub fn split(table: &Table, rule: &SplitRule) -> Result<Split, DataError> {
    match rule {
        SplitRule::Shares { valid, test, seed, stratify, group } => {
            let shares = Shares::checked(*valid, *test)?;
            let mut random = Random::new(*seed, SPLIT);
            let split = match (stratify, group) {
                (Some(stratify), Some(group)) => {
                    return Err(DataError::StratifyAndGroup { stratify: stratify.clone(), group: group.clone() });
                }
                (_, Some(group)) => group::split(members(table.find(group)?), shares, &mut random),
                (Some(column), None) => share::split(members(table.find(column)?), shares, &mut random),
                (None, None) => share::split(vec![(0..table.rows() as u32).collect()], shares, &mut random),
            };
            split.checked(shares, table.rows())
        }
        SplitRule::Column { column } => by_column(table, table.find(column)?),
        SplitRule::Every { test_every, valid, seed } => {
            if *test_every < 2 {
                return Err(DataError::BadPeriod(*test_every));
            }
            let (test, rest) = (0..table.rows() as u32).partition(|row| (*row as usize).is_multiple_of(*test_every));
            let rest: Vec<u32> = rest;
            let (train, valid) = draw(&rest, *valid, *seed)?;
            let split = Split { train, valid, test };
            if split.train.is_empty() {
                return Err(empty("train", format!("the table has {} rows", table.rows())));
            }
            Ok(split)
        }
        SplitRule::Given { train, valid, test } => by_ranges(table.rows(), [train, valid, test]),
    }
}

/// Draws a `share` of `rows` at random: the rows left and the rows drawn, both in the order of `rows`. For a
/// validation part out of the rows of a training file, say.
///
/// # Errors
/// A share outside [0, 1), or one above 0 that draws nothing.
pub fn draw(rows: &[u32], share: f64, seed: u64) -> Result<(Vec<u32>, Vec<u32>), DataError> {
    let shares = Shares::checked(share, 0.0)?;
    let places = (0..rows.len() as u32).collect();
    let split = share::split(vec![places], shares, &mut Random::new(seed, SPLIT)).checked(shares, rows.len())?;
    let pick = |places: Vec<u32>| places.iter().filter_map(|place| rows.get(*place as usize).copied()).collect();
    Ok((pick(split.train), pick(split.valid)))
}

const PARTS: [&str; 3] = ["train", "valid", "test"];

/// The column that says which part of the split a row is in, where the names of files or folders do.
pub(crate) const COLUMN: &str = "split";

/// The part of a split that a file or a folder is called like.
pub(crate) fn part(name: &str) -> Option<&'static str> {
    match name.to_lowercase().as_str() {
        "train" | "training" => Some("train"),
        "val" | "valid" | "validation" | "dev" => Some("valid"),
        "test" | "testing" => Some("test"),
        _ => None,
    }
}

fn empty(part: &'static str, why: impl Into<String>) -> DataError {
    DataError::EmptyPart { part, why: why.into() }
}

/// Checked shares.
#[derive(Debug, Clone, Copy)]
struct Shares {
    valid: f64,
    test: f64,
}

impl Shares {
    fn checked(valid: f64, test: f64) -> Result<Self, DataError> {
        for (part, value) in [("valid", valid), ("test", test)] {
            if !(0.0..1.0).contains(&value) {
                return Err(DataError::BadShare { part, value });
            }
        }
        // 0.7 + 0.3 and its like may come out a hair below 1.
        if valid + test > 1.0 - 1e-9 {
            return Err(DataError::SharesTooLarge { valid, test });
        }
        Ok(Self { valid, test })
    }

    /// Shares of train, valid and test.
    fn all(self) -> [f64; 3] {
        [1.0 - self.valid - self.test, self.valid, self.test]
    }
}

impl Split {
    fn of([mut train, mut valid, mut test]: [Vec<u32>; 3]) -> Self {
        [&mut train, &mut valid, &mut test].into_iter().for_each(|rows| rows.sort_unstable());
        Self { train, valid, test }
    }

    /// Refuses empty parts whose share is above 0.
    fn checked(self, shares: Shares, rows: usize) -> Result<Self, DataError> {
        for ((part, share), found) in PARTS.into_iter().zip(shares.all()).zip([&self.train, &self.valid, &self.test]) {
            if share > 0.0 && found.is_empty() {
                return Err(empty(part, format!("a share of {share} of {rows} rows")));
            }
        }
        Ok(self)
    }
}

/// The rows of each different value of a column, values in the order of their first appearance; missing is one.
fn members(column: &Column) -> Vec<Vec<u32>> {
    let mut index: BTreeMap<u64, usize> = BTreeMap::new();
    let mut members: Vec<Vec<u32>> = Vec::new();
    let mut put = |row: usize, key: u64| {
        let at = *index.entry(key).or_insert(members.len());
        if at == members.len() {
            members.push(Vec::new());
        }
        if let Some(rows) = members.get_mut(at) {
            rows.push(row as u32);
        }
    };
    match &column.values {
        // Adding 0 makes -0 and 0 one value.
        Values::Number(values) => values.iter().enumerate().for_each(|(row, value)| {
            put(row, if value.is_nan() { f64::NAN.to_bits() } else { (value + 0.0).to_bits() });
        }),
        Values::Text(text) | Values::Nested(text) => {
            // A whole number is one value, however it is spelt.
            let mut spellings = BTreeMap::new();
            let mut first = |(code, text)| *spellings.entry(level(text)).or_insert(code);
            let codes: Vec<u64> = (0..).zip(&text.levels).map(|(code, text)| first((code, text.as_str()))).collect();
            let code = |code: &u32| codes.get(*code as usize).copied().unwrap_or(u64::from(MISSING));
            text.codes.iter().enumerate().for_each(|(row, own)| put(row, code(own)));
        }
        // Lists are groups by what they hold.
        Values::List(list) => {
            let mut seen = BTreeMap::new();
            for row in 0..list.ends.len() {
                let next = seen.len() as u64;
                put(row, *seen.entry(list.codes(row)).or_insert(next));
            }
        }
        Values::Images(images) => (0..images.len()).for_each(|row| put(row, row as u64)),
    }
    members
}

fn by_column(table: &Table, column: &Column) -> Result<Split, DataError> {
    let unknown = |row| {
        let (place, value) = (table.place(row), column.shown(row));
        DataError::UnknownPart { place, column: column.name.clone(), value }
    };
    let Values::Text(text) = &column.values else {
        return Err(unknown(0));
    };
    let part = |level: &String| match level.trim().to_lowercase().as_str() {
        "train" => Some(0),
        "valid" | "validation" | "val" | "dev" => Some(1),
        "test" => Some(2),
        _ => None,
    };
    let part_of: Vec<Option<usize>> = text.levels.iter().map(part).collect();
    let mut parts: [Vec<u32>; 3] = Default::default();
    for (row, &code) in text.codes.iter().enumerate() {
        let part = if code == MISSING { None } else { part_of.get(code as usize).copied().flatten() };
        match part.and_then(|part| parts.get_mut(part)) {
            Some(rows) => rows.push(row as u32),
            None => return Err(unknown(row)),
        }
    }
    let split = Split::of(parts);
    if split.train.is_empty() {
        return Err(empty("train", format!("no row of column `{}` says train", column.name)));
    }
    Ok(split)
}

fn by_ranges(rows: usize, ranges: [&Range<usize>; 3]) -> Result<Split, DataError> {
    for (at, (part, range)) in PARTS.into_iter().zip(ranges).enumerate() {
        let bad = |problem| Err(DataError::BadRange { part, start: range.start, end: range.end, problem });
        if range.end > rows {
            return bad(format!("reach past the table's {rows} rows"));
        }
        for (other, met) in PARTS.into_iter().zip(ranges).take(at) {
            if range.start.max(met.start) < range.end.min(met.end) {
                return bad(format!("overlap the {other} rows {}..{}", met.start, met.end));
            }
        }
    }
    if ranges[0].is_empty() {
        return Err(empty("train", "its range has no rows"));
    }
    Ok(Split::of(ranges.map(|range| (range.start as u32..range.end as u32).collect())))
}

#[cfg(test)]
mod tests;
