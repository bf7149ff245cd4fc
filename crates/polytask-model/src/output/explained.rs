//! Explanations written down: what each input adds to the predictions of each row and task.

use super::{field, number};
use crate::explain::{Explanation, outputs};
use crate::tasks::Task;
use indexmap::IndexMap;
use polytask_data::Column;
use std::io::{Result, Write};

/// Explanations of some rows of a table.
#[derive(Clone, Copy)]
pub struct Explained<'a> {
    /// The tasks.
    pub tasks: &'a [Task],
    /// The inputs, in the order of the explanations.
    pub inputs: &'a [String],
    /// By task.
    pub of: &'a [Explanation],
    /// The row of the table that the first one explains.
    pub first: usize,
}

/// What adds up to one output of a row.
#[derive(serde::Serialize)]
struct Sum<'a> {
    base: f64,
    inputs: IndexMap<&'a str, f64>,
}

impl<'a> Explained<'a> {
    /// The names of the [`lines`](Self::lines)' columns; rows are told apart by a column of the table, or by their number.
    pub fn header(id: Option<&Column>) -> String {
        format!("{},task,class,input,value\n", field(id.map_or("row", |id| id.name.as_str())))
    }

    /// A line for every row, task, class (of a task that has several outputs, or two classes) and input, with what the input
    /// adds to the prediction; before the inputs a line without one, with the base. The values of a row, task and class add up
    /// to the prediction. Rows are counted from 1.
    ///
    /// # Errors
    /// What is written to fails.
    pub fn lines(&self, id: Option<&Column>, rows: usize, out: &mut dyn Write) -> Result<()> {
        let mut line = Vec::new();
        for row in 0..rows {
            let at = self.first + row;
            let known = match id {
                Some(id) => id.shown(at).unwrap_or_default(),
                None => (at + 1).to_string(),
            };
            for (task, explanation) in self.tasks.iter().zip(self.of) {
                for (output, class) in outputs(task).into_iter().enumerate() {
                    let start = [known.as_str(), task.name.as_str(), class.unwrap_or_default()].map(field).join(",");
                    let base = std::iter::once(("", explanation.base[output]));
                    let inputs = self.inputs.iter().enumerate();
                    let each = inputs.map(|(input, name)| (name.as_str(), self.value(explanation, row, input, output)));
                    for (input, value) in base.chain(each) {
                        line.clear();
                        write!(line, "{start},{},", field(input))?;
                        number(value, &mut line);
                        line.push(b'\n');
                        out.write_all(&line)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// An object of a task's explanation of a row, or of one a class.
    pub(super) fn object(&self, at: usize, task: usize, out: &mut Vec<u8>) -> Result<()> {
        let (row, explanation) = (at - self.first, &self.of[task]);
        let sum = |output: usize| Sum {
            base: explanation.base[output],
            inputs: self
                .inputs
                .iter()
                .enumerate()
                .map(|(input, name)| (name.as_str(), self.value(explanation, row, input, output)))
                .collect(),
        };
        let all: Vec<Option<&str>> = outputs(&self.tasks[task]);
        match all[..] {
            [None] => serde_json::to_writer(out, &sum(0))?,
            _ => {
                let named = all.into_iter().enumerate().map(|(output, class)| (class.unwrap_or_default(), sum(output)));
                serde_json::to_writer(out, &named.collect::<IndexMap<_, _>>())?;
            }
        }
        Ok(())
    }

    fn value(&self, explanation: &Explanation, row: usize, input: usize, output: usize) -> f64 {
        explanation.values[(row * self.inputs.len() + input) * explanation.base.len() + output]
    }
}
