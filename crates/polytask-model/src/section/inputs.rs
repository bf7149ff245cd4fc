//! `[inputs]`: which columns the model reads, and as what.

use super::error::Problem;
use super::image::{self, Augment, ImageFit, ImageSize};
use super::own::{OwnWord, kind_of_word};
use super::pretrained::EncoderConfig;
use super::scalar::Scalar;
use super::shorthand::{Shorthand, shorthand};
use polytask_data::DateFormat;
use polytask_data::text::Splitter;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What an input column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum InputKind {
    /// A quantity: standardised, missing values filled with the mean.
    Number,
    /// One of several levels: one-hot or embedded.
    Category,
    /// True or false, yes or no, 1 or 0.
    Boolean,
    /// A date or time, as people and programs write it: the days since the first, and where it stands in its year, its week
    /// and its day.
    Date,
    /// Sentences, or lists of tokens: embedded token by token, see `model.text`.
    Text,
    /// PNG, JPEG, WebP, GIF, BMP or TIFF images: their paths, or the files themselves in Parquet; or arrays of pixels.
    Image,
    /// A kind that the program has brought.
    #[serde(untagged)]
    #[schemars(skip)]
    Own(OwnWord),
}

kind_of_word!(InputKind, OWN_INPUTS);

impl From<InputKind> for InputConfig {
    fn from(kind: InputKind) -> Self {
        InputConfig { kind: Some(kind), ..InputConfig::default() }
    }
}

/// One input column: a kind alone (`age = "number"`) or a table of these keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct InputConfig {
    /// What the column holds; `None`: inferred from it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<InputKind>,
    /// Numbers: subtract the mean and divide by the standard deviation of the training rows; `None`: yes. Images: the
    /// same, by channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub standardize: Option<bool>,
    /// Categories and texts: how many features a level or word becomes; `None`: found from the number of levels, 100 for
    /// words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub embedding: Option<Embedding>,
    /// Categories: up to this many levels are one-hot; `None`: 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_hot: Option<usize>,
    /// Dates: how they are written; `None`: found from the column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub format: Option<DateFormat>,
    /// Texts: what the tokens are; `None`: words, or found from the tokens of a list.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub splitter: Option<Splitter>,
    /// Texts: tokens read of each; `None`: 512.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
    /// Texts: how often a word must be in the training rows to be known; `None`: 2.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_count: Option<usize>,
    /// Texts: known words at most; `None`: 50,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_words: Option<usize>,
    /// Texts: pieces of words that are read beside them; `None`: none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subwords: Option<Subwords>,
    /// Texts: a file of vectors that words begin with; `None`: they begin at random.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vectors: Option<String>,
    /// Texts: leave those vectors as they are; `None`: train them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub freeze: Option<bool>,
    /// Texts and images: a pretrained encoder that reads them; `None`: none does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoder: Option<EncoderConfig>,
    /// Images: height and width; `None`: those of the images, which must be all alike.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<ImageSize>,
    /// Images: 1 is grey, 3 colour; `None`: colour if any image has colours.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<usize>,
    /// Images: what is done where the sides have another ratio; `None`: stretched.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fit: Option<ImageFit>,
    /// Images: how those of the training rows are changed at random; `None`: not at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub augment: Option<Augment>,
}

/// How a category becomes features.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Scalar", into = "Scalar")]
pub enum Embedding {
    /// One-hot for few levels, embedded for many, its width found from their number.
    Auto,
    /// Embedded in this many features.
    Width(usize),
}

impl TryFrom<Scalar> for Embedding {
    type Error = String;

    fn try_from(value: Scalar) -> Result<Self, String> {
        match value {
            Scalar::Text(word) if word == "auto" => Ok(Embedding::Auto),
            Scalar::Integer(width @ 1..=4096) => Ok(Embedding::Width(width as usize)),
            other => Err(format!("an embedding is {other}; it must be \"auto\" or a width from 1 to 4096")),
        }
    }
}

impl From<Embedding> for Scalar {
    fn from(embedding: Embedding) -> Self {
        match embedding {
            Embedding::Auto => Scalar::Text("auto".into()),
            Embedding::Width(width) => Scalar::Integer(width as i64),
        }
    }
}

/// Where the pieces of words come from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Scalar", into = "Scalar")]
pub enum Subwords {
    /// Learnt from the training rows, this many.
    Learnt(usize),
    /// A `tokenizer.json`.
    Read(String),
}

impl TryFrom<Scalar> for Subwords {
    type Error = String;

    fn try_from(value: Scalar) -> Result<Self, String> {
        match value {
            Scalar::Text(path) if !path.is_empty() => Ok(Subwords::Read(path)),
            Scalar::Integer(count @ 1..=100_000) => Ok(Subwords::Learnt(count as usize)),
            other => Err(format!("subwords is {other}; it must be from 1 to 100000, or the path of a tokenizer.json")),
        }
    }
}

impl From<Subwords> for Scalar {
    fn from(subwords: Subwords) -> Self {
        match subwords {
            Subwords::Learnt(count) => Scalar::Integer(count as i64),
            Subwords::Read(path) => Scalar::Text(path),
        }
    }
}

