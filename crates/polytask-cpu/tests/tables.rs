//! Tables that are looked up: a step moves the rows that its batch has looked up, as a dense step of these rows alone
//! would, and no others.

#![allow(clippy::unwrap_used, reason = "the graphs and pools of a test are right")]

mod common;

use common::gradients;
use polytask_cpu::*;
use polytask_graph::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const LEVELS: usize = 5000;
const WIDTH: usize = 6;
const SEQUENCES: usize = 96;

/// Tokens of ragged sequences in a table that two layers read, one of them in another column, and two tasks.
fn graph() -> Graph {
    let mut g = GraphBuilder::new();
    let domain = g.ragged("tokens", DomainId::ROWS);
    let ids = g.index_on(domain, "ids", 2);
    let column = |column| IndexColumn { column, levels: LEVELS };
    let a = g.tied("a.", "", |g| g.named("a.words").sparse_embedding(ids, column(0), WIDTH));
    let b = g.tied("b.", "", |g| g.named("b.words").sparse_embedding(ids, column(1), WIDTH));
    let own = g.named("own").sparse_embedding(ids, column(0), 3);
    let x = g.concat(&[a, b]);
    let h = g.dense(x, 8, Activation::Tanh);
    let z = g.dense(h, 3, Activation::Linear);
    g.loss("shared", z, LossKind::CrossEntropy);
    let both = g.concat(&[h, own]);
    let z = g.dense(both, 1, Activation::Linear);
    g.loss("numbers", z, LossKind::Mse);
    g.finish().unwrap()
}

struct Data {
    offsets: Vec<u32>,
    ids: Vec<u32>,
    classes: Vec<u32>,
    numbers: Vec<f32>,
    weights: Vec<f32>,
}

impl Data {
    fn new() -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut offsets = vec![0];
        for _ in 0..SEQUENCES {
            offsets.push(offsets[offsets.len() - 1] + rng.random_range(0..12u32));
        }
        let tokens = offsets[SEQUENCES] as usize;
        // Some words are frequent, so that lanes share rows; some indices are missing.
        let id = |rng: &mut ChaCha8Rng| match rng.random_range(0..10) {
            0..=3 => rng.random_range(0..20),
            4 => u32::MAX,
            _ => rng.random_range(0..LEVELS as u32),
        };
        let ids = (0..2 * tokens).map(|_| id(&mut rng)).collect();
        let classes = (0..tokens).map(|_| rng.random_range(0..3)).collect();
        let numbers = (0..tokens).map(|_| rng.random::<f32>()).collect();
        Data { offsets, ids, classes, numbers, weights: vec![1.0; tokens] }
    }

    fn with<R>(&self, rows: &[u32], run: impl FnOnce(&Batch<'_>) -> R) -> R {
        let targets = [
            Target { labels: Labels::Class(&self.classes), weights: &self.weights },
            Target { labels: Labels::Real(&self.numbers), weights: &self.weights },
        ];
        run(&Batch { inputs: &[Numbers::Index(&self.ids)], targets: &targets, offsets: &[&self.offsets], rows })
    }

    /// The rows of the tied table that some sequences look up, and of the other.
    fn looked_up(&self, rows: &[u32]) -> [Vec<bool>; 2] {
        let mut found = [vec![false; LEVELS], vec![false; LEVELS]];
        for &row in rows {
            for token in self.offsets[row as usize]..self.offsets[row as usize + 1] {
                for column in 0..2 {
                    let id = self.ids[2 * token as usize + column] as usize;
                    if id < LEVELS {
                        found[0][id] = true;
                        found[1][id] |= column == 0;
                    }
                }
            }
        }
        found
    }
}

fn batches() -> Vec<Vec<u32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    (0..6).map(|_| (0..40).map(|_| rng.random_range(0..SEQUENCES as u32)).collect()).collect()
}

const RULE: Rule = Rule::Adam { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, decay: 0.1 };
const UPDATE: Update = Update { rate: 0.01, clip: None, l2: 0.05, l2_biases: false };

fn table(graph: &Graph, name: &str) -> ParameterId {
    ParameterId(graph.parameters().iter().position(|p| p.name == name).unwrap())
}

