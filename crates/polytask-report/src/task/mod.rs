//! One task in detail: how its predictions are off. One kind of prediction a file.

mod arcs;
mod classes;
mod confusion;
mod frames;
mod labels;
mod numbers;
mod spans;
mod survival;
mod tokens;
mod worst;

use crate::block::{Block, Figure, Section, Table, slug};
use crate::chart::{Bar, bars};
use crate::context::Context;
use crate::number::{count, maybe, number};
use crate::rows::Measured;
use polytask::importance::TaskImportance;
use polytask::tasks::{Prediction, Truth};

/// The details of one task on the measured rows.
pub fn section(context: &Context<'_>, importance: Option<&TaskImportance>) -> Section {
    let Context { task, measured, .. } = context;
    let mut section = Section::new(format!("task-{}", slug(&task.name)), task.name.clone());
    section.text(format!(
        "{} from the column “{}”, on {} labelled rows.",
        capital(task.kind_name()),
        task.column,
        count(measured.rows.len())
    ));
    section.table(scores(measured));
    match (&measured.truth, &measured.prediction) {
        (_, _) if measured.rows.is_empty() => {}
        (Truth::Numbers(truth), Prediction::Numbers(predicted)) => {
            numbers::details(&mut section, context, truth, predicted);
        }
        (Truth::Classes(truth), Prediction::Classes { labels, probabilities, .. }) => {
            classes::details(&mut section, context, truth, labels, probabilities);
        }
        (Truth::Spans(truth), Prediction::Spans(predicted)) => spans::details(&mut section, context, truth, predicted),
        (Truth::Tokens { offsets, classes }, Prediction::Tokens { labels, classes: predicted }) => {
            tokens::details(&mut section, context, (offsets, classes), labels, predicted);
        }
        (Truth::Flags { values, .. }, Prediction::Labels { labels, probabilities, .. }) => {
            labels::details(&mut section, context, values, labels, probabilities);
        }
        (Truth::Times(seen), prediction @ Prediction::Survival { .. }) => {
            survival::details(&mut section, context, seen, prediction);
        }
        (Truth::Frames(truth), Prediction::Frames(predicted)) => {
            frames::details(&mut section, context, truth, predicted);
        }
        (Truth::Arcs { offsets, heads, relations }, Prediction::Arcs { labels, heads: found, relations: named }) => {
            arcs::details(&mut section, context, (offsets, heads, relations), labels, (found, named));
        }
        _ => {
            section.text("No closer look is known for this kind of task.");
        }
    }
    section.figure(importance.and_then(effects));
    section
}

/// Its metrics with their intervals.
fn scores(measured: &Measured) -> Table {
    let header = ["metric", "score", "95 % interval", "best constant"];
    let mut table = Table::numbers("Scores", &header);
    for score in &measured.scores {
        let interval =
            score.interval.map_or("–".to_owned(), |(low, high)| format!("{} to {}", number(low), number(high)));
        table.row([score.name.to_owned(), number(score.value), interval, maybe(score.constant)]);
    }
    table
}

/// Inputs that are shown at most.
const INPUTS: usize = 20;

/// How much the task leans on each input.
fn effects(importance: &TaskImportance) -> Option<Figure> {
    let of = |(name, drop): (&String, &polytask::importance::Drop)| Bar {
        name: name.clone(),
        value: drop.mean,
        interval: Some((drop.mean - drop.std, drop.mean + drop.std)),
        colour: 0,
    };
    let all: Vec<Bar> = importance.inputs.iter().take(INPUTS).map(of).collect();
    let first = importance.inputs.first()?;
    let title = "What the inputs are worth".to_owned();
    let words = format!(
        "How much worse {} gets when the values of an input are permuted between rows; the bars are the mean, the whiskers \
         one standard deviation over repeats. The most important input is {}, worth {}.",
        importance.metric,
        first.0,
        number(first.1.mean)
    );
    let axis = format!("loss of {}", importance.metric);
    let svg = bars(&title, &words, &axis, &all, false)?;
    let mut table = Table::numbers(title.clone(), &["input", "mean", "deviation"]).folded();
    for (name, drop) in &importance.inputs {
        table.row([name.clone(), number(drop.mean), number(drop.std)]);
    }
    Some(Figure { title, words, svg, table: Some(table) })
}

/// Adds a figure whose drawing may be missing.
fn add(section: &mut Section, title: &str, words: String, svg: Option<String>, table: Option<Table>) {
    if let Some(svg) = svg {
        section.push(Block::Figure(Figure { title: title.to_owned(), words, svg, table }));
    }
}

/// The first letter large.
pub fn capital(text: &str) -> String {
    let mut letters = text.replace('_', " ").chars().collect::<Vec<_>>();
    if let Some(first) = letters.first_mut() {
        *first = first.to_ascii_uppercase();
    }
    letters.into_iter().collect()
}

/// Every so many of `count` places, so that at most `most` are left.
fn thinned(count: usize, most: usize) -> impl Iterator<Item = usize> {
    (0..count).step_by(count.div_ceil(most.max(1)).max(1))
}
