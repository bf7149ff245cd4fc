//! A model card: what a model is for, what it was made of, how good it is and where it is not (Mitchell et al., "Model cards
//! for model reporting", FAT* 2019), as JSON and as Markdown.

use crate::number::{count, number};
use crate::rows::{Rows, Scored};
use crate::run::Run;
use crate::slices::{Slice, slices};
use crate::{Options, ReportError};
use indexmap::IndexMap;
use polytask::conformal::Conformal;
use polytask::model::Body;
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;
use std::path::Path;

/// All that a card says.
#[derive(Debug, Serialize)]
pub struct Card {
    /// The name of the directory.
    pub model: String,
    /// The version of the program that trained it.
    pub program: Option<String>,
    /// Ensemble, trees or network.
    pub family: &'static str,
    /// Numbers that were learnt.
    pub parameters: usize,
    /// Of an ensemble, by task what its prediction is made of.
    pub made_of: IndexMap<String, Vec<String>>,
    /// Where the rows came from, as the config has it.
    pub data: Vec<String>,
    /// Rows by part.
    pub rows: IndexMap<String, usize>,
    /// Inputs with their kinds.
    pub inputs: IndexMap<String, &'static str>,
    /// What is predicted.
    pub tasks: IndexMap<String, TaskCard>,
    /// The rows that scores and groups are of; none where they could not be measured again.
    pub measured_on: Option<String>,
    /// Whether intervals can be had.
    pub intervals: bool,
    /// Groups of rows that are predicted worse beyond the noise.
    pub worse_for: Vec<Slice>,
    /// What is to be said against using it.
    pub limits: Vec<String>,
}

/// What a card says of a task.
#[derive(Debug, Serialize)]
pub struct TaskCard {
    /// Its kind.
    pub kind: &'static str,
    /// Where its labels were.
    pub column: String,
    /// Labels by part.
    pub labels: IndexMap<String, usize>,
    /// The metrics.
    pub scores: Vec<Score>,
    /// What `polytask compare` said of learning it with the others.
    pub sharing: Option<Sharing>,
}

/// A metric of a task.
#[derive(Debug, Serialize)]
pub struct Score {
    metric: String,
    value: f64,
    /// 95 %, by bootstrap over the rows.
    interval: Option<(f64, f64)>,
    /// Of the best constant prediction.
    constant: Option<f64>,
}

impl Score {
    fn measured(own: &Scored) -> Self {
        Score { metric: own.name.to_owned(), value: own.value, interval: own.interval, constant: own.constant }
    }
}

/// A verdict of `polytask compare`.
#[derive(Debug, Serialize)]
pub struct Sharing {
    verdict: String,
    difference: Option<f64>,
    p_adjusted: Option<f64>,
}

/// The card of a model directory.
///
/// # Errors
/// No model there; a file that was asked for and cannot be used.
pub fn card(folder: &Path, options: &Options) -> Result<Card, ReportError> {
    let run = Run::read(folder, options.comparison.as_deref(), options.selection.as_deref())?;
    let measured = Rows::read(&run, options.data.as_deref())?;
    Ok(of(&run, measured))
}

