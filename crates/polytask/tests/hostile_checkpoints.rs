//! Checkpoints from elsewhere: whatever is changed in one, with a checksum that is right or wrong, to go on with it ends in a
//! model or in an error, never in a panic.
//!
//! `POLYTASK_MUTATIONS` says how many changed checkpoints of each balancing method are tried, instead of a few.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use common::Noise;
use common::mutate::{Draw, change, strings};
use polytask::files::{Array, Numbers, read_sealed, write_sealed};
use polytask::train::{Callback, Checkpoint, CheckpointError, Job};
use polytask::{Build, fit, prepare};
use polytask_balance::METHODS;
use serde_json::Value;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// Changed checkpoints of each method.
const MUTATIONS: usize = 24;
/// Steps after which a run ends.
const END: u64 = 30;

/// Writes checkpoints, and ends the run after some step.
struct Keeper {
    file: PathBuf,
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

fn mutations() -> usize {
    std::env::var("POLYTASK_MUTATIONS").ok().and_then(|count| count.parse().ok()).unwrap_or(MUTATIONS)
}

/// A balancing method as a config has it, so that it has much to remember.
fn balance(name: &str) -> String {
    match name {
        "fixed" => "{ method = \"fixed\", weights = { a = 2.0, b = 0.5 } }".to_owned(),
        "mgda" => "{ method = \"mgda\", momentum = 0.5 }".to_owned(),
        _ => format!("\"{name}\""),
    }
}

/// Trains a few steps by each method and hands over the job, its start and its checkpoint.
fn each(mut test: impl FnMut(&str, &Job<'_>, &Build, &Path)) {
    let data = common::sums(200);
    for method in METHODS {
        let folder = tempfile::tempdir().unwrap();
        let balance = balance(method.name);
        let sections = format!(
            "split = {{ valid = 0.2, test = 0 }}\n[tasks.a]\n[tasks.b]\n[model]\ntrunk = [4]\ndropout = 0.1\n\
             [loss]\nbalance = {balance}\n[train]\nbatch = 16\nepochs = 4\naverage = 0.5\n"
        );
        let config = common::config(&folder, &data, &sections);
        let prepared = prepare(&config).unwrap();
        let build = common::build(&config, &prepared);
        let file = folder.path().join("checkpoint.safetensors");
        fit(&build.job(&prepared), &build.start, None, &mut Keeper { file: file.clone(), until: 14, step: 0 }).unwrap();
        test(method.name, &build.job(&prepared), &build, &file);
    }
}

/// Goes on with a checkpoint; whether that could be done.
fn goes_on(job: &Job<'_>, build: &Build, file: &Path, said: &str) -> bool {
    let tried = catch_unwind(AssertUnwindSafe(|| {
        let checkpoint = Checkpoint::load(file, job).map_err(|error| error.to_string())?;
        let mut keeper = Keeper { file: file.with_extension("new"), until: END, step: 0 };
        fit(job, &build.start, Some(checkpoint), &mut keeper).map(|_| ()).map_err(|error| error.to_string())
    }));
    tried.unwrap_or_else(|_| panic!("{said}")).is_ok()
}

/// Changes the length, the name or the numbers of an array, takes one away or puts one in; says what it did.
fn change_arrays(arrays: &mut Vec<Array<'static>>, draw: &mut Draw) -> String {
    let at = draw.below(arrays.len());
    let (how, array) = (draw.below(7), &mut arrays[at]);
    let said = format!("array {}, way {how}", array.name);
    let Numbers::F32(values) = &array.numbers else { return said };
    let mut values = values.to_vec();
    match how {
        0 => values.truncate(values.len().saturating_sub(1)),
        1 => values.push(0.0),
        2 => values.clear(),
        3 => array.name.push('x'),
        4 => return drop_array(arrays, at, said),
        _ => {
            let extremes = [f32::NAN, f32::INFINITY, f32::MAX, f32::MIN_POSITIVE, -0.0, -1.0];
            let value = *draw.of(&extremes);
            let place = draw.below(values.len());
            values.get_mut(place).into_iter().for_each(|kept| *kept = value);
        }
    }
    array.dims = vec![values.len()];
    array.numbers = Numbers::F32(values.into());
    said
}

fn drop_array(arrays: &mut Vec<Array<'static>>, at: usize, said: String) -> String {
    arrays.remove(at);
    said
}

#[test]
fn what_is_changed_is_an_error_or_a_model() {
    let (mut tried, mut good) = (0, 0);
    each(|method, job, build, file| {
        let read = || read_sealed(file).unwrap();
        let state: Value = serde_json::from_str(&read().1).unwrap();
        let words = strings(&state);
        let changed = file.with_extension("changed");
        for i in 0..mutations() {
            let mut draw = Draw(Noise(tried as u64));
            let (mut arrays, mut state, mut said) = (read().0, state.clone(), format!("{method} {i}"));
            for _ in 0..1 + draw.below(2) {
                said += "; ";
                said += &match draw.below(4) {
                    0 if !arrays.is_empty() => change_arrays(&mut arrays, &mut draw),
                    _ => change(&mut state, &words, &mut draw),
                };
            }
            write_sealed(&changed, &arrays, &state.to_string()).unwrap();
            tried += 1;
            good += usize::from(goes_on(job, build, &changed, &said));
        }
        assert!(goes_on(job, build, file, method), "{method}");
    });
    // Some changes make no checkpoint, and some one that can be gone on with.
    assert!(good > 0 && good < tried, "{good} of {tried}");
}

#[test]
fn damaged_files_are_refused() {
    each(|method, job, build, file| {
        if method != "equal" {
            return;
        }
        let bytes = std::fs::read(file).unwrap();
        let changed = file.with_extension("changed");
        let mut draw = Draw(Noise(3));
        for _ in 0..20 * mutations() {
            let mut bytes = bytes.clone();
            let at = draw.below(bytes.len());
            match draw.below(3) {
                0 => bytes.truncate(at),
                1 => bytes[at] ^= 1 << draw.below(8),
                _ => drop(bytes.splice(at..(at + 8).min(bytes.len()), [0xFF; 8])),
            }
            std::fs::write(&changed, bytes).unwrap();
            // A space of the header may be another one; all else is told by the checksum.
            goes_on(job, build, &changed, &format!("at {at}"));
        }
        let mut flipped = bytes.clone();
        *flipped.last_mut().unwrap() ^= 1;
        std::fs::write(&changed, flipped).unwrap();
        let error = Checkpoint::load(&changed, job).map(|_| ()).unwrap_err().to_string();
        assert!(error.contains("its checksum does not fit"), "{error}");
    });
}
