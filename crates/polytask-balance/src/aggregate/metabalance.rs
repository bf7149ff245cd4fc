//! MetaBalance (He et al., WWW 2022): brings each task's gradient near the size of the target task's, for each parameter
//! tensor by itself. With `n_i` a moving average of `||g_i||` over that tensor:
//!
//! ```text
//! n_i <- beta n_i + (1 - beta) ||g_i||,   d = sum_i g_i (relax n_target / (n_i + 1e-5) + 1 - relax)
//! ```
//!
//! The averages are divided by `1 - beta^t`, `t` being the task's steps, so that tasks seen unequally often compare. If
//! the target is absent its last average counts; if it has not been seen yet, gradients are left as they are. The shared
//! weights reported are `||g_i changed|| / ||g_i||`. With one present task `d` is its own gradient. Heads are unweighted.

use crate::prelude::*;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "metabalance",
    title: "MetaBalance",
    family: Family::Aggregator,
    needs: Needs::Jacobian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[
        KeyInfo { name: "target", default: "null", range: "a task", purpose: "the main task; the first if left out" },
        KeyInfo {
            name: "relax",
            default: "0.7",
            range: "from 0 to 1",
            purpose: "r, how far sizes are brought together",
        },
        KeyInfo {
            name: "beta",
            default: "0.9",
            range: "at least 0, below 1",
            purpose: "share of the old average norm",
        },
    ],
    paper: "He et al.: MetaBalance: Improving Multi-Task Recommendations via Adapting Gradient Magnitudes. WWW 2022",
    when: "one main task with auxiliary ones, as in recommendation",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("relax", keys.relax, (0.0..=1.0).contains(&keys.relax))?;
        setup.check("beta", keys.beta, (0.0..1.0).contains(&keys.beta))?;
        let target = match &keys.target {
            Some(name) => setup.task("target", name)?,
            None => 0,
        };
        let memory = Memory::new(vec![Norms::default(); setup.tasks.len()]);
        Ok(Box::new(MetaBalance { target, relax: keys.relax, beta: keys.beta, memory }))
    },
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    target: Option<String>,
    relax: f64,
    beta: f64,
}

/// One task's average norms, by tensor.
#[derive(Clone, Default, Serialize, Deserialize)]
struct Norms {
    steps: u32,
    averages: Vec<f64>,
}

impl Norms {
    /// The average for a tensor without its bias towards 0; `None` if the task has not been seen.
    fn of(&self, tensor: usize, beta: f64) -> Option<f64> {
        let bias = 1.0 - beta.powi(self.steps.min(1 << 20) as i32);
        self.averages.get(tensor).map(|average| average / bias)
    }
}

struct MetaBalance {
    target: usize,
    relax: f64,
    beta: f64,
    memory: Memory<Vec<Norms>>,
}

impl Balancer for MetaBalance {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let jacobian = &jacobians[0];
        let tensors = jacobian.tensors();
        let (beta, relax) = (self.beta, self.relax);
        for &task in step.tasks {
            let norms = &mut self.memory[task];
            norms.steps = norms.steps.saturating_add(1);
            norms.averages.resize(tensors.len(), 0.0);
        }
        let mut sizes = vec![(0.0, 0.0); step.tasks.len()];
        for (t, tensor) in tensors.into_iter().enumerate() {
            let norms = jacobian.norms_of(tensor.clone());
            for (&task, norm) in step.tasks.iter().zip(&norms) {
                let average = &mut self.memory[task].averages[t];
                *average = beta * *average + (1.0 - beta) * norm;
            }
            let goal = self.memory[self.target].of(t, beta).filter(|_| step.tasks.len() > 1);
            let factor = |task: usize| match (goal, self.memory[task].of(t, beta)) {
                (Some(goal), Some(own)) => relax * goal / (own + 1e-5) + (1.0 - relax),
                _ => 1.0,
            };
            let factors: Vec<f64> = step.tasks.iter().map(|&task| factor(task)).collect();
            for ((size, factor), norm) in sizes.iter_mut().zip(&factors).zip(&norms) {
                *size = (size.0 + (factor * norm).powi(2), size.1 + norm * norm);
            }
            jacobian.combine_columns(tensor, &factors, out);
        }
        let ratio = |(changed, raw): (f64, f64)| if raw > 0.0 { (changed / raw).sqrt() } else { 1.0 };
        Ok(Weights::shared_only(sizes.into_iter().map(ratio).collect()))
    }

    remembers!();
}
