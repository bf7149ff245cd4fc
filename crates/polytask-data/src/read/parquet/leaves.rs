//! Which stored columns of a Parquet file are columns of the table.

use parquet::basic::Repetition;
use parquet::schema::types::{SchemaDescriptor, Type};

/// The stored columns that are columns of the table, by their index, with their names; or the first field that no
/// table can hold.
///
/// A group with a member `bytes` is how many programs store an image file, its path beside it: it becomes a column of
/// the bytes alone.
pub(super) fn leaves(schema: &SchemaDescriptor) -> Result<Vec<(usize, String)>, String> {
    let mut leaves = Vec::new();
    let mut index = 0;
    for field in schema.root_schema().get_fields() {
        let name = field.name().to_owned();
        let inside: Vec<&str> = match field.is_group() {
            true => field.get_fields().iter().map(|member| member.name()).collect(),
            false => vec![field.name()],
        };
        let flat = !is_repeated(field)
            && (!field.is_group() || field.get_fields().iter().all(|f| f.is_primitive() && !is_repeated(f)));
        let found = match field.is_group() {
            true => inside.iter().position(|name| *name == "bytes"),
            false => Some(0),
        };
        let Some(found) = found.filter(|_| flat) else { return Err(name) };
        leaves.push((index + found, name));
        index += inside.len();
    }
    Ok(leaves)
}

fn is_repeated(field: &Type) -> bool {
    let info = field.get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::REPEATED
}
