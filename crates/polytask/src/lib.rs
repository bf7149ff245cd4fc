//! Multi-task learning: tasks, inputs, sharing, training, evaluation and the model directory.

#![forbid(unsafe_code)]

mod error;
pub mod prelude;

pub use error::Error;
pub use polytask_balance as balance;
pub use polytask_data as data;
pub use polytask_exec as exec;
pub use polytask_graph as graph;
pub use polytask_model::Error as BuildError;
pub use polytask_model::{
    Dataset, Device, background, config, conformal, drift, explain, files, inputs, metric, model, nearest, notes,
    output, pretrained, share, structure, tasks,
};
pub use polytask_study::Error as StudyError;
pub use polytask_train::Error as FitError;

pub use polytask_study::{compare, importance, inspect, select, tune};
pub use polytask_train::{
    Build, BuildBalancer, Experiment, Fits, Group, Own, Plan, Prepared, Run, Source, Trained, fit, linear, lines,
    prepare, read_options, read_table, search, train,
};