fn of(run: &Run, measured: Result<Rows, String>) -> Card {
    let model = &run.model;
    let names: Vec<&str> = model.tasks.iter().map(|task| task.name.as_str()).collect();
    let made_of = match &model.body {
        Body::Ensemble(ensemble) => {
            let part = |(name, weight): (&str, f64)| format!("{:.0} % {name}", 100.0 * weight);
            let of =
                |(at, name): (usize, &&str)| ((*name).to_owned(), ensemble.of_task(at).into_iter().map(part).collect());
            names.iter().enumerate().map(of).collect()
        }
        Body::Network(_) | Body::Trees(_) => IndexMap::new(),
    };
    let comparison: Option<Value> = run.comparison.as_ref().and_then(|text| serde_json::from_str(text).ok());
    let tasks = model.tasks.iter().enumerate().map(|(at, task)| {
        let labels = run.info.as_ref().and_then(|info| info.labels.get(&task.name)).cloned().unwrap_or_default();
        let scores = match &measured {
            Ok(rows) => rows.tasks[at].scores.iter().map(Score::measured).collect(),
            // What the run itself measured, without intervals.
            Err(_) => {
                let known = run.metrics.get(&task.name).into_iter().flatten().filter(|(name, _)| *name != "n");
                let plain = |(name, value): (&String, &f64)| Score {
                    metric: name.clone(),
                    value: *value,
                    interval: None,
                    constant: None,
                };
                known.map(plain).collect()
            }
        };
        let sharing = comparison.as_ref().and_then(|all| sharing(&all["tasks"][&task.name]));
        let (kind, column) = (task.kind_name(), task.column.clone());
        (task.name.clone(), TaskCard { kind, column, labels, scores, sharing })
    });
    let tasks: IndexMap<String, TaskCard> = tasks.collect();
    let worse_for = measured.as_ref().map(|rows| slices(model, rows)).unwrap_or_default();
    let intervals = Conformal::load(&run.folder, &model.tasks).is_ok();
    let limits = limits(run, &measured, &tasks, intervals);
    Card {
        model: run.name(),
        program: run.info.as_ref().map(|info| info.polytask.clone()),
        family: model.body.family(),
        parameters: model.body.parameter_count(),
        made_of,
        data: run.config.iter().flat_map(|config| config.data.sets()).map(|set| set.path.clone()).collect(),
        rows: run.info.as_ref().map(|info| info.rows.clone()).unwrap_or_default(),
        inputs: model.encoder.columns().iter().map(|input| (input.column.clone(), input.code.kind().word())).collect(),
        tasks,
        measured_on: measured.as_ref().ok().map(|rows| rows.what.clone()),
        intervals,
        worse_for,
        limits,
    }
}

fn sharing(task: &Value) -> Option<Sharing> {
    let verdict = task["verdict"].as_str()?.to_owned();
    Some(Sharing { verdict, difference: task["difference"].as_f64(), p_adjusted: task["p_adjusted"].as_f64() })
}

/// What speaks against using the model, as far as its directory tells.
fn limits(
    run: &Run,
    measured: &Result<Rows, String>,
    tasks: &IndexMap<String, TaskCard>,
    intervals: bool,
) -> Vec<String> {
    let mut said = Vec::new();
    if let Err(reason) = measured {
        said.push(format!(
            "Scores could not be measured again ({reason}): they are those of the training run, without intervals."
        ));
    }
    let test = run.info.as_ref().and_then(|info| info.rows.get("test")).copied().unwrap_or(0);
    if test == 0 {
        said.push("No rows were kept for testing: its scores flatter it.".to_owned());
    }
    for (name, task) in tasks {
        let known = run.model.tasks.iter().find(|own| own.name == *name).map(|own| own.outcome().primary());
        let primary =
            known.and_then(|(metric, better)| Some((task.scores.iter().find(|own| own.metric == metric)?, better)));
        if let Some((own, better)) = primary
            && own.constant.is_some_and(|constant| !better.improves(own.value, constant))
        {
            said.push(format!("`{name}` is predicted no better than by a constant ({}).", own.metric));
        }
        let train = task.labels.get("train").copied().unwrap_or(0);
        if (1..100).contains(&train) {
            said.push(format!("`{name}` was learnt from {train} labels."));
        }
        if task.sharing.as_ref().is_some_and(|sharing| sharing.verdict == "hurt") {
            said.push(format!("Sharing hurt `{name}`: a model of its own predicts it better."));
        }
    }
    if tasks.values().all(|task| task.sharing.is_none()) && tasks.len() > 1 {
        said.push("Whether sharing helped was not asked: `polytask compare` with `--out compare.json` in the directory answers it.".to_owned());
    }
    if !intervals {
        said.push("There are no held-out rows to make intervals of.".to_owned());
    }
    said.push(
        "It holds for rows drawn as those of training were: `polytask check` compares others with them.".to_owned(),
    );
    said
}

