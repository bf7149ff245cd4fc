//! Inputs: from columns of a table to numbers and indices that the graph reads. Everything is fitted on the training
//! rows alone, and stored with the model.

mod boolean;
mod category;
mod date;
pub(crate) mod embed_numbers;
mod error;
mod features;
mod held;
mod image;
mod infer;
mod number;
mod own;
mod scales;
mod settle;
pub mod text;

pub(crate) use boolean::truth_of;
pub use infer::{infer as infer_kind, is_days};

pub use boolean::Boolean;
pub use category::Category;
pub use date::Date;
pub use error::EncodeError;
pub use features::{Features, Place};
pub use image::{Draw, Galleries, Gallery, Image, Seen, Step, Unpacked, View, load_all};
pub(crate) use image::{Gathering, Limits, MOST_PIXELS, patch_node, place_node};
pub use number::Number;
pub use own::{Own, OwnFeatures, OwnInput, register};
pub use scales::Scales;
pub use text::{Context, Encoded, Pieces, ReadPieces, Sentences, Text, Texts, TokenFeatures};

use crate::column::is_plain;
use crate::section::{InputConfig, InputKind, NumbersModel, Subwords, TextModel, environment};
use polytask_data::{Column, DataError, Hint, Table};
use polytask_exec::Parameters;
use polytask_graph::{Activation, Graph, GraphBuilder, IndexColumn, NodeId};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::path::Path;

/// The inputs of a model with what they learnt from the training rows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// In the order of their features.
    pub inputs: Vec<Input>,
    /// The text input whose tokens are labelled, if one's are: then features are those of its tokens, not of rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<String>,
}

/// One input column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Input {
    /// The name of the column.
    pub column: String,
    /// How its values become features.
    #[serde(flatten)]
    pub code: Code,
}

/// How the values of a column become features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Code {
    /// A quantity.
    Number(Number),
    /// True or false.
    Boolean(Boolean),
    /// One of several levels.
    Category(Category),
    /// A date or time.
    Date(Date),
    /// Sentences.
    Text(Text),
    /// Sentences as fixed vectors.
    Encoded(Encoded),
    /// Pixels.
    Image(Image),
    /// Images as fixed vectors.
    Seen(Seen),
    /// Numbers of a kind that the program has brought.
    Own(Own),
}

impl Code {
    /// Its kind, as in the config.
    pub fn kind(&self) -> InputKind {
        match self {
            Code::Number(_) => InputKind::Number,
            Code::Boolean(_) => InputKind::Boolean,
            Code::Category(_) => InputKind::Category,
            Code::Date(_) => InputKind::Date,
            Code::Text(_) | Code::Encoded(_) => InputKind::Text,
            Code::Image(_) | Code::Seen(_) => InputKind::Image,
            Code::Own(own) => InputKind::Own(own.word()),
        }
    }
}

impl Code {
    /// Features of the node `numbers`.
    pub(crate) fn numbers(&self) -> usize {
        match self {
            Code::Number(number) => 1 + usize::from(number.indicator),
            Code::Boolean(boolean) => 1 + usize::from(boolean.indicator),
            Code::Date(date) => date.parts().len() + usize::from(date.indicator),
            Code::Encoded(encoded) => encoded.width(),
            Code::Seen(seen) => seen.width(),
            Code::Own(own) => own.parts().len(),
            Code::Category(_) | Code::Text(_) | Code::Image(_) => 0,
        }
    }
}

/// Which columns become inputs, and how: what a config says of them.
pub struct InputPlan<'a> {
    /// By column, in the order of the features.
    pub(crate) inputs: Vec<(&'a str, InputConfig)>,
    /// Whether the config leaves it open, so that every free column is one.
    pub(crate) by_default: bool,
    /// Columns that must be there though nothing reads them.
    pub(crate) ignored: &'a [String],
    /// What loading images must keep to.
    pub(crate) limits: Limits,
    /// What paths are relative to.
    pub(crate) folder: &'a Path,
}

/// Planes of an image at most that other inputs become: each costs as much in the first convolution as a colour.
pub const PLANES: usize = 8;

/// Share of features that a pretrained encoder drops while it learns, as BERT does.
const BERT_DROPOUT: f32 = 0.1;

/// The list that is an input without being asked for.
pub(crate) const TOKENS: &str = "tokens";

/// The node of all numbers.
pub(crate) const NUMBERS: &str = "numbers";
/// The node of all categories.
pub(crate) const CATEGORIES: &str = "categories";

/// The column of raw texts that stands for a list of tokens.
const RAW: &str = "text";

