//! Tasks: what is inferred, fitted, read, predicted and measured, and every complaint about labels.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use polytask::config::{Config, TaskConfig};
use polytask::metric::{Better, Metrics};
use polytask::tasks::{Kind, Layout, MISSING, Prediction, Target, Task, TaskError, Truth, UNSEEN, sample_weights};
use polytask_data::{Column, Hint, Table};
use polytask_exec::{TaskOutput, Values};
use polytask_graph::LossKind;

const NONE: f64 = f64::NAN;

fn config(keys: &str) -> TaskConfig {
    let text = format!("[data]\npath = \"x\"\n[tasks.y]\n{keys}\n");
    Config::from_toml(&text, "x.toml").unwrap().tasks["y"].clone()
}

fn numbers(values: &[f64]) -> Table {
    Table::from_columns(vec![Column::number("y", values.to_vec())]).unwrap()
}

fn words<'a>(values: impl IntoIterator<Item = &'a str>) -> Table {
    let values = values.into_iter().map(|v| (!v.is_empty()).then_some(v));
    Table::from_columns(vec![Column::text("y", values)]).unwrap()
}

fn all(table: &Table) -> Vec<u32> {
    (0..table.rows() as u32).collect()
}

/// Fits the task `y` on all rows.
fn fit(keys: &str, table: &Table) -> Result<Task, TaskError> {
    Task::fit("y", &config(keys), table, &all(table))
}

/// Predictions from outputs of rows.
fn predict(task: &Task, outputs: &[f32]) -> Prediction {
    let (width, rows) = (task.outcome().width(), outputs.len() / task.outcome().width());
    let mut prediction = Values::of_rows(width, rows);
    prediction.extend(outputs);
    task.predict(&TaskOutput { prediction, ..TaskOutput::default() }, &Layout::of_rows(rows))
}

/// The metrics of outputs of rows.
fn evaluate(task: &Task, truth: &Truth, outputs: &[f32]) -> Metrics {
    task.outcome().score(truth, &predict(task, outputs))
}

/// The message, with the hint on a line of its own.
fn says(error: &TaskError) -> String {
    match error.hint() {
        Some(hint) => format!("{error}\nhint: {hint}"),
        None => error.to_string(),
    }
}

#[track_caller]
fn close(got: &[f64], wanted: &[f64]) {
    assert_eq!(got.len(), wanted.len(), "{got:?}");
    for (g, w) in got.iter().zip(wanted) {
        // f32 labels and outputs have about seven digits.
        assert!((g - w).abs() <= 1e-6 * w.abs().max(1.0), "{got:?} instead of {wanted:?}");
    }
}

#[test]
fn kinds_are_inferred_from_the_whole_column() {
    let kind = |table: &Table| fit("", table).unwrap().kind_name();
    assert_eq!(kind(&numbers(&[0.0, 1.0, NONE, 1.0])), "binary");
    assert_eq!(kind(&numbers(&[0.0, 1.0, 2.0])), "regression");
    assert_eq!(kind(&numbers(&[1.0, 2.0])), "regression");
    assert_eq!(kind(&words(["male", "female", ""])), "binary");
    assert_eq!(kind(&words(["a", "b", "c"])), "category");
    // Twenty different words may be the classes of a small table; twenty-one among fewer than 42 rows are not.
    let names: Vec<String> = (0..21).map(|i| format!("w{i}")).collect();
    assert_eq!(kind(&words(names[..20].iter().map(String::as_str))), "category");
    assert_eq!(
        says(&fit("", &words(names.iter().map(String::as_str))).unwrap_err()),
        "task `y`: column `y` holds 21 different words in 21 rows; these are no classes\nhint: check the column; if the \
         words are classes, say so with kind = \"category\" (at most 65536 of them)"
    );
    let twice: Vec<&str> = names.iter().chain(&names).map(String::as_str).collect();
    assert_eq!(kind(&words(twice)), "category");
    assert_eq!(fit("kind = \"category\"", &words(names.iter().map(String::as_str))).unwrap().outcome().width(), 21);
}

