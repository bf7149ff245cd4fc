//! Joint against one model a task, from what `polytask compare` wrote.

use crate::block::{Figure, Section, Table};
use crate::chart::{Axes, Bar, Line, bars, lines};
use crate::number::{count, maybe, number, percent, seconds};
use crate::run::Run;
use indexmap::IndexMap;
use serde::Deserialize;

/// What is read of a comparison; what other versions write beside it is passed over.
#[derive(Deserialize)]
struct Comparison {
    tasks: IndexMap<String, Task>,
    #[serde(default)]
    ways: IndexMap<String, Way>,
    #[serde(default)]
    front: Vec<Point>,
    #[serde(default)]
    shares: Vec<Share>,
    #[serde(default)]
    families: Option<Families>,
    /// None of trees and ensembles.
    steps: Option<u64>,
    seeds: Vec<u64>,
    delta_m: f64,
}

#[derive(Deserialize)]
struct Families {
    pairs: IndexMap<String, IndexMap<String, Pair>>,
    best: IndexMap<String, Best>,
}

#[derive(Deserialize)]
struct Best {
    candidate: String,
    joint: bool,
    score: f64,
}

#[derive(Deserialize)]
struct Task {
    metric: String,
    joint: IndexMap<String, f64>,
    single: IndexMap<String, f64>,
    linear: Option<IndexMap<String, f64>>,
    #[serde(flatten)]
    contrast: Contrast,
    groups: Option<Groups>,
}

#[derive(Deserialize)]
struct Groups {
    scores: IndexMap<String, f64>,
    #[serde(flatten)]
    contrast: Contrast,
}

#[derive(Deserialize)]
struct Contrast {
    difference: f64,
    margin: Option<f64>,
    p_adjusted: Option<f64>,
    verdict: String,
}

#[derive(Deserialize)]
struct Way {
    models: Vec<Vec<String>>,
    parameters: usize,
    multiply_adds: f64,
    predict_microseconds: f64,
    seconds: f64,
}

#[derive(Deserialize)]
struct Point {
    name: String,
    scores: IndexMap<String, f64>,
    dominated_by: Vec<String>,
}

#[derive(Deserialize)]
struct Share {
    share: f64,
    tasks: IndexMap<String, SharePoint>,
}

#[derive(Deserialize)]
struct SharePoint {
    labels: usize,
    #[serde(flatten)]
    scores: Pair,
}

/// Both ways of a task.
#[derive(Deserialize)]
struct Pair {
    metric: String,
    joint: Option<f64>,
    joint_std: Option<f64>,
    single: Option<f64>,
    single_std: Option<f64>,
    #[serde(flatten)]
    contrast: Contrast,
}

pub fn section(run: &Run) -> Option<Section> {
    let mut section = Section::new("sharing", "Did sharing help?");
    let Some(text) = &run.comparison else {
        section.text("Not measured. “polytask compare CONFIG --out DIR/compare.json”, with this directory as DIR, trains one model \
                      a task beside the joint one, and the next report shows what came of it.");
        return (run.model.tasks.len() > 1).then_some(section);
    };
    match serde_json::from_str::<Comparison>(text) {
        Ok(comparison) => fill(&mut section, &comparison),
        Err(error) => {
            section.note(format!("The comparison cannot be read: {error}."));
        }
    }
    Some(section)
}

/// A verdict in words.
fn words(verdict: &str) -> &str {
    match verdict {
        "helped" => "helped",
        "hurt" => "hurt",
        "no_difference" => "no difference beyond the noise",
        "unknown" => "one seed cannot tell",
        other => other,
    }
}

/// The colour of a verdict.
fn colour(verdict: &str) -> usize {
    match verdict {
        "helped" => 1,
        "hurt" => 2,
        _ => 7,
    }
}

