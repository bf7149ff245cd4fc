//! Task kinds and input kinds that a program brings: named in a config, learnt, kept in a model and read again.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use polytask::config::Config;
use polytask::data::Column;
use polytask::exec::TaskOutput;
use polytask::graph::LossKind;
use polytask::inputs::{self, OwnFeatures, OwnInput};
use polytask::metric::{Better, Metrics};
use polytask::model::{Body, Model};
use polytask::tasks::{self, *};
use polytask::{Experiment, Run};
use serde_json::{Value, json};
use std::sync::Arc;

/// A quantity above 0, learnt by its logarithm less the mean logarithm of the training rows.
#[derive(Debug)]
struct Positive(f64);

impl OwnTask for Positive {
    fn word(&self) -> &'static str {
        "positive"
    }

    fn fit(&self, source: &LabelColumn<'_>, rows: &[u32]) -> Result<Arc<dyn OwnOutcome>, TaskError> {
        let logs: Vec<f64> = read(source)?.iter().map(|y| y.ln()).collect();
        Ok(Arc::new(Positive(source.moments(&logs, rows)?.0)))
    }

    fn restore(&self, state: &Value) -> Result<Arc<dyn OwnOutcome>, String> {
        Ok(Arc::new(Positive(state.as_f64().ok_or("its mean is no number")?)))
    }
}

fn read(source: &LabelColumn<'_>) -> Result<Vec<f64>, TaskError> {
    let values = source.numbers("positive")?.into_owned();
    match values.iter().position(|y| *y <= 0.0) {
        Some(row) => Err(source.own(Some(row), format!("{} is not above 0", values[row]))),
        None => Ok(values),
    }
}

impl OwnOutcome for Positive {
    fn state(&self) -> Value {
        self.0.into()
    }
}

impl Outcome for Positive {
    fn width(&self) -> usize {
        1
    }

    fn loss(&self) -> LossKind {
        LossKind::Mse
    }

    fn labels(&self, source: &LabelColumn<'_>) -> Result<Labels, TaskError> {
        let values = read(source)?;
        let target = values.iter().map(|y| if y.is_nan() { 0.0 } else { (y.ln() - self.0) as f32 }).collect();
        let weights = values.iter().map(|y| if y.is_nan() { 0.0 } else { 1.0 }).collect();
        Ok(Labels::new(Target::Real(target), Truth::Numbers(values), weights))
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let one = |z: &f32| (f64::from(*z) + self.0).exp();
        Prediction::Numbers(output.prediction.values().iter().map(one).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Numbers(vec![self.0.exp(); rows])
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (truth, predicted) = prediction.known_numbers(truth);
        let logs = truth.iter().zip(&predicted).map(|(y, p)| (y.ln() - p.ln()).abs());
        let mut metrics = Metrics::new(truth.len());
        metrics.push("log_error", Better::Lower, Some(logs.sum::<f64>() / truth.len() as f64));
        metrics
    }

    fn primary(&self) -> (&'static str, Better) {
        ("log_error", Better::Lower)
    }
}

/// A word as its length, in units of the longest of the training rows.
#[derive(Debug)]
struct Length(f64);

impl OwnInput for Length {
    fn word(&self) -> &'static str {
        "length"
    }

    fn fit(&self, column: &Column, rows: &[u32]) -> Result<Arc<dyn OwnFeatures>, String> {
        let lengths = rows.iter().filter_map(|row| column.shown(*row as usize)).map(|word| word.len());
        lengths
            .max()
            .map(|longest| Arc::new(Length(longest as f64)) as Arc<dyn OwnFeatures>)
            .ok_or("no word".to_owned())
    }

    fn restore(&self, state: &Value) -> Result<Arc<dyn OwnFeatures>, String> {
        Ok(Arc::new(Length(state.as_f64().ok_or("its length is no number")?)))
    }
}

impl OwnFeatures for Length {
    fn parts(&self) -> Vec<String> {
        vec!["length".to_owned()]
    }

    fn read(&self, column: &Column) -> Result<Vec<Vec<f64>>, (usize, String)> {
        let one = |row: usize| match column.shown(row) {
            Some(word) if word.contains('-') => Err((row, "a word has no dash".to_owned())),
            Some(word) => Ok(word.len() as f64 / self.0),
            None => Ok(f64::NAN),
        };
        Ok(vec![(0..column.len()).map(one).collect::<Result<_, _>>()?])
    }

