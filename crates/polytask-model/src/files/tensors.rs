//! Tensors and arrays in safetensors files, plain ones and ones with a state and a checksum.

use super::{FileError, write};
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensorError, SafeTensors};
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// A named tensor.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    /// Unique in its file.
    pub name: String,
    /// Row-major shape.
    pub dims: Vec<usize>,
    /// The values.
    pub values: Cow<'a, [f32]>,
}

/// A named array of numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Array<'a> {
    /// Unique in its file.
    pub name: String,
    /// Row-major shape.
    pub dims: Vec<usize>,
    /// The values.
    pub numbers: Numbers<'a>,
}

/// Numbers of one of the types that files have.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers<'a> {
    /// Reals.
    F32(Cow<'a, [f32]>),
    /// Whole numbers, 0 or more.
    U32(Cow<'a, [u32]>),
    /// Whole numbers.
    I32(Cow<'a, [i32]>),
}

impl Numbers<'_> {
    /// How many.
    pub fn len(&self) -> usize {
        match self {
            Numbers::F32(values) => values.len(),
            Numbers::U32(values) => values.len(),
            Numbers::I32(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn bytes(&self) -> (Dtype, Vec<u8>) {
        match self {
            Numbers::F32(values) => (Dtype::F32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Numbers::U32(values) => (Dtype::U32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
            Numbers::I32(values) => (Dtype::I32, values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        }
    }
}

/// What a file of arrays holds.
pub(super) fn encode_arrays(path: &Path, arrays: &[Array<'_>]) -> Result<Vec<u8>, FileError> {
    let bytes: Vec<(Dtype, Vec<u8>)> = arrays.iter().map(|array| array.numbers.bytes()).collect();
    let views = arrays.iter().zip(&bytes);
    let views: Result<Vec<_>, _> = views
        .map(|(array, (kind, bytes))| Ok((array.name.as_str(), TensorView::new(*kind, array.dims.clone(), bytes)?)))
        .collect();
    serialize(path, views, HashMap::new())
}

/// The arrays of a file that was read from `path`, in the order of their names.
///
/// # Errors
/// It is damaged, or holds arrays of another type.
pub fn decode_arrays(path: &Path, bytes: &[u8]) -> Result<Vec<Array<'static>>, FileError> {
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(path, e.to_string()))?;
    let mut arrays = file.iter().map(|(name, view)| array(path, name, &view)).collect::<Result<Vec<_>, _>>()?;
    arrays.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(arrays)
}

fn array(path: &Path, name: &str, view: &TensorView<'_>) -> Result<Array<'static>, FileError> {
    let (chunks, _) = view.data().as_chunks::<4>();
    let numbers = match view.dtype() {
        Dtype::F32 => Numbers::F32(chunks.iter().map(|b| f32::from_le_bytes(*b)).collect()),
        Dtype::U32 => Numbers::U32(chunks.iter().map(|b| u32::from_le_bytes(*b)).collect()),
        Dtype::I32 => Numbers::I32(chunks.iter().map(|b| i32::from_le_bytes(*b)).collect()),
        other => return Err(damaged(path, format!("tensor {name:?} is {other:?}, expected F32"))),
    };
    Ok(Array { name: name.to_owned(), dims: view.shape().to_vec(), numbers })
}

/// Writes f32 tensors and metadata as safetensors.
///
/// # Errors
/// The file cannot be written.
pub fn write_tensors(path: &Path, tensors: &[Tensor<'_>], metadata: HashMap<String, String>) -> Result<(), FileError> {
    write(path, &encode(path, tensors, metadata)?)
}

/// What a file of f32 tensors and metadata holds.
pub(super) fn encode(
    path: &Path,
    tensors: &[Tensor<'_>],
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, FileError> {
    let bytes: Vec<Vec<u8>> = tensors.iter().map(bytes).collect();
    let views = tensors.iter().zip(&bytes);
    let views: Result<Vec<_>, _> =
        views.map(|(t, b)| Ok((t.name.as_str(), TensorView::new(Dtype::F32, t.dims.clone(), b)?))).collect();
    serialize(path, views, metadata)
}

fn serialize(
    path: &Path,
    views: Result<Vec<(&str, TensorView<'_>)>, SafeTensorError>,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, FileError> {
    let metadata = (!metadata.is_empty()).then_some(metadata);
    views.and_then(|views| safetensors::serialize(views, metadata)).map_err(|e| damaged(path, e.to_string()))
}

fn bytes(tensor: &Tensor<'_>) -> Vec<u8> {
    tensor.values.iter().flat_map(|v| v.to_le_bytes()).collect()
}

fn damaged(path: &Path, reason: String) -> FileError {
    FileError::Tensors { path: path.to_owned(), reason }
}

/// Reads f32 tensors, in the order of their names, and the metadata.
///
/// # Errors
/// The file cannot be read, is damaged, or holds tensors of another type.
pub fn read_tensors(path: &Path) -> Result<(Vec<Tensor<'static>>, HashMap<String, String>), FileError> {
    let bytes = std::fs::read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    decode_tensors(path, &bytes)
}

/// The tensors and the metadata of a file that was read from `path`.
///
/// # Errors
/// It is damaged, or holds tensors of another type.
pub fn decode_tensors(path: &Path, bytes: &[u8]) -> Result<(Vec<Tensor<'static>>, HashMap<String, String>), FileError> {
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| damaged(path, e.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| damaged(path, e.to_string()))?;
    let tensors = file.iter().map(|(name, view)| tensor(path, name, &view));
    let mut tensors = tensors.collect::<Result<Vec<_>, _>>()?;
    tensors.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((tensors, header.metadata().clone().unwrap_or_default()))
}

fn tensor(path: &Path, name: &str, view: &TensorView<'_>) -> Result<Tensor<'static>, FileError> {
    if view.dtype() != Dtype::F32 {
        return Err(damaged(path, format!("tensor {name:?} is {:?}, expected F32", view.dtype())));
    }
    let (chunks, _) = view.data().as_chunks::<4>();
    let values: Vec<f32> = chunks.iter().map(|b| f32::from_le_bytes(*b)).collect();
    Ok(Tensor { name: name.to_owned(), dims: view.shape().to_vec(), values: values.into() })
}

/// The name of the tensor of bytes that holds the state.
const STATE: &str = "state";
/// The key of the metadata that holds the checksum.
const CHECKSUM: &str = "crc32";

/// Writes arrays and a state in words with a checksum over both. The state is a tensor of bytes: the header of such files
/// may not grow beyond what readers take.
///
/// # Errors
/// The file cannot be written.
pub fn write_sealed(path: &Path, arrays: &[Array<'_>], state: &str) -> Result<(), FileError> {
    let data: Vec<(Dtype, Vec<u8>)> = arrays.iter().map(|array| array.numbers.bytes()).collect();
    let mut views = Vec::new();
    let added: Result<(), SafeTensorError> = arrays.iter().zip(&data).try_for_each(|(array, (kind, bytes))| {
        views.push((array.name.as_str(), TensorView::new(*kind, array.dims.clone(), bytes)?));
        Ok(())
    });
    let state = TensorView::new(Dtype::U8, vec![state.len()], state.as_bytes());
    let views = added.and(state).map(|state| {
        views.push((STATE, state));
        views
    });
    let sum = views.as_ref().map_or(0, |views| checksum(views));
    write(path, &serialize(path, views, HashMap::from([(CHECKSUM.to_owned(), sum.to_string())]))?)
}

/// Reads what [`write_sealed`] wrote: the arrays in the order of their names, and the state.
///
/// # Errors
/// The file cannot be read, or is not as it was written.
pub fn read_sealed(path: &Path) -> Result<(Vec<Array<'static>>, String), FileError> {
    let bytes = std::fs::read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(path, e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(path, e.to_string()))?;
    let views: Vec<(&str, TensorView<'_>)> = file.iter().collect();
    let kept = header.metadata().as_ref().and_then(|metadata| metadata.get(CHECKSUM));
    let kept = kept.ok_or_else(|| damaged(path, "it has no checksum".to_owned()))?;
    if *kept != checksum(&views).to_string() {
        return Err(damaged(path, "its checksum does not fit what it holds".to_owned()));
    }
    let state = views.iter().find(|(name, view)| *name == STATE && view.dtype() == Dtype::U8);
    let state = state.ok_or_else(|| damaged(path, "it has no state".to_owned()))?;
    let state = String::from_utf8(state.1.data().to_vec()).map_err(|e| damaged(path, e.to_string()))?;
    let arrays = views.iter().filter(|(name, _)| *name != STATE);
    let mut arrays = arrays.map(|(name, view)| array(path, name, view)).collect::<Result<Vec<_>, _>>()?;
    arrays.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((arrays, state))
}

/// CRC-32 over names, shapes and values, in the order of the names.
fn checksum(views: &[(&str, TensorView<'_>)]) -> u32 {
    let mut views: Vec<_> = views.iter().collect();
    views.sort_by_key(|(name, _)| *name);
    let mut hasher = crc32fast::Hasher::new();
    for (name, view) in views {
        hasher.update(format!("{name:?} {:?} {:?}", view.dtype(), view.shape()).as_bytes());
        hasher.update(view.data());
    }
    hasher.finalize()
}
