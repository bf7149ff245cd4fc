//! Columns seen as numbers or as levels, whatever they were read as.

use polytask_data::{Column, MISSING, Text, Values, level};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

/// A column as different texts and one code a row.
pub struct Levels<'a> {
    /// One index into `names` a row, or [`MISSING`].
    pub codes: Cow<'a, [u32]>,
    /// The different texts, in the order of their first appearance.
    pub names: Cow<'a, [String]>,
}

/// Whether a column holds one plain value a row, no lists or objects.
pub fn is_plain(column: &Column) -> bool {
    matches!(column.values, Values::Number(_) | Values::Text(_))
}

/// The levels of a plain column; whole numbers have one spelling, `1` and not `1.0`, whatever they were read as.
pub fn levels(column: &Column) -> Levels<'_> {
    let numbers = match &column.values {
        Values::Text(text) => return spelt(text),
        Values::Number(numbers) => numbers,
        // Whoever asks has made sure that the column is plain.
        Values::List(_) | Values::Nested(_) | Values::Images(_) => {
            return Levels { codes: vec![MISSING; column.len()].into(), names: (&[] as &[String]).into() };
        }
    };
    let (mut seen, mut names) = (HashMap::new(), Vec::new());
    let code = |value: &f64| {
        if value.is_nan() {
            return MISSING;
        }
        // Adding 0 turns -0 into 0, which is the same level.
        let value = value + 0.0;
        *seen.entry(value.to_bits()).or_insert_with(|| {
            names.push(value.to_string());
            names.len() as u32 - 1
        })
    };
    let codes: Vec<u32> = numbers.iter().map(code).collect();
    Levels { codes: codes.into(), names: names.into() }
}

/// The levels of texts, those that are spellings of one whole number made one.
fn spelt(text: &Text) -> Levels<'_> {
    if text.levels.iter().all(|name| level(name) == name.as_str()) {
        return Levels { codes: (&text.codes).into(), names: (&text.levels).into() };
    }
    let (mut seen, mut names) = (HashMap::new(), Vec::new());
    let code = |name: &String| {
        let name = level(name).into_owned();
        *seen.entry(name.clone()).or_insert_with(|| {
            names.push(name);
            names.len() as u32 - 1
        })
    };
    let codes: Vec<u32> = text.levels.iter().map(code).collect();
    let codes = text.codes.iter().map(|code| codes.get(*code as usize).copied().unwrap_or(MISSING)).collect::<Vec<_>>();
    Levels { codes: codes.into(), names: names.into() }
}

impl Levels<'_> {
    /// How many of `rows` have each level.
    pub fn counts(&self, rows: impl IntoIterator<Item = usize>) -> Vec<usize> {
        let mut counts = vec![0; self.names.len()];
        for row in rows {
            if let Some(count) = self.codes.get(row).and_then(|code| counts.get_mut(*code as usize)) {
                *count += 1;
            }
        }
        counts
    }

    /// The levels that some of `rows` have with how many have them, numbers by value and before words.
    pub fn ordered(&self, rows: impl IntoIterator<Item = usize>) -> Vec<(String, usize)> {
        let counts = self.counts(rows);
        let used = self.names.iter().cloned().zip(counts).filter(|(_, count)| *count > 0);
        let mut used: Vec<(String, usize)> = used.collect();
        used.sort_by(|a, b| compare(&a.0, &b.0));
        used
    }

    /// For every level its position in `known`, or `absent`. Where only one of `true`, `True` and `TRUE` is known, as the format
    /// of a file has it, the others are that one.
    pub fn positions(&self, known: &[String], absent: u32) -> Vec<u32> {
        let at: HashMap<Cow<'_, str>, u32> = (0..).zip(known).map(|(i, name)| (level(name), i)).collect();
        let same_truth = |name: &str| {
            let word = truth(name)?;
            let mut alike = (0..).zip(known).filter(|(_, known)| truth(known) == Some(word)).map(|(i, _)| i);
            alike.next().filter(|_| alike.next().is_none())
        };
        let position = |name: &String| at.get(name.as_str()).copied().or_else(|| same_truth(name)).unwrap_or(absent);
        self.names.iter().map(position).collect()
    }
}

