//! Bad configs and bad data: a clear message with its place, the right exit status, and nothing written or lost.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, table};

/// A folder with a model of good data in `old`, to be spoiled.
struct Case(Folder);

impl Case {
    fn new() -> Self {
        let folder = Folder::with(CONFIG, &table(100));
        folder.works("train config.toml --out old");
        Case(folder)
    }

    /// With other data.
    fn data(content: impl AsRef<[u8]>) -> Self {
        let case = Case::new();
        case.0.write("data.csv", content);
        case
    }

    /// With a config in which one text stands for another.
    fn config(from: &str, to: &str) -> Self {
        let case = Case::new();
        assert!(CONFIG.contains(from), "{from}");
        case.0.write("config.toml", CONFIG.replacen(from, to, 1));
        case
    }

    /// Training fails with an exit status and exactly this message, whether there is an older model or not, and leaves
    /// everything as it was.
    #[track_caller]
    fn fails(self, code: i32, message: &str) {
        self.fails_with("", code, message);
    }

    #[track_caller]
    fn fails_with(self, arguments: &str, code: i32, message: &str) {
        let before = self.0.everything();
        for out in ["new", "old"] {
            let done = self.0.run(&format!("train config.toml --out {out} {arguments}"));
            assert_eq!(done.message(), message);
            assert_eq!((done.code, done.out.as_str()), (Some(code), ""));
            assert!(self.0.everything() == before, "--out {out}: something was written");
        }
    }
}

/// The table with another text in one field; lines are counted from 1, the header's.
fn with_field(line: usize, column: &str, value: &str) -> String {
    let data = table(100);
    let at = data.lines().next().unwrap().split(',').position(|name| name == column).unwrap();
    let change = |(i, text): (usize, &str)| {
        let mut fields: Vec<&str> = text.split(',').collect();
        if i + 1 == line {
            fields[at] = value;
        }
        fields.join(",") + "\n"
    };
    data.lines().enumerate().map(change).collect()
}

/// The table with one text in a column wherever a condition on the line holds.
fn with_column(column: &str, value: &str, condition: impl Fn(&str) -> bool) -> String {
    let mut data = table(100);
    for line in 2..=101 {
        if condition(data.lines().nth(line - 1).unwrap()) {
            let changed = with_field(line, column, value);
            let new = changed.lines().nth(line - 1).unwrap().to_owned();
            data = data
                .lines()
                .enumerate()
                .map(|(i, l)| if i + 1 == line { new.clone() } else { l.to_owned() } + "\n")
                .collect();
        }
    }
    data
}

#[test]
fn no_such_file() {
    Case::config("data.csv", "dat.csv").fails(1, "no such file: dat.csv");
    let done = Folder::new().run("train no.toml");
    assert_eq!(done.code, Some(2));
    assert_eq!(done.message(), "cannot read the config no.toml: No such file or directory (os error 2)");
}

#[test]
fn nothing_in_the_file() {
    Case::data("").fails(1, "data.csv is empty");
    Case::data("x,z,color,part,size,warm,grade\n").fails(1, "data.csv names its columns but has no rows");
}

#[test]
fn a_ragged_row() {
    let data: String = table(100)
        .lines()
        .enumerate()
        .map(|(i, l)| if i == 5 { format!("{l},1\n") } else { format!("{l}\n") })
        .collect();
    let message = "data.csv line 6: expected 7 fields, found 8\n\
                   hint: a value that holds the delimiter must stand in double quotes";
    Case::data(data).fails(1, message);
}

#[test]
fn a_word_among_numbers() {
    let message = "data.csv line 6: column `x`: `tall` is not a number\n\
                   hint: nearly all values of `x` are numbers: declare it as a category, or list the word in data.missing \
                   if it stands for a missing value";
    Case::data(with_field(6, "x", "tall")).fails(1, message);
    let message = "data.csv line 6: column `size`: `tall` is not a number\n\
                   hint: declare the column as a category, or list the word in data.missing if it stands for a missing value";
    Case::data(with_field(6, "size", "tall")).fails_with("--set tasks.size.kind=regression", 1, message);
    // Listed as missing, the same word is no fault.
    let case = Case::data(with_field(6, "x", "tall"));
    case.0.works("train config.toml --set data.missing=[\"tall\",\"\"]");
}

