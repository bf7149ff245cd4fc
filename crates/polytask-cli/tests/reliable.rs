//! What is left when things end badly: signals, full disks, kills in the middle, two programs at one directory.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Done, Folder, children, table};
use std::process::Stdio;

/// Keys of a run that goes on until it is ended.
const ENDLESS: &str = "--set train.epochs=1000000000 --set train.patience=0";

fn folder() -> Folder {
    Folder::with(CONFIG, &table(200))
}

#[test]
fn sigterm_and_sighup_save_as_ctrl_c_does() {
    // Under `nohup` the program and these tests do not hear of the end of a terminal.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:")).unwrap_or("0").trim();
    let deaf = u64::from_str_radix(ignored, 16).unwrap() & 1 == 1;
    for signal in ["-TERM", "-HUP", "-INT"].into_iter().filter(|signal| !deaf || *signal != "-HUP") {
        let folder = folder();
        let done = children::ended(&folder, &format!("train config.toml {ENDLESS}"), "epoch", signal);
        assert_eq!(done.code, Some(0), "{signal}: {}", done.err);
        for file in ["model.json", "checkpoint.safetensors", "metrics.json"] {
            assert!(folder.path("model").join(file).exists(), "{signal}: {file}");
        }
        folder.works("predict model --data data.csv");
    }
    let folder = folder();
    let done = children::ended(&folder, "compare config.toml --set train.epochs=100000", "training", "-TERM");
    assert_eq!((done.code, done.err.contains("stopped; nothing was compared")), (Some(0), true), "{}", done.err);
}

/// `nohup` has SIGHUP ignored, so that a run outlives its terminal.
#[test]
fn what_is_to_outlive_its_terminal_does() {
    let folder = folder();
    let call = format!(
        "trap '' HUP; '{}' train config.toml --set train.epochs=100000 --set train.patience=0 --threads 1 2>words & p=$!; sleep 1; \
         kill -HUP $p; sleep 0.5; kill -TERM $p; wait $p; cat words",
        env!("CARGO_BIN_EXE_polytask")
    );
    let output = std::process::Command::new("sh").args(["-c", &call]).current_dir(folder.path("")).output().unwrap();
    let words = Done::of(output).out;
    assert_eq!(words.matches("stopping after this step").count(), 1, "{words}");
    assert!(words.contains("a second signal"), "{words}");
    assert!(folder.path("model/model.json").exists());
}

#[test]
fn words_that_nobody_takes_end_nothing() {
    let folder = folder();
    let full = || std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let call = ["train", "config.toml", "--out", "full"];
    let code = folder.command(&call).stderr(full()).stdout(Stdio::null()).status().unwrap().code();
    assert_eq!(code, Some(0));
    folder.works("predict full --data data.csv");
    // A pipe whose reader has left.
    let mut child = folder.command(&["train", "config.toml", "--out", "left"]);
    let mut child = child.stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    drop(child.stderr.take());
    assert_eq!(child.wait().unwrap().code(), Some(0));
    folder.works("predict left --data data.csv");
    // A failure still has its exit status.
    let code = folder.command(&["predict", "none", "--data", "data.csv"]).stderr(full()).status().unwrap().code();
    assert_eq!(code, Some(1));
}

#[test]
fn a_long_history_does_not_end_a_finished_run() {
    // 60 tasks of 60 rows: a round's line in the history is long.
    let names: Vec<String> = (0..60).map(|i| format!("a_task_with_quite_a_long_name_{i}")).collect();
    let mut data = format!("x,{}\n", names.join(","));
    for row in 0..60 {
        let labels: Vec<String> = (0..60).map(|i| format!("{}", row * (i % 6 + 1) % 7)).collect();
        data += &format!("{row},{}\n", labels.join(","));
    }
    let tasks: String = names.iter().map(|name| format!("[tasks.{name}]\nkind = \"regression\"\n")).collect();
    let config = format!("[data]\npath = \"data.csv\"\n{tasks}[model]\ntrunk = [2]\n[train]\nepochs = 40\n");
    let folder = Folder::with(&config, &data);
    folder.works("train config.toml");
    // The header of a safetensors file may have 100 MB at most, whatever the reader.
    let bytes = folder.bytes("model/checkpoint.safetensors");
    let header = u64::from_le_bytes(bytes[..8].try_into().unwrap());
    assert!(header < 10_000, "{header} bytes of header");
    folder.works("train config.toml --resume --set train.epochs=42");
    assert_eq!(folder.history("model").len(), 42);
}

