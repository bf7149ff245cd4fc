//! A sharing architecture of one's own: half of the features of a trunk are for all tasks, the other half for the first alone.

use polytask::prelude::*;
use std::error::Error;

struct HalfShared;

static INFO: Info = Info {
    name: "half_shared",
    shares: "half of the features of one trunk",
    when: "one task is harder than the others",
    paper: "none",
};

impl Architecture for HalfShared {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        let inputs = design.inputs(g);
        let x = design.embed(g, inputs, "");
        let h = design.trunk(g, "trunk", x);
        let width = g.shape(h).width();
        let half = g.named("half").slice(h, 0, width / 2);
        for task in 0..design.tasks() {
            design.head(g, task, if task == 0 { h } else { half });
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let x: Vec<f64> = (0..300).map(|i| f64::from(i) / 50.0 - 3.0).collect();
    let line = x.iter().map(|x| 2.0 * x + 1.0).collect();
    let wave = x.iter().map(|x| (3.0 * x).sin()).collect();
    let columns = vec![Column::number("x", x), Column::number("wave", wave), Column::number("line", line)];
    let run = Experiment::from_table(Table::from_columns(columns)?)
        .task("wave", TaskKind::Regression)
        .task("line", TaskKind::Regression)
        .architecture(HalfShared)
        .fit(&mut ())?;
    if let Some(network) = run.model().network() {
        println!("{}", network.graph.text());
    }
    Ok(())
}
