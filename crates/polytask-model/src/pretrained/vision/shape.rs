//! What an encoder of images is made of, as data: enough to build its network again from a model directory.

use polytask_graph::Activation;
use serde::{Deserialize, Serialize};

/// The network of an encoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct VisionShape {
    /// The family whose names its tensors had.
    pub family: VisionFamily,
    /// Height, width and channels of the images that it reads.
    pub input: [usize; 3],
    /// Features that it gives.
    pub width: usize,
    /// What lies between.
    pub body: Body,
}

/// A family of encoders of images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VisionFamily {
    /// He et al. 2016; and what widens or groups its convolutions.
    Resnet,
    /// Tan and Le 2019, of which EfficientNet-Lite has neither gates nor swish.
    Efficientnet,
    /// Sandler et al. 2018.
    MobilenetV2,
    /// Howard et al. 2019.
    MobilenetV3,
    /// Dosovitskiy et al. 2021; DeiT (Touvron et al. 2021) and DINOv2 are of this family.
    Vit,
}

impl VisionFamily {
    /// As people call it.
    pub fn word(self) -> &'static str {
        match self {
            VisionFamily::Resnet => "ResNet",
            VisionFamily::Efficientnet => "EfficientNet",
            VisionFamily::MobilenetV2 => "MobileNetV2",
            VisionFamily::MobilenetV3 => "MobileNetV3",
            VisionFamily::Vit => "ViT",
        }
    }
}

/// Layers from the image to the features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Body {
    /// Convolutions, the mean over all pixels, and maybe a dense layer on it.
    Convolutions {
        /// From the image up; `train = k` tunes the last k.
        stages: Vec<Vec<Block>>,
        /// Width and activation of the dense layer.
        head: Option<(usize, Activation)>,
    },
    /// A transformer over patches.
    Patches(Patches),
}

/// A step of a stage.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Block {
    /// A convolution alone.
    Conv(Conv),
    /// The largest of every 3 x 3 pixels, two pixels apart.
    MaxPool,
    /// `activation(shortcut(x) + convolutions(x))`
    Residual {
        /// One after the other.
        convs: Vec<Conv>,
        /// Numbers that channels are multiplied with.
        gate: Option<Squeeze>,
        /// What is added.
        shortcut: Shortcut,
        /// Of the sum.
        activation: Activation,
    },
}

/// What is added to the convolutions of a block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shortcut {
    /// Nothing.
    None,
    /// What they read.
    Same,
    /// A convolution of it.
    Conv(Conv),
}

/// A convolution with a bias: the norm behind it is folded into its weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Conv {
    /// Rows and columns of a filter.
    pub size: [usize; 2],
    /// Pixels from one place to the next.
    pub stride: usize,
    /// Groups of channels that do not see each other.
    pub groups: usize,
    /// Filters.
    pub channels: usize,
    /// Whether the edges are padded as TensorFlow does it.
    pub tensorflow: bool,
    /// Of the sums.
    pub activation: Activation,
}

/// Squeeze and excitation (Hu et al. 2018): two dense layers on the mean of every channel.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Squeeze {
    /// Convolutions of the block before it.
    pub after: usize,
    /// Features between the two layers.
    pub hidden: usize,
    /// Of the first layer.
    pub inner: Activation,
    /// Of the second.
    pub outer: Activation,
}

/// A transformer with the norms first over the patches of an image.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Patches {
    /// Rows and columns of a patch.
    pub patch: [usize; 2],
    /// Elements before the patches; the features are the mean of their states.
    pub tokens: usize,
    /// Layers.
    pub layers: usize,
    /// Heads of attention.
    pub heads: usize,
    /// Features inside of a layer.
    pub hidden: usize,
    /// What is added to the variance of norms.
    pub epsilon: f32,
    /// Between the two dense layers.
    pub activation: Activation,
}

/// Larger numbers are surely slips.
const MOST: usize = 65_536;
/// Stages, layers, and blocks of a stage, at most.
const DEEPEST: usize = 512;

impl VisionShape {
    /// How many stages there are to be tuned: those of convolutions, or layers of a transformer.
    pub fn stages(&self) -> usize {
        match &self.body {
            Body::Convolutions { stages, .. } => stages.len(),
            Body::Patches(patches) => patches.layers,
        }
    }

    /// The sequences that a transformer reads of an image: rows and columns of patches.
    pub fn grid(&self, patches: &Patches) -> [usize; 2] {
        [0, 1].map(|axis| self.input[axis] / patches.patch[axis].max(1))
    }

    /// Elements of an image's sequence; none where there are no sequences.
    pub fn elements(&self) -> Option<usize> {
        match &self.body {
            Body::Convolutions { .. } => None,
            Body::Patches(patches) => {
                let [rows, columns] = self.grid(patches);
                Some(patches.tokens + rows * columns)
            }
        }
    }

    /// What does not hold of its numbers.
    pub(crate) fn check(&self) -> Result<(), &'static str> {
        let sane = |values: &[usize]| values.iter().all(|value| (1..=MOST).contains(value));
        let conv = |conv: &Conv| sane(&conv.size) && sane(&[conv.stride, conv.groups, conv.channels]);
        let block = |block: &Block| match block {
            Block::Conv(own) => conv(own),
            Block::MaxPool => true,
            Block::Residual { convs, gate, shortcut, activation: _ } => {
                let gate = gate.is_none_or(|gate| sane(&[gate.hidden]) && gate.after <= convs.len());
                let shortcut = if let Shortcut::Conv(own) = shortcut { conv(own) } else { true };
                convs.len() <= DEEPEST && convs.iter().all(conv) && gate && shortcut
            }
        };
        let body = match &self.body {
            Body::Convolutions { stages, head } => {
                stages.len() <= DEEPEST
                    && stages.iter().all(|stage| stage.len() <= DEEPEST && stage.iter().all(block))
                    && head.is_none_or(|(width, _)| sane(&[width]))
            }
            Body::Patches(own) => {
                let epsilon = own.epsilon.is_finite() && own.epsilon > 0.0;
                sane(&own.patch)
                    && sane(&[own.tokens, own.heads, own.hidden])
                    && own.tokens <= 2
                    && own.layers <= DEEPEST
                    && self.width.is_multiple_of(own.heads)
                    && sane(&self.grid(own))
                    && epsilon
            }
        };
        match body && sane(&[self.width]) && sane(&self.input) && matches!(self.input[2], 1 | 3) {
            true => Ok(()),
            false => Err("the sizes of its encoder are out of range"),
        }
    }
}
