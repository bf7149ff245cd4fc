//! What is fed, and what becomes of it before the network: columns as they stand in a table, each an input of its own.

use super::emit::{Emit, Form, Indices};
use super::table::Rows;
use super::writer::{Setting, tensor};
use crate::array::{Axis, Type};
use crate::error::ExportError;
use crate::spec;
use polytask::inputs::{Category, Code};
use polytask_graph::{DomainId, Node, NodeId, ops};

impl Emit<'_> {
    /// Declares the inputs and prepares them.
    pub fn inputs(&mut self) -> Result<(), ExportError> {
        for (i, node) in self.graph.nodes().iter().enumerate() {
            let (id, of) = (NodeId(i), spec::Source::of(&self.model.encoder, node));
            self.w.scope(&node.name);
            match of {
                Some(spec::Source::Numbers) => {
                    let value = self.numbers()?;
                    self.put(id, Form::Plain, value);
                }
                Some(spec::Source::Pieces(column, context)) => self.read_pieces(id, node, column, context),
                Some(spec::Source::FirstPlace) => self.first_place(id),
                // They ask which tokens there are.
                Some(spec::Source::Vectors(..)) => {}
                Some(spec::Source::Categories) => {
                    let columns = self.model.encoder.categories().map(|(name, category)| self.category(name, category));
                    let columns = columns.collect();
                    self.indices.insert(id, Indices::Columns(columns));
                }
                Some(spec::Source::Image(image)) => {
                    let axes = ["batch".into(), image.height.into(), image.width.into(), image.channels.into()];
                    let fed = self.fed_input(spec::column(&node.name), Type::Byte, &axes, "pixels from 0 to 255");
                    let value = self.pixels(&fed, &image.scaling());
                    self.put(id, Form::Image, value);
                }
                Some(spec::Source::Fed) => self.other(id, node),
                None => {}
            }
        }
        for (i, domain) in self.graph.domains().iter().enumerate().filter(|(_, d)| d.over.is_none()) {
            let own = DomainId(i + 1);
            if self.masks.contains_key(&own) {
                continue;
            }
            let words = format!("which elements of {} there are: those that only fill up come last", domain.name);
            let mask = self.fed_input(&spec::mask(&domain.name), Type::Bool, &self.axes(own), &words);
            self.masks.insert(own, mask);
        }
        for (i, node) in self.graph.nodes().iter().enumerate() {
            if let Some(spec::Source::Vectors(column, context)) = spec::Source::of(&self.model.encoder, node) {
                self.w.scope(&node.name);
                self.token_vectors(NodeId(i), node, column, context)?;
            }
        }
        Ok(())
    }

    /// Declares the columns of a table, and prepares them.
    pub fn rows(&mut self) -> Result<Rows, ExportError> {
        let model = self.model;
        self.w.scope("inputs");
        let numbers = (model.encoder.number_width() > 0).then(|| self.numbers()).transpose()?;
        let categories = model.encoder.categories().map(|(name, category)| self.category(name, category)).collect();
        Ok(Rows { numbers, categories })
    }

    pub fn fed_input(&mut self, name: &str, kind: Type, axes: &[Axis], words: &str) -> String {
        let fed = self.w.input(name, kind, axes, words);
        self.batch.get_or_insert_with(|| fed.clone());
        fed
    }

    /// Numbers, booleans and the vectors of texts, in the order of the columns.
    fn numbers(&mut self) -> Result<String, ExportError> {
        let model = self.model;
        let (mut parts, mut scaled) = (Vec::new(), Vec::new());
        for input in &model.encoder.inputs {
            if let Code::Encoded(encoded) = &input.code {
                parts.extend(self.scaled(&std::mem::take(&mut scaled)));
                parts.push(self.encoded(&input.column, encoded)?);
            }
            scaled.extend(spec::scaling(input));
        }
        parts.extend(self.scaled(&scaled));
        Ok(self.w.concat(&parts, -1))
    }

    /// Numbers and booleans, standardised, with what marks missing ones: all at once. None where there are none.
    fn scaled(&mut self, columns: &[spec::Scaling<'_>]) -> Option<String> {
        if columns.is_empty() {
            return None;
        }
        let mut parts = Vec::with_capacity(columns.len());
        for column in columns {
            let words = match column.boolean {
                true => "1 for true, 0 for false, NaN where missing",
                false => "NaN where missing",
            };
            let fed = self.fed_input(column.name, Type::Double, &["batch".into()], words);
            parts.push(self.w.unsqueeze(&fed, &[-1]));
        }
        let x = self.w.concat(&parts, -1);
        let count = columns.len();
        let each = |of: fn(&spec::Scaling) -> f64| columns.iter().map(of).collect::<Vec<f64>>();
        let (shift, factor, fill) = (each(|c| c.shift), each(|c| c.factor), each(|c| c.fill));
        let missing = self.w.op("IsNaN", &[&x]);
        let shift = self.w.doubles(&[count], &shift);
        let (factor, fill) = (self.w.doubles(&[count], &factor), self.w.doubles(&[count], &fill));
        let y = self.w.op("Sub", &[&x, &shift]);
        let y = self.w.op("Mul", &[&y, &factor]);
        let y = self.w.op("Where", &[&missing, &fill, &y]);
        let y = self.w.cast(&y, Type::Float);
        let marked: Vec<i64> = (0..count).filter(|i| columns[*i].indicator).map(|i| i as i64).collect();
        if marked.is_empty() {
            return Some(y);
        }
        let flags = self.w.cast(&missing, Type::Float);
        let both = self.w.concat(&[y, flags], -1);
        // Every value is followed by its mark.
        let mut order = Vec::new();
        for (i, column) in columns.iter().enumerate() {
            order.push(i as i64);
            order.extend(column.indicator.then_some((count + i) as i64));
        }
        let order = self.w.longs(&order);
        Some(self.w.op_with("Gather", &[&both, &order], vec![("axis", Setting::Int(-1))]))
    }

    /// The index of every level; that of all others, and of missing ones, is the number of levels.
    fn category(&mut self, name: &str, category: &Category) -> String {
        let words = "any other value is missing";
        let absent = category.levels.len() as i64;
        let indices: Vec<i64> = (0..absent).collect();
        let bytes = |values: &[i64]| values.iter().flat_map(|v| v.to_le_bytes()).collect();
        match spec::number_levels(category) {
            None => {
                let fed = self.fed_input(name, Type::String, &["batch".into()], words);
                let settings = vec![
                    ("keys_strings", Setting::Words(category.levels.clone())),
                    ("values_int64s", Setting::Ints(indices)),
                    ("default_int64", Setting::Int(absent)),
                ];
                self.w.op_with("LabelEncoder", &[&fed], settings)
            }
            Some(levels) => {
                let fed = self.fed_input(name, Type::Double, &["batch".into()], words);
                let keys = levels.iter().flat_map(|v| v.to_le_bytes()).collect();
                let settings = vec![
                    ("keys_tensor", Setting::Tensor(tensor(None, Type::Double, vec![absent], keys))),
                    ("values_tensor", Setting::Tensor(tensor(None, Type::Long, vec![absent], bytes(&indices)))),
                    ("default_tensor", Setting::Tensor(tensor(None, Type::Long, vec![1], bytes(&[absent])))),
                ];
                self.w.op_with("LabelEncoder", &[&fed], settings)
            }
        }
    }

    fn pixels(&mut self, fed: &str, scaling: &[(f32, f32)]) -> String {
        let x = self.w.cast(fed, Type::Float);
        let (scale, shift): (Vec<f32>, Vec<f32>) = scaling.iter().copied().unzip();
        let (scale, shift) = (self.w.floats(&[scale.len()], &scale), self.w.floats(&[shift.len()], &shift));
        let x = self.w.op("Mul", &[&x, &scale]);
        let x = self.w.op("Add", &[&x, &shift]);
        self.w.transpose(&x, &[0, 3, 1, 2])
    }

    /// An input that is fed as the network reads it.
    fn other(&mut self, id: NodeId, node: &Node) {
        let mut axes = self.axes(node.domain);
        axes.extend(node.shape.0.iter().map(|l| Axis::Fixed(*l)));
        match node.op.fed() {
            Some(ops::Fed::Indices) => {
                let fed = self.fed_input(&node.name, Type::Long, &axes, "indices; out of range where there is none");
                self.indices.insert(id, Indices::Fed(fed));
            }
            Some(ops::Fed::Numbers) => {
                let fed = self.fed_input(&node.name, Type::Float, &axes, "numbers as the network reads them");
                self.put(id, Form::Plain, fed);
            }
            // What computes is not fed.
            None => {}
        }
    }
}
