//! Which stored columns of a Parquet file are columns of the table.

use parquet::basic::Repetition;
use parquet::schema::types::{SchemaDescriptor, Type};

/// A field of the file.
#[derive(Debug, PartialEq)]
pub(super) struct Leaf {
    pub(super) name: String,
    /// Its stored column; none where no table can hold the field.
    pub(super) stored: Option<Stored>,
}

/// The stored column of a field.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Stored {
    pub(super) index: usize,
    /// Of lists, the definition level from which on an item is there; one below the list is empty, and below that there
    /// is none.
    pub(super) items: Option<i16>,
}

/// The fields of a file, in their order.
///
/// A group with a member `bytes` is how many programs store an image file, its path beside it: it becomes a column of
/// the bytes alone. Lists of plain values may be groups in groups, as the format has them, or a repeated value.
pub(super) fn leaves(schema: &SchemaDescriptor) -> Vec<Leaf> {
    let mut index = 0;
    let leaf = |field: &std::sync::Arc<Type>| {
        let first = index;
        index += count(field);
        let stored = match field.is_group() {
            false if !is_repeated(field) => Some(Stored { index: first, items: None }),
            true if is_record(field) => {
                let bytes = field.get_fields().iter().position(|member| member.name() == "bytes");
                bytes.map(|at| Stored { index: first + at, items: None })
            }
            _ => items(field).map(|items| Stored { index: first, items: Some(items) }),
        };
        Leaf { name: field.name().to_owned(), stored }
    };
    schema.root_schema().get_fields().iter().map(leaf).collect()
}

/// The stored columns of a field.
fn count(field: &Type) -> usize {
    if field.is_primitive() { 1 } else { field.get_fields().iter().map(|field| count(field)).sum() }
}

/// Whether a group holds one plain value each.
fn is_record(field: &Type) -> bool {
    !is_repeated(field) && field.get_fields().iter().all(|member| member.is_primitive() && !is_repeated(member))
}

/// The definition level of the items of a list of plain values; none of anything else.
fn items(field: &Type) -> Option<i16> {
    let (mut field, mut level, mut repeated) = (field, 0, None);
    loop {
        let info = field.get_basic_info();
        level += i16::from(info.has_repetition() && info.repetition() != Repetition::REQUIRED);
        if is_repeated(field) && repeated.replace(level).is_some() {
            return None;
        }
        if field.is_primitive() {
            return repeated;
        }
        let [only] = field.get_fields() else { return None };
        field = only;
    }
}

fn is_repeated(field: &Type) -> bool {
    let info = field.get_basic_info();
    info.has_repetition() && info.repetition() == Repetition::REPEATED
}
