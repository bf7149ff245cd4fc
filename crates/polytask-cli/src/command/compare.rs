//! `polytask compare`

use super::{ConfigArguments, Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::{stop, text};
use polytask::compare::{Comparison, LinearBaseline, compare, models};
use std::fmt::Write;

/// Train the joint model and one model a task, and say whether sharing helped
#[derive(clap::Args)]
pub struct Compare {
    #[command(flatten)]
    config: ConfigArguments,
    /// Seeds to train both ways, from train.seed on; with fewer than 3 little can be told from noise
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Compare {
    pub fn run(self) -> Result<(), Failure> {
        let config = self.config.load()?;
        let stop = stop::on_ctrl_c();
        let answer = on_threads(self.config.threads, || {
            let prepared = polytask::prepare(&config)?;
            prepared.notes.iter().for_each(|note| eprintln!("note: {note}"));
            let models = models(prepared.tasks.len(), self.seeds);
            eprintln!(
                "training {models} models: a linear one, then the joint one and one a task, {} seeds",
                self.seeds
            );
            let progress = Progress::new(models);
            let answer = compare(&config, &prepared, self.seeds, &stop, &|| progress.tick());
            progress.finish();
            answer
        })??;
        match (answer, self.format) {
            (None, _) => {
                eprintln!("stopped; nothing was compared");
                Ok(())
            }
            (Some(answer), Format::Json) => print_json(&answer),
            (Some(answer), Format::Text) => print(&report(&answer)),
        }
    }
}

/// The answer for people.
fn report(answer: &Comparison) -> String {
    let mut rows = Vec::new();
    for (name, task) in &answer.tasks {
        let metric = task.metric;
        let side = |means: &polytask::metric::Metrics, spread: &polytask::metric::Metrics| match means.value(metric) {
            Some(mean) => text::with_spread(mean, spread.value(metric).unwrap_or(0.0)),
            None => "-".to_owned(),
        };
        let margin = task.margin.map_or(String::new(), |margin| format!(" ± {}", text::number(margin)));
        rows.push(vec![
            name.clone(),
            metric.to_owned(),
            task.baseline.value(metric).map_or("-".to_owned(), text::number),
            task.linear.as_ref().and_then(|linear| linear.value(metric)).map_or("-".to_owned(), text::number),
            side(&task.single, &task.single_std),
            side(&task.joint, &task.joint_std),
            format!("{}{margin}", text::number(task.difference)),
            task.verdict.words().to_owned(),
        ]);
    }
    let header = ["task", "metric", "constant", "linear", "alone", "joint", "joint better by", "sharing"];
    let mut out = text::table(&header, &rows);
    let (seeds, steps) = (answer.seeds.len(), answer.steps);
    let _ = writeln!(
        out,
        "\nTest rows, mean ± standard deviation over {seeds} seed(s), {steps} steps each; the difference with its 95 % interval."
    );
    let _ = writeln!(
        out,
        "Relative change by sharing: {:+.2} % (mean over tasks), {:+.2} % (mean over metrics).",
        answer.delta_m, answer.delta_metrics
    );
    let (parameters, time) = (&answer.parameters, &answer.seconds);
    let _ = writeln!(
        out,
        "Parameters: {} joint, {} apart. Training: {} joint, {} apart.",
        text::count(parameters.joint),
        text::count(parameters.single),
        text::seconds(time.joint),
        text::seconds(time.single)
    );
    let _ = writeln!(out, "{}", linear(&answer.linear));
    out
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
