//! Events in order: the probability of a later event is that of the earlier one times that of the later given the earlier
//! (ESMM; Ma et al., "Entire Space Multi-Task Model", SIGIR 2018).
//!
//! ```text
//! p_click = sigmoid(head_click(h));   p_buy = p_click * sigmoid(head_buy(h))
//! ```
//!
//! Every row counts for both: `head_buy` learns a conditional probability without a label of its own, and without the
//! bias of learning from clicks alone. The label of the later task is the event itself, 0 where the earlier did not happen.

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::section::Problem;
use crate::tasks::Kind;
use indexmap::IndexMap;
use polytask_graph::{GraphBuilder, NodeId};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A conditional probability that a head starts at, at least; and at most 1 less this.
const LEAST: f64 = 1e-3;

pub(super) const INFO: Info = Info {
    name: "esmm",
    shares: "one trunk; the probability of an event is the product of those on the way to it",
    when: "binary tasks that only happen in order: shown, clicked, bought",
    paper: "Ma et al., SIGIR 2018",
};

/// Binary tasks that happen in order, each the product of the one before and its own conditional probability (Ma et al.
/// 2018).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Esmm {
    /// The event that each event needs: { buy = "click" }; tasks that are not named need none. Default: each task needs the
    /// one before it in the config.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<IndexMap<String, String>>,
}

/// The single task that each follows, as a list; by default the one before it.
pub(super) fn steps(after: Option<&IndexMap<String, String>>, tasks: &[&str]) -> IndexMap<String, Vec<String>> {
    match after {
        Some(after) => after.iter().map(|(task, source)| (task.clone(), vec![source.clone()])).collect(),
        None => tasks.windows(2).map(|pair| (pair[1].to_owned(), vec![pair[0].to_owned()])).collect(),
    }
}

/// Refuses tasks that are no events.
pub(super) fn only_events(g: &mut GraphBuilder, design: &Design<'_>, tasks: &[usize], method: &str) {
    for task in tasks.iter().map(|&t| design.task(t)) {
        if !matches!(task.kind, Kind::Binary(_)) {
            let reason = format!(
                "\"{method}\" puts the probabilities of binary tasks in order, and this is a {} task; name the tasks \
                 that follow each other in `model.sharing.after`",
                task.kind_name()
            );
            g.refuse(&format!("heads.{}", task.name), reason);
        }
    }
}

impl Architecture for Esmm {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, _: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        keys::order(&steps(self.after.as_ref(), tasks), tasks).map(|_| ())
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let h = design.trunk(g, "trunk", x);
        let (after, order) = design.plan(Some(&steps(self.after.as_ref(), &design.names())));
        let mut events: Vec<Vec<NodeId>> = vec![Vec::new(); design.tasks()];
        let mut outputs = vec![h; design.tasks()];
        for t in order {
            let name = design.task(t).name.clone();
            let hidden = design.tower(g, t, h);
            let own = design.output(g, t, hidden);
            let source = after.get(&name).and_then(|sources| design.find(sources.first()?));
            if let Some(source) = source {
                only_events(g, design, &[source, t], INFO.name);
                design.start(g, t, &[log_odds_after(design, source, t)]);
                events[t] = events[source].clone();
            }
            events[t].push(own);
            outputs[t] = g.named(format!("heads.{name}.event")).all_of(&events[t]);
        }
        design.losses(g, &outputs);
    }
}

/// The log odds of an event among the rows that had the one before it, by the shares of both in the training rows.
fn log_odds_after(design: &Design<'_>, source: usize, task: usize) -> f32 {
    let share = |t: usize| {
        let log_odds = design.task(t).outcome().initial_bias().first().map_or(0.0, |z| f64::from(*z));
        1.0 / (1.0 + (-log_odds).exp())
    };
    let ratio = (share(task) / share(source)).clamp(LEAST, 1.0 - LEAST);
    (ratio / (1.0 - ratio)).ln() as f32
}
