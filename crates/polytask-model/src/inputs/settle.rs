//! Texts and images as fixed vectors, once it is known which of them become such.

use super::{Code, EncodeError, Encoded, Encoder, Galleries, Input, InputColumn, Seen, Text};
use crate::section::InputKind;
use polytask_data::Table;

impl Encoder {
    /// Which text is read token by token, `tokens`, is known now: the others that a pretrained encoder reads which learns nothing,
    /// and images, become fixed vectors, whose scales are fitted on the training rows. Gives what is to be said of it.
    ///
    /// # Errors
    /// A text or an image that cannot be encoded.
    pub(crate) fn settle(
        self,
        tokens: Option<String>,
        table: &Table,
        rows: &[u32],
        galleries: &Galleries,
    ) -> Result<(Self, Vec<String>), EncodeError> {
        let (mut inputs, mut said) = (Vec::with_capacity(self.inputs.len()), Vec::new());
        for Input { column, code } in self.inputs {
            let text = match code {
                Code::Image(image) if image.is_frozen() => {
                    let source = InputColumn::find(&column, Some(InputKind::Image), table)?;
                    let gallery = galleries.get(&column).ok_or_else(|| source.all_missing())?;
                    let (seen, notes) = Seen::fit(image, &source, gallery, rows)?;
                    said.extend(notes);
                    inputs.push(Input { column, code: Code::Seen(seen) });
                    continue;
                }
                Code::Text(text) if tokens.as_ref() != Some(&column) => text,
                code @ (Code::Number(_)
                | Code::Boolean(_)
                | Code::Category(_)
                | Code::Date(_)
                | Code::Text(_)
                | Code::Encoded(_)
                | Code::Image(_)
                | Code::Seen(_)
                | Code::Own(_)) => {
                    inputs.push(Input { column, code });
                    continue;
                }
            };
            let frozen = text.context.as_ref().filter(|context| context.train.is_frozen()).cloned();
            let Some(context) = frozen else {
                inputs.push(Input { column, code: Code::Text(text) });
                continue;
            };
            let (words, source) =
                (context.words == Some(true), InputColumn::find(&column, Some(InputKind::Text), table)?);
            let (encoded, notes) = Encoded::fit(context, &source, rows)?;
            said.extend(notes);
            inputs.push(Input { column: column.clone(), code: Code::Encoded(encoded) });
            if words {
                inputs.push(Input { column, code: Code::Text(Text { context: None, ..text }) });
            }
        }
        Ok((Encoder { inputs, tokens }, said))
    }
}
