//! Numbers that several crates need, each written once: [`algebra`] decomposes small matrices, [`seed`] has streams of draws
//! that are functions of what they are for, [`normal`] makes normal numbers of them.

#![forbid(unsafe_code)]

pub mod algebra;
pub mod seed;

mod normal;

pub use normal::normal;
