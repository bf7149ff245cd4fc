//! `polytask show`

use super::{ConfigArguments, on_threads, print, print_json};
use crate::failure::Failure;
use clap::ValueEnum;
use indexmap::IndexMap;
use polytask::config::Family;
use polytask::model::{Body, Model};
use polytask::share;
use polytask::{Error, Experiment};
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
        match self.of.config.is_dir() {
            true => self.model(&Model::load(&self.of.config)?),
            false => self.planned(),
        }
    }

    fn network(&self, graph: &Graph) -> Result<(), Failure> {
        match self.format {
            Picture::Text => print(&graph.text()),
            Picture::Svg => print(&graph.svg()),
            Picture::Json => print_json(&graph),
        }
    }

    /// What a trained model computes with.
    fn model(&self, model: &Model) -> Result<(), Failure> {
        let names: Vec<&str> = model.tasks.iter().map(|task| task.name.as_str()).collect();
        match (&model.body, self.format) {
            (Body::Network(network), _) => self.network(&network.graph),
            (Body::Trees(trees), Picture::Json) => print_json(trees),
            (Body::Trees(_), Picture::Text) => print(&model.trees_as_text(usize::MAX).join("\n")),
            (Body::Ensemble(ensemble), Picture::Text) => print(&ensemble.text(&names)),
            (Body::Ensemble(ensemble), Picture::Json) => {
                let of = |(task, name): (usize, &&str)| {
                    let parts = ensemble.of_task(task).into_iter().map(|(name, weight)| (name.to_owned(), weight));
                    ((*name).to_owned(), parts.collect::<IndexMap<String, f64>>())
                };
                print_json(&names.iter().enumerate().map(of).collect::<IndexMap<_, _>>())
            }
            (Body::Trees(_) | Body::Ensemble(_), Picture::Svg) => Err(Failure::NoPicture(model.body.family())),
        }
    }

    /// What a config describes.
    fn planned(&self) -> Result<(), Failure> {
        let config = self.of.load()?;
        let prepared = on_threads(self.of.threads, || polytask::prepare(&config))??;
        prepared.notes.iter().for_each(|note| crate::text::note(note));
        match (config.family(&prepared.encoder, &prepared.tasks), self.format) {
            (Family::Network | Family::Auto, _) => {
                let design = config.design(&prepared.encoder, &prepared.tasks);
                self.network(&share::build(&design).map_err(Error::from)?)
            }
            (Family::Trees, Picture::Text) => print("trees, which are grown by the data\n"),
            (Family::Ensemble, Picture::Text) => {
                let plan = Experiment::new(config).plan(&prepared, &mut ())?.ok_or(polytask::FitError::Stopped)?;
                let names = plan.candidates(&prepared).into_iter().map(|name| format!("  {name}\n"));
                print(&format!("an ensemble that chooses among\n{}", names.collect::<String>()))
            }
            (family @ (Family::Trees | Family::Ensemble), Picture::Svg | Picture::Json) => {
                Err(Failure::NoPicture(family.word()))
            }
        }
    }
}
