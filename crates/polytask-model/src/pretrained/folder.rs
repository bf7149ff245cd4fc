//! The files of a pretrained encoder: JSON, and tensors of 16 or 32 bits in one safetensors file or several.

use super::{Advice, CheckpointError};
use crate::section::EncoderPooling;
use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub(super) const CONFIG: &str = "config.json";
pub(super) const TOKENIZER: &str = "tokenizer.json";
const TENSORS: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
/// Bytes of a file of weights at most.
const LARGEST: u64 = 16 << 30;

/// A folder whose files are there.
pub(super) struct Folder {
    pub path: PathBuf,
    /// By name, with the file that holds it and its sides.
    tensors: BTreeMap<String, (usize, Vec<usize>)>,
    files: Vec<(PathBuf, Vec<u8>)>,
}

/// A tensor of real numbers.
pub(super) struct Tensor {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl Folder {
    /// Reads the tensors' files; the files `needed` are to be there too.
    pub(super) fn open(path: &Path, needed: &[&str]) -> Result<Self, CheckpointError> {
        if !path.is_dir() {
            return Err(CheckpointError::NoFolder(path.to_owned()));
        }
        let there = |name: &str| path.join(name).is_file();
        let mut missing: Vec<String> =
            needed.iter().filter(|name| !there(name)).map(|name| (*name).to_owned()).collect();
        let names: Vec<String> = match (there(TENSORS), there(INDEX)) {
            (true, _) => vec![TENSORS.to_owned()],
            (false, true) => {
                let index: Index = json(&path.join(INDEX))?;
                index.weight_map.into_values().collect::<BTreeSet<_>>().into_iter().collect()
            }
            (false, false) => {
                let pickle = ["pytorch_model.bin", "pytorch_model.bin.index.json"].into_iter().find(|name| there(name));
                if let Some(file) = pickle {
                    return Err(match needed.contains(&TOKENIZER) {
                        true => CheckpointError::Pickle { folder: path.to_owned(), file: file.to_owned() },
                        false => CheckpointError::PickleFile(path.join(file)),
                    });
                }
                missing.push(format!("{TENSORS} (or {INDEX} with its shards)"));
                Vec::new()
            }
        };
        let inside = |name: &&String| !name.contains(['/', '\\']);
        if let Some(name) = names.iter().find(|name| !inside(name)) {
            let reason = format!("it names {name:?}, which is no file of this folder");
            return Err(CheckpointError::File { path: path.join(INDEX), reason });
        }
        missing.extend(names.iter().filter(|name| !there(name)).cloned());
        if !missing.is_empty() {
            return Err(CheckpointError::Missing { folder: path.to_owned(), files: missing });
        }
        let mut folder = Folder { path: path.to_owned(), tensors: BTreeMap::new(), files: Vec::new() };
        for name in names {
            folder.add(path.join(name))?;
        }
        Ok(folder)
    }

    /// A file of tensors alone.
    pub(super) fn of_file(path: &Path) -> Result<Self, CheckpointError> {
        let mut folder = Folder { path: path.to_owned(), tensors: BTreeMap::new(), files: Vec::new() };
        folder.add(path.to_owned())?;
        Ok(folder)
    }

    fn add(&mut self, path: PathBuf) -> Result<(), CheckpointError> {
        let failed = |source| CheckpointError::Read { path: path.clone(), source };
        let length = std::fs::metadata(&path).map_err(failed)?.len();
        if length > LARGEST {
            let reason = format!("it has {} GB; at most {} are read", length >> 30, LARGEST >> 30);
            return Err(CheckpointError::File { path, reason });
        }
        let bytes = std::fs::read(&path).map_err(failed)?;
        let tensors: Vec<(String, Vec<usize>)> = match SafeTensors::deserialize(&bytes) {
            Ok(file) => file.iter().map(|(name, view)| (name.to_owned(), view.shape().to_vec())).collect(),
            Err(error) => {
                let reason = format!("it is damaged or no safetensors file: {error}");
                return Err(CheckpointError::File { path, reason });
            }
        };
        let file = self.files.len();
        for (name, dims) in tensors {
            if self.tensors.insert(name.clone(), (file, dims)).is_some() {
                let reason = format!("it has the tensor {name:?}, which another shard has too");
                return Err(CheckpointError::File { path, reason });
            }
        }
        self.files.push((path, bytes));
        Ok(())
    }

    /// The names of all tensors, in order.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Sides of a tensor; none where there is none of this name.
    pub(super) fn dims(&self, name: &str) -> Option<Vec<usize>> {
        self.tensors.get(name).map(|(_, dims)| dims.clone())
    }

