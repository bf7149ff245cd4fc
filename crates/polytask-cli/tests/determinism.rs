//! Same seed, same bits: whatever the number of threads, and however often a run is interrupted.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::children::interrupted;
use common::{Folder, table};

/// Batches of several lanes, dropout, layer norm, an embedding, a head with a layer of its own, labels missing.
const WIDE: &str = r#"
[data]
path = "data.csv"
split = { valid = 0.1, test = 0.2, seed = 3 }
ignore = ["part"]
[inputs]
x = "number"
z = "number"
color = { kind = "category", embedding = 4 }
[tasks.size]
[tasks.warm]
class_weights = "balanced"
[tasks.grade]
head = [32]
[model]
trunk = [256, 128]
dropout = 0.2
layer_norm = true
[loss]
l2 = 1e-4
[train]
epochs = 3
batch = 1024
clip = 1.0
schedule = "cosine"
warmup = 3
"#;

fn trained(folder: &Folder, arguments: &str) -> Vec<u8> {
    folder.works(&format!("train config.toml {arguments}"));
    folder.bytes("model/model.safetensors")
}

#[test]
fn any_number_of_threads_gives_the_same_model() {
    let folder = Folder::with(WIDE, &table(6000));
    let one = trained(&folder, "--threads 1");
    let history = folder.history("model");
    for threads in [1, 2, 4, 7] {
        assert!(trained(&folder, &format!("--threads {threads}")) == one, "{threads} threads");
        assert_eq!(folder.history("model"), history, "{threads} threads");
    }
    assert!(trained(&folder, "--threads 2 --seed 1") != one, "the seed counts");
    assert!(trained(&folder, "--threads 2 --set model.dropout=0.1") != one, "dropout does something");
    // From one start and in one order of the rows nothing but what is dropped is left to draw.
    folder.write("start.safetensors", &one);
    let drawn = |seed: u32, dropout: f64| {
        let rest = "--set train.batch=full --set model.init=start.safetensors --set train.epochs=2 --set train.learning_rate=1e-3";
        trained(&folder, &format!("{rest} --set model.dropout={dropout} --seed {seed}"))
    };
    assert!(drawn(1, 0.2) != drawn(2, 0.2), "other seeds drop others");
    assert!(drawn(1, 0.0) == drawn(2, 0.0));
    // And every step drops others: at a rate of next to nothing the loss would stay as it is.
    folder.works("train config.toml --set train.batch=full --set train.learning_rate=1e-30 --set loss.l2=0");
    let losses: Vec<f64> =
        folder.history("model").iter().map(|round| round["train"]["size"].as_f64().unwrap()).collect();
    assert!(losses.len() == 3 && losses.windows(2).all(|pair| pair[0] != pair[1]), "{losses:?}");
}

#[test]
fn threads_do_not_matter_to_methods_that_read_task_gradients() {
    let folder = Folder::with(WIDE, &table(3000));
    for method in ["uncertainty", "pcgrad", "mgda", "forum"] {
        let train = |threads: u32| trained(&folder, &format!("--threads {threads} --set loss.balance={method}"));
        let one = train(1);
        assert!(train(4) == one, "{method}");
    }
}

#[test]
fn compare_does_not_depend_on_threads() {
    let folder = Folder::with(WIDE, &table(1000));
    let answer = |threads: u32| {
        let done = folder.works(&format!("compare config.toml --seeds 2 --format json --threads {threads}"));
        let mut answer: serde_json::Value = serde_json::from_str(&done.out).unwrap();
        answer["linear"].as_object_mut().unwrap().remove("seconds").unwrap();
        for way in answer["ways"].as_object_mut().unwrap().values_mut() {
            for time in ["seconds", "predict_microseconds"] {
                way.as_object_mut().unwrap().remove(time).unwrap();
            }
        }
        answer
    };
    assert_eq!(answer(1), answer(4));
}

/// Small steps.
const LONG: &str = r#"
[data]
path = "data.csv"
split = { column = "part" }
[tasks.size]
[tasks.warm]
[tasks.grade]
[model]
trunk = [32, 32]
dropout = 0.1
[train]
epochs = 40
batch = 16
patience = 0
optimizer = "adam"
schedule = { kind = "step", every = 100, factor = 0.8 }
"#;

