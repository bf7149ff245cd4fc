//! What makes a caller's ops and losses from the settings of a file.

use super::{Custom, CustomLoss, CustomOp};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// The ops and losses that a caller brings, by name.
///
/// ```
/// use polytask_graph::Registry;
/// # use polytask_graph::CustomLoss;
/// # use std::sync::Arc;
/// # fn pinball(settings: &serde_json::Value) -> Result<Arc<dyn CustomLoss>, String> { Err(settings.to_string()) }
/// let registry = Registry::new().loss("pinball", pinball);
/// // graph.bind(&registry)?;
/// ```
#[derive(Default)]
pub struct Registry {
    ops: BTreeMap<String, Make<dyn CustomOp>>,
    losses: BTreeMap<String, Make<dyn CustomLoss>>,
}

/// Makes one from its settings, or says what is wrong with them.
type Make<T> = Box<dyn Fn(&Value) -> Result<Arc<T>, String> + Send + Sync>;

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Registry::default()
    }

    /// Adds an op; `make` gets the settings that [`CustomOp::settings`] gave.
    pub fn op(
        mut self,
        name: &str,
        make: impl Fn(&Value) -> Result<Arc<dyn CustomOp>, String> + Send + Sync + 'static,
    ) -> Self {
        self.ops.insert(name.to_owned(), Box::new(make));
        self
    }

    /// Adds a loss; `make` gets the settings that [`CustomLoss::settings`] gave.
    pub fn loss(
        mut self,
        name: &str,
        make: impl Fn(&Value) -> Result<Arc<dyn CustomLoss>, String> + Send + Sync + 'static,
    ) -> Self {
        self.losses.insert(name.to_owned(), Box::new(make));
        self
    }

    pub(super) fn bind_op(&self, op: &mut Custom<dyn CustomOp>) -> Result<(), String> {
        bind(&self.ops, op, "op")
    }

    pub(super) fn bind_loss(&self, loss: &mut Custom<dyn CustomLoss>) -> Result<(), String> {
        bind(&self.losses, loss, "loss")
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("ops", &self.ops.keys().collect::<Vec<_>>())
            .field("losses", &self.losses.keys().collect::<Vec<_>>())
            .finish()
    }
}

fn bind<T: ?Sized>(all: &BTreeMap<String, Make<T>>, custom: &mut Custom<T>, what: &str) -> Result<(), String> {
    if custom.bound.is_some() {
        return Ok(());
    }
    let Some(make) = all.get(&custom.name) else {
        let known: Vec<&str> = all.keys().map(String::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        return Err(format!("the registry has no {what} {:?}; it has: {known}", custom.name));
    };
    let made = make(&custom.settings).map_err(|reason| format!("its {what} {:?}: {reason}", custom.name))?;
    custom.bound = Some(made);
    Ok(())
}
