//! Pretrained encoders of images against timm, torchvision and transformers (`fixtures/images.py`): the features of every family,
//! images scaled as PIL scales them, and what is said of folders and files that hold none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture that makes no sense must stop the test")]

use polytask::data::image::{Filter, Resample, To};
use polytask::data::source::Source;
use polytask::data::{Fit, ImageShape};
use polytask::files::{Numbers, Tensor, decode_arrays, read_tensors, write_tensors};
use polytask::pretrained::CheckpointError;
use polytask::pretrained::vision::{VisionCheckpoint, VisionFamily};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images")
}

/// The images of the script.
fn pixels(height: usize, width: usize) -> Vec<u8> {
    let pixel = |i: u64| ((((i * 2_654_435_761) % (1 << 32)) >> 13) & 255) as u8;
    (0..3 * (height * width * 3) as u64).map(pixel).collect()
}

/// The features that a file of them has for images of some sides, compared with those of an encoder.
fn agree(name: &str, path: &Path, wanted: &Path, family: VisionFamily) {
    let kept = decode_arrays(wanted, &std::fs::read(wanted).unwrap()).unwrap();
    assert!(!kept.is_empty());
    for array in &kept {
        let (height, width) = array.name.split_once('x').unwrap();
        let sides: [usize; 2] = [height.parse().unwrap(), width.parse().unwrap()];
        let encoder = VisionCheckpoint::read(path, Some(sides), None).unwrap();
        assert_eq!(encoder.shape.family, family);
        let found: Vec<f32> = encoder.features(&pixels(sides[0], sides[1])).unwrap().concat();
        let Numbers::F32(wanted) = &array.numbers else { panic!("no numbers") };
        assert_eq!((found.len(), array.dims[1]), (wanted.len(), encoder.shape.width), "{name}");
        let size = wanted.iter().map(|value| value.abs()).fold(0.0, f32::max);
        let off = found.iter().zip(wanted.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(off < 1e-4 * size, "{name} at {}: off by {off} of {size}", array.name);
        assert!(size > 1e-3, "{name}: features that are all zero say nothing");
    }
}

#[test]
fn features_are_those_of_timm_and_transformers() {
    for (name, family) in [
        ("resnet-basic", VisionFamily::Resnet),
        ("resnet-bottleneck", VisionFamily::Resnet),
        ("resnet-hf", VisionFamily::Resnet),
        ("resnext", VisionFamily::Resnet),
        ("lite", VisionFamily::Efficientnet),
        ("b0", VisionFamily::Efficientnet),
        ("mobilenetv2", VisionFamily::MobilenetV2),
        ("mobilenetv3-large", VisionFamily::MobilenetV3),
        ("mobilenetv3-small", VisionFamily::MobilenetV3),
        ("vit", VisionFamily::Vit),
        ("deit", VisionFamily::Vit),
        ("dinov2", VisionFamily::Vit),
        ("vit-hf", VisionFamily::Vit),
        ("deit-hf", VisionFamily::Vit),
        ("dinov2-hf", VisionFamily::Vit),
    ] {
        let folder = fixtures().join(name);
        agree(name, &folder, &folder.join("features.safetensors"), family);
    }
}

#[test]
fn features_are_those_of_torchvision() {
    for (name, family) in [
        ("torchvision-mobilenetv2", VisionFamily::MobilenetV2),
        ("torchvision-mobilenetv3-large", VisionFamily::MobilenetV3),
        ("torchvision-mobilenetv3-small", VisionFamily::MobilenetV3),
    ] {
        let file = |ending: &str| fixtures().join(format!("{name}{ending}"));
        agree(name, &file(".safetensors"), &file(".features.safetensors"), family);
    }
    // The names of a ResNet are those of timm.
    let folder = fixtures().join("resnet-basic");
    let [file, timm] = [folder.join("model.safetensors"), folder.clone()];
    let [bare, timm] = [file, timm].map(|path| VisionCheckpoint::read(&path, Some([64, 64]), None).unwrap());
    assert_eq!(bare.shape, timm.shape);
    assert_ne!(bare.hash, timm.hash, "their images are normalised by other means");
    assert_eq!(bare.preparation.fit(), Fit::Resample(Resample { filter: Filter::Bilinear, to: To::Cover([73, 73]) }));
}

#[test]
fn images_are_scaled_as_pil_scales_them() {
    let decode = |name: &str, sides: [usize; 2], fit: Fit| {
        let shape = ImageShape { height: sides[0], width: sides[1], channels: 3 };
        let mut into = vec![0; shape.len()];
        let source = Source::File(fixtures().join("scaled").join(name));
        source.decode((shape, fit), 1 << 20, &mut into).unwrap();
        into
    };
    for (word, filter) in [("bilinear", Filter::Bilinear), ("bicubic", Filter::Bicubic)] {
        for (how, sides, to) in [
            ("stretch", [32, 40], To::Sides),
            ("large", [100, 131], To::Sides),
            ("cut", [32, 32], To::Cover([37, 37])),
            ("odd", [33, 33], To::Cover([36, 36])),
        ] {
            let wanted = decode(&format!("{word}-{how}.png"), sides, Fit::Stretch);
            let found = decode("image.png", sides, Fit::Resample(Resample { filter, to }));
            let off = found.iter().zip(&wanted).filter(|(a, b)| a != b).count();
            assert_eq!(off, 0, "{word}-{how}: {off} of {} bytes differ", wanted.len());
        }
    }
}

/// A copy of a fixture that may be changed.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "model.safetensors", "preprocessor_config.json"] {
        let from = fixtures().join(name).join(file);
        if from.is_file() {
            std::fs::copy(from, folder.path().join(file)).unwrap();
        }
    }
    folder
}

