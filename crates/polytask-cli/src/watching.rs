//! What looks on while `polytask train` trains: the bar or the screen, the trackers, the checkpoint.

use crate::failure::Failure;
use crate::progress::Progress;
use crate::track::{Mlflow, Screen, TensorBoard};
use polytask::Fits;
use polytask::config::Config;
use polytask::model::Scores;
use polytask::tasks::Task;
use polytask::train::{Callback, Checkpoint, CheckpointError, Round};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Who is told how training goes.
#[derive(clap::Args)]
pub struct Tracking {
    /// Show curves in the whole terminal while training
    #[arg(long)]
    pub tui: bool,
    /// Write event files for TensorBoard to this folder
    #[arg(long, value_name = "DIR")]
    pub tensorboard: Option<PathBuf>,
    /// Log to the MLflow server at this address (http://...); the experiment is $MLFLOW_EXPERIMENT_NAME, or polytask
    #[arg(long, value_name = "URI")]
    pub mlflow: Option<String>,
}

/// Looks on.
pub struct Watching {
    show: Show,
    tensorboard: Option<TensorBoard>,
    mlflow: Option<Mlflow>,
    stop: Arc<AtomicBool>,
    checkpoint: PathBuf,
    /// Where an ensemble keeps what is finished.
    fits: Option<Arc<Fits>>,
    /// Whether the last checkpoint could not be written.
    unkept: bool,
    /// Whether to say so when one task's gradient drowns another's.
    warns: bool,
}

/// What people see.
enum Show {
    Bar(Progress),
    Screen(Box<Screen>),
}

/// How many times longer one task's gradient may be than another's under equal weights.
const DROWNS: f64 = 100.0;

impl Watching {
    /// Opens what was asked for. A screen that cannot be had gives way to the bar, a server that does not answer is left
    /// alone.
    pub fn begin(
        tracking: &Tracking,
        config: &Config,
        tasks: &[Task],
        length: u64,
        stop: Arc<AtomicBool>,
        checkpoint: PathBuf,
    ) -> Result<Self, Failure> {
        let metrics: Vec<(String, &'static str)> =
            tasks.iter().map(|task| (task.name.clone(), task.outcome().primary().0)).collect();
        let tensorboard = tracking.tensorboard.as_deref().map(TensorBoard::open).transpose()?;
        let mlflow = tracking.mlflow.as_deref().and_then(|address| {
            let name = checkpoint.parent().map(|out| out.display().to_string()).unwrap_or_default();
            let experiment = std::env::var("MLFLOW_EXPERIMENT_NAME").unwrap_or_else(|_| "polytask".to_owned());
            let begun = Mlflow::begin(address, &experiment, &name, &parameters(config));
            begun.map_err(|error| say!("warning: {error}; nothing is logged there")).ok()
        });
        let title =
            format!("polytask: {}", metrics.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(", "));
        let screen = tracking.tui.then(|| Screen::open(title, metrics.clone(), length));
        if matches!(screen, Some(None)) {
            crate::text::note("--tui needs a terminal; plain lines follow");
        }
        let show = match screen.flatten() {
            Some(screen) => Show::Screen(Box::new(screen)),
            None => Show::Bar(Progress::of_tasks(length, metrics)),
        };
        let warns = config.loss.balance.method == "equal";
        Ok(Watching { show, tensorboard, mlflow, stop, checkpoint, fits: None, unkept: false, warns })
    }

    /// Has an ensemble keep its finished fits.
    pub fn keep_fits(&mut self, fits: Option<Arc<Fits>>) {
        self.fits = fits;
    }

    /// Takes the bar or the screen away.
    pub fn clear(&mut self) {
        let bar = Progress::silent();
        match std::mem::replace(&mut self.show, Show::Bar(bar)) {
            Show::Bar(bar) => bar.finish(),
            Show::Screen(screen) => drop(screen),
        }
    }

    /// Tells the trackers how it ended.
    pub fn finish(&mut self, scores: Option<&Scores>) {
        let status = match (scores, self.stop()) {
            (None, _) => "FAILED",
            (Some(_), true) => "KILLED",
            (Some(_), false) => "FINISHED",
        };
        if let Some(mut mlflow) = self.mlflow.take()
            && let Err(error) = mlflow.finish(scores, status)
        {
            say!("warning: {error}");
        }
    }

    /// Says once that there will be nothing to resume from.
    fn warn_unkept(&mut self, error: &CheckpointError) {
        if !std::mem::replace(&mut self.unkept, true) {
            self.say(&format!("warning: {error}; training goes on without a checkpoint to resume from"));
        }
    }

    fn say(&mut self, text: &str) {
        match &mut self.show {
            Show::Bar(bar) => bar.say(text),
            Show::Screen(screen) => screen.say(text),
        }
    }
}

impl Callback for Watching {
    fn step(&mut self, step: u64, _: u64) {
        match &mut self.show {
            Show::Bar(bar) => bar.at(step),
            Show::Screen(screen) => screen.at(step, &self.stop),
        }
    }

    fn round(&mut self, round: &Round) {
        match &mut self.show {
            Show::Bar(bar) => bar.round(round),
            Show::Screen(screen) => screen.round(round),
        }
        if let Some(Err(error)) = self.tensorboard.as_mut().map(|file| file.round(round)) {
            self.tensorboard = None;
            self.say(&format!("warning: {error}; no more is written for TensorBoard"));
        }
        if let Some(Err(error)) = self.mlflow.as_mut().map(|server| server.round(round)) {
            self.mlflow = None;
            self.say(&format!("warning: {error}; no more is logged there"));
        }
        if let Some(error) = self.fits.as_ref().and_then(|fits| fits.take_problem()) {
            self.warn_unkept(&error);
        }
        if let Some((long, short, times)) = round.gradients.as_ref().and_then(|g| g.widest())
            && self.warns
            && times > DROWNS
        {
            self.warns = false;
            self.say(&format!(
                "warning: the gradient of `{long}` is {times:.0} times as long as that of `{short}`, which it drowns out; \
                 try loss.balance = \"uncertainty\" or another method of `polytask balancers`; see \
                 docs/how-to/one-loss-dominates.md"
            ));
        }
    }

    fn scores(&self) -> bool {
        true
    }

    fn stop(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn keep(&mut self, checkpoint: &Checkpoint) -> Result<(), CheckpointError> {
        match checkpoint.save(&self.checkpoint) {
            Ok(()) => self.unkept = false,
            // The model is worth more than the way back to it.
            Err(error) => self.warn_unkept(&error),
        }
        Ok(())
    }

    fn fits(&self) -> Option<Arc<Fits>> {
        self.fits.clone()
    }
}

/// The keys of a config with their values, as MLflow's parameters.
fn parameters(config: &Config) -> Vec<(String, String)> {
    fn flatten(into: &mut Vec<(String, String)>, key: &str, value: serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                for (name, value) in map {
                    let key = if key.is_empty() { name } else { format!("{key}.{name}") };
                    flatten(into, &key, value);
                }
            }
            serde_json::Value::Null => {}
            serde_json::Value::String(text) => into.push((key.to_owned(), text)),
            other => into.push((key.to_owned(), other.to_string())),
        }
    }
    let mut all = Vec::new();
    flatten(&mut all, "", serde_json::to_value(config).unwrap_or_default());
    all
}
