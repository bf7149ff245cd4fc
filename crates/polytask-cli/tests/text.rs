//! Sentences: intent and slots from end to end, and what is wrong with texts and tags.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Folder, repository};
use serde_json::{Value, json};

const CONFIG: &str = r#"
[data]
path = "data.jsonl"
split = { valid = 0.1, test = 0.2 }
[inputs]
tokens = "text"
[tasks.intent]
kind = "category"
[tasks.slots]
kind = "tags"
[model]
trunk = []
text = { width = 8, dropout = 0 }
[train]
epochs = 1
"#;

/// Sentences of two intents with a slot each.
fn sentences() -> Vec<Value> {
    let cities = ["Oslo", "Graz", "New York", "Porto"];
    let sentence = |i: usize| {
        let city: Vec<&str> = cities[i % 4].split(' ').collect();
        let (intent, before) = [("go", vec!["go", "to"]), ("ask", vec!["how", "warm", "is"])][i % 2].clone();
        let tags = before.iter().map(|_| "O".to_owned());
        let own = (0..city.len()).map(|i| format!("{}-city", if i == 0 { "B" } else { "I" }));
        let slots: Vec<String> = tags.chain(own).collect();
        let tokens = [before, city].concat();
        json!({ "tokens": tokens, "slots": slots, "intent": intent })
    };
    (0..60).map(sentence).collect()
}

fn lines(rows: &[Value]) -> String {
    rows.iter().map(|row| format!("{row}\n")).collect()
}

/// A folder whose third sentence, `how warm is New York` before, is changed.
fn changed(change: impl FnOnce(&mut Value)) -> Folder {
    let mut rows = sentences();
    change(&mut rows[2]);
    let folder = Folder::new();
    folder.write("config.toml", CONFIG).write("data.jsonl", lines(&rows));
    folder
}

#[track_caller]
fn fails(folder: &Folder, code: i32, message: &str) {
    let done = folder.run("train config.toml");
    assert_eq!((done.message(), done.code), (message, Some(code)));
    assert!(!folder.path("model").exists());
}

#[test]
fn the_bundled_commands_are_learnt() {
    let folder = Folder::new();
    let config = repository("examples/commands/config.toml");
    folder.works(&format!("train {config} --out m --set train.epochs=12"));
    let metrics = folder.json("m/metrics.json");
    let score = |task: &str, metric: &str| metrics["tasks"][task][metric].as_f64().unwrap();
    assert!(score("intent", "accuracy") > 0.9, "{metrics}");
    assert!(score("slots", "f1") > 0.8, "{metrics}");

    // Raw text in, tags inline or as JSON with the places of characters.
    let text = "Größe! wake me at half past six please";
    folder.write("raw.jsonl", json!({ "text": text }).to_string());
    let done = folder.works("predict m --data raw.jsonl --format jsonl");
    let line: Value = serde_json::from_str(&done.out).unwrap();
    for span in line["slots"].as_array().unwrap() {
        let at = |key: &str| span[key].as_u64().unwrap() as usize;
        let own: String = text.chars().skip(at("start")).take(at("end") - at("start")).collect();
        assert_eq!(span["text"], own);
    }
    let arguments = ["predict", "m", "--text", "wake me at noon", "--text", ""];
    let output = folder.command(&arguments).output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    assert_eq!(out.lines().count(), 3, "{out}");
    assert!(out.lines().nth(1).unwrap().contains("wake me at"), "{out}");
    let again =
        folder.works(&format!("evaluate m --data {} --format json", repository("data/commands/commands.jsonl")));
    assert!(again.out.contains("\"f1\""), "{}", again.out);
}

#[test]
fn a_model_of_tokens_reads_raw_text() {
    let folder = changed(|_| {});
    folder.works("train config.toml --out m");
    let done = folder.works("predict m --data data.jsonl --format jsonl");
    assert_eq!(done.out.lines().count(), 60);
    folder.write("raw.csv", "text\n\"go to New York, now\"\n");
    let raw = folder.works("predict m --data raw.csv");
    assert!(raw.out.starts_with("intent,slots\n"), "{}", raw.out);
}

