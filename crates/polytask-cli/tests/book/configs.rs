//! Every TOML block is a config, or becomes one with data and tasks added.

use crate::page::{Block, blocks, pages};
use polytask::config::Config;
use toml::{Table, Value};

/// The block with what a config needs and it does not say.
fn whole(block: &Block, line: usize, text: &str) -> String {
    let mut table: Table = toml::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", block.place));
    let data: Table = toml::from_str("path = \"data.csv\"").unwrap();
    match table.entry("data").or_insert_with(|| Value::Table(Table::new())) {
        Value::Table(own) => {
            own.entry("path").or_insert(data["path"].clone());
        }
        _ => assert!(table.contains_key("inputs"), "{}", block.place),
    }
    if let Value::Table(tasks) = table.entry("tasks").or_insert_with(|| Value::Table(Table::new())) {
        let usual = if tasks.is_empty() { "height, weight, waist" } else { "" };
        let named = block.says("tasks:").map_or(usual, |said| said.split('|').nth(line).unwrap_or(said));
        for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            tasks.entry(name).or_insert_with(|| Value::Table(Table::new()));
        }
    }
    toml::to_string(&table).unwrap()
}

#[test]
fn every_config_is_one() {
    let mut found = 0;
    for block in pages().iter().flat_map(|page| blocks(page)).filter(|block| block.language == "toml") {
        let texts: Vec<String> = match block.says("each line:") {
            Some(section) => block.text.lines().map(|line| format!("[{section}]\n{line}\n")).collect(),
            None => vec![block.text.clone()],
        };
        for (line, text) in texts.iter().enumerate() {
            let whole = whole(&block, line, text);
            if let Err(error) = Config::from_toml(&whole, "config.toml") {
                panic!("{}: {error}", block.place);
            }
            found += 1;
        }
    }
    assert!(found > 10, "{found}");
}
