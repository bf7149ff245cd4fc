//! Ops on ragged sequences, padded to the longest of a batch.

use super::{Emit, Target};
use crate::error::Refusal;
use polytask_graph::{Node, ParameterId, Reduction, ops};

impl Emit<'_> {
    pub fn reduce(&mut self, node: &Node, reduction: Reduction) -> Result<String, Refusal> {
        let mask = self.mask(self.graph.node(node.inputs[0]).domain)?;
        let inputs: Vec<String> = node.inputs.iter().map(|x| self.plain(*x)).collect();
        let function = match reduction {
            Reduction::Sum => "total",
            Reduction::Mean => "mean",
            Reduction::Max => "largest",
            Reduction::Attention => "attend",
        };
        Ok(format!("{}({}, {mask})", self.helper(function), inputs.join(", ")))
    }

    pub fn spread(&mut self, node: &Node, op: &ops::Spread) -> Result<String, Refusal> {
        let from = self.graph.node(node.inputs[0]).domain;
        let (inner, outer) = (self.rank(node.domain), self.rank(from));
        let (x, mask) = (self.plain(node.inputs[0]), self.mask(node.domain)?);
        let new = match op.over {
            false if inner == outer => return Ok(x),
            false => format!("..., {}:", "None, ".repeat(inner - outer)),
            true if outer == 2 => format!(":, {}:", "None, ".repeat(inner - outer)),
            true => return Err(Refusal::new("it spreads nested sequences over a product")),
        };
        Ok(match self.target {
            Target::Torch => format!("{x}[{new}].expand(*{mask}.shape, -1)"),
            Target::Keras => format!("{x}[{new}] + ops.zeros_like(ops.cast({mask}, \"float32\"))[..., None]"),
        })
    }

    pub fn gather(&mut self, node: &Node, op: &ops::Gather) -> Result<String, Refusal> {
        let from = self.graph.node(node.inputs[0]).domain;
        if self.rank(from) != 2 {
            return Err(Refusal::new("it gathers from rows or nested sequences"));
        }
        if self.target == Target::Keras && self.rank(node.domain) != 2 {
            return Err(Refusal::new("it gathers for other elements than those of one sequence a row"));
        }
        let (x, index, mask) = (self.plain(node.inputs[0]), self.plain(node.inputs[1]), self.mask(from)?);
        Ok(format!("{}({x}, {index}[..., {}], {mask})", self.helper("gather"), op.column))
    }

    pub fn neighbours(&mut self, node: &Node, op: &ops::Neighbours) -> Result<String, Refusal> {
        let (x, mask) = (self.plain(node.inputs[0]), self.mask(node.domain)?);
        Ok(format!("{}({x}, {}, {}, {mask})", self.helper("neighbours"), op.before, op.after))
    }

    pub fn position(&mut self, node: &Node, op: &ops::Position) -> Result<String, Refusal> {
        let (dims, values) = (&self.graph.parameter(op.table).dims, self.network.parameters.of(op.table));
        let mask = self.mask(node.domain)?;
        let last = dims[0] - 1;
        let table = self.weight(op.table, dims, values.into(), &mask);
        let positions = self.helper("positions");
        Ok(match self.target {
            Target::Torch => format!("{table}[{positions}({mask}).clamp(max={last})]"),
            Target::Keras => format!("ops.take({table}, ops.minimum({positions}({mask}), {last}), axis=0)"),
        })
    }

    /// A recurrent layer, in either direction.
    pub fn running(
        &mut self,
        node: &Node,
        parameters: [ParameterId; 3],
        gru: bool,
        reverse: bool,
    ) -> Result<String, Refusal> {
        if self.rank(node.domain) != 2 {
            return Err(Refusal::new("it runs along nested sequences"));
        }
        let (x, mask) = (self.plain(node.inputs[0]), self.mask(node.domain)?);
        let layer = self.recurrent(parameters, gru);
        let x = match reverse {
            true => format!("{}({x}, {mask})", self.helper("turned")),
            false => x,
        };
        let y = match self.target {
            Target::Torch => format!("{layer}({x})[0]"),
            Target::Keras => format!("{layer}({x})"),
        };
        Ok(match reverse {
            true => format!("turned({y}, {mask})"),
            false => y,
        })
    }

    pub fn attention(&mut self, node: &Node, op: &ops::Attention) -> Result<String, Refusal> {
        let (x, mask) = (self.plain(node.inputs[0]), self.mask(node.domain)?);
        let window = op.window.map(|window| format!(", {window}")).unwrap_or_default();
        Ok(format!("{}({x}, {}, {mask}{window})", self.helper("attention"), op.heads))
    }

    pub fn rotary(&mut self, node: &Node, op: &ops::Rotary) -> Result<String, Refusal> {
        let (x, mask) = (self.plain(node.inputs[0]), self.mask(node.domain)?);
        let base = if op.base == ops::Rotary::BASE { String::new() } else { format!(", {:?}", op.base) };
        Ok(format!("{}({x}, {}, {}, {mask}{base})", self.helper("rotary"), op.head, op.turned))
    }

    pub fn pairwise(&mut self, node: &Node, op: &ops::Pairwise) -> Result<String, Refusal> {
        // Asks that the second factor lies on rows.
        self.mask(node.domain)?;
        if self.rank(node.domain) != 3 {
            return Err(Refusal::new("it pairs elements of nested sequences"));
        }
        let parent = self.graph.node(node.inputs[0]).domain;
        let (a, b, function) = (self.plain(node.inputs[0]), self.plain(node.inputs[1]), self.helper("pairs"));
        let Some(root) = op.root else { return Ok(format!("{function}({a}, {b})")) };
        let values = self.network.parameters.of(root);
        let root = self.weight(root, &[values.len()], values.into(), &a);
        let own = self.mask(parent)?;
        Ok(match self.target {
            Target::Torch => format!("{function}({a}, {b}, {root})"),
            Target::Keras => format!("{function}({a}, {b}, {root}, {own})"),
        })
    }
}
