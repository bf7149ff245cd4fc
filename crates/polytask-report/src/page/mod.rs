//! The page: its sections, and the template that makes HTML of them.

mod comparison;
mod explained;
mod learning;
mod network;
mod overview;
mod selection;
mod several;

use crate::block::Section;
use crate::context::Context;
use crate::rows::Rows;
use crate::run::Run;
use crate::task;
use crate::{Options, ReportError};
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{Environment, context};
use polytask::importance::{self, importance};

/// Bytes that a report keeps below.
pub const LIMIT: usize = 2_000_000;

/// Points in the clouds of all tasks together.
const POINTS: usize = 16_000;

/// The report on one run.
pub fn of_one(run: &Run, options: &Options) -> Result<String, ReportError> {
    let rows = Rows::read(run, options.data.as_deref())?;
    let effects = match &rows {
        Ok(rows) if !options.no_importance => {
            let measured =
                importance::Options { seed: run.config.as_ref().map_or(0, |c| c.train.seed), ..Default::default() };
            Some(importance(&run.model, &rows.data, &rows.rows, measured)?)
        }
        _ => None,
    };
    let mut sections = vec![overview::section(run, &rows, effects.as_ref())];
    if let (Ok(rows), false) = (&rows, options.no_importance) {
        sections.extend(explained::section(run, rows)?);
    }
    sections.extend(comparison::section(run));
    sections.extend(learning::curves(run));
    sections.extend(learning::gradients(run));
    if let Ok(rows) = &rows {
        let mut tasks = Section::new("tasks", "Task by task");
        let points = (POINTS / (2 * run.model.tasks.len().max(1))).clamp(60, 800);
        for (t, (task, measured)) in run.model.tasks.iter().zip(&rows.tasks).enumerate() {
            let context = Context { run, rows, task, measured, points };
            let own = effects.as_ref().and_then(|effects| effects.tasks.get_index(t)).map(|(_, own)| own);
            tasks.parts.push(task::section(&context, own));
        }
        sections.push(tasks);
    }
    sections.extend(selection::section(run));
    sections.push(network::section(run));
    sections.push(network::config(run));
    let tasks = run.model.tasks.len();
    let about = format!("{} task{}", tasks, if tasks == 1 { "" } else { "s" });
    fitted(&run.name(), &about, sections)
}

/// The report on several runs.
pub fn of_several(runs: &[Run]) -> Result<String, ReportError> {
    let names: Vec<String> = runs.iter().map(Run::name).collect();
    fitted(&names.join(" · "), &format!("{} runs side by side", runs.len()), several::sections(runs))
}

/// The page, without what weighs most where it would be too large.
fn fitted(title: &str, about: &str, mut sections: Vec<Section>) -> Result<String, ReportError> {
    let mut page = render(title, about, &sections)?;
    for what in [Heavy::Folded, Heavy::Figures] {
        if page.len() < LIMIT {
            break;
        }
        sections.iter_mut().for_each(|section| lighten(section, what));
        let mut note = Section::new("left-out", "Left out");
        note.note(match what {
            Heavy::Folded => "Long tables beneath the charts were left out, so that the file stays below 2 MB.",
            Heavy::Figures => {
                "Charts of single tasks were left out, so that the file stays below 2 MB; the scores are all here."
            }
        });
        sections.retain(|section| section.id != "left-out");
        sections.push(note);
        page = render(title, about, &sections)?;
    }
    Ok(page)
}

/// What weighs most.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Heavy {
    Folded,
    Figures,
}

/// Takes long tables, or the figures of parts, out of a section.
fn lighten(section: &mut Section, what: Heavy) {
    use crate::block::Block;
    let long = |table: &crate::block::Table| table.folded && table.rows.len() > 30;
    section.blocks.retain(|block| !matches!(block, Block::Table(table) if long(table)));
    for block in &mut section.blocks {
        if let Block::Figure(figure) = block {
            figure.table = figure.table.take().filter(|table| !long(table));
        }
    }
    if what == Heavy::Figures {
        for part in &mut section.parts {
            part.blocks.retain(|block| !matches!(block, Block::Figure(_) | Block::Sheet { .. }));
        }
    }
    section.parts.iter_mut().for_each(|part| lighten(part, what));
}

/// HTML of sections.
///
/// # Errors
/// The template does not go with them.
pub fn render(title: &str, about: &str, sections: &[Section]) -> Result<String, ReportError> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?;
    environment.set_syntax(syntax);
    environment.add_template("report.html", include_str!("../../template/report.html"))?;
    let page = environment.get_template("report.html")?.render(context! {
        title,
        about,
        sections => Serde(sections),
        style => include_str!("../../template/style.css"),
        version => env!("CARGO_PKG_VERSION"),
    })?;
    Ok(page)
}
