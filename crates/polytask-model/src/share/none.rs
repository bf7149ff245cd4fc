//! Nothing shared: every task has embeddings, a trunk and a head of its own. The measure of all sharing.

use super::{Architecture, Design, Info};
use polytask_graph::GraphBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "none",
    shares: "nothing, not even embeddings",
    when: "as the measure of all sharing: one network a task in one model",
    paper: "-",
};

/// Nothing shared: every task has a network of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Nothing {}

impl Architecture for Nothing {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        for t in 0..design.tasks() {
            let own = design.own(t);
            let x = design.embed(g, inputs, &own);
            let h = design.trunk(g, &format!("{own}trunk"), x);
            design.head(g, t, h);
        }
    }
}
