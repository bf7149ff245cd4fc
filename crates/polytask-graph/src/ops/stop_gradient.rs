//! A value that nothing below learns from.

use super::{Layout, Operation, Site, parameters};
use crate::example::Example;

/// [`Op::StopGradient`](crate::Op::StopGradient).
pub struct StopGradient;

impl Operation for StopGradient {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "stop_gradient"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.keeps_width()
    }

    fn multiply_adds(&self, _: &Site<'_>) -> usize {
        0
    }

    fn layout(&self) -> Layout {
        Layout::Kept
    }

    /// Nothing trained lies below it but what another reader leads to: otherwise differences would not agree.
    fn examples() -> Vec<Example> {
        vec![Example::untrained(|g, x| g.stop_gradient(x))]
    }

    fn passes_gradients(&self) -> bool {
        false
    }
}
