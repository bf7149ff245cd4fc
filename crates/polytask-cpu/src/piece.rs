//! Parts of parameters: the unit in which gradients are gathered and parameters are updated.

use crate::kernels::BLOCK;
use crate::lane::Lane;
use crate::plan::Plan;
use crate::rows::Met;
use polytask_exec::tree::{self, PART};
use polytask_exec::{Combine, Parameters};
use polytask_graph::{ParameterId, Role};
use std::ops::Range;
use std::sync::Arc;

/// Part of a parameter that one thread works on: whole blocks of rows of a dense weight.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// Which parameter.
    pub parameter: ParameterId,
    /// Where in it the piece begins.
    pub offset: usize,
    /// Place in the flat parameters.
    pub range: Range<usize>,
    /// Columns of a dense weight whose transposed copy is kept.
    pub columns: Option<usize>,
    /// The first node that reads the parameter: the last to add to its gradient.
    pub first_reader: Option<usize>,
    /// A weight or a table: L2 and weight decay count it.
    pub decays: bool,
    /// A running average: not trained, but moved by the mean of what the lanes have seen.
    pub statistic: bool,
    /// Of the learning rate.
    pub rate: f32,
    /// The groups of losses that reach the parameter, one copy of its gradient each.
    pub groups: Arc<[usize]>,
    /// Place of the first copy of this piece's gradient in a lane's.
    gradient: usize,
    /// From one copy to the next.
    stride: usize,
    /// Whether its parameter begins here.
    first: bool,
    /// The rows of a table that this is, if its gradient is kept by row.
    pub table: Option<TableRows>,
    /// Place among the shared parameters, laid end to end; none for what one group has to itself.
    pub shared: Option<usize>,
}

/// Rows of a table.
#[derive(Clone, Debug)]
pub(crate) struct TableRows {
    /// Its place among the plan's tables.
    pub table: usize,
    pub rows: Range<usize>,
    pub width: usize,
}

/// Scalars in a piece, roughly: large enough to keep a thread busy for microseconds, small enough to share out.
pub(crate) const PIECE: usize = 16 * 1024;
/// Pieces of a table at most, roughly.
const TABLE_PIECES: usize = 64;

/// Cuts all parameters into pieces, in their order.
pub(crate) fn pieces(plan: &Plan, parameters: &Parameters) -> Vec<Piece> {
    let graph = plan.graph();
    let mut dense = vec![false; graph.parameters().len()];
    let mut readers = vec![None; graph.parameters().len()];
    for (i, node) in graph.nodes().iter().enumerate() {
        node.op.matrices().iter().for_each(|matrix| dense[matrix.0] = true);
        node.op.parameters().iter().for_each(|p| readers[p.0] = readers[p.0].or(Some(i)));
    }
    let reach = graph.reach();
    let (mut pieces, mut shared) = (Vec::new(), 0);
    for (i, parameter) in graph.parameters().iter().enumerate() {
        let all = parameters.range(ParameterId(i));
        let place = &plan.gradients[i];
        let statistic = parameter.role == Role::Statistic;
        let is_shared = reach.parameters[i].len() > 1 && !statistic;
        let columns = dense[i].then(|| parameter.dims[1]);
        let table = place.table.map(|table| (table, plan.tables[table].width.max(1)));
        let unit = columns.map_or(1, |n| n * BLOCK).max(table.map_or(1, |(_, width)| width));
        // Of a table few rows are looked up: its pieces are large, so that there are not many to pass over.
        let least = if table.is_some() { (all.len() / TABLE_PIECES).max(PIECE) } else { PIECE };
        let len = unit * (least / unit).max(1);
        let groups: Arc<[usize]> = place.groups.as_slice().into();
        pieces.extend(all.clone().step_by(len).map(|start| Piece {
            parameter: ParameterId(i),
            offset: start - all.start,
            range: start..(start + len).min(all.end),
            columns: columns.filter(|_| plan.read_alone[i]),
            first_reader: readers[i],
            statistic,
            rate: parameter.rate,
            decays: matches!(parameter.role, Role::Weight | Role::Table),
            groups: Arc::clone(&groups),
            gradient: place.start + start - all.start,
            stride: all.len(),
            first: start == all.start,
            table: table.map(|(table, width)| TableRows {
                table,
                rows: (start - all.start) / width..(start + len).min(all.end).saturating_sub(all.start) / width,
                width,
            }),
            shared: is_shared.then_some(shared + start - all.start),
        }));
        shared += if is_shared { all.len() } else { 0 };
    }
    pieces
}

