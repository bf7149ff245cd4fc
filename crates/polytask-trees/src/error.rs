/// What can be wrong with data, options or a model read from a file.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TreesError {
    /// A column, a task's labels or its weights have another length than there are rows.
    #[error("{what} has {found} values, but {expected} were expected")]
    Length {
        /// The part that is too long or too short.
        what: String,
        /// Values that it should have.
        expected: usize,
        /// Values that it has.
        found: usize,
    },
    /// A value that cannot be used, for example a class that is out of range or a negative count.
    #[error("{0}")]
    Value(String),
    /// An option out of its range, or two that do not go together.
    #[error("{0}")]
    Option(String),
    /// A model whose parts do not fit together, as read from a damaged file.
    #[error("the model is damaged: {0}")]
    Model(String),
    /// Rows to predict for that do not have the columns that the model was fitted with.
    #[error("{0}")]
    Columns(String),
}
