//! What becomes of a linear model: what its search came to, or why there is none.

use polytask_linear::LinearError;
use serde::Serialize;

/// What came of the search, for people to read.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Solved {
    /// The penalty, as in the config.
    pub penalty: &'static str,
    /// How much it weighs.
    pub strength: f64,
    /// Its second number.
    pub ratio: Option<f64>,
    /// What the strength was chosen by, in words.
    pub chosen_by: String,
    /// Strengths and ratios tried.
    pub tried: usize,
    /// How far the objective is from its minimum at most, where all losses are squared.
    pub gap: Option<f64>,
    /// Whether the solver came within its tolerance.
    pub converged: bool,
    /// Features with a weight that is not 0.
    pub used: usize,
    /// Features there are.
    pub features: usize,
    /// trace, sparse_low_rank, robust: dimensions of the common subspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// robust: tasks that owe more to weights of their own than to the common subspace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outliers: Option<Vec<String>>,
    /// clustered: the groups of tasks, by Ward's method on their weights.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Vec<String>>>,
}

/// Why a linear model cannot be found.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LinearProblem {
    /// A task without labels in what is left of the training rows when a part is held out.
    #[error("task `{task}` has too few labelled training rows for cross-validation in {folds} parts")]
    FewRows {
        /// The task.
        task: String,
        /// The parts.
        folds: usize,
    },
    /// A loss that has no closed form.
    #[error("the strength \"loo\" is for squared losses; task `{0}` has another")]
    NotSquared(String),
    /// A penalty that ties whole tasks together, and tasks with different numbers of outputs.
    #[error(
        "the penalty \"{penalty}\" ties tasks output to output, and task `{task}` has {got} of them, task `{first}` {expected}"
    )]
    Widths {
        /// As in the config.
        penalty: &'static str,
        /// A task.
        task: String,
        /// Its outputs: 1, or one a class or label.
        got: usize,
        /// The first task.
        first: String,
        /// Its outputs.
        expected: usize,
    },
    /// A loss that the solver does not know.
    #[error("task `{task}` has the loss {loss:?}, a caller's own, which only networks can have")]
    Loss {
        /// The task.
        task: String,
        /// Its loss.
        loss: String,
    },
    /// A network that is not linear.
    #[error("the head of task `{0}` is not linear in the inputs")]
    Network(String),
    /// Whatever else keeps the problem from being solved.
    #[error(transparent)]
    Linear(#[from] LinearError),
}

impl LinearProblem {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        match self {
            LinearProblem::FewRows { .. } => Some(
                "give model.sharing.strength a number, use fewer model.sharing.folds, or keep validation rows"
                    .to_owned(),
            ),
            LinearProblem::Widths { .. } => Some(
                "the penalties \"l21\", \"trace\", \"robust\" and \"dirty\" take tasks of any kind together".to_owned(),
            ),
            _ => None,
        }
    }
}
