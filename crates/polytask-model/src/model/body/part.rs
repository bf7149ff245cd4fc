//! Some of the tasks of a fitted model, as a model of their own: what only the others need is not computed.

use super::{Body, Ensemble, Member, Network};
use crate::model::Model;
use crate::tasks::Kind;
use polytask_exec::Parameters;
use polytask_graph::LossId;

/// Why a model cannot be cut down to some of its tasks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PartError {
    /// A name that no task has.
    #[error("the model has no task `{name}`; it has {}", known.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// The tasks.
        known: Vec<String>,
    },
    /// Tasks that find something for each other.
    #[error("`{0}` is found together with the other tasks of its sentences, and cannot be had without them")]
    Structure(String),
}

impl Model {
    /// The model of some of its tasks, in its own order, and their places among all.
    ///
    /// # Errors
    /// A name that no task has; predicates, senses, roles and dependency trees, which are found together.
    pub fn only(&self, names: &[&str]) -> Result<(Model, Vec<usize>), PartError> {
        let known = || self.tasks.iter().map(|task| task.name.clone()).collect();
        if let Some(name) = names.iter().find(|name| self.tasks.iter().all(|task| task.name != **name)) {
            return Err(PartError::Unknown { name: (*name).to_owned(), known: known() });
        }
        let kept: Vec<usize> =
            (0..self.tasks.len()).filter(|at| names.contains(&self.tasks[*at].name.as_str())).collect();
        if kept.len() == self.tasks.len() {
            return Ok((self.clone(), kept));
        }
        let found =
            |kind: &Kind| matches!(kind, Kind::Predicates(_) | Kind::Senses(_) | Kind::Roles(_) | Kind::Arcs(_));
        if let Some(task) = self.tasks.iter().find(|task| found(&task.kind)) {
            return Err(PartError::Structure(task.name.clone()));
        }
        let tasks = kept.iter().map(|at| self.tasks[*at].clone()).collect();
        let model = Model { body: self.body.only(&kept), tasks, ..self.clone() };
        Ok((model, kept))
    }
}

impl Body {
    /// What the tasks at these places, ascending, need.
    fn only(&self, kept: &[usize]) -> Body {
        match self {
            Body::Network(network) => Body::Network(network.only(kept)),
            Body::Trees(trees) => Body::Trees(trees.only(kept)),
            Body::Ensemble(ensemble) => Body::Ensemble(ensemble.only(kept)),
        }
    }
}

impl Network {
    fn only(&self, kept: &[usize]) -> Network {
        let graph = self.graph.only(&kept.iter().map(|at| LossId(*at)).collect::<Vec<_>>());
        let mut parameters = Parameters::zeros(&graph);
        let old = |name: &str| self.graph.parameters().iter().position(|parameter| parameter.name == name);
        for (new, parameter) in graph.parameters().iter().enumerate() {
            // Those of a part keep their names.
            if let Some(old) = old(&parameter.name) {
                let values = self.parameters.of(polytask_graph::ParameterId(old));
                parameters.of_mut(polytask_graph::ParameterId(new)).copy_from_slice(values);
            }
        }
        Network { graph, parameters }
    }
}

impl Ensemble {
    fn only(&self, kept: &[usize]) -> Ensemble {
        let part = |member: &Member| {
            // A member counts for a task by its weight: the others of its tasks are not computed.
            let counts = |at: &usize| member.weights[*at] > 0.0 && kept.contains(&member.tasks[*at]);
            let own: Vec<usize> = (0..member.tasks.len()).filter(counts).collect();
            let place = |at: &usize| kept.iter().position(|task| *task == member.tasks[*at]);
            (!own.is_empty()).then(|| Member {
                name: member.name.clone(),
                bodies: member.bodies.iter().map(|body| body.only(&own)).collect(),
                tasks: own.iter().filter_map(place).collect(),
                weights: own.iter().map(|at| member.weights[*at]).collect(),
            })
        };
        Ensemble { members: self.members.iter().filter_map(part).collect() }
    }
}
