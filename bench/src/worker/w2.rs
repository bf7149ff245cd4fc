//! W2: batches of 256 in order, 64 -> 256 -> 256 ReLU trunk, 8 heads of 256 -> 64 ReLU -> 1, the sum of 8 MSEs, Adam.

use super::net::Ordinary;
use crate::Result;
use crate::problem::Problem;
use crate::protocol::Steps;
use crate::workload::Work;
use polytask_graph::Activation;

pub(super) fn start(work: Work, problem: &Problem, threads: usize) -> Result<Box<dyn Steps>> {
    Ordinary::start(work, problem, threads, Activation::Relu, 1.0)
}
