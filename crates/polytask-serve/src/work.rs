//! Threads that predict: what a request brought becomes rows, the rows of several requests one batch.

use crate::input::{Input, Reader};
use crate::metrics::Metrics;
use crate::output::{Answer, Output, write};
use crate::part::{Part, Parts, Predictors};
use crate::problem::{Kind, Problem};
use crate::queue::Queue;
use crate::wishes::Wishes;
use polytask::Dataset;
use polytask::background::Background;
use polytask::conformal::{Bound, Conformal, Unbounded};
use polytask::explain::{Explainer, Explanation, Unexplained};
use polytask::model::Model;
use polytask::output::{Beside, Explained};
use polytask::tasks::Prediction;
use polytask_data::Table;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Arc, Mutex, TryLockError};
use tokio::sync::oneshot;

/// A request for predictions.
pub struct Job {
    pub input: Input,
    pub output: Output,
    /// What the query wishes for; the body may wish for more.
    pub wishes: Wishes,
    pub answer: oneshot::Sender<Result<Answer, Problem>>,
}

/// Bytes of a body at most that is answered where it was read.
const SMALL_BODY: usize = 16 << 10;
/// Parameters at most of a model that is run there.
const SMALL_MODEL: usize = 1 << 20;

/// Rows that are explained before it is asked again whether anyone waits.
const EXPLAINED: usize = 16;

thread_local! {
    static POOL: RefCell<Option<rayon::ThreadPool>> = const { RefCell::new(None) };
}

/// Keeps the encoders' parallel loops on the thread that calls this, until it lets go: requests share the cores, not the
/// parts of one.
pub fn keep_to_this_thread() {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
    POOL.replace(pool.ok());
}

/// The opposite, before a thread ends.
pub fn let_go_of_this_thread() {
    POOL.take();
}

/// Answers a request that is alone where it was read, on the network's own thread: handing it to another and back
/// takes longer than a small model does.
pub struct AtOnce {
    worker: Mutex<(Worker, Predictors)>,
    /// Requests between their first byte and their answer.
    under_way: Arc<AtomicUsize>,
}

/// A request under way, for as long as this is held.
pub struct UnderWay(Arc<AtomicUsize>);

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Relaxed);
    }
}

impl AtOnce {
    /// With a worker of its own; none for a model that would hold the network up.
    pub fn new(worker: Worker) -> Option<Self> {
        let Model { body, encoder, .. } = &*worker.model;
        let sequences = body.network().is_some_and(|network| !network.graph.domains().is_empty());
        let small = body.parameter_count() <= SMALL_MODEL && !sequences;
        if !small || encoder.image_columns().next().is_some() {
            return None;
        }
        let predictors = Predictors::new(&worker.model, worker.rows).ok()?;
        Some(AtOnce { worker: Mutex::new((worker, predictors)), under_way: Arc::default() })
    }

    /// Says that a request is under way.
    pub fn begin(&self) -> UnderWay {
        self.under_way.fetch_add(1, Relaxed);
        UnderWay(Arc::clone(&self.under_way))
    }

    /// Answers a request that is the only one and small; gives it back otherwise.
    pub fn answer(&self, job: Job) -> Option<Job> {
        if self.under_way.load(Relaxed) > 1 || job.input.len() > SMALL_BODY {
            return Some(job);
        }
        let mut worker = match self.worker.try_lock() {
            Ok(worker) => worker,
            Err(TryLockError::Poisoned(error)) => error.into_inner(),
            Err(TryLockError::WouldBlock) => return Some(job),
        };
        let (worker, predictors) = &mut *worker;
        worker.answer_all(predictors, vec![job]);
        None
    }
}

/// What a thread needs.
pub struct Worker {
    pub model: Arc<Model>,
    /// Models of some of its tasks.
    pub parts: Arc<Parts>,
    /// What explanations compare with.
    pub background: Arc<Result<Option<Background>, Unexplained>>,
    /// What intervals are made of.
    pub conformal: Arc<Result<Conformal, Unbounded>>,
    pub name: String,
    pub reader: Arc<Reader>,
    pub queue: Arc<Queue<Job>>,
    pub metrics: Arc<Metrics>,
    /// Rows run together at most.
    pub rows: usize,
}

impl Worker {
    /// Starts a thread that ends when the queue is closed.
    ///
    /// # Errors
    /// The model's device cannot run it, or there is no thread to be had.
    pub fn start(self, number: usize) -> std::io::Result<()> {
        let mut predictors = Predictors::new(&self.model, self.rows).map_err(std::io::Error::other)?;
        let name = format!("{} {number}", self.name);
        std::thread::Builder::new().name(name).spawn(move || {
            keep_to_this_thread();
            while let Some(jobs) = self.queue.take() {
                self.answer_all(&mut predictors, jobs);
            }
            let_go_of_this_thread();
        })?;
        Ok(())
    }

    /// Whoever waits for a job that is dropped in a panic is told so.
    fn answer_all(&self, predictors: &mut Predictors, jobs: Vec<Job>) {
        if catch_unwind(AssertUnwindSafe(|| self.answer(predictors, jobs))).is_err()
            && let Ok(fresh) = Predictors::new(&self.model, self.rows)
        {
            *predictors = fresh;
        }
    }

