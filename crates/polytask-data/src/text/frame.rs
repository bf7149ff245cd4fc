//! Frames: a predicate and its arguments.

use serde::{Deserialize, Serialize};

/// A predicate of a sentence with its arguments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// The predicate's token, from 0.
    #[serde(rename = "pred", alias = "predicate")]
    pub predicate: usize,
    /// Its lemma, for example `get`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lemma: Option<String>,
    /// Its sense, for example `get.01`.
    #[serde(default, alias = "sense", skip_serializing_if = "Option::is_none")]
    pub roleset: Option<String>,
    /// What is said of whom.
    #[serde(default, rename = "args", alias = "arguments")]
    pub arguments: Vec<Argument>,
}

/// An argument: role, first and last token, the last one included. Written `["ARG0", 2, 4]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "(String, usize, usize)")]
pub struct Argument {
    /// What it is to the predicate.
    pub role: String,
    /// The first token, from 0.
    pub first: usize,
    /// The last token; itself part of the argument.
    pub last: usize,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Triple(String, usize, usize),
    Object { role: String, first: usize, last: usize },
}

impl From<Written> for Argument {
    fn from(written: Written) -> Self {
        match written {
            Written::Triple(role, first, last) | Written::Object { role, first, last } => {
                Argument { role, first, last }
            }
        }
    }
}

impl From<Argument> for (String, usize, usize) {
    fn from(argument: Argument) -> Self {
        (argument.role, argument.first, argument.last)
    }
}

/// The frames of a sentence of this many tokens from their JSON:
/// `[{"pred": 1, "roleset": "see.01", "args": [["ARG0", 0, 0], ["ARG1", 2, 4]]}]`. Other keys are passed over.
///
/// # Errors
/// What is wrong, in words: no list of frames, or a place outside of the sentence.
pub fn frames(json: &str, tokens: usize) -> Result<Vec<Frame>, String> {
    let frames: Vec<Frame> = serde_json::from_str(json).map_err(|error| {
        let message = error.to_string();
        format!("no list of frames: {}", message.split(" at line ").next().unwrap_or_default())
    })?;
    for frame in &frames {
        if frame.predicate >= tokens {
            return Err(format!("the predicate stands at token {}, of {tokens} counted from 0", frame.predicate));
        }
        for argument in &frame.arguments {
            let Argument { role, first, last } = argument;
            if first > last || *last >= tokens {
                return Err(format!("{role} stands at tokens {first} to {last}, of {tokens} counted from 0"));
            }
        }
    }
    Ok(frames)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_read_and_written() {
        let json =
            r#"[{"pred":1,"lemma":"see","roleset":"see.01","args":[["ARG0",0,0],["ARG1",2,4]]},{"predicate":3}]"#;
        let read = frames(json, 5).unwrap();
        let argument = |role: &str, first, last| Argument { role: role.into(), first, last };
        assert_eq!(read[0].arguments, [argument("ARG0", 0, 0), argument("ARG1", 2, 4)]);
        assert_eq!((read[0].predicate, read[0].roleset.as_deref()), (1, Some("see.01")));
        assert_eq!(read[0].lemma.as_deref(), Some("see"));
        assert_eq!(read[1], Frame { predicate: 3, lemma: None, roleset: None, arguments: vec![] });
        let again = serde_json::to_string(&read).unwrap();
        assert_eq!(frames(&again, 5).unwrap(), read);
        let objects = r#"[{"pred": 0, "args": [{"role": "ARG1", "first": 1, "last": 1}]}]"#;
        assert_eq!(frames(objects, 2).unwrap()[0].arguments, [argument("ARG1", 1, 1)]);
    }

    #[test]
    fn places_outside_of_the_sentence() {
        let error = |json| frames(json, 3).unwrap_err();
        assert_eq!(error(r#"[{"pred": 3}]"#), "the predicate stands at token 3, of 3 counted from 0");
        let far = error(r#"[{"pred": 0, "args": [["A0", 2, 3]]}]"#);
        assert_eq!(far, "A0 stands at tokens 2 to 3, of 3 counted from 0");
        assert!(frames(r#"[{"pred": 0, "args": [["A0", 2, 1]]}]"#, 3).is_err());
        assert!(error(r#"{"pred": 0}"#).starts_with("no list of frames: "));
    }
}