fn fill(section: &mut Section, comparison: &Comparison) {
    let tasks = &comparison.tasks;
    let with = |verdict: &str| -> Vec<&str> {
        let chosen = tasks.iter().filter(|(_, task)| task.contrast.verdict == verdict);
        chosen.map(|(name, _)| name.as_str()).collect()
    };
    let said = |verdict: &str, what: &str| {
        let names = with(verdict);
        (!names.is_empty()).then(|| format!("{what} {}", names.join(", ")))
    };
    let said: Vec<String> = [
        said("helped", "helped"),
        said("hurt", "hurt"),
        said("no_difference", "made no difference beyond the noise to"),
    ]
    .into_iter()
    .flatten()
    .collect();
    let summary = if said.is_empty() {
        "One seed cannot tell".to_owned()
    } else {
        format!("Learning jointly {}", said.join("; it "))
    };
    section.text(format!(
        "{summary}. Mean relative change over the tasks: {:+.2} %. Measured on the test rows with {} seeds{}; the \
         verdicts go by p values corrected for the number of tasks (Holm), which count the noise of seeds and of test rows.",
        comparison.delta_m,
        comparison.seeds.len(),
        comparison.steps.map_or(String::new(), |steps| format!(", {} steps each", count(steps as usize)))
    ));
    let mut table = Table::new(
        "Joint against one model a task",
        &["task", "metric", "linear", "independent", "joint", "joint better by", "p", "sharing"],
    );
    let mut all = Vec::new();
    for (name, task) in tasks {
        let of = |side: &IndexMap<String, f64>| maybe(side.get(&task.metric).copied());
        table.row([
            name.clone(),
            task.metric.clone(),
            task.linear.as_ref().map_or("–".to_owned(), of),
            of(&task.single),
            of(&task.joint),
            better(&task.contrast),
            maybe(task.contrast.p_adjusted),
            words(&task.contrast.verdict).to_owned(),
        ]);
        let (value, margin) = (task.contrast.difference, task.contrast.margin.unwrap_or(0.0));
        all.push(Bar {
            name: format!("{name} ({})", task.metric),
            value,
            interval: Some((value - margin, value + margin)),
            colour: colour(&task.contrast.verdict),
        });
    }
    let title = "What sharing did to each task";
    let text = "How much better the joint model is than one of the task alone, in units of the task's metric, with the 95 % \
                interval. Green: helped; red: hurt; grey: no difference beyond the noise.";
    match bars(title, text, "joint better by", &all, true) {
        Some(svg) => section.figure(Some(Figure { title: title.into(), words: text.into(), svg, table: Some(table) })),
        None => section.table(table),
    };
    if let Some(told) = &comparison.families {
        families(section, told);
    }
    section.table(groups(tasks)).table(ways(&comparison.ways));
    curves(section, comparison);
    front(section, comparison);
}

fn better(contrast: &Contrast) -> String {
    let margin = contrast.margin.map_or(String::new(), |margin| format!(" ± {}", number(margin)));
    format!("{}{margin}", number(contrast.difference))
}

/// What sharing did in each family, and which family suits each task.
fn families(section: &mut Section, families: &Families) {
    let header = ["family", "task", "metric", "independent", "joint", "joint better by", "p", "sharing"];
    let mut table = Table::new("In each family", &header);
    for (candidate, tasks) in &families.pairs {
        for (task, pair) in tasks {
            table.row([
                candidate.clone(),
                task.clone(),
                pair.metric.clone(),
                maybe(pair.single),
                maybe(pair.joint),
                better(&pair.contrast),
                maybe(pair.contrast.p_adjusted),
                words(&pair.contrast.verdict).to_owned(),
            ]);
        }
    }
    section.table(table);
    let best = |(task, best): (&String, &Best)| {
        let way = if best.joint { "joint" } else { "independent" };
        format!("{task}: {}, {way} ({})", best.candidate, number(best.score))
    };
    let best: Vec<String> = families.best.iter().map(best).collect();
    section.text(format!("Best family on these test rows: {}.", best.join("; ")));
}

fn groups(tasks: &IndexMap<String, Task>) -> Table {
    let mut table = Table::new(
        "Each task in its group",
        &["task", "metric", "independent", "in its group", "better by", "p", "the group"],
    );
    for (name, task) in tasks {
        if let Some(groups) = &task.groups {
            table.row([
                name.clone(),
                task.metric.clone(),
                maybe(task.single.get(&task.metric).copied()),
                maybe(groups.scores.get(&task.metric).copied()),
                better(&groups.contrast),
                maybe(groups.contrast.p_adjusted),
                words(&groups.contrast.verdict).to_owned(),
            ]);
        }
    }
    table
}

/// What each way costs.
fn ways(ways: &IndexMap<String, Way>) -> Table {
    let header = ["all tasks", "models", "parameters", "training", "multiply-adds a row", "µs a row"];
    let mut table = Table::numbers("What each way costs", &header);
    for (name, way) in ways {
        table.row([
            if name == "single" { "independent".to_owned() } else { name.clone() },
            count(way.models.len()),
            count(way.parameters),
            seconds(way.seconds),
            count(way.multiply_adds.round() as usize),
            number(way.predict_microseconds),
        ]);
    }
    table
}

