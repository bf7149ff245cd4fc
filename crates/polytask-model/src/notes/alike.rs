//! Levels that differ by case or blanks alone.

use polytask_data::{Column, Values};
use std::collections::HashMap;

/// More levels are surely no spellings of a few.
const MOST: usize = 1000;

/// The note on a column of texts in which one level is written in two ways.
pub fn alike(column: &Column) -> Option<String> {
    let Values::Text(text) = &column.values else { return None };
    if text.levels.len() > MOST {
        return None;
    }
    let plain = |level: &str| level.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let mut seen: HashMap<String, Vec<&String>> = HashMap::new();
    let mut order = Vec::new();
    for level in &text.levels {
        let own = seen.entry(plain(level)).or_default();
        if own.len() == 1 {
            order.push(plain(level));
        }
        own.push(level);
    }
    let first = seen.get(order.first()?)?;
    let words: Vec<String> = first.iter().take(3).map(|level| format!("`{level}`")).collect();
    let others = order.len() - 1;
    let others = if others > 0 { format!(", and {others} more like them") } else { String::new() };
    Some(format!(
        "column `{}`: {} are levels of their own though case or blanks alone tell them apart{others}; if they mean the same, \
         write them alike",
        column.name,
        words.join(" and ")
    ))
}

#[cfg(test)]
mod tests {
    use super::alike;
    use polytask_data::Column;

    #[test]
    fn case_and_blanks_are_pointed_out() {
        let of = |levels: &[&str]| alike(&Column::text("z", levels.iter().map(|level| Some(*level))));
        let said = of(&["PASS", "fail", "pass", "Fail "]).unwrap();
        assert!(said.starts_with("column `z`: `PASS` and `pass` are levels of their own"), "{said}");
        assert!(said.contains("and 1 more like them"), "{said}");
        assert!(of(&["North", "North "]).unwrap().contains("`North` and `North `"));
        assert_eq!(of(&["a", "b", "ab", "a b"]), None);
    }
}
