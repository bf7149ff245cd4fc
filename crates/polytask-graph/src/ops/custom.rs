//! An op that a caller brings.

use super::{Held, Layout, Operation, Site};
use crate::custom::{self, CustomOp, MOST};
use crate::example::{self, Example};
use crate::{ParameterId, Role, Shape};
use serde::{Deserialize, Serialize};

/// [`Op::Custom`](crate::Op::Custom).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Custom {
    /// Which.
    #[serde(flatten)]
    pub what: custom::Custom<dyn CustomOp>,
    /// Its parameters, in the order of [`CustomOp::parameters`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parameters: Vec<ParameterId>,
}

impl Held for Vec<ParameterId> {
    fn ids(&self) -> &[ParameterId] {
        self
    }

    fn ids_mut(&mut self) -> &mut [ParameterId] {
        self
    }
}

fn shapes<'a>(site: &Site<'a>) -> Vec<&'a Shape> {
    (0..site.inputs.len()).map(|i| site.input(i)).collect()
}

impl Operation for Custom {
    super::parameters!([parameters], matrices []);

    fn label(&self) -> &str {
        &self.what.name
    }

    /// Of one that is not bound nobody knows the rules.
    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        if site.inputs.len().max(self.parameters.len()) > MOST {
            return Err(format!("it has more than {MOST} inputs or parameters"));
        }
        if (1..self.parameters.len()).any(|i| self.parameters[..i].contains(&self.parameters[i])) {
            return Err("it reads one parameter twice".into());
        }
        let Some(op) = self.what.bound() else { return Ok(()) };
        let inputs = shapes(site);
        site.gives(&op.shape(&inputs)?.0)?;
        let parameters = op.parameters(&inputs);
        if parameters.len() != self.parameters.len() {
            return Err(format!("it has {} parameters, expected {}", self.parameters.len(), parameters.len()));
        }
        if let Some(odd) = self.parameters.iter().find(|p| site.parameter(**p).role == Role::Statistic) {
            return Err(format!("its parameter {:?} is a statistic, which it cannot have", site.parameter(*odd).name));
        }
        let mut both = self.parameters.iter().zip(&parameters);
        both.try_for_each(|(id, wanted)| site.is_shaped(*id, &wanted.dims))
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        self.what.bound().map_or(site.shape.width(), |op| op.multiply_adds(&shapes(site)))
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![
            Example::custom(example::Base::Rows, |g, x| {
                let other = g.affine(x, -0.7, 0.3);
                g.custom(example::gated(), &[x, other])
            }),
            Example::custom(example::Base::Tokens, |g, x| g.custom(example::gated(), &[x, x])),
        ]
    }
}
