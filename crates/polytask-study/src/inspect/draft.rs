//! A first config for a table: one that trains as it stands, with what was found out in its comments.

use super::target::Reason;
use super::{Candidate, Concern, Leak, Summary, Survey, candidates, choose, leaks, structure_columns, structures};
use crate::Error;
use polytask_data::{Column, DataError, Table};
use polytask_model::Error as ModelError;
use polytask_model::config::{Config, InputKind, TaskKind};
use polytask_model::inputs::EncodeError;
use polytask_model::share;
use polytask_model::tasks::TaskError;
use polytask_train::prepare;
use std::fmt::Write;
use std::sync::Arc;

/// A config in the making.
pub struct Draft<'a> {
    survey: &'a Survey,
    /// As the config is to name the data.
    path: String,
    tasks: Vec<Candidate>,
    /// Tasks about the structure of sentences, called like their kind.
    structures: Vec<TaskKind>,
    /// What else could be predicted.
    others: Vec<Candidate>,
    /// Columns that are not read, and why.
    aside: Vec<(String, String)>,
    leaks: Vec<Leak>,
    /// The column that says which part of the split a row is in.
    split: Option<String>,
    /// Sides that images are scaled to, where they differ.
    size: Option<usize>,
    trunk: &'static str,
    /// Keys of `[data]` with their values, as they are written.
    set: Vec<(String, String)>,
}

/// A config for a table that was read from `path` with the keys of `[data]` in `set`, with these tasks or those that are most
/// likely meant; `file` is where it will stand.
///
/// # Errors
/// A task that is no column, or cannot be learnt.
pub fn draft<'a>(
    table: &Table,
    survey: &'a Survey,
    path: &str,
    tasks: &[String],
    file: &str,
    set: &[String],
) -> Result<(String, Draft<'a>), Error> {
    let mut draft =
        Draft { set: set.iter().filter_map(|set| line_of(set)).collect(), ..Draft::new(table, survey, path, tasks)? };
    // Each round sets a column aside, or tries another trunk.
    for _ in 0..survey.columns.len() + TRUNKS.len() + draft.structures.len() {
        let text = draft.text();
        match check(&text, file) {
            Ok(()) => return Ok((text, draft)),
            Err(error) => draft.mend(error)?,
        }
    }
    let text = draft.text();
    check(&text, file)?;
    Ok((text, draft))
}

/// Whether a config can be trained, as far as that is known without training.
fn check(text: &str, file: &str) -> Result<(), polytask_train::Error> {
    let config = Config::from_toml(text, file)?;
    let prepared = prepare(&config)?;
    share::build(&config.design(&prepared.encoder, &prepared.tasks))?;
    Ok(())
}

/// Trunks for images, the best first.
const TRUNKS: [&str; 3] = ["\"lenet\"", "[{ conv = 16, pool = 2 }, 64]", "[64, 64]"];

/// The trunk for labels of pixels, which ends in image layers.
const PIXELS: &str = "[{ conv = 16 }, { conv = 32, pool = 2 }, { conv = 32 }]";

