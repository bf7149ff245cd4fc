//! Ops that numbers of a table pass first.

use super::emit::Emit;
use polytask_graph::{Node, ParameterId, ops};

impl Emit<'_> {
    pub fn squash(&mut self, node: &Node, op: &ops::Squash) -> String {
        let x = self.plain(node.inputs[0]);
        let (center, scale) = (self.parameter(op.center), self.parameter(op.scale));
        let (inverse, one) = (self.w.float(op.limit.recip()), self.w.float(1.0));
        let apart = self.w.op("Sub", &[&x, &center]);
        let z = self.w.op("Mul", &[&apart, &scale]);
        let share = self.w.op("Mul", &[&z, &inverse]);
        let square = self.w.op("Mul", &[&share, &share]);
        let sum = self.w.op("Add", &[&square, &one]);
        let root = self.w.op("Sqrt", &[&sum]);
        self.w.op("Div", &[&z, &root])
    }

    pub fn bins(&mut self, node: &Node, edges: ParameterId) -> String {
        let (name, dims) = (self.graph.parameter(edges).name.clone(), self.graph.parameter(edges).dims.clone());
        let [numbers, bins] = [dims[0], dims[1] - 1];
        let rows = self.values(edges).chunks_exact(bins + 1);
        let lows: Vec<f32> = rows.clone().flat_map(|row| row[..bins].iter().copied()).collect();
        let density = |pair: &[f32]| if pair[1] > pair[0] { (pair[1] - pair[0]).recip() } else { 0.0 };
        let densities: Vec<f32> = rows.flat_map(|row| row.windows(2).map(density)).collect();
        let low = self.tensor(&format!("{name}.low"), &[numbers, bins], &lows);
        let density = self.tensor(&format!("{name}.density"), &[numbers, bins], &densities);
        let x = self.plain(node.inputs[0]);
        let x = self.w.unsqueeze(&x, &[-1]);
        let apart = self.w.op("Sub", &[&x, &low]);
        let shares = self.w.op("Mul", &[&apart, &density]);
        let (zero, one) = (self.w.float(0.0), self.w.float(1.0));
        let shares = self.w.op("Clip", &[&shares, &zero, &one]);
        self.split_last(&shares, node.domain, &[node.shape.width()])
    }

    pub fn periodic(&mut self, node: &Node, op: &ops::Periodic) -> String {
        let x = self.plain(node.inputs[0]);
        let (frequency, phase) = (self.parameter(op.frequency), self.parameter(op.phase));
        let x = self.w.unsqueeze(&x, &[-1]);
        let product = self.w.op("Mul", &[&x, &frequency]);
        let turns = self.w.op("Add", &[&product, &phase]);
        let turn = self.w.float(std::f32::consts::TAU);
        let angle = self.w.op("Mul", &[&turns, &turn]);
        let waves = self.w.op("Cos", &[&angle]);
        self.split_last(&waves, node.domain, &[node.shape.width()])
    }
}
