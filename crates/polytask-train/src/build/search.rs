//! What a config leaves to be found before training: the branches of [`Branch`].

use super::Build;
use crate::Error;
use crate::fit;
use crate::own::Own;
use crate::prepare::Prepared;
use crate::train::{Budget, Callback, Job, StopReason};
use polytask_model::config::{Config, LossConfig};
use polytask_model::share::{Branch, Sharing, Tree, branch};

/// Searches where the config asks for it, and gives the config with what was found in place of the search; none where
/// there is nothing to search for, or where `callback` ended it. `which` of the prepared tasks the model has.
///
/// The search is a training run on the training rows, with the config's settings and equal weights, of
/// [`Branch::search`] times its steps. The same seed finds the same.
///
/// # Errors
/// Whatever keeps the network of the search from being trained.
pub fn settle(
    config: &Config,
    prepared: &Prepared,
    which: &[usize],
    callback: &mut dyn Callback,
) -> Result<Option<Config>, Error> {
    let Sharing::Branch(Branch { search, .. }) = config.model.sharing else { return Ok(None) };
    let mut config_of_search = config.clone();
    config_of_search.model.init = None;
    let LossConfig { l2, l2_biases, .. } = config.loss;
    config_of_search.loss = LossConfig { l2, l2_biases, watch: false, ..LossConfig::default() };
    let build = Build::settled(config_of_search, prepared, which, &Own::default())?;
    let full = Budget::of(&config.train, prepared.split.train.len());
    let steps = ((search * full.steps as f64).ceil() as u64).max(1);
    let budget = Budget { steps, patience: 0, ..full };
    let job = Job { train: &prepared.split.train, valid: &[], budget, linear: None, ..build.job(prepared) };
    let fitted = fit(&job, &build.start, None, callback)?;
    match fitted.stop_reason {
        StopReason::Diverged(by) => {
            let kept = " of the search for branches; nothing was trained".to_owned();
            return Err(Error::Diverged { by, kept });
        }
        StopReason::Stopped => return Ok(None),
        StopReason::Complete | StopReason::EarlyStopping | StopReason::TimeOver => {}
    }
    let Some(found) = fitted.body.network() else { return Ok(None) };
    let names: Vec<&str> = build.tasks.iter().map(|task| task.name.as_str()).collect();
    let mut settled = config.clone();
    let found: Tree = branch::tree(&found.graph, &found.parameters, &names, config.model.trunk.len());
    settled.model.sharing = Sharing::Tree(found);
    Ok(Some(settled))
}

/// Whether a config leaves something to be searched for.
pub fn is_asked(config: &Config) -> bool {
    matches!(config.model.sharing, Sharing::Branch(_))
}

/// A tree in words, from the inputs up: `a b c | a b, c`.
pub fn in_words(tree: &Tree) -> String {
    let layer = |groups: &Vec<Vec<String>>| groups.iter().map(|group| group.join(" ")).collect::<Vec<_>>().join(", ");
    tree.layers.iter().map(layer).collect::<Vec<_>>().join(" | ")
}
