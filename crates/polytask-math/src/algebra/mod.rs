//! Small dense linear algebra in `f64`, for matrices of up to a few hundred rows: the one place for it.
//!
//! Own code, because the libraries that have it cost more than they save here. By themselves and cold, as
//! `cargo build --release -j2` with the release profile of this workspace, a program that decomposes one matrix took 27 s
//! with nalgebra 0.35 (`std` alone) and 117 s with faer 0.24 (`std` and `linalg`). What is needed fits a few hundred lines,
//! and does things that neither offers: [`Eigen`] applies functions of a matrix without forming its eigenvectors,
//! [`Cholesky`] grows and shrinks by a variable in place. Models that were trained with it keep their bits.

mod cholesky;
mod eigen;
mod matrix;
mod svd;
pub mod vector;

pub use cholesky::Cholesky;
pub use eigen::Eigen;
pub use matrix::Matrix;
pub use svd::{eigen, singular_values, spectral};
