//! Pretrained encoders against transformers (`fixtures/encoders.py`): the pieces of texts and the hidden states of every
//! family; what is said of folders that hold none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture that makes no sense must stop the test")]

use polytask::config::{EncoderPooling, LongTexts};
use polytask::files::{Array, Numbers, Tensor, decode_arrays, read_tensors, write_tensors};
use polytask::pretrained::{Asked, Checkpoint, CheckpointError, Encoding, Family};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const FAMILIES: [(&str, Family); 5] = [
    ("bert", Family::Bert),
    ("distilbert", Family::Distilbert),
    ("electra", Family::Electra),
    ("roberta", Family::Roberta),
    ("xlm-roberta", Family::XlmRoberta),
];

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encoders")
}

fn texts() -> Vec<String> {
    serde_json::from_str(&std::fs::read_to_string(fixtures().join("texts.json")).unwrap()).unwrap()
}

/// A copy of a fixture that may be changed.
fn copy(family: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(fixtures().join(family).join(name), folder.path().join(name)).unwrap();
    }
    folder
}

fn encoding(pieces: usize, long: LongTexts) -> Encoding {
    Encoding { pooling: EncoderPooling::Mean, normalize: false, pieces, long }
}

#[test]
fn hidden_states_are_those_of_transformers() {
    for (name, family) in FAMILIES {
        let folder = fixtures().join(name);
        let checkpoint = Checkpoint::read(&folder).unwrap();
        assert_eq!(checkpoint.shape.family, family);
        let path = folder.join("states.safetensors");
        let kept = decode_arrays(&path, &std::fs::read(&path).unwrap()).unwrap();
        let kept: HashMap<&str, &Array<'_>> = kept.iter().map(|array| (array.name.as_str(), array)).collect();
        for (i, text) in texts().iter().enumerate() {
            let pieces = checkpoint.reader.pieces(text).unwrap();
            let (_, ids) = checkpoint.reader.sequences(&pieces, 40, false).remove(0);
            let Numbers::I32(wanted) = &kept[format!("ids.{i}").as_str()].numbers else { panic!("no indices") };
            assert_eq!(ids, wanted.iter().map(|id| *id as u32).collect::<Vec<_>>(), "{name}: {text}");
            let states = checkpoint.hidden_states(&[&ids]).unwrap().remove(0);
            let Numbers::F32(wanted) = &kept[format!("states.{i}").as_str()].numbers else { panic!("no numbers") };
            assert_eq!(states.len(), wanted.len());
            let off = states.iter().zip(wanted.iter()).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "{name}: {text:?} is off by {off}");
        }
    }
}

#[test]
fn a_real_encoder_is_that_of_transformers() {
    let Some(root) = std::env::var_os("POLYTASK_ENCODERS") else {
        eprintln!("skipped: $POLYTASK_ENCODERS names no folder with all-MiniLM-L6-v2");
        return;
    };
    let folder = Path::new(&root).join("all-MiniLM-L6-v2");
    if !folder.is_dir() {
        eprintln!("skipped: {} is not there", folder.display());
        return;
    }
    let checkpoint = Checkpoint::read(&folder).unwrap();
    let long = "今日は 😀 a very long text ".repeat(60);
    // By transformers 5.24: pieces, the first four values of the first state, the last four of the last, the sum of sizes.
    let cases = [
        (11, [-0.009635, 0.064548, 0.125812, 0.114035], [0.509927, -0.036915, 0.243788, -0.120364], 1262.0296),
        (2, [0.006044, 0.02769, 0.031542, -0.019427], [1.933073, 1.639739, 0.750934, -0.045942], 207.707),
        (482, [-0.12118, 0.8496, 0.473929, 0.227518], [0.452459, 0.276758, -0.491609, 0.395183], 41012.8015),
    ];
    for (text, (count, first, last, sum)) in ["Hello wörld, this is polytask.", "", long.as_str()].iter().zip(cases) {
        let pieces = checkpoint.reader.pieces(text).unwrap();
        let (_, ids) = checkpoint.reader.sequences(&pieces, 512, false).remove(0);
        assert_eq!(ids.len(), count);
        let states = checkpoint.hidden_states(&[&ids]).unwrap().remove(0);
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close(&states, &first), "{:?}", &states[..4]);
        assert!(close(&states[states.len() - 4..], &last), "{:?}", &states[states.len() - 4..]);
        let size: f64 = states.iter().map(|v| f64::from(v.abs())).sum();
        assert!((size - sum).abs() < 1e-6 * sum, "{size}");
    }
}