#[track_caller]
fn refused(path: &Path, said: &str) -> CheckpointError {
    let error = VisionCheckpoint::read(path, None, None).unwrap_err();
    assert!(error.to_string().contains(said), "{error}");
    error
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    let change = |name: &str, change: &dyn Fn(&mut Vec<Tensor<'static>>)| {
        let folder = copy(name);
        let path = folder.path().join("model.safetensors");
        let mut tensors = read_tensors(&path).unwrap().0;
        change(&mut tensors);
        write_tensors(&path, &tensors, HashMap::new()).unwrap();
        folder
    };
    let without = |tensors: &mut Vec<Tensor<'static>>, name: &str| tensors.retain(|tensor| tensor.name != name);
    let folder = change("resnet-basic", &|all| without(all, "layer3.0.conv2.weight"));
    refused(folder.path(), "are not those of a ResNet encoder: layer3.0.conv2.weight is missing");
    let folder = change("resnet-basic", &|all| without(all, "layer1.1.bn2.running_var"));
    refused(folder.path(), "layer1.1.bn2.running_var is missing");
    let folder = change("vit", &|all| without(all, "blocks.1.mlp.fc2.bias"));
    refused(folder.path(), "are not those of a ViT encoder: blocks.1.mlp.fc2.bias is missing");
    let folder = change("resnet-basic", &|all| {
        let own = all.iter_mut().find(|tensor| tensor.name == "layer2.0.conv2.weight").unwrap();
        (own.dims, own.values) = (vec![8, 7, 3, 3], vec![0.0; 8 * 7 * 9].into());
    });
    refused(folder.path(), "layer2.0.conv2.weight has the shape [8, 7, 3, 3], which does not fit 8 channels");
    let folder = change("vit", &|all| {
        let own = all.iter_mut().find(|tensor| tensor.name == "pos_embed").unwrap();
        (own.dims, own.values) = (vec![1, 12, 32], vec![0.0; 12 * 32].into());
    });
    refused(folder.path(), "pos_embed has 12 positions, which are no square of patches");
    let more = Tensor { name: "layer1.0.se.fc1.weight".into(), dims: vec![1], values: vec![0.0].into() };
    let folder = change("resnet-basic", &|all| all.push(more.clone()));
    refused(folder.path(), "layer1.0.se.fc1.weight is no part of it");
}

#[test]
fn what_is_no_encoder_is_refused() {
    let set = |folder: &tempfile::TempDir, file: &str, from: &str, to: &str| {
        let path = folder.path().join(file);
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{text}");
        std::fs::write(&path, text.replace(from, to)).unwrap();
    };
    let folder = copy("resnet-basic");
    set(&folder, "config.json", "resnet18", "swin_tiny_patch4_window7_224");
    refused(
        folder.path(),
        "its `architecture` is \"swin_tiny_patch4_window7_224\"; encoders of images that can be read are resnet*",
    );
    set(&folder, "config.json", "swin_tiny_patch4_window7_224", "mobilenetv2_100");
    refused(folder.path(), "are not those of a MobileNetV2 encoder: conv_stem.weight is missing");
    let folder = copy("resnet-basic");
    set(&folder, "config.json", "\"num_features\": 16", "\"num_features\": 512");
    refused(folder.path(), "its `num_features` is 512, and the weights give 16 features");
    let folder = copy("vit-hf");
    std::fs::remove_file(folder.path().join("preprocessor_config.json")).unwrap();
    refused(folder.path(), "lacks preprocessor_config.json");
    let folder = copy("lite");
    std::fs::remove_file(folder.path().join("model.safetensors")).unwrap();
    refused(folder.path(), "lacks model.safetensors");
    std::fs::write(folder.path().join("pytorch_model.bin"), "x").unwrap();
    let error = refused(folder.path(), "pytorch_model.bin is a pickle");
    assert!(error.hint().unwrap().contains("torch.load(FILE"));
    refused(&folder.path().join("pytorch_model.bin"), "is a pickle, which is not read");
    std::fs::write(folder.path().join("zip.safetensors"), b"PK\x03\x04 and more").unwrap();
    refused(&folder.path().join("zip.safetensors"), "is a pickle, which is not read");
    std::fs::remove_file(folder.path().join("config.json")).unwrap();
    refused(folder.path(), "lacks config.json");
    refused(&folder.path().join("nowhere"), "is no folder and no file");
    let folder = copy("vit");
    let path = folder.path().join("model.safetensors");
    let bytes = std::fs::read(&path).unwrap();
    std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    refused(folder.path(), "it is damaged or no safetensors file");
    refused(
        &fixtures().join("vit/model.safetensors"),
        "its tensors are not those of a ResNet, MobileNetV2 or MobileNetV3",
    );
}