#[test]
fn rows_move_as_dense_steps_of_them_alone_would() {
    let (graph, data) = (graph(), Data::new());
    assert_eq!(graph.tables().count(), 2);
    let plan = Plan::new(&graph, 40, Mode::Train, &Groups::merged(&graph));
    assert!(plan.lanes() > 1);
    let start = Parameters::init(&graph, 1);
    let mut runner = Runner::new(plan, start.clone());
    let mut optimizer = Optimizer::new(RULE, graph.scalar_count());
    let ids = ["words.table", "own.table"].map(|name| table(&graph, name));
    // The rule by hand, in f64: value and two moments of every scalar.
    let mut expected: [Vec<[f64; 3]>; 2] =
        ids.map(|id| start.of(id).iter().map(|v| [f64::from(*v), 0.0, 0.0]).collect());
    let mut moved = 0;
    for (step, rows) in batches().iter().enumerate() {
        let losses = data.with(rows, |feed| runner.forward_backward(feed, &[1.0, 2.0], step as u64));
        assert!(losses.iter().all(Option::is_some));
        let found = gradients(&runner, rows.len());
        let looked_up = data.looked_up(rows);
        let weights = graph.parameters().iter().enumerate().filter(|(_, p)| p.role == Role::Weight);
        let weights = weights.flat_map(|(i, _)| runner.parameters().of(ParameterId(i)).to_vec());
        let mut squares: f64 = weights.map(|w| 0.5 * f64::from(w) * f64::from(w)).sum();
        let norm = runner.update(&mut optimizer, UPDATE, rows.len(), Combine::Sum);
        for (t, name) in ["words.table", "own.table"].iter().enumerate() {
            let (gradient, width) = (&found[*name], found[*name].len() / LEVELS);
            for (i, of) in expected[t].iter_mut().enumerate() {
                if !looked_up[t][i / width] {
                    assert_eq!(gradient[i], 0.0);
                    continue;
                }
                moved += 1;
                let [value, m, v] = of;
                squares += 0.5 * *value * *value;
                let g = f64::from(gradient[i]) + 0.05 * *value;
                *m = 0.9 * *m + 0.1 * g;
                *v = 0.99 * *v + 0.01 * g * g;
                let t = (step + 1) as i32;
                let (first, second) = (*m / (1.0 - 0.9f64.powi(t)), *v / (1.0 - 0.99f64.powi(t)));
                *value = *value * (1.0 - 0.01 * 0.1) - 0.01 * first / (second.sqrt() + 1e-8);
            }
        }
        assert!((norm - squares).abs() < 1e-4 * squares, "rows that rest count to the L2 term: {norm} and {squares}");
        for (t, &id) in ids.iter().enumerate() {
            let range = runner.parameters().range(id);
            for (i, (got, [value, m, v])) in runner.parameters().of(id).iter().zip(&expected[t]).enumerate() {
                assert!(
                    (f64::from(*got) - value).abs() < 2e-5,
                    "step {step}, table {t}, scalar {i}: {got} and {value}"
                );
                let moments = &optimizer.state().moments;
                let (first, second) = (moments[0][range.start + i], moments[1][range.start + i]);
                assert!((f64::from(first) - m).abs() < 1e-5 && (f64::from(second) - v).abs() < 1e-5);
            }
        }
    }
    assert!(moved > 2000, "{moved}");
    // Rows that no batch has looked up are where they were, to the bit.
    let ever = data.looked_up(&batches().concat());
    for (t, &id) in ids.iter().enumerate() {
        let width = start.of(id).len() / LEVELS;
        let pairs = runner.parameters().of(id).chunks(width).zip(start.of(id).chunks(width)).enumerate();
        let rest = pairs.filter(|(row, _)| !ever[t][*row]);
        assert!(rest.clone().count() > 1000 && rest.clone().all(|(_, (now, then))| now == then));
    }
}

fn in_pool<R: Send>(threads: usize, work: impl FnOnce() -> R + Send) -> R {
    rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(work)
}

