//! Several models as one: what a set of groups becomes, so that one call predicts all tasks.

use super::{Body, Ensemble, Member, Model, Network};
use crate::Error;
use crate::device::Device;
use crate::tasks::Task;
use polytask_exec::Parameters;
use polytask_graph::{Graph, LossId, ParameterId};

/// A model, and the names of the tasks that it is for.
type Part = (Model, Vec<String>);

impl Model {
    /// One model that predicts what several do, each for the tasks it is for. The models read the same inputs in the same way;
    /// the layers of networks stand side by side, called `groups.{i}.{name}`. `order` are the names of the tasks as they
    /// shall stand.
    ///
    /// # Errors
    /// Models of different inputs.
    pub fn beside(models: &[Part], order: &[String]) -> Result<Model, Error> {
        let served = |(model, names): &Part| {
            (0..model.tasks.len()).filter(|t| names.contains(&model.tasks[*t].name)).collect::<Vec<_>>()
        };
        let served: Vec<Vec<usize>> = models.iter().map(served).collect();
        let all = models.iter().zip(&served);
        let tasks: Vec<Task> =
            all.flat_map(|((model, _), places)| places.iter().map(|t| model.tasks[*t].clone())).collect();
        let place = |name: &String| tasks.iter().position(|task| task.name == *name);
        let places: Vec<usize> = order.iter().filter_map(place).collect();
        let networks: Option<Vec<&Network>> = models.iter().map(|(model, _)| model.network()).collect();
        let body = match networks {
            Some(networks) => Body::Network(networks_beside(&networks, &served, &places)?),
            None => Body::Ensemble(bodies_beside(models, order)),
        };
        let tasks = places.into_iter().map(|t| tasks[t].clone()).collect();
        let first = models.first().map(|(model, _)| (model.encoder.clone(), model.dialect.clone()));
        let (encoder, dialect) = first.ok_or(polytask_graph::GraphError::NoLoss)?;
        Ok(Model { body, encoder, tasks, dialect, device: Device::default() })
    }
}

/// One network of several.
fn networks_beside(networks: &[&Network], served: &[Vec<usize>], places: &[usize]) -> Result<Network, Error> {
    let parts: Vec<(String, Graph)> = networks
        .iter()
        .zip(served)
        .enumerate()
        .map(|(i, (network, places))| {
            (format!("groups.{i}."), network.graph.only(&places.iter().map(|t| LossId(*t)).collect::<Vec<_>>()))
        })
        .collect();
    let graph = Graph::beside(&parts)?.only(&places.iter().map(|t| LossId(*t)).collect::<Vec<_>>());
    let mut parameters = Parameters::zeros(&graph);
    for (i, network) in networks.iter().enumerate() {
        let prefix = format!("groups.{i}.");
        for (p, parameter) in graph.parameters().iter().enumerate() {
            let Some(name) = parameter.name.strip_prefix(&prefix) else { continue };
            let old = network.graph.parameters().iter().position(|old| old.name == name);
            if let Some(old) = old {
                parameters.of_mut(ParameterId(p)).copy_from_slice(network.parameters.of(ParameterId(old)));
            }
        }
    }
    Ok(Network { graph, parameters })
}

/// Models of any family as members of an ensemble, each alone in what it predicts.
fn bodies_beside(models: &[Part], order: &[String]) -> Ensemble {
    let member = |(model, names): &Part| {
        let at = |task: &Task| order.iter().position(|name| *name == task.name);
        // What only helped counts nothing, wherever it stands.
        let tasks = model.tasks.iter().map(|task| at(task).unwrap_or(0)).collect();
        let counts = |task: &Task| if names.contains(&task.name) { 1.0 } else { 0.0 };
        let weights = model.tasks.iter().map(counts).collect();
        Member { name: names.join(", "), bodies: vec![model.body.clone()], tasks, weights }
    };
    Ensemble { members: models.iter().map(member).collect() }
}
