//! What is written: `selection.json`, a config a group, pictures, the losses of the joint run.

use super::curve::Point;
use super::error::SelectError;
use super::matrix::Matrix;
use super::measure::Measured;
use super::member::Member;
use super::picture::{groups_svg, heat_svg};
use super::selection::{Selected, group_config};
use super::verify::Verified;
use super::words::summary;
use super::worth::{MOST_TASKS, Set, members, set_of};
use crate::Error;
use indexmap::IndexMap;
use polytask_model::config::Config;
use polytask_model::files::{self, FileError};
use polytask_train::train::{CheckpointError, TrainError};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What a selection is written to in its folder.
pub const SELECTION: &str = "selection.json";
const COST: &str = "cost.json";

/// By task, from and to.
type Pairs = IndexMap<String, IndexMap<String, Option<f64>>>;

/// `selection.json`.
#[derive(Clone, Debug, Serialize)]
pub struct File {
    /// The groups to train, each the tasks that a model is for.
    pub groups: Vec<Vec<String>>,
    /// By group, tasks that it learns for their help alone.
    pub helpers: Vec<Vec<String>>,
    /// Auxiliary tasks that help no group enough.
    pub dropped: Vec<String>,
    /// How many groups.
    pub recommended_k: usize,
    /// Why.
    pub reason: String,
    /// In plain words: who helps whom, who is hurt, what to do.
    pub summary: String,
    /// What groups were judged by.
    pub signal: &'static str,
    /// Relative drop of a task's loss by a step for another.
    pub affinity: Pairs,
    /// Standard error of each.
    pub noise: Pairs,
    /// Cosines of the tasks' gradients over what they share, mean over the looks.
    pub cosine: Pairs,
    /// Mean norms of the tasks' gradients over what they share.
    pub norm: IndexMap<String, Option<f64>>,
    /// The best groups for every number of groups.
    pub curve: Vec<CurvePoint>,
    /// Whether nothing can be better than those.
    pub exact: bool,
    /// What training showed; null where it was not asked for.
    pub verified: Option<Verified>,
}

/// One number of groups.
#[derive(Clone, Debug, Serialize)]
pub struct CurvePoint {
    /// At most so many groups.
    pub k: usize,
    /// The best ones.
    pub groups: Vec<Vec<String>>,
    /// Mean over tasks of what each gains.
    pub gain: f64,
    /// What no groups can exceed; null where nobody knows.
    pub bound: Option<f64>,
    /// What one half of the evidence sees in the other half's choice, with its noise.
    pub crossed: Option<(f64, f64)>,
    /// By how much they are better for their tasks than what else each could do, from -1 to 1.
    pub margin: f64,
    /// Trained scalars of all models.
    pub parameters: usize,
    /// Multiply-adds to predict a row of all tasks.
    pub multiply_adds: usize,
}

impl Selected {
    /// The names of a set.
    pub fn names(&self, set: Set) -> Vec<String> {
        members(set).map(|task| self.tasks[task].clone()).collect()
    }

    /// What `selection.json` says.
    pub fn file(&self) -> File {
        let known = |v: f64| v.is_finite().then_some(v);
        let pairs = |matrix: &Matrix| -> Pairs {
            let to = |from: usize| {
                let others = (0..self.tasks.len()).filter(move |to| *to != from);
                others.map(|to| (self.tasks[to].clone(), known(matrix.at(from, to)))).collect()
            };
            (0..self.tasks.len()).map(|from| (self.tasks[from].clone(), to(from))).collect()
        };
        let used = self.members.iter().fold(0, |used, m| used | m.served | m.helpers);
        let point = |(i, point): (usize, &Point)| CurvePoint {
            k: i + 1,
            groups: point.members.iter().map(|m| self.names(m.served | m.helpers)).collect(),
            gain: point.gain,
            bound: known(point.bound),
            crossed: point.crossed,
            margin: point.margin,
            parameters: self.sizes[i].0,
            multiply_adds: self.sizes[i].1,
        };
        File {
            groups: self.members.iter().map(|m| self.names(m.served)).collect(),
            helpers: self.members.iter().map(|m| self.names(m.helpers)).collect(),
            dropped: self.names(set_of(0..self.tasks.len()) & !used),
            recommended_k: self.members.len(),
            reason: self.reason(),
            summary: summary(self),
            signal: self.signal.name(),
            affinity: pairs(&self.affinity),
            noise: pairs(&self.noise),
            cosine: pairs(&self.gradients),
            norm: (0..self.tasks.len()).map(|t| (self.tasks[t].clone(), known(self.gradients.at(t, t)))).collect(),
            curve: self.curve.points.iter().enumerate().map(point).collect(),
            exact: self.curve.exact,
            verified: self.verified.clone(),
        }
    }
}