impl<'a> Draft<'a> {
    fn new(table: &Table, survey: &'a Survey, path: &str, tasks: &[String]) -> Result<Self, Error> {
        let mut all = candidates(table, survey);
        let mut structures = structures(table);
        if !tasks.is_empty() {
            structures.retain(|kind| tasks.iter().any(|name| name == kind.word()));
        }
        let of_structure = |name: &str| structures.iter().any(|kind| structure_columns(*kind).contains(&name));
        all.retain(|candidate| !of_structure(&candidate.column));
        let is_structure = |name: &String| structures.iter().any(|kind| name == kind.word());
        let named: Vec<String> = tasks.iter().filter(|name| !is_structure(name)).cloned().collect();
        let chosen: Vec<Candidate> = match named.as_slice() {
            // The last column is the likeliest only where nothing else is.
            [] if !structures.is_empty() && !tasks.is_empty() => Vec::new(),
            [] => {
                let likely = choose(&all).into_iter().cloned();
                likely.filter(|one| structures.is_empty() || one.because != Some(Reason::Last)).collect()
            }
            named => {
                let find = |name: &String| {
                    let column = table.find(name)?;
                    let known = all.iter().find(|candidate| candidate.column == *name).cloned();
                    let inferred = polytask_model::tasks::infer_kind(table, &column.name);
                    let kind = known.as_ref().map(|known| known.kind).or(inferred).unwrap_or(TaskKind::Category);
                    Ok(known.unwrap_or(Candidate { column: name.clone(), kind, because: None }))
                };
                named.iter().map(find).collect::<Result<_, Error>>()?
            }
        };
        let is_task = |name: &str| of_structure(name) || chosen.iter().any(|candidate| candidate.column == name);
        let split =
            survey.columns.iter().find(|column| !is_task(&column.name) && is_split(column)).map(|c| c.name.clone());
        let mut aside = Vec::new();
        let mut inputs = Vec::new();
        for column in &survey.columns {
            let name = column.name.as_str();
            if is_task(name) || split.as_deref() == Some(name) {
                continue;
            }
            match column.concern {
                Some(concern) => aside.push((name.to_owned(), concern.words().to_owned())),
                None if survey.group.as_deref() == Some(name) => {
                    aside.push((name.to_owned(), "names whom a row is about, see split".to_owned()));
                }
                None => inputs.push(name),
            }
        }
        let labels: Vec<(&str, &str)> =
            chosen.iter().map(|task| (task.column.as_str(), task.column.as_str())).collect();
        let leaks = leaks(table, &inputs, &labels);
        for leak in &leaks {
            if !aside.iter().any(|(name, _)| *name == leak.column) {
                aside.push((leak.column.clone(), format!("{} `{}`", leak.relation.words(), leak.task)));
            }
        }
        if chosen.is_empty() && structures.is_empty() {
            return Err(Error::NoTarget { data: path.to_owned(), found: nothing(survey) });
        }
        let is_other = |name: &str| !is_task(name) && split.as_deref() != Some(name);
        let others = all.into_iter().filter(|candidate| is_other(&candidate.column)).collect();
        let images = survey.columns.iter().any(|column| column.kind == "image" && !is_task(&column.name));
        let tokens = !structures.is_empty() || chosen.iter().any(|task| task.kind.is_of_tokens());
        for name in sentences(table, survey).filter(|name| tokens && !is_task(name)) {
            aside.retain(|(other, _)| other != name);
            aside.push((name.to_owned(), "is the sentence that `tokens` is made of".to_owned()));
        }
        let pixels = chosen.iter().any(|task| matches!(task.kind, TaskKind::Segmentation | TaskKind::PixelRegression));
        let trunk = trunk(images, pixels, tokens);
        let path = path.to_owned();
        Ok(Draft {
            survey,
            path,
            tasks: chosen,
            structures,
            others,
            aside,
            leaks,
            split,
            size: None,
            trunk,
            set: Vec::new(),
        })
    }

    /// Columns that are not read, with the reason.
    pub fn aside(&self) -> &[(String, String)] {
        &self.aside
    }

    /// The names of what is predicted.
    pub fn tasks(&self) -> Vec<&str> {
        let words = self.structures.iter().map(|kind| kind.word());
        self.tasks.iter().map(|task| task.column.as_str()).chain(words).collect()
    }

    /// The columns of its tasks with what they are taken for.
    pub fn kinds(&self) -> Vec<(&str, TaskKind)> {
        self.tasks.iter().map(|task| (task.column.as_str(), task.kind)).collect()
    }

    /// Whether a column is read for a task.
    fn is_label(&self, name: &str) -> bool {
        self.tasks.iter().any(|task| task.column == name)
            || self.structures.iter().any(|kind| structure_columns(*kind).contains(&name))
    }

