//! How the cost of W3 grows with the number of tasks.

use crate::compare::{Comparison, OWN, Options, Record, compare};
use crate::plot::{Series, svg};
use crate::report::{Spread, markdown};
use crate::workload::{Method, Work, Workload};
use crate::{Error, Result};
use std::fmt::Write;

/// Measures W3 with each number of tasks.
///
/// # Errors
/// As [`compare`].
pub fn measure(method: Method, sizes: &[usize], options: &Options) -> Result<Vec<(usize, Comparison)>> {
    let one = |&tasks: &usize| {
        eprintln!("{tasks} tasks");
        Ok::<_, Error>((tasks, compare(Work { tasks, method, ..Workload::W3.into() }, options)?))
    };
    sizes.iter().map(one).collect()
}

/// Milliseconds of a step and what they are to those of the first row, side by side, as a table in Markdown.
pub fn table(measured: &[(usize, Comparison)]) -> String {
    let Some((_, first)) = measured.first() else { return String::new() };
    let reference = first.reference.as_str();
    let mut rows = vec![
        [
            "tasks",
            "polytask ms",
            "to the first",
            &format!("{reference} ms"),
            "to the first",
            "ratio min / median / max",
        ]
        .map(str::to_owned)
        .to_vec(),
    ];
    let mut apart = Vec::new();
    let mut left_out = String::new();
    for (tasks, comparison) in measured {
        let mut row = vec![tasks.to_string()];
        for name in [OWN, reference] {
            let median = find(comparison, name).and_then(milliseconds);
            let start = find(first, name).and_then(milliseconds);
            row.push(median.map_or("-".to_owned(), |m| format!("{m:.3}")));
            row.push(median.zip(start).map_or("-".to_owned(), |(m, s)| format!("{:.2}", m / s)));
        }
        let pair = find(comparison, OWN).zip(find(comparison, reference));
        let ratios = pair.and_then(|(own, other)| Spread::of(own.ratios(other)));
        row.push(ratios.map_or("-".to_owned(), |s| s.text(2)));
        rows.push(row);
        if comparison.apart().is_none_or(|others| !others.is_empty()) {
            apart.push(tasks.to_string());
        }
        for out in &comparison.left_out {
            let _ = writeln!(left_out, "{} of {tasks} tasks: left out: {}", out.name, out.reason);
        }
    }
    let verdict = match apart.is_empty() {
        true => "the losses agree: the work is the same".to_owned(),
        false => format!("NOT THE SAME WORK, or not checked, with tasks: {}", apart.join(", ")),
    };
    let Comparison { processor, threads, .. } = first;
    format!("growth of w3 on {processor}, {threads} threads\n\n{}\n{verdict}\n{left_out}", markdown(&rows))
}

/// The same as a chart, an SVG file; none if nothing was measured.
pub fn chart(measured: &[(usize, Comparison)]) -> Option<String> {
    let reference = measured.first()?.1.reference.as_str();
    let line = |name: &str, color| {
        let point = |(tasks, c): &(usize, Comparison)| Some((*tasks as f64, find(c, name).and_then(milliseconds)?));
        Series { name: name.to_owned(), color, points: measured.iter().filter_map(point).collect() }
    };
    let series = [line(OWN, "#0b6e4f"), line(reference, "#c1440e")];
    svg("A training step with exact task gradients", "tasks", "milliseconds", &series)
}

fn find<'a>(comparison: &'a Comparison, name: &str) -> Option<&'a Record> {
    comparison.contestants.iter().find(|record| record.name == name)
}

/// Median milliseconds of a step.
fn milliseconds(record: &Record) -> Option<f64> {
    Spread::of(record.rates()).map(|rate| 1e3 / rate.median)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(own: f64, other: f64, loss: f32) -> Comparison {
        let record = |name, seconds, loss| Record {
            name,
            flops_per_step: 1e6,
            steps: 10,
            seconds: vec![seconds; 3],
            first_loss: Some(loss),
            peak_rss_kb: None,
        };
        Comparison {
            work: "w3".to_owned(),
            tolerance: 1e-4,
            processor: "a processor".to_owned(),
            threads: 2,
            reference: "libmtl".to_owned(),
            contestants: vec![record(OWN, own, 1.0), record("libmtl", other, loss)],
            left_out: Vec::new(),
        }
    }

    #[test]
    fn growth_is_to_the_first_row() {
        let text = table(&[(1, comparison(0.01, 0.04, 1.0)), (2, comparison(0.015, 0.08, 1.0))]);
        let cells: Vec<&str> =
            text.lines().find(|l| l.starts_with("| 2 ")).unwrap().split('|').map(str::trim).collect();
        assert_eq!(cells[1..7], ["2", "1.500", "1.50", "8.000", "2.00", "5.33 / 5.33 / 5.33"]);
        assert!(text.contains("the work is the same"), "{text}");
        let text = table(&[(1, comparison(0.01, 0.04, 1.0)), (4, comparison(0.01, 0.04, 1.1))]);
        assert!(text.contains("NOT THE SAME WORK, or not checked, with tasks: 4"), "{text}");
    }
}