/// The input nodes of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inputs {
    numbers: Option<NodeId>,
    categories: Option<NodeId>,
    /// The first of the images, which follow each other, and how many there are.
    images: (NodeId, usize),
}

/// A column of a table, with what messages need.
#[derive(Clone, Copy)]
pub(crate) struct InputColumn<'a> {
    table: &'a Table,
    column: &'a Column,
}

impl<'a> InputColumn<'a> {
    fn find(name: &str, kind: Option<InputKind>, table: &'a Table) -> Result<Self, EncodeError> {
        match table.find(name) {
            Ok(column) => Ok(InputColumn { table, column }),
            Err(source @ DataError::UnknownColumn { .. }) => {
                Err(EncodeError::Column { input: name.to_owned(), kind, source: Box::new(source) })
            }
            Err(source) => Err(EncodeError::Values(Box::new(source))),
        }
    }

    fn too_large(&self, row: usize) -> EncodeError {
        EncodeError::TooLarge {
            place: self.table.place(row),
            input: self.column.name.clone(),
            value: self.column.shown(row).unwrap_or_default(),
        }
    }

    /// Refuses lists, objects and images, which are no value a row.
    fn check_plain(&self) -> Result<(), EncodeError> {
        let (input, found) = (&self.column.name, self.column.kind());
        match is_plain(self.column) {
            true => Ok(()),
            false => Err(EncodeError::NotPlain { input: input.clone(), found }),
        }
    }

    fn all_missing(&self) -> EncodeError {
        EncodeError::AllMissing { input: self.column.name.clone() }
    }
}

impl Encoder {
    /// Fits the inputs of a plan on the training rows. A column that nobody named and that has no value there is left out.
    ///
    /// # Errors
    /// No input; a column that is not there, is all missing, does not fit its kind, or is an identifier.
    pub fn fit(plan: &InputPlan<'_>, table: &Table, rows: &[u32]) -> Result<Self, EncodeError> {
        Self::fit_loaded(plan, table, rows, &load_all(plan, table)?)
    }

    /// The same with the images of the table loaded.
    pub(crate) fn fit_loaded(
        plan: &InputPlan<'_>,
        table: &Table,
        rows: &[u32],
        galleries: &Galleries,
    ) -> Result<Self, EncodeError> {
        for name in plan.ignored {
            // What stands in the column does not matter.
            if let Err(source @ DataError::UnknownColumn { .. }) = table.find(name) {
                return Err(EncodeError::Ignored(Box::new(source)));
            }
        }
        if plan.inputs.is_empty() {
            return Err(EncodeError::NoInput);
        }
        let fit = |(name, input): &(&str, InputConfig)| fit_input((name, input), plan, table, rows, galleries);
        let fitted: Vec<Result<Input, EncodeError>> = plan.inputs.par_iter().map(fit).collect();
        let blank = |input: &Result<Input, EncodeError>| {
            plan.by_default && matches!(input, Err(EncodeError::AllMissing { .. }))
        };
        let all_blank = fitted.iter().all(blank);
        let inputs = fitted.into_iter().filter(|input| all_blank || !blank(input)).collect::<Result<_, _>>()?;
        Ok(Encoder { inputs, tokens: None })
    }

    /// The inputs of every row of a table, whose columns are found by name.
    ///
    /// # Errors
    /// A column that is not there or does not fit its kind.
    pub fn features(&self, table: &Table) -> Result<Features, EncodeError> {
        self.features_of(table, &self.texts(table)?, &Galleries::new())
    }

    /// The same with the texts of the table read already, and images that are loaded.
    ///
    /// # Errors
    /// A column that is not there or does not fit its kind.
    pub fn features_of(&self, table: &Table, texts: &Texts, galleries: &Galleries) -> Result<Features, EncodeError> {
        features::features(self, table, texts, galleries)
    }

    /// The sentences of every text input.
    ///
    /// # Errors
    /// A column that is not there or holds no texts.
    pub fn texts(&self, table: &Table) -> Result<Texts, EncodeError> {
        let of = |(name, text): (&str, &Text)| {
            let source = InputColumn::find(self.text_column(name, table), Some(InputKind::Text), table)?;
            Ok((name.to_owned(), text.read(table, source.column)?))
        };
        self.text_inputs().map(of).collect()
    }

