//! `polytask architectures`

use super::{ConfigArguments, Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::text;
use polytask::share::{ARCHITECTURES, Info, Sharing, build};
use serde::Serialize;
use std::fmt::Write;
use std::path::Path;

/// List the ways to share; with a config, what each would cost there
#[derive(clap::Args)]
pub struct Architectures {
    /// A config, whose data are read for the widths of the inputs
    config: Option<std::path::PathBuf>,
    /// Override a key of the config, for example model.dropout=0.1; may be given several times
    #[arg(long, value_name = "KEY=VALUE", requires = "config")]
    set: Vec<String>,
    /// How to print them
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// An architecture, and what it would cost.
#[derive(Serialize)]
struct Entry {
    #[serde(flatten)]
    info: Info,
    #[serde(flatten)]
    cost: Option<Cost>,
}

/// What a network with the architecture would cost, or why there can be none.
#[derive(Serialize)]
#[serde(untagged)]
enum Cost {
    Network {
        parameters: usize,
        shared_parameters: usize,
        multiply_adds: usize,
        /// Whether it is the config's own, with the keys given there; the others have their defaults.
        chosen: bool,
    },
    Refused {
        refused: String,
    },
}

impl Architectures {
    pub fn run(self) -> Result<(), Failure> {
        let entries = match &self.config {
            None => ARCHITECTURES.iter().map(|info| Entry { info: *info, cost: None }).collect(),
            Some(config) => self.costs(config)?,
        };
        match self.format {
            Format::Json => print_json(&entries),
            Format::Text => print(&report(&entries)),
        }
    }

    fn costs(&self, path: &Path) -> Result<Vec<Entry>, Failure> {
        let arguments = ConfigArguments { config: path.to_owned(), set: self.set.clone(), seed: None, threads: None };
        let mut config = arguments.load()?;
        let prepared = on_threads(None, || polytask::prepare(&config))??;
        let own = config.model.sharing.clone();
        let mut entries = Vec::new();
        for info in ARCHITECTURES {
            let chosen = own.name() == info.name;
            config.model.sharing = if chosen { own.clone() } else { Sharing::named(info.name).unwrap_or_default() };
            let built = config
                .check()
                .map_err(|e| e.to_string())
                .and_then(|()| build(&config.design(&prepared.encoder, &prepared.tasks)).map_err(|e| e.to_string()));
            let cost = match built {
                Ok(graph) => Cost::Network {
                    parameters: graph.parameter_count(),
                    shared_parameters: graph.shared_parameter_count(),
                    multiply_adds: graph.multiply_adds(),
                    chosen,
                },
                Err(refused) => Cost::Refused { refused },
            };
            entries.push(Entry { info: *info, cost: Some(cost) });
        }
        Ok(entries)
    }
}

fn report(entries: &[Entry]) -> String {
    match entries.iter().any(|entry| entry.cost.is_some()) {
        true => priced(entries),
        false => listed(entries),
    }
}

/// Every architecture with when to try it and where it is from.
fn listed(entries: &[Entry]) -> String {
    let names = entries.iter().map(|entry| entry.info.name.len()).max().unwrap_or(0);
    let mut out = String::new();
    for Entry { info, .. } in entries {
        let _ = writeln!(out, "{:names$}  {}", info.name, info.shares);
        let _ = writeln!(out, "{:names$}  {}", "", info.when);
        let _ = writeln!(out, "{:names$}  {}", "", info.paper);
    }
    out.push_str("\n`model.sharing = \"NAME\"` in a config chooses one; `polytask architectures CONFIG` says what each costs there.\n");
    out
}

/// Every architecture with its cost.
fn priced(entries: &[Entry]) -> String {
    let row = |entry: &Entry| match &entry.cost {
        Some(Cost::Network { parameters, shared_parameters, multiply_adds, chosen }) => {
            let name = if *chosen { format!("{} *", entry.info.name) } else { entry.info.name.to_owned() };
            let numbers = [parameters, shared_parameters, multiply_adds].map(|n| text::count(*n));
            std::iter::once(name).chain(numbers).collect()
        }
        _ => [entry.info.name, "-", "-", "-"].map(str::to_owned).to_vec(),
    };
    let table = text::table(
        &["name", "parameters", "shared", "multiply-adds"],
        &entries.iter().map(row).collect::<Vec<Vec<String>>>(),
    );
    let words = std::iter::once("tasks share").chain(entries.iter().map(|entry| match &entry.cost {
        Some(Cost::Refused { refused }) => refused.as_str(),
        _ => entry.info.shares,
    }));
    let width = table.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    let mut out = String::new();
    for (line, words) in table.lines().zip(words) {
        let _ = writeln!(out, "{line:width$}  {words}");
    }
    out.push_str("\n* as in the config; the others with their defaults. Parameters that several tasks learn are shared;\nmultiply-adds are those of one row's prediction.\n");
    out
}
