//! Files of the older CoNLL tasks: a token a line, a blank line behind every sentence, columns that the config names.

use super::arguments::arguments;
use crate::column::{Column, ListBuilder, TextBuilder, Values};
use crate::error::DataError;
use crate::place::Place;
use crate::table::{Table, check_names};
use crate::text::Frame;

/// A column that is passed over.
const SKIPPED: &str = "_";
/// Ends the name that takes all columns from its own on, one for each predicate.
const REST: &str = "...";
/// The column that says which tokens are predicates, for argument columns.
const PREDICATE: &str = "predicate";
/// The column of the numbers of senses, where `predicate` holds lemmas: then it says which tokens are predicates.
const SENSE: &str = "sense";

/// What parts columns, and no other blank: a token may hold one that does not break.
const BLANKS: [char; 2] = [' ', '\t'];

/// Reads `text`, whose columns are `names`, into a row a sentence with a list a column. Columns stand apart by tabs
/// where the first line has one, by blanks otherwise. Lines that begin with `#` before a sentence, and `-DOCSTART-`, are
/// passed over.
///
/// The name `_` passes a column over. A name such as `frames...` takes the argument columns of the CoNLL tasks of
/// 2005, 2009 and 2012, one for each token whose `predicate` is neither `-` nor `_`, and makes frames of them; columns may
/// follow, as the coreference of 2012 does, which is passed over where it is not named. With a column
/// `sense` beside `predicate`, as in 2012, a token is a predicate where it has a sense: `say` with the sense `01` is
/// `say.01`.
pub(crate) fn read(file: &str, text: &str, names: &[String]) -> Result<Table, DataError> {
    let layout = Layout::of(file, names)?;
    let first = text.lines().find(|line| !is_blank(line) && !line.starts_with('#'));
    let tabs = first.is_some_and(|line| line.contains('\t'));
    let mut sentences = Sentences::of(&layout);
    let mut sentence: Vec<Vec<&str>> = Vec::new();
    let numbered = text.lines().chain(std::iter::once("")).enumerate();
    for (index, line) in numbered {
        let number = index as u64 + 1;
        let bad = |(line, reason): (u64, String)| DataError::Sentence {
            place: Place::line(file, line),
            column: String::new(),
            reason,
        };
        if is_blank(line) {
            if !sentence.is_empty() {
                let begin = number - sentence.len() as u64;
                sentences.end(&sentence, begin).map_err(|(token, reason)| bad((begin + token as u64, reason)))?;
                sentence.clear();
            }
            continue;
        }
        if line.starts_with("-DOCSTART-") || (line.starts_with('#') && sentence.is_empty()) {
            continue;
        }
        let fields: Vec<&str> = match tabs {
            true => line.split('\t').collect(),
            false => line.split(BLANKS).filter(|field| !field.is_empty()).collect(),
        };
        let expected = sentence.first().map_or(layout.plain(), Vec::len);
        let fits = match layout.rest {
            Some(_) if sentence.is_empty() => fields.len() >= layout.plain(),
            _ => fields.len() == expected,
        };
        if !fits {
            return Err(bad((number, format!("expected {expected} columns, found {}", fields.len()))));
        }
        sentence.push(fields);
    }
    sentences.finish(file)
}

/// Whether a line ends a sentence.
fn is_blank(line: &str) -> bool {
    line.trim_matches(BLANKS).is_empty()
}

/// The names of the columns, and which of them mean something.
struct Layout<'a> {
    names: &'a [String],
    /// The place of the name that takes the argument columns, and the name without its end.
    rest: Option<(usize, &'a str)>,
    predicate: Option<usize>,
    sense: Option<usize>,
}

