//! The config: defaults, overrides, round trips, and the exact words of every complaint.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use polytask::config::{
    Activation, Balance, Batch, ClassWeights, Config, Criterion, Embedding, InputKind, Length, Optimizer, Part,
    Schedule, Sharing, Split, TaskKind, TaskLoss,
};
use std::path::Path;

const BASE: &str = "[data]\npath = \"people.csv\"\n[tasks.height]\n[tasks.weight]\n";

const FULL: &str = r#"
[data]
path = "people.csv"
delimiter = ";"
missing = ["", "?"]
split = { valid = 0.2, test = "test.csv", seed = 7, stratify = "sex" }
sample_weight = "w"
ignore = ["id", "name"]

[inputs]
zip = { kind = "category", embedding = 8 }
age = "number"
job = { kind = "category", one_hot = 3, embedding = "auto" }
raw = { kind = "number", standardize = false }
smoker = "boolean"

[tasks.weight]
kind = "regression"
loss = "huber"
delta = 2
standardize = false
head = [16]
[tasks.sex]
kind = "binary"
positive = 1
class_weights = "balanced"
[tasks.job_class]
kind = "category"
column = "occupation"
class_weights = { clerk = 2, cook = 0.5 }
[tasks.visits]
kind = "count"

[model]
sharing = "none"
trunk = [32, 16]
head = [8]
activation = "silu"
dropout = 0.25
layer_norm = true
init = "w.safetensors"

[loss]
balance = { method = "fixed", weights = { weight = 0.5, sex = 1 } }
l2 = 1e-4
l2_biases = true

[train]
steps = 1000
batch = "full"
optimizer = "adamw"
learning_rate = 3e-3
beta1 = 0.8
weight_decay = 0.05
schedule = { kind = "step", every = 5 }
warmup = 10
clip = 1.0
average = 0.5
patience = 0
criterion = { weights = { weight = 2.0, sex = 1 } }
seed = 42
"#;

fn read(text: &str) -> Config {
    Config::from_toml(text, "people.toml").unwrap()
}

/// The message, with the hint on a line of its own.
fn complaint(text: &str) -> String {
    shown(&Config::from_toml(text, "people.toml").unwrap_err())
}

fn shown(error: &polytask::config::ConfigError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

/// Writes a config and reads it with overrides.
fn overridden(text: &str, overrides: &[&str]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.toml");
    std::fs::write(&path, text).unwrap();
    let overrides: Vec<String> = overrides.iter().map(|o| (*o).to_owned()).collect();
    Config::load(&path, &overrides).map_err(|error| shown(&error))
}

#[test]
fn the_shortest_file_has_all_defaults() {
    let config = read("[data]\npath = \"people.csv\"\n[tasks.a]\n[tasks.b]\n");
    assert_eq!(config.data.split, Split::default());
    let Split::Parts { valid, test, seed, stratify, group } = &config.data.split else { panic!() };
    assert_eq!((valid, test, *seed), (&Part::Share(0.1), &Part::Share(0.2), 0));
    assert_eq!((stratify, group), (&None, &None));
    assert!(config.inputs.is_empty() && config.tasks["a"].kind.is_none());
    assert_eq!((config.model.sharing, config.model.activation), (Sharing::default(), Activation::Relu));
    assert_eq!((config.model.trunk, config.model.head.len()), (vec![64, 64].into(), 0));
    assert_eq!(config.loss.balance, Balance::default());
    assert_eq!((config.loss.l2, config.loss.l2_biases), (0.0, false));
    assert_eq!((config.train.length(), config.train.batch), (Length::Epochs(200), Batch::Rows(64)));
    let adam = Optimizer::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weight_decay: None };
    assert_eq!((config.train.optimizer(), config.train.learning_rate), (adam, 1e-3));
    assert_eq!((config.train.patience, config.train.criterion.clone()), (30, Criterion::Mean));
    assert_eq!((config.train.schedule, config.train.warmup, config.train.clip), (Schedule::Constant, 0, None));
    assert_eq!(config.train.average, 0.0);
}

