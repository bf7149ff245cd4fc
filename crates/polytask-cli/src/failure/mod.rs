//! Why the program fails.

mod aggregate;
mod groups;

pub use aggregate::AggregateError;
pub use groups::GroupsError;

use crate::track::MlflowError;
use polytask::conformal::Unbounded;
use polytask::explain::Unexplained;
use polytask::model::{ModelError, PartError};
use polytask::nearest::suggest;
use polytask_balance::BalanceError;
use polytask_data::DataError;
use polytask_export::ExportError;
use polytask_report::ReportError;
use polytask_serve::{LoadError, ServeError};
use std::io;
use std::path::PathBuf;

/// Why processes cannot work together.
const NO_MPI: &str = match cfg!(feature = "mpi") {
    true => "the MPI library could not be begun",
    false => "this program was built without MPI",
};

/// Anything that ends the program with a message.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The library could not do it.
    #[error(transparent)]
    Library(#[from] polytask::Error),
    /// There is no such balancing method, or its keys are wrong.
    #[error(transparent)]
    Method(#[from] BalanceError),
    /// `polytask aggregate` cannot weigh what it was given.
    #[error(transparent)]
    Aggregate(#[from] AggregateError),
    /// The groups of `polytask compare --groups` cannot be used.
    #[error(transparent)]
    Groups(#[from] GroupsError),
    /// What belongs to one report, asked of several models.
    #[error("--data, --compare, --selection, --card and --no-importance belong to the report on one model")]
    ReportOfSeveral,
    /// The page of a report cannot be made.
    #[error(transparent)]
    Report(ReportError),
    /// What `polytask train --mlflow` was given is no address.
    #[error(transparent)]
    Mlflow(#[from] MlflowError),
    /// The model cannot be taken elsewhere.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// An answer that could be shown and not written.
    #[error("{0}")]
    Unwritten(String),
    /// A file that would be written over.
    #[error("{0} is there already; nothing was written")]
    Exists(PathBuf),
    /// A file that would be written over by what is made of it.
    #[error("{0} is the file that is read; nothing was written")]
    OntoData(PathBuf),
    /// A name that promises another format than there is.
    #[error("{path}: nothing is written as {ending}")]
    Ending {
        /// The file.
        path: PathBuf,
        /// The end of its name.
        ending: String,
    },
    /// A name that says something else than `--format`.
    #[error("{path} is named as {named}, and --format says {format}")]
    TwoFormats {
        /// The file.
        path: PathBuf,
        /// What its name says.
        named: &'static str,
        /// What the argument says.
        format: &'static str,
    },
    /// The server cannot run.
    #[error(transparent)]
    Serve(#[from] ServeError),
    /// Two models to be served under one name.
    #[error("two models are called `{0}`")]
    SameName(String),
    /// A name that cannot stand in a URL, or none.
    #[error("{0:?} does not name a model")]
    ModelName(String),
    /// A token that cannot stand in a header.
    #[error("the token in {0} is empty, or has other than printable ASCII characters")]
    Token(String),
    /// A model whose training rows nobody has summed up.
    #[error("{} has no {}: an older program wrote it, or `train --groups`", .0.display(), polytask::model::SUMMARY)]
    NoSummary(PathBuf),
    /// Inputs that are not as they were.
    #[error("not as in the training rows: {0}")]
    Drifted(String),
    /// A limit that nothing can keep to.
    #[error("a limit is {0}; it must be 0 or above")]
    Limit(f64),
    /// Several processes of a program that cannot work together.
    #[error("a launcher started {0} processes, and {NO_MPI}")]
    NoMpi(usize),
    /// Processes that are not at the same work.
    #[error("the processes that were started together have {0}")]
    RanksDiffer(&'static str),
    /// Tasks that a model cannot be cut down to.
    #[error("--tasks: {0}")]
    Part(#[from] PartError),
    /// A text for a model that reads none.
    #[error("the model reads no text")]
    NoText,
    /// Predictions of pixels for a table of plain values.
    #[error("task `{0}` labels pixels, which have no place in a table")]
    NoMasks(String),
    /// A drawing or a graph of a model that is no network.
    #[error("{0} have neither a drawing nor a graph of layers")]
    NoPicture(&'static str),
    /// No interval of the level that was asked for.
    #[error(transparent)]
    Interval(#[from] Unbounded),
    /// The model's predictions are not explained.
    #[error(transparent)]
    Unexplained(#[from] Unexplained),
    /// What a table of explanations has no place for.
    #[error("a CSV file of explanations has no place for --probabilities or --interval")]
    ExplainedAlone,
    /// Standard output could not be written.
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    pub fn hint(&self) -> Option<String> {
        match self {
            Failure::Library(error) => error.hint(),
            Failure::Method(BalanceError::UnknownMethod { nearest, .. }) if nearest.is_empty() => {
                Some("`polytask balancers` lists them".to_owned())
            }
            Failure::Method(error) => error.hint(),
            Failure::Interval(error) => error.hint(),
            Failure::Unexplained(error) => error.hint(),
            Failure::ExplainedAlone => Some("`--format jsonl` writes them beside the predictions".to_owned()),
            Failure::Aggregate(error) => error.hint(),
            Failure::Groups(_) => Some(
                "the file holds {\"groups\": [[\"a\", \"b\"], [\"c\"]]}, as `polytask select` writes it".to_owned(),
            ),
            Failure::Export(error) => error.hint(),
            Failure::Exists(_) => Some("--force writes over it".to_owned()),
            Failure::OntoData(_) => Some("give --out another file".to_owned()),
            Failure::Ending { .. } => {
                Some("name the file .csv or .jsonl, and .csv.gz, .jsonl.zst and so on to have it compressed".to_owned())
            }
            Failure::TwoFormats { .. } => Some("leave --format out, or name the file otherwise".to_owned()),
            Failure::Serve(ServeError::Model { source: LoadError::Model(error), .. }) => error.hint(),
            Failure::Serve(ServeError::Open(_)) => {
                Some("put one into a file for --token-file, or into the environment's POLYTASK_TOKEN".to_owned())
            }
            Failure::Serve(ServeError::Listen { .. }) => Some("--port takes another port".to_owned()),
            Failure::Part(PartError::Unknown { name, known }) => {
                suggest(name, &known.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Failure::Serve(_) | Failure::Limit(_) | Failure::Part(_) => None,
            Failure::SameName(name) => Some(format!("name one of them otherwise, such as {name}-2=DIR")),
            Failure::ModelName(_) => {
                Some("give the directory as NAME=DIR, the name in letters, digits and any of - _ . ~".to_owned())
            }
            Failure::Token(_) => Some("`openssl rand -hex 32` makes a good one".to_owned()),
            Failure::NoMpi(_) => Some(
                "build it with `cargo build --release --features mpi`, or start it without the launcher".to_owned(),
            ),
            Failure::RanksDiffer(_) => Some("give every machine the same program, config and data files".to_owned()),
            Failure::NoSummary(_) => Some("train the model again".to_owned()),
            Failure::Drifted(_) => Some(
                "look at these columns; where the change is there to stay, train the model again with newer rows"
                    .to_owned(),
            ),
            Failure::NoText => Some("give a file with its inputs by --data".to_owned()),
            Failure::ReportOfSeveral => Some("`polytask report A B` compares what the directories hold".to_owned()),
            Failure::Mlflow(_) => Some("for example http://127.0.0.1:5000, as `mlflow server` prints it".to_owned()),
            Failure::NoMasks(_) => {
                Some("write them as images by --masks FOLDER, or as lists by --format jsonl".to_owned())
            }
            Failure::NoPicture(_) => Some("`--format text` says what it is made of".to_owned()),
            Failure::Report(_) | Failure::Output(_) | Failure::Unwritten(_) => None,
        }
    }

    pub fn exit_code(&self) -> u8 {
        match self {
            Failure::Library(error) => error.exit_code(),
            Failure::Method(_) => 2,
            Failure::Aggregate(error) => error.exit_code(),
            Failure::OntoData(_) | Failure::Ending { .. } | Failure::TwoFormats { .. } => 2,
            Failure::Exists(_) | Failure::Serve(ServeError::Open(_)) => 2,
            Failure::NoSummary(_) | Failure::RanksDiffer(_) => 1,
            Failure::NoMpi(_) => 2,
            Failure::Drifted(_) => 3,
            Failure::Limit(_) | Failure::Part(_) => 2,
            Failure::SameName(_) | Failure::ModelName(_) | Failure::Token(_) => 2,
            Failure::Serve(_) => 1,
            Failure::Interval(Unbounded::Level(_) | Unbounded::Few { .. }) => 2,
            Failure::Interval(Unbounded::None(_) | Unbounded::Other(_) | Unbounded::File { .. }) => 1,
            Failure::Unexplained(Unexplained::Text(_) | Unexplained::Image(_) | Unexplained::Task(_)) => 2,
            Failure::Unexplained(_) => 1,
            Failure::ExplainedAlone => 2,
            Failure::Groups(_)
            | Failure::ReportOfSeveral
            | Failure::Mlflow(_)
            | Failure::NoText
            | Failure::NoPicture(_)
            | Failure::NoMasks(_) => 2,
            Failure::Report(_) | Failure::Export(_) | Failure::Output(_) | Failure::Unwritten(_) => 1,
        }
    }

    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }
}

impl From<ReportError> for Failure {
    fn from(error: ReportError) -> Self {
        match error {
            ReportError::Library(error) => Failure::Library(error),
            other => Failure::Report(other),
        }
    }
}

/// Errors of the library's parts are errors of the library.
macro_rules! from_part {
    ($($part:ty),*) => {
        $(impl From<$part> for Failure {
            fn from(error: $part) -> Self {
                Failure::Library(error.into())
            }
        })*
    };
}

from_part!(
    polytask::BuildError,
    polytask::FitError,
    polytask::StudyError,
    polytask::config::ConfigError,
    polytask::files::FileError,
    polytask::train::TrainError,
    ModelError,
    DataError
);
