//! Texts that a pretrained encoder reads, from end to end: frozen and learning, with every family of models, the cache, the
//! model directory, and what is refused. The encoder is a small one with random weights.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Done, Folder, repository};
use serde_json::{Value, json};
use std::path::PathBuf;

/// Sentences about two cities and two acts, a number that grows with the words, and the city as a tag.
fn data() -> String {
    let cities = ["paris", "tomorrow", "music", "tokyo"];
    let acts = ["book a table in", "play a song about", "what is the weather in"];
    let line = |i: usize| {
        let (city, act) = (cities[i % 4], acts[i % 3]);
        let extra = "please ".repeat(i % 5);
        let text = format!("{extra}{act} {city} {i}");
        let tokens: Vec<&str> = text.split(' ').collect();
        let tags: Vec<&str> = tokens.iter().map(|token| if *token == city { "B-city" } else { "O" }).collect();
        format!("{}\n", json!({ "text": text, "tokens": tokens, "tags": tags, "act": i % 3, "length": tokens.len() }))
    };
    (0..120).map(line).collect()
}

const ROWS: &str = r#"
[data]
path = "data.jsonl"
split = { valid = 0.2, test = 0.2 }
ignore = ["tokens", "tags"]
[inputs]
text = { kind = "text", encoder = { pretrained = "encoder"ENCODER } }
[tasks.act]
kind = "category"
[tasks.length]
kind = "regression"
"#;

const TOKENS: &str = r#"
[data]
path = "data.jsonl"
split = { valid = 0.2, test = 0.2 }
ignore = ["text", "length"]
[inputs]
tokens = { kind = "text", encoder = { pretrained = "encoder"ENCODER } }
[tasks.act]
kind = "category"
[tasks.tags]
kind = "tags"
[model]
trunk = []
text = { width = 16, layers = 1 }
[train]
epochs = 2
"#;

/// A folder with data, an encoder and a config.
fn folder(config: &str, encoder: &str, more: &str) -> Folder {
    folder_of("bert", config, encoder, more)
}

fn folder_of(family: &str, config: &str, encoder: &str, more: &str) -> Folder {
    let folder = Folder::new();
    folder.write("data.jsonl", data()).write("config.toml", config.replace("ENCODER", &comma(encoder)) + more);
    std::fs::create_dir(folder.path("encoder")).unwrap();
    let from = PathBuf::from(repository("crates/polytask/tests/fixtures/encoders")).join(family);
    for name in ["config.json", "model.safetensors", "tokenizer.json"] {
        std::fs::copy(from.join(name), folder.path("encoder").join(name)).unwrap();
    }
    folder
}

/// Keys behind others.
fn comma(keys: &str) -> String {
    if keys.is_empty() { String::new() } else { format!(", {keys}") }
}

fn run(folder: &Folder, arguments: &str) -> Done {
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let cache = folder.path("cache");
    Done::of(folder.command(&arguments).env("POLYTASK_CACHE", cache).output().unwrap())
}

#[track_caller]
fn works(folder: &Folder, arguments: &str) -> Done {
    let done = run(folder, arguments);
    assert_eq!(done.code, Some(0), "`polytask {arguments}`\n{}", done.err);
    done
}

fn cached(folder: &Folder) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for setting in std::fs::read_dir(folder.path("cache/vectors")).unwrap() {
        files.extend(std::fs::read_dir(setting.unwrap().path()).unwrap().map(|file| file.unwrap().path()));
    }
    files
}

const SHORT: &str = "[model]\ntrunk = [16]\n[train]\nepochs = 3\n";

