//! Images as inputs, from files to predictions, with the program itself.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

#[path = "../common/mod.rs"]
mod common;

mod bad;
mod encoder;
mod forms;
mod multimnist;
mod pictures;
mod pixels;
mod training;
