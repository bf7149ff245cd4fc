//! The rules of every op. A graph from a file passes them too.

use super::GraphBuilder;
use crate::{NodeId, Op, ParameterId, Shape};

impl GraphBuilder {
    /// The rules each op puts on its inputs, parameters and shape.
    pub(super) fn check(&self, op: &Op, inputs: &[NodeId], shape: &Shape) -> Result<(), String> {
        if let Some(far) = inputs.iter().find(|i| i.0 >= self.graph.nodes.len()) {
            return Err(format!("it reads node {} which does not come before it", far.0));
        }
        if let Some(far) = op.parameters().iter().find(|p| p.0 >= self.graph.parameters.len()) {
            return Err(format!("it reads parameter {} which does not exist", far.0));
        }
        if shape.width() == 0 {
            return Err("it has no features; widths start at 1".into());
        }
        let width = |i: usize| self.width(inputs[i]);
        let dims = |p: &ParameterId| self.graph.parameters[p.0].dims.as_slice();
        let expect = |count: usize| match inputs.len() == count {
            true => Ok(()),
            false => Err(format!("it takes {count} input(s) and got {}", inputs.len())),
        };
        let is_index = |i: usize| matches!(self.graph.node(inputs[i]).op, Op::Index);
        let reads_index = matches!(op, Op::OneHot { .. } | Op::Embedding { .. });
        if let Some(i) = (0..inputs.len()).find(|&i| is_index(i) != reads_index) {
            let name = &self.graph.node(inputs[i]).name;
            return Err(match reads_index {
                true => format!("it reads category indices, but {name:?} gives numbers"),
                false => format!("it reads numbers, but {name:?} gives category indices"),
            });
        }
        let same = |wanted: &[usize], got: &[usize]| match wanted == got {
            true => Ok(()),
            false => Err(format!("its parameter has shape {got:?}, expected {wanted:?}")),
        };
        let keeps = |wanted: usize| match shape.width() == wanted {
            true => Ok(()),
            false => Err(format!("it gives {} features, expected {wanted}", shape.width())),
        };
        match op {
            Op::Input | Op::Index => expect(0),
            Op::OneHot { columns } => {
                expect(1)?;
                keeps(columns.iter().map(|c| c.levels).sum())
            }
            Op::Embedding { column, table } => {
                expect(1)?;
                same(&[column.levels, shape.width()], dims(table))
            }
            Op::Dense { weight, bias, .. } => {
                expect(1)?;
                same(&[width(0), shape.width()], dims(weight))?;
                bias.as_ref().map_or(Ok(()), |b| same(&[shape.width()], dims(b)))
            }
            Op::Activation(_) => expect(1).and_then(|()| keeps(width(0))),
            Op::Dropout { rate } => {
                expect(1).and_then(|()| keeps(width(0)))?;
                match (0.0..1.0).contains(rate) {
                    true => Ok(()),
                    false => Err(format!("dropout rate is {rate}; it must be at least 0 and below 1")),
                }
            }
            Op::LayerNorm { gain, bias, .. } => {
                expect(1).and_then(|()| keeps(width(0)))?;
                same(&[width(0)], dims(gain)).and_then(|()| same(&[width(0)], dims(bias)))
            }
            Op::Concat => keeps((0..inputs.len()).map(width).sum()),
            Op::Add => match (0..inputs.len()).find(|&i| width(i) != shape.width()) {
                Some(i) => Err(format!("it adds {} features to {}", width(i), shape.width())),
                None if inputs.is_empty() => Err("it adds nothing".into()),
                None => Ok(()),
            },
            Op::Slice { start, end } => {
                expect(1)?;
                match start < end && *end <= width(0) {
                    true => keeps(end - start),
                    false => Err(format!("it takes features {start}..{end} of {}", width(0))),
                }
            }
        }
    }
}
