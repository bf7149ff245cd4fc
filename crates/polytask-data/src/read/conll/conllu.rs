//! CoNLL-U: ten fields a word, a word a line, a blank line behind every sentence (universaldependencies.org/format), and
//! CoNLL-U Plus, which names its fields in its first line.

use std::collections::BTreeMap;

use crate::column::{Column, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::place::Place;
use crate::table::{Table, check_names};
use crate::text::{Argument, Frame};

/// The fields of CoNLL-U with the columns they become, those that are passed over without one.
const FIELDS: [(&str, &str); 10] = [
    ("ID", ""),
    ("FORM", "tokens"),
    ("LEMMA", "lemma"),
    ("UPOS", "upos"),
    ("XPOS", "xpos"),
    ("FEATS", "feats"),
    ("HEAD", "head"),
    ("DEPREL", "deprel"),
    ("DEPS", ""),
    ("MISC", ""),
];
/// Begins the line that names the fields of CoNLL-U Plus.
const GLOBAL: &str = "# global.columns =";
/// The fields of Universal PropBank, which become the column `frames`: a predicate's sense, and its arguments by their heads
/// or whole.
const PREDICATE: &str = "UP:PRED";
const SPANS: &str = "UP:ARGSPANS";
const HEADS: &str = "UP:ARGHEADS";
const FRAMES: &str = "frames";

/// What is wrong with a line: the name of the field, empty for the line as a whole, and the words.
type Wrong = (String, String);

/// Reads `text` into a row a sentence: lists `tokens`, `lemma`, `upos`, `xpos`, `feats`, `head` and `deprel`, and a text
/// column for every `# key = value` there is, `newdoc id` as `document` for all sentences of a document. Other fields of
/// CoNLL-U Plus are lists called like the field in lower case; those of Universal PropBank are `frames`.
///
/// Lines of multiword tokens (`3-4`) and of empty nodes (`5.1`) are passed over: what counts are the syntactic words. `_`
/// is a missing value, but stays as it is in forms, lemmas and features.
pub(crate) fn read(file: &str, text: &str) -> Result<Table, DataError> {
    let wrong =
        |line: u64, (column, reason): Wrong| DataError::Sentence { place: Place::line(file, line), column, reason };
    let global = text.lines().next().and_then(|line| line.strip_prefix(GLOBAL));
    let fields = global
        .map_or_else(|| FIELDS.iter().map(|(field, _)| *field).collect(), |names| names.split_whitespace().collect());
    let layout = Layout::of(fields).map_err(|reason| wrong(1, (String::new(), reason)))?;
    let mut sentences = Sentences::of(&layout);
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            sentences.end();
        } else if let Some(comment) = line.strip_prefix('#') {
            sentences.comment(comment);
        } else {
            sentences.word(line, index as u32 + 1).map_err(|reason| wrong(index as u64 + 1, reason))?;
        }
    }
    sentences.end();
    sentences.finish(file)
}

/// The fields of a word.
struct Layout<'a> {
    fields: Vec<&'a str>,
    /// The column of each, empty where it has none.
    columns: Vec<String>,
    id: Option<usize>,
    form: usize,
    head: Option<usize>,
    /// The fields of predicates and of their arguments, and whether those are spans.
    roles: Option<(usize, usize, bool)>,
}

impl<'a> Layout<'a> {
    fn of(fields: Vec<&'a str>) -> Result<Self, String> {
        let place = |name: &str| fields.iter().position(|field| *field == name);
        let form = place("FORM").ok_or("`# global.columns` names no field FORM")?;
        let spans = place(SPANS);
        let roles = place(PREDICATE).zip(spans.or_else(|| place(HEADS))).map(|(p, a)| (p, a, spans.is_some()));
        let column = |field: &&str| match FIELDS.iter().find(|(name, _)| name == field) {
            Some((_, column)) => (*column).to_owned(),
            None if roles.is_some() && [PREDICATE, SPANS, HEADS].contains(field) => String::new(),
            None => field.to_lowercase(),
        };
        let columns = fields.iter().map(column).collect();
        let (id, head) = (place("ID"), place("HEAD"));
        Ok(Self { columns, id, form, head, roles, fields })
    }

    /// Whether `_` is a value of a field like any other.
    fn is_literal(&self, at: usize) -> bool {
        self.fields.get(at).is_some_and(|field| matches!(*field, "FORM" | "LEMMA" | "FEATS"))
    }
}

struct Sentences<'a> {
    layout: &'a Layout<'a>,
    lists: Vec<ListBuilder>,
    frames: TextBuilder,
    /// By key, with the number of rows it was first met at.
    comments: BTreeMap<String, (usize, TextBuilder)>,
    document: Option<String>,
    /// Of the sentence at hand.
    keys: BTreeMap<String, String>,
    found: Vec<Frame>,
    words: usize,
    /// The line of each sentence's first word.
    lines: Vec<u32>,
}

impl<'a> Sentences<'a> {
    fn of(layout: &'a Layout<'a>) -> Self {
        Self {
            layout,
            lists: layout.fields.iter().map(|_| ListBuilder::default()).collect(),
            frames: TextBuilder::default(),
            comments: BTreeMap::new(),
            document: None,
            keys: BTreeMap::new(),
            found: Vec::new(),
            words: 0,
            lines: Vec::new(),
        }
    }

    fn comment(&mut self, comment: &str) {
        let Some((key, value)) = comment.split_once('=') else { return };
        let (key, value) = (key.trim(), value.trim());
        match key {
            "newdoc id" => self.document = Some(value.to_owned()),
            // A comment must not hide a field.
            "" | "document" | "global.columns" | FRAMES => {}
            _ if self.layout.columns.iter().any(|column| column == key) => {}
            _ => {
                self.keys.insert(key.to_owned(), value.to_owned());
            }
        }
    }

