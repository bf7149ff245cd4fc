//! Several runs side by side.

use super::comparison::verdicts;
use crate::block::{Figure, Section, Table};
use crate::chart::{Axes, Bar, Line, bars, lines};
use crate::number::{bytes, count, maybe, number, seconds};
use crate::run::Run;
use polytask::metric::Better;

pub fn sections(runs: &[Run]) -> Vec<Section> {
    let names = names(runs);
    let mut overview = Section::new("overview", "Overview");
    for (run, name) in runs.iter().zip(&names) {
        run.notes.iter().for_each(|note| {
            overview.note(format!("{name}: {note}"));
        });
    }
    overview.text(
        "Scores are those that each run's training left, on the test rows of its own config: they compare only where \
                   data and split are the same.",
    );
    overview.table(costs(runs, &names)).table(settings(runs, &names));
    vec![overview, scores(runs, &names), curves(runs, &names)]
        .into_iter()
        .filter(|section| !section.is_empty())
        .collect()
}

/// Names of the directories, with their paths where two are called the same.
fn names(runs: &[Run]) -> Vec<String> {
    let short: Vec<String> = runs.iter().map(Run::name).collect();
    let twice = |name: &String| short.iter().filter(|other| *other == name).count() > 1;
    let full = |(run, name): (&Run, &String)| if twice(name) { run.folder.display().to_string() } else { name.clone() };
    runs.iter().zip(&short).map(full).collect()
}

/// The tasks of all runs, in the order of their first appearance, with the metric that stands for them.
fn tasks(runs: &[Run]) -> Vec<(&str, &'static str, Better)> {
    let mut all: Vec<(&str, &'static str, Better)> = Vec::new();
    for task in runs.iter().flat_map(|run| &run.model.tasks) {
        if !all.iter().any(|(name, ..)| *name == task.name) {
            let (metric, better) = task.outcome().primary();
            all.push((&task.name, metric, better));
        }
    }
    all
}

fn scores(runs: &[Run], names: &[String]) -> Section {
    let mut section = Section::new("scores", "Scores");
    let header: Vec<&str> =
        ["task", "metric"].into_iter().chain(names.iter().map(String::as_str)).chain(["best"]).collect();
    let mut table = Table::new("Scores of every run", &header);
    let value = |run: &Run, task: &str, metric: &str| run.metrics.get(task)?.get(metric).copied();
    for (task, metric, better) in tasks(runs) {
        let own: Vec<Option<f64>> = runs.iter().map(|run| value(run, task, metric)).collect();
        let mut best: Option<(usize, f64)> = None;
        for (i, score) in own.iter().enumerate() {
            if let Some(score) = score
                && best.is_none_or(|(_, old)| better.improves(*score, old))
            {
                best = Some((i, *score));
            }
        }
        let best = best.map_or("–".to_owned(), |(i, _)| names[i].clone());
        let cells = own.iter().map(|score| maybe(*score));
        table.rows.push([task.to_owned(), metric.to_owned()].into_iter().chain(cells).chain([best]).collect());
        let bars_: Vec<Bar> = names
            .iter()
            .zip(&own)
            .enumerate()
            .filter_map(|(i, (name, score))| {
                Some(Bar { name: name.clone(), value: (*score)?, interval: None, colour: i })
            })
            .collect();
        let title = format!("{task}: {metric}");
        let text = format!(
            "{} of {task} by run; {} is better.",
            metric,
            if better == Better::Higher { "higher" } else { "lower" }
        );
        let svg = bars(&title, &text, metric, &bars_, false);
        section.figure(svg.map(|svg| Figure { title, words: text, svg, table: None }));
    }
    section.blocks.insert(0, crate::block::Block::Table(table));
    let mut said = Table::new("Did sharing help?", &["run", "task", "sharing"]);
    for (run, name) in runs.iter().zip(names) {
        for (task, verdict) in run.comparison.iter().flat_map(|text| verdicts(text)) {
            said.row([name.clone(), task, verdict]);
        }
    }
    section.table(said);
    section
}

/// The criterion and the losses over training.
fn curves(runs: &[Run], names: &[String]) -> Section {
    let mut section = Section::new("learning", "How training went");
    for (task, ..) in tasks(runs) {
        let line = |(i, (run, name)): (usize, (&Run, &String))| {
            let loss = |round: &polytask::train::Round| {
                Some((round.epoch as f64, *round.valid.get(task).or_else(|| round.train.get(task))?))
            };
            Line::new(name.clone(), i, run.history.iter().filter_map(loss).collect())
        };
        let series: Vec<Line> = runs.iter().zip(names).enumerate().map(line).collect();
        let title = format!("Loss of {task}");
        let text =
            "The loss on the validation rows (training rows where there are none) over the epochs, a line a run.";
        let svg = lines(&title, text, Axes { x: "epoch", y: "loss", ..Axes::default() }, &series);
        let mut table = Table::numbers(title.clone(), &["run", "first", "lowest", "last"]).folded();
        for line in &series {
            let values = || line.points.iter().map(|point| point.1);
            let lowest = values().fold(f64::INFINITY, f64::min);
            table.row([line.name.clone(), maybe(values().next()), number(lowest), maybe(values().next_back())]);
        }
        section.figure(svg.map(|svg| Figure { title, words: text.to_owned(), svg, table: Some(table) }));
    }
    section
}

fn costs(runs: &[Run], names: &[String]) -> Table {
    let header = ["run", "parameters", "multiply-adds a row", "training", "steps", "memory"];
    let mut table = Table::numbers("What they took", &header);
    for (run, name) in runs.iter().zip(names) {
        let info = run.info.as_ref();
        table.row([
            name.clone(),
            count(run.model.body.parameter_count()),
            run.model.network().map_or("–".to_owned(), |network| count(network.graph.multiply_adds())),
            info.map_or("–".to_owned(), |info| seconds(info.seconds)),
            info.map_or("–".to_owned(), |info| count(info.steps as usize)),
            info.and_then(|info| info.peak_memory).map_or("–".to_owned(), bytes),
        ]);
    }
    table
}

/// Keys of the configs that differ.
fn settings(runs: &[Run], names: &[String]) -> Table {
    let header: Vec<&str> = std::iter::once("key").chain(names.iter().map(String::as_str)).collect();
    let mut table = Table::new("Where their configs differ", &header);
    let configs: Vec<std::collections::BTreeMap<String, String>> = runs
        .iter()
        .map(|run| {
            let mut keys = std::collections::BTreeMap::new();
            let value = run.config.as_ref().and_then(|config| serde_json::to_value(config).ok());
            flatten(&mut keys, "", &value.unwrap_or_default());
            keys
        })
        .collect();
    let all: std::collections::BTreeSet<&String> = configs.iter().flat_map(|keys| keys.keys()).collect();
    for key in all {
        let values: Vec<Option<&String>> = configs.iter().map(|keys| keys.get(key)).collect();
        if values.iter().any(|value| *value != values[0]) {
            let cells = values.iter().map(|value| value.map_or("–".to_owned(), |value| value.clone()));
            table.rows.push(std::iter::once(key.clone()).chain(cells).collect());
        }
    }
    table
}

fn flatten(into: &mut std::collections::BTreeMap<String, String>, key: &str, value: &serde_json::Value) {
    match value {
        serde_json::Value::Object(map) => {
            for (name, value) in map {
                let key = if key.is_empty() { name.clone() } else { format!("{key}.{name}") };
                flatten(into, &key, value);
            }
        }
        serde_json::Value::Null => {}
        other => {
            into.insert(key.to_owned(), crate::number::shorten(&other.to_string(), 60));
        }
    }
}
