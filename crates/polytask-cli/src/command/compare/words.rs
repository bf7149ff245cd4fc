//! A comparison for people.

use crate::text;
use indexmap::IndexMap;
use polytask::compare::{Best, Comparison, Contrast, Families, LinearBaseline, Pair, Point, Verdict, change};
use polytask::metric::Metrics;
use std::fmt::Write;

/// The whole answer.
pub fn words(answer: &Comparison) -> String {
    let mut out = tasks(answer);
    let steps = answer.steps.map_or(String::new(), |steps| format!(", {} each", text::counted(steps as usize, "step")));
    let _ = writeln!(
        out,
        "\nTest rows, mean ± standard deviation over {}{steps}; the difference with its 95 % interval, from the \
         noise of\nseeds and test rows. p is corrected for the number of tasks (Holm); the verdict holds it against 0.05.",
        text::counted(answer.seeds.len(), "seed"),
    );
    let _ = writeln!(
        out,
        "Relative change by sharing: {:+.2} % (mean over tasks), {:+.2} % (mean over metrics).",
        answer.delta_m, answer.delta_metrics
    );
    let _ = writeln!(out, "{}", linear(&answer.linear));
    if let Some(families) = &answer.families {
        let _ = write!(out, "\n{}", self::families(families));
    }
    if answer.tasks.values().any(|task| task.groups.is_some()) {
        let _ = write!(out, "\nOne model a group: {}.\n\n{}", models(answer, "groups"), groups(answer));
    }
    let _ = write!(out, "\n{}", ways(answer));
    if !answer.shares.is_empty() {
        let _ = write!(out, "\nWith fewer labels, for training and validation alike:\n\n{}", shares(answer));
    }
    let conflict = |verdict| answer.tasks.values().any(|task| task.contrast.verdict == verdict);
    if answer.front.len() > 2 || (conflict(Verdict::Helped) && conflict(Verdict::Hurt)) {
        let _ = write!(out, "\n{}", front(answer));
    }
    out
}

fn tasks(answer: &Comparison) -> String {
    let mut rows = Vec::new();
    for (name, task) in &answer.tasks {
        let metric = task.metric;
        let mut row = vec![
            name.clone(),
            metric.to_owned(),
            task.baseline.value(metric).map_or("-".to_owned(), text::number),
            task.linear.as_ref().and_then(|linear| linear.value(metric)).map_or("-".to_owned(), text::number),
            scored(metric, &task.single, &task.single_std),
            scored(metric, &task.joint, &task.joint_std),
        ];
        row.extend(contrast(&task.contrast));
        rows.push(row);
    }
    text::table(
        &["task", "metric", "constant", "linear", "independent", "joint", "joint better by", "p", "sharing"],
        &rows,
    )
}

/// Tasks up to which every family has a line for each.
const FEW: usize = 6;

/// What sharing did in each family.
fn families(families: &Families) -> String {
    let mut rows = Vec::new();
    for (candidate, tasks) in &families.pairs {
        let with = |verdict| tasks.values().filter(|pair| pair.contrast.verdict == verdict).count().to_string();
        let change = format!("{:+.2} %", change(tasks));
        rows.push(vec![candidate.clone(), change, with(Verdict::Helped), with(Verdict::Hurt)]);
    }
    let mut out = format!(
        "In each family, joint against independent models:\n\n{}",
        text::table(&["family", "mean change by sharing", "tasks helped", "tasks hurt"], &rows)
    );
    if families.best.len() <= FEW {
        let of = |(candidate, tasks): (&String, &IndexMap<String, Pair>)| {
            let row = |(i, (task, pair)): (usize, (&String, &Pair))| {
                let name = if i == 0 { candidate.clone() } else { String::new() };
                let mut row = vec![name, task.clone(), pair.metric.to_owned()];
                row.extend([(pair.single, pair.single_std), (pair.joint, pair.joint_std)].map(spread));
                row.extend(contrast(&pair.contrast));
                row
            };
            tasks.iter().enumerate().map(row).collect::<Vec<_>>()
        };
        let rows: Vec<Vec<String>> = families.pairs.iter().flat_map(of).collect();
        let header = ["family", "task", "metric", "independent", "joint", "joint better by", "p", "sharing"];
        let _ = write!(out, "\n{}", text::table(&header, &rows));
    }
    let best = |(task, best): (&String, &Best)| {
        let way = if best.joint { "joint" } else { "independent" };
        format!("{task}: {}, {way} ({})", best.candidate, text::number(best.score))
    };
    let best: Vec<String> = families.best.iter().map(best).collect();
    let _ = writeln!(out, "\nBest family on these test rows: {}.", best.join("; "));
    out
}

/// A mean with its spread, where there is one.
fn spread((mean, spread): (Option<f64>, Option<f64>)) -> String {
    mean.map_or("-".to_owned(), |mean| text::with_spread(mean, spread.unwrap_or(0.0)))
}

