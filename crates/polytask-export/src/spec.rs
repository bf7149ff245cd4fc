//! `model.json`: what the caller feeds and what comes out, beside every export.

use crate::array::{Axis, Type, numpy, shape};
use crate::characters::Characters;
use polytask::inputs::{Category, Code, Context, Encoder, Image, Input, Text};
use polytask::model::{Model, Network};
use polytask::tasks::Task;
use polytask_graph::{Graph, Loss, Node, NodeId, Op, Weighing, ops};
use serde::Serialize;
use std::collections::BTreeMap;

/// The file.
#[derive(Serialize)]
pub struct Spec<'a> {
    /// The version of the program that wrote it.
    pub polytask: &'static str,
    /// `onnx`, `safetensors`, `pytorch` or `keras`.
    pub format: &'static str,
    /// What is fed.
    pub inputs: Vec<Fed>,
    /// What comes out; for formats that name their outputs.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Output>,
    /// The words that mean "no value".
    pub missing: Vec<String>,
    /// How columns become numbers and indices, with what was learnt from the training rows.
    pub columns: Vec<Column<'a>>,
    /// What is predicted, with the classes in the order of their outputs.
    pub tasks: &'a [Task],
    /// By task of tags what is learnt of which follows which, `(tags + 1) x tags`, that of the first token first.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub transitions: BTreeMap<&'a str, Vec<&'a [f32]>>,
    /// What a script in Python has to know of characters to cut texts into words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) characters: Option<Characters>,
    /// The network, layer by layer, where no other file has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<&'a Graph>,
}

/// Something that is fed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Fed {
    /// Its name.
    pub name: String,
    /// The type of its elements, as NumPy has it.
    pub r#type: &'static str,
    /// Its shape; words are lengths that are known only at run time.
    pub shape: Vec<String>,
    /// What stands there.
    pub what: String,
}

/// Something that comes out.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Output {
    /// The task.
    pub task: String,
    /// Its name.
    pub name: String,
    /// The type of its elements, as NumPy has it.
    pub r#type: &'static str,
    /// Its shape; words are lengths that are known only at run time.
    pub shape: Vec<String>,
    /// What stands there.
    pub what: String,
}

impl Output {
    /// What comes out of an ONNX graph.
    pub(crate) fn new(task: &str, name: String, kind: Type, axes: &[Axis], what: &str) -> Self {
        Output { task: task.to_owned(), name, r#type: numpy(kind as i32), shape: shape(axes), what: what.to_owned() }
    }
}

/// An input column.
#[derive(Serialize)]
pub struct Column<'a> {
    /// As the model has it.
    #[serde(flatten)]
    pub input: &'a Input,
    /// A value x becomes `(x - shift) * factor`, and a missing one `fill`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<[f64; 3]>,
    /// By channel: a pixel p from 0 to 255 becomes `p * scale + shift`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pixels: Option<Vec<(f32, f32)>>,
    /// The levels as numbers, where the column holds numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_levels: Option<Vec<f64>>,
}

impl<'a> Spec<'a> {
    /// That of a model.
    pub fn new(model: &'a Model, format: &'static str) -> Self {
        let columns = model.encoder.inputs.iter().map(|input| Column {
            input,
            scaling: scaling(input).map(|s| [s.shift, s.factor, s.fill]),
            pixels: match &input.code {
                Code::Image(image) => Some(image.scaling()),
                Code::Number(_)
                | Code::Boolean(_)
                | Code::Category(_)
                | Code::Date(_)
                | Code::Text(_)
                | Code::Encoded(_)
                | Code::Seen(_)
                | Code::Own(_) => None,
            },
            number_levels: match &input.code {
                Code::Category(category) => number_levels(category),
                Code::Number(_)
                | Code::Boolean(_)
                | Code::Date(_)
                | Code::Text(_)
                | Code::Encoded(_)
                | Code::Seen(_)
                | Code::Image(_)
                | Code::Own(_) => None,
            },
        });
        let transitions = model.network().into_iter().flat_map(|Network { graph, parameters }| {
            graph.losses().iter().filter_map(|loss| {
                let tags = graph.node(loss.prediction).shape.width();
                Some((loss.task.as_str(), parameters.of(loss.parameter()?).chunks_exact(tags).collect()))
            })
        });
        Spec {
            polytask: env!("CARGO_PKG_VERSION"),
            format,
            inputs: Vec::new(),
            outputs: Vec::new(),
            missing: model.dialect.missing_words(),
            columns: columns.collect(),
            tasks: &model.tasks,
            transitions: transitions.collect(),
            characters: None,
            graph: None,
        }
    }
}