/// Interrupts a run twice and goes on, and compares it with one that was left alone. A run that is interrupted would go on
/// for days, so that it cannot end before it hears of it; how many epochs it has made by then says how many all make.
fn resumes_exactly(settings: &str) {
    let folder = Folder::with(LONG, &table(1000));
    let mut lengths = Vec::new();
    for resume in ["", "--resume"] {
        // The first round after the start or the checkpoint is shown at once.
        let endless = format!("train config.toml --out parts --set train.epochs=1000000000 {settings} {resume}");
        let done = interrupted(&folder, &endless, "epoch ");
        assert_eq!(done.code, Some(0), "{}", done.err);
        assert!(done.err.contains("stopped after "), "{}", done.err);
        // What was saved is a whole model.
        folder.works("predict parts --data data.csv");
        lengths.push(folder.history("parts").len());
    }
    assert!(lengths[0] < lengths[1], "it went on: {lengths:?}");
    let parts = folder.history("parts");
    let settings = format!("{settings} --set train.epochs={}", lengths[1] + 5);
    folder.works(&format!("train config.toml --out whole {settings}"));
    let whole = folder.history("whole");
    assert_eq!((parts.len(), &parts[..]), (whole.len() - 5, &whole[..lengths[1]]));

    folder.works(&format!("train config.toml --out parts --resume --threads 1 {settings}"));
    assert!(folder.bytes("parts/model.safetensors") == folder.bytes("whole/model.safetensors"), "{settings}");
    assert_eq!(folder.history("parts"), whole);
    assert_eq!(folder.read("parts/metrics.json"), folder.read("whole/metrics.json"));
}

#[test]
fn an_interrupted_run_goes_on_bit_for_bit() {
    resumes_exactly("");
}

#[test]
fn the_state_of_a_balancer_is_kept() {
    resumes_exactly("--set loss.balance=uncertainty");
}

#[test]
fn momentum_is_kept() {
    resumes_exactly("--set train.optimizer=sgd --set train.learning_rate=0.01");
}

#[test]
fn a_finished_run_can_be_made_longer() {
    let folder = Folder::with(LONG, &table(300));
    folder.works("train config.toml --out whole --set train.epochs=20");
    folder.works("train config.toml --out parts --set train.epochs=8");
    let short = folder.bytes("parts/model.safetensors");
    // Nothing is left to do: the same model again.
    folder.works("train config.toml --out parts --set train.epochs=8 --resume");
    assert!(folder.bytes("parts/model.safetensors") == short);
    folder.works("train config.toml --out parts --set train.epochs=20 --resume");
    assert!(folder.bytes("parts/model.safetensors") == folder.bytes("whole/model.safetensors"));
    assert_eq!(folder.history("parts"), folder.history("whole"));

    // Rounds without improvement count on: a run that was stopped just before its patience ended has one left.
    let patient = "--set train.patience=3 --set train.learning_rate=0.05";
    folder.works(&format!("train config.toml --out whole {patient}"));
    let rounds = folder.history("whole").len();
    assert!(rounds < 1200, "it never lost patience");
    folder.works(&format!("train config.toml --out parts {patient} --set train.epochs={}", rounds - 1));
    folder.works(&format!("train config.toml --out parts {patient} --resume"));
    assert_eq!(folder.history("parts"), folder.history("whole"));
}

/// Steps that end in the middle of an epoch, where the batches held out go on too.
#[test]
fn methods_that_try_out_steps_go_on_bit_for_bit() {
    let folder = Folder::with(LONG, &table(300));
    // Without validation rows the last model is the one that is kept.
    let split = "--set data.split={valid=0,test=0.2} --set data.ignore=[\"part\"]";
    for method in ["auto_lambda", "moml", "forum"] {
        for held_out in ["half", "batch"] {
            let settings = format!("{split} --set loss.balance={{method=\"{method}\",held_out=\"{held_out}\"}}");
            folder.works(&format!("train config.toml --out whole {settings} --set train.steps=60"));
            folder.works(&format!("train config.toml --out parts {settings} --set train.steps=25"));
            let short = folder.bytes("parts/model.safetensors");
            folder.works(&format!("train config.toml --out parts {settings} --set train.steps=60 --resume"));
            assert!(folder.bytes("parts/model.safetensors") != short);
            let (parts, whole) = (folder.bytes("parts/model.safetensors"), folder.bytes("whole/model.safetensors"));
            assert!(parts == whole, "{method} {held_out}");
        }
    }
}

#[test]
fn another_run_is_not_gone_on_with() {
    let folder = Folder::with(LONG, &table(300));
    folder.works("train config.toml --set train.epochs=3");
    let before = folder.everything();
    for (settings, difference) in [
        ("model.trunk=[32,16]", "`trunk.1.weight` was [32, 32], now it is [32, 16]"),
        ("model.dropout=0.2", "its network had other layers"),
        ("model.activation=tanh", "its network had other layers"),
        ("tasks.size.kind=count", "data.csv line 2: task `size` is a count"),
        ("tasks.other.column=x", "its tasks were size (regression), warm (binary), grade (category), now they are"),
        ("train.learning_rate=0.01", "`train.learning_rate` was 0.001, now it is 0.01"),
        ("train.batch=32", "`train.batch` was 16, now it is 32"),
        ("train.seed=4", "`train.seed` was 0, now it is 4"),
        ("train.optimizer=sgd", "`train.beta1` was 0.9, now it is left out"),
        ("train.schedule=constant", "`train.schedule` was {\"every\":100,\"factor\":0.8,\"kind\":\"step\"}, now it is"),
        ("train.criterion={task=\"size\"}", "`train.criterion` was \"mean\", now it is {\"task\":\"size\"}"),
        ("loss.balance=uncertainty", "`loss.balance` was \"equal\", now it is \"uncertainty\""),
        ("loss.l2=0.1", "`loss.l2` was 0.0, now it is 0.1"),
        ("data.ignore=[\"part\"] --set data.split={test=0.2}", "it had 180 training rows, now there are 210"),
    ] {
        let done = folder.run(&format!("train config.toml --resume --set train.epochs=200 --set {settings}"));
        assert!(done.message().contains(difference), "{settings}: {}", done.message());
        if !settings.starts_with("tasks.size") {
            assert_eq!(done.code, Some(2), "{settings}");
            assert!(done.message().starts_with("the checkpoint belongs to another run: "), "{}", done.message());
            assert!(done.message().contains("\nhint: start without --resume"), "{}", done.message());
        }
        assert!(folder.everything() == before, "{settings}: something was written");
    }
}