fn groups(answer: &Comparison) -> String {
    let mut rows = Vec::new();
    for (name, task) in &answer.tasks {
        let Some(groups) = &task.groups else { continue };
        let metric = task.metric;
        let mut row = vec![
            name.clone(),
            metric.to_owned(),
            scored(metric, &task.single, &task.single_std),
            scored(metric, &task.joint, &task.joint_std),
            scored(metric, &groups.scores, &groups.std),
        ];
        row.extend(contrast(&groups.contrast));
        rows.push(row);
    }
    text::table(
        &["task", "metric", "independent", "joint", "group", "group better than independent by", "p", "its group"],
        &rows,
    )
}

/// What the linear column is.
fn linear(baseline: &LinearBaseline) -> String {
    match baseline {
        LinearBaseline::Found { parameters, seconds, solved } => format!(
            "Linear: penalty {} of strength {}, by {}; {} parameters, {}.",
            solved.penalty,
            text::number(solved.strength),
            solved.chosen_by,
            text::count(*parameters),
            text::seconds(*seconds)
        ),
        LinearBaseline::LeftOut { left_out } => format!("No linear baseline: {left_out}."),
    }
}

/// Mean and spread of the metric that a verdict goes by.
fn scored(metric: &str, means: &Metrics, spread: &Metrics) -> String {
    match means.value(metric) {
        Some(mean) => text::with_spread(mean, spread.value(metric).unwrap_or(0.0)),
        None => "-".to_owned(),
    }
}

/// The difference, its corrected p value and the verdict.
fn contrast(contrast: &Contrast) -> [String; 3] {
    let margin = contrast.margin.map_or(String::new(), |margin| format!(" ± {}", text::number(margin)));
    let p = contrast.p_adjusted.map_or("-".to_owned(), |p| if p < 1e-3 { "<0.001".into() } else { format!("{p:.3}") });
    [format!("{}{margin}", text::number(contrast.difference)), p, contrast.verdict.words().to_owned()]
}

/// The tasks of each model of a way.
fn models(answer: &Comparison, way: &str) -> String {
    let models = answer.ways.get(way).map(|way| way.models.iter().map(|tasks| tasks.join(" + ")).collect::<Vec<_>>());
    models.unwrap_or_default().join(", ")
}

fn ways(answer: &Comparison) -> String {
    let row = |(name, way): (&String, &polytask::compare::Way)| {
        vec![
            self::way(name),
            text::count(way.models.len()),
            text::count(way.parameters),
            text::seconds(way.seconds),
            text::count(way.multiply_adds.round() as usize),
            format!("{} µs", text::number(way.predict_microseconds)),
        ]
    };
    let header = ["all tasks", "models", "parameters", "training", "multiply-adds a row", "prediction a row"];
    text::table(&header, &answer.ways.iter().map(row).collect::<Vec<_>>())
}

fn shares(answer: &Comparison) -> String {
    let mut rows = Vec::new();
    for name in answer.tasks.keys() {
        for (i, share) in answer.shares.iter().enumerate() {
            let Some(task) = share.tasks.get(name) else { continue };
            let pair = &task.scores;
            let mut row = vec![
                if i == 0 { name.clone() } else { String::new() },
                format!("{} %", percent(share.share)),
                text::count(task.labels),
                spread((pair.single, pair.single_std)),
                spread((pair.joint, pair.joint_std)),
            ];
            row.extend(contrast(&pair.contrast));
            rows.push(row);
        }
    }
    text::table(&["task", "share", "labels", "independent", "joint", "joint better by", "p", "sharing"], &rows)
}

/// A share as percent, in as few digits as it takes.
pub fn percent(share: f64) -> String {
    let percent = (share * 1e8).round() / 1e6;
    percent.to_string()
}

/// Which way is best for whom, and which is best for nobody.
fn front(answer: &Comparison) -> String {
    let tasks: Vec<&String> = answer.tasks.keys().collect();
    let header: Vec<&str> =
        std::iter::once("way").chain(tasks.iter().map(|task| task.as_str())).chain(["dominated by"]).collect();
    let row = |point: &Point| {
        let scores =
            tasks.iter().map(|task| point.scores.get(*task).map_or("-".to_owned(), |score| text::number(*score)));
        let by = point.dominated_by.iter().map(|name| way(name)).collect::<Vec<_>>().join(", ");
        std::iter::once(way(&point.name)).chain(scores).chain([by]).collect()
    };
    let table = text::table(&header, &answer.front.iter().map(row).collect::<Vec<_>>());
    format!(
        "Trade-offs: the mean of each task's metric. A way is dominated by one that is nowhere worse and somewhere better.\n\n{table}"
    )
}

fn way(name: &str) -> String {
    if name == "single" { "independent".to_owned() } else { name.to_owned() }
}
