//! Spans of tokens in their text.

use crate::Error;
use crate::inputs::Sentences;
use crate::model::Model;
use polytask_data::text::{Argument, Characters, Frame, Span};
use polytask_data::{Column, Table};
use serde_json::{Value, json};
use std::ops::Range;

/// The text whose tokens are labelled, where there is one.
pub struct Tokens<'a>(Option<(&'a Column, Sentences)>);

impl<'a> Tokens<'a> {
    /// No text.
    pub fn none() -> Self {
        Tokens(None)
    }

    /// The text of a table, where the model labels the tokens of one.
    ///
    /// # Errors
    /// A column that is not there or holds no texts.
    pub fn read(model: &Model, table: &'a Table) -> Result<Self, Error> {
        let Some(name) = &model.encoder.tokens else { return Ok(Tokens(None)) };
        let column = table.column(model.encoder.text_column(name, table));
        let sentences = model.encoder.texts(table)?.remove(name);
        Ok(Tokens(column.zip(sentences)))
    }

    /// The text of a row, and the bytes of each span in it.
    fn places(&self, row: usize, spans: &[Span]) -> (String, Vec<Range<usize>>) {
        let Some((column, sentences)) = &self.0 else { return Default::default() };
        let own = sentences.places.get(sentences.tokens(row)).unwrap_or_default();
        let byte = |span: &Span| match (own.get(span.first), own.get(span.last)) {
            (Some(first), Some(last)) => first.start as usize..last.end as usize,
            _ => 0..0,
        };
        (column.shown(row).unwrap_or_default(), spans.iter().map(byte).collect())
    }

    /// `[{"label": "time", "start": 11, "end": 15, "text": "nine"}]`, places in characters, the end one past the last.
    pub(super) fn spans(&self, row: usize, spans: &[Span]) -> Value {
        let (text, places) = self.places(row, spans);
        let characters = Characters::new(&text);
        let of = |(span, place): (&Span, Range<usize>)| {
            let (start, end) = (characters.at(place.start), characters.at(place.end));
            let mut value = json!({ "start": start, "end": end, "text": text.get(place).unwrap_or_default() });
            if !span.label.is_empty() {
                value["label"] = json!(span.label);
            }
            value
        };
        spans.iter().zip(places).map(of).collect()
    }

    /// `[{"predicate": {"start": 8, "end": 11, "text": "sat"}, "sense": "sit.01", "arguments": [{"label": "ARG1", ...}]}]`
    pub(super) fn frames(&self, row: usize, frames: &[Frame]) -> Value {
        let of = |frame: &Frame| {
            let predicate = self.spans(row, &[predicate(frame, "")]);
            let mut value = json!({ "predicate": predicate[0] });
            if let Some(sense) = &frame.roleset {
                value["sense"] = json!(sense);
            }
            let arguments: Vec<Span> = frame.arguments.iter().map(argument).collect();
            if !arguments.is_empty() {
                value["arguments"] = self.spans(row, &arguments);
            }
            value
        };
        frames.iter().map(of).collect()
    }

    /// `[the cat](ARG1) [sat](V) [on the mat](ARG2)`, a predicate after the other with ` | ` between them; `V:sit.01` with
    /// a sense.
    pub(super) fn inline_frames(&self, row: usize, frames: &[Frame]) -> String {
        let of = |frame: &Frame| {
            let mark = frame.roleset.as_ref().map_or_else(|| "V".to_owned(), |sense| format!("V:{sense}"));
            let mut spans: Vec<Span> = frame.arguments.iter().map(argument).collect();
            // A predicate within an argument cannot be marked as well.
            if !spans.iter().any(|span| (span.first..=span.last).contains(&frame.predicate)) {
                spans.push(predicate(frame, &mark));
            }
            spans.sort();
            self.inline(row, &spans)
        };
        frames.iter().map(of).collect::<Vec<_>>().join(" | ")
    }

    /// `wake me at [nine](time)`
    pub(super) fn inline(&self, row: usize, spans: &[Span]) -> String {
        let (text, places) = self.places(row, spans);
        let (mut inline, mut done) = (String::new(), 0);
        for (span, place) in spans.iter().zip(places) {
            let (before, own) = (text.get(done..place.start), text.get(place.clone()));
            inline.push_str(before.unwrap_or_default());
            inline.push_str(&format!("[{}]({})", own.unwrap_or_default(), span.label));
            done = place.end;
        }
        inline.push_str(text.get(done..).unwrap_or_default());
        inline
    }
}

fn argument(argument: &Argument) -> Span {
    Span { first: argument.first, last: argument.last, label: argument.role.clone() }
}

fn predicate(frame: &Frame, label: &str) -> Span {
    Span { first: frame.predicate, last: frame.predicate, label: label.to_owned() }
}