    /// Where the text input `name` is in a table: the column of this name, or `text` where a table has raw texts alone.
    pub fn text_column<'a>(&self, name: &'a str, table: &Table) -> &'a str {
        match table.column(name).is_none() && table.column(RAW).is_some() && self.text_columns().len() == 1 {
            true => RAW,
            false => name,
        }
    }

    /// The columns that hold texts, each once.
    pub fn text_columns(&self) -> Vec<&str> {
        let texts = self.columns().into_iter().filter(|input| input.code.kind() == InputKind::Text);
        texts.map(|input| input.column.as_str()).collect()
    }

    /// The inputs, of a column that is read in two ways the first.
    pub fn columns(&self) -> Vec<&Input> {
        let mut inputs: Vec<&Input> = self.inputs.iter().collect();
        inputs.dedup_by(|a, b| a.column == b.column);
        inputs
    }

    /// The text columns whose tokens a network reads, in the order of their nodes.
    pub fn text_inputs(&self) -> impl Iterator<Item = (&str, &Text)> {
        self.inputs.iter().filter_map(|input| {
            let Code::Text(text) = &input.code else { return None };
            Some((input.column.as_str(), text))
        })
    }

    /// Adds the inputs to a graph: the nodes `numbers`, `categories`, `tokens.COLUMN` on a domain of its own,
    /// and `images.COLUMN`, where there are such.
    pub fn inputs(&self, g: &mut GraphBuilder) -> Inputs {
        let (numbers, categories) = (self.number_width(), self.categories().count());
        let numbers = (numbers > 0).then(|| g.input(NUMBERS, numbers));
        let categories = (categories > 0).then(|| g.index_input(CATEGORIES, categories));
        for (column, text) in self.text_inputs() {
            text.inputs(g, column, self.reads_tokens(column));
        }
        let mut images = (NodeId(0), 0);
        for (column, image) in self.images() {
            let node = g.image_input(&image::node(column), [image.height, image.width, image.channels]);
            images = if images.1 == 0 { (node, 1) } else { (images.0, images.1 + 1) };
        }
        for (column, image) in self.images() {
            image.encoder.iter().for_each(|view| view.inputs(g, column));
        }
        Inputs { numbers, categories, images }
    }

    /// Whether the tokens of a text are read one by one: they, or what layers make of them, are labelled.
    fn reads_tokens(&self, column: &str) -> bool {
        self.tokens.as_deref() == Some(column)
    }

    /// Adds the features that inputs give, `[features]`: the numbers and what `model.numbers` makes of them, `{prefix}one_hot`, an `{prefix}embed.COLUMN` for
    /// every embedded column, the images, what the encoder of `model` makes of texts, and `{prefix}features`, which joins
    /// them; a single image keeps its shape. Each prefix has embedding tables and text encoders of its own. The features
    /// are on the rows, or on the tokens that are labelled.
    ///
    /// Layers that read images (`image`) see images of one size as one image, and what stands beside them as planes of it,
    /// the same at every pixel: at most [`PLANES`], a mixture of them where there are more.
    pub fn embed(
        &self,
        g: &mut GraphBuilder,
        inputs: Inputs,
        prefix: &str,
        numbers: &NumbersModel,
        model: &TextModel,
        image: bool,
    ) -> NodeId {
        let scaled = |node| embed_numbers::embed(g, node, prefix, numbers);
        let mut parts: Vec<NodeId> = inputs.numbers.map(scaled).unwrap_or_default();
        if let Some(index) = inputs.categories {
            let levels = |category: &Category| category.levels.len();
            let column =
                |(i, (_, category)): (usize, &(&str, &Category))| IndexColumn { column: i, levels: levels(category) };
            let categories: Vec<(&str, &Category)> = self.categories().collect();
            let one_hot: Vec<IndexColumn> =
                categories.iter().enumerate().filter(|(_, (_, c))| c.embedding.is_none()).map(column).collect();
            if !one_hot.is_empty() {
                parts.push(g.named(format!("{prefix}one_hot")).one_hot(index, &one_hot));
            }
            for (i, (name, category)) in categories.iter().enumerate() {
                if let Some(width) = category.embedding {
                    let column = IndexColumn { column: i, levels: levels(category) };
                    let g = g.named(format!("{prefix}embed.{name}"));
                    parts.push(match category.is_sparse() {
                        true => g.sparse_embedding(index, column, width),
                        false => g.embedding(index, column, width),
                    });
                }
            }
        }
        for (i, (column, image)) in self.images().enumerate().take(inputs.images.1) {
            let x = NodeId(inputs.images.0.0 + i);
            let name = format!("{prefix}{}", image::encoder(column));
            parts.push(image.encoder.as_ref().map_or(x, |view| view.embed(g, column, &name, x)));
        }
        let mut labelled = None;
        for (column, text) in self.text_inputs() {
            let name = format!("{prefix}{}", text::node(column));
            let context = text.context.as_ref().map(|context| context.embed(g, column, prefix, BERT_DROPOUT));
            if self.reads_tokens(column) {
                let h = text.encode(g, column, &name, model, context);
                labelled = Some((h, g.domain(h)));
                continue;
            }
            if text.reads_words(false) {
                let h = text.encode(g, column, &name, model, None);
                parts.push(text::pool(g, h, &name, model.pool));
            }
            parts.extend(context);
        }
        if let Some((h, domain)) = labelled {
            // What a row has, each of its tokens has.
            for (i, part) in parts.iter_mut().enumerate() {
                *part = g.named(format!("{prefix}spread.{i}")).spread(*part, domain);
            }
            parts.push(h);
        }
        if let (true, Some((_, size))) = (image, self.images().find(|(_, image)| image.encoder.is_none())) {
            let (images, plain): (Vec<NodeId>, Vec<NodeId>) =
                parts.into_iter().partition(|x| g.shape(*x).image().is_some());
            parts = images;
            if !plain.is_empty() {
                let mut beside = g.named(format!("{prefix}beside")).concat(&plain);
                if g.shape(beside).width() > PLANES {
                    beside = g.named(format!("{prefix}mixed")).dense(beside, PLANES, Activation::Linear);
                }
                parts.push(g.named(format!("{prefix}planes")).planes(beside, [size.height, size.width]));
            }
        }
        g.named(format!("{prefix}features")).concat(&parts)
    }

    /// Adds the features that inputs give with every category one-hot, those that are to be embedded too: to a linear
    /// model an embedding is no more than that.
    pub fn one_hot(&self, g: &mut GraphBuilder, inputs: Inputs) -> NodeId {
        let mut parts: Vec<NodeId> = inputs.numbers.into_iter().collect();
        if let Some(index) = inputs.categories {
            let column = |(i, (_, category)): (usize, (&str, &Category))| IndexColumn {
                column: i,
                levels: category.levels.len(),
            };
            let columns: Vec<IndexColumn> = self.categories().enumerate().map(column).collect();
            parts.push(g.named("one_hot").one_hot(index, &columns));
        }
        g.named("features").concat(&parts)
    }

    /// What is to be said of texts that are longer than what their pretrained encoder reads.
    pub fn long_texts(&self, features: &Features) -> Vec<String> {
        let of = |text: &TokenFeatures| {
            let (_, own) = self.text_inputs().find(|(column, _)| *column == text.column)?;
            own.context.as_ref()?.said(&text.column, &text.context)
        };
        features.texts.iter().filter_map(of).collect()
    }

    /// How the columns are to be read from another file.
    pub fn hints(&self) -> BTreeMap<String, Hint> {
        let hint = |input: &Input| match &input.code {
            Code::Number(_) => Some(Hint::Number),
            Code::Boolean(_) | Code::Date(_) | Code::Own(_) => None,
            Code::Category(category) => Some(if category.numbers { Hint::Number } else { Hint::Text }),
            // Lists are lists whatever the hint.
            Code::Text(_) | Code::Encoded(_) => Some(Hint::Text),
            Code::Image(_) | Code::Seen(_) => Some(Hint::Image),
        };
        self.inputs.iter().filter_map(|input| Some((input.column.clone(), hint(input)?))).collect()
    }

    /// What the features of the node `numbers` are, in order: the column, of a date `COLUMN days` and others, and `COLUMN
    /// missing` for an indicator.
    pub fn number_names(&self) -> Vec<String> {
        let names = |input: &Input| {
            let (mut names, indicator) = match &input.code {
                Code::Number(number) => (vec![input.column.clone()], number.indicator),
                Code::Boolean(boolean) => (vec![input.column.clone()], boolean.indicator),
                Code::Date(date) => {
                    (date.parts().iter().map(|part| format!("{} {part}", input.column)).collect(), date.indicator)
                }
                Code::Encoded(encoded) => {
                    ((0..encoded.width()).map(|i| format!("{} {i}", input.column)).collect(), false)
                }
                Code::Seen(seen) => ((0..seen.width()).map(|i| format!("{} {i}", input.column)).collect(), false),
                Code::Own(own) => (own.parts().iter().map(|part| format!("{} {part}", input.column)).collect(), false),
                Code::Category(_) | Code::Text(_) | Code::Image(_) => return Vec::new(),
            };
            names.extend(indicator.then(|| format!("{} missing", input.column)));
            names
        };
        self.inputs.iter().flat_map(names).collect()
    }

    /// The width of the node `numbers`; 0 where there is none.
    pub fn number_width(&self) -> usize {
        self.inputs.iter().map(|input| input.code.numbers()).sum()
    }

    /// The columns of the node `categories`, in order.
    pub fn categories(&self) -> impl Iterator<Item = (&str, &Category)> {
        self.inputs.iter().filter_map(|input| {
            let Code::Category(category) = &input.code else { return None };
            Some((input.column.as_str(), category))
        })
    }

    /// The image columns, in the order of their nodes.
    pub fn images(&self) -> impl Iterator<Item = (&str, &Image)> {
        self.inputs.iter().filter_map(|input| {
            let Code::Image(image) = &input.code else { return None };
            Some((input.column.as_str(), image))
        })
    }

    /// All columns of images, those too that become fixed vectors.
    pub fn image_columns(&self) -> impl Iterator<Item = (&str, &Image)> {
        self.inputs.iter().filter_map(|input| match &input.code {
            Code::Image(image) => Some((input.column.as_str(), image)),
            Code::Seen(seen) => Some((input.column.as_str(), &seen.image)),
            Code::Number(_)
            | Code::Boolean(_)
            | Code::Category(_)
            | Code::Date(_)
            | Code::Text(_)
            | Code::Encoded(_)
            | Code::Own(_) => None,
        })
    }

    /// Puts what is known beforehand, vectors of words and the weights of encoders, into the parameters that a model starts from.
    pub(crate) fn start(&self, graph: &Graph, parameters: &mut Parameters) {
        self.text_inputs().for_each(|(column, text)| text.start(graph, column, parameters));
        for (column, image) in self.images() {
            image.encoder.iter().for_each(|view| view.start(graph, &image::encoder(column), parameters));
        }
    }

    /// Checks an encoder that was read from a file.
    ///
    /// # Errors
    /// [`EncodeError::Damaged`], [`EncodeError::NoInput`].
    pub fn check(&self) -> Result<(), EncodeError> {
        if self.inputs.is_empty() {
            return Err(EncodeError::NoInput);
        }
        for input in &self.inputs {
            match &input.code {
                Code::Number(number) => number.check(),
                Code::Boolean(boolean) => boolean.check(),
                Code::Category(category) => category.check(),
                Code::Date(date) => date.check(),
                Code::Text(text) => text.check(),
                Code::Encoded(encoded) => encoded.check(),
                Code::Image(image) => image.check(),
                Code::Seen(seen) => seen.check(),
                // Checked when it was restored.
                Code::Own(_) => Ok(()),
            }
            .map_err(|reason| EncodeError::Damaged { input: input.column.clone(), reason })?;
        }
        Ok(())
    }
}

