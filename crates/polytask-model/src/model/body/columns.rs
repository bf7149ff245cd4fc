//! What trees read: the columns of encoded rows.

use crate::inputs::{Code, Encoder, Features, Input};
use polytask_trees::{Column, TreesError};

/// A column that trees read.
#[derive(Clone, Debug)]
pub struct TreeColumn<'a> {
    /// The input that it comes from.
    pub input: &'a Input,
    /// Which part of it, of an input that has several; empty for the only one.
    pub part: String,
}

/// The columns that trees read of these inputs, in their order. Texts and images have none.
pub fn tree_columns(encoder: &Encoder) -> Vec<TreeColumn<'_>> {
    fn parts(input: &Input) -> Vec<String> {
        match &input.code {
            Code::Number(_) | Code::Boolean(_) | Code::Category(_) => vec![String::new()],
            Code::Date(date) => date.parts().iter().map(|part| (*part).to_owned()).collect(),
            Code::Encoded(encoded) => (0..encoded.width()).map(|i| i.to_string()).collect(),
            Code::Seen(seen) => (0..seen.width()).map(|i| i.to_string()).collect(),
            Code::Own(own) => own.parts().to_vec(),
            Code::Text(_) | Code::Image(_) => Vec::new(),
        }
    }
    let of = |input| parts(input).into_iter().map(move |part| TreeColumn { input, part });
    encoder.inputs.iter().flat_map(of).collect()
}

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
            Code::Date(code) => code.indicator,
            Code::Encoded(_) | Code::Seen(_) | Code::Own(_) => false,
            Code::Category(_) => {
                let level = |row: &u32| features.indices[*row as usize * features.index_width + index];
                columns.push(Column::Categories(rows.iter().map(level).collect()));
                index += 1;
                continue;
            }
            Code::Text(_) | Code::Image(_) => continue,
        };
        // The mark stands behind the features.
        let mark = number + input.code.numbers() - 1;
        let end = if indicator { mark } else { mark + 1 };
        for at in number..end {
            let read = |row: &u32| match indicator && value(row, mark) > 0.0 {
                true => f32::NAN,
                false => value(row, at),
            };
            columns.push(Column::Numbers(rows.iter().map(read).collect()));
        }
        number = mark + 1;
    }
    polytask_trees::Features::new(rows.len(), columns)
}
