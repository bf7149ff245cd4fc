//! How training went: losses, scores, weights, and how the tasks' gradients stand to each other.

use crate::block::{Figure, Section, Table};
use crate::chart::{Axes, Line, Scale, heat, lines};
use crate::number::number;
use crate::run::Run;
use indexmap::IndexMap;
use polytask::train::Round;

/// Rows of a table of rounds at most.
const ROUNDS: usize = 40;

/// Pairs of tasks whose cosines are drawn as lines.
const PAIRS: usize = 8;

/// Losses and scores.
pub fn curves(run: &Run) -> Option<Section> {
    if run.history.is_empty() {
        return None;
    }
    let mut section = Section::new("learning", "How training went");
    let (name, at) = axis(run);
    if let Some(best) = run.history.iter().rev().find(|round| round.best) {
        section.text(format!(
            "The model is that of {name} {}, the best by the criterion.",
            best.strength.map_or(best.epoch.to_string(), number)
        ));
    }
    for (t, task) in run.model.tasks.iter().map(|task| &task.name).enumerate() {
        let losses = |of: fn(&Round) -> &IndexMap<String, f64>| -> Vec<(f64, f64)> {
            run.history.iter().filter_map(|round| Some((at(round), *of(round).get(task)?))).collect()
        };
        let (train, valid) = (losses(|round| &round.train), losses(|round| &round.valid));
        let series: Vec<Line> = [("training", train, true), ("validation", valid, false)]
            .into_iter()
            .filter(|(_, points, _)| !points.is_empty())
            .map(|(name, points, dashed)| Line { dashed, ..Line::new(name, t, points) })
            .collect();
        let title = format!("Loss of {task}");
        let words = told(&series, "loss");
        section.figure(figure(
            title,
            words,
            Axes { x: name, y: "loss", log_x: run.history.iter().any(|r| r.strength.is_some()), ..Axes::default() },
            &series,
        ));
    }
    for (metric, tasks) in by_metric(run) {
        let series: Vec<Line> = tasks
            .into_iter()
            .map(|(t, task)| {
                let value = |round: &Round| Some((at(round), *round.scores.get(task)?.get(metric)?));
                Line::new(task, t, run.history.iter().filter_map(value).collect())
            })
            .filter(|line| !line.points.is_empty())
            .collect();
        let words = told(&series, metric);
        let axes = Axes { x: name, y: metric, ..Axes::default() };
        section.figure(figure(format!("{metric} on the validation rows"), words, axes, &series));
    }
    Some(section)
}

/// The horizontal axis: rounds, or the strengths of a linear model.
fn axis(run: &Run) -> (&'static str, fn(&Round) -> f64) {
    match run.history.iter().any(|round| round.strength.is_some()) {
        true => ("strength", |round| round.strength.unwrap_or(f64::NAN)),
        false => ("epoch", |round| round.epoch as f64),
    }
}

/// Which tasks have which metric standing for them, with their places.
fn by_metric(run: &Run) -> IndexMap<&'static str, Vec<(usize, &str)>> {
    let mut all: IndexMap<&'static str, Vec<(usize, &str)>> = IndexMap::new();
    for (t, task) in run.model.tasks.iter().enumerate() {
        all.entry(task.outcome().primary().0).or_default().push((t, &task.name));
    }
    all
}

/// First and last values in words.
fn told(series: &[Line], what: &str) -> String {
    let ends = series.iter().filter_map(|line| {
        let (first, last) = (line.points.first()?.1, line.points.last()?.1);
        Some(format!("{} from {} to {}", line.name, number(first), number(last)))
    });
    let mut ends: Vec<String> = ends.collect();
    let more = ends.len().saturating_sub(8);
    ends.truncate(8);
    format!(
        "The {what} over training: {}{}.",
        ends.join(", "),
        if more > 0 { format!(" and {more} more") } else { String::new() }
    )
}

/// A chart of lines with its table.
fn figure(title: String, words: String, axes: Axes<'_>, series: &[Line]) -> Option<Figure> {
    let svg = lines(&title, &words, axes, series)?;
    Some(Figure { table: Some(table(&title, axes.x, series)), title, words, svg })
}

/// The points of lines, some of them where there are many.
fn table(title: &str, x: &str, series: &[Line]) -> Table {
    let header: Vec<&str> = std::iter::once(x).chain(series.iter().map(|line| line.name.as_str())).collect();
    let mut table = Table::numbers(title, &header).folded();
    let mut places: Vec<f64> = series.iter().flat_map(|line| line.points.iter().map(|point| point.0)).collect();
    places.sort_by(f64::total_cmp);
    places.dedup();
    let (every, last) = (places.len().div_ceil(ROUNDS).max(1), places.len().saturating_sub(1));
    for (_, place) in places.iter().enumerate().filter(|(i, _)| i % every == 0 || *i == last) {
        let value = |line: &Line| {
            line.points.iter().find(|point| point.0 == *place).map_or("–".to_owned(), |point| number(point.1))
        };
        table.rows.push(std::iter::once(number(*place)).chain(series.iter().map(value)).collect());
    }
    table
}

