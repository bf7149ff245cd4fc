//! `polytask select`

use super::{ConfigArguments, Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{stop, text};
use clap::ValueEnum;
use polytask::select::{Member, Onlooker, Options, Rows, Selected, Signal, Verified, Way, select, summary};
use polytask::train::{Callback, CheckpointError, Round};
use std::fmt::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Find which tasks should learn together, and say who helps whom
#[derive(clap::Args)]
pub struct Select {
    #[command(flatten)]
    config: ConfigArguments,
    /// The folder to write: selection.json, a config for each group, pictures
    #[arg(long, default_value = "selection")]
    out: PathBuf,
    /// What groups are judged by
    #[arg(long, value_enum, default_value = "affinity")]
    signal: By,
    /// The rows that a step's effect is measured on
    #[arg(long, value_enum, default_value = "same")]
    rows: On,
    /// Groups at most [default: as many as tasks]
    #[arg(long, value_name = "K")]
    max_groups: Option<usize>,
    /// Parameters at most, of all models together
    #[arg(long, value_name = "N")]
    max_parameters: Option<usize>,
    /// Multiply-adds at most to predict all tasks of a row
    #[arg(long, value_name = "N")]
    max_multiply_adds: Option<usize>,
    /// A task may be learnt by other groups too, where it helps them
    #[arg(long)]
    overlap: bool,
    /// What measuring may cost beside the joint run, as a share of it
    #[arg(long, value_name = "SHARE", default_value_t = 0.4, value_parser = share)]
    overhead: f64,
    /// Train the recommended groups, all together and all apart, and compare them on the test rows
    #[arg(long)]
    verify: bool,
    /// Seeds of everything that is trained after measuring, from train.seed on
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Go on with what an interrupted call left in --out
    #[arg(long)]
    resume: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What groups are judged by.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// The drop of a task's loss after a look-ahead step for another (Fifty et al. 2021)
    Affinity,
    /// The cosine of the tasks' gradients
    Cosine,
    /// Estimates for whole groups from a linearised model (Li et al. 2024)
    Linear,
    /// Gains in trained pairs (Standley et al. 2020); trains T (T + 1) / 2 models a seed
    Pairs,
    /// Gains in every group, all trained: for few tasks
    Exhaustive,
}

/// The rows that a step's effect is measured on.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum On {
    /// Those of the step, as in the paper
    Same,
    /// The other half of the batch: what helps only on rows that were seen does not count
    Other,
}

/// A share above 0, up to 10.
fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(share) if share > 0.0 && share <= 10.0 => Ok(share),
        _ => Err("it must be a number above 0, at most 10".to_owned()),
    }
}

impl Select {
    pub fn run(self) -> Result<(), Failure> {
        let config = self.config.load()?;
        let stop = stop::on_signal();
        let options = Options {
            out: self.out.clone(),
            signal: match self.signal {
                By::Affinity => Signal::Affinity,
                By::Cosine => Signal::Cosine,
                By::Linear => Signal::Linear,
                By::Pairs => Signal::Pairs,
                By::Exhaustive => Signal::Exhaustive,
            },
            rows: match self.rows {
                On::Same => Rows::Same,
                On::Other => Rows::Other,
            },
            groups: self.max_groups,
            parameters: self.max_parameters,
            multiply_adds: self.max_multiply_adds,
            overlap: self.overlap,
            overhead: self.overhead,
            verify: self.verify,
            seeds: self.seeds,
            resume: self.resume,
        };
        let selected = on_threads(self.config.threads, || {
            let prepared = polytask::prepare(&config)?;
            prepared.notes.iter().for_each(|note| crate::text::note(note));
            let mut watching =
                Watching { progress: Progress::new(0), length: 0, stop: Arc::clone(&stop), unkept: false };
            let selected = select(&config, &prepared, &options, &mut watching, &stop);
            watching.progress.finish();
            selected
        })??;
        let Some(selected) = selected else {
            say!("stopped; go on with --resume --out {}", self.out.display());
            return Ok(());
        };
        selected.notes.iter().for_each(|note| crate::text::note(note));
        let cost = &selected.cost;
        say!(
            "looked ahead {}, every {} steps; the joint run took {:.2} times what it would have taken without ({})",
            text::counted(cost.looks, "time"),
            cost.every,
            cost.factor,
            text::seconds(cost.seconds)
        );
        match self.format {
            Format::Json => print_json(&selected.file())?,
            Format::Text => print(&report(&selected))?,
        }
        if let Some(error) = selected.unwritten {
            return Err(Failure::Unwritten(error));
        }
        let (out, config) = (self.out.display(), self.config.config.display());
        say!("wrote {out}; next: `polytask train {config} --groups {out}/selection.json`");
        Ok(())
    }
}

struct Watching {
    progress: Progress,
    length: u64,
    stop: Arc<AtomicBool>,
    /// Whether it was said that there is no checkpoint.
    unkept: bool,
}

impl Callback for Watching {
    fn step(&mut self, step: u64, of: u64) {
        if self.length != of {
            (self.progress, self.length) = (Progress::new(of), of);
        }
        self.progress.at(step);
    }

    fn round(&mut self, round: &Round) {
        self.progress.round(round);
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn unkept(&mut self, error: &CheckpointError) {
        if !std::mem::replace(&mut self.unkept, true) {
            self.progress.say(&format!("warning: {error}; it goes on without a checkpoint to resume from"));
        }
    }
}

impl Onlooker for Watching {
    fn models(&mut self, count: usize, what: &str) {
        self.progress.finish();
        say!("training {} {what}", text::counted(count, "model"));
        self.progress = Progress::new(count as u64);
    }

