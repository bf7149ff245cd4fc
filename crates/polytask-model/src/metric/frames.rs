//! Metrics of predicates, their senses and their arguments.
//!
//! Arguments are scored as `srl-eval` of the CoNLL-2005 task does (Carreras and Marquez 2005): one counts where its role and
//! all its boundaries are right. `C-X` goes on with the last `X` before it, and both are one argument, right only as a whole;
//! a `C-X` without an `X` before it is an `X` of its own. `R-X` is a role like any other. The predicate itself (`V`) is no
//! argument.

use super::{Better, Metrics};
use polytask_data::text::Frame;
use std::collections::{BTreeMap, BTreeSet};

/// Hits, predicted and labelled.
#[derive(Clone, Copy, Default)]
struct Counts([usize; 3]);

impl Counts {
    fn of<T: Ord>(truth: &BTreeSet<T>, predicted: &BTreeSet<T>) -> Self {
        Counts([truth.intersection(predicted).count(), predicted.len(), truth.len()])
    }

    fn add(&mut self, other: Counts) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }

    /// f1, precision and recall; none of them where there was nothing to find and nothing was found.
    fn push(self, metrics: &mut Metrics) {
        let [hits, predicted, labelled] = self.0;
        let share = |part: usize, whole: usize| if whole > 0 { part as f64 / whole as f64 } else { 0.0 };
        let defined = |value: f64| (predicted + labelled > 0).then_some(value);
        metrics.push("f1", Better::Higher, defined(share(2 * hits, predicted + labelled)));
        metrics.push("precision", Better::Higher, defined(share(hits, predicted)));
        metrics.push("recall", Better::Higher, defined(share(hits, labelled)));
    }
}

/// f1, precision and recall of the tokens that are predicates, over rows with labelled and predicted frames.
pub fn predicates<'a>(rows: impl Iterator<Item = (&'a [Frame], &'a [Frame])>) -> Metrics {
    let (mut counts, mut count) = (Counts::default(), 0);
    let places = |frames: &[Frame]| frames.iter().map(|frame| frame.predicate).collect::<BTreeSet<_>>();
    for (truth, predicted) in rows {
        counts.add(Counts::of(&places(truth), &places(predicted)));
        count += 1;
    }
    let mut metrics = Metrics::new(count);
    counts.push(&mut metrics);
    metrics
}

/// accuracy of the senses of the labelled predicates (one that is not predicted is a mistake), and f1, precision and
/// recall of predicates with their senses.
pub fn senses<'a>(rows: impl Iterator<Item = (&'a [Frame], &'a [Frame])>) -> Metrics {
    let (mut counts, mut right, mut known) = (Counts::default(), 0, 0);
    for (truth, predicted) in rows {
        for (truth, predicted) in matched(truth, predicted) {
            let truth = truth.and_then(|frame| frame.roleset.as_deref());
            let found = predicted.and_then(|frame| frame.roleset.as_deref());
            let hit = truth.is_some() && truth == found;
            counts.add(Counts([usize::from(hit), usize::from(found.is_some()), usize::from(truth.is_some())]));
            right += usize::from(hit);
            known += usize::from(truth.is_some());
        }
    }
    let mut metrics = Metrics::new(known);
    metrics.push("accuracy", Better::Higher, (known > 0).then(|| right as f64 / known as f64));
    counts.push(&mut metrics);
    metrics
}

/// f1, precision and recall of arguments, macro_f1 over the roles that are labelled, and exact, the share of the labelled
/// predicates whose arguments are all right. The arguments of a predicate that is not predicted are missed, those of a
/// predicted one that is none are wrong.
pub fn arguments<'a>(rows: impl Iterator<Item = (&'a [Frame], &'a [Frame])>) -> Metrics {
    let mut roles: BTreeMap<&str, Counts> = BTreeMap::new();
    let (mut exact, mut count) = (0, 0);
    for (truth, predicted) in rows {
        for (truth, predicted) in matched(truth, predicted) {
            let labelled = truth.is_some();
            let [truth, predicted] = [truth, predicted].map(|frame| frame.map(whole).unwrap_or_default());
            for argument in truth.union(&predicted) {
                let (there, found) = (truth.contains(argument), predicted.contains(argument));
                let one = [there && found, found, there].map(usize::from);
                roles.entry(argument.0).or_default().add(Counts(one));
            }
            exact += usize::from(labelled && truth == predicted);
            count += usize::from(labelled);
        }
    }
    let mut all = Counts::default();
    roles.values().for_each(|own| all.add(*own));
    let mut metrics = Metrics::new(count);
    all.push(&mut metrics);
    let labelled: Vec<[usize; 3]> = roles.values().map(|own| own.0).filter(|own| own[2] > 0).collect();
    let sum: f64 = labelled.iter().map(|own| 2.0 * own[0] as f64 / (own[1] + own[2]) as f64).sum();
    metrics.push("macro_f1", Better::Higher, (!labelled.is_empty()).then(|| sum / labelled.len() as f64));
    metrics.push("exact", Better::Higher, (count > 0).then(|| exact as f64 / count as f64));
    metrics
}

/// Labelled frames with the predicted ones of the same predicates, and predicted ones that have none. Of several of one
/// token the first belong together.
fn matched<'a>(truth: &'a [Frame], predicted: &'a [Frame]) -> Vec<(Option<&'a Frame>, Option<&'a Frame>)> {
    let mut free: Vec<Option<&Frame>> = predicted.iter().map(Some).collect();
    let mut of = |frame: &'a Frame| {
        let own = free.iter_mut().find(|other| other.is_some_and(|other| other.predicate == frame.predicate));
        (Some(frame), own.and_then(Option::take))
    };
    let mut all: Vec<_> = truth.iter().map(&mut of).collect();
    all.extend(free.into_iter().flatten().map(|frame| (None, Some(frame))));
    all
}

