//! The models that are served, and how a new one takes the place of an old one.

use crate::describe::Description;
use crate::input::Reader;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::part::Parts;
use crate::queue::Queue;
use crate::row;
use crate::work::{AtOnce, Job, Worker};
use polytask::background::Background;
use polytask::conformal::{Conformal, Unbounded};
use polytask::explain::{self, Explainer, Unexplained};
use polytask::model::{Model, ModelError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::SystemTime;

/// A name under which a model is served.
pub struct Served {
    pub name: String,
    path: PathBuf,
    current: RwLock<Arc<Loaded>>,
    /// The newest file that was looked at, and why it could not be loaded.
    seen: Mutex<(Stamp, Option<String>)>,
}

/// A model in memory with its threads, which end when nobody needs it any more.
pub struct Loaded {
    pub queue: Arc<Queue<Job>>,
    /// What answers a request that is alone.
    pub at_once: Option<AtOnce>,
    pub description: Description,
    /// What a row may hold, as JSON Schema.
    pub row: serde_json::Value,
    model: Arc<Model>,
    conformal: Arc<Result<Conformal, Unbounded>>,
    /// What explanations compare with.
    background: Arc<Result<Option<Background>, Unexplained>>,
}

impl Drop for Loaded {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Tells a file from the one that was there before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Stamp {
    modified: Option<SystemTime>,
    length: u64,
    inode: u64,
}

impl Stamp {
    fn of(folder: &Path) -> Self {
        let Ok(file) = std::fs::metadata(polytask::files::find(folder, MODEL)) else { return Stamp::default() };
        #[cfg(unix)]
        let inode = std::os::unix::fs::MetadataExt::ino(&file);
        #[cfg(not(unix))]
        let inode = 0;
        Stamp { modified: file.modified().ok(), length: file.len(), inode }
    }
}

/// Training writes it last.
const MODEL: &str = "model.json";

/// Why a model cannot be put to work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// It cannot be read.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// The system refuses a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
}

impl Served {
    /// Loads a model and starts its threads.
    pub fn load(name: &str, path: &Path, options: &Options, metrics: &Arc<Metrics>) -> Result<Self, LoadError> {
        let stamp = Stamp::of(path);
        let loaded = Loaded::new(name, path, options, metrics)?;
        Ok(Served {
            name: name.to_owned(),
            path: path.to_owned(),
            current: RwLock::new(Arc::new(loaded)),
            seen: Mutex::new((stamp, None)),
        })
    }

    /// The model that answers now. Requests hold on to it until they are answered.
    pub fn current(&self) -> Arc<Loaded> {
        Arc::clone(&self.current.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Why the directory's model is not the one that answers.
    pub fn trouble(&self) -> Option<String> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }

    /// Loads the directory's model and lets it answer from then on; the old one stays if that fails. Unless `always`, only
    /// where the directory has changed.
    pub fn reload(&self, always: bool, options: &Options, metrics: &Arc<Metrics>) {
        let stamp = Stamp::of(&self.path);
        if !always && self.seen.lock().unwrap_or_else(PoisonError::into_inner).0 == stamp {
            return;
        }
        let loaded = Loaded::new(&self.name, &self.path, options, metrics);
        metrics.reload(&self.name, loaded.is_ok());
        let trouble = match loaded {
            Ok(loaded) => {
                say!("model {}: loaded anew from {}", self.name, self.path.display());
                *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(loaded);
                None
            }
            Err(error) => {
                say!("model {}: {error}; the one in memory goes on", self.name);
                Some(error.to_string())
            }
        };
        // A directory that is being written fails now and has another stamp when it is complete; one whose weights alone are
        // late is tried again.
        let stamp = if trouble.is_some() && stamp.modified.is_some_and(recent) { Stamp::default() } else { stamp };
        *self.seen.lock().unwrap_or_else(PoisonError::into_inner) = (stamp, trouble);
    }
}

/// Whether a file was written a moment ago.
fn recent(modified: SystemTime) -> bool {
    modified.elapsed().is_ok_and(|time| time.as_secs() < 10)
}

impl Loaded {
    fn new(name: &str, path: &Path, options: &Options, metrics: &Arc<Metrics>) -> Result<Self, LoadError> {
        let model = Arc::new(Model::load(path)?);
        let reader = Arc::new(Reader::new(&model, options));
        let queue = Queue::new(options.batch_rows, options.batch_wait);
        let background = Arc::new(explain::background(path, &model));
        let conformal = Arc::new(Conformal::load(path, &model.tasks));
        let parts = Arc::new(Parts::new(Arc::clone(&model)));
        let worker = || Worker {
            model: Arc::clone(&model),
            parts: Arc::clone(&parts),
            background: Arc::clone(&background),
            conformal: Arc::clone(&conformal),
            name: name.to_owned(),
            reader: Arc::clone(&reader),
            queue: Arc::clone(&queue),
            metrics: Arc::clone(metrics),
            rows: options.batch_rows,
        };
        let description = Description::new(name, &model, reader.max_rows());
        // Closes the queue and so ends the threads if one of them cannot start.
        let loaded = Loaded {
            queue: Arc::clone(&queue),
            at_once: AtOnce::new(worker()),
            row: row::schema(&model, &description),
            description,
            model: Arc::clone(&model),
            conformal: Arc::clone(&conformal),
            background: Arc::clone(&background),
        };
        for number in 0..options.threads.max(1) {
            worker().start(number)?;
        }
        Ok(loaded)
    }

    /// The highest level that intervals can have, `joint` over all tasks or of each; none where there are no intervals.
    pub fn highest_level(&self, joint: bool) -> Option<f64> {
        self.conformal.as_ref().as_ref().ok()?.highest_level(joint)
    }

    /// Whether predictions can be explained.
    pub fn explains(&self) -> bool {
        let background = self.background.as_ref().as_ref();
        background.is_ok_and(|background| Explainer::new(&self.model, background.as_ref()).is_ok())
    }
}
