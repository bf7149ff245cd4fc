//! `inputs.NAME.encoder`: a pretrained encoder that reads a text or an image.

use super::adaptation::{Adaptation, Target};
use super::error::Problem;
use super::scalar::Scalar;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A pretrained encoder that reads a text or an image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Encoder")]
pub struct EncoderConfig {
    /// A folder in the layout of Hugging Face, relative to that of the config: config.json, model.safetensors (or its shards
    /// with model.safetensors.index.json) and tokenizer.json. Families: BERT (MiniLM, E5, BGE), DistilBERT, RoBERTa,
    /// XLM-RoBERTa, ELECTRA, ModernBERT, and static vectors as model2vec writes them. Of images: a folder of timm or
    /// transformers, with preprocessor_config.json in the place of the tokenizer in the latter, or a safetensors file of
    /// torchvision's weights. Families: ResNet, EfficientNet (Lite and B), MobileNetV2, MobileNetV3, ViT, DeiT and DINOv2.
    /// `${NAME}` stands for an environment variable.
    pub pretrained: String,
    /// What of it learns: "frozen" (nothing: every text or image is encoded once, and the vectors are kept in a cache),
    /// "full" (all of it, by the losses of all tasks), a number, which is that of its last layers that learn, or of the last
    /// stages of convolutions; of texts also "lora" (a term of low rank on its dense layers, which stay as they are), or
    /// "adapters" (two narrow dense layers behind each half of a layer). Default "frozen".
    #[serde(default, skip_serializing_if = "Training::is_frozen")]
    #[schemars(with = "FrozenFullOrLayers")]
    pub train: Training,
    /// Texts: how the pieces of one become one vector: "mean", "cls" (its first piece) or "max". Default: what the folder says
    /// (1_Pooling/config.json), else "mean".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pooling: Option<EncoderPooling>,
    /// Texts: scale their vectors to length one. Default: what the folder says (modules.json), else false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<bool>,
    /// Texts: pieces of one at most, those around it included, from 8 on. Default: what the folder says
    /// (sentence_bert_config.json), at most 512 and the encoder's positions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_pieces: Option<usize>,
    /// Texts: what becomes of longer ones: "cut" at their end, or "windows" that overlap by half and are averaged, of an encoder
    /// that learns nothing. Default "cut".
    #[serde(default, skip_serializing_if = "LongTexts::is_cut")]
    pub long: LongTexts,
    /// Texts: read the words as well, by an encoder that starts at random (`model.text`). Default false; true where
    /// tokens are labelled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub words: Option<bool>,
    /// What the learning rate of the encoder is, as a multiple of `train.learning_rate`, above 0 and at most 1. Default 0.1, of
    /// "lora" and "adapters" 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// What the learning rate of a layer is, as a multiple of that of the layer above it; the embeddings are below all. Above 0
    /// and at most 1. Default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer_decay: Option<f64>,
    /// Steps in which the heads and all that follows learn alone before the encoder does; the optimiser begins anew then.
    /// Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probe: Option<u64>,
    /// Of "lora": the rank of each term, from 1 to 1024. Default 8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// Of "lora": what the term is multiplied by, divided by `rank`; above 0. Default 16.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alpha: Option<f64>,
    /// Of "lora": the dense layers that have a term, of "query", "key", "value", "output" (what follows attention), "up" and
    /// "down" (the two dense layers behind it). Default ["query", "value"].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub targets: Option<Vec<Target>>,
    /// Of "adapters": features between the two dense layers, from 1 to 4096. Default 64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub width: Option<usize>,
    /// Have the model directory name the folder by its content instead of holding the weights of an encoder that learns
    /// nothing. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub link: bool,
}

/// How the pieces of a text become one vector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EncoderPooling {
    /// The mean of all pieces, those around the text included.
    Mean,
    /// The first piece.
    Cls,
    /// The largest value of each feature.
    Max,
}

