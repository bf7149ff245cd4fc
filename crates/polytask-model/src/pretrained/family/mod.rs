//! Families of encoders: what their `config.json` says and where their tensors are, one family a file. Most are transformers with
//! the norms last, and differ in names, positions and numbers; [`Build`] says which are put together in other ways.

mod bert;
mod distilbert;
mod electra;
mod model2vec;
mod modernbert;
mod roberta;
mod weights;

use weights::Reader;
pub(super) use weights::weights;

use super::folder::{CONFIG, Folder};
use super::{Advice, CheckpointError};
use polytask_graph::Activation;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A family of encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Devlin et al. 2019; MiniLM, E5, BGE and most sentence encoders are of this family.
    Bert,
    /// Sanh et al. 2019.
    Distilbert,
    /// Clark et al. 2020.
    Electra,
    /// Vectors of pieces without a network: Tulkens and van Dongen 2024.
    Model2vec,
    /// Warner et al. 2024.
    Modernbert,
    /// Liu et al. 2019.
    Roberta,
    /// Conneau et al. 2020, in many languages.
    XlmRoberta,
}

/// The families, by the `model_type` of a `config.json`.
const FAMILIES: [(&str, Family); 8] = [
    ("bert", Family::Bert),
    ("distilbert", Family::Distilbert),
    ("electra", Family::Electra),
    ("model2vec", Family::Model2vec),
    ("modernbert", Family::Modernbert),
    ("roberta", Family::Roberta),
    ("camembert", Family::Roberta),
    ("xlm-roberta", Family::XlmRoberta),
];

/// What an encoder is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shape {
    /// Which names its tensors have, and how words are spelt for it.
    pub family: Family,
    /// Pieces it knows.
    pub vocabulary: usize,
    /// Features a piece is embedded in.
    pub embedding: usize,
    /// Features of a hidden state.
    pub width: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Features inside of a layer, after its attention.
    pub hidden: usize,
    /// Pieces of a sequence at most.
    pub positions: usize,
    /// Rows of the file's table of positions that no piece stands at.
    #[serde(default)]
    pub offset: usize,
    /// What is added to the variance of norms.
    pub epsilon: f32,
    /// Between the two dense layers.
    pub activation: Activation,
    /// How its layers are put together.
    #[serde(default, skip_serializing_if = "Build::is_post_norm")]
    pub build: Build,
}

/// How the layers of an encoder are put together.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Build {
    /// The norms last, dense layers with biases, positions looked up (Devlin et al. 2019).
    #[default]
    PostNorm,
    /// The norms first, gates within, no biases, positions by rotation (Warner et al. 2024).
    PreNorm {
        /// How far from a piece those may be that near layers see.
        window: usize,
        /// By layer, whether it is a near one.
        near: Vec<bool>,
        /// The bases of the rotation: of layers that see all, and of near ones.
        bases: [f64; 2],
    },
    /// No layers: a vector a piece.
    Table,
}

impl Build {
    fn is_post_norm(&self) -> bool {
        *self == Build::PostNorm
    }

    /// Whether dense layers have biases.
    pub(super) fn biases(&self) -> bool {
        self.is_post_norm()
    }
}

/// Where the tensors of a family are: names without `.weight` and `.bias`, those of a layer behind `layers.N.`.
pub(super) struct Names {
    pub word: &'static str,
    pub position: &'static str,
    /// Of the types of tokens, of which the first row is added to all positions.
    pub types: Option<&'static str>,
    pub norm: &'static str,
    pub project: &'static str,
    pub layers: &'static str,
    pub query: &'static str,
    pub key: &'static str,
    pub value: &'static str,
    pub output: &'static str,
    pub attention_norm: &'static str,
    pub inner: &'static str,
    pub outer: &'static str,
    pub outer_norm: &'static str,
}

impl Family {
    /// As people call it.
    pub fn word(self) -> &'static str {
        match self {
            Family::Bert => "BERT",
            Family::Distilbert => "DistilBERT",
            Family::Electra => "ELECTRA",
            Family::Model2vec => "model2vec",
            Family::Modernbert => "ModernBERT",
            Family::Roberta => "RoBERTa",
            Family::XlmRoberta => "XLM-RoBERTa",
        }
    }

    /// Whether words that stand alone are spelt with a blank before them, as they stand in a sentence.
    pub fn blank(self) -> bool {
        match self {
            Family::Modernbert | Family::Roberta => true,
            Family::Bert | Family::Distilbert | Family::Electra | Family::Model2vec | Family::XlmRoberta => false,
        }
    }

    /// How the tensors of a family are read.
    fn read(self, reader: &mut Reader<'_>, shape: &Shape) -> Result<(), CheckpointError> {
        match self {
            Family::Bert | Family::Electra | Family::Roberta | Family::XlmRoberta => {
                reader.network(&bert::NAMES, shape)
            }
            Family::Distilbert => reader.network(&distilbert::NAMES, shape),
            Family::Model2vec => model2vec::read(reader, shape),
            Family::Modernbert => modernbert::read(reader, shape),
        }
    }

    /// The tensor of the words' vectors, without `.weight`, which tells what all names begin with.
    fn word_table(self) -> Option<&'static str> {
        match self {
            Family::Bert | Family::Electra | Family::Roberta | Family::XlmRoberta => Some(bert::NAMES.word),
            Family::Distilbert => Some(distilbert::NAMES.word),
            Family::Model2vec => None,
            Family::Modernbert => Some(modernbert::WORD),
        }
    }

    /// What the names of an encoder's tensors begin with; others are heads of other tasks.
    fn parts(self) -> &'static [&'static str] {
        match self {
            Family::Bert | Family::Electra | Family::Roberta | Family::XlmRoberta => &["embeddings.", "encoder."],
            Family::Distilbert => &["embeddings.", "transformer."],
            Family::Model2vec => &[],
            Family::Modernbert => &["embeddings.", "layers.", "final_norm."],
        }
    }
}

