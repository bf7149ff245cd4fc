//! The registry: every method under its name.

use serde_json::{Map, Value};

use crate::balancer::{Balancer, Family, KeyInfo, MethodInfo, Setup};
use crate::error::{BalanceError, nearest};
use crate::guard::Guard;
use crate::step::TaskInfo;
use crate::{aggregate, bilevel, scalarize, wrap};

impl MethodInfo {
    /// Every key that the method takes: its own and, for aggregators of a Gramian, those of the wrappers.
    pub fn all_keys(&self) -> impl Iterator<Item = &'static KeyInfo> + use<> {
        let wrappers = if wrap::fits(self) { wrap::WRAPPER_KEYS } else { &[] };
        self.keys.iter().chain(wrappers)
    }
}

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
    check_names(info, keys)?;
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

/// Refuses keys that the method does not take.
fn check_names(info: &MethodInfo, keys: &Map<String, Value>) -> Result<(), BalanceError> {
    let known: Vec<&'static str> = info.all_keys().map(|k| k.name).collect();
    match keys.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(BalanceError::UnknownKey {
            method: info.name,
            nearest: nearest(key, known.iter().copied()),
            key: key.clone(),
            known,
        }),
    }
}
