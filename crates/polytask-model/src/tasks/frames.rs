//! Frames as labels: predicates of sentences, their senses and arguments.

use super::labels::LabelColumn;
use super::{Prediction, TaskError, Truth};
use polytask_data::Values;
use polytask_data::text::{Frame, frames};

/// The frames of every row; none where a row has no label.
pub(crate) type Frames = Vec<Option<Vec<Frame>>>;

/// Reads the column of frames, cut to the tokens that are read.
///
/// # Errors
/// A column of something else, frames that do not fit the tokens, arguments of one predicate that overlap.
pub(crate) fn read(source: &LabelColumn) -> Result<Frames, TaskError> {
    let (mut all, sentences) = (read_whole(source)?, source.sentences()?);
    for (row, frames) in all.iter_mut().enumerate() {
        frames.iter_mut().for_each(|frames| cut(frames, sentences.len(row)));
    }
    Ok(all)
}

/// The same with what lies past those tokens: nothing predicts it, and it counts as missed.
pub(super) fn read_whole(source: &LabelColumn) -> Result<Frames, TaskError> {
    let sentences = source.sentences()?;
    let mut all = Vec::with_capacity(sentences.rows());
    for row in 0..sentences.rows() {
        let bad = |reason: String| TaskError::Tags {
            place: Box::new(source.table.place(row)),
            task: source.task.to_owned(),
            reason,
        };
        let json = match &source.column.values {
            Values::Nested(text) => text.get(row),
            // A table whose lists are all empty.
            Values::List(list) => match list.get(row).map(Iterator::count) {
                None => None,
                Some(0) => Some("[]"),
                Some(_) => return Err(source.not_frames()),
            },
            _ if source.column.is_missing(row) => None,
            _ => return Err(source.not_frames()),
        };
        let Some(json) = json else {
            all.push(None);
            continue;
        };
        let mut own = frames(json, sentences.whole[row] as usize).map_err(bad)?;
        for frame in &mut own {
            frame.arguments.sort_by_key(|argument| argument.first);
            if let Some(pair) = frame.arguments.windows(2).find(|pair| pair[0].last >= pair[1].first) {
                return Err(bad(format!("the arguments {} and {} of a predicate overlap", pair[0].role, pair[1].role)));
            }
        }
        all.push(Some(own));
    }
    Ok(all)
}

/// Leaves out what lies past the tokens that are read.
fn cut(frames: &mut Vec<Frame>, tokens: usize) {
    frames.retain(|frame| frame.predicate < tokens);
    for frame in frames {
        frame.arguments.retain(|argument| argument.first < tokens);
        frame.arguments.iter_mut().for_each(|argument| argument.last = argument.last.min(tokens - 1));
    }
}

/// The frames of training rows.
pub(super) fn of_rows<'a>(frames: &'a Frames, rows: &'a [u32]) -> impl Iterator<Item = (usize, &'a [Frame])> {
    rows.iter().filter_map(|row| Some((*row as usize, frames.get(*row as usize)?.as_deref()?)))
}

/// Rows with labels, each with its predicted frames.
pub(super) fn pairs<'a>(
    truth: &'a Truth,
    prediction: &'a Prediction,
) -> impl Iterator<Item = (&'a [Frame], &'a [Frame])> + Clone {
    let (truth, predicted) = match (truth, prediction) {
        (Truth::Frames(truth), Prediction::Frames(predicted)) => (truth.as_slice(), predicted.as_slice()),
        _ => Default::default(),
    };
    truth.iter().zip(predicted).filter_map(|(truth, predicted)| Some((truth.as_deref()?, predicted.as_slice())))
}
