//! Training: absent tasks, weights of tasks, stopping, rates and clipping.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod common;

use common::{learn, sums};
use polytask::train::{BeforeStep, Callback, StopReason};
use polytask_data::epoch_order;

/// All rows train, two tasks on a small trunk.
const BOTH: &str = "split = { valid = 0, test = 0 }\n[tasks.a]\n[tasks.b]\n[model]\ntrunk = [8]\n";

/// [`sums`] with labels of `b` for some rows only.
fn with_b(rows: usize, labelled: impl Fn(usize) -> bool) -> String {
    let line = |(i, line): (usize, &str)| match i == 0 || labelled(i - 1) {
        true => format!("{line}\n"),
        false => format!("{},\n", line.rsplit_once(',').unwrap().0),
    };
    sums(rows).lines().enumerate().map(line).collect()
}

/// The labels of `b` are in the last batch of the first epoch alone.
fn late() -> String {
    let all: Vec<u32> = (0..96).collect();
    let last = epoch_order(&all, 0, 0)[64..].to_vec();
    with_b(96, |row| last.contains(&(row as u32)))
}

#[test]
fn a_task_absent_from_a_batch_sits_the_step_out() {
    let alone = "split = { valid = 0, test = 0 }\nignore = [\"b\"]\n[tasks.a]\n[model]\ntrunk = [8]\n";
    let train = "[train]\nbatch = 32\nsteps = 2\n";
    for balance in ["equal", "uncertainty", "pcgrad", "mgda", "auto_lambda", "moml", "forum"] {
        let both = learn(&late(), &format!("{BOTH}[loss]\nbalance = \"{balance}\"\n{train}"));
        let single = learn(&late(), &format!("{alone}[loss]\nbalance = \"{balance}\"\n{train}"));
        for name in ["heads.b.0.weight", "heads.b.0.bias"] {
            assert_eq!(both.after(name), both.before(name), "{balance}: nothing moved the absent task");
        }
        for name in ["trunk.0.weight", "trunk.0.bias", "heads.a.0.weight"] {
            assert_eq!(both.after(name), single.after(name), "{balance}: the other learns as if alone");
        }
        let round = &both.fitted.history[0];
        assert_eq!(round.train.keys().collect::<Vec<_>>(), ["a"], "it has no loss to report");
        assert_eq!(round.weights.keys().collect::<Vec<_>>(), ["a"]);
    }
}

#[test]
fn what_a_task_does_once_it_has_been_seen() {
    // The third batch has labels of `b`, the fourth (the first of the next epoch) has none.
    let order: Vec<u32> = epoch_order(&(0..96).collect::<Vec<u32>>(), 0, 1)[..32].to_vec();
    let last = epoch_order(&(0..96).collect::<Vec<u32>>(), 0, 0)[64..].to_vec();
    let data = with_b(96, |row| last.contains(&(row as u32)) && !order.contains(&(row as u32)));
    let after = |optimizer: &str, steps: u32| {
        let learnt = learn(&data, &format!("{BOTH}[train]\nbatch = 32\nsteps = {steps}\n{optimizer}\n"));
        [learnt.before("heads.b.0.weight").to_vec(), learnt.after("heads.b.0.weight").to_vec()]
    };
    let sgd = "optimizer = \"sgd\"\nmomentum = 0.0";
    let [start, two] = after(sgd, 2);
    let [three, four] = [3, 4].map(|steps| after(sgd, steps)[1].clone());
    assert_eq!(start, two);
    assert_ne!(two, three, "its own step moves it");
    assert_eq!(three, four, "and no other");
    // An optimiser with momentum carries its head on a little, as with any gradient of zero.
    let [three, four] = [3, 4].map(|steps| after("optimizer = \"adam\"", steps)[1].clone());
    assert_ne!(three, four);
}

#[test]
fn a_task_that_weighs_nothing_is_not_trained() {
    let train = "[train]\nepochs = 5\n";
    let none = "[loss]\nbalance = { method = \"fixed\", weights = { a = 1.0, b = 0.0 } }\n";
    let learnt = learn(&sums(200), &format!("{BOTH}{none}{train}"));
    assert_eq!(learnt.after("heads.b.0.weight"), learnt.before("heads.b.0.weight"));
    assert_ne!(learnt.after("heads.a.0.weight"), learnt.before("heads.a.0.weight"));
    assert_eq!(learnt.fitted.history[0].weights["b"], 0.0);
    let equal = learn(&sums(200), &format!("{BOTH}{train}"));
    assert_ne!(equal.after("heads.b.0.weight"), equal.before("heads.b.0.weight"));
    assert_ne!(equal.after("trunk.0.weight"), learnt.after("trunk.0.weight"), "b pulls at the trunk");
}

