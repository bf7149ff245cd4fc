//! `init` and `inspect`: what is found in data, and configs that train as they stand.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, repository, table};
use serde_json::Value;

/// [`table`] with a row number, a key, a copy of a label in another unit, a code of another one, a constant and a date.
fn traps(rows: usize) -> String {
    let mut text = String::new();
    for (row, line) in table(rows).lines().enumerate() {
        let cells: Vec<&str> = line.split(',').collect();
        let more = match row {
            0 => "row,key,size_mm,grade_code,unit,taken".to_owned(),
            _ => {
                let size = cells[4].parse::<f64>().map_or(String::new(), |size| format!("{:.3}", 10.0 * size));
                let code = match cells[6] {
                    "low" => "L",
                    "middle" => "M",
                    _ => "H",
                };
                format!(
                    "{row},k{:x},{size},{code},cm,2024-{:02}-{:02} 1{}:00",
                    row * 7919,
                    row % 12 + 1,
                    row % 28 + 1,
                    row % 10
                )
            }
        };
        text += &format!("{line},{more}\n");
    }
    text
}

/// Trains a drafted config for an epoch.
fn trains(folder: &Folder, config: &str) -> String {
    folder.works(&format!("train {config} --out model --set train.epochs=1")).out
}

#[test]
fn a_table_with_traps() {
    let folder = Folder::new();
    folder.write("data.csv", traps(200));
    let done = folder.works("init data.csv --tasks size,warm,grade");
    insta::assert_snapshot!("draft", done.out);
    insta::assert_snapshot!("draft_said", done.err);
    folder.write("drafted.toml", &done.out);
    trains(&folder, "drafted.toml");
    // Nothing that was left out is read.
    let model = folder.json("model/model.json");
    let inputs = model["model"]["encoder"]["inputs"].as_array().unwrap();
    let names: Vec<&str> = inputs.iter().map(|input| input["column"].as_str().unwrap()).collect();
    assert_eq!(names, ["x", "z", "color", "taken"]);
}

#[test]
fn one_odd_word_in_a_column_that_nobody_asked_for_stops_nothing() {
    let folder = Folder::new();
    let odd = |(row, line): (usize, &str)| match row {
        0 => format!("{line},order"),
        150 => format!("{line},A-17"),
        row => format!("{line},{row}"),
    };
    let text: Vec<String> = table(200).lines().enumerate().map(odd).collect();
    folder.write("data.csv", text.join("\n") + "\n");
    let done = folder.works("init data.csv --tasks size,grade");
    assert!(done.out.contains("`A-17` is not a number"), "it says why it left the column out:\n{}", done.out);
    folder.write("drafted.toml", &done.out);
    trains(&folder, "drafted.toml");
    // A model that never read the column does not look at it.
    assert_eq!(folder.works("predict model --data data.csv").out.lines().count(), 201);
    // One that is asked to read it says what is wrong.
    folder.write("all.toml", "[data]\npath = \"data.csv\"\n[inputs]\norder = \"number\"\n[tasks.size]\n");
    let failed = folder.run("train all.toml --out other");
    assert_eq!(failed.code, Some(1), "{}", failed.err);
    assert!(failed.err.contains("data.csv line 151: column `order`: `A-17` is not a number"), "{}", failed.err);
}

#[test]
fn tasks_that_are_likely_meant() {
    let folder = Folder::new();
    folder.write("data.csv", table(200));
    let done = folder.works("init data.csv --out config.toml");
    assert!(done.err.contains("to be predicted: size, warm\n"), "{}", done.err);
    assert!(folder.read("config.toml").contains("split = { column = \"part\" }"));
    trains(&folder, "config.toml");
}

#[test]
fn calls_of_init_that_are_wrong() {
    let folder = Folder::new();
    folder.write("data.csv", table(100)).write("config.toml", "mine");
    for (arguments, code, message) in [
        ("init no.csv", 1, "no such file: no.csv"),
        (
            "init data.csv --out config.toml",
            2,
            "config.toml is there already; nothing was written\nhint: --force writes over it",
        ),
        ("init data.csv --tasks sizes", 1, "there is no column `sizes`\nhint: did you mean `size`?"),
        ("inspect no.csv", 1, "no such file: no.csv"),
    ] {
        let done = folder.run(arguments);
        assert_eq!((done.message(), done.code, done.out.as_str()), (message, Some(code), ""), "{arguments}");
    }
    assert_eq!(folder.read("config.toml"), "mine");
    folder.works("init data.csv --out config.toml --force");
    trains(&folder, "config.toml");
}

