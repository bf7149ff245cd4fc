//! Samplers, asked and told without any training.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use polytask::config::Template;
use polytask::tune::sampler::{Ask, Halving, RandomSearch, Sampler, Supply, Told, Tpe};
use polytask::tune::{Coordinate, Point, Space};
use std::path::PathBuf;

const CONFIG: &str = r#"
[data]
path = "data.csv"
[tasks.a]
[tasks.b]
[tune]
"#;

fn space(ranges: &str) -> Space {
    try_space(ranges).unwrap()
}

fn try_space(ranges: &str) -> Result<Space, String> {
    let folder = tempfile::tempdir().unwrap();
    let path: PathBuf = folder.path().join("config.toml");
    std::fs::write(&path, format!("{CONFIG}{ranges}")).unwrap();
    let template = Template::load(&path, &[]).unwrap();
    Space::new(template).map_err(|error| error.to_string())
}

/// Asks until the end; what was told, in order.
fn run(sampler: &mut dyn Sampler, space: &Space, seed: u64, score: impl Fn(&Ask) -> Option<f64>) -> Vec<Told> {
    let mut supply = Supply::new(space, seed);
    let mut told = Vec::new();
    loop {
        let asks = sampler.ask(&mut supply, &told);
        if asks.is_empty() {
            return told;
        }
        told.extend(asks.into_iter().map(|ask| Told { score: score(&ask), ask }));
    }
}

const TWO: &str =
    "train.learning_rate = { low = 1e-4, high = 1e-1, log = true }\nloss.l2 = { low = 0.0, high = 1.0 }\n";
const THREE: &str = "train.learning_rate = { low = 1e-4, high = 1e-1, log = true }\nloss.l2 = { low = 0.0, high = 1.0 }\n\
                     model.sharing = [\"hard\", \"soft\", \"mmoe\", \"ple\"]\n\"train.batch\" = { low = 1, high = 64 }\n";

/// A hill in two numbers whose place depends on a choice: the third of four is best.
fn hill(point: &Point) -> f64 {
    let (mut sum, mut numbers) = (0.0, [0.7, 0.2, 0.4].into_iter());
    for at in point {
        match at {
            Coordinate::Unit(at) => sum -= (at - numbers.next().unwrap()).powi(2),
            Coordinate::Choice(choice) => sum -= [0.4, 0.3, 0.0, 0.5][*choice],
        }
    }
    sum
}

#[test]
fn draws_stay_in_their_ranges_and_reach_the_ends() {
    let space = space(THREE);
    let sampler = &mut RandomSearch { trials: 400, steps: 9 };
    let told = run(sampler, &space, 1, |_| Some(0.0));
    assert_eq!(told.len(), 400);
    let values: Vec<Vec<toml::Value>> = told.iter().map(|told| space.values(&told.ask.point)).collect();
    let rates: Vec<f64> = values.iter().map(|v| v[0].as_float().unwrap()).collect();
    assert!(rates.iter().all(|rate| (1e-4..=1e-1).contains(rate)));
    // In factors, half of them are below the geometric mean.
    let low = rates.iter().filter(|rate| **rate < 10f64.powf(-2.5)).count();
    assert!((160..240).contains(&low), "{low}");
    let mut batches: Vec<i64> = values.iter().map(|v| v[3].as_integer().unwrap()).collect();
    batches.sort_unstable();
    batches.dedup();
    assert_eq!((batches[0], batches[batches.len() - 1]), (1, 64));
    for sharing in ["hard", "soft", "mmoe", "ple"] {
        let share = values.iter().filter(|v| v[2].as_str() == Some(sharing)).count();
        assert!((60..140).contains(&share), "{sharing} {share}");
    }
}

#[test]
fn a_trial_depends_on_the_seed_and_its_number_alone() {
    let space = space(TWO);
    let points = |trials, seed| -> Vec<Point> {
        run(&mut RandomSearch { trials, steps: 1 }, &space, seed, |_| None).into_iter().map(|t| t.ask.point).collect()
    };
    assert_eq!(points(5, 3), points(9, 3)[..5]);
    assert_ne!(points(5, 3), points(5, 4));
    let halving = run(&mut Halving::new(9, 90, 10), &space, 3, |_| Some(0.0));
    let first: Vec<Point> = halving.into_iter().take(9).map(|told| told.ask.point).collect();
    assert_eq!(first, points(9, 3));
}

#[test]
fn no_point_is_tried_twice() {
    let space = space("model.trunk = [[8], [16]]\nloss.balance = [\"equal\", \"pcgrad\", \"mgda\"]\n");
    for sampler in [
        &mut RandomSearch { trials: 50, steps: 1 } as &mut dyn Sampler,
        &mut Tpe { trials: 50, steps: 1, round: 4 },
        &mut Halving::new(50, 1, 1),
    ] {
        let told = run(sampler, &space, 0, |_| Some(1.0));
        let mut values: Vec<String> = told.iter().map(|t| format!("{:?}", space.values(&t.ask.point))).collect();
        values.sort();
        values.dedup();
        assert_eq!((values.len(), told.len()), (6, 6));
    }
}

