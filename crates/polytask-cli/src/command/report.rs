//! `polytask report`

use super::on_threads;
use crate::failure::Failure;
use crate::text;
use polytask::files;
use polytask_report::{Options, card, report, report_several};
use std::path::{Path, PathBuf};

/// Write what became of a model, or of several side by side, as one HTML file
#[derive(clap::Args)]
pub struct Report {
    /// A model directory; several are compared
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// The file to write
    #[arg(long, default_value = "report.html")]
    out: PathBuf,
    /// Measure the rows of this file instead of the test rows of the config
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// What `polytask compare --out FILE.json` wrote [default: compare.json in the directory]
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// What `polytask select` wrote [default: selection.json in the directory]
    #[arg(long, value_name = "FILE")]
    selection: Option<PathBuf>,
    /// Write a model card instead: FILE in Markdown, and beside it the same as JSON
    #[arg(long, value_name = "FILE", conflicts_with_all = ["out", "no_importance"])]
    card: Option<PathBuf>,
    /// Do not measure what the inputs are worth to each task
    #[arg(long)]
    no_importance: bool,
    /// Threads to use [default: all cores]
    #[arg(long, value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
}

impl Report {
    pub fn run(self) -> Result<(), Failure> {
        if let Some(out) = &self.card {
            return self.write_card(out);
        }
        files::check_file(&self.out)?;
        let of_one = self.data.is_some() || self.compare.is_some() || self.selection.is_some() || self.no_importance;
        let page = match self.models.as_slice() {
            [model] => on_threads(self.threads, || report(model, &self.options()))??,
            _ if of_one => return Err(Failure::ReportOfSeveral),
            several => on_threads(self.threads, || report_several(several))??,
        };
        files::write(&self.out, page.as_bytes())?;
        say!("wrote {} ({} kB); open it in a browser", self.out.display(), text::count(page.len().div_ceil(1000)));
        Ok(())
    }

    fn options(&self) -> Options {
        Options {
            data: self.data.clone(),
            comparison: self.compare.clone(),
            selection: self.selection.clone(),
            no_importance: self.no_importance,
        }
    }

    fn write_card(&self, out: &Path) -> Result<(), Failure> {
        files::check_file(out)?;
        let [model] = self.models.as_slice() else { return Err(Failure::ReportOfSeveral) };
        let card = on_threads(self.threads, || card(model, &self.options()))??;
        let beside = out.with_extension("json");
        files::write(out, card.markdown().as_bytes())?;
        files::write(&beside, &serde_json::to_vec_pretty(&card).map_err(std::io::Error::from)?)?;
        say!("wrote {} and {}", out.display(), beside.display());
        Ok(())
    }
}
