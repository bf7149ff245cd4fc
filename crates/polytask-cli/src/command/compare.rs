//! `polytask compare`

mod groups;
mod words;

use super::{ConfigArguments, Format, on_threads, print};
use crate::failure::Failure;
use crate::progress::Progress;
use crate::stop;
use polytask::compare::{Options, Verdict, compare};
use polytask::files;
use std::path::PathBuf;

/// Train the joint model and one model a task, and say whether sharing helped
#[derive(clap::Args)]
pub struct Compare {
    #[command(flatten)]
    config: ConfigArguments,
    /// Seeds to train all ways, from train.seed on; with fewer than 3 little can be told from noise
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=1000))]
    seeds: u64,
    /// Learning curves: shares of the labels in percent at which both ways are trained, for example 1,3,10,30,100
    #[arg(long, value_name = "PERCENT,...", value_delimiter = ',', value_parser = percent)]
    shares: Vec<f64>,
    /// Also train one model for each group of tasks of this file, {"groups": [["a", "b"], ["c"]]}
    #[arg(long, value_name = "FILE")]
    groups: Option<PathBuf>,
    /// Also train a joint model in favour of each task in turn, whose loss weighs 4 times the others', and show the
    /// trade-offs
    #[arg(long)]
    favour: bool,
    /// How to print the answer
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Write the answer to this file instead; as JSON where its name ends in .json
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A share of the labels.
fn percent(text: &str) -> Result<f64, String> {
    match text.trim().parse::<f64>() {
        Ok(percent) if percent > 0.0 && percent <= 100.0 => Ok(percent / 100.0),
        _ => Err("a share is above 0 and at most 100 percent".to_owned()),
    }
}

impl Compare {
    pub fn run(self) -> Result<(), Failure> {
        let config = self.config.load()?;
        let names: Vec<&str> = config.tasks.keys().map(String::as_str).collect();
        let groups = self.groups.as_deref().map_or(Ok(Vec::new()), |path| groups::read(path, &names))?;
        self.out.as_deref().map_or(Ok(()), files::check_file)?;
        if self.favour && config.model.sharing.linear().is_some() {
            crate::text::note("a linear model weighs no losses, so it favours no task");
        }
        let favour = self.favour && config.model.sharing.linear().is_none() && names.len() > 1;
        let options = Options { seeds: self.seeds, shares: self.shares.clone(), groups, favour };
        let stop = stop::on_signal();
        let answer = on_threads(self.config.threads, || {
            let prepared = polytask::prepare(&config)?;
            prepared.notes.iter().for_each(|note| crate::text::note(note));
            let models = options.models(prepared.tasks.len());
            say!("training {models} models: a linear one, then {}, {} seeds", self.what(), self.seeds);
            let progress = Progress::new(models);
            let answer = compare(&config, &prepared, &options, &stop, &|| progress.tick());
            progress.finish();
            answer
        })??;
        let Some(answer) = answer else {
            say!("stopped; nothing was compared");
            return Ok(());
        };
        if answer.tasks.values().any(|task| task.contrast.verdict == Verdict::Hurt) {
            say!("of tasks that sharing hurts: docs/how-to/worse-than-single.md");
        }
        let named_json = self.out.as_deref().is_some_and(|out| out.extension().is_some_and(|end| end == "json"));
        let text = match self.format == Format::Json || named_json {
            true => serde_json::to_string_pretty(&answer).map_err(std::io::Error::from)? + "\n",
            false => words::words(&answer),
        };
        match &self.out {
            None => print(&text),
            Some(out) => {
                // Hours may lie in it.
                if let Err(error) = files::write(out, text.as_bytes()) {
                    print(&text)?;
                    return Err(error.into());
                }
                say!("wrote {}", out.display());
                Ok(())
            }
        }
    }

    /// What is trained with each seed.
    fn what(&self) -> String {
        let mut what = vec!["the joint one and one a task".to_owned()];
        what.extend(self.groups.as_ref().map(|_| "one a group".to_owned()));
        what.extend(self.favour.then(|| "a joint one in favour of each task".to_owned()));
        let fewer: Vec<String> =
            self.shares.iter().filter(|s| **s < 1.0).map(|s| format!("{} %", words::percent(*s))).collect();
        if !fewer.is_empty() {
            what.push(format!("both with {} of the labels", fewer.join(", ")));
        }
        what.join(", ")
    }
}