fn fit_input(
    (name, config): (&str, &InputConfig),
    plan: &InputPlan<'_>,
    table: &Table,
    rows: &[u32],
    galleries: &Galleries,
) -> Result<Input, EncodeError> {
    let source = InputColumn::find(name, config.kind, table)?;
    let inferred = || match infer::infer(source.column) {
        kind if kind != InputKind::Image && config.encoder.is_some() => InputKind::Text,
        kind => kind,
    };
    let kind = config.kind.unwrap_or_else(inferred);
    if !matches!(kind, InputKind::Text | InputKind::Image) {
        source.check_plain()?;
    }
    if let Some(key) = config.stray_key(kind) {
        return Err(EncodeError::StrayKey { input: name.to_owned(), kind: kind.word(), key });
    }
    let code = match kind {
        InputKind::Image => match galleries.get(name) {
            Some(gallery) => Code::Image(Image::fit(&source, config, rows, gallery, plan)?),
            None => return Err(source.all_missing()),
        },
        InputKind::Number => Code::Number(Number::fit(&source, config, rows)?),
        InputKind::Boolean => Code::Boolean(Boolean::fit(&source, rows)?),
        InputKind::Category => Code::Category(Category::fit(&source, config, rows)?),
        InputKind::Date => Code::Date(Date::fit(&source, config, rows)?),
        InputKind::Own(word) => Code::Own(Own::fit(word, &source, rows)?),
        InputKind::Text => {
            let resolved = |path: Option<&String>| {
                let path = path.map(|path| environment::resolve(plan.folder, path)).transpose();
                path.map_err(|reason| EncodeError::TextFile { input: name.to_owned(), reason })
            };
            let tokenizer = match &config.subwords {
                Some(Subwords::Read(path)) => Some(path),
                _ => None,
            };
            let context =
                config.encoder.as_ref().map(|encoder| Context::read(name, encoder, plan.folder)).transpose()?;
            let (vectors, tokenizer) = (resolved(config.vectors.as_ref())?, resolved(tokenizer)?);
            Code::Text(Text::fit(&source, config, text::TextFiles { vectors, tokenizer, context }, rows)?)
        }
    };
    Ok(Input { column: name.to_owned(), code })
}
