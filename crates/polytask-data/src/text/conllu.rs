//! CoNLL-U: ten fields a word, a word a line, a blank line behind every sentence (universaldependencies.org/format).

use std::collections::BTreeMap;

use crate::column::{Column, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::place::Place;
use crate::table::Table;

/// The columns of the fields, those that are passed over left empty.
const FIELDS: [&str; 10] = ["", "tokens", "lemma", "upos", "xpos", "feats", "head", "deprel", "", ""];
const FORM: usize = 1;
const LEMMA: usize = 2;
const FEATS: usize = 5;
const HEAD: usize = 6;

/// Reads `text` into a row a sentence: lists `tokens`, `lemma`, `upos`, `xpos`, `feats`, `head` and `deprel`, and a text
/// column for every `# key = value` there is, `newdoc id` as `document` for all sentences of a document.
///
/// Lines of multiword tokens (`3-4`) and of empty nodes (`5.1`) are passed over: what counts are the syntactic words. `_`
/// is a missing value, but stays as it is in forms, lemmas and features.
pub(crate) fn read(file: &str, text: &str) -> Result<Table, DataError> {
    let mut sentences = Sentences::default();
    for (index, line) in text.lines().enumerate() {
        let place = || Place::line(file, index as u64 + 1);
        if line.trim().is_empty() {
            sentences.end();
        } else if let Some(comment) = line.strip_prefix('#') {
            sentences.comment(comment);
        } else {
            sentences.word(line, index as u32 + 1).map_err(|(column, reason)| DataError::Sentence {
                place: place(),
                column: column.to_owned(),
                reason,
            })?;
        }
    }
    sentences.end();
    sentences.finish(file)
}

#[derive(Default)]
struct Sentences {
    lists: [ListBuilder; 10],
    /// By key, with the number of rows it was first met at.
    comments: BTreeMap<String, (usize, TextBuilder)>,
    document: Option<String>,
    /// Of the sentence at hand.
    keys: BTreeMap<String, String>,
    words: usize,
    /// The line of each sentence's first word.
    lines: Vec<u32>,
}

impl Sentences {
    fn comment(&mut self, comment: &str) {
        let Some((key, value)) = comment.split_once('=') else { return };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "newdoc id" => self.document = Some(value.to_owned()),
            // A comment must not hide a field.
            _ if key.is_empty() || FIELDS.contains(&key) || key == "document" => {}
            _ => {
                self.keys.insert(key.to_owned(), value.to_owned());
            }
        }
    }

    /// A line of fields. The error is the name of the field, and what is wrong with it.
    fn word(&mut self, line: &str, number: u32) -> Result<(), (&'static str, String)> {
        let fields: Vec<&str> = line.split('\t').collect();
        if fields.len() != FIELDS.len() {
            return Err(("", format!("expected 10 fields with tabs between them, found {}", fields.len())));
        }
        let id = fields[0];
        if id.contains(['-', '.']) {
            return Ok(());
        }
        if id.parse() != Ok(self.words + 1) {
            return Err(("ID", format!("`{id}` stands where word {} should", self.words + 1)));
        }
        if fields[FORM].is_empty() {
            return Err(("FORM", "the word is empty".into()));
        }
        if fields[HEAD] != "_" && fields[HEAD].parse::<u32>().is_err() {
            return Err(("HEAD", format!("`{}` is no number of a word; 0 stands for the root", fields[HEAD])));
        }
        for (at, (field, list)) in fields.iter().zip(&mut self.lists).enumerate() {
            let literal = matches!(at, FORM | LEMMA | FEATS);
            list.item(Some(*field).filter(|field| literal || *field != "_"));
        }
        if self.words == 0 {
            self.lines.push(number);
        }
        self.words += 1;
        Ok(())
    }

    fn end(&mut self) {
        if self.words == 0 {
            return;
        }
        self.words = 0;
        let row = self.lines.len() - 1;
        self.lists.iter_mut().for_each(ListBuilder::end);
        let mut keys = std::mem::take(&mut self.keys);
        if let Some(document) = &self.document {
            keys.insert("document".to_owned(), document.clone());
        }
        for (key, value) in keys {
            let (first, column) = self.comments.entry(key).or_insert_with(|| (row, TextBuilder::default()));
            while column.len() + *first < row {
                column.push(None);
            }
            column.push(Some(&value));
        }
    }

    fn finish(self, file: &str) -> Result<Table, DataError> {
        let rows = self.lines.len();
        if rows == 0 {
            return Err(DataError::NoRows { file: file.to_owned() });
        }
        let mut columns = Vec::new();
        for (key, (first, column)) in self.comments {
            let column = column.finish();
            let given = column.codes.iter().map(|code| column.levels.get(*code as usize).map(String::as_str));
            let all = std::iter::repeat_n(None, first).chain(given).chain(std::iter::repeat(None)).take(rows);
            columns.push(Column::text(key, all));
        }
        for (name, list) in FIELDS.into_iter().zip(self.lists).filter(|(name, _)| !name.is_empty()) {
            columns.push(Column { name: name.to_owned(), values: Values::List(list.finish()) });
        }
        Table::from_file(file, columns, Some(self.lines), Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
# newdoc id = d1
# sent_id = s1
# text = Don't go
1-2\tDon't\t_\t_\t_\t_\t_\t_\t_\t_
1\tDo\tdo\tAUX\tVB\tMood=Imp\t3\taux\t_\t_
2\tn't\tnot\tPART\tRB\t_\t3\tadvmod\t_\t_
2.1\tyou\tyou\tPRON\t_\t_\t_\t_\t_\t_
3\tgo\tgo\tVERB\tVB\t_\t0\troot\t_\tSpaceAfter=No

# a remark
1\t_\t_\t_\t_\t_\t_\t_\t_\t_
";

    #[test]
    fn a_sentence_is_a_row() {
        let table = read("t.conllu", TEXT).unwrap();
        let shown = |name: &str, row| table.find(name).unwrap().shown(row);
        assert_eq!(table.rows(), 2);
        assert_eq!(shown("tokens", 0).as_deref(), Some("Do n't go"));
        assert_eq!(shown("head", 0).as_deref(), Some("3 3 0"));
        assert_eq!(shown("feats", 0).as_deref(), Some("Mood=Imp _ _"));
        assert_eq!(shown("text", 0).as_deref(), Some("Don't go"));
        assert_eq!([shown("document", 0), shown("document", 1)], [Some("d1".into()), Some("d1".into())]);
        assert_eq!([shown("sent_id", 0), shown("sent_id", 1)], [Some("s1".into()), None]);
        assert_eq!(shown("tokens", 1).as_deref(), Some("_"));
        let Values::List(upos) = &table.find("upos").unwrap().values else { panic!("no list") };
        assert_eq!(upos.get(1).unwrap().collect::<Vec<_>>(), [None]);
        assert_eq!(table.place(1).to_string(), "t.conllu line 11");
    }

    #[test]
    fn what_is_wrong_is_placed() {
        let error = |from: &str, to: &str| {
            assert!(TEXT.contains(from));
            read("t.conllu", &TEXT.replace(from, to)).unwrap_err().to_string()
        };
        assert_eq!(
            error("\t3\tadvmod\t_\t_", "\t3\tadvmod"),
            "t.conllu line 6: expected 10 fields with tabs between them, found 8"
        );
        assert_eq!(error("2\tn't", "3\tn't"), "t.conllu line 6, field ID: `3` stands where word 2 should");
        let head = error("3\tadvmod", "x\tadvmod");
        assert_eq!(head, "t.conllu line 6, field HEAD: `x` is no number of a word; 0 stands for the root");
        assert_eq!(
            read("t.conllu", "# text = x\n\n").unwrap_err().to_string(),
            "t.conllu names its columns but has no rows"
        );
    }
}
