//! What a method is called, needs, costs and is good for, and how it is built.

use serde::Serialize;

use super::{Balancer, Setup};
use crate::error::BalanceError;
use crate::step::Needs;

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

/// One method, as listed by [`METHODS`](crate::METHODS).
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
}

/// The cost of one ordinary backward pass.
pub(crate) const ONE: &str = "1";
/// The cost of the methods that need task gradients.
pub(crate) const ALL: &str = "T over the shared part, in one many-loss walk";
