//! The mean of a run's recent states: steadier than any one of them, and as a rule better (Polyak and Juditsky, "Acceleration
//! of stochastic approximation by averaging", 1992; Izmailov et al., "Averaging weights leads to wider optima", 2018).

use polytask_exec::Parameters;

/// States that are taken in, an epoch; more would cost much time where tables are large and tell little.
const TAKEN: u64 = 32;

/// Exponential mean of parameters.
pub(super) struct Average {
    /// Steps between two states that count.
    every: u64,
    /// The share of a new state, once there have been many.
    share: f64,
    pub parameters: Parameters,
}

impl Average {
    /// One that forgets within about `epochs` epochs of so many steps, none where that is 0.
    pub(super) fn new(epochs: f64, epoch_steps: u64, start: &Parameters) -> Option<Self> {
        let every = (epoch_steps / TAKEN).max(1);
        let share = (every as f64 / (epochs * epoch_steps as f64)).min(1.0);
        (epochs > 0.0).then_some(Average { every, share, parameters: start.clone() })
    }

    /// Takes in the state after some step. The first states count alike, so that the start, which is nobody's optimum, is soon
    /// forgotten: `a <- a + max(share, 1 / n) (w - a)` for the n-th.
    pub(super) fn take(&mut self, step: u64, now: &Parameters) {
        if !step.is_multiple_of(self.every) {
            return;
        }
        let share = self.share.max(self.every as f64 / step as f64) as f32;
        let pairs = self.parameters.values_mut().iter_mut().zip(now.values());
        pairs.for_each(|(mean, now)| *mean += share * (now - *mean));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_graph::{Activation, GraphBuilder, LossKind};

    /// Parameters of a layer from one number to one, both of this value.
    fn parameters(value: f32) -> Parameters {
        let mut g = GraphBuilder::new();
        let x = g.input("x", 1);
        let y = g.dense(x, 1, Activation::Linear);
        g.loss("y", y, LossKind::Mse);
        let mut all = Parameters::zeros(&g.finish().unwrap());
        all.values_mut().fill(value);
        all
    }

    #[test]
    fn the_first_states_count_alike_and_later_ones_fade() {
        // Epochs of 64 steps: every second state counts, each for a 64th of the mean over two epochs.
        let mut average = Average::new(2.0, 64, &parameters(1e6)).unwrap();
        for step in 1..=128 {
            average.take(step, &parameters(if step % 2 == 0 { step as f32 } else { f32::NAN }));
        }
        let mean = average.parameters.values()[0];
        assert!((mean - 65.0).abs() < 1e-3, "the mean of 2, 4, ..., 128, but {mean}");
        average.take(130, &parameters(65.0 + 64.0));
        assert!((average.parameters.values()[1] - 66.0).abs() < 1e-3);
        assert!(Average::new(0.0, 64, &parameters(0.0)).is_none());
    }
}
