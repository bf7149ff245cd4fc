//! `model.trunk`: the layers that tasks may share, from the inputs up.

use super::error::Problem;
use super::layer::check_widths;
use super::sequence::{Along, Begun, SequenceLayer, is_key};
use schemars::JsonSchema;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;
use std::fmt;

/// The layers of a trunk, or the name of some that are well known.
#[derive(Clone, Debug, PartialEq, JsonSchema)]
#[schemars(untagged)]
pub enum Trunk {
    /// "lenet": two convolutions of 10 and 20 filters of 5 x 5 pixels, each with a max pooling, and a layer of 50
    /// (LeCun et al. 1998, in the form of Sener and Koltun 2018).
    Word(Word),
    /// A residual network for small images.
    Resnet(Resnet),
    /// One layer after the other: widths of dense layers, and before them image layers or layers along a text.
    Layers(Vec<Layer>),
}

/// A trunk that is known by its name alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum Word {
    /// LeNet.
    Lenet,
}

/// A residual network for small images (He et al., "Deep Residual Learning", CVPR 2016, section 4.2): a convolution of
/// 3 x 3 pixels, then three groups of `(resnet - 2) / 6` blocks, each group after the first of half the size and twice
/// the channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Resnet {
    /// Depth: 8, 14, 20, 26, ..., two more than a multiple of 6.
    pub resnet: usize,
    /// Channels of the first group. Default 16.
    #[serde(default = "sixteen")]
    pub width: usize,
    /// What follows each convolution: "batch", "group" or "none". Default "batch".
    #[serde(default = "batch")]
    pub norm: Norm,
}

fn sixteen() -> usize {
    16
}

fn batch() -> Norm {
    Norm::Batch
}

/// A layer of a trunk.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum Layer {
    /// A dense layer of this width.
    Dense(usize),
    /// A layer of images.
    Image(ImageLayer),
    /// A layer along the tokens of a text.
    Sequence(SequenceLayer),
}

/// A layer of images: a convolution, a residual block, or pooling alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ImageLayer {
    /// Filters of a convolution, from 1 to 65536.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conv: Option<usize>,
    /// Channels of a residual block of two convolutions, from 1 to 65536.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub block: Option<usize>,
    /// Side of a filter in pixels, from 1 to 64. Default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<usize>,
    /// Pixels from one place of a filter to the next, 1 or more; 2 halves the image. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stride: Option<usize>,
    /// Pixels that a filter may reach over the edge. Default: half its size, which keeps the size of the image.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub padding: Option<usize>,
    /// Distance between the pixels a filter reads, 1 or more. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dilation: Option<usize>,
    /// Groups of channels that do not see each other; as many as there are channels is a depthwise convolution.
    /// Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<usize>,
    /// What the sums of a convolution are normalised by: "batch" (Ioffe and Szegedy 2015), "group" (Wu and He 2018) or
    /// "none". Default: "none", or as `model.layer_norm` says the features of a row.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub norm: Option<Norm>,
    /// Side of the squares of pixels that become one pixel, 1 or more. Default: no pooling.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<usize>,
    /// What is taken from them: "max" or "average". Default "max".
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pooling: Option<Pooling>,
}

/// What sums are normalised by before an activation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Norm {
    /// Nothing.
    None,
    /// The mean and variance of a channel over the rows that are worked on together.
    Batch,
    /// The mean and variance of a group of channels over a row's pixels; as many groups as there can be, up to eight.
    Group,
}

/// What pooling takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pooling {
    /// The largest value.
    Max,
    /// The mean.
    Average,
}

impl From<Vec<usize>> for Trunk {
    fn from(widths: Vec<usize>) -> Self {
        Trunk::Layers(widths.into_iter().map(Layer::Dense).collect())
    }
}

