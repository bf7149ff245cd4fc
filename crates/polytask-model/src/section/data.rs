//! `[data]`: which table is read, and how its rows are split.

use super::error::Problem;
use super::image::{LabelsConfig, OnError};
use super::scalar::Scalar;
use indexmap::IndexMap;
use polytask_data::Dialect;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the data are and how the rows are split.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataConfig {
    /// The table: CSV or TSV, Parquet, Arrow, JSON lines or a JSON list; sentences as CoNLL-U (`.conllu`, `.conllup`), or
    /// with a token a line (see `columns`); `.gz` and `.zst` as they are. A folder of such files, or a name with `*` and
    /// `?`, is one table. Or images: an IDX file (column `image`) or a folder (columns `image` and,
    /// the name of the subfolder, `label`). Relative to the folder of the config; `${NAME}` stands for an environment
    /// variable. Required.
    pub path: String,
    /// What paths of images in the table are relative to. Default: the folder the table is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// IDX images: the files of their labels, in the order of the images: IDX labels (column `label`), a table with a
    /// row an image, or a table of IDX labels by column such as `{ left = "left-idx1-ubyte.gz" }`. Default: beside
    /// `X-images-idx3-ubyte.gz`, every `X-NAME-idx1-ubyte.gz` is the column `NAME`, and `X-labels-...` is `label`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelsConfig>,
    /// What happens to rows whose image cannot be used: "stop" names it, "skip" leaves them out and counts them.
    /// Default "stop".
    #[serde(default, skip_serializing_if = "is_default")]
    pub on_error: OnError,
    /// Pixels of an image at most; larger ones are refused before they are unpacked. Default 100,000,000.
    #[serde(default = "max_pixels", skip_serializing_if = "is_max_pixels")]
    pub max_pixels: u64,
    /// Megabytes of unpacked images that are kept in memory; more are unpacked anew in every epoch, ahead of the steps
    /// that read them. Default 4096.
    #[serde(default = "image_memory", skip_serializing_if = "is_image_memory")]
    pub image_memory: u64,
    /// The character between the fields of a CSV file. Default: found from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delimiter: Option<String>,
    /// A character: lines that begin with it are passed over. Default: those above the header that begin with `#` and have
    /// another number of fields than the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Lines above the header of a CSV file that are passed over. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: usize,
    /// Whether a double quote holds the fields of a CSV file together; if not, it is a character like any other.
    /// Default true.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub quote: bool,
    /// Megabytes that a packed file may unpack to. Default: 8192, and 256 for files that are packed more than 200-fold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_unpacked: Option<u64>,
    /// The columns of a text file with a token a line and a blank line behind every sentence, in their order: `_` passes
    /// a column over; one such as `frames...` takes the argument columns of all predicates, which a column called
    /// `predicate` marks. Default: the file is of another format.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// Words that mean "no value", beside the customary ones: the empty field, and among numbers `NA`, `n/a`, `?` and others.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missing: Option<Vec<String>>,
    /// How rows are split into training, validation and test. Default: `{ valid = 0.1, test = 0.2, seed = 0 }`.
    #[serde(default)]
    pub split: Split,
    /// A column of numbers, 0 or above, that weigh the rows in every loss. Default: all rows weigh 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_weight: Option<String>,
    /// Columns that are no input, such as identifiers. Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ignore: Vec<String>,
    /// Of several data sets (`[[data]]`): the tasks that this one labels. Default: those whose columns it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tasks: Option<Vec<String>>,
    /// Other names for columns of the table, such as `{ label = "topic" }`, by which all else knows them. Default: none.
    #[serde(default, skip_serializing_if = "IndexMap::is_empty")]
    pub rename: IndexMap<String, String>,
    /// The data sets after the first.
    #[serde(skip)]
    pub others: Vec<DataConfig>,
}

// Keys with a default do not stand in the written config.

fn is_zero(value: &usize) -> bool {
    *value == 0
}

fn yes() -> bool {
    true
}

fn is_yes(value: &bool) -> bool {
    *value
}

