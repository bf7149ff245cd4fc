//! A run that was stopped and goes on is the run that was not stopped, bit for bit, with every balancing method.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use polytask::model;
use polytask::prepare;
use polytask::share::{self, Design};
use polytask::train::{Budget, Checkpoint, CheckpointError, Job, Watch, fit};
use polytask_balance::METHODS;

/// Writes every checkpoint to a file, as `polytask train` does.
struct Keeper(std::path::PathBuf);

impl Watch for Keeper {
    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        checkpoint.save(&self.0)
    }
}

/// A method as the config has it, with what it needs; settings that bring in state where they are not the default.
fn balance(name: &str) -> String {
    match name {
        "fixed" => "{ method = \"fixed\", weights = { a = 2.0, b = 0.5 } }".to_owned(),
        "mgda" => "{ method = \"mgda\", momentum = 0.5 }".to_owned(),
        _ => format!("\"{name}\""),
    }
}

#[test]
fn every_method_goes_on_bit_for_bit() {
    let data = common::sums(200);
    for method in METHODS {
        let folder = tempfile::tempdir().unwrap();
        let balance = balance(method.name);
        let sections = format!(
            "split = {{ valid = 0, test = 0 }}\n[tasks.a]\n[tasks.b]\n[model]\ntrunk = [8]\nhead = [4]\ndropout = 0.1\n\
             [loss]\nbalance = {balance}\n[train]\nbatch = 16\n"
        );
        let config = common::config(&folder, &data, &sections);
        let prepared = prepare(&config).unwrap();
        let graph = share::build(&Design::new(&config, &prepared.encoder, &prepared.tasks)).unwrap();
        let start = model::start(&graph, &prepared.tasks, 0, None).unwrap();
        let budget = Budget::of(&config.train, prepared.split.train.len());
        let run = |steps: u64, resume: bool| {
            let job = Job {
                graph: &graph,
                tasks: &prepared.tasks,
                labels: &[0, 1],
                data: &prepared.data,
                train: &prepared.split.train,
                valid: &[],
                loss: &config.loss,
                config: &config.train,
                budget: Budget { steps, patience: 0, ..budget },
                linear: None,
            };
            let file = folder.path().join("checkpoint.safetensors");
            let resume = resume.then(|| Checkpoint::load(&file, &job).unwrap());
            fit(&job, &start, resume, &mut Keeper(file)).unwrap()
        };
        // Two epochs and a half, and stops in the middle of the first and of the third.
        let whole = run(33, false);
        run(5, false);
        run(28, true);
        let parts = run(33, true);
        assert!(parts.parameters == whole.parameters && whole.parameters != start, "{}", method.name);
        assert_eq!(parts.steps, whole.steps, "{}", method.name);
    }
}
