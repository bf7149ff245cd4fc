//! Ops on ragged sequences, padded to the longest of a batch.

use super::emit::{Emit, Indices};
use super::writer::Setting;
use crate::array::Type;
use crate::error::Refusal;
use polytask_graph::{DomainId, Node, ParameterId, Reduction, ops};

/// A score that a softmax gives no weight.
const LOWEST: f32 = -1e30;

impl Emit<'_> {
    pub fn spread(&mut self, node: &Node, op: &ops::Spread) -> Result<String, Refusal> {
        let ((domain, width), from) = (self.of(node), self.graph.node(node.inputs[0]).domain);
        let (inner, outer) = (self.rank(domain) as i64, self.rank(from) as i64);
        let new: Vec<i64> = match op.over {
            false => (outer..inner).collect(),
            true if outer == 2 => (1..inner - 1).collect(),
            true => return Err(Refusal::new("it spreads nested sequences over a product")),
        };
        let x = self.plain(node.inputs[0]);
        let x = if new.is_empty() { x } else { self.w.unsqueeze(&x, &new) };
        self.everywhere(&x, domain, width)
    }

    pub fn neighbours(&mut self, node: &Node, op: &ops::Neighbours) -> Result<String, Refusal> {
        let (before, after) = (op.before as i64, op.after as i64);
        let x = self.plain(node.inputs[0]);
        let padded = self.padded(&x, node.domain, before, after)?;
        let parts: Vec<String> =
            (0..=before + after).map(|place| self.window(&padded, place, before + after)).collect();
        Ok(self.w.concat(&parts, -1))
    }

    pub fn position(&mut self, node: &Node, op: &ops::Position) -> Result<String, Refusal> {
        let (domain, width) = self.of(node);
        let last = self.graph.parameter(op.table).dims[0] as i64 - 1;
        let (table, positions, last) = (self.parameter(op.table), self.positions(domain)?, self.w.long(last));
        let rows = self.w.op("Min", &[&positions, &last]);
        let values = self.w.op_with("Gather", &[&table, &rows], vec![("axis", Setting::Int(0))]);
        self.everywhere(&values, domain, width)
    }

    pub fn lstm(&mut self, node: &Node, op: &ops::Lstm) -> Result<String, Refusal> {
        let (width, bias) = (node.shape.width(), self.values(op.bias));
        // ONNX has the gates in the order i o f g, and a second bias.
        let mut whole: Vec<f32> = [0, 3, 1, 2].iter().flat_map(|g| bias[g * width..(g + 1) * width].to_vec()).collect();
        whole.resize(8 * width, 0.0);
        self.recurrent(node, "LSTM", [op.input, op.recurrent], &[0, 3, 1, 2], &whole, op.reverse)
    }

    pub fn gru(&mut self, node: &Node, op: &ops::Gru) -> Result<String, Refusal> {
        let (width, bias) = (node.shape.width(), self.values(op.bias));
        let part = |i: usize| bias[i * width..(i + 1) * width].to_vec();
        // ONNX has the gates in the order z r n, then the biases of the recurrent products.
        let whole = [part(1), part(0), part(2), vec![0.0; 2 * width], part(3)].concat();
        self.recurrent(node, "GRU", [op.input, op.recurrent], &[1, 0, 2], &whole, op.reverse)
    }

    pub fn reduce(&mut self, node: &Node, reduction: Reduction) -> Result<String, Refusal> {
        let (from, width) = (self.graph.node(node.inputs[0]).domain, node.shape.width());
        let x = self.plain(node.inputs[0]);
        match reduction {
            Reduction::Sum => {
                let x = self.masked(&x, from, 0.0)?;
                Ok(self.sum(&x, -2, false))
            }
            Reduction::Mean => {
                let x = self.masked(&x, from, 0.0)?;
                let (sum, count) = (self.sum(&x, -2, false), self.count(from, Type::Float, true)?);
                let one = self.w.float(1.0);
                let count = self.w.op("Max", &[&count, &one]);
                Ok(self.w.op("Div", &[&sum, &count]))
            }
            Reduction::Max => {
                let (x, axes) = (self.masked(&x, from, f32::MIN)?, self.w.longs(&[-2]));
                let max = self.w.op_with("ReduceMax", &[&x, &axes], vec![("keepdims", Setting::Int(0))]);
                let (count, zero) = (self.count(from, Type::Float, true)?, self.w.float(0.0));
                let any = self.w.op("Greater", &[&count, &zero]);
                Ok(self.w.op("Where", &[&any, &max, &zero]))
            }
            Reduction::Attention => {
                let heads = self.graph.node(node.inputs[1]).shape.width();
                let scores = self.plain(node.inputs[1]);
                let scores = self.masked(&scores, from, LOWEST)?;
                let shares = self.w.op_with("Softmax", &[&scores], vec![("axis", Setting::Int(-2))]);
                let shares = self.w.unsqueeze(&shares, &[-1]);
                let x = self.masked(&x, from, 0.0)?;
                let x = self.split_last(&x, from, &[heads, width / heads]);
                let weighed = self.w.op("Mul", &[&x, &shares]);
                let sum = self.sum(&weighed, -3, false);
                Ok(self.split_last(&sum, node.domain, &[width]))
            }
        }
    }

    /// Zeros before the first and after the last elements, and at elements that are not there.
    fn padded(&mut self, x: &str, domain: DomainId, before: i64, after: i64) -> Result<String, Refusal> {
        let x = self.masked(x, domain, 0.0)?;
        let rank = self.rank(domain);
        let mut pads = vec![0; 2 * (rank + 1)];
        pads[rank - 1] = before;
        pads[2 * rank] = after;
        let pads = self.w.longs(&pads);
        Ok(self.w.op("Pad", &[&x, &pads]))
    }

    /// As many elements as there were before `added` were padded, from this place on.
    fn window(&mut self, padded: &str, place: i64, added: i64) -> String {
        match place - added {
            0 => self.w.slice(padded, -2, place, i64::MAX),
            end => self.w.slice(padded, -2, place, end),
        }
    }

    /// Elements of the same row by their position.
    pub fn gather(&mut self, node: &Node, column: usize) -> Result<String, Refusal> {
        let (own, width) = self.of(node);
        let from = self.graph.node(node.inputs[0]).domain;
        let Some(Indices::Fed(fed)) = self.indices.get(&node.inputs[1]).cloned() else {
            return Err(Refusal::new("it reads levels as if they were places"));
        };
        if self.rank(from) != 2 {
            return Err(Refusal::new("it gathers from rows or nested sequences"));
        }
        let x = self.plain(node.inputs[0]);
        let index = self.w.take(&fed, -1, column as i64);
        let index = if own.is_rows() { self.w.unsqueeze(&index, &[-1]) } else { index };
        let index = self.w.reshape(&index, &[0, -1]);
        let (count, zero) = (self.count(from, Type::Long, true)?, self.w.long(0));
        let (low, high) = (self.w.op("GreaterOrEqual", &[&index, &zero]), self.w.op("Less", &[&index, &count]));
        let there = self.w.op("And", &[&low, &high]);
        let index = self.w.op("Where", &[&there, &index, &zero]);
        let index = self.w.unsqueeze(&index, &[-1]);
        let values = self.w.op_with("GatherND", &[&x, &index], vec![("batch_dims", Setting::Int(1))]);
        let (there, nothing) = (self.w.unsqueeze(&there, &[-1]), self.w.float(0.0));
        let values = self.w.op("Where", &[&there, &values, &nothing]);
        let (axes, last) = (self.shape(own)?, self.w.longs(&[width as i64]));
        let shape = self.w.concat(&[axes, last], 0);
        Ok(self.w.op("Reshape", &[&values, &shape]))
    }

    /// Weights in the order of ONNX's gates, `[1, gates x hidden, d]`.
    fn gates(&mut self, parameter: ParameterId, hidden: usize, order: &[usize]) -> String {
        let (values, parameter) = (self.values(parameter), self.graph.parameter(parameter));
        let (inputs, columns) = (parameter.dims[0], parameter.dims[1]);
        let mut turned = Vec::with_capacity(values.len());
        for column in order.iter().flat_map(|gate| gate * hidden..(gate + 1) * hidden) {
            turned.extend((0..inputs).map(|row| values[row * columns + column]));
        }
        self.tensor(&parameter.name, &[1, columns, inputs], &turned)
    }

    fn recurrent(
        &mut self,
        node: &Node,
        op: &str,
        [input, recurrent]: [ParameterId; 2],
        order: &[usize],
        bias: &[f32],
        reverse: bool,
    ) -> Result<String, Refusal> {
        let (domain, hidden) = self.of(node);
        let x = self.plain(node.inputs[0]);
        let nested = self.rank(domain) > 2;
        let counts = self.count(domain, Type::Int, false)?;
        // ONNX has the sequence first, then the batch.
        let (x, counts) = match nested {
            false => (x, counts),
            true => {
                let shape = self.w.op("Shape", &[&x]);
                let (rest, all) = (self.w.slice(&shape, 0, -2, i64::MAX), self.w.longs(&[-1]));
                let shape = self.w.concat(&[all, rest], 0);
                (self.w.op("Reshape", &[&x, &shape]), self.w.reshape(&counts, &[-1]))
            }
        };
        let x = self.w.transpose(&x, &[1, 0, 2]);
        let (weight, own) = (self.gates(input, hidden, order), self.gates(recurrent, hidden, order));
        let bias = self.tensor(&format!("{}.bias", node.name), &[1, bias.len()], bias);
        let mut settings = vec![
            ("hidden_size", Setting::Int(hidden as i64)),
            ("direction", Setting::Word(if reverse { "reverse" } else { "forward" })),
        ];
        if op == "GRU" {
            settings.push(("linear_before_reset", Setting::Int(1)));
        }
        let y = self.w.op_with(op, &[&x, &weight, &own, &bias, &counts], settings);
        let y = self.w.squeeze(&y, &[1]);
        let y = self.w.transpose(&y, &[1, 0, 2]);
        if !nested {
            return Ok(y);
        }
        let (axes, last) = (self.shape(domain)?, self.w.longs(&[hidden as i64]));
        let shape = self.w.concat(&[axes, last], 0);
        Ok(self.w.op("Reshape", &[&y, &shape]))
    }

    pub fn attention(&mut self, node: &Node, op: &ops::Attention) -> Result<String, Refusal> {
        let ((domain, width), heads) = (self.of(node), op.heads);
        let (rank, size) = (self.rank(domain) as i64, width / heads);
        let x = self.plain(node.inputs[0]);
        let d = width as i64;
        // `[.., length, heads, size]` with the heads before the length.
        let outer: Vec<i64> = (0..rank - 1).collect();
        let turn = |last: [i64; 3]| [outer.clone(), last.to_vec()].concat();
        let mut part = |i: i64, order: [i64; 3]| {
            let part = self.w.slice(&x, -1, i * d, (i + 1) * d);
            let part = self.split_last(&part, domain, &[heads, size]);
            self.w.transpose(&part, &turn(order))
        };
        let (queries, keys, values) = (
            part(0, [rank, rank - 1, rank + 1]),
            part(1, [rank, rank + 1, rank - 1]),
            part(2, [rank, rank - 1, rank + 1]),
        );
        let scores = self.w.op("MatMul", &[&queries, &keys]);
        let scale = self.w.float(1.0 / (size as f32).sqrt());
        let scores = self.w.op("Mul", &[&scores, &scale]);
        let mask = self.mask(domain)?;
        let (mut mask, lowest) = (self.w.unsqueeze(&mask, &[-2, -3]), self.w.float(LOWEST));
        if let Some(window) = op.window {
            let positions = self.positions(domain)?;
            let (down, far) = (self.w.unsqueeze(&positions, &[-1]), self.w.long(window as i64));
            let apart = self.w.op("Sub", &[&down, &positions]);
            let apart = self.w.op("Abs", &[&apart]);
            let near = self.w.op("LessOrEqual", &[&apart, &far]);
            mask = self.w.op("And", &[&mask, &near]);
        }
        let scores = self.w.op("Where", &[&mask, &scores, &lowest]);
        let shares = self.w.op_with("Softmax", &[&scores], vec![("axis", Setting::Int(-1))]);
        let mixed = self.w.op("MatMul", &[&shares, &values]);
        let mixed = self.w.transpose(&mixed, &turn([rank, rank - 1, rank + 1]));
        Ok(self.split_last(&mixed, domain, &[width]))
    }

    /// `(a cos - b sin, a sin + b cos)` of the halves `a`, `b` of each head.
    pub fn rotary(&mut self, node: &Node, op: &ops::Rotary) -> Result<String, Refusal> {
        let ops::Rotary { head, turned, .. } = *op;
        let (domain, width) = self.of(node);
        let (heads, half) = (turned / head, head / 2);
        let all = self.plain(node.inputs[0]);
        let x = match turned == width {
            true => all.clone(),
            false => self.w.slice(&all, -1, 0, turned as i64),
        };
        let halves = self.split_last(&x, domain, &[heads, 2, half]);
        let (a, b) = (self.w.take(&halves, -2, 0), self.w.take(&halves, -2, 1));
        let frequencies: Vec<f64> = (0..half).map(|pair| op.frequency(pair)).collect();
        // Angles in double precision: far along a text they are large.
        let positions = self.positions(domain)?;
        let positions = self.w.cast(&positions, Type::Double);
        let (positions, frequencies) = (self.w.unsqueeze(&positions, &[-1, -2]), self.w.doubles(&[half], &frequencies));
        let angles = self.w.op("Mul", &[&positions, &frequencies]);
        let [cos, sin] = ["Cos", "Sin"].map(|op| {
            let value = self.w.op(op, &[&angles]);
            self.w.cast(&value, Type::Float)
        });
        let mut product = |x: &str, y: &str| self.w.op("Mul", &[x, y]);
        let terms = [product(&a, &cos), product(&b, &sin), product(&a, &sin), product(&b, &cos)];
        let first = self.w.op("Sub", &[&terms[0], &terms[1]]);
        let second = self.w.op("Add", &[&terms[2], &terms[3]]);
        let parts = [first, second].map(|half| self.w.unsqueeze(&half, &[-2]));
        let joined = self.w.concat(&parts, -2);
        let joined = self.split_last(&joined, domain, &[turned]);
        match turned == width {
            true => Ok(joined),
            false => {
                let rest = self.w.slice(&all, -1, turned as i64, width as i64);
                Ok(self.w.concat(&[joined, rest], -1))
            }
        }
    }

    pub fn pairwise(&mut self, node: &Node, root: Option<ParameterId>) -> Result<String, Refusal> {
        let domain = node.domain;
        // Asks that the second factor lies on rows.
        self.mask(domain)?;
        let (a, b) = (self.plain(node.inputs[0]), self.plain(node.inputs[1]));
        let turned = self.w.transpose(&b, &[0, 2, 1]);
        let between: Vec<i64> = (1..self.rank(domain) as i64 - 2).collect();
        let turned = if between.is_empty() { turned } else { self.w.unsqueeze(&turned, &between) };
        let mut scores = self.w.op("MatMul", &[&a, &turned]);
        if let Some(root) = root {
            let width = self.graph.node(node.inputs[0]).shape.width();
            let values = self.values(root);
            let root = self.tensor(&self.graph.parameter(root).name, &[width, 1], values);
            let own = self.w.op("MatMul", &[&a, &root]);
            let positions = self.positions(domain)?;
            let across = self.w.unsqueeze(&positions, &[-1]);
            let same = self.w.op("Equal", &[&across, &positions]);
            scores = self.w.op("Where", &[&same, &own, &scores]);
        }
        Ok(self.w.unsqueeze(&scores, &[-1]))
    }
}