#[test]
fn every_key_is_read() {
    let config = read(FULL);
    assert_eq!(config.data.delimiter_byte(), Some(b';'));
    let Split::Parts { valid, test, seed, stratify, .. } = &config.data.split else { panic!() };
    assert_eq!((valid, test, *seed), (&Part::Share(0.2), &Part::File("test.csv".into()), 7));
    assert_eq!(stratify.as_deref(), Some("sex"));
    // Inputs and tasks keep the order in which they were written.
    assert_eq!(config.inputs.keys().collect::<Vec<_>>(), ["zip", "age", "job", "raw", "smoker"]);
    assert_eq!(config.inputs["zip"].embedding, Some(Embedding::Width(8)));
    assert_eq!((config.inputs["job"].one_hot, config.inputs["smoker"].kind), (Some(3), Some(InputKind::Boolean)));
    assert_eq!(config.tasks.keys().collect::<Vec<_>>(), ["weight", "sex", "job_class", "visits"]);
    let weight = &config.tasks["weight"];
    assert_eq!((weight.loss, weight.delta), (Some(TaskLoss::Huber), Some(2.0)));
    assert_eq!((weight.standardize, weight.head.as_deref()), (Some(false), Some([16].as_slice())));
    assert_eq!(config.tasks["sex"].positive.as_ref().unwrap().0, "1");
    assert_eq!(config.tasks["sex"].class_weights, Some(ClassWeights::Balanced));
    let Some(ClassWeights::Labels(labels)) = &config.tasks["job_class"].class_weights else { panic!() };
    assert_eq!((labels["clerk"], labels["cook"]), (2.0, 0.5));
    assert_eq!(config.tasks["job_class"].column_of("job_class"), "occupation");
    assert_eq!(config.tasks["visits"].kind, Some(TaskKind::Count));
    assert_eq!(config.loss.balance.method, "fixed");
    assert_eq!(serde_json::to_string(&config.loss.balance.options).unwrap(), r#"{"weights":{"sex":1,"weight":0.5}}"#);
    assert_eq!((config.train.length(), config.train.batch), (Length::Steps(1000), Batch::Full));
    let adamw = Optimizer::Adam { beta1: 0.8, beta2: 0.999, epsilon: 1e-8, weight_decay: Some(0.05) };
    assert_eq!(config.train.optimizer(), adamw);
    assert_eq!(config.train.schedule, Schedule::Step { every: 5, factor: 0.1 });
    let Criterion::Weights(weights) = &config.train.criterion else { panic!() };
    assert_eq!((weights["weight"], weights["sex"]), (2.0, 1.0));
    let reserved = ["weight", "sex", "occupation", "visits", "w", "id", "name"];
    assert_eq!(config.reserved_columns(), reserved);
}

#[test]
fn written_configs_read_back_equal_with_their_defaults_filled_in() {
    for text in [BASE, FULL] {
        let config = read(text);
        let written = config.to_toml().unwrap();
        let again = read(&written);
        assert_eq!(again.to_toml().unwrap(), written, "a second round changes nothing");
        let mut filled = config.clone();
        // Only what is a default either way may differ.
        filled.train = again.train.clone();
        assert_eq!(filled, again);
        assert_eq!((config.train.length(), config.train.optimizer()), (again.train.length(), again.train.optimizer()));
    }
    let written = read(BASE).to_toml().unwrap();
    for line in ["epochs = 200", "beta2 = 0.999", "trunk = [64, 64]", "balance = \"equal\"", "[tasks.weight]"] {
        assert!(written.lines().any(|l| l == line), "{line} is not in\n{written}");
    }
    // sgd has its own keys, and its defaults go with it.
    let written = read(&format!("{BASE}[train]\noptimizer = \"sgd\"\nsteps = 5\n")).to_toml().unwrap();
    assert!(written.contains("momentum = 0.9\nnesterov = false\n") && !written.contains("beta1"));
    assert!(written.contains("steps = 5\n") && !written.contains("epochs"));
    read(&written);
}

#[test]
fn splits_in_all_their_forms() {
    let split = |text: &str| read(&format!("[data]\npath = \"x\"\nsplit = {text}\n[tasks.a]\n")).data.split;
    assert_eq!(split("{ column = \"part\" }"), Split::Column { column: "part".into() });
    assert_eq!(split("{ test_every = 5 }"), Split::Every { test_every: 5, valid: 0.1, seed: 0 });
    assert_eq!(split("{ test_every = 5, valid = 0, seed = 7 }"), Split::Every { test_every: 5, valid: 0.0, seed: 7 });
    let (valid, test) = (Part::Share(0.1), Part::File("t.csv".into()));
    let files = Split::Parts { valid, test, seed: 0, stratify: None, group: None };
    assert_eq!(split("{ test = \"t.csv\" }"), files);
    assert_eq!(split("{ group = \"patient\" }").columns(), ["patient"]);
}

#[test]
fn overrides_replace_make_and_win() {
    let config = overridden(
        BASE,
        &[
            "train.epochs=50",
            "model.trunk=[32]",
            "data.path=x.csv",
            "loss.balance=uncertainty",
            "data.split={ column = \"part\" }",
            "tasks.weight.kind=count",
            "tasks.\"a=b\".column=c",
            "train.epochs=60",
        ],
    )
    .unwrap();
    assert_eq!(config.train.length(), Length::Epochs(60));
    assert_eq!((config.model.trunk, config.data.path.as_str()), (vec![32].into(), "x.csv"));
    assert_eq!(config.loss.balance.method, "uncertainty");
    assert_eq!(config.data.split, Split::Column { column: "part".into() });
    assert_eq!(config.tasks["weight"].kind, Some(TaskKind::Count));
    assert_eq!(config.tasks["a=b"].column.as_deref(), Some("c"));
    // One key deep in a table leaves its neighbours.
    let text = "[data]\npath = \"p\"\nsplit = { valid = 0.3, seed = 4 }\n[tasks.a]\n[train]\nepochs = 3\n";
    let config = overridden(text, &["data.split.test=0.4", "train.steps=9"]).unwrap();
    let (valid, test) = (Part::Share(0.3), Part::Share(0.4));
    assert_eq!(config.data.split, Split::Parts { valid, test, seed: 4, stratify: None, group: None });
    // epochs and steps say the same thing; the override replaces what the file says.
    assert_eq!((config.train.length(), config.train.epochs), (Length::Steps(9), None));
    // An override alone may complete a file.
    assert_eq!(overridden("[tasks.a]\n", &["data.path=x"]).unwrap().data.path, "x");
}

#[test]
fn complaints_about_overrides_name_the_override() {
    let says = |change: &str| overridden(BASE, &[change]).unwrap_err();
    assert_eq!(
        says("train.epoch=5"),
        "override \"train.epoch=5\": unknown key `train.epoch`\nhint: did you mean `epochs`?"
    );
    assert_eq!(says("trian.epochs=5"), "override \"trian.epochs=5\": unknown key `trian`\nhint: did you mean `train`?");
    assert_eq!(
        says("train.epochs=many"),
        "override \"train.epochs=many\": `train.epochs` is \"many\"; it must be a whole number, 0 or above"
    );
    assert_eq!(
        says("train.learning_rate=-1"),
        "override \"train.learning_rate=-1\": `train.learning_rate` is -1; it must be above 0 and finite"
    );
    assert_eq!(says("data.path.x=3"), "override \"data.path.x=3\": `data.path` is \"people.csv\", which has no keys");
    assert_eq!(says("epochs"), "override \"epochs\": an override is KEY=VALUE\nhint: for example train.epochs=50");
}

#[test]
fn paths_are_relative_to_the_config_and_hold_variables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("people.toml");
    // CARGO_MANIFEST_DIR is set for every test.
    std::fs::write(&path, "[data]\npath = \"${CARGO_MANIFEST_DIR}/x.csv\"\n[tasks.a]\n").unwrap();
    let config = Config::load(&path, &[]).unwrap();
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    assert_eq!(config.resolve(&config.data.path).unwrap(), manifest.join("x.csv"));
    assert_eq!(config.resolve("a/b.csv").unwrap(), folder.path().join("a/b.csv"));
    assert_eq!(
        complaint("[data]\npath = \"${POLYTASK_NOT_SET}/x.csv\"\n[tasks.a]\n"),
        "people.toml:2:8: the path \"${POLYTASK_NOT_SET}/x.csv\" needs the environment variable POLYTASK_NOT_SET, which \
         is not set\n  |\n2 | path = \"${POLYTASK_NOT_SET}/x.csv\"\n  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^"
    );
}

