//! What a row of a request may hold, as JSON Schema (draft 2020-12, as OpenAPI 3.1 has it).

use crate::describe::Description;
use polytask::inputs::Code;
use polytask::model::Model;
use polytask_data::DateFormat;
use serde_json::{Map, Value, json};

/// An object with a key for each column that the model reads, and no other.
///
/// The labels of a task may stand beside the inputs; they are not looked at.
pub fn schema(model: &Model, description: &Description) -> Value {
    let mut properties = Map::new();
    for input in &model.encoder.inputs {
        // A text whose words are read beside its vector is two inputs of one column.
        properties.entry(&input.column).or_insert_with(|| cell(&input.code));
    }
    let required: Vec<String> = properties.keys().cloned().collect();
    for task in &model.tasks {
        properties
            .entry(&task.column)
            .or_insert_with(|| json!({ "description": format!("Labels of `{}`: not looked at", task.name) }));
    }
    json!({
        "type": "object",
        "description": format!("A row for the model {}", description.name),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
        "examples": [description.example],
    })
}

/// What a column of this kind takes.
fn cell(code: &Code) -> Value {
    match code {
        Code::Number(number) => {
            let (least, most) = number.range();
            json!({ "type": ["number", "null"], "minimum": least, "maximum": most })
        }
        Code::Boolean(_) => json!({ "type": ["boolean", "null"] }),
        // A level may be spelt as a number or a word of any kind.
        Code::Category(_) => json!({ "type": ["string", "number", "boolean", "null"] }),
        Code::Date(date) => match date.format {
            DateFormat::Year => json!({ "anyOf": [
                { "type": "string", "format": "date" },
                { "type": "string", "format": "date-time" },
                { "type": "null" },
            ] }),
            DateFormat::Day => written(r"^(0?[1-9]|[12]\d|3[01])[./-](0?[1-9]|1[0-2])[./-](\d\d){1,2}"),
            DateFormat::Month => written(r"^(0?[1-9]|1[0-2])[./-](0?[1-9]|[12]\d|3[01])[./-](\d\d){1,2}"),
            DateFormat::Time => written(r"^([01]?\d|2[0-3]):[0-5]\d"),
            DateFormat::Unix => json!({ "type": ["number", "null"], "minimum": 0 }),
        },
        Code::Text(_) | Code::Encoded(_) => json!({ "type": ["string", "null"] }),
        Code::Image(_) | Code::Seen(_) => {
            json!({ "type": ["string", "null"], "contentEncoding": "base64", "contentMediaType": "image/png" })
        }
        Code::Own(_) => json!({}),
    }
}

fn written(pattern: &str) -> Value {
    json!({ "type": ["string", "null"], "pattern": pattern })
}
