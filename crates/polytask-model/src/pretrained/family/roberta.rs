//! RoBERTa and XLM-RoBERTa: BERT whose positions count from behind the number of its padding.

use super::{Family, Shape, bert};
use serde_json::Value;

pub(super) fn shape(config: Value, family: Family) -> Result<Shape, String> {
    let config = bert::read(config)?;
    let shape = config.shape(family)?;
    let offset = config.pad_token_id.unwrap_or(1) + 1;
    match shape.positions.checked_sub(offset) {
        Some(positions) => Ok(Shape { positions, offset, ..shape }),
        None => Err(format!("it has {} positions, and the first {offset} are of padding", shape.positions)),
    }
}
