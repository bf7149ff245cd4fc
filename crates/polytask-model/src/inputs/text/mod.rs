//! Texts: their tokens, and what the model reads of each.

mod context;
mod encoded;
mod encoder;
mod pieces;
mod pretrained;
mod sentences;
mod vocabulary;

pub use context::{Context, ContextFeatures};
pub(crate) use context::{context_node, place_node};
pub use encoded::Encoded;
pub(crate) use encoder::layer;
pub use pieces::{Pieces, ReadPieces};
pub use pretrained::Pretrained;
pub use sentences::{Sentences, Texts};
pub use vocabulary::{Feature, Vocabulary};

use super::{EncodeError, InputColumn};
use crate::section::{Embedding, InputConfig, TextModel, TextPool};
use polytask_data::text::{Splitter, Subwords};
use polytask_data::{Column, Table, Values};
use polytask_exec::Parameters;
use polytask_graph::{Activation, DomainId, Graph, GraphBuilder, IndexColumn, NodeId, Reduction};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;
use vocabulary::PARTS;

/// A text becomes tokens, and a token indices: its word, and parts of it that a word has which training never saw.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Text {
    /// What the tokens of a text are; a list of tokens is taken as it is.
    pub splitter: Splitter,
    /// Of each text the first tokens are read, this many.
    pub max_tokens: usize,
    /// The words of the training rows, in lower case.
    pub words: Vocabulary,
    /// Features a word is embedded in.
    pub width: usize,
    /// What else is read of a word.
    pub parts: Vec<Part>,
    /// The pieces words are made of, where these are read too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subwords: Option<Pieces>,
    /// Whether the vectors of words stay as they begin.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub frozen: bool,
    /// What the vectors of words begin as: of a model that is trained, not of one that is read.
    #[serde(skip)]
    pub pretrained: Option<Arc<Pretrained>>,
    /// A pretrained encoder that reads the text too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<Context>,
}

/// Files that a text input reads besides its column, where they lie.
#[derive(Debug, Default)]
pub(super) struct TextFiles {
    pub vectors: Option<PathBuf>,
    pub tokenizer: Option<PathBuf>,
    pub context: Option<Context>,
}

/// A part of words with its values in the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Which.
    pub feature: Feature,
    /// Those of the training rows.
    pub values: Vocabulary,
}

/// Features a part of a word is embedded in.
pub(super) const PART_WIDTH: usize = 24;
/// A part that fewer words of the training rows have says little.
const PART_COUNT: usize = 2;
/// Most different values of a part.
const PART_MOST: usize = 5_000;

/// The defaults of the config.
const MAX_TOKENS: usize = 512;
const MIN_COUNT: usize = 2;
const MAX_WORDS: usize = 50_000;
const WIDTH: usize = 100;

/// The token indices of a text column for all rows.
#[derive(Clone, Debug, PartialEq)]
pub struct TokenFeatures {
    /// The name of the column.
    pub column: String,
    /// Where the tokens of each row begin, and where the last one's end.
    pub offsets: Vec<u32>,
    /// `tokens x width`: the word, then its parts.
    pub indices: Vec<u32>,
    /// Indices a token.
    pub width: usize,
    /// Where the pieces of each token begin, and where the last one's end; empty where none are read.
    pub piece_offsets: Vec<u32>,
    /// The pieces.
    pub pieces: Vec<u32>,
    /// What is read of a pretrained encoder.
    pub context: ContextFeatures,
}

impl TokenFeatures {
    /// Gives each of `rows` the tokens of another: the row at place i takes those of the one at place `order[i]`.
    pub(super) fn permute(&mut self, rows: &[u32], order: &[u32]) {
        let count = self.offsets.len().saturating_sub(1);
        let mut from: Vec<u32> = (0..count as u32).collect();
        for (row, place) in rows.iter().zip(order) {
            from[*row as usize] = rows[*place as usize];
        }
        let mut moved = TokenFeatures {
            offsets: vec![0],
            indices: Vec::with_capacity(self.indices.len()),
            column: self.column.clone(),
            width: self.width,
            piece_offsets: self.piece_offsets.first().copied().into_iter().collect(),
            pieces: Vec::with_capacity(self.pieces.len()),
            context: self.context.begin(),
        };
        for row in from {
            let tokens = self.offsets[row as usize] as usize..self.offsets[row as usize + 1] as usize;
            moved.indices.extend_from_slice(&self.indices[tokens.start * self.width..tokens.end * self.width]);
            for token in tokens.clone().filter(|_| !self.piece_offsets.is_empty()) {
                let own = self.piece_offsets[token] as usize..self.piece_offsets[token + 1] as usize;
                moved.pieces.extend_from_slice(&self.pieces[own]);
                moved.piece_offsets.push(moved.pieces.len() as u32);
            }
            moved.context.take(&self.context, row as usize, tokens.clone());
            let end = moved.offsets.last().copied().unwrap_or(0) + tokens.len() as u32;
            moved.offsets.push(end);
        }
        *self = moved;
    }

