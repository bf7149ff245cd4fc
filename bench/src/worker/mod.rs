//! Our own contestant: this program called as `polytask-bench worker WORKLOAD`, one file a workload.

mod net;
mod w1;
mod w2;
mod w3;

use crate::Result;
use crate::problem::Problem;
use crate::protocol::{Steps, serve};
use crate::workload::Workload;

/// Sets a workload up on `threads` threads and serves the protocol until told to quit.
///
/// # Errors
/// A workload that cannot be set up, a failing step, or a line that is not in the protocol.
pub fn run(workload: Workload, threads: usize) -> Result<()> {
    let problem = Problem::new(workload);
    let mut steps: Box<dyn Steps> = match workload {
        Workload::W1 => w1::start(&problem, threads)?,
        Workload::W2 => w2::start(&problem, threads)?,
        Workload::W3 => w3::start(&problem, threads)?,
    };
    serve(steps.as_mut())
}
