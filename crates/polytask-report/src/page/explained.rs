//! What the inputs add to the predictions of all tasks, as one map: what helps several tasks at once.

use crate::ReportError;
use crate::block::{Figure, Section, Table};
use crate::chart::{Scale, heat};
use crate::rows::Rows;
use crate::run::Run;
use polytask::explain::{Explainer, Explanation, background};

/// Rows that are explained at most.
const ROWS: usize = 100;
/// Inputs that are shown at most.
const INPUTS: usize = 30;

/// The map; none where the model's predictions are not explained.
///
/// # Errors
/// Rows that do not fit the model.
pub fn section(run: &Run, rows: &Rows) -> Result<Option<Section>, ReportError> {
    let Ok(background) = background(&run.folder, &run.model) else { return Ok(None) };
    let Ok(explainer) = Explainer::new(&run.model, background.as_ref()) else { return Ok(None) };
    let count = rows.rows.len().min(ROWS);
    if count == 0 {
        return Ok(None);
    }
    let some: Vec<u32> = (0..count).map(|i| rows.rows[i * rows.rows.len() / count]).collect();
    let found = explainer.explain(&rows.data, &some).map_err(polytask::Error::from)?;
    let tasks: Vec<String> = run.model.tasks.iter().map(|task| task.name.clone()).collect();
    let shares: Vec<Vec<f64>> = found.iter().map(|own| shares(own, explainer.inputs().len())).collect();
    let total = |input: usize| shares.iter().map(|own| own[input]).sum::<f64>();
    let mut order: Vec<usize> = (0..explainer.inputs().len()).collect();
    order.sort_by(|a, b| total(*b).total_cmp(&total(*a)));
    order.truncate(INPUTS);
    let inputs: Vec<String> = order.iter().map(|input| explainer.inputs()[*input].clone()).collect();
    let values: Vec<f64> = order.iter().flat_map(|input| shares.iter().map(|own| own[*input])).collect();
    let full = values.iter().copied().fold(0.0, f64::max);
    let percent = |share: f64| format!("{:.0} %", 100.0 * share);
    let title = "What the inputs add to each task";
    let first = inputs.first().map_or("", String::as_str);
    let words = format!(
        "share of an input in all that inputs add to a task's predictions, over {count} rows: {first} adds most over all tasks"
    );
    let table = Table {
        title: "Shares by input and task".to_owned(),
        header: std::iter::once("input".to_owned()).chain(tasks.iter().cloned()).collect(),
        rows: inputs
            .iter()
            .zip(values.chunks_exact(tasks.len().max(1)))
            .map(|(input, own)| std::iter::once(input.clone()).chain(own.iter().map(|v| percent(*v))).collect())
            .collect(),
        numbers: true,
        folded: true,
    };
    let scale = Scale { full, signed: false };
    let svg = heat(title, &words, (&inputs, &tasks), &values, scale, percent);
    let mut section = Section::new("inputs", "What the inputs add");
    section.text(
        "A column adds up to 100 %: the mean size of what each input adds to a prediction (Shapley values), beside that of the \
         other inputs. A row that is dark in several columns helps several tasks at once. `polytask predict --explain` says it \
         row by row.",
    );
    section.figure(svg.map(|svg| Figure { title: title.to_owned(), words, svg, table: Some(table) }));
    Ok(Some(section))
}

/// The mean size of what each input adds, as shares of the sum over inputs; of several outputs their sum.
fn shares(own: &Explanation, inputs: usize) -> Vec<f64> {
    let outputs = own.base.len().max(1);
    let mut sizes = vec![0.0; inputs];
    for row in own.values.chunks_exact((inputs * outputs).max(1)) {
        let each = sizes.iter_mut().zip(row.chunks_exact(outputs));
        each.for_each(|(size, values)| *size += values.iter().map(|value| value.abs()).sum::<f64>());
    }
    let all: f64 = sizes.iter().sum();
    sizes.iter().map(|size| if all > 0.0 { size / all } else { 0.0 }).collect()
}