#[test]
fn the_same_bits_on_any_number_of_threads_and_after_a_pause() {
    let (graph, data) = (graph(), Data::new());
    let train = |pause: bool| {
        let new = || Plan::new(&graph, 40, Mode::Train, &Groups::merged(&graph));
        let mut runner = Runner::new(new(), Parameters::init(&graph, 1));
        let mut optimizer = Optimizer::new(RULE, graph.scalar_count());
        let update = Update { clip: Some(0.5), ..UPDATE };
        for (step, rows) in batches().iter().enumerate() {
            if pause && step == 3 {
                // What a checkpoint holds.
                let (parameters, state) = (runner.parameters().clone(), optimizer.state().clone());
                runner = Runner::new(new(), parameters);
                optimizer = Optimizer::new(RULE, graph.scalar_count());
                assert!(optimizer.restore(state));
            }
            data.with(rows, |feed| runner.forward_backward(feed, &[1.0, 1.0], step as u64));
            runner.update(&mut optimizer, update, rows.len(), Combine::Sum);
        }
        (runner.parameters().clone(), optimizer.state().clone())
    };
    let one = in_pool(1, || train(false));
    for threads in [2, 3] {
        assert!(in_pool(threads, || train(false)) == one, "{threads} threads give other bits");
    }
    assert!(in_pool(2, || train(true)) == one, "a pause gives other bits");
}

#[test]
fn gradients_of_every_task_add_up_and_agree_with_the_gramian() {
    let (graph, data) = (graph(), Data::new());
    let rows = &batches()[0];
    let runner = |groups: &Groups| {
        let mut runner = Runner::new(Plan::new(&graph, 40, Mode::Train, groups), Parameters::init(&graph, 1));
        data.with(rows, |feed| runner.forward_backward(feed, &[1.0, 1.0], 0));
        runner
    };
    let (merged, separate) = (runner(&Groups::merged(&graph)), runner(&Groups::separate(&graph)));
    let id = table(&graph, "words.table");
    let whole = &merged.gradients(id, rows.len())[0].1;
    let apart = separate.gradients(id, rows.len());
    assert_eq!(apart.len(), 2);
    for (i, sum) in whole.iter().enumerate() {
        assert!((apart[0].1[i] + apart[1].1[i] - sum).abs() < 1e-6);
    }
    let mut jacobian = Jacobian::default();
    separate.jacobian(rows.len(), &mut jacobian);
    let gramian = separate.gramian(rows.len());
    for (i, expected) in gramian.iter().enumerate() {
        let (a, b) = (&jacobian.rows[i / 2], &jacobian.rows[i % 2]);
        let product: f64 = a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum();
        assert!((product - expected).abs() < 1e-5 * gramian[0].max(gramian[3]), "{product} and {expected}");
    }
    let mut layerwise =
        Runner::new(Plan::new(&graph, 40, Mode::Train, &Groups::layerwise(&graph)), Parameters::init(&graph, 1));
    let (_, low) = data.with(rows, |feed| layerwise.layerwise_gramian(feed, 0));
    assert!(
        low.iter().zip(&gramian).all(|(a, b)| (a - b).abs() < 1e-6 * gramian[0].max(gramian[3])),
        "{low:?} {gramian:?}"
    );
}

#[test]
fn given_gradients_move_the_rows_they_have() {
    let (graph, data) = (graph(), Data::new());
    let rows = &batches()[0];
    let start = Parameters::init(&graph, 1);
    let mut runner = Runner::new(Plan::new(&graph, 40, Mode::Train, &Groups::merged(&graph)), start.clone());
    data.with(rows, |feed| runner.forward_backward(feed, &[1.0, 1.0], 0));
    let range = start.range(table(&graph, "words.table"));
    let mut whole = vec![0.0; graph.scalar_count()];
    // A row that the batch may never have seen.
    let row = (0..LEVELS).find(|row| !data.looked_up(rows)[0][*row]).unwrap();
    whole[range.start + row * WIDTH + 1] = 1.0;
    let mut optimizer = Optimizer::new(RULE, graph.scalar_count());
    runner.update(&mut optimizer, UPDATE, rows.len(), Combine::Whole(&whole));
    let moved = runner.parameters().values()[range.clone()].iter().zip(&start.values()[range]).enumerate();
    let moved: Vec<usize> = moved.filter(|(_, (a, b))| a != b).map(|(i, _)| i / WIDTH).collect();
    assert_eq!(moved, [row; WIDTH], "the L2 term moves the rest of the row");
}