    /// A tensor as real numbers of 32 bits; none where there is none of this name.
    pub(super) fn tensor(&self, name: &str) -> Result<Option<Tensor>, CheckpointError> {
        let Some((path, bytes)) = self.tensors.get(name).and_then(|(file, _)| self.files.get(*file)) else {
            return Ok(None);
        };
        let fault = |reason: String| CheckpointError::File { path: path.clone(), reason };
        let file = SafeTensors::deserialize(bytes).map_err(|error| fault(error.to_string()))?;
        let view = file.tensor(name).map_err(|error| fault(error.to_string()))?;
        let data = view.data();
        let values: Vec<f32> = match view.dtype() {
            Dtype::F32 => data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
            Dtype::F64 => data.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b) as f32).collect(),
            Dtype::F16 => data.as_chunks::<2>().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
            Dtype::BF16 => data.as_chunks::<2>().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect(),
            other => {
                return Err(fault(format!(
                    "the tensor {name:?} is {other:?}; weights are real numbers of 16, 32 or 64 bits (F32, F64, F16, BF16)"
                )));
            }
        };
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(fault(format!("the tensor {name:?} holds {value}, which is no number"))),
            None => Ok(Some(Tensor { dims: view.shape().to_vec(), values })),
        }
    }

    /// A tensor of whole numbers that are places in another; none where there is none of this name.
    pub(super) fn places(&self, name: &str) -> Result<Option<Vec<usize>>, CheckpointError> {
        let Some((path, bytes)) = self.tensors.get(name).and_then(|(file, _)| self.files.get(*file)) else {
            return Ok(None);
        };
        let fault = |reason: String| CheckpointError::File { path: path.clone(), reason };
        let file = SafeTensors::deserialize(bytes).map_err(|error| fault(error.to_string()))?;
        let view = file.tensor(name).map_err(|error| fault(error.to_string()))?;
        let data = view.data();
        let values: Vec<i64> = match view.dtype() {
            Dtype::I64 => data.as_chunks::<8>().0.iter().map(|b| i64::from_le_bytes(*b)).collect(),
            Dtype::I32 => data.as_chunks::<4>().0.iter().map(|b| i32::from_le_bytes(*b).into()).collect(),
            other => {
                return Err(fault(format!("the tensor {name:?} is {other:?}; places are whole numbers (I32, I64)")));
            }
        };
        let place = |value: i64| {
            usize::try_from(value).map_err(|_| fault(format!("the tensor {name:?} holds {value}, which is no place")))
        };
        values.into_iter().map(place).collect::<Result<_, _>>().map(Some)
    }

    /// A JSON file.
    pub(super) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, CheckpointError> {
        json(&self.path.join(name))
    }

    /// What the files of sentence-transformers say, where they are there and understood.
    pub(super) fn advice(&self) -> Option<Advice> {
        #[derive(Deserialize)]
        struct Pool {
            #[serde(default)]
            pooling_mode_cls_token: bool,
            #[serde(default)]
            pooling_mode_mean_tokens: bool,
            #[serde(default)]
            pooling_mode_max_tokens: bool,
        }
        #[derive(Deserialize)]
        struct Module {
            #[serde(rename = "type")]
            kind: String,
        }
        #[derive(Deserialize)]
        struct Length {
            max_seq_length: Option<usize>,
        }
        let pool: Pool = self.json("1_Pooling/config.json").ok()?;
        let pooling = match (pool.pooling_mode_cls_token, pool.pooling_mode_mean_tokens, pool.pooling_mode_max_tokens) {
            (true, false, false) => EncoderPooling::Cls,
            (false, true, false) => EncoderPooling::Mean,
            (false, false, true) => EncoderPooling::Max,
            _ => return None,
        };
        let modules: Vec<Module> = self.json("modules.json").unwrap_or_default();
        let normalize = modules.iter().any(|module| module.kind.ends_with("Normalize"));
        let pieces = self.json::<Length>("sentence_bert_config.json").ok().and_then(|length| length.max_seq_length);
        Some(Advice { pooling, normalize, pieces })
    }
}

/// Refuses a file of weights that is a pickle, by its name or its first bytes: PyTorch writes ZIP archives.
pub(super) fn pickle(path: &Path) -> Option<CheckpointError> {
    let named = path.extension().is_some_and(|e| ["pth", "pt", "bin", "ckpt", "pkl"].iter().any(|other| e == *other));
    let begins = || {
        let mut first = [0; 4];
        let read = std::fs::File::open(path).and_then(|mut file| std::io::Read::read_exact(&mut file, &mut first));
        read.is_ok() && (first == *b"PK\x03\x04" || first[..2] == [0x80, 2])
    };
    (named || begins()).then(|| CheckpointError::PickleFile(path.to_owned()))
}

pub(super) fn json<T: DeserializeOwned>(path: &Path) -> Result<T, CheckpointError> {
    let bytes = std::fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
    serde_json::from_slice(&bytes)
        .map_err(|error| CheckpointError::File { path: path.to_owned(), reason: error.to_string() })
}
