//! What a pretrained encoder says of a text.

use super::Sentences;
use crate::inputs::{EncodeError, InputColumn};
use crate::pretrained::{Asked, Build, Checkpoint, Encoding, Tuning, Vectors};
use crate::section::{Adaptation, EncoderConfig, EncoderPooling, Training, environment};
use polytask_data::Values;
use polytask_exec::Parameters;
use polytask_graph::{DomainId, Graph, GraphBuilder, NodeId, Reduction};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// A pretrained encoder of a text input, and what is asked of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Context {
    /// The encoder.
    pub checkpoint: Checkpoint,
    /// How vectors are made of its hidden states.
    pub encoding: Encoding,
    /// What of it learns.
    pub train: Training,
    /// What the learning rate is multiplied by.
    pub rate: f32,
    /// What the rate of a layer is, as a multiple of that of the layer above it.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub layer_decay: f32,
    /// Steps of a run before it begins to learn.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub probe: u64,
    /// What learns beside it, where it stays as it is itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptation: Option<Adaptation>,
    /// Whether the words of the text are read beside it; none: where tokens are labelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<bool>,
    /// Where the folder lies, where a model names it instead of holding it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PathBuf>,
}

/// Pieces of a text that are read if nothing says how many.
const PIECES: usize = 512;

fn one() -> f32 {
    1.0
}

fn is_zero(steps: &u64) -> bool {
    *steps == 0
}

fn is_one(decay: &f32) -> bool {
    *decay == 1.0
}

impl Context {
    /// Reads the encoder that a config names.
    pub(in crate::inputs) fn read(input: &str, config: &EncoderConfig, folder: &Path) -> Result<Self, EncodeError> {
        let fault = |reason: String| EncodeError::TextFile { input: input.to_owned(), reason };
        let path = environment::resolve(folder, &config.pretrained).map_err(fault)?;
        let checkpoint = Checkpoint::read(&path)
            .map_err(|source| EncodeError::Pretrained { input: input.to_owned(), source: Box::new(source) })?;
        let advice = checkpoint.advice;
        let most = checkpoint.shape.positions;
        let pieces = match config.max_pieces {
            Some(pieces) if pieces > most => {
                return Err(fault(format!("`max_pieces` is {pieces}, and the encoder has {most} positions")));
            }
            Some(pieces) => pieces,
            None => advice.and_then(|advice| advice.pieces).unwrap_or(PIECES).min(most),
        };
        if checkpoint.shape.build == Build::Table {
            if !config.train.is_frozen() {
                return Err(fault(
                    "it names static vectors, which have no layers: `train` must be \"frozen\"".to_owned(),
                ));
            }
            if config.pooling.is_some_and(|pooling| pooling != EncoderPooling::Mean) {
                return Err(fault(
                    "it names static vectors, of which a text is the mean: `pooling` must be \"mean\"".to_owned(),
                ));
            }
        }
        if let Training::Last(layers) = config.train
            && layers > checkpoint.shape.layers
        {
            let all = checkpoint.shape.layers;
            return Err(fault(format!("`train` names the last {layers} layers, and the encoder has {all}")));
        }
        let pooling = config.pooling.or(advice.map(|advice| advice.pooling)).unwrap_or(EncoderPooling::Mean);
        let normalize = config.normalize.or(advice.map(|advice| advice.normalize)).unwrap_or(false);
        let link = config.link.then(|| path.canonicalize().unwrap_or(path));
        Ok(Context {
            encoding: Encoding { pooling, normalize, pieces, long: config.long },
            checkpoint,
            train: config.train,
            rate: config.rate() as f32,
            layer_decay: config.layer_decay.unwrap_or(1.0) as f32,
            probe: config.probe.unwrap_or(0),
            adaptation: config.adaptation(),
            words: config.words,
            link,
        })
    }

    /// The vectors of every row of a column, a list of tokens as if there was a blank between them.
    pub(in crate::inputs) fn of_rows(&self, source: &InputColumn<'_>, keep: bool) -> Result<Vectors, EncodeError> {
        let texts = texts(source)?;
        let asked: Vec<Asked<'_>> = texts.iter().map(|text| Asked::Text(text)).collect();
        let failed = |reason| EncodeError::TextFile { input: source.column.name.clone(), reason };
        self.checkpoint.vectors(&self.encoding, &asked, keep).map_err(failed)
    }

    /// What does not hold of one that was read from a model.
    pub(in crate::inputs) fn check(&self) -> Result<(), &'static str> {
        let shape = &self.checkpoint.shape;
        if shape.check().is_err() {
            return Err("the sizes of its encoder are out of range");
        }
        match self.encoding.pieces > 0 && self.encoding.pieces <= shape.positions {
            true => Ok(()),
            false => Err("it reads more pieces than its encoder has positions"),
        }
    }
}

