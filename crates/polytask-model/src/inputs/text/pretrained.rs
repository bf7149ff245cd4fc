//! Vectors that words begin with.

use crate::files;
use crate::inputs::EncodeError;
use polytask_data::{WordVectors, word_vectors};
use polytask_exec::Parameters;
use polytask_graph::{Graph, ParameterId};
use std::cell::Cell;
use std::collections::HashSet;
use std::path::Path;

/// Vectors of some words.
#[derive(Clone, Debug, PartialEq)]
pub struct Pretrained {
    /// Features of a word.
    pub width: usize,
    /// The words, in lower case, each once, in the order of the file.
    pub words: Vec<String>,
    /// `words x width`
    pub values: Vec<f32>,
}

impl Pretrained {
    /// Reads the vectors of the words `seen`, which are in lower case, and of up to `more` others.
    pub(super) fn read(input: &str, path: &Path, seen: &HashSet<String>, more: usize) -> Result<Self, EncodeError> {
        let others = Cell::new(0);
        let wanted = |word: &str| {
            seen.contains(&word.to_lowercase()) || {
                others.set(others.get() + 1);
                others.get() <= more
            }
        };
        let found = match path.extension().is_some_and(|e| e == "safetensors") {
            true => from_tensors(path, wanted)
                .map_err(|reason| EncodeError::TextFile { input: input.to_owned(), reason })?,
            false => word_vectors(path, wanted)
                .map_err(|source| EncodeError::VectorsFile { input: input.to_owned(), source: Box::new(source) })?,
        };
        let mut known = HashSet::new();
        let mut own = Pretrained { width: found.width, words: Vec::new(), values: Vec::new() };
        for (word, vector) in found.words.iter().zip(found.values.chunks(found.width)) {
            let word = word.to_lowercase();
            if known.insert(word.clone()) {
                own.words.push(word);
                own.values.extend_from_slice(vector);
            }
        }
        match own.words.iter().any(|word| seen.contains(word)) {
            true => Ok(own),
            false => {
                let reason = format!("none of the words of the training rows has a vector in {}", path.display());
                Err(EncodeError::TextFile { input: input.to_owned(), reason })
            }
        }
    }

    /// Puts the vectors into every table called `name`, whatever stands before, whose rows are those of `words`.
    pub(super) fn put(&self, graph: &Graph, name: &str, words: &[String], parameters: &mut Parameters) {
        let place: std::collections::HashMap<&str, usize> =
            self.words.iter().enumerate().map(|(i, word)| (word.as_str(), i)).collect();
        for (i, parameter) in graph.parameters().iter().enumerate() {
            let ours = parameter.name.strip_suffix(name).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
            if !ours || parameter.dims.last() != Some(&self.width) {
                continue;
            }
            let table = parameters.of_mut(ParameterId(i)).chunks_exact_mut(self.width);
            for (word, row) in words.iter().zip(table) {
                if let Some(at) = place.get(word.as_str()) {
                    row.copy_from_slice(&self.values[at * self.width..(at + 1) * self.width]);
                }
            }
        }
    }
}

/// A matrix, and the words of its rows in a file beside it.
fn from_tensors(path: &Path, wanted: impl Fn(&str) -> bool) -> Result<WordVectors, String> {
    let (tensors, _) = files::read_tensors(path).map_err(|e| e.to_string())?;
    let [matrix] = tensors.as_slice() else {
        return Err(format!("{} has {} tensors; expected one, words x width", path.display(), tensors.len()));
    };
    let [rows, width] = matrix.dims[..] else {
        let (name, dims) = (&matrix.name, &matrix.dims);
        return Err(format!("{}: {name:?} has shape {dims:?}; expected a matrix, words x width", path.display()));
    };
    if width == 0 {
        return Err(format!("{}: {:?} has no columns", path.display(), matrix.name));
    }
    let list = path.with_extension("txt");
    let text = std::fs::read_to_string(&list).map_err(|e| format!("cannot read {}: {e}", list.display()))?;
    let words: Vec<&str> = text.lines().collect();
    if words.len() != rows {
        let (found, list, path) = (words.len(), list.display(), path.display());
        return Err(format!("{list} has {found} lines, and {path} has {rows} rows; a line is the word of a row"));
    }
    let mut vectors = WordVectors { width, ..WordVectors::default() };
    for (row, (word, vector)) in words.into_iter().zip(matrix.values.chunks(width)).enumerate() {
        if let Some(value) = vector.iter().find(|v| !v.is_finite()) {
            return Err(format!("{}: row {} holds {value}, which is no number", path.display(), row + 1));
        }
        if wanted(word) {
            vectors.words.push(word.to_owned());
            vectors.values.extend_from_slice(vector);
        }
    }
    Ok(vectors)
}