#[test]
fn regression_is_standardised_by_the_training_rows_and_given_back_in_its_units() {
    let table = numbers(&[160.0, 180.0, NONE, 1000.0]);
    let task = Task::fit("y", &config(""), &table, &[0, 1, 2]).unwrap();
    let Kind::Regression(kind) = &task.kind else { panic!() };
    // Population deviation: sqrt(((160 - 170)^2 + (180 - 170)^2) / 2) = 10.
    assert_eq!((kind.mean, kind.deviation), (170.0, 10.0));
    let labels = task.labels(&table).unwrap();
    assert_eq!(labels.target, Target::Real(vec![-1.0, 1.0, 0.0, 83.0]));
    assert_eq!(labels.weights, [1.0, 1.0, 0.0, 1.0]);
    assert_eq!((labels.count(&[0, 2]), labels.truth.known(2), labels.truth.known(3)), (1, false, true));
    assert_eq!(predict(&task, &[-1.0, 0.5]), Prediction::Numbers(vec![160.0, 175.0]));
    assert_eq!((task.outcome().loss(), task.outcome().hint()), (LossKind::Mse, Hint::Number));
    assert_eq!((task.outcome().width(), task.outcome().initial_bias()), (1, vec![0.0]));

    let task = fit("standardize = false\nloss = \"huber\"\ndelta = 2.5", &numbers(&[1.0, 3.0])).unwrap();
    assert_eq!(task.outcome().loss(), LossKind::Huber { delta: 2.5 });
    assert_eq!(task.outcome().initial_bias(), [2.0]);
    assert_eq!(task.labels(&numbers(&[5.0])).unwrap().target, Target::Real(vec![5.0]));
    assert_eq!(predict(&task, &[5.0]), Prediction::Numbers(vec![5.0]));
    assert_eq!(fit("loss = \"mae\"", &numbers(&[1.0, 3.0])).unwrap().outcome().loss(), LossKind::Mae);
}

#[test]
fn regression_is_measured_over_labelled_rows_and_against_the_mean() {
    let task = fit("standardize = false", &numbers(&[1.0, 3.0])).unwrap();
    let truth = Truth::Numbers(vec![1.0, NONE, 3.0, 5.0]);
    let metrics = evaluate(&task, &truth, &[1.0, 99.0, 3.0, 4.0]);
    // Errors 0, 0, 1 about a mean of 3 with squares 4 + 0 + 4.
    assert_eq!((metrics.n, metrics.value("r2")), (3, Some(1.0 - 1.0 / 8.0)));
    close(&[metrics.value("rmse").unwrap(), metrics.value("mae").unwrap()], &[(1f64 / 3.0).sqrt(), 1.0 / 3.0]);
    // The mean of the training rows, 2, leaves errors of -1, 1 and 3.
    close(&[task.baseline(&truth).value("r2").unwrap()], &[1.0 - 11.0 / 8.0]);
    assert_eq!(task.outcome().primary(), ("r2", Better::Higher));
    let none = evaluate(&task, &Truth::Numbers(vec![NONE]), &[1.0]);
    assert_eq!((none.n, none.scores.len()), (0, 0));
}

#[test]
fn binary_finds_its_positive_class() {
    let positive = |keys: &str, table: &Table| {
        let Kind::Binary(kind) = fit(keys, table).unwrap().kind else { panic!() };
        kind.classes.labels
    };
    assert_eq!(positive("", &numbers(&[1.0, 0.0])), ["0", "1"]);
    assert_eq!(positive("kind = \"binary\"", &numbers(&[5.0, 2.0])), ["2", "5"]);
    assert_eq!(positive("", &words(["yes", "No"])), ["No", "yes"]);
    // "Yes" sorts before "no", and is positive all the same.
    assert_eq!(positive("", &words(["Yes", "no"])), ["no", "Yes"]);
    assert_eq!(positive("", &words(["male", "female"])), ["female", "male"]);
    assert_eq!(positive("kind = \"binary\"\npositive = \"female\"", &words(["male", "female"])), ["male", "female"]);
    assert_eq!(positive("kind = \"binary\"\npositive = 2", &numbers(&[5.0, 2.0])), ["5", "2"]);
}

