//! Hard sharing: one trunk for all tasks, a head for each (Caruana, "Multitask Learning", Machine Learning 28, 1997).
//!
//! ```text
//! h = trunk(x);  y_t = head_t(h)
//! ```

use super::Design;
use polytask_graph::GraphBuilder;

pub(super) fn build(g: &mut GraphBuilder, design: &Design<'_>) {
    let x = design.encoder.inputs(g);
    let x = design.encoder.embed(g, x, "");
    let h = design.layers(g, "trunk", x, &design.config.trunk);
    for (task, widths) in &design.tasks {
        design.head(g, h, task, widths);
    }
}
