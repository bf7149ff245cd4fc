//! What does not change what is learnt, and what does.

use super::common::Folder;
use super::pictures::*;

/// A folder with photos and a config with these sections of the input.
fn photos(input: &str) -> Folder {
    let folder = Folder::new();
    photo_table(&folder, 200);
    let epochs = PHOTOS.replace("epochs = 30", "epochs = 6");
    folder.write("config.toml", epochs.replace("photo = \"image\"", &format!("photo = {{ kind = \"image\"{input} }}")));
    folder
}

const AUGMENT: &str = ", augment = { flip = \"both\", shift = 1, crop = 0.8, rotation = 15, brightness = 0.2 }";

#[test]
fn the_same_on_any_number_of_threads() {
    let folder = photos(AUGMENT);
    folder.works("train config.toml --out one --threads 1 --set train.batch=128");
    folder.works("train config.toml --out four --threads 4 --set train.batch=128");
    assert_eq!(folder.bytes("one/model.safetensors"), folder.bytes("four/model.safetensors"));
}

#[test]
fn images_that_do_not_fit_in_memory_give_the_same_model() {
    for input in ["", AUGMENT] {
        let folder = photos(input);
        folder.works("train config.toml --out memory");
        folder.works("train config.toml --out ahead --set data.image_memory=0");
        assert_eq!(folder.bytes("memory/model.safetensors"), folder.bytes("ahead/model.safetensors"));
        assert_eq!(folder.json("memory/metrics.json"), folder.json("ahead/metrics.json"));
        let rounds = |model: &str, key: &str| {
            folder.history(model).iter().filter(|round| round[key].as_f64().is_some_and(|share| share <= 1.0)).count()
        };
        assert_eq!((rounds("memory", "waiting"), rounds("ahead", "waiting")), (0, 6));
        let preparing = if input.is_empty() { 0 } else { 6 };
        assert_eq!((rounds("memory", "preparing"), rounds("ahead", "preparing")), (preparing, 6));
    }
}

#[test]
fn a_run_that_was_stopped_goes_on_bit_for_bit() {
    let folder = photos(AUGMENT);
    folder.works("train config.toml --out whole --set data.image_memory=0");
    folder.works("train config.toml --out parts --set data.image_memory=0 --set train.epochs=2");
    folder.works("train config.toml --out parts --set data.image_memory=0 --resume");
    assert_eq!(folder.bytes("whole/model.safetensors"), folder.bytes("parts/model.safetensors"));
    // Other draws would give another model: the run is another one.
    let other = AUGMENT.replace("15", "16");
    let config = folder.read("config.toml").replace(AUGMENT, &other);
    folder.write("config.toml", config);
    let done = folder.run("train config.toml --out parts --resume");
    assert_eq!(done.code, Some(2), "{}", done.err);
}

#[test]
fn changes_are_for_training_rows_alone_and_follow_the_seed() {
    let folder = photos(AUGMENT);
    folder.works("train config.toml --out a --tensorboard events");
    folder.works("train config.toml --out b --seed 1");
    assert_ne!(folder.bytes("a/model.safetensors"), folder.bytes("b/model.safetensors"));
    // Prediction draws nothing.
    let first = folder.works("predict a --data data.csv --probabilities").out;
    assert_eq!(first, folder.works("predict a --data data.csv --probabilities").out);
    // Rows that are judged are seen as they are: the same whatever place they have among others.
    let best = folder.history("a").into_iter().rfind(|round| round["best"] == true).unwrap()["scores"].clone();
    let tested = folder.json("a/metrics.json")["tasks"].clone();
    let lines = folder.read("data.csv");
    for (name, scores) in [("valid", best), ("test", tested)] {
        let own: Vec<&str> = lines.lines().filter(|line| line.ends_with("part") || line.ends_with(name)).collect();
        folder.write("own.csv", own.join("\n"));
        let done = folder.works("evaluate a --data own.csv --format json").out;
        let alone = serde_json::from_str::<serde_json::Value>(&done).unwrap()["tasks"].clone();
        for (task, metric) in [("kind", "log_loss"), ("place", "rmse")] {
            let [a, b] = [&scores, &alone].map(|scores| scores[task][metric].as_f64().unwrap());
            assert!((a - b).abs() < 1e-6 * a, "{name} {task}: {a} {b}");
        }
    }
}

#[test]
fn shifts_teach_what_places_do_not_matter() {
    // Bars and dashes at one place each; the test rows have them elsewhere.
    let folder = Folder::new();
    std::fs::create_dir_all(folder.path("photos")).unwrap();
    let mut text = "photo,kind,part\n".to_owned();
    for i in 0..300u64 {
        let test = i % 3 == 0;
        let shown = Shown { bar: i % 2 == 0, place: if test { 2 + (i as u32 / 6) % 4 } else { 4 } };
        folder.write(&format!("photos/{i}.png"), png(grey(shown, i)));
        text.push_str(&format!("photos/{i}.png,{},{}\n", shown.kind(), if test { "test" } else { "train" }));
    }
    folder.write("data.csv", text);
    let config =
        PHOTOS.replace("[tasks.place]", "").replace("\"image\"", "{ kind = \"image\", augment = { shift = 3 } }");
    folder.write("config.toml", config);
    let auc = |model: &str| folder.json(&format!("{model}/metrics.json"))["tasks"]["kind"]["auc"].as_f64().unwrap();
    folder.works("train config.toml --out shifted");
    folder.works("train config.toml --out plain --set inputs.photo.augment.shift=0");
    assert!(auc("shifted") > auc("plain") + 0.1, "{} against {}", auc("shifted"), auc("plain"));
}