// Keys of images alone do not stand in the written config of a table.

fn is_default(on_error: &OnError) -> bool {
    *on_error == OnError::default()
}

fn is_max_pixels(value: &u64) -> bool {
    *value == max_pixels()
}

fn is_image_memory(value: &u64) -> bool {
    *value == image_memory()
}

fn max_pixels() -> u64 {
    100_000_000
}

fn image_memory() -> u64 {
    4096
}

/// What stands for the path of a table in memory, so that a config that is written down says what it is of.
const IN_MEMORY: &str = "(a table in memory)";

impl DataConfig {
    /// A table in memory, which has no path, with every other key at its default.
    pub fn in_memory() -> Self {
        DataConfig {
            path: IN_MEMORY.to_owned(),
            folder: None,
            labels: None,
            on_error: OnError::default(),
            max_pixels: max_pixels(),
            image_memory: image_memory(),
            delimiter: None,
            comment: None,
            skip: 0,
            quote: true,
            max_unpacked: None,
            columns: None,
            missing: None,
            split: Split::default(),
            sample_weight: None,
            ignore: Vec::new(),
            tasks: None,
            rename: IndexMap::new(),
            others: Vec::new(),
        }
    }

    /// The columns that its split, weights and `ignore` name.
    pub(crate) fn reserved_columns(&self) -> impl Iterator<Item = &str> {
        let ignored = self.ignore.iter().map(String::as_str);
        self.split.columns().into_iter().chain(self.sample_weight.as_deref()).chain(ignored)
    }

    /// All data sets.
    pub fn sets(&self) -> impl Iterator<Item = &DataConfig> {
        std::iter::once(self).chain(&self.others)
    }

    /// The delimiter as a byte, where one is given.
    pub fn delimiter_byte(&self) -> Option<u8> {
        self.delimiter.as_deref().and_then(delimiter_byte)
    }

    /// How the files of the set are written.
    pub fn dialect(&self) -> Dialect {
        Dialect {
            delimiter: self.delimiter_byte(),
            unquoted: !self.quote,
            comment: self.comment.as_deref().and_then(delimiter_byte),
            skip: self.skip,
            missing: self.missing.clone(),
            decimal_comma: false,
            columns: self.columns.clone(),
        }
    }

    /// Every path of the set alone.
    pub(crate) fn paths_mut(&mut self) -> Vec<&mut String> {
        let mut paths: Vec<&mut String> = vec![&mut self.path];
        paths.extend(&mut self.folder);
        paths.extend(self.labels.iter_mut().flat_map(LabelsConfig::paths_mut));
        if let Split::Parts { valid, test, .. } = &mut self.split {
            for part in [valid, test] {
                if let Part::File(file) = part {
                    paths.push(&mut file.path);
                    paths.extend(file.labels.iter_mut().flat_map(LabelsConfig::paths_mut));
                }
            }
        }
        paths
    }

    pub(crate) fn check(&self) -> Result<(), Problem> {
        if self.path.is_empty() {
            return Err(Problem::new(&["data", "path"], "`data.path` is empty; it names the table to read"));
        }
        if let Some(delimiter) = &self.delimiter
            && delimiter_byte(delimiter).is_none()
        {
            let rule = "it must be one ASCII character, or \"tab\"";
            return Err(Problem::value(&["data", "delimiter"], format!("{delimiter:?}"), rule));
        }
        if let Some(comment) = &self.comment
            && delimiter_byte(comment).is_none()
        {
            return Err(Problem::value(&["data", "comment"], format!("{comment:?}"), "it must be one ASCII character"));
        }
        if self.max_pixels == 0 {
            return Err(Problem::value(&["data", "max_pixels"], 0, "it must be 1 or more"));
        }
        self.split.check()
    }
}

fn delimiter_byte(text: &str) -> Option<u8> {
    match text.as_bytes() {
        b"tab" => Some(b'\t'),
        [byte] if byte.is_ascii() && !matches!(byte, b'"' | b'\n' | b'\r') => Some(*byte),
        _ => None,
    }
}

