//! A body as a model directory has it: a description for `model.json`, and arrays for `model.safetensors`.

use super::{Body, Ensemble, Member, Network};
use crate::files::{Array, Numbers};
use polytask_exec::Parameters;
use polytask_graph::{Graph, ParameterId};
use polytask_trees::{Head, Kind, Node, Schema, Test, Tree};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;

/// What `model.json` says of a body.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::model) enum Stored {
    /// A network, whose arrays are called like its parameters.
    Graph(Graph),
    /// Trees, whose arrays have all trees end to end.
    Trees {
        kind: Kind,
        columns: Vec<Schema>,
        heads: Vec<Head>,
        start: Vec<f64>,
        rounds: usize,
    },
    Ensemble(Vec<StoredMember>),
}

#[derive(Serialize, Deserialize)]
pub(in crate::model) struct StoredMember {
    name: String,
    tasks: Vec<usize>,
    weights: Vec<f64>,
    /// Their arrays have names that begin with `members.{member}.{place}.`.
    bodies: Vec<Stored>,
}

/// Marks of a node in the array `nodes.test`.
const MISSING_RIGHT: u32 = 0;
const MISSING_LEFT: u32 = 1;
const CATEGORY: u32 = 2;

impl Body {
    /// Its description, and its arrays with `prefix` before their names.
    pub(in crate::model) fn store<'a>(&'a self, prefix: &str, arrays: &mut Vec<Array<'a>>) -> Stored {
        match self {
            Body::Network(network) => {
                arrays.extend((0..network.graph.parameters().len()).map(|i| {
                    let parameter = network.graph.parameter(ParameterId(i));
                    let numbers = Numbers::F32(network.parameters.of(ParameterId(i)).into());
                    Array { name: format!("{prefix}{}", parameter.name), dims: parameter.dims.clone(), numbers }
                }));
                Stored::Graph(network.graph.clone())
            }
            Body::Trees(trees) => {
                store_trees(trees.trees(), prefix, arrays);
                Stored::Trees {
                    kind: trees.kind(),
                    columns: trees.columns().to_vec(),
                    heads: trees.heads().to_vec(),
                    start: trees.start().to_vec(),
                    rounds: trees.rounds(),
                }
            }
            Body::Ensemble(ensemble) => {
                let store = |(i, member): (usize, &'a Member)| {
                    let bodies = member.bodies.iter().enumerate();
                    StoredMember {
                        name: member.name.clone(),
                        tasks: member.tasks.clone(),
                        weights: member.weights.clone(),
                        bodies: bodies
                            .map(|(j, body)| body.store(&format!("{prefix}members.{i}.{j}."), arrays))
                            .collect(),
                    }
                };
                Stored::Ensemble(ensemble.members.iter().enumerate().map(store).collect())
            }
        }
    }
}

impl Stored {
    /// The body again, which takes its arrays.
    ///
    /// # Errors
    /// What does not hold.
    pub(in crate::model) fn restore(
        self,
        prefix: &str,
        arrays: &mut HashMap<String, Array<'static>>,
        tasks: usize,
    ) -> Result<Body, String> {
        match self {
            Stored::Graph(graph) => {
                graph.validate().map_err(|e| e.to_string())?;
                if graph.losses().len() != tasks {
                    return Err(format!("a network has {} outputs for {tasks} tasks", graph.losses().len()));
                }
                // The arrays first: they are as long as their file, and what the graph says need not be.
                let mut all = Vec::new();
                for parameter in graph.parameters() {
                    let name = format!("{prefix}{}", parameter.name);
                    let values = floats(arrays, &name)?;
                    if parameter.len() != values.len() {
                        return Err(format!(
                            "the array {name} has {} numbers, expected {}",
                            values.len(),
                            parameter.len()
                        ));
                    }
                    if let Some(value) = values.iter().find(|value| !value.is_finite()) {
                        return Err(format!("the array {name} holds {value}"));
                    }
                    all.push(values);
                }
                let mut parameters = Parameters::zeros(&graph);
                for (i, values) in all.into_iter().enumerate() {
                    parameters.of_mut(ParameterId(i)).copy_from_slice(&values);
                }
                Ok(Body::Network(Network { graph, parameters }))
            }
            Stored::Trees { kind, columns, heads, start, rounds } => {
                if heads.len() != tasks {
                    return Err(format!("trees have {} outputs for {tasks} tasks", heads.len()));
                }
                let trees = restore_trees(prefix, arrays)?;
                let trees = polytask_trees::Model::new(kind, columns, heads, start, trees, rounds);
                Ok(Body::Trees(trees.map_err(|e| e.to_string())?))
            }
            Stored::Ensemble(members) => {
                let mut all = Vec::new();
                for (i, StoredMember { name, tasks, weights, bodies }) in members.into_iter().enumerate() {
                    let body = |(j, stored): (usize, Stored)| {
                        stored.restore(&format!("{prefix}members.{i}.{j}."), arrays, tasks.len())
                    };
                    let bodies = bodies.into_iter().enumerate().map(body).collect::<Result<_, _>>()?;
                    all.push(Member { name, bodies, tasks, weights });
                }
                let ensemble = Ensemble { members: all };
                ensemble.check(tasks)?;
                Ok(Body::Ensemble(ensemble))
            }
        }
    }
}

