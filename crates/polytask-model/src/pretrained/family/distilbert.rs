//! DistilBERT.

use super::{Build, Family, Names, Shape, activation};
use serde::Deserialize;
use serde_json::Value;

pub(super) const NAMES: Names = Names {
    word: "embeddings.word_embeddings",
    position: "embeddings.position_embeddings",
    types: None,
    norm: "embeddings.LayerNorm",
    project: "embeddings_project",
    layers: "transformer.layer",
    query: "attention.q_lin",
    key: "attention.k_lin",
    value: "attention.v_lin",
    output: "attention.out_lin",
    attention_norm: "sa_layer_norm",
    inner: "ffn.lin1",
    outer: "ffn.lin2",
    outer_norm: "output_layer_norm",
};

#[derive(Deserialize)]
struct Config {
    vocab_size: usize,
    dim: usize,
    n_layers: usize,
    n_heads: usize,
    hidden_dim: usize,
    max_position_embeddings: usize,
    #[serde(default = "gelu")]
    activation: String,
}

fn gelu() -> String {
    "gelu".to_owned()
}

pub(super) fn shape(config: Value) -> Result<Shape, String> {
    let config: Config = serde_json::from_value(config).map_err(|error| error.to_string())?;
    Ok(Shape {
        family: Family::Distilbert,
        vocabulary: config.vocab_size,
        embedding: config.dim,
        width: config.dim,
        layers: config.n_layers,
        heads: config.n_heads,
        hidden: config.hidden_dim,
        positions: config.max_position_embeddings,
        offset: 0,
        epsilon: 1e-12,
        activation: activation(&config.activation)?,
        build: Build::PostNorm,
    })
}
