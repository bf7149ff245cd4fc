//! The model as data: ops, shapes, parameters and losses of a multi-task network.
//!
//! A [`Graph`] is a list of coarse ops in the order in which they run, the parameters they read, and one named
//! loss per task. It is built by ordinary functions that read like a functional layer API, and every consumer
//! (the CPU runner, the count of parameters, the picture) reads the same graph:
//!
//! ```
//! use polytask_graph::{Activation, GraphBuilder, LossKind};
//!
//! let mut g = GraphBuilder::new();
//! let x = g.input("numbers", 2);
//! let h = g.dense(x, 64, Activation::Relu);
//! let height = g.named("heads.height").dense(h, 1, Activation::Linear);
//! let weight = g.named("heads.weight").dense(h, 1, Activation::Linear);
//! g.loss("height", height, LossKind::Mse);
//! g.loss("weight", weight, LossKind::Mse);
//! let graph = g.finish()?;
//! assert_eq!(graph.parameter_count(), 2 * 64 + 64 + 2 * (64 + 1));
//! // The hidden layer is shared: both losses reach it.
//! assert_eq!(graph.reach().parameters[0].len(), 2);
//! # Ok::<(), polytask_graph::GraphError>(())
//! ```
//!
//! Feature shapes are static and checked while the graph is built; the number of rows is known only at run time. A node
//! lives on the rows, one element each, or on a [`Domain`] of ragged sequences such as the tokens of sentences.

#![forbid(unsafe_code)]

/// The example of the page on architectures, run as a test.
#[cfg(doctest)]
#[doc = include_str!("../../../docs/explanation/architectures.md")]
struct Architectures;

mod builder;
mod cost;
mod custom;
mod domain;
mod example;
mod graph;
mod image;
mod init;
mod loss;
pub mod ops;
mod part;
mod penalty;
mod picture;
mod reach;
/// What tests of everything that reads graphs are made with: small networks around each op and loss.
#[doc(hidden)]
pub mod testing {
    pub use crate::example::*;
    pub use crate::ops::examples;
}

pub use builder::{GraphBuilder, Per};
pub use custom::{Cotangents, Custom, CustomLoss, CustomOp, CustomParameter, Given, Kept, MOST, Registry};
pub use domain::{Domain, DomainId};
pub use graph::{Graph, GraphError, Node, NodeId, Shape};
pub use image::{Interpolation, Pooling, Window};
pub use init::{Init, Parameter, ParameterId, Role};
pub use loss::{Loss, LossId, LossKind};
pub use ops::{Activation, IndexColumn, Op, Reduction, Weighing};
pub use penalty::{AuxiliaryLoss, Edge, Penalty, PenaltyKind};
pub use picture::count;
pub use reach::{LossSet, Reach};
