//! Vectors of texts on disk, so that a text is encoded once. A folder holds those of one encoder and one way to read it; each
//! run adds a file with what it has made, under a temporary name that is then changed. So two programs do not disturb each
//! other, and a file that is damaged is taken away and made again.

use super::{Asked, Encoding, Vector, hexadecimal};
use crate::files::{self, Array, Numbers};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What a text and a setting are told apart by: the first half of a SHA-256.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key([u8; 16]);

impl Key {
    /// Of a text.
    pub(super) fn of(text: &Asked<'_>) -> Self {
        match text {
            Asked::Text(text) => Self::hash(&["text".as_bytes(), text.as_bytes()]),
            Asked::Words(words) => {
                let parts: Vec<&[u8]> =
                    std::iter::once("words".as_bytes()).chain(words.iter().map(|w| w.as_bytes())).collect();
                Self::hash(&parts)
            }
        }
    }

    /// Of an image: its pixels as an encoder reads them.
    pub(super) fn of_image(pixels: &[u8]) -> Self {
        Self::hash(&["image".as_bytes(), pixels])
    }

    /// Of an encoder of images.
    pub(super) fn of_images(encoder: &str) -> Self {
        Self::hash(&["images".as_bytes(), encoder.as_bytes()])
    }

    /// Of an encoder and what is asked of it.
    pub(super) fn of_setting(encoder: &str, encoding: &Encoding) -> Self {
        // Plain data, which JSON can hold.
        Self::hash(&[encoder.as_bytes(), &serde_json::to_vec(encoding).unwrap_or_default()])
    }

    /// Of a text under a setting.
    pub(super) fn within(self, setting: &Key) -> Self {
        Self::hash(&[&self.0, &setting.0])
    }

    fn hash(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update((part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        let mut key = [0; 16];
        key.iter_mut().zip(hasher.finalize()).for_each(|(key, byte)| *key = byte);
        Key(key)
    }

    fn word(&self) -> String {
        hexadecimal(&self.0)
    }
}

/// The folder of one encoder and one way to read it.
pub(super) struct Cache {
    folder: PathBuf,
}

/// What a file says of its vectors, in their order.
#[derive(Serialize, Deserialize)]
struct Index {
    keys: Vec<String>,
    /// How many vectors each text has.
    counts: Vec<usize>,
    long: Vec<bool>,
}

/// The tensor of a file.
const VECTORS: &str = "vectors";
/// Files from which on a folder is made one of.
const MANY: usize = 16;

impl Cache {
    /// The cache of a setting in `$POLYTASK_CACHE`, else in `polytask` in the cache folder of the user (`$XDG_CACHE_HOME` or
    /// `~/.cache`); none where there is no such folder, or `$POLYTASK_CACHE` is empty.
    pub(super) fn open(setting: &Key) -> Option<Self> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let root = match variable("POLYTASK_CACHE") {
            Some(folder) if folder.as_os_str().is_empty() => return None,
            Some(folder) => folder,
            None => {
                let cache = variable("XDG_CACHE_HOME").filter(|folder| folder.is_absolute());
                cache.or_else(|| Some(variable("HOME")?.join(".cache")))?.join("polytask")
            }
        };
        Some(Cache { folder: root.join("vectors").join(setting.word()) })
    }

    /// What is known of `wanted`.
    pub(super) fn read(&self, width: usize, wanted: &HashSet<Key>) -> HashMap<Key, Arc<Vector>> {
        let names: HashMap<String, Key> = wanted.iter().map(|key| (key.word(), *key)).collect();
        let mut found = HashMap::new();
        for path in self.files() {
            match segment(&path, width) {
                Some(vectors) => found.extend(
                    vectors.into_iter().filter_map(|(name, vector)| Some((*names.get(&name)?, Arc::new(vector)))),
                ),
                // Damaged, or taken away by another program: it is made again.
                None => drop(std::fs::remove_file(&path)),
            }
        }
        found
    }

    /// Adds vectors. What cannot be written is encoded again another time.
    pub(super) fn write(&self, width: usize, made: &[(Key, Arc<Vector>)]) {
        let all = made.iter().map(|(key, vector)| (key.word(), Arc::clone(vector)));
        let old = self.files();
        if old.len() < MANY {
            self.put(width, all.collect());
            return;
        }
        let before = old.iter().filter_map(|path| segment(path, width)).flatten();
        let before = before.map(|(name, vector)| (name, Arc::new(vector)));
        let merged: HashMap<String, Arc<Vector>> = before.chain(all).collect();
        if let Some(new) = self.put(width, merged.into_iter().collect()) {
            old.iter().filter(|path| **path != new).for_each(|path| drop(std::fs::remove_file(path)));
        }
    }

    fn put(&self, width: usize, mut vectors: Vec<(String, Arc<Vector>)>) -> Option<PathBuf> {
        vectors.sort_by(|a, b| a.0.cmp(&b.0));
        let mut hasher = Sha256::new();
        vectors.iter().for_each(|(name, _)| hasher.update(name.as_bytes()));
        let path = self.folder.join(format!("{}.safetensors", &hexadecimal(&hasher.finalize())[..16]));
        let values: Vec<f32> = vectors.iter().flat_map(|(_, vector)| vector.values.iter().copied()).collect();
        let dims = vec![values.len() / width.max(1), width];
        let array = Array { name: VECTORS.to_owned(), dims, numbers: Numbers::F32(values.into()) };
        let index = Index {
            counts: vectors.iter().map(|(_, vector)| vector.values.len() / width.max(1)).collect(),
            long: vectors.iter().map(|(_, vector)| vector.long).collect(),
            keys: vectors.into_iter().map(|(name, _)| name).collect(),
        };
        files::make_folder(&self.folder).ok()?;
        files::write_sealed(&path, &[array], &serde_json::to_string(&index).ok()?).ok()?;
        Some(path)
    }

    fn files(&self) -> Vec<PathBuf> {
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return Vec::new() };
        let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
        let mut files: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|e| e == "safetensors")).collect();
        files.sort();
        files
    }
}

/// The vectors of a file by name; none of one that is damaged.
fn segment(path: &Path, width: usize) -> Option<Vec<(String, Vector)>> {
    let (arrays, state) = files::read_sealed(path).ok()?;
    let index: Index = serde_json::from_str(&state).ok()?;
    let array = arrays.iter().find(|array| array.name == VECTORS && array.dims.last() == Some(&width))?;
    let Numbers::F32(values) = &array.numbers else { return None };
    let whole = index.counts.iter().sum::<usize>() * width == values.len();
    if !whole || index.keys.len() != index.counts.len() || index.long.len() != index.counts.len() {
        return None;
    }
    let mut start = 0;
    let of = |((name, count), long): ((String, usize), bool)| {
        let own = values[start..start + count * width].to_vec();
        start += count * width;
        (name, Vector { values: own, long })
    };
    Some(index.keys.into_iter().zip(index.counts).zip(index.long).map(of).collect())
}
