//! `polytask balancers`

use super::{Format, print, print_json};
use crate::failure::Failure;
use polytask_balance::{Family, Heads, KeyInfo, METHODS, MethodInfo, Needs, method};
use serde::Serialize;
use serde_json::Value;
use std::fmt::Write;

/// List the balancing methods, or show one with its keys
#[derive(clap::Args)]
pub struct Balancers {
    /// Show this method alone, with its keys
    name: Option<String>,
    /// How to print them
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

impl Balancers {
    pub fn run(self) -> Result<(), Failure> {
        let one = self.name.as_deref().map(method).transpose()?;
        match (self.format, one) {
            (Format::Text, None) => print(&table()),
            (Format::Text, Some(info)) => print(&page(info)),
            (Format::Json, None) => print_json(&METHODS.iter().map(Entry::new).collect::<Vec<_>>()),
            (Format::Json, Some(info)) => print_json(&Entry::new(info)),
        }
    }
}

/// A method as JSON: `keys` also holds those that several methods share, their defaults as JSON values.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    title: &'static str,
    family: Family,
    needs: Needs,
    cost: &'static str,
    heads: Heads,
    when: &'static str,
    paper: &'static str,
    keys: Vec<Key>,
}

#[derive(Serialize)]
struct Key {
    name: &'static str,
    required: bool,
    default: Value,
    range: &'static str,
    purpose: &'static str,
}

impl Entry {
    fn new(info: &MethodInfo) -> Self {
        let &MethodInfo { name, title, family, needs, cost, heads, when, paper, .. } = info;
        let key = |key: &KeyInfo| Key {
            name: key.name,
            required: key.default.is_empty(),
            default: serde_json::from_str(key.default).unwrap_or_default(),
            range: key.range,
            purpose: key.purpose,
        };
        Entry { name, title, family, needs, cost, heads, when, paper, keys: info.all_keys().map(key).collect() }
    }
}

/// Columns of a terminal that everything must fit in.
const WIDTH: usize = 100;
/// Columns of the table: name, needs, passes, heads; what is left holds words.
const COLUMNS: [usize; 4] = [15, 8, 8, 8];

/// Every method: a line or two on when to use it, and where it was published.
fn table() -> String {
    let left = COLUMNS.iter().map(|width| width + 2).sum();
    let mut out = String::new();
    for (family, heading) in [
        (Family::Scalarizer, "Scalarizers weigh losses"),
        (Family::Aggregator, "Aggregators combine the gradients of the tasks"),
        (Family::Bilevel, "Bilevel methods try out steps and learn the weights from a held-out batch"),
    ] {
        let _ = writeln!(out, "{heading}\n");
        row(&mut out, ["name", "needs", "passes", "heads"], &["when; paper".to_owned()], left);
        for info in METHODS.iter().filter(|info| info.family == family) {
            let mut words = wrap(info.when, WIDTH - left);
            words.extend(wrap(&citation(info.paper), WIDTH - left));
            row(&mut out, [info.name, needs(info.needs).0, &passes(info.cost), heads(info.heads).0], &words, left);
        }
        out.push('\n');
    }
    let notes = [
        (
            "needs",
            "what of a batch is looked at: nothing but the method's own state, losses, the inner products of task \
                   gradients (Gramian), the gradients themselves (Jacobian), or steps tried out (model)",
        ),
        (
            "passes",
            "backward passes a step; T: one for each task, in one walk (bilevel methods over the whole model, the \
                    others over the shared part); +f: and forward passes",
        ),
        ("heads", "what a task's own parameters follow: its weighted loss, its own loss, or something else"),
    ];
    for (name, text) in notes {
        definition(&mut out, name, text, 8);
    }
    out.push_str(
        "\n`polytask balancers NAME` shows a method's keys; `loss.balance = \"NAME\"` in a config chooses it.\n",
    );
    out
}

