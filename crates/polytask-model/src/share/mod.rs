//! What the tasks share. One architecture a file: its keys in the config, their checks, and the function that adds
//! what is shared and the heads to a graph.

mod adapter;
mod aitm;
pub mod branch;
mod cgc;
mod cross_stitch;
mod dependent;
mod design;
mod dselect_k;
mod esmm;
mod experts;
mod film;
mod hard;
mod keys;
pub mod linear;
mod members;
mod mmoe;
mod model;
mod mtan;
mod nddr;
mod none;
mod omoe;
mod partial;
mod ple;
mod sluice;
mod soft;
mod tree;
mod trunk;

pub use adapter::Adapter;
pub use aitm::Aitm;
pub use branch::Branch;
pub use cgc::{Cgc, Counts, cgc};
pub use cross_stitch::{CrossStitch, Per};
pub use dependent::{Dependent, Pass};
pub use design::Design;
pub use dselect_k::{DselectK, Selection, dselect_k_gate};
pub use esmm::Esmm;
pub use experts::{Expert, Gate, GateConfig, softmax_gate};
pub use film::Film;
pub use hard::Hard;
pub use linear::{Linear, PenaltyName, Ratio};
pub use mmoe::{Mmoe, mmoe};
pub use model::ModelConfig;
pub use mtan::Mtan;
pub use nddr::Nddr;
pub use none::Nothing;
pub use omoe::{Omoe, omoe};
pub use partial::{Layers, Partial};
pub use ple::{Ple, ple};
pub use sluice::Sluice;
pub use soft::{Distance, Norm, Pairs, Soft};
pub use tree::Tree;

use crate::section::{Problem, Shorthand};
use polytask_graph::{Graph, GraphBuilder, GraphError};
use schemars::JsonSchema;
use serde::de::IntoDeserializer;
use serde::de::value::{Error, MapDeserializer};
use serde::{Deserialize, Serialize, Serializer};

/// What the tasks share: the name of an architecture, or a table with `method` and the architecture's own keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "method", rename_all = "snake_case")]
pub enum Sharing {
    /// One trunk for all tasks, a head for each (Caruana 1997).
    Hard(Hard),
    /// Nothing: every task has a network of its own.
    None(Nothing),
    /// No layers: one weight vector a task, and a penalty on all of them (Evgeniou and Pontil 2004).
    Linear(Linear),
    /// The first layers of the trunk for all tasks, the others for each.
    Partial(Partial),
    /// Each layer shared between groups of tasks that part further up (Lu et al. 2017).
    Tree(Tree),
    /// A tree of shared layers that is searched for, then trained from scratch (Guo et al. 2020).
    Branch(Branch),
    /// A copy of the network for every task, drawn together by a penalty (Duong et al. 2015).
    Soft(Soft),
    /// A column of layers for every task, mixed after each layer by learnt weights (Misra et al. 2016).
    CrossStitch(CrossStitch),
    /// Columns with subspaces that are mixed across tasks, and heads that mix layers (Ruder et al. 2019).
    Sluice(Sluice),
    /// A column of layers for every task; after each layer all columns' features are reduced to each task's (Gao et al.
    /// 2019).
    Nddr(Nddr),
    /// One trunk whose features every task masks, layer by layer (Liu et al. 2019).
    Mtan(Mtan),
    /// One trunk whose features every task scales and shifts (Perez et al. 2018).
    Film(Film),
    /// One trunk with a small residual layer of every task's own after each layer (Houlsby et al. 2019).
    Adapter(Adapter),
    /// Shared experts behind one gate for all tasks (Jacobs et al. 1991).
    Omoe(Omoe),
    /// Shared experts, weighed for each task by a gate of its own (Ma et al. 2018).
    Mmoe(Mmoe),
    /// Shared experts and experts of each task, weighed by a gate for each task (Tang et al. 2020).
    Cgc(Cgc),
    /// Levels of shared experts and experts of each task (Tang et al. 2020).
    Ple(Ple),
    /// Shared experts, of which each task's gate learns to choose k (Hazimeh et al. 2021).
    DselectK(DselectK),
    /// One trunk, and heads that read what other heads have found (Wang et al. 2019).
    Dependent(Dependent),
    /// Binary tasks that happen in order, each the product of the one before and its own conditional probability (Ma et
    /// al. 2018).
    Esmm(Esmm),
    /// Binary tasks in order, each attending to what the one before hands on (Xi et al. 2021).
    Aitm(Aitm),
}

/// What people want to know of an architecture before they choose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Info {
    /// Its name in the config.
    pub name: &'static str,
    /// What the tasks share, in a few words.
    pub shares: &'static str,
    /// When to try it.
    pub when: &'static str,
    /// The paper it follows.
    pub paper: &'static str,
}

