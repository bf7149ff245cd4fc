/// When a task is at its best, and when it has not been better for long enough to stop.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    /// The least validation loss and the number of trees with it.
    best: Option<(f64, usize)>,
    patience: Option<usize>,
}

impl Stop {
    /// `start` is the loss without a tree; `None` where there are no validation labels, and then nothing ever stops.
    pub(super) fn new(start: Option<f64>, patience: Option<usize>) -> Self {
        Self { best: start.filter(|loss| loss.is_finite()).map(|loss| (loss, 0)), patience }
    }

    /// Takes the loss with `trees` trees; true if it is time to stop.
    pub(super) fn after(&mut self, trees: usize, loss: Option<f64>) -> bool {
        let (Some(best), Some(loss)) = (&mut self.best, loss) else { return false };
        if loss < best.0 {
            *best = (loss, trees);
        }
        self.patience.is_some_and(|patience| trees - best.1 >= patience)
    }

    /// Trees that count, of all that there are.
    pub(super) fn trees(&self, all: usize) -> usize {
        self.best.map_or(all, |best| best.1)
    }

    pub(super) fn loss(&self) -> Option<f64> {
        self.best.map(|best| best.0)
    }
}
