//! Files that the pages name are there.

use crate::common::repository;
use crate::page::{pages, read};
use std::path::Path;

/// What stands between marks of code.
fn code(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn files_of_the_guide_to_extending_are_there() {
    let text = read("docs/extend.md");
    let named: Vec<&str> = code(&text).into_iter().filter(|word| word.contains('/') && !word.contains(' ')).collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        let there = ["", "crates/"].iter().any(|above| Path::new(&repository(&format!("{above}{name}"))).exists());
        assert!(there, "docs/extend.md names `{name}`, which is not there");
    }
}

#[test]
fn links_lead_somewhere() {
    for page in pages() {
        // Code has brackets of its own.
        let text: String = read(&page).split('`').step_by(2).collect();
        let folder = Path::new(&page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let path = repository(&folder.join(target).display().to_string());
            assert!(Path::new(&path).exists(), "{page} links to {link}");
        }
    }
}
