//! W1: 544 rows, 2 -> 5 -> 2, both linear, MSE over both outputs (the mean of the two tasks' MSEs), full batch, Adam.

use super::net::Ordinary;
use crate::Result;
use crate::problem::Problem;
use crate::protocol::Steps;
use crate::workload::Work;
use polytask_graph::Activation;

pub(super) fn start(work: Work, problem: &Problem, threads: usize) -> Result<Box<dyn Steps>> {
    Ordinary::start(work, problem, threads, Activation::Linear, 0.5)
}
