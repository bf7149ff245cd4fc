//! Spans of tokens in their text.

use polytask::Error;
use polytask::encode::Sentences;
use polytask::model::Model;
use polytask_data::text::{Characters, Span};
use polytask_data::{Column, Table};
use serde_json::{Value, json};
use std::ops::Range;

/// The text whose tokens are labelled, where there is one.
pub(super) struct Tokens<'a>(Option<(&'a Column, Sentences)>);

impl<'a> Tokens<'a> {
    pub(super) fn read(model: &Model, table: &'a Table) -> Result<Self, Error> {
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
            json!({ "label": span.label, "start": start, "end": end, "text": text.get(place).unwrap_or_default() })
        };
        spans.iter().zip(places).map(of).collect()
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
