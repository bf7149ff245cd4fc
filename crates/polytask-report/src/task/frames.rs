//! Predicates, their senses, their arguments.

use super::{Context, worst};
use crate::block::Section;
use crate::number::count;
use crate::task::spans::by_label;
use polytask::tasks::Kind;
use polytask_data::text::{Argument, Frame};
use std::collections::{BTreeMap, BTreeSet};

/// What a task says of a sentence: a label, and where it stands.
type Said<'a> = (&'a str, [usize; 3]);

pub fn details(section: &mut Section, context: &Context<'_>, truth: &[Option<Vec<Frame>>], predicted: &[Vec<Frame>]) {
    let kind = &context.task.kind;
    // By label: hits, predicted, labelled.
    let mut labels: BTreeMap<&str, [usize; 3]> = BTreeMap::new();
    let mut errors = vec![0.0; truth.len()];
    for (row, (truth, predicted)) in truth.iter().zip(predicted).enumerate() {
        let Some(truth) = truth else { continue };
        let (right, guessed) = (said(kind, truth), said(kind, predicted));
        for item in &right {
            labels.entry(item.0).or_default()[2] += 1;
        }
        for item in &guessed {
            let own = labels.entry(item.0).or_default();
            own[1] += 1;
            own[0] += usize::from(right.contains(item));
        }
        errors[row] = right.symmetric_difference(&guessed).count() as f64;
    }
    let (roles, senses) = (matches!(kind, Kind::Roles(_)), matches!(kind, Kind::Senses(_)));
    let title = match (roles, senses) {
        (true, _) => "Arguments by role",
        (false, true) => "Predicates by sense",
        (false, false) => "Predicates",
    };
    by_label(section, title, &labels);
    let shown = |frames: &[Frame]| {
        let one = |(label, [predicate, first, last]): &Said<'_>| match roles {
            true => format!("{label} {}\u{2013}{} of {}", first + 1, last + 1, predicate + 1),
            false => format!("{label} {}", predicate + 1),
        };
        said(kind, frames).iter().map(one).collect::<Vec<_>>().join(", ")
    };
    let cells = |row: usize| {
        let was = truth[row].as_deref().map_or(String::new(), shown);
        vec![was, shown(&predicted[row]), count(errors[row] as usize)]
    };
    let header = ["labelled (label, tokens)", "predicted", "wrong or missed"];
    section.table(worst::table(context, &header, &worst::largest(&errors), cells));
}

/// What a kind of task says in some frames.
fn said<'a>(kind: &Kind, frames: &'a [Frame]) -> BTreeSet<Said<'a>> {
    let mut all = BTreeSet::new();
    for frame in frames {
        let at = frame.predicate;
        if matches!(kind, Kind::Roles(_)) {
            let one = |argument: &'a Argument| (argument.role.as_str(), [at, argument.first, argument.last]);
            all.extend(frame.arguments.iter().map(one));
        } else if matches!(kind, Kind::Senses(_)) {
            all.extend(frame.roleset.as_deref().map(|sense| (sense, [at, 0, 0])));
        } else {
            all.insert(("predicate", [at, 0, 0]));
        }
    }
    all
}