#[test]
fn a_checkpoint_that_cannot_be_written_is_a_warning() {
    let folder = folder();
    std::fs::create_dir_all(folder.path("model/checkpoint.safetensors/deep")).unwrap();
    let done = folder.works("train config.toml");
    assert!(done.err.contains("warning: cannot write model/checkpoint.safetensors"), "{}", done.err);
    folder.works("predict model --data data.csv");
}

#[test]
fn answers_that_cannot_be_written_are_shown() {
    let folder = folder();
    let folders = |names: &[&str]| names.iter().for_each(|name| std::fs::create_dir_all(folder.path(name)).unwrap());
    // Where a file is to stand is a folder that holds something.
    folders(&["kept/checkpoint.safetensors/x", "lost/selection.json/x", "tuned/best.toml/x"]);
    let done = folder.works("select config.toml --out kept");
    assert!(done.err.contains("; it goes on without a checkpoint to resume from"), "{}", done.err);
    assert!(folder.path("kept/selection.json").exists());
    let shown = done.out;
    let done = folder.run("select config.toml --out lost");
    assert_eq!((done.code, &done.out), (Some(1), &shown), "{}", done.err);
    assert!(done.message().starts_with("cannot write lost/selection.json"), "{}", done.err);
    let ranges = "\n[tune]\ntrain.learning_rate = { low = 1e-3, high = 1e-2 }\n";
    folder.write("tune.toml", CONFIG.to_owned() + ranges);
    let done = folder.run("tune tune.toml --trials 2 --out tuned --format json");
    let answer: serde_json::Value = serde_json::from_str(&done.out).unwrap();
    assert_eq!((done.code, answer["trials"].as_array().unwrap().len()), (Some(1), 2), "{}", done.err);
    assert!(
        done.err.contains("learning_rate = ") && done.message().starts_with("cannot write tuned/best.toml"),
        "{}",
        done.err
    );
}

#[test]
fn an_export_has_its_directory_alone() {
    let folder = folder();
    folder.works("train config.toml --set train.epochs=1");
    let lock = polytask::files::Lock::take(&folder.path("onnx")).unwrap();
    let done = folder.run("export model --format onnx --out onnx");
    assert_eq!((done.code, done.message()), (Some(1), "another run is writing to onnx; nothing was written"));
    drop(lock);
    folder.works("export model --format onnx --out onnx");
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let folder = folder();
    folder.works("train config.toml");
    let whole = folder.bytes("model/checkpoint.safetensors");
    let length = u64::from_le_bytes(whole[..8].try_into().unwrap()) as usize + 8;
    // Single bits all over the file.
    for at in (0..40).map(|i| length + i * (whole.len() - length) / 40).chain([length / 2]) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x40;
        folder.write("model/checkpoint.safetensors", &bytes);
        let done = folder.run("train config.toml --resume --set train.epochs=6");
        assert_eq!(done.code, Some(1), "byte {at}: {}", done.err);
        assert!(done.message().contains("damaged"), "byte {at}: {}", done.err);
    }
    folder.write("model/checkpoint.safetensors", &whole);
    folder.works("train config.toml --resume --set train.epochs=6");
}