#[test]
fn frozen_vectors_are_made_once_and_kept() {
    let folder = folder(ROWS, "train = \"frozen\"", SHORT);
    let first = works(&folder, "train config.toml --out a");
    assert!(first.err.contains("input `text`: 120 distinct texts were encoded"), "{}", first.err);
    let files = cached(&folder);
    assert_eq!(files.len(), 1);
    let again = works(&folder, "train config.toml --out b");
    assert!(again.err.contains("the vectors of its 120 distinct texts were in the cache"), "{}", again.err);
    assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("b/model.safetensors"));
    // A damaged file is taken away and made again.
    let mut bytes = std::fs::read(&files[0]).unwrap();
    let last = bytes.len() - 9;
    bytes[last] ^= 64;
    std::fs::write(&files[0], bytes).unwrap();
    let mended = works(&folder, "train config.toml --out c --threads 1");
    assert!(mended.err.contains("120 distinct texts were encoded"), "{}", mended.err);
    assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("c/model.safetensors"));
    // The model holds the encoder.
    std::fs::remove_dir_all(folder.path("encoder")).unwrap();
    std::fs::remove_dir_all(folder.path("cache")).unwrap();
    let all = works(&folder, "predict a --data data.jsonl --format jsonl").out;
    assert_eq!(all.lines().count(), 120);
    let done = run(&folder, "predict a --format jsonl --text x");
    assert_eq!(done.code, Some(0), "{}", done.err);
    works(&folder, "evaluate a --data data.jsonl");
    works(&folder, "report a --out report.html");
    works(&folder, "show a");
    // ONNX has the encoder in its graph, the tokenizer beside it; the other formats have none.
    let written = works(&folder, "export a --format onnx --out onnx");
    assert!(written.err.contains("wrote model.onnx, model.json, tokenizer.json"), "{}", written.err);
    let tokenizer = folder.json("onnx/tokenizer.json");
    assert_eq!((&tokenizer["truncation"]["max_length"], &tokenizer["padding"]), (&json!(40), &Value::Null));
    let refused = run(&folder, "export a --format pytorch --out pytorch");
    let said = "input `text`: pytorch cannot have it: a pretrained encoder reads it";
    assert!(refused.err.contains(said) && refused.code == Some(1), "{}", refused.err);
}

#[test]
fn every_family_reads_the_vectors() {
    for more in [
        "[model]\nfamily = \"trees\"\ntrees = { trees = 5 }\n",
        "[model]\nfamily = \"ensemble\"\npreset = \"fast\"\n",
        "[model]\nsharing = \"mmoe\"\ntrunk = [8]\n[train]\nepochs = 1\n",
        "[model]\nsharing = \"none\"\ntrunk = [8]\n[train]\nepochs = 1\n",
    ] {
        let folder = folder(ROWS, "pooling = \"cls\", normalize = true, max_pieces = 8", more);
        let done = works(&folder, "train config.toml --out a");
        assert!(done.err.contains("texts are longer than max_pieces = 8 and were cut"), "{}", done.err);
        let predicted = works(&folder, "predict a --data data.jsonl --format jsonl").out;
        let line: Value = serde_json::from_str(predicted.lines().next().unwrap()).unwrap();
        assert!(line["length"].is_number(), "{line}");
    }
}

#[test]
fn a_model_may_name_its_encoder() {
    let folder = folder(ROWS, "link = true, words = true, long = \"windows\"", SHORT);
    works(&folder, "train config.toml --out a");
    let refused = run(&folder, "export a --format onnx --out onnx");
    assert!(refused.err.contains("a pretrained encoder reads it in windows"), "{}", refused.err);
    let before = works(&folder, "predict a --data data.jsonl").out;
    let held = std::fs::metadata(folder.path("a/model.safetensors")).unwrap().len();
    let own = std::fs::metadata(folder.path("encoder/model.safetensors")).unwrap().len();
    assert!(held > 0 && own > 0);
    // Moved to where encoders are kept, it is found by its name.
    std::fs::create_dir(folder.path("kept")).unwrap();
    std::fs::rename(folder.path("encoder"), folder.path("kept/encoder")).unwrap();
    let gone = run(&folder, "predict a --data data.jsonl");
    assert!(gone.err.contains("which is not there; $POLYTASK_ENCODERS may hold"), "{}", gone.err);
    let arguments = ["predict", "a", "--data", "data.jsonl"];
    let kept = || {
        let mut command = folder.command(&arguments);
        Done::of(command.env("POLYTASK_ENCODERS", folder.path("kept")).output().unwrap())
    };
    assert_eq!(kept().out, before);
    let config = folder.path("kept/encoder/config.json");
    let text = std::fs::read_to_string(&config).unwrap().replace("1e-12", "1e-6");
    std::fs::write(config, text).unwrap();
    let other = kept();
    assert!(other.err.contains("holds another pretrained encoder"), "{}", other.err);
    assert_eq!(other.code, Some(1));
}

