//! An ensemble that was interrupted goes on from the fits that were finished, to the same bits.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use polytask::Fits;
use polytask::model::Body;
use polytask::prelude::*;
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn experiment(seed: u64) -> Experiment {
    let x: Vec<f64> = (0..90).map(|i| f64::from(i * 37 % 101) / 10.0).collect();
    let size = x.iter().enumerate().map(|(i, x)| (x - 5.0).powi(2) + (i % 7) as f64).collect();
    let weight = x.iter().enumerate().map(|(i, x)| x.sin() + (i % 5) as f64).collect();
    let columns = vec![Column::number("x", x), Column::number("size", size), Column::number("weight", weight)];
    Experiment::from_table(Table::from_columns(columns).unwrap())
        .task("size", TaskKind::Regression)
        .task("weight", TaskKind::Regression)
        .with(|config| config.train.checkpoint_every = 0.0)
        .seed(seed)
}

/// Ends after so many candidates.
struct Until {
    candidates: usize,
    seen: usize,
    fits: Arc<Fits>,
}

impl Callback for Until {
    fn round(&mut self, _: &Round) {
        self.seen += 1;
    }

    fn stop(&self) -> bool {
        self.seen >= self.candidates
    }

    fn fits(&self) -> Option<Arc<Fits>> {
        Some(Arc::clone(&self.fits))
    }
}

/// The ensemble after so many candidates.
fn ensemble(seed: u64, candidates: usize, fits: Fits) -> Result<Body, polytask::FitError> {
    let experiment = experiment(seed);
    let prepared = experiment.prepare()?;
    let plan = experiment.plan(&prepared, &mut ())?.unwrap();
    let mut until = Until { candidates, seen: 0, fits: Arc::new(fits) };
    Ok(Experiment::train(prepared, plan, None, &mut until)?.model().body.clone())
}

fn files(folder: &Path, candidate: &str) -> Vec<PathBuf> {
    let mut all: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    all.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(candidate));
    all.sort();
    all
}

#[test]
fn what_is_finished_is_not_fitted_again() {
    let folder = tempfile::tempdir().unwrap();
    let [own, other] = ["own", "other"].map(|name| folder.path().join(name));
    let whole = ensemble(1, usize::MAX, Fits::begin(&other)).unwrap();
    let few = ensemble(1, 3, Fits::begin(&own)).unwrap();
    assert_ne!(few, whole, "more candidates tell more");
    let boosted = files(&own, "boosted-trees-joint");
    assert_eq!(boosted.len(), 10, "a file a fold");
    assert!(files(&own, "forest").is_empty(), "not begun");
    let resumed = ensemble(1, usize::MAX, Fits::resume(&own).unwrap()).unwrap();
    assert_eq!(resumed, whole);

    // What cannot be read is fitted again.
    std::fs::write(&boosted[0], "no fit").unwrap();
    assert_eq!(ensemble(1, usize::MAX, Fits::resume(&own).unwrap()).unwrap(), whole);

    // What was finished is believed: models that stand for other folds are another ensemble.
    let forests = files(&own, "forest");
    let [a, b] = [&forests[0], &forests[1]].map(|path| std::fs::read(path).unwrap());
    std::fs::write(&forests[0], b).unwrap();
    std::fs::write(&forests[1], a).unwrap();
    let swapped = ensemble(1, usize::MAX, Fits::resume(&own).unwrap()).unwrap();
    assert_ne!(swapped, whole);
}

#[test]
fn the_fits_of_another_run_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    assert!(Fits::resume(folder.path()).is_err(), "there are none");
    ensemble(1, 1, Fits::begin(folder.path())).unwrap();
    let error = ensemble(2, 1, Fits::resume(folder.path()).unwrap()).unwrap_err();
    assert!(error.to_string().contains("`train.seed` was 1, now it is 2"), "{error}");
}