/// What becomes of texts that are too long.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LongTexts {
    /// Their end is left out.
    #[default]
    Cut,
    /// They are read in windows.
    Windows,
}

impl LongTexts {
    fn is_cut(&self) -> bool {
        *self == LongTexts::Cut
    }
}

/// What of an encoder learns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Scalar", into = "Scalar")]
pub enum Training {
    /// Nothing.
    #[default]
    Frozen,
    /// All of it.
    Full,
    /// The last layers, so many.
    Last(usize),
    /// A low-rank term on dense layers.
    Lora,
    /// Narrow layers behind each half of a layer.
    Adapters,
}

/// What the learning rate of an encoder that learns is multiplied by if nothing says so.
const RATE: f64 = 0.1;
/// The same of what learns beside it, and starts from nothing.
const RATE_BESIDE: f64 = 1.0;

impl Training {
    /// Whether nothing learns.
    pub fn is_frozen(&self) -> bool {
        *self == Training::Frozen
    }
}

impl TryFrom<Scalar> for Training {
    type Error = String;

    fn try_from(value: Scalar) -> Result<Self, String> {
        match value {
            Scalar::Text(word) if word == "frozen" => Ok(Training::Frozen),
            Scalar::Text(word) if word == "full" => Ok(Training::Full),
            Scalar::Text(word) if word == "lora" => Ok(Training::Lora),
            Scalar::Text(word) if word == "adapters" => Ok(Training::Adapters),
            Scalar::Integer(layers @ 1..=128) => Ok(Training::Last(layers as usize)),
            other => Err(format!(
                "train is {other}; it must be \"frozen\", \"full\", \"lora\", \"adapters\" or a number of layers, 1 or more"
            )),
        }
    }
}

impl From<Training> for Scalar {
    fn from(training: Training) -> Self {
        match training {
            Training::Frozen => Scalar::Text("frozen".into()),
            Training::Full => Scalar::Text("full".into()),
            Training::Last(layers) => Scalar::Integer(layers as i64),
            Training::Lora => Scalar::Text("lora".into()),
            Training::Adapters => Scalar::Text("adapters".into()),
        }
    }
}

