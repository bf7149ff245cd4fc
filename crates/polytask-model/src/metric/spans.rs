//! Metrics of labelled spans: a span counts where first token, last token and label are right, as in the CoNLL tasks.

use super::{Better, Metrics};
use polytask_data::text::Span;
use std::collections::{BTreeMap, BTreeSet};

/// precision, recall and f1 over all spans together (micro), macro_f1 over the labels, and exact, the share of rows whose
/// spans are all right. A row has labelled and predicted spans. Where nothing is predicted precision is 0, where nothing
/// is labelled recall is 0, as in conlleval and seqeval.
pub fn metrics<'a>(rows: impl Iterator<Item = (&'a [Span], &'a [Span])>) -> Metrics {
    // By label: hits, predicted, labelled.
    let mut labels: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let (mut count, mut exact) = (0, 0);
    for (truth, predicted) in rows {
        let right: BTreeSet<&Span> = truth.iter().collect();
        let guessed: BTreeSet<&Span> = predicted.iter().collect();
        for span in &right {
            labels.entry(&span.label).or_default()[2] += 1;
        }
        for span in &guessed {
            let own = labels.entry(&span.label).or_default();
            own[1] += 1;
            own[0] += usize::from(right.contains(span));
        }
        count += 1;
        exact += usize::from(right == guessed);
    }
    let share = |part: usize, whole: usize| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
    // F1 = 2 tp / (predicted + labelled)
    let f1 = |[hits, predicted, labelled]: [usize; 3]| share(2 * hits, predicted + labelled);
    let sum = labels.values().fold([0; 3], |sum, own| [sum[0] + own[0], sum[1] + own[1], sum[2] + own[2]]);
    let mut metrics = Metrics::new(count);
    let defined = |value: f64| (sum[1] + sum[2] > 0).then_some(value);
    metrics.push("f1", Better::Higher, defined(f1(sum)));
    metrics.push("precision", Better::Higher, defined(share(sum[0], sum[1])));
    metrics.push("recall", Better::Higher, defined(share(sum[0], sum[2])));
    let mean = labels.values().map(|own| f1(*own)).sum::<f64>() / labels.len().max(1) as f64;
    metrics.push("macro_f1", Better::Higher, defined(mean));
    metrics.push("exact", Better::Higher, (count > 0).then(|| share(exact, count)));
    metrics
}
