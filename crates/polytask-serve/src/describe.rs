//! What a model reads and predicts, for clients.

use polytask::inputs::Code;
use polytask::model::Model;
use polytask_data::DateFormat;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::time::{SystemTime, UNIX_EPOCH};
use utoipa::ToSchema;

/// A model that is served.
#[derive(Clone, Serialize, ToSchema)]
pub struct Description {
    /// The name it is served under.
    pub name: String,
    /// What it reads, a column each.
    pub inputs: Vec<InputDescription>,
    /// What it predicts.
    pub tasks: Vec<TaskDescription>,
    /// Numbers that were learnt.
    pub parameters: usize,
    /// Rows of a request at most.
    pub max_rows: usize,
    /// Seconds since 1970 at which it was loaded.
    pub loaded: f64,
    /// A row as it may be sent.
    #[schema(value_type = Object)]
    pub example: Value,
    /// Why the model in the directory is not the one that answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
}

/// An input column.
#[derive(Clone, Serialize, ToSchema)]
pub struct InputDescription {
    /// The name of the column.
    pub name: String,
    /// `number`, `boolean`, `category`, `date`, `text` or `image`.
    #[schema(example = "number")]
    pub kind: &'static str,
    /// Categories: the levels of the training rows, at most 200 of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<String>,
}

/// A task.
#[derive(Clone, Serialize, ToSchema)]
pub struct TaskDescription {
    /// Its name, the key of its predictions.
    pub name: String,
    /// `regression`, `binary`, `category`, `count`, ...
    #[schema(example = "regression")]
    pub kind: &'static str,
    /// The column its labels were read from; it may stand in a request and is not looked at.
    pub column: String,
}

/// Levels that are listed.
const LEVELS: usize = 200;

impl Description {
    pub fn new(name: &str, model: &Model, max_rows: usize) -> Self {
        let (mut inputs, mut example) = (Vec::new(), Map::new());
        for input in &model.encoder.inputs {
            let (levels, value) = match &input.code {
                Code::Number(number) => (Vec::new(), json!(rounded(number.mean))),
                Code::Boolean(_) => (Vec::new(), json!(true)),
                Code::Date(date) => (Vec::new(), example_date(date.format)),
                Code::Category(category) => {
                    let first = category.levels.first();
                    let value = match first.and_then(|level| level.parse::<f64>().ok()) {
                        Some(number) if category.numbers => json!(number),
                        _ => json!(first),
                    };
                    (category.levels.iter().take(LEVELS).cloned().collect(), value)
                }
                Code::Text(_) | Code::Encoded(_) => (Vec::new(), json!("some words")),
                Code::Image(_) | Code::Seen(_) => (Vec::new(), json!(PIXEL)),
                Code::Own(_) => (Vec::new(), Value::Null),
            };
            // A text whose words are read beside its vector is two inputs of one column.
            if example.insert(input.column.clone(), value).is_some() {
                continue;
            }
            inputs.push(InputDescription { name: input.column.clone(), kind: input.code.kind().word(), levels });
        }
        let task = |task: &polytask::tasks::Task| TaskDescription {
            name: task.name.clone(),
            kind: task.kind_name(),
            column: task.column.clone(),
        };
        Description {
            name: name.to_owned(),
            inputs,
            tasks: model.tasks.iter().map(task).collect(),
            parameters: model.body.parameter_count(),
            max_rows,
            loaded: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
            example: Value::Object(example),
            trouble: None,
        }
    }
}

/// A date as it is written.
fn example_date(format: DateFormat) -> Value {
    match format {
        DateFormat::Year => json!("2024-03-10"),
        DateFormat::Day => json!("10.03.2024"),
        DateFormat::Month => json!("03/10/2024"),
        DateFormat::Time => json!("18:00"),
        DateFormat::Unix => json!(1_710_028_800),
    }
}

/// To three digits, as people would write it.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10f64.powi(2 - value.abs().log10().floor() as i32);
    if scale.is_finite() && scale > 0.0 { (value * scale).round() / scale } else { value }
}

/// A PNG of one grey pixel.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==";
