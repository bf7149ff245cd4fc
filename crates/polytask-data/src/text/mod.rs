//! Text: words and their places, tags over them, frames of predicates, and the files sentences come in.

mod arguments;
mod bio;
mod columns;
mod conllu;
mod frame;
mod guess;
mod span;
mod subwords;
mod tokenizer;
mod vectors;
mod words;

pub use bio::{Bio, BioError, bio_spans, bio_tags};
pub use frame::{Argument, Frame, frames};
pub use span::{Span, TextSpan, text_spans};
pub use subwords::{SubwordSplitter, Subwords};
pub use tokenizer::Tokenizer;
pub use vectors::{WordVectors, word_vectors};
pub use words::{Characters, Splitter};

pub(crate) use columns::read as read_columns;
pub(crate) use conllu::read as read_conllu;
pub(crate) use guess::{columns as guess_columns, is_conllu};
