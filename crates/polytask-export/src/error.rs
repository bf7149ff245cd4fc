//! What cannot be exported.

use polytask::config::LongTexts;
use polytask::files::FileError;
use polytask::inputs::{Code, Context};
use polytask::model::Model;
use polytask_graph::Node;

/// Why a model cannot be exported.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExportError {
    /// An op that the format does not have.
    #[error("layer {layer:?}, op {op}: {format} cannot have it here: {reason}")]
    Op {
        /// The layer's name.
        layer: String,
        /// Its op.
        op: String,
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// A task that the format cannot predict.
    #[error("task `{task}`: {format} cannot have it: {reason}")]
    Task {
        /// The task.
        task: String,
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// A family of models that the format cannot have.
    #[error("the model is {family}, which {format} cannot have; it takes networks")]
    Family {
        /// The family.
        family: &'static str,
        /// The format.
        format: &'static str,
    },
    /// An input that the format cannot read.
    #[error("input `{input}`: {format} cannot have it: {reason}")]
    Input {
        /// The input.
        input: String,
        /// The format.
        format: &'static str,
        /// Why.
        reason: String,
    },
    /// The description cannot be put in words.
    #[error("model.json: {0}")]
    Json(String),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

impl ExportError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            ExportError::Op { .. } | ExportError::Task { .. } | ExportError::Input { .. } => {
                Some("`--format safetensors` writes the weights of any model".to_owned())
            }
            ExportError::Family { .. } => Some("`--format onnx` takes every family".to_owned()),
            ExportError::Json(_) | ExportError::File(_) => None,
        }
    }
}

/// What keeps one op from being exported.
#[derive(Debug)]
pub struct Refusal(String);

impl Refusal {
    pub fn new(reason: impl Into<String>) -> Self {
        Refusal(reason.into())
    }

    pub fn at(self, node: &Node, format: &'static str) -> ExportError {
        ExportError::Op { layer: node.name.clone(), op: node.op.label().to_owned(), format, reason: self.0 }
    }

    /// Refuses inputs that only this program reads. Whether the format can have an encoder of texts is `encoders`.
    pub fn of_inputs(model: &Model, format: &'static str, encoders: bool) -> Result<(), ExportError> {
        let context = |context: &Context| match (encoders, context.encoding.long) {
            (true, LongTexts::Cut) => None,
            (true, LongTexts::Windows) => Some("a pretrained encoder reads it in windows"),
            (false, _) => Some("a pretrained encoder reads it"),
        };
        let refused = |code: &Code| match code {
            Code::Date(_) => Some("it is a date, which is taken apart before the network"),
            Code::Encoded(encoded) => context(&encoded.context),
            Code::Seen(_) => Some("a pretrained encoder reads it before the network"),
            Code::Own(_) => Some("it is of a kind that a program brought, which makes its numbers"),
            Code::Text(text) => text.context.as_ref().and_then(context),
            Code::Image(image) if image.encoder.is_some() => Some("a pretrained encoder reads it"),
            Code::Number(_) | Code::Boolean(_) | Code::Category(_) | Code::Image(_) => None,
        };
        let first = model.encoder.inputs.iter().find_map(|input| Some((&input.column, refused(&input.code)?)));
        first.map_or(Ok(()), |(input, reason)| {
            Err(ExportError::Input { input: input.clone(), format, reason: reason.to_owned() })
        })
    }

    pub fn of_task(self, task: &str, format: &'static str) -> ExportError {
        ExportError::Task { task: task.to_owned(), format, reason: self.0 }
    }
}
