//! Data with a known structure: each architecture learns what it claims that it can. Several seeds each.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "the data of a test is known to be there")]

mod common;

use common::{Learnt, Noise, config, learn};
use polytask::config::Sharing;
use polytask::prepare;
use polytask::search::settle;

const SEEDS: [u64; 3] = [1, 2, 3];
const INPUTS: usize = 8;

/// Labels that depend on the sines of projections of the inputs: which projection and how much noise, by task.
fn table(rows: usize, seed: u64, tasks: &[(&str, [f64; INPUTS], f64)]) -> String {
    let mut noise = Noise(1000 + seed);
    let names = (0..INPUTS).map(|i| format!("x{i}")).chain(tasks.iter().map(|t| t.0.to_owned()));
    let mut text = format!("{},part\n", names.collect::<Vec<_>>().join(","));
    for row in 0..rows + 500 {
        let x: Vec<f64> = (0..INPUTS).map(|_| noise.next() * 2.0 - 1.0).collect();
        let labels = tasks.iter().map(|(_, along, size)| {
            let z: f64 = x.iter().zip(along).map(|(x, a)| x * a).sum();
            let bell: f64 = (0..12).map(|_| noise.next()).sum::<f64>() - 6.0;
            (2.0 * z).sin() + size * bell
        });
        let cells: Vec<String> =
            x.iter().copied().chain(labels.collect::<Vec<_>>()).map(|v| format!("{v:.5}")).collect();
        text.push_str(&format!("{},{}\n", cells.join(","), if row < rows { "train" } else { "test" }));
    }
    text
}

const LEFT: [f64; INPUTS] = [1.0, -0.8, 0.6, 0.9, 0.0, 0.0, 0.0, 0.0];
const RIGHT: [f64; INPUTS] = [0.0, 0.0, 0.0, 0.0, -0.9, 0.7, 1.0, 0.8];

/// `LEFT` turned a little.
fn near(by: f64) -> [f64; INPUTS] {
    std::array::from_fn(|i| LEFT[i] + by * [0.3, 0.5, -0.4, 0.2, 0.3, -0.2, 0.1, 0.2][i])
}

/// `model` is what follows in the `[model]` section.
fn sections(tasks: &[&str], model: &str, train: &str, seed: u64) -> String {
    let tasks: String = tasks.iter().map(|t| format!("[tasks.{t}]\nkind = \"regression\"\n")).collect();
    format!("split = {{ column = \"part\" }}\n{tasks}[model]\n{model}\n[train]\nseed = {seed}\n{train}\n")
}

