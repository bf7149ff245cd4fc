//! Between what a model computes and what it predicts: how an average over several models is taken.

use super::Kind;
use super::Task;

/// How raw outputs become a prediction whose average over models is one too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// Numbers are numbers.
    Identity,
    /// The logit of a probability, of each output for itself.
    Logit,
    /// Logits of classes, of which one is right.
    Softmax,
    /// The logarithm of a rate.
    Log,
}

/// Probabilities and rates nearer to 0 than this have no logarithm of use.
const SMALLEST: f64 = 1e-7;

impl Task {
    /// How its raw outputs become predictions, of a task that labels rows; none where it labels tokens or pixels.
    pub fn link(&self) -> Option<Link> {
        match &self.kind {
            Kind::Regression(_) => Some(Link::Identity),
            Kind::Binary(_) | Kind::Multilabel(_) | Kind::Ordinal(_) | Kind::Survival(_) => Some(Link::Logit),
            Kind::Category(_) => Some(Link::Softmax),
            Kind::Count(_) => Some(Link::Log),
            Kind::Tags(_)
            | Kind::TokenCategory(_)
            | Kind::Predicates(_)
            | Kind::Senses(_)
            | Kind::Roles(_)
            | Kind::Arcs(_)
            | Kind::Segmentation(_)
            | Kind::PixelRegression(_)
            | Kind::Own(_) => None,
        }
    }
}

impl Link {
    /// The raw outputs of a row become predictions.
    pub fn decode(self, row: &mut [f64]) {
        match self {
            Link::Identity => {}
            Link::Logit => row.iter_mut().for_each(|z| *z = 1.0 / (1.0 + (-*z).exp())),
            Link::Softmax => {
                // The largest logit is taken off first, so that no exponential overflows.
                let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                row.iter_mut().for_each(|z| *z = (*z - largest).exp());
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|p| *p /= sum);
            }
            Link::Log => row.iter_mut().for_each(|z| *z = z.exp()),
        }
    }

    /// The predictions of a row become raw outputs; those at the edge of what can be are taken a little inside.
    pub fn encode(self, row: &mut [f64]) {
        match self {
            Link::Identity => {}
            Link::Logit => row.iter_mut().for_each(|p| {
                let inside = p.clamp(SMALLEST, 1.0 - SMALLEST);
                *p = (inside / (1.0 - inside)).ln();
            }),
            Link::Softmax | Link::Log => row.iter_mut().for_each(|p| *p = p.max(SMALLEST).ln()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encoded_decodes_to_itself() {
        for (link, row) in [
            (Link::Identity, vec![-3.0, 2.0]),
            (Link::Logit, vec![0.001, 0.5, 0.99]),
            (Link::Softmax, vec![0.2, 0.3, 0.5]),
            (Link::Log, vec![0.01, 7.0]),
        ] {
            let mut there = row.clone();
            link.encode(&mut there);
            link.decode(&mut there);
            for (a, b) in there.iter().zip(&row) {
                assert!((a - b).abs() < 1e-9, "{link:?}: {row:?} became {there:?}");
            }
        }
        let mut edges = vec![0.0, 1.0];
        Link::Logit.encode(&mut edges);
        assert!(edges.iter().all(|z| z.is_finite()));
    }
}