#[test]
fn data_in_another_folder_than_the_config() {
    let folder = Folder::new();
    for name in ["data", "configs", "data/deep"] {
        std::fs::create_dir(folder.path(name)).unwrap();
    }
    folder.write("data/data.csv", table(100));
    folder.works("init data/data.csv --out configs/config.toml");
    folder.works("train configs/config.toml --set train.epochs=1");
    folder.works("init data/data.csv --out data/config.toml");
    assert!(folder.read("data/config.toml").contains("path = \"data.csv\""));
    folder.works("train data/config.toml --set train.epochs=1");
}

#[test]
fn groups_stay_together() {
    let folder = Folder::new();
    let rows: String =
        (0..200).map(|i| format!("{},{},{}\n", i / 10, (i * 37 % 101) as f64 / 7.0, (i * 53 % 97) as f64)).collect();
    folder.write("data.csv", format!("subject#,x,target\n{rows}"));
    let text = folder.works("init data.csv").out;
    assert!(text.contains("group = \"subject#\" }"), "{text}");
    assert!(text.contains("# left out: it names whom a row is about"), "{text}");
    folder.write("config.toml", text);
    trains(&folder, "config.toml");
}

#[test]
fn folders_of_images_of_any_size() {
    let folder = Folder::new();
    for (name, shade) in [("dark", 20u8), ("light", 220)] {
        std::fs::create_dir_all(folder.path(&format!("shapes/{name}"))).unwrap();
        for copy in 0..12u32 {
            let side = 10 + copy % 3;
            image::GrayImage::from_pixel(side, side, image::Luma([shade + copy as u8]))
                .save(folder.path(&format!("shapes/{name}/{copy}.png")))
                .unwrap();
        }
    }
    let text = folder.works("init shapes --out config.toml").out + &folder.read("config.toml");
    assert!(text.contains("image = { kind = \"image\", size = [64, 64] }"), "{text}");
    trains(&folder, "config.toml");
}

#[test]
fn sentences_and_spans() {
    let folder = Folder::new();
    let path = repository("data/commands/commands.jsonl");
    let done = folder.works(&format!("init {path} --out config.toml"));
    assert!(done.err.contains("to be predicted: domain, intent, slots"), "{}", done.err);
    trains(&folder, "config.toml");
    let sentence = |i: usize| {
        let name = ["Rome", "Oslo", "Kyiv"][i % 3];
        format!(
            "# text = Go to {name}\n1\tGo\tgo\tVERB\t_\t_\t0\troot\t_\t_\n2\tto\tto\tADP\t_\t_\t3\tcase\t_\t_\n3\t{name}\t{name}\tPROPN\t_\t_\t1\tobl\t_\t_\n\n"
        )
    };
    folder.write("some.conllu", (0..60).map(sentence).collect::<String>());
    let done = folder.works("init some.conllu --out config.toml --force");
    assert!(done.err.contains("upos"), "{}", done.err);
    trains(&folder, "config.toml");
}

#[test]
fn predicates_roles_and_trees() {
    let folder = Folder::new();
    let sentence = |i: usize| {
        let (noun, sense) = (["cat", "dog", "cow"][i % 3], i % 2 + 1);
        format!(
            "{{\"tokens\": [\"The\", \"{noun}\", \"sat\"], \"head\": [2, 3, 0], \"deprel\": [\"det\", \"nsubj\", \"root\"], \
             \"frames\": [{{\"pred\": 2, \"lemma\": \"sit\", \"roleset\": \"sit.0{sense}\", \"args\": [[\"ARG1\", 0, 1]]}}]}}\n"
        )
    };
    folder.write("some.jsonl", (0..40).map(sentence).collect::<String>());
    let done = folder.works("init some.jsonl --out config.toml");
    assert!(done.err.contains("to be predicted: predicates, senses, roles, arcs\n"), "{}", done.err);
    trains(&folder, "config.toml");
    let done = folder.works("init some.jsonl --tasks arcs");
    assert!(done.out.contains("[tasks.arcs]") && !done.out.contains("[tasks.roles]"), "{}", done.out);
}

