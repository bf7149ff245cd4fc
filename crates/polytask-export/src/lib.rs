//! Takes trained models elsewhere: to ONNX, to PyTorch, to Keras, or the weights alone.
//!
//! Every format is a folder with `model.json` in it, which says what to feed, how columns become that, and what comes out.

#![forbid(unsafe_code)]

mod array;
mod characters;
mod error;
pub mod onnx;
mod python;
pub mod spec;

pub use error::ExportError;

use crate::characters::characters;
use crate::error::Refusal;
use polytask::files::{self, Tensor};
use polytask::inputs::{Code, Context, Input};
use polytask::model::{Model, Network, TENSORS};
use polytask_graph::ParameterId;
use prost::Message;
use python::Target;
use spec::Spec;
use std::collections::HashMap;
use std::path::Path;

/// Where a model may be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `model.onnx`: columns in, predictions out.
    Onnx,
    /// `model.safetensors`: the weights under their names, the layers in `model.json`.
    Safetensors,
    /// `network.py`, which builds the network in PyTorch, and its weights.
    Pytorch,
    /// `network.py`, which builds the network in Keras, and its weights.
    Keras,
}

/// What describes an export.
const SPEC: &str = "model.json";
/// What makes pieces of texts.
const TOKENIZER: &str = "tokenizer.json";
/// What builds the network in Python.
const SCRIPT: &str = "network.py";

/// Writes the files of a format to a folder, which is made where it is not there; gives their names.
///
/// # Errors
/// The format does not have what the model needs, or a file cannot be written.
pub fn export(model: &Model, format: Format, folder: &Path) -> Result<Vec<String>, ExportError> {
    match format {
        Format::Onnx => {
            Refusal::of_inputs(model, "ONNX", true)?;
            let (file, outputs) = onnx::model(model)?;
            let inputs = onnx::fed(&file);
            let _lock = files::Lock::take(folder)?;
            files::write(&folder.join("model.onnx"), &file.encode_to_vec())?;
            let spec = Spec { inputs, outputs, ..Spec::new(model, "onnx") };
            write_spec(&spec, folder)?;
            let mut written = vec!["model.onnx".to_owned(), SPEC.to_owned()];
            for (name, text) in tokenizers(model)? {
                files::write(&folder.join(&name), text.as_bytes())?;
                written.push(name);
            }
            Ok(written)
        }
        Format::Safetensors => {
            let network = network(model, "safetensors")?;
            let _lock = files::Lock::take(folder)?;
            files::write_tensors(&folder.join(TENSORS), &tensors(network), HashMap::new())?;
            let spec = Spec { graph: Some(&network.graph), ..Spec::new(model, "safetensors") };
            write_spec(&spec, folder)?;
            Ok(vec![TENSORS.to_owned(), SPEC.to_owned()])
        }
        Format::Pytorch => write_script(model, Target::Torch, folder),
        Format::Keras => write_script(model, Target::Keras, folder),
    }
}

/// The tokenizers of the texts that an encoder reads, by the names of their files: `tokenizer.json`, or `tokenizer.COLUMN.json`
/// where there are several. Each cuts where the model does.
fn tokenizers(model: &Model) -> Result<Vec<(String, String)>, ExportError> {
    let context = |input: &'_ Input| match &input.code {
        Code::Encoded(encoded) => Some((input.column.clone(), encoded.context.clone())),
        Code::Text(text) => Some((input.column.clone(), text.context.clone()?)),
        Code::Number(_)
        | Code::Boolean(_)
        | Code::Category(_)
        | Code::Date(_)
        | Code::Image(_)
        | Code::Seen(_)
        | Code::Own(_) => None,
    };
    let all: Vec<(String, Context)> = model.encoder.inputs.iter().filter_map(context).collect();
    let one = all.len() == 1;
    let file = |(column, context): (String, Context)| {
        let reader = &context.checkpoint.reader;
        let bare = reader.before.is_empty() && reader.after.is_empty();
        let text = reader.tokenizer.cutting(context.encoding.pieces, bare).map_err(ExportError::Json)?;
        let name = if one { TOKENIZER.to_owned() } else { format!("tokenizer.{column}.json") };
        Ok((name, text))
    };
    all.into_iter().map(file).collect()
}

fn write_script(model: &Model, target: Target, folder: &Path) -> Result<Vec<String>, ExportError> {
    Refusal::of_inputs(model, target.format(), false)?;
    let (script, tensors) = python::script(model, network(model, target.format())?, target)?;
    let _lock = files::Lock::take(folder)?;
    files::write_tensors(&folder.join(TENSORS), &tensors, HashMap::new())?;
    files::write(&folder.join(SCRIPT), script.as_bytes())?;
    let texts = model.encoder.inputs.iter().any(|input| matches!(input.code, Code::Text(_)));
    let spec = Spec { characters: texts.then(characters), ..Spec::new(model, target.format()) };
    write_spec(&spec, folder)?;
    Ok([SCRIPT, TENSORS, SPEC].map(str::to_owned).to_vec())
}

/// The network of a model that is one.
fn network<'a>(model: &'a Model, format: &'static str) -> Result<&'a Network, ExportError> {
    model.network().ok_or_else(|| ExportError::Family { family: model.body.family(), format })
}

fn tensors(network: &Network) -> Vec<Tensor<'_>> {
    let parameters = network.graph.parameters().iter().enumerate();
    let tensor = |(i, parameter): (usize, &polytask_graph::Parameter)| Tensor {
        name: parameter.name.clone(),
        dims: parameter.dims.clone(),
        values: network.parameters.of(ParameterId(i)).into(),
    };
    parameters.map(tensor).collect()
}

fn write_spec(spec: &Spec<'_>, folder: &Path) -> Result<(), ExportError> {
    let mut text = serde_json::to_string_pretty(spec).map_err(|e| ExportError::Json(e.to_string()))?;
    text.push('\n');
    Ok(files::write(&folder.join(SPEC), text.as_bytes())?)
}
