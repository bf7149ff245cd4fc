//! Index columns as blocks of zeros and a one.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// One column of an index input, read as a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexColumn {
    /// Which column of the index input.
    pub column: usize,
    /// Number of levels; an index at or above it (the mark of a missing or unseen level) stands for zeros.
    pub levels: usize,
}

impl IndexColumn {
    /// It must be one of the columns of the index input.
    pub(super) fn check(self, site: &Site<'_>) -> Result<(), String> {
        match self.column < site.width(0) {
            true => Ok(()),
            false => Err(format!("it reads index column {} of {}", self.column, site.width(0))),
        }
    }
}

/// [`Op::OneHot`](crate::Op::OneHot).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OneHot {
    /// The columns, in the order of their blocks.
    pub columns: Vec<IndexColumn>,
}

impl Operation for OneHot {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "one_hot"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        self.columns.iter().try_for_each(|column| column.check(site))?;
        site.gives_width(self.columns.iter().fold(0, |sum, column| sum.saturating_add(column.levels)))
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::indices(|g, x| g.one_hot(x, &[IndexColumn { column: 0, levels: 3 }]))]
    }

    fn reads_index(&self, _: usize) -> bool {
        true
    }
}
