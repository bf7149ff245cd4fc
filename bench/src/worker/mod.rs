//! Our own contestant: this program called as `polytask-bench worker WORKLOAD`.

pub mod aggregators;
mod net;
pub mod predict;
pub mod select;
pub mod trees;
mod w3;
mod w5;

use crate::Result;
use crate::network;
use crate::problem::Problem;
use crate::protocol::{Steps, serve};
use crate::workload::{Work, Workload};
use net::Ordinary;

/// Sets a workload up on `threads` threads and serves the protocol until told to quit.
///
/// # Errors
/// A workload that cannot be set up, a failing step, or a line that is not in the protocol.
pub fn run(work: Work, threads: usize) -> Result<()> {
    if work.workload.sequences() {
        return serve(w5::start(work.workload, threads)?.as_mut());
    }
    let graph = network::graph(work)?;
    let problem = Problem::new(work, &graph);
    let mut steps: Box<dyn Steps> = match work.workload {
        // The mean of the two tasks' MSEs.
        Workload::W1 => Box::new(Ordinary::start(work, &graph, &problem, threads, 0.5)?),
        Workload::W4 | Workload::Resnet8 if work.is_apart() => w3::start(work, &graph, &problem, threads)?,
        Workload::W3 => w3::start(work, &graph, &problem, threads)?,
        _ => Box::new(Ordinary::start(work, &graph, &problem, threads, 1.0)?),
    };
    serve(steps.as_mut())
}