#[test]
fn vectors_do_not_depend_on_what_is_encoded_together() {
    let checkpoint = Checkpoint::read(&fixtures().join("bert")).unwrap();
    let texts = texts();
    let asked: Vec<Asked<'_>> = texts.iter().map(|text| Asked::Text(text)).collect();
    for long in [LongTexts::Cut, LongTexts::Windows] {
        let encoding = encoding(16, long);
        let all = checkpoint.vectors(&encoding, &asked, false).unwrap();
        assert_eq!(all.long(), 1, "one text has more than 16 pieces");
        for (text, together) in asked.iter().zip(&all.all) {
            let alone = checkpoint.vectors(&encoding, &[*text], false).unwrap();
            let bits = |values: &[f32]| values.iter().map(|v| v.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&alone.all[0].values), bits(&together.values));
        }
    }
    let cut = checkpoint.vectors(&encoding(16, LongTexts::Cut), &asked, false).unwrap();
    let windows = checkpoint.vectors(&encoding(16, LongTexts::Windows), &asked, false).unwrap();
    assert_eq!(cut.all[0], windows.all[0], "a short text has one window");
    assert!(cut.all[7] != windows.all[7]);
}

#[test]
fn words_have_the_means_of_their_pieces() {
    let checkpoint = Checkpoint::read(&fixtures().join("bert")).unwrap();
    let words = ["unbelievablyhappy", "happy", "\u{7}", "music"];
    let vectors = checkpoint.vectors(&encoding(40, LongTexts::Cut), &[Asked::Words(&words)], false).unwrap();
    let pieces: Vec<Vec<u32>> = words.iter().map(|word| checkpoint.reader.pieces(word).unwrap()).collect();
    assert!(pieces[0].len() > 1 && pieces[2].is_empty());
    let (_, ids) = checkpoint.reader.sequences(&pieces.concat(), 40, false).remove(0);
    let states = checkpoint.hidden_states(&[&ids]).unwrap().remove(0);
    let width = checkpoint.shape.width;
    let mut at = 1;
    for (word, own) in pieces.iter().enumerate() {
        for feature in 0..width {
            let sum: f32 = (at..at + own.len()).map(|piece| states[piece * width + feature]).sum();
            let mean = sum / own.len().max(1) as f32;
            assert!((vectors.all[0].values[word * width + feature] - mean).abs() < 1e-6);
        }
        at += own.len();
    }
}

