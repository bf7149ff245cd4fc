//! Static vectors, a row a piece, as model2vec writes them (Tulkens and van Dongen 2024): a text is the mean of the rows of its
//! pieces, each times its weight.

use super::weights::Reader;
use super::{Build, Family, Shape};
use crate::pretrained::folder::{CONFIG, Folder};
use crate::pretrained::{Advice, CheckpointError};
use crate::section::EncoderPooling;
use polytask_graph::Activation;
use serde::Deserialize;

/// The rows.
const ROWS: &str = "embeddings";
/// By piece, the row that it has.
const MAPPING: &str = "mapping";
/// By piece, what its row is multiplied by.
const WEIGHTS: &str = "weights";
/// Pieces of a text that are read if nothing says how many.
const PIECES: usize = 512;
/// Nothing of it depends on how long a text is.
const POSITIONS: usize = 1 << 20;

pub(super) fn shape(folder: &Folder) -> Result<Shape, CheckpointError> {
    let fault =
        |reason: &str| CheckpointError::File { path: folder.path.join("model.safetensors"), reason: reason.to_owned() };
    let Some(rows) = folder.tensor(ROWS)? else {
        return Err(fault("it has no tensor \"embeddings\", the vectors of the pieces"));
    };
    let [count, width] = rows.dims[..] else {
        return Err(fault("its tensor \"embeddings\" is no matrix, pieces x features"));
    };
    let vocabulary = folder.places(MAPPING)?.map_or(count, |mapping| mapping.len());
    Ok(Shape {
        family: Family::Model2vec,
        vocabulary,
        embedding: width,
        width,
        layers: 0,
        heads: 1,
        hidden: width,
        positions: POSITIONS,
        offset: 0,
        epsilon: 1e-12,
        activation: Activation::Linear,
        build: Build::Table,
    })
}

/// How texts are pooled.
pub(super) fn advice(folder: &Folder) -> Result<Advice, CheckpointError> {
    #[derive(Deserialize)]
    struct Config {
        #[serde(default)]
        normalize: bool,
        max_length: Option<usize>,
    }
    let config: Config = folder.json(CONFIG)?;
    let pieces = Some(config.max_length.unwrap_or(PIECES).min(POSITIONS));
    Ok(Advice { pooling: EncoderPooling::Mean, normalize: config.normalize, pieces })
}

/// Reads the rows of all pieces, weighed.
pub(super) fn read(reader: &mut Reader<'_>, shape: &Shape) -> Result<(), CheckpointError> {
    let (count, width) = (shape.vocabulary, shape.width);
    let rows = reader.folder.tensor(ROWS)?.map(|rows| rows.values).unwrap_or_default();
    let mapping = reader.folder.places(MAPPING)?.unwrap_or_else(|| (0..count).collect());
    let all = rows.len() / width.max(1);
    if let Some(row) = mapping.iter().find(|row| **row >= all) {
        reader.faults.push(format!("{MAPPING} names row {row}, and {ROWS} has {all}"));
        return Ok(());
    }
    let weights = reader.folder.tensor(WEIGHTS)?.map(|weights| weights.values);
    if let Some(own) = weights.as_ref().filter(|own| own.len() != count) {
        reader.faults.push(format!("{WEIGHTS} has {} values, expected {count}", own.len()));
        return Ok(());
    }
    let mut table = Vec::with_capacity(count * width);
    for (piece, row) in mapping.into_iter().enumerate() {
        let weight = weights.as_ref().map_or(1.0, |weights| weights[piece]);
        table.extend(rows[row * width..(row + 1) * width].iter().map(|value| value * weight));
    }
    reader.push(".word.table", vec![count, width], table);
    Ok(())
}
