//! Files of the older CoNLL tasks: a token a line, a blank line behind every sentence, columns that the config names.

use crate::column::{Column, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::place::Place;
use crate::table::{Table, check_names};
use crate::text::{Argument, Frame, bio_spans};

/// A column that is passed over.
const SKIPPED: &str = "_";
/// Ends the name that takes all columns from its own on, one for each predicate.
const REST: &str = "...";
/// The column that says which tokens are predicates, for argument columns.
const PREDICATE: &str = "predicate";
/// The column of the numbers of senses, where `predicate` holds lemmas: then it says which tokens are predicates.
const SENSE: &str = "sense";

/// Reads `text`, whose columns are `names`, into a row a sentence with a list a column. Columns stand apart by tabs
/// where the first line has one, by blanks otherwise. Lines that begin with `#` before a sentence, and `-DOCSTART-`, are
/// passed over.
///
/// The name `_` passes a column over. A last name such as `frames...` takes the argument columns of the CoNLL tasks of
/// 2005 and 2012, one for each token whose `predicate` is neither `-` nor `_`, and makes frames of them. With a column
/// `sense` beside `predicate`, as in 2012, a token is a predicate where it has a sense: `say` with the sense `01` is
/// `say.01`.
pub(crate) fn read(file: &str, text: &str, names: &[String]) -> Result<Table, DataError> {
    let rest = names.last().and_then(|name| name.strip_suffix(REST));
    let plain = names.len() - usize::from(rest.is_some());
    let kept = names.iter().take(plain).map(String::as_str).filter(|name| *name != SKIPPED);
    check_names(file, kept.chain(rest))?;
    let [predicate, sense] = [PREDICATE, SENSE].map(|wanted| names.iter().position(|name| name == wanted));
    if let (Some(rest), None) = (rest, predicate) {
        return Err(DataError::NoPredicates { column: format!("{rest}{REST}") });
    }
    let first = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let tabs = first.is_some_and(|line| line.contains('\t'));

    let mut lists: Vec<ListBuilder> = (0..plain).map(|_| ListBuilder::default()).collect();
    let mut frames = TextBuilder::default();
    let (mut lines, mut sentence): (Vec<u32>, Vec<Vec<&str>>) = Default::default();
    let numbered = text.lines().chain(std::iter::once("")).enumerate();
    for (index, line) in numbered {
        let number = index as u64 + 1;
        let bad = |line: u64, column: &str, reason: String| {
            Err(DataError::Sentence { place: Place::line(file, line), column: column.to_owned(), reason })
        };
        if line.trim().is_empty() {
            let Some(begin) = number.checked_sub(sentence.len() as u64).filter(|_| !sentence.is_empty()) else {
                continue;
            };
            if let (Some(_), Some(predicate)) = (rest, predicate) {
                let made = match make_frames(&sentence, plain, predicate, sense) {
                    Ok(made) => made,
                    Err((token, reason)) => return bad(begin + token as u64, "", reason),
                };
                frames.push(serde_json::to_string(&made).ok().as_deref());
            }
            for (at, list) in lists.iter_mut().enumerate() {
                sentence.iter().for_each(|fields| list.item(fields.get(at).copied()));
                list.end();
            }
            lines.push(begin as u32);
            sentence.clear();
            continue;
        }
        if line.starts_with("-DOCSTART-") || (line.starts_with('#') && sentence.is_empty()) {
            continue;
        }
        let fields: Vec<&str> = if tabs { line.split('\t').collect() } else { line.split_whitespace().collect() };
        let expected = sentence.first().map_or(plain, Vec::len);
        let fits = if rest.is_some() && sentence.is_empty() { fields.len() >= plain } else { fields.len() == expected };
        if !fits {
            return bad(number, "", format!("expected {expected} columns, found {}", fields.len()));
        }
        sentence.push(fields);
    }
    if lines.is_empty() {
        return Err(DataError::NoRows { file: file.to_owned() });
    }
    let named = names.iter().zip(lists).filter(|(name, _)| *name != SKIPPED);
    let mut columns: Vec<Column> =
        named.map(|(name, list)| Column { name: name.clone(), values: Values::List(list.finish()) }).collect();
    if let Some(rest) = rest {
        columns.push(Column { name: rest.to_owned(), values: Values::Nested(frames.finish()) });
    }
    Table::from_file(file, columns, Some(lines), Vec::new())
}

/// The frames of a sentence whose argument columns begin at `first`. The error is a token and what is wrong with it.
fn make_frames(
    sentence: &[Vec<&str>],
    first: usize,
    predicate: usize,
    sense: Option<usize>,
) -> Result<Vec<Frame>, (usize, String)> {
    let field = |token: usize, column: usize| sentence[token].get(column).copied().unwrap_or_default();
    let named = |token: &usize| !matches!(field(*token, sense.unwrap_or(predicate)), "-" | "_");
    let predicates: Vec<usize> = (0..sentence.len()).filter(named).collect();
    let columns = sentence.first().map_or(0, Vec::len) - first;
    if columns != predicates.len() {
        let reason = format!("the sentence has {} predicates and {columns} columns of arguments", predicates.len());
        return Err((0, reason));
    }
    let mut frames = Vec::new();
    for (at, token) in predicates.into_iter().enumerate() {
        let cells: Vec<&str> = sentence.iter().filter_map(|fields| fields.get(first + at).copied()).collect();
        let mut arguments =
            if cells.iter().any(|cell| cell.contains(['(', '*'])) { brackets(&cells)? } else { tags(&cells)? };
        // The predicate itself is no argument.
        arguments.retain(|argument| !matches!(argument.role.as_str(), "V" | "rel"));
        let word = field(token, predicate);
        let (lemma, roleset) = match sense {
            Some(sense) => (Some(word), format!("{word}.{}", field(token, sense))),
            None => (word.rsplit_once('.').map(|(lemma, _)| lemma), word.to_owned()),
        };
        frames.push(Frame { predicate: token, lemma: lemma.map(str::to_owned), roleset: Some(roleset), arguments });
    }
    Ok(frames)
}

/// Arguments written `(A0*`, `*`, `*)`.
fn brackets(cells: &[&str]) -> Result<Vec<Argument>, (usize, String)> {
    let mut arguments: Vec<Argument> = Vec::new();
    let mut open = false;
    for (token, cell) in cells.iter().enumerate() {
        let bad = || (token, format!("`{cell}` is no part of an argument, such as `(A0*`, `*`, `*)`"));
        if let Some(inner) = cell.strip_prefix('(') {
            let role = inner.trim_end_matches(')').trim_end_matches('*');
            if open || role.is_empty() || role.contains(['(', '*', ')']) {
                return Err(bad());
            }
            arguments.push(Argument { role: role.to_owned(), first: token, last: token });
            open = true;
        } else if !matches!(*cell, "*" | "*)") || (*cell == "*)" && !open) {
            return Err(bad());
        }
        if let Some(argument) = arguments.last_mut().filter(|_| open) {
            argument.last = token;
        }
        open &= !cell.ends_with(')');
    }
    match arguments.last() {
        Some(argument) if open => Err((argument.first, format!("the argument {} is never closed", argument.role))),
        _ => Ok(arguments),
    }
}

/// Arguments written as tags, `B-A0`, `I-A0`, `O`.
fn tags(cells: &[&str]) -> Result<Vec<Argument>, (usize, String)> {
    let cells = cells.iter().map(|cell| if matches!(*cell, "_" | "-") { "O" } else { cell });
    let (spans, _) = bio_spans(cells).map_err(|error| (error.token, format!("`{}` is no tag", error.tag)))?;
    Ok(spans.into_iter().map(|span| Argument { role: span.label, first: span.first, last: span.last }).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &str) -> Vec<String> {
        names.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn tokens_and_their_tags() {
        let text = "-DOCSTART- -X- O O\n\nEU NNP B-NP B-ORG\nrejects VBZ B-VP O\n\n# a remark\n# 1 O O\n\nPeter NNP B-NP B-PER";
        let table = read("t.txt", text, &names("tokens pos _ tags")).unwrap();
        let shown = |name: &str, row| table.find(name).unwrap().shown(row).unwrap();
        assert_eq!([shown("tokens", 0), shown("tags", 0), shown("tokens", 1)], ["EU rejects", "B-ORG O", "Peter"]);
        assert_eq!((table.columns().len(), table.rows()), (3, 2));
        assert_eq!(table.place(1).to_string(), "t.txt line 9");
        // Between tabs a token may hold blanks, and a sentence may begin with the mark of a comment where it is one.
        let table = read("t.txt", "New York\tB-LOC\n#\tO\n", &names("tokens tags")).unwrap();
        assert_eq!(table.find("tokens").unwrap().shown(0).as_deref(), Some("New York #"));
    }

    #[test]
    fn arguments_of_predicates() {
        let text = "\
The DT - (A0* *
cat NN - *) (A1*)
sat VBD sit (V*) *
seen VBN see * (V*)

Nothing NN -
";
        let table = read("t.txt", text, &names("tokens pos predicate frames...")).unwrap();
        let frames = |row| crate::text::frames(&table.find("frames").unwrap().shown(row).unwrap(), 4).unwrap();
        let argument = |role: &str, first, last| Argument { role: role.into(), first, last };
        let first =
            Frame { predicate: 2, lemma: None, roleset: Some("sit".into()), arguments: vec![argument("A0", 0, 1)] };
        let second =
            Frame { predicate: 3, lemma: None, roleset: Some("see".into()), arguments: vec![argument("A1", 1, 1)] };
        assert_eq!(frames(0), [first, second]);
        assert_eq!(frames(1), []);
        let tagged = text
            .replace("(A0* *", "B-A0 O")
            .replace("*) (A1*)", "I-A0 B-A1")
            .replace("(V*) *", "B-V O")
            .replace("* (V*)", "O B-V");
        let again = read("t.txt", &tagged, &names("tokens pos predicate frames...")).unwrap();
        assert_eq!(again.find("frames").unwrap().shown(0), table.find("frames").unwrap().shown(0));
    }

    #[test]
    fn senses_beside_lemmas() {
        let text = "He - - (ARG0*)\nsaid say 01 (V*)\nsays say - *\n";
        let table = read("t.txt", text, &names("tokens predicate sense frames...")).unwrap();
        let frames = crate::text::frames(&table.find("frames").unwrap().shown(0).unwrap(), 3).unwrap();
        let only = (frames[0].predicate, frames[0].lemma.as_deref(), frames[0].roleset.as_deref());
        assert_eq!((frames.len(), only), (1, (1, Some("say"), Some("say.01"))));
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let error = |text: &str, columns: &str| read("t.txt", text, &names(columns)).unwrap_err().to_string();
        assert_eq!(error("a O\nb O x\n", "tokens tags"), "t.txt line 2: expected 2 columns, found 3");
        let roles = "tokens predicate roles...";
        assert_eq!(
            error("a - *\n\nb go *\nc - *\n", roles),
            "t.txt line 1: the sentence has 0 predicates and 1 columns of arguments"
        );
        assert_eq!(error("b go (A0*\nc - *\n", roles), "t.txt line 1: the argument A0 is never closed");
        let part = "is no part of an argument, such as `(A0*`, `*`, `*)`";
        assert_eq!(error("b go *\nc - *)\n", roles), format!("t.txt line 2: `*)` {part}"));
        assert_eq!(error("b go *\nc - x*\n", roles), format!("t.txt line 2: `x*` {part}"));
        assert!(error("a O\n", "tokens roles...").contains("`predicate`"));
        assert!(error("a O\n", "tokens tokens").contains("two columns are called `tokens`"));
    }
}
