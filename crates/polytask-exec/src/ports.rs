//! What a graph reads from outside, by name: its input nodes, its domains. Whoever has features looks them up here once,
//! and learns what is missing; nothing is bound by its position.

use crate::batch::Numbers;
use polytask_graph::{DomainId, Graph, Op};

/// What an input node holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PortKind {
    /// Numbers, of an [`Input`](polytask_graph::Op::Input).
    Real,
    /// Category indices, of an [`Index`](polytask_graph::Op::Index).
    Index,
}

/// An input node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// The node's name, unique in its graph.
    pub name: String,
    /// What it holds.
    pub kind: PortKind,
    /// Values an element.
    pub width: usize,
    /// What it has an element for.
    pub domain: DomainId,
}

/// All that a graph reads from outside, in the order in which a [`Batch`](crate::Batch) has it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ports {
    inputs: Vec<Port>,
    domains: Vec<String>,
}

/// Why features do not fit a graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// Nothing for an input.
    #[error("nothing is given for the model's input {0:?}")]
    Missing(String),
    /// Indices for numbers, or the other way round.
    #[error("the model's input {name:?} reads {}, but is given {}", word(*.expected), word(*.got))]
    Kind {
        /// Name of the input.
        name: String,
        /// What it reads.
        expected: PortKind,
        /// What it is given.
        got: PortKind,
    },
    /// Values that are no whole number of elements.
    #[error("the model's input {name:?} reads {width} values an element, but is given {got} values")]
    Length {
        /// Name of the input.
        name: String,
        /// Values an element.
        width: usize,
        /// Values given.
        got: usize,
    },
    /// Nothing says where the elements of a domain begin.
    #[error("nothing is given for the model's sequences {0:?}")]
    Domain(String),
}

fn word(kind: PortKind) -> &'static str {
    match kind {
        PortKind::Real => "numbers",
        PortKind::Index => "category indices",
    }
}

impl Ports {
    /// Those of a graph.
    pub fn of(graph: &Graph) -> Self {
        let inputs = graph.nodes().iter().filter_map(|node| {
            let fed = [(Op::Input, PortKind::Real), (Op::Index, PortKind::Index)];
            let (_, kind) = fed.into_iter().find(|(op, _)| *op == node.op)?;
            Some(Port { name: node.name.clone(), kind, width: node.shape.width(), domain: node.domain })
        });
        Ports { inputs: inputs.collect(), domains: graph.domains().iter().map(|domain| domain.name.clone()).collect() }
    }

    /// The inputs, in the graph's order.
    pub fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    /// The names of the domains, in the graph's order.
    pub fn domains(&self) -> &[String] {
        &self.domains
    }

    /// The values of every input, as `find` has them by name: [`Batch::inputs`](crate::Batch::inputs).
    ///
    /// # Errors
    /// An input that is not found, or does not fit.
    pub fn bind<'a>(&self, mut find: impl FnMut(&Port) -> Option<Numbers<'a>>) -> Result<Vec<Numbers<'a>>, PortError> {
        let one = |port: &Port| {
            let found = find(port).ok_or_else(|| PortError::Missing(port.name.clone()))?;
            port.check(&found)?;
            Ok(found)
        };
        self.inputs.iter().map(one).collect()
    }

    /// Where the elements of every domain begin, as `find` has it by name: [`Batch::offsets`](crate::Batch::offsets).
    ///
    /// # Errors
    /// A domain that is not found.
    pub fn bind_domains<'a>(
        &self,
        mut find: impl FnMut(&str) -> Option<&'a [u32]>,
    ) -> Result<Vec<&'a [u32]>, PortError> {
        self.domains.iter().map(|name| find(name).ok_or_else(|| PortError::Domain(name.clone()))).collect()
    }
}

impl Port {
    fn check(&self, found: &Numbers<'_>) -> Result<(), PortError> {
        let (got, len) = match found {
            Numbers::Real(values) => (PortKind::Real, Some(values.len())),
            Numbers::Bytes(bytes) => (PortKind::Real, Some(bytes.values.len())),
            Numbers::Made(_) => (PortKind::Real, None),
            Numbers::Index(indices) => (PortKind::Index, Some(indices.len())),
        };
        if got != self.kind {
            return Err(PortError::Kind { name: self.name.clone(), expected: self.kind, got });
        }
        match len {
            Some(len) if len.checked_rem(self.width).unwrap_or(len) != 0 => {
                Err(PortError::Length { name: self.name.clone(), width: self.width, got: len })
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "the graph of a test is right")]
mod tests {
    use super::*;
    use polytask_graph::{Activation, GraphBuilder, IndexColumn, LossKind};

    #[test]
    fn inputs_are_found_by_name_and_the_rest_is_an_error() {
        let mut g = GraphBuilder::new();
        let x = g.input("numbers", 2);
        let ids = g.index_input("ids", 1);
        let ids = g.one_hot(ids, &[IndexColumn { column: 0, levels: 3 }]);
        let h = g.concat(&[x, ids]);
        let y = g.dense(h, 1, Activation::Linear);
        g.loss("y", y, LossKind::Mse);
        let ports = Ports::of(&g.finish().unwrap());
        let names: Vec<&str> = ports.inputs().iter().map(|port| port.name.as_str()).collect();
        assert_eq!(names, ["numbers", "ids"]);
        let (numbers, ids) = (Numbers::Real(&[1.0, 2.0]), Numbers::Index(&[1]));
        let bind = |numbers, ids| {
            ports.bind(|port| match port.name.as_str() {
                "numbers" => numbers,
                "ids" => ids,
                _ => None,
            })
        };
        assert!(matches!(bind(Some(numbers), Some(ids)).unwrap()[..], [Numbers::Real(_), Numbers::Index(_)]));
        assert_eq!(bind(Some(numbers), None).unwrap_err(), PortError::Missing("ids".to_owned()));
        let kind = PortError::Kind { name: "ids".to_owned(), expected: PortKind::Index, got: PortKind::Real };
        assert_eq!(bind(Some(numbers), Some(numbers)).unwrap_err(), kind);
        let length = PortError::Length { name: "numbers".to_owned(), width: 2, got: 1 };
        assert_eq!(bind(Some(Numbers::Real(&[1.0])), Some(ids)).unwrap_err(), length);
    }
}
