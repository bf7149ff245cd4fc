//! Families of encoders: what their `config.json` says and where their tensors are, one family a file. All of them are
//! transformers with the norms last, and differ in names, positions and numbers.

mod bert;
mod distilbert;
mod electra;
mod roberta;
mod weights;

pub(super) use weights::weights;

use super::CheckpointError;
use super::folder::{CONFIG, Folder};
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
    /// Liu et al. 2019.
    Roberta,
    /// Conneau et al. 2020, in many languages.
    XlmRoberta,
}

/// The families, by the `model_type` of a `config.json`.
const FAMILIES: [(&str, Family); 6] = [
    ("bert", Family::Bert),
    ("distilbert", Family::Distilbert),
    ("electra", Family::Electra),
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
            Family::Roberta => "RoBERTa",
            Family::XlmRoberta => "XLM-RoBERTa",
        }
    }

    /// Whether words that stand alone are spelt with a blank before them, as they stand in a sentence.
    pub fn blank(self) -> bool {
        match self {
            Family::Roberta => true,
            Family::Bert | Family::Distilbert | Family::Electra | Family::XlmRoberta => false,
        }
    }

    fn names(self) -> &'static Names {
        match self {
            Family::Bert | Family::Electra | Family::Roberta | Family::XlmRoberta => &bert::NAMES,
            Family::Distilbert => &distilbert::NAMES,
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
        Family::Roberta => roberta::shape(config, Family::Roberta),
        Family::XlmRoberta => roberta::shape(config, Family::XlmRoberta),
    };
    let shape = read.map_err(&fault)?;
    shape.check().map_err(fault)?;
    Ok(shape)
}

impl Shape {
    /// What does not hold of its numbers.
    pub(crate) fn check(&self) -> Result<(), String> {
        let ranges = [
            ("its vocabulary", self.vocabulary, 4_000_000),
            ("the width of its embeddings", self.embedding, 16_384),
            ("its width", self.width, 16_384),
            ("its number of layers", self.layers, 128),
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