/// How rows are split into training, validation and test. Rows that fall into neither part are for training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "SplitTable", into = "SplitTable")]
pub enum Split {
    /// Shares of the rows, drawn at random, or whole files.
    Parts {
        /// The rows that choose the best model.
        valid: Part,
        /// The rows that measure it.
        test: Part,
        /// Of the drawing.
        seed: u64,
        /// A column (or a task) whose classes are spread evenly over the parts.
        stratify: Option<String>,
        /// A column whose rows of one value stay together in one part.
        group: Option<String>,
    },
    /// A column that says `train`, `valid` or `test` for every row.
    Column {
        /// Its name.
        column: String,
    },
    /// Every n-th row, from row 0, is for testing.
    Every {
        /// n, 2 or more.
        test_every: usize,
        /// Share of the other rows that is for validation, drawn at random.
        valid: f64,
        /// Of the drawing.
        seed: u64,
    },
}

impl Default for Split {
    fn default() -> Self {
        let (valid, test) = (Part::Share(VALID), Part::Share(TEST));
        Split::Parts { valid, test, seed: 0, stratify: None, group: None }
    }
}

const VALID: f64 = 0.1;
const TEST: f64 = 0.2;

impl Split {
    /// Whether it says which rows are for validation, instead of letting them be drawn.
    pub fn gives_valid(&self) -> bool {
        match self {
            Split::Parts { valid, .. } => matches!(valid, Part::File(_)),
            Split::Column { .. } => true,
            Split::Every { .. } => false,
        }
    }

    /// The columns the split reads; they are no inputs.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Split::Column { column } => vec![column],
            Split::Parts { group: Some(group), .. } => vec![group],
            _ => Vec::new(),
        }
    }

    fn check(&self) -> Result<(), Problem> {
        let share = |name: &str, share: f64| match (0.0..1.0).contains(&share) {
            true => Ok(share),
            false => Err(Problem::value(&["data", "split", name], share, "a share must be at least 0 and below 1")),
        };
        match self {
            Split::Column { .. } => Ok(()),
            Split::Parts { valid, test, stratify, group, .. } => {
                let of = |name, part: &Part| match part {
                    Part::Share(value) => share(name, *value),
                    Part::File(_) => Ok(0.0),
                };
                let sum = of("valid", valid)? + of("test", test)?;
                if sum >= 1.0 {
                    let message = format!("the shares `valid` and `test` add up to {sum}; no row is left for training");
                    return Err(Problem::new(&["data", "split"], message));
                }
                if stratify.is_some() && group.is_some() {
                    let message = "`stratify` and `group` cannot stand together; a split is by one of them";
                    return Err(Problem::new(&["data", "split", "group"], message));
                }
                Ok(())
            }
            Split::Every { test_every, valid, .. } => {
                if *test_every < 2 {
                    let rule = "it must be 2 or more, or no row is left for training";
                    return Err(Problem::value(&["data", "split", "test_every"], test_every, rule));
                }
                share("valid", *valid).map(|_| ())
            }
        }
    }
}

/// A share of the rows of `data.path`, or a file of its own.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub enum Part {
    /// Share of the rows, at least 0 and below 1.
    Share(f64),
    /// A file, or a folder of images.
    File(Box<FileConfig>),
}

/// A file of rows beside `data.path`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "File")]
pub struct FileConfig {
    /// As `data.path`. Required.
    pub path: String,
    /// As `data.labels`. Default: found by their names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<LabelsConfig>,
}

impl From<&str> for Box<FileConfig> {
    fn from(path: &str) -> Self {
        Box::new(FileConfig { path: path.to_owned(), labels: None })
    }
}

/// A part as it is written.
#[derive(Serialize, Deserialize)]
#[serde(
    untagged,
    expecting = "it must be a share of the rows (0.1), a file (\"x.csv\"), or { path = ..., labels = ... }"
)]
enum Written {
    Scalar(Scalar),
    File(FileConfig),
}

impl TryFrom<Written> for Part {
    type Error = String;