impl<'a> Layout<'a> {
    fn of(file: &str, names: &'a [String]) -> Result<Self, DataError> {
        let mut rests = names.iter().enumerate().filter_map(|(at, name)| Some((at, name.strip_suffix(REST)?)));
        let rest = rests.next();
        let kept = names.iter().map(|name| name.strip_suffix(REST).unwrap_or(name)).filter(|name| *name != SKIPPED);
        check_names(file, kept)?;
        let [predicate, sense] = [PREDICATE, SENSE].map(|wanted| names.iter().position(|name| name == wanted));
        match (rest, rests.next(), predicate) {
            (_, Some((_, second)), _) => {
                let reason = format!("of `data.columns` only one takes the arguments, and `{second}{REST}` is another");
                Err(DataError::Sentence { place: Place::line(file, 1), column: String::new(), reason })
            }
            (Some((_, rest)), _, None) => Err(DataError::NoPredicates { column: format!("{rest}{REST}") }),
            _ => Ok(Self { names, rest, predicate, sense }),
        }
    }

    /// Columns that are there in every sentence.
    fn plain(&self) -> usize {
        self.names.len() - usize::from(self.rest.is_some())
    }

    /// Where the column of a name stands among so many fields.
    fn place(&self, name: usize, fields: usize) -> usize {
        match self.rest {
            Some((rest, _)) if name > rest => fields + name - self.names.len(),
            _ => name,
        }
    }

    /// The frames of a sentence. The error is a token and what is wrong with it.
    fn frames(&self, sentence: &[Vec<&str>]) -> Result<Vec<Frame>, (usize, String)> {
        let (Some((first, _)), Some(predicate)) = (self.rest, self.predicate) else { return Ok(Vec::new()) };
        let fields = sentence.first().map_or(0, Vec::len);
        let (predicate, sense) = (self.place(predicate, fields), self.sense.map(|sense| self.place(sense, fields)));
        let field = |token: usize, column: usize| sentence[token].get(column).copied().unwrap_or_default();
        let named = |token: &usize| !matches!(field(*token, sense.unwrap_or(predicate)), "-" | "_");
        let predicates: Vec<usize> = (0..sentence.len()).filter(named).collect();
        let columns = fields - self.plain();
        if columns != predicates.len() && !(columns == predicates.len() + 1 && self.ends_in_coreference(sentence)) {
            let reason = format!("the sentence has {} predicates and {columns} columns of arguments", predicates.len());
            return Err((0, reason));
        }
        let mut frames = Vec::new();
        for (at, token) in predicates.into_iter().enumerate() {
            let cells: Vec<&str> = sentence.iter().filter_map(|fields| fields.get(first + at).copied()).collect();
            let arguments = arguments(&cells)?;
            let word = field(token, predicate);
            let (lemma, roleset) = match sense {
                Some(sense) => (Some(word), format!("{word}.{}", field(token, sense))),
                None => (word.rsplit_once('.').map(|(lemma, _)| lemma), word.to_owned()),
            };
            frames.push(Frame { predicate: token, lemma: lemma.map(str::to_owned), roleset: Some(roleset), arguments });
        }
        Ok(frames)
    }

    /// Whether the last column holds coreference, `(1)`, `(2|3)` or `-`, and no name stands for it.
    fn ends_in_coreference(&self, sentence: &[Vec<&str>]) -> bool {
        let coreference = |cell: &str| {
            cell == "-" || cell == "_" || cell.bytes().all(|byte| matches!(byte, b'(' | b')' | b'|' | b'0'..=b'9'))
        };
        let unnamed = self.rest.is_some_and(|(rest, _)| rest + 1 == self.names.len());
        unnamed && sentence.iter().all(|fields| fields.last().is_some_and(|cell| coreference(cell)))
    }
}

/// The rows while they are read.
struct Sentences<'a> {
    layout: &'a Layout<'a>,
    lists: Vec<ListBuilder>,
    frames: TextBuilder,
    /// The first line of each.
    lines: Vec<u32>,
}

impl<'a> Sentences<'a> {
    fn of(layout: &'a Layout<'a>) -> Self {
        let lists = layout.names.iter().map(|_| ListBuilder::default()).collect();
        Self { layout, lists, frames: TextBuilder::default(), lines: Vec::new() }
    }

