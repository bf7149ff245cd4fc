//! A loss that a caller brings.

use crate::Shape;
use serde_json::Value;
use std::fmt::Debug;

/// A loss with numbers as labels: its value and gradient for one element, on slices. The loss of a task is the mean of the
/// elements' losses, weighed by the rows' weights; elements of weight 0 are never asked about.
///
/// It runs on several threads, and must give the same for the same.
pub trait CustomLoss: Debug + Send + Sync {
    /// What it is called, in files and messages.
    fn name(&self) -> &str;

    /// What it is set to, from which a [`Registry`](crate::Registry) makes it again. Default null: nothing.
    fn settings(&self) -> Value {
        Value::Null
    }

    /// Why it cannot compare such predictions, if it cannot, as the end of the sentence "layer x: ...". Default: it can.
    ///
    /// # Errors
    /// What is wrong and what would be right.
    fn check(&self, _prediction: &Shape) -> Result<(), String> {
        Ok(())
    }

    /// Labels an element has. Default: one for each predicted number.
    fn label_width(&self, prediction: &Shape) -> usize {
        prediction.width()
    }

    /// The loss of an element. Labels that are missing, of an element that has others, are NaN.
    fn value(&self, prediction: &[f32], label: &[f32]) -> f64;

    /// Adds `scale` times the gradient with respect to the prediction.
    fn add_gradient(&self, prediction: &[f32], label: &[f32], scale: f32, into: &mut [f32]);
}
