//! Labelled spans of tokens, such as names or slots.

use super::bio::{OUTSIDE, TagSet};
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, Site, TaskError};
use crate::inputs::Sentences;
use crate::metric::{Better, Metrics, spans};
use crate::section::{TaskConfig, TaskLoss};
use polytask_data::text::{Characters, Span, TextSpan, bio_spans, text_spans};
use polytask_data::{Hint, Values};
use polytask_exec::TaskOutput;
use polytask_graph::{GraphBuilder, LossKind, NodeId};
use serde::{Deserialize, Serialize};

/// Predicts a tag for every token: outside of all spans, the first token of a span of each label, or a further one. The
/// best well-formed sequence of tags is decoded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Tags {
    /// What the tags are.
    #[serde(flatten)]
    pub set: TagSet,
    /// Whether a span that goes on without having begun is an error.
    pub strict: bool,
}

/// The spans of every row, and how many never began.
struct Read {
    spans: Vec<Option<Vec<Span>>>,
    repaired: usize,
    /// Spans of characters that begin or end within a token.
    widened: usize,
}

impl Tags {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let strict = config.strict.unwrap_or(false);
        let sentences = source.sentences()?;
        let read = read(source, sentences, strict)?;
        let seen: Vec<(usize, Vec<Span>)> = rows
            .iter()
            .filter_map(|row| {
                let (mut spans, tokens) = (read.spans.get(*row as usize)?.clone()?, sentences.len(*row as usize));
                cut(&mut spans, tokens);
                Some((tokens, spans))
            })
            .collect();
        let sequences = seen.iter().map(|(tokens, spans)| (*tokens, spans.as_slice()));
        Ok(Tags { set: TagSet::fit(source, config, TaskLoss::Softmax, sequences)?, strict })
    }
}

impl Outcome for Tags {
    fn width(&self) -> usize {
        self.set.width()
    }

    fn loss(&self) -> LossKind {
        LossKind::CrossEntropy
    }

    fn attach(&self, g: &mut GraphBuilder, site: &Site<'_>, output: NodeId) {
        self.set.attach(g, site, output);
    }

    fn initial_bias(&self) -> Vec<f32> {
        self.set.initial_bias()
    }

    fn hint(&self) -> Hint {
        Hint::Text
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let sentences = source.sentences()?;
        let read = read(source, sentences, self.strict)?;
        let index = self.set.index();
        let mut target = vec![OUTSIDE; sentences.codes.len()];
        let mut weights = vec![0.0; target.len()];
        for (row, spans) in read.spans.iter().enumerate() {
            let (Some(spans), own) = (spans, sentences.tokens(row)) else { continue };
            self.set.write(&index, spans, &mut target[own.clone()], &mut weights[own]);
        }
        let mut labels = Labels::new(Target::Class(target), Truth::Spans(read.spans), weights);
        labels.elements = Some(sentences.offsets.clone());
        let task = source.task;
        if read.repaired > 0 {
            let count = read.repaired;
            labels.notes.push(format!(
                "task `{task}`: {count} span(s) go on (`I-`) without having begun (`B-`); they begin there"
            ));
        }
        if read.widened > 0 {
            let count = read.widened;
            labels
                .notes
                .push(format!("task `{task}`: {count} span(s) begin or end within a token, which they take whole"));
        }
        Ok(labels)
    }

