//! Labelled spans: of tokens, or of a text's characters.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Some neighbouring tokens with a label.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Span {
    /// The first token, from 0.
    pub first: usize,
    /// The last token; itself part of the span.
    pub last: usize,
    /// What the span is.
    pub label: String,
}

/// A span as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextSpan {
    /// Of tokens.
    Tokens(Span),
    /// Of the text's characters (Unicode scalar values) `start..end`.
    Characters {
        /// The first character, from 0.
        start: usize,
        /// One past the last.
        end: usize,
        /// What the span is.
        label: String,
    },
}

/// The spans of a JSON list: `{"start": 4, "end": 9, "label": "city"}` or `[4, 9, "city"]` of characters, the last one
/// left out; `{"first": 1, "last": 2, "label": "city"}` of tokens, the last one included.
///
/// # Errors
/// What is wrong, in words.
pub fn text_spans(json: &str) -> Result<Vec<TextSpan>, String> {
    let value: Value = serde_json::from_str(json).map_err(|e| e.to_string())?;
    let spans = value.as_array().ok_or("spans stand in a list")?;
    spans.iter().map(span).collect()
}

fn span(value: &Value) -> Result<TextSpan, String> {
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).map(|n| n as usize);
    let word = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let (start, end, label, tokens) = match value {
        Value::Array(parts) if parts.len() == 3 => {
            (number(parts.first()), number(parts.get(1)), word(parts.get(2)), false)
        }
        Value::Object(keys) if keys.contains_key("first") => {
            (number(keys.get("first")), number(keys.get("last")), word(keys.get("label")), true)
        }
        Value::Object(keys) => (number(keys.get("start")), number(keys.get("end")), word(keys.get("label")), false),
        _ => (None, None, None, false),
    };
    let (Some(start), Some(end), Some(label)) = (start, end, label) else {
        return Err(format!("{value} is no span"));
    };
    match tokens {
        true if start > end => Err(format!("the span {value} ends before it begins")),
        true => Ok(TextSpan::Tokens(Span { first: start, last: end, label })),
        false if start >= end => Err(format!("the span {value} is empty")),
        false => Ok(TextSpan::Characters { start, end, label }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_characters_and_of_tokens() {
        let json = r#"[{"start": 4, "end": 9, "label": "city"}, [0, 1, "x"], {"first": 1, "last": 1, "label": "y"}]"#;
        let characters = |start, end, label: &str| TextSpan::Characters { start, end, label: label.into() };
        let tokens = TextSpan::Tokens(Span { first: 1, last: 1, label: "y".into() });
        assert_eq!(text_spans(json), Ok(vec![characters(4, 9, "city"), characters(0, 1, "x"), tokens]));
        assert_eq!(text_spans("[]"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_span() {
        for (json, message) in [
            (r#"[[4, 9]]"#, "[4,9] is no span"),
            (r#"[{"start": -1, "end": 2, "label": "x"}]"#, r#"{"end":2,"label":"x","start":-1} is no span"#),
            (r#"[[4, 4, "x"]]"#, r#"the span [4,4,"x"] is empty"#),
            (
                r#"[{"first": 2, "last": 1, "label": "x"}]"#,
                r#"the span {"first":2,"label":"x","last":1} ends before it begins"#,
            ),
            (r#"{"start": 1}"#, "spans stand in a list"),
        ] {
            assert_eq!(text_spans(json), Err(message.to_owned()), "{json}");
        }
    }
}
