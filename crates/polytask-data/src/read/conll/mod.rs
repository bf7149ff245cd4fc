//! Files of tokens: CoNLL-U and its kin, and a token a line with columns that somebody names.

mod arguments;
mod columns;
mod conllu;
mod guess;

pub(super) use columns::read as read_columns;
pub(super) use conllu::read as read_conllu;
pub(super) use guess::{columns as guess_columns, is_conllu};
