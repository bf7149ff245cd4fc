//! Processes that `mpirun` starts train one model together. Built with the feature `mpi`; skipped where there is no `mpirun`.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use std::process::{Command, Output};

const CONFIG: &str = "[data]\npath = \"data.csv\"\n[tasks.size]\n[tasks.weight]\nkind = \"regression\"\n[tasks.warm]\n[model]\n\
                      trunk = [256, 256]\ndropout = 0.1\n[loss]\nbalance = \"METHOD\"\n[train]\nepochs = 6\nbatch = 512\n\
                      learning_rate = 0.003\n";

/// Enough rows that a batch has several lanes; some labels are missing.
fn table() -> String {
    let row = |i: usize| {
        let (x, z) = ((i * 37 % 1009) as f64 / 100.0, (i * 61 % 509) as f64 / 50.0);
        let weight = if i % 7 == 3 { String::new() } else { format!("{:.3}", x + 2.0 * z) };
        format!("{x},{z},{},{:.3},{weight},{}\n", ["a", "b", "c"][i % 3], x * z, if x > z { "yes" } else { "no" })
    };
    format!("x,z,kind,size,weight,warm\n{}", (0..3000).map(row).collect::<String>())
}

/// The program on so many processes of one thread each; none where there is no `mpirun`.
fn on(folder: &Folder, ranks: usize, arguments: &str) -> Option<Output> {
    let mut run = Command::new("mpirun");
    run.args(["--allow-run-as-root", "--oversubscribe", "-n", &ranks.to_string(), env!("CARGO_BIN_EXE_polytask")]);
    let done = run.args(arguments.split(' ')).current_dir(folder.path("")).output();
    match done {
        Ok(done) => Some(done),
        Err(_) => {
            eprintln!("skipped: there is no mpirun");
            None
        }
    }
}

fn words(done: &Output) -> String {
    String::from_utf8_lossy(&done.stderr).into_owned()
}

#[test]
#[cfg(feature = "mpi")]
fn any_number_of_processes_comes_to_the_same_bits() {
    for method in ["equal", "cagrad", "pcgrad"] {
        let folder = Folder::with(&CONFIG.replace("METHOD", method), &table());
        folder.works("train config.toml --threads 2 --out one");
        for ranks in [2, 4] {
            let Some(done) = on(&folder, ranks, &format!("train config.toml --threads 1 --out {ranks}")) else {
                return;
            };
            assert!(done.status.success(), "{}", words(&done));
            assert!(words(&done).contains(&format!("{ranks} processes train together")), "{}", words(&done));
            assert_eq!(
                folder.bytes("one/model.safetensors"),
                folder.bytes(&format!("{ranks}/model.safetensors")),
                "{method} on {ranks} processes"
            );
            assert_eq!(folder.history("one"), folder.history(&ranks.to_string()), "{method} on {ranks} processes");
            // One of them speaks.
            assert_eq!(words(&done).matches("processes train together").count(), 1);
        }
    }
}

#[test]
#[cfg(feature = "mpi")]
fn a_run_goes_on_with_another_number_of_processes() {
    let folder = Folder::with(&CONFIG.replace("METHOD", "equal"), &table());
    folder.works("train config.toml --threads 2 --out whole");
    folder.works("train config.toml --threads 2 --out part --set train.epochs=3");
    // Longer than it was to be: the schedule of a constant rate is the same.
    let Some(done) = on(&folder, 2, "train config.toml --threads 1 --out part --resume") else { return };
    assert!(done.status.success(), "{}", words(&done));
    assert_eq!(folder.bytes("whole/model.safetensors"), folder.bytes("part/model.safetensors"));
}

#[test]
#[cfg(feature = "mpi")]
fn what_fails_in_one_process_ends_all() {
    let folder = Folder::with(&CONFIG.replace("METHOD", "equal"), &table());
    folder.write("taken", "a file");
    let Some(done) = on(&folder, 3, "train config.toml --threads 1 --out taken") else { return };
    assert!(!done.status.success());
    assert!(words(&done).contains("error: process 0:") && words(&done).contains("taken"), "{}", words(&done));
}

#[test]
#[cfg(feature = "mpi")]
fn trees_are_fitted_by_the_first_alone() {
    let config = "[data]\npath = \"data.csv\"\n[tasks.size]\n[tasks.warm]\n[model]\nfamily = \"trees\"\ntrees = { trees = 20 }\n";
    let folder = Folder::with(config, &table());
    folder.works("train config.toml --threads 2 --out one");
    let Some(done) = on(&folder, 2, "train config.toml --threads 1 --out two") else { return };
    assert!(done.status.success() && words(&done).contains("the first fits the model alone"), "{}", words(&done));
    assert_eq!(folder.bytes("one/model.json"), folder.bytes("two/model.json"));
}

#[test]
#[cfg(not(feature = "mpi"))]
fn a_program_without_mpi_says_so_before_it_works() {
    let folder = Folder::with(&CONFIG.replace("METHOD", "equal"), &table());
    let mut run = Command::new(env!("CARGO_BIN_EXE_polytask"));
    let run = run.args(["train", "config.toml"]).current_dir(folder.path("")).env("OMPI_COMM_WORLD_SIZE", "4");
    let done = run.output().unwrap();
    assert_eq!(done.status.code(), Some(2));
    assert!(words(&done).contains("a launcher started 4 processes, and this program was built without MPI"));
    assert!(words(&done).contains("--features mpi") && !folder.path("model").exists());
    let _ = on;
}
