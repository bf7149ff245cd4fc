//! A finished training: the model, how it came about, and what it scores.

use crate::Error;
use crate::family::Plan;
use crate::held;
use crate::prepare::Prepared;
use crate::train::{Fitted, Round, Solved, StopReason};
use indexmap::IndexMap;
use polytask_model::background::Background;
use polytask_model::config::Config;
use polytask_model::conformal::{CONFORMAL, Conformal};
use polytask_model::files;
use polytask_model::model::{
    CONFIG, GateUse, HISTORY, METRICS, Model, OWN, RUN, RunInfo, SUMMARY, Scores, peak_memory,
};
use std::path::Path;

/// A finished training.
pub struct Run {
    config: Config,
    prepared: Prepared,
    model: Model,
    fitted: Fitted,
    scores: Scores,
    gates: Vec<GateUse>,
    conformal: Option<Conformal>,
    notes: Vec<String>,
}

/// What `metrics.json` holds.
#[derive(serde::Serialize)]
struct Measured<'a> {
    #[serde(flatten)]
    scores: &'a Scores,
    /// Over the validation rows, or the training rows where there are none.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    gates: &'a [GateUse],
    /// What the strength of a linear model's penalty came to.
    #[serde(skip_serializing_if = "Option::is_none")]
    linear: Option<&'a Solved>,
}

impl Run {
    pub(crate) fn new(prepared: Prepared, plan: Plan, fitted: Fitted) -> Result<Self, Error> {
        let config = plan.config().clone();
        let mut model = plan.model(&prepared, fitted.body.clone());
        let all: Vec<usize> = (0..prepared.tasks.len()).collect();
        let (conformal, notes) = held::decide(&config, &prepared, &all, &fitted, &mut model)?;
        let scores = model.score(&prepared.data, &all, prepared.measured().1)?;
        let chosen = [&prepared.split.valid, &prepared.split.train].into_iter().find(|rows| !rows.is_empty());
        let gates = chosen.map_or(Ok(Vec::new()), |rows| model.gates(&prepared.data, rows))?;
        Ok(Run { config, prepared, model, fitted, scores, gates, conformal, notes })
    }

    /// The trained model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The trained model alone.
    pub fn into_model(self) -> Model {
        self.model
    }

    /// The config that it was trained by.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The data that it was trained on.
    pub fn prepared(&self) -> &Prepared {
        &self.prepared
    }

    /// How training went.
    pub fn fitted(&self) -> &Fitted {
        &self.fitted
    }

    /// Whether training met numbers that nobody can go on from; the model is the best before that.
    pub fn diverged(&self) -> bool {
        matches!(self.fitted.stop_reason, StopReason::Diverged(_))
    }

    /// The metrics of every task on the test rows, or on the best there are: see [`Prepared::measured`].
    pub fn scores(&self) -> &Scores {
        &self.scores
    }

    /// What the model's mistakes on held-out rows were, which intervals are made of; none without such rows.
    pub fn conformal(&self) -> Option<&Conformal> {
        self.conformal.as_ref()
    }

    /// What is to be said of thresholds that were asked for and not found.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// What gates weigh experts by, on average over the validation rows.
    pub fn gates(&self) -> &[GateUse] {
        &self.gates
    }

    /// Writes the model directory: the model, its scores, the history of its training, its config, and how the run went. An older
    /// model is replaced by one rename: whenever the program ends, the directory has the old one or the new one whole.
    ///
    /// # Errors
    /// A folder that holds something else, a file that cannot be written.
    pub fn save(&self, out: &Path) -> Result<(), Error> {
        let mut new = files::Replacement::begin(out)?;
        let measured = Measured { scores: &self.scores, gates: &self.gates, linear: self.fitted.solved.as_ref() };
        new.write(METRICS, &json(&measured)?)?;
        new.write(HISTORY, &lines(&self.fitted.history)?)?;
        new.write(CONFIG, self.config.to_toml()?.as_bytes())?;
        new.write(RUN, &json(&self.info(out))?)?;
        if let Some(conformal) = &self.conformal {
            new.write(CONFORMAL, &serde_json::to_vec(conformal).map_err(files::FileError::from)?)?;
        }
        new.write(SUMMARY, &serde_json::to_vec(&self.prepared.summary).map_err(files::FileError::from)?)?;
        let Prepared { data, split, .. } = &self.prepared;
        if let Some(background) = Background::of(&self.model.encoder, &data.features, &split.train) {
            background.write(&mut new)?;
        }
        self.model.write(&mut new)?;
        Ok(new.commit(OWN)?)
    }

    /// How the run went.
    fn info(&self, out: &Path) -> RunInfo {
        let Run { config, prepared, fitted, .. } = self;
        let split = &prepared.split;
        let parts = [("train", &split.train), ("valid", &split.valid), ("test", &split.test)];
        let counts = |count: &dyn Fn(&[u32]) -> usize| {
            parts.iter().map(|(part, rows)| ((*part).to_owned(), count(rows))).collect::<IndexMap<String, usize>>()
        };
        let labels = prepared.tasks.iter().zip(&prepared.data.labels);
        RunInfo {
            polytask: env!("CARGO_PKG_VERSION").to_owned(),
            folder: files::way(out, &config.folder),
            ending: match &fitted.stop_reason {
                StopReason::Complete => "all steps were made".to_owned(),
                StopReason::EarlyStopping => "nothing got better any more".to_owned(),
                StopReason::Stopped => "it was stopped".to_owned(),
                StopReason::TimeOver => "its time was over".to_owned(),
                StopReason::Diverged(by) => by.to_string(),
            },
            best_epoch: fitted.best_epoch,
            steps: fitted.steps,
            seconds: fitted.seconds,
            threads: rayon::current_num_threads(),
            peak_memory: peak_memory(),
            rows: counts(&|rows| rows.len()),
            labels: labels.map(|(task, labels)| (task.name.clone(), counts(&|rows| labels.count(rows)))).collect(),
        }
    }
}

fn json(value: &impl serde::Serialize) -> Result<Vec<u8>, Error> {
    let mut text = serde_json::to_vec_pretty(value).map_err(files::FileError::from)?;
    text.push(b'\n');
    Ok(text)
}

/// The history as JSON lines.
///
/// # Errors
/// A round that cannot be written.
pub fn lines(history: &[Round]) -> Result<Vec<u8>, Error> {
    let mut all = Vec::new();
    for round in history {
        serde_json::to_writer(&mut all, round).map_err(files::FileError::from)?;
        all.push(b'\n');
    }
    Ok(all)
}