/// What an input node of the graph is made of.
pub(crate) enum Source<'a> {
    /// The columns that are numbers and booleans.
    Numbers,
    /// The columns that are categories.
    Categories,
    /// A column of images.
    Image(&'a Image),
    /// The pieces of a column of texts that an encoder in the network reads.
    Pieces(&'a str, &'a Context),
    /// The place of the first piece of each row.
    FirstPlace,
    /// The vectors of the tokens of a column, by an encoder that learns nothing.
    Vectors(&'a str, &'a Context),
    /// Something that the caller feeds as the network reads it.
    Fed,
}

impl<'a> Source<'a> {
    /// That of a node; none for one that computes.
    pub fn of(encoder: &'a Encoder, node: &Node) -> Option<Self> {
        let context = |before: &str| {
            let own = |(column, text): (&'a str, &'a Text)| Some((column, text.context.as_ref()?));
            encoder.text_inputs().filter_map(own).find(|(column, _)| node.name == format!("{before}.{column}"))
        };
        let image = || encoder.images().find(|(column, _)| node.name == format!("images.{column}"));
        Some(match (node.op.fed()?, node.name.as_str()) {
            (ops::Fed::Numbers, "numbers") => Source::Numbers,
            (ops::Fed::Indices, "categories") => Source::Categories,
            (ops::Fed::Numbers, _) => match (image(), context("context")) {
                (Some((_, image)), _) => Source::Image(image),
                (None, Some((column, context))) => Source::Vectors(column, context),
                (None, None) => Source::Fed,
            },
            (ops::Fed::Indices, _) => match context("context") {
                Some((column, context)) => Source::Pieces(column, context),
                None if node.domain.is_rows() && context("places").is_some() => Source::FirstPlace,
                None => Source::Fed,
            },
        })
    }
}

/// The column of an input node that has one of its own.
pub(crate) fn column(node: &str) -> &str {
    node.split_once('.').map_or(node, |(_, column)| column)
}

/// What tells which elements of a domain there are.
pub(crate) fn mask(domain: &str) -> String {
    format!("mask.{}", column(domain))
}

/// How a column of numbers becomes a feature.
pub(crate) struct Scaling<'a> {
    pub name: &'a str,
    pub shift: f64,
    pub factor: f64,
    /// What stands for a missing value.
    pub fill: f64,
    /// Whether a feature behind it says that it is missing.
    pub indicator: bool,
    /// Whether it says true or false.
    pub boolean: bool,
}

/// That of a column, if it is one of numbers.
pub(crate) fn scaling(input: &Input) -> Option<Scaling<'_>> {
    let name = input.column.as_str();
    match &input.code {
        Code::Number(number) => {
            let (shift, factor, fill) = number.scaling();
            Some(Scaling { name, shift, factor, fill, indicator: number.indicator, boolean: false })
        }
        Code::Boolean(boolean) => Some(Scaling {
            name,
            shift: 0.0,
            factor: 1.0,
            fill: boolean.share,
            indicator: boolean.indicator,
            boolean: true,
        }),
        // Texts have vectors in ONNX; other formats refuse them, and all refuse dates and kinds that a program brought.
        Code::Category(_)
        | Code::Date(_)
        | Code::Text(_)
        | Code::Encoded(_)
        | Code::Seen(_)
        | Code::Image(_)
        | Code::Own(_) => None,
    }
}

/// The levels of a category whose column holds numbers.
pub(crate) fn number_levels(category: &Category) -> Option<Vec<f64>> {
    category.numbers.then(|| category.levels.iter().map(|level| level.parse().unwrap_or(f64::NAN)).collect())
}

/// The nodes that predictions need, by position: not those that only training does, nor what a choice that is made leaves.
pub(crate) fn needed(network: &Network) -> Vec<bool> {
    let graph = &network.graph;
    let mut needed = vec![false; graph.nodes().len()];
    graph.losses().iter().flat_map(Loss::nodes).for_each(|node| needed[node.0] = true);
    for (i, node) in graph.nodes().iter().enumerate().rev() {
        if needed[i] {
            read(network, node).iter().for_each(|input| needed[input.0] = true);
        }
    }
    needed
}

/// The inputs of a node that matter to predictions.
fn read<'a>(network: &Network, node: &'a Node) -> &'a [NodeId] {
    let Op::Blend(ops::Blend { weights, weighing: Weighing::Sampled }) = node.op else { return &node.inputs };
    let taken = taken(network.parameters.of(weights));
    node.inputs.get(taken..taken + 1).unwrap_or_default()
}

/// Which of several inputs is taken: the first of those with the largest number.
pub(crate) fn taken(numbers: &[f32]) -> usize {
    let mut taken = 0;
    numbers.iter().enumerate().for_each(|(i, v)| {
        if *v > numbers[taken] {
            taken = i
        }
    });
    taken
}

pub(crate) fn softmax(numbers: &[f32]) -> Vec<f32> {
    let max = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f32> = numbers.iter().map(|v| (v - max).exp()).collect();
    let sum: f32 = powers.iter().sum();
    powers.iter().map(|p| p / sum).collect()
}
