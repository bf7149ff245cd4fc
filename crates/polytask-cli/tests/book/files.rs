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
    let text = read("docs/how-to/extend.md");
    let named: Vec<&str> = code(&text).into_iter().filter(|word| word.contains('/') && !word.contains(' ')).collect();
    assert!(named.len() > 15, "{named:?}");
    for name in named {
        let there = ["", "crates/"].iter().any(|above| Path::new(&repository(&format!("{above}{name}"))).exists());
        assert!(there, "docs/how-to/extend.md names `{name}`, which is not there");
    }
}

#[test]
fn pages_that_failures_name_are_there() {
    let source = std::fs::read_to_string(repository("crates/polytask-cli/src/guide.rs")).unwrap();
    let named: Vec<&str> = source.split('"').filter(|word| word.ends_with(".md")).collect();
    assert!(named.len() > 10, "{named:?}");
    for page in named {
        assert!(Path::new(&repository(&format!("docs/{page}"))).exists(), "a failure names docs/{page}");
    }
}

/// What a heading's anchor is called: its letters and digits in small, hyphens for blanks.
fn anchor(heading: &str) -> String {
    let kept = heading.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.collect::<String>().to_lowercase().replace(' ', "-")
}

/// The anchors of a page's headings. What begins like one in a block of code is a comment.
fn anchors(text: &str) -> Vec<String> {
    let outside = text.split("\n```").step_by(2).flat_map(str::lines);
    outside.filter(|line| line.starts_with('#')).map(|line| anchor(line.trim_start_matches('#'))).collect()
}

#[test]
fn an_anchor_is_a_heading_and_no_comment_in_code() {
    let text = "# Title\n\n## What `x` is, in short\n\n```toml\n# epochs = 3\n```\n\n### Last\n";
    assert_eq!(anchors(text), ["title", "what-x-is-in-short", "last"]);
}

/// A path without `..`.
fn plain(path: &Path) -> String {
    let mut kept = Vec::new();
    for part in path.iter().map(|part| part.to_str().unwrap()) {
        if part == ".." {
            assert!(kept.pop().is_some(), "{} leaves the repository", path.display());
        } else {
            kept.push(part);
        }
    }
    kept.join("/")
}

/// Those of the book stay in its folder: what lies beyond is not there once it is built.
#[test]
fn links_lead_somewhere() {
    for page in pages() {
        // Code has brackets of its own.
        let text: String = read(&page).split('`').step_by(2).collect();
        let folder = Path::new(&page).parent().unwrap().to_owned();
        for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            if link.contains("://") {
                continue;
            }
            let (name, part) = link.split_once('#').unwrap_or((link, ""));
            let target = if name.is_empty() { page.clone() } else { plain(&folder.join(name)) };
            assert!(Path::new(&repository(&target)).exists(), "{page} links to {link}");
            assert!(
                !page.starts_with("docs/") || target.starts_with("docs/"),
                "{page} links to {link}, out of the book"
            );
            let there = part.is_empty() || anchors(&read(&target)).iter().any(|anchor| anchor == part);
            assert!(there, "{page} links to {link}: no such heading");
        }
    }
}
