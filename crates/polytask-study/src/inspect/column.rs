//! One column.

use polytask_data::{Column, Values};
use polytask_model::column::{levels, moments};
use polytask_model::config::InputKind;
use polytask_model::inputs::{infer_kind, is_days};
use serde::Serialize;

/// What is in a column.
#[derive(Clone, Debug, Serialize)]
pub struct ColumnSurvey {
    /// Its name.
    pub name: String,
    /// What it was read as: numbers, text, lists, nested values or images.
    pub holds: &'static str,
    /// What it would be as an input.
    pub kind: &'static str,
    /// Rows without a value.
    pub missing: usize,
    /// Different values.
    pub distinct: usize,
    /// What its values are like.
    pub summary: Summary,
    /// Why it is no input as it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concern: Option<Concern>,
}

/// What values are like.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Summary {
    /// Of numbers.
    Numbers {
        /// The smallest.
        min: f64,
        /// The mean.
        mean: f64,
        /// The population standard deviation.
        deviation: f64,
        /// The largest.
        max: f64,
    },
    /// The most frequent values, at most 5, with the rows that have them.
    Levels(Vec<(String, usize)>),
    /// Of lists: items a row on average, and different items.
    Lists {
        /// On average.
        items: f64,
        /// Different ones.
        distinct: usize,
    },
    /// Nothing that can be said in short.
    Other,
}

/// Why a column is no input as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Concern {
    /// No row has a value.
    Empty,
    /// All rows that have a value have the same.
    Constant,
    /// Every row has a value of its own that says nothing: a row number, a key.
    Identifier,
    /// Dates or times as text.
    Dates,
    /// Words, most of which stand in one row only.
    Names,
    /// Lists or objects that are no tokens.
    Nested,
}

impl Concern {
    /// In words, behind the name of the column.
    pub fn words(self) -> &'static str {
        match self {
            Concern::Empty => "has no value at all",
            Concern::Constant => "is the same in every row",
            Concern::Identifier => "names the rows; what it says of these rows holds for no other",
            Concern::Dates => {
                "looks like dates, of which not all are written in one of the ways that are known: written alike they are an input (`date`)"
            }
            Concern::Names => "has a value of its own in most rows",
            Concern::Nested => "holds lists or objects, which are no input",
        }
    }
}

/// Values that are listed.
pub const SHOWN: usize = 5;

impl ColumnSurvey {
    pub(super) fn of(column: &Column) -> Self {
        let rows = column.len();
        let missing = (0..rows).filter(|row| column.is_missing(*row)).count();
        let (distinct, summary) = summary(column);
        let kind = if is_days(column) && distinct > 1 { InputKind::Date } else { infer_kind(column) };
        let known = rows - missing;
        let words = kind == InputKind::Category && reads_as_text(column, distinct, known);
        let kind = if words { InputKind::Text } else { kind };
        let concern = match &column.values {
            _ if known == 0 => Some(Concern::Empty),
            Values::Images(_) => None,
            Values::Nested(_) => Some(Concern::Nested),
            Values::List(_) => (column.name != "tokens").then_some(Concern::Nested),
            _ if distinct == 1 => Some(Concern::Constant),
            Values::Number(values) => {
                numbers_rows(&column.name, values, known, distinct).then_some(Concern::Identifier)
            }
            Values::Text(text) if kind == InputKind::Category && 2 * distinct > known && distinct > 50 => {
                let dates = text.levels.iter().filter(|level| is_moment(level)).count() * 20 >= distinct * 19;
                let keys = distinct == known && text.levels.iter().all(|level| !level.contains(char::is_whitespace));
                Some(if dates {
                    Concern::Dates
                } else if keys {
                    Concern::Identifier
                } else {
                    Concern::Names
                })
            }
            Values::Text(_) => None,
        };
        ColumnSurvey {
            name: column.name.clone(),
            holds: column.kind(),
            kind: kind.word(),
            missing,
            distinct,
            summary,
            concern,
        }
    }

    /// Whether it names what several rows are about.
    pub(super) fn names_groups(&self, rows: usize) -> bool {
        let name = self.name.to_lowercase();
        let words =
            ["subject", "patient", "person", "user", "customer", "client", "student", "speaker", "session", "document"];
        let named = name == "id"
            || name.ends_with("_id")
            || name.ends_with(" id")
            || name.ends_with('#')
            || words.iter().any(|word| name == *word);
        named && self.concern.is_none() && self.missing == 0 && self.distinct > 1 && 3 * self.distinct <= rows
    }
}