    /// Takes out what stands in the way.
    fn mend(&mut self, error: polytask_train::Error) -> Result<(), polytask_train::Error> {
        let polytask_train::Error::Model(reason) = &error else { return Err(error) };
        if let ModelError::Task(TaskError::OneLabel { task, .. }) = reason
            && let Some(at) = self.structures.iter().position(|kind| kind.word() == task)
        {
            self.structures.remove(at);
            return Ok(());
        }
        if let ModelError::Data(DataError::BadColumns(faults)) = reason {
            return self.pass_over(faults).ok_or(error);
        }
        let input = match reason {
            ModelError::Encode(EncodeError::Sizes { .. }) if self.size.is_none() => {
                self.size = Some(64);
                return Ok(());
            }
            ModelError::Encode(
                EncodeError::AllMissing { input }
                | EncodeError::NotPlain { input, .. }
                | EncodeError::NotText { input, .. }
                | EncodeError::ManyLevels { input, .. }
                | EncodeError::NotBoolean { input, .. }
                | EncodeError::NotDate { input, .. }
                | EncodeError::NotNumber { input, .. },
            ) => input.clone(),
            ModelError::Task(TaskError::Over { texts, .. }) if texts.iter().any(|text| text == "tokens") => {
                let others = texts.iter().filter(|text| *text != "tokens");
                self.aside.extend(
                    others.map(|text| (text.clone(), "is a text beside the tokens that are labelled".to_owned())),
                );
                return Ok(());
            }
            ModelError::Graph(_) => {
                let next = TRUNKS.iter().skip_while(|trunk| **trunk != self.trunk).nth(1);
                return next.map(|trunk| self.trunk = trunk).ok_or(error);
            }
            _ => return Err(error),
        };
        if self.aside.iter().any(|(name, _)| *name == input) {
            return Err(error);
        }
        self.aside.push((input, format!("could not be read: {error}")));
        Ok(())
    }

    /// Leaves out columns with words among their numbers; none if one of them is a label, or has been left out before.
    fn pass_over(&mut self, faults: &[Arc<DataError>]) -> Option<()> {
        for fault in faults {
            let (DataError::NotNumber { column, .. } | DataError::NotFinite { column, .. }) = &**fault else {
                return None;
            };
            if self.is_label(column) || self.aside.iter().any(|(name, _)| name == column) {
                return None;
            }
            self.aside.push((column.clone(), format!("could not be read: {fault}")));
        }
        Some(())
    }