impl EncoderConfig {
    /// The first key that only encoders of texts have.
    pub(crate) fn of_texts(&self) -> Option<&'static str> {
        [
            ("encoder.pooling", self.pooling.is_some()),
            ("encoder.normalize", self.normalize.is_some()),
            ("encoder.max_pieces", self.max_pieces.is_some()),
            ("encoder.long", !self.long.is_cut()),
            ("encoder.words", self.words.is_some()),
            ("encoder.layer_decay", self.layer_decay.is_some()),
            ("encoder.probe", self.probe.is_some()),
            ("encoder.rank", self.rank.is_some()),
            ("encoder.alpha", self.alpha.is_some()),
            ("encoder.targets", self.targets.is_some()),
            ("encoder.width", self.width.is_some()),
        ]
        .iter()
        .find_map(|(key, there)| there.then_some(*key))
    }

    pub(crate) fn check(&self, name: &str) -> Result<(), Problem> {
        let key = |key| ["inputs", name, "encoder", key];
        let frozen = self.train.is_frozen();
        if self.pretrained.is_empty() {
            return Err(Problem::new(&key("pretrained"), "`pretrained` names no folder"));
        }
        if let Some(pieces) = self.max_pieces.filter(|pieces| *pieces < 8) {
            return Err(Problem::value(&key("max_pieces"), pieces, "it must be 8 or more"));
        }
        if let Some(rate) = self.rate.filter(|rate| !(*rate > 0.0 && *rate <= 1.0)) {
            return Err(Problem::value(&key("rate"), rate, "it must be above 0 and at most 1"));
        }
        if let Some(decay) = self.layer_decay.filter(|decay| !(*decay > 0.0 && *decay <= 1.0)) {
            return Err(Problem::value(&key("layer_decay"), decay, "it must be above 0 and at most 1"));
        }
        self.check_beside(name)?;
        let (lora, adapters) = (self.train == Training::Lora, self.train == Training::Adapters);
        let stray = [
            ("rate", frozen && self.rate.is_some(), "is of an encoder that learns, and `train` is \"frozen\""),
            (
                "layer_decay",
                frozen && self.layer_decay.is_some(),
                "is of an encoder that learns, and `train` is \"frozen\"",
            ),
            ("probe", frozen && self.probe.is_some(), "is of an encoder that learns, and `train` is \"frozen\""),
            ("rank", !lora && self.rank.is_some(), "is of train = \"lora\""),
            ("alpha", !lora && self.alpha.is_some(), "is of train = \"lora\""),
            ("targets", !lora && self.targets.is_some(), "is of train = \"lora\""),
            ("width", !adapters && self.width.is_some(), "is of train = \"adapters\""),
            ("long", !frozen && !self.long.is_cut(), "= \"windows\" is of an encoder that learns nothing"),
            ("link", !frozen && self.link, "is of an encoder that learns nothing: what has learnt stands in the model"),
            ("normalize", !frozen && self.normalize == Some(true), "is of an encoder that learns nothing"),
        ];
        match stray.into_iter().find(|(_, stray, _)| *stray) {
            Some((word, _, why)) => Err(Problem::new(&key(word), format!("`inputs.{name}.encoder.{word}` {why}"))),
            None => Ok(()),
        }
    }

    /// What of the settings of what learns beside the encoder is out of range.
    fn check_beside(&self, name: &str) -> Result<(), Problem> {
        let key = |key| ["inputs", name, "encoder", key];
        if let Some(rank) = self.rank.filter(|rank| !(1..=1024).contains(rank)) {
            return Err(Problem::value(&key("rank"), rank, "it must be from 1 to 1024"));
        }
        if let Some(alpha) = self.alpha.filter(|alpha| !(*alpha > 0.0 && alpha.is_finite())) {
            return Err(Problem::value(&key("alpha"), alpha, "it must be above 0"));
        }
        if let Some(width) = self.width.filter(|width| !(1..=4096).contains(width)) {
            return Err(Problem::value(&key("width"), width, "it must be from 1 to 4096"));
        }
        let targets = self.targets.as_deref().unwrap_or(&TARGETS);
        let twice = targets.iter().enumerate().find(|(i, target)| targets[..*i].contains(target));
        match (targets.is_empty(), twice) {
            (true, _) => Err(Problem::new(&key("targets"), "`targets` names no layer")),
            (false, Some((_, target))) => {
                Err(Problem::new(&key("targets"), format!("`targets` names \"{}\" twice", target.word())))
            }
            (false, None) => Ok(()),
        }
    }

    /// What the learning rate is multiplied by.
    pub(crate) fn rate(&self) -> f64 {
        self.rate.unwrap_or(match self.train {
            Training::Frozen | Training::Full | Training::Last(_) => RATE,
            Training::Lora | Training::Adapters => RATE_BESIDE,
        })
    }

    /// What learns beside the encoder.
    pub(crate) fn adaptation(&self) -> Option<Adaptation> {
        match self.train {
            Training::Frozen | Training::Full | Training::Last(_) => None,
            Training::Lora => Some(Adaptation::Lora {
                rank: self.rank.unwrap_or(RANK),
                alpha: self.alpha.unwrap_or(ALPHA) as f32,
                targets: self.targets.clone().unwrap_or(TARGETS.to_vec()),
            }),
            Training::Adapters => Some(Adaptation::Adapters { width: self.width.unwrap_or(WIDTH) }),
        }
    }
}

// The defaults of what learns beside an encoder.
const RANK: usize = 8;
const ALPHA: f64 = 16.0;
const TARGETS: [Target; 2] = [Target::Query, Target::Value];
const WIDTH: usize = 64;

// As the schema sees what learns.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum FrozenFullOrLayers {
    Word(TrainingWord),
    Layers(usize),
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum TrainingWord {
    Frozen,
    Full,
    Lora,
    Adapters,
}
