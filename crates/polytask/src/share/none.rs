//! Nothing shared: every task has embeddings, a trunk and a head of its own. The measure of all sharing.

use super::Design;
use polytask_graph::GraphBuilder;

pub(super) fn build(g: &mut GraphBuilder, design: &Design<'_>) {
    let inputs = design.encoder.inputs(g);
    for (task, widths) in &design.tasks {
        let own = format!("tasks.{}.", task.name);
        let x = design.encoder.embed(g, inputs, &own);
        let h = design.layers(g, &format!("{own}trunk"), x, &design.config.trunk);
        design.head(g, h, task, widths);
    }
}