    /// A line of fields.
    fn word(&mut self, line: &str, number: u32) -> Result<(), Wrong> {
        let layout = self.layout;
        let fields: Vec<&str> = line.split('\t').collect();
        let wrong = |field: &str, reason: String| Err((field.to_owned(), reason));
        if fields.len() != layout.fields.len() {
            let reason =
                format!("expected {} fields with tabs between them, found {}", layout.fields.len(), fields.len());
            return wrong("", reason);
        }
        if let Some(id) = layout.id.map(|at| fields[at]) {
            if id.contains(['-', '.']) {
                return Ok(());
            }
            if id.parse() != Ok(self.words + 1) {
                return wrong("ID", format!("`{id}` stands where word {} should", self.words + 1));
            }
        }
        if fields[layout.form].is_empty() {
            return wrong("FORM", "the word is empty".into());
        }
        if let Some(head) = layout.head.map(|at| fields[at]).filter(|head| *head != "_" && head.parse::<u32>().is_err())
        {
            return wrong("HEAD", format!("`{head}` is no number of a word; 0 stands for the root"));
        }
        if let Some((predicate, arguments, spans)) = layout.roles
            && fields[predicate] != "_"
        {
            let roleset = fields[predicate].to_owned();
            let lemma = roleset.rsplit_once('.').map(|(lemma, _)| lemma.to_owned());
            let arguments =
                roles(fields[arguments], spans).map_err(|reason| (layout.fields[arguments].to_owned(), reason))?;
            self.found.push(Frame { predicate: self.words, lemma, roleset: Some(roleset), arguments });
        }
        for (at, (field, list)) in fields.iter().zip(&mut self.lists).enumerate() {
            list.item(Some(*field).filter(|field| layout.is_literal(at) || *field != "_"));
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
        let frames = std::mem::take(&mut self.found);
        self.frames.push(serde_json::to_string(&frames).ok().as_deref());
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
        let named = self.layout.columns.iter().zip(self.lists).filter(|(name, _)| !name.is_empty());
        columns.extend(named.map(|(name, list)| Column { name: name.clone(), values: Values::List(list.finish()) }));
        if self.layout.roles.is_some() {
            columns.push(Column { name: FRAMES.to_owned(), values: Values::Nested(self.frames.finish()) });
        }
        check_names(file, columns.iter().map(|column| column.name.as_str()))?;
        Table::from_file(file, columns, Some(self.lines), Vec::new())
    }
}

/// Arguments as Universal PropBank writes them: `A0:1-3|A1:5-5` as spans, `A0:2|A1:5` by their heads, words counted from 1.
fn roles(text: &str, spans: bool) -> Result<Vec<Argument>, String> {
    let argument = |part: &str| {
        let (role, place) = part.rsplit_once(':')?;
        let (first, last) = if spans { place.split_once('-')? } else { (place, place) };
        let word = |text: &str| text.parse::<usize>().ok()?.checked_sub(1);
        Some(Argument { role: role.to_owned(), first: word(first)?, last: word(last)? })
    };
    let parts = text.split('|').filter(|part| !part.is_empty() && *part != "_");
    let read = parts.map(|part| argument(part).ok_or_else(|| format!("`{part}` is no argument such as `A0:1-3`")));
    let mut arguments = read.collect::<Result<Vec<_>, _>>()?;
    arguments.retain(|argument| !matches!(argument.role.as_str(), "V" | "rel"));
    Ok(arguments)
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

    const ROLES: &str = "\
# global.columns = ID FORM LEMMA UP:PRED UP:ARGHEADS UP:ARGSPANS X:Y
1\tbig\tbig\t_\t_\t_\tq
2\tdogs\tdog\t_\t_\t_\t_
3\tbark\tbark\tbark.01\tA0:2|V:3\tA0:1-2|V:3-3\t_

1\tdogs\tdog\t_\t_\t_\t_
";

    #[test]
    fn conllu_plus_names_its_fields() {
        let table = read("t.conllup", ROLES).unwrap();
        let names: Vec<&str> = table.columns().iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["tokens", "lemma", "x:y", "frames"]);
        let frames = |table: &Table, row| table.find("frames").unwrap().shown(row).unwrap();
        let expected = r#"[{"pred":2,"lemma":"bark","roleset":"bark.01","args":[["A0",0,1]]}]"#;
        assert_eq!((frames(&table, 0).as_str(), frames(&table, 1).as_str()), (expected, "[]"));
        let heads = read("t.conllup", &ROLES.replace("UP:ARGSPANS", "UP:OTHER")).unwrap();
        assert_eq!(frames(&heads, 0), expected.replace("0,1", "1,1"));
        assert_eq!(table.find("x:y").unwrap().shown(0).as_deref(), Some("q  "));
    }

    #[test]
    fn conllu_plus_must_hold_together() {
        let error = |from: &str, to: &str| read("t.conllup", &ROLES.replace(from, to)).unwrap_err().to_string();
        assert_eq!(
            error("A0:1-2", "A0:x"),
            "t.conllup line 4, field UP:ARGSPANS: `A0:x` is no argument such as `A0:1-3`"
        );
        assert_eq!(error(" FORM", " WORD"), "t.conllup line 1: `# global.columns` names no field FORM");
        assert_eq!(error("\tq", ""), "t.conllup line 2: expected 7 fields with tabs between them, found 6");
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