#[test]
fn a_file_that_is_not_there() {
    let error = Config::load(Path::new("nowhere/people.toml"), &[]).unwrap_err().to_string();
    assert!(error.starts_with("cannot read the config nowhere/people.toml: "), "{error}");
}

#[test]
fn unknown_keys_and_values_name_the_nearest() {
    assert_eq!(
        complaint("[data]\npath = \"people.csv\"\n[tasks.height]\n[train]\nepoch = 50\n"),
        "people.toml:5:1: unknown key `train.epoch`\n  |\n5 | epoch = 50\n  | ^^^^^\nhint: did you mean `epochs`?"
    );
    assert_eq!(
        complaint("[data]\npath = \"p\"\n[taks.a]\n"),
        "people.toml:3:2: unknown key `taks`\n  |\n3 | [taks.a]\n  |  ^^^^\nhint: did you mean `tasks`?"
    );
    assert_eq!(
        complaint(&format!("{BASE}[train]\nschedule = {{ kind = \"step\", evry = 3 }}\n")),
        "people.toml:6:29: unknown key `train.schedule.evry`\n  |\n6 | schedule = { kind = \"step\", evry = 3 }\n  \
         |                             ^^^^\nhint: did you mean `every`?"
    );
    assert_eq!(
        complaint(&format!("{BASE}[train]\n\toptimizer = \"adm\"\n")),
        "people.toml:6:14: `train.optimizer` is \"adm\"; it must be one of \"sgd\", \"adam\", \"adamw\"\n  |\n\
         6 | \toptimizer = \"adm\"\n  | \t            ^^^^^\nhint: did you mean \"adam\"?"
    );
    assert_eq!(
        complaint(&format!("{BASE}[tasks.weight.head]\n")),
        "people.toml:5:15: `tasks.weight.head` is a table; it must be an array, such as [64, 64]\n  |\n\
         5 | [tasks.weight.head]\n  |               ^^^^"
    );
}