#[test]
fn numbers_that_are_none() {
    for value in ["inf", "-Infinity", "1e999"] {
        let message = format!(
            "data.csv line 6: column `x`: `{value}` is not a finite number\n\
             hint: list the word in data.missing if it stands for a missing value"
        );
        Case::data(with_field(6, "x", value)).fails(1, &message);
    }
    // NaN is how many programs write a missing value. It is taken for one, and said.
    let folder = Case::data(with_field(6, "size", "nan")).0;
    let done = folder.works("train config.toml");
    assert!(
        done.err.starts_with("note: data.csv: 1 value of column `size` reads NaN and counts as missing\n"),
        "{}",
        done.err
    );
}

#[test]
fn columns_that_are_not_there() {
    let message = "task `siez`: there is no column `siez`\nhint: did you mean `size`?";
    Case::config("tasks.size", "tasks.siez").fails(2, message);
    let message = "input `hue`: there is no column `hue`\n\
                   hint: it is to hold a category; the columns are `x`, `z`, `color`, `part`, `size`, `warm`, `grade`";
    Case::config("[model]", "[inputs]\nhue = \"category\"\n[model]").fails(2, message);
    let message = "`data.sample_weight`: there is no column `colour`\nhint: did you mean `color`?";
    Case::new().fails_with("--set data.sample_weight=colour", 2, message);
}

#[test]
fn columns_of_one_name_or_none() {
    let header = |names: &str| table(100).replacen("x,z,color", names, 1);
    Case::data(header("x,x,color"))
        .fails(1, "data.csv: two columns are called `x` (numbers 1 and 2)\nhint: rename one of them");
    let message = "data.csv: column 2 has no name\n\
                   hint: name it in the header; if it is a row index, write the file without one";
    Case::data(header("x,,color")).fails(1, message);
}

#[test]
fn keys_and_values_that_are_not_known() {
    let message =
        "config.toml:11:1: unknown key `train.epoch`\n   |\n11 | epoch = 5\n   | ^^^^^\nhint: did you mean `epochs`?";
    Case::config("epochs", "epoch").fails(2, message);
    let message = "config.toml:12:9: `train.batch` is \"all\"; it must be a number of rows, 1 or more, or \"full\"\n   |\n\
                   12 | batch = \"all\"\n   |         ^^^^^";
    Case::config("32", "\"all\"").fails(2, message);
    let message = "override \"train.optimizer=adma\": `train.optimizer` is \"adma\"; it must be one of \"sgd\", \"adam\", \
                   \"adamw\"\nhint: did you mean \"adam\"?";
    Case::new().fails_with("--set train.optimizer=adma", 2, message);
    let message = "override \"loss.balance=uncertainity\": `loss.balance`: unknown balancing method `uncertainity`\n\
                   hint: did you mean `uncertainty`?";
    Case::new().fails_with("--set loss.balance=uncertainity", 2, message);
    let message = "override \"train.epochs\": an override is KEY=VALUE\nhint: for example train.epochs=50";
    Case::new().fails_with("--set train.epochs", 2, message);
    let message = "override \"train.learning_rate=-1\": `train.learning_rate` is -1; it must be above 0 and finite";
    Case::new().fails_with("--set train.learning_rate=-1", 2, message);
}

#[test]
fn a_config_that_is_no_toml() {
    let case = Case::config("[model]", "[model");
    let message = case.0.run("train config.toml --out new").message().to_owned();
    // What is expected there is the parser's to say.
    assert!(message.starts_with("config.toml:8:7: this is not TOML: "), "{message}");
    assert!(message.ends_with("\n  |\n8 | [model\n  |       ^"), "{message}");
    case.fails(2, &message);
}

/// The hint where training rows have too few labels of a task.
fn more(task: &str) -> String {
    format!(
        "hint: take [tasks.{task}] out to learn the other tasks, or let the training rows have more of its labels: another \
         seed or share, or `stratify` in data.split"
    )
}

#[test]
fn tasks_with_one_label_or_none() {
    let message = |task: &str, value: &str| {
        format!(
            "task `{task}`: every label in the training rows is `{value}`; there is nothing to learn\n{}",
            more(task)
        )
    };
    Case::data(with_column("warm", "no", |_| true)).fails(1, &message("warm", "no"));
    Case::data(with_column("size", "12.5", |_| true)).fails(1, &message("size", "12.5"));
    Case::data(with_column("grade", "low", |line| line.contains(",train,"))).fails(1, &message("grade", "low"));
    let message = format!("task `size`: column `size` has no label in the training rows\n{}", more("size"));
    Case::data(with_column("size", "", |_| true)).fails(1, &message);
}