impl Piece {
    /// Whether the piece before it belongs to the same parameter.
    pub(crate) fn continues(&self) -> bool {
        !self.first
    }

    /// The piece in parts.
    pub(crate) fn parts(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let end = self.range.end;
        self.range.clone().step_by(PART).map(move |start| start..(start + PART).min(end))
    }

    /// A row of the table that this is part of, in parts.
    pub(crate) fn row(&self, table: &TableRows, row: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let start = self.range.start + (row - table.rows.start) * table.width;
        let end = start + table.width;
        (start..end).step_by(PART).map(move |start| start..(start + PART).min(end))
    }

    /// Calls `each` with the parts where the gradient is more than zeros: all, or of a table the rows that were met.
    pub(crate) fn reached(&self, met: &[Met], each: impl FnMut(Range<usize>)) {
        match &self.table {
            None => self.parts().for_each(each),
            Some(table) => {
                let met = met[table.table].between(table.rows.start, table.rows.end);
                met.iter().flat_map(|row| self.row(table, *row as usize)).for_each(each);
            }
        }
    }

    /// `into =` the sum of the lanes' copy number `copy` of the gradient over one part, added along the tree of lanes.
    pub(crate) fn copy(&self, lanes: &[Lane], copy: usize, part: &Range<usize>, into: &mut [f32]) {
        if let Some(table) = &self.table {
            return self.copy_rows(table, lanes, copy, part, into);
        }
        let start = self.gradient + copy * self.stride + part.start - self.range.start;
        tree::sum(0..lanes.len(), &|lane| &lanes[lane].gradient()[start..start + part.len()], into);
    }

    /// The same for a part of a table; zeros where no lane has looked a row up.
    fn copy_rows(&self, table: &TableRows, lanes: &[Lane], copy: usize, part: &Range<usize>, into: &mut [f32]) {
        let (mut at, mut rest) = (part.start - self.range.start, into);
        while !rest.is_empty() {
            let (row, column) = (table.rows.start + at / table.width, at % table.width);
            let (own, others) = rest.split_at_mut(rest.len().min(table.width - column));
            let columns = column..column + own.len();
            let of = |lane: usize| lanes[lane].table(table.table).get(row, copy).map(|all| &all[columns.clone()]);
            tree::sum_some(0..lanes.len(), &of, own);
            at += own.len();
            rest = others;
        }
    }

    /// Where all copies of the gradient stand in a lane's, and those of the rest of the parameter.
    pub(crate) fn place(&self) -> Range<usize> {
        let start = self.gradient - self.offset;
        start..start + self.stride * self.groups.len()
    }

    /// The combined gradient over one part.
    pub(crate) fn gradient(&self, lanes: &[Lane], combine: Combine<'_>, part: &Range<usize>, into: &mut [f32]) {
        let weights = match (combine, self.shared) {
            (Combine::Whole(all), _) => {
                into.copy_from_slice(&all[part.clone()]);
                return;
            }
            (Combine::Direction { shared, .. }, Some(at)) => {
                let at = at + part.start - self.range.start;
                into.copy_from_slice(&shared[at..at + part.len()]);
                return;
            }
            (Combine::Sum, _) => None,
            (Combine::Weighted { shared, .. }, Some(_)) => Some(shared),
            (Combine::Weighted { heads, .. } | Combine::Direction { heads, .. }, _) => Some(heads),
        };
        if let (None, [_]) = (weights, &*self.groups) {
            return self.copy(lanes, 0, part, into);
        }
        into.fill(0.0);
        let mut buffer = [0.0f32; PART];
        let one = &mut buffer[..part.len()];
        for (copy, &group) in self.groups.iter().enumerate() {
            // What was summed below the shared representation has been weighed there.
            let weight = weights.and_then(|weights| weights.get(group)).map_or(1.0, |w| *w as f32);
            // A group that sat the step out has no gradient, whatever its copy holds.
            if weight != 0.0 {
                self.copy(lanes, copy, part, one);
                into.iter_mut().zip(&*one).for_each(|(s, g)| *s += weight * g);
            }
        }
    }
}
