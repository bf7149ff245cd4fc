//! Trees as people read them.

use super::{TreeColumn, tree_columns};
use crate::inputs::Code;
use crate::model::{Body, Model};
use crate::tasks::{Kind, Task};
use polytask_trees::{Head, Node, Schema, Test, Tree};
use std::fmt::Write;

/// Levels of a category that are named.
const LEVELS: usize = 5;
/// Questions from the root that are written out.
const DEPTH: usize = 4;

impl Model {
    /// The first trees, a line a question or leaf, in the units of the data; none of a model that is not trees.
    pub fn trees_as_text(&self, most: usize) -> Vec<String> {
        let Body::Trees(trees) = &self.body else { return Vec::new() };
        let read = tree_columns(&self.encoder);
        let writer = Writer { read: &read, columns: trees.columns(), heads: trees.heads(), tasks: &self.tasks };
        trees.trees().iter().take(most).map(|tree| writer.tree(tree)).collect()
    }
}

struct Writer<'a> {
    read: &'a [TreeColumn<'a>],
    columns: &'a [Schema],
    heads: &'a [Head],
    tasks: &'a [Task],
}

impl Writer<'_> {
    fn tree(&self, tree: &Tree) -> String {
        let mut text = String::new();
        match tree.nodes.is_empty() {
            true => self.leaf(tree, 0, 0, &mut text),
            false => self.node(tree, 0, 0, &mut text),
        }
        text
    }

    fn node(&self, tree: &Tree, at: usize, depth: usize, text: &mut String) {
        let node = &tree.nodes[at];
        let indent = "  ".repeat(depth);
        if depth >= DEPTH {
            let _ = writeln!(text, "{indent}... ({} rows)", node.cover);
            return;
        }
        let _ = writeln!(text, "{indent}{}? ({} rows)", self.question(node), node.cover);
        for (word, child) in ["yes", "no"].into_iter().zip(node.children) {
            let _ = writeln!(text, "{indent}{word}:");
            match usize::try_from(child) {
                Ok(child) => self.node(tree, child, depth + 1, text),
                Err(_) => self.leaf(tree, (-1 - child) as usize, depth + 1, text),
            }
        }
    }

    /// What a node asks, in the units of the column.
    fn question(&self, node: &Node) -> String {
        let Some(column) = self.read.get(node.feature as usize) else { return format!("column {}", node.feature) };
        let (input, name) = (column.input, format!("{} {}", column.input.column, column.part));
        let name = name.trim_end();
        match (&node.test, &input.code, self.columns.get(node.feature as usize)) {
            (Test::Number { threshold, missing_left }, code, _) => {
                let (shift, factor) = match code {
                    Code::Number(number) => (number.scaling().0, number.scaling().1),
                    Code::Boolean(_)
                    | Code::Date(_)
                    | Code::Category(_)
                    | Code::Text(_)
                    | Code::Encoded(_)
                    | Code::Seen(_)
                    | Code::Image(_)
                    | Code::Own(_) => (0.0, 1.0),
                };
                let value = f64::from(*threshold) / if factor == 0.0 { 1.0 } else { factor } + shift;
                let missing = if *missing_left { " or missing" } else { "" };
                format!("{name} <= {}{missing}", rounded(value))
            }
            (Test::Category { left }, Code::Category(category), Some(Schema::Categories { codes, .. })) => {
                let level = |bin: &u8| {
                    let code = codes.get(usize::from(*bin)).copied();
                    code.and_then(|code| category.levels.get(code as usize)).map_or("other", String::as_str)
                };
                let named: Vec<&str> = left.iter().take(LEVELS).map(level).collect();
                let more = if left.len() > LEVELS { ", ..." } else { "" };
                format!("{name} is one of {}{more}", named.join(", "))
            }
            (Test::Category { left }, _, _) => format!("{name} is one of {} levels", left.len()),
        }
    }

    fn leaf(&self, tree: &Tree, leaf: usize, depth: usize, text: &mut String) {
        let indent = "  ".repeat(depth);
        let mut parts = Vec::new();
        for (output, value) in tree.outputs.iter().zip(tree.leaf(leaf)) {
            let own = self
                .heads
                .iter()
                .zip(self.tasks)
                .find(|(head, _)| (head.first..head.first + head.width).contains(&(*output as usize)));
            let Some((head, task)) = own else { continue };
            let mut value = f64::from(*value);
            if let Kind::Regression(regression) = &task.kind {
                value *= regression.scaling().1;
            }
            match head.width {
                1 => parts.push(format!("{} {:+}", task.name, rounded(value))),
                _ => parts.push(format!("{}[{}] {:+}", task.name, *output as usize - head.first, rounded(value))),
            }
        }
        let _ = writeln!(text, "{indent}{} ({} rows)", parts.join(", "), tree.covers[leaf]);
    }
}

/// To four digits.
fn rounded(value: f64) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let scale = 10f64.powi(3 - value.abs().log10().floor() as i32);
    if scale.is_finite() && scale > 0.0 { (value * scale).round() / scale } else { value }
}
