//! Why `polytask aggregate` fails.

use polytask_balance::BalanceError;

/// Why nothing can be weighed.
#[derive(Debug, thiserror::Error)]
pub enum AggregateError {
    /// `--set` is not to be read.
    #[error("`--set {text}`: {reason}")]
    Set { text: String, reason: &'static str },
    /// Standard input is not JSON, or holds something else.
    #[error("standard input, line {line}, column {column}: {reason}")]
    Json { line: usize, column: usize, reason: String, finite: bool },
    /// What it holds does not fit together.
    #[error("standard input{}: {reason}", step.map_or(String::new(), |step| format!(", step {step}")))]
    Input { step: Option<usize>, reason: String },
    /// Something that the method needs is not there.
    #[error("{0}")]
    Lacks(String),
    /// The method refuses a step.
    #[error(transparent)]
    Step(#[from] BalanceError),
}

impl AggregateError {
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Set { .. } => Some("for example --set c=0.4 or --set preference='{ task0 = 2 }'".to_owned()),
            Self::Json { finite: false, .. } => {
                Some("every number must be finite: JSON has no NaN and no Infinity".into())
            }
            Self::Step(error) => error.hint(),
            _ => None,
        }
    }

    /// 2 where the call is wrong, 1 where the input is.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Set { .. }) { 2 } else { 1 }
    }
}
