//! Prediction: the program from a file to a file, or the library from columns to predictions.

use std::path::PathBuf;
use std::process::Command;

use polytask::model::Model;
use polytask::tasks::Prediction;
use polytask_data::Table;

use crate::predict::{program, run};
use crate::protocol::{Answers, Steps};
use crate::{Error, Result};

/// Rows whose predictions are compared.
const COMPARED: usize = 64;

struct Predict {
    folder: PathBuf,
    data: PathBuf,
    threads: usize,
    model: Model,
    table: Table,
    /// Whether a step reads and writes files.
    file: bool,
}

impl Steps for Predict {
    fn run(&mut self, count: u64) -> Result<Option<f32>> {
        for _ in 0..count {
            match self.file {
                true => self.predict_file()?,
                false => drop(self.model.predict(&self.table).map_err(failed)?),
            }
        }
        Ok(None)
    }

    fn turn_to(&mut self, case: &str, _: usize) -> Result<Answers> {
        self.file = case == "file";
        let of = |prediction: &Prediction| match prediction {
            Prediction::Numbers(values) => values.iter().take(COMPARED).copied().collect(),
            Prediction::Classes { labels, probabilities, .. } | Prediction::Labels { labels, probabilities, .. } => {
                probabilities.chunks_exact(labels.len()).take(COMPARED).filter_map(|row| row.last().copied()).collect()
            }
            _ => Vec::new(),
        };
        Ok(Answers { answers: self.model.predict(&self.table).map_err(failed)?.iter().map(of).collect() })
    }
}

impl Predict {
    /// The program as people start it: reading the model is part of it.
    fn predict_file(&self) -> Result<()> {
        let out = std::env::temp_dir().join(format!("polytask-bench-{}.csv", std::process::id()));
        let mut command = Command::new(program()?);
        command.arg("predict").arg(&self.folder).arg("--data").arg(&self.data).arg("--out").arg(&out);
        run(command.args(["--threads", &self.threads.to_string()]))?;
        Ok(std::fs::remove_file(out)?)
    }
}

fn failed(error: impl std::fmt::Display) -> Error {
    Error::Ended(error.to_string())
}

/// Serves the protocol.
///
/// # Errors
/// No model, no data, or a step that fails.
pub fn serve(folder: PathBuf, data: PathBuf, threads: usize) -> Result<()> {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().map_err(failed)?;
    let model = Model::load(&folder).map_err(failed)?;
    let table = polytask_data::read(&data, &model.read_options()).map_err(failed)?;
    crate::protocol::serve(&mut Predict { folder, data, threads, model, table, file: true })
}
