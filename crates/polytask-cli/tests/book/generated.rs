//! Pages made from what the program says of itself: the keys of the config, the methods, the architectures.

use crate::common::{Folder, repository};
use crate::page::read;
use serde_json::{Map, Value};
use std::fmt::Write;

/// Holds a page against what it should be.
fn check(page: &str, wanted: &str) {
    if std::env::var("UPDATE_BOOK").is_ok() {
        std::fs::write(repository(page), wanted).unwrap();
    }
    let found = std::fs::read_to_string(repository(page)).unwrap_or_default();
    assert!(
        found == wanted,
        "{page} is not what the program says; UPDATE_BOOK=1 cargo test --test book writes it anew"
    );
}

fn asked(arguments: &str) -> Value {
    serde_json::from_str(&Folder::new().works(arguments).out).unwrap()
}

/// A cell of a table.
fn cell(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

#[test]
fn the_page_of_keys() {
    let schema = asked("schema");
    let mut keys = Keys { definitions: schema["$defs"].as_object().unwrap(), out: String::new(), open: Vec::new() };
    keys.out.push_str(
        "# Every key of the config\n\nAt the end of this page you know what each key of a config means, and its default. Made from `polytask schema`, which editors read too. A value that may be a word or a table is \
         listed with the keys of\nthe table.\n",
    );
    let sections = schema["properties"].as_object().unwrap();
    // In the order that people write them.
    for name in ["data", "inputs", "tasks", "model", "loss", "train", "tune"] {
        let section = &sections[name];
        writeln!(keys.out, "\n## `[{name}]`\n\n{}", cell(section["description"].as_str().unwrap())).unwrap();
        keys.section(section);
    }
    assert_eq!(sections.len(), 7, "a section is not on the page");
    let text = keys.out;
    check("docs/reference/keys.md", &text);
}

struct Keys<'a> {
    definitions: &'a Map<String, Value>,
    out: String,
    /// Sections that are being written, so that one within itself ends.
    open: Vec<String>,
}

impl Keys<'_> {
    /// The tables that a value may be written as.
    fn tables(&self, value: &Value) -> Vec<Value> {
        if let Some(name) = value["$ref"].as_str().and_then(|path| path.rsplit('/').next()) {
            return self.tables(&self.definitions[name]);
        }
        if value["properties"].is_object() {
            return vec![value.clone()];
        }
        if let Some(values) = value.get("additionalProperties").filter(|values| values.is_object()) {
            return self.tables(values);
        }
        let ways = ["anyOf", "oneOf", "allOf"].iter().filter_map(|way| value[*way].as_array()).flatten();
        let mut tables: Vec<Value> = ways.flat_map(|way| self.tables(way)).collect();
        tables.extend(value.get("items").into_iter().flat_map(|items| self.tables(items)));
        let mut seen = Vec::new();
        tables.retain(|table| {
            let new = !seen.contains(table);
            seen.push(table.clone());
            new
        });
        tables
    }

    fn section(&mut self, section: &Value) {
        for table in self.tables(section) {
            let properties = table["properties"].as_object().unwrap();
            self.out.push_str("\n| key | what it is |\n| --- | --- |\n");
            for (name, value) in properties {
                let said = cell(value["description"].as_str().unwrap_or_default());
                let said = if said.is_empty() { self.words(value) } else { said };
                writeln!(self.out, "| `{name}` | {said} |").unwrap();
            }
            let inner: Vec<(String, Value)> = properties.iter().map(|(n, v)| (n.clone(), v.clone())).collect();
            for (name, value) in inner {
                let text = value.to_string();
                if self.tables(&value).is_empty() || self.open.contains(&text) || self.open.len() > 2 {
                    continue;
                }
                self.open.push(text);
                let title = table["properties"]["method"]["const"].as_str();
                let of = title.map(|method| format!(" of `{method}`")).unwrap_or_default();
                writeln!(self.out, "\nKeys of `{name}`{of}:").unwrap();
                self.section(&value);
                self.open.pop();
            }
        }
    }

    /// What a value without a description may be.
    fn words(&self, value: &Value) -> String {
        match value["const"].as_str() {
            Some(word) => format!("\"{word}\""),
            None => value["$ref"]
                .as_str()
                .and_then(|path| path.rsplit('/').next())
                .and_then(|name| self.definitions[name]["description"].as_str())
                .map(cell)
                .unwrap_or_default(),
        }
    }
}

#[test]
fn the_page_of_methods() {
    let text = |value: &Value| cell(value.as_str().unwrap());
    let mut out = String::from(
        "# Every method and architecture\n\nAt the end of this page you can name every balancing method and every way to share, with cost and paper. Made from `polytask balancers` and `polytask architectures`; `polytask balancers NAME` shows \
         a method's keys.\n\n## Balancing: `loss.balance`\n\nCost: in ordinary backward passes; T is the number of tasks. More in \
         [Balancing tasks](../explanation/balancing.md).\n\n| name | what it is | cost | when | paper |\n| --- | --- | --- | --- | --- |\n",
    );
    for method in asked("balancers --format json").as_array().unwrap() {
        let [name, title, cost, when, paper] = ["name", "title", "cost", "when", "paper"].map(|key| text(&method[key]));
        writeln!(out, "| `{name}` | {title} | {cost} | {when} | {paper} |").unwrap();
    }
    out.push_str(
        "\n## Architectures: `model.sharing`\n\nMore in [What the tasks share](../explanation/architectures.md).\n\n\
         | name | what is shared | when | paper |\n| --- | --- | --- | --- |\n",
    );
    for architecture in asked("architectures --format json").as_array().unwrap() {
        let [name, shares, when, paper] = ["name", "shares", "when", "paper"].map(|key| text(&architecture[key]));
        writeln!(out, "| `{name}` | {shares} | {when} | {paper} |").unwrap();
    }
    check("docs/reference/methods.md", &out);
}

/// The pages that explain them leave none out.
#[test]
fn every_architecture_is_explained() {
    let pages = ["docs/explanation/architectures.md", "docs/explanation/experts.md", "docs/explanation/linear.md"]
        .map(read)
        .join("\n");
    for architecture in asked("architectures --format json").as_array().unwrap() {
        let name = architecture["name"].as_str().unwrap();
        assert!(pages.contains(&format!("`{name}`")), "{name} is on none of the pages");
    }
}
