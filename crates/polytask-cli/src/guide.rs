//! Which page of the documentation explains a failure, in one place.

use crate::failure::Failure;
use polytask::config::ConfigError;
use polytask::data::DataError;
use polytask::tasks::TaskError;
use polytask::train::TrainError;
use polytask::{BuildError, FitError, StudyError};

/// The page, relative to the folder `docs`; none where the message says all that there is to say.
pub fn page(failure: &Failure) -> Option<&'static str> {
    match failure {
        Failure::Library(polytask::Error::Model(error)) => of_model(error),
        Failure::Library(polytask::Error::Train(error)) => of_training(error),
        Failure::Library(polytask::Error::Study(error)) => of_study(error),
        Failure::Method(_) | Failure::Aggregate(_) => Some("reference/methods.md"),
        Failure::Groups(_) => Some("how-to/select.md"),
        Failure::Export(_) => Some("how-to/export.md"),
        Failure::Interval(_) => Some("how-to/intervals.md"),
        Failure::Unexplained(_) | Failure::ExplainedAlone => Some("how-to/explain.md"),
        Failure::Mlflow(_) | Failure::ReportOfSeveral => Some("how-to/report.md"),
        Failure::NoSummary(_) | Failure::Drifted(_) | Failure::Limit(_) => Some("how-to/drift.md"),
        Failure::NoMpi(_) | Failure::RanksDiffer(_) => Some("how-to/scale.md"),
        Failure::NoMasks(_) => Some("explanation/images.md"),
        Failure::Serve(_) | Failure::SameName(_) | Failure::ModelName(_) | Failure::Token(_) => {
            Some("how-to/serving.md")
        }
        Failure::Library(_)
        | Failure::Report(_)
        | Failure::Exists(_)
        | Failure::OntoData(_)
        | Failure::Ending { .. }
        | Failure::TwoFormats { .. }
        | Failure::Part(_)
        | Failure::NoText
        | Failure::NoPicture(_)
        | Failure::Output(_)
        | Failure::Unwritten(_) => None,
    }
}

fn of_study(error: &StudyError) -> Option<&'static str> {
    match error {
        StudyError::Train(error) => of_training(error),
        StudyError::Select(_) => Some("how-to/select.md"),
        StudyError::Tune(_) => Some("how-to/tune.md"),
        StudyError::NoTarget { .. } => Some("tutorials/start.md"),
        StudyError::NoTest => Some("explanation/compare.md"),
        _ => None,
    }
}

fn of_training(error: &FitError) -> Option<&'static str> {
    match error {
        FitError::Model(error) => of_model(error),
        FitError::Memory { .. } => Some("how-to/out-of-memory.md"),
        FitError::Train(TrainError::Balance(_) | TrainError::HeldOut) => Some("explanation/balancing.md"),
        FitError::Train(TrainError::Linear(_)) => Some("explanation/linear.md"),
        FitError::Train(TrainError::NotTable(_) | TrainError::Trees(_) | TrainError::Monotone(_)) => {
            Some("explanation/tables.md")
        }
        _ => None,
    }
}

fn of_model(error: &BuildError) -> Option<&'static str> {
    match error {
        BuildError::Config(ConfigError::Key(_)) => Some("reference/keys.md"),
        BuildError::Data(DataError::NoSuchFile { .. }) => None,
        BuildError::Data(DataError::Bomb { .. }) => Some("how-to/out-of-memory.md"),
        BuildError::Data(_) | BuildError::Encode(_) => Some("how-to/data.md"),
        BuildError::Task(TaskError::NoLabel { .. } | TaskError::EmptyPart { .. }) => Some("how-to/missing-labels.md"),
        BuildError::Task(TaskError::OneLabel { .. }) => Some("how-to/imbalanced-classes.md"),
        BuildError::Task(_) => Some("how-to/data.md"),
        BuildError::Graph(_) => Some("explanation/architectures.md"),
        _ => None,
    }
}