    /// Adds the rows of `other`, which is of the same column.
    pub(crate) fn append(&mut self, other: Self) {
        let TokenFeatures { column: _, offsets, indices, width: _, piece_offsets, pieces, context } = other;
        let join = |ours: &mut Vec<u32>, theirs: Vec<u32>| {
            let end = ours.last().copied().unwrap_or(0);
            ours.extend(theirs.iter().skip(1).map(|offset| end + offset));
        };
        join(&mut self.offsets, offsets);
        self.indices.extend(indices);
        join(&mut self.piece_offsets, piece_offsets);
        self.pieces.extend(pieces);
        self.context.append(context);
    }
}

impl Text {
    /// Fits the vocabulary on the training rows. Lists whose tokens hold marks that the word boundaries of Unicode would cut
    /// off come from white space.
    pub(super) fn fit(
        source: &InputColumn,
        config: &InputConfig,
        files: TextFiles,
        rows: &[u32],
    ) -> Result<Self, EncodeError> {
        let splitter = config.splitter.unwrap_or_else(|| like(source.column));
        let max_tokens = config.max_tokens.unwrap_or(MAX_TOKENS);
        let sentences = Sentences::read(source.table, source.column, splitter, max_tokens)?;
        let mut counts = vec![0usize; sentences.words.len()];
        for row in rows {
            let tokens = sentences.codes.get(sentences.tokens(*row as usize)).unwrap_or_default();
            tokens.iter().for_each(|code| counts[*code as usize] += 1);
        }
        let seen: Vec<(&str, usize)> =
            sentences.words.iter().map(String::as_str).zip(counts).filter(|(_, count)| *count > 0).collect();
        if seen.is_empty() {
            return Err(source.all_missing());
        }
        let fit = |feature: Feature, weigh: fn(usize) -> usize, least, most| {
            let values: Vec<(String, usize)> = seen
                .iter()
                .filter(|(word, _)| word.len() <= sentences::LONGEST)
                .map(|(w, n)| (feature.of(w), weigh(*n)))
                .collect();
            Vocabulary::fit(values.iter().map(|(value, count)| (value.as_str(), *count)), least, most)
        };
        let least = config.min_count.unwrap_or(MIN_COUNT);
        let most = config.max_words.unwrap_or(MAX_WORDS);
        let mut words = fit(Feature::Word, |count| count, least, most);
        let frozen = config.freeze == Some(true);
        let pretrained = files.vectors.as_deref().map(|path| {
            let lower: HashSet<String> = seen.iter().map(|(word, _)| word.to_lowercase()).collect();
            let more = if frozen { most.saturating_sub(lower.len()) } else { 0 };
            let pretrained = Pretrained::read(&source.column.name, path, &lower, more)?;
            // Rare words of the training rows come before those that only the file has.
            words.extend(pretrained.words.iter().filter(|word| lower.contains(*word)), most);
            words.extend(&pretrained.words, most);
            Ok(Arc::new(pretrained))
        });
        let pretrained = pretrained.transpose()?;
        // A part counts once a word, so that what is kept says something of words that are not there.
        let part = |feature| Part { feature, values: fit(feature, |_| 1, PART_COUNT, PART_MOST) };
        let width = match (config.embedding, &pretrained) {
            (Some(Embedding::Width(width)), Some(vectors)) if width != vectors.width => {
                let reason = format!("its vectors have {} numbers each, and `embedding` is {width}", vectors.width);
                return Err(EncodeError::TextFile { input: source.column.name.clone(), reason });
            }
            (Some(Embedding::Width(width)), _) => width,
            (_, Some(vectors)) => vectors.width,
            _ => WIDTH,
        };
        let short = seen.iter().filter(|(word, _)| word.len() <= sentences::LONGEST);
        let subwords = match (&config.subwords, files.tokenizer.as_deref()) {
            (Some(crate::section::Subwords::Learnt(most)), _) => {
                let mut counts: BTreeMap<String, u64> = BTreeMap::new();
                short.for_each(|(word, count)| *counts.entry(word.to_lowercase()).or_default() += *count as u64);
                let counts = counts.iter().map(|(word, count)| (word.as_str(), *count));
                Some(Pieces::Learnt(Subwords::train(counts, *most)))
            }
            (Some(crate::section::Subwords::Read(_)), Some(path)) => {
                Some(Pieces::read(&source.column.name, path, short.map(|(word, _)| *word))?)
            }
            _ => None,
        };
        let parts = PARTS.map(part).to_vec();
        let context = files.context;
        Ok(Text { splitter, max_tokens, words, width, parts, subwords, frozen, pretrained, context })
    }

