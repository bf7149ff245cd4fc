//! The scales of vectors that an encoder makes: each feature standardised over the training rows.

use serde::{Deserialize, Serialize};

/// What is subtracted from each feature, and what it is multiplied by then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scales {
    /// Means over the training rows.
    pub mean: Vec<f32>,
    /// 1 over the population's standard deviations; 0 of a feature that is constant.
    pub factor: Vec<f32>,
}

impl Scales {
    /// Of some vectors of this width.
    pub(super) fn fit(known: &[&[f32]], width: usize) -> Self {
        let (mut mean, mut square) = (vec![0.0f64; width], vec![0.0f64; width]);
        let count = known.len().max(1) as f64;
        for vector in known {
            mean.iter_mut().zip(*vector).for_each(|(mean, value)| *mean += f64::from(*value) / count);
        }
        for vector in known {
            let each = square.iter_mut().zip(&mean).zip(*vector);
            each.for_each(|((square, mean), value)| *square += (f64::from(*value) - mean).powi(2) / count);
        }
        let factor = |square: &f64| if *square > 1e-12 { square.sqrt().recip() as f32 } else { 0.0 };
        let factor = square.iter().map(factor).collect();
        Scales { mean: mean.into_iter().map(|mean| mean as f32).collect(), factor }
    }

    /// A vector standardised.
    pub(super) fn scaled<'a>(&'a self, vector: &'a [f32]) -> impl Iterator<Item = f32> + 'a {
        let each = vector.iter().zip(&self.mean).zip(&self.factor);
        each.map(|((value, mean), factor)| (value - mean) * factor)
    }

    /// Features of a vector.
    pub fn width(&self) -> usize {
        self.mean.len()
    }

    /// Whether they are those of vectors of this width.
    pub(super) fn fits(&self, width: usize) -> bool {
        let finite = self.mean.iter().chain(&self.factor).all(|value| value.is_finite());
        self.mean.len() == width && self.factor.len() == width && finite
    }
}