    fn answer(&self, predictors: &mut Predictors, jobs: Vec<Job>) {
        let mut read: Vec<Ready> = Vec::with_capacity(jobs.len());
        for mut job in jobs {
            // Nobody waits any more for one that took too long.
            if job.answer.is_closed() {
                continue;
            }
            match self.ready(&mut job) {
                Ok((table, data, asked)) => read.push(Ready { job, table, data, asked }),
                Err(problem) => drop(job.answer.send(Err(problem))),
            }
        }
        if read.is_empty() {
            return;
        }
        self.metrics.batch(&self.name, read.len(), read.iter().map(|ready| ready.data.rows()).sum());
        // Requests for the same tasks are run together.
        while let Some(part) = read.first().map(|first| Arc::clone(&first.asked.part)) {
            let (group, others) = read.into_iter().partition(|ready| Arc::ptr_eq(&ready.asked.part, &part));
            self.answer_group(predictors, &part, group);
            read = others;
        }
    }

    /// What the body of a request brought, and what is asked of it.
    fn ready(&self, job: &mut Job) -> Result<(Table, Dataset, Asked), Problem> {
        let (input, wishes) = (std::mem::take(&mut job.input), std::mem::take(&mut job.wishes));
        let (table, data, wishes) = self.reader.read(input, wishes, &self.model)?;
        let part = wishes.tasks.map_or_else(|| Ok(Arc::clone(self.parts.whole())), |names| self.parts.of(&names))?;
        let joint = wishes.joint == Some(true);
        let bounds = wishes.interval.map(|level| self.bounds(&part, level, joint)).transpose()?;
        let explain = wishes.explain == Some(true);
        if explain {
            self.explainable(job.output)?;
        }
        Ok((table, data, Asked { part, probabilities: wishes.probabilities == Some(true), bounds, explain }))
    }

    /// By task of a part, what holds the labels with this probability.
    fn bounds(&self, part: &Part, level: f64, joint: bool) -> Result<Vec<Bound>, Problem> {
        let conformal = self.conformal.as_ref().as_ref().map_err(Clone::clone);
        let all = conformal.and_then(|conformal| conformal.bounds(&self.model.tasks, level, joint));
        let all = all.map_err(|error| {
            let problem = Problem::new(Kind::BadQuery, error.to_string());
            error.hint().into_iter().fold(problem, Problem::hint)
        })?;
        Ok(part.tasks.iter().map(|at| all[*at]).collect())
    }

    /// Refuses a request for explanations that cannot be had, or in a format that has no place for them.
    fn explainable(&self, output: Output) -> Result<(), Problem> {
        if matches!(output, Output::Csv | Output::Arrow) {
            let detail = "a table of predictions has no place for explanations";
            return Err(Problem::new(Kind::BadQuery, detail).hint("send `accept: application/json`"));
        }
        self.background.as_ref().as_ref().map(drop).map_err(|error| {
            let problem = Problem::new(Kind::BadQuery, error.to_string());
            error.hint().into_iter().fold(problem, Problem::hint)
        })
    }

    /// Answers requests for the same tasks.
    fn answer_group(&self, predictors: &mut Predictors, part: &Arc<Part>, group: Vec<Ready>) {
        let mut sets = Vec::with_capacity(group.len());
        let mut rest: Vec<(Job, Table, Asked)> = Vec::with_capacity(group.len());
        for Ready { job, table, data, asked } in group {
            sets.push(data);
            rest.push((job, table, asked));
        }
        // What took too long is not gone on with.
        let wanted = || rest.iter().any(|(job, ..)| !job.answer.is_closed());
        match predictors.of(part).and_then(|predictor| predictor.predict(sets, &wanted)) {
            Ok(None) => {}
            Ok(Some(predictions)) => {
                for ((job, table, asked), predictions) in rest.into_iter().zip(predictions) {
                    let written = self.write(&job, &asked, &table, &predictions);
                    drop(job.answer.send(written));
                }
            }
            Err(error) => {
                let text = error.to_string();
                for (job, ..) in rest {
                    drop(job.answer.send(Err(Problem::new(Kind::Internal, text.clone()))));
                }
            }
        }
    }

    /// The answer to a request whose predictions are there.
    fn write(&self, job: &Job, asked: &Asked, table: &Table, predictions: &[Prediction]) -> Result<Answer, Problem> {
        let Asked { part, probabilities, bounds, explain } = asked;
        let model = &part.model;
        let beside = Beside { probabilities: *probabilities, bounds: bounds.as_deref(), explained: None };
        let written = |beside: Beside<'_>| write(model, &self.name, table, predictions, job.output, beside);
        if !explain {
            return written(beside);
        }
        let unexplained = |error: &Unexplained| Problem::new(Kind::BadQuery, error.to_string());
        let background = self.background.as_ref().as_ref().map_err(unexplained)?;
        let explainer = Explainer::new(model, background.as_ref()).map_err(|error| unexplained(&error))?;
        let failed = |error: polytask::BuildError| Problem::new(Kind::Internal, error.to_string());
        let data = model.read(table).map_err(failed)?;
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        let mut all: Vec<Explanation> = Vec::new();
        for rows in rows.chunks(EXPLAINED) {
            if job.answer.is_closed() {
                return Err(Problem::new(Kind::TookTooLong, "nobody waits for the explanations any more"));
            }
            let more = explainer.explain(&data, rows).map_err(failed)?;
            match all.is_empty() {
                true => all = more,
                false => all.iter_mut().zip(more).for_each(|(all, more)| all.values.extend(more.values)),
            }
        }
        let explained = Explained { tasks: &model.tasks, inputs: explainer.inputs(), of: &all, first: 0 };
        written(Beside { explained: Some(explained), ..beside })
    }
}

/// What is asked of the rows of a request.
struct Asked {
    /// The tasks.
    part: Arc<Part>,
    probabilities: bool,
    /// By task, how intervals are made, where they are wanted.
    bounds: Option<Vec<Bound>>,
    /// Whether what each input adds is wanted.
    explain: bool,
}

/// A request whose rows are read.
struct Ready {
    job: Job,
    table: Table,
    data: Dataset,
    asked: Asked,
}
