//! `best.toml`: the best config, with what was tuned in its comments.

use super::space::Space;
use super::trial::Trial;
use super::{Method, Options};
use crate::Error;
use polytask_model::config::{Config, Values, line_of};
use polytask_model::files;
use std::fmt::Write;

/// The text of the file.
pub(super) fn text(
    space: &Space,
    config: &Config,
    best: &Trial,
    base: &Trial,
    options: &Options,
) -> Result<String, Error> {
    let body = config.moved(&files::way(&options.out, &config.folder)).to_toml()?;
    let mut lines: Vec<String> = body.lines().map(str::to_owned).collect();
    for range in space.dimensions() {
        if let Some(line) = line_of(&body, &range.key).and_then(|line| lines.get_mut(line)) {
            write!(line, "  # tuned: {}", words(&range.values)).ok();
        }
    }
    let score = |trial: &Trial| trial.score.map_or("none".to_owned(), |score| format!("{score:.4}"));
    let how = match options.method {
        Method::Random => "drawn at random",
        Method::Tpe => "chosen by a tree-structured Parzen estimator",
        Method::Halving => "thinned by successive halving",
    };
    let which = match best.trial {
        0 => "The config as it stands: none".to_owned(),
        trial => format!("Trial {trial}, the best"),
    };
    let mut text = format!("# {which} of {} trials, {how} (seed {}).\n", options.trials, options.seed);
    writeln!(text, "# Score on the validation rows: {}; of the config as it stood: {}.", score(best), score(base)).ok();
    text.push_str("# It trains as it stands: polytask train THIS_FILE --out model\n\n");
    text.push_str(&lines.join("\n"));
    text.push('\n');
    Ok(text)
}

fn words(values: &Values) -> String {
    let bounds = |low: String, high: String, log: bool| {
        let scale = if log { ", in factors" } else { "" };
        format!("from {low} to {high}{scale}")
    };
    match values {
        Values::Choices(choices) => {
            // A value of several lines would end the comment.
            let shown: Vec<String> = choices.iter().map(|choice| choice.to_string().replace('\n', " ")).collect();
            format!("one of {}", shown.join(", "))
        }
        Values::Integer { low, high, log } => bounds(low.to_string(), high.to_string(), *log),
        Values::Real { low, high, log } => bounds(low.to_string(), high.to_string(), *log),
    }
}
