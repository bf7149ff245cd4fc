//! Several models as one: what a set of groups becomes, so that one call predicts all tasks.

use super::Model;
use crate::Error;
use crate::tasks::Task;
use polytask_cpu::Parameters;
use polytask_graph::{Graph, LossId, ParameterId};

impl Model {
    /// One model that predicts what several do, each for the tasks it is for. The models read the same inputs in the same way;
    /// their layers stand side by side, called `groups.{i}.{name}`. `order` are the names of the tasks as they shall stand.
    ///
    /// # Errors
    /// Models of different inputs.
    pub fn beside(models: &[(Model, Vec<String>)], order: &[String]) -> Result<Model, Error> {
        let mut parts = Vec::new();
        let mut tasks: Vec<Task> = Vec::new();
        for (i, (model, names)) in models.iter().enumerate() {
            let places: Vec<usize> = (0..model.tasks.len()).filter(|t| names.contains(&model.tasks[*t].name)).collect();
            let own = model.graph.only(&places.iter().map(|t| LossId(*t)).collect::<Vec<_>>());
            parts.push((format!("groups.{i}."), own));
            tasks.extend(places.into_iter().map(|t| model.tasks[t].clone()));
        }
        let both = Graph::beside(&parts)?;
        let place = |name: &String| tasks.iter().position(|task| task.name == *name);
        let places: Vec<usize> = order.iter().filter_map(place).collect();
        let graph = both.only(&places.iter().map(|t| LossId(*t)).collect::<Vec<_>>());
        let mut parameters = Parameters::zeros(&graph);
        for (i, (model, _)) in models.iter().enumerate() {
            let prefix = format!("groups.{i}.");
            for (p, parameter) in graph.parameters().iter().enumerate() {
                let Some(name) = parameter.name.strip_prefix(&prefix) else { continue };
                let old = model.graph.parameters().iter().position(|old| old.name == name);
                if let Some(old) = old {
                    parameters.of_mut(ParameterId(p)).copy_from_slice(model.parameters.of(ParameterId(old)));
                }
            }
        }
        let tasks = places.into_iter().map(|t| tasks[t].clone()).collect();
        let first = models.first().map(|(model, _)| (model.encoder.clone(), model.dialect.clone()));
        let (encoder, dialect) = first.ok_or(polytask_graph::GraphError::NoLoss)?;
        Ok(Model { graph, encoder, tasks, dialect, parameters })
    }
}