#[test]
fn checkpoints_come_by_time_also_within_an_epoch() {
    let folder = folder();
    // One epoch that does not end.
    let batch =
        "--set train.batch=1 --set train.steps=1000000000 --set train.patience=0 --set data.split={valid=0,test=0}";
    let mut child = folder
        .command(&format!("train config.toml {batch} --set train.checkpoint_every=0.05").split(' ').collect::<Vec<_>>())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let checkpoint = folder.path("model/checkpoint.safetensors");
    for _ in 0..200 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        if checkpoint.exists() {
            break;
        }
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(checkpoint.exists());
    let done = folder.run("train config.toml --set train.checkpoint_every=-1");
    assert_eq!(done.code, Some(2));
    assert!(done.message().contains("train.checkpoint_every"), "{}", done.err);
}

#[test]
fn two_runs_do_not_share_a_directory() {
    let folder = folder();
    let mut first = folder
        .command(&format!("train config.toml {ENDLESS}").split(' ').collect::<Vec<_>>())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    for _ in 0..200 {
        std::thread::sleep(std::time::Duration::from_millis(50));
        if folder.path("model").exists() {
            break;
        }
    }
    let done = folder.run("train config.toml");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(done.code, Some(1), "{}", done.err);
    assert!(done.message().starts_with("another run is writing to model; nothing was written"), "{}", done.err);
    // Whatever the killed one left, the next one has the directory.
    folder.works("train config.toml");
}

#[test]
fn a_directory_killed_in_its_first_checkpoint_is_trained_or_resumed() {
    for call in ["train config.toml", "train config.toml --resume"] {
        let folder = folder();
        std::fs::create_dir(folder.path("model")).unwrap();
        folder.write("model/.polytask-AbCdEf", "half a checkpoint");
        folder.works(call);
        assert!(!folder.path("model/.polytask-AbCdEf").exists());
        folder.works("predict model --data data.csv");
    }
}

/// What a model says of itself and of a table.
fn told(folder: &Folder, model: &str) -> Vec<String> {
    ["inspect MODEL", "predict MODEL --data data.csv", "evaluate MODEL --data data.csv"]
        .map(|call| folder.works(&call.replace("MODEL", model)).out)
        .to_vec()
}

/// Copies a folder with all below it.
fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.unwrap().file_name()));
        if path.is_dir() { copy(&path, &to) } else { std::fs::copy(path, to).map(drop).unwrap() }
    }
}

#[test]
fn a_kill_leaves_the_old_model_or_the_new_one() {
    let folder = folder();
    folder.works("train config.toml --out old");
    folder.works("train config.toml --out new --set train.seed=9");
    let inspected = |model: &str| told(&folder, model).iter().map(|text| text.replace(model, "M")).collect::<Vec<_>>();
    let (old, new) = (inspected("old"), inspected("new"));
    assert!(old != new);
    let strace = |which: usize| {
        let out = format!("mix{which}");
        copy(&folder.path("old"), &folder.path(&out));
        let inject = format!("inject=rename,renameat,renameat2:signal=SIGKILL:when={which}");
        let status = std::process::Command::new("strace")
            .args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=rename,renameat,renameat2", "-e", &inject])
            .arg(env!("CARGO_BIN_EXE_polytask"))
            .args(["train", "config.toml", "--set", "train.seed=9", "--out", &out])
            .current_dir(folder.path(""))
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .status();
        status.ok().map(|status| (out, status.success()))
    };
    let (mut olds, mut news) = (0, 0);
    for which in 1..12 {
        // Where there is no strace, nothing can be killed so exactly.
        let Some((out, ended)) = strace(which) else { return };
        let now = inspected(&out);
        assert!(now == old || now == new, "killed at rename {which}: neither the old model nor the new one:\n{now:?}");
        if now == old {
            olds += 1
        } else {
            news += 1
        }
        // The next run has the directory, and its model is whole in its places.
        folder.works(&format!("train config.toml --out {out}"));
        assert!(!folder.path(&out).join(".committed").exists());
        assert_eq!(inspected(&out), old);
        if ended {
            break;
        }
    }
    assert!(olds >= 1 && news >= 1, "{olds} old, {news} new");
}
