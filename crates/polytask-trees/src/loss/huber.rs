//! Squared within `delta` of the label and straight beyond (Huber 1964). The Hessian is 1 everywhere (an upper bound),
//! which makes a step beyond `delta` a cautious one.

pub(super) fn loss(delta: f64, label: f64, score: f64) -> f64 {
    let distance = (score - label).abs();
    if distance <= delta { 0.5 * distance * distance } else { delta * (distance - 0.5 * delta) }
}

pub(super) fn gradient(delta: f64, label: f64, score: f64) -> (f64, f64) {
    ((score - label).clamp(-delta, delta), 1.0)
}
