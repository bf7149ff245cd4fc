//! The network's picture, its layers, and the config.

use crate::block::{Block, Figure, Section};
use crate::number::bytes;
use crate::run::Run;

/// A larger drawing is left out.
const LARGEST: usize = 300_000;

pub fn section(run: &Run) -> Section {
    let mut section = Section::new("network", "The network");
    let svg = run.model.graph.svg();
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
    section.push(Block::Code { title: "The layers".to_owned(), text: run.model.graph.text() });
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