    /// Adds a sentence. The error is a token and what is wrong with it.
    fn end(&mut self, sentence: &[Vec<&str>], line: u64) -> Result<(), (usize, String)> {
        if self.layout.rest.is_some() {
            let frames = self.layout.frames(sentence)?;
            self.frames.push(serde_json::to_string(&frames).ok().as_deref());
        }
        for (name, list) in self.lists.iter_mut().enumerate() {
            for fields in sentence {
                list.item(fields.get(self.layout.place(name, fields.len())).copied());
            }
            list.end();
        }
        self.lines.push(line as u32);
        Ok(())
    }

    fn finish(self, file: &str) -> Result<Table, DataError> {
        if self.lines.is_empty() {
            return Err(DataError::NoRows { file: file.to_owned() });
        }
        let rest = self.layout.rest;
        let named = self.layout.names.iter().zip(self.lists).enumerate();
        let named = named.filter(|(at, (name, _))| *name != SKIPPED && rest.is_none_or(|(rest, _)| rest != *at));
        let mut columns: Vec<Column> =
            named.map(|(_, (name, list))| Column { name: name.clone(), values: Values::List(list.finish()) }).collect();
        if let Some((_, rest)) = rest {
            columns.push(Column { name: rest.to_owned(), values: Values::Nested(self.frames.finish()) });
        }
        Table::from_file(file, columns, Some(self.lines), Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Argument;

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
    fn columns_may_follow_the_arguments() {
        let text = "He - - (ARG0*) (1)\nsaid say 01 (V*) -\n\nYes - - -\n";
        let frames = |columns: &str| {
            let table = read("t.txt", text, &names(columns)).unwrap();
            [0, 1].map(|row| table.find("frames").unwrap().shown(row).unwrap())
        };
        let expected = r#"[{"pred":1,"lemma":"say","roleset":"say.01","args":[["ARG0",0,0]]}]"#;
        assert_eq!(frames("tokens predicate sense frames..."), [expected, "[]"]);
        assert_eq!(frames("tokens predicate sense frames... _"), [expected, "[]"]);
        let table = read("t.txt", text, &names("tokens predicate sense frames... entity")).unwrap();
        assert_eq!(table.find("entity").unwrap().shown(0).as_deref(), Some("(1) -"));
        assert_eq!(table.find("sense").unwrap().shown(1).as_deref(), Some("-"));
    }

    #[test]
    fn blanks_that_do_not_break_part_no_columns() {
        let table = read("t.txt", "26\u{a0}000 O\nOslo B-LOC\n", &names("tokens tags")).unwrap();
        assert_eq!(table.find("tokens").unwrap().shown(0).as_deref(), Some("26\u{a0}000 Oslo"));
        let table = read("t.txt", "\u{3000}\tO\nOslo\tB-LOC\n \t\nLima\tB-LOC\n", &names("tokens tags")).unwrap();
        assert_eq!((table.rows(), table.find("tokens").unwrap().shown(0).as_deref()), (2, Some("\u{3000} Oslo")));
    }

    #[test]
    fn labels_on_heads_are_arguments_of_one_token() {
        let text = "1\tdogs\t_\tA0\n2\tbark\tbark.01\t_\n3\tloudly\t_\tAM-MNR\n";
        let table = read("t.txt", text, &names("_ tokens predicate frames...")).unwrap();
        let expected = r#"[{"pred":1,"lemma":"bark","roleset":"bark.01","args":[["A0",0,0],["AM-MNR",2,2]]}]"#;
        assert_eq!(table.find("frames").unwrap().shown(0).as_deref(), Some(expected));
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
        assert_eq!(error("b go (A0*\nc - *\n", roles), "t.txt line 1: `(A0*` is never closed");
        assert_eq!(error("a - (A0*\nb - *\nc go (V*)\n", roles), "t.txt line 1: `(A0*` is never closed");
        let part = "is no part of an argument, such as `(A0*`, `*`, `*)`";
        assert_eq!(error("b go *\nc - *)\n", roles), format!("t.txt line 2: `*)` {part}"));
        assert_eq!(error("b go *\nc - x*\n", roles), format!("t.txt line 2: `x*` {part}"));
        assert!(error("a O\n", "tokens roles...").contains("`predicate`"));
        assert!(error("a O\n", "tokens tokens").contains("two columns are called `tokens`"));
    }
}
