//! Which columns could be predicted.

use super::{ColumnSurvey, Concern, Survey};
use polytask_data::{Column, List, Table, Values};
use polytask_model::config::TaskKind;
use polytask_model::tasks::{infer_kind, separator_of};
use serde::Serialize;
use std::collections::BTreeSet;

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
    /// It labels tokens, spans or pixels, or several labels a row, which no input does.
    Form,
    /// Values are missing in it, and in few other columns.
    Gaps,
    /// It stands beside texts or images with others like it, which are no inputs.
    Beside,
    /// It is the last column, or one of the last that are numbered: `g1, g2, g3`.
    Last,
}

impl Reason {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Reason::Name => "it is called like one",
            Reason::Form => "it holds labels of tokens or pixels, or several labels a row",
            Reason::Gaps => "it is known for some rows only, as labels often are",
            Reason::Beside => "it is one of several like it beside texts or images",
            Reason::Last => "it is the last column, or numbered like it",
        }
    }
}

/// Columns that a task about the structure of sentences is read from.
pub fn structure_columns(kind: TaskKind) -> &'static [&'static str] {
    if kind == TaskKind::Arcs { &["head", "deprel"] } else { &["frames"] }
}

/// The tasks about the structure of sentences that a table has labels of: predicates, senses and roles where a column holds frames, a tree where two
/// hold heads and relations.
pub fn structures(table: &Table) -> Vec<TaskKind> {
    let mut found = Vec::new();
    let frames = |json: &String| json.starts_with('[') && json.contains("\"pred\"") && json.contains("\"args\"");
    if let Some(Values::Nested(text)) = table.column("frames").map(|column| &column.values)
        && text.levels.iter().any(frames)
    {
        let senses = text.levels.iter().any(|json| json.contains("\"roleset\"") || json.contains("\"sense\""));
        found.push(TaskKind::Predicates);
        found.extend(senses.then_some(TaskKind::Senses));
        found.push(TaskKind::Roles);
    }
    let whole = |name: &&str| table.column(name).is_some_and(|column| matches!(column.values, Values::List(_)));
    if ["tokens", "head", "deprel"].iter().all(whole) {
        found.push(TaskKind::Arcs);
    }
    found
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
            TaskKind::Tags
            | TaskKind::TokenCategory
            | TaskKind::Multilabel
            | TaskKind::Segmentation
            | TaskKind::PixelRegression => Some(Reason::Form),
            TaskKind::Regression
            | TaskKind::Binary
            | TaskKind::Category
            | TaskKind::Count
            | TaskKind::Predicates
            | TaskKind::Senses
            | TaskKind::Roles
            | TaskKind::Arcs
            | TaskKind::Ordinal
            | TaskKind::Survival
            | TaskKind::Own(_) => is_name(&column.name).then_some(Reason::Name),
        };
        Some(Candidate { column: column.name.clone(), kind, because })
    };
    let mut found: Vec<Candidate> = table.columns().iter().filter_map(of).collect();
    if found.iter().all(|candidate| candidate.because.is_none()) && beside(&found, survey) {
        found.iter_mut().for_each(|candidate| candidate.because = Some(Reason::Beside));
    }
    if found.iter().all(|candidate| candidate.because.is_none()) {
        let gap = |candidate: &Candidate| {
            survey.column(&candidate.column).is_some_and(|column| 20 * column.missing > survey.rows)
        };
        let gaps = found.iter().filter(|candidate| gap(candidate)).count();
        match gaps > 0 && gaps < found.len() {
            true => found.iter_mut().filter(|c| gap(c)).for_each(|c| c.because = Some(Reason::Gaps)),
            false => {
                let last = found.last().map(|candidate| series(&candidate.column).to_owned());
                let alike = |c: &Candidate| last.as_deref() == Some(series(&c.column)) && series(&c.column) != c.column;
                let count = found.iter().rev().take_while(|candidate| alike(candidate)).count().max(1);
                found.iter_mut().rev().take(count).for_each(|c| c.because = Some(Reason::Last));
            }
        }
    }
    found
}

/// Whether all that stands beside texts or images are several columns of one kind, or of classes: labels of these.
fn beside(found: &[Candidate], survey: &Survey) -> bool {
    let reads = |column: &ColumnSurvey| matches!(column.kind, "text" | "image");
    let rest = survey.columns.iter().filter(|column| !reads(column) && column.concern.is_none()).count();
    let classes = |candidate: &Candidate| matches!(candidate.kind, TaskKind::Binary | TaskKind::Category);
    let alike = found.iter().all(classes) || found.windows(2).all(|pair| pair[0].kind == pair[1].kind);
    survey.columns.iter().any(reads) && found.len() > 1 && found.len() == rest && alike
}

/// The candidates that are most likely meant.
pub fn choose(candidates: &[Candidate]) -> Vec<&Candidate> {
    candidates.iter().filter(|candidate| candidate.because.is_some()).collect()
}

