//! One of several levels.

use super::{EncodeError, InputColumn};
use crate::column::levels;
use crate::section::{Embedding, InputConfig};
use polytask_data::MISSING;
use serde::{Deserialize, Serialize};

/// A table of more rows than this would be larger than any model that could use it.
const MOST_LEVELS: usize = 100_000;
/// Up to this many levels a step moves a table whole, at the price of a dense layer: rare levels would otherwise keep what a
/// few rows taught them, since L2 and decay would pull at them as rarely.
const WHOLE: usize = 4096;
/// Up to this many levels are one-hot unless the config says otherwise.
const ONE_HOT: usize = 10;

/// A level becomes its index among the levels of the training rows; a missing value, or a level that was not among
/// them, becomes `u32::MAX`, which the model reads as zeros.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// Numbers by value, then words by their characters.
    pub levels: Vec<String>,
    /// Features a level is embedded in; `None`: one-hot.
    pub embedding: Option<usize>,
    /// Whether the column held numbers, and is to be read as numbers again.
    pub numbers: bool,
}

impl Category {
    pub(super) fn fit(source: &InputColumn, config: &InputConfig, rows: &[u32]) -> Result<Self, EncodeError> {
        let counted = levels(source.column).ordered(rows.iter().map(|row| *row as usize));
        let known: usize = counted.iter().map(|(_, count)| count).sum();
        let declared = config.kind.is_some();
        let count = counted.len();
        if count == 0 {
            return Err(source.all_missing());
        }
        // In a small table a category may well have a level for a few rows only.
        let identifier = !declared && count > 50 && 2 * count > known;
        if identifier || count > MOST_LEVELS {
            let input = source.column.name.clone();
            return Err(EncodeError::ManyLevels { input, levels: count, rows: known, declared });
        }
        let embedding = match config.embedding.unwrap_or(Embedding::Auto) {
            Embedding::Width(width) => Some(width),
            Embedding::Auto if count <= config.one_hot.unwrap_or(ONE_HOT) => None,
            Embedding::Auto => Some(embedding_width(count)),
        };
        let numbers = matches!(source.column.values, polytask_data::Values::Number(_));
        Ok(Category { levels: counted.into_iter().map(|(level, _)| level).collect(), embedding, numbers })
    }

    /// Whether a step moves the levels alone that its batch has, and not the whole table.
    pub(super) fn is_sparse(&self) -> bool {
        self.levels.len() > WHOLE
    }

    /// The index of every row.
    pub(super) fn read(&self, source: &InputColumn) -> Vec<u32> {
        let levels = levels(source.column);
        let positions = levels.positions(&self.levels, MISSING);
        levels.codes.iter().map(|code| positions.get(*code as usize).copied().unwrap_or(MISSING)).collect()
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        if self.levels.is_empty() || self.levels.len() > MOST_LEVELS {
            return Err("its number of levels is out of range");
        }
        if self.embedding == Some(0) {
            return Err("its embedding has no features");
        }
        let distinct: std::collections::BTreeSet<&String> = self.levels.iter().collect();
        if distinct.len() == self.levels.len() { Ok(()) } else { Err("a level is there twice") }
    }
}

/// `min(32, 1.6 levels^0.56)`, rounded: a rule of thumb that grows a little faster than the root.
fn embedding_width(levels: usize) -> usize {
    (1.6 * (levels as f64).powf(0.56)).round().clamp(1.0, 32.0) as usize
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_large_tables_are_sparse() {
        let of =
            |levels: usize| super::Category { levels: vec![String::new(); levels], embedding: Some(8), numbers: false };
        assert_eq!([11, 4096, 4097].map(|levels| of(levels).is_sparse()), [false, false, true]);
    }

    #[test]
    fn embeddings_grow_with_the_levels_up_to_32() {
        // 1.6 * 11^0.56 = 6.13, 1.6 * 100^0.56 = 21.1, 1.6 * 1000^0.56 = 76.6
        assert_eq!([11, 100, 1000].map(super::embedding_width), [6, 21, 32]);
    }
}
