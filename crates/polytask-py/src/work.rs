//! Work away from the interpreter: it is free meanwhile, and Ctrl-C asks once for a clean end.

use crate::errors::{self, Kind};
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// How long until someone looks for Ctrl-C again.
const LOOK: Duration = Duration::from_millis(50);

/// Runs something on a number of threads of its own, without the interpreter. Ctrl-C sets `stop`, where there is one, and the
/// work should come to its end; a second one, or another exception of a signal's handler, is raised when it has.
pub fn detached<T: Send>(
    py: Python<'_>,
    threads: Option<u16>,
    stop: Option<&AtomicBool>,
    work: impl FnOnce() -> T + Send,
) -> PyResult<T> {
    let (tell, mut told) = mpsc::channel();
    std::thread::scope(|scope| {
        scope.spawn(move || {
            let done = catch_unwind(AssertUnwindSafe(|| on_threads(threads, work)));
            // Nobody listens once the interpreter ends.
            drop(tell.send(done));
        });
        let mut raised = None;
        loop {
            let (back, done) = py.detach(move || {
                let done = told.recv_timeout(LOOK);
                (told, done)
            });
            told = back;
            match done {
                Ok(done) => {
                    let done = done.map_err(|panic| broken(panic.as_ref()))??;
                    return raised.map_or(Ok(done), Err);
                }
                Err(RecvTimeoutError::Timeout) => {
                    if let Err(error) = py.check_signals() {
                        let again = stop.is_none_or(|stop| stop.swap(true, Ordering::Relaxed));
                        if again || !error.is_instance_of::<PyKeyboardInterrupt>(py) {
                            raised = Some(error);
                        }
                    }
                }
                Err(RecvTimeoutError::Disconnected) => return Err(broken(&"the thread is gone")),
            }
        }
    })
}

/// Runs something on a pool of threads of its own: nothing is left behind that a fork would miss.
fn on_threads<T: Send>(threads: Option<u16>, work: impl FnOnce() -> T + Send) -> PyResult<T> {
    // 0 is rayon's word for all cores.
    let threads = usize::from(threads.unwrap_or(0));
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|e| errors::of(polytask::Error::Threads { threads, reason: e.to_string() }))?;
    Ok(pool.install(work))
}

/// A mistake of ours, which ends the call and not the interpreter.
fn broken(panic: &(dyn Any + Send)) -> PyErr {
    let text = panic.downcast_ref::<String>().map(String::as_str).or(panic.downcast_ref::<&str>().copied());
    errors::raise(Kind::Train, &format!("a mistake of the library: {}", text.unwrap_or("it panicked")), None)
}
