//! How the tasks pull on what they share: sizes of their gradients and the angles between them.

use super::Job;
use super::history::Gradients;
use indexmap::IndexMap;
use polytask_exec::{Batch, Groups, Parameters, Session, Unsupported};

/// Looks at the task gradients now and then, on a batch that training sees anyway. The look gathers their inner products
/// a layer at a time, so that it needs little memory.
pub(super) struct Probe {
    session: Box<dyn Session>,
    every: u64,
}

/// Steps between two looks, at least: a look costs as much as two or three ordinary steps.
const APART: u64 = 50;

impl Probe {
    /// None where there is nothing to see: one task, or nothing shared.
    pub(super) fn new(job: &Job<'_>, start: &Parameters, batch: usize) -> Result<Option<Self>, Unsupported> {
        let shared = job.graph.reach().parameters.iter().any(|losses| losses.len() > 1);
        if !shared || !job.loss.watch {
            return Ok(None);
        }
        let session = job.device.gradients(job.graph, batch, Groups::layerwise(job.graph), start)?;
        Ok(Some(Probe { session, every: APART.next_multiple_of(job.budget.every.max(1)) }))
    }

    /// Whether to look at the batch of this step, counted from 0.
    pub(super) fn is_due(&self, step: u64) -> bool {
        step.is_multiple_of(self.every)
    }

    /// Norms and cosines of the gradients of the tasks that the batch has labels for.
    pub(super) fn measure(
        &mut self,
        feed: &Batch<'_>,
        parameters: &Parameters,
        names: &[&str],
        noise: u64,
    ) -> Gradients {
        self.session.set_parameters(parameters);
        let (losses, gramian) = self.session.layerwise_gramian(feed, noise);
        let n = names.len();
        let norm = |i: usize| gramian[i * n + i].sqrt();
        // JSON has no infinity: a gradient on its way there is left out.
        let seen: Vec<usize> = (0..n).filter(|&i| losses[i].is_some() && norm(i).is_finite()).collect();
        let name = |i: usize| names[i].to_owned();
        let norms = seen.iter().map(|&i| (name(i), norm(i))).collect();
        let mut cosines: IndexMap<String, IndexMap<String, f64>> = IndexMap::new();
        for (place, &i) in seen.iter().enumerate() {
            for &j in &seen[place + 1..] {
                let sizes = norm(i) * norm(j);
                if sizes > 0.0 {
                    cosines.entry(name(i)).or_default().insert(name(j), gramian[i * n + j] / sizes);
                }
            }
        }
        Gradients { norms, cosines }
    }
}
