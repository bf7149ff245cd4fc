//! Pretrained encoders of texts: folders in the layout of Hugging Face (`config.json`, `model.safetensors` or shards of it,
//! `tokenizer.json`), and the network that they describe. Nothing is executed and nothing is fetched.

mod adapted;
mod cache;
mod error;
pub mod family;
mod folder;
mod network;
mod pre_norm;
mod tokens;
mod tuning;
mod vectors;

use cache::Cache;
pub use error::CheckpointError;
pub use family::{Build, Family, Shape};
pub use tokens::PieceReader;
pub use tuning::Tuning;
pub use vectors::{Asked, Encoding, Vector, Vectors, watch};
use vectors::{Engine, Memo};

use crate::files::{Array, Numbers};
use folder::Folder;
use polytask_exec::Parameters;
use polytask_graph::{DomainId, Graph, GraphBuilder, LossKind, ParameterId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A pretrained encoder: what it is made of, how it reads texts, and its weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Checkpoint {
    /// What the network is made of.
    pub shape: Shape,
    /// How texts become pieces.
    pub reader: PieceReader,
    /// SHA-256 of shape, tokenizer and weights, in hexadecimal digits.
    pub hash: String,
    /// How its makers pool pieces into a text, where a file of the folder says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub advice: Option<Advice>,
    /// By name within the network; none of one that a model's own parameters hold.
    #[serde(skip)]
    weights: Arc<Vec<Weight>>,
    #[serde(skip)]
    memo: Arc<Memo>,
    #[serde(skip)]
    engine: Arc<Engine>,
}

/// What a folder of sentence-transformers says of pooling.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Advice {
    /// How pieces become one.
    pub pooling: crate::section::EncoderPooling,
    /// Whether vectors are scaled to length one.
    pub normalize: bool,
    /// Pieces read of a text; none where nothing says so.
    pub pieces: Option<usize>,
}

/// One parameter of the network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Weight {
    /// Behind the name of the encoder: `.word.table`, `.0.attention.inputs.weight`, ...
    pub name: String,
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
}

impl PartialEq for Checkpoint {
    /// By content.
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl Checkpoint {
    /// Reads a folder.
    ///
    /// # Errors
    /// Names the file, or every tensor, that is missing or does not fit.
    pub fn read(path: &Path) -> Result<Self, CheckpointError> {
        let mut folder = Folder::open(path)?;
        let shape = family::shape(&folder)?;
        let reader = PieceReader::read(&folder, &shape)?;
        let weights = family::weights(&mut folder, &shape)?;
        let hash = hash(&shape, &reader, &weights);
        let advice = family::advice(&folder, &shape)?;
        Ok(Checkpoint {
            shape,
            reader,
            hash,
            advice,
            weights: Arc::new(weights),
            memo: Arc::default(),
            engine: Arc::default(),
        })
    }

    /// Whether the weights are at hand.
    pub fn is_whole(&self) -> bool {
        !self.weights.is_empty()
    }

    /// Adds the encoder over pieces `ids`, indices `[1]` on sequences, `-> [width]`: the hidden states of the last layer, called
    /// `{prefix}{name}`. Layers are called `{prefix}{name}.word`, `.position`, `.norm`, `.0.attention`, ... What learns nothing has
    /// no gradient, and its weights, called `{name}.word.table`, ..., are there once for all prefixes. Through the layers below the
    /// lowest that learns nothing is propagated.
    pub fn build(
        &self,
        g: &mut GraphBuilder,
        prefix: &str,
        name: &str,
        ids: polytask_graph::NodeId,
        tuning: &Tuning,
    ) -> polytask_graph::NodeId {
        let first = g.next_parameter();
        let x = network::build(g, name, prefix, ids, &self.shape, tuning);
        g.hold(first, tuning.probe);
        x
    }

    /// Puts the weights into the encoder called `name`, whatever stands before, in a graph's parameters.
    pub fn put(&self, graph: &Graph, name: &str, parameters: &mut Parameters) {
        let known: HashMap<&str, &Weight> = self.weights.iter().map(|weight| (weight.name.as_str(), weight)).collect();
        for (i, parameter) in graph.parameters().iter().enumerate() {
            let Some(at) = parameter.name.find(name) else { continue };
            let (before, own) = (&parameter.name[..at], &parameter.name[at + name.len()..]);
            let weight = known.get(own).filter(|_| before.is_empty() || before.ends_with('.'));
            if let Some(weight) = weight.filter(|weight| weight.values.len() == parameter.len()) {
                parameters.of_mut(ParameterId(i)).copy_from_slice(&weight.values);
            }
        }
    }

    /// The network alone with its weights, over the sequences `pieces` of an index of that name; its only prediction are the
    /// hidden states of every piece.
    ///
    /// # Errors
    /// Layers that do not fit together.
    pub fn network(&self) -> Result<(Graph, Parameters), polytask_graph::GraphError> {
        let mut g = GraphBuilder::new();
        let pieces = g.ragged(PIECES, DomainId::ROWS);
        let ids = g.index_on(pieces, PIECES, 1);
        let x = self.build(&mut g, "", ENCODER, ids, &Tuning::none());
        g.loss(ENCODER, x, LossKind::Mse);
        let graph = g.finish()?;
        let mut parameters = Parameters::zeros(&graph);
        self.put(&graph, ENCODER, &mut parameters);
        Ok((graph, parameters))
    }

    /// The weights as arrays of a file, each name behind `prefix`.
    pub fn store<'a>(&'a self, prefix: &str, arrays: &mut Vec<Array<'a>>) {
        arrays.extend(self.weights.iter().map(|weight| Array {
            name: format!("{prefix}{}", weight.name),
            dims: weight.dims.clone(),
            numbers: Numbers::F32(weight.values.as_slice().into()),
        }));
    }