#[test]
fn binary_reads_predicts_and_measures() {
    let table = words(["yes", "no", "", "no", "no"]);
    let task = fit("kind = \"binary\"\nclass_weights = \"balanced\"", &table).unwrap();
    let labels = task.labels(&words(["no", "yes", "", "perhaps"])).unwrap();
    assert_eq!(labels.target, Target::Real(vec![0.0, 1.0, 0.0, 0.0]));
    assert_eq!(labels.truth, Truth::Classes(vec![0, 1, MISSING, UNSEEN]));
    // 4 labelled rows, 2 classes: 4 / (2 * 3) and 4 / (2 * 1). What was never seen weighs nothing.
    assert_eq!(labels.weights, [2.0 / 3.0, 2.0, 0.0, 0.0]);
    assert_eq!((task.outcome().loss(), task.outcome().width()), (LossKind::BinaryCrossEntropy, 1));
    // ln(1/4 / 3/4)
    close(&[f64::from(task.outcome().initial_bias()[0])], &[-(3f64.ln())]);

    let prediction = predict(&task, &[0.0, 3f32.ln(), -200.0]);
    let Prediction::Classes { labels: names, probabilities, .. } = &prediction else { panic!() };
    assert_eq!(names, &["no", "yes"]);
    close(&probabilities[..4], &[0.5, 0.5, 0.25, 0.75]);
    // A sure answer keeps its digits: e^-200 and not 0.
    assert!((probabilities[5].ln() + 200.0).abs() < 1e-9 && probabilities[4] == 1.0);
    assert_eq!((prediction.len(), prediction.classes()), (3, vec![0, 1, 0]));

    // The labels above with scores that put one "no" above the "yes".
    let truth = Truth::Classes(vec![0, 1, 0, MISSING, UNSEEN]);
    let metrics = evaluate(&task, &truth, &[-1.0, 0.5, 2.0, 0.0, 0.0]);
    let names: Vec<&str> = metrics.scores.iter().map(|m| m.name).collect();
    assert_eq!((&names[..4], metrics.n), (&["accuracy", "macro_f1", "log_loss", "auc"][..], 4));
    assert_eq!(names[4..], ["average_precision", "precision", "recall", "mcc", "brier", "calibration_error"]);
    // The class that was never seen is a mistake in accuracy, a third class in macro_f1, and nowhere else.
    let f1 = (2.0 / 4.0 + 2.0 / 3.0 + 0.0) / 3.0;
    let softplus = |z: f64| z.exp().ln_1p();
    let loss = (softplus(-1.0) + softplus(-0.5) + softplus(2.0)) / 3.0;
    let values: Vec<f64> = metrics.scores.iter().map(|m| m.value).collect();
    let sigmoid = |z: f64| 1.0 / (1.0 + (-z).exp());
    let brier = (sigmoid(-1.0).powi(2) + sigmoid(-0.5).powi(2) + sigmoid(2.0).powi(2)) / 3.0;
    // Each stands in a tenth of its own.
    let calibration = (sigmoid(-1.0) + sigmoid(-0.5) + sigmoid(2.0)) / 3.0;
    // Of two that are said one is right; of the two that are not, one is of a class that was never seen.
    close(&values, &[2.0 / 4.0, f1, loss, 0.5, 0.5, 0.5, 1.0, 2.0 / 12f64.sqrt(), brier, calibration]);
    // Always "no" with its share of 3/4.
    let baseline = task.baseline(&truth);
    close(&[baseline.value("accuracy").unwrap(), baseline.value("auc").unwrap()], &[0.5, 0.5]);
    let loss = (2.0 * -(0.75f64.ln()) - 0.25f64.ln()) / 3.0;
    close(&[baseline.value("log_loss").unwrap()], &[loss]);
    // One class only: no auc.
    assert_eq!(evaluate(&task, &Truth::Classes(vec![0, 0]), &[1.0, 2.0]).value("auc"), None);
}

#[test]
fn one_label_may_stand_against_all_others() {
    let table = words(["never", "wed", "", "widowed", "never", "split"]);
    // The split one is not among the training rows, and is no `never` all the same.
    let task = Task::fit("y", &config("kind = \"binary\"\npositive = \"never\""), &table, &[0, 1, 2, 3, 4]).unwrap();
    let Kind::Binary(kind) = &task.kind else { panic!() };
    assert_eq!(
        (kind.classes.labels.as_slice(), kind.rest),
        (["not never", "never"].map(String::from).as_slice(), true)
    );
    assert_eq!(kind.classes.shares, [0.5, 0.5]);
    let labels = task.labels(&table).unwrap();
    assert_eq!(labels.truth, Truth::Classes(vec![1, 0, MISSING, 0, 1, 0]));
    assert_eq!(labels.weights, [1.0, 1.0, 0.0, 1.0, 1.0, 1.0]);
    let fails = |positive: &str, rows: &[u32]| {
        let keys = format!("kind = \"binary\"\npositive = \"{positive}\"");
        says(&Task::fit("y", &config(&keys), &table, rows).unwrap_err())
    };
    assert_eq!(
        fails("never", &[0, 4]).strip_suffix(FEW),
        Some("task `y`: every label in the training rows is `never`; there is nothing to learn")
    );
    assert_eq!(
        fails("nevr", &[0, 1]),
        "task `y`: `positive` names the label `nevr`, which is not among the labels of the training rows\nhint: did you \
         mean `never`?"
    );
}

