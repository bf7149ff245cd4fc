//! What is to be said of data before anyone trusts the numbers that come of them.

mod alike;
mod frames;
mod kinds;
mod outlier;
mod unseen;

pub use alike::alike;
pub use frames::frames;
pub use kinds::taken_for;
pub use outlier::outlier;
pub use unseen::unseen;

use crate::Error;
use crate::config::Config;
use crate::inputs::{Code, Encoder, Input, Texts};
use crate::model::Model;
use crate::tasks::{Kind, Task};
use polytask_data::Table;

/// Notes of one kind at most; a table may have thousands of columns.
const MOST: usize = 10;

/// What inputs and tasks that were fitted on `rows` of a table took its columns for, where that could surprise.
pub fn of_fit(config: &Config, encoder: &Encoder, tasks: &[Task], table: &Table, rows: &[u32]) -> Vec<String> {
    let mut said = Vec::new();
    for task in tasks {
        let Some(column) = table.column(&task.column) else { continue };
        let declared = config.tasks.get(&task.name).is_some_and(|task| task.kind.is_some());
        said.extend(kinds::of_task(config.tasks.get(&task.name), task, column, table));
        match &task.kind {
            Kind::Regression(_) => said.extend(outlier(table, column, rows)),
            Kind::Binary(_) | Kind::Category(_) | Kind::Ordinal(_) => {
                said.extend(alike(column));
                said.extend(
                    (!declared).then(|| kinds::odd(column)).flatten().map(|odd| format!("task `{}`: {odd}", task.name)),
                );
            }
            Kind::Count(_)
            | Kind::Tags(_)
            | Kind::TokenCategory(_)
            | Kind::Multilabel(_)
            | Kind::Survival(_)
            | Kind::Predicates(_)
            | Kind::Senses(_)
            | Kind::Roles(_)
            | Kind::Arcs(_)
            | Kind::Segmentation(_)
            | Kind::PixelRegression(_)
            | Kind::Own(_) => {}
        }
    }
    let of = |input: &Input| {
        let column = table.column(&input.column)?;
        match &input.code {
            Code::Number(_) => outlier(table, column, rows),
            Code::Category(_) => alike(column),
            Code::Date(date) => kinds::of_date(config.inputs.get(&input.column), date, column),
            Code::Image(_) | Code::Seen(_) => frames(table, &input.column),
            Code::Boolean(_) | Code::Text(_) | Code::Encoded(_) | Code::Own(_) => None,
        }
    };
    said.extend(few(encoder.inputs.iter().filter_map(of).collect()));
    said
}

/// The first of many notes, and how many more there are.
pub fn few(mut notes: Vec<String>) -> Vec<String> {
    let more = notes.len().saturating_sub(MOST);
    notes.truncate(MOST);
    notes.extend((more > 0).then(|| format!("{more} more columns are like that")));
    notes
}

impl Model {
    /// What is to be said of a table that the model predicts for or is scored on: texts that are cut, levels and labels that
    /// training never saw, files of several pictures.
    ///
    /// # Errors
    /// A text column that is not there or holds no texts.
    pub fn notes(&self, table: &Table) -> Result<Vec<String>, Error> {
        let texts: Texts = self.encoder.texts(table)?;
        let mut said: Vec<String> = texts.values().flat_map(|texts| texts.notes.iter().cloned()).collect();
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        said.extend(unseen(&self.encoder, &self.tasks, table, &rows, "rows"));
        let images = self.encoder.inputs.iter().filter(|input| matches!(input.code, Code::Image(_) | Code::Seen(_)));
        said.extend(images.filter_map(|input| frames(table, &input.column)));
        Ok(said)
    }
}
