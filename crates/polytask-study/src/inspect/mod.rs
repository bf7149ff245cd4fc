//! What is in a table, before anything is learnt from it: columns, what could be predicted, what would give the answer
//! away.

mod column;
mod draft;
mod labels;
mod relation;
mod target;

pub use column::{ColumnSurvey, Concern, Summary};
pub use draft::{Draft, draft};
pub use labels::{Association, Balance, LabelSurvey, TaskSurvey, associations, overlap, survey_tasks};
pub use relation::{Leak, Relation, leaks};
pub use target::{Candidate, candidates, choose};
pub(crate) use target::{structure_columns, structures};

use polytask_data::{Table, Values};
use serde::Serialize;
use std::collections::HashSet;

/// What is in a table.
#[derive(Clone, Debug, Serialize)]
pub struct Survey {
    /// The number of rows.
    pub rows: usize,
    /// In the order of the table.
    pub columns: Vec<ColumnSurvey>,
    /// Rows that are the same as an earlier one.
    pub repeated: usize,
    /// A column whose values many rows share and that names what they are about, such as a patient.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
}

impl Survey {
    /// Looks at every column of a table.
    pub fn of(table: &Table) -> Self {
        let columns: Vec<ColumnSurvey> = table.columns().iter().map(ColumnSurvey::of).collect();
        let group = columns.iter().find(|column| column.names_groups(table.rows())).map(|column| column.name.clone());
        Survey { rows: table.rows(), repeated: repeated(table), group, columns }
    }

    /// The column called `name`.
    pub fn column(&self, name: &str) -> Option<&ColumnSurvey> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// Rows of which an earlier one has all values.
fn repeated(table: &Table) -> usize {
    // Images in memory all look alike.
    if table.columns().iter().any(|column| matches!(column.values, Values::Images(_))) {
        return 0;
    }
    let row = |row: usize| table.columns().iter().map(|column| column.shown(row)).collect::<Vec<_>>();
    table.rows() - (0..table.rows()).map(row).collect::<HashSet<_>>().len()
}
