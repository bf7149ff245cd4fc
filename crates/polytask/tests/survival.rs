//! Times until an event, of rows some of which were not followed to it, in every family.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

mod common;

use polytask::Experiment;
use polytask::config::TaskConfig;
use polytask::metric::{Curve, Seen, concordance, integrated_brier};
use polytask::tasks::{Layout, Prediction, Target, Task, Truth};
use serde_json::Value;

/// Times that shrink as `x` grows, some cut off by the end of the study, and beside them a quantity.
fn rows() -> String {
    let mut noise = common::Noise(9);
    let row = |_| {
        let x = noise.next();
        // Exponential, of a rate that grows twentyfold along x.
        let life = -noise.next().max(1e-9).ln() * 20.0 * (-3.0 * x).exp();
        let followed = 3.0 + 20.0 * noise.next();
        let (time, event) = if life <= followed { (life, "yes") } else { (followed, "no") };
        let event = if noise.next() < 0.1 { "" } else { event };
        format!("{x:.3},{time:.2},{event},{:.3}\n", 10.0 * x + noise.next())
    };
    format!("x,months,died,amount\n{}", (0..1200).map(row).collect::<String>())
}

/// How well the order of x agrees with that of the times.
fn order_of_x() -> f64 {
    let fields = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let rows: Vec<Vec<String>> = rows().lines().skip(1).map(fields).filter(|row| !row[2].is_empty()).collect();
    let seen: Vec<Seen> =
        rows.iter().map(|row| Seen { time: row[1].parse().unwrap(), event: row[2] == "yes" }).collect();
    let order: Vec<f64> = rows.iter().map(|row| -row[0].parse::<f64>().unwrap()).collect();
    concordance(&seen, &order).unwrap()
}

fn sections(model: &str) -> String {
    let task = "kind = \"survival\"\ncolumns = [\"months\", \"died\"]\n";
    format!("[inputs]\nx = \"number\"\n[tasks.life]\n{task}[tasks.amount]\nkind = \"regression\"\n{model}")
}

#[test]
fn every_family_learns_times() {
    let network = "[model]\ntrunk = [16]\n[train]\nepochs = 40\nlearning_rate = 0.01\n";
    let linear = "[model]\nsharing = \"linear\"\n";
    for model in [network, linear, "[model]\nfamily = \"trees\"\n", "[model]\npreset = \"fast\"\n"] {
        let folder = tempfile::tempdir().unwrap();
        let config = common::config(&folder, &rows(), &sections(model));
        let run = Experiment::new(config).fit(&mut ()).unwrap();
        let score = &run.scores().tasks["life"].metrics;
        // No order is better than that of x itself; the rows of the test part are a sample of all.
        let best = order_of_x();
        assert!(score.value("concordance").unwrap() > best - 0.04, "{model} {best} {score:?}");
        let constant = &run.scores().tasks["life"].baseline;
        let brier = |metrics: &polytask::metric::Metrics| metrics.value("integrated_brier").unwrap();
        assert!(brier(score) < 0.9 * brier(constant), "{model} {score:?} {constant:?}");
        let predicted = &run.model().predict(&common::table("x\n0.05\n0.5\n0.95\n")).unwrap()[0];
        let Prediction::Survival { times, alive } = predicted else { panic!() };
        for row in alive.chunks_exact(times.len()) {
            assert!(row[0] < 1.0 && row.windows(2).all(|pair| pair[0] >= pair[1]), "{row:?}");
        }
        let lives = predicted.expected_times();
        assert!(lives[0] > 1.5 * lives[1] && lives[1] > 1.5 * lives[2], "{model} {lives:?}");
        // Half of those with x = .5 live for 20 e^-1.5 ln 2 = 3.1 months.
        let middle = &alive[times.len()..2 * times.len()];
        let near = times.iter().position(|time| *time > 3.1).unwrap();
        assert!((0.3..0.65).contains(&middle[near]), "{model} {times:?} {middle:?}");
    }
}

fn config(keys: &str) -> TaskConfig {
    toml::from_str(&format!("kind = \"survival\"\ncolumns = [\"t\", \"e\"]\n{keys}\n")).unwrap()
}

fn fit(csv: &str, keys: &str) -> Result<Task, String> {
    let table = common::table(csv);
    let rows: Vec<u32> = (0..table.rows() as u32).collect();
    Task::fit("y", &config(keys), &table, &rows).map_err(|error| error.to_string())
}

#[test]
fn rows_count_for_what_is_known_of_them() {
    let task = fit("t,e\n1,1\n2,1\n3,1\n4,0\n", "times = [1, 2, 4]").unwrap();
    let labels = task.labels(&common::table("t,e\n1,1\n1.5,1\n1.5,0\n2,0\n9,1\n0.5,0\n,1\n3,\n")).unwrap();
    let Target::Real(flags) = &labels.target else { panic!() };
    let read = |row: &[f32]| row.iter().map(|f| if f.is_nan() { '.' } else { char::from(b'0' + *f as u8) }).collect();
    let read: Vec<String> = flags.chunks_exact(3).map(read).collect();
    assert_eq!(read, ["1..", "01.", "0..", "00.", "000", "...", "...", "..."]);
    let thirds: Vec<f32> = labels.weights.iter().map(|weight| weight * 3.0).collect();
    assert_eq!(thirds, [1.0, 2.0, 1.0, 2.0, 3.0, 0.0, 0.0, 0.0]);
    // One that was lost before the first time ends says nothing to the loss, and something to the order of others.
    assert!(labels.truth.known(5) && !labels.truth.known(6) && !labels.truth.known(7));
    let Truth::Times(seen) = &labels.truth else { panic!() };
    assert_eq!(seen[1], Some(Seen { time: 1.5, event: true }));
}