/// All architectures, a line a file.
pub const ARCHITECTURES: &[Info] = &[
    hard::INFO,
    none::INFO,
    linear::INFO,
    partial::INFO,
    tree::INFO,
    branch::INFO,
    soft::INFO,
    cross_stitch::INFO,
    sluice::INFO,
    nddr::INFO,
    mtan::INFO,
    film::INFO,
    adapter::INFO,
    omoe::INFO,
    mmoe::INFO,
    cgc::INFO,
    ple::INFO,
    dselect_k::INFO,
    dependent::INFO,
    esmm::INFO,
    aitm::INFO,
];

/// The names of all architectures.
pub const NAMES: &[&str] = &names();

const fn names() -> [&'static str; ARCHITECTURES.len()] {
    let mut names = [""; ARCHITECTURES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = ARCHITECTURES[i].name;
        i += 1;
    }
    names
}

/// One way to share. What a config names is a [`Sharing`]; a caller can bring one of their own.
pub trait Architecture {
    /// Its line of [`ARCHITECTURES`].
    fn info(&self) -> &'static Info;

    /// Checks the keys of the config against each other, the rest of the model and the names of the tasks.
    ///
    /// # Errors
    /// What does not hold, and at which key.
    fn check(&self, _model: &ModelConfig, _tasks: &[&str]) -> Result<(), Problem> {
        Ok(())
    }

    /// Adds inputs, what is shared, heads and losses to a graph.
    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>);
}

impl Sharing {
    fn architecture(&self) -> &dyn Architecture {
        match self {
            Sharing::Hard(hard) => hard,
            Sharing::Linear(linear) => linear,
            Sharing::None(nothing) => nothing,
            Sharing::Partial(partial) => partial,
            Sharing::Tree(tree) => tree,
            Sharing::Branch(branch) => branch,
            Sharing::Soft(soft) => soft,
            Sharing::CrossStitch(cross_stitch) => cross_stitch,
            Sharing::Sluice(sluice) => sluice,
            Sharing::Nddr(nddr) => nddr,
            Sharing::Mtan(mtan) => mtan,
            Sharing::Film(film) => film,
            Sharing::Adapter(adapter) => adapter,
            Sharing::Omoe(omoe) => omoe,
            Sharing::Mmoe(mmoe) => mmoe,
            Sharing::Cgc(cgc) => cgc,
            Sharing::Ple(ple) => ple,
            Sharing::DselectK(dselect_k) => dselect_k,
            Sharing::Dependent(dependent) => dependent,
            Sharing::Esmm(esmm) => esmm,
            Sharing::Aitm(aitm) => aitm,
        }
    }

    /// Checks the keys against each other, the rest of the model and the names of the tasks.
    pub(crate) fn check(&self, model: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        self.architecture().check(model, tasks)
    }

    /// Its name in the config.
    pub fn name(&self) -> &'static str {
        self.architecture().info().name
    }

    /// The settings of a linear model, which is solved, not trained step by step.
    pub fn linear(&self) -> Option<&Linear> {
        match self {
            Sharing::Linear(linear) => Some(linear),
            _ => None,
        }
    }

    /// The architecture of this name with its defaults.
    pub fn named(name: &str) -> Option<Self> {
        let table = [("method", name)].into_iter().map(|(key, value)| (key, value.into_deserializer()));
        let table: MapDeserializer<'_, _, Error> = MapDeserializer::new(table);
        Sharing::deserialize(table).ok()
    }
}

impl Default for Sharing {
    fn default() -> Self {
        Sharing::Hard(Hard {})
    }
}

impl Shorthand for Sharing {
    type Table = Sharing;
    const WORDS: &'static [&'static str] = NAMES;
    const TABLE: &'static str = "or a table such as { method = \"hard\" }";

    fn from_word(word: &str) -> Option<Self> {
        Sharing::named(word)
    }

    fn from_table(table: Sharing) -> Result<Self, String> {
        Ok(table)
    }
}

/// Writes the name alone where all keys have their defaults.
pub(crate) fn serialize<S: Serializer>(sharing: &Sharing, serializer: S) -> Result<S::Ok, S::Error> {
    match NAMES.iter().find(|name| Sharing::named(name).as_ref() == Some(sharing)) {
        Some(name) => serializer.serialize_str(name),
        None => sharing.serialize(serializer),
    }
}

/// The graph of a model: inputs, what is shared, a head and a loss for each task.
///
/// # Errors
/// Widths that do not fit together; the message names the layer.
pub fn build(design: &Design<'_>) -> Result<Graph, GraphError> {
    build_as(design.config.sharing.architecture(), design)
}

/// The same with an architecture that need not be the config's.
///
/// # Errors
/// Widths that do not fit together; the message names the layer.
pub fn build_as(architecture: &dyn Architecture, design: &Design<'_>) -> Result<Graph, GraphError> {
    let mut g = GraphBuilder::new();
    architecture.build(&mut g, design);
    g.finish()
}
