//! What the data do to a model: weights of rows and classes, splits, values that are missing or new.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{Noise, learn, prepared, table};
use polytask::tasks::{Prediction, Truth};
use std::collections::BTreeSet;

fn numbers(prediction: &Prediction) -> &[f64] {
    match prediction {
        Prediction::Numbers(values) => values,
        _ => &[],
    }
}

#[test]
fn sample_weights_move_the_fit() {
    // The same input has label 0 or 10: the fit is their weighted mean.
    let rows = |heavy: f64| {
        let row = |i: usize| if i.is_multiple_of(2) { format!("1,0,{heavy}\n") } else { "1,10,1\n".to_owned() };
        format!("x,y,w\n{}", (0..64).map(row).collect::<String>())
    };
    let mean = |heavy: f64, key: &str| {
        let sections = format!(
            "{key}\nsplit = {{ valid = 0, test = 0 }}\n[inputs]\nx = \"number\"\n[tasks.y]\n[model]\ntrunk = []\n[train]\n\
             batch = \"full\"\nsteps = 2000\nlearning_rate = 0.01\n"
        );
        numbers(&learn(&rows(heavy), &sections).model.predict(&table("x\n1\n")).unwrap()[0])[0]
    };
    let weighed = "sample_weight = \"w\"";
    assert!((mean(1.0, weighed) - 5.0).abs() < 1e-3);
    assert!((mean(9.0, weighed) - 1.0).abs() < 1e-3, "9 of 10 parts say 0: {}", mean(9.0, weighed));
    assert!((mean(1e-9, weighed) - 10.0).abs() < 1e-3, "a row of hardly any weight is hardly heard");
    assert!((mean(9.0, "") - 5.0).abs() < 1e-3, "weights count only where they are named");
}

/// Two classes that overlap, one of them rare.
fn rare() -> String {
    let mut noise = Noise(3);
    let mut text = "x,hit\n".to_owned();
    for row in 0..400 {
        let hit = row % 10 == 0;
        let x = noise.next() + noise.next() + if hit { 0.5 } else { 0.0 };
        text.push_str(&format!("{x:.4},{}\n", u8::from(hit)));
    }
    text
}

/// The share of the rows of class 1 that are found, and the share of the others that are taken for it.
fn rates(weights: &str) -> (f64, f64) {
    let sections = format!(
        "split = {{ valid = 0, test = 0 }}\n[tasks.hit]\nkind = \"binary\"\n{weights}\n[model]\ntrunk = [8]\n[train]\n\
         epochs = 60\nlearning_rate = 0.01\n"
    );
    let learnt = learn(&rare(), &sections);
    let predicted = learnt.model.predict(&table(&rare())).unwrap()[0].classes();
    let Truth::Classes(truth) = &learnt.prepared.data.labels[0].truth else { return (0.0, 0.0) };
    let share = |class: u32| {
        let rows: Vec<usize> = (0..truth.len()).filter(|&row| truth[row] == class).collect();
        rows.iter().filter(|&&row| predicted[row] == 1).count() as f64 / rows.len() as f64
    };
    (share(1), share(0))
}

#[test]
fn class_weights_move_the_border() {
    let (recall, alarms) = rates("");
    let (heavy, many) = rates("class_weights = { 1 = 10.0 }");
    let (balanced, _) = rates("class_weights = \"balanced\"");
    assert!(recall < 0.4, "one in ten is hardly ever the likelier class: {recall}");
    assert!(heavy > recall + 0.3 && balanced > recall + 0.3, "{recall}, {heavy}, {balanced}");
    assert!(many > alarms, "which has its price");
}

/// 200 rows of 20 groups, a class of one in ten, and a regression.
fn grouped() -> String {
    let mut noise = Noise(9);
    let mut text = "x,who,kind,y\n".to_owned();
    for row in 0..200 {
        let kind = ["often", "seldom"][usize::from(row % 10 == 0)];
        text.push_str(&format!("{:.4},p{},{kind},{:.4}\n", noise.next(), row / 10, noise.next()));
    }
    text
}

#[test]
fn a_stratified_split_has_every_class_in_its_share() {
    let seldom = |stratify: &str| {
        let sections = format!(
            "split = {{ valid = 0.1, test = 0.2, seed = 4{stratify} }}\n[inputs]\nx = \"number\"\n[tasks.sort]\n\
             column = \"kind\"\n[tasks.y]\n"
        );
        let prepared = prepared(&grouped(), &sections);
        let parts = [&prepared.split.train, &prepared.split.valid, &prepared.split.test];
        parts.map(|rows| (rows.len(), rows.iter().filter(|row| *row % 10 == 0).count()))
    };
    // 20 of 200 rows. The task stands for its column.
    for column in ["sort", "kind"] {
        assert_eq!(seldom(&format!(", stratify = \"{column}\"")), [(140, 14), (20, 2), (40, 4)]);
    }
    assert_ne!(seldom(""), [(140, 14), (20, 2), (40, 4)], "which chance does not give");
}

