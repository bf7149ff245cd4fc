//! The registry: what every method is called, needs, costs and is good for, and how it is built.

use serde::Serialize;
use serde_json::{Map, Value};

use crate::balancer::{Balancer, Needs, TaskInfo};
use crate::error::{BalanceError, nearest};
use crate::guard::Guard;
use crate::keys::{self, Setup};
use crate::{aggregate, bilevel, scalarize, wrap};

/// What a method works on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Weighs losses: one loss, one gradient.
    Scalarizer,
    /// Combines the gradients of the tasks.
    Aggregator,
    /// Learns weights from what a held-out batch says to steps tried out on the model.
    Bilevel,
}

/// What the gradients of a task's own parameters are multiplied with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Heads {
    /// With 1: each head learns from its own loss.
    Unweighted,
    /// With the weights of the shared parameters (before any clipping): the method minimises a weighted sum.
    Weighted,
    /// With something else, said in the method's documentation.
    Other,
}

/// One hyperparameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct KeyInfo {
    /// Its name in the config.
    pub name: &'static str,
    /// Its default as JSON; empty if it must be given, `null` if leaving it out has its own meaning.
    pub default: &'static str,
    /// What is allowed, in words.
    pub range: &'static str,
    /// What it does.
    pub purpose: &'static str,
}

/// One method, as listed by [`METHODS`].
#[derive(Debug, Clone, Copy, Serialize)]
pub struct MethodInfo {
    /// Its name in the config.
    pub name: &'static str,
    /// Its name in the literature.
    pub title: &'static str,
    /// What it works on.
    pub family: Family,
    /// What it must see before it can say its weights (a method may need more with some keys: see
    /// [`Balancer::needs`]).
    pub needs: Needs,
    /// Whether its weights also scale the heads.
    pub heads: Heads,
    /// Its cost in backward passes a step; ordinary training is 1.
    pub cost: &'static str,
    /// Its hyperparameters.
    pub keys: &'static [KeyInfo],
    /// Where it was published.
    pub paper: &'static str,
    /// When to use it.
    pub when: &'static str,
    #[serde(skip)]
    pub(crate) build: fn(&Setup) -> Result<Box<dyn Balancer>, BalanceError>,
}

impl MethodInfo {
    /// What a caller says of a method of their own, which no config can name: what it is called, works on, and must see.
    pub const fn own(name: &'static str, family: Family, needs: Needs) -> Self {
        MethodInfo {
            name,
            title: name,
            family,
            needs,
            heads: Heads::Other,
            cost: "what its needs cost",
            keys: &[],
            paper: "none",
            when: "where the caller brings it",
            build: |setup| Err(BalanceError::UnknownMethod { name: setup.info.name.to_owned(), nearest: Vec::new() }),
        }
    }

    /// Every key that the method takes: its own and, for aggregators of a Gramian, those of the wrappers.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static KeyInfo> + use<> {
        let wrappers = if wrap::fits(self) { wrap::WRAPPER_KEYS } else { &[] };
        self.keys.iter().chain(wrappers)
    }
}

/// The cost of one ordinary backward pass.
pub(crate) const ONE: &str = "1";
/// The cost of the methods that need task gradients.
pub(crate) const ALL: &str = "T over the shared part, in one many-loss walk";

/// Every method: scalarizers, aggregators, bilevel methods.
pub static METHODS: &[MethodInfo] = &[
    scalarize::equal::INFO,
    scalarize::fixed::INFO,
    scalarize::scale_invariant::INFO,
    scalarize::geometric::INFO,
    scalarize::uncertainty::INFO,
    scalarize::imtl_l::INFO,
    scalarize::dwa::INFO,
    scalarize::rlw::INFO,
    scalarize::stch::INFO,
    scalarize::famo::INFO,
    scalarize::gradnorm::INFO,
    scalarize::cov::INFO,
    scalarize::dtp::INFO,
    scalarize::lbtw::INFO,
    scalarize::excess::INFO,
    aggregate::mgda::INFO,
    aggregate::upgrad::INFO,
    aggregate::dualproj::INFO,
    aggregate::cagrad::INFO,
    aggregate::pcgrad::INFO,
    aggregate::gradvac::INFO,
    aggregate::graddrop::INFO,
    aggregate::imtl_g::INFO,
    aggregate::imtl::INFO,
    aggregate::nash::INFO,
    aggregate::fairgrad::INFO,
    aggregate::aligned::INFO,
    aggregate::config::INFO,
    aggregate::moco::INFO,
    aggregate::modo::INFO,
    aggregate::sdmgrad::INFO,
    aggregate::dbmtl::INFO,
    aggregate::metabalance::INFO,
    aggregate::krum::INFO,
    aggregate::trimmed_mean::INFO,
    bilevel::auto_lambda::INFO,
    bilevel::moml::INFO,
    bilevel::forum::INFO,
];

/// The entry of the method called `name`.
///
/// # Errors
/// [`BalanceError::UnknownMethod`] with the names nearest to it.
pub fn method(name: &str) -> Result<&'static MethodInfo, BalanceError> {
    METHODS.iter().find(|m| m.name == name).ok_or_else(|| BalanceError::UnknownMethod {
        name: name.to_string(),
        nearest: nearest(name, METHODS.iter().map(|m| m.name)),
    })
}

/// Builds the method called `name` for `tasks`, with its hyperparameters `keys` and the run's `seed`.
///
/// Aggregators of a Gramian also take the keys of [`WRAPPER_KEYS`](crate::WRAPPER_KEYS).
///
/// # Errors
/// An unknown method or key (with the nearest names), a value of the wrong type or out of range, a task that does not
/// exist, or too few tasks for the keys given.
pub fn build(
    name: &str,
    keys: &Map<String, Value>,
    tasks: &[TaskInfo],
    seed: u64,
) -> Result<Box<dyn Balancer>, BalanceError> {
    let info = method(name)?;
    keys::check_names(info, keys)?;
    let (own, wrappers) = wrap::split(info, keys)?;
    let setup = Setup { info, keys: &own, tasks, seed };
    let inner = wrappers.apply((info.build)(&setup)?)?;
    Ok(guarded(inner, tasks))
}

/// A method of a caller's own for these tasks, with the checks of what goes in and comes out that all methods have.
pub fn guarded(method: Box<dyn Balancer>, tasks: &[TaskInfo]) -> Box<dyn Balancer> {
    Box::new(Guard::new(method, tasks))
}

/// Says, where it matters, what a method does with this number of tasks.
pub fn note(info: &MethodInfo, tasks: usize) -> Option<String> {
    let what = match info.family {
        Family::Scalarizer => return None,
        Family::Aggregator => "follows that task's own gradient",
        Family::Bilevel => "keeps the weight it begins with",
    };
    (tasks == 1).then(|| format!("with one task `{}` {what}", info.name))
}
