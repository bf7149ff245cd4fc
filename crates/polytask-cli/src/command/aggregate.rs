//! `polytask aggregate`

use super::print;
use crate::failure::{AggregateError, Failure};
use polytask_balance::{BalanceError, Balancer, Gramian, LossFamily, Needs, Step, TaskInfo, Weights};
use polytask_balance::{build, direction, method, note};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::io::Read;

/// Weigh task gradients or losses given as JSON on standard input
#[derive(clap::Args)]
#[command(after_long_help = "\
Standard input holds one object, or a list of them that takes a stateful method from step to step:

  jacobian      task gradients over the shared parameters, a row a task
  gramian       or only their inner products, a row a task
  losses        one a task: alone for methods that weigh losses, beside gradients for others
  tasks         names; left out, those of the object before, or at first task0, task1, ...
  epoch         pass over the data, from 0; left out, that of the object before; a larger one
                ends the epoch before
  losses_after  losses of the same batch after the step, which `famo` learns from
  scores        one a task, between 0 and 1, higher is better, which `dtp` learns from

An object with `tasks` may name fewer of them than others: the rest sat that step out.

The answer is one object for each: `weights` of the gradients of shared parameters; `heads`, those
of each task's own parameters, where they differ; and, given `jacobian`, the `direction`. A method
that needs the Jacobian makes its direction itself; its weights are for the record. Every loss
counts as a regression loss, which `uncertainty` alone asks about. What the optimiser of a run
would learn (for `uncertainty`, `imtl_l` and `imtl`) stays at its start.

Example:
  echo '{\"jacobian\": [[-4, 1, 1], [6, 1, 1]]}' | polytask aggregate --method upgrad")]
pub struct Aggregate {
    /// The method, see `polytask balancers`
    #[arg(long)]
    method: String,
    /// Set one of the method's keys, for example c=0.4, scale=median or preference.task0=2: a JSON
    /// or TOML value, or a word; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// Seed of methods that draw random numbers
    #[arg(long, default_value_t = 0)]
    seed: u64,
}

impl Aggregate {
    pub fn run(self) -> Result<(), Failure> {
        let info = method(&self.method)?;
        let keys = keys(&self.set)?;
        let (mut steps, listed) = read()?;
        let names = number_tasks(&mut steps, listed)?;
        let tasks: Vec<TaskInfo> = names.iter().map(|name| TaskInfo::new(name, LossFamily::Regression)).collect();
        let mut balancer = build(info.name, &keys, &tasks, self.seed)?;
        if let Some(note) = note(info, tasks.len()) {
            crate::text::note(&note);
        }
        if steps.len() > 1 && balancer.learnable().is_some() {
            crate::text::note(&format!(
                "what the optimiser of a run would learn for `{}` stays at its start",
                info.name
            ));
        }
        let mut answers = Vec::with_capacity(steps.len());
        let mut epoch = 0;
        for (index, step) in steps.iter().enumerate() {
            let at = step.epoch.unwrap_or(epoch);
            if at < epoch {
                return Err(wrong(listed.then_some(index), format!("`epoch` goes back from {epoch} to {at}")).into());
            }
            if at > epoch {
                balancer.end_epoch();
            }
            epoch = at;
            let answer = step.weigh(balancer.as_mut(), index as u64, epoch).map_err(|error| match error {
                AggregateError::Lacks(reason) | AggregateError::Step(BalanceError::Shape(reason)) => {
                    wrong(listed.then_some(index), reason)
                }
                other => other,
            })?;
            let json = serde_json::to_string(&answer).map_err(std::io::Error::from)?;
            answers.push(json);
        }
        match listed {
            true => print(&format!("[{}]\n", answers.join(",\n "))),
            false => print(&format!("{}\n", answers.concat())),
        }
    }
}

fn wrong(step: Option<usize>, reason: String) -> AggregateError {
    AggregateError::Input { step, reason }
}

/// One step: what the method is shown.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Shown {
    jacobian: Option<Vec<Vec<f64>>>,
    gramian: Option<Vec<Vec<f64>>>,
    losses: Option<Vec<f64>>,
    tasks: Option<Vec<String>>,
    epoch: Option<u64>,
    losses_after: Option<Vec<f64>>,
    scores: Option<Vec<f64>>,
    /// Numbers of the step's tasks, in the order given.
    #[serde(skip)]
    numbers: Vec<usize>,
}

/// What is printed for it.
#[derive(Serialize)]
struct Answer {
    weights: Vec<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    heads: Option<Vec<f64>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    direction: Option<Vec<f64>>,
}