/// The mean squared error over the test rows, in label deviations, averaged over tasks.
fn error(learnt: &Learnt) -> f64 {
    let labels: Vec<usize> = (0..learnt.prepared.tasks.len()).collect();
    let scores = learnt.model.score(&learnt.prepared.data, &labels, &learnt.prepared.split.test).unwrap();
    let all: Vec<f64> = scores.tasks.values().map(|score| 1.0 - score.metrics.value("r2").unwrap()).collect();
    all.iter().sum::<f64>() / all.len() as f64
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Squared distance between two tasks' copies of the trunk, relative to their size.
fn apart(learnt: &Learnt, a: &str, b: &str) -> f64 {
    let of = |task: &str, i: usize| learnt.after(&format!("tasks.{task}.trunk.{i}.weight")).to_vec();
    let (mut distance, mut size) = (0.0, 0.0);
    for i in 0..2 {
        for (a, b) in of(a, i).iter().zip(of(b, i)) {
            distance += f64::from(a - b).powi(2);
            size += f64::from(a * a + b * b);
        }
    }
    distance / size
}

/// Keeps one task's label in each training row, in turn.
fn own_rows(text: &str, tasks: usize) -> String {
    let line = |(i, line): (usize, &str)| {
        let mut cells: Vec<&str> = line.split(',').collect();
        let first = cells.len() - 1 - tasks;
        if i > 0 && line.ends_with("train") {
            (0..tasks).filter(|t| *t != i % tasks).for_each(|t| cells[first + t] = "");
        }
        format!("{}\n", cells.join(","))
    };
    text.lines().enumerate().map(line).collect()
}

/// A hundred rows for each of four tasks that are alike: copies that are drawn together err less than networks apart.
#[test]
fn soft_sharing_draws_related_tasks_together() {
    let tasks = [("a", LEFT, 0.3), ("b", near(0.25), 0.3), ("c", near(-0.25), 0.3), ("d", near(0.5), 0.3)];
    let names = ["a", "b", "c", "d"];
    let train = "epochs = 100\nbatch = 40\nlearning_rate = 0.005";
    let run = |sharing: &str, seed: u64| {
        let model = format!("trunk = [24, 24]\nactivation = \"tanh\"\nsharing = {sharing}");
        learn(&own_rows(&table(400, seed, &tasks), 4), &sections(&names, &model, train, seed))
    };
    let alone: Vec<f64> = SEEDS.iter().map(|&s| error(&run("\"none\"", s))).collect();
    let free: Vec<Learnt> = SEEDS.iter().map(|&s| run("{ method = \"soft\", strength = 0.0 }", s)).collect();
    println!("apart {alone:.3?}, free copies {:.3?}", free.iter().map(error).collect::<Vec<_>>());
    for form in ["{ method = \"soft\", strength = 1.0 }", "{ method = \"soft\", strength = 0.03, norm = \"trace\" }"] {
        let tied: Vec<Learnt> = SEEDS.iter().map(|&s| run(form, s)).collect();
        let errors: Vec<f64> = tied.iter().map(error).collect();
        println!("{form}: {errors:.3?}");
        for ((tied, free), (own, other)) in tied.iter().zip(&free).zip(errors.iter().zip(&alone)) {
            let (tied, free) = (apart(tied, "a", "b"), apart(free, "a", "b"));
            println!("  distance {tied:.4}, free {free:.4}");
            assert!(tied < 0.7 * free, "{form}: {tied} {free}");
            assert!(own < other, "{form}: {own} {other}");
        }
    }
    // Along a graph only what it names comes together.
    let graph = "{ method = \"soft\", strength = 0.05, distance = { a = { b = 1.0 } } }";
    for seed in SEEDS {
        let learnt = run(graph, seed);
        let (tied, other) = (apart(&learnt, "a", "b"), apart(&learnt, "c", "d"));
        println!("graph: {tied:.4} {other:.4}");
        assert!(tied < 0.3 * other, "{tied} {other}");
    }
}

/// Two groups of tasks that have nothing to do with each other, and a trunk that is too narrow for both.
fn groups(rows: usize, seed: u64) -> (String, [&'static str; 4]) {
    let tasks = [("a", LEFT, 0.2), ("b", near(0.15), 0.2), ("c", RIGHT, 0.2), ("d", RIGHT.map(|v| v * 0.9), 0.2)];
    (table(rows, seed, &tasks), ["a", "b", "c", "d"])
}

/// The search finds a tree with a better test error than a shared trunk of the same width, and one that keeps the groups
/// apart.
#[test]
fn branching_finds_the_two_groups() {
    let train = "epochs = 200\nbatch = 50\nlearning_rate = 0.01";
    let model = |sharing: &str| format!("trunk = [6, 6]\nactivation = \"tanh\"\nsharing = {sharing}");
    let (mut found, mut hard, mut given) = (Vec::new(), Vec::new(), Vec::new());
    for seed in SEEDS {
        let (data, names) = groups(600, seed);
        let of = |sharing: &str| sections(&names, &model(sharing), train, seed);
        let folder = tempfile::tempdir().unwrap();
        let config = config(&folder, &data, &of("{ method = \"branch\", search = 1.0 }"));
        let prepared = prepare(&config).unwrap();
        let settled = settle(&config, &prepared, &[0, 1, 2, 3], &mut ()).unwrap().unwrap();
        let again = settle(&config, &prepared, &[0, 1, 2, 3], &mut ()).unwrap().unwrap();
        assert_eq!(settled, again, "one seed, one tree");
        settled.check().unwrap();
        let Sharing::Tree(tree) = &settled.model.sharing else { unreachable!("a search gives a tree") };
        println!("{}", polytask::search::in_words(tree));
        for group in tree.layers.last().unwrap() {
            let left = group.iter().filter(|t| ["a", "b"].contains(&t.as_str())).count();
            assert!(left == 0 || left == group.len(), "the groups are apart at the top: {group:?}");
        }
        let text = serde_json::to_string(&tree.layers).unwrap();
        found.push(error(&learn(&data, &of(&format!("{{ method = \"tree\", layers = {text} }}")))));
        let two = "[[\"a\", \"b\"], [\"c\", \"d\"]]";
        given.push(error(&learn(&data, &of(&format!("{{ method = \"tree\", layers = [{two}, {two}] }}")))));
        hard.push(error(&learn(&data, &of("\"hard\""))));
    }
    println!("found {found:.3?}, given {given:.3?}, hard {hard:.3?}");
    assert!(mean(&given) < 0.9 * mean(&hard), "{given:?} {hard:?}");
    assert!(mean(&found) < 0.9 * mean(&hard), "{found:?} {hard:?}");
}

/// Columns take from those of related tasks, and hardly from those of others.
#[test]
fn cross_stitches_follow_the_relations() {
    let train = "epochs = 60\nbatch = 50\nlearning_rate = 0.005";
    let (mut within, mut between) = (Vec::new(), Vec::new());
    for seed in SEEDS {
        let (data, names) = groups(300, seed);
        let model = "trunk = [16, 16]\nactivation = \"tanh\"\nsharing = \"cross_stitch\"";
        let learnt = learn(&data, &sections(&names, model, train, seed));
        let weight = |i: usize, to: usize, from: usize| {
            f64::from(learnt.after(&format!("tasks.{}.stitch.{i}.weights", names[to]))[from].abs())
        };
        let pairs = |pairs: &[(usize, usize)]| {
            mean(&pairs.iter().flat_map(|&(a, b)| [weight(1, a, b), weight(1, b, a)]).collect::<Vec<_>>())
        };
        within.push(pairs(&[(0, 1), (2, 3)]));
        between.push(pairs(&[(0, 2), (0, 3), (1, 2), (1, 3)]));
    }
    println!("within {within:.3?}, between {between:.3?}");
    let times: Vec<f64> = within.iter().zip(&between).map(|(within, between)| within / between).collect();
    assert!(times.iter().all(|t| *t > 1.4) && mean(&times) > 2.5, "{times:?}");
}
