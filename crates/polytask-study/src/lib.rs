//! Questions asked of a job: whether sharing helps, which tasks learn together, which settings are best, which inputs
//! matter, and what is in a table.

#![forbid(unsafe_code)]

pub mod compare;
mod error;
pub mod importance;
pub mod inspect;
pub mod select;
pub mod tune;

pub use error::Error;
