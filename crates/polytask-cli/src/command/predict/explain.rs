//! What each input adds to predictions, written block of rows by block of rows, so that memory holds one.

use super::name::Packing;
use super::{Layout, Predict, unwritten};
use crate::failure::Failure;
use polytask::conformal::Bound;
use polytask::explain::{self, Explainer};
use polytask::files;
use polytask::model::Model;
use polytask::output::{Beside, Explained, Rows, Tokens};
use polytask_data::{Column, Table};
use std::io::{BufWriter, Error, Write};

/// Rows that are explained at a time.
const ROWS: usize = 256;

/// What is asked, and of what.
struct Work<'a> {
    asked: &'a Predict,
    model: &'a Model,
    bounds: Option<&'a [Bound]>,
    format: Layout,
    explainer: Explainer<'a>,
}

/// Writes the explanations of a table's rows; with `jsonl` beside their predictions.
pub fn write(
    asked: &Predict,
    (model, bounds): (&Model, Option<&[Bound]>),
    (format, packing): (Layout, Packing),
) -> Result<(), Failure> {
    if format == Layout::Csv && (asked.probabilities || bounds.is_some()) {
        return Err(Failure::ExplainedAlone);
    }
    let background = explain::background(&asked.model, model)?;
    let explainer = Explainer::new(model, background.as_ref())?;
    let table = asked.table(model)?;
    let work = Work { asked, model, bounds, format, explainer };
    match &asked.out {
        Some(path) => files::write_with(path, |out| {
            let failed = |source: Error| Failure::from(unwritten(path, source));
            packing.through(out, &failed, |out| work.write(table.as_ref(), out, &failed))
        }),
        None => {
            let mut out = BufWriter::new(std::io::stdout().lock());
            work.write(table.as_ref(), &mut out, &Failure::Output)?;
            out.flush().map_err(Failure::Output)
        }
    }
}

impl Work<'_> {
    fn write(
        &self,
        table: Option<&Table>,
        out: &mut dyn Write,
        failed: &dyn Fn(Error) -> Failure,
    ) -> Result<(), Failure> {
        let id = match (&self.asked.id, table) {
            (Some(name), Some(table)) => Some(table.find(name)?.clone()),
            (Some(name), None) => Some(Column::text(name.clone(), [])),
            (None, _) => None,
        };
        if self.format == Layout::Csv {
            out.write_all(Explained::header(id.as_ref()).as_bytes()).map_err(failed)?;
        }
        let Some(table) = table else { return Ok(()) };
        self.model.notes(table)?.iter().for_each(|note| crate::text::note(note));
        let data = self.model.read(table).map_err(polytask::Error::from)?;
        let predictions = match self.format {
            Layout::Csv => Vec::new(),
            Layout::Jsonl => self.model.predict(table).map_err(polytask::Error::from)?,
        };
        let (tokens, masks) = (Tokens::none(), vec![Vec::new(); predictions.len()]);
        let all: Vec<u32> = (0..table.rows() as u32).collect();
        for (block, rows) in all.chunks(ROWS).enumerate() {
            let of = self.explainer.explain(&data, rows).map_err(polytask::Error::from)?;
            let first = block * ROWS;
            let explained = Explained { tasks: &self.model.tasks, inputs: self.explainer.inputs(), of: &of, first };
            match self.format {
                Layout::Csv => explained.lines(id.as_ref(), rows.len(), out).map_err(failed)?,
                Layout::Jsonl => {
                    let (probabilities, bounds) = (self.asked.probabilities, self.bounds);
                    let beside = Beside { probabilities, bounds, explained: Some(explained) };
                    let rows = Rows {
                        model: self.model,
                        files: id.as_ref(),
                        predictions: &predictions,
                        tokens: &tokens,
                        masks: &masks,
                        failed: None,
                        beside,
                    };
                    let mut text = Vec::new();
                    for row in first..(first + ROWS).min(table.rows()) {
                        rows.object(row, &mut text).map_err(failed)?;
                        text.push(b'\n');
                    }
                    out.write_all(&text).map_err(failed)?;
                }
            }
        }
        Ok(())
    }
}
