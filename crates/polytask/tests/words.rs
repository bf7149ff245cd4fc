//! What words are known by: vectors from a file, pieces, and texts beside others.

#![allow(clippy::unwrap_used, reason = "the data of a test is known to be there")]

mod common;

use polytask::config::Config;
use polytask::inputs::{Code, Pieces};
use polytask::model::{self, Model};
use polytask::share;
use polytask::{Prepared, prepare};
use polytask_exec::Parameters;
use polytask_graph::{Graph, ParameterId};
use serde_json::json;
use std::path::Path;

const ENDS: [&str; 3] = ["ing", "ness", "ful"];

/// Words whose end tells their class; of every five the last is there once alone, in the test rows.
fn rows(count: usize) -> String {
    let row = |i: usize| {
        let begin = ["sed", "mor", "tal", "ken", "pil"][i % 5];
        let class = i * 7 % 3;
        let number = if i % 5 == 4 { format!("{}", i / 5) } else { format!("{}", i % 3) };
        let word = format!("{begin}{}{}", number.replace(char::is_numeric, "o"), ENDS[class]);
        let word = if i % 5 == 4 { format!("{}{word}", (b'b' + (i / 5 % 20) as u8) as char) } else { word };
        json!({
            "tokens": ["so", word, "it", "is"],
            "about": format!("this is about {}", if i.is_multiple_of(2) { "cats" } else { "dogs" }),
            "class": ENDS[class],
            "animal": if i.is_multiple_of(2) { "cat" } else { "dog" },
            "marks": ["O", format!("B-{}", ENDS[class]), "O", "O"],
            "split": if i % 5 == 4 { "test" } else { "train" },
        })
    };
    (0..count).map(|i| format!("{}\n", row(i))).collect()
}

fn read(folder: &Path, sections: &str) -> Result<(Config, Prepared), String> {
    std::fs::write(folder.join("data.jsonl"), rows(300)).unwrap();
    let text = format!("[data]\npath = \"data.jsonl\"\nsplit = {{ column = \"split\" }}\n{sections}");
    let config = Config::from_toml(&text, folder.join("config.toml").to_str().unwrap()).map_err(|e| e.to_string())?;
    let at = format!("{}/", folder.display());
    let prepared = prepare(&config).map_err(|e| e.to_string().replace(&at, ""))?;
    Ok((config, prepared))
}

fn build(config: &Config, prepared: &Prepared) -> (Graph, Parameters) {
    let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks)).unwrap();
    let start = model::start(
        &graph,
        &prepared.encoder,
        (&prepared.data.features, &prepared.split.train),
        config.train.seed,
        None,
    )
    .unwrap();
    (graph, start)
}

fn learn(config: &Config, prepared: Prepared) -> (Model, Prepared) {
    let learnt = common::train(config, prepared);
    (learnt.model, learnt.prepared)
}

fn score(model: &Model, prepared: &Prepared, task: &str, metric: &str) -> f64 {
    let labels: Vec<usize> = (0..prepared.tasks.len()).collect();
    let scores = model.score(&prepared.data, &labels, &prepared.split.test).unwrap();
    scores.tasks[task].metrics.value(metric).unwrap()
}

fn table<'a>(graph: &Graph, parameters: &'a Parameters) -> &'a [f32] {
    let at = graph.parameters().iter().position(|p| p.name == "tokens.tokens.word.table").unwrap();
    parameters.of(ParameterId(at))
}

const CLASS: &str = "[tasks.class]\nkind = \"category\"\n[model]\ntrunk = []\ntext = { encoder = \"none\", dropout = 0 }\n\
                     [train]\nepochs = 3\nbatch = 32\n";

/// Words of the training rows, in any case, and one that is in no row.
const VECTORS: &str = "So 1 2 3\nelsewhere 7 7 7\nit -1 -2 -3\nIT 9 9 9\n";