/// Writes everything; `selection.json` last, so that it is there only when all is.
pub(super) fn write(selected: &Selected, config: &Config, measured: &Measured, out: &Path) -> Result<(), Error> {
    let groups = out.join("groups");
    files::make_folder(&groups)?;
    remove_old(&groups);
    let anchored = config.anchored();
    let names: Vec<&str> = selected.tasks.iter().map(String::as_str).collect();
    for (i, member) in selected.members.iter().enumerate() {
        let own = member.group().config(&anchored, &names)?;
        files::write(&group_config(out, i), own.to_toml()?.as_bytes())?;
    }
    let mut history = Vec::new();
    for round in &measured.history {
        history.extend_from_slice(&json(round, false)?);
    }
    files::write(&out.join(polytask_model::model::HISTORY), &history)?;
    files::write(&out.join("affinity.svg"), heat_svg(selected).as_bytes())?;
    files::write(&out.join("groups.svg"), groups_svg(selected).as_bytes())?;
    let seconds = selected.verified.as_ref().map(|v| &v.seconds);
    files::write(&out.join(COST), &json(&(selected.cost, seconds), true)?)?;
    files::write(&out.join(SELECTION), &json(&selected.file(), true)?)?;
    Ok(())
}

/// Configs of an older selection, which may have had more groups.
fn remove_old(groups: &Path) {
    for i in 0.. {
        if std::fs::remove_file(groups.join(format!("{i}.toml"))).is_err() {
            return;
        }
    }
}

fn json(value: &impl Serialize, pretty: bool) -> Result<Vec<u8>, Error> {
    let text = if pretty { serde_json::to_vec_pretty(value) } else { serde_json::to_vec(value) };
    let mut text = text.map_err(|e| TrainError::from(CheckpointError::from(e)))?;
    text.push(b'\n');
    Ok(text)
}

/// What training a set of models reads of `selection.json`.
#[derive(Deserialize)]
struct Groups {
    groups: Vec<Vec<String>>,
    #[serde(default)]
    helpers: Vec<Vec<String>>,
}

/// The models that a `selection.json` names, for a config's tasks. Written by hand, `{"groups": [["a", "b"], ["c"]]}` will do.
///
/// # Errors
/// No such file, or not one of these tasks: every task that counts is in one group, and no name is unknown.
pub fn load_groups(path: &Path, tasks: &[(&str, bool)]) -> Result<Vec<Member>, Error> {
    let wrong = |reason: String| Error::Select(SelectError::File { path: path.to_owned(), reason });
    let text = std::fs::read_to_string(path).map_err(|source| FileError::Read { path: path.to_owned(), source })?;
    let file: Groups = serde_json::from_str(&text).map_err(|e| wrong(format!("this is no selection: {e}")))?;
    if tasks.len() > MOST_TASKS {
        return Err(SelectError::TooMany(tasks.len()).into());
    }
    let names: Vec<&str> = tasks.iter().map(|t| t.0).collect();
    let find = |name: &String| {
        let place = tasks.iter().position(|t| t.0 == name);
        let hint = polytask_model::nearest::suggest(name, &names).map_or(String::new(), |hint| format!("; {hint}"));
        place.ok_or_else(|| wrong(format!("it names the task \"{name}\", which the config has not{hint}")))
    };
    let mut models = Vec::new();
    let mut seen: Set = 0;
    for (i, group) in file.groups.iter().enumerate() {
        let served = set_of(group.iter().map(find).collect::<Result<Vec<_>, _>>()?);
        if served == 0 {
            return Err(wrong(format!("its group {} is empty", i + 1)));
        }
        if let Some(task) = members(served & seen).next() {
            return Err(wrong(format!("the task \"{}\" is in two groups", tasks[task].0)));
        }
        seen |= served;
        let helpers =
            file.helpers.get(i).map_or(Ok(0), |all| all.iter().map(find).collect::<Result<Vec<_>, _>>().map(set_of))?;
        models.push(Member { served, helpers: helpers & !served });
    }
    match tasks.iter().enumerate().find(|(i, task)| task.1 && seen >> i & 1 == 0) {
        Some((_, task)) => Err(wrong(format!("the task \"{}\" of the config is in no group", task.0))),
        None => Ok(models),
    }
}
