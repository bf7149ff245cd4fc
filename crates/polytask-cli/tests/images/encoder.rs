//! Images that a pretrained encoder reads, from end to end: frozen and learning, with every family of models, the cache, the model
//! directory, and what is refused. The encoders are small ones with random weights.

use super::common::{Done, Folder, repository};
use super::pictures::*;
use std::path::{Path, PathBuf};

const ROWS: usize = 60;

/// A folder with photos, an encoder and a config, whose input has the keys `input` and whose encoder those of `encoder`.
fn folder(of: &str, input: &str, encoder: &str, more: &str) -> Folder {
    let folder = Folder::new();
    photo_table(&folder, ROWS);
    std::fs::create_dir(folder.path("encoder")).unwrap();
    let from = PathBuf::from(repository("crates/polytask/tests/fixtures/images")).join(of);
    for name in ["config.json", "model.safetensors"] {
        std::fs::copy(from.join(name), folder.path("encoder").join(name)).unwrap();
    }
    let comma = |keys: &str| if keys.is_empty() { String::new() } else { format!(", {keys}") };
    let input = format!("encoder = {{ pretrained = \"encoder\"{} }}{}", comma(encoder), comma(input));
    let config = format!(
        "[data]\npath = \"data.csv\"\nsplit = {{ column = \"part\" }}\n[inputs]\n\
         photo = {{ kind = \"image\", {input} }}\n[tasks.kind]\n[tasks.place]\n{more}"
    );
    folder.write("config.toml", config);
    folder
}

fn run(folder: &Folder, arguments: &str) -> Done {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    Done::of(folder.command(&arguments).env("POLYTASK_CACHE", folder.path("cache")).output().unwrap())
}

#[track_caller]
fn works(folder: &Folder, arguments: &str) -> Done {
    let done = run(folder, arguments);
    assert_eq!(done.code, Some(0), "`polytask {arguments}`\n{}", done.err);
    done
}

fn cached(folder: &Folder) -> Vec<PathBuf> {
    let files = |path: &Path| std::fs::read_dir(path).unwrap().map(|file| file.unwrap().path()).collect::<Vec<_>>();
    files(&folder.path("cache/vectors")).iter().flat_map(|setting| files(setting)).collect()
}

const SHORT: &str = "[model]\ntrunk = [16]\n[train]\nepochs = 3\nbatch = 32\n";

#[test]
fn frozen_vectors_are_made_once_and_kept() {
    let folder = folder("resnet-basic", "size = 40", "train = \"frozen\"", SHORT);
    let first = works(&folder, "train config.toml --out a");
    assert!(first.err.contains("input `photo`: 60 distinct images were encoded"), "{}", first.err);
    assert_eq!(cached(&folder).len(), 1);
    let again = works(&folder, "train config.toml --out b --threads 1 --set data.image_memory=0");
    assert!(again.err.contains("the vectors of its 60 distinct images were in the cache"), "{}", again.err);
    assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("b/model.safetensors"));
    std::fs::remove_dir_all(folder.path("cache")).unwrap();
    works(&folder, "train config.toml --out c --threads 1");
    assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("c/model.safetensors"));
    // The model holds the encoder.
    std::fs::remove_dir_all(folder.path("encoder")).unwrap();
    std::fs::remove_dir_all(folder.path("cache")).unwrap();
    let all = works(&folder, "predict a --data data.csv").out;
    assert_eq!(all.lines().count(), ROWS + 1);
    works(&folder, "evaluate a --data data.csv");
    works(&folder, "report a --out report.html");
    works(&folder, "show a");
    works(&folder, "inspect a");
    let refused = run(&folder, "export a --format onnx --out onnx");
    let said = "input `photo`: ONNX cannot have it: a pretrained encoder reads it before the network";
    assert!(refused.err.contains(said) && refused.code == Some(1), "{}", refused.err);
}

#[test]
fn missing_images_are_the_mean() {
    let folder = folder("mobilenetv3-small", "size = 32", "", SHORT);
    let data = folder.read("data.csv").replace("\nphotos/3.png", "\n").replace("\nphotos/6.png", "\n");
    folder.write("data.csv", data);
    let done = works(&folder, "train config.toml --out a");
    assert!(done.err.contains("58 distinct images were encoded"), "{}", done.err);
    assert_eq!(works(&folder, "predict a --data data.csv").out.lines().count(), ROWS + 1);
}

#[test]
fn every_family_reads_the_vectors() {
    for more in [
        "[model]\nfamily = \"trees\"\ntrees = { trees = 5 }\n",
        "[model]\nfamily = \"ensemble\"\npreset = \"fast\"\n",
        "[model]\nsharing = \"mmoe\"\ntrunk = [8]\n[train]\nepochs = 1\n",
        "[model]\nsharing = \"linear\"\n",
    ] {
        let folder = folder("vit", "", "", more);
        works(&folder, "train config.toml --out a");
        works(&folder, "predict a --data data.csv");
    }
}