    /// The sentences of a column of another table.
    pub(super) fn read(&self, table: &Table, column: &Column) -> Result<Sentences, EncodeError> {
        Sentences::read(table, column, self.splitter, self.max_tokens)
    }

    /// Indices of every token.
    /// Of a pretrained encoder is read what each token has where `tokens` are read one by one, else what the row has.
    pub(super) fn features(
        &self,
        column: &str,
        source: &InputColumn<'_>,
        sentences: &Sentences,
        tokens: bool,
    ) -> Result<TokenFeatures, EncodeError> {
        let all =
            std::iter::once((Feature::Word, &self.words)).chain(self.parts.iter().map(|p| (p.feature, &p.values)));
        let columns: Vec<Vec<u32>> = all
            .map(|(feature, values)| {
                let (index, unknown) = (values.index(), values.0.len() as u32);
                let of = |word: &String| match word.len() > sentences::LONGEST {
                    true => unknown,
                    false => index.get(feature.of(word).as_str()).copied().unwrap_or(unknown),
                };
                sentences.words.iter().map(of).collect()
            })
            .collect();
        let indices =
            sentences.codes.iter().flat_map(|code| columns.iter().map(|column| column[*code as usize])).collect();
        let (column, offsets) = (column.to_owned(), sentences.offsets.clone());
        let (piece_offsets, pieces) = self.pieces(sentences);
        let read = |context: &Context| context.features(source, tokens.then_some(sentences));
        let context = self.context.as_ref().map(read).transpose()?.unwrap_or_default();
        Ok(TokenFeatures { column, offsets, indices, width: columns.len(), piece_offsets, pieces, context })
    }

    /// The pieces of every token, and where they begin.
    fn pieces(&self, sentences: &Sentences) -> (Vec<u32>, Vec<u32>) {
        let Some(subwords) = &self.subwords else { return Default::default() };
        let words = sentences.words.iter().map(|word| (word.len() <= sentences::LONGEST).then_some(word.as_str()));
        let words = subwords.split(words);
        let (mut offsets, mut pieces) = (vec![0], Vec::new());
        for code in &sentences.codes {
            pieces.extend_from_slice(&words[*code as usize]);
            offsets.push(pieces.len() as u32);
        }
        (offsets, pieces)
    }

    /// Puts what is known of words into the parameters that a model starts from.
    pub(super) fn start(&self, graph: &Graph, column: &str, parameters: &mut Parameters) {
        if let Some(pretrained) = &self.pretrained {
            pretrained.put(graph, &format!("{}.word.table", node(column)), &self.words.0, parameters);
        }
        if let Some(context) = &self.context {
            context.start(graph, column, parameters);
        }
    }

    /// Whether words are embedded, or a pretrained encoder is all that reads the text.
    pub(super) fn reads_words(&self, tokens: bool) -> bool {
        self.context.as_ref().is_none_or(|context| context.words.unwrap_or(tokens))
    }

    /// Adds the inputs of a graph: the tokens on a domain of their own, and what belongs to them. `labelled` are tokens that are
    /// read one by one.
    pub(super) fn inputs(&self, g: &mut GraphBuilder, column: &str, labelled: bool) {
        let name = node(column);
        let words = self.reads_words(labelled);
        let domain = (words || labelled).then(|| g.ragged(&name, DomainId::ROWS));
        if let Some(domain) = domain.filter(|_| words) {
            g.index_on(domain, &name, self.columns().len());
            if self.subwords.is_some() {
                let name = piece_node(column);
                let pieces = g.ragged(&name, domain);
                g.index_on(pieces, &name, 1);
            }
        }
        if let Some(context) = &self.context {
            context.inputs(g, column, domain.filter(|_| labelled));
        }
    }

    /// Adds what reads a text token by token, `{name}.word`, ..., `{name}.lstm.0`, ...: the embeddings of a token's word and
    /// parts, and `context`, which a pretrained encoder says of it.
    pub(super) fn encode(
        &self,
        g: &mut GraphBuilder,
        column: &str,
        name: &str,
        model: &TextModel,
        context: Option<NodeId>,
    ) -> NodeId {
        let domain = g.domain_named(&node(column));
        let mut parts = match g.find(&node(column)) {
            Some(tokens) => self.words(g, column, tokens, name),
            None => Vec::new(),
        };
        parts.extend(context);
        let embedded = g.named(format!("{name}.embedded")).concat(&parts);
        let x = g.named(format!("{name}.embedded.dropout")).dropout(embedded, model.dropout as f32);
        encoder::encode(g, domain, name, x, model, self.max_tokens)
    }