#[test]
fn words_begin_with_the_vectors_of_a_file() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("v.txt"), VECTORS).unwrap();
    let input = |more: &str| format!("[inputs]\ntokens = {{ kind = \"text\", vectors = \"v.txt\"{more} }}\n{CLASS}");
    let of = |prepared: &Prepared, graph: &Graph, parameters: &Parameters, word: &str| -> Option<Vec<f32>> {
        let Code::Text(text) = &prepared.encoder.inputs[0].code else { panic!() };
        assert_eq!(text.width, 3);
        let at = text.words.0.iter().position(|w| w == word)?;
        Some(table(graph, parameters)[3 * at..3 * at + 3].to_vec())
    };
    // Trained: what is in the rows alone.
    let (config, prepared) = read(folder.path(), &input("")).unwrap();
    let (graph, start) = build(&config, &prepared);
    assert_eq!(of(&prepared, &graph, &start, "so"), Some(vec![1.0, 2.0, 3.0]));
    assert_eq!(of(&prepared, &graph, &start, "it"), Some(vec![-1.0, -2.0, -3.0]));
    assert_eq!(of(&prepared, &graph, &start, "elsewhere"), None);
    let (model, prepared) = learn(&config, prepared);
    assert_ne!(of(&prepared, &graph, &model.network().unwrap().parameters, "so"), Some(vec![1.0, 2.0, 3.0]));

    // Frozen: what the file has besides as well; the others learn.
    let (config, prepared) = read(folder.path(), &input(", freeze = true")).unwrap();
    let (graph, start) = build(&config, &prepared);
    let (model, prepared) = learn(&config, prepared);
    assert_eq!(of(&prepared, &graph, &model.network().unwrap().parameters, "so"), Some(vec![1.0, 2.0, 3.0]));
    assert_eq!(of(&prepared, &graph, &model.network().unwrap().parameters, "elsewhere"), Some(vec![7.0, 7.0, 7.0]));
    assert_eq!(table(&graph, &model.network().unwrap().parameters), table(&graph, &start));
    assert_ne!(model.network().unwrap().parameters, start);

    // A rare word is known if it has a vector.
    let known = |more: &str| {
        let (_, prepared) = read(folder.path(), &input(&format!(", min_count = 1000{more}"))).unwrap();
        let Code::Text(text) = &prepared.encoder.inputs[0].code else { panic!() };
        text.words.0.clone()
    };
    assert_eq!(known(""), ["so", "it"]);
    assert_eq!(known(", max_words = 1"), ["so"]);
}

#[test]
fn vectors_in_a_matrix_beside_a_list_of_words() {
    let folder = tempfile::tempdir().unwrap();
    let values: Vec<u8> = [1.0f32, 2.0, 3.0, 4.0].iter().flat_map(|v| v.to_le_bytes()).collect();
    let write = |dims: Vec<usize>| {
        let view = safetensors::tensor::TensorView::new(safetensors::Dtype::F32, dims, &values).unwrap();
        let bytes = safetensors::serialize([("vectors", view)], None).unwrap();
        std::fs::write(folder.path().join("v.safetensors"), bytes).unwrap();
    };
    let sections = format!("[inputs]\ntokens = {{ kind = \"text\", vectors = \"v.safetensors\" }}\n{CLASS}");
    let fails = |expected: &str| assert_eq!(read(folder.path(), &sections).err().unwrap(), expected);
    write(vec![2, 2]);
    std::fs::write(folder.path().join("v.txt"), "so\nit\n").unwrap();
    let (config, prepared) = read(folder.path(), &sections).unwrap();
    let (graph, start) = build(&config, &prepared);
    let Code::Text(text) = &prepared.encoder.inputs[0].code else { panic!() };
    let at = text.words.0.iter().position(|w| w == "it").unwrap();
    assert_eq!(table(&graph, &start)[2 * at..2 * at + 2], [3.0, 4.0]);
    std::fs::write(folder.path().join("v.txt"), "so\n").unwrap();
    fails("input `tokens`: v.txt has 1 lines, and v.safetensors has 2 rows; a line is the word of a row");
    write(vec![4]);
    fails("input `tokens`: v.safetensors: \"vectors\" has shape [4]; expected a matrix, words x width");
}