#[test]
fn category_reads_predicts_and_measures() {
    let table = words(["cook", "clerk", "nurse", "", "cook", "smith"]);
    // The smith is not among the training rows.
    let task = Task::fit("y", &config("class_weights = { cook = 0.5 }"), &table, &[0, 1, 2, 3, 4]).unwrap();
    let Kind::Category(kind) = &task.kind else { panic!() };
    assert_eq!(kind.classes.labels, ["clerk", "cook", "nurse"]);
    assert_eq!(kind.classes.shares, [0.25, 0.5, 0.25]);
    let labels = task.labels(&table).unwrap();
    assert_eq!(labels.target, Target::Class(vec![1, 0, 2, 0, 1, 0]));
    assert_eq!(labels.truth, Truth::Classes(vec![1, 0, 2, MISSING, 1, UNSEEN]));
    assert_eq!(labels.weights, [0.5, 1.0, 1.0, 0.0, 0.5, 0.0]);
    assert_eq!((task.outcome().loss(), task.outcome().width()), (LossKind::CrossEntropy, 3));
    let bias: Vec<f64> = task.outcome().initial_bias().iter().map(|b| f64::from(*b)).collect();
    close(&bias, &[0.25f64.ln(), 0.5f64.ln(), 0.25f64.ln()]);

    let prediction = predict(&task, &[0.0, 2f32.ln(), 0.0, 3000.0, 0.0, -3000.0]);
    let Prediction::Classes { probabilities, .. } = &prediction else { panic!() };
    close(probabilities, &[0.25, 0.5, 0.25, 1.0, 0.0, 0.0]);
    assert_eq!(prediction.classes(), [1, 0]);

    let metrics =
        evaluate(&task, &labels.truth.select(&[0, 1, 3, 5]), &[0., 1., 0., 0., 1., 0., 0., 0., 0., 0., 0., 1.]);
    let names: Vec<&str> = metrics.scores.iter().map(|m| m.name).collect();
    assert_eq!(
        (names.as_slice(), metrics.n),
        (["accuracy", "macro_f1", "log_loss", "calibration_error"].as_slice(), 3)
    );
    close(&[metrics.value("accuracy").unwrap()], &[1.0 / 3.0]);
    let partition = (1f64.exp() + 2.0).ln();
    close(&[metrics.value("log_loss").unwrap()], &[(partition - 1.0 + partition) / 2.0]);
    close(&[task.baseline(&labels.truth).value("accuracy").unwrap()], &[2.0 / 5.0]);
}

#[test]
fn classes_may_be_numbers_and_are_read_as_numbers_again() {
    let task = fit("kind = \"category\"", &numbers(&[10.0, 2.0, 1.0, 2.0])).unwrap();
    let Kind::Category(kind) = &task.kind else { panic!() };
    assert_eq!(
        (kind.classes.labels.as_slice(), task.outcome().hint()),
        (["1", "2", "10"].map(String::from).as_slice(), Hint::Number)
    );
    assert_eq!(task.labels(&words(["10", "1"])).unwrap().truth, Truth::Classes(vec![2, 0]));
    assert_eq!(fit("", &words(["a", "b"])).unwrap().outcome().hint(), Hint::Text);
}

#[test]
fn count_is_a_rate() {
    let task = fit("kind = \"count\"", &numbers(&[0.0, 4.0, NONE, 2.0])).unwrap();
    assert_eq!((task.outcome().loss(), task.outcome().width()), (LossKind::Poisson, 1));
    close(&[f64::from(task.outcome().initial_bias()[0])], &[2f64.ln()]);
    let labels = task.labels(&numbers(&[3.0, NONE])).unwrap();
    assert_eq!((labels.target, labels.weights), (Target::Real(vec![3.0, 0.0]), vec![1.0, 0.0]));
    let Prediction::Numbers(rates) = predict(&task, &[0.0, 1.0]) else { panic!() };
    close(&rates, &[1.0, 1f64.exp()]);
    let metrics = evaluate(&task, &Truth::Numbers(vec![0.0, 2.0]), &[0.0, 0.0]);
    // 2 (0 - 0 + 1) and 2 (2 ln 2 - 2 + 1)
    close(&[metrics.value("poisson_deviance").unwrap()], &[(2.0 + 2.0 * (2.0 * 2f64.ln() - 1.0)) / 2.0]);
    assert_eq!((metrics.value("rmse"), metrics.value("mae"), metrics.n), (Some(1.0), Some(1.0), 2));
    assert_eq!(task.baseline(&Truth::Numbers(vec![2.0, 2.0])).value("poisson_deviance"), Some(0.0));
    assert_eq!(task.outcome().primary(), ("poisson_deviance", Better::Lower));
}

