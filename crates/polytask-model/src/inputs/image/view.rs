//! A pretrained encoder of an image input.

use crate::inputs::EncodeError;
use crate::pretrained::vision::{Framed, Sequence, Tuned, VisionCheckpoint};
use crate::section::{EncoderConfig, ImageFit, InputConfig, Training, environment};
use polytask_exec::Parameters;
use polytask_graph::{Graph, GraphBuilder, NodeId};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// A pretrained encoder of an image input, and what of it learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The encoder.
    pub checkpoint: VisionCheckpoint,
    /// What of it learns.
    pub train: Training,
    /// What the learning rate is multiplied by.
    pub rate: f32,
    /// Where it lies, where a model names it instead of holding it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<PathBuf>,
}

/// What a config says of an encoder's images: sides, and how they are framed.
fn asked(config: &InputConfig) -> (Option<[usize; 2]>, Option<Framed>) {
    let framed = config.fit.map(|fit| match fit {
        ImageFit::Stretch => Framed::Stretched,
        ImageFit::Crop => Framed::Cropped,
    });
    (config.size.map(|size| [size.height, size.width]), framed)
}

/// Where the encoder lies that a config names.
fn place(input: &str, config: &EncoderConfig, folder: &Path) -> Result<PathBuf, EncodeError> {
    let fault = |reason| EncodeError::Encoder { input: input.to_owned(), reason };
    environment::resolve(folder, &config.pretrained).map_err(fault)
}

/// What images an input's encoder reads.
pub(super) fn preparation(
    input: &str,
    config: &InputConfig,
    encoder: &EncoderConfig,
    folder: &Path,
) -> Result<crate::pretrained::vision::Preparation, EncodeError> {
    let path = place(input, encoder, folder)?;
    let (size, framed) = asked(config);
    let read = VisionCheckpoint::preparation(&path);
    let read = read.map_err(|source| EncodeError::Pretrained { input: input.to_owned(), source: Box::new(source) })?;
    Ok(read.with(size, framed))
}

impl View {
    /// Reads the encoder that a config names.
    pub(super) fn read(
        input: &str,
        config: &InputConfig,
        encoder: &EncoderConfig,
        folder: &Path,
    ) -> Result<Self, EncodeError> {
        let fault = |reason: String| EncodeError::Encoder { input: input.to_owned(), reason };
        let path = place(input, encoder, folder)?;
        let (size, framed) = asked(config);
        let checkpoint = VisionCheckpoint::read(&path, size, framed)
            .map_err(|source| EncodeError::Pretrained { input: input.to_owned(), source: Box::new(source) })?;
        if matches!(encoder.train, Training::Lora | Training::Adapters) {
            let reason =
                "`train` is of encoders of texts; of images it is \"frozen\", \"full\" or a number of last stages";
            return Err(fault(reason.to_owned()));
        }
        let all = checkpoint.shape.stages();
        if let Training::Last(stages) = encoder.train
            && stages > all
        {
            return Err(fault(format!("`train` names the last {stages} stages, and the encoder has {all}")));
        }
        let [height, width, channels] = checkpoint.shape.input;
        // What it can be run with is known before all images are unpacked.
        checkpoint.network().map_err(|error| {
            fault(format!("its encoder cannot read images of {height} x {width} x {channels}: {error}"))
        })?;
        let link = encoder.link.then(|| path.canonicalize().unwrap_or(path));
        Ok(View { checkpoint, train: encoder.train, rate: encoder.rate() as f32, link })
    }

    pub(super) fn check(&self) -> Result<(), &'static str> {
        self.checkpoint.check()
    }

    /// Adds what a graph reads beside the images of a column.
    pub(in crate::inputs) fn inputs(&self, g: &mut GraphBuilder, column: &str) {
        self.checkpoint.sequence(g, &patch_node(column), &place_node(column));
    }

    /// Adds the encoder, called `name`, on the images `x` of a column.
    pub(in crate::inputs) fn embed(&self, g: &mut GraphBuilder, column: &str, name: &str, x: NodeId) -> NodeId {
        let stages = match self.train {
            // The last two are refused when the encoder is read.
            Training::Frozen | Training::Lora | Training::Adapters => 0,
            Training::Full => self.checkpoint.shape.stages().max(1),
            Training::Last(stages) => stages,
        };
        let places = g.find(&place_node(column));
        let sequence = places.map(|places| Sequence { elements: g.domain_named(&patch_node(column)), places });
        self.checkpoint.build(g, name, x, sequence, Tuned { stages, rate: self.rate })
    }

    /// Puts the weights where a network starts.
    pub(in crate::inputs) fn start(&self, graph: &Graph, name: &str, parameters: &mut Parameters) {
        self.checkpoint.put(graph, name, parameters);
    }
}

/// The domain of the patches of a column's images.
pub(crate) fn patch_node(column: &str) -> String {
    format!("patches.{column}")
}

/// The index of the tokens before them.
pub(crate) fn place_node(column: &str) -> String {
    format!("classes.{column}")
}
