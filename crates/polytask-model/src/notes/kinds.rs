//! What labels were taken for where a config does not say.

use crate::column::levels;
use crate::inputs::Date;
use crate::section::{InputConfig, TaskConfig, TaskKind};
use crate::tasks::{Kind, Task};
use polytask_data::{Column, DateFormat, Table, Values};

/// Different numbers at most that could be codes of classes.
const FEW: usize = 10;

/// The note on numbers that could as well be codes of classes: what they are taken for, and how to have it otherwise. 0 and
/// 1 are what everybody writes for no and yes.
pub fn taken_for(column: &Column, kind: TaskKind) -> Option<String> {
    let Values::Number(values) = &column.values else { return None };
    if values.iter().any(|value| value.fract() != 0.0 && !value.is_nan()) {
        return None;
    }
    let found = levels(column).ordered(0..column.len());
    let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
    if names.len() < 2 || names.len() > FEW || names == ["0", "1"] {
        return None;
    }
    let listed = match names.split_last() {
        Some((last, first)) => format!("{} and {last}", first.join(", ")),
        None => return None,
    };
    match kind {
        TaskKind::Regression => Some(format!(
            "its labels {listed} are taken for quantities (regression); if they stand for classes, say kind = \"category\""
        )),
        TaskKind::Binary => Some(format!(
            "its labels {listed} are taken for no and yes (binary); kind = \"regression\" takes them for quantities"
        )),
        TaskKind::Category => Some(format!(
            "its labels {listed} are taken for classes (category); kind = \"regression\" takes them for quantities"
        )),
        TaskKind::Count
        | TaskKind::Tags
        | TaskKind::TokenCategory
        | TaskKind::Multilabel
        | TaskKind::Predicates
        | TaskKind::Senses
        | TaskKind::Roles
        | TaskKind::Arcs
        | TaskKind::Segmentation
        | TaskKind::PixelRegression
        | TaskKind::Ordinal
        | TaskKind::Survival
        | TaskKind::Own(_) => None,
    }
}

/// What is to be said of the kind of a task, whose `config` may leave it open.
pub(super) fn of_task(config: Option<&TaskConfig>, task: &Task, column: &Column, table: &Table) -> Option<String> {
    let name = &task.name;
    let said = if let Kind::Multilabel(own) = &task.kind {
        let open = config.is_none_or(|config| config.separator.is_none());
        (open && !own.columns).then(|| own.said_of(column)).flatten()
    } else if config.is_some_and(|config| config.kind.is_some()) {
        None
    } else {
        taken_for(column, crate::tasks::infer_kind(table, &column.name)?)
    };
    said.map(|said| format!("task `{name}`: {said}"))
}

/// The note on dates that could be read with the month first as well as with the day first.
pub(super) fn of_date(config: Option<&InputConfig>, date: &Date, column: &Column) -> Option<String> {
    let Values::Text(text) = &column.values else { return None };
    let open = config.is_none_or(|config| config.format.is_none()) && date.format == DateFormat::Day;
    let named = |text: &str| text.chars().any(char::is_alphabetic);
    let either = text.levels.iter().all(|level| DateFormat::Month.seconds(level).is_some() && !named(level));
    (open && either).then(|| {
        let (name, sample) = (&column.name, text.levels.first().map(String::as_str).unwrap_or_default());
        format!("input `{name}`: dates such as `{sample}` were read with the day first; if the month comes first, say format = \"month\"")
    })
}

/// The note on a few odd words that make three classes and more of two.
pub(super) fn odd(column: &Column) -> Option<String> {
    let Values::Text(_) = &column.values else { return None };
    let mut counted = levels(column).ordered(0..column.len());
    let all: usize = counted.iter().map(|(_, count)| count).sum();
    counted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let (pair, rest) = counted.split_at_checked(2)?;
    let odd: usize = rest.iter().map(|(_, count)| count).sum();
    if rest.is_empty() || rest.len() > 3 || odd * 20 > all {
        return None;
    }
    let words: Vec<String> = rest.iter().map(|(word, _)| format!("`{word}`")).collect();
    let [(first, _), (second, _)] = pair else { return None };
    Some(format!(
        "it has {} classes because {odd} of {all} labels are neither `{first}` nor `{second}` but {}; if they mean that there \
         is none, list them in data.missing, and the task is binary",
        counted.len(),
        words.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_told() {
        let of = |values: &[f64], kind| taken_for(&Column::number("y", values.to_vec()), kind);
        let said = of(&[0.0, 2.0, 1.0, f64::NAN], TaskKind::Regression).unwrap();
        assert!(said.starts_with("its labels 0, 1 and 2 are taken for quantities (regression)"), "{said}");
        assert!(of(&[-1.0, 1.0], TaskKind::Binary).unwrap().contains("-1 and 1 are taken for no and yes"));
        assert_eq!(of(&[0.0, 1.0], TaskKind::Binary), None);
        assert_eq!(of(&[0.5, 1.0], TaskKind::Regression), None);
        let many: Vec<f64> = (0..20).map(f64::from).collect();
        assert_eq!(of(&many, TaskKind::Regression), None);
    }

    #[test]
    fn an_odd_word_is_told() {
        let of = |odd: usize| {
            let word = |i: usize| if i < odd { "?" } else { ["Y", "N"][i % 2] };
            super::odd(&Column::text("y", (0..100).map(|i| Some(word(i)))))
        };
        assert!(of(3).unwrap().contains("3 of 100 labels are neither `N` nor `Y` but `?`"), "{:?}", of(3));
        assert_eq!((of(0), of(20)), (None, None));
    }
}
