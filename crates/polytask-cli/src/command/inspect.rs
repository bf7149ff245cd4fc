//! `polytask inspect`

use super::{Format, on_threads, print, print_json};
use crate::failure::Failure;
use crate::text;
use polytask::config::{Config, TaskKind};
use polytask::files;
use polytask::inspect::{
    Association, Balance, Candidate, ColumnSurvey, Leak, Summary, Survey, TaskSurvey, associations, candidates, choose,
    leaks, overlap, survey_tasks,
};
use polytask::model::{Body, METRICS, Model};
use polytask::notes;
use polytask_data::{ReadOptions, Table};
use serde::Serialize;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// Show what is in a table, a config or a model directory
#[derive(clap::Args)]
pub struct Inspect {
    /// Data, a config (.toml) whose data are read, or a model directory
    of: PathBuf,
    /// Override a key of the config, for example data.path=x.csv; of data a key of `[data]`, for example
    /// data.missing=["unknown"]; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// How to print it
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// What is in a table.
#[derive(Serialize)]
struct TableReport {
    #[serde(flatten)]
    survey: Survey,
    candidates: Vec<Candidate>,
    notes: Vec<String>,
}

/// What a config makes of its data.
#[derive(Serialize)]
struct ConfigReport {
    rows: usize,
    train: usize,
    valid: usize,
    test: usize,
    inputs: Vec<Value>,
    columns: Vec<ColumnSurvey>,
    tasks: Vec<TaskSurvey>,
    overlap: Vec<Vec<usize>>,
    associations: Vec<Association>,
    leaks: Vec<Leak>,
    notes: Vec<String>,
}

impl Inspect {
    pub fn run(self) -> Result<(), Failure> {
        if files::find(&self.of, "model.json").exists() {
            return self.model();
        }
        match self.of.extension().is_some_and(|end| end == "toml") {
            true => on_threads(None, || self.config())?,
            false => on_threads(None, || self.table())?,
        }
    }

    fn table(&self) -> Result<(), Failure> {
        let table = read_with(&self.of, &self.set)?;
        let survey = Survey::of(&table);
        let faults = table.faults().map(|(_, fault)| fault.to_string());
        let candidates = candidates(&table, &survey);
        let likely: Vec<(&str, TaskKind)> =
            choose(&candidates).into_iter().map(|likely| (likely.column.as_str(), likely.kind)).collect();
        let said = remarks(&table, &likely);
        let notes = table.notes().iter().cloned().chain(faults).chain(said).collect();
        let report = TableReport { candidates, notes, survey };
        if self.format == Format::Json {
            return print_json(&report);
        }
        let survey = &report.survey;
        let mut out = format!(
            "{} rows, {} columns\n\n{}",
            text::count(survey.rows),
            survey.columns.len(),
            columns(&survey.columns, survey.rows)
        );
        let mut said: Vec<String> = report.notes.clone();
        let concerns = survey.columns.iter().filter_map(|c| Some(format!("`{}` {}", c.name, c.concern?.words())));
        said.extend(notes::few(concerns.collect()));
        if let Some(group) = &survey.group {
            said.push(format!(
                "`{group}` names whom or what a row is about: split by it, `split = {{ group = \"{group}\" }}`"
            ));
        }
        if survey.repeated > 0 {
            let are = if survey.repeated == 1 { "is" } else { "are" };
            said.push(format!("{} {are} the same as an earlier one", text::counted(survey.repeated, "row")));
        }
        out.push_str(&section("Worth a look", &said));
        let could = |candidate: &Candidate| {
            let why = candidate.because.map(|reason| format!(": {}", reason.words())).unwrap_or_default();
            format!("`{}` ({}){why}", candidate.column, candidate.kind.word())
        };
        let could: Vec<String> = report.candidates.iter().map(could).collect();
        out.push_str(&section("Could be predicted", &listed(could, "more columns")));
        say!("next: `polytask init {}` writes a config", self.of.display());
        print(&out)
    }