#[test]
fn masks_beside_images() {
    let folder = Folder::new();
    let mut rows = "image,mask\n".to_owned();
    for i in 0..20u8 {
        let wide = u32::from(i % 3) + 2;
        let inside = |x: u32, y: u32| x < wide && y < 4;
        image::GrayImage::from_fn(8, 8, |x, y| image::Luma([if inside(x, y) { 200 + i } else { 20 }]))
            .save(folder.path(&format!("{i}.png")))
            .unwrap();
        image::GrayImage::from_fn(8, 8, |x, y| image::Luma([u8::from(inside(x, y))]))
            .save(folder.path(&format!("mask-{i}.png")))
            .unwrap();
        rows += &format!("{i}.png,mask-{i}.png\n");
    }
    folder.write("data.csv", rows);
    let done = folder.works("init data.csv --out config.toml");
    assert!(done.err.contains("to be predicted: mask\n"), "{}", done.err);
    assert!(folder.read("config.toml").contains("kind = \"segmentation\""), "{}", folder.read("config.toml"));
    trains(&folder, "config.toml");
}

#[test]
fn what_is_in_a_table() {
    let folder = Folder::new();
    folder.write("data.csv", traps(200));
    insta::assert_snapshot!(folder.works("inspect data.csv").out);
    let json: Value = serde_json::from_str(&folder.works("inspect data.csv --format json").out).unwrap();
    assert_eq!(json["rows"], 200);
    assert_eq!(json["columns"][7]["concern"], "identifier");
    assert_eq!(json["candidates"][0]["kind"], "regression");
}

#[test]
fn what_is_in_a_config_and_in_a_model() {
    let config = CONFIG.to_owned() + "[inputs]\nx = \"number\"\ncolor = \"category\"\nsize_mm = \"number\"\n";
    let folder = Folder::with(&config, &traps(200));
    insta::assert_snapshot!("config", folder.works("inspect config.toml").out);
    let json: Value = serde_json::from_str(&folder.works("inspect config.toml --format json").out).unwrap();
    assert_eq!(json["leaks"][0]["relation"], "scaled");
    assert_eq!(json["overlap"][0][0], json["tasks"][0]["labels"]["all"]);
    assert!(json["associations"].as_array().unwrap().len() == 3);
    folder.works("train config.toml");
    let done = folder.works("inspect model");
    assert!(done.out.starts_with("a network of "), "{}", done.out);
    let json: Value = serde_json::from_str(&folder.works("inspect model --format json").out).unwrap();
    assert_eq!(json["tasks"][1]["name"], "warm");
    assert!(json["tasks"][1]["scores"].is_object(), "{json}");
}

/// The bundled and the shared tables, where the latter are there.
#[test]
fn real_tables() {
    let shared = std::env::var("POLYTASK_DATA").unwrap_or_else(|_| repository("../shared/data"));
    let mut paths: Vec<String> = ["data/growth/people.csv", "data/body/people.csv"].map(repository).to_vec();
    for name in
        ["howell1/Howell1.csv", "student_performance/student-por.csv", "linnerud/linnerud.csv", "mulan_enb/enb.csv.gz"]
    {
        paths.push(format!("{shared}/{name}"));
    }
    for path in paths {
        if !std::path::Path::new(&path).exists() {
            println!("skipped: {path} is not there");
            continue;
        }
        let folder = Folder::new();
        folder.works(&format!("init {path} --out config.toml"));
        folder.works("inspect config.toml");
        trains(&folder, "config.toml");
    }
}

#[test]
fn names_cannot_look_like_words_of_the_program() {
    let folder = Folder::new();
    let rows = (0..60).map(|i| format!("1,{i}.5,{}\n", i * 7 % 11)).collect::<String>();
    folder.write("h.csv", format!("\"a\nerror: all is lost\",x,y\n{rows}"));
    let done = folder.works("init h.csv --tasks y");
    assert!(done.err.contains("note: `a\\nerror: all is lost` is left out"), "{}", done.err);
}