impl Card {
    /// The card as Markdown.
    pub fn markdown(&self) -> String {
        let mut text = format!("# Model card: {}\n\n", self.model);
        let program =
            self.program.as_ref().map(|version| format!(", trained by polytask {version}")).unwrap_or_default();
        let _ =
            writeln!(text, "A model of family {} with {} parameters{program}.\n", self.family, count(self.parameters));
        self.write_data(&mut text);
        self.write_tasks(&mut text);
        if !self.worse_for.is_empty() {
            text.push_str("## Rows that are predicted worse\n\n");
            text.push_str("Beyond the noise, after correction for all groups that were looked at.\n\n");
            text.push_str("| task | rows where | rows | measure | these | others | p |\n| --- | --- | ---: | --- | ---: | ---: | ---: |\n");
            for own in &self.worse_for {
                let (task, input, values) = (cell(&own.task), cell(&own.input), cell(&own.values));
                let (mistake, others, p) = (number(own.mistake), number(own.others), number(own.p));
                let _ = writeln!(
                    text,
                    "| {task} | {input}: {values} | {} | {} | {mistake} | {others} | {p} |",
                    count(own.rows),
                    own.measure
                );
            }
            text.push('\n');
        }
        text.push_str("## Limits\n\n");
        self.limits.iter().for_each(|limit| text.push_str(&format!("- {limit}\n")));
        text
    }

    fn write_data(&self, text: &mut String) {
        text.push_str("## Data\n\n");
        if !self.data.is_empty() {
            let _ = writeln!(
                text,
                "- from {}",
                self.data.iter().map(|path| format!("`{path}`")).collect::<Vec<_>>().join(", ")
            );
        }
        let rows: Vec<String> = self.rows.iter().map(|(part, rows)| format!("{} {part}", count(*rows))).collect();
        let _ = writeln!(text, "- rows: {}", rows.join(", "));
        let inputs: Vec<String> = self.inputs.iter().map(|(name, kind)| format!("{} ({kind})", cell(name))).collect();
        let _ = writeln!(text, "- inputs: {}\n", inputs.join(", "));
    }

    fn write_tasks(&self, text: &mut String) {
        let on = self.measured_on.as_deref().unwrap_or("the rows that training measured");
        let _ = writeln!(text, "## Tasks\n\nScores on {on}.\n");
        text.push_str("| task | kind | metric | score | 95 % interval | best constant | sharing |\n| --- | --- | --- | ---: | --- | ---: | --- |\n");
        for (name, task) in &self.tasks {
            for (at, own) in task.scores.iter().enumerate() {
                let first = |text: String| if at == 0 { text } else { String::new() };
                let interval =
                    own.interval.map_or(String::new(), |(low, high)| format!("{} to {}", number(low), number(high)));
                let sharing = task.sharing.as_ref().map_or(String::new(), |sharing| sharing.verdict.clone());
                let _ = writeln!(
                    text,
                    "| {} | {} | {} | {} | {interval} | {} | {} |",
                    first(cell(name)),
                    first(task.kind.to_owned()),
                    own.metric,
                    number(own.value),
                    own.constant.map_or(String::new(), number),
                    first(sharing)
                );
            }
        }
        text.push('\n');
        for (name, parts) in &self.made_of {
            let _ = writeln!(text, "- `{name}` is predicted by {}", parts.join(" + "));
        }
        let intervals = if self.intervals { "can be had: `polytask predict --interval 0.9`" } else { "cannot be had" };
        let _ = writeln!(text, "- intervals {intervals}\n");
    }
}

/// A name in a table: what would end a cell or a line is written out.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}
