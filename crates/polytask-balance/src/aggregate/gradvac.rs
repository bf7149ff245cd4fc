//! GradVac, gradient vaccine (Wang et al., "Gradient Vaccine", ICLR 2021). Each pair of tasks has a target cosine
//! `rho_ij`, a moving average of the cosines seen, 0 at first:
//!
//! ```text
//! for each i:  p = g_i;  for j != i in random order:  phi = cos(p, g_j)
//!     if phi < rho_ij:  p += g_j ||p|| (rho sqrt(1 - phi^2) - phi sqrt(1 - rho^2)) / (||g_j|| sqrt(1 - rho^2))
//!     rho_ij <- (1 - beta) rho_ij + beta phi
//! d = sum_i p_i
//! ```
//!
//! By the whole model the Gramian is enough; by tensor each parameter tensor has its own targets and projections, and
//! the Jacobian is needed; the shared weights reported are then means over tensors by size. The order is drawn from the
//! run's seed. Heads are unweighted.

use crate::prelude::*;
use crate::random::Random;
use crate::state::State;

/// The registry's entry.
pub(crate) const INFO: MethodInfo = MethodInfo {
    name: "gradvac",
    title: "GradVac",
    family: Family::Aggregator,
    needs: Needs::Gramian,
    heads: Heads::Unweighted,
    cost: ALL,
    keys: &[
        KeyInfo {
            name: "beta",
            default: "0.5",
            range: "from 0 to 1",
            purpose: "share of the newest cosine in the target (the paper has 0.01)",
        },
        KeyInfo { name: "by", default: "\"model\"", range: "model or tensor", purpose: "what a cosine is taken over" },
    ],
    paper: "Wang et al.: Gradient Vaccine: Investigating and Improving Multi-task Optimization. ICLR 2021",
    when: "related tasks whose gradients should agree more than they do, such as languages",
    build: |setup| {
        let keys: Keys = setup.parse()?;
        setup.check("beta", keys.beta, (0.0..=1.0).contains(&keys.beta))?;
        Ok(Box::new(GradVac {
            beta: keys.beta,
            by: keys.by,
            tasks: setup.tasks.len(),
            memory: Memory::new(Targets { tasks: setup.tasks.len(), rho: Vec::new(), random: Random::new(setup.seed) }),
        }))
    },
};

/// Keeps the formula finite for targets of nearly 1.
const LIMIT: f64 = 1.0 - 1e-6;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    beta: f64,
    by: By,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum By {
    Model,
    Tensor,
}

#[derive(Clone, Serialize, Deserialize)]
struct Targets {
    tasks: usize,
    /// One `tasks` x `tasks` matrix a tensor, grown at first sight.
    rho: Vec<Vec<f64>>,
    random: Random,
}

impl State for Targets {
    fn fits(&self, fresh: &Self) -> bool {
        self.tasks == fresh.tasks && self.rho.iter().all(|rho| rho.len() == self.tasks * self.tasks)
    }
}

struct GradVac {
    beta: f64,
    by: By,
    tasks: usize,
    memory: Memory<Targets>,
}

impl GradVac {
    /// The weights for one group of parameters.
    fn vaccinate(&mut self, present: &[usize], gramian: &Gramian, group: usize) -> Vec<f64> {
        let size = gramian.size();
        let (tasks, beta) = (self.tasks, self.beta);
        let Targets { rho, random, .. } = &mut *self.memory;
        if rho.len() <= group {
            rho.resize(group + 1, vec![0.0; tasks * tasks]);
        }
        let mut weights = vec![0.0; size];
        for i in 0..size {
            let mut others: Vec<usize> = (0..size).filter(|&j| j != i).collect();
            random.shuffle(&mut others);
            // <p, g_j> for all j, and ||p||^2, kept up to date as p changes.
            let mut inner = gramian.row(i).to_vec();
            let mut square = gramian.get(i, i);
            weights[i] += 1.0;
            for j in others {
                let lengths = (square.sqrt(), gramian.get(j, j).sqrt());
                if lengths.0 == 0.0 || lengths.1 == 0.0 {
                    continue;
                }
                let phi = (inner[j] / lengths.0 / lengths.1).clamp(-1.0, 1.0);
                let target = &mut rho[group][present[i] * tasks + present[j]];
                let wanted = target.clamp(-LIMIT, LIMIT);
                if phi < wanted {
                    let across = (1.0 - wanted * wanted).sqrt();
                    let turn = wanted * (1.0 - phi * phi).sqrt() - phi * across;
                    let coefficient = lengths.0 * turn / (lengths.1 * across);
                    weights[j] += coefficient;
                    square += coefficient * (2.0 * inner[j] + coefficient * gramian.get(j, j));
                    square = square.max(0.0);
                    inner.iter_mut().zip(gramian.row(j)).for_each(|(p, g)| *p += coefficient * g);
                }
                *target = (1.0 - beta) * *target + beta * phi;
            }
        }
        weights
    }
}

impl Balancer for GradVac {
    fn info(&self) -> &'static MethodInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        match self.by {
            By::Model => Needs::Gramian,
            By::Tensor => Needs::Jacobian,
        }
    }

    fn weights(&mut self, step: &Step, gramian: Option<&Gramian>) -> Result<Weights, BalanceError> {
        let gramian = need(gramian, INFO.name)?;
        Ok(Weights::shared_only(self.vaccinate(step.tasks, gramian, 0)))
    }

    fn aggregate(&mut self, step: &Step, jacobians: &[Jacobian], out: &mut Output) -> Result<Weights, BalanceError> {
        let jacobian = &jacobians[0];
        if self.by == By::Model {
            let weights = self.weights(step, Some(&jacobian.gramian()))?;
            jacobian.combine(&weights.shared, out);
            return Ok(weights);
        }
        let mut mean = vec![0.0; step.tasks.len()];
        for (group, tensor) in jacobian.tensors().into_iter().enumerate() {
            let weights = self.vaccinate(step.tasks, &jacobian.gramian_of(tensor.clone()), group);
            let share = tensor.len() as f64 / jacobian.width().max(1) as f64;
            mean.iter_mut().zip(&weights).for_each(|(m, w)| *m += share * w);
            jacobian.combine_columns(tensor, &weights, out);
        }
        Ok(Weights::shared_only(mean))
    }

    remembers!();
}
