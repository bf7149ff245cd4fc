//! Dependency trees: heads and relations.

use super::{Context, worst};
use crate::block::Section;
use crate::number::{count, percent};
use crate::task::spans::by_label;
use polytask::tasks::MISSING;
use std::collections::BTreeMap;

pub fn details(
    section: &mut Section,
    context: &Context<'_>,
    (offsets, heads, relations): (&[u32], &[u32], &[u32]),
    labels: &[String],
    (found, named): (&[Vec<u32>], &[Vec<u32>]),
) {
    let name = |class: u32| labels.get(class as usize).map_or("(never seen)", String::as_str);
    // By relation: right in head and relation, predicted, labelled.
    let mut counts: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let (mut errors, mut known) = (vec![0.0; found.len()], vec![0usize; found.len()]);
    for (row, own) in offsets.windows(2).enumerate() {
        let own = own[0] as usize..own[1] as usize;
        let (heads, relations) = (&heads[own.clone()], &relations[own]);
        for (token, (head, relation)) in heads.iter().zip(relations).enumerate() {
            let guess =
                found.get(row).and_then(|row| row.get(token)).zip(named.get(row).and_then(|row| row.get(token)));
            let Some((guess, said)) = guess.filter(|_| *head != MISSING) else { continue };
            let right = guess == head && said == relation;
            known[row] += 1;
            errors[row] += f64::from(u8::from(!right));
            counts.entry(name(*relation)).or_default()[2] += 1;
            let own = counts.entry(name(*said)).or_default();
            own[1] += 1;
            own[0] += usize::from(right);
        }
    }
    by_label(section, "Heads and relations, by relation", &counts);
    let cells = |row: usize| {
        let wrong = errors[row] as usize;
        vec![format!("{} of {}", count(wrong), count(known[row])), percent(wrong as f64 / known[row].max(1) as f64)]
    };
    section.table(worst::table(context, &["wrong tokens", "share"], &worst::largest(&errors), cells));
}