    fn text(&self) -> String {
        let mut out = String::new();
        let Survey { rows, columns, repeated, .. } = self.survey;
        let line = |out: &mut String, text: String| {
            out.push_str(text.trim_end());
            out.push('\n');
        };
        line(
            &mut out,
            format!(
                "# A first config for {}: {rows} rows, {} columns. It trains as it stands:",
                one_line(&self.path),
                columns.len()
            ),
        );
        line(&mut out, "#   polytask train THIS_FILE --out model".into());
        line(&mut out, "# `polytask inspect THIS_FILE` shows its labels; `polytask schema` has every key.\n".into());
        line(&mut out, "[data]".into());
        line(&mut out, format!("path = {}", quoted(&self.path)));
        out.push_str(&self.reading());
        if 100 * repeated >= *rows && *repeated > 0 {
            line(
                &mut out,
                format!("# {repeated} rows are the same as an earlier one: test rows may have been seen in training."),
            );
        }
        line(&mut out, "\n# What the model reads.\n[inputs]".into());
        let read = columns.iter().filter(|column| {
            let task = self.is_label(&column.name);
            let aside = self.aside.iter().any(|(name, _)| *name == column.name);
            !task && !aside && self.split.as_ref() != Some(&column.name)
        });
        for column in read {
            let kind = match self.size.filter(|_| column.kind == InputKind::Image.word()) {
                Some(side) => format!("{{ kind = \"image\", size = [{side}, {side}] }}"),
                None => quoted(column.kind),
            };
            line(&mut out, format!("{:<30}# {}", format!("{} = {kind}", key(&column.name)), said(column, *rows)));
            if column.kind == InputKind::Text.word() {
                out.push_str(&pretrained(&key(&column.name), *rows));
            }
        }
        for (name, why) in &self.aside {
            let kind = self.survey.column(name).map_or("number", |column| column.kind);
            line(
                &mut out,
                format!("{:<30}# left out: it {}", format!("# {} = {}", key(name), quoted(kind)), one_line(why)),
            );
        }
        line(&mut out, "\n# What it predicts; a row counts for the tasks it has labels for.".into());
        for task in &self.tasks {
            let because = task.because.map(|reason| format!("; {}", reason.words())).unwrap_or_default();
            let said = self.survey.column(&task.column).map(|column| said(column, *rows)).unwrap_or_default();
            line(&mut out, format!("{:<30}# {said}{because}", format!("[tasks.{}]", key(&task.column))));
            line(&mut out, format!("kind = {}", quoted(task.kind.word())));
        }
        for kind in &self.structures {
            let read = structure_columns(*kind).join("` and `");
            line(&mut out, format!("{:<30}# of sentences, from `{read}`", format!("[tasks.{}]", kind.word())));
            line(&mut out, format!("kind = {}", quoted(kind.word())));
        }
        if !self.others.is_empty() {
            line(&mut out, "\n# Could be predicted as well, and would be no input then:".into());
            for other in &self.others {
                line(&mut out, format!("# [tasks.{}]  # {}", key(&other.column), other.kind.word()));
            }
        }
        out.push_str(&if self.is_table() { ensemble() } else { self.network() });
        out
    }

    /// Whether it is learnt by an ensemble: numbers and categories, labels of rows.
    fn is_table(&self) -> bool {
        let plain = [InputKind::Number, InputKind::Boolean, InputKind::Category, InputKind::Date].map(InputKind::word);
        let mut read =
            self.survey.columns.iter().filter(|column| {
                !self.is_label(&column.name) && !self.aside.iter().any(|(name, _)| *name == column.name)
            });
        let of_rows = |kind: TaskKind| match kind {
            TaskKind::Regression
            | TaskKind::Binary
            | TaskKind::Category
            | TaskKind::Count
            | TaskKind::Multilabel
            | TaskKind::Ordinal
            | TaskKind::Survival => true,
            TaskKind::Tags
            | TaskKind::TokenCategory
            | TaskKind::Predicates
            | TaskKind::Senses
            | TaskKind::Roles
            | TaskKind::Arcs
            | TaskKind::Segmentation
            | TaskKind::PixelRegression
            | TaskKind::Own(_) => false,
        };
        self.structures.is_empty()
            && self.tasks.iter().all(|task| of_rows(task.kind))
            && read.all(|column| plain.contains(&column.kind) || self.split.as_ref() == Some(&column.name))
    }

    /// The sections of a network.
    fn network(&self) -> String {
        let (epochs, batch) = self.length();
        format!(
            "\n[model]\n{:<30}# other ways to share: `polytask architectures`\ntrunk = {}\n\n[loss]\n\
             {:<30}# other ways to balance the tasks: `polytask balancers`\n\n[train]\n\
             {:<30}# at most; training stops when the validation rows gain no more\n\
             batch = {batch}\nlearning_rate = 0.001\nseed = 0\n",
            "sharing = \"hard\"",
            self.trunk,
            "balance = \"equal\"",
            format!("epochs = {epochs}"),
        )
    }