#[test]
fn a_part_without_labels() {
    for (part, name) in [("valid", "validation"), ("test", "test")] {
        let message = format!(
            "task `size`: every label is missing in the {name} rows\n\
             hint: use a larger share, another seed, or a split that has labels in every part; a task with role = \"auxiliary\" \
             needs labels in the training rows alone"
        );
        let part = format!(",{part},");
        let lost = || Case::data(with_column("size", "", |line| line.contains(&part)));
        lost().fails(1, &message);
        // What is learnt for the help that it gives others need not be measured.
        let done = lost().0.works("train config.toml --out helped --set tasks.size.role=auxiliary");
        assert!(!done.out.contains("NaN"), "{}", done.out);
    }
    let message = format!("task `size`: column `size` has no label in the training rows\n{}", more("size"));
    Case::data(with_column("size", "", |line| line.contains(",train,"))).fails(1, &message);
}

#[test]
fn a_split_column_with_another_word() {
    let message = "data.csv line 4: column `part` says `vlaid`, not train, valid or test\n\
                   hint: accepted are train, valid (also validation, val, dev) and test";
    Case::data(with_field(4, "part", "vlaid")).fails(1, message);
}

#[test]
fn weights_to_start_from_that_do_not_fit() {
    let hint = "hint: `polytask train` without model.init writes a model.safetensors with the right names and shapes";
    let case = Case::new();
    case.fails_with(
        "--set model.init=none",
        2,
        &format!("`model.init`: cannot read none: No such file or directory (os error 2)\n{hint}"),
    );
    let message = "`model.init`: old/model.safetensors: \"heads.grade.0.weight\" has shape [16, 3], expected [8, 3]";
    Case::new().fails_with(
        "--set model.init=old/model.safetensors --set model.trunk=[8]",
        2,
        &format!("{message}\n{hint}"),
    );
}

#[test]
fn compare_needs_rows_to_measure_on() {
    let case = Case::config("{ column = \"part\" }", "{ test = 0 }");
    let done = case.0.run("compare config.toml --seeds 1 --set data.ignore=[\"part\"]");
    assert_eq!((done.code, done.out.as_str()), (Some(2), ""));
    let message = "there are no test rows to compare on\n\
                   hint: give a share in data.split.test, or a column or file of test rows";
    assert_eq!(done.message(), message);
}

#[test]
fn compare_refuses_groups_that_are_none() {
    let case = Case::config("{ column = \"part\" }", "{ test = 0 }");
    let hint = r#"hint: the file holds {"groups": [["a", "b"], ["c"]]}, as `polytask select` writes it"#;
    for (content, reason) in [
        ("{}", "no groups of tasks: missing field `groups` at line 1 column 2"),
        (r#"{"groups": [[]]}"#, "there is no group of tasks in it"),
        (r#"{"groups": [["size", "sise"]]}"#, "the config has no task \"sise\"; it has size, warm, grade"),
    ] {
        case.0.write("groups.json", content);
        let done = case.0.run("compare config.toml --groups groups.json");
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{content}");
        assert_eq!(done.message(), format!("groups.json: {reason}\n{hint}"));
    }
}

#[test]
fn calls_that_are_wrong() {
    let folder = Folder::new();
    for (call, part) in [
        ("", "Usage: polytask"),
        ("train", "<CONFIG>"),
        ("trian x.toml", "a similar subcommand exists: 'train'"),
        ("train x.toml --thread 2", "a similar argument exists: '--threads'"),
        ("train x.toml --threads 0", "0 is not in 1..=1024"),
        ("train x.toml --threads 100000", "100000 is not in"),
        ("predict model", "--data <DATA>"),
        ("evaluate model --data x --format xml", "[possible values: text, json]"),
        ("compare x.toml --seeds 0", "0 is not in 1..=1000"),
        ("compare x.toml --shares 10,0", "a share is above 0 and at most 100 percent"),
    ] {
        let done = folder.run(call);
        assert_eq!(done.code, Some(2), "{call}");
        assert!(done.err.contains(part), "{call}: {}", done.err);
    }
}
