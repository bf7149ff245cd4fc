//! MobileNetV2 and MobileNetV3 with the names of torchvision.

use super::mobile::{Parts, Style};
use crate::pretrained::CheckpointError;
use crate::pretrained::vision::tensors::{Reader, Sees};
use crate::pretrained::vision::{Block, Body};
use polytask_graph::Activation;

/// Stages: blocks, the stride of the first of them, the activation of all.
type Stage = (usize, usize, Activation);

const V2: &[Stage] = &[
    (1, 1, Activation::Relu6),
    (2, 2, Activation::Relu6),
    (3, 2, Activation::Relu6),
    (4, 2, Activation::Relu6),
    (3, 1, Activation::Relu6),
    (3, 2, Activation::Relu6),
    (1, 1, Activation::Relu6),
];

const V3_LARGE: &[Stage] = &[
    (1, 1, Activation::Relu),
    (2, 2, Activation::Relu),
    (3, 2, Activation::Relu),
    (4, 2, Activation::HardSwish),
    (2, 1, Activation::HardSwish),
    (3, 2, Activation::HardSwish),
];

const V3_SMALL: &[Stage] = &[
    (1, 2, Activation::Relu),
    (2, 2, Activation::Relu),
    (3, 2, Activation::HardSwish),
    (2, 1, Activation::HardSwish),
    (3, 2, Activation::HardSwish),
];

pub(super) const FIRST: &str = "features.0.0.weight";

fn pair(before: &str, weight: impl std::fmt::Display, norm: impl std::fmt::Display) -> [String; 2] {
    [format!("{before}.{weight}"), format!("{before}.{norm}")]
}

pub(super) fn v2(r: &mut Reader<'_>, channels: usize) -> Result<(Body, usize), CheckpointError> {
    let style = Style { epsilon: 1e-5, tensorflow: false, gate: [Activation::Relu, Activation::HardSigmoid] };
    let parts = |r: &Reader<'_>, i: usize| {
        let conv = format!("features.{i}.conv");
        let widened = r.has(&format!("{conv}.2.weight")) && r.has(&format!("{conv}.1.0.weight"));
        match widened {
            true => Parts {
                widen: Some(pair(&conv, "0.0", "0.1")),
                filter: pair(&conv, "1.0", "1.1"),
                gate: None,
                narrow: pair(&conv, 2, 3),
            },
            false => Parts { widen: None, filter: pair(&conv, "0.0", "0.1"), gate: None, narrow: pair(&conv, 1, 2) },
        }
    };
    stages(r, channels, style, (V2, Activation::Relu6, Activation::Relu6), parts)
}

pub(super) fn v3(r: &mut Reader<'_>, channels: usize) -> Result<(Body, usize), CheckpointError> {
    let style = Style { epsilon: 1e-3, tensorflow: false, gate: [Activation::Relu, Activation::HardSigmoid] };
    let all = if r.count("features.") > 15 { V3_LARGE } else { V3_SMALL };
    let parts = |r: &Reader<'_>, i: usize| {
        let block = format!("features.{i}.block");
        let conv = |at: usize| pair(&block, format_args!("{at}.0"), format_args!("{at}.1"));
        // What comes first is no filter of single pixels, unless it widens.
        let widened = r.dims(&format!("{block}.0.0.weight")).is_some_and(|dims| dims.last() == Some(&1));
        let filter = usize::from(widened);
        let gated = r.has(&format!("{block}.{}.fc1.weight", filter + 1));
        Parts {
            widen: widened.then(|| conv(0)),
            filter: conv(filter),
            gate: gated.then(|| pair(&block, format_args!("{}.fc1", filter + 1), format_args!("{}.fc2", filter + 1))),
            narrow: conv(filter + 1 + usize::from(gated)),
        }
    };
    stages(r, channels, style, (all, Activation::HardSwish, Activation::HardSwish), parts)
}

/// The stem, all stages, and the convolution behind them.
fn stages(
    r: &mut Reader<'_>,
    channels: usize,
    style: Style,
    (all, stem, head): (&[Stage], Activation, Activation),
    parts: impl Fn(&Reader<'_>, usize) -> Parts,
) -> Result<(Body, usize), CheckpointError> {
    let single = |r: &mut Reader<'_>, i: usize, to: &str, inputs, stride, activation| {
        style.conv(r, &pair(&format!("features.{i}"), 0, 1), to, (inputs, stride), Sees::All, activation)
    };
    let first = single(r, 0, ".0.0", channels, 2, stem)?;
    let (mut width, mut i) = (first.channels, 1);
    let mut stages = vec![vec![Block::Conv(first)]];
    for (s, (count, stride, activation)) in all.iter().enumerate() {
        let mut blocks = Vec::with_capacity(*count);
        for b in 0..*count {
            let stride = if b == 0 { *stride } else { 1 };
            let own = parts(r, i);
            let (block, gives) = style.block(r, &own, &format!(".{}.{b}", s + 1), (width, stride), *activation)?;
            blocks.push(block);
            (width, i) = (gives, i + 1);
        }
        stages.push(blocks);
    }
    let last = single(r, i, &format!(".{}.0", stages.len()), width, 1, head)?;
    stages.push(vec![Block::Conv(last)]);
    Ok((Body::Convolutions { stages, head: None }, last.channels))
}
