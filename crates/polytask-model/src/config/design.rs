//! What an architecture is designed from.

use super::Config;
use crate::inputs::Encoder;
use crate::share::Design;
use crate::tasks::Task;

impl Config {
    /// The design of a network for fitted inputs and tasks: `[model]`, and the heads that tasks ask for themselves.
    pub fn design<'a>(&'a self, encoder: &'a Encoder, tasks: &'a [Task]) -> Design<'a> {
        let own = |task: &Task| self.tasks.get(&task.name).and_then(|config| config.head.as_deref());
        let heads = tasks.iter().map(|task| own(task).unwrap_or(&self.model.head)).collect();
        Design::new(&self.model, heads, encoder, tasks)
    }
}