/// Scores by the share of the labels.
fn curves(section: &mut Section, comparison: &Comparison) {
    if comparison.shares.len() < 2 {
        return;
    }
    for name in comparison.tasks.keys() {
        let points: Vec<(f64, &SharePoint)> =
            comparison.shares.iter().filter_map(|share| Some((share.share, share.tasks.get(name)?))).collect();
        let Some((_, first)) = points.first() else { continue };
        let line = |title: &str, colour: usize, of: fn(&SharePoint) -> (Option<f64>, Option<f64>)| {
            let known = points
                .iter()
                .filter_map(|(share, point)| Some((100.0 * share, of(point).0?, of(point).1.unwrap_or(0.0))));
            let (places, errors) = known.map(|(x, y, e)| ((x, y), e)).unzip();
            Line { errors, ..Line::new(title, colour, places) }
        };
        let series = [
            line("joint", 0, |point| (point.scores.joint, point.scores.joint_std)),
            line("independent", 3, |point| (point.scores.single, point.scores.single_std)),
        ];
        let title = format!("{name} with fewer labels");
        let verdicts: Vec<String> = points
            .iter()
            .filter(|(_, point)| {
                point.scores.contrast.verdict != "no_difference" && point.scores.contrast.verdict != "unknown"
            })
            .map(|(share, point)| format!("{} at {}", words(&point.scores.contrast.verdict), percent(*share)))
            .collect();
        let told = if verdicts.is_empty() {
            "no difference beyond the noise at any share".to_owned()
        } else {
            format!("sharing {}", verdicts.join(", "))
        };
        let text = format!(
            "{} by the share of the labels that training and validation had, with one standard deviation over seeds: {told}.",
            first.scores.metric
        );
        let header = ["share", "labels", "independent", "joint", "joint better by", "sharing"];
        let mut table = Table::numbers(title.clone(), &header).folded();
        for (share, point) in &points {
            table.row([
                percent(*share),
                count(point.labels),
                maybe(point.scores.single),
                maybe(point.scores.joint),
                better(&point.scores.contrast),
                words(&point.scores.contrast.verdict).to_owned(),
            ]);
        }
        let axes = Axes { x: "labels, %", y: &first.scores.metric, log_x: true, ..Axes::default() };
        let svg = lines(&title, &text, axes, &series);
        section.figure(svg.map(|svg| Figure { title, words: text, svg, table: Some(table) }));
    }
}

/// Trade-offs.
fn front(section: &mut Section, comparison: &Comparison) {
    let verdict = |verdict: &str| comparison.tasks.values().any(|task| task.contrast.verdict == verdict);
    if comparison.front.len() < 3 && !(verdict("helped") && verdict("hurt")) {
        return;
    }
    let tasks: Vec<&String> = comparison.tasks.keys().collect();
    let header: Vec<&str> =
        std::iter::once("way").chain(tasks.iter().map(|task| task.as_str())).chain(["dominated by"]).collect();
    let mut table = Table::new("Trade-offs between the tasks", &header);
    for point in &comparison.front {
        let scores = tasks.iter().map(|task| maybe(point.scores.get(*task).copied()));
        let by = if point.dominated_by.is_empty() { "–".to_owned() } else { point.dominated_by.join(", ") };
        table.rows.push(std::iter::once(point.name.clone()).chain(scores).chain([by]).collect());
    }
    section.text("Where tasks pull against each other, no way is best for all: a way is dominated by one that is nowhere worse and \
                  somewhere better, by the means alone.");
    section.table(table);
    // Relative to alone, so that tasks of different metrics go into one picture.
    let Some(single) = comparison.front.iter().find(|point| point.name == "single") else { return };
    let series: Vec<Line> = comparison
        .front
        .iter()
        .enumerate()
        .map(|(i, point)| {
            let change = |(t, task): (usize, &&String)| {
                let (own, base) = (*point.scores.get(*task)?, *single.scores.get(*task)?);
                (base != 0.0).then(|| (t as f64 + 1.0, 100.0 * (own - base) / base.abs()))
            };
            Line::new(point.name.clone(), i, tasks.iter().enumerate().filter_map(change).collect())
        })
        .collect();
    let title = "Every way, task by task".to_owned();
    let text = format!(
        "Change of each task's metric against one model a task, in percent of it, a line a way. The tasks, from left: {}. For \
         metrics that are errors, lower is better.",
        tasks.iter().map(|task| task.as_str()).collect::<Vec<_>>().join(", ")
    );
    let axes = Axes { x: "task", y: "change, %", mark: Some(0.0), ..Axes::default() };
    let svg = lines(&title, &text, axes, &series);
    section.figure(svg.map(|svg| Figure { title, words: text, svg, table: None }));
}

/// The verdict on each task, for other pages.
pub fn verdicts(text: &str) -> IndexMap<String, String> {
    let tasks = serde_json::from_str::<Comparison>(text).map(|comparison| comparison.tasks).unwrap_or_default();
    tasks.into_iter().map(|(name, task)| (name, words(&task.contrast.verdict).to_owned())).collect()
}
