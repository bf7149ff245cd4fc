//! The table that a person reads.

use std::fmt::Write;

use crate::compare::{CHECK_STEPS, Comparison, SGEMM};

/// The smallest, the middle and the largest of some numbers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spread {
    /// The smallest.
    pub min: f64,
    /// The middle one, or the mean of the two in the middle.
    pub median: f64,
    /// The largest.
    pub max: f64,
}

impl Spread {
    /// The spread of some numbers; none of no numbers.
    pub fn of(mut values: Vec<f64>) -> Option<Self> {
        values.sort_by(f64::total_cmp);
        let (min, max) = (*values.first()?, *values.last()?);
        let half = values.len() / 2;
        let upper = *values.get(half)?;
        let median = if values.len() % 2 == 1 { upper } else { (values.get(half - 1)? + upper) / 2.0 };
        Some(Self { min, median, max })
    }

    /// The three with so many digits after the point.
    pub fn text(self, digits: usize) -> String {
        format!("{:.digits$} / {:.digits$} / {:.digits$}", self.min, self.median, self.max)
    }
}

/// The comparison as a table in Markdown, with what it says about the contestants' agreement below it.
pub fn table(comparison: &Comparison) -> String {
    let find = |name: &str| comparison.contestants.iter().find(|r| r.name == name);
    let reference = find(&comparison.reference);
    let sgemm = find(SGEMM);

    let mut rows = vec![vec![
        "contestant".to_owned(),
        "steps/s min / median / max".to_owned(),
        format!("to {} min / median / max", comparison.reference),
        "GFLOP/s".to_owned(),
        "of sgemm".to_owned(),
        "peak MB".to_owned(),
        format!("loss at {CHECK_STEPS}"),
    ]];
    for record in &comparison.contestants {
        let cell = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        let rate = Spread::of(record.rates());
        let digits = if rate.is_some_and(|r| r.median < 100.0) { 1 } else { 0 };
        let gflops = rate.map(|r| r.median * record.flops_per_step / 1e9);
        let ratio = reference.filter(|_| record.name != SGEMM).and_then(|r| Spread::of(record.ratios(r)));
        let share = sgemm.and_then(|peak| Some((Spread::of(record.ratios(peak))?, peak.flops_per_step)));
        let share = share.map(|(s, peak)| 100.0 * s.median * record.flops_per_step / peak);
        rows.push(vec![
            record.name.to_owned(),
            cell(rate.map(|r| r.text(digits))),
            cell(ratio.map(|r| r.text(2))),
            cell(gflops.map(|g| format!("{g:.1}"))),
            cell(share.map(|s| format!("{s:.1} %"))),
            cell(record.peak_rss_kb.map(|kb| format!("{:.0}", kb as f64 / 1024.0))),
            cell(record.first_loss.map(|l| format!("{l:.7}"))),
        ]);
    }

    let flops = comparison.contestants.first().map_or(0.0, |own| own.flops_per_step / 1e6);
    let Comparison { work, processor, threads, .. } = comparison;
    let mut text = format!("{work} on {processor}, {threads} threads, {flops:.4} MFLOP a step\n\n");
    text.push_str(&markdown(&rows));
    let _ = writeln!(text, "\n{}", agreement(comparison));
    for out in &comparison.left_out {
        let _ = writeln!(text, "{}: left out: {}", out.name, out.reason);
    }
    text
}

/// Whether all computed the same loss from the same start.
fn agreement(comparison: &Comparison) -> String {
    let Comparison { tolerance, reference, .. } = comparison;
    match comparison.apart() {
        None => "the reference reports no loss: whether the work is the same was not checked".to_owned(),
        Some(others) if others.is_empty() => {
            format!(
                "after {CHECK_STEPS} steps every loss is within {tolerance:e} of {reference}'s: the work is the same"
            )
        }
        Some(others) => {
            let others = others.join(", ");
            format!("NOT THE SAME WORK: after {CHECK_STEPS} steps the loss differs from {reference}'s: {others}")
        }
    }
}

/// Rows as a Markdown table, the first of them its head, the first column left and the others right.
pub fn markdown(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |i: usize| rows.iter().filter_map(|r| r.get(i)).map(|c| c.chars().count()).max().unwrap_or(0);
    let widths: Vec<_> = (0..columns).map(width).collect();
    let mut text = String::new();
    for (n, row) in rows.iter().enumerate() {
        for (i, (cell, width)) in row.iter().zip(&widths).enumerate() {
            let _ = if i == 0 { write!(text, "| {cell:<width$} ") } else { write!(text, "| {cell:>width$} ") };
        }
        text.push_str("|\n");
        if n == 0 {
            for (i, width) in widths.iter().enumerate() {
                let dashes = "-".repeat(*width);
                text.push_str(&if i == 0 { format!("| {dashes} ") } else { format!("| {}: ", &dashes[1..]) });
            }
            text.push_str("|\n");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::{LeftOut, Record};

    fn record(name: &'static str, seconds: [f64; 3], loss: Option<f32>) -> Record {
        let flops_per_step = if name == SGEMM { 2e9 } else { 4e8 };
        Record { name, flops_per_step, steps: 10, seconds: seconds.to_vec(), first_loss: loss, peak_rss_kb: Some(2048) }
    }

    fn comparison(own_loss: f32) -> Comparison {
        Comparison {
            work: "w1".to_owned(),
            tolerance: 1e-4,
            processor: "a processor".to_owned(),
            threads: 2,
            reference: "torch".to_owned(),
            contestants: vec![
                record("polytask", [0.1, 0.2, 0.1], Some(own_loss)),
                record("torch", [0.2, 0.4, 0.4], Some(1.5)),
                record("sgemm", [0.25, 0.25, 0.25], None),
            ],
            left_out: vec![LeftOut { name: "torchjd", reason: "no module".to_owned() }],
        }
    }

    #[test]
    fn spread_of_odd_even_and_none() {
        assert_eq!(Spread::of(vec![3.0, 1.0, 2.0]), Some(Spread { min: 1.0, median: 2.0, max: 3.0 }));
        assert_eq!(Spread::of(vec![4.0, 1.0]), Some(Spread { min: 1.0, median: 2.5, max: 4.0 }));
        assert_eq!(Spread::of(Vec::new()), None);
    }

    #[test]
    fn ratios_are_taken_round_by_round() {
        let text = table(&comparison(1.5));
        let own = text.lines().find(|l| l.starts_with("| polytask")).unwrap();
        // Rates 100, 50, 100 against 50, 25, 25: ratios 2, 2, 4. 100 steps/s of 0.4 GFLOP; sgemm makes 80 GFLOP/s.
        for cell in ["50 / 100 / 100", "2.00 / 2.00 / 4.00", "40.0", "50.0 %", "1.5000000"] {
            assert!(own.contains(cell), "{cell} in {own}");
        }
        assert!(text.contains("the work is the same"), "{text}");
        assert!(text.contains("torchjd: left out: no module"), "{text}");
    }

    #[test]
    fn another_loss_is_called_out() {
        let text = table(&comparison(1.501));
        assert!(text.contains("NOT THE SAME WORK") && text.contains("torch's: polytask"), "{text}");
        assert!(table(&comparison(f32::NAN)).contains("NOT THE SAME WORK"));
    }
}
