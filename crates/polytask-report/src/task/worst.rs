//! The rows that a task gets most wrong.

use super::Context;
use crate::block::Table;
use crate::number::shorten;

/// Rows that are shown.
const WORST: usize = 10;

/// Input columns that are shown beside a row.
const COLUMNS: usize = 6;

/// The places of the largest values that are above 0, the largest first.
pub fn largest(values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..values.len()).filter(|i| values[*i] > 0.0).collect();
    order.sort_by(|a, b| values[*b].total_cmp(&values[*a]).then(a.cmp(b)));
    order.truncate(WORST);
    order
}

/// A table of rows, each with where it stands, what `cells` says of it, and its inputs.
pub fn table(context: &Context<'_>, header: &[&str], places: &[usize], cells: impl Fn(usize) -> Vec<String>) -> Table {
    let inputs: Vec<&str> =
        context.run.model.encoder.inputs.iter().map(|input| input.column.as_str()).take(COLUMNS).collect();
    let header: Vec<&str> =
        std::iter::once("row").chain(header.iter().copied()).chain(inputs.iter().copied()).collect();
    let mut table = Table::new("The worst rows", &header);
    for &place in places {
        let row = context.measured.rows[place] as usize;
        let shown = |column: &&str| {
            let name = context.run.model.encoder.text_column(column, &context.rows.table);
            let value = context.rows.table.column(name).and_then(|column| column.shown(row));
            value.map_or("–".to_owned(), |value| shorten(&value, 80))
        };
        let at = context.rows.table.place(row);
        let file =
            std::path::Path::new(&at.file).file_name().map_or(at.file.clone(), |name| name.to_string_lossy().into());
        let first = format!("{file} {}", at.at);
        table.rows.push(std::iter::once(first).chain(cells(place)).chain(inputs.iter().map(shown)).collect());
    }
    table
}