/// The text of every row; nothing where it is missing.
fn texts<'a>(source: &InputColumn<'a>) -> Result<Vec<Cow<'a, str>>, EncodeError> {
    let rows = 0..source.table.rows();
    match &source.column.values {
        Values::Text(text) => Ok(rows.map(|row| text.get(row).unwrap_or_default().into()).collect()),
        Values::List(list) => {
            let join = |row| list.get(row).into_iter().flatten().flatten().collect::<Vec<_>>().join(" ").into();
            Ok(rows.map(join).collect())
        }
        _ => Err(EncodeError::NotText { input: source.column.name.clone(), found: source.column.kind() }),
    }
}

/// What a graph reads of the encoder's pieces, or of its vectors, for all rows.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ContextFeatures {
    /// Of an encoder that learns nothing: the vector of every token, `tokens x width`.
    pub vectors: Vec<f32>,
    /// Features of a vector; 0 where there are none.
    pub width: usize,
    /// Of one that learns: where the pieces of each row begin, and where the last one's end.
    pub offsets: Vec<u32>,
    /// The pieces.
    pub pieces: Vec<u32>,
    /// By token, or by row, the place of its first piece among those of the row.
    pub places: Vec<u32>,
    /// Whether places are of tokens.
    pub of_tokens: bool,
    /// Rows that are longer than what is read of them.
    pub long: usize,
}

impl Context {
    /// What is read of every row; of each token where `sentences` are given.
    pub(super) fn features(
        &self,
        source: &InputColumn<'_>,
        sentences: Option<&Sentences>,
    ) -> Result<ContextFeatures, EncodeError> {
        let failed = |reason| EncodeError::TextFile { input: source.column.name.clone(), reason };
        match (self.train.is_frozen(), sentences) {
            (true, Some(sentences)) => self.vectors_of_tokens(sentences).map_err(failed),
            (_, Some(sentences)) => self.pieces_of_tokens(sentences).map_err(failed),
            (_, None) => {
                let texts = texts(source)?;
                let read = |text: &Cow<'_, str>| self.checkpoint.reader.pieces(text);
                let all = texts.par_iter().map(read).collect::<Result<Vec<_>, String>>().map_err(failed)?;
                let mut own = ContextFeatures { offsets: vec![0], places: vec![0; all.len()], ..Default::default() };
                all.iter().for_each(|pieces| own.push(self, pieces));
                Ok(own)
            }
        }
    }

    fn vectors_of_tokens(&self, sentences: &Sentences) -> Result<ContextFeatures, String> {
        let words: Vec<Vec<&str>> = (0..sentences.rows())
            .map(|row| sentences.tokens(row).map(|token| sentences.word(token)).collect())
            .collect();
        let asked: Vec<Asked<'_>> = words.iter().map(|words| Asked::Words(words)).collect();
        let vectors = self.checkpoint.vectors(&self.encoding, &asked, false)?;
        let values = vectors.all.iter().flat_map(|vector| vector.values.iter().copied()).collect();
        let (width, long) = (self.checkpoint.shape.width, vectors.long());
        Ok(ContextFeatures { vectors: values, width, of_tokens: true, long, ..Default::default() })
    }

    fn pieces_of_tokens(&self, sentences: &Sentences) -> Result<ContextFeatures, String> {
        let words = sentences.words.par_iter().map(|word| self.checkpoint.word(word));
        let words = words.collect::<Result<Vec<_>, String>>()?;
        let before = self.checkpoint.reader.before.len();
        let mut own = ContextFeatures { offsets: vec![0], of_tokens: true, ..Default::default() };
        for row in 0..sentences.rows() {
            let mut pieces = Vec::new();
            for code in &sentences.codes[sentences.tokens(row)] {
                // A token that is cut off, or that the tokenizer makes nothing of, is read where the sequence begins.
                let fits = pieces.len() < self.room() && !words[*code as usize].is_empty();
                own.places.push(if fits { (before + pieces.len()) as u32 } else { 0 });
                pieces.extend_from_slice(&words[*code as usize]);
            }
            own.push(self, &pieces);
        }
        Ok(own)
    }

    /// Pieces of a text itself that a sequence has room for.
    fn room(&self) -> usize {
        let reader = &self.checkpoint.reader;
        self.encoding.pieces.saturating_sub(reader.before.len() + reader.after.len()).max(1)
    }

