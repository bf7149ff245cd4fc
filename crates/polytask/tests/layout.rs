//! How the crates are laid out: which module may know of which.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// The folders of all crates: their modules know only of those below them.
fn crates() -> Vec<PathBuf> {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let crates: Vec<PathBuf> = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(crates.len() > 15, "{crates:?}");
    crates
}

/// All Rust files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().map(|line| line.split_once("//").map_or(line, |(before, _)| before)).collect::<Vec<_>>().join("\n")
}

/// By module at the top of a crate, the others that it names.
fn knows(source: &Path) -> BTreeMap<String, BTreeSet<String>> {
    let module = |path: &Path| {
        let first = path.strip_prefix(source).unwrap().iter().next().unwrap().to_str().unwrap();
        first.trim_end_matches(".rs").to_owned()
    };
    let modules: BTreeSet<String> = files(source).iter().map(|path| module(path)).collect();
    let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in files(source) {
        let (own, code) = (module(&path), code(&path));
        // The root names every module, and is no part of one.
        if own == "lib" || own == "main" {
            continue;
        }
        for part in code.split("crate::").skip(1) {
            let end = part.find(';').unwrap_or(part.len());
            let names = match part.strip_prefix('{') {
                Some(_) => part[1..end].split(',').map(str::trim).collect(),
                None => vec![part],
            };
            for name in names {
                let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if name != own && modules.contains(&name) {
                    all.entry(own.clone()).or_default().insert(name);
                }
            }
        }
    }
    all
}

/// A way from a module back to itself, if there is one.
fn circle(knows: &BTreeMap<String, BTreeSet<String>>) -> Option<Vec<String>> {
    fn walk<'a>(
        at: &'a str,
        knows: &'a BTreeMap<String, BTreeSet<String>>,
        way: &mut Vec<&'a str>,
        done: &mut BTreeSet<&'a str>,
    ) -> Option<Vec<String>> {
        if let Some(start) = way.iter().position(|name| *name == at) {
            return Some(way[start..].iter().chain([&at]).map(|name| (*name).to_owned()).collect());
        }
        if !done.insert(at) {
            return None;
        }
        way.push(at);
        let found = knows.get(at).into_iter().flatten().find_map(|next| walk(next, knows, way, done));
        way.pop();
        found
    }
    let mut done = BTreeSet::new();
    knows.keys().find_map(|module| walk(module, knows, &mut Vec::new(), &mut done))
}

#[test]
fn modules_lie_on_no_circle() {
    let mut circles = Vec::new();
    for folder in crates() {
        if let Some(way) = circle(&knows(&folder.join("src"))) {
            circles.push(format!("{}: {}", folder.file_name().unwrap().to_str().unwrap(), way.join(" -> ")));
        }
    }
    assert!(circles.is_empty(), "{}", circles.join("\n"));
}

#[test]
fn a_circle_is_found() {
    let knows = |pairs: &[(&str, &str)]| {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (from, to) in pairs {
            all.entry((*from).to_owned()).or_default().insert((*to).to_owned());
        }
        all
    };
    assert_eq!(circle(&knows(&[("a", "b"), ("b", "c"), ("a", "c")])), None);
    let found = circle(&knows(&[("a", "b"), ("b", "c"), ("c", "b")])).unwrap();
    assert_eq!(found, ["b", "c", "b"]);
}

#[test]
fn a_device_is_named_in_one_place() {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let crates = fs::read_dir(all).unwrap().map(|entry| entry.unwrap().path());
    let others = crates.filter(|path| !path.ends_with("polytask-cpu"));
    let named = |path: &PathBuf| code(path).contains("polytask_cpu");
    let named: Vec<PathBuf> = others.flat_map(|path| files(&path)).filter(named).collect();
    let named: Vec<&Path> = named.iter().map(|path| path.strip_prefix(all).unwrap()).collect();
    // This file names it too.
    assert_eq!(named, [Path::new("polytask/tests/layout.rs"), Path::new("polytask-model/src/device.rs")]);
}

/// What a match must not pass over: whoever adds one is told by the compiler where it is missing.
const LISTED: [&str; 6] = ["Op::", "LossKind::", "Kind::", "TaskKind::", "InputKind::", "Code::"];

/// Lines of a file where a `_ =>`, or a name for the rest, stands for ops, losses or kinds that are not named.
fn passed_over(code: &str) -> Vec<usize> {
    let lines: Vec<&str> = code.lines().collect();
    let depth = |line: &str| line.len() - line.trim_start().len();
    let is_rest = |line: &str| {
        let (pattern, _) = line.trim_start().split_once(" =>").unwrap_or_default();
        !pattern.is_empty() && pattern.chars().all(|c| c.is_lowercase() || c == '_')
    };
    // Without its guard.
    let pattern =
        |arm: &'_ str| arm.split(" =>").next().and_then(|arm| arm.split(" if ").next()).unwrap_or_default().to_owned();
    let named = |line: &str| {
        let word = |c: char| c.is_alphanumeric() || c == '_';
        let starts = |name: &&str| line.match_indices(*name).any(|(at, _)| !line[..at].ends_with(word));
        LISTED.iter().any(starts)
    };
    let rest = |at: &usize| {
        let own = depth(lines[*at]);
        let above = lines[..*at].iter().rev().take_while(|line| line.trim().is_empty() || depth(line) >= own);
        is_rest(lines[*at]) && above.filter(|line| depth(line) == own).any(|arm| named(&pattern(arm)))
    };
    (0..lines.len()).filter(rest).map(|at| at + 1).collect()
}

#[test]
fn no_kind_is_passed_over() {
    let all = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut found = Vec::new();
    for name in ["graph", "exec", "cpu", "trees", "linear", "model", "train", "study", "report", "export", "cli"] {
        for path in files(&all.join(format!("polytask-{name}/src"))).iter().filter(|path| !path.ends_with("tests.rs")) {
            let place = path.strip_prefix(all).unwrap().display().to_string();
            found.extend(passed_over(&code(path)).iter().map(|line| format!("{place}:{line}")));
        }
    }
    assert!(found.is_empty(), "a match over ops, losses or kinds has an arm for all others:\n{}", found.join("\n"));
}

#[test]
fn what_is_passed_over_is_found() {
    let code = |last: &str| format!("match op {{\n    Op::Add(_)\n    | Op::Mul(_) => 1,\n    {last} => 2,\n}}\n");
    for last in ["_", "other"] {
        assert_eq!(passed_over(&code(last)), [4], "{last}");
        assert_eq!(passed_over(&code(last).replace("Op::", "Shop::")), [0; 0], "{last}");
    }
    assert_eq!(passed_over(&code("Op::Dense(_)")), [0; 0]);
}
