//! The book is true: its commands work, its configs are configs, its lists are whole, its files are there.
//!
//! What a page may say in a line of its own before a block:
//! `<!-- not run: WHY -->` for a shell block that is not run; `<!-- tasks: a, b -->` for the tasks of a config's fragment;
//! `<!-- each line: SECTION -->` for lines that stand for one another, with `tasks: a, b | c` for the one and the other. Shell blocks that name `$POLYTASK_DATA` are run where
//! that is set. `UPDATE_BOOK=1` writes the generated pages anew.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;

mod configs;
mod files;
mod gallery;
mod generated;
mod page;
mod shell;