#[test]
fn vectors_that_do_not_fit() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |vectors: &str, more: &str, expected: &str| {
        std::fs::write(folder.path().join("v.txt"), vectors).unwrap();
        let sections = format!("[inputs]\ntokens = {{ kind = \"text\"{more} }}\n{CLASS}");
        let error = read(folder.path(), &sections).err().unwrap();
        assert!(error.contains(expected), "{error}");
    };
    let named = ", vectors = \"v.txt\"";
    fails("so 1 2\nit 1\n", named, "input `tokens`: v.txt line 2: expected a word and 2 numbers, found 1");
    fails("so 1 2\nit 1 x\n", named, "input `tokens`: v.txt line 2: `x` is no number");
    fails("a 1\nb 2\n", named, "input `tokens`: none of the words of the training rows has a vector in v.txt");
    let width = ", vectors = \"v.txt\", embedding = 5";
    fails("so 1 2\n", width, "input `tokens`: its vectors have 2 numbers each, and `embedding` is 5");
    fails("", ", freeze = true", "`inputs.tokens.freeze` keeps vectors as they are, and there are none");
    fails("", ", vectors = \"nowhere.txt\"", "nowhere.txt");
    fails("", ", subwords = 0", "subwords is 0; it must be from 1 to 100000, or the path of a tokenizer.json");
}

/// WordPiece over letters and the ends of the words, which would cut and pad sentences, and put marks around them.
fn word_piece() -> serde_json::Value {
    let letters = ('a'..='z').flat_map(|c| [c.to_string(), format!("##{c}")]);
    let pieces = ["[UNK]", "[CLS]", "nowhere"].map(str::to_owned).into_iter();
    let pieces = pieces.chain(letters).chain(ENDS.map(|end| format!("##{end}")));
    let vocabulary: serde_json::Map<_, _> = pieces.enumerate().map(|(i, piece)| (piece, json!(i))).collect();
    json!({
        "version": "1.0",
        "truncation": { "direction": "Right", "max_length": 1, "strategy": "LongestFirst", "stride": 0 },
        "padding": { "strategy": { "Fixed": 9 }, "direction": "Right", "pad_to_multiple_of": null, "pad_id": 0, "pad_type_id": 0,
                     "pad_token": "[UNK]" },
        "added_tokens": [],
        "normalizer": { "type": "Lowercase" },
        "pre_tokenizer": { "type": "Whitespace" },
        "post_processor": { "type": "BertProcessing", "sep": ["[CLS]", 1], "cls": ["[CLS]", 1] },
        "decoder": null,
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": vocabulary }
    })
}

/// Byte-pair encoding in which words begin with the blank before them.
fn byte_pairs() -> serde_json::Value {
    // As a space is written in such a vocabulary.
    let begun = ('a'..='z').map(|c| ["\u{120}".to_owned(), c.to_string()]);
    let merges: Vec<[String; 2]> = begun.chain([["\u{120}s".to_owned(), "o".to_owned()]]).collect();
    let letters = ('a'..='z').map(|c| c.to_string());
    let pieces = std::iter::once("\u{120}".to_owned()).chain(letters).chain(merges.iter().map(|pair| pair.concat()));
    let vocabulary: serde_json::Map<_, _> = pieces.enumerate().map(|(i, piece)| (piece, json!(i))).collect();
    json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null,
        "pre_tokenizer": { "type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true },
        "post_processor": null, "decoder": null,
        "model": { "type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": null,
                   "end_of_word_suffix": null, "fuse_unk": false, "byte_fallback": false, "vocab": vocabulary,
                   "merges": merges }
    })
}

#[test]
fn pieces_of_tokenizers_that_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let sections = format!("[inputs]\ntokens = {{ kind = \"text\", subwords = \"t.json\" }}\n{CLASS}");
    let read = |tokenizer: String| {
        std::fs::write(folder.path().join("t.json"), tokenizer).unwrap();
        let (_, prepared) = read(folder.path(), &sections)?;
        let Code::Text(text) = &prepared.encoder.inputs[0].code else { panic!() };
        let Some(Pieces::Read(pieces)) = text.subwords.clone() else { panic!() };
        // The pieces of the first token, `so`, of a row.
        let of = &prepared.data.features.texts[0];
        let so: Vec<u32> =
            of.pieces[..of.piece_offsets[1] as usize].iter().map(|at| pieces.known[*at as usize]).collect();
        Ok::<_, String>((pieces, so))
    };
    let name = |of: &serde_json::Value, at: u32| {
        let vocabulary = of["model"]["vocab"].as_object().unwrap();
        vocabulary.iter().find(|(_, i)| **i == json!(at)).unwrap().0.clone()
    };
    let file = word_piece();
    let (pieces, so) = read(file.to_string()).unwrap();
    assert_eq!(so.iter().map(|at| name(&file, *at)).collect::<Vec<_>>(), ["s", "##o"], "no marks, cuts or padding");
    assert!(!pieces.blank && pieces.known.len() > 10 && !pieces.known.contains(&2), "those of the training rows");

    let file = byte_pairs();
    let (pieces, so) = read(file.to_string()).unwrap();
    assert_eq!(so.iter().map(|at| name(&file, *at)).collect::<Vec<_>>(), ["\u{120}so"]);
    assert!(pieces.blank, "words have fewer pieces with the blank before them");

    // Without a piece for what is unknown, nothing is known of words of other letters.
    let mut small = word_piece();
    small["model"]["vocab"] = json!({ "s": 0 });
    let error = read(small.to_string()).unwrap_err();
    assert!(error.starts_with("input `tokens`: t.json: it cannot split \""), "{error}");
    small["model"] = json!({ "type": "BPE", "vocab": {}, "merges": [] });
    let error = read(small.to_string()).unwrap_err();
    assert_eq!(error, "input `tokens`: t.json: the words of the training rows have no pieces in it");
}

