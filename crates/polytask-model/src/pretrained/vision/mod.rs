//! Pretrained encoders of images: folders of timm (`config.json`, `model.safetensors`) or transformers (with
//! `preprocessor_config.json`), and state dicts of torchvision as one safetensors file.

mod family;
mod network;
mod settings;
mod shape;
mod tensors;
mod vectors;

pub use network::{Sequence, Tuned};
pub use settings::{Framed, Preparation};
pub use shape::{Block, Body, Conv, Patches, Shortcut, Squeeze, VisionFamily, VisionShape};

use super::known::Memo;
use super::{CheckpointError, Weight, known::Engine, weights};
use crate::files::Array;
use polytask_exec::Parameters;
use polytask_graph::{DomainId, Graph, GraphBuilder, LossKind, NodeId};
use serde::{Deserialize, Serialize};
use settings::Found;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

/// A pretrained encoder of images: what it is made of, what is made of images before it, and its weights.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct VisionCheckpoint {
    /// What the network is made of.
    pub shape: VisionShape,
    /// What is made of images.
    pub preparation: Preparation,
    /// SHA-256 of both and the weights, in hexadecimal digits.
    pub hash: String,
    /// By name within the network; none of one that a model's own parameters hold.
    #[serde(skip)]
    weights: Arc<Vec<Weight>>,
    #[serde(skip)]
    memo: Arc<Memo>,
    #[serde(skip)]
    engine: Arc<Engine>,
}

impl PartialEq for VisionCheckpoint {
    /// By content.
    fn eq(&self, other: &Self) -> bool {
        self.hash == other.hash
    }
}

impl VisionCheckpoint {
    /// What a folder's or a file's settings say of images; the weights are not read.
    ///
    /// # Errors
    /// Nothing there, or settings that are not understood.
    pub fn preparation(path: &Path) -> Result<Preparation, CheckpointError> {
        Ok(Found::read(path)?.preparation)
    }

    /// Reads a folder, or a safetensors file, for images of these sides instead of those that its settings name, and framed so.
    ///
    /// # Errors
    /// Names the file, or every tensor, that is missing or does not fit.
    pub fn read(path: &Path, size: Option<[usize; 2]>, framed: Option<Framed>) -> Result<Self, CheckpointError> {
        let found = Found::read(path)?;
        let preparation = found.preparation.clone().with(size, framed);
        let folder = Found::weights(path)?;
        let (shape, weights) = family::read(&folder, &found, preparation.input)?;
        let hash = weights::hash(&[&shape, &preparation], &weights);
        Ok(VisionCheckpoint {
            shape,
            preparation,
            hash,
            weights: Arc::new(weights),
            memo: Arc::default(),
            engine: Arc::default(),
        })
    }

    /// Whether the weights are at hand.
    pub fn is_whole(&self) -> bool {
        !self.weights.is_empty()
    }

    /// Adds the encoder over images `x`, `[height, width, channels] -> [width]`, called `name`; a transformer reads `sequence`
    /// too. Layers are called `{name}.STAGE.BLOCK.CONVOLUTION`, or `{name}.patch`, `{name}.LAYER.attention`, ... What comes before the last
    /// stages that are tuned learns nothing, and nothing is propagated through it.
    pub fn build(
        &self,
        g: &mut GraphBuilder,
        name: &str,
        x: NodeId,
        sequence: Option<Sequence>,
        tuned: Tuned,
    ) -> NodeId {
        network::build(g, name, x, sequence, &self.shape, tuned)
    }

    /// Adds what a transformer reads beside images, the domain `patches` and the index `places`; nothing of another encoder.
    pub fn sequence(&self, g: &mut GraphBuilder, patches: &str, places: &str) -> Option<Sequence> {
        self.shape.elements()?;
        let elements = g.ragged(patches, DomainId::ROWS);
        Some(Sequence { elements, places: g.index_input(places, PLACES) })
    }

    /// Puts the weights into the encoder called `name`, whatever stands before, in a graph's parameters.
    pub fn put(&self, graph: &Graph, name: &str, parameters: &mut Parameters) {
        weights::put(&self.weights, graph, name, parameters);
    }

    /// The network alone with its weights; its only prediction are the features of an image.
    ///
    /// # Errors
    /// Layers that do not fit together.
    pub fn network(&self) -> Result<(Graph, Parameters), polytask_graph::GraphError> {
        let graph = self.graph()?;
        let mut parameters = Parameters::zeros(&graph);
        self.put(&graph, ENCODER, &mut parameters);
        Ok((graph, parameters))
    }

    fn graph(&self) -> Result<Graph, polytask_graph::GraphError> {
        let mut g = GraphBuilder::new();
        let x = g.image_input("image", self.shape.input);
        let sequence = self.sequence(&mut g, "patches", "places");
        let x = self.build(&mut g, ENCODER, x, sequence, Tuned { stages: 0, rate: 0.0 });
        g.loss(ENCODER, x, LossKind::Mse);
        g.finish()
    }

    /// What does not hold of one that was read from a model.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        self.shape.check()?;
        let Preparation { input, mean, deviation, .. } = &self.preparation;
        match *input == self.shape.input && mean.len() == input[2] && deviation.len() == input[2] {
            true => Ok(()),
            false => Err("its encoder reads other images than it prepares"),
        }
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
        if weights::hash(&[&self.shape, &self.preparation], &weights) != self.hash {
            return Err(format!("the pretrained encoder {} is not the one that it was", self.short()));
        }
        // Nothing is made room for that the weights do not fill.
        let graph = self.graph().map_err(|error| error.to_string())?;
        let known = |name: &str| {
            let own = name.strip_prefix(ENCODER)?;
            weights.binary_search_by(|weight| weight.name.as_str().cmp(own)).ok().map(|at| &weights[at].dims)
        };
        if let Some(odd) = graph.parameters().iter().find(|own| known(&own.name) != Some(&own.dims)) {
            return Err(format!("the pretrained encoder {} has no fitting {:?}", self.short(), odd.name));
        }
        (self.weights, self.engine) = (Arc::new(weights), Arc::default());
        Ok(())
    }

    /// Takes the weights from the folder or file that a model names, or from one of that name in `$POLYTASK_ENCODERS`.
    ///
    /// # Errors
    /// Neither is there, or holds another encoder.
    pub fn follow(&mut self, link: &Path) -> Result<(), String> {
        let path = super::linked(link)?;
        let [height, width, _] = self.preparation.input;
        let framed = match self.preparation.crop {
            None => Some(Framed::Stretched),
            Some(1.0) => Some(Framed::Cropped),
            Some(_) => None,
        };
        let read = VisionCheckpoint::read(&path, Some([height, width]), framed).map_err(|error| error.to_string())?;
        match read.hash == self.hash {
            true => {
                (self.weights, self.engine) = (read.weights, Arc::default());
                Ok(())
            }
            false => Err(format!("{} holds another pretrained encoder than the one it was made with", path.display())),
        }
    }

    /// The first digits of the hash: enough to tell encoders apart.
    pub fn short(&self) -> &str {
        self.hash.get(..12).unwrap_or(&self.hash)
    }
}

/// What the network alone is called.
const ENCODER: &str = "encoder";
/// Columns of the index of a transformer's tokens.
pub(crate) const PLACES: usize = 2;