/// The first line of a complaint about a line added to [`BASE`], and its hint.
#[track_caller]
fn says(section: &str, line: &str, message: &str) {
    let text = complaint(&format!("{BASE}[{section}]\n{line}\n"));
    let first = text.lines().next().unwrap();
    let hint = text.lines().find(|l| l.starts_with("hint: ")).map(|l| format!("\n{l}")).unwrap_or_default();
    let (_, words) = first.split_once(": ").unwrap();
    assert!(first.starts_with("people.toml:6:") || first.starts_with("people.toml:7:"), "{first}");
    assert_eq!(format!("{words}{hint}"), message);
}

#[test]
fn wrong_kinds_of_values() {
    says("train", "epochs = -3", "`train.epochs` is -3; it must be a whole number, 0 or above");
    says("train", "epochs = 1.5", "`train.epochs` is 1.5; it must be a whole number, 0 or above");
    says("train", "learning_rate = \"fast\"", "`train.learning_rate` is \"fast\"; it must be a number");
    says("train", "nesterov = 1", "`train.nesterov` is 1; it must be true or false");
    says("train", "batch = \"all\"", "`train.batch` is \"all\"; it must be a number of rows, 1 or more, or \"full\"");
    says("train", "batch = -1", "`train.batch` is -1; it must be a number of rows, 1 or more, or \"full\"");
    let schedule = "or a table such as { kind = \"step\", every = 30, factor = 0.1 }";
    says(
        "train",
        "schedule = 3",
        &format!("`train.schedule` is 3; it must be a word such as \"constant\", {schedule}"),
    );
    says(
        "train",
        "schedule = \"cosin\"",
        &format!(
            "`train.schedule` is \"cosin\"; it must be one of \"constant\", \"cosine\", \"cycles\", \"step\", {schedule}\nhint: did you \
             mean \"cosine\"?"
        ),
    );
    says(
        "model",
        "trunk = 64",
        "`model.trunk` is 64; it must be an array of layers, such as [64, 64] or [{ conv = 16 }, 64], \"lenet\", or \
         { resnet = 20 }",
    );
    says(
        "model",
        "trunk = [64, \"a\"]",
        "`model.trunk` is \"a\"; it must be the width of a dense layer, an image layer such as { conv = 16, pool = 2 }, or one along a text such as { lstm = 64 }",
    );
    says("model", "activation = 3", "`model.activation` must be a word in quotes");
    says("loss", "balance = 3", "`loss.balance` is 3; it must be a word, or a table such as { method = \"equal\" }");
    says("loss", "balance = {}", "the section [loss.balance] lacks the key `method`");
    says(
        "inputs",
        "age = 3",
        "`inputs.age` is 3; it must be a word such as \"number\", or a table such as { kind = \"number\" }",
    );
    let embedding = "`inputs.zip.embedding`: an embedding is 0; it must be \"auto\" or a width from 1 to 4096";
    says("inputs", "zip = { kind = \"category\", embedding = 0 }", embedding);
}

