//! A page and its blocks.

use crate::common::repository;

/// A fenced block.
pub struct Block {
    /// `docs/FOLDER/PAGE.md:LINE`.
    pub place: String,
    /// What follows the fence.
    pub language: String,
    /// The lines within.
    pub text: String,
    /// The comments right above, without their marks.
    pub said: Vec<String>,
}

impl Block {
    /// What a comment above says behind a word.
    pub fn says(&self, word: &str) -> Option<&str> {
        self.said.iter().find_map(|said| said.strip_prefix(word)).map(str::trim)
    }
}

/// The paths of all pages, relative to the repository.
pub fn pages() -> Vec<String> {
    let mut pages = Vec::new();
    let mut folders = vec!["docs".to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(repository(&folder)).unwrap().map(Result::unwrap) {
            let path = format!("{folder}/{}", entry.file_name().into_string().unwrap());
            if entry.path().is_dir() {
                folders.push(path);
            } else if path.ends_with(".md") {
                pages.push(path);
            }
        }
    }
    pages.push("README.md".to_owned());
    pages.sort();
    pages
}

pub fn read(page: &str) -> String {
    std::fs::read_to_string(repository(page)).unwrap()
}

pub fn blocks(page: &str) -> Vec<Block> {
    let text = read(page);
    let mut blocks = Vec::new();
    let mut said = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in text.lines().enumerate() {
        match (&mut open, line.strip_prefix("```")) {
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (Some(block), None) => {
                block.text.push_str(line);
                block.text.push('\n');
            }
            (None, Some(language)) => {
                let place = format!("{page}:{}", number + 1);
                let said = std::mem::take(&mut said);
                open = Some(Block { place, language: language.trim().to_owned(), text: String::new(), said });
            }
            (None, None) => match line.trim().strip_prefix("<!--").and_then(|rest| rest.strip_suffix("-->")) {
                Some(comment) => said.push(comment.trim().to_owned()),
                None if line.trim().is_empty() => {}
                None => said.clear(),
            },
        }
    }
    assert!(open.is_none(), "{page} has a block that does not end");
    blocks
}

#[test]
fn every_page_is_in_the_summary() {
    let summary = read("docs/SUMMARY.md");
    for page in pages() {
        if let Some(name) = page.strip_prefix("docs/").filter(|name| *name != "SUMMARY.md") {
            assert!(summary.contains(&format!("]({name})")), "{page} is not in the summary");
        }
    }
}

#[test]
fn every_page_begins_with_what_its_reader_will_have() {
    for page in pages().iter().filter(|page| page.matches('/').count() > 1) {
        let text = read(page);
        let first = text.lines().nth(2).unwrap_or_default();
        assert!(first.starts_with("At the end of this page "), "{page} begins with `{first}`");
    }
}