impl Layer {
    /// Features of a dense layer or one along a text, channels of an image layer; none for pooling alone, which keeps
    /// them.
    pub fn width(&self) -> Option<usize> {
        match self {
            Layer::Sequence(layer) => layer.along().map(Along::width),
            Layer::Dense(width) => Some(*width),
            Layer::Image(layer) => layer.conv.or(layer.block),
        }
    }
}

impl Trunk {
    /// The layers, those of known trunks spelt out.
    pub fn layers(&self) -> Cow<'_, [Layer]> {
        match self {
            Trunk::Layers(layers) => Cow::Borrowed(layers),
            Trunk::Word(Word::Lenet) => {
                let layer = |conv| ImageLayer {
                    conv: Some(conv),
                    size: Some(5),
                    padding: Some(0),
                    pool: Some(2),
                    ..ImageLayer::default()
                };
                Cow::Owned(vec![Layer::Image(layer(10)), Layer::Image(layer(20)), Layer::Dense(50)])
            }
            Trunk::Resnet(resnet) => Cow::Owned(resnet.layers()),
        }
    }

    /// Number of layers.
    pub fn len(&self) -> usize {
        match self {
            Trunk::Layers(layers) => layers.len(),
            Trunk::Word(Word::Lenet) => 3,
            Trunk::Resnet(resnet) => 1 + 3 * resnet.blocks(),
        }
    }

    /// Whether a layer runs along the tokens of a text.
    pub fn reads_tokens(&self) -> bool {
        self.layers().iter().any(|layer| matches!(layer, Layer::Sequence(_)))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        const KEY: [&str; 2] = ["model", "trunk"];
        let wrong = |message: String| Err(Problem::new(&KEY, message).at_value());
        if let Trunk::Resnet(Resnet { resnet: depth, width, .. }) = self {
            if !(8..=MOST).contains(depth) || depth % 6 != 2 {
                let rule = format!("it must be two more than a multiple of 6, from 8 to {MOST}");
                return Err(Problem::value(&["model", "trunk", "resnet"], depth, &rule));
            }
            return check_widths(&["model", "trunk", "width"], &[*width, width.saturating_mul(4)]);
        }
        let layers = self.layers();
        let widths: Vec<usize> = layers.iter().filter_map(Layer::width).collect();
        check_widths(&KEY, &widths)?;
        for (i, layer) in layers.iter().enumerate() {
            let fault = match layer {
                Layer::Dense(_) => None,
                Layer::Image(layer) => {
                    if let Some(below) = layers[..i].iter().position(|l| !matches!(l, Layer::Image(_))) {
                        return wrong(format!(
                            "layer {i} of `model.trunk` reads images, and layer {below} below it gives none"
                        ));
                    }
                    layer.fault()
                }
                Layer::Sequence(layer) => layer.fault(),
            };
            if let Some(fault) = fault {
                return wrong(format!("layer {i} of `model.trunk` {fault}"));
            }
        }
        Ok(())
    }
}

/// A deeper network is surely a slip.
const MOST: usize = 1202;

impl Resnet {
    /// Blocks in each of the three groups.
    fn blocks(&self) -> usize {
        self.resnet.saturating_sub(2) / 6
    }

    fn layers(&self) -> Vec<Layer> {
        let norm = Some(self.norm);
        let stem = ImageLayer { conv: Some(self.width), norm, ..ImageLayer::default() };
        let block = |group: usize, i: usize| {
            let stride = (group > 0 && i == 0).then_some(2);
            ImageLayer { block: Some(self.width << group), stride, norm, ..ImageLayer::default() }
        };
        let blocks = (0..3).flat_map(|group| (0..self.blocks()).map(move |i| (group, i)));
        std::iter::once(stem).chain(blocks.map(|(group, i)| block(group, i))).map(Layer::Image).collect()
    }
}

