//! EfficientNet, EfficientNet-Lite, MobileNetV2 and MobileNetV3 with the names of timm. Blocks, widths and filters are read off
//! the tensors; strides and activations are those of the architecture.

use super::mobile::{Parts, Style};
use crate::pretrained::CheckpointError;
use crate::pretrained::vision::tensors::{Reader, Sees};
use crate::pretrained::vision::{Block, Body, VisionFamily};
use polytask_graph::Activation;

/// What an architecture's name says of it.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    pub family: VisionFamily,
    /// Of the first block of each stage.
    strides: &'static [usize],
    /// Stages from this one on have the activation, those before have relu.
    rectified: usize,
    activation: Activation,
    gate: [Activation; 2],
    /// Weights that came from TensorFlow.
    tensorflow: bool,
}

pub(super) const FIRST: &str = "conv_stem.weight";

const STRIDES: &[usize] = &[1, 2, 2, 2, 1, 2, 1];
const SMALL: &[usize] = &[2, 2, 2, 1, 2, 1];

/// Of an architecture; none of one that is not of these families.
pub(super) fn kind(architecture: &str) -> Option<Kind> {
    let (tensorflow, word) = match architecture.strip_prefix("tf_") {
        Some(word) => (true, word),
        None => (false, architecture),
    };
    let kind = |family, strides, rectified, activation, gate| {
        Some(Kind { family, strides, rectified, activation, gate, tensorflow })
    };
    let hard = [Activation::Relu, Activation::HardSigmoid];
    let soft = [Activation::Silu, Activation::Sigmoid];
    let is = |start: &str| word.starts_with(start) && !word.contains("minimal");
    if is("efficientnet_lite") {
        kind(VisionFamily::Efficientnet, STRIDES, 0, Activation::Relu6, soft)
    } else if is("efficientnet_b") {
        kind(VisionFamily::Efficientnet, STRIDES, 0, Activation::Silu, soft)
    } else if is("mobilenetv2_") {
        kind(VisionFamily::MobilenetV2, STRIDES, 0, Activation::Relu6, hard)
    } else if is("mobilenetv3_large") {
        kind(VisionFamily::MobilenetV3, STRIDES, 3, Activation::HardSwish, hard)
    } else if is("mobilenetv3_small") {
        kind(VisionFamily::MobilenetV3, SMALL, 2, Activation::HardSwish, hard)
    } else {
        None
    }
}

pub(super) fn read(r: &mut Reader<'_>, kind: Kind, channels: usize) -> Result<(Body, usize), CheckpointError> {
    let epsilon = if kind.tensorflow { 1e-3 } else { 1e-5 };
    let style = Style { epsilon, tensorflow: kind.tensorflow, gate: kind.gate };
    let pair = |weight: &str, norm: &str| [weight.to_owned(), norm.to_owned()];
    let stem = style.conv(r, &pair("conv_stem", "bn1"), ".0.0", (channels, 2), Sees::All, kind.activation)?;
    let mut width = stem.channels;
    let mut stages = vec![vec![Block::Conv(stem)]];
    for (s, stride) in kind.strides.iter().enumerate() {
        // MobileNetV3 has a plain convolution last, the others have none.
        let before = format!("blocks.{s}.");
        let activation = if s < kind.rectified { Activation::Relu } else { kind.activation };
        let mut blocks = Vec::new();
        for b in 0..r.count(&before).max(1) {
            let (block, to) = (format!("{before}{b}"), format!(".{}.{b}", s + 1));
            let stride = if b == 0 { *stride } else { 1 };
            let of = |weight: &str, norm: &str| pair(&format!("{block}.{weight}"), &format!("{block}.{norm}"));
            if r.has(&format!("{block}.conv.weight")) {
                let conv = style.conv(r, &of("conv", "bn1"), &to, (width, stride), Sees::All, activation)?;
                width = conv.channels;
                blocks.push(Block::Conv(conv));
                continue;
            }
            let gated = r.has(&format!("{block}.se.conv_reduce.weight"));
            let gate = gated.then(|| of("se.conv_reduce", "se.conv_expand"));
            let parts = match r.has(&format!("{block}.conv_pwl.weight")) || r.has(&format!("{block}.bn3.weight")) {
                true => Parts {
                    widen: Some(of("conv_pw", "bn1")),
                    filter: of("conv_dw", "bn2"),
                    gate,
                    narrow: of("conv_pwl", "bn3"),
                },
                false => Parts { widen: None, filter: of("conv_dw", "bn1"), gate, narrow: of("conv_pw", "bn2") },
            };
            let (block, gives) = style.block(r, &parts, &to, (width, stride), activation)?;
            blocks.push(block);
            width = gives;
        }
        stages.push(blocks);
    }
    if kind.family == VisionFamily::MobilenetV3 {
        let gives = r.dims("conv_head.weight").and_then(|dims| dims.first().copied()).unwrap_or(1).max(1);
        r.dense(&["conv_head"], ".head", [width, gives], None)?;
        return Ok((Body::Convolutions { stages, head: Some((gives, kind.activation)) }, gives));
    }
    let to = format!(".{}.0", stages.len());
    let last = style.conv(r, &pair("conv_head", "bn2"), &to, (width, 1), Sees::All, kind.activation)?;
    stages.push(vec![Block::Conv(last)]);
    Ok((Body::Convolutions { stages, head: None }, last.channels))
}