/// All of standard input, and whether it is a list.
fn read() -> Result<(Vec<Shown>, bool), Failure> {
    let mut text = Vec::new();
    std::io::stdin().lock().read_to_end(&mut text).map_err(|error| wrong(None, format!("cannot be read: {error}")))?;
    let Some(first) = text.iter().find(|byte| !byte.is_ascii_whitespace()) else {
        return Err(
            wrong(None, "it is empty; an object such as {\"jacobian\": [[1, 0], [0, 1]]} is needed".into()).into()
        );
    };
    let listed = *first == b'[';
    let steps = if listed { serde_json::from_slice(&text) } else { serde_json::from_slice(&text).map(|one| vec![one]) };
    let steps: Vec<Shown> = steps.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let all = error.to_string();
        let reason = all.rsplit_once(" at line ").map_or(all.as_str(), |(reason, _)| reason).to_owned();
        let text = String::from_utf8_lossy(&text);
        let finite = error.is_data() || !["NaN", "nan", "Inf", "inf"].iter().any(|word| text.contains(word));
        AggregateError::Json { line, column, finite: finite && !reason.contains("out of range"), reason }
    })?;
    if steps.is_empty() {
        return Err(wrong(None, "the list is empty".into()).into());
    }
    Ok((steps, listed))
}

/// Finds every step's tasks, checks that it has one of everything for each, and brings them into ascending order, as
/// balancers want them. Gives the names of all tasks, in the order in which they turn up.
fn number_tasks(steps: &mut [Shown], listed: bool) -> Result<Vec<String>, AggregateError> {
    let mut numbers: BTreeMap<String, usize> = BTreeMap::new();
    let mut names: Vec<String> = Vec::new();
    let mut before: Option<Vec<String>> = None;
    for (index, step) in steps.iter_mut().enumerate() {
        let at = listed.then_some(index);
        let tasks = match step.tasks.take().or(before.take()) {
            Some(tasks) => tasks,
            None => (0..step.tasks_shown().map_err(|reason| wrong(at, reason))?).map(|i| format!("task{i}")).collect(),
        };
        step.check(&tasks).map_err(|reason| wrong(at, reason))?;
        for task in &tasks {
            let number = *numbers.entry(task.clone()).or_insert_with(|| {
                names.push(task.clone());
                names.len() - 1
            });
            if step.numbers.contains(&number) {
                return Err(wrong(at, format!("two tasks are called `{task}`")));
            }
            step.numbers.push(number);
        }
        before = Some(tasks);
    }
    Ok(names)
}

impl Shown {
    /// How many tasks there are, where none are named.
    fn tasks_shown(&self) -> Result<usize, String> {
        let rows = self.jacobian.as_ref().or(self.gramian.as_ref()).map(Vec::len);
        let shown = rows.or(self.losses.as_ref().map(Vec::len));
        shown.ok_or_else(|| "give `jacobian`, `gramian` or `losses`; a method that needs none of them, `tasks`".into())
    }

    /// Whether there is one of everything for each task.
    fn check(&self, tasks: &[String]) -> Result<(), String> {
        let count = tasks.len();
        if count == 0 {
            return Err("there are no tasks".into());
        }
        if self.jacobian.is_some() && self.gramian.is_some() {
            return Err("give `jacobian` or `gramian`, not both".into());
        }
        let lists = [
            ("jacobian", self.jacobian.as_ref().map(Vec::len)),
            ("gramian", self.gramian.as_ref().map(Vec::len)),
            ("losses", self.losses.as_ref().map(Vec::len)),
            ("losses_after", self.losses_after.as_ref().map(Vec::len)),
            ("scores", self.scores.as_ref().map(Vec::len)),
        ];
        for (name, len) in lists {
            if let Some(len) = len.filter(|len| *len != count) {
                return Err(format!("`{name}` is of length {len}, but the tasks are {count}: {}", listing(tasks)));
            }
        }
        for (name, rows) in [("jacobian", &self.jacobian), ("gramian", &self.gramian)] {
            let Some(rows) = rows else { continue };
            let width = if name == "gramian" { count } else { rows[0].len() };
            if let Some(i) = rows.iter().position(|row| row.len() != width) {
                let (task, len) = (&tasks[i], rows[i].len());
                let other = if name == "gramian" { "one a task is" } else { "as in row 0, are" };
                return Err(format!("row {i} of `{name}` (task `{task}`) has {len} values; {width}, {other} needed"));
            }
        }
        Ok(())
    }