#[test]
fn uncertainty_weighs_by_the_size_of_the_loss() {
    // Labels are noise of deviation 0.1 and 10, in their own units: nothing to learn, and losses of 0.01 and 100.
    let mut noise = common::Noise(5);
    let mut bell = || (0..12).map(|_| noise.next()).sum::<f64>() - 6.0;
    let rows = (0..256).map(|_| format!("{:.4},{:.4},{:.4}\n", bell(), 0.1 * bell(), 10.0 * bell()));
    let data = format!("x,a,b\n{}", rows.collect::<String>());
    let learnt = learn(
        &data,
        "split = { valid = 0, test = 0 }\n[tasks.a]\nstandardize = false\n[tasks.b]\nstandardize = false\n[model]\n\
         trunk = [2]\n[loss]\nbalance = \"uncertainty\"\n[train]\nbatch = \"full\"\nsteps = 6000\nlearning_rate = 0.02\n",
    );
    let last = learnt.fitted.history.last().unwrap();
    for task in ["a", "b"] {
        // Stationary where s = ln(loss), that is where the weight 0.5 exp(-s) times the loss is a half. The loss still
        // falls a little, which s follows.
        let product = last.weights[task] * last.train[task];
        assert!((product - 0.5).abs() < 0.01, "{task}: {} of {}", last.weights[task], last.train[task]);
    }
    assert!(last.weights["a"] > 1000.0 * last.weights["b"]);
    assert_eq!(learnt.fitted.history[0].weights["b"], 0.5, "it begins with s = 0");
}

/// A trunk of one unit, which can carry `a` or `b` but not both. `a` is noisy; `twin` is what is behind it.
#[test]
fn auto_lambda_finds_the_task_that_helps() {
    let mut noise = common::Noise(9);
    let mut draw = || noise.next() * 2.0 - 1.0;
    let rows = (0..400).map(|_| {
        let (x, z) = (draw(), draw());
        format!("{x:.4},{z:.4},{:.4},{x:.4},{z:.4}\n", x + draw())
    });
    let data = format!("x,z,a,twin,b\n{}", rows.collect::<String>());
    for held_out in ["half", "batch"] {
        // Whether a head at first pulls the unit the way that `a` does depends on its draw.
        let (mut twin, mut other) = (0.0, 0.0);
        for seed in 0..8 {
            let learnt = learn(
                &data,
                &format!(
                    "split = {{ valid = 0, test = 0 }}\n[tasks.a]\n[tasks.twin]\n[tasks.b]\n[model]\ntrunk = [1]\n\
                     activation = \"linear\"\n[loss]\nbalance = {{ method = \"auto_lambda\", primary = [\"a\"], \
                     initial = 0.3, rate = 0.005, held_out = \"{held_out}\" }}\n[train]\nbatch = 50\nepochs = 20\n\
                     seed = {seed}\noptimizer = \"sgd\"\nlearning_rate = 0.05\nmomentum = 0.5\n"
                ),
            );
            let weights = &learnt.fitted.history.last().unwrap().weights;
            twin += weights["twin"] / 8.0;
            other += weights["b"] / 8.0;
        }
        assert!(twin > 0.3 && other < 0.2, "{held_out}: {twin} {other}");
    }
}

/// A model that is too large for so few rows, with validation rows that show it.
fn overfitted(train: &str) -> common::Learnt {
    let sections = "split = { valid = 0.4, test = 0, seed = 1 }\n[tasks.a]\n[tasks.b]\n[model]\ntrunk = [64]\n[train]\n\
                    batch = 8\nlearning_rate = 0.01\n";
    learn(&sums(60), &format!("{sections}{train}"))
}

#[test]
fn stops_when_nothing_gets_better_and_gives_the_best_back() {
    let learnt = overfitted("epochs = 500\npatience = 7\n");
    assert_eq!(learnt.fitted.stop_reason, StopReason::EarlyStopping);
    let best = learnt.fitted.best_epoch.unwrap();
    let history = &learnt.fitted.history;
    assert_eq!(history.len() as u64, best + 7);
    assert!(history.len() < 500);
    let criteria: Vec<f64> = history.iter().map(|round| round.criterion.unwrap()).collect();
    let least = criteria.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(criteria[best as usize - 1], least);
    assert!(history.iter().enumerate().all(|(i, r)| r.best == criteria[..i].iter().all(|c| r.criterion.unwrap() < *c)));
    // The model is the one that a run of just so many epochs ends with.
    let short = overfitted(&format!("epochs = {best}\npatience = 0\n"));
    assert_eq!(short.fitted.stop_reason, StopReason::Complete);
    assert_eq!(short.fitted.body, learnt.fitted.body);

    let patient = overfitted("epochs = 100\npatience = 0\n");
    assert_eq!(patient.fitted.history.len(), 100, "no patience to lose");
    assert_eq!(patient.fitted.stop_reason, StopReason::Complete);
}

#[test]
fn the_best_is_by_the_criterion() {
    let epoch = |values: &[f64]| 1 + (0..values.len()).min_by(|&i, &j| values[i].total_cmp(&values[j])).unwrap() as u64;
    let best = |criterion: &str| {
        let learnt = overfitted(&format!("epochs = 60\npatience = 0\n{criterion}\n"));
        (learnt.fitted.best_epoch.unwrap(), learnt.valid("a"), learnt.valid("b"))
    };
    let (mean, a, b) = best("");
    assert_eq!(best("criterion = { task = \"a\" }").0, epoch(&a));
    assert_eq!(best("criterion = { task = \"b\" }").0, epoch(&b));
    assert_eq!(best("criterion = { weights = { b = 2.0 } }").0, epoch(&b), "one task's relative loss is its loss");
    assert_ne!(epoch(&a), epoch(&b), "or the test shows nothing");
    assert!((epoch(&a).min(epoch(&b))..=epoch(&a).max(epoch(&b))).contains(&mean), "{mean}");
}

