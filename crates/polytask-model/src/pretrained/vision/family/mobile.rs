//! Blocks that EfficientNet, MobileNetV2 and MobileNetV3 are made of: channels are widened, filtered each on its own, maybe
//! multiplied by numbers that their means give, and narrowed again.

use crate::pretrained::CheckpointError;
use crate::pretrained::vision::tensors::{Reader, Sees};
use crate::pretrained::vision::{Block, Conv, Shortcut, Squeeze};
use polytask_graph::Activation;

/// What all convolutions of an encoder have in common.
#[derive(Clone, Copy)]
pub(super) struct Style {
    /// What norms add to the variance.
    pub epsilon: f64,
    /// Whether the edges are padded as TensorFlow does it.
    pub tensorflow: bool,
    /// Of the two layers of a gate.
    pub gate: [Activation; 2],
}

/// Where the tensors of a block are: each convolution with its norm, and the two layers of a gate.
pub(super) struct Parts {
    pub widen: Option<[String; 2]>,
    pub filter: [String; 2],
    pub gate: Option<[String; 2]>,
    pub narrow: [String; 2],
}

impl Style {
    /// A convolution and its norm.
    pub(super) fn conv(
        &self,
        r: &mut Reader<'_>,
        from: &[String; 2],
        to: &str,
        (inputs, stride): (usize, usize),
        sees: Sees,
        activation: Activation,
    ) -> Result<Conv, CheckpointError> {
        let filters = r.conv(from.each_ref().map(String::as_str), to, inputs, sees, self.epsilon)?;
        let (size, groups, channels) = (filters.size, filters.groups, filters.channels);
        Ok(Conv { size, stride, groups, channels, tensorflow: self.tensorflow, activation })
    }

    /// A block on `inputs` channels, and how many it gives.
    pub(super) fn block(
        &self,
        r: &mut Reader<'_>,
        parts: &Parts,
        to: &str,
        (inputs, stride): (usize, usize),
        activation: Activation,
    ) -> Result<(Block, usize), CheckpointError> {
        let (mut convs, mut width) = (Vec::new(), inputs);
        let mut next = |r: &mut Reader<'_>, from: &[String; 2], inputs, stride, sees, activation| {
            let conv = self.conv(r, from, &format!("{to}.{}", convs.len()), (inputs, stride), sees, activation)?;
            convs.push(conv);
            Ok::<usize, CheckpointError>(conv.channels)
        };
        if let Some(from) = &parts.widen {
            width = next(r, from, width, 1, Sees::All, activation)?;
        }
        width = next(r, &parts.filter, width, stride, Sees::Own, activation)?;
        let after = 1 + usize::from(parts.widen.is_some());
        let gate = match &parts.gate {
            Some([reduce, expand]) => {
                let hidden = r.dims(&format!("{reduce}.weight")).and_then(|dims| dims.first().copied());
                let hidden = hidden.unwrap_or(1).max(1);
                r.dense(&[reduce], &format!("{to}.squeeze"), [width, hidden], None)?;
                r.dense(&[expand], &format!("{to}.excite"), [hidden, width], None)?;
                Some(Squeeze { after, hidden, inner: self.gate[0], outer: self.gate[1] })
            }
            None => None,
        };
        width = next(r, &parts.narrow, width, 1, Sees::All, Activation::Linear)?;
        let shortcut = if stride == 1 && width == inputs { Shortcut::Same } else { Shortcut::None };
        Ok((Block::Residual { convs, gate, shortcut, activation: Activation::Linear }, width))
    }
}
