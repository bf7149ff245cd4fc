//! Gated recurrent units.

use super::{Layout, Operation, Site, parameters};
use crate::ParameterId;
use crate::example::Example;
use serde::{Deserialize, Serialize};

/// [`Op::Gru`](crate::Op::Gru).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gru {
    /// `W`, `d x 3h`
    pub input: ParameterId,
    /// `U`, `h x 3h`
    pub recurrent: ParameterId,
    /// `b` and `b'`, `4 x h`
    pub bias: ParameterId,
    /// From the last element of each sequence to the first.
    pub reverse: bool,
}

/// Columns that the weights have for each feature of the state.
const GATES: usize = 3;

impl Operation for Gru {
    parameters!([input, recurrent, bias], matrices [input, recurrent]);

    fn label(&self) -> &str {
        "gru"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.is_on_sequences()?;
        site.takes(1)?;
        let own = site.shape.width();
        site.is_shaped(self.input, &[site.width(0), GATES * own])?;
        site.is_shaped(self.recurrent, &[own, GATES * own])?;
        site.is_shaped(self.bias, &[4, own])
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.parameter(self.input).len() + site.parameter(self.recurrent).len()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::tokens(|g, x| g.gru(x, 3, false)), Example::tokens(|g, x| g.gru(x, 3, true))]
    }
}
