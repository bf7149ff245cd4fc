//! What a config leaves to be found before training: the branches of [`Branch`].

use crate::Error;
use crate::prepare::Prepared;
use crate::train::{Budget, Callback, Job, StopReason, fit};
use polytask_model::config::{Config, LossConfig};
use polytask_model::model;
use polytask_model::share::{self, Branch, Sharing, Tree, branch};
use polytask_model::tasks::Task;

/// Searches where the config asks for it, and gives the config with what was found in place of the search; none where
/// there is nothing to search for, or where `watch` ended it. `which` of the prepared tasks the model has.
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
    watch: &mut dyn Callback,
) -> Result<Option<Config>, Error> {
    let Sharing::Branch(Branch { search, .. }) = config.model.sharing else { return Ok(None) };
    let tasks: Vec<Task> = which.iter().map(|&t| prepared.tasks[t].clone()).collect();
    let graph = share::build(&config.design(&prepared.encoder, &tasks))?;
    let start = model::start(&graph, &prepared.encoder, &tasks, config.train.seed, None)?;
    let full = Budget::of(&config.train, prepared.split.train.len());
    let steps = ((search * full.steps as f64).ceil() as u64).max(1);
    let (l2, l2_biases) = (config.loss.l2, config.loss.l2_biases);
    let job = Job {
        graph: &graph,
        tasks: &tasks,
        labels: which,
        data: &prepared.data,
        train: &prepared.split.train,
        valid: &[],
        loss: &LossConfig { l2, l2_biases, watch: false, ..LossConfig::default() },
        config: &config.train,
        budget: Budget { steps, patience: 0, ..full },
        linear: None,
    };
    let fitted = fit(&job, &start, None, watch)?;
    match fitted.stop_reason {
        StopReason::Diverged(by) => {
            let kept = " of the search for branches; nothing was trained".to_owned();
            return Err(Error::Diverged { by, kept });
        }
        StopReason::Stopped => return Ok(None),
        StopReason::Complete | StopReason::EarlyStopping => {}
    }
    let names: Vec<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let mut settled = config.clone();
    let found: Tree = branch::tree(&graph, &fitted.parameters, &names, config.model.trunk.len());
    settled.model.sharing = Sharing::Tree(found);
    Ok(Some(settled))
}

/// A tree in words, from the inputs up: `a b c | a b, c`.
pub fn in_words(tree: &Tree) -> String {
    let layer = |groups: &Vec<Vec<String>>| groups.iter().map(|group| group.join(" ")).collect::<Vec<_>>().join(", ");
    tree.layers.iter().map(layer).collect::<Vec<_>>().join(" | ")
}