#[test]
fn values_out_of_range() {
    says("train", "epochs = 0", "`train.epochs` is 0; it must be 1 or more");
    says("train", "learning_rate = 0", "`train.learning_rate` is 0; it must be above 0 and finite");
    says("train", "learning_rate = inf", "`train.learning_rate` is inf; it must be above 0 and finite");
    says("train", "learning_rate = nan", "`train.learning_rate` is NaN; it must be above 0 and finite");
    says("train", "beta1 = 1", "`train.beta1` is 1; it must be at least 0 and below 1");
    says("train", "average = -1", "`train.average` is -1; it must be a number of epochs, 0 or above");
    says("train", "clip = 0.0", "`train.clip` is 0; it must be above 0 and finite");
    says(
        "train",
        "schedule = { kind = \"step\", factor = 2 }",
        "`train.schedule.factor` is 2; it must be above 0 and at most 1",
    );
    says(
        "train",
        "schedule = { kind = \"step\", every = 0 }",
        "`train.schedule.every` is 0; it must be 1 epoch or more",
    );
    says("model", "dropout = 1.0", "`model.dropout` is 1; it must be at least 0 and below 1");
    says("model", "trunk = [64, 0]", "`model.trunk` has a layer of width 0; widths are from 1 to 65536");
    says("loss", "l2 = -0.1", "`loss.l2` is -0.1; it must be 0 or above");
    says("tasks.x", "head = [99999999]", "`tasks.x.head` has a layer of width 99999999; widths are from 1 to 65536");
    says("tasks.x", "loss = \"huber\"\ndelta = 0", "`tasks.x.delta` is 0; it must be above 0");
}

#[test]
fn keys_that_do_not_go_together() {
    says("train", "momentum = 0.5", "`train.momentum` belongs to optimizer \"sgd\"");
    says(
        "train",
        "weight_decay = 0.1",
        "`train.weight_decay` belongs to optimizer \"adamw\"; `loss.l2` works with all of them",
    );
    says("tasks.x", "kind = \"count\"\npositive = \"a\"", "`positive` has no meaning for a task of kind \"count\"");
    says("tasks.x", "delta = 1", "`delta` belongs to `loss = \"huber\"`");
    says(
        "inputs",
        "age = { kind = \"number\", embedding = 3 }",
        "`embedding` has no meaning for an input of kind \"number\"",
    );
    says("inputs", "height = \"number\"", "the column \"height\" is an input and the label of the task \"height\"");
    says(
        "train",
        "epochs = 5\nsteps = 3",
        "`train.epochs` and `train.steps` both say how long to train\nhint: keep one of them",
    );
}

#[test]
fn balancing_methods_check_their_keys() {
    says(
        "loss",
        "balance = \"uncertanty\"",
        "`loss.balance`: unknown balancing method `uncertanty`\nhint: did you mean `uncertainty`?",
    );
    says(
        "loss",
        "balance = { method = \"fixed\", weigths = {} }",
        "`loss.balance`: `fixed` has no key `weigths`\nhint: did you mean `weights`?",
    );
    says(
        "loss",
        "balance = { method = \"fixed\", weights = { heigth = 1 } }",
        "`loss.balance`: `fixed`: `weights` names the task `heigth`, which does not exist\nhint: did you mean `height`, `weight`?",
    );
    says(
        "loss",
        "balance = { method = \"fixed\", weights = { height = -1 } }",
        "`loss.balance`: `fixed`: `weights.height` = -1 is out of range, allowed is { task = number of at least 0 }, 1 where left out",
    );
    let level = complaint(&format!("{BASE}[loss]\nbalance = \"moml\"\nlevel = \"parameters\"\n"));
    assert!(level.contains("`moml` tries out steps of the whole model, so it has no level"), "{level}");
    let all = complaint(&format!("{BASE}[loss]\nbalance = \"zzz\"\n"));
    assert!(all.contains("hint: the choice is `equal`, `fixed`, "), "{all}");
}

#[test]
fn criteria_name_tasks_that_are_there() {
    says(
        "train",
        "criterion = { task = \"heigth\" }",
        "`train.criterion` names the task \"heigth\", which is not there\nhint: did you mean `height`?",
    );
    says(
        "train",
        "criterion = { weights = { length = 1 } }",
        "`train.criterion` names the task \"length\", which is not there\nhint: the choice is `height`, `weight`",
    );
    says("train", "criterion = { weights = { height = 0 } }", "`train.criterion.weights` has no weight above 0");
    says("train", "criterion = {}", "`train.criterion` takes one of `task` and `weights`");
    says(
        "train",
        "criterion = \"height\"",
        "`train.criterion` is \"height\"; it must be \"mean\", or a table such as { task = \"NAME\" } or { weights = { NAME = \
         2.0 } }",
    );
}

