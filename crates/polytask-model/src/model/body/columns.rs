//! What trees read: the columns of encoded rows.

use crate::inputs::{Code, Encoder, Features};
use polytask_trees::{Column, TreesError};

/// The inputs of some rows as trees read them: a column of numbers for each feature, where a missing value is missing
/// instead of a mean with a mark beside it, and a column of levels for each category. Texts and images are left out.
///
/// # Errors
/// More rows than trees can count.
pub fn columns(encoder: &Encoder, features: &Features, rows: &[u32]) -> Result<polytask_trees::Features, TreesError> {
    let (mut columns, mut number, mut index) = (Vec::new(), 0, 0);
    let value = |row: &u32, at: usize| features.numbers[*row as usize * features.number_width + at];
    for input in &encoder.inputs {
        let indicator = match &input.code {
            Code::Number(code) => code.indicator,
            Code::Boolean(code) => code.indicator,
            Code::Category(_) => {
                let level = |row: &u32| features.indices[*row as usize * features.index_width + index];
                columns.push(Column::Categories(rows.iter().map(level).collect()));
                index += 1;
                continue;
            }
            Code::Text(_) | Code::Image(_) => continue,
        };
        let read = |row: &u32| match indicator && value(row, number + 1) > 0.0 {
            true => f32::NAN,
            false => value(row, number),
        };
        columns.push(Column::Numbers(rows.iter().map(read).collect()));
        number += 1 + usize::from(indicator);
    }
    polytask_trees::Features::new(rows.len(), columns)
}
