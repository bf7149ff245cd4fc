//! Classes of tokens, such as parts of speech.

use super::confusion::confusion;
use super::{Context, worst};
use crate::block::Section;
use crate::number::{count, percent};
use crate::task::spans::by_label;
use polytask::tasks::MISSING;
use std::collections::BTreeMap;

pub fn details(
    section: &mut Section,
    context: &Context<'_>,
    (offsets, classes): (&[u32], &[u32]),
    labels: &[String],
    predicted: &[Vec<u32>],
) {
    let (mut truth, mut said) = (Vec::new(), Vec::new());
    let mut errors = vec![0.0; predicted.len()];
    let mut known = vec![0usize; predicted.len()];
    for (row, (own, predicted)) in offsets.windows(2).zip(predicted).enumerate() {
        for (y, p) in classes[own[0] as usize..own[1] as usize].iter().zip(predicted) {
            if *y != MISSING {
                truth.push(*y);
                said.push(*p);
                known[row] += 1;
                errors[row] += f64::from(u8::from(y != p));
            }
        }
    }
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let name = |class: u32| labels.get(class as usize).map_or("(never seen)", String::as_str);
    for (y, p) in truth.iter().zip(&said) {
        counts.entry(name(*y)).or_default()[2] += 1;
        let own = counts.entry(name(*p)).or_default();
        own[1] += 1;
        own[0] += usize::from(y == p);
    }
    by_label(section, "Tokens by class", &counts);
    confusion(section, labels, &truth, &said);
    let cells = |row: usize| {
        let wrong = errors[row] as usize;
        vec![format!("{} of {}", count(wrong), count(known[row])), percent(wrong as f64 / known[row].max(1) as f64)]
    };
    section.table(worst::table(context, &["wrong tokens", "share"], &worst::largest(&errors), cells));
}