/// The arguments of a frame, each its role with the first and last tokens of its parts.
fn whole(frame: &Frame) -> BTreeSet<(&str, Vec<(usize, usize)>)> {
    let mut in_order: Vec<_> = frame.arguments.iter().filter(|a| !matches!(a.role.as_str(), "V" | "C-V")).collect();
    in_order.sort_by_key(|argument| argument.first);
    let mut all: Vec<(&str, Vec<(usize, usize)>)> = Vec::new();
    for argument in in_order {
        let part = (argument.first, argument.last);
        let goes_on = argument.role.strip_prefix("C-");
        let role = goes_on.unwrap_or(&argument.role);
        match all.iter_mut().rev().find(|(other, _)| *other == role).filter(|_| goes_on.is_some()) {
            Some((_, parts)) => parts.push(part),
            None => all.push((role, vec![part])),
        }
    }
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::{Frame, Metrics};
    use polytask_data::text::frames;

    /// Scores by hand: of frames as JSON, over 20 tokens.
    fn of(score: impl Fn(&[Frame], &[Frame]) -> Metrics, truth: &str, predicted: &str) -> Metrics {
        score(&frames(truth, 20).unwrap(), &frames(predicted, 20).unwrap())
    }

    fn arguments(truth: &[Frame], predicted: &[Frame]) -> Metrics {
        super::arguments(std::iter::once((truth, predicted)))
    }

    fn predicates(truth: &[Frame], predicted: &[Frame]) -> Metrics {
        super::predicates(std::iter::once((truth, predicted)))
    }

    fn senses(truth: &[Frame], predicted: &[Frame]) -> Metrics {
        super::senses(std::iter::once((truth, predicted)))
    }

    fn close(metrics: &Metrics, name: &str, wanted: f64) {
        let got = metrics.value(name).unwrap();
        assert!((got - wanted).abs() < 1e-12, "{name}: {got} instead of {wanted}");
    }

    #[test]
    fn an_argument_in_parts_is_right_as_a_whole() {
        // Three arguments: A0, a discontinuous A1, R-A0. Found: A0, half of A1, R-A0.
        let truth = r#"[{"pred": 3, "args": [["A0", 0, 1], ["A1", 4, 5], ["C-A1", 7, 9], ["R-A0", 11, 11]]}]"#;
        let half = r#"[{"pred": 3, "args": [["A0", 0, 1], ["A1", 4, 5], ["R-A0", 11, 11]]}]"#;
        let scores = of(arguments, truth, half);
        close(&scores, "precision", 2.0 / 3.0);
        close(&scores, "recall", 2.0 / 3.0);
        close(&scores, "exact", 0.0);
        close(&of(arguments, truth, truth), "f1", 1.0);
        // C- without anything to go on with is an argument itself, the same one as without its mark.
        let alone = r#"[{"pred": 3, "args": [["C-A1", 4, 5]]}]"#;
        let plain = r#"[{"pred": 3, "args": [["A1", 4, 5]]}]"#;
        close(&of(arguments, alone, plain), "f1", 1.0);
        // R- does not belong to its role.
        close(
            &of(arguments, r#"[{"pred": 3, "args": [["R-A0", 4, 5]]}]"#, r#"[{"pred": 3, "args": [["A0", 4, 5]]}]"#),
            "f1",
            0.0,
        );
    }

    #[test]
    fn predicates_that_are_not_found_lose_their_arguments() {
        let truth = r#"[{"pred": 3, "args": [["A0", 0, 1], ["A1", 4, 5]]}, {"pred": 8, "args": [["A0", 7, 7]]}]"#;
        let predicted = r#"[{"pred": 3, "args": [["A0", 0, 1]]}, {"pred": 9, "args": [["A0", 7, 7], ["A2", 10, 11]]}]"#;
        let scores = of(arguments, truth, predicted);
        close(&scores, "precision", 1.0 / 3.0);
        close(&scores, "recall", 1.0 / 3.0);
        assert_eq!(scores.n, 2);
        close(&of(predicates, truth, predicted), "f1", 0.5);
        assert_eq!(of(predicates, "[]", "[]").value("f1"), None);
    }

    #[test]
    fn more_found_than_there_are_costs_precision_alone() {
        let truth = r#"[{"pred": 3, "args": [["A0", 0, 1]]}, {"pred": 8, "args": [["A0", 7, 7]]}]"#;
        let predicted = r#"[{"pred": 3, "args": [["A0", 0, 1], ["A1", 4, 5]]}, {"pred": 9, "args": [["A0", 7, 7]]},
                            {"pred": 10, "args": [["A2", 11, 12]]}]"#;
        for (scores, precision, recall, f1) in [
            (of(arguments, truth, predicted), 0.25, 0.5, 1.0 / 3.0),
            (of(predicates, truth, predicted), 1.0 / 3.0, 0.5, 0.4),
        ] {
            close(&scores, "precision", precision);
            close(&scores, "recall", recall);
            close(&scores, "f1", f1);
        }
    }

    #[test]
    fn senses_of_predicates() {
        let truth =
            r#"[{"pred": 1, "roleset": "go.01"}, {"pred": 2, "roleset": "see.01"}, {"pred": 4, "roleset": "be.01"}]"#;
        let predicted = r#"[{"pred": 1, "roleset": "go.01"}, {"pred": 2, "roleset": "see.02"}]"#;
        let scores = of(senses, truth, predicted);
        close(&scores, "accuracy", 1.0 / 3.0);
        close(&scores, "f1", 2.0 / 5.0);
    }
}
