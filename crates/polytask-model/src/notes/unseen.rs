//! Levels and labels that training never saw.

use crate::column::levels;
use crate::inputs::{Code, Encoder, Input};
use crate::tasks::{Kind, Task};
use polytask_data::text::{TextSpan, text_spans};
use polytask_data::{Column, MISSING, Table, Values};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Those that are named.
const NAMED: usize = 5;

/// How many of some rows have levels of inputs or labels of tasks that training never saw, and which; `what` is what the
/// rows are called. Columns that are not there are passed over.
pub fn unseen(encoder: &Encoder, tasks: &[Task], table: &Table, rows: &[u32], what: &str) -> Vec<String> {
    let of_input = |input: &Input| match &input.code {
        Code::Category(category) => {
            let found = Found::plain(table.column(&input.column)?, &category.levels, rows);
            found.said(rows.len(), what, "levels", &input.column, "; they are read as missing")
        }
        Code::Number(_)
        | Code::Boolean(_)
        | Code::Date(_)
        | Code::Text(_)
        | Code::Encoded(_)
        | Code::Seen(_)
        | Code::Image(_)
        | Code::Own(_) => None,
    };
    let of_task = |task: &Task| {
        let column = table.column(&task.column)?;
        Found::of_task(task, column, rows)?.said(rows.len(), what, "labels", &task.name, consequence(&task.kind))
    };
    let inputs = super::few(encoder.inputs.iter().filter_map(of_input).collect());
    inputs.into_iter().chain(tasks.iter().filter_map(of_task)).collect()
}

/// What becomes of such labels in the scores.
fn consequence(kind: &Kind) -> &'static str {
    match kind {
        Kind::Binary(_) | Kind::Category(_) | Kind::Ordinal(_) => {
            "; accuracy counts them as mistakes, log_loss leaves them out"
        }
        Kind::Tags(_) | Kind::TokenCategory(_) | Kind::Arcs(_) => "; they count as mistakes",
        Kind::Multilabel(_) => "; they are passed over",
        Kind::Regression(_)
        | Kind::Survival(_)
        | Kind::Count(_)
        | Kind::Predicates(_)
        | Kind::Senses(_)
        | Kind::Roles(_)
        | Kind::Segmentation(_)
        | Kind::PixelRegression(_)
        | Kind::Own(_) => "",
    }
}

/// What was found.
#[derive(Default)]
struct Found {
    rows: usize,
    names: Vec<String>,
    known: BTreeSet<String>,
}

impl Found {
    /// Of a column of one value a row.
    fn plain(column: &Column, known: &[String], rows: &[u32]) -> Self {
        let levels = levels(column);
        let positions = levels.positions(known, MISSING);
        let mut found = Found::default();
        for row in rows {
            let code = levels.codes.get(*row as usize).map(|code| *code as usize);
            if let Some(name) =
                code.filter(|code| positions.get(*code) == Some(&MISSING)).and_then(|c| levels.names.get(c))
            {
                found.add([Cow::Borrowed(name.as_str())]);
            }
        }
        found
    }

    /// Of a column of several labels a row.
    fn several<'a>(rows: &[u32], known: &[String], labels: impl Fn(usize) -> Vec<Cow<'a, str>>) -> Self {
        let mut found = Found::default();
        for row in rows {
            let new = labels(*row as usize).into_iter().filter(|label| !known.iter().any(|known| known == label));
            found.add(new.collect::<Vec<_>>());
        }
        found
    }

    fn of_task(task: &Task, column: &Column, rows: &[u32]) -> Option<Self> {
        let tagged = |row| labels_of(column, row).into_iter().filter_map(bare).collect();
        Some(match &task.kind {
            Kind::Category(own) => Found::plain(column, &own.classes.labels, rows),
            Kind::Ordinal(own) => Found::plain(column, &own.classes.labels, rows),
            Kind::Binary(own) if !own.rest => Found::plain(column, &own.classes.labels, rows),
            Kind::TokenCategory(own) => Found::several(rows, &own.classes.labels, |row| labels_of(column, row)),
            Kind::Tags(own) => Found::several(rows, &own.set.labels, tagged),
            Kind::Multilabel(own) if !own.columns => {
                let labels = |row| own.of_row(column, row).unwrap_or_default().into_iter().map(Cow::Borrowed).collect();
                Found::several(rows, &own.labels, labels)
            }
            Kind::Binary(_)
            | Kind::Multilabel(_)
            | Kind::Survival(_)
            | Kind::Regression(_)
            | Kind::Count(_)
            | Kind::Predicates(_)
            | Kind::Senses(_)
            | Kind::Roles(_)
            | Kind::Arcs(_)
            | Kind::Segmentation(_)
            | Kind::PixelRegression(_)
            | Kind::Own(_) => return None,
        })
    }

    /// Adds those of a row.
    fn add<'a>(&mut self, names: impl IntoIterator<Item = Cow<'a, str>>) {
        let mut any = false;
        for name in names {
            any = true;
            if self.known.insert(name.clone().into_owned()) && self.names.len() < NAMED {
                self.names.push(name.into_owned());
            }
        }
        self.rows += usize::from(any);
    }

    fn said(&self, all: usize, what: &str, values: &str, name: &str, then: &str) -> Option<String> {
        if self.rows == 0 {
            return None;
        }
        let names: Vec<String> = self.names.iter().map(|name| format!("`{name}`")).collect();
        let more = self.known.len() - self.names.len();
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let (rows, have) = (self.rows, if self.rows == 1 { "has" } else { "have" });
        Some(format!(
            "{rows} of {all} {what} {have} {values} of `{name}` that training never saw: {}{more}{then}",
            names.join(", ")
        ))
    }
}

/// The labels of a row's tokens or spans.
fn labels_of(column: &Column, row: usize) -> Vec<Cow<'_, str>> {
    match &column.values {
        Values::List(list) => list.get(row).into_iter().flatten().flatten().map(Cow::Borrowed).collect(),
        Values::Text(text) => text.get(row).into_iter().flat_map(str::split_whitespace).map(Cow::Borrowed).collect(),
        Values::Nested(text) => {
            let spans = text.get(row).and_then(|json| text_spans(json).ok()).unwrap_or_default();
            let label = |span| match span {
                TextSpan::Tokens(span) => span.label,
                TextSpan::Characters { label, .. } => label,
            };
            spans.into_iter().map(|span| Cow::Owned(format!("B-{}", label(span)))).collect()
        }
        Values::Number(_) | Values::Images(_) => Vec::new(),
    }
}

/// The label of a tag; none of `O`.
fn bare(tag: Cow<'_, str>) -> Option<Cow<'_, str>> {
    match tag {
        Cow::Borrowed(tag) => tag.strip_prefix("B-").or_else(|| tag.strip_prefix("I-")).map(Cow::Borrowed),
        Cow::Owned(tag) => tag.strip_prefix("B-").map(|label| Cow::Owned(label.to_owned())),
    }
}
