//! Vectors weighed by a gate.

use super::{Layout, Operation, Site, parameters};
use crate::Activation;
use crate::example::Example;

/// [`Op::Mixture`](crate::Op::Mixture).
pub struct Mixture;

impl Operation for Mixture {
    parameters!([], matrices []);

    fn label(&self) -> &str {
        "mixture"
    }

    fn check(&self, site: &Site<'_>) -> Result<(), String> {
        let mut widths = site.widths();
        let (Some(gate), d) = (widths.next(), site.shape.width()) else { return Err("it has no gate".into()) };
        let vectors: Vec<usize> = widths.collect();
        if let Some(odd) = vectors.iter().find(|v| !v.is_multiple_of(d)) {
            return Err(format!("it mixes vectors of {d} features, and one input has {odd}"));
        }
        let all: usize = vectors.iter().sum();
        match all / d == gate {
            true => Ok(()),
            false => Err(format!("its gate weighs {gate} vectors of {d} features, and it gets {all} features")),
        }
    }

    fn multiply_adds(&self, site: &Site<'_>) -> usize {
        site.widths().skip(1).sum()
    }

    fn layout(&self) -> Layout {
        Layout::Rows
    }

    fn examples() -> Vec<Example> {
        vec![Example::rows(|g, x| {
            let [a, b] = [(); 2].map(|()| g.dense(x, 4, Activation::Tanh));
            let packed = g.dense(x, 8, Activation::Tanh);
            let logits = g.dense(x, 4, Activation::Linear);
            let gate = g.softmax(logits);
            g.mixture(gate, &[a, packed, b])
        })]
    }
}