    /// Takes the weights that [`store`](Self::store) wrote out of the arrays of a file.
    ///
    /// # Errors
    /// They are not those that were stored.
    pub fn restore(&mut self, prefix: &str, arrays: &mut HashMap<String, Array<'static>>) -> Result<(), String> {
        let mut names: Vec<String> = arrays.keys().filter(|name| name.starts_with(prefix)).cloned().collect();
        names.sort();
        let mut weights = Vec::new();
        for name in names {
            let Some(Array { dims, numbers: Numbers::F32(values), .. }) = arrays.remove(&name) else {
                return Err(format!("{name} holds no real numbers"));
            };
            weights.push(Weight { name: name[prefix.len()..].to_owned(), dims, values: values.into_owned() });
        }
        match hash(&self.shape, &self.reader, &weights) == self.hash {
            true => {
                (self.weights, self.engine) = (Arc::new(weights), Arc::default());
                Ok(())
            }
            false => Err(format!("the pretrained encoder {} is not the one that it was", self.short())),
        }
    }

    /// Takes the weights from the folder that a model names, or from one of that name in `$POLYTASK_ENCODERS`.
    ///
    /// # Errors
    /// Neither is there, or holds another encoder.
    pub fn follow(&mut self, link: &Path) -> Result<(), String> {
        let moved = std::env::var_os(ENCODERS).zip(link.file_name());
        let moved = moved.map(|(root, name)| Path::new(&root).join(name));
        let folder = [Some(link.to_owned()), moved].into_iter().flatten().find(|folder| folder.is_dir());
        let Some(folder) = folder else {
            return Err(format!(
                "it names the pretrained encoder in {}, which is not there; $POLYTASK_ENCODERS may hold a folder of that name",
                link.display()
            ));
        };
        let read = Checkpoint::read(&folder).map_err(|error| error.to_string())?;
        match read.hash == self.hash {
            true => {
                (self.weights, self.engine) = (read.weights, Arc::default());
                Ok(())
            }
            false => {
                Err(format!("{} holds another pretrained encoder than the one it was made with", folder.display()))
            }
        }
    }

    /// The first digits of the hash: enough to tell encoders apart.
    pub fn short(&self) -> &str {
        self.hash.get(..12).unwrap_or(&self.hash)
    }
}

/// The environment variable that names a folder of encoders.
pub const ENCODERS: &str = "POLYTASK_ENCODERS";

/// The names of the encoders that the folder `$POLYTASK_ENCODERS` holds, in order.
pub fn offered() -> Vec<String> {
    let entries = std::env::var_os(ENCODERS).and_then(|root| std::fs::read_dir(root).ok());
    let whole = |path: &Path| [folder::CONFIG, folder::TOKENIZER].iter().all(|name| path.join(name).is_file());
    let names = entries.into_iter().flatten().filter_map(|entry| {
        let path = entry.ok()?.path();
        whole(&path).then(|| path.file_name()?.to_str().map(str::to_owned))?
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The sequences and the index of the network alone.
const PIECES: &str = "pieces";
/// What the network alone is called.
const ENCODER: &str = "encoder";

/// Weights stand in the order of their names.
fn hash(shape: &Shape, reader: &PieceReader, weights: &[Weight]) -> String {
    let mut hasher = Sha256::new();
    // Both are plain data, which JSON can hold.
    hasher.update(serde_json::to_vec(shape).unwrap_or_default());
    hasher.update(serde_json::to_vec(reader).unwrap_or_default());
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

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
