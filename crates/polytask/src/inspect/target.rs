//! Which columns could be predicted.

use super::{Concern, Survey};
use crate::config::TaskKind;
use crate::task::infer_kind;
use polytask_data::{Column, List, Table, Values};
use serde::Serialize;

/// A column that could be predicted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Candidate {
    /// The name of the column.
    pub column: String,
    /// What it would be.
    #[serde(serialize_with = "word")]
    pub kind: TaskKind,
    /// Why it is likely to be meant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub because: Option<Reason>,
}

fn word<S: serde::Serializer>(kind: &TaskKind, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(kind.word())
}

/// Why a column is likely to be meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It is called like a label.
    Name,
    /// It labels tokens or spans, or several labels a row, which no input does.
    Form,
    /// Values are missing in it, and in few other columns.
    Gaps,
    /// It is the last column.
    Last,
}

impl Reason {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Name => "it is called like one",
            Reason::Form => "it holds labels of tokens, or several labels a row",
            Reason::Gaps => "it is known for some rows only, as labels often are",
            Reason::Last => "it is the last column",
        }
    }
}

/// Names that labels have.
const NAMES: [&str; 16] = [
    "label", "labels", "target", "targets", "class", "classes", "outcome", "output", "response", "y", "intent",
    "domain", "slots", "tags", "ner", "upos",
];

/// Every column that could be predicted, in the order of the table.
pub fn candidates(table: &Table, survey: &Survey) -> Vec<Candidate> {
    let tokens = table.column("tokens");
    let of = |column: &Column| {
        let kind = kind(column, tokens, table, survey)?;
        let because = match kind {
            TaskKind::Tags | TaskKind::TokenCategory | TaskKind::Multilabel => Some(Reason::Form),
            _ => is_name(&column.name).then_some(Reason::Name),
        };
        Some(Candidate { column: column.name.clone(), kind, because })
    };
    let mut found: Vec<Candidate> = table.columns().iter().filter_map(of).collect();
    if found.iter().all(|candidate| candidate.because.is_none()) {
        let gap = |candidate: &Candidate| {
            survey.column(&candidate.column).is_some_and(|column| 20 * column.missing > survey.rows)
        };
        let gaps = found.iter().filter(|candidate| gap(candidate)).count();
        match gaps > 0 && gaps < found.len() {
            true => found.iter_mut().filter(|c| gap(c)).for_each(|c| c.because = Some(Reason::Gaps)),
            false => found.iter_mut().rev().take(1).for_each(|c| c.because = Some(Reason::Last)),
        }
    }
    found
}

/// The candidates that are most likely meant.
pub fn choose(candidates: &[Candidate]) -> Vec<&Candidate> {
    candidates.iter().filter(|candidate| candidate.because.is_some()).collect()
}

fn is_name(name: &str) -> bool {
    let name = name.to_lowercase();
    // `y1`, `target_2`, `label_size`
    let stem =
        name.split(['_', '.', ' ', '-']).next().unwrap_or_default().trim_end_matches(|c: char| c.is_ascii_digit());
    NAMES.contains(&stem)
}

/// What a column would be as a task; none for what cannot be one.
fn kind(column: &Column, tokens: Option<&Column>, table: &Table, survey: &Survey) -> Option<TaskKind> {
    match &column.values {
        Values::Images(_) => None,
        Values::List(list) if column.name != "tokens" => list_kind(list, tokens),
        Values::List(_) => None,
        Values::Nested(text) => text.levels.first().filter(|level| is_spans(level)).map(|_| TaskKind::Tags),
        Values::Number(_) | Values::Text(_) => {
            let own = survey.column(&column.name)?;
            let group = survey.group.as_ref() == Some(&column.name);
            let words = own.kind == "text" || own.kind == "image";
            let barred = matches!(
                own.concern,
                Some(Concern::Empty | Concern::Constant | Concern::Identifier | Concern::Dates | Concern::Names)
            );
            (!barred && !words && !group).then(|| infer_kind(table, &column.name)).flatten()
        }
    }
}

/// `[{"start": 3, "end": 9, "label": "time"}]`
fn is_spans(json: &str) -> bool {
    json.starts_with('[') && json.contains("\"start\"") && json.contains("\"label\"")
}

/// Labels of tokens where there are as many of them as tokens; else several labels a row, if they are few.
fn list_kind(list: &List, tokens: Option<&Column>) -> Option<TaskKind> {
    let labels = list.items.levels.len();
    let aligned = tokens.is_some_and(|tokens| match &tokens.values {
        Values::List(tokens) => tokens.ends == list.ends,
        _ => false,
    });
    // Lemmas are as many as words, and positions of heads are no classes.
    if !(2..=1000).contains(&labels) || labels * 4 > list.items.codes.len() {
        return None;
    }
    let numbers = list.items.levels.iter().all(|level| level.parse::<f64>().is_ok());
    let bio = list.items.levels.iter().all(|l| l == "O" || l.starts_with("B-") || l.starts_with("I-"));
    match (aligned, numbers) {
        (true, false) => Some(if bio { TaskKind::Tags } else { TaskKind::TokenCategory }),
        (true, true) => None,
        (false, _) => Some(TaskKind::Multilabel),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(columns: Vec<Column>) -> Vec<(String, TaskKind, Reason)> {
        let table = Table::from_columns(columns).unwrap();
        let all = candidates(&table, &Survey::of(&table));
        choose(&all).into_iter().map(|c| (c.column.clone(), c.kind, c.because.unwrap())).collect()
    }

    fn numbers(name: &str, gaps: bool) -> Column {
        let value = |i: usize| if gaps && i.is_multiple_of(3) { f64::NAN } else { (i * 7 % 31) as f64 / 2.0 };
        Column::number(name, (0..40).map(value).collect())
    }

    #[test]
    fn names_come_before_gaps_and_gaps_before_the_last() {
        let found = chosen(vec![numbers("a", true), numbers("target_1", false), numbers("b", false)]);
        assert_eq!(found, [("target_1".into(), TaskKind::Regression, Reason::Name)]);
        let found = chosen(vec![numbers("a", false), numbers("size", true), numbers("b", false)]);
        assert_eq!(found, [("size".into(), TaskKind::Regression, Reason::Gaps)]);
        let found = chosen(vec![numbers("a", false), numbers("b", false)]);
        assert_eq!(found, [("b".into(), TaskKind::Regression, Reason::Last)]);
        assert!(is_name("Label") && is_name("y2") && !is_name("year") && !is_name("targeted"));
    }

    #[test]
    fn labels_of_tokens_are_known_by_their_form() {
        let list = |name: &str, items: [&'static str; 2]| {
            let rows = (0..30).map(|_| Some(items.map(Some)));
            Column { name: name.into(), values: Values::List(rows.collect()) }
        };
        let found = chosen(vec![
            list("tokens", ["go", "home"]),
            list("pos", ["VERB", "NOUN"]),
            list("bio", ["O", "B-place"]),
            list("head", ["0", "1"]),
        ]);
        assert_eq!(
            found,
            [("pos".into(), TaskKind::TokenCategory, Reason::Form), ("bio".into(), TaskKind::Tags, Reason::Form)]
        );
    }
}
