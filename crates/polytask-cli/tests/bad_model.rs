//! Models that are broken, tables that do not fit them, places that cannot be written, and training that breaks down.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, table};

/// A folder with a model in `model`.
fn trained() -> Folder {
    let folder = Folder::with(CONFIG, &table(100));
    folder.works("train config.toml");
    folder
}

/// A call that fails with an exit status and exactly this message, prints no data and leaves everything as it was.
#[track_caller]
fn fails(folder: &Folder, call: &str, code: i32, message: &str) {
    let before = folder.everything();
    let done = folder.run(call);
    assert_eq!(done.message(), message);
    assert_eq!((done.code, done.out.as_str()), (Some(code), ""));
    assert!(folder.everything() == before, "something was written");
}

#[test]
fn broken_model_directories() {
    let folder = trained();
    folder.works("train config.toml --out other --seed 3");
    let (tensors, text) = (folder.bytes("model/model.safetensors"), folder.read("model/model.json"));
    let damaged = |reason: &str| {
        format!(
            "model/model.json: the model is damaged: {reason}\nhint: restore the directory from a copy, or train the model again"
        )
    };
    let swapped = damaged("model.safetensors is not the one that was written with it");
    let mut flipped = tensors.clone();
    *flipped.last_mut().unwrap() ^= 1;
    for broken in
        [&tensors[..tensors.len() - 4], &tensors[..7], b"", &flipped, &folder.bytes("other/model.safetensors")]
    {
        folder.write("model/model.safetensors", broken);
        fails(&folder, "predict model --data data.csv", 1, &swapped);
        fails(&folder, "evaluate model --data data.csv", 1, &swapped);
        fails(&folder, "predict model --data data.csv --out out.csv", 1, &swapped);
    }
    folder.write("model/model.safetensors", &tensors);

    let edited = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        text.replacen(from, to, 1)
    };
    let version = |found: &str| {
        format!(
            "model/model.json: the model has format {found}, this program reads format 1\n\
             hint: train the model again, or use the program that made it"
        )
    };
    for (content, message) in [
        (edited("\"red\"", "\"rot\""), damaged("it was changed after it was written")),
        (edited("\"mean\": ", "\"mean\": 1"), damaged("it was changed after it was written")),
        (edited("\"format\": 1", "\"format\": 2"), version("2")),
        (edited("\"format\": 1,", ""), version("unknown")),
        ("[1]".to_owned(), version("unknown")),
        (String::new(), damaged("EOF while parsing a value at line 1 column 0")),
    ] {
        folder.write("model/model.json", content);
        fails(&folder, "predict model --data data.csv", 1, &message);
    }
    for end in (0..text.len()).step_by(97) {
        folder.write("model/model.json", &text[..end]);
        let done = folder.run("predict model --data data.csv");
        assert_eq!(done.code, Some(1));
        assert!(done.message().starts_with("model/model.json: the model is damaged: EOF"), "{end}: {}", done.err);
    }
    folder.write("model/model.json", &text);
    folder.works("predict model --data data.csv");
}

#[test]
fn no_model_where_one_should_be() {
    let folder = trained();
    for place in ["nowhere", "data.csv", "."] {
        let message = format!(
            "{place} is no model directory: it has no model.json\n\
             hint: give the directory that `polytask train CONFIG --out DIR` wrote"
        );
        fails(&folder, &format!("predict {place} --data data.csv"), 1, &message);
    }
    std::fs::remove_file(folder.path("model/model.safetensors")).unwrap();
    let message = "cannot read model/model.safetensors: No such file or directory (os error 2)";
    fails(&folder, "predict model --data data.csv", 1, message);
}

#[test]
fn tables_that_do_not_fit_the_model() {
    let folder = trained();
    fails(&folder, "predict model --data no.csv", 1, "no such file: no.csv");
    folder.write("renamed.csv", table(100).replacen("z,color", "zz,color", 1));
    let message = "input `z`: there is no column `z`\nhint: it is to hold a number; did you mean `zz`?";
    fails(&folder, "predict model --data renamed.csv --out out.csv", 2, message);

    folder.write("words.csv", "x,z,color\n0.5,big,red\n0.1,small,blue\n");
    let message = "words.csv line 2: column `z`: `big` is not a number\n\
                   hint: declare the column as a category, or list the word in data.missing if it stands for a missing value";
    fails(&folder, "predict model --data words.csv --out out.csv", 1, message);

    folder.write("label.csv", "x,z,color,size\n0.5,1,red,9\n0.1,2,blue,big\n");
    let done = folder.works("predict model --data label.csv");
    assert_eq!(done.out.lines().count(), 3, "labels are not looked at");
    let message = message.replace("words.csv line 2: column `z`", "label.csv line 3: column `size`");
    fails(&folder, "evaluate model --data label.csv", 1, &message);

    folder.write("bare.csv", "x,z,color\n0.5,1,red\n");
    let message = "task `size`: there is no column `size`\nhint: the columns are `x`, `z`, `color`";
    fails(&folder, "evaluate model --data bare.csv", 2, message);
}

