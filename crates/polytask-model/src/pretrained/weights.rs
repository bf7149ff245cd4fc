//! The weights of an encoder: into a graph's parameters, into a file and out of it.

use super::{Weight, hexadecimal};
use crate::files::{Array, Numbers};
use polytask_exec::Parameters;
use polytask_graph::{Graph, ParameterId};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// Something that is described by plain data.
pub(super) trait Described {
    fn json(&self) -> Vec<u8>;
}

impl<T: serde::Serialize> Described for T {
    fn json(&self) -> Vec<u8> {
        // Plain data, which JSON can hold.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Of what an encoder is, and of its weights, which stand in the order of their names.
pub(super) fn hash(described: &[&dyn Described], weights: &[Weight]) -> String {
    let mut hasher = Sha256::new();
    described.iter().for_each(|own| hasher.update(own.json()));
    let mut bytes = Vec::new();
    for weight in weights {
        hasher.update(format!("{:?}{:?}", weight.name, weight.dims).as_bytes());
        for values in weight.values.chunks(1 << 16) {
            bytes.clear();
            values.iter().for_each(|value| bytes.extend_from_slice(&value.to_le_bytes()));
            hasher.update(&bytes);
        }
    }
    hexadecimal(&hasher.finalize())
}

/// Puts weights into the encoder called `name`, whatever stands before, in a graph's parameters.
pub(super) fn put(weights: &[Weight], graph: &Graph, name: &str, parameters: &mut Parameters) {
    let known: HashMap<&str, &Weight> = weights.iter().map(|weight| (weight.name.as_str(), weight)).collect();
    for (i, parameter) in graph.parameters().iter().enumerate() {
        let Some(at) = parameter.name.find(name) else { continue };
        let (before, own) = (&parameter.name[..at], &parameter.name[at + name.len()..]);
        let weight = known.get(own).filter(|_| before.is_empty() || before.ends_with('.'));
        if let Some(weight) = weight.filter(|weight| weight.values.len() == parameter.len()) {
            parameters.of_mut(ParameterId(i)).copy_from_slice(&weight.values);
        }
    }
}

/// Weights as arrays of a file, each name behind `prefix`.
pub(super) fn store<'a>(weights: &'a [Weight], prefix: &str, arrays: &mut Vec<Array<'a>>) {
    arrays.extend(weights.iter().map(|weight| Array {
        name: format!("{prefix}{}", weight.name),
        dims: weight.dims.clone(),
        numbers: Numbers::F32(weight.values.as_slice().into()),
    }));
}

/// Takes the weights that [`store`] wrote out of the arrays of a file, in the order of their names.
pub(super) fn take(prefix: &str, arrays: &mut HashMap<String, Array<'static>>) -> Result<Vec<Weight>, String> {
    let mut names: Vec<String> = arrays.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
    names.sort();
    let mut weights = Vec::new();
    for name in names {
        let Some(Array { dims, numbers: Numbers::F32(values), .. }) = arrays.remove(&name) else {
            return Err(format!("{name} holds no real numbers"));
        };
        weights.push(Weight { name: name[prefix.len()..].to_owned(), dims, values: values.into_owned() });
    }
    Ok(weights)
}
