//! Files as users have them: what is read from them, and what is said of bad ones.
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod bad_input;
mod common;
mod formats;
mod large;
mod parquet;
mod real;
mod round_trip;