#[test]
fn a_grouped_split_tears_no_group_apart() {
    let sections = |group: &str| {
        format!(
            "split = {{ valid = 0.1, test = 0.2, seed = 4{group} }}\nignore = [\"kind\"{}]\n[tasks.y]\n",
            if group.is_empty() { ", \"who\"" } else { "" }
        )
    };
    let groups = |group: &str| {
        let prepared = prepared(&grouped(), &sections(group));
        assert_eq!(prepared.encoder.inputs.len(), 1, "the group is no input");
        let split = prepared.split;
        [split.train, split.valid, split.test].map(|rows| rows.iter().map(|row| row / 10).collect::<BTreeSet<u32>>())
    };
    let [train, valid, test] = groups(", group = \"who\"");
    assert_eq!((train.len(), valid.len(), test.len()), (14, 2, 4));
    assert!(train.is_disjoint(&valid) && train.is_disjoint(&test) && valid.is_disjoint(&test));
    let [train, _, test] = groups("");
    assert!(!train.is_disjoint(&test), "rows drawn singly do tear them");
}

/// A number with and one without missing values, a category one-hot and one embedded.
fn holes() -> String {
    let mut noise = Noise(21);
    let mut text = "x,z,color,town,y\n".to_owned();
    for row in 0..200 {
        let (x, z) = (noise.next(), noise.next());
        let shown = if row % 8 == 0 { String::new() } else { format!("{x:.4}") };
        let (color, town) = (["red", "green"][row % 2], row % 15);
        text.push_str(&format!("{shown},{z:.4},{color},t{town},{:.4}\n", 3.0 * x + z + (row % 2) as f64));
    }
    text
}

fn prediction(learnt: &common::Learnt, row: &str) -> f64 {
    numbers(&learnt.model.predict(&table(&format!("x,z,color,town\n{row}\n"))).unwrap()[0])[0]
}

#[test]
fn new_levels_are_read_as_missing_ones() {
    let learnt = learn(&holes(), "[tasks.y]\n[train]\nepochs = 30\nlearning_rate = 0.01\n");
    assert!(learnt.score("y", "r2") > 0.8, "it has learnt something");
    let known = prediction(&learnt, "0.5,0.5,red,t3");
    for (new, missing) in [("0.5,0.5,mauve,t3", "0.5,0.5,,t3"), ("0.5,0.5,red,t99", "0.5,0.5,red,")] {
        let of_new = prediction(&learnt, new);
        assert_eq!(of_new, prediction(&learnt, missing));
        assert!(of_new.is_finite());
        assert_ne!(of_new, known, "the level counts");
    }
}

#[test]
fn missing_numbers_are_filled_and_told_apart() {
    let learnt = learn(
        &holes(),
        "[inputs]\nx = \"number\"\nz = \"number\"\ncolor = \"category\"\n[tasks.y]\n[train]\nepochs = 30\n",
    );
    assert_eq!(learnt.prepared.encoder.number_names(), ["x", "x missing", "z"]);
    let known: Vec<f64> = holes().lines().skip(1).map(|l| l.split(',').nth(1).unwrap().parse().unwrap()).collect();
    let train = &learnt.prepared.split.train;
    let mean = train.iter().map(|&row| known[row as usize]).sum::<f64>() / train.len() as f64;
    // z was never missing: it is filled with its mean, and nothing says so. Only f32 tells the two apart.
    let (filled, given) = (prediction(&learnt, "0.5,,red,t3"), prediction(&learnt, &format!("0.5,{mean},red,t3")));
    assert!((filled - given).abs() < 1e-5, "{filled}, {given}");
    // x has a feature for it, which the model uses: with the mean in its place the prediction is another.
    assert!((prediction(&learnt, ",0.5,red,t3") - prediction(&learnt, "0.5,0.5,red,t3")).abs() > 1e-3);
}

#[test]
fn a_row_of_nothing_is_predicted_too() {
    let learnt = learn(&holes(), "[tasks.y]\n[train]\nepochs = 5\n");
    assert!(prediction(&learnt, ",,,").is_finite());
}
