//! Our own contestant: this program called as `polytask-bench worker WORKLOAD`, one file a workload.

pub mod aggregators;
mod net;
mod w1;
mod w2;
mod w3;

use crate::Result;
use crate::problem::Problem;
use crate::protocol::{Steps, serve};
use crate::workload::{Work, Workload};

/// Sets a workload up on `threads` threads and serves the protocol until told to quit.
///
/// # Errors
/// A workload that cannot be set up, a failing step, or a line that is not in the protocol.
pub fn run(work: Work, threads: usize) -> Result<()> {
    let problem = Problem::new(work);
    let mut steps: Box<dyn Steps> = match work.workload {
        Workload::W1 => w1::start(work, &problem, threads)?,
        Workload::W2 => w2::start(work, &problem, threads)?,
        Workload::W3 => w3::start(work, &problem, threads)?,
    };
    serve(steps.as_mut())
}