    fn config(&self) -> Result<(), Failure> {
        let config = Config::load(&self.of, &self.set)?;
        let prepared = polytask::prepare(&config)?;
        // What the encoder does not read is looked at in the table itself.
        let table = polytask::Source::read(&config)?.table;
        let survey = Survey::of(&table);
        let inputs: Vec<&str> = prepared.encoder.inputs.iter().map(|input| input.column.as_str()).collect();
        let labels: Vec<(&str, &str)> =
            prepared.tasks.iter().map(|task| (task.name.as_str(), task.column.as_str())).collect();
        let report = ConfigReport {
            rows: prepared.data.features.rows,
            train: prepared.split.train.len(),
            valid: prepared.split.valid.len(),
            test: prepared.split.test.len(),
            inputs: described(&prepared.encoder),
            tasks: survey_tasks(&prepared),
            overlap: overlap(&prepared),
            associations: associations(&prepared),
            leaks: leaks(&table, &inputs, &labels),
            columns: survey.columns.into_iter().filter(|column| inputs.contains(&column.name.as_str())).collect(),
            notes: prepared.notes.clone(),
        };
        if self.format == Format::Json {
            return print_json(&report);
        }
        let ConfigReport { rows, train, valid, test, tasks, .. } = &report;
        let [rows_, train, valid, test] = [*rows, *train, *valid, *test].map(text::count);
        let mut out = format!(
            "{rows_} rows: {train} to train, {valid} to choose the best model, {test} to measure it\n\nInputs\n\n"
        );
        out.push_str(&columns(&report.columns, table.rows()));
        out.push_str("\nTasks\n\n");
        let task = |task: &TaskSurvey| {
            let count = |labels: usize| text::count(labels);
            let labels = &task.labels;
            let share = format!("{:.0} %", 100.0 * labels.all as f64 / (*rows).max(1) as f64);
            vec![
                task.name.clone(),
                task.kind.to_owned(),
                count(labels.all),
                share,
                count(labels.train),
                count(labels.valid),
                count(labels.test),
                balance(&task.balance),
            ]
        };
        let header = ["task", "kind", "labels", "of rows", "train", "valid", "test", "values"];
        out.push_str(&text::table(&header, &tasks.iter().map(task).collect::<Vec<_>>()));
        if tasks.len() > 1 {
            out.push_str("\nRows with labels of both\n\n");
            out.push_str(&square(tasks, |i, j| text::count(report.overlap[i][j])));
        }
        if !report.associations.is_empty() {
            out.push_str("\nHow labels hang together\n\n");
            out.push_str(&hang_together(&report.associations));
        }
        let mut said = report.notes.clone();
        said.extend(report.leaks.iter().map(|leak| {
            format!(
                "input `{}` {} task `{}`: it may give the label away",
                leak.column,
                leak.relation.words(),
                leak.task
            )
        }));
        out.push_str(&section("Worth a look", &said));
        print(&out)
    }