#[test]
fn unseen_words_are_known_by_their_pieces() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("t.json"), word_piece().to_string()).unwrap();
    // Ends of two and three letters tell the classes too: here words have none, so that pieces alone can.
    let accuracy = |more: &str| {
        let train = CLASS.replace("epochs = 3", "epochs = 20\nlearning_rate = 0.02");
        let sections = format!("[inputs]\ntokens = {{ kind = \"text\", min_count = 1{more} }}\n{train}");
        let (config, prepared) = read(folder.path(), &sections).unwrap();
        let (model, prepared) = learn(&config, prepared);
        let written = serde_json::to_string(&model.encoder).unwrap();
        assert_eq!(serde_json::from_str::<polytask::inputs::Encoder>(&written).unwrap(), model.encoder);
        (score(&model, &prepared, "class", "accuracy"), prepared)
    };
    let (read, _) = accuracy(", subwords = \"t.json\"");
    let (pieces, prepared) = accuracy(", subwords = 60");
    assert!(pieces > 0.95 && read > 0.95, "{pieces} {read}");
    let text = &prepared.data.features.texts[0];
    assert_eq!(text.piece_offsets.len(), text.indices.len() / text.width + 1);
    let Code::Text(code) = &prepared.encoder.inputs[0].code else { panic!() };
    let unknown = code.words.0.len() as u32;
    let row = prepared.split.test[0] as usize;
    let token = text.offsets[row] as usize + 1;
    assert_eq!(text.indices[token * text.width], unknown, "the word is one that training has not seen");
    let own = &text.pieces[text.piece_offsets[token] as usize..text.piece_offsets[token + 1] as usize];
    assert!(own.len() > 1 && own.iter().all(|piece| *piece < code.subwords.as_ref().unwrap().levels() as u32));
}

#[test]
fn several_texts_in_one_model() {
    let folder = tempfile::tempdir().unwrap();
    let tasks =
        "[tasks.marks]\nkind = \"tags\"\n[tasks.animal]\nkind = \"category\"\n[tasks.class]\nkind = \"category\"\n";
    let over = tasks.replace("kind = \"tags\"", "kind = \"tags\"\nover = \"tokens\"");
    let rest = "[model]\ntrunk = [16]\ntext = { encoder = \"gru\", width = 8, layers = 1, dropout = 0 }\n\
                [train]\nepochs = 20\nbatch = 16\nlearning_rate = 0.01\n";
    let inputs = "[inputs]\ntokens = { kind = \"text\", subwords = 40 }\nabout = { kind = \"text\", subwords = 30 }\n";
    let (config, prepared) = read(folder.path(), &format!("{inputs}{over}{rest}")).unwrap();
    let (model, prepared) = learn(&config, prepared);
    for (task, metric) in [("marks", "f1"), ("animal", "accuracy"), ("class", "accuracy")] {
        let score = score(&model, &prepared, task, metric);
        assert!(score > 0.9, "{task}: {score}");
    }
    // Which text is labelled has to be said where there are several.
    let error = read(folder.path(), &format!("{inputs}{tasks}{rest}")).err().unwrap();
    assert!(error.contains("marks"), "{error}");
}
