//! Several data sets in one model: each labels its own tasks, and they are mixed.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::Folder;
use serde_json::json;

const CONFIG: &str = r#"
[[data]]
path = "reviews.csv"
tasks = ["mood"]
rename = { label = "mood" }
split = { valid = 0.1, test = 0.2 }

[[data]]
path = "news.jsonl"
tasks = ["topic", "length"]
rename = { label = "topic", body = "text" }
split = { valid = 0.1, test = "late.jsonl" }

[inputs]
text = { kind = "text", min_count = 1 }
[tasks.mood]
kind = "binary"
[tasks.topic]
kind = "category"
[tasks.length]
kind = "regression"
[model]
trunk = [16]
text = { encoder = "none", dropout = 0 }
[train]
epochs = 12
batch = 16
learning_rate = 0.01
"#;

const MOODS: [&str; 4] = ["a fine day", "it was awful", "so good and fine", "bad and awful"];
const TOPICS: [&str; 3] = ["the ball and the goal", "rain and wind", "votes and laws"];

fn folder() -> Folder {
    let folder = Folder::new();
    let review =
        |i: usize| format!("{} number {},{}\n", MOODS[i % 4], i % 7, if i.is_multiple_of(2) { "yes" } else { "no" });
    let reviews: String = (0..240).map(review).collect();
    let news = |i: usize| {
        let label = ["sport", "weather", "law"][i % 3];
        // The label of the other set under its own name: it is not meant here.
        let row = json!({ "body": format!("{} on page {}", TOPICS[i % 3], i % 5), "label": label, "length": i % 3, "mood": "yes" });
        format!("{row}\n")
    };
    folder.write("config.toml", CONFIG).write("reviews.csv", format!("text,label\n{reviews}"));
    folder.write("news.jsonl", (0..60).map(news).collect::<String>());
    folder.write("late.jsonl", (60..90).map(news).collect::<String>());
    folder
}

#[test]
fn every_set_has_its_tasks_and_its_split() {
    let folder = folder();
    folder.works("train config.toml --out m");
    let metrics = folder.json("m/metrics.json");
    let of = |task: &str, metric: &str| metrics["tasks"][task][metric].as_f64().unwrap();
    assert_eq!((of("mood", "n"), of("topic", "n"), of("length", "n")), (48.0, 30.0, 30.0), "{metrics}");
    assert!(of("mood", "accuracy") > 0.95 && of("topic", "accuracy") > 0.95 && of("length", "r2") > 0.8, "{metrics}");
    // One model predicts all tasks for any text.
    folder.write("new.csv", "text\nfine wind\nawful votes\n");
    let done = folder.works("predict m --data new.csv");
    let lines: Vec<&str> = done.out.lines().collect();
    assert!(lines[1].contains("weather") && lines[2].contains("law"), "{}", done.out);
    // The config as run says the same again.
    let written = folder.read("m/config.toml");
    assert_eq!(written.matches("[[data]]").count(), 2, "{written}");
    folder.write("again.toml", written);
    folder.works("train again.toml --out again");
    assert!(folder.bytes("again/model.safetensors") == folder.bytes("m/model.safetensors"));
}

#[test]
fn mixed_sets_go_on_bit_for_bit() {
    let folder = folder();
    // A temperature of 1 mixes as the sets are, in the order that any other draws: nothing else tells them apart.
    folder.works(
        "train config.toml --out plain --set train.mixing={temperature=1} --set train.batch=32 --set train.epochs=6",
    );
    let plain = folder.bytes("plain/model.safetensors");
    for mixing in ["annealed", "{temperature=5}"] {
        let settings = format!("--set train.mixing={mixing} --set train.batch=32");
        folder.works(&format!("train config.toml --out whole {settings} --set train.epochs=6 --threads 2"));
        let whole = folder.bytes("whole/model.safetensors");
        assert!(whole != plain, "{mixing}");
        folder.works(&format!("train config.toml --out one {settings} --set train.epochs=6 --threads 1"));
        assert!(folder.bytes("one/model.safetensors") == whole, "{mixing}: one thread gives other bits");
    }
    let settings = "--set train.mixing={temperature=5}";
    folder.works(&format!("train config.toml --out whole {settings} --set train.epochs=5"));
    folder.works(&format!("train config.toml --out parts {settings} --set train.epochs=2"));
    folder.works(&format!("train config.toml --out parts {settings} --set train.epochs=5 --resume"));
    assert_eq!(folder.history("parts"), folder.history("whole"));
    assert!(folder.bytes("parts/model.safetensors") == folder.bytes("whole/model.safetensors"));
}

#[test]
fn tasks_alone_learn_from_their_own_set() {
    let folder = folder();
    let done = folder.works("compare config.toml --seeds 2 --format json --set train.epochs=4");
    assert!(done.out.contains("\"mood\"") && done.out.contains("\"topic\""), "{}", done.out);
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = folder();
    let fails = |from: &str, to: &str, code: i32, message: &str| {
        assert!(CONFIG.contains(from));
        folder.write("config.toml", CONFIG.replace(from, to));
        let done = folder.run("train config.toml --out refused");
        assert!(done.message().contains(message), "{}", done.err);
        assert_eq!(done.code, Some(code), "{}", done.err);
        assert!(!folder.path("refused").exists());
    };
    fails("tasks = [\"mood\"]", "tasks = [\"mod\"]", 2, "`data.tasks` names the task \"mod\", which is not there");
    fails("tasks = [\"mood\"]", "tasks = []", 2, "no data set labels the task \"mood\"");
    fails("[inputs]\ntext = { kind = \"text\", min_count = 1 }\n", "", 2, "no input is named that all of them have");
    fails(", body = \"text\" }", " }", 1, "there is no column `text`");
    fails("rename = { label = \"mood\" }", "rename = { lable = \"mood\" }", 1, "lable");
    fails("rename = { label = \"mood\" }", "rename = { label = \"text\" }", 1, "two columns are called `text`");
    fails("rename = { label = \"mood\" }", "", 1, "mood");
    fails(
        "epochs = 12",
        "epochs = 12\nmixing = { temperature = 0.5 }",
        2,
        "`train.mixing.temperature` is 0.5; it must be 1 or above",
    );
    fails("epochs = 12", "epochs = 12\nmixing = \"anealed\"", 2, "\"annealed\"");
    folder.write("config.toml", "[data]\npath = \"reviews.csv\"\ntasks = [\"label\"]\n[tasks.label]\n");
    let done = folder.run("train config.toml");
    assert!(done.message().contains("`data.tasks` tells several data sets apart, and there is one"), "{}", done.err);
}