    fn model(&self) -> Result<(), Failure> {
        let model = Model::load(&self.of)?;
        let scores = scores(&self.of);
        let inputs = described(&model.encoder);
        if self.format == Format::Json {
            let tasks: Vec<Value> = model
                .tasks
                .iter()
                .map(|task| json!({ "name": task.name, "kind": task.kind_name(), "column": task.column, "scores": scores.get(&task.name) }))
                .collect();
            return print_json(
                &json!({ "family": model.body.family(), "parameters": model.body.parameter_count(), "inputs": inputs, "tasks": tasks }),
            );
        }
        let mut out = format!(
            "{} of {} parameters: {} inputs, {} tasks\n\nInputs\n\n",
            called(&model.body),
            text::count(model.body.parameter_count()),
            inputs.len(),
            model.tasks.len()
        );
        let shown = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let input = |input: &Value| vec![shown(&input["name"]), shown(&input["kind"]), shown(&input["values"])];
        out.push_str(&text::table(&["input", "kind", "values"], &inputs.iter().map(input).collect::<Vec<_>>()));
        out.push_str("\nTasks\n\n");
        let mut rows = Vec::new();
        for task in &model.tasks {
            let (name, _) = task.outcome().primary();
            let score = scores.get(&task.name).and_then(|own| own.get(name)).and_then(Value::as_f64);
            rows.push(vec![
                task.name.clone(),
                task.kind_name().to_owned(),
                name.to_owned(),
                score.map_or("-".to_owned(), text::number),
            ]);
        }
        out.push_str(&text::table(&["task", "kind", "metric", "test rows"], &rows));
        print(&out)
    }
}

/// The scores on the test rows that training wrote down, by task; nothing where they cannot be read.
fn scores(folder: &Path) -> serde_json::Map<String, Value> {
    let text = std::fs::read_to_string(files::find(folder, METRICS)).unwrap_or_default();
    let value: Value = serde_json::from_str(&text).unwrap_or_default();
    value.get("tasks").and_then(Value::as_object).cloned().unwrap_or_default()
}

/// Inputs as a model reads them.
fn described(encoder: &polytask::inputs::Encoder) -> Vec<Value> {
    use polytask::inputs::Code;
    let of = |input: &polytask::inputs::Input| {
        let values = match &input.code {
            Code::Number(number) => format!("{} ± {}", text::number(number.mean), text::number(number.deviation)),
            Code::Boolean(boolean) => format!("true in {:.0} %", 100.0 * boolean.share),
            Code::Category(category) => text::counted(category.levels.len(), "level"),
            Code::Date(date) => format!("over {:.0} days", 2.0 * date.mean),
            Code::Encoded(encoded) => format!("a vector of {}", encoded.width()),
            Code::Seen(seen) => format!("a vector of {}", seen.width()),
            Code::Text(words) => text::counted(words.words.0.len(), "word"),
            Code::Own(own) => text::counted(own.parts().len(), "number"),
            Code::Image(image) => format!("{} x {} x {}", image.height, image.width, image.channels),
        };
        json!({ "name": input.column, "kind": input.code.kind().word(), "values": values })
    };
    encoder.inputs.iter().map(of).collect()
}

/// Lines that are shown whole; of more the first, since no screen takes them, and JSON has them all.
const MOST: usize = 60;
/// Those first ones.
const SHOWN: usize = 20;

/// The first of many lines, and how many more there are.
fn listed(mut lines: Vec<String>, what: &str) -> Vec<String> {
    let more = if lines.len() > MOST { lines.len() - SHOWN } else { 0 };
    lines.truncate(lines.len() - more);
    lines.extend((more > 0).then(|| format!("{} {what}; `--format json` has them all", text::count(more))));
    lines
}

/// A table of data, read by the keys of `[data]` that are set.
pub fn read_with(path: &Path, set: &[String]) -> Result<Table, Failure> {
    if set.is_empty() {
        return Ok(polytask_data::read(path, &ReadOptions::default())?);
    }
    let config = Config::reading(&path.display().to_string(), set)?;
    Ok(polytask::read_table(&config)?)
}

/// What is to be said of columns and of the likely labels among them.
pub fn remarks(table: &Table, tasks: &[(&str, TaskKind)]) -> Vec<String> {
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    let columns = || table.columns().iter();
    let kind = |(name, kind): &(&str, TaskKind)| {
        let said = notes::taken_for(table.column(name)?, *kind)?;
        Some(format!("`{name}`: {said}"))
    };
    let mut said: Vec<String> = tasks.iter().filter_map(kind).collect();
    said.extend(notes::few(columns().filter_map(|column| notes::outlier(table, column, &rows)).collect()));
    said.extend(notes::few(columns().filter_map(notes::alike).collect()));
    said
}

fn columns(columns: &[ColumnSurvey], rows: usize) -> String {
    let line = |column: &ColumnSurvey| {
        vec![
            column.name.clone(),
            column.holds.to_owned(),
            column.kind.to_owned(),
            format!("{:.1} %", 100.0 * column.missing as f64 / rows.max(1) as f64),
            text::count(column.distinct),
            values(&column.summary),
        ]
    };
    let header = ["column", "holds", "kind", "missing", "distinct", "values"];
    let shown = if columns.len() > MOST { SHOWN } else { columns.len() };
    let table = text::table(&header, &columns.iter().take(shown).map(line).collect::<Vec<_>>());
    match columns.len() - shown {
        0 => table,
        more => format!("{table}… and {} more; `--format json` has them all\n", text::count(more)),
    }
}

fn values(summary: &Summary) -> String {
    match summary {
        Summary::Numbers { min, mean, deviation, max } => {
            let [min, mean, deviation, max] = [min, mean, deviation, max].map(|value| text::number(*value));
            format!("{min} to {max}, {mean} ± {deviation}")
        }
        Summary::Levels(levels) => levels
            .iter()
            .map(|(level, count)| format!("{} {}", clean(level), text::count(*count)))
            .collect::<Vec<_>>()
            .join(", "),
        Summary::Lists { items, distinct } => format!("{items:.1} a row, {} different ones", text::count(*distinct)),
        Summary::Other => String::new(),
    }
}

fn balance(balance: &Balance) -> String {
    match balance {
        Balance::Numbers { min, mean, deviation, max } => {
            let [min, mean, deviation, max] = [min, mean, deviation, max].map(|value| text::number(*value));
            format!("{min} to {max}, {mean} ± {deviation}")
        }
        Balance::Classes(classes) => {
            let all: usize = classes.iter().map(|(_, count)| count).sum();
            let share = |(label, count): &(String, usize)| {
                format!("{} {:.0} %", clean(label), 100.0 * *count as f64 / all.max(1) as f64)
            };
            let mut shown: Vec<String> = classes.iter().take(4).map(share).collect();
            if classes.len() > 4 {
                shown.push(format!("{} more", classes.len() - 4));
            }
            shown.join(", ")
        }
    }
}

/// The start of a value, on one line.
fn clean(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match text.chars().count() > 20 {
        true => text.chars().take(19).chain(['…']).collect(),
        false => text,
    }
}

/// A table of tasks against tasks.
fn square(tasks: &[TaskSurvey], cell: impl Fn(usize, usize) -> String) -> String {
    let header: Vec<&str> = std::iter::once("").chain(tasks.iter().map(|task| task.name.as_str())).collect();
    let row = |i: usize| std::iter::once(tasks[i].name.clone()).chain((0..tasks.len()).map(|j| cell(i, j))).collect();
    text::table(&header, &(0..tasks.len()).map(row).collect::<Vec<_>>())
}

fn hang_together(all: &[Association]) -> String {
    let line = |one: &Association| {
        let measure = match one.measure {
            "cramers_v" => "Cramér's V",
            other => other,
        };
        let value = one.value.map_or("-".to_owned(), |value| format!("{value:.3}"));
        vec![format!("{}, {}", one.first, one.second), measure.to_owned(), value, text::count(one.rows)]
    };
    text::table(&["tasks", "measure", "value", "rows"], &all.iter().map(line).collect::<Vec<_>>())
}

fn section(title: &str, lines: &[String]) -> String {
    match lines {
        [] => String::new(),
        lines => format!("\n{title}\n\n{}", lines.iter().map(|line| format!("- {line}\n")).collect::<String>()),
    }
}

/// A family in words.
fn called(body: &Body) -> &'static str {
    match body {
        Body::Network(_) => "a network",
        Body::Trees(_) => "trees",
        Body::Ensemble(_) => "an ensemble",
    }
}
