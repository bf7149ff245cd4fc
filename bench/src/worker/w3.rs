//! W3: as W2, with the 8 gradients over the trunk kept apart, then summed, each step.

use crate::problem::Problem;
use crate::protocol::Steps;
use crate::{Error, Result};

pub(super) fn start(_problem: &Problem, _threads: usize) -> Result<Box<dyn Steps>> {
    Err(Error::Unavailable("polytask has no runner for w3 yet".to_owned()))
}