#[test]
fn places_that_cannot_be_written() {
    let folder = trained();
    folder.write("file", "");
    std::fs::create_dir(folder.path("docs")).unwrap();
    folder.write("docs/letter.txt", "");
    let occupied = "docs is not empty and no model directory; nothing was written\n\
                    hint: give --out a new directory, an empty one, or one with an older model";
    for (out, message) in [
        ("file", "cannot write file: file is no folder"),
        ("file/deep/model", "cannot write file/deep/model: file is no folder"),
        ("/proc/model", "cannot write /proc/model: No such file or directory (os error 2)"),
        ("docs", occupied),
    ] {
        fails_to_train(&folder, out, message);
    }
    for (out, message) in [
        ("nowhere/out.csv", "cannot write nowhere/out.csv: nowhere is no folder"),
        ("file/out.csv", "cannot write file/out.csv: file is no folder"),
        ("/proc/out.csv", "cannot write /proc/out.csv: No such file or directory (os error 2)"),
        ("docs", "cannot write docs: it is a directory; give the name of a file"),
    ] {
        fails(&folder, &format!("predict model --data data.csv --out {out}"), 1, message);
    }
    // A directory of several levels is made.
    folder.works("train config.toml --out a/b/c");
    folder.works("predict a/b/c --data data.csv");
}

/// Nothing is trained where the model could not be written.
#[track_caller]
fn fails_to_train(folder: &Folder, out: &str, message: &str) {
    fails(
        folder,
        &format!("train config.toml --out {out} --set train.epochs=1000000 --set train.patience=0"),
        1,
        message,
    );
}

#[test]
fn output_that_nobody_takes() {
    let folder = trained();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = folder.command(&["predict", "model", "--data", "data.csv"]).stdout(full).output().unwrap();
    let done = common::Done::of(output);
    assert_eq!(done.code, Some(1));
    assert_eq!(done.message(), "cannot write to standard output: No space left on device (os error 28)");
}

const DIVERGED: &str = "hint: a smaller train.learning_rate, train.clip = 1.0 or train.warmup usually help; look for \
                        extreme values too";

#[test]
fn a_run_that_diverges_at_once_writes_nothing() {
    let folder = trained();
    for out in ["new", "model"] {
        let message = format!(
            "the loss of task `size` is not a finite number at step 2; no epoch was complete, so no model was written\n\
             {DIVERGED}"
        );
        fails(&folder, &format!("train config.toml --out {out} --set train.learning_rate=1e30"), 1, &message);
    }
}

/// One good epoch, then steps that overshoot further every time.
const UNSTABLE: &str = "--set train.optimizer=sgd --set train.momentum=0 --set train.epochs=50 \
                        --set train.learning_rate=";

/// Takes the name of the task, the step and the epoch kept out of the message of a divergence.
fn divergence(message: &str, out: &str) -> (String, u64, u64) {
    let first = message.lines().next().unwrap();
    let rest = first.strip_prefix("the loss of task `").unwrap();
    let (task, rest) = rest.split_once("` is not a finite number at step ").unwrap();
    let (step, epoch) = rest.split_once(&format!("; {out} holds the best model before that, of epoch ")).unwrap();
    (task.to_owned(), step.parse().unwrap(), epoch.parse().unwrap())
}

#[test]
fn a_run_that_diverges_later_keeps_its_best_model() {
    let folder = trained();
    let older = folder.bytes("model/model.safetensors");
    // Which rate breaks neither at once nor never depends on the processor's rounding: the first one found will do.
    for split in ["", "--set data.split={valid=0,test=0.2} --set data.ignore=[\"part\"]"] {
        let unstable = (1..40).map(|i| 0.05 * 1.15f64.powi(i)).find_map(|rate| {
            let done = folder.run(&format!("train config.toml --out model {UNSTABLE}{rate} {split}"));
            (done.code == Some(1) && !done.message().contains("no epoch was complete")).then_some(done)
        });
        let done = unstable.unwrap();
        assert_eq!(done.out, "");
        assert!(done.message().ends_with(DIVERGED));
        let (task, step, epoch) = divergence(done.message(), "model");
        assert_eq!(task, "size", "squares grow without bound, logits do not");
        let history = folder.history("model");
        assert!(step > history.last().unwrap()["step"].as_u64().unwrap());
        assert_eq!(history[epoch as usize - 1]["best"], true);
        assert!(history[epoch as usize..].iter().all(|round| round["best"] == false));
        assert!(folder.bytes("model/model.safetensors") != older);
        // What was kept is a whole model that predicts numbers.
        let predicted = folder.works("predict model --data data.csv").out;
        let sizes = predicted.lines().skip(1).map(|line| line.split(',').next().unwrap().parse::<f64>().unwrap());
        assert!(sizes.clone().count() == 100 && sizes.clone().all(f64::is_finite));
    }
}