    fn model_done(&self) {
        self.progress.tick();
    }
}

/// The answer for people.
fn report(selected: &Selected) -> String {
    let mut out = String::new();
    let n = selected.tasks.len();
    // More would not fit a line.
    if n <= 12 {
        let header: Vec<&str> =
            std::iter::once("from \\ to").chain(selected.tasks.iter().map(String::as_str)).collect();
        let cell = |from: usize, to: usize| match (from == to, selected.affinity.at(from, to)) {
            (true, _) => "-".to_owned(),
            (false, v) if v.is_finite() => {
                let told = v.abs() > 2.0 * selected.noise.at(from, to);
                format!("{:.3}{}", 100.0 * v, if told { "" } else { "?" })
            }
            _ => "-".to_owned(),
        };
        let row = |from: usize| {
            let cells = (0..n).map(|to| cell(from, to));
            std::iter::once(selected.tasks[from].clone()).chain(cells).collect()
        };
        out.push_str(&text::table(&header, &(0..n).map(row).collect::<Vec<_>>()));
        out.push_str("\nAffinity: the part of the column's loss, in percent, that a step for the row's task takes off; ? where it is not \
                      told from noise.\n\n");
    }
    let rows: Vec<Vec<String>> = selected
        .curve
        .points
        .iter()
        .enumerate()
        .filter(|(i, point)| point.members.len() == i + 1)
        .map(|(i, point)| {
            let crossed = point.crossed.map_or("-".to_owned(), |(mean, noise)| gain(selected, mean, Some(noise)));
            let mark = if point.members.len() == selected.members.len() { "*" } else { "" };
            vec![
                format!("{}{mark}", i + 1),
                gain(selected, point.gain, None),
                crossed,
                format!("{:.2}", point.margin),
                text::count(selected.sizes[i].0),
                groups(selected, &point.members),
            ]
        })
        .collect();
    out.push_str(&text::table(&["groups", "mean gain", "cross-checked", "margin", "parameters", "which"], &rows));
    let kind = if selected.curve.exact { "No groups gain more" } else { "Groups are good, not certainly the best" };
    let _ = writeln!(
        out,
        "\nGain by {}, in percent. {kind}; cross-checked: chosen by one half of the measurements, judged by the other.",
        selected.signal.name()
    );
    if let Some(verified) = &selected.verified {
        let _ = write!(out, "\n{}", checked(verified));
    }
    let _ = writeln!(out, "\n{}", summary(selected));
    out
}

fn gain(selected: &Selected, value: f64, noise: Option<f64>) -> String {
    // Cosines are no shares.
    let scale = if selected.signal == Signal::Cosine { 1.0 } else { 100.0 };
    match noise {
        Some(noise) => text::with_spread(scale * value, scale * noise),
        None => text::number(scale * value),
    }
}

fn groups(selected: &Selected, members: &[Member]) -> String {
    let one = |m: &Member| {
        let helpers = selected.names(m.helpers);
        let helped = if helpers.is_empty() { String::new() } else { format!(" (+ {})", helpers.join(" ")) };
        format!("{}{helped}", selected.names(m.served).join(" "))
    };
    members.iter().map(one).collect::<Vec<_>>().join(" | ")
}

/// What training showed.
fn checked(verified: &Verified) -> String {
    let ways = [Way::Apart, Way::Together, Way::Groups];
    let mut rows = Vec::new();
    for (name, task) in &verified.tasks {
        let score = |way: &Way| text::with_spread(task.scores[way.word()].mean, task.scores[way.word()].std);
        let scores = ways.iter().map(score);
        rows.push(
            [
                vec![name.clone(), task.metric.to_owned()],
                scores.collect(),
                vec![task.groups_against_apart.words().to_owned()],
            ]
            .concat(),
        );
    }
    let over = |of: &dyn Fn(&Way) -> String, name: &str| {
        [vec![name.to_owned(), String::new()], ways.iter().map(of).collect(), vec![String::new()]].concat()
    };
    rows.push(over(
        &|w| text::with_spread(verified.test[w.word()].mean, verified.test[w.word()].std),
        "mean over tasks",
    ));
    rows.push(over(&|w| text::number(verified.valid[w.word()].mean), "on validation rows"));
    rows.push(over(&|w| text::count(verified.parameters[w.word()]), "parameters"));
    rows.push(over(&|w| text::seconds(verified.seconds[w.word()]), "training"));
    let mut out =
        text::table(&["task", "metric", "independent", "together", "groups", "groups against independent"], &rows);
    let (difference, margin) = verified.against_better;
    let margin = margin.map_or(String::new(), |margin| format!(" ± {}", text::number(margin)));
    let _ = writeln!(
        out,
        "\nTest rows, mean ± standard deviation over {}, {} steps each. The groups against the better of the other two: {}{margin}.",
        text::counted(verified.seeds.len(), "seed"),
        text::count(verified.steps as usize),
        text::number(difference)
    );
    let _ = match verified.rank_correlation {
        Some(rho) => writeln!(
            out,
            "Rank correlation of what the signal said with what was gained over learning alone: {rho:.2} (over {} places of tasks in \
             groups).",
            verified.compared
        ),
        None => writeln!(out, "Too few places of tasks in groups for a rank correlation."),
    };
    let _ = writeln!(out, "Taken, by the validation rows: {}.", verified.best.word());
    out
}