/// A name without the number at its end.
fn series(name: &str) -> &str {
    name.trim_end_matches(|c: char| c.is_ascii_digit())
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
        Values::Images(_) => mask_kind(column, survey),
        Values::List(list) if column.name != "tokens" => list_kind(&column.name, list, tokens),
        Values::List(_) => None,
        Values::Nested(text) => text.levels.first().filter(|level| is_spans(level)).map(|_| TaskKind::Tags),
        Values::Number(_) | Values::Text(_) => {
            let own = survey.column(&column.name)?;
            let group = survey.group.as_ref() == Some(&column.name);
            if own.kind == "image" {
                return mask_kind(column, survey);
            }
            let words = own.kind == "text" || own.kind == "date";
            let barred = matches!(
                own.concern,
                Some(Concern::Empty | Concern::Constant | Concern::Identifier | Concern::Dates | Concern::Names)
            );
            if barred || words || group {
                return None;
            }
            if several(column) {
                return Some(TaskKind::Multilabel);
            }
            let kind = infer_kind(table, &column.name)?;
            Some(if kind == TaskKind::Regression && codes(column) { TaskKind::Category } else { kind })
        }
    }
}

/// Whether texts hold several labels each, few different ones in all.
fn several(column: &Column) -> bool {
    let (Values::Text(text), Some(separator)) = (&column.values, separator_of(column)) else { return false };
    let bare = |part: &str| part.trim_matches(|c: char| c.is_whitespace() || "[]'\"".contains(c)).to_owned();
    let parts = |level: &str| {
        let separator = if level.starts_with('[') { "," } else { separator };
        level.split(separator).map(bare).filter(|part| !part.is_empty()).collect::<Vec<String>>()
    };
    let all: Vec<Vec<String>> = text.levels.iter().map(|level| parts(level)).collect();
    let labels: BTreeSet<&String> = all.iter().flatten().collect();
    let many = all.iter().filter(|labels| labels.len() > 1).count();
    many * 10 >= all.len() && many > 1 && labels.len() <= 1000 && labels.len() < all.len()
}

/// Classes at most that whole numbers stand for.
const CODES: usize = 200;

/// Whether a column that is called like one of classes counts them: 0, 1, 2 and so on, as Hugging Face has them.
fn codes(column: &Column) -> bool {
    const CLASSES: [&str; 6] = ["label", "labels", "class", "classes", "intent", "category"];
    let Values::Number(values) = &column.values else { return false };
    let name = column.name.to_lowercase();
    let called = name.split(['_', '.', ' ', '-']).any(|word| CLASSES.contains(&word));
    let known = || values.iter().copied().filter(|value| !value.is_nan());
    let most = known().fold(0.0, f64::max);
    let different: BTreeSet<u64> = known().map(f64::to_bits).collect();
    called
        && known().all(|value| value.fract() == 0.0 && value >= 0.0)
        && most < CODES as f64
        // Hardly a class between the first and the last is absent.
        && 10 * different.len() >= 9 * (most as usize)
        && different.len() * 2 <= values.len()
}

/// Images beside others, called like labels of their pixels.
fn mask_kind(column: &Column, survey: &Survey) -> Option<TaskKind> {
    let first = survey.columns.iter().find(|column| column.kind == "image")?;
    let name = column.name.to_lowercase();
    let called = |words: &[&str]| words.iter().any(|word| name.contains(word));
    if first.name == column.name {
        None
    } else if called(&["mask", "segment", "label", "class"]) {
        Some(TaskKind::Segmentation)
    } else {
        called(&["depth", "target", "height", "distance"]).then_some(TaskKind::PixelRegression)
    }
}

/// `[{"start": 3, "end": 9, "label": "time"}]`
fn is_spans(json: &str) -> bool {
    json.starts_with('[') && json.contains("\"start\"") && json.contains("\"label\"")
}

/// Labels of tokens where there are as many of them as tokens; else several labels a row, if they are few.
fn list_kind(name: &str, list: &List, tokens: Option<&Column>) -> Option<TaskKind> {
    let name = name.to_lowercase();
    let tagged = ["tag", "pos", "ner", "label", "chunk"].iter().any(|word| name.contains(word));
    let labels = list.items.levels.len();
    let aligned = tokens.is_some_and(|tokens| match &tokens.values {
        Values::List(tokens) => tokens.ends == list.ends,
        _ => false,
    });
    // Lemmas are as many as words, and positions of heads are no classes.
    if !(2..=1000).contains(&labels) || (labels * 4 > list.items.codes.len() && !tagged) {
        return None;
    }
    let numbers = list.items.levels.iter().all(|level| level.parse::<f64>().is_ok());
    let bio = list.items.levels.iter().all(|l| l == "O" || l.starts_with("B-") || l.starts_with("I-"));
    match (aligned, numbers) {
        (true, false) => Some(if bio { TaskKind::Tags } else { TaskKind::TokenCategory }),
        // Codes of tags, as Hugging Face has them; heads are no classes.
        (true, true) => tagged.then_some(TaskKind::TokenCategory),
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
        let found = chosen(vec![numbers("g0", false), numbers("a", false), numbers("g1", false), numbers("g2", false)]);
        let names: Vec<String> = found.into_iter().map(|(name, ..)| name).collect();
        assert_eq!(names, ["g1", "g2"]);
        assert!(is_name("Label") && is_name("y2") && !is_name("year") && !is_name("targeted"));
    }

    #[test]
    fn structures_are_known_by_their_columns() {
        let list = |name: &str| {
            let rows = (0..3).map(|_| Some(["1", "2"].map(Some)));
            Column { name: name.into(), values: Values::List(rows.collect()) }
        };
        let table = Table::from_columns(vec![list("tokens"), list("head"), list("deprel")]).unwrap();
        assert_eq!(structures(&table), [TaskKind::Arcs]);
        let table = Table::from_columns(vec![list("tokens"), list("deprel")]).unwrap();
        assert_eq!(structures(&table), []);
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