    /// How the data are read and split.
    fn reading(&self) -> String {
        let mut out: String = self.set.iter().map(|(key, value)| format!("{key} = {value}\n")).collect();
        let split_is_set = self.set.iter().any(|(key, _)| key.split('.').next() == Some("split"));
        out += &match (&self.split, &self.survey.group) {
            _ if split_is_set => String::new(),
            (Some(column), _) => format!("split = {{ column = {} }}\n", quoted(column)),
            (None, Some(group)) => format!(
                "# All rows of one `{}` are in the same part, or the test would ask what training has seen.\n\
                 split = {{ valid = 0.1, test = 0.2, seed = 0, group = {} }}\n",
                one_line(group),
                quoted(group)
            ),
            (None, None) => "split = { valid = 0.1, test = 0.2, seed = 0 }\n".to_owned(),
        };
        out
    }

    /// Epochs and rows a batch: a minute or so.
    fn length(&self) -> (usize, usize) {
        let rows = self.survey.rows.max(1);
        let batch = match rows {
            ..20_000 => 64,
            20_000..100_000 => 256,
            _ => 1024,
        };
        let kinds = || self.survey.columns.iter().map(|column| column.kind);
        let slow = kinds().any(|kind| kind == "text" || kind == "image");
        let (steps, most) = if slow { (2_000, 20) } else { (20_000, 200) };
        ((steps * batch / rows).clamp(5, most), batch)
    }
}

/// The key of `[data]` that an override sets, and its value as TOML has it.
fn line_of(set: &str) -> Option<(String, String)> {
    let (key, value) = set.split_once('=')?;
    let key = key.trim().strip_prefix("data.")?;
    let value = value.trim();
    let read = toml::from_str::<toml::Table>(&format!("x = {value}"));
    Some((key.to_owned(), if read.is_ok() { value.to_owned() } else { quoted(value) }))
}

/// What is trained first on such data.
fn trunk(images: bool, pixels: bool, tokens: bool) -> &'static str {
    match (images, tokens) {
        (true, _) if pixels => PIXELS,
        (true, _) => TRUNKS[0],
        (_, true) => "[]",
        _ => "[64, 64]",
    }
}

/// What is there in place of labels.
fn nothing(survey: &Survey) -> String {
    match &survey.columns[..] {
        [only] => format!("the only column is `{}` ({})", only.name, only.holds),
        columns => {
            let names: Vec<String> =
                columns.iter().take(8).map(|column| format!("`{}` ({})", column.name, column.holds)).collect();
            format!("none of the columns {} looks like labels", names.join(", "))
        }
    }
}

/// A proposal to read a text with an encoder that `$POLYTASK_ENCODERS` holds; nothing where it holds none.
fn pretrained(key: &str, rows: usize) -> String {
    let Some(name) = polytask_model::pretrained::offered().into_iter().next() else { return String::new() };
    let path = quoted(&format!("${{{}}}/{name}", polytask_model::pretrained::ENCODERS));
    // What MiniLM encodes a second on two cores, a sentence of 12 words.
    let seconds = (rows / 400).max(1);
    format!(
        "# Or with what a pretrained encoder knows, most where labels are few; encoded once, in {seconds} s or so for MiniLM:\n\
         # {key} = {{ kind = \"text\", encoder = {{ pretrained = {path} }} }}\n"
    )
}

/// The columns of texts that the column of tokens was made of.
fn sentences<'a>(table: &'a Table, survey: &'a Survey) -> impl Iterator<Item = &'a str> {
    let texts = survey.columns.iter().filter(|column| column.kind == InputKind::Text.word());
    let names = texts.map(|column| column.name.as_str());
    names.filter(move |name| table.column("tokens").is_some_and(|tokens| is_joined(table, name, tokens)))
}

/// Whether texts are those that lists of tokens were made of, as far as the first of them tell.
fn is_joined(table: &Table, column: &str, tokens: &Column) -> bool {
    let bare = |text: String| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let Some(texts) = table.column(column).filter(|texts| texts.name != tokens.name) else { return false };
    let pairs = (0..table.rows().min(100)).filter_map(|row| Some((bare(texts.shown(row)?), bare(tokens.shown(row)?))));
    let (alike, all) = pairs.fold((0, 0), |(alike, all), (a, b)| (alike + usize::from(a == b), all + 1));
    // Quotation marks and the like may have been changed on the way.
    all > 0 && 2 * alike >= all
}

