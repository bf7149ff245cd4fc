//! The graph as a table.

use super::{count, dims};
use crate::Graph;
use std::fmt::Write;

impl Graph {
    /// A line a layer: its name, what it does, the shape it gives, trained scalars, multiply-adds a row, and whose
    /// losses it learns from; then the losses and the sums.
    pub fn text(&self) -> String {
        let header = ["layer", "op", "gives", "parameters", "multiply-adds", "learns from"].map(str::to_owned);
        let mut rows = vec![header.to_vec()];
        let reach = self.reach();
        for (i, node) in self.nodes.iter().enumerate() {
            rows.push(vec![
                node.name.clone(),
                node.op.words(),
                dims(&node.shape),
                count(self.node_parameters(&node.op)),
                count(self.node_multiply_adds(node)),
                self.owner_words(&self.owner(&reach.nodes[i])),
            ]);
        }
        let mut text = table(&rows);
        let (all, shared) = (self.parameter_count(), self.shared_parameter_count());
        let losses: Vec<String> = self.losses.iter().map(|l| format!("{} ({})", l.task, l.kind.word())).collect();
        let _ = writeln!(text, "\nlosses: {}", losses.join(", "));
        let percent = if all > 0 { 100.0 * shared as f64 / all as f64 } else { 0.0 };
        let _ = writeln!(
            text,
            "{} parameters, {} of them shared ({percent:.0} %); {} multiply-adds a row",
            count(all),
            count(shared),
            count(self.multiply_adds())
        );
        text
    }
}

/// Columns aligned by their widest cell; numbers to the right.
fn table(rows: &[Vec<String>]) -> String {
    let width = |c: usize| rows.iter().map(|row| row[c].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..rows[0].len()).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cell = |(c, cell): (usize, &String)| {
            let gap = " ".repeat(widths[c] - cell.chars().count());
            if matches!(c, 3 | 4) { format!("{gap}{cell}") } else { format!("{cell}{gap}") }
        };
        let line: Vec<String> = row.iter().enumerate().map(cell).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}