#[test]
fn splits_that_make_no_sense() {
    let split = |text: &str| {
        let text = complaint(&format!("[data]\npath = \"x\"\nsplit = {text}\n[tasks.a]\n"));
        text.lines().next().unwrap().to_owned()
    };
    assert_eq!(
        split("{ valid = 0.5, test = 0.6 }"),
        "people.toml:3:1: the shares `valid` and `test` add up to 1.1; no row is left for training"
    );
    assert_eq!(
        split("{ valid = -0.1 }"),
        "people.toml:3:19: `data.split.valid` is -0.1; a share must be at least 0 and below 1"
    );
    assert_eq!(
        split("{ valid = true }"),
        "people.toml:3:19: `data.split.valid`: true is neither a share of the rows (0.1) nor a file (\"x.csv\")"
    );
    assert_eq!(
        split("{ column = \"a\", valid = 0.1 }"),
        "people.toml:3:1: in `data.split`, `column` stands alone; the column names the part of every row"
    );
    assert_eq!(
        split("{ test_every = 5, test = 0.1 }"),
        "people.toml:3:1: in `data.split`, `test_every` stands with `valid` and `seed` only"
    );
    assert_eq!(
        split("{ test_every = 1 }"),
        "people.toml:3:24: `data.split.test_every` is 1; it must be 2 or more, or no row is left for training"
    );
    assert_eq!(
        split("{ stratify = \"a\", group = \"b\" }"),
        "people.toml:3:27: `stratify` and `group` cannot stand together; a split is by one of them"
    );
}

#[test]
fn missing_sections_and_broken_toml() {
    assert_eq!(complaint("[tasks.a]\n"), "people.toml: the section [data] is missing");
    assert_eq!(
        complaint("[data]\n[tasks.a]\n"),
        "people.toml:1:2: the section [data] lacks the key `path`\n  |\n1 | [data]\n  |  ^^^^"
    );
    assert_eq!(
        complaint("[data]\npath = \"x\"\n"),
        "people.toml: there is no task\nhint: add a section such as `[tasks.height]` for every column to predict"
    );
    assert_eq!(
        complaint("[data]\npath = \"x\npath2 = 3\n"),
        "people.toml:2:10: this is not TOML: invalid basic string, expected `\"`\n  |\n2 | path = \"x\n  |          ^"
    );
    assert_eq!(
        complaint("[data]\npath = \"x\"\npath = \"y\"\n"),
        "people.toml:3:1: this is not TOML: duplicate key\n  |\n3 | path = \"y\"\n  | ^^^^"
    );
    assert_eq!(
        complaint("[data]\npath = \"x\"\n[tasks.a]\ncolumn = \"b\"\n[tasks.b]\n").lines().next().unwrap(),
        "people.toml:5:8: the tasks \"a\" and \"b\" read the same column \"b\""
    );
}

#[test]
fn the_schema_describes_every_key() {
    let schema = Config::schema();
    let mut undescribed = Vec::new();
    let definitions = schema["$defs"].as_object().unwrap();
    for (name, definition) in definitions.iter().map(|(n, d)| (n.as_str(), d)).chain([("Config", &schema)]) {
        for (key, property) in definition["properties"].as_object().into_iter().flatten() {
            if property["description"].as_str().is_none_or(str::is_empty) {
                undescribed.push(format!("{name}.{key}"));
            }
        }
    }
    assert!(undescribed.is_empty(), "{undescribed:?}");
    assert_eq!(definitions["TrainConfig"]["additionalProperties"], false);
    assert_eq!(definitions["TrainConfig"]["properties"]["learning_rate"]["default"], 0.001);
    // Every key of the longest file is in the schema, and the other way round.
    let train = definitions["TrainConfig"]["properties"].as_object().unwrap();
    assert_eq!(train.len(), 19, "{:?}", train.keys());
}

#[test]
fn an_anchored_config_can_be_written_anywhere() {
    let text = "[[data]]\npath = \"a.csv\"\ntasks = [\"a\"]\n[[data]]\npath = \"/b.csv\"\ntasks = [\"b\"]\n\
                [inputs]\nx = \"number\"\n[tasks.a]\n[tasks.b]\n";
    let anchored = Config::from_toml(text, "/here/people.toml").unwrap().anchored();
    assert_eq!(anchored.data.sets().map(|set| set.path.as_str()).collect::<Vec<_>>(), ["/here/a.csv", "/b.csv"]);
}
