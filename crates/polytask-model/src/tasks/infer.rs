//! What a column of labels is, where the config does not say.

use super::TaskError;
use super::labels::LabelColumn;
use crate::column::levels;
use crate::section::TaskKind;
use polytask_data::Values;

/// The kind that a column of labels would be taken for; none where it cannot be inferred.
pub fn infer_kind(table: &polytask_data::Table, column: &str) -> Option<TaskKind> {
    let source = LabelColumn::find(column, column, table).ok()?;
    source.check_plain().ok()?;
    infer(&source).ok()
}

/// The kind of the labels: 0 and 1, -1 and 1, or two different words, are binary; other numbers a regression (a count must be
/// asked for); more words a category.
///
/// # Errors
/// No label at all; words of which more than half of the rows have one of their own.
pub fn infer(source: &LabelColumn) -> Result<TaskKind, TaskError> {
    let rows = source.column.len();
    if (0..rows).all(|row| source.column.is_missing(row)) {
        return Err(source.no_label());
    }
    if let Values::Number(values) = &source.column.values {
        let known = || values.iter().filter(|v| !v.is_nan());
        let no = if known().any(|v| *v == -1.0) { -1.0 } else { 0.0 };
        let binary = known().all(|v| *v == no || *v == 1.0) && known().any(|v| *v == no) && known().any(|v| *v == 1.0);
        return Ok(if binary { TaskKind::Binary } else { TaskKind::Regression });
    }
    let counted = levels(source.column).ordered(0..rows);
    let known: usize = counted.iter().map(|(_, count)| count).sum();
    match counted.len() {
        // One word only is refused when the task is fitted.
        0..=2 => Ok(TaskKind::Binary),
        // Small tables may well have a class a few rows.
        count if count > 20 && 2 * count > known => Err(TaskError::NoClasses {
            task: source.task.to_owned(),
            column: source.column.name.clone(),
            count,
            rows: known,
        }),
        _ => Ok(TaskKind::Category),
    }
}
