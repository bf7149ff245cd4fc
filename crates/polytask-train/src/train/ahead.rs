//! Images that are not kept in memory are unpacked by threads of their own, a few batches ahead of the steps that read
//! them.

use super::Job;
use polytask_balance::HeldOut;
use polytask_data::{epoch_order, mixed_order};
use polytask_model::config::Mixing;
use polytask_model::inputs::{EncodeError, Gallery, Unpacked};
use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Threads at work on the batches to come.
pub(super) struct Ahead {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// What steps have waited for their batch so far.
    pub waited: Duration,
}

struct Shared {
    /// Those of all image inputs, in their order.
    galleries: Vec<Gallery>,
    order: Order,
    /// Where the run ends.
    steps: u64,
    queue: Mutex<Queue>,
    changed: Condvar,
}

struct Queue {
    /// The step whose batch nobody works on yet.
    next: u64,
    /// Steps before this need no batch any more.
    from: u64,
    /// Unpacked, by step.
    ready: BTreeMap<u64, Result<Unpacked, EncodeError>>,
    /// Nobody waits any more.
    closed: bool,
}

/// Which rows a step reads.
#[derive(Clone)]
pub(super) struct Order {
    train: Arc<[u32]>,
    /// Where in `train` the rows of each data set end, and how they are mixed; of one set nothing.
    ends: Arc<[usize]>,
    mixing: Mixing,
    epochs: u64,
    batch: usize,
    seed: u64,
    /// The rows that a balancing method tries its steps on, if it does.
    held_out: Option<HeldOut>,
}

impl Order {
    pub(super) fn new(job: &Job<'_>, batch: usize, held_out: Option<HeldOut>) -> Self {
        // By set, whatever the order of the rows.
        let mut train = job.train.to_vec();
        let starts = &job.data.starts;
        let ends: Vec<usize> = match job.config.mixing {
            Mixing::Proportional => Vec::new(),
            _ if starts.is_empty() => Vec::new(),
            _ => {
                train.sort_unstable();
                let end = |start: &u32| train.partition_point(|row| row < start);
                starts.iter().map(end).chain([train.len()]).collect()
            }
        };
        let epochs = job.budget.steps.div_ceil(train.len().div_ceil(batch).max(1) as u64);
        let (seed, mixing) = (job.config.seed, job.config.mixing);
        Order { train: train.into(), ends: ends.into(), mixing, epochs, batch, seed, held_out }
    }

    /// Steps of an epoch.
    pub(super) fn steps(&self) -> u64 {
        self.train.len().div_ceil(self.batch) as u64
    }

    /// All training rows in the order of an epoch; one batch of all of them is the same in any, unless it is cut in two.
    pub(super) fn epoch(&self, epoch: u64) -> Vec<u32> {
        match (self.steps(), self.held_out) {
            _ if !self.ends.is_empty() => {
                let begins = std::iter::once(&0).chain(self.ends.iter());
                let sets: Vec<&[u32]> = begins.zip(self.ends.iter()).map(|(a, b)| &self.train[*a..*b]).collect();
                mixed_order(&sets, self.mixing.power(epoch, self.epochs), self.seed, epoch)
            }
            (1, None) => self.train.to_vec(),
            _ => epoch_order(&self.train, self.seed, epoch),
        }
    }

    /// The same for the rows that are held out, where they are a batch of their own; none where they are not.
    pub(super) fn held_out(&self, epoch: u64) -> Vec<u32> {
        match self.held_out {
            Some(HeldOut::Batch) => epoch_order(&self.train, !self.seed, epoch),
            _ => Vec::new(),
        }
    }

    /// The rows of a step, given those of its epoch.
    pub(super) fn batch<'a>(&self, order: &'a [u32], step: u64) -> &'a [u32] {
        let place = (step % self.steps()) as usize * self.batch;
        &order[place..(place + self.batch).min(order.len())]
    }
}

impl Ahead {
    /// Begins with the batch of `step`; nothing where all images are in memory.
    pub(super) fn new(job: &Job<'_>, order: Order, step: u64) -> Option<Self> {
        let galleries: Vec<Gallery> = job.data.features.galleries().cloned().collect();
        if galleries.iter().all(|gallery| gallery.memory().is_some()) {
            return None;
        }
        let queue = Queue { next: step, from: step, ready: BTreeMap::new(), closed: false };
        let (queue, changed) = (Mutex::new(queue), Condvar::new());
        let shared = Arc::new(Shared { galleries, order, steps: job.budget.steps, queue, changed });
        let count = rayon::current_num_threads();
        let thread = |_| {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || shared.work(count as u64 + 2))
        };
        let threads = (0..count).map(thread).collect();
        Some(Ahead { shared, threads, waited: Duration::ZERO })
    }

    /// The images of a step's batch, once they are there. Steps are asked for in their order.
    ///
    /// # Errors
    /// An image that cannot be used.
    pub(super) fn take(&mut self, step: u64) -> Result<Unpacked, EncodeError> {
        let began = Instant::now();
        let mut queue = self.shared.lock();
        queue.from = step;
        self.shared.changed.notify_all();
        loop {
            if let Some(batch) = queue.ready.remove(&step) {
                self.waited += began.elapsed();
                return batch;
            }
            queue = self.shared.wait(queue);
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            // A thread that failed has nothing to tell: its batch holds the error.
            let _ = thread.join();
        }
    }
}

impl Shared {
    /// Unpacks batches until nobody waits any more, at most `ahead` of them before their step.
    fn work(&self, ahead: u64) {
        let (mut epoch, mut order) = (None, Vec::new());
        loop {
            let step = {
                let mut queue = self.lock();
                while !queue.closed && queue.next < self.steps && queue.next >= queue.from + ahead {
                    queue = self.wait(queue);
                }
                if queue.closed || queue.next >= self.steps {
                    return;
                }
                queue.next += 1;
                queue.next - 1
            };
            let now = step / self.order.steps();
            if epoch != Some(now) {
                (epoch, order) = (Some(now), self.order.epoch(now));
            }
            let batch = Unpacked::new(&self.galleries, self.order.batch(&order, step));
            self.lock().ready.insert(step, batch);
            self.changed.notify_all();
        }
    }

    /// A thread that fails while it holds the queue leaves it whole.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&self, queue: MutexGuard<'a, Queue>) -> MutexGuard<'a, Queue> {
        self.changed.wait(queue).unwrap_or_else(PoisonError::into_inner)
    }
}