impl ImageLayer {
    /// What is wrong with it, after its name.
    fn fault(&self) -> Option<String> {
        match (self.conv, self.block, self.pool) {
            (Some(_), Some(_), _) => return Some("is both a `conv` and a `block`; it must be one of them".into()),
            (None, None, None) => return Some("needs `conv`, `block` or `pool`".into()),
            _ => {}
        }
        let filters =
            [("size", self.size), ("stride", self.stride), ("dilation", self.dilation), ("groups", self.groups)];
        let only_conv = [filters[0], ("padding", self.padding), filters[2], filters[3]];
        let of_conv = only_conv.iter().find(|(_, value)| value.is_some() && self.conv.is_none());
        if let Some((key, _)) = of_conv {
            return Some(format!("has `{key}`, which belongs to a `conv`"));
        }
        if self.conv.or(self.block).is_none() && (self.stride.is_some() || self.norm.is_some()) {
            return Some("has `stride` or `norm`, which belong to a `conv` or a `block`".into());
        }
        if self.pooling.is_some() && self.pool.is_none() {
            return Some("has `pooling` and no `pool`".into());
        }
        if let Some((key, _)) = filters.iter().chain([&("pool", self.pool)]).find(|(_, value)| *value == Some(0)) {
            return Some(format!("has a `{key}` of 0; it must be at least 1"));
        }
        match self.size {
            Some(size) if size > 64 => Some(format!("has a `size` of {size}; it must be from 1 to 64")),
            _ => None,
        }
    }
}

impl Serialize for Trunk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Trunk::Word(Word::Lenet) => serializer.serialize_str("lenet"),
            Trunk::Resnet(resnet) => resnet.serialize(serializer),
            Trunk::Layers(layers) => layers.serialize(serializer),
        }
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = Trunk;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an array of layers, such as [64, 64] or [{ conv = 16 }, 64], \"lenet\", or { resnet = 20 }")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Trunk, E> {
        match word {
            "lenet" => Ok(Trunk::Word(Word::Lenet)),
            _ => Err(E::custom(format_args!(
                "unknown variant `{word}`, expected `lenet`; or an array of layers such as [64, 64]"
            ))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Trunk, A::Error> {
        Vec::deserialize(SeqAccessDeserializer::new(seq)).map(Trunk::Layers)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Trunk, A::Error> {
        let first: Option<String> = map.next_key()?;
        if first.as_deref() == Some("pretrained") {
            return Err(A::Error::custom(
                "a pretrained encoder belongs to the input that it reads: [inputs] NAME = { kind = \"image\", encoder = { \
                 pretrained = \"DIR\" } }, and the trunk stands on what it gives",
            ));
        }
        let (first, rest) = (first.as_deref(), map);
        Resnet::deserialize(MapAccessDeserializer::new(Begun { first, rest })).map(Trunk::Resnet)
    }
}

impl<'de> Deserialize<'de> for Trunk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct WrittenLayer;

impl<'de> Visitor<'de> for WrittenLayer {
    type Value = Layer;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("the width of a dense layer, an image layer such as { conv = 16, pool = 2 }, or one along a text such as { lstm = 64 }")
    }

    fn visit_u64<E: Error>(self, width: u64) -> Result<Layer, E> {
        // A width beyond what there can be is refused later, with its key.
        Ok(Layer::Dense(usize::try_from(width).unwrap_or(usize::MAX)))
    }

    fn visit_i64<E: Error>(self, width: i64) -> Result<Layer, E> {
        match u64::try_from(width) {
            Ok(width) => self.visit_u64(width),
            Err(_) => Err(E::invalid_value(serde::de::Unexpected::Signed(width), &"usize")),
        }
    }

    /// The first key tells what kind of layer it is: the kinds have no key in common.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Layer, A::Error> {
        let first: Option<String> = map.next_key()?;
        let (first, rest) = (first.as_deref(), map);
        let of_text = first.is_some_and(is_key);
        let table = MapAccessDeserializer::new(Begun { first, rest });
        match of_text {
            true => SequenceLayer::deserialize(table).map(Layer::Sequence),
            false => ImageLayer::deserialize(table).map(Layer::Image),
        }
    }
}

impl<'de> Deserialize<'de> for Layer {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(WrittenLayer)
    }
}
