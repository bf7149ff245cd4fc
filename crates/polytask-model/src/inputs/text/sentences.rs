//! The tokens of every row of a text column.

use crate::inputs::EncodeError;
use polytask_data::text::Splitter;
use polytask_data::{Column, Table, Values};
use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

/// Tokens in the order of the rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sentences {
    /// Where the tokens of each row begin, and where the last one's end.
    pub offsets: Vec<u32>,
    /// An index into `words` a token.
    pub codes: Vec<u32>,
    /// The different tokens, in the order of their first appearance.
    pub words: Vec<String>,
    /// The bytes of each token in its row's text; of a list of tokens as if there was a blank between them.
    pub places: Vec<Range<u32>>,
    /// Tokens each row had before it was cut.
    pub whole: Vec<u32>,
    /// Things worth saying.
    pub notes: Vec<String>,
}

/// The sentences of every text input, by column.
pub type Texts = BTreeMap<String, Sentences>;

/// Bytes of a token from which on it is surely no word; it counts as an unknown one.
pub(super) const LONGEST: usize = 200;

impl Sentences {
    /// Reads the texts, or lists of tokens, of a column; of each row the first `most` tokens.
    pub(crate) fn read(table: &Table, column: &Column, splitter: Splitter, most: usize) -> Result<Self, EncodeError> {
        let mut gather = Gather { most, ..Gather::default() };
        gather.sentences.offsets.push(0);
        match &column.values {
            Values::Text(text) => {
                for row in 0..table.rows() {
                    let text = text.get(row).unwrap_or_default();
                    gather.row(splitter.split(text).into_iter().map(|place| (&text[place.clone()], place.start)));
                }
            }
            Values::List(list) => {
                for row in 0..table.rows() {
                    let mut start = 0;
                    let mut tokens = Vec::new();
                    for (token, word) in list.get(row).into_iter().flatten().enumerate() {
                        let Some(word) = word.filter(|word| !word.bytes().all(|byte| byte.is_ascii_whitespace()))
                        else {
                            let (place, input) = (Box::new(table.place(row)), column.name.clone());
                            return Err(EncodeError::EmptyToken { place, input, token: token + 1 });
                        };
                        tokens.push((word, start));
                        start += word.len() + 1;
                    }
                    gather.row(tokens.into_iter());
                }
            }
            _ => return Err(EncodeError::NotText { input: column.name.clone(), found: column.kind() }),
        }
        Ok(gather.finish(&column.name))
    }

    /// The number of rows.
    pub fn rows(&self) -> usize {
        self.whole.len()
    }

    /// The tokens of a row, as places in `codes`.
    pub fn tokens(&self, row: usize) -> Range<usize> {
        match self.offsets.get(row..row + 2) {
            Some(&[start, end]) => start as usize..end as usize,
            _ => 0..0,
        }
    }

    /// How many tokens a row has.
    pub fn len(&self, row: usize) -> usize {
        self.tokens(row).len()
    }

    /// A token's word.
    pub fn word(&self, token: usize) -> &str {
        self.codes.get(token).and_then(|code| self.words.get(*code as usize)).map_or("", String::as_str)
    }
}

#[derive(Default)]
struct Gather<'a> {
    sentences: Sentences,
    known: HashMap<&'a str, u32>,
    most: usize,
    cut: usize,
    empty: usize,
    long: usize,
}

impl<'a> Gather<'a> {
    /// The tokens of a row with the byte each begins at.
    fn row(&mut self, tokens: impl ExactSizeIterator<Item = (&'a str, usize)>) {
        let all = tokens.len();
        self.cut += usize::from(all > self.most);
        self.empty += usize::from(all == 0);
        self.sentences.whole.push(all as u32);
        for (word, start) in tokens.take(self.most) {
            self.long += usize::from(word.len() > LONGEST);
            let next = self.sentences.words.len() as u32;
            let code = *self.known.entry(word).or_insert(next);
            if code == next {
                self.sentences.words.push(word.to_owned());
            }
            self.sentences.codes.push(code);
            self.sentences.places.push(start as u32..(start + word.len()) as u32);
        }
        self.sentences.offsets.push(self.sentences.codes.len() as u32);
    }

    fn finish(mut self, column: &str) -> Sentences {
        let mut say = |count: usize, one: &str, many: String| {
            if count > 0 {
                let (number, text) =
                    if count == 1 { ("1".to_owned(), one.to_owned()) } else { (count.to_string(), many) };
                self.sentences.notes.push(format!("input `{column}`: {number} {text}"));
            }
        };
        let most = self.most;
        say(
            self.cut,
            &format!("text is longer than max_tokens = {most} and was cut"),
            format!("texts are longer than max_tokens = {most} and were cut"),
        );
        say(self.empty, "text has no token", "texts have no token".to_owned());
        say(
            self.long,
            &format!("token is longer than {LONGEST} bytes and counts as unknown"),
            format!("tokens are longer than {LONGEST} bytes and count as unknown"),
        );
        self.sentences
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_lists_have_tokens_with_places() {
        let lists = [Some(vec![Some("to"), Some("New York")]), None, Some(vec![Some("to")])];
        let columns = vec![
            Column::text("text", [Some("Größe, ja"), Some(""), None]),
            Column { name: "tokens".into(), values: Values::List(lists.into_iter().collect()) },
        ];
        let table = Table::from_columns(columns).unwrap();
        let read =
            |name: &str, most| Sentences::read(&table, table.find(name).unwrap(), Splitter::Words, most).unwrap();
        let text = read("text", 2);
        assert_eq!((text.offsets.as_slice(), text.whole.as_slice()), ([0, 2, 2, 2].as_slice(), [3, 0, 0].as_slice()));
        assert_eq!(text.words, ["Größe", ","]);
        assert_eq!(text.places, [0..7, 7..8]);
        let said =
            ["input `text`: 1 text is longer than max_tokens = 2 and was cut", "input `text`: 2 texts have no token"];
        assert_eq!(text.notes, said);
        let tokens = read("tokens", 10);
        assert_eq!((tokens.codes.as_slice(), tokens.places[1].clone()), ([0, 1, 0].as_slice(), 3..11));
    }

    #[test]
    fn empty_tokens_are_placed() {
        // A wide blank is a token where somebody's corpus has it as one.
        let list = [Some(vec![Some("a"), Some("\u{3000}")]), Some(vec![Some("b"), Some(" ")])];
        let table =
            Table::from_columns(vec![Column { name: "w".into(), values: Values::List(list.into_iter().collect()) }])
                .unwrap();
        let error = Sentences::read(&table, table.find("w").unwrap(), Splitter::Words, 9).unwrap_err();
        assert_eq!(error.to_string(), "table row 2: input `w`: token 2 is empty");
    }
}