/// The best score, over seeds.
fn best(make: impl Fn() -> Box<dyn Sampler>, space: &Space) -> f64 {
    let of = |seed| {
        let told = run(&mut *make(), space, seed, |ask| Some(hill(&ask.point)));
        told.iter().filter_map(|told| told.score).fold(f64::NEG_INFINITY, f64::max)
    };
    (0..20).map(of).sum::<f64>() / 20.0
}

#[test]
fn tpe_gets_closer_to_the_top_than_chance() {
    for (ranges, factor) in [(TWO, 3.0), (THREE, 2.0)] {
        let space = space(ranges);
        let random = best(|| Box::new(RandomSearch { trials: 60, steps: 1 }), &space);
        let tpe = best(|| Box::new(Tpe { trials: 60, steps: 1, round: 4 }), &space);
        assert!(tpe * factor > random, "{tpe} against {random}");
    }
}

#[test]
fn tpe_lives_with_trials_that_cannot_be_trained() {
    let space = space(THREE);
    let score = |ask: &Ask| (hill(&ask.point) > -0.5).then(|| hill(&ask.point));
    let told = run(&mut Tpe { trials: 60, steps: 1, round: 4 }, &space, 0, score);
    assert_eq!(told.len(), 60);
    let able = |told: &[Told]| told.iter().filter(|told| told.score.is_some()).count() as f64 / told.len() as f64;
    assert!(able(&told[30..]) > able(&told[..10]), "{} {}", able(&told[30..]), able(&told[..10]));
    let none = run(&mut Tpe { trials: 20, steps: 1, round: 4 }, &space, 0, |_| None);
    assert_eq!(none.len(), 20);
}

#[test]
fn halving_keeps_the_better_third_and_goes_on_with_it() {
    let space = space(TWO);
    let mut sampler = Halving::new(20, 1000, 10);
    assert_eq!(sampler.rungs(), [110, 330, 1000]);
    let told = run(&mut sampler, &space, 0, |ask| Some(hill(&ask.point)));
    let at = |steps: u64| told.iter().filter(|told| told.ask.steps == steps).collect::<Vec<_>>();
    assert_eq!([110, 330, 1000].map(|steps| at(steps).len()), [20, 7, 3]);
    let best = |all: &[&Told]| all.iter().filter_map(|t| t.score).fold(f64::NEG_INFINITY, f64::max);
    assert_eq!(best(&at(1000)), best(&at(110)));
    // A rung has no trial that was worse than one left behind.
    let worst = at(330).iter().filter_map(|t| t.score).fold(f64::INFINITY, f64::min);
    assert_eq!(at(110).iter().filter(|t| t.score.unwrap() > worst).count(), 6);
    // A run of one round has nothing to halve; nor have two trials.
    assert_eq!(Halving::new(20, 10, 10).rungs(), [10]);
    assert_eq!(Halving::new(2, 1000, 10).rungs(), [1000]);
    // Those that cannot be trained do not go on.
    assert_eq!(run(&mut Halving::new(9, 90, 10), &space, 0, |_| None).len(), 9);
}

#[test]
fn ranges_that_are_wrong() {
    let caret = |text: &str| text.lines().last().unwrap().find('^').unwrap();
    for (ranges, message) in [
        ("train.learning_rat = [1]", "unknown key `train.learning_rat`"),
        ("train.learning_rate = [\"fast\"]", "`train.learning_rate` is \"fast\"; it must be a number"),
        ("train.batch = [64, \"half\"]", "`train.batch` is \"half\"; it must be a number of rows"),
        ("model.dropout = { low = 0.0, high = 1.5 }", "`model.dropout` is 1.5;"),
        ("data.split.seed = [1, 2]", "`data.split.seed` cannot be tuned: trials are compared on the same rows"),
        ("train.seed = [1, 2]", "`train.seed` cannot be tuned"),
        ("tasks.a.kind = [\"binary\"]", "`tasks.a.kind` cannot be tuned"),
        (
            "train.optimizer = [\"adam\", \"sgd\"]\ntrain.momentum = [0.5, 0.9]",
            "\"adam\" for `train.optimizer` goes with none of the others: `train.momentum` belongs to optimizer \"sgd\"",
        ),
        ("", "the section [tune] is missing or empty"),
    ] {
        let error = try_space(ranges).unwrap_err();
        assert!(error.contains(message), "{error}");
        assert!(ranges.is_empty() || caret(&error) > 0, "{error}");
    }
    // What goes with some of the others will do.
    space("train.optimizer = [\"adamw\", \"adam\"]\nloss.l2 = [0.0, 0.1]");
}