#[test]
fn predictions_that_are_not_finite_have_no_metrics() {
    let task = fit("", &numbers(&[1.0, 3.0])).unwrap();
    assert!(evaluate(&task, &Truth::Numbers(vec![1.0, 2.0]), &[f32::NAN, 0.0]).scores.is_empty());
    let task = fit("", &words(["a", "b", "c"])).unwrap();
    let metrics = evaluate(&task, &Truth::Classes(vec![0]), &[f32::NAN, 0.0, 0.0]);
    assert_eq!(metrics.value("log_loss"), None);
}

#[test]
fn tasks_survive_a_round_through_json_and_damage_is_found() {
    let tables = [
        ("", numbers(&[0.1, 0.2, 0.7])),
        ("", words(["a", "b"])),
        ("class_weights = \"balanced\"", words(["a", "b", "c", "c"])),
        ("kind = \"count\"", numbers(&[1.0, 2.0, 5.0])),
    ];
    for (keys, table) in &tables {
        let task = fit(keys, table).unwrap();
        let json = serde_json::to_string(&task).unwrap();
        let again: Task = serde_json::from_str(&json).unwrap();
        assert_eq!(task, again, "{json}");
        assert!(
            json.starts_with(&format!("{{\"name\":\"y\",\"column\":\"y\",\"kind\":\"{}\"", task.kind_name())),
            "{json}"
        );
        again.check().unwrap();
    }
    let damaged = |json: &str| says(&serde_json::from_str::<Task>(json).unwrap().check().unwrap_err());
    assert_eq!(
        damaged(r#"{"name":"y","column":"y","kind":"count","mean":0.0}"#),
        "task `y` is damaged: its mean is out of range"
    );
    assert_eq!(
        damaged(
            r#"{"name":"y","column":"y","kind":"binary","labels":[],"shares":[],"weights":[],"numbers":false,"rest":false}"#
        ),
        "task `y` is damaged: a binary task with 0 classes"
    );
    let shares = r#"{"name":"y","column":"y","kind":"category","labels":["a","b"],"shares":[1],"weights":[1,1],"numbers":false}"#;
    assert_eq!(damaged(shares), "task `y` is damaged: 2 classes with 1 shares and 2 weights");
    let deviation = r#"{"name":"y","column":"y","kind":"regression","loss":"mse","delta":1,"standardize":true,"mean":0,"deviation":0}"#;
    assert_eq!(damaged(deviation), "task `y` is damaged: its mean, deviation or delta is out of range");
}

#[test]
fn a_column_that_is_not_there_names_the_nearest() {
    let table =
        Table::from_columns(vec![Column::number("height", vec![1.0]), Column::number("age", vec![1.0])]).unwrap();
    let error = Task::fit("heigth", &config(""), &table, &[0]).unwrap_err();
    assert_eq!(says(&error), "task `heigth`: there is no column `heigth`\nhint: did you mean `height`?");
}

/// What is said where labels are too few.
const FEW: &str = "\nhint: take [tasks.y] out to learn the other tasks, or let the training rows have more of its labels: another seed or share, or `stratify` in data.split";

#[test]
fn labels_that_teach_nothing() {
    let says = |keys: &str, table: &Table| {
        let said = says(&fit(keys, table).unwrap_err());
        said.strip_suffix(FEW).map(str::to_owned).unwrap_or(said + " without a hint")
    };
    let no_label = "task `y`: column `y` has no label in the training rows";
    for keys in ["", "kind = \"regression\"", "kind = \"binary\"", "kind = \"category\"", "kind = \"count\""] {
        assert_eq!(says(keys, &numbers(&[NONE, NONE])), no_label);
        let only = "task `y`: every label in the training rows is `3`; there is nothing to learn";
        assert_eq!(says(keys, &numbers(&[3.0, NONE, 3.0])), only);
    }
    assert_eq!(says("", &words(["", ""])), no_label);
    let only = "task `y`: every label in the training rows is `a`; there is nothing to learn";
    assert_eq!(says("", &words(["a", "", "a"])), only);
    // Labels outside the training rows do not help.
    let error = Task::fit("y", &config(""), &numbers(&[1.0, 2.0, NONE]), &[0, 2]).unwrap_err();
    assert_eq!(error.to_string(), "task `y`: every label in the training rows is `1`; there is nothing to learn");
}

#[test]
fn labels_that_do_not_fit_their_kind() {
    let says = |keys: &str, table: &Table| says(&fit(keys, table).unwrap_err());
    assert_eq!(
        says("kind = \"regression\"", &words(["1", "2", "tall"])),
        "table row 3: task `y` is a regression, but column `y` holds `tall`\nhint: list the word in data.missing if it \
         stands for a missing value, or choose kind = \"category\""
    );
    assert_eq!(
        says("kind = \"count\"", &numbers(&[1.0, -1.0])),
        "table row 2: task `y` is a count, but column `y` holds -1\nhint: a count is 0, 1, 2, ...; kind = \"regression\" \
         takes any number"
    );
    let fraction = says("kind = \"count\"", &numbers(&[NONE, 0.5, 1.0]));
    assert!(fraction.starts_with("table row 2: task `y` is a count, but column `y` holds 0.5\n"), "{fraction}");
    assert_eq!(
        says("kind = \"binary\"", &words(["b", "a", "c", "a"])),
        "task `y` is binary, but column `y` holds 3 labels: `a`, `b`, `c`\nhint: kind = \"category\" takes any number of \
         classes; with `positive` one label stands against all others"
    );
    assert_eq!(
        says("kind = \"binary\"\npositive = \"femal\"", &words(["male", "female"])),
        "task `y`: `positive` names the label `femal`, which is not among the labels of the training rows\nhint: did you \
         mean `female`?"
    );
    assert_eq!(
        says("class_weights = { smith = 2 }", &words(["clerk", "cook", "nurse"])),
        "task `y`: `class_weights` names the label `smith`, which is not among the labels of the training rows\nhint: the \
         choice is `clerk`, `cook`, `nurse`"
    );
    assert_eq!(
        says("positive = \"a\"", &numbers(&[1.0, 2.0])),
        "task `y` was taken for kind \"regression\", for which `positive` has no meaning\nhint: say the kind of the task, \
         or take the key out"
    );
}

#[test]
fn a_part_without_labels_is_refused() {
    let table = numbers(&[1.0, 2.0, NONE, NONE]);
    let task = Task::fit("y", &config(""), &table, &[0, 1]).unwrap();
    let labels = task.labels(&table).unwrap();
    task.check_part(&labels, "validation", &[1, 2]).unwrap();
    task.check_part(&labels, "test", &[]).unwrap();
    assert_eq!(
        says(&task.check_part(&labels, "validation", &[2, 3]).unwrap_err()),
        "task `y`: every label is missing in the validation rows\nhint: use a larger share, another seed, or a split that \
         has labels in every part; a task with role = \"auxiliary\" needs labels in the training rows alone"
    );
}

#[test]
fn sample_weights_multiply_and_are_checked() {
    let table = numbers(&[0.5, 0.0, 2.0]);
    let weights = sample_weights(&table, "y").unwrap();
    assert_eq!(weights, [0.5, 0.0, 2.0]);
    let mut labels = fit("class_weights = { a = 3 }\nkind = \"category\"", &words(["a", "b", "a"]))
        .unwrap()
        .labels(&words(["a", "b", ""]))
        .unwrap();
    labels.multiply(&weights);
    assert_eq!(labels.weights, [1.5, 0.0, 0.0]);
    let bad = |table: &Table| says(&sample_weights(table, "y").unwrap_err());
    let hint = "\nhint: every row needs a weight of 0 or above";
    assert_eq!(bad(&numbers(&[1.0, -2.0])), format!("table row 2: the sample weight in column `y` is `-2`{hint}"));
    assert_eq!(bad(&numbers(&[NONE])), format!("table row 1: the sample weight in column `y` is missing{hint}"));
    assert_eq!(bad(&words(["1", "much"])), format!("table row 2: the sample weight in column `y` is `much`{hint}"));
    let error = sample_weights(&table, "w").unwrap_err();
    assert_eq!(error.to_string(), "`data.sample_weight`: there is no column `w`");
}