fn store_trees<'a>(trees: &'a [Tree], prefix: &str, arrays: &mut Vec<Array<'a>>) {
    let nodes = || trees.iter().flat_map(|tree| &tree.nodes);
    let mark = |node: &Node| match node.test {
        Test::Number { missing_left: false, .. } => MISSING_RIGHT,
        Test::Number { missing_left: true, .. } => MISSING_LEFT,
        Test::Category { .. } => CATEGORY,
    };
    let threshold = |node: &Node| match node.test {
        Test::Number { threshold, .. } => threshold,
        Test::Category { .. } => 0.0,
    };
    let set = |node: &Node| match &node.test {
        Test::Number { .. } => Vec::new(),
        Test::Category { left } => {
            let mut words = vec![0u32; 8];
            left.iter().for_each(|bin| words[usize::from(bin >> 5)] |= 1 << (bin & 31));
            words
        }
    };
    let size = |tree: &Tree| [tree.nodes.len() as u32, tree.outputs.len() as u32];
    let mut add = |name: &str, width: usize, numbers: Numbers<'a>| {
        let dims = if width == 1 { vec![numbers.len()] } else { vec![numbers.len() / width, width] };
        arrays.push(Array { name: format!("{prefix}{name}"), dims, numbers });
    };
    let u32s = |values: Vec<u32>| Numbers::U32(Cow::Owned(values));
    let f32s = |values: Vec<f32>| Numbers::F32(Cow::Owned(values));
    add("trees.size", 2, u32s(trees.iter().flat_map(size).collect()));
    add("trees.outputs", 1, u32s(trees.iter().flat_map(|tree| tree.outputs.iter().copied()).collect()));
    add("nodes.feature", 1, u32s(nodes().map(|node| node.feature).collect()));
    add("nodes.test", 1, u32s(nodes().map(mark).collect()));
    add("nodes.threshold", 1, f32s(nodes().map(threshold).collect()));
    add("nodes.set", 8, u32s(nodes().flat_map(set).collect()));
    add("nodes.children", 2, Numbers::I32(Cow::Owned(nodes().flat_map(|node| node.children).collect())));
    add("nodes.cover", 1, u32s(nodes().map(|node| node.cover).collect()));
    add("nodes.gain", 1, f32s(nodes().map(|node| node.gain).collect()));
    add("leaves.cover", 1, u32s(trees.iter().flat_map(|tree| tree.covers.iter().copied()).collect()));
    add("leaves.value", 1, f32s(trees.iter().flat_map(|tree| tree.values.iter().copied()).collect()));
}

fn restore_trees(prefix: &str, arrays: &mut HashMap<String, Array<'static>>) -> Result<Vec<Tree>, String> {
    let mut words = |name: &str| match take(arrays, &format!("{prefix}{name}"))? {
        Numbers::U32(values) => Ok(values.into_owned().into_iter()),
        Numbers::F32(_) | Numbers::I32(_) => Err(format!("the array {prefix}{name} is not of U32")),
    };
    let [sizes, mut outputs] = [words("trees.size")?, words("trees.outputs")?];
    let [mut features, mut tests, mut sets] = [words("nodes.feature")?, words("nodes.test")?, words("nodes.set")?];
    let [mut covers, mut leaf_covers] = [words("nodes.cover")?, words("leaves.cover")?];
    let mut thresholds = floats(arrays, &format!("{prefix}nodes.threshold"))?.into_iter();
    let mut gains = floats(arrays, &format!("{prefix}nodes.gain"))?.into_iter();
    let mut values = floats(arrays, &format!("{prefix}leaves.value"))?.into_iter();
    let children = take(arrays, &format!("{prefix}nodes.children"))?;
    let Numbers::I32(children) = children else { return Err(format!("{prefix}nodes.children is not of I32")) };
    let mut children = children.into_owned().into_iter();
    let mut node = || {
        let test = match (tests.next()?, thresholds.next()?) {
            (MISSING_RIGHT, threshold) => Test::Number { threshold, missing_left: false },
            (MISSING_LEFT, threshold) => Test::Number { threshold, missing_left: true },
            (CATEGORY, _) => {
                let mut left = Vec::new();
                for word in 0..8u32 {
                    let bits = sets.next()?;
                    left.extend((0..32).filter(|bit| bits >> bit & 1 == 1).map(|bit| (32 * word + bit) as u8));
                }
                Test::Category { left }
            }
            _ => return None,
        };
        let children = [children.next()?, children.next()?];
        Some(Node { feature: features.next()?, test, children, cover: covers.next()?, gain: gains.next()? })
    };
    let mut tree = |nodes: u32, width: u32| {
        let leaves = u64::from(nodes) + 1;
        let nodes = (0..nodes).map_while(|_| node()).collect();
        let outputs = outputs.by_ref().take(width as usize).collect();
        let covers = leaf_covers.by_ref().take(leaves as usize).collect();
        let values = values.by_ref().take((leaves * u64::from(width)) as usize).collect();
        // Whatever is too short is refused when the model is made of it.
        Tree { outputs, nodes, values, covers }
    };
    let sizes: Vec<u32> = sizes.collect();
    let (sizes, rest) = sizes.as_chunks::<2>();
    match rest.is_empty() {
        true => Ok(sizes.iter().map(|[nodes, width]| tree(*nodes, *width)).collect()),
        false => Err(format!("the array {prefix}trees.size has an odd length")),
    }
}

fn take(arrays: &mut HashMap<String, Array<'static>>, name: &str) -> Result<Numbers<'static>, String> {
    arrays.remove(name).map(|array| array.numbers).ok_or_else(|| format!("there is no array {name}"))
}

fn floats(arrays: &mut HashMap<String, Array<'static>>, name: &str) -> Result<Vec<f32>, String> {
    match take(arrays, name)? {
        Numbers::F32(values) => Ok(values.into_owned()),
        Numbers::U32(_) | Numbers::I32(_) => Err(format!("the array {name} is not of F32")),
    }
}
