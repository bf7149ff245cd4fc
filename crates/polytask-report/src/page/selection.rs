//! Who should learn with whom, from what `polytask select` wrote.

use crate::block::{Figure, Section, Table};
use crate::chart::{Scale, heat};
use crate::number::number;
use crate::run::Run;
use serde_json::Value;

pub fn section(run: &Run) -> Option<Section> {
    let value = run.selection.as_ref()?;
    let mut section = Section::new("selection", "Which tasks belong together");
    let words: Vec<&str> =
        ["text", "words", "summary"].iter().filter_map(|key| value.get(*key).and_then(Value::as_str)).collect();
    words.iter().for_each(|words| {
        section.text(*words);
    });
    groups(&mut section, value);
    affinity(&mut section, run, value);
    (!section.is_empty()).then_some(section)
}

fn groups(section: &mut Section, value: &Value) {
    let groups = value.get("groups").and_then(Value::as_array).into_iter().flatten();
    let mut table = Table::new("Groups", &["group", "tasks"]);
    for (i, group) in groups.enumerate() {
        let names: Vec<&str> = group.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        table.row([(i + 1).to_string(), names.join(", ")]);
    }
    section.table(table);
}

/// The map of who helps whom.
fn affinity(section: &mut Section, run: &Run, value: &Value) {
    let Some(map) = value.get("affinity").and_then(Value::as_object) else { return };
    let mut names: Vec<String> = map.keys().cloned().collect();
    // In the model's order; a map of JSON has none.
    names.sort_by_key(|name| run.model.tasks.iter().position(|task| task.name == *name));
    let mut values = vec![f64::NAN; names.len() * names.len()];
    let mut best = (f64::NEG_INFINITY, String::new());
    let mut worst = (f64::INFINITY, String::new());
    for (f, from) in names.iter().enumerate() {
        for (t, to) in names.iter().enumerate() {
            let Some(known) = map.get(from).and_then(|to_| to_.get(to)).and_then(Value::as_f64) else { continue };
            values[f * names.len() + t] = known;
            if f != t && known > best.0 {
                best = (known, format!("{from} helps {to} most ({})", number(known)));
            }
            if f != t && known < worst.0 {
                worst = (known, format!("{from} helps {to} least ({})", number(known)));
            }
        }
    }
    let off = |i: &usize| i / names.len() != i % names.len();
    let full = (0..values.len()).filter(off).map(|i| values[i].abs()).filter(|v| v.is_finite()).fold(0.0, f64::max);
    let title = "Affinity".to_owned();
    let words = format!(
        "How much a step for the task on the left lowers the loss of the task above; below 0, in the other colour, it raises \
         it. {}; {}.",
        best.1, worst.1
    );
    let header: Vec<&str> = std::iter::once("from \\ to").chain(names.iter().map(String::as_str)).collect();
    let mut table = Table::numbers("Affinity", &header).folded();
    for (name, row) in names.iter().zip(values.chunks(names.len().max(1))) {
        table.rows.push(std::iter::once(name.clone()).chain(row.iter().map(|v| number(*v))).collect());
    }
    let svg = heat(&title, &words, (&names, &names), &values, Scale { full, signed: true }, |v| format!("{v:.2}"));
    section.figure(svg.map(|svg| Figure { title, words, svg, table: Some(table) }));
}
