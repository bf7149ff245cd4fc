//! `polytask balancers` and `polytask aggregate`, as people call them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs the program with this standard input.
fn polytask(arguments: &[&str], input: &str) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_polytask"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments does not wait for the input.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// What `aggregate` prints, where it must succeed.
fn aggregate(input: &Value, arguments: &[&str]) -> Value {
    let output = polytask(&[&["aggregate", "--method"], arguments].concat(), &input.to_string());
    assert!(output.status.success(), "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// What `aggregate` says, where it must fail with this status and print nothing.
fn refusal(input: &str, arguments: &[&str], status: i32) -> String {
    let output = polytask(&[&["aggregate", "--method"], arguments].concat(), input);
    assert_eq!(output.status.code(), Some(status), "{}", stderr(&output));
    assert!(output.stdout.is_empty());
    stderr(&output)
}

fn numbers(value: &Value) -> Vec<f64> {
    serde_json::from_value(value.clone()).unwrap()
}

#[track_caller]
fn assert_near(value: &Value, expected: &[f64], tolerance: f64) {
    let values = numbers(value);
    assert_eq!(values.len(), expected.len(), "{values:?}");
    for (a, b) in values.iter().zip(expected) {
        assert!((a - b).abs() <= tolerance, "{values:?} is not {expected:?}");
    }
}

#[track_caller]
fn assert_says(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no `{part}` in: {text}");
    }
}

fn conflict() -> Value {
    json!({ "jacobian": [[-4, 1, 1], [6, 1, 1]] })
}

#[test]
fn published_values() {
    // torchjd's own expected values, given to four digits.
    let cases: [(&[&str], [f64; 2], [f64; 3]); 6] = [
        (&["upgrad"], [1.1109, 0.7894], [0.2929, 1.9004, 1.9004]),
        (&["dualproj"], [0.6109, 0.5], [0.5563, 1.1109, 1.1109]),
        (&["mgda"], [0.6, 0.4], [0.0, 1.0, 1.0]),
        (&["cagrad", "--set", "c=0.5"], [0.7041, 0.5], [0.1835, 1.2041, 1.2041]),
        (&["imtl_g"], [0.5923, 0.4077], [0.0767, 1.0, 1.0]),
        (&["pcgrad"], [2.2222, 1.5789], [0.5848, 3.8012, 3.8012]),
    ];
    for (arguments, weights, direction) in cases {
        let answer = aggregate(&conflict(), arguments);
        assert_near(&answer["weights"], &weights, 1e-4);
        assert_near(&answer["direction"], &direction, 1e-4);
        // Their heads learn from their own losses.
        assert_eq!(answer["heads"], json!([1.0, 1.0]), "{arguments:?}");
    }
}

#[test]
fn nash_solves_opposed_gradients() {
    let opposed = json!({ "jacobian": [[1, 0], [-1, 0.5]] });
    let free = aggregate(&opposed, &["nash", "--set", "max_norm=0"]);
    assert_near(&free["direction"], &[0.32492, 1.37638], 5e-6);
    assert!(free.get("heads").is_none(), "the same weights are not printed twice: {free}");
    // By default the direction is clipped to norm 1; heads are not.
    let clipped = aggregate(&opposed, &["nash"]);
    let norm = 0.32492f64.hypot(1.37638);
    assert_near(&clipped["direction"], &[0.32492 / norm, 1.37638 / norm], 5e-6);
    assert_eq!(clipped["heads"], free["weights"]);
}

#[test]
fn a_gramian_or_losses_are_enough_for_those_that_need_no_more() {
    let by_rows = aggregate(&conflict(), &["upgrad"]);
    let by_products = aggregate(&json!({ "gramian": [[18, -22], [-22, 38]] }), &["upgrad"]);
    assert_eq!(by_products["weights"], by_rows["weights"]);
    assert!(by_products.get("direction").is_none());
    // w_i / L_i.
    let input = json!({ "losses": [0.1, 3.0], "tasks": ["height", "sex"] });
    let scaled = aggregate(&input, &["scale_invariant", "--set", "weights.sex=2"]);
    assert_eq!(numbers(&scaled["weights"]), [1.0 / 0.1, 2.0 / 3.0], "all digits come and go");
    assert!(scaled.get("direction").is_none());
    // Equal weights need nothing but the number of tasks.
    assert_eq!(aggregate(&json!({ "tasks": ["a", "b"] }), &["equal"]), json!({ "weights": [1.0, 1.0] }));
}

#[test]
fn values_are_json_or_toml_or_words() {
    let with = |set: &[&str]| aggregate(&conflict(), &[&["aligned"], set].concat());
    let json = with(&["--set", r#"preference={"task0": 2.5, "task1": 1}"#, "--set", "scale=\"rmse\""]);
    let toml = with(&["--set", "preference={ task0 = 2.5 }", "--set", "scale=rmse"]);
    let dotted = with(&["--set", "preference.task0=7", "--set", "preference.task0=2.5", "--set", "scale = 'rmse'"]);
    assert_eq!(json, toml);
    assert_eq!(json, dotted);
    assert_ne!(json, with(&[]));
}

#[test]
fn a_sequence_keeps_the_method_state() {
    // DWA: means of two epochs give the ratios 3 / 4 and 1 / 1 at temperature 2, so weights 2 softmax(0.375, 0.5). The
    // step of the first epoch that `b` sits out changes nothing for it.
    let input = json!([
        { "tasks": ["a", "b"], "losses": [5, 1] },
        { "tasks": ["a"], "losses": [3] },
        { "tasks": ["b", "a"], "losses": [1, 3], "epoch": 1 },
        { "epoch": 2, "losses": [9, 9] },
        { "tasks": ["a"], "losses": [3] },
    ]);
    let answers = aggregate(&input, &["dwa"]);
    assert_eq!(answers[0]["weights"], json!([1.0, 1.0]));
    assert_eq!(answers[1]["weights"], json!([1.0]));
    assert_eq!(answers[2]["weights"], json!([1.0, 1.0]));
    let (a, b) = (0.375f64.exp(), 0.5f64.exp());
    assert_near(&answers[3]["weights"], &[2.0 * b / (a + b), 2.0 * a / (a + b)], 1e-15);
    assert_eq!(answers[4]["weights"], json!([1.0]));
    // Without losses after the step FAMO stays where it began, with them the task that falls faster loses weight.
    let famo = |after: Value| {
        let steps = json!([{ "losses": [1, 1], "losses_after": after }, { "losses": [1, 1] }]);
        numbers(&aggregate(&steps, &["famo"])[1]["weights"])
    };
    assert_eq!(famo(Value::Null), [0.5, 0.5]);
    let [fast, slow] = famo(json!([0.1, 1]))[..] else { panic!("two weights") };
    assert!(fast < slow);
    // DTP: the better score has the smaller weight, -(1 - k) log k.
    let scored = json!([{ "tasks": ["a", "b"], "scores": [0.9, 0.5] }, {}]);
    assert_near(&aggregate(&scored, &["dtp"])[1]["weights"], &[-0.1 * 0.9f64.ln(), -0.5 * 0.5f64.ln()], 1e-15);
}

#[test]
fn the_order_of_tasks_changes_nothing() {
    // Two steps of a method with a memory a task: the second names them the other way round.
    let first = json!({ "tasks": ["a", "b"], "jacobian": [[-4, 1, 1], [6, 1, 1]], "losses": [1, 2] });
    let second = json!({ "tasks": ["a", "b"], "jacobian": [[1, 2, 3], [-2, 0, 1]], "losses": [3, 4] });
    let turned = json!({ "tasks": ["b", "a"], "jacobian": [[-2, 0, 1], [1, 2, 3]], "losses": [4, 3] });
    let straight = aggregate(&json!([first, second]), &["dbmtl"]);
    let crossed = aggregate(&json!([first, turned]), &["dbmtl"]);
    assert_eq!(straight[1]["direction"], crossed[1]["direction"]);
    let mut weights = numbers(&straight[1]["weights"]);
    weights.reverse();
    assert_eq!(weights, numbers(&crossed[1]["weights"]));
    let turned = json!({ "gramian": [[38, -22], [-22, 18]], "tasks": ["b", "a"] });
    let answer = aggregate(&json!([first, turned]), &["upgrad"]);
    assert_near(&answer[1]["weights"], &[0.7894, 1.1109], 1e-4);
}

#[test]
fn the_seed_decides_what_is_drawn() {
    let input = json!({ "losses": [1, 1, 1] });
    let draw = |seed| aggregate(&input, &["rlw", "--seed", seed]);
    assert_eq!(draw("3"), draw("3"));
    assert_ne!(draw("3"), draw("4"));
}

#[test]
fn one_task_follows_itself_and_says_so() {
    let output = polytask(&["aggregate", "--method", "cagrad"], r#"{"jacobian": [[3, -4]]}"#);
    assert!(output.status.success());
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(answer, json!({ "weights": [1.0], "direction": [3.0, -4.0] }));
    assert_says(&stderr(&output), &["note: with one task `cagrad` follows that task's own gradient"]);
    let text = refusal(r#"{"jacobian": [[3, -4]]}"#, &["krum", "--set", "byzantine=1"], 2);
    assert_says(&text, &["`byzantine` = 1 needs at least 4 tasks, there are 1"]);
}

#[test]
fn wrong_calls_end_with_2() {
    let input = conflict().to_string();
    let says = |arguments: &[&str], parts: &[&str]| assert_says(&refusal(&input, arguments, 2), parts);
    says(&["upgard"], &["unknown balancing method `upgard`", "hint: did you mean `upgrad`"]);
    says(&["zzz"], &["unknown balancing method `zzz`", "hint: `polytask balancers` lists them"]);
    says(&["cagrad", "--set", "cc=1"], &["`cagrad` has no key `cc`", "did you mean `c`?"]);
    says(&["cagrad", "--set", "c=-1"], &["`c` = -1 is out of range, allowed is at least 0"]);
    says(&["cagrad", "--set", "c=much"], &["the value of `c` cannot be used", "much"]);
    says(&["cagrad", "--set", "c=nan"], &["`--set c=nan`: the number is not finite"]);
    says(&["cagrad", "--set", "c"], &["`--set c`: it is not KEY=VALUE", "hint: for example --set c=0.4"]);
    says(&["cagrad", "--set", "=1"], &["the key is missing"]);
    says(&["cagrad", "--set", "c=1", "--set", "c.a=1"], &["given a value that is no table"]);
    says(&["upgrad", "--set", "preference.tsak0=1"], &["names the task `tsak0`", "`task0`"]);
    says(&["fixed"], &["`fixed` needs the key `weights`"]);
}

#[test]
fn bad_input_ends_with_1() {
    let says = |input: &str, method: &str, parts: &[&str]| assert_says(&refusal(input, &[method], 1), parts);
    says(" \n", "upgrad", &["standard input: it is empty"]);
    says("[]", "upgrad", &["the list is empty"]);
    says("{\n \"jacobian\": [[1, }", "upgrad", &["line 2, column 19: expected value"]);
    says("{\"losses\": [1, NaN]}", "geometric", &["line 1, column 16: expected value", "JSON has no NaN"]);
    says("{\"losses\": [1, 1e999]}", "geometric", &["column 20: number out of range", "must be finite"]);
    says("{\"losses\": [1, \"2\"]}", "geometric", &["line 1, column 18: invalid type: string \"2\", expected f64"]);
    says("{\"jacobain\": [[1]]}", "upgrad", &["unknown field `jacobain`", "`jacobian`"]);
    says("{\"losses\": [1]} {\"losses\": [1]}", "geometric", &["column 17: trailing characters"]);
    says("{\"jacobian\": [[1, 2], [3]]}", "upgrad", &["row 1 of `jacobian` (task `task1`) has 1 values; 2"]);
    says("{\"gramian\": [[1, 0]]}", "upgrad", &["row 0 of `gramian` (task `task0`) has 2 values; 1, one a task"]);
    says("{\"gramian\": [[1, 0], [3, 1]]}", "upgrad", &["standard input: the Gramian is not symmetric"]);
    says("{\"gramian\": [[1]], \"jacobian\": [[1]]}", "upgrad", &["not both"]);
    says("{\"jacobian\": []}", "upgrad", &["there are no tasks"]);
    says("{}", "upgrad", &["give `jacobian`, `gramian` or `losses`"]);
    says("{\"losses\": [1, 2], \"tasks\": [\"a\", \"a\"]}", "equal", &["two tasks are called `a`"]);
    says("{\"jacobian\": [[1], [2]], \"losses\": [1]}", "upgrad", &["`losses` is of length 1, but the tasks are 2"]);
    says("[{\"losses\": [1, 2]}, {\"losses\": [1]}]", "equal", &["standard input, step 1: `losses` is of length 1"]);
    says("[{\"losses\": [1], \"epoch\": 2}, {\"epoch\": 1}]", "equal", &["step 1: `epoch` goes back from 2 to 1"]);
    says("{\"losses\": [1, 0]}", "geometric", &["the loss of task `task1` is 0 at step 0"]);
    // Less than the method needs.
    says("{\"losses\": [1, 2]}", "upgrad", &["`upgrad` needs task gradients: give `jacobian` or `gramian`"]);
    says("{\"gramian\": [[1, 0], [0, 1]]}", "graddrop", &["`graddrop` needs the task gradients themselves"]);
    says("{\"jacobian\": [[1], [2]]}", "geometric", &["`geometric` needs losses: give `losses`"]);
    says(
        "{\"jacobian\": [[1], [2]]}",
        "gradnorm",
        &["`gradnorm` needs the Gramian of the task gradients and the losses"],
    );
    for method in ["auto_lambda", "moml", "forum"] {
        let input = "{\"jacobian\": [[1], [2]], \"losses\": [1, 2]}";
        says(input, method, &[method, "needs a model to try out steps on, which `polytask train` has"]);
    }
}

#[test]
fn the_table_holds_every_method_and_fits_the_terminal() {
    let output = polytask(&["balancers"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    let listed = polytask(&["balancers", "--format", "json"], "");
    let listed: Vec<Value> = serde_json::from_slice(&listed.stdout).unwrap();
    assert!(listed.len() >= 38);
    for entry in &listed {
        let name = entry["name"].as_str().unwrap();
        assert!(text.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}");
    }
    assert!(text.lines().all(|line| line.chars().count() <= 100), "{text}");
    assert_says(
        &text,
        &[
            "scale_invariant  losses    1         weighted",
            "modo             Jacobian  3 T       own loss",
            "auto_lambda      model     3 +f      weighted",
            "moml             model     2 T + 1   weighted",
            "forum            model     T + 5 +f  other",
        ],
    );
}

#[test]
fn one_method_with_its_keys() {
    let output = polytask(&["balancers", "cagrad"], "");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_says(
        &text,
        &["Conflict-Averse Gradient Descent", "c          default 0.5; at least 0", "momentum   none by"],
    );
    let output = polytask(&["balancers", "cagrad", "--format", "json"], "");
    let entry: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&entry["needs"], &entry["heads"]), (&json!("gramian"), &json!("unweighted")));
    assert_eq!(entry["keys"][0]["default"], json!(0.5));
    assert_eq!(entry["keys"][0]["required"], json!(false));
    let output = polytask(&["balancers", "cagrat"], "");
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    assert_says(&stderr(&output), &["did you mean `cagrad`"]);
}
