//! What all requests share.

use crate::metrics::Metrics;
use crate::models::Served;
use crate::options::Options;
use crate::problem::{Kind, Problem};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// The models that are served, and how.
pub struct Server {
    pub options: Options,
    pub models: Vec<Served>,
    pub metrics: Arc<Metrics>,
    /// Set when the server is about to end.
    pub stopping: AtomicBool,
}

impl Server {
    /// The model, if it is the only one.
    pub fn only(&self) -> Result<&Served, Problem> {
        match self.models.as_slice() {
            [only] => Ok(only),
            _ => Err(Problem::new(Kind::NoSuchModel, "there are several models").hint(self.names())),
        }
    }

    pub fn named(&self, name: &str) -> Result<&Served, Problem> {
        let found = self.models.iter().find(|served| served.name == name);
        found.ok_or_else(|| Problem::new(Kind::NoSuchModel, format!("there is no model `{name}`")).hint(self.names()))
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.models.iter().map(|served| format!("/v1/models/{}", served.name)).collect();
        format!("there are {}", names.join(", "))
    }
}