    fn try_from(value: Written) -> Result<Self, String> {
        match value {
            Written::File(file) => Ok(Part::File(Box::new(file))),
            Written::Scalar(Scalar::Integer(share)) => Ok(Part::Share(share as f64)),
            Written::Scalar(Scalar::Float(share)) => Ok(Part::Share(share)),
            Written::Scalar(Scalar::Text(path)) => Ok(Part::File(path.as_str().into())),
            Written::Scalar(Scalar::Boolean(value)) => {
                Err(format!("{value} is neither a share of the rows (0.1) nor a file (\"x.csv\")"))
            }
        }
    }
}

impl From<Part> for Written {
    fn from(part: Part) -> Self {
        match part {
            Part::Share(share) => Written::Scalar(Scalar::Float(share)),
            Part::File(file) if file.labels.is_none() => Written::Scalar(Scalar::Text(file.path)),
            Part::File(file) => Written::File(*file),
        }
    }
}

/// How rows are split into training, validation and test. One of three ways: shares or files (`valid`, `test`, `seed`,
/// `stratify`, `group`), a column (`column`), or every n-th row for testing (`test_every`, `valid`, `seed`).
#[derive(Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Split")]
struct SplitTable {
    /// Validation, which chooses the best model: a share of the rows (at least 0, below 1) or a file. Default 0.1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ShareOrFile>")]
    valid: Option<Part>,
    /// Test, which measures the model: a share of the rows (at least 0, below 1) or a file. Default 0.2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<ShareOrFile>")]
    test: Option<Part>,
    /// Seed of the drawing, a whole number. Default 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seed: Option<u64>,
    /// A task or column whose classes are spread evenly over the parts. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    stratify: Option<String>,
    /// A column whose rows of one value stay together (all visits of one patient, say). Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    group: Option<String>,
    /// A column that says `train`, `valid` or `test` for every row. Stands alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// Every n-th row, from the first, is for testing; 2 or more. Stands with `valid` (a share) and `seed` only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    test_every: Option<usize>,
}

impl TryFrom<SplitTable> for Split {
    type Error = String;

    fn try_from(table: SplitTable) -> Result<Self, String> {
        let SplitTable { valid, test, seed, stratify, group, column, test_every } = table;
        let drawn = valid.is_some() || seed.is_some();
        let parts = test.is_some() || stratify.is_some() || group.is_some();
        if let Some(column) = column {
            return match drawn || parts || test_every.is_some() {
                true => Err("in `data.split`, `column` stands alone; the column names the part of every row".into()),
                false => Ok(Split::Column { column }),
            };
        }
        let seed = seed.unwrap_or(0);
        if let Some(test_every) = test_every {
            let valid = match valid {
                _ if parts => return Err("in `data.split`, `test_every` stands with `valid` and `seed` only".into()),
                Some(Part::File(_)) => {
                    return Err("in `data.split`, `valid` beside `test_every` must be a share".into());
                }
                Some(Part::Share(share)) => share,
                None => VALID,
            };
            return Ok(Split::Every { test_every, valid, seed });
        }
        let (valid, test) = (valid.unwrap_or(Part::Share(VALID)), test.unwrap_or(Part::Share(TEST)));
        Ok(Split::Parts { valid, test, seed, stratify, group })
    }
}

impl From<Split> for SplitTable {
    fn from(split: Split) -> Self {
        let none = SplitTable::default();
        match split {
            Split::Column { column } => SplitTable { column: Some(column), ..none },
            Split::Parts { valid, test, seed, stratify, group } => {
                SplitTable { valid: Some(valid), test: Some(test), seed: Some(seed), stratify, group, ..none }
            }
            Split::Every { test_every, valid, seed } => {
                SplitTable { test_every: Some(test_every), valid: Some(Part::Share(valid)), seed: Some(seed), ..none }
            }
        }
    }
}

impl JsonSchema for Split {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Split".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        SplitTable::json_schema(generator)
    }
}

// A part, as the schema sees it.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "only its schema is used")]
enum ShareOrFile {
    Share(f64),
    Path(String),
    File(FileConfig),
}
