//! Categories looked up in a table.

use super::{IndexColumn, Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Embedding`](crate::Op::Embedding).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Embedding {
    /// The column and its number of levels.
    pub column: IndexColumn,
    /// The table, `levels x dim`.
    pub table: ParameterId,
    /// Whether a step moves the rows alone that its batch has looked up.
    #[serde(default)]
    pub sparse: bool,
}

impl Operation for Embedding {
    parameters!([table], matrices []);

    fn label(&self) -> &str {
        "embedding"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.takes(1)?;
        self.column.check(site)?;
        site.is_shaped(self.table, &[self.column.levels, site.shape.width()])
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.shape.width()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::indices(|g, x| g.embedding(x, IndexColumn { column: 0, levels: 3 }, 4)),
            Example::indices(|g, x| g.sparse_embedding(x, IndexColumn { column: 0, levels: 3 }, 4)),
        ]
    }

    fn reads_index(&self, _: usize) -> bool {
        true
    }
}
