//! A run that was stopped and goes on is the run that was not stopped, bit for bit, with every balancing method.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use polytask::fit;
use polytask::prepare;
use polytask::train::{Callback, Checkpoint, CheckpointError, Fitted};
use polytask_balance::METHODS;

/// Writes every checkpoint to a file, as `polytask train` does, and ends the run after some step.
struct Keeper {
    file: std::path::PathBuf,
    until: u64,
    step: u64,
}

impl Callback for Keeper {
    fn step(&mut self, step: u64, _: u64) {
        self.step = step;
    }

    fn stop(&self) -> bool {
        self.step >= self.until
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        checkpoint.save(&self.file)
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
             [loss]\nbalance = {balance}\n[train]\nbatch = 16\nepochs = 3\naverage = 0.5\n"
        );
        let config = common::config(&folder, &data, &sections);
        let prepared = prepare(&config).unwrap();
        let build = common::build(&config, &prepared);
        let run = |until: u64, resume: bool| {
            let job = build.job(&prepared);
            let file = folder.path().join("checkpoint.safetensors");
            let resume = resume.then(|| Checkpoint::load(&file, &job).unwrap());
            fit(&job, &build.start, resume, &mut Keeper { file, until, step: 0 }).unwrap()
        };
        // Three epochs of 13 steps; stops in the middle of the first and of the third.
        let whole = run(u64::MAX, false);
        run(5, false);
        run(31, true);
        let parts = run(u64::MAX, true);
        assert!(parts.body == whole.body && whole.body.network().unwrap().parameters != build.start, "{}", method.name);
        let rounds =
            |fitted: &Fitted| fitted.history.iter().map(|r| (r.train.clone(), r.weights.clone())).collect::<Vec<_>>();
        assert_eq!(rounds(&parts), rounds(&whole), "{}", method.name);
    }
}