/// Weights and gradients.
pub fn gradients(run: &Run) -> Option<Section> {
    if run.model.tasks.len() < 2 || run.history.is_empty() {
        return None;
    }
    let mut section = Section::new("balance", "Weights and gradients");
    let (name, at) = axis(run);
    let by_task = |of: &dyn Fn(&Round, &str) -> Option<f64>| -> Vec<Line> {
        let line = |(t, task): (usize, &polytask::tasks::Task)| {
            let points = run.history.iter().filter_map(|round| Some((at(round), of(round, &task.name)?)));
            Line::new(task.name.clone(), t, points.collect())
        };
        run.model.tasks.iter().enumerate().map(line).filter(|line| !line.points.is_empty()).collect()
    };
    let weights = by_task(&|round, task| round.weights.get(task).copied());
    let constant = weights.iter().all(|line| line.points.windows(2).all(|pair| pair[0].1 == pair[1].1));
    if constant {
        let fixed: Vec<String> = weights
            .iter()
            .filter_map(|line| Some(format!("{} {}", line.name, number(line.points.first()?.1))))
            .collect();
        section.text(format!("The weights of the losses stayed as they were: {}.", fixed.join(", ")));
    } else {
        let words = told(&weights, "weight of each loss");
        section.figure(figure("Weights".into(), words, Axes { x: name, y: "weight", ..Axes::default() }, &weights));
    }
    let shares = by_task(&|round, task| round.shares.get(task).copied());
    let words = told(&shares, "part of each task in the weighted losses");
    section.figure(figure("Parts of the loss".into(), words, Axes { x: name, y: "part", ..Axes::default() }, &shares));
    let norms = by_task(&|round, task| round.gradients.as_ref()?.norms.get(task).copied());
    if !norms.is_empty() {
        let words = format!(
            "{} A task with a much longer gradient drowns the others out.",
            told(&norms, "length of each task's gradient over the shared parameters")
        );
        let axes = Axes { x: name, y: "length", log_y: true, ..Axes::default() };
        section.figure(figure("Lengths of the gradients".into(), words, axes, &norms));
        cosines(&mut section, run, (name, at));
    }
    Some(section)
}

/// Angles between the tasks' gradients: a map of their means, and the pairs that pull against each other most.
fn cosines(section: &mut Section, run: &Run, (name, at): (&'static str, fn(&Round) -> f64)) {
    let mut pairs: IndexMap<(&str, &str), Vec<(f64, f64)>> = IndexMap::new();
    for round in &run.history {
        for (a, others) in round.gradients.iter().flat_map(|gradients| &gradients.cosines) {
            for (b, cosine) in others {
                pairs.entry((a, b)).or_default().push((at(round), *cosine));
            }
        }
    }
    if pairs.is_empty() {
        return;
    }
    let mean = |points: &[(f64, f64)]| points.iter().map(|point| point.1).sum::<f64>() / points.len().max(1) as f64;
    let names: Vec<String> = run.model.tasks.iter().map(|task| task.name.clone()).collect();
    let place = |name: &str| names.iter().position(|known| known == name);
    let mut values = vec![f64::NAN; names.len() * names.len()];
    for ((a, b), points) in &pairs {
        if let (Some(a), Some(b)) = (place(a), place(b)) {
            values[a * names.len() + b] = mean(points);
            values[b * names.len() + a] = mean(points);
        }
    }
    let header: Vec<&str> = std::iter::once("task").chain(names.iter().map(String::as_str)).collect();
    let mut table = Table::numbers("Mean cosines", &header).folded();
    for (task, row) in names.iter().zip(values.chunks(names.len())) {
        table.rows.push(std::iter::once(task.clone()).chain(row.iter().map(|v| number(*v))).collect());
    }
    let mut order: Vec<_> = pairs.iter().collect();
    order.sort_by(|a, b| mean(a.1).total_cmp(&mean(b.1)));
    let (lowest, low) = (order[0].0, mean(order[0].1));
    let title = "Angles between the gradients".to_owned();
    let words = format!(
        "Mean over training of the cosine between two tasks' gradients over the shared parameters: 1 is the same direction, \
         below 0 (the other colour) they pull against each other. Lowest: {} and {}, {}.",
        lowest.0,
        lowest.1,
        number(low)
    );
    if names.len() > 2 {
        let svg =
            heat(&title, &words, (&names, &names), &values, Scale { full: 1.0, signed: true }, |v| format!("{v:.2}"));
        section.figure(svg.map(|svg| Figure { title, words, svg, table: Some(table) }));
    }
    let series: Vec<Line> = order
        .iter()
        .take(PAIRS)
        .enumerate()
        .map(|(i, ((a, b), points))| Line::new(format!("{a} · {b}"), i, (*points).clone()))
        .collect();
    let words = told(
        &series,
        if pairs.len() > PAIRS { "cosine of the pairs with the lowest mean" } else { "cosine of each pair" },
    );
    let axes = Axes { x: name, y: "cosine", mark: Some(0.0), ..Axes::default() };
    section.figure(figure("Angles over training".into(), words, axes, &series));
}
