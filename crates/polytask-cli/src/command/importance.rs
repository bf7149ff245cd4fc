//! `polytask importance`

use super::{Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::text;
use polytask::importance::{Importance, Options, importance};
use polytask::model::Model;
use polytask_data::ReadOptions;
use std::path::PathBuf;

/// Say how much worse each task gets when the values of an input are permuted between rows
#[derive(clap::Args)]
pub struct ImportanceCommand {
    /// The model directory
    model: PathBuf,
    /// A file with the inputs and the labels of all tasks; best of rows that the model was not trained on
    #[arg(long)]
    data: PathBuf,
    /// Times that the values of each input are permuted
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    repeats: u64,
    /// Rows at most; a sample of more is drawn
    #[arg(long, default_value_t = 5000, value_parser = clap::value_parser!(u32).range(2..))]
    rows: u32,
    /// Seed of the permutations
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Threads to use [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl ImportanceCommand {
    pub fn run(self) -> Result<(), Failure> {
        let model = Model::load(&self.model)?;
        let options = Options { repeats: self.repeats, rows: self.rows as usize, seed: self.seed };
        let answer = on_threads(self.threads, || {
            let table = polytask_data::read(&self.data, &ReadOptions { ..model.read_options() })?;
            model.notes(&table)?.iter().for_each(|note| crate::text::note(note));
            let data = model.dataset(&table)?;
            let rows: Vec<u32> = (0..table.rows() as u32).collect();
            Ok::<_, Failure>(importance(&model, &data, &rows, options)?)
        })??;
        for column in &answer.left_out {
            crate::text::note(&format!("`{column}` cannot be permuted between rows"));
        }
        match self.format {
            Format::Json => print_json(&answer),
            Format::Text => print(&words(&answer)),
        }
    }
}

/// The answer for people: a block a task.
fn words(answer: &Importance) -> String {
    let mut rows = Vec::new();
    for (name, task) in &answer.tasks {
        for (i, (input, drop)) in task.inputs.iter().enumerate() {
            let first = |text: String| if i == 0 { text } else { String::new() };
            rows.push(vec![
                first(name.clone()),
                first(task.metric.to_owned()),
                first(task.score.map_or("-".to_owned(), text::number)),
                input.clone(),
                text::with_spread(drop.mean, drop.std),
            ]);
        }
    }
    let table = text::table(&["task", "metric", "score", "input", "worth"], &rows);
    format!(
        "{table}\nWorth: how much worse the metric gets with the input's values permuted between rows, mean ± standard deviation over {}, on {}.\n",
        text::counted(answer.repeats as usize, "time"),
        text::counted(answer.rows, "row")
    )
}