fn rename(folder: &Path, change: impl Fn(Tensor<'static>) -> Option<Tensor<'static>>) {
    let path = folder.join("model.safetensors");
    let (tensors, metadata) = read_tensors(&path).unwrap();
    let tensors: Vec<Tensor<'static>> = tensors.into_iter().filter_map(change).collect();
    write_tensors(&path, &tensors, metadata).unwrap();
}

#[test]
fn old_names_prefixes_and_shards_are_read() {
    let plain = Checkpoint::read(&fixtures().join("bert")).unwrap();
    let folder = copy("bert");
    rename(folder.path(), |tensor| {
        let name =
            tensor.name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta");
        Some(Tensor { name: format!("bert.{name}"), ..tensor })
    });
    assert_eq!(Checkpoint::read(folder.path()).unwrap().hash, plain.hash);
    let path = folder.path().join("model.safetensors");
    let (tensors, _) = read_tensors(&path).unwrap();
    std::fs::remove_file(&path).unwrap();
    let mut map = serde_json::Map::new();
    for (i, tensors) in tensors.chunks(20).enumerate() {
        let name = format!("model-{i}.safetensors");
        write_tensors(&folder.path().join(&name), tensors, HashMap::new()).unwrap();
        map.extend(tensors.iter().map(|tensor| (tensor.name.clone(), name.clone().into())));
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": map }).to_string();
    std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
    assert_eq!(Checkpoint::read(folder.path()).unwrap().hash, plain.hash);
    std::fs::remove_file(folder.path().join("model-1.safetensors")).unwrap();
    let said = Checkpoint::read(folder.path()).unwrap_err().to_string();
    assert!(said.ends_with("lacks model-1.safetensors"), "{said}");
}

/// What is said of a folder after something was done to it.
fn fault(change: impl FnOnce(&Path)) -> CheckpointError {
    let folder = copy("bert");
    change(folder.path());
    Checkpoint::read(folder.path()).unwrap_err()
}

fn config(folder: &Path, from: &str, to: &str) {
    let path = folder.join("config.json");
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(from));
    std::fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn what_does_not_fit_is_named() {
    let remove = |folder: &Path, name: &str| std::fs::remove_file(folder.join(name)).unwrap();
    let has = |error: CheckpointError, words: &[&str]| {
        let said = error.to_string();
        words.iter().for_each(|word| assert!(said.contains(word), "{said:?} lacks {word:?}"));
    };
    has(fault(|folder| remove(folder, "tokenizer.json")), &["lacks tokenizer.json"]);
    has(
        fault(|folder| {
            remove(folder, "config.json");
            remove(folder, "model.safetensors");
        }),
        &["lacks config.json and model.safetensors (or model.safetensors.index.json with its shards)"],
    );
    has(
        fault(|folder| std::fs::rename(folder.join("model.safetensors"), folder.join("pytorch_model.bin")).unwrap()),
        &["pytorch_model.bin, a pickle"],
    );
    let without = |folder: &Path, part: &str| rename(folder, |tensor| (!tensor.name.contains(part)).then_some(tensor));
    has(
        fault(|folder| without(folder, "layer.1.intermediate")),
        &["not those of a BERT encoder", "encoder.layer.1.intermediate.dense.weight is missing"],
    );
    has(
        fault(|folder| config(folder, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 1")),
        &["encoder.layer.1.attention", "is not described by config.json", "and 12 more"],
    );
    has(
        fault(|folder| config(folder, "\"intermediate_size\": 32", "\"intermediate_size\": 64")),
        &["encoder.layer.0.intermediate.dense.weight has the shape [32, 16], expected [64, 16]"],
    );
    has(fault(|folder| config(folder, "\"bert\"", "\"gpt2\"")), &["`model_type` is \"gpt2\"", "bert, distilbert"]);
    has(fault(|folder| config(folder, "\"gelu\"", "\"gelu_new\"")), &["its activation is \"gelu_new\""]);
    has(
        fault(|folder| config(folder, "\"num_attention_heads\": 2", "\"num_attention_heads\": 3")),
        &["3 heads, which must divide its width of 16"],
    );
    has(
        fault(|folder| {
            std::fs::copy(fixtures().join("roberta/tokenizer.json"), folder.join("tokenizer.json")).unwrap();
        }),
        &["a piece of number 329, and the encoder knows 200 pieces"],
    );
    has(
        fault(|folder| std::fs::write(folder.join("model.safetensors"), "no tensors").unwrap()),
        &["damaged or no safetensors file"],
    );
    has(
        fault(|folder| {
            rename(folder, |mut tensor| {
                tensor.values.to_mut()[0] = f32::NAN;
                Some(tensor)
            });
        }),
        &["holds NaN, which is no number"],
    );
    has(Checkpoint::read(Path::new("nowhere")).unwrap_err(), &["nowhere is no folder"]);
}
