//! Heads that read other heads: what one task has worked out helps the next (the bayesian network of Meituan's DBMTL,
//! Wang et al. 2019; Ludwig's `dependencies`; the chains of Read et al. 2011).
//!
//! ```text
//! h = trunk(x);  u_t = tower_t([h; what is handed on by the tasks before t]);  y_t = output_t(u_t)
//! ```

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use crate::tasks::Kind;
use indexmap::IndexMap;
use polytask_graph::{Activation, GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "dependent",
    shares: "one trunk; a head also reads what the heads before it have found",
    when: "one task follows from another: a step of a process, a cause, a chain of labels",
    paper: "Wang et al., DBMTL, 2019; Read et al., Machine Learning 85, 2011",
};

/// One trunk, and heads that read what other heads have found (Wang et al. 2019).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Dependent {
    /// The tasks whose heads a task reads: { weight = ["height"] }; tasks that are not named read none. Default: each task
    /// reads all those before it in the config, a chain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<IndexMap<String, Vec<String>>>,
    /// What a head hands on: its "prediction" (a number, a log rate or probabilities), or the "hidden" layer before it.
    /// Default "prediction".
    pub pass: Pass,
    /// Do not let a head learn from those that read it. Default false.
    pub detach: bool,
}

/// What a head hands on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pass {
    /// Its prediction.
    #[default]
    Prediction,
    /// The last hidden layer.
    Hidden,
}

/// By task, the tasks it follows.
type After = IndexMap<String, Vec<String>>;

/// What each task follows, and an order in which all come after what they follow.
pub(super) fn plan(after: Option<&After>, tasks: &[&str]) -> Result<(After, Vec<usize>), Problem> {
    let chain = || {
        let before = |t: usize| tasks[..t].iter().map(|t| (*t).to_owned()).collect();
        (1..tasks.len()).map(|t| (tasks[t].to_owned(), before(t))).collect()
    };
    let after = after.cloned().unwrap_or_else(chain);
    let order = keys::order(&after, tasks)?;
    Ok((after, order))
}

impl Architecture for Dependent {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, _: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        plan(self.after.as_ref(), tasks).map(|_| ())
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let h = design.trunk(g, "trunk", x);
        let (after, order) = design.plan(self.after.as_ref());
        let mut found: Vec<Option<(NodeId, NodeId)>> = vec![None; design.tasks()];
        for t in order {
            let name = design.task(t).name.clone();
            let sources = after.get(&name).into_iter().flatten().filter_map(|source| design.find(source));
            let own = design.seen(g, t, h);
            let mut read = vec![own];
            for source in sources.collect::<Vec<_>>() {
                let Some(found) = found[source] else { continue };
                let handed = self.handed(g, design, &name, source, found);
                let from = format!("heads.{name}.from.{}", design.task(source).name);
                read.push(design.onto(g, &from, handed, own));
            }
            let seen = g.named(format!("heads.{name}.seen")).concat(&read);
            let hidden = design.hidden(g, t, seen);
            found[t] = Some((hidden, design.output(g, t, hidden)));
        }
        let outputs: Vec<NodeId> = found.iter().flatten().map(|(_, output)| *output).collect();
        design.losses(g, &outputs);
    }
}

impl Dependent {
    /// What the head of `source` hands on to that of the task `to`.
    fn handed(
        &self,
        g: &mut GraphBuilder,
        design: &Design<'_>,
        to: &str,
        source: usize,
        (hidden, output): (NodeId, NodeId),
    ) -> NodeId {
        let task = design.task(source);
        let name = format!("heads.{to}.from.{}", task.name);
        let handed = match (self.pass, &task.kind) {
            (Pass::Hidden, _) => {
                if !design.has_tower(source) {
                    let reason = "its head has no hidden layer to hand on: give it one in `model.head`, or set \
                                  `model.sharing.pass = \"prediction\"`";
                    g.refuse(&format!("heads.{}", task.name), reason);
                }
                hidden
            }
            (_, Kind::Senses(_) | Kind::Roles(_) | Kind::Arcs(_)) => {
                let reason = format!(
                    "it predicts {}, which are no features of a token that `{to}` could read; set \
                     `model.sharing.pass = \"hidden\"` with hidden layers in `model.head`, or leave it out of \
                     `model.sharing.after`",
                    if matches!(task.kind, Kind::Arcs(_)) { "trees" } else { "what is said of predicates" }
                );
                g.refuse(&format!("heads.{}", task.name), reason);
                hidden
            }
            (_, Kind::Binary(_)) => g.named(name.clone()).activation(output, Activation::Sigmoid),
            (_, Kind::Category(_)) => g.named(name.clone()).softmax(output),
            (
                _,
                Kind::Regression(_)
                | Kind::Count(_)
                | Kind::Tags(_)
                | Kind::TokenCategory(_)
                | Kind::Multilabel(_)
                | Kind::Predicates(_)
                | Kind::Segmentation(_)
                | Kind::PixelRegression(_)
                | Kind::Ordinal(_)
                | Kind::Survival(_)
                | Kind::Own(_),
            ) => output,
        };
        match self.detach {
            true => g.named(format!("{name}.detached")).stop_gradient(handed),
            false => handed,
        }
    }
}