/// One method with all that is known about it.
fn page(info: &MethodInfo) -> String {
    let mut out = format!("{}: {}\n\n", info.name, info.title);
    let family = match info.family {
        Family::Scalarizer => "a scalarizer: weighs losses",
        Family::Aggregator => "an aggregator: combines the gradients of the tasks",
        Family::Bilevel => "bilevel: tries out steps and learns the weights from a held-out batch",
    };
    let passes = format!("{} (backward passes a step)", info.cost);
    let config = match info.keys.iter().find(|key| key.default.is_empty()) {
        Some(key) => format!("loss.balance = {{ method = \"{}\", {} = ... }}", info.name, key.name),
        None => format!("loss.balance = \"{}\"", info.name),
    };
    for (name, text) in [
        ("kind", family),
        ("when", info.when),
        ("needs", needs(info.needs).1),
        ("level", level(info.needs)),
        ("cost", &passes),
        ("heads", heads(info.heads).1),
        ("paper", info.paper),
        ("config", &config),
    ] {
        definition(&mut out, name, text, 8);
    }
    let keys: Vec<&KeyInfo> = info.all_keys().collect();
    out.push_str(if keys.is_empty() { "\nIt has no keys.\n" } else { "\nKeys\n" });
    let left = keys.iter().map(|key| key.name.len()).max().unwrap_or(0) + 2;
    for key in keys {
        let default = match key.default {
            "" => "must be given".to_owned(),
            "null" => "none by default".to_owned(),
            default => format!("default {default}"),
        };
        definition(&mut out, key.name, &format!("{default}; {}", key.range), left);
        definition(&mut out, "", key.purpose, left);
    }
    out
}

fn needs(needs: Needs) -> (&'static str, &'static str) {
    match needs {
        Needs::State => ("state", "nothing of the batch: weights are known before the forward pass"),
        Needs::Losses => ("losses", "the losses of the batch"),
        Needs::Gramian => ("Gramian", "the inner products of the task gradients over the shared parameters"),
        Needs::Jacobian => ("Jacobian", "the task gradients over the shared parameters themselves"),
        Needs::Model => ("model", "the model, to try out steps: losses and gradients away from where it stands"),
    }
}

/// What `loss.level` can be, the default first.
fn level(needs: Needs) -> &'static str {
    match needs {
        Needs::State | Needs::Losses => "losses",
        Needs::Gramian => "parameters, or representation (loss.level)",
        Needs::Jacobian => "parameters",
        Needs::Model => "none: the whole model",
    }
}

fn heads(heads: Heads) -> (&'static str, &'static str) {
    match heads {
        Heads::Weighted => ("weighted", "a task's own parameters follow its loss times its weight"),
        Heads::Unweighted => ("own loss", "a task's own parameters follow its own loss, unweighted"),
        Heads::Other => ("other", "a task's own parameters follow its loss times a factor of the method's own"),
    }
}

/// The cost in a few letters: `1`, `T`, `3 T`; `+f` for a forward pass more.
fn passes(cost: &str) -> String {
    let number = cost.split(" over").next().and_then(|c| c.split(',').next()).unwrap_or(cost);
    if cost.contains("forward pass") { format!("{number} +f") } else { number.to_owned() }
}

/// Authors, place and year of `Authors: Title. Place Year`; other texts as they are.
fn citation(paper: &str) -> String {
    match (paper.split_once(": "), paper.rsplit_once(". ")) {
        (Some((authors, _)), Some((_, place))) => format!("{authors}, {place}"),
        _ => paper.to_owned(),
    }
}

/// A line of the table: the columns, and words that may go on below.
fn row(out: &mut String, cells: [&str; 4], words: &[String], left: usize) {
    let mut start: String = cells.iter().zip(COLUMNS).map(|(cell, width)| format!("{cell:width$}  ")).collect();
    for line in words {
        let _ = writeln!(out, "{start}{line}");
        start = " ".repeat(left);
    }
}

/// `name` and, `left` columns further in, what it is.
fn definition(out: &mut String, name: &str, text: &str, left: usize) {
    for (i, line) in wrap(text, WIDTH - left - 2).iter().enumerate() {
        let _ = writeln!(out, "  {:left$}{line}", if i == 0 { name } else { "" });
    }
}

/// Lines of at most `width` columns, broken between words.
fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(word),
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_fits_in_the_terminal() {
        for text in std::iter::once(table()).chain(METHODS.iter().map(page)) {
            for line in text.lines() {
                assert!(line.chars().count() <= WIDTH, "{line}");
            }
        }
    }

    #[test]
    fn costs_and_papers_in_short() {
        let costs = ["1", "1, and a forward pass", "T over the shared part", "3 T over the shared part, on three"];
        assert_eq!(costs.map(passes), ["1", "1 +f", "T", "3 T"]);
        assert_eq!(citation("Sener, Koltun: Multi-Task Learning. NeurIPS 2018"), "Sener, Koltun, NeurIPS 2018");
        assert_eq!(citation("the sum of the losses"), "the sum of the losses");
    }
}