/// What a truth value says, as programs write it.
fn truth(word: &str) -> Option<bool> {
    match word {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

/// Numbers by value and before words, words by their characters.
fn compare(a: &str, b: &str) -> Ordering {
    let number = |text: &str| text.parse::<f64>().ok().filter(|v| v.is_finite());
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y).then_with(|| a.cmp(b)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// The values of a column as numbers, NaN for missing. A text column of numbers is read as such.
///
/// # Errors
/// The first row that holds a word.
pub fn numbers(column: &Column) -> Result<Cow<'_, [f64]>, usize> {
    let text = match &column.values {
        Values::Number(numbers) => return Ok(numbers.into()),
        Values::Text(text) => text,
        Values::List(_) | Values::Nested(_) | Values::Images(_) => return Err(0),
    };
    let parse = |level: &String| level.trim().parse::<f64>().ok().filter(|v| v.is_finite());
    let values: Vec<Option<f64>> = text.levels.iter().map(parse).collect();
    let value = |(row, code): (usize, &u32)| match values.get(*code as usize) {
        None => Ok(f64::NAN),
        Some(value) => value.ok_or(row),
    };
    text.codes.iter().enumerate().map(value).collect::<Result<Vec<f64>, usize>>().map(Cow::from)
}

/// Mean and population standard deviation, `sqrt(mean (x - mean)^2)`, of the values that are no NaN; `None` of none.
/// The deviation is exactly 0 where all are equal.
pub fn moments(values: impl Iterator<Item = f64> + Clone) -> Option<(f64, f64)> {
    let known = values.filter(|v| !v.is_nan());
    let first = known.clone().next()?;
    let n = known.clone().count() as f64;
    if known.clone().all(|v| v == first) {
        return Some((first, 0.0));
    }
    let mean = known.clone().map(|v| v / n).sum::<f64>();
    // Scaled by the largest deviation, so that neither very large nor very small ones are lost in squaring.
    let largest = known.clone().map(|v| (v - mean).abs()).fold(0.0, f64::max);
    let variance = known.map(|v| ((v - mean) / largest).powi(2)).sum::<f64>() / n;
    Some((mean, largest * variance.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_of_numbers_are_their_shortest_forms_in_numeric_order() {
        let column = Column::number("x", vec![10.0, 2.0, f64::NAN, 10.0, 0.5, -0.0, 0.0]);
        let levels = levels(&column);
        assert_eq!(levels.codes, [0, 1, MISSING, 0, 2, 3, 3].as_slice());
        let ordered: Vec<_> = levels.ordered(0..5).into_iter().collect();
        assert_eq!(ordered, [("0.5".into(), 1), ("2".into(), 1), ("10".into(), 2)]);
        assert_eq!(levels.positions(&["2".into(), "10".into()], 9), [1, 0, 9, 9]);
    }

    #[test]
    fn spellings_of_a_whole_number_are_one_level() {
        let column = Column::text(
            "x",
            [Some("3"), Some("3.0"), None, Some(" 3"), Some("03"), Some("9007199254740993.0"), Some("a")],
        );
        let levels = levels(&column);
        assert_eq!(levels.codes, [0, 0, MISSING, 0, 1, 2, 3].as_slice());
        assert_eq!(levels.names, ["3", "03", "9007199254740993", "a"].map(str::to_owned).as_slice());
        assert_eq!(levels.positions(&["3.0".into(), "a".into()], 9), [0, 9, 9, 1]);
    }

    #[test]
    fn formats_may_write_truth_in_their_own_way() {
        let column = Column::text("x", [Some("True"), Some("FALSE"), Some("false"), Some("yes")]);
        let known =
            |words: &[&str]| levels(&column).positions(&words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>(), 9);
        assert_eq!(known(&["false", "true"]), [1, 0, 0, 9]);
        assert_eq!(known(&["FALSE", "false", "yes"]), [9, 0, 1, 2]);
    }

    #[test]
    fn words_stand_after_numbers() {
        let column = Column::text("x", [Some("b"), Some("10"), Some("9"), None, Some("a")]);
        let names: Vec<String> = levels(&column).ordered(0..5).into_iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["9", "10", "a", "b"]);
    }

    #[test]
    fn text_of_numbers_is_read_and_a_word_is_placed() {
        let column = Column::text("x", [Some("1.5"), None, Some(" 2")]);
        let read = numbers(&column).unwrap();
        assert_eq!((read[0], read[2]), (1.5, 2.0));
        assert!(read[1].is_nan());
        assert_eq!(numbers(&Column::text("x", [Some("1"), Some("two")])).unwrap_err(), 1);
        assert_eq!(numbers(&Column::text("x", [Some("inf")])).unwrap_err(), 0);
    }

    #[test]
    fn moments_survive_extremes() {
        let (mean, deviation) = moments([1.0, f64::NAN, 3.0].into_iter()).unwrap();
        assert_eq!((mean, deviation), (2.0, 1.0));
        assert_eq!(moments([0.1, 0.1, 0.1].into_iter()), Some((0.1, 0.0)));
        assert_eq!(moments([f64::NAN].into_iter()), None);
        let (_, deviation) = moments([1e200, -1e200].into_iter()).unwrap();
        assert_eq!(deviation, 1e200);
        let (_, deviation) = moments([1e-200, -1e-200].into_iter()).unwrap();
        assert_eq!(deviation, 1e-200);
    }
}