#[test]
fn an_encoder_learns_with_the_tasks() {
    for encoder in [
        "train = \"full\", rate = 0.5, layer_decay = 0.8",
        "train = 1, words = true, pooling = \"cls\"",
        "train = \"lora\", rank = 2, targets = [\"query\", \"value\", \"down\"]",
        "train = \"adapters\", width = 4, layer_decay = 0.5",
        // The encoder begins to learn within the first epoch, and at the end of it.
        "train = \"full\", probe = 2",
        "train = \"lora\", probe = 3",
    ] {
        let folder = folder(ROWS, encoder, SHORT);
        works(&folder, "train config.toml --out a");
        let predicted = works(&folder, "predict a --data data.jsonl").out;
        works(&folder, "train config.toml --out b --threads 1");
        assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("b/model.safetensors"));
        // A run that is broken off goes on to the same bits.
        works(&folder, "train config.toml --out c --set train.epochs=1");
        works(&folder, "train config.toml --out c --resume");
        assert_eq!(folder.bytes("a/model.safetensors"), folder.bytes("c/model.safetensors"));
        // A checkpoint has the model, the best one, and two moments of what learns.
        let [model, kept] = ["a/model.safetensors", "a/checkpoint.safetensors"].map(|name| folder.bytes(name).len());
        if !encoder.contains("words") {
            assert_eq!(kept > 3 * model, encoder.contains("full"), "{encoder}: {kept} {model}");
        }
        // What has learnt stands in the model.
        std::fs::remove_dir_all(folder.path("encoder")).unwrap();
        assert_eq!(works(&folder, "predict b --data data.jsonl").out, predicted);
    }
}

#[test]
fn tokens_are_labelled_over_an_encoder() {
    for encoder in ["", "words = false", "train = \"full\", max_pieces = 16", "train = 2, words = false"] {
        let folder = folder(TOKENS, encoder, "");
        let done = works(&folder, "train config.toml --out a");
        let again = works(&folder, "evaluate a --data data.jsonl");
        assert!(again.out.contains("tags"), "{}\n{}", done.err, again.out);
        folder.write("raw.jsonl", json!({ "text": "play a song about paris" }).to_string());
        works(&folder, "predict a --data raw.jsonl --format jsonl");
    }
}

#[test]
fn heads_may_learn_before_the_encoder() {
    let of = |encoder: &str| {
        // Without validation rows the last state is kept.
        let rows = ROWS.replace("valid = 0.2", "valid = 0");
        let folder = folder(&rows, encoder, "[model]\ntrunk = [16]\n[train]\nsteps = 4\n");
        works(&folder, "train config.toml --out a");
        let bytes = folder.bytes("a/model.safetensors");
        let arrays = polytask::files::decode_arrays(&folder.path("a/model.safetensors"), &bytes).unwrap();
        let find = |name: &str| {
            let array = arrays.iter().find(|array| array.name.ends_with(name)).unwrap();
            let polytask::files::Numbers::F32(values) = &array.numbers else { return Vec::new() };
            values.to_vec()
        };
        [find("context.1.outer.weight"), find("trunk.0.weight")]
    };
    let [started, _] = of("train = \"lora\"");
    let [held, trunk] = of("train = \"full\", probe = 4");
    assert_eq!(held, started, "it does not learn within its first steps");
    let [moved, other] = of("train = \"full\", probe = 3");
    assert!(moved != started && other != trunk);
}

