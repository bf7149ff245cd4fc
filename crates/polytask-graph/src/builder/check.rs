//! The rules of every op. A graph from a file passes them too.

use super::GraphBuilder;
use crate::{DomainId, NodeId, Op, ParameterId, Reduction, Shape, Weighing};

impl GraphBuilder {
    /// The rules each op puts on its inputs, parameters and shape.
    pub(super) fn check(&self, op: &Op, inputs: &[NodeId], shape: &Shape, domain: DomainId) -> Result<(), String> {
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
        let reads_index = |i: usize| match op {
            Op::OneHot { .. } | Op::Embedding { .. } => true,
            Op::Gather { .. } => i == 1,
            _ => false,
        };
        if let Some(i) = (0..inputs.len()).find(|&i| is_index(i) != reads_index(i)) {
            let name = &self.graph.node(inputs[i]).name;
            return Err(match reads_index(i) {
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
        let rate = |share: f32| match (0.0..1.0).contains(&share) {
            true => Ok(()),
            false => Err(format!("dropout rate is {share}; it must be at least 0 and below 1")),
        };
        self.check_domains(op, inputs, domain)?;
        match op {
            Op::Input | Op::Index => expect(0),
            Op::OneHot { columns } => {
                expect(1)?;
                keeps(columns.iter().map(|c| c.levels).sum())
            }
            Op::Embedding { column, table, .. } => {
                expect(1)?;
                same(&[column.levels, shape.width()], dims(table))
            }
            Op::Dense { weight, bias, .. } => {
                expect(1)?;
                same(&[width(0), shape.width()], dims(weight))?;
                bias.as_ref().map_or(Ok(()), |b| same(&[shape.width()], dims(b)))
            }
            Op::Activation(_) => expect(1).and_then(|()| keeps(width(0))),
            Op::Dropout { rate: share } => expect(1).and_then(|()| keeps(width(0))).and_then(|()| rate(*share)),
            Op::LayerNorm { gain, bias, .. } => {
                expect(1).and_then(|()| keeps(width(0)))?;
                same(&[width(0)], dims(gain)).and_then(|()| same(&[width(0)], dims(bias)))
            }
            Op::Concat => {
                keeps((0..inputs.len()).map(width).sum())?;
                let pixels = shape.pixels();
                match pixels == 1 || inputs.iter().all(|i| self.shape(*i).leading() == shape.leading()) {
                    true => Ok(()),
                    false => Err("it joins images of different sizes".into()),
                }
            }
            Op::Add => match (0..inputs.len()).find(|&i| width(i) != shape.width()) {
                Some(i) => Err(format!("it adds {} features to {}", width(i), shape.width())),
                None if inputs.is_empty() => Err("it adds nothing".into()),
                None => Ok(()),
            },
            Op::Blend { weights, weighing } => {
                if let Some(i) = (0..inputs.len()).find(|&i| width(i) != shape.width()) {
                    return Err(format!("it blends {} features with {}", width(i), shape.width()));
                }
                match dims(weights) {
                    [n, 1] if *n == inputs.len() && *n > 0 => Ok(()),
                    [n, d] if *n == inputs.len() && *d == shape.channels() && *weighing == Weighing::Free => Ok(()),
                    got => Err(format!("its weights have shape {got:?}, for {} inputs", inputs.len())),
                }
            }
            Op::Slice { start, end } => {
                expect(1)?;
                let from = self.shape(inputs[0]);
                match start < end && *end <= from.channels() {
                    true => keeps(from.pixels() * (end - start)),
                    false => Err(format!("it takes features {start}..{end} of {}", from.channels())),
                }
            }
            Op::Mul => {
                expect(2)?;
                match width(0) == width(1) || width(0) == 1 || width(1) == 1 {
                    true => keeps(width(0).max(width(1))),
                    false => Err(format!("it multiplies {} features with {}", width(0), width(1))),
                }
            }
            Op::Affine { scale, shift } => {
                expect(1).and_then(|()| keeps(width(0)))?;
                match scale.is_finite() && shift.is_finite() {
                    true => Ok(()),
                    false => Err(format!("it multiplies by {scale} and adds {shift}; both must be finite")),
                }
            }
            Op::Dot { scale } => {
                expect(2).and_then(|()| keeps(1))?;
                match width(0) == width(1) && scale.is_finite() {
                    true => Ok(()),
                    false => Err(format!("it multiplies {} features with {}, by {scale}", width(0), width(1))),
                }
            }
            Op::AllOf => match (0..inputs.len()).find(|&i| width(i) != shape.width()) {
                Some(i) => Err(format!("it takes {} events with {}", width(i), shape.width())),
                None if inputs.is_empty() => Err("it takes no events".into()),
                None => Ok(()),
            },
            Op::StopGradient => expect(1).and_then(|()| keeps(width(0))),
            Op::Softmax { dropout } => expect(1).and_then(|()| keeps(width(0))).and_then(|()| rate(*dropout)),
            Op::Mixture => {
                let Some((gate, vectors)) = inputs.split_first() else { return Err("it has no gate".into()) };
                let (gate, d) = (self.width(*gate), shape.width());
                if let Some(odd) = vectors.iter().find(|v| !self.width(**v).is_multiple_of(d)) {
                    return Err(format!("it mixes vectors of {d} features, and one input has {}", self.width(*odd)));
                }
                let all: usize = vectors.iter().map(|v| self.width(*v)).sum();
                match all / d == gate {
                    true => Ok(()),
                    false => Err(format!("its gate weighs {gate} vectors of {d} features, and it gets {all} features")),
                }
            }
            Op::Vector { value } => expect(0).and_then(|()| same(&[shape.width()], dims(value))),
            Op::Codes { choices } => {
                expect(1)?;
                if *choices < 2 {
                    return Err(format!("it codes {choices} choice(s); there are at least 2"));
                }
                let bits = Op::code_bits(*choices);
                match width(0).is_multiple_of(bits) {
                    true => keeps((width(0) / bits).saturating_mul(*choices)),
                    false => Err(format!("{choices} choices have {bits} bits, and it gets {} features", width(0))),
                }
            }
            Op::Reduce(Reduction::Attention) => {
                expect(2).and_then(|()| keeps(width(0)))?;
                match width(0).is_multiple_of(width(1)) {
                    true => Ok(()),
                    false => {
                        Err(format!("it has {} scores for {} features; they must divide them", width(1), width(0)))
                    }
                }
            }
            Op::Reduce(_) | Op::Spread { .. } => expect(1).and_then(|()| keeps(width(0))),
            Op::Gather { column } => {
                expect(2).and_then(|()| keeps(width(0)))?;
                match *column < width(1) {
                    true => Ok(()),
                    false => Err(format!("it reads index column {column} of {}", width(1))),
                }
            }
            Op::Neighbours { .. }
            | Op::Position { .. }
            | Op::Lstm { .. }
            | Op::Gru { .. }
            | Op::Attention { .. }
            | Op::Rotary { .. }
            | Op::Pairwise { .. } => self.check_tokens(op, inputs, shape.width(), domain),
            Op::Reshape => expect(1).and_then(|()| keeps(width(0))),
            Op::BatchNorm { .. } if !domain.is_rows() => {
                Err("batch norm works on the rows; elsewhere layer and group norm do".into())
            }
            _ => {
                expect(1)?;
                self.check_image(op, &self.shape(inputs[0]), shape)
            }
        }
    }
}
