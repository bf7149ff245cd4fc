//! ELECTRA: BERT whose embeddings may be narrower than its layers.

use super::{Family, Shape, bert};
use serde_json::Value;

pub(super) fn shape(config: Value) -> Result<Shape, String> {
    bert::read(config)?.shape(Family::Electra)
}
