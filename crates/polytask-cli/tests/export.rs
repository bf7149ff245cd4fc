//! `polytask export`: train, take the model elsewhere, and ask there.

#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::script::python;
use common::{CONFIG, Folder, repository, table};

/// A folder with a small trained model, `model`.
fn trained(settings: &str) -> Folder {
    let folder = Folder::with(CONFIG, &table(300));
    folder.works(&format!("train config.toml --out model --set train.epochs=2 {settings}"));
    folder
}

/// Exports to every format and asks Python whether the predictions for `data` are those of the program. Says so where Python
/// or its packages are not there.
fn agrees(folder: &Folder, data: &str) {
    for format in ["onnx", "pytorch", "keras"] {
        folder.works(&format!("export model --format {format} --out {format}"));
    }
    folder.works(&format!("predict model --data {data} --format jsonl --probabilities --out predictions.jsonl"));
    python(folder, "crates/polytask-export/tests/check.py", &[data, "predictions.jsonl", "."]);
}

#[test]
fn a_folder_a_format() {
    let folder = trained("");
    for (format, files) in [
        ("onnx", &["model.onnx", "model.json"][..]),
        ("safetensors", &["model.safetensors", "model.json"]),
        ("pytorch", &["network.py", "model.safetensors", "model.json"]),
        ("keras", &["network.py", "model.safetensors", "model.json"]),
    ] {
        let done = folder.works(&format!("export model --format {format}"));
        assert_eq!(done.out, "");
        assert_eq!(done.err, format!("wrote {} to model-{format}\n", files.join(", ")));
        let mut there: Vec<String> = std::fs::read_dir(folder.path(&format!("model-{format}")))
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        there.sort();
        let mut files = files.to_vec();
        files.sort_unstable();
        assert_eq!(there, files);
    }
    let spec = folder.json("model-onnx/model.json");
    let names = |key: &str| spec[key].as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names("inputs"), ["x", "z", "color"]);
    assert_eq!(names("outputs"), ["size", "warm", "warm.probabilities", "grade", "grade.probabilities"]);
    // The weights alone are those of the model.
    assert_eq!(folder.bytes("model-safetensors/model.safetensors"), folder.bytes("model/model.safetensors"));
}

/// What people read and change.
#[test]
fn scripts() {
    let folder = trained("");
    for format in ["pytorch", "keras"] {
        folder.works(&format!("export model --format {format} --out {format}"));
        insta::assert_snapshot!(format, folder.read(&format!("{format}/network.py")));
    }
}

#[test]
fn the_same_file_twice() {
    let folder = trained("");
    for format in ["onnx", "pytorch", "keras"] {
        folder.works(&format!("export model --format {format} --out one"));
        folder.works(&format!("export model --format {format} --out two"));
        for file in ["model.onnx", "network.py", "model.safetensors", "model.json"] {
            if folder.path(&format!("one/{file}")).exists() {
                assert_eq!(
                    folder.bytes(&format!("one/{file}")),
                    folder.bytes(&format!("two/{file}")),
                    "{format} {file}"
                );
            }
        }
    }
}

#[test]
fn what_cannot_be_written_is_told() {
    let folder = trained("");
    folder.write("file", "");
    let done = folder.run("export model --format onnx --out file");
    assert_eq!(done.code, Some(1));
    assert!(done.message().contains("file"), "{}", done.err);
    let done = folder.run("export nothing --format onnx");
    assert!(done.message().starts_with("nothing is no model directory"), "{}", done.err);
    assert_eq!(folder.run("export model --format tensorrt").code, Some(2));
}

#[test]
fn architectures_predict_the_same_elsewhere() {
    for sharing in ["hard", "mmoe", "ple", "cross_stitch", "mtan", "film"] {
        let folder = trained(&format!("--set model.sharing={sharing} --set model.dropout=0.1"));
        agrees(&folder, "data.csv");
    }
}

#[test]
fn bundled_texts_predict_the_same_elsewhere() {
    let config = repository("examples/commands/config.toml");
    for settings in
        ["", "--set model.text.encoder=lstm --set tasks.slots.loss=crf", "--set model.text.encoder=transformer"]
    {
        let folder = Folder::new();
        folder.works(&format!("train {config} --out model --set train.epochs=3 {settings}"));
        agrees(&folder, &repository("data/commands/commands.jsonl"));
    }
}