/// A table that stays as it is has no gradient, is no shared parameter, and a step leaves it alone, decay and L2 included.
#[test]
fn frozen_tables() {
    let build = |frozen: bool| {
        let mut g = GraphBuilder::new();
        let domain = g.ragged("tokens", DomainId::ROWS);
        let ids = g.index_on(domain, "ids", 2);
        let words = g.named("words").sparse_embedding(ids, IndexColumn { column: 0, levels: LEVELS }, WIDTH);
        if frozen {
            g.learning_rate(words, 0.0);
        }
        for (task, width) in [("shared", 3), ("numbers", 1)] {
            let z = g.dense(words, width, Activation::Linear);
            g.loss(task, z, if width == 1 { LossKind::Mse } else { LossKind::CrossEntropy });
        }
        g.finish().unwrap()
    };
    let (free, graph, data) = (build(false), build(true), Data::new());
    assert_eq!(graph.parameter_count() + LEVELS * WIDTH, free.parameter_count());
    assert_eq!((graph.shared_parameter_count(), free.shared_parameter_count()), (0, LEVELS * WIDTH));
    let rows = &batches()[0];
    let start = Parameters::init(&graph, 1);
    for groups in [Groups::merged, Groups::separate, Groups::representation] {
        let mut runner = Runner::new(Plan::new(&graph, 40, Mode::Train, &groups(&graph)), start.clone());
        data.with(rows, |feed| runner.forward_backward(feed, &[1.0, 1.0], 0));
        assert_eq!(runner.gradients(table(&graph, "words.table"), rows.len()), []);
        let mut optimizer = Optimizer::new(RULE, graph.scalar_count());
        runner.update(&mut optimizer, UPDATE, rows.len(), Combine::Sum);
        let moved: Vec<bool> = runner.parameters().values().iter().zip(start.values()).map(|(a, b)| a != b).collect();
        let table = start.range(table(&graph, "words.table"));
        assert!(!moved[table.clone()].contains(&true) && moved[table.end..].contains(&true));
    }
}

/// A table that is not sparse moves whole: its L2 term and its momentum reach the rows that no one has looked up.
#[test]
fn tables_that_are_not_sparse_move_whole() {
    let build = |sparse: bool| {
        let mut g = GraphBuilder::new();
        let domain = g.ragged("tokens", DomainId::ROWS);
        let (ids, column) = (g.index_on(domain, "ids", 2), IndexColumn { column: 0, levels: LEVELS });
        g.named("words");
        let words = if sparse { g.sparse_embedding(ids, column, WIDTH) } else { g.embedding(ids, column, WIDTH) };
        for (task, width) in [("shared", 3), ("numbers", 1)] {
            let z = g.dense(words, width, Activation::Linear);
            g.loss(task, z, if width == 1 { LossKind::Mse } else { LossKind::CrossEntropy });
        }
        g.finish().unwrap()
    };
    let (data, rows) = (Data::new(), &batches()[0]);
    let looked_up = data.looked_up(rows)[1].iter().filter(|up| **up).count();
    for sparse in [true, false] {
        let graph = build(sparse);
        let start = Parameters::init(&graph, 1);
        let mut runner = Runner::new(Plan::new(&graph, 40, Mode::Train, &Groups::merged(&graph)), start.clone());
        data.with(rows, |feed| runner.forward_backward(feed, &[1.0, 1.0], 0));
        let mut optimizer = Optimizer::new(RULE, graph.scalar_count());
        runner.update(&mut optimizer, UPDATE, rows.len(), Combine::Sum);
        let id = table(&graph, "words.table");
        let rows = start.of(id).chunks(WIDTH).zip(runner.parameters().of(id).chunks(WIDTH));
        let moved = rows.filter(|(before, after)| before != after).count();
        assert_eq!(moved, if sparse { looked_up } else { LEVELS });
    }
}
