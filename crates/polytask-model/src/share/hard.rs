//! Hard sharing: one trunk for all tasks, a head for each (Caruana, "Multitask Learning", Machine Learning 28, 1997).
//!
//! ```text
//! h = trunk(x);  y_t = head_t(h)
//! ```

use super::{Architecture, Design, Info};
use polytask_graph::GraphBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "hard",
    shares: "one trunk, a head for each task",
    when: "first, always: fewest parameters, fastest, and hard to beat where tasks are related",
    paper: "Caruana, Machine Learning 28, 1997",
};

/// One trunk for all tasks, a head for each (Caruana 1997).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hard {}

impl Architecture for Hard {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let h = design.trunk(g, "trunk", x);
        design.heads(g, &vec![h; design.tasks()]);
    }
}