    /// Adds the embeddings of a token's word and parts.
    fn words(&self, g: &mut GraphBuilder, column: &str, tokens: NodeId, name: &str) -> Vec<NodeId> {
        let embed = |(column, (part, levels, width)): (usize, (String, usize, usize))| {
            g.named(format!("{name}.{part}")).sparse_embedding(tokens, IndexColumn { column, levels }, width)
        };
        let mut parts: Vec<NodeId> = self.columns().into_iter().enumerate().map(embed).collect();
        if self.frozen {
            g.learning_rate(parts[0], 0.0);
        }
        if let (Some(subwords), Some(pieces)) = (&self.subwords, g.find(&piece_node(column))) {
            let column = IndexColumn { column: 0, levels: subwords.levels() };
            let embedded = g.named(format!("{name}.piece")).sparse_embedding(pieces, column, self.width);
            parts.push(g.named(format!("{name}.pieces")).reduce(embedded, Reduction::Mean));
        }
        parts
    }

    /// Name, levels and width of the embedding of each index column.
    pub(super) fn columns(&self) -> Vec<(String, usize, usize)> {
        let word = (Feature::Word.name(), self.words.levels(), self.width);
        let parts = self.parts.iter().map(|part| (part.feature.name(), part.values.levels(), PART_WIDTH));
        std::iter::once(word).chain(parts).collect()
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        match self.width > 0 && self.max_tokens > 0 {
            true => {
                self.context.as_ref().map_or(Ok(()), Context::check)?;
                self.subwords.as_ref().map_or(Ok(()), Pieces::check)
            }
            false => Err("its width or number of tokens is 0"),
        }
    }
}

/// The name of a text column's tokens, as input and as domain.
pub fn node(column: &str) -> String {
    format!("tokens.{column}")
}

/// The name of the pieces of a text column's tokens, as input and as domain.
pub(crate) fn piece_node(column: &str) -> String {
    format!("pieces.{column}")
}

/// The tokens of each row as one.
pub(crate) fn pool(g: &mut GraphBuilder, x: NodeId, name: &str, pool: TextPool) -> NodeId {
    match pool {
        TextPool::Max => g.named(format!("{name}.pool")).reduce(x, Reduction::Max),
        TextPool::Mean => g.named(format!("{name}.pool")).reduce(x, Reduction::Mean),
        TextPool::Attention => {
            let scores = g.named(format!("{name}.attention")).dense(x, 1, Activation::Linear);
            g.named(format!("{name}.pool")).attention_reduce(x, scores)
        }
    }
}

/// The splitter that gives tokens like those of a column.
fn like(column: &Column) -> Splitter {
    let Values::List(list) = &column.values else { return Splitter::Words };
    let whole = list.items.levels.iter().filter(|word| Splitter::Words.split(word).len() == 1).count();
    // One token in ten may be a name with a dot, or a time.
    if whole * 10 >= list.items.levels.len() * 9 { Splitter::Words } else { Splitter::Whitespace }
}

/// Times that the same sentence stands in a column on average, from which on it is a name.
const OFTEN: usize = 20;

/// Whether a column of texts holds sentences rather than names: three words each on average, few of them often.
pub(super) fn is_text(text: &polytask_data::Text) -> bool {
    let levels = &text.levels;
    let words: usize = levels.iter().map(|level| level.split_whitespace().count()).sum();
    let known = text.codes.iter().filter(|code| **code != polytask_data::MISSING).count();
    levels.len() > 20 && words >= 3 * levels.len() && known < OFTEN * levels.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_are_told_from_names() {
        let column = |text: &str, levels: u32, times: usize| polytask_data::Text {
            codes: (0..levels).collect::<Vec<_>>().repeat(times),
            levels: (0..levels).map(|i| format!("{text} {i}")).collect(),
        };
        assert!(is_text(&column("wake me at", 30, 1)));
        assert!(is_text(&column("wake me at", 30, 10)));
        assert!(!is_text(&column("room", 30, 1)));
        assert!(!is_text(&column("wake me at", 10, 1)));
        assert!(!is_text(&column("wake me at", 30, 100)), "what stands there a hundred times is a name");
    }

    #[test]
    fn lists_tell_how_they_were_split() {
        let lists = |words: Vec<&str>| {
            let list = [Some(words.into_iter().map(Some))].into_iter().collect();
            like(&Column { name: "w".into(), values: Values::List(list) })
        };
        assert_eq!(lists(vec!["Go", "to", "Rome", "."]), Splitter::Words);
        assert_eq!(lists(vec!["Go", "to", "Rome."]), Splitter::Whitespace);
    }
}
