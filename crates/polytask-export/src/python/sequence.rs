//! Ops on ragged sequences, padded to the longest of a batch.

use super::{Emit, Target};
use crate::error::Refusal;
use polytask_graph::{Node, Op, Reduction};

impl Emit<'_> {
    pub fn sequence_op(&mut self, node: &Node) -> Result<String, Refusal> {
        let (domain, torch) = (node.domain, self.target == Target::Torch);
        let first = |emit: &mut Self| emit.plain(node.inputs[0]);
        Ok(match &node.op {
            Op::Reduce(reduction) => {
                let mask = self.mask(self.graph.node(node.inputs[0]).domain)?;
                let inputs: Vec<String> = node.inputs.iter().map(|x| self.plain(*x)).collect();
                let function = match reduction {
                    Reduction::Sum => "total",
                    Reduction::Mean => "mean",
                    Reduction::Max => "largest",
                    Reduction::Attention => "attend",
                };
                format!("{}({}, {mask})", self.helper(function), inputs.join(", "))
            }
            Op::Spread { over } => {
                let from = self.graph.node(node.inputs[0]).domain;
                let (inner, outer) = (self.rank(domain), self.rank(from));
                let (x, mask) = (first(self), self.mask(domain)?);
                let new = match over {
                    false if inner == outer => return Ok(x),
                    false => format!("..., {}:", "None, ".repeat(inner - outer)),
                    true if outer == 2 => format!(":, {}:", "None, ".repeat(inner - outer)),
                    true => return Err(Refusal::new("it spreads nested sequences over a product")),
                };
                match torch {
                    true => format!("{x}[{new}].expand(*{mask}.shape, -1)"),
                    false => format!("{x}[{new}] + ops.zeros_like(ops.cast({mask}, \"float32\"))[..., None]"),
                }
            }
            Op::Gather { column } => {
                let from = self.graph.node(node.inputs[0]).domain;
                if self.rank(from) != 2 {
                    return Err(Refusal::new("it gathers from rows or nested sequences"));
                }
                if !torch && self.rank(domain) != 2 {
                    return Err(Refusal::new("it gathers for other elements than those of one sequence a row"));
                }
                let (x, index, mask) = (first(self), self.plain(node.inputs[1]), self.mask(from)?);
                format!("{}({x}, {index}[..., {column}], {mask})", self.helper("gather"))
            }
            Op::Neighbours { before, after } => {
                let (x, mask) = (first(self), self.mask(domain)?);
                format!("{}({x}, {before}, {after}, {mask})", self.helper("neighbours"))
            }
            Op::Position { table } => {
                let (dims, values) = (&self.graph.parameter(*table).dims, self.model.parameters.of(*table));
                let mask = self.mask(domain)?;
                let last = dims[0] - 1;
                let table = self.weight(*table, dims, values.into(), &mask);
                let positions = self.helper("positions");
                match torch {
                    true => format!("{table}[{positions}({mask}).clamp(max={last})]"),
                    false => format!("ops.take({table}, ops.minimum({positions}({mask}), {last}), axis=0)"),
                }
            }
            Op::Lstm { input, recurrent, bias, reverse } | Op::Gru { input, recurrent, bias, reverse } => {
                if self.rank(domain) != 2 {
                    return Err(Refusal::new("it runs along nested sequences"));
                }
                let (x, mask) = (first(self), self.mask(domain)?);
                let layer = self.recurrent([*input, *recurrent, *bias], matches!(node.op, Op::Gru { .. }));
                let x = match reverse {
                    true => format!("{}({x}, {mask})", self.helper("turned")),
                    false => x,
                };
                let y = if torch { format!("{layer}({x})[0]") } else { format!("{layer}({x})") };
                match reverse {
                    true => format!("turned({y}, {mask})"),
                    false => y,
                }
            }
            Op::Attention { heads } => {
                let (x, mask) = (first(self), self.mask(domain)?);
                format!("{}({x}, {heads}, {mask})", self.helper("attention"))
            }
            Op::Rotary { head, turned } => {
                let (x, mask) = (first(self), self.mask(domain)?);
                format!("{}({x}, {head}, {turned}, {mask})", self.helper("rotary"))
            }
            Op::Pairwise { root } => {
                let mask = self.mask(domain)?;
                if self.rank(domain) != 3 {
                    return Err(Refusal::new("it pairs elements of nested sequences"));
                }
                let parent = self.graph.node(node.inputs[0]).domain;
                let (a, b, function) = (first(self), self.plain(node.inputs[1]), self.helper("pairs"));
                let Some(root) = root else { return Ok(format!("{function}({a}, {b})")) };
                let values = self.model.parameters.of(*root);
                let root = self.weight(*root, &[values.len()], values.into(), &a);
                let own = self.mask(parent)?;
                let _ = mask;
                match torch {
                    true => format!("{function}({a}, {b}, {root})"),
                    false => format!("{function}({a}, {b}, {root}, {own})"),
                }
            }
            _ => return Err(Refusal::new("there is no such op")),
        })
    }
}
