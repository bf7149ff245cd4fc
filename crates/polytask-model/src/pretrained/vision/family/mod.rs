//! Families of encoders of images: which one a folder or a file holds, and what its tensors say of it, one family a file.

mod mobile;
mod resnet;
mod timm;
mod torchvision;
mod vit;

use super::settings::Found;
use super::tensors::Reader;
use super::{VisionFamily, VisionShape};
use crate::pretrained::folder::Folder;
use crate::pretrained::{CheckpointError, Weight};
use serde_json::Value;

/// How the tensors are to be read.
enum Way {
    Resnet(resnet::Names),
    Timm(timm::Kind),
    TorchvisionV2,
    TorchvisionV3,
    Vit(&'static vit::Names, vit::Settings),
}

/// What can be read, in words.
const KNOWN: &str = "resnet*, resnext*, wide_resnet*, efficientnet_lite*, efficientnet_b*, mobilenetv2_*, mobilenetv3_large_*, \
                     mobilenetv3_small_*, vit_* and deit* of timm, and resnet, vit, deit and dinov2 of transformers";

/// The network and its weights for images of these sides and channels.
pub(super) fn read(
    folder: &Folder,
    found: &Found,
    input: [usize; 3],
) -> Result<(VisionShape, Vec<Weight>), CheckpointError> {
    let fault = |reason: String| CheckpointError::File { path: found.named.clone(), reason };
    let way = way(folder, found).map_err(fault)?;
    let channels = input[2];
    let (family, first) = match &way {
        Way::Resnet(names) => (VisionFamily::Resnet, names.first().to_owned()),
        Way::Timm(kind) => (kind.family, timm::FIRST.to_owned()),
        Way::TorchvisionV2 => (VisionFamily::MobilenetV2, torchvision::FIRST.to_owned()),
        Way::TorchvisionV3 => (VisionFamily::MobilenetV3, torchvision::FIRST.to_owned()),
        Way::Vit(names, _) => (VisionFamily::Vit, format!("{}.weight", names.patch)),
    };
    let mut r = Reader::new(folder, &first);
    let (body, width) = match &way {
        Way::Resnet(names) => resnet::read(&mut r, *names, channels)?,
        Way::Timm(kind) => timm::read(&mut r, *kind, channels)?,
        Way::TorchvisionV2 => torchvision::v2(&mut r, channels)?,
        Way::TorchvisionV3 => torchvision::v3(&mut r, channels)?,
        Way::Vit(names, settings) => vit::read(&mut r, names, settings, input)?,
    };
    let weights = r.finish(family)?;
    let said = found.config.get("num_features").and_then(Value::as_u64).map(|said| said as usize);
    if let Some(said) = said.filter(|said| *said != width && family != VisionFamily::MobilenetV3) {
        return Err(fault(format!("its `num_features` is {said}, and the weights give {width} features")));
    }
    let shape = VisionShape { family, input, width, body };
    shape.check().map_err(|reason| fault(reason.to_owned()))?;
    Ok((shape, weights))
}

fn way(folder: &Folder, found: &Found) -> Result<Way, String> {
    let word = |name: &str| found.config.get(name).and_then(Value::as_str);
    let unknown = |what: &str, word: &str| {
        Err(format!("its `{what}` is {word:?}; encoders of images that can be read are {KNOWN}"))
    };
    if let Some(architecture) = word("architecture") {
        let is = |starts: &[&str]| starts.iter().any(|start| architecture.starts_with(start));
        return match timm::kind(architecture) {
            Some(kind) => Ok(Way::Timm(kind)),
            None if is(&["resnet", "resnext", "wide_resnet"]) && !is(&["resnetv2"]) => {
                Ok(Way::Resnet(resnet::Names::Torchvision))
            }
            None if is(&["vit_", "deit"]) => Ok(Way::Vit(&vit::TIMM, vit::Settings::of_timm(&found.config))),
            None => unknown("architecture", architecture),
        };
    }
    if let Some(kind) = word("model_type") {
        return match kind {
            "resnet" => Ok(Way::Resnet(resnet::Names::Transformers)),
            "vit" | "deit" => Ok(Way::Vit(&vit::TRANSFORMERS, vit::Settings::of_transformers(&found.config)?)),
            "dinov2" => Ok(Way::Vit(&vit::DINOV2, vit::Settings::of_transformers(&found.config)?)),
            other => unknown("model_type", other),
        };
    }
    if !found.bare {
        return Err(format!(
            "it has neither an `architecture` (timm) nor a `model_type` (transformers); encoders of images that can be read are {KNOWN}"
        ));
    }
    let ends = |ending: &str| folder.names().any(|name| name == ending);
    if ends("layer1.0.conv1.weight") {
        Ok(Way::Resnet(resnet::Names::Torchvision))
    } else if ends("features.1.block.0.0.weight") {
        Ok(Way::TorchvisionV3)
    } else if ends("features.1.conv.0.0.weight") {
        Ok(Way::TorchvisionV2)
    } else {
        Err("its tensors are not those of a ResNet, MobileNetV2 or MobileNetV3 of torchvision; another encoder is to lie in \
             a folder with its config.json"
            .to_owned())
    }
}