    /// Asks the method, and shows it what came of the step.
    fn weigh(&self, balancer: &mut dyn Balancer, index: u64, epoch: u64) -> Result<Answer, AggregateError> {
        self.lacks(balancer)?;
        // Places of the tasks in ascending order of their numbers.
        let mut order: Vec<usize> = (0..self.numbers.len()).collect();
        order.sort_by_key(|&place| self.numbers[place]);
        let tasks: Vec<usize> = order.iter().map(|&place| self.numbers[place]).collect();
        let pick = |values: &Option<Vec<f64>>| -> Vec<f64> {
            values.iter().flat_map(|values| order.iter().map(|&place| values[place])).collect()
        };
        let (losses, after) = (pick(&self.losses), pick(&self.losses_after));
        let step = Step { index, epoch, tasks: &tasks, losses: &losses };
        let (weights, direction) = if let Some(jacobian) = &self.jacobian {
            let rows: Vec<Vec<f64>> = order.iter().map(|&place| jacobian[place].clone()).collect();
            let answer = direction(balancer, &step, &rows)?;
            (answer.weights, Some(answer.direction))
        } else {
            let values = |rows: &Vec<Vec<f64>>| {
                order.iter().flat_map(|&i| order.iter().map(move |&j| rows[i][j])).collect::<Vec<_>>()
            };
            let gramian = self.gramian.as_ref().map(|rows| Gramian::new(tasks.len(), values(rows))).transpose()?;
            let weights = balancer.weights(&step, gramian.as_ref())?;
            if !losses.is_empty() {
                balancer.observe(&step)?;
            }
            (weights, None)
        };
        if !after.is_empty() && balancer.wants_losses_after() {
            balancer.observe_after(&Step { losses: &after, ..step })?;
        }
        for (&task, score) in self.numbers.iter().zip(self.scores.iter().flatten()) {
            balancer.observe_kpi(task, *score)?;
        }
        let Weights { shared, heads } = weights;
        let [weights, heads] = [shared, heads].map(|values| {
            let mut given = vec![0.0; values.len()];
            order.iter().zip(values).for_each(|(&place, value)| given[place] = value);
            given
        });
        let heads = (heads != weights).then_some(heads);
        Ok(Answer { weights, heads, direction })
    }

    /// Says what a method needs that is not there.
    fn lacks(&self, balancer: &dyn Balancer) -> Result<(), AggregateError> {
        let (jacobian, gramian) = (self.jacobian.is_some(), self.gramian.is_some());
        let what = match balancer.needs() {
            Needs::Jacobian if !jacobian => "the task gradients themselves: give `jacobian`",
            Needs::Gramian if !jacobian && !gramian => "task gradients: give `jacobian` or `gramian`",
            Needs::Losses if self.losses.is_none() => "losses: give `losses`",
            Needs::Model => {
                "a model to try out steps on, which `polytask train` has; there is no asking it with numbers"
            }
            _ => return Ok(()),
        };
        Err(AggregateError::Lacks(format!("`{}` needs {what}", balancer.name())))
    }
}

fn listing(tasks: &[String]) -> String {
    const SHOWN: usize = 8;
    let names: Vec<String> = tasks.iter().take(SHOWN).map(|task| format!("`{task}`")).collect();
    format!("{}{}", names.join(", "), if tasks.len() > SHOWN { ", ..." } else { "" })
}

/// The method's keys out of `--set`; a later one replaces an earlier.
fn keys(set: &[String]) -> Result<Map<String, Value>, AggregateError> {
    let mut keys = Map::new();
    for text in set {
        let refuse = |reason| AggregateError::Set { text: text.clone(), reason };
        let (key, value) = text.split_once('=').ok_or_else(|| refuse("it is not KEY=VALUE"))?;
        let (key, value) = (key.trim(), value.trim());
        let value = value_of(value).map_err(refuse)?;
        let (table, key) = match key.split_once('.') {
            None => (&mut keys, key),
            Some((outer, inner)) => match keys.entry(outer).or_insert_with(|| Value::Object(Map::new())) {
                Value::Object(table) => (table, inner),
                _ => return Err(refuse("the key was given a value that is no table before")),
            },
        };
        if key.is_empty() {
            return Err(refuse("the key is missing"));
        }
        table.insert(key.to_owned(), value);
    }
    Ok(keys)
}

/// JSON, else TOML, else a word.
fn value_of(text: &str) -> Result<Value, &'static str> {
    if let Ok(value) = serde_json::from_str(text) {
        return Ok(value);
    }
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}")).ok().filter(|table| table.len() == 1);
    match parsed.and_then(|mut table| table.remove("value")) {
        Some(value) => from_toml(value),
        None => Ok(Value::String(text.to_owned())),
    }
}

/// JSON has no numbers that are not finite, and no method takes one.
fn from_toml(value: toml::Value) -> Result<Value, &'static str> {
    Ok(match value {
        toml::Value::Float(number) if !number.is_finite() => return Err("the number is not finite"),
        toml::Value::Float(number) => number.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Boolean(truth) => truth.into(),
        toml::Value::String(text) => text.into(),
        toml::Value::Datetime(date) => date.to_string().into(),
        toml::Value::Array(values) => Value::Array(values.into_iter().map(from_toml).collect::<Result<_, _>>()?),
        toml::Value::Table(table) => {
            let entry = |(key, value)| from_toml(value).map(|value| (key, value));
            Value::Object(table.into_iter().map(entry).collect::<Result<_, _>>()?)
        }
    })
}