#[test]
fn an_encoder_learns_with_the_tasks() {
    for (of, input, encoder) in [
        ("resnet-basic", "size = 32", "train = \"full\", rate = 0.5"),
        ("lite", "size = 33, fit = \"stretch\", augment = { flip = \"both\", shift = 2 }", "train = 3"),
        ("mobilenetv3-large", "size = 32, fit = \"crop\"", "train = \"full\""),
        ("vit", "size = [24, 32]", "train = \"full\""),
        ("deit", "", "train = 1"),
    ] {
        let folder = folder(of, input, encoder, SHORT);
        works(&folder, "train config.toml --out a");
        let predicted = works(&folder, "predict a --data data.csv").out;
        works(&folder, "train config.toml --out b --threads 1");
        assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("b/model.safetensors"), "{of}");
        works(&folder, "train config.toml --out c --set train.epochs=2");
        works(&folder, "train config.toml --out c --resume");
        assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("c/model.safetensors"), "{of}");
        // What has learnt stands in the model.
        std::fs::remove_dir_all(folder.path("encoder")).unwrap();
        assert_eq!(works(&folder, "predict b --data data.csv").out, predicted);
        works(&folder, "report a --out report.html");
        let refused = run(&folder, "export a --format pytorch --out torch");
        assert!(refused.err.contains("a pretrained encoder reads it") && refused.code == Some(1), "{}", refused.err);
    }
}

#[test]
fn layers_that_learn_nothing_stay_as_they_are() {
    let folder = folder("resnet-basic", "size = 32", "train = 1", SHORT);
    works(&folder, "train config.toml --out a --set train.epochs=1");
    works(&folder, "train config.toml --out b");
    let tensors = |model: &str| {
        let path = folder.path(model).join("model.safetensors");
        polytask::files::decode_arrays(&path, &std::fs::read(&path).unwrap()).unwrap()
    };
    let (a, b) = (tensors("a"), tensors("b"));
    let of = |stage: usize| {
        let own = format!("images.photo.encoder.{stage}.");
        let changed: Vec<bool> =
            a.iter().zip(&b).filter(|(a, _)| a.name.contains(&own)).map(|(a, b)| a.numbers != b.numbers).collect();
        assert!(!changed.is_empty(), "{own}");
        changed.contains(&true)
    };
    assert_eq!([0, 1, 2, 3, 4].map(of), [false, false, false, false, true]);
}

#[test]
fn a_model_may_name_its_encoder() {
    let folder = folder("b0", "size = 32", "link = true", SHORT);
    works(&folder, "train config.toml --out a");
    let before = works(&folder, "predict a --data data.csv").out;
    std::fs::rename(folder.path("encoder"), folder.path("moved")).unwrap();
    let gone = run(&folder, "predict a --data data.csv");
    assert!(gone.err.contains("which is not there; $POLYTASK_ENCODERS may hold"), "{}", gone.err);
    std::fs::rename(folder.path("moved"), folder.path("encoder")).unwrap();
    assert_eq!(works(&folder, "predict a --data data.csv").out, before);
    let config = folder.path("encoder/config.json");
    let text = std::fs::read_to_string(&config).unwrap().replace("0.45", "0.46");
    std::fs::write(config, text).unwrap();
    let other = run(&folder, "predict a --data data.csv");
    assert!(other.err.contains("holds another pretrained encoder") && other.code == Some(1), "{}", other.err);
}

#[test]
fn what_does_not_go_together_is_refused() {
    let fails = |input: &str, encoder: &str, code: i32, said: &str| {
        let folder = folder("resnet-basic", input, encoder, SHORT);
        let done = run(&folder, "train config.toml --out a");
        assert!(done.err.contains(said), "{}", done.err);
        assert_eq!(done.code, Some(code), "{}", done.err);
        assert!(!folder.path("a").exists());
    };
    fails("", "pooling = \"cls\"", 2, "`encoder.pooling` has no meaning for an input of kind \"image\"");
    fails("", "rate = 0.5", 2, "is of an encoder that learns, and `train` is \"frozen\"");
    fails("standardize = false", "", 2, "the encoder's own means and deviations are taken");
    fails("channels = 1", "", 2, "grey ones are repeated");
    fails("augment = { flip = \"both\" }", "", 2, "an encoder that learns nothing sees every image once");
    fails("size = 32", "train = 6", 1, "`train` names the last 6 stages, and the encoder has 5");
    let folder = folder("vit", "size = 4", "", SHORT);
    let done = run(&folder, "train config.toml --out a");
    assert!(
        done.code == Some(1) && done.err.contains("an image of 4 x 4 pixels holds no patch of 8 x 8"),
        "{}",
        done.err
    );
    folder.write("config.toml", "[data]\npath = \"data.csv\"\n[inputs]\nphoto = \"image\"\n[tasks.kind]\n[model]\ntrunk = { pretrained = \"encoder\" }\n");
    let done = run(&folder, "train config.toml --out a");
    assert!(done.code == Some(2) && done.err.contains("belongs to the input that it reads"), "{}", done.err);
}