    /// What is to be said of texts that are cut.
    pub(crate) fn said(&self, input: &str, features: &ContextFeatures) -> Option<String> {
        let (most, long) = (self.encoding.pieces, features.long);
        let done = if self.train.is_frozen() { "were read in windows" } else { "were cut" };
        (long > 0).then(|| format!("input `{input}`: {long} texts are longer than max_pieces = {most} and {done}"))
    }
}

impl ContextFeatures {
    fn push(&mut self, context: &Context, pieces: &[u32]) {
        self.long += usize::from(pieces.len() > context.room());
        for (_, ids) in context.checkpoint.reader.sequences(pieces, context.encoding.pieces, false) {
            self.pieces.extend(ids);
        }
        self.offsets.push(self.pieces.len() as u32);
    }

    /// Adds what another row has, whose tokens stand at `tokens`.
    pub(super) fn take(&mut self, other: &Self, row: usize, tokens: Range<usize>) {
        self.vectors.extend_from_slice(&other.vectors[tokens.start * other.width..tokens.end * other.width]);
        if !other.offsets.is_empty() {
            let own = other.offsets[row] as usize..other.offsets[row + 1] as usize;
            self.pieces.extend_from_slice(&other.pieces[own]);
            self.offsets.push(self.pieces.len() as u32);
            let places = if other.of_tokens { tokens } else { row..row + 1 };
            self.places.extend_from_slice(&other.places[places]);
        }
    }

    /// As long as this, and empty.
    pub(super) fn begin(&self) -> Self {
        let offsets = self.offsets.first().copied().into_iter().collect();
        ContextFeatures { width: self.width, of_tokens: self.of_tokens, offsets, ..Default::default() }
    }

    /// Adds the rows of `other`.
    pub(super) fn append(&mut self, other: Self) {
        self.vectors.extend(other.vectors);
        let end = self.offsets.last().copied().unwrap_or(0);
        self.offsets.extend(other.offsets.iter().skip(1).map(|offset| end + offset));
        self.pieces.extend(other.pieces);
        self.places.extend(other.places);
    }
}

/// The name of what a graph reads of a text's encoder: the vectors of its tokens, or its pieces, as input and as domain.
pub(crate) fn context_node(column: &str) -> String {
    format!("context.{column}")
}

/// The name of the places of first pieces.
pub(crate) fn place_node(column: &str) -> String {
    format!("places.{column}")
}

impl Context {
    /// Adds the inputs of a graph; `tokens` are those of a text whose tokens are read one by one.
    pub(in crate::inputs) fn inputs(&self, g: &mut GraphBuilder, column: &str, tokens: Option<DomainId>) {
        let name = context_node(column);
        if let (true, Some(tokens)) = (self.train.is_frozen(), tokens) {
            g.input_on(tokens, &name, self.checkpoint.shape.width);
            return;
        }
        let pieces = g.ragged(&name, DomainId::ROWS);
        g.index_on(pieces, &name, 1);
        if tokens.is_some() || self.encoding.pooling == EncoderPooling::Cls {
            g.index_on(tokens.unwrap_or(DomainId::ROWS), &place_node(column), 1);
        }
    }

    /// Adds the encoder, `{prefix}tokens.COLUMN.context`, and gives a vector for each token or row.
    pub(in crate::inputs) fn embed(&self, g: &mut GraphBuilder, column: &str, prefix: &str, dropout: f32) -> NodeId {
        let node = |g: &GraphBuilder, name: String| g.find(&name).unwrap_or(NodeId(0));
        let own = node(g, context_node(column));
        let layers = match self.train {
            Training::Frozen => return own,
            Training::Full => self.checkpoint.shape.layers,
            Training::Last(layers) => layers,
            Training::Lora | Training::Adapters => 0,
        };
        let (adaptation, rate, decay, probe) = (self.adaptation.clone(), self.rate, self.layer_decay, self.probe);
        let tuning = Tuning { layers, adaptation, rate, decay, dropout, probe };
        let name = format!("{prefix}{}", super::node(column));
        let x = self.checkpoint.build(g, prefix, &format!("{}.context", super::node(column)), own, &tuning);
        let pool = format!("{name}.context.pool");
        if let Some(places) = g.find(&place_node(column)) {
            return g.named(pool).gather(x, places, 0);
        }
        let reduction = if self.encoding.pooling == EncoderPooling::Max { Reduction::Max } else { Reduction::Mean };
        g.named(pool).reduce(x, reduction)
    }

    /// Puts the weights of an encoder that learns where a network starts.
    pub(super) fn start(&self, graph: &Graph, column: &str, parameters: &mut Parameters) {
        if !self.train.is_frozen() {
            self.checkpoint.put(graph, &format!("{}.context", super::node(column)), parameters);
        }
    }
}
