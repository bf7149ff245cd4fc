//! What people read: tables, reports, help. Numbers and widths, which vary, are taken out.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{CONFIG, Folder, table};

/// The text with `#` for every number that has a fraction and one blank for several, so that neither the last digits nor
/// the widths of columns count.
fn redacted(text: &str) -> String {
    let line = |line: &str| line.split_whitespace().map(word).collect::<Vec<_>>().join(" ");
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn word(word: &str) -> String {
    let number = word.trim_end_matches([',', ';', '.', ')', ':']);
    let fraction = number.contains('.') && number.parse::<f64>().is_ok();
    if fraction { word.replacen(number, "#", 1) } else { word.to_owned() }
}

#[test]
fn train_prints_scores_and_says_how_it_went() {
    let done = Folder::with(CONFIG, &table(200)).works("train config.toml");
    insta::assert_snapshot!(redacted(&done.out), @r"
    task metric model constant rows
    size r2 # # 34
    rmse # #
    mae # #
    pearson # -
    warm accuracy # # 40
    macro_f1 # #
    log_loss # #
    auc # #
    average_precision # #
    precision # -
    recall # 0
    mcc # 0
    brier # #
    calibration_error # #
    grade accuracy # # 40
    macro_f1 # #
    log_loss # #
    calibration_error # #

    Scores on the 40 test rows.
    ");
    insta::assert_snapshot!(redacted(&done.err), @r"
    inputs, as every column that nothing else reads: x, z, color
    3 inputs -> size (regression, 17 labels missing), warm (binary, 40 labels missing), grade (category)
    120 rows to train on, 40 to choose the best model, 40 to measure it; 181 parameters, balance equal
    epoch 1: valid size r2 #, warm auc #, grade accuracy #
    done after 5 epochs, 20 steps, # s; kept the model of epoch 5
    warning: `size` is predicted no better than by a constant (r2 #, the constant's #): the inputs may not tell it, or learning jointly hurt it; `polytask compare` tells which
    warning: `grade` is predicted no better than by a constant (accuracy #, the constant's #): the inputs may not tell it, or learning jointly hurt it; `polytask compare` tells which
    wrote model; next: `polytask predict model --data FILE`, or `polytask compare config.toml` to see whether sharing helped
    ");
}

#[test]
fn evaluate_prints_scores_in_the_order_of_the_config() {
    let folder = Folder::with(CONFIG, &table(200));
    folder.works("train config.toml");
    insta::assert_snapshot!(redacted(&folder.works("evaluate model --data data.csv").out), @r"
    task metric model constant rows
    size r2 # # 171
    rmse # #
    mae # #
    pearson # -
    warm accuracy # # 160
    macro_f1 # #
    log_loss # #
    auc # #
    average_precision # #
    precision # -
    recall # 0
    mcc # 0
    brier # #
    calibration_error # #
    grade accuracy # # 200
    macro_f1 # #
    log_loss # #
    calibration_error # #
    ");
    insta::assert_snapshot!(redacted(&folder.works("evaluate model --data data.csv --format json").out), @r#"
    {
    "tasks": {
    "size": {
    "r2": #,
    "rmse": #,
    "mae": #,
    "pearson": #,
    "n": 171
    },
    "warm": {
    "accuracy": #,
    "macro_f1": #,
    "log_loss": #,
    "auc": #,
    "average_precision": #,
    "precision": #,
    "recall": #,
    "mcc": #,
    "brier": #,
    "calibration_error": #,
    "n": 160
    },
    "grade": {
    "accuracy": #,
    "macro_f1": #,
    "log_loss": #,
    "calibration_error": #,
    "n": 200
    }
    },
    "notes": [
    "the model was trained on rows of this file, and its scores there flatter it: `inspect` has those of the test rows, and `report` shows them"
    ]
    }
    "#);
}

#[test]
fn predict_prints_a_line_a_row() {
    let folder = Folder::with(CONFIG, &table(200));
    folder.works("train config.toml");
    let header = |arguments: &str| folder.works(arguments).out.lines().next().unwrap().to_owned();
    insta::assert_snapshot!(header("predict model --data data.csv"), @"size,warm,grade");
    insta::assert_snapshot!(header("predict model --data data.csv --probabilities"), @"size,warm,warm=no,warm=yes,grade,grade=high,grade=low,grade=middle");
}

#[test]
fn compare_prints_a_line_a_task() {
    let folder = Folder::with(CONFIG, &table(200));
    // One step at a rate of next to nothing: both models are as they were drawn, and no verdict can change.
    let done = folder.works("compare config.toml --seeds 3 --set train.steps=1 --set train.learning_rate=1e-9");
    insta::assert_snapshot!(redacted(&done.out), @r"
    task metric constant linear independent joint joint better by p sharing
    size r2 # # # ± # # ± # # ± # # no difference beyond the noise
    warm auc # # # ± # # ± # # ± # # no difference beyond the noise
    grade accuracy # # # ± # # ± # # ± # # no difference beyond the noise

    Test rows, mean ± standard deviation over 3 seeds, 1 step each; the difference with its 95 % interval, from the noise of
    seeds and test rows. p is corrected for the number of tasks (Holm); the verdict holds it against #.
    Relative change by sharing: # % (mean over tasks), # % (mean over metrics).
    Linear: penalty l21 of strength #, by the validation rows; 30 parameters, # s.

    all tasks models parameters training multiply-adds a row prediction a row
    joint 1 181 # s 163 # µs
    independent 3 373 # s 329 # µs
    ");
    insta::assert_snapshot!(redacted(&done.err), @"training 13 models: a linear one, then the joint one and one a task, 3 seeds");

    // Which number stands where: each is that of the answer in JSON.
    let trained = "compare config.toml --seeds 2 --set train.epochs=3";
    let answer: serde_json::Value =
        serde_json::from_str(&folder.works(&format!("{trained} --format json")).out).unwrap();
    let text = folder.works(trained).out;
    for line in text.lines().skip(1).take(3) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let (task, metric) = (&answer["tasks"][words[0]], words[1]);
        let wanted = [
            (2, &task["baseline"][metric]),
            (3, &task["linear"][metric]),
            (4, &task["single"][metric]),
            (6, &task["single_std"][metric]),
            (7, &task["joint"][metric]),
            (9, &task["joint_std"][metric]),
            (10, &task["difference"]),
            (12, &task["margin"]),
        ];
        for (at, value) in wanted {
            let (shown, value): (f64, f64) = (words[at].parse().unwrap(), value.as_f64().unwrap());
            assert!((shown - value).abs() <= 1e-3 * value.abs().max(1e-9), "{at} {value}: {line}");
        }
    }
}

#[test]
fn compare_prints_groups_shares_and_trade_offs() {
    let folder = Folder::with(CONFIG, &table(200));
    folder.write("groups.json", r#"{"groups": [["size", "grade"], ["warm"]]}"#);
    let more = "--groups groups.json --shares 30,100 --favour --out answer.txt";
    let still = "--set train.steps=1 --set train.learning_rate=1e-9";
    let done = folder.works(&format!("compare config.toml --seeds 2 {more} {still}"));
    insta::assert_snapshot!(redacted(&done.err), @r"
    training 25 models: a linear one, then the joint one and one a task, one a group, a joint one in favour of each task, both with 30 % of the labels, 2 seeds
    wrote answer.txt
    ");
    insta::assert_snapshot!("compare_whole", redacted(&folder.read("answer.txt")));
}

#[test]
fn every_command_has_a_help() {
    let folder = Folder::new();
    let help = |command: &str| folder.works(&format!("{command} --help")).out;
    insta::assert_snapshot!("help", help(""));
    for command in ["train", "predict", "evaluate", "compare", "schema"] {
        insta::assert_snapshot!(format!("help_{command}"), help(command));
    }
}
