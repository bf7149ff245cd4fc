//! What is told of a training run while it goes on: to the terminal, to TensorBoard, to MLflow.

mod mlflow;
mod screen;
mod tensorboard;

pub use mlflow::{Mlflow, MlflowError};
pub use screen::Screen;
pub use tensorboard::TensorBoard;

use polytask::train::Round;

/// The numbers of a round with the names that trackers know them by: a kind and, behind a slash, a task.
pub fn scalars(round: &Round) -> Vec<(String, f64)> {
    let mut all = vec![
        ("loss".to_owned(), round.loss),
        ("penalty".to_owned(), round.penalty),
        ("learning_rate".to_owned(), round.learning_rate),
    ];
    all.extend(round.criterion.map(|criterion| ("criterion".to_owned(), criterion)));
    all.extend(round.strength.map(|strength| ("strength".to_owned(), strength)));
    for (kind, values) in [
        ("train_loss", &round.train),
        ("valid_loss", &round.valid),
        ("weight", &round.weights),
        ("share", &round.shares),
    ] {
        all.extend(values.iter().map(|(task, value)| (format!("{kind}/{task}"), *value)));
    }
    for (task, metrics) in &round.scores {
        all.extend(metrics.iter().map(|(metric, value)| (format!("valid_{metric}/{task}"), *value)));
    }
    if let Some(gradients) = &round.gradients {
        all.extend(gradients.norms.iter().map(|(task, norm)| (format!("gradient_norm/{task}"), *norm)));
        for (a, others) in &gradients.cosines {
            all.extend(others.iter().map(|(b, cosine)| (format!("gradient_cosine/{a}.{b}"), *cosine)));
        }
    }
    all
}

/// Where a round stands on the axis of steps; the rounds of a linear model are strengths that are tried.
pub fn step(round: &Round) -> u64 {
    if round.strength.is_some() { round.epoch } else { round.step }
}
