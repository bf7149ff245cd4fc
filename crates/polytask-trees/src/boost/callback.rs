use std::ops::ControlFlow;

/// What a round of boosting has come to.
#[derive(Clone, Copy, Debug)]
pub struct Round<'a> {
    /// Rounds so far, from 1 on.
    pub number: usize,
    /// Validation loss of each task after this round; `None` without validation rows, or if the task has stopped.
    pub validation: &'a [Option<f64>],
    /// Tasks that go on.
    pub active: &'a [bool],
}

/// What is told of every round, and may stop the fit or weigh the tasks.
pub trait Callback {
    /// After every round; `Break` ends the fit with what there is.
    fn after_round(&mut self, round: &Round<'_>) -> ControlFlow<()> {
        let _ = round;
        ControlFlow::Continue(())
    }

    /// Before every round: weights of the tasks in the choice of splits, one a task, 0 or more. `None` leaves them as
    /// they are. `losses` finds the training losses of all tasks (the mean over their rows), which takes a pass over
    /// the rows.
    fn task_weights(&mut self, losses: &mut dyn FnMut() -> Vec<f64>) -> Option<Vec<f64>> {
        let _ = losses;
        None
    }
}

/// Looks on and does nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Callback for Silent {}

impl<F: FnMut(&Round<'_>) -> ControlFlow<()>> Callback for F {
    fn after_round(&mut self, round: &Round<'_>) -> ControlFlow<()> {
        self(round)
    }
}
