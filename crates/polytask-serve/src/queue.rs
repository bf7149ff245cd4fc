//! Requests waiting for a thread that predicts. A thread takes what has come in while it was at work; a first request
//! waits only while others are arriving, and never longer than the budget.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Where requests wait.
pub struct Queue<T> {
    state: Mutex<State<T>>,
    /// There is something to do.
    some: Condvar,
    /// Nobody is arriving any more, or a batch is full.
    full: Condvar,
    wait: Duration,
    most: usize,
}

struct State<T> {
    waiting: VecDeque<(Instant, T)>,
    /// Requests whose body is being read.
    arriving: usize,
    /// Threads that have nothing to do.
    idle: usize,
    /// Of those, the ones that wait for a batch to fill.
    gathering: usize,
    closed: bool,
}

impl<T> Queue<T> {
    /// A queue whose batches hold at most `most` requests and wait at most `wait` for those that are arriving.
    pub fn new(most: usize, wait: Duration) -> Arc<Self> {
        let state = State { waiting: VecDeque::new(), arriving: 0, idle: 0, gathering: 0, closed: false };
        let (some, full) = (Condvar::new(), Condvar::new());
        Arc::new(Queue { state: Mutex::new(state), some, full, wait, most: most.max(1) })
    }

    /// What is done while it is held cannot fail, so a poisoned lock is as good as another.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says that a request is arriving, for as long as it is held.
    pub fn arriving(self: &Arc<Self>) -> Arriving<T> {
        self.lock().arriving += 1;
        Arriving(Arc::clone(self))
    }

    /// Adds a request.
    pub fn push(&self, request: T) {
        let mut state = self.lock();
        state.waiting.push_back((Instant::now(), request));
        // A thread that is gathering will see it.
        match state.gathering {
            0 => self.some.notify_one(),
            _ if state.waiting.len() >= self.most => self.full.notify_all(),
            _ => {}
        }
    }

    /// How much longer what waits is to wait for others; none where it is to go now.
    fn patience(&self, state: &State<T>, now: Instant) -> Option<Duration> {
        let (first, _) = state.waiting.front()?;
        let others = state.arriving > 0 && state.waiting.len() < self.most && !state.closed;
        let left = (*first + self.wait).saturating_duration_since(now);
        (others && !left.is_zero()).then_some(left)
    }

    /// The number of requests that wait.
    pub fn len(&self) -> usize {
        self.lock().waiting.len()
    }

    /// Lets threads end when nothing waits any more.
    pub fn close(&self) {
        self.lock().closed = true;
        self.some.notify_all();
        self.full.notify_all();
    }

    /// A thread's share of what waits; none when the queue is closed and empty.
    pub fn take(&self) -> Option<Vec<T>> {
        let mut state = self.lock();
        state.idle += 1;
        loop {
            while state.waiting.is_empty() {
                if state.closed {
                    state.idle -= 1;
                    return None;
                }
                state = self.some.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            state.gathering += 1;
            while let Some(left) = self.patience(&state, Instant::now()) {
                state = self.full.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            state.gathering -= 1;
            // Another thread may have been faster.
            if !state.waiting.is_empty() {
                break;
            }
        }
        let share = state.waiting.len().div_ceil(state.idle.max(1)).min(self.most);
        state.idle -= 1;
        let taken = state.waiting.drain(..share).map(|(_, request)| request).collect();
        if !state.waiting.is_empty() && state.gathering == 0 {
            self.some.notify_one();
        }
        Some(taken)
    }
}

/// A request whose body is being read.
pub struct Arriving<T>(Arc<Queue<T>>);

impl<T> Drop for Arriving<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.arriving -= 1;
        if state.arriving == 0 && state.gathering > 0 {
            self.0.full.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How long what waits would wait further, so long after it came.
    fn left(queue: &Queue<i32>, later: Duration) -> Option<Duration> {
        let state = queue.lock();
        let (first, _) = state.waiting.front().unwrap();
        queue.patience(&state, *first + later)
    }

    #[test]
    fn a_lone_request_does_not_wait() {
        let queue = Queue::new(8, Duration::from_secs(60));
        queue.push(1);
        assert_eq!(left(&queue, Duration::ZERO), None);
        assert_eq!(queue.take(), Some(vec![1]));
    }

    #[test]
    fn one_that_never_comes_holds_nobody_up_longer_than_the_budget() {
        let [budget, most] = [Duration::from_millis(200), Duration::from_millis(199)];
        let queue = Queue::new(8, budget);
        let _slow = queue.arriving();
        queue.push(1);
        assert_eq!(left(&queue, Duration::ZERO), Some(budget));
        assert_eq!(left(&queue, most), Some(Duration::from_millis(1)));
        assert_eq!(left(&queue, budget), None);
        assert_eq!(left(&queue, Duration::from_secs(9)), None);
        assert_eq!(queue.take(), Some(vec![1]));
    }

    #[test]
    fn others_that_are_arriving_are_waited_for() {
        // Without end, so that nothing but the arrival can end the wait.
        let queue = Queue::new(8, Duration::from_secs(1 << 30));
        let arriving = queue.arriving();
        queue.push(1);
        let taker = {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || queue.take())
        };
        while queue.lock().gathering == 0 {
            std::thread::yield_now();
        }
        queue.push(2);
        assert_eq!(queue.len(), 2, "the second waits with the first for others");
        drop(arriving);
        assert_eq!(taker.join().unwrap(), Some(vec![1, 2]));
    }

    #[test]
    fn a_full_batch_goes_at_once_and_the_rest_follows() {
        let queue = Queue::new(2, Duration::from_secs(60));
        let _slow = queue.arriving();
        (0..3).for_each(|request| queue.push(request));
        assert_eq!(queue.take(), Some(vec![0, 1]));
        queue.close();
        assert_eq!(queue.take(), Some(vec![2]), "what waits when the queue is closed is still answered");
        assert_eq!(queue.take(), None);
    }

    #[test]
    fn many_threads_lose_nothing() {
        let queue: Arc<Queue<usize>> = Queue::new(5, Duration::from_millis(1));
        let takers: Vec<_> = (0..3)
            .map(|_| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || {
                    let mut seen = Vec::new();
                    while let Some(batch) = queue.take() {
                        seen.extend(batch);
                    }
                    seen
                })
            })
            .collect();
        let givers: Vec<_> = (0..4)
            .map(|giver| {
                let queue = Arc::clone(&queue);
                std::thread::spawn(move || {
                    for i in 0..500 {
                        let arriving = queue.arriving();
                        queue.push(giver * 500 + i);
                        drop(arriving);
                    }
                })
            })
            .collect();
        givers.into_iter().for_each(|giver| giver.join().unwrap());
        queue.close();
        let mut seen: Vec<usize> = takers.into_iter().flat_map(|taker| taker.join().unwrap()).collect();
        seen.sort_unstable();
        assert_eq!(seen, (0..2000).collect::<Vec<_>>());
    }
}