#[test]
fn without_validation_rows_the_last_model_is_kept() {
    let learnt = learn(&sums(100), &format!("{BOTH}[train]\nepochs = 40\npatience = 1\n"));
    assert_eq!(learnt.fitted.best_epoch, Some(40));
    assert_eq!(learnt.fitted.history.len(), 40);
    assert!(
        learnt.fitted.history.iter().all(|round| round.criterion.is_none() && round.valid.is_empty() && round.best)
    );
}

#[test]
fn schedules_shape_the_steps() {
    let learnt = |train: &str| learn(&sums(64), &format!("{BOTH}[train]\nepochs = 8\nbatch = 16\n{train}\n"));
    let rates = |train: &str| {
        let learnt = learnt(&format!("learning_rate = 0.01\n{train}"));
        (learnt.fitted.history.iter().map(|r| r.learning_rate).collect::<Vec<_>>(), learnt.fitted.body)
    };
    let (constant, plain) = rates("");
    assert_eq!(constant, [0.01; 8]);
    let (step, stepped) = rates("schedule = { kind = \"step\", every = 3, factor = 0.5 }");
    assert_eq!(step, [0.01, 0.01, 0.01, 0.005, 0.005, 0.005, 0.0025, 0.0025]);
    let (cosine, waved) = rates("schedule = \"cosine\"");
    assert!(cosine.windows(2).all(|w| w[1] < w[0]) && cosine[7] < 1e-4, "{cosine:?}");
    // Four steps an epoch: a rise over eight ends with the second.
    let (warm, warmed) = rates("warmup = 8");
    assert_eq!(warm[..3], [0.005, 0.01, 0.01]);
    for other in [stepped, waved, warmed] {
        assert_ne!(other, plain, "the rate that is told is the rate that is used");
    }
}

#[test]
fn clipping_bounds_a_step() {
    let step = |clip: &str| {
        let train = format!(
            "[train]\nsteps = 1\nbatch = \"full\"\noptimizer = \"sgd\"\nmomentum = 0.0\nlearning_rate = 1.0\n{clip}"
        );
        learn(&sums(64), &format!("{BOTH}{train}\n")).distance()
    };
    let free = step("");
    assert!(free > 0.2, "{free}");
    // f32 rounds each of 42 parameters by up to 6e-8 of its size.
    assert!((step("clip = 0.1") - 0.1).abs() < 1e-6, "as long as the limit: {}", step("clip = 0.1"));
    assert_eq!(step("clip = 100.0"), free, "a limit that is not met changes nothing");
}

#[test]
fn decay_and_penalty_hold_the_weights_back() {
    let size = |sections: &str| {
        let learnt = learn(&sums(64), &format!("{BOTH}{sections}"));
        learnt.after("trunk.0.weight").iter().map(|w| w * w).sum::<f32>()
    };
    let train = "[train]\nepochs = 200\nlearning_rate = 0.01\n";
    let free = size(train);
    let decayed = size(&format!("{train}optimizer = \"adamw\"\nweight_decay = 0.3\n"));
    let penalised = size(&format!("[loss]\nl2 = 0.1\n{train}"));
    assert!(decayed < 0.8 * free && penalised < 0.8 * free, "{free}, {decayed}, {penalised}");
}

/// Notes where every step starts from.
struct States(Vec<Vec<f32>>);

impl Callback for States {
    fn before_step(&mut self, at: &BeforeStep<'_>) {
        self.0.push(at.parameters.values().to_vec());
    }
}

#[test]
fn the_kept_model_is_the_mean_of_recent_states() {
    let sections = |steps: u32, average: f32| {
        format!("{BOTH}[train]\nbatch = \"full\"\nlearning_rate = 0.05\nsteps = {steps}\naverage = {average}\n")
    };
    let mut states = States(Vec::new());
    common::learn_watched(&sums(50), &sections(7, 0.0), &mut states);
    // Steps are epochs here. The means of a long past count the states after each of six steps alike; one of two epochs
    // forgets half at every step.
    let mean = learn(&sums(50), &sections(6, 1e6));
    let recent = learn(&sums(50), &sections(6, 2.0));
    for (i, (mean, recent)) in
        mean.network().parameters.values().iter().zip(recent.network().parameters.values()).enumerate()
    {
        let own: Vec<f32> = states.0[1..7].iter().map(|state| state[i]).collect();
        assert!((mean - own.iter().sum::<f32>() / 6.0).abs() < 1e-5);
        let fading = own[1..].iter().fold(own[0], |before, now| (before + now) / 2.0);
        assert!((recent - fading).abs() < 1e-5);
    }
    assert!(mean.fitted.body != recent.fitted.body);
}
