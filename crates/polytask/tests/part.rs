//! A model cut down to some of its tasks predicts for them what the whole one does, and computes less.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use polytask::Experiment;
use polytask::model::{Model, PartError};

fn rows() -> String {
    let mut noise = common::Noise(11);
    let row = |i: usize| {
        let (x, z) = (noise.next(), noise.next());
        let kind = ["a", "b", "c"][(3.0 * x) as usize % 3];
        let gap = if i % 7 == 2 { String::new() } else { format!("{:.3}", x * z) };
        format!("{x:.3},{z:.3},{},{gap},{kind},{}\n", ["u", "v"][i % 2], if z > 0.5 { "yes" } else { "no" })
    };
    format!("x,z,word,size,kind,warm\n{}", (0..300).map(row).collect::<String>())
}

fn fitted(model: &str) -> Model {
    let sections = format!("[tasks.size]\n[tasks.kind]\n[tasks.warm]\n{model}");
    let folder = tempfile::tempdir().unwrap();
    Experiment::new(common::config(&folder, &rows(), &sections)).fit(&mut ()).unwrap().into_model()
}

#[test]
fn each_task_is_predicted_as_by_the_whole() {
    let families = [
        "[model]\ntrunk = [16]\nhead = [8]\n[train]\nepochs = 3\n",
        "[model]\nsharing = \"mmoe\"\n[train]\nepochs = 3\n",
        "[model]\nfamily = \"trees\"\ntrees = { trees = 30, sharing = \"partial\" }\n",
        "[model]\nfamily = \"trees\"\ntrees = { method = \"forest\", trees = 20 }\n",
        "[model]\npreset = \"fast\"\n",
    ];
    for family in families {
        let model = fitted(family);
        let table = common::table(&rows());
        let whole = model.predict(&table).unwrap();
        for names in [&["size"][..], &["kind"], &["warm"], &["warm", "size"]] {
            let (part, kept) = model.only(names).unwrap();
            assert_eq!(part.tasks.len(), names.len());
            let expected: Vec<_> = kept.iter().map(|at| whole[*at].clone()).collect();
            assert_eq!(part.predict(&table).unwrap(), expected, "{family} {names:?}");
            assert!(part.body.parameter_count() < model.body.parameter_count(), "{family} {names:?}");
        }
        assert_eq!(model.only(&["warm", "kind", "size"]).unwrap().0, model);
    }
}

#[test]
fn names_that_no_task_has_are_refused() {
    let model = fitted("[model]\nfamily = \"trees\"\ntrees = { trees = 2 }\n");
    let known = ["size", "kind", "warm"].map(str::to_owned).to_vec();
    assert_eq!(model.only(&["sise"]).unwrap_err(), PartError::Unknown { name: "sise".to_owned(), known });
}
