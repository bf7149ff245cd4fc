//! An op and a loss as callers would bring them.

use crate::{Cotangents, CustomLoss, CustomOp, CustomParameter, Given, Init, Kept, Registry, Role, Shape};
use serde_json::{Value, json};
use std::sync::Arc;

/// `w_j a_j tanh(b_j)`, an op as a caller would bring it.
#[derive(Debug)]
struct Gated;

/// One of those.
pub fn gated() -> Arc<dyn CustomOp> {
    Arc::new(Gated)
}

impl CustomOp for Gated {
    fn name(&self) -> &str {
        "gated"
    }

    fn shape(&self, inputs: &[&Shape]) -> Result<Shape, String> {
        match inputs {
            [a, b] if a.width() == b.width() => Ok((*a).clone()),
            others => Err(format!("it gates features with as many others, and reads {others:?}")),
        }
    }

    fn parameters(&self, inputs: &[&Shape]) -> Vec<CustomParameter> {
        let dims = vec![inputs.first().map_or(0, |a| a.width())];
        vec![CustomParameter { name: "weight".into(), dims, init: Init::Constant(1.0), role: Role::Gain }]
    }

    fn multiply_adds(&self, inputs: &[&Shape]) -> usize {
        3 * inputs.first().map_or(0, |a| a.width())
    }

    fn saved(&self, inputs: &[&Shape]) -> usize {
        inputs.first().map_or(0, |a| a.width())
    }

    fn forward(&self, given: Given<'_>, out: &mut [f32], saved: &mut [f32]) {
        let (&[a, b], &[w]) = (given.inputs, given.parameters) else { return };
        for (i, out) in out.iter_mut().enumerate() {
            let gate = b[i].tanh();
            *out = w[i % w.len()] * a[i] * gate;
            if let Some(kept) = saved.get_mut(i) {
                *kept = gate;
            }
        }
    }

    fn backward(&self, given: Given<'_>, kept: Kept<'_>, cotangent: &[f32], into: Cotangents<'_, '_>) {
        let (&[a, _], &[w], [da, db], [dw]) = (given.inputs, given.parameters, into.inputs, into.parameters) else {
            return;
        };
        for (i, (dy, gate)) in cotangent.iter().zip(kept.saved).enumerate() {
            let feature = i % w.len();
            if let Some(da) = da.get_mut(i) {
                *da += dy * w[feature] * gate;
            }
            if let Some(db) = db.get_mut(i) {
                *db += dy * w[feature] * a[i] * (1.0 - gate * gate);
            }
            if let Some(dw) = dw.get_mut(feature) {
                *dw += dy * a[i] * gate;
            }
        }
    }
}

/// `sum_j ln(cosh(s (z_j - y_j)))`, a loss as a caller would bring it.
#[derive(Debug)]
struct Softened {
    /// `s`
    sharpness: f32,
}

/// One of those.
pub fn softened() -> Arc<dyn CustomLoss> {
    Arc::new(Softened { sharpness: 1.5 })
}

impl CustomLoss for Softened {
    fn name(&self) -> &str {
        "softened"
    }

    fn settings(&self) -> Value {
        json!({ "sharpness": self.sharpness })
    }

    fn value(&self, prediction: &[f32], label: &[f32]) -> f64 {
        let pairs = prediction.iter().zip(label);
        pairs.map(|(z, y)| f64::from(self.sharpness * (z - y)).cosh().ln()).sum()
    }

    fn add_gradient(&self, prediction: &[f32], label: &[f32], scale: f32, into: &mut [f32]) {
        for ((z, y), into) in prediction.iter().zip(label).zip(into) {
            *into += scale * self.sharpness * (self.sharpness * (z - y)).tanh();
        }
    }
}

/// What makes them again from a file.
pub fn registry() -> Registry {
    Registry::new().op("gated", |_| Ok(gated())).loss("softened", |settings| {
        let sharpness = settings["sharpness"].as_f64().ok_or("it has no sharpness")? as f32;
        Ok(Arc::new(Softened { sharpness }))
    })
}
