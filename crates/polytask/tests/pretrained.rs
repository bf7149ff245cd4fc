//! Pretrained encoders against transformers (`fixtures/encoders.py`): the pieces of texts and the hidden states of every
//! family; what is said of folders that hold none.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a fixture that makes no sense must stop the test")]

use polytask::config::{Adaptation, EncoderPooling, LongTexts, Target};
use polytask::exec::{Batch, Parameters};
use polytask::files::{Array, Numbers, Tensor, decode_arrays, read_tensors, write_tensors};
use polytask::graph::{DomainId, Graph, GraphBuilder, LossKind, ParameterId};
use polytask::pretrained::{Asked, Checkpoint, CheckpointError, Encoding, Family, Tuning};
use std::collections::HashMap;
use std::path::{Path, PathBuf};

const FAMILIES: [(&str, Family); 6] = [
    ("bert", Family::Bert),
    ("distilbert", Family::Distilbert),
    ("electra", Family::Electra),
    ("modernbert", Family::Modernbert),
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
fn static_vectors_are_those_of_model2vec() {
    let folder = fixtures().join("model2vec");
    let checkpoint = Checkpoint::read(&folder).unwrap();
    assert_eq!((checkpoint.shape.family, checkpoint.shape.vocabulary), (Family::Model2vec, 200));
    let advice = checkpoint.advice.unwrap();
    let path = folder.join("states.safetensors");
    let (tensors, _) = read_tensors(&path).unwrap();
    let texts = texts();
    let asked: Vec<Asked<'_>> = texts.iter().map(|text| Asked::Text(text)).collect();
    let (pooling, normalize) = (advice.pooling, advice.normalize);
    let encoding = Encoding { pooling, normalize, pieces: advice.pieces.unwrap(), long: LongTexts::Cut };
    let vectors = checkpoint.vectors(&encoding, &asked, false).unwrap();
    for (text, (own, wanted)) in texts.iter().zip(vectors.all.iter().zip(tensors[0].values.chunks(12))) {
        assert!(off(&own.values, wanted) < 1e-6, "{text:?}: {:?} {wanted:?}", own.values);
    }
    // Nothing is left of a text without pieces, nor of one whose pieces are all unknown.
    assert!(vectors.all[1].values.iter().all(|value| *value == 0.0));
    assert!(tensors[0].values[12..24].iter().all(|value| *value == 0.0));
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

/// The encoder over pieces, with what learns beside it, for tasks that each have one of their own where there are several.
fn adapted(checkpoint: &Checkpoint, adaptation: Adaptation, prefixes: &[&str]) -> (Graph, Parameters) {
    let mut g = GraphBuilder::new();
    let pieces = g.ragged("pieces", DomainId::ROWS);
    let ids = g.index_on(pieces, "pieces", 1);
    let tuning = Tuning { layers: 0, adaptation: Some(adaptation), rate: 1.0, decay: 0.5, dropout: 0.1, probe: 0 };
    for prefix in prefixes {
        let x = checkpoint.build(&mut g, prefix, "encoder", ids, &tuning);
        g.loss(&format!("{prefix}task"), x, LossKind::Mse);
    }
    let graph = g.finish().unwrap();
    let mut parameters = Parameters::init(&graph, 3);
    checkpoint.put(&graph, "encoder", &mut parameters);
    (graph, parameters)
}

fn states(graph: &Graph, parameters: &Parameters, ids: &[u32]) -> Vec<f32> {
    let mut session = polytask::Device::default().predicting(graph, 1, parameters).unwrap();
    let offsets = [0, ids.len() as u32];
    let feed = Batch { inputs: &[polytask::exec::Numbers::Index(ids)], targets: &[], offsets: &[&offsets], rows: &[0] };
    session.predict(&feed).tasks[0].prediction.of(0).to_vec()
}

const ALL: [Target; 6] = [Target::Query, Target::Key, Target::Value, Target::Output, Target::Up, Target::Down];

fn off(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

#[test]
fn what_learns_beside_an_encoder_begins_at_nothing() {
    let checkpoint = Checkpoint::read(&fixtures().join("bert")).unwrap();
    let ids: Vec<u32> = (1..20).collect();
    let wanted = checkpoint.hidden_states(&[&ids]).unwrap().remove(0);
    let lora = Adaptation::Lora { rank: 3, alpha: 6.0, targets: ALL.to_vec() };
    for (adaptation, mark) in [(lora, ".lora."), (Adaptation::Adapters { width: 5 }, ".adapter.")] {
        let (graph, parameters) = adapted(&checkpoint, adaptation.clone(), &[""]);
        assert!(off(&states(&graph, &parameters, &ids), &wanted) < 1e-6);
        let reach = graph.reach();
        for (parameter, losses) in graph.parameters().iter().zip(&reach.parameters) {
            assert_eq!(parameter.name.contains(mark), !losses.is_empty(), "{}", parameter.name);
            // The layer at the top has the whole rate.
            let rate = if parameter.name.contains("encoder.0.") { 0.5 } else { 1.0 };
            assert_eq!(parameter.rate, if losses.is_empty() { 0.0 } else { rate }, "{}", parameter.name);
        }
        // Of two tasks with an encoder each, what does not learn is there once.
        let (two, parameters) = adapted(&checkpoint, adaptation, &["tasks.a.", "tasks.b."]);
        assert_eq!(two.parameter_count(), 2 * graph.parameter_count());
        let fixed = |graph: &Graph| graph.scalar_count() - graph.parameter_count();
        assert_eq!(fixed(&two), fixed(&graph));
        assert!(off(&states(&two, &parameters, &ids), &wanted) < 1e-6);
    }
}

#[test]
fn a_term_of_low_rank_is_one_of_the_weights() {
    let checkpoint = Checkpoint::read(&fixtures().join("electra")).unwrap();
    let ids: Vec<u32> = (1..20).collect();
    for targets in [ALL.to_vec(), vec![Target::Query, Target::Value], vec![Target::Key, Target::Down]] {
        let (rank, alpha) = (3, 7.5);
        let adaptation = Adaptation::Lora { rank, alpha, targets: targets.clone() };
        let (graph, mut parameters) = adapted(&checkpoint, adaptation, &[""]);
        let (plain, mut merged) = checkpoint.network().unwrap();
        let find = |graph: &Graph, name: String| {
            ParameterId(graph.parameters().iter().position(|p| p.name == name).unwrap_or_else(|| panic!("{name}")))
        };
        for (layer, target) in (0..2).flat_map(|layer| targets.iter().map(move |target| (layer, *target))) {
            let (own, part) = match target {
                Target::Query => ("attention.inputs", 0),
                Target::Key => ("attention.inputs", 1),
                Target::Value => ("attention.inputs", 2),
                Target::Output => ("attention.output", 0),
                Target::Up => ("inner", 0),
                Target::Down => ("outer", 0),
            };
            let half = |half| find(&graph, format!("encoder.{layer}.{own}.lora.{}.{half}.weight", target.word()));
            let (a, b) = (half("down"), half("up"));
            let mut next = 0.0f32;
            parameters.of_mut(b).iter_mut().for_each(|value| {
                next += 1.0;
                *value = 0.2 * next.sin();
            });
            let (a, b) = (parameters.of(a).to_vec(), parameters.of(b).to_vec());
            let weight = find(&plain, format!("encoder.{layer}.{own}.weight"));
            let (all, each) = (plain.parameter(weight).dims[1], b.len() / rank);
            for (i, row) in merged.of_mut(weight).chunks_mut(all).enumerate() {
                for (o, value) in row[part * each..(part + 1) * each].iter_mut().enumerate() {
                    let term: f32 = (0..rank).map(|k| a[i * rank + k] * b[k * each + o]).sum();
                    *value += alpha / rank as f32 * term;
                }
            }
        }
        let (own, wanted) = (states(&graph, &parameters, &ids), states(&plain, &merged, &ids));
        assert!(off(&own, &wanted) < 1e-5, "{targets:?}: {}", off(&own, &wanted));
        assert!(off(&wanted, &checkpoint.hidden_states(&[&ids]).unwrap()[0]) > 1e-2);
    }
}

#[test]
fn layers_further_down_learn_more_slowly() {
    let checkpoint = Checkpoint::read(&fixtures().join("bert")).unwrap();
    let mut g = GraphBuilder::new();
    let pieces = g.ragged("pieces", DomainId::ROWS);
    let ids = g.index_on(pieces, "pieces", 1);
    let tuning = Tuning { layers: 2, adaptation: None, rate: 0.4, decay: 0.5, dropout: 0.0, probe: 7 };
    let x = checkpoint.build(&mut g, "", "encoder", ids, &tuning);
    g.loss("task", x, LossKind::Mse);
    for parameter in g.finish().unwrap().parameters() {
        let rate = match &parameter.name {
            name if name.starts_with("encoder.1.") => 0.4,
            name if name.starts_with("encoder.0.") => 0.2,
            _ => 0.1,
        };
        assert!((parameter.rate - rate).abs() < 1e-7, "{}: {}", parameter.name, parameter.rate);
        assert_eq!(parameter.held, 7);
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
    has(
        fault(|folder| config(folder, "\"bert\"", "\"gpt2\"")),
        &["`model_type` is \"gpt2\"", "bert, distilbert, electra, model2vec, modernbert"],
    );
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
