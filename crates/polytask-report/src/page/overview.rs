//! What was trained on what, and how good it is.

use crate::block::{Figure, Section, Table};
use crate::chart::{Bar, bars};
use crate::number::{bytes, count, maybe, number, percent, seconds};
use crate::rows::Rows;
use crate::run::Run;
use polytask::importance::Importance;
use polytask::train::Round;

pub fn section(run: &Run, rows: &Result<Rows, String>, importance: Option<&Importance>) -> Section {
    let mut section = Section::new("overview", "Overview");
    section.text(what(run));
    run.notes.iter().for_each(|note| {
        section.note(note.clone());
    });
    match rows {
        Ok(rows) => {
            measured(&mut section, run, rows);
            rows.notes.iter().for_each(|note| {
                section.note(note.clone());
            });
            if let Some(changed) = changed(run, rows) {
                section.note(changed);
            }
        }
        Err(reason) => {
            section.note(format!(
                "The test rows cannot be read any more, so what would be measured on them is left out: {reason}. With \
                 --data FILE the report measures the rows of that file."
            ));
            section.table(kept(run));
        }
    }
    section.table(labels(run)).table(cost(run));
    if let Some(importance) = importance {
        let out = match importance.left_out.is_empty() {
            true => String::new(),
            false => format!(" Not permuted: {}.", importance.left_out.join(", ")),
        };
        section.text(format!(
            "What the inputs are worth (task by task below) was measured on {} rows, the values of each input permuted between them {} times. \
             Inputs that tell the same have little worth each.{out}",
            count(importance.rows),
            importance.repeats
        ));
    }
    section
}

/// A sentence of what was trained.
fn what(run: &Run) -> String {
    let model = &run.model;
    let inputs: Vec<&str> = model.encoder.inputs.iter().map(|input| input.column.as_str()).collect();
    let listed = match inputs.len() {
        0..=12 => inputs.join(", "),
        more => format!("{} and {} more", inputs[..10].join(", "), more - 10),
    };
    let tasks: Vec<String> =
        model.tasks.iter().map(|task| format!("{} ({})", task.name, task.kind_name().replace('_', " "))).collect();
    let shared = run.config.as_ref().map_or(String::new(), |config| {
        let balance = match config.model.sharing.linear() {
            Some(_) => String::new(),
            None => format!(", balanced by “{}”", config.loss.balance.method),
        };
        format!(" Sharing: “{}”{balance}, seed {}.", config.model.sharing.name(), config.train.seed)
    });
    let data = run.config.as_ref().map_or(String::new(), |config| format!(" Data: {}.", config.data.path));
    format!(
        "{} input{} ({listed}) → {}.{data}{shared}",
        inputs.len(),
        if inputs.len() == 1 { "" } else { "s" },
        tasks.join(", ")
    )
}

/// Scores with intervals.
fn measured(section: &mut Section, run: &Run, rows: &Rows) {
    section.text(format!(
        "Measured on {}, {} of them. An interval tells what other rows of the same kind might have given (95 %, bootstrap \
         over the rows); it does not tell what another seed might have given.",
        rows.what,
        count(rows.rows.len())
    ));
    let header = ["task", "metric", "score", "95 % interval", "best constant", "rows"];
    let mut table = Table::new("Scores", &header);
    table.numbers = true;
    let mut all = Vec::new();
    for (i, (task, measured)) in run.model.tasks.iter().zip(&rows.tasks).enumerate() {
        let primary = task.outcome().primary().0;
        let Some(score) = measured.scores.iter().find(|score| score.name == primary) else { continue };
        let interval =
            score.interval.map_or("–".to_owned(), |(low, high)| format!("{} to {}", number(low), number(high)));
        table.row([
            task.name.clone(),
            primary.to_owned(),
            number(score.value),
            interval,
            maybe(score.constant),
            count(measured.rows.len()),
        ]);
        all.push(Bar {
            name: format!("{} ({primary})", task.name),
            value: score.value,
            interval: score.interval,
            colour: i,
        });
    }
    let title = "Scores of the tasks";
    let words =
        "The metric that stands for each task, with its interval. Metrics of different kinds are not comparable.";
    // Errors without an upper bound would squeeze shares into nothing.
    let bounded = all.iter().all(|bar| (-0.5..=1.0).contains(&bar.value));
    let svg = bounded.then(|| bars(title, words, "score", &all, true)).flatten();
    match svg {
        Some(svg) => {
            section.figure(Some(Figure { title: title.to_owned(), words: words.to_owned(), svg, table: Some(table) }))
        }
        None => section.table(table),
    };
}

