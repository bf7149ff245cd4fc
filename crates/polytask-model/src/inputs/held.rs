//! The pretrained encoders that a model directory holds beside its parameters, or names: those that learn nothing.

use super::image::View;
use super::text::Context;
use super::{Code, Encoder};
use crate::files::Array;
use std::collections::HashMap;

/// A pretrained encoder.
pub(crate) enum Held<'a> {
    /// Of texts.
    Text(&'a Context),
    /// Of images.
    Image(&'a View),
}

/// The same to be changed.
pub(crate) enum HeldMut<'a> {
    /// Of texts.
    Text(&'a mut Context),
    /// Of images.
    Image(&'a mut View),
}

impl<'a> Held<'a> {
    /// The weights as arrays of a file, each name behind `prefix`; nothing of one that is named.
    pub(crate) fn store(self, prefix: &str, arrays: &mut Vec<Array<'a>>) {
        match self {
            Held::Text(Context { link: Some(_), .. }) | Held::Image(View { link: Some(_), .. }) => {}
            Held::Text(context) => context.checkpoint.store(prefix, arrays),
            Held::Image(view) => view.checkpoint.store(prefix, arrays),
        }
    }
}

impl HeldMut<'_> {
    /// Takes the weights out of the arrays of a file, or from where the encoder lies that is named.
    pub(crate) fn load(self, prefix: &str, arrays: &mut HashMap<String, Array<'static>>) -> Result<(), String> {
        match self {
            HeldMut::Text(context) => match &context.link {
                None => context.checkpoint.restore(prefix, arrays),
                Some(link) => context.checkpoint.follow(link),
            },
            HeldMut::Image(view) => match &view.link {
                None => view.checkpoint.restore(prefix, arrays),
                Some(link) => view.checkpoint.follow(link),
            },
        }
    }
}

/// What the arrays of the pretrained encoder of input `i` begin with.
fn name(i: usize) -> String {
    format!("inputs.{i}.encoder")
}

impl Encoder {
    /// The pretrained encoders that a model must hold, with a name for each.
    pub(crate) fn held(&self) -> impl Iterator<Item = (String, Held<'_>)> {
        self.inputs.iter().enumerate().filter_map(|(i, input)| {
            let held = match &input.code {
                Code::Encoded(encoded) => Some(Held::Text(&encoded.context)),
                Code::Text(text) => text.context.as_ref().filter(|context| context.train.is_frozen()).map(Held::Text),
                Code::Seen(seen) => seen.view().map(Held::Image),
                Code::Number(_)
                | Code::Boolean(_)
                | Code::Category(_)
                | Code::Date(_)
                | Code::Image(_)
                | Code::Own(_) => None,
            };
            Some((name(i), held?))
        })
    }

    /// The same to be changed.
    pub(crate) fn held_mut(&mut self) -> impl Iterator<Item = (String, HeldMut<'_>)> {
        self.inputs.iter_mut().enumerate().filter_map(|(i, input)| {
            let held = match &mut input.code {
                Code::Encoded(encoded) => Some(HeldMut::Text(&mut encoded.context)),
                Code::Text(text) => {
                    text.context.as_mut().filter(|context| context.train.is_frozen()).map(HeldMut::Text)
                }
                Code::Seen(seen) => seen.view_mut().map(HeldMut::Image),
                Code::Number(_)
                | Code::Boolean(_)
                | Code::Category(_)
                | Code::Date(_)
                | Code::Image(_)
                | Code::Own(_) => None,
            };
            Some((name(i), held?))
        })
    }
}
