//! BERT.

use super::{Build, Family, Names, Shape, absolute, activation};
use serde::Deserialize;
use serde_json::Value;

/// Those of BERT, and of the families that took them over.
pub(super) const NAMES: Names = Names {
    word: "embeddings.word_embeddings",
    position: "embeddings.position_embeddings",
    types: Some("embeddings.token_type_embeddings"),
    norm: "embeddings.LayerNorm",
    project: "embeddings_project",
    layers: "encoder.layer",
    query: "attention.self.query",
    key: "attention.self.key",
    value: "attention.self.value",
    output: "attention.output.dense",
    attention_norm: "attention.output.LayerNorm",
    inner: "intermediate.dense",
    outer: "output.dense",
    outer_norm: "output.LayerNorm",
};

/// `config.json` as BERT and its kin write it.
#[derive(Deserialize)]
pub(super) struct Config {
    vocab_size: usize,
    hidden_size: usize,
    /// ELECTRA alone.
    embedding_size: Option<usize>,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "gelu")]
    hidden_act: String,
    #[serde(default = "epsilon")]
    layer_norm_eps: f32,
    position_embedding_type: Option<String>,
    /// RoBERTa counts positions from behind it.
    #[serde(default)]
    pub(super) pad_token_id: Option<usize>,
    #[serde(default)]
    is_decoder: bool,
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn epsilon() -> f32 {
    1e-12
}

pub(super) fn shape(config: Value) -> Result<Shape, String> {
    read(config)?.shape(Family::Bert)
}

pub(super) fn read(config: Value) -> Result<Config, String> {
    serde_json::from_value(config).map_err(|error| error.to_string())
}

impl Config {
    pub(super) fn shape(&self, family: Family) -> Result<Shape, String> {
        absolute(self.position_embedding_type.as_deref())?;
        if self.is_decoder {
            return Err("it is a decoder, whose pieces see only those before them; an encoder is needed".to_owned());
        }
        Ok(Shape {
            family,
            vocabulary: self.vocab_size,
            embedding: self.embedding_size.unwrap_or(self.hidden_size),
            width: self.hidden_size,
            layers: self.num_hidden_layers,
            heads: self.num_attention_heads,
            hidden: self.intermediate_size,
            positions: self.max_position_embeddings,
            offset: 0,
            epsilon: self.layer_norm_eps,
            activation: activation(&self.hidden_act)?,
            build: Build::PostNorm,
        })
    }
}
