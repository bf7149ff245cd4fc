//! Takes trained models elsewhere: to ONNX, to PyTorch, to Keras, or the weights alone.
//!
//! Every format is a folder with `model.json` in it, which says what to feed, how columns become that, and what comes out.

#![forbid(unsafe_code)]

mod characters;
mod error;
pub mod onnx;
mod python;
pub mod spec;

pub use error::ExportError;

use crate::characters::characters;
use crate::error::Refusal;
use polytask::files::{self, Tensor};
use polytask::inputs::Code;
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
/// What builds the network in Python.
const SCRIPT: &str = "network.py";

/// Writes the files of a format to a folder, which is made where it is not there; gives their names.
///
/// # Errors
/// The format does not have what the model needs, or a file cannot be written.
pub fn export(model: &Model, format: Format, folder: &Path) -> Result<Vec<&'static str>, ExportError> {
    match format {
        Format::Onnx => {
            Refusal::of_inputs(model, "ONNX")?;
            let (file, outputs) = onnx::model(model)?;
            let inputs = onnx::fed(&file);
            let _lock = files::Lock::take(folder)?;
            files::write(&folder.join("model.onnx"), &file.encode_to_vec())?;
            let spec = Spec { inputs, outputs, ..Spec::new(model, "onnx") };
            write_spec(&spec, folder)?;
            Ok(vec!["model.onnx", SPEC])
        }
        Format::Safetensors => {
            let network = network(model, "safetensors")?;
            let _lock = files::Lock::take(folder)?;
            files::write_tensors(&folder.join(TENSORS), &tensors(network), HashMap::new())?;
            let spec = Spec { graph: Some(&network.graph), ..Spec::new(model, "safetensors") };
            write_spec(&spec, folder)?;
            Ok(vec![TENSORS, SPEC])
        }
        Format::Pytorch => write_script(model, Target::Torch, folder),
        Format::Keras => write_script(model, Target::Keras, folder),
    }
}

fn write_script(model: &Model, target: Target, folder: &Path) -> Result<Vec<&'static str>, ExportError> {
    Refusal::of_inputs(model, target.format())?;
    let (script, tensors) = python::script(model, network(model, target.format())?, target)?;
    let _lock = files::Lock::take(folder)?;
    files::write_tensors(&folder.join(TENSORS), &tensors, HashMap::new())?;
    files::write(&folder.join(SCRIPT), script.as_bytes())?;
    let texts = model.encoder.inputs.iter().any(|input| matches!(input.code, Code::Text(_)));
    let spec = Spec { characters: texts.then(characters), ..Spec::new(model, target.format()) };
    write_spec(&spec, folder)?;
    Ok(vec![SCRIPT, TENSORS, SPEC])
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