#[test]
fn a_cosine_run_has_the_length_it_began_with() {
    let folder = Folder::with(LONG, &table(300));
    folder.works("train config.toml --set train.epochs=3 --set train.schedule=cosine");
    let done = folder.run("train config.toml --set train.epochs=9 --set train.schedule=cosine --resume");
    assert_eq!(done.code, Some(2));
    assert!(done.message().contains("`train.epochs` was 3, now it is 9"), "{}", done.err);
}

#[test]
fn a_run_may_be_interrupted_in_its_first_epoch() {
    // A minute of steps, so that the epoch cannot end before the run hears of it.
    let config = LONG.replace("epochs = 40", "steps = 18000").replace("batch = 16", "batch = 1");
    let folder = Folder::with(&config.replace("[32, 32]", "[1024, 1024]"), &table(30_000));
    let done = interrupted(&folder, "train config.toml --out parts", "3 inputs");
    assert_eq!(done.code, Some(0));
    assert!(done.err.contains("stopped after 0 epochs"), "{}", done.err);
    folder.works("predict parts --data data.csv");
    let arguments = format!("--set train.steps={} --out", folder.json("parts/run.json")["steps"].as_u64().unwrap() + 3);
    folder.works(&format!("train config.toml {arguments} whole"));
    assert!(folder.bytes("parts/model.safetensors") != folder.bytes("whole/model.safetensors"));
    folder.works(&format!("train config.toml {arguments} parts --resume"));
    assert!(folder.bytes("parts/model.safetensors") == folder.bytes("whole/model.safetensors"));
    assert_eq!(folder.history("parts"), folder.history("whole"));
}

#[test]
fn data_that_changed_are_noticed() {
    let folder = Folder::with(LONG, &table(300));
    folder.works("train config.toml --set train.epochs=3");
    let data = table(300);
    let line = data.lines().nth(2).unwrap();
    let changed = |from: &str, to: &str| {
        assert_ne!(line, line.replacen(from, to, 1));
        folder.write("data.csv", data.replacen(line, &line.replacen(from, to, 1), 1));
        let done = folder.run("train config.toml --resume --set train.epochs=9");
        assert_eq!(done.code, Some(2));
        done.message().lines().next().unwrap().to_owned()
    };
    let (input, label) = (line.split(',').next().unwrap(), line.split(',').nth(6).unwrap());
    let other = if label == "low" { "high" } else { "low" };
    let values = "the checkpoint belongs to another run: its training rows held other values";
    assert_eq!(changed(input, "0.5"), values);
    assert_eq!(changed(label, other), values);
    let count = "the checkpoint belongs to another run: it had 180 training rows, now there are 179";
    assert_eq!(changed("train", "test"), count);
    // A test row is neither learnt from nor chosen by.
    folder.write("data.csv", data.clone() + "0.5,0.5,red,test,9.5,yes,low\n");
    folder.works("train config.toml --resume --set train.epochs=9");
}

#[test]
fn a_checkpoint_must_be_there_and_whole() {
    let folder = Folder::with(LONG, &table(300));
    let done = folder.run("train config.toml --resume --out none");
    assert_eq!(done.code, Some(2));
    assert!(done.message().starts_with("there is no checkpoint to go on from: none/checkpoint.safetensors"));
    assert!(!folder.path("none").exists());

    folder.works("train config.toml --set train.epochs=3");
    let whole = folder.bytes("model/checkpoint.safetensors");
    let state = whole.windows(7).position(|w| w == b"\"state\"").unwrap();
    let mut edited = whole.clone();
    edited[state + 20] ^= 1;
    for broken in [&whole[..whole.len() / 2], &whole[..5], b"", &edited, b"not a checkpoint at all"] {
        folder.write("model/checkpoint.safetensors", broken);
        let before = folder.everything();
        let done = folder.run("train config.toml --resume --set train.epochs=9");
        assert_eq!(done.code, Some(1), "{}", done.err);
        assert!(
            done.message().contains("checkpoint.safetensors") && done.message().contains("damaged"),
            "{}",
            done.err
        );
        assert!(folder.everything() == before);
    }
}