    fn state(&self) -> Value {
        self.0.into()
    }
}

/// Words whose length says the size, and whether they are long.
fn rows() -> String {
    let row = |i: usize| {
        let (length, gap) = (1 + i * 7 % 9, i % 10 == 3);
        let size = if gap { String::new() } else { format!("{}", (0.3 * length as f64).exp()) };
        format!("{},{size},{}\n", "x".repeat(length), f64::from(length as u32) / 9.0)
    };
    format!("word,size,share\n{}", (0..200).map(row).collect::<String>())
}

fn run(data: &str, sections: &str) -> Result<Run, polytask::FitError> {
    tasks::register(Arc::new(Positive(0.0)));
    inputs::register(Arc::new(Length(0.0)));
    let folder = tempfile::tempdir().unwrap();
    Experiment::new(common::config(&folder, data, sections)).fit(&mut ())
}

const NETWORK: &str = "[inputs]\nword = \"length\"\n[tasks.size]\nkind = \"positive\"\n[tasks.share]\nkind = \"regression\"\n\
                       [model]\ntrunk = [16]\n[train]\nepochs = 60\nlearning_rate = 0.01\n";

#[test]
fn kinds_of_a_program_are_learnt_and_read_again() {
    let run = run(&rows(), NETWORK).unwrap();
    let scores = run.scores();
    let log_error = scores.tasks["size"].metrics.value("log_error").unwrap();
    assert!(log_error < 0.2, "{log_error}; a constant has {:?}", scores.tasks["size"].baseline.value("log_error"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model");
    run.save(&path).unwrap();
    let model = Model::load(&path).unwrap();
    assert_eq!(&model, run.model());
    assert_eq!(model.tasks[0].kind_name(), "positive");
    let table = common::table("word\nxxx\n");
    assert_eq!(model.predict(&table).unwrap(), run.model().predict(&table).unwrap());
    // Of a batch each row is what it is alone.
    let both = model.predict(&common::table("word\nxxxxxx\nxxx\n\"\"\n")).unwrap();
    assert_eq!(both[0].select(&[1]), model.predict(&table).unwrap()[0]);
}

#[test]
fn trees_read_inputs_of_a_program_and_networks_alone_learn_its_tasks() {
    let table = "[inputs]\nword = \"length\"\n[tasks.share]\nkind = \"regression\"\n[model]\nfamily = \"trees\"\n";
    let learnt = run(&rows(), table).unwrap();
    assert!(matches!(learnt.model().body, Body::Trees(_)));
    assert!(learnt.scores().tasks["share"].metrics.value("r2").unwrap() > 0.9);
    let both = NETWORK.replace("trunk = [16]", "family = \"trees\"").replace("epochs = 60\nlearning_rate = 0.01\n", "");
    let error = run(&rows(), &both).err().unwrap().to_string();
    assert!(error.contains("`model.family` is \"trees\""), "{error}");
}

#[test]
fn what_a_kind_refuses_is_named() {
    let error = run(&rows().replacen("xxxxxxxx,", "xxx-xxxx,", 1), NETWORK).err().unwrap().to_string();
    assert!(error.contains("input `word` holds `xxx-xxxx`: a word has no dash"), "{error}");
    let error = run(&format!("{}x,-1,0\n", rows()), NETWORK).err().unwrap().to_string();
    assert!(error.contains("line 202") && error.contains("task `size`: -1 is not above 0"), "{error}");
}

#[test]
fn a_kind_that_nobody_brought_is_unknown() {
    let text = "[data]\npath = \"d.csv\"\n[tasks.size]\nkind = \"negative\"\n";
    let error = Config::from_toml(text, "c.toml").unwrap_err().to_string();
    assert!(error.contains("negative") && error.contains("pixel_regression"), "{error}");
    let state: Result<tasks::Own, _> = serde_json::from_value(json!({ "word": "negative", "state": 1.0 }));
    assert!(state.unwrap_err().to_string().contains("which only the program that brought it can read"));
}