#[test]
fn a_model_keeps_the_tokenizer_that_its_pieces_come_from() {
    let words = ["go", "to", "how", "warm", "is", "oslo", "graz", "new", "york", "por", "##to", "[UNK]"];
    let vocabulary: serde_json::Map<String, Value> =
        words.iter().enumerate().map(|(i, word)| ((*word).to_owned(), json!(i))).collect();
    let tokenizer = json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [],
        "normalizer": { "type": "Lowercase" }, "pre_tokenizer": { "type": "Whitespace" }, "post_processor": null,
        "decoder": null,
        "model": { "type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
                   "max_input_chars_per_word": 100, "vocab": vocabulary }
    });
    let folder = Folder::new();
    let config = CONFIG.replace("tokens = \"text\"", "tokens = { kind = \"text\", subwords = \"tokenizer.json\" }");
    folder.write("config.toml", config).write("data.jsonl", lines(&sentences()));
    fails(&folder, 1, "input `tokens`: tokenizer.json: No such file or directory (os error 2)");
    folder.write("tokenizer.json", "{}");
    let done = folder.run("train config.toml");
    assert!(done.message().starts_with("input `tokens`: tokenizer.json: it is no tokenizer.json: "), "{}", done.err);
    assert_eq!(done.code, Some(1));

    folder.write("tokenizer.json", tokenizer.to_string()).works("train config.toml --out model");
    let before = folder.works("predict model --data data.jsonl --format jsonl").out;
    std::fs::remove_file(folder.path("tokenizer.json")).unwrap();
    assert_eq!(folder.works("predict model --data data.jsonl --format jsonl").out, before);
    // A model whose tokenizer is damaged is no model.
    let whole = folder.read("model/model.json");
    let broken = whole.replace("WordPiece", "SentencePiece");
    assert_ne!(broken, whole);
    folder.write("model/model.json", broken);
    assert_eq!(folder.run("predict model --data data.jsonl").code, Some(1));
}

#[test]
fn tags_that_do_not_fit_the_tokens() {
    let folder = changed(|row| row["slots"] = json!(["O", "B-city"]));
    fails(&folder, 1, "data.jsonl line 3: task `slots`: 2 tags for 4 tokens");
    let folder = changed(|row| row["slots"][2] = json!("city"));
    let message = "data.jsonl line 3: task `slots`: `city` at token 3 is no tag; tags are `O`, `B-label` and `I-label`";
    fails(&folder, 1, message);
    let folder = changed(|row| row["tokens"][1] = json!(" "));
    let message = "data.jsonl line 3: input `tokens`: token 2 is empty\n\
                   hint: every token has at least one character that is no blank, tab or line end";
    fails(&folder, 1, message);
}

#[test]
fn a_span_that_never_began_is_repaired_or_refused() {
    let folder = changed(|row| row["slots"] = json!(["O", "I-city", "I-city", "O"]));
    let done = folder.works("train config.toml");
    assert!(done.err.contains("1 span(s) go on (`I-`) without having begun (`B-`); they begin there"), "{}", done.err);
    let done = folder.run("train config.toml --out strict --set tasks.slots.strict=true");
    assert_eq!(done.code, Some(1));
    let message = "data.jsonl line 3: task `slots`: `I-city` at token 2 goes on with a span that never began";
    assert_eq!(done.message(), message);
}

#[test]
fn long_and_empty_texts_are_counted() {
    let folder = changed(|row| (row["tokens"], row["slots"]) = (json!([]), json!([])));
    let done = folder.works("train config.toml --set inputs.tokens={kind=\"text\",max_tokens=3}");
    assert!(done.err.contains("input `tokens`: 1 text has no token"), "{}", done.err);
    assert!(done.err.contains("texts are longer than max_tokens = 3 and were cut"), "{}", done.err);
    let folder = changed(|row| row["tokens"][1] = json!("x".repeat(201)));
    let done = folder.works("train config.toml");
    assert!(
        done.err.contains("input `tokens`: 1 token is longer than 200 bytes and counts as unknown"),
        "{}",
        done.err
    );
}

#[test]
fn texts_that_are_none() {
    let mut rows = lines(&sentences()).into_bytes();
    let at = rows.iter().position(|byte| *byte == b'w').unwrap();
    rows[at] = 0xFF;
    let folder = Folder::new();
    folder.write("config.toml", CONFIG).write("data.jsonl", rows);
    fails(&folder, 1, "data.jsonl line 2: the text is not UTF-8\nhint: save the file as UTF-8");
    let folder = changed(|_| {});
    folder.write("config.toml", CONFIG.replace("tokens = \"text\"", "intent2 = \"text\""));
    assert_eq!(folder.run("train config.toml").code, Some(2));
    let folder = changed(|_| {});
    folder.write("config.toml", CONFIG.replace("kind = \"tags\"", "kind = \"tags\"\nover = \"txt\""));
    let message = "task `slots` labels tokens, but there is no text input `txt`\n\
                   hint: say which with `over`; the texts are `tokens`";
    fails(&folder, 2, message);
}