/// A word where the scores are not those that training left.
fn changed(run: &Run, rows: &Rows) -> Option<String> {
    if rows.what.starts_with("the rows of") {
        return None;
    }
    let differs = |(task, measured): (&polytask::tasks::Task, &crate::rows::Measured)| {
        let primary = task.outcome().primary().0;
        let now = measured.scores.iter().find(|score| score.name == primary)?.value;
        let then = *run.metrics.get(&task.name)?.get(primary)?;
        ((now - then).abs() > 1e-9 * now.abs().max(1.0))
            .then(|| format!("{} ({primary} {} then, {} now)", task.name, number(then), number(now)))
    };
    let all: Vec<String> = run.model.tasks.iter().zip(&rows.tasks).filter_map(differs).collect();
    (!all.is_empty()).then(|| {
        format!("The scores are not those that training left: the data may have changed since. {}", all.join("; "))
    })
}

/// The scores that training left.
fn kept(run: &Run) -> Table {
    let mut table = Table::numbers("Scores that training left", &["task", "metric", "score"]);
    for (task, metrics) in &run.metrics {
        for (name, value) in metrics.iter().filter(|(name, _)| !["n", "unseen"].contains(&name.as_str())) {
            table.row([task.clone(), name.clone(), number(*value)]);
        }
    }
    table
}

/// Labels by task and part.
fn labels(run: &Run) -> Table {
    let Some(info) = &run.info else { return Table::default() };
    let parts: Vec<&str> = info.rows.keys().map(String::as_str).collect();
    let header: Vec<&str> = std::iter::once("labels").chain(parts.iter().copied()).collect();
    let mut table = Table::numbers("Rows and labels", &header);
    let cells = |counts: &indexmap::IndexMap<String, usize>| {
        parts.iter().map(|part| count(counts.get(*part).copied().unwrap_or(0))).collect::<Vec<_>>()
    };
    table.rows.push(std::iter::once("all rows".to_owned()).chain(cells(&info.rows)).collect());
    for (task, counts) in &info.labels {
        table.rows.push(std::iter::once(task.clone()).chain(cells(counts)).collect());
    }
    table
}

/// Parameters, time, memory.
fn cost(run: &Run) -> Table {
    let mut table = Table::numbers("What it took", &["what", "how much"]);
    table.row(["parameters".to_owned(), count(run.model.body.parameter_count())]);
    if let Some(network) = run.model.network() {
        table.row(["multiply-adds of predicting a row".to_owned(), count(network.graph.multiply_adds())]);
    }
    if let Some(info) = &run.info {
        let best = info.best_epoch.map_or("the last step".to_owned(), |epoch| format!("epoch {epoch}"));
        let threads = if info.threads == 1 { "a thread".to_owned() } else { format!("{} threads", info.threads) };
        table.row(["training".to_owned(), format!("{} on {threads}", seconds(info.seconds))]);
        let mut share = |name: &str, of: fn(&Round) -> Option<f64>| {
            let known: Vec<f64> = run.history.iter().filter_map(of).collect();
            if !known.is_empty() {
                table.row([name.to_owned(), percent(known.iter().sum::<f64>() / known.len() as f64)]);
            }
        };
        share("its time spent waiting for images", |round| round.waiting);
        share("its time spent making images ready", |round| round.preparing);
        table.row(["optimiser steps".to_owned(), count(info.steps as usize)]);
        table.row(["why it ended".to_owned(), info.ending.clone()]);
        table.row(["the model is of".to_owned(), best]);
        if let Some(memory) = info.peak_memory {
            table.row(["most memory at once, data included".to_owned(), bytes(memory)]);
        }
        table.row(["trained by".to_owned(), format!("polytask {}", info.polytask)]);
    }
    table
}
