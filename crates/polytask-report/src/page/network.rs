//! What the model computes with: the network's picture and its layers, the first trees, the members of an ensemble; and the
//! config.

use crate::block::{Block, Figure, Section, Table};
use crate::number::{bytes, count, number};
use crate::run::Run;
use polytask::model::{Body, Ensemble, Network};

/// A larger drawing is left out.
const LARGEST: usize = 300_000;

pub fn section(run: &Run) -> Section {
    match &run.model.body {
        Body::Network(network) => of_network(network),
        Body::Trees(trees) => of_trees(run, trees),
        Body::Ensemble(ensemble) => of_ensemble(run, ensemble),
    }
}

fn of_network(network: &Network) -> Section {
    let mut section = Section::new("network", "The network");
    let svg = network.graph.svg();
    if svg.len() <= LARGEST {
        section.figure(Some(Figure {
            title: "Layers from the inputs to the losses".to_owned(),
            words: "What all tasks share is blue, what belongs to one task has that task's colour; the table beneath names \
                    every layer."
                .to_owned(),
            svg,
            table: None,
        }));
    } else {
        section.text(format!("The drawing of the network is too large for this page ({}).", bytes(svg.len() as u64)));
    }
    section.push(Block::Code { title: "The layers".to_owned(), text: network.graph.text() });
    section
}

/// Trees that are written out.
const SHOWN: usize = 3;

fn of_trees(run: &Run, trees: &polytask_trees::Model) -> Section {
    let mut section = Section::new("trees", "The trees");
    let all = trees.trees();
    let leaves: usize = all.iter().map(polytask_trees::Tree::leaves).sum();
    let depth = all.iter().map(polytask_trees::Tree::depth).max().unwrap_or(0);
    let mut table = Table::numbers("What was grown", &["what", "how much"]);
    table.row(["trees".to_owned(), count(all.len())]);
    table.row(["leaves".to_owned(), count(leaves)]);
    table.row(["questions from the root to the deepest leaf".to_owned(), count(depth)]);
    section.table(table);
    for (i, text) in run.model.trees_as_text(SHOWN).into_iter().enumerate() {
        section.push(Block::Code { title: format!("Tree {}", i + 1), text });
    }
    section
}

/// A line a member, a column a task: how much it counts.
fn of_ensemble(run: &Run, ensemble: &Ensemble) -> Section {
    let mut section = Section::new("ensemble", "What predictions are made of");
    section.text("Each prediction is the weighted mean of these models' predictions; the weights were chosen by rows that the models were not fitted on.".to_owned());
    let names = run.model.tasks.iter().map(|task| task.name.as_str());
    let header: Vec<&str> = ["model", "fits"].into_iter().chain(names).collect();
    let mut table = Table::numbers("Weights of the members", &header);
    for member in &ensemble.members {
        let weight = |task: usize| {
            let own = member.tasks.iter().position(|own| *own == task).and_then(|at| member.weights.get(at));
            own.filter(|weight| **weight > 0.0).map_or("–".to_owned(), |weight| number(*weight))
        };
        let mut row = vec![member.name.clone(), count(member.bodies.len())];
        row.extend((0..run.model.tasks.len()).map(weight));
        table.rows.push(row);
    }
    section.table(table);
    section
}

/// As it was run.
pub fn config(run: &Run) -> Section {
    let mut section = Section::new("config", "The config");
    match run.config_text.is_empty() {
        true => section.text("The directory has no config.toml."),
        false => section.push(Block::Code { title: "As it was run".to_owned(), text: run.config_text.clone() }),
    };
    section
}
