//! ONNX: a file of operators that ONNX Runtime and many others run. See <https://onnx.ai/onnx/>.
//!
//! Columns are fed as they stand in a table and predictions come out in the person's units: what a model does before and
//! behind its network is part of the graph.

mod decision;
mod emit;
mod image;
mod inputs;
mod numbers;
mod ops;
mod outputs;
pub mod proto;
mod sequence;
mod table;
mod text;
mod trees;
mod writer;

pub(crate) use image::filters;
use writer::Writer;

use crate::array;
use crate::error::ExportError;
use crate::spec::{self, Fed, Output};
use emit::Emit;
use polytask::model::{Body, Model, Network};

/// The version of the file format, that of ONNX 1.14 (2023).
const IR: i64 = 9;
/// The set of operators, that of ONNX 1.14.
const OPERATORS: i64 = 19;
/// The sets of operators for data that is no numbers: the second, and the fourth, whose keys may be numbers.
const ML_OPERATORS: [i64; 2] = [2, 4];

/// The model as an ONNX model, and what comes out of it.
///
/// # Errors
/// An op or a task that ONNX does not have.
pub fn model(model: &Model) -> Result<(proto::Model, Vec<Output>), ExportError> {
    let (writer, outputs) = match &model.body {
        Body::Network(network) => of_network(model, network)?,
        Body::Trees(_) | Body::Ensemble(_) => table::model(model)?,
    };
    let mut sets = vec![proto::OperatorSet { domain: Some(String::new()), version: Some(OPERATORS) }];
    let mut categories = model.encoder.categories().map(|(_, category)| spec::number_levels(category).is_some());
    let first = categories.next();
    if first.is_some() || model.network().is_none() {
        let first = first.unwrap_or(false);
        let version = ML_OPERATORS[usize::from(first || categories.any(|numbers| numbers))];
        sets.push(proto::OperatorSet { domain: Some(writer::ML.to_owned()), version: Some(version) });
    }
    let tasks: Vec<&str> = model.tasks.iter().map(|task| task.name.as_str()).collect();
    let file = proto::Model {
        ir_version: Some(IR),
        producer_name: Some("polytask".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!("predicts {}", tasks.join(", "))),
        graph: Some(writer.finish("polytask")),
        opset_import: sets,
    };
    Ok((file, outputs))
}

fn of_network(model: &Model, network: &Network) -> Result<(Writer, Vec<Output>), ExportError> {
    let mut emit = Emit::new(model, network);
    emit.inputs()?;
    emit.nodes()?;
    let outputs = emit.outputs()?;
    Ok((emit.w, outputs))
}

/// What is fed to an ONNX model.
pub fn fed(model: &proto::Model) -> Vec<Fed> {
    let inputs = model.graph.iter().flat_map(|graph| &graph.input);
    let fed = |input: &proto::Value| {
        let tensor = input.r#type.as_ref().and_then(|kind| kind.tensor_type.clone()).unwrap_or_default();
        let length = |dim: &proto::Dimension| match (dim.dim_value, &dim.dim_param) {
            (Some(length), _) => length.to_string(),
            (None, name) => name.clone().unwrap_or_default(),
        };
        Fed {
            name: input.name.clone().unwrap_or_default(),
            r#type: array::numpy(tensor.elem_type.unwrap_or_default()),
            shape: tensor.shape.iter().flat_map(|shape| &shape.dim).map(length).collect(),
            what: input.doc_string.clone().unwrap_or_default(),
        }
    };
    inputs.map(fed).collect()
}