    fn predict(&self, output: &TaskOutput, _: &Layout) -> Prediction {
        let decode = self.set.decoder(output);
        let scores = &output.prediction;
        Prediction::Spans((0..scores.rows()).map(|row| decode(scores.of(row))).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Spans(vec![Vec::new(); rows])
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        let (Truth::Spans(truth), Prediction::Spans(predicted)) = (truth, prediction) else {
            return Metrics::default();
        };
        let pairs = truth.iter().zip(predicted).filter_map(|(t, p)| Some((t.as_deref()?, p.as_slice())));
        spans::metrics(pairs)
    }

    fn primary(&self) -> (&'static str, Better) {
        ("f1", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        self.set.check()
    }
}

/// The spans of every row, those past the tokens that are read among them: nothing predicts them, and they count as missed.
fn read(source: &LabelColumn, sentences: &Sentences, strict: bool) -> Result<Read, TaskError> {
    let mut all = Read { spans: Vec::with_capacity(sentences.rows()), repaired: 0, widened: 0 };
    for row in 0..sentences.rows() {
        let bad = |reason: String| TaskError::Tags {
            place: Box::new(source.table.place(row)),
            task: source.task.to_owned(),
            reason,
        };
        let whole = sentences.whole[row] as usize;
        let tags: Option<Vec<&str>> = match &source.column.values {
            Values::List(list) => list.get(row).map(|tags| tags.map(|tag| tag.unwrap_or("O")).collect()),
            Values::Text(text) => text.get(row).map(|tags| tags.split_whitespace().collect()),
            Values::Nested(text) => {
                let spans = text.get(row).map(|json| token_spans(source, sentences, row, json, &mut all.widened));
                all.spans.push(spans.transpose().map_err(bad)?);
                continue;
            }
            Values::Number(_) | Values::Images(_) => return Err(source.not_lists()),
        };
        let Some(tags) = tags else {
            all.spans.push(None);
            continue;
        };
        if tags.len() != whole {
            return Err(bad(format!("{} tags for {whole} tokens", tags.len())));
        }
        let (spans, repaired) = bio_spans(tags.iter().copied()).map_err(|error| {
            bad(format!(
                "`{}` at token {} is no tag; tags are `O`, `B-label` and `I-label`",
                error.tag,
                error.token + 1
            ))
        })?;
        if let Some(token) = repaired.first().filter(|_| strict) {
            let tag = tags.get(*token).copied().unwrap_or_default();
            return Err(bad(format!("`{tag}` at token {} goes on with a span that never began", token + 1)));
        }
        all.repaired += repaired.len();
        all.spans.push(Some(spans));
    }
    Ok(all)
}

/// Leaves out what lies past the tokens that are read.
fn cut(spans: &mut Vec<Span>, tokens: usize) {
    spans.retain(|span| span.first < tokens);
    spans.iter_mut().for_each(|span| span.last = span.last.min(tokens - 1));
}

/// The spans of a row from their JSON, in order.
fn token_spans(
    source: &LabelColumn,
    sentences: &Sentences,
    row: usize,
    json: &str,
    widened: &mut usize,
) -> Result<Vec<Span>, String> {
    let text = source.text_of(row);
    let characters = Characters::new(&text);
    let places = sentences.places.get(sentences.tokens(row)).unwrap_or_default();
    let (mut spans, tokens, mut past) = (Vec::new(), sentences.len(row), 0);
    let is_cut = tokens < sentences.whole[row] as usize;
    for span in text_spans(json)? {
        match span {
            TextSpan::Tokens(span) if span.last >= sentences.whole[row] as usize => {
                return Err(format!("a span ends at token {} of {}, counted from 0", span.last, sentences.whole[row]));
            }
            TextSpan::Tokens(span) => spans.push(span),
            TextSpan::Characters { start, end, label } => {
                let (Some(from), Some(to)) = (characters.byte(start), characters.byte(end)) else {
                    let all = characters.at(text.len());
                    return Err(format!("a span ends at character {end} of {all}"));
                };
                let touches = |place: &std::ops::Range<u32>| (place.start as usize) < to && place.end as usize > from;
                let beyond = is_cut && places.last().is_none_or(|last| to > last.end as usize);
                // Where the tokens past the cut are is not known; that the span is there is.
                past += usize::from(beyond);
                let Some(first) = places.iter().position(touches) else {
                    if beyond {
                        spans.push(Span { first: tokens + past, last: tokens + past, label });
                    }
                    continue;
                };
                let last = places.iter().rposition(touches).unwrap_or(first);
                let exact = places[first].start as usize == from && places[last].end as usize == to;
                *widened += usize::from(!exact && !beyond);
                spans.push(Span { first, last: if beyond { tokens } else { last }, label });
            }
        }
    }
    spans.sort();
    if let Some(pair) = spans.windows(2).find(|pair| pair[0].last >= pair[1].first) {
        return Err(format!("the spans of `{}` and `{}` overlap", pair[0].label, pair[1].label));
    }
    Ok(spans)
}
