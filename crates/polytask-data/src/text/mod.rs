//! Text: words and their places, tags over them, frames of predicates, and the files sentences come in.

mod bio;
mod frame;
mod span;
mod subwords;
mod tokenizer;
mod words;

pub use bio::{Bio, BioError, bio_spans, bio_tags};
pub use frame::{Argument, Frame, frames};
pub use span::{Span, TextSpan, text_spans};
pub use subwords::{SubwordSplitter, Subwords};
pub use tokenizer::Tokenizer;
pub use words::{Characters, Splitter};