#[test]
fn shares_are_products_and_times_the_area_under_them() {
    let task = fit("t,e\n1,1\n2,1\n3,1\n4,0\n", "times = [1, 2, 4]").unwrap();
    let logit = |p: f64| (p / (1.0 - p)).ln() as f32;
    let mut values = polytask::exec::Values::of_rows(3, 1);
    values.extend(&[0.5, 0.2, 0.75].map(logit));
    let output = polytask::exec::TaskOutput { prediction: values, ..Default::default() };
    let prediction = task.predict(&output, &Layout::of_rows(1));
    let Prediction::Survival { alive, .. } = &prediction else { panic!() };
    for (got, wanted) in alive.iter().zip([0.5, 0.4, 0.1]) {
        assert!((got - wanted).abs() < 1e-6, "{alive:?}");
    }
    assert!((prediction.expected_times()[0] - (0.75 + 0.45 + 0.5)).abs() < 1e-5);
    // Without inputs: two thirds outlive 1, a half of those 2; of the rest one of two dies.
    let Prediction::Survival { alive, .. } = task.outcome().constant(1) else { panic!() };
    for (got, wanted) in alive.iter().zip([0.75, 0.5, 0.25]) {
        assert!((got - wanted).abs() < 1e-12, "{alive:?}");
    }
}

#[test]
fn what_is_no_time_is_refused() {
    let refused = |csv: &str, keys: &str, words: &str| {
        let error = fit(csv, keys).unwrap_err();
        assert!(error.contains(words), "{error}");
    };
    refused("t,e\n1,0\n2,0\n", "", "all censored");
    refused("t,e\n1,1\n-2,0\n", "", "the time followed, column `t`, is -2; it must be 0 or above");
    refused("t,e\n1,1\n2,perhaps\n", "", "perhaps");
    refused("t,e\nsoon,1\n2,0\n", "", "soon");
    refused("t,e\n,1\n2,\n", "", "`t`");
    refused("t,f\n1,1\n2,0\n", "", "`e`");
    let wrong = |keys: &str| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("c.toml");
        let data = "[data]\npath = \"t.csv\"\n[inputs]\nx = \"number\"\n[tasks.y]\nkind = \"survival\"\n";
        std::fs::write(&path, format!("{data}{keys}\n")).unwrap();
        polytask::config::Config::load(&path, &[]).unwrap_err().to_string()
    };
    assert!(wrong("").contains("columns = [\"TIME\", \"EVENT\"]"), "{}", wrong(""));
    assert!(wrong("columns = [\"t\"]").contains("the time followed"));
    assert!(wrong("columns = [\"t\", \"e\"]\ntimes = [3, 2]").contains("rise"));
    assert!(wrong("columns = [\"t\", \"e\"]\nthreshold = 0.3").contains("threshold"));
}

#[test]
fn scores_are_those_of_scikit_survival() {
    let f: Value = serde_json::from_str(include_str!("fixtures/survival.json")).unwrap();
    let numbers = |key: &str| f[key].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect::<Vec<f64>>();
    let events = f["event"].as_array().unwrap().iter().map(|v| v.as_bool().unwrap());
    let seen: Vec<Seen> = numbers("time").into_iter().zip(events).map(|(time, event)| Seen { time, event }).collect();
    let near = |got: Option<f64>, key: &str| {
        let wanted = f[key].as_f64().unwrap();
        assert!((got.unwrap() - wanted).abs() < 1e-12, "{key} {got:?} {wanted}");
    };
    near(concordance(&seen, &numbers("expected")), "concordance");
    near(integrated_brier(&seen, &numbers("times"), &numbers("alive")), "integrated_brier");
    assert_eq!(concordance(&seen[..1], &[1.0]), None);
    assert_eq!(integrated_brier(&seen, &[3.0], &vec![0.5; seen.len()]), None);
}

#[test]
fn curves_fall_where_events_are() {
    let row = |time, event| Seen { time, event };
    let curve = Curve::of_events(&[row(1.0, true), row(2.0, false), row(2.0, true), row(3.0, true)]);
    let at = [0.5, 1.0, 2.5, 3.0].map(|time| curve.at(time));
    for (got, wanted) in at.iter().zip([1.0, 0.75, 0.5, 0.0]) {
        assert!((got - wanted).abs() < 1e-12, "{at:?}");
    }
}

#[test]
fn events_may_share_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let task = |name: &str| format!("[tasks.{name}]\nkind = \"survival\"\ncolumns = [\"months\", \"{name}\"]\n");
    let sections = format!("[inputs]\nx = \"number\"\n{}{}[model]\npreset = \"fast\"\n", task("died"), task("left"));
    let row = |i: u32| format!("{},{},{},{}\n", i % 10, 1 + i * 7 % 11 + i % 10, i % 3 % 2, (i + 1) % 4 / 3);
    let csv = format!("x,months,died,left\n{}", (0..120).map(row).collect::<String>());
    let run = Experiment::new(common::config(&folder, &csv, &sections)).fit(&mut ()).unwrap();
    assert_eq!(run.model().tasks.len(), 2);
}