fn summary(column: &Column) -> (usize, Summary) {
    match &column.values {
        Values::Number(values) => {
            let distinct = levels(column).names.len();
            let known = values.iter().copied().filter(|value| !value.is_nan());
            let Some((mean, deviation)) = moments(known.clone()) else { return (0, Summary::Other) };
            let (min, max) = known.fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(value), max.max(value)));
            (distinct, Summary::Numbers { min, mean, deviation, max })
        }
        Values::Text(text) => {
            let mut counted = levels(column).ordered(0..column.len());
            let distinct = counted.len();
            counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
            counted.truncate(SHOWN);
            match distinct > 0 && text.levels.len() > 20 && counted.first().is_some_and(|(_, count)| *count == 1) {
                // Where every value stands alone no one is worth more than another.
                true => (distinct, Summary::Levels(counted.into_iter().take(1).collect())),
                false => (distinct, Summary::Levels(counted)),
            }
        }
        Values::List(list) => {
            let rows = column.len().max(1) as f64;
            let distinct = list.items.levels.len();
            (distinct, Summary::Lists { items: list.items.codes.len() as f64 / rows, distinct })
        }
        Values::Nested(text) => (text.levels.len(), Summary::Other),
        Values::Images(images) => (images.len(), Summary::Other),
    }
}

/// Whether words that hardly repeat stand in a column that is called like one of texts, however short they are.
fn reads_as_text(column: &Column, distinct: usize, known: usize) -> bool {
    const NAMES: [&str; 14] = [
        "text",
        "sentence",
        "utterance",
        "query",
        "question",
        "title",
        "comment",
        "review",
        "message",
        "tweet",
        "content",
        "body",
        "description",
        "phrase",
    ];
    let name = column.name.to_lowercase();
    distinct > 20 && 2 * distinct > known && name.split(['_', '.', ' ', '-']).any(|word| NAMES.contains(&word))
}

/// Whether numbers count the rows, or are keys by their name.
fn numbers_rows(name: &str, values: &[f64], known: usize, distinct: usize) -> bool {
    if distinct < known || known < values.len() || known < 20 || values.iter().any(|value| value.fract() != 0.0) {
        return false;
    }
    let counts = values.windows(2).all(|pair| pair[1] - pair[0] == 1.0);
    let name = name.to_lowercase();
    let keyed = ["id", "index", "row", "key", "no", "nr", "number"]
        .iter()
        .any(|word| name == *word || name.ends_with(&format!("_{word}")) || name.ends_with(&format!(" {word}")));
    counts || keyed
}

/// `2004-03-10`, `10/03/2004 18.00.00`, `18:00`: digits in at least two parts, with marks between them.
fn is_moment(text: &str) -> bool {
    let text = text.trim();
    let marks = text.matches(['-', '/', '.', ':']).count();
    let fits = |c: char| c.is_ascii_digit() || "-/.: TZ+".contains(c);
    marks >= 1 && text.len() >= 4 && text.starts_with(|c: char| c.is_ascii_digit()) && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(column: Column) -> ColumnSurvey {
        ColumnSurvey::of(&column)
    }

    #[test]
    fn identifiers_are_told_from_quantities() {
        let count = |n: usize| (0..n).map(|i| i as f64 + 5.0).collect::<Vec<_>>();
        assert_eq!(of(Column::number("x", count(30))).concern, Some(Concern::Identifier));
        let shuffled: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 30)).collect();
        assert_eq!(of(Column::number("income", shuffled.clone())).concern, None);
        assert_eq!(of(Column::number("patient_id", shuffled)).concern, Some(Concern::Identifier));
        let words: Vec<String> = (0..60).map(|i| format!("k{i}")).collect();
        let text = || words.iter().map(|word| Some(word.as_str()));
        assert_eq!(of(Column::text("key", text())).concern, Some(Concern::Identifier));
        let names: Vec<String> = (0..60).map(|i| format!("Ann Lee {i}")).map(|n| n.replace(" Lee", "")).collect();
        assert_eq!(of(Column::text("name", names.iter().map(|n| Some(n.as_str())))).concern, Some(Concern::Names));
    }

    #[test]
    fn dates_constants_and_gaps() {
        let dates: Vec<String> = (0..60).map(|i| format!("2004-03-{:02} {:02}:00", i % 28 + 1, i / 28)).collect();
        let when = of(Column::text("when", dates.iter().map(|d| Some(d.as_str()))));
        assert_eq!((when.concern, when.kind), (None, "date"));
        assert_eq!(of(Column::number("x", vec![1.0, f64::NAN, 1.0])).concern, Some(Concern::Constant));
        let empty = of(Column::number("x", vec![f64::NAN; 3]));
        assert_eq!((empty.concern, empty.missing, empty.distinct), (Some(Concern::Empty), 3, 0));
        let column = of(Column::text("color", [Some("red"), None, Some("red"), Some("blue")]));
        assert_eq!((column.concern, column.kind, column.missing, column.distinct), (None, "category", 1, 2));
        assert!(matches!(column.summary, Summary::Levels(levels) if levels[0] == ("red".into(), 2)));
    }

    #[test]
    fn groups_are_named_and_shared() {
        let codes: Vec<f64> = (0..60).map(|i| f64::from(i / 6)).collect();
        assert!(of(Column::number("subject#", codes.clone())).names_groups(60));
        assert!(!of(Column::number("age", codes)).names_groups(60));
        assert!(!of(Column::number("subject#", (0..60).map(|i| f64::from(i / 2)).collect())).names_groups(60));
    }
}