/// Whether a column says which part of the split a row is in.
fn is_split(column: &super::ColumnSurvey) -> bool {
    const PARTS: [&str; 6] = ["train", "valid", "validation", "val", "dev", "test"];
    match &column.summary {
        Summary::Levels(levels) => {
            column.missing == 0
                && column.distinct > 1
                && column.distinct == levels.len()
                && levels.iter().all(|(level, _)| PARTS.contains(&level.as_str()))
        }
        _ => false,
    }
}

/// What a column is like, in a few words.
fn said(column: &super::ColumnSurvey, rows: usize) -> String {
    let mut text = String::new();
    let _ = match &column.summary {
        Summary::Numbers { min, max, .. } => write!(text, "{} to {}", short(*min), short(*max)),
        Summary::Levels(levels) if column.kind == "category" || column.kind == "boolean" => {
            let known = (rows - column.missing).max(1);
            let shown: Vec<String> = levels
                .iter()
                .take(3)
                .map(|(level, count)| format!("{} {} %", clean(level), 100 * count / known))
                .collect();
            let more = column.distinct.saturating_sub(3);
            write!(text, "{}{}", shown.join(", "), if more > 0 { format!(" and {more} more") } else { String::new() })
        }
        Summary::Levels(levels) => {
            let first = levels.first().map(|(level, _)| clean(level)).unwrap_or_default();
            write!(text, "such as {first}")
        }
        Summary::Lists { items, distinct } => write!(text, "{items:.1} a row, {distinct} different ones"),
        Summary::Other => write!(text, "{} rows", rows - column.missing),
    };
    if column.missing > 0 {
        let share = 100.0 * column.missing as f64 / rows.max(1) as f64;
        let _ =
            write!(text, "; {} missing", if share < 1.0 { "under 1 %".to_owned() } else { format!("{share:.0} %") });
    }
    text
}

/// The sections of an ensemble.
fn ensemble() -> String {
    format!(
        "\n# Trees, linear models and networks, joint and independent, weighed for each task. A key of networks, such as\n\
         # sharing = \"hard\", trains one network instead: `polytask architectures`.\n[model]\n\
         {:<30}# \"fast\" or \"best\" try less or more; `polytask train --time 2m` ends in time\n\n[train]\nseed = 0\n",
        "preset = \"good\"",
    )
}

/// A text that stays on its line, in a comment.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// The start of a value, on one line.
fn clean(text: &str) -> String {
    let text = one_line(text);
    match text.chars().count() > 24 {
        true => text.chars().take(23).chain(['…']).collect(),
        false => text,
    }
}

fn short(value: f64) -> String {
    let text = format!("{value:.4}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if value != 0.0 && (value.abs() < 1e-3 || value.abs() >= 1e9) { format!("{value:.3e}") } else { text.to_owned() }
}

/// A string of TOML on one line, whatever it holds.
fn quoted(text: &str) -> String {
    match text.contains(char::is_control) {
        false => toml::Value::String(text.to_owned()).to_string(),
        true => {
            let escaped = text.chars().map(|c| match c {
                '"' | '\\' => format!("\\{c}"),
                c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
                c => c.to_string(),
            });
            format!("\"{}\"", escaped.collect::<String>())
        }
    }
}

/// A key as TOML has it.
fn key(name: &str) -> String {
    let bare =
        !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if bare { name.to_owned() } else { quoted(name) }
}

impl Draft<'_> {
    /// What gives a label away.
    pub fn leaks(&self) -> &[Leak] {
        &self.leaks
    }

    /// Concerns that are worth saying aloud.
    pub fn concerns(&self) -> impl Iterator<Item = (&str, Concern)> {
        self.survey.columns.iter().filter_map(|column| Some((column.name.as_str(), column.concern?)))
    }
}
