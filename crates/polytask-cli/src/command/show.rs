//! `polytask show`

use super::{ConfigArguments, on_threads, print, print_json};
use crate::failure::Failure;
use clap::ValueEnum;
use polytask::Error;
use polytask::model::Model;
use polytask::share;
use polytask_graph::Graph;

/// Show the network of a config or of a trained model: its layers, and whose losses each learns from
#[derive(clap::Args)]
pub struct Show {
    /// A config, whose data are read for the widths of the inputs, or a model directory
    #[command(flatten)]
    of: ConfigArguments,
    /// How to show it
    #[arg(long, value_enum, default_value = "text")]
    format: Picture,
}

/// How a network is shown.
#[derive(Clone, Copy, ValueEnum)]
enum Picture {
    /// A table of its layers
    Text,
    /// A drawing: what is shared in blue, what belongs to one task in that task's colour
    Svg,
    /// The graph itself
    Json,
}

impl Show {
    pub fn run(self) -> Result<(), Failure> {
        let graph = match self.of.config.is_dir() {
            true => Model::load(&self.of.config)?.graph,
            false => self.graph()?,
        };
        match self.format {
            Picture::Text => print(&graph.text()),
            Picture::Svg => print(&graph.svg()),
            Picture::Json => print_json(&graph),
        }
    }

    /// The network that a config describes.
    fn graph(&self) -> Result<Graph, Failure> {
        let config = self.of.load()?;
        let prepared = on_threads(self.of.threads, || polytask::prepare(&config))??;
        prepared.notes.iter().for_each(|note| say!("note: {note}"));
        let design = config.design(&prepared.encoder, &prepared.tasks);
        Ok(share::build(&design).map_err(Error::from)?)
    }
}