#[test]
fn other_families_are_read_and_learn() {
    for (family, encoder) in [
        ("modernbert", "train = \"full\""),
        ("modernbert", "train = \"lora\", targets = [\"key\", \"up\"]"),
        ("modernbert", ""),
        ("model2vec", ""),
        ("model2vec", "words = true, long = \"windows\", max_pieces = 8"),
    ] {
        let folder = folder_of(family, ROWS, encoder, SHORT);
        works(&folder, "train config.toml --out a");
        let predicted = works(&folder, "predict a --data data.jsonl").out;
        std::fs::remove_dir_all(folder.path("encoder")).unwrap();
        std::fs::remove_dir_all(folder.path("cache")).ok();
        assert_eq!(works(&folder, "predict a --data data.jsonl").out, predicted);
        let folder = folder_of(family, TOKENS, encoder, "");
        works(&folder, "train config.toml --out a");
    }
    let fails = |encoder: &str, said: &str| {
        let folder = folder_of("model2vec", ROWS, encoder, SHORT);
        let done = run(&folder, "train config.toml --out a");
        assert!(done.err.contains(said) && done.code == Some(1), "{}", done.err);
    };
    fails("train = \"full\"", "it names static vectors, which have no layers: `train` must be \"frozen\"");
    fails("pooling = \"max\"", "of which a text is the mean: `pooling` must be \"mean\"");
}

#[test]
fn what_does_not_go_together_is_refused() {
    let fails = |encoder: &str, code: i32, said: &str| {
        let folder = folder(ROWS, encoder, SHORT);
        let done = run(&folder, "train config.toml --out a");
        assert!(done.err.contains(said), "{}", done.err);
        assert_eq!(done.code, Some(code), "{}", done.err);
        assert!(!folder.path("a").exists());
    };
    fails("rate = 0.5", 2, "`inputs.text.encoder.rate` is of an encoder that learns, and `train` is \"frozen\"");
    fails(
        "train = \"full\", link = true",
        2,
        "is of an encoder that learns nothing: what has learnt stands in the model",
    );
    fails("train = \"half\"", 2, "it must be \"frozen\", \"full\", \"lora\", \"adapters\" or a number of layers");
    fails("rank = 4", 2, "`inputs.text.encoder.rank` is of train = \"lora\"");
    fails("train = \"lora\", width = 4", 2, "`inputs.text.encoder.width` is of train = \"adapters\"");
    fails("train = \"lora\", rank = 0", 2, "it must be from 1 to 1024");
    fails("train = \"lora\", alpha = 0", 2, "it must be above 0");
    fails("train = \"lora\", targets = []", 2, "`targets` names no layer");
    fails("train = \"lora\", targets = [\"up\", \"up\"]", 2, "`targets` names \"up\" twice");
    fails("train = \"lora\", targets = [\"pooler\"]", 2, "pooler");
    fails("train = \"full\", layer_decay = 1.5", 2, "it must be above 0 and at most 1");
    fails("probe = 10", 2, "is of an encoder that learns, and `train` is \"frozen\"");
    fails("layer_decay = 0.9", 2, "is of an encoder that learns, and `train` is \"frozen\"");
    fails("max_pieces = 4", 2, "it must be 8 or more");
    fails("max_pieces = 400", 1, "`max_pieces` is 400, and the encoder has 40 positions");
    fails("train = 3", 1, "`train` names the last 3 layers, and the encoder has 2");
    let folder = folder(ROWS, "", SHORT);
    std::fs::remove_file(folder.path("encoder/tokenizer.json")).unwrap();
    let done = run(&folder, "train config.toml --out a");
    assert!(done.err.contains("lacks tokenizer.json\nhint: download every file"), "{}", done.err);
}

#[test]
fn init_proposes_an_encoder_that_is_there() {
    let folder = folder(ROWS, "", SHORT);
    let plain = |line: &str| {
        let row: Value = serde_json::from_str(line).unwrap();
        format!("{}\n", json!({ "text": row["text"], "act": row["act"] }))
    };
    let rows: String = data().lines().map(plain).collect();
    folder.write("plain.jsonl", rows);
    let init = |root: Option<&str>| {
        let mut command = folder.command(&["init", "plain.jsonl", "--tasks", "act"]);
        command.env_remove("POLYTASK_ENCODERS");
        if let Some(root) = root {
            command.env("POLYTASK_ENCODERS", folder.path(root));
        }
        Done::of(command.output().unwrap()).out
    };
    let line = "# text = { kind = \"text\", encoder = { pretrained = \"${POLYTASK_ENCODERS}/encoder\" } }";
    assert!(init(Some(".")).contains(line), "{}", init(Some(".")));
    assert!(!init(None).contains("pretrained"));
    assert!(!init(Some("nowhere")).contains("pretrained"));
}
