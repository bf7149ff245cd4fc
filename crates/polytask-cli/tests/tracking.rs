//! What `--tensorboard` and `--mlflow` tell is read back by the real packages, where they are installed.

mod common;

use common::Folder;
use common::script::python;

/// The event file, read by the package `tensorboard`.
#[test]
fn tensorboard_reads_what_a_run_wrote() {
    python(
        &Folder::new(),
        "crates/polytask-cli/tests/tracking/check_tensorboard.py",
        &[env!("CARGO_BIN_EXE_polytask")],
    );
}

/// A server started from the package `mlflow`, and one that is not there.
#[test]
fn an_mlflow_server_knows_what_a_run_told_it() {
    python(&Folder::new(), "crates/polytask-cli/tests/tracking/check_mlflow.py", &[env!("CARGO_BIN_EXE_polytask")]);
}
