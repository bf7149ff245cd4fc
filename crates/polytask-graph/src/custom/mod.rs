//! Ops and losses that callers bring, with what computes them.
//!
//! A graph holds them by name and settings, and that is what files have of them. Read from a file they are *unbound*: the
//! graph can be looked at but not run, until [`Graph::bind`] finds for each in a [`Registry`] what computes it.

mod loss;
mod op;
mod registry;

pub use loss::CustomLoss;
pub use op::{Cotangents, CustomOp, CustomParameter, Given, Kept, MOST};
pub use registry::Registry;

use crate::{Graph, GraphError, LossKind, Op};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// An op or a loss that a caller brings: its name, its settings, and what computes it if that is known.
#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Custom<T: ?Sized> {
    /// What it is called, in files and in a [`Registry`].
    pub name: String,
    /// What it is set to; null if there is nothing to set.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub settings: Value,
    #[serde(skip)]
    bound: Option<Arc<T>>,
}

impl<T: ?Sized> Custom<T> {
    /// What computes it; none where it was read from a file and not bound yet.
    pub fn bound(&self) -> Option<&Arc<T>> {
        self.bound.as_ref()
    }

    /// Why it cannot run, if it cannot; `what` it is.
    fn ready(&self, what: &str) -> Result<(), String> {
        match self.bound {
            Some(_) => Ok(()),
            None => Err(format!(
                "its {what} {:?} is a caller's own and is not bound; `Graph::bind` finds it in a registry",
                self.name
            )),
        }
    }
}

impl<T: ?Sized> Clone for Custom<T> {
    fn clone(&self) -> Self {
        Custom { name: self.name.clone(), settings: self.settings.clone(), bound: self.bound.clone() }
    }
}

impl<T: ?Sized> fmt::Debug for Custom<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.name)?;
        match self.settings.is_null() {
            true => Ok(()),
            false => write!(f, "({})", self.settings),
        }
    }
}

/// Bound or not: the same name and settings compute the same.
impl<T: ?Sized> PartialEq for Custom<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name && self.settings == other.settings
    }
}

impl From<Arc<dyn CustomOp>> for Custom<dyn CustomOp> {
    fn from(op: Arc<dyn CustomOp>) -> Self {
        Custom { name: op.name().to_owned(), settings: op.settings(), bound: Some(op) }
    }
}

impl From<Arc<dyn CustomLoss>> for Custom<dyn CustomLoss> {
    fn from(loss: Arc<dyn CustomLoss>) -> Self {
        Custom { name: loss.name().to_owned(), settings: loss.settings(), bound: Some(loss) }
    }
}

impl Graph {
    /// Whether the graph can run: every op and loss that a caller brought is bound.
    ///
    /// # Errors
    /// The first that is not.
    pub fn ready(&self) -> Result<(), GraphError> {
        for node in &self.nodes {
            if let Op::Custom(op) = &node.op {
                let at = |reason| GraphError::Layer { layer: node.name.clone(), reason };
                op.what.ready("op").map_err(at)?;
            }
        }
        for loss in &self.losses {
            if let LossKind::Custom(custom) = &loss.kind {
                let at = |reason| GraphError::Layer { layer: loss.task.clone(), reason };
                custom.ready("loss").map_err(at)?;
            }
        }
        Ok(())
    }

    /// Finds what computes the ops and losses that callers brought, and checks the graph with them. Those that are bound
    /// already stay as they are.
    ///
    /// # Errors
    /// A name that the registry does not have, settings that it cannot read, or a graph that does not fit.
    pub fn bind(&mut self, registry: &Registry) -> Result<(), GraphError> {
        for node in &mut self.nodes {
            if let Op::Custom(op) = &mut node.op {
                let at = |reason| GraphError::Layer { layer: node.name.clone(), reason };
                registry.bind_op(&mut op.what).map_err(at)?;
            }
        }
        for loss in &mut self.losses {
            if let LossKind::Custom(custom) = &mut loss.kind {
                let at = |reason| GraphError::Layer { layer: loss.task.clone(), reason };
                registry.bind_loss(custom).map_err(at)?;
            }
        }
        self.validate()
    }
}
