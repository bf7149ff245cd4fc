//! What of an encoder learns, and how fast.

use crate::section::Adaptation;

/// What of an encoder learns.
#[derive(Clone, Debug, PartialEq)]
pub struct Tuning {
    /// Layers that learn, the last ones; with all of them the embeddings learn too.
    pub layers: usize,
    /// What learns beside all layers, which stay as they are then.
    pub adaptation: Option<Adaptation>,
    /// What the learning rate is multiplied by.
    pub rate: f32,
    /// What the rate of a layer is, as a multiple of that of the layer above it.
    pub decay: f32,
    /// Share of features dropped while training, where BERT drops them.
    pub dropout: f32,
    /// Steps of a run before it begins to learn.
    pub probe: u64,
}

impl Tuning {
    /// Nothing learns.
    pub fn none() -> Self {
        Tuning { layers: 0, adaptation: None, rate: 0.0, decay: 1.0, dropout: 0.0, probe: 0 }
    }

    /// What learns of the layer that has so many above it, of all with the embeddings, which are last.
    pub(super) fn below(&self, above: usize, all: usize) -> Learning<'_> {
        let rate = self.rate * self.decay.powi(above as i32);
        let itself = above < self.layers || (above == all && self.layers == all && all > 0);
        match &self.adaptation {
            Some(adaptation) => {
                Learning { own: 0.0, beside: (above < all).then_some((adaptation, rate)), dropout: self.dropout }
            }
            None if itself => Learning { own: rate, beside: None, dropout: self.dropout },
            None => Learning { own: 0.0, beside: None, dropout: 0.0 },
        }
    }
}

/// What learns of one layer.
#[derive(Clone, Copy)]
pub(super) struct Learning<'a> {
    /// The rate of its own weights; 0: they stay as they are.
    pub own: f32,
    /// What learns beside them, and its rate.
    pub beside: Option<(&'a Adaptation, f32)>,
    /// Share of features dropped while training.
    pub dropout: f32,
}