#[test]
fn a_method_that_reads_gradients_keeps_the_best_model_too() {
    let folder = trained();
    // Gradients, which are squared to compare them, leave the numbers before the losses do.
    let gradient = (1..60).map(|i| 0.05 * 1.1f64.powi(i)).find_map(|rate| {
        let done = folder.run(&format!("train config.toml --out new {UNSTABLE}{rate} --set loss.balance=mgda"));
        (done.code != Some(0) && done.message().starts_with("the gradient of task")).then_some(done)
    });
    let done = gradient.unwrap();
    assert_eq!(done.code, Some(1));
    // Whose gradient, and at which step.
    assert!(done.message().contains("the gradient of task `size` is not a finite number at step "), "{}", done.err);
    assert!(done.message().contains("; new holds the best model before that, of epoch "), "{}", done.err);
    folder.works("predict new --data data.csv");
}

/// Two yes-or-no tasks that one huge step learns beyond doubt: their losses round to 0.
fn certain(balance: &str) -> Folder {
    let row = |i: i32| match i % 2 {
        0 => format!("{},yes,no\n", 2 + i % 5),
        _ => format!("{},no,yes\n", -2 - i % 5),
    };
    let data = format!("x,a,b\n{}", (0..40).map(row).collect::<String>());
    let config = format!(
        "[data]\npath = \"data.csv\"\nsplit = {{ valid = 0.2, test = 0 }}\n[tasks.a]\n[tasks.b]\n[model]\ntrunk = []\n\
         [loss]\nbalance = \"{balance}\"\n[train]\nepochs = 5\nbatch = \"full\"\noptimizer = \"sgd\"\nmomentum = 0\n\
         learning_rate = 1e6\n"
    );
    Folder::with(&config, &data)
}

#[test]
fn a_loss_that_a_method_cannot_take_keeps_the_best_model() {
    for method in ["geometric", "scale_invariant", "famo"] {
        let folder = certain(method);
        let done = folder.run("train config.toml");
        // FAMO looks at the losses after the step that made them 0, the others at the next.
        let step = if method == "famo" { 1 } else { 2 };
        let kept = match method {
            "famo" => "no epoch was complete, so no model was written",
            _ => "model holds the best model before that, of epoch 1",
        };
        assert_eq!(
            done.message(),
            format!(
                "the loss of task `a` is 0 at step {step}, and `{method}` needs losses above 0; {kept}\n\
                 hint: choose a loss.balance that takes any loss, such as \"equal\", or train for fewer steps"
            )
        );
        assert_eq!((done.code, done.out.as_str()), (Some(1), ""));
        if method != "famo" {
            assert_eq!(folder.history("model").len(), 1);
            folder.works("evaluate model --data data.csv");
        }
    }
    certain("equal").works("train config.toml");
}

#[test]
fn a_step_tried_out_that_leaves_the_numbers_ends_the_run() {
    let folder = trained();
    for method in ["moml", "forum"] {
        let balance = format!("--set loss.balance={{method=\"{method}\",inner_rate=1e30}}");
        let message = format!(
            "a step that `{method}` tries out leads to losses or gradients that are not finite numbers at step 1; no \
             epoch was complete, so no model was written\n\
             hint: lower the `inner_rate` of loss.balance or train.learning_rate"
        );
        fails(&folder, &format!("train config.toml --out new {balance}"), 1, &message);
    }
}

#[test]
fn a_method_for_several_tasks_given_one_says_what_it_does() {
    let folder = Folder::with(CONFIG, &table(100));
    let note = "note: with one task `mgda` follows that task's own gradient\n";
    let one = "--set data.ignore=[\"warm\",\"grade\"]";
    folder.write("one.toml", CONFIG.replace("[tasks.warm]\n[tasks.grade]\n", ""));
    let said = folder.works(&format!("train one.toml --set loss.balance=mgda {one}")).err;
    assert!(said.contains(note), "{said}");
    for quiet in ["train one.toml", "train config.toml --set loss.balance=mgda"] {
        let said = folder.works(quiet).err;
        assert!(!said.contains("note: with one task"), "{said}");
    }
}
