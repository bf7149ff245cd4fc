//! Side-by-side measurements of polytask and its peers.
//!
//! Every contestant does the same work on the same numbers ([`problem`]) and speaks the same small protocol
//! ([`protocol`]). The rounds alternate between them, so that a busy machine slows all of them alike ([`compare`]).

pub mod aggregators;
pub mod compare;
pub mod contestant;
pub mod growth;
pub mod images;
pub mod network;
mod plot;
pub mod predict;
pub mod problem;
pub mod protocol;
pub mod report;
pub mod select;
pub mod sequences;
pub mod sgemm;
pub mod trees;
pub mod worker;
pub mod workload;

/// What can go wrong in a measurement.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A contestant could not be started at all.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program that was to run.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A contestant says that it cannot take part, for instance because a package is missing.
    #[error("{0}")]
    Unavailable(String),
    /// A device that lacks something of a graph.
    #[error(transparent)]
    Unsupported(#[from] polytask::exec::Unsupported),
    /// A contestant ended before its time.
    #[error("ended early: {0}")]
    Ended(String),
    /// A contestant printed something that is not in the protocol.
    #[error("answered `{0}`, which is not in the protocol")]
    Protocol(String),
    /// Reading or writing failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// A file could not be written.
    #[error("cannot write {path}: {source}")]
    Write {
        /// Where it was to be.
        path: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// No reference to compare with.
    #[error("the reference `{0}` is not among the contestants that ran")]
    NoReference(String),
    /// The command line names a peer that this workload does not have.
    #[error("{workload} has no peer `{name}` (it has: {known})")]
    UnknownPeer {
        /// The workload.
        workload: &'static str,
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// The command line names an aggregator that not both have.
    #[error("there is no aggregator `{name}` to compare (there are: {known})")]
    UnknownMethod {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
}

/// A result of a measurement.
pub type Result<T> = std::result::Result<T, Error>;