/// One input column.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Input")]
pub(crate) struct InputTable {
    /// What the column holds. Default: inferred from it.
    #[serde(default)]
    kind: Option<InputKind>,
    /// Numbers: subtract the mean and divide by the standard deviation of the training rows. Images: the same, by
    /// channel; otherwise their values are from 0 to 1. Default true.
    #[serde(default)]
    standardize: Option<bool>,
    /// Categories: a number from 1 to 4096 embeds every level in that many features; "auto" makes up to `one_hot`
    /// levels one-hot and embeds more in min(32, 1.6 * levels^0.56) features. Default "auto".
    #[serde(default)]
    #[schemars(with = "Option<AutoOrWidth>")]
    embedding: Option<Embedding>,
    /// Categories: up to this many levels are one-hot when `embedding` is "auto", 0 or more. Default 10.
    #[serde(default)]
    one_hot: Option<usize>,
    /// Dates: how they are written: "year" with the year first, "day" with the day first, "month" with the month first, "time"
    /// for times of the day alone, or "unix", seconds since 1970 (milliseconds and less where numbers are that large). Default:
    /// what fits them all, of several the first of these; numbers are "unix" unless all are days such as 20240310.
    #[serde(default)]
    #[schemars(with = "Option<DateWord>")]
    format: Option<DateFormat>,
    /// Texts: what the tokens of a text are: "words" by the word boundaries of Unicode, "whitespace" for what stands
    /// between white space, "characters". A list of tokens is taken as it is; texts to predict are split like its tokens.
    /// Default "words".
    #[serde(default)]
    #[schemars(with = "Option<SplitterWord>")]
    splitter: Option<Splitter>,
    /// Texts: of each text the first tokens are read, this many, 1 or more. Default 512.
    #[serde(default)]
    max_tokens: Option<usize>,
    /// Texts: words that are rarer in the training rows are unknown, 1 or more. Default 2.
    #[serde(default)]
    min_count: Option<usize>,
    /// Texts: the most frequent words are known, this many, 1 or more. Default 50000.
    #[serde(default)]
    max_words: Option<usize>,
    /// Texts: words are also read in pieces, so that those training has not seen are known by theirs: this many, from 1 to
    /// 100000, learnt from the training rows by byte-pair encoding (Sennrich et al. 2016), or those of a tokenizer.json,
    /// relative to the folder of the config. Default: no pieces.
    #[serde(default)]
    #[schemars(with = "Option<CountOrFile>")]
    subwords: Option<Subwords>,
    /// Texts: a file of vectors that the words begin with, relative to the folder of the config: text of a word and its
    /// numbers a line (GloVe, fastText; .gz and .zst as they are), or a safetensors file of one matrix with the words of its
    /// rows in a file of the same name that ends in `.txt`, one a line. Words are compared in lower case. Words of the
    /// training rows that have a vector are known however rare they are. `embedding` is then the width of the vectors.
    /// Default: vectors are drawn at random.
    #[serde(default)]
    vectors: Option<String>,
    /// Texts: leave the words of `vectors` as they are while training. Then words are known too that only the file has, as
    /// many as `max_words` leaves room for, in its order. Default false.
    #[serde(default)]
    freeze: Option<bool>,
    /// Texts and images: a pretrained encoder that reads them, such as `{ pretrained = "all-MiniLM-L6-v2" }`. Default: none;
    /// words are embedded and read by `model.text`, images by the layers of `model.trunk`.
    #[serde(default)]
    encoder: Option<EncoderConfig>,
    /// Images: height and width, `[28, 28]`, or the side of squares, `28`; others are scaled. Default: those that a pretrained
    /// encoder was trained with; else those of the images, which must then be all alike.
    #[serde(default)]
    size: Option<ImageSize>,
    /// Images: 1 is grey, 3 colour. Default: 3 if any image has colours, else 1.
    #[serde(default)]
    channels: Option<usize>,
    /// Images: what is done with one whose sides have another ratio than `size`: "stretch" or "crop" (both ends of the
    /// longer side are cut off). Default: what a pretrained encoder's files say, else "stretch".
    #[serde(default)]
    fit: Option<ImageFit>,
    /// Images: how those of the training rows are changed at random. Default: not at all.
    #[serde(default)]
    augment: Option<Augment>,
}

impl Shorthand for InputConfig {
    type Table = InputTable;
    const WORDS: &'static [&'static str] = &InputKind::WORDS;
    const TABLE: &'static str = "or a table such as { kind = \"number\" }";

    fn from_word(word: &str) -> Option<Self> {
        InputKind::of_word(word).map(InputConfig::from)
    }

    fn from_table(table: InputTable) -> Result<Self, String> {
        let InputTable { kind, standardize, embedding, one_hot, splitter, max_tokens, min_count, max_words, .. } =
            table;
        let InputTable { size, channels, fit, augment, subwords, vectors, freeze, encoder, format, .. } = table;
        Ok(InputConfig {
            kind,
            standardize,
            embedding,
            one_hot,
            format,
            splitter,
            max_tokens,
            min_count,
            max_words,
            subwords,
            vectors,
            freeze,
            encoder,
            size,
            channels,
            fit,
            augment,
        })
    }
}

