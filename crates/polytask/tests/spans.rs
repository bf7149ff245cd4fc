//! Scores of spans against seqeval (`fixtures/spans.py`).

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use polytask::metric::spans::metrics;
use polytask_data::text::{Span, bio_spans};
use serde_json::Value;

fn spans(all: &Value) -> Vec<Vec<Span>> {
    let of = |tags: &Value| bio_spans(tags.as_array().unwrap().iter().map(|tag| tag.as_str().unwrap())).unwrap().0;
    all.as_array().unwrap().iter().map(of).collect()
}

#[test]
fn scores_are_those_of_seqeval() {
    let fixture: Value = serde_json::from_str(include_str!("fixtures/spans.json")).unwrap();
    let (truth, predicted) = (spans(&fixture["truth"]), spans(&fixture["predicted"]));
    let scores = metrics(truth.iter().map(Vec::as_slice).zip(predicted.iter().map(Vec::as_slice)));
    for name in ["f1", "precision", "recall", "macro_f1"] {
        let (got, wanted) = (scores.value(name).unwrap(), fixture[name].as_f64().unwrap());
        assert!((got - wanted).abs() < 1e-12, "{name}: {got} instead of {wanted}");
    }
    // seqeval counts a sentence by its tags, this metric by its spans: a tag that says the same otherwise is no mistake.
    assert!(scores.value("exact").unwrap() >= fixture["exact"].as_f64().unwrap());
    assert_eq!(scores.n, truth.len());
}

#[test]
fn scores_where_nothing_is_to_be_found() {
    let span = Span { first: 0, last: 1, label: "a".into() };
    let one = std::slice::from_ref(&span);
    let of = |truth: &[Span], predicted: &[Span]| metrics(std::iter::once((truth, predicted)));
    assert_eq!(of(&[], &[]).value("f1"), None);
    assert_eq!(of(&[], &[]).value("exact"), Some(1.0));
    let missed = of(one, &[]);
    assert_eq!([missed.value("f1"), missed.value("precision"), missed.value("recall")], [Some(0.0); 3]);
    assert_eq!(of(one, one).value("f1"), Some(1.0));
}
