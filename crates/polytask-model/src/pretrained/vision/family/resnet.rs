//! ResNets: names of torchvision, which timm has too, and those of transformers. Blocks, widths and groups are read off the
//! tensors, so that all depths, wide ones and ResNeXt are known.

use crate::pretrained::CheckpointError;
use crate::pretrained::vision::tensors::{Reader, Sees};
use crate::pretrained::vision::{Block, Body, Conv, Shortcut};
use polytask_graph::Activation;

/// Whose names the tensors have.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Names {
    /// `layer1.0.conv1`
    Torchvision,
    /// `encoder.stages.0.layers.0.layer.0.convolution`
    Transformers,
}

/// What torchvision's norms add to the variance, and those of transformers.
const EPSILON: f64 = 1e-5;

impl Names {
    pub(super) fn first(self) -> &'static str {
        match self {
            Names::Torchvision => "conv1.weight",
            Names::Transformers => "embedder.embedder.convolution.weight",
        }
    }

    fn stem(self) -> [String; 2] {
        match self {
            Names::Torchvision => ["conv1".into(), "bn1".into()],
            Names::Transformers => ["convolution", "normalization"].map(|part| format!("embedder.embedder.{part}")),
        }
    }

    /// What the names of the blocks of a stage begin with.
    fn stage(self, stage: usize) -> String {
        match self {
            Names::Torchvision => format!("layer{}.", stage + 1),
            Names::Transformers => format!("encoder.stages.{stage}.layers."),
        }
    }

    /// A convolution of a block and its norm.
    fn conv(self, block: &str, i: usize) -> [String; 2] {
        match self {
            Names::Torchvision => ["conv", "bn"].map(|part| format!("{block}.{part}{}", i + 1)),
            Names::Transformers => ["convolution", "normalization"].map(|part| format!("{block}.layer.{i}.{part}")),
        }
    }

    fn shortcut(self, block: &str) -> [String; 2] {
        match self {
            Names::Torchvision => ["0", "1"].map(|part| format!("{block}.downsample.{part}")),
            Names::Transformers => ["convolution", "normalization"].map(|part| format!("{block}.shortcut.{part}")),
        }
    }
}

pub(super) fn read(r: &mut Reader<'_>, names: Names, channels: usize) -> Result<(Body, usize), CheckpointError> {
    let layer = |r: &mut Reader<'_>, from: [String; 2], to: &str, inputs, stride, activation| {
        let filters = r.conv(from.each_ref().map(String::as_str), to, inputs, Sees::Group, EPSILON)?;
        let (size, groups, channels) = (filters.size, filters.groups, filters.channels);
        Ok::<_, CheckpointError>(Conv { size, stride, groups, channels, tensorflow: false, activation })
    };
    let stem = layer(r, names.stem(), ".0.0", channels, 2, Activation::Relu)?;
    let mut width = stem.channels;
    let mut stages = vec![vec![Block::Conv(stem), Block::MaxPool]];
    for stage in 0..4 {
        let before = names.stage(stage);
        let mut blocks = Vec::new();
        for b in 0..r.count(&before).max(1) {
            let (block, to) = (format!("{before}{b}"), format!(".{}.{b}", stage + 1));
            let stride = if stage > 0 && b == 0 { 2 } else { 1 };
            let last = if r.has(&format!("{}.weight", names.conv(&block, 2)[0])) { 2 } else { 1 };
            let (mut convs, mut inputs) = (Vec::new(), width);
            for i in 0..=last {
                // The first convolution of 3 x 3 has the stride.
                let stride = if i + 1 == last { stride } else { 1 };
                let activation = if i == last { Activation::Linear } else { Activation::Relu };
                let conv = layer(r, names.conv(&block, i), &format!("{to}.{i}"), inputs, stride, activation)?;
                inputs = conv.channels;
                convs.push(conv);
            }
            let own = names.shortcut(&block);
            let shortcut = match r.has(&format!("{}.weight", own[0])) {
                true => {
                    let conv = layer(r, own, &format!("{to}.shortcut"), width, stride, Activation::Linear)?;
                    if conv.channels != inputs {
                        r.fault(format!("{block} adds {} channels to {inputs}", conv.channels));
                    }
                    Shortcut::Conv(conv)
                }
                false => {
                    if width != inputs || stride != 1 {
                        r.fault(format!("{}.weight is missing", own[0]));
                    }
                    Shortcut::Same
                }
            };
            width = inputs;
            blocks.push(Block::Residual { convs, gate: None, shortcut, activation: Activation::Relu });
        }
        stages.push(blocks);
    }
    Ok((Body::Convolutions { stages, head: None }, width))
}
