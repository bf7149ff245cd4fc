//! Files: written to a temporary name and renamed, so that a reader never sees half of one.

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::path::{Component, Path, PathBuf};

/// Why a file cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// It cannot be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It would have to stand in something that is no folder.
    #[error("cannot write {path}: {file} is no folder")]
    NoFolder {
        /// What was to be written.
        path: PathBuf,
        /// What is not there, or a file.
        file: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// It has no JSON form.
    #[error("cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// It is no safetensors file of f32 tensors.
    #[error("{path} is damaged or no safetensors file: {reason}")]
    Tensors {
        /// The file.
        path: PathBuf,
        /// What does not hold.
        reason: String,
    },
}

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

/// Makes a folder and those above it, where they are not there.
///
/// # Errors
/// It cannot be made.
pub fn make_folder(folder: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(folder).map_err(|source| FileError::Write { path: folder.to_owned(), source })
}

/// Makes sure that files can be written to a folder, which need not be there yet; leaves nothing behind.
///
/// # Errors
/// It, or the nearest folder above it that is there, is no folder or cannot be written.
pub fn check_folder(folder: &Path) -> Result<(), FileError> {
    let there = folder.ancestors().find(|path| path.as_os_str().is_empty() || path.exists()).unwrap_or(folder);
    let there = if there.as_os_str().is_empty() { Path::new(".") } else { there };
    if !there.is_dir() {
        return Err(FileError::NoFolder { path: folder.to_owned(), file: there.to_owned() });
    }
    match temporary(there) {
        Ok(_) => Ok(()),
        Err(source) => Err(FileError::Write { path: folder.to_owned(), source }),
    }
}

/// A new file in a folder, gone when dropped.
fn temporary(folder: &Path) -> std::io::Result<tempfile::NamedTempFile> {
    let made = tempfile::Builder::new().prefix(".polytask-").tempfile_in(folder);
    // Without the name of the temporary file, which would only confuse.
    made.map_err(|error| {
        let text = error.to_string();
        std::io::Error::new(error.kind(), text.split(" at path ").next().unwrap_or_default())
    })
}

/// Writes a whole file or nothing.
///
/// # Errors
/// The file cannot be written; what was there before stays.
pub fn write(path: &Path, content: &[u8]) -> Result<(), FileError> {
    let failed = |source| FileError::Write { path: path.to_owned(), source };
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    if !folder.is_dir() {
        return Err(FileError::NoFolder { path: path.to_owned(), file: folder.to_owned() });
    }
    let mut file = temporary(folder).map_err(failed)?;
    file.write_all(content).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    // A temporary file is readable by its owner alone; what is made of it has the usual rights.
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let rights = std::fs::Permissions::from_mode(0o644);
        file.as_file().set_permissions(rights).map_err(failed)?;
    }
    file.persist(path).map_err(|e| failed(e.error))?;
    Ok(())
}

/// The way from one folder to another, both there; the whole path of the other where they have nothing in common.
pub fn way(from: &Path, to: &Path) -> PathBuf {
    let whole = |folder: &Path| {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        folder.canonicalize().unwrap_or_else(|_| folder.to_owned())
    };
    let (from, to) = (whole(from), whole(to));
    let common = from.components().zip(to.components()).take_while(|(a, b)| a == b).count();
    if from.components().take(common).all(|c| matches!(c, Component::RootDir | Component::Prefix(_))) && common < 2 {
        return to;
    }
    let up = from.components().skip(common).map(|_| Component::ParentDir);
    up.chain(to.components().skip(common)).collect()
}

/// Reads a text file.
///
/// # Errors
/// The file cannot be read, or is no UTF-8.
pub fn read_text(path: &Path) -> Result<String, FileError> {
    std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })
}

/// Writes f32 tensors and metadata as safetensors.
///
/// # Errors
/// The file cannot be written.
pub fn write_tensors(path: &Path, tensors: &[Tensor<'_>], metadata: HashMap<String, String>) -> Result<(), FileError> {
    let array = |tensor: &Tensor<'_>| {
        let Tensor { name, dims, values } = tensor.clone();
        Array { name, dims, numbers: Numbers::F32(Cow::Owned(values.into_owned())) }
    };
    write_arrays(path, &tensors.iter().map(array).collect::<Vec<_>>(), metadata)
}

/// Writes arrays and metadata as safetensors.
///
/// # Errors
/// The file cannot be written.
pub fn write_arrays(path: &Path, arrays: &[Array<'_>], metadata: HashMap<String, String>) -> Result<(), FileError> {
    let bad = |e: safetensors::SafeTensorError| FileError::Tensors { path: path.to_owned(), reason: e.to_string() };
    let bytes: Vec<(Dtype, Vec<u8>)> = arrays.iter().map(|array| array.numbers.bytes()).collect();
    let views = arrays
        .iter()
        .zip(&bytes)
        .map(|(array, (kind, bytes))| Ok((array.name.as_str(), TensorView::new(*kind, array.dims.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, _>>().map_err(bad)?;
    let metadata = (!metadata.is_empty()).then_some(metadata);
    write(path, &safetensors::serialize(views, metadata).map_err(bad)?)
}

/// Reads f32 tensors, in the order of their names, and the metadata.
///
/// # Errors
/// The file cannot be read, is damaged, or holds tensors of another type.
pub fn read_tensors(path: &Path) -> Result<(Vec<Tensor<'static>>, HashMap<String, String>), FileError> {
    let (arrays, metadata) = read_arrays(path)?;
    let tensor = |Array { name, dims, numbers }| match numbers {
        Numbers::F32(values) => Ok(Tensor { name, dims, values }),
        Numbers::U32(_) | Numbers::I32(_) => {
            let reason = format!("tensor {name:?} has whole numbers, expected F32");
            Err(FileError::Tensors { path: path.to_owned(), reason })
        }
    };
    Ok((arrays.into_iter().map(tensor).collect::<Result<_, _>>()?, metadata))
}

/// Reads arrays, in the order of their names, and the metadata.
///
/// # Errors
/// The file cannot be read, is damaged, or holds arrays of another type.
pub fn read_arrays(path: &Path) -> Result<(Vec<Array<'static>>, HashMap<String, String>), FileError> {
    let bad = |reason: String| FileError::Tensors { path: path.to_owned(), reason };
    let bytes = std::fs::read(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| bad(e.to_string()))?;
    let file = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
    let mut arrays = Vec::new();
    for (name, view) in file.iter() {
        let (chunks, _) = view.data().as_chunks::<4>();
        let numbers = match view.dtype() {
            Dtype::F32 => Numbers::F32(chunks.iter().map(|b| f32::from_le_bytes(*b)).collect()),
            Dtype::U32 => Numbers::U32(chunks.iter().map(|b| u32::from_le_bytes(*b)).collect()),
            Dtype::I32 => Numbers::I32(chunks.iter().map(|b| i32::from_le_bytes(*b)).collect()),
            other => return Err(bad(format!("tensor {name:?} is {other:?}, expected F32"))),
        };
        arrays.push(Array { name: name.to_owned(), dims: view.shape().to_vec(), numbers });
    }
    arrays.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((arrays, header.metadata().clone().unwrap_or_default()))
}
