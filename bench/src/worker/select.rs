//! A look at all tasks: what a step for each does to the losses of the others.

use super::net::{self, Data};
use crate::problem::Problem;
use crate::protocol::{Answers, Steps, serve};
use crate::workload::{Work, Workload};
use crate::{Result, network};
use polytask::Device;
use polytask::config::{OptimizerName, TrainConfig};
use polytask::exec::{OptimizerState, Parameters};
use polytask::select::{LookAhead, Measurement, Rows};
use polytask::train::BeforeStep;

/// Serves the protocol until told to quit.
///
/// # Errors
/// Threads that cannot be had, or a line that is not in the protocol.
pub fn run(threads: usize) -> Result<()> {
    serve(&mut Looks { pool: net::pool(threads)?, case: None })
}

struct Looks {
    pool: rayon::ThreadPool,
    case: Option<Case>,
}

struct Case {
    ahead: LookAhead,
    parameters: Parameters,
    data: Data,
    step: u64,
}

impl Case {
    fn before_step(&mut self) -> Option<Measurement> {
        let Case { ahead, parameters, data, step } = self;
        let mut seen = None;
        let optimizer = OptimizerState { step: 0, moments: Vec::new() };
        data.batches(*step, 1, |step, feed| {
            seen = Some(ahead.measure(&BeforeStep { step, rate: 1e-3, feed, parameters, optimizer: &optimizer }));
        });
        *step += 1;
        seen
    }
}

impl Steps for Looks {
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        let Looks { pool, case } = self;
        let Some(case) = case else { return Ok(None) };
        for _ in 0..count {
            std::hint::black_box(pool.install(|| case.before_step()));
        }
        Ok(None)
    }

    fn turn_to(&mut self, _: &str, tasks: usize) -> Result<Answers> {
        let work = Work { tasks, ..Workload::W2.into() };
        let graph = network::graph(work)?;
        let problem = Problem::new(work, &graph);
        // Gradient descent, as the peer steps.
        let config = TrainConfig { optimizer: OptimizerName::Sgd, ..TrainConfig::default() };
        let case = self.pool.install(|| {
            let device = Device::default();
            Ok::<_, crate::Error>(Case {
                ahead: LookAhead::new(&device, &graph, &config, work.workload.batch(), Rows::Same)?,
                parameters: net::parameters(&graph, &problem)?,
                data: Data::new(work, &problem),
                step: 0,
            })
        })?;
        let case = self.case.insert(case);
        let after = self.pool.install(|| case.before_step()).map(|look| look.after);
        let answers = after.map(|m| (0..tasks).map(|i| (0..tasks).map(|j| m.at(i, j)).collect()).collect());
        Ok(Answers { answers: answers.unwrap_or_default() })
    }
}