shorthand!(InputConfig);

impl InputConfig {
    /// The first key that has no meaning for an input of `kind`.
    pub fn stray_key(&self, kind: InputKind) -> Option<&'static str> {
        let number = kind == InputKind::Number;
        let category = kind == InputKind::Category;
        let date = kind == InputKind::Date;
        let text = kind == InputKind::Text;
        let image = kind == InputKind::Image;
        [
            ("standardize", self.standardize.is_some() && !number && !image),
            ("embedding", self.embedding.is_some() && !category && !text),
            ("one_hot", self.one_hot.is_some() && !category),
            ("format", self.format.is_some() && !date),
            ("splitter", self.splitter.is_some() && !text),
            ("max_tokens", self.max_tokens.is_some() && !text),
            ("min_count", self.min_count.is_some() && !text),
            ("max_words", self.max_words.is_some() && !text),
            ("subwords", self.subwords.is_some() && !text),
            ("vectors", self.vectors.is_some() && !text),
            ("freeze", self.freeze.is_some() && !text),
            ("encoder", self.encoder.is_some() && !text && !image),
            ("size", self.size.is_some() && !image),
            ("channels", self.channels.is_some() && !image),
            ("fit", self.fit.is_some() && !image),
            ("augment", self.augment.is_some() && !image),
        ]
        .iter()
        .find_map(|(key, stray)| stray.then_some(*key))
        .or_else(|| self.encoder.as_ref().filter(|_| image)?.of_texts())
    }

    /// What an image input says that its encoder says already.
    fn beside_encoder(&self, name: &str) -> Result<(), Problem> {
        let Some(encoder) = &self.encoder else { return Ok(()) };
        let stray = [
            ("standardize", self.standardize.is_some(), "the encoder's own means and deviations are taken"),
            ("channels", self.channels.is_some(), "the encoder's images have its channels; grey ones are repeated"),
            (
                "augment",
                self.augment.is_some() && encoder.train.is_frozen(),
                "an encoder that learns nothing sees every image once; let it learn with train = \"full\"",
            ),
        ];
        match stray.into_iter().find(|(_, stray, _)| *stray) {
            Some((key, _, why)) => Err(Problem::new(&["inputs", name, key], format!("`inputs.{name}.{key}`: {why}"))),
            None => Ok(()),
        }
    }

    pub(crate) fn check(&self, name: &str) -> Result<(), Problem> {
        let least = [("max_tokens", self.max_tokens), ("min_count", self.min_count), ("max_words", self.max_words)];
        if let Some((key, _)) = least.iter().find(|(_, value)| *value == Some(0)) {
            return Err(Problem::value(&["inputs", name, key], 0, "it must be 1 or more"));
        }
        if self.freeze.is_some() && self.vectors.is_none() {
            let message = format!("`inputs.{name}.freeze` keeps vectors as they are, and there are none");
            return Err(Problem::new(&["inputs", name, "freeze"], message)
                .hint("name their file: vectors = \"glove.txt\"".to_owned()));
        }
        self.encoder.as_ref().map_or(Ok(()), |encoder| encoder.check(name))?;
        self.beside_encoder(name)?;
        self.size.map_or(Ok(()), |size| size.check(name))?;
        self.channels.map_or(Ok(()), |channels| image::check_channels(name, channels))?;
        self.augment.map_or(Ok(()), |augment| augment.check(name))?;
        let Some(kind) = self.kind else { return Ok(()) };
        match self.stray_key(kind) {
            Some(key) => {
                let word = kind.word();
                let path: Vec<&str> = ["inputs", name].into_iter().chain(key.split('.')).collect();
                Err(Problem::new(&path, format!("`{key}` has no meaning for an input of kind \"{word}\"")))
            }
            None => Ok(()),
        }
    }
}

impl InputKind {
    /// The built-in kinds.
    const ALL: [InputKind; 6] = [
        InputKind::Number,
        InputKind::Category,
        InputKind::Boolean,
        InputKind::Date,
        InputKind::Text,
        InputKind::Image,
    ];

    /// As it is written in the config.
    pub const fn word(self) -> &'static str {
        match self {
            InputKind::Number => "number",
            InputKind::Category => "category",
            InputKind::Boolean => "boolean",
            InputKind::Date => "date",
            InputKind::Text => "text",
            InputKind::Image => "image",
            InputKind::Own(word) => word.as_str(),
        }
    }
}

// As the schema sees the format of dates.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum DateWord {
    Year,
    Day,
    Month,
    Time,
    Unix,
}

// As the schema sees a splitter.
#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum SplitterWord {
    Words,
    Whitespace,
    Characters,
}

// "auto" or a width, as the schema sees it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum AutoOrWidth {
    Word(Auto),
    Width(usize),
}

// A count or a path, as the schema sees it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum CountOrFile {
    Count(usize),
    File(String),
}

#[derive(JsonSchema)]
#[serde(rename_all = "snake_case")]
#[allow(dead_code, reason = "only its schema is used")]
enum Auto {
    Auto,
}
