//! Files as users have them: what is read from them, and what is said of bad ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod arrow;
mod bad_input;
mod bombs;
mod common;
mod documents;
mod formats;
mod large;
mod layouts;
mod levels;
mod parquet;
mod parts;
mod real;
mod round_trip;
