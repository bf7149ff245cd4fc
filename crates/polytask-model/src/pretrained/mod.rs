//! Pretrained encoders. Of texts: folders in the layout of Hugging Face (`config.json`, `model.safetensors` or shards of it,
//! `tokenizer.json`), and the network that they describe; of images: [`vision`]. Nothing is executed and nothing is fetched.

mod adapted;
mod cache;
mod error;
pub mod family;
mod folder;
mod known;
mod network;
mod pre_norm;
mod tokens;
mod tuning;
mod vectors;
pub mod vision;
mod weights;

pub use error::CheckpointError;
pub use family::{Build, Family, Shape};
pub use known::watch;
use known::{Engine, Memo};
pub use tokens::PieceReader;
pub use tuning::Tuning;
pub use vectors::{Asked, Encoding, Vector, Vectors};

use crate::files::Array;
use folder::Folder;
use polytask_exec::Parameters;
use polytask_graph::{DomainId, Graph, GraphBuilder, LossKind};
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
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
        let mut folder = Folder::open(path, &[folder::CONFIG, folder::TOKENIZER])?;
        let shape = family::shape(&folder)?;
        let reader = PieceReader::read(&folder, &shape)?;
        let weights = family::weights(&mut folder, &shape)?;
        let hash = weights::hash(&[&shape, &reader], &weights);
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
        weights::put(&self.weights, graph, name, parameters);
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
        weights::store(&self.weights, prefix, arrays);
    }

    /// Takes the weights that [`store`](Self::store) wrote out of the arrays of a file.
    ///
    /// # Errors
    /// They are not those that were stored.
    pub fn restore(&mut self, prefix: &str, arrays: &mut HashMap<String, Array<'static>>) -> Result<(), String> {
        let weights = weights::take(prefix, arrays)?;
        match weights::hash(&[&self.shape, &self.reader], &weights) == self.hash {
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
        let folder = linked(link)?;
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

/// Where the encoder lies that a model names: there, or under the same name in `$POLYTASK_ENCODERS`.
fn linked(link: &Path) -> Result<PathBuf, String> {
    let moved = std::env::var_os(ENCODERS).zip(link.file_name());
    let moved = moved.map(|(root, name)| Path::new(&root).join(name));
    let there = [Some(link.to_owned()), moved].into_iter().flatten().find(|path| path.exists());
    there.ok_or_else(|| {
        format!(
            "it names the pretrained encoder in {}, which is not there; $POLYTASK_ENCODERS may hold a folder of that name",
            link.display()
        )
    })
}

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

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
