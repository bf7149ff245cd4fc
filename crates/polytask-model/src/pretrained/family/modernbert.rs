//! ModernBERT (Warner et al. 2024): the norms first, no biases, positions by rotation, gates within, and two of three layers
//! that see a window alone.

use super::weights::Reader;
use super::{Build, Family, Shape, activation};
use crate::pretrained::CheckpointError;
use serde::Deserialize;
use serde_json::Value;

pub(super) const WORD: &str = "embeddings.tok_embeddings";

#[derive(Deserialize)]
struct Config {
    vocab_size: usize,
    hidden_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    intermediate_size: usize,
    max_position_embeddings: usize,
    #[serde(default = "gelu")]
    hidden_activation: String,
    #[serde(default = "epsilon")]
    norm_eps: f32,
    #[serde(default = "window")]
    local_attention: usize,
    layer_types: Option<Vec<String>>,
    #[serde(default = "every")]
    global_attn_every_n_layers: usize,
    rope_parameters: Option<Rotations>,
    #[serde(default = "global")]
    global_rope_theta: f64,
    #[serde(default = "local")]
    local_rope_theta: Option<f64>,
    #[serde(default)]
    attention_bias: bool,
    #[serde(default)]
    mlp_bias: bool,
    #[serde(default)]
    norm_bias: bool,
}

/// As newer files have it.
#[derive(Deserialize)]
struct Rotations {
    full_attention: Rotation,
    sliding_attention: Rotation,
}

#[derive(Deserialize)]
struct Rotation {
    rope_theta: f64,
    #[serde(default = "usual")]
    rope_type: String,
}

fn gelu() -> String {
    "gelu".to_owned()
}

fn usual() -> String {
    "default".to_owned()
}

fn epsilon() -> f32 {
    1e-5
}

fn window() -> usize {
    128
}

fn every() -> usize {
    3
}

fn global() -> f64 {
    160_000.0
}

fn local() -> Option<f64> {
    Some(10_000.0)
}

pub(super) fn shape(config: Value) -> Result<Shape, String> {
    let config: Config = serde_json::from_value(config).map_err(|error| error.to_string())?;
    let biases =
        [("attention_bias", config.attention_bias), ("mlp_bias", config.mlp_bias), ("norm_bias", config.norm_bias)];
    if let Some((key, _)) = biases.into_iter().find(|(_, there)| *there) {
        return Err(format!("its `{key}` is true; only layers without biases can be computed"));
    }
    let bases = match config.rope_parameters {
        Some(Rotations { full_attention: all, sliding_attention: near }) => {
            if let Some(other) = [&all, &near].into_iter().find(|rotation| rotation.rope_type != "default") {
                return Err(format!("its `rope_type` is {:?}; only \"default\" can be computed", other.rope_type));
            }
            [all.rope_theta, near.rope_theta]
        }
        // A file that says nothing of the near ones means the same for both.
        None => [config.global_rope_theta, config.local_rope_theta.unwrap_or(config.global_rope_theta)],
    };
    let near = match config.layer_types {
        Some(types) => types
            .iter()
            .map(|word| match word.as_str() {
                "full_attention" => Ok(false),
                "sliding_attention" => Ok(true),
                other => Err(format!(
                    "its `layer_types` has {other:?}; \"full_attention\" and \"sliding_attention\" can be computed"
                )),
            })
            .collect::<Result<Vec<bool>, String>>()?,
        None => {
            let every = config.global_attn_every_n_layers.max(1);
            (0..config.num_hidden_layers).map(|layer| !layer.is_multiple_of(every)).collect()
        }
    };
    Ok(Shape {
        family: Family::Modernbert,
        vocabulary: config.vocab_size,
        embedding: config.hidden_size,
        width: config.hidden_size,
        layers: config.num_hidden_layers,
        heads: config.num_attention_heads,
        hidden: config.intermediate_size,
        positions: config.max_position_embeddings,
        offset: 0,
        epsilon: config.norm_eps,
        activation: activation(&config.hidden_activation)?,
        build: Build::PreNorm { window: config.local_attention / 2, near, bases },
    })
}

/// Reads the tensors of an encoder.
pub(super) fn read(reader: &mut Reader<'_>, shape: &Shape) -> Result<(), CheckpointError> {
    let (d, h) = (shape.width, shape.hidden);
    let word = reader.tensor(WORD, &["weight"], &[shape.vocabulary, d])?;
    reader.push(".word.table", vec![shape.vocabulary, d], word);
    reader.gain("embeddings.norm", ".norm", d)?;
    for i in 0..shape.layers {
        let of = |part: &str| format!("layers.{i}.{part}");
        if i > 0 {
            reader.gain(&of("attn_norm"), &format!(".{i}.attention.norm"), d)?;
        }
        reader.product(&of("attn.Wqkv"), &format!(".{i}.attention.inputs"), d, 3 * d)?;
        reader.product(&of("attn.Wo"), &format!(".{i}.attention.output"), d, d)?;
        reader.gain(&of("mlp_norm"), &format!(".{i}.inner.norm"), d)?;
        reader.product(&of("mlp.Wi"), &format!(".{i}.inner"), d, 2 * h)?;
        reader.product(&of("mlp.Wo"), &format!(".{i}.outer"), h, d)?;
    }
    reader.gain("final_norm", ".last", d)
}