/// What the `config.json` of a folder describes.
pub(super) fn shape(folder: &Folder) -> Result<Shape, CheckpointError> {
    let fault = |reason: String| CheckpointError::File { path: folder.path.join(CONFIG), reason };
    let config: Value = folder.json(CONFIG)?;
    let word = config.get("model_type").and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some((_, family)) = FAMILIES.iter().find(|(known, _)| *known == word) else {
        let known: Vec<&str> = FAMILIES.iter().map(|(word, _)| *word).collect();
        let known = known.join(", ");
        return Err(fault(format!("its `model_type` is {word:?}; encoders that can be read are {known}")));
    };
    let read = match family {
        Family::Bert => bert::shape(config),
        Family::Distilbert => distilbert::shape(config),
        Family::Electra => electra::shape(config),
        Family::Model2vec => Ok(model2vec::shape(folder)?),
        Family::Modernbert => modernbert::shape(config),
        Family::Roberta => roberta::shape(config, Family::Roberta),
        Family::XlmRoberta => roberta::shape(config, Family::XlmRoberta),
    };
    let shape = read.map_err(&fault)?;
    shape.check().map_err(fault)?;
    Ok(shape)
}

/// How its makers pool pieces, where the folder says so.
pub(super) fn advice(folder: &Folder, shape: &Shape) -> Result<Option<Advice>, CheckpointError> {
    match shape.build {
        Build::Table => model2vec::advice(folder).map(Some),
        Build::PostNorm | Build::PreNorm { .. } => Ok(folder.advice()),
    }
}

impl Shape {
    /// What does not hold of its numbers.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ranges = [
            ("its vocabulary", self.vocabulary, 4_000_000),
            ("the width of its embeddings", self.embedding, 16_384),
            ("its width", self.width, 16_384),
            ("its number of layers", self.layers.max(usize::from(self.build == Build::Table)), 128),
            ("its number of heads", self.heads, 1024),
            ("the width inside its layers", self.hidden, 65_536),
            ("its number of positions", self.positions, 1 << 20),
        ];
        if let Some((what, value, most)) = ranges.into_iter().find(|(_, value, most)| *value == 0 || value > most) {
            return Err(format!("{what} is {value}; it must be from 1 to {most}"));
        }
        if !self.width.is_multiple_of(self.heads) {
            return Err(format!("it has {} heads, which must divide its width of {}", self.heads, self.width));
        }
        if let Build::PreNorm { near, bases, .. } = &self.build {
            if near.len() != self.layers {
                return Err(format!("it has {} layers, and says of {} what they see", self.layers, near.len()));
            }
            if bases.iter().any(|base| !(*base > 0.0 && base.is_finite())) {
                return Err(format!("the bases of its rotations are {bases:?}; they must be above 0"));
            }
            if !(self.width / self.heads).is_multiple_of(2) {
                return Err(format!("its heads have {} features, which must be even", self.width / self.heads));
            }
        }
        match self.epsilon.is_finite() && self.epsilon > 0.0 {
            true => Ok(()),
            false => Err(format!("its norms add {} to the variance; it must be above 0", self.epsilon)),
        }
    }
}

/// The activation that a config calls so.
fn activation(word: &str) -> Result<Activation, String> {
    match word {
        "gelu" => Ok(Activation::Gelu),
        "relu" => Ok(Activation::Relu),
        "silu" | "swish" => Ok(Activation::Silu),
        other => Err(format!("its activation is {other:?}; \"gelu\", \"relu\" and \"silu\" can be computed")),
    }
}

/// Refuses positions that are not looked up.
fn absolute(positions: Option<&str>) -> Result<(), String> {
    match positions {
        None | Some("absolute") => Ok(()),
        Some(other) => Err(format!("its `position_embedding_type` is {other:?}; only \"absolute\" can be computed")),
    }
}
