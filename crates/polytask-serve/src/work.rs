//! Threads that predict: what a request brought becomes rows, the rows of several requests one batch.

use crate::input::{Input, Reader};
use crate::metrics::Metrics;
use crate::output::{Output, write};
use crate::problem::{Kind, Problem};
use crate::queue::Queue;
use polytask::encode::Features;
use polytask::model::{Model, Predictor};
use polytask_data::Table;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use tokio::sync::oneshot;

/// A request for predictions.
pub struct Job {
    pub input: Input,
    pub output: Output,
    /// Whether probabilities are wanted.
    pub probabilities: bool,
    /// Whether columns that the model does not know are passed over.
    pub lenient: bool,
    pub answer: oneshot::Sender<Result<Vec<u8>, Problem>>,
}

/// What a thread needs.
pub struct Worker {
    pub model: Arc<Model>,
    pub name: String,
    pub reader: Arc<Reader>,
    pub queue: Arc<Queue<Job>>,
    pub metrics: Arc<Metrics>,
    /// Rows run together at most.
    pub rows: usize,
}

impl Worker {
    /// Starts a thread that ends when the queue is closed.
    pub fn start(self, number: usize) -> std::io::Result<()> {
        let name = format!("{} {number}", self.name);
        std::thread::Builder::new().name(name).spawn(move || {
            // A pool of this thread alone: the encoders' parallel loops stay here, and requests share the cores.
            let pool = rayon::ThreadPoolBuilder::new().num_threads(1).use_current_thread().build();
            self.run();
            drop(pool);
        })?;
        Ok(())
    }

    fn run(&self) {
        let mut predictor = Predictor::new(Arc::clone(&self.model), self.rows);
        while let Some(jobs) = self.queue.take() {
            // Whoever waits for a job that is dropped in a panic is told so.
            let done = catch_unwind(AssertUnwindSafe(|| self.answer(&mut predictor, jobs)));
            if done.is_err() {
                predictor = Predictor::new(Arc::clone(&self.model), self.rows);
            }
        }
    }

    fn answer(&self, predictor: &mut Predictor, jobs: Vec<Job>) {
        let mut read: Vec<(Job, Table)> = Vec::with_capacity(jobs.len());
        let mut features: Vec<Features> = Vec::with_capacity(jobs.len());
        for mut job in jobs {
            // Nobody waits any more for one that took too long.
            if job.answer.is_closed() {
                continue;
            }
            let input = std::mem::take(&mut job.input);
            match self.reader.read(input, job.lenient, &self.model) {
                Ok((table, own)) => {
                    read.push((job, table));
                    features.push(own);
                }
                Err(problem) => drop(job.answer.send(Err(problem))),
            }
        }
        if read.is_empty() {
            return;
        }
        self.metrics.batch(&self.name, read.len(), features.iter().map(|own| own.rows).sum());
        match predictor.predict(features) {
            Ok(predictions) => {
                for ((job, table), predictions) in read.into_iter().zip(predictions) {
                    let written = write(&self.model, &self.name, &table, &predictions, job.output, job.probabilities);
                    drop(job.answer.send(written));
                }
            }
            Err(error) => {
                let text = error.to_string();
                for (job, _) in read {
                    drop(job.answer.send(Err(Problem::new(Kind::Internal, text.clone()))));
                }
            }
        }
    }
}
