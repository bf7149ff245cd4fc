//! `polytask init`

use super::inspect::{read_with, remarks};
use super::print;
use crate::failure::Failure;
use polytask::files;
use polytask::inspect::{Survey, draft};
use std::path::{Path, PathBuf};

/// Write a first config for a table, a folder of images or a file of sentences
///
/// Columns that would give a label away or say nothing are left out, and the comments say why. The config is tried before
/// it is written: it trains as it stands.
#[derive(clap::Args)]
pub struct Init {
    /// The data: CSV or TSV, Parquet, Arrow, JSON lines, CoNLL-U, IDX images or a folder of images
    data: PathBuf,
    /// A key of `[data]` to read by and to write down, for example `data.missing=["unknown"]`; may be given several times
    #[arg(long, value_name = "KEY=VALUE")]
    set: Vec<String>,
    /// The columns to predict, separated by commas [default: those that look like it]
    #[arg(long, value_delimiter = ',')]
    tasks: Vec<String>,
    /// Where to write the config [default: standard output]
    #[arg(long)]
    out: Option<PathBuf>,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
}

impl Init {
    pub fn run(self) -> Result<(), Failure> {
        if let Some(out) = self.out.as_ref().filter(|out| out.exists() && !self.force) {
            return Err(Failure::Exists(out.clone()));
        }
        if let Some(out) = &self.out {
            files::check_file(out)?;
            if files::same(out, &self.data) {
                return Err(Failure::OntoData(out.clone()));
            }
        }
        let table = read_with(&self.data, &self.set)?;
        table.notes().iter().for_each(|note| crate::text::note(note));
        table.faults().for_each(|(_, fault)| crate::text::note(&fault.to_string()));
        let survey = Survey::of(&table);
        let path = self.path_in_config();
        let file = self.out.clone().unwrap_or_else(|| "config.toml".into()).display().to_string();
        let (text, draft) = draft(&table, &survey, &path, &self.tasks, &file, &self.set)?;
        say!("{} rows, {} columns; to be predicted: {}", table.rows(), table.columns().len(), draft.tasks().join(", "));
        remarks(&table, &draft.kinds()).iter().for_each(|note| crate::text::note(note));
        draft.aside().iter().for_each(|(column, why)| crate::text::note(&format!("`{column}` is left out: it {why}")));
        match &self.out {
            None => print(&text),
            Some(out) => {
                files::write(out, text.as_bytes())?;
                let shown = out.display();
                say!("wrote {shown}; next: `polytask train {shown} --out model`, or `polytask inspect {shown}`");
                Ok(())
            }
        }
    }

    /// The path of the data as the config must name it, which is relative to its own folder.
    fn path_in_config(&self) -> String {
        let folder = self.out.as_ref().and_then(|out| out.parent()).unwrap_or(Path::new(""));
        let path = match self.data.is_absolute() || folder.as_os_str().is_empty() || folder == Path::new(".") {
            true => self.data.clone(),
            false => match self.data.strip_prefix(folder) {
                Ok(inside) => inside.to_owned(),
                Err(_) => self.data.canonicalize().unwrap_or_else(|_| self.data.clone()),
            },
        };
        path.display().to_string()
    }
}
