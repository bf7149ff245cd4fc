//! What keeps tasks from being selected.

/// Why tasks cannot be selected.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SelectError {
    /// Nothing to choose between.
    #[error("there is one task, `{0}`; selection chooses which of several tasks learn together")]
    OneTask(String),
    /// No task counts.
    #[error("every task is an auxiliary one, so there is none to select for")]
    NoPrimary,
    /// More than sets can hold.
    #[error("there are {0} tasks; selection takes at most {most}", most = super::MOST_TASKS)]
    TooMany(usize),
    /// Too few labels to measure anything.
    #[error("task `{task}` has {labels} labelled training rows, too few to measure what helps it; it needs {needed}")]
    FewLabels {
        /// The task.
        task: String,
        /// Labelled training rows.
        labels: usize,
        /// How many would do.
        needed: usize,
    },
    /// The tasks share no parameter.
    #[error("the tasks share nothing with `model.sharing = \"{0}\"`, so a step for one does nothing to another")]
    NothingShared(&'static str),
    /// A linear model takes no steps.
    #[error("a linear model is solved, not trained step by step, so there are no steps to look ahead of")]
    Linear,
    /// More groups than tasks, or none.
    #[error("{asked} groups cannot be made of {tasks} tasks that count; the number of groups is from 1 to {tasks}")]
    Groups {
        /// What was asked for.
        asked: usize,
        /// Tasks that count.
        tasks: usize,
    },
    /// Nothing is cheap enough.
    #[error("no groups have at most {limit} {what}: the cheapest, {cheapest}, have {needed}")]
    Budget {
        /// `parameters` or `multiply-adds a row`.
        what: &'static str,
        /// The limit.
        limit: usize,
        /// What the cheapest groups need.
        needed: usize,
        /// Which these are.
        cheapest: String,
    },
    /// Training all groups takes too long.
    #[error("the signal \"exhaustive\" trains every group, {groups} of {tasks} tasks; it takes at most {most} tasks", groups = (1u128 << (*tasks).min(127)) - 1)]
    Exhaustive {
        /// Tasks.
        tasks: usize,
        /// Tasks at most.
        most: usize,
    },
    /// Nothing to choose the best way by.
    #[error("`verify` chooses by validation rows and reports on test rows, and there are no {0} rows")]
    NoRows(&'static str),
    /// A signal that trains groups and judges them.
    #[error("the signal \"{0}\" judges trained groups on validation rows, and there are none")]
    NoValidation(&'static str),
    /// `selection.json` of other tasks, or none.
    #[error("{path}: {reason}")]
    File {
        /// The file.
        path: std::path::PathBuf,
        /// What does not hold.
        reason: String,
    },
}

impl SelectError {
    /// What would be right, where that can be said.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            SelectError::OneTask(_) => "add a second task to the config",
            SelectError::NoPrimary => "leave out `role = \"auxiliary\"` where a task is wanted for its own sake",
            SelectError::FewLabels { .. } => "leave the task out, or give it more labels",
            SelectError::NothingShared(_) => "choose an architecture that shares, such as model.sharing = \"hard\"",
            SelectError::Linear => {
                "choose model.sharing = \"hard\"; of a linear model the penalties tell which tasks go together \
                 (`polytask architectures`)"
            }
            SelectError::Budget { .. } => "raise the limit, or make the trunk smaller",
            SelectError::Exhaustive { .. } => "take another signal, such as --signal affinity",
            SelectError::NoRows(_) | SelectError::NoValidation(_) => {
                "give shares or files of them in data.split, such as split = { valid = 0.1, test = 0.2 }"
            }
            SelectError::File { .. } => "give the selection.json that `polytask select` wrote for this config",
            SelectError::TooMany(_) | SelectError::Groups { .. } => return None,
        };
        Some(hint.to_owned())
    }

    /// Whether the call or the config is wrong, and not the work.
    pub fn is_usage(&self) -> bool {
        !matches!(self, SelectError::FewLabels { .. })
    }
}
