//! Several ranks, each with a neighbouring block of a batch's lanes, come to the same bits as one.

#![allow(clippy::unwrap_used, reason = "the graphs and locks of a test are right")]

mod common;

use common::differences::Data;
use polytask_cpu::Cpu;
use polytask_exec::*;
use polytask_graph::*;
use std::fmt::Debug;
use std::sync::{Arc, Barrier, Mutex};

/// Where the ranks of a test, one thread each, put down what they have.
#[derive(Debug)]
struct Table {
    barrier: Barrier,
    floats: Mutex<Vec<Vec<f32>>>,
    doubles: Mutex<Vec<Vec<f64>>>,
    lists: Mutex<Vec<Vec<u32>>>,
}

#[derive(Clone, Debug)]
struct Rank {
    number: usize,
    size: usize,
    table: Arc<Table>,
}

impl Rank {
    fn all(size: usize) -> Vec<Rank> {
        let table = Arc::new(Table {
            barrier: Barrier::new(size),
            floats: Mutex::new(vec![Vec::new(); size]),
            doubles: Mutex::new(vec![Vec::new(); size]),
            lists: Mutex::new(vec![Vec::new(); size]),
        });
        (0..size).map(|number| Rank { number, size, table: Arc::clone(&table) }).collect()
    }

    /// What all ranks have put down.
    fn meet<T: Clone>(&self, place: &Mutex<Vec<T>>, own: T) -> Vec<T> {
        place.lock().unwrap()[self.number] = own;
        self.table.barrier.wait();
        let all = place.lock().unwrap().clone();
        self.table.barrier.wait();
        all
    }
}

impl Collective for Rank {
    fn rank(&self) -> usize {
        self.number
    }

    fn size(&self) -> usize {
        self.size
    }

    fn sum(&self, values: &mut [f32], holders: usize) {
        let all = self.meet(&self.table.floats, values.to_vec());
        for (i, into) in values.chunks_mut(tree::PART).enumerate() {
            let at = i * tree::PART..i * tree::PART + into.len();
            tree::sum(0..holders, &|rank| &all[rank][at.clone()], into);
        }
    }

    fn sum_f64(&self, values: &mut [f64], holders: usize) {
        let all = self.meet(&self.table.doubles, values.to_vec());
        values.iter_mut().enumerate().for_each(|(i, v)| *v = tree::total(0..holders, &|rank| all[rank][i]));
    }

    fn union(&self, values: &mut Vec<u32>) {
        *values = self.meet(&self.table.lists, values.clone()).concat();
        values.sort_unstable();
        values.dedup();
    }

    fn agree(&self, value: u64) -> bool {
        let own = vec![value as u32, (value >> 32) as u32];
        self.meet(&self.table.lists, own.clone()).iter().all(|other| *other == own)
    }
}

/// What `work` gives on each of so many ranks.
fn on_ranks<T: Send>(size: usize, work: impl Fn(Arc<dyn Collective>) -> T + Sync) -> Vec<T> {
    std::thread::scope(|scope| {
        let run = |rank: Rank| scope.spawn(|| work(Arc::new(rank)));
        let threads: Vec<_> = Rank::all(size).into_iter().map(run).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    })
}

/// Numbers, a table that is looked up, dropout, three heads of which the first two share more.
fn rows() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.input("numbers", 30);
    let ids = g.index_input("ids", 1);
    let e = g.sparse_embedding(ids, IndexColumn { column: 0, levels: 9 }, 70);
    let joined = g.concat(&[x, e]);
    let h = g.dense(joined, 160, Activation::Relu);
    let h = g.dropout(h, 0.1);
    let own = g.dense(h, 40, Activation::Gelu);
    for (name, from, kind) in [("a", own, LossKind::Mse), ("b", own, LossKind::Mae), ("c", h, LossKind::Mse)] {
        let z = g.dense(from, 2, Activation::Linear);
        g.loss(name, z, kind);
    }
    g.finish().unwrap()
}

/// Batch norm, whose running averages are moved by all lanes.
fn images() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.image_input("image", [12, 12, 3]);
    let h = g.plain_conv2d(x, 16, Window::square(3).same());
    let h = g.batch_norm(h, Activation::Relu);
    let h = g.global_pool(h);
    for name in ["a", "b"] {
        let z = g.dense(h, 3, Activation::Linear);
        g.loss(name, z, LossKind::CrossEntropy);
    }
    g.finish().unwrap()
}

/// Sequences, whose lanes are cut by cost, with a table by token and transitions that a loss reads.
fn tokens() -> Graph {
    let mut g = GraphBuilder::new();
    let tokens = g.ragged("tokens", DomainId::ROWS);
    let words = g.index_on(tokens, "words", 1);
    let x = g.sparse_embedding(words, IndexColumn { column: 0, levels: 50 }, 6);
    let h = g.dense(x, 400, Activation::Tanh);
    let z = g.dense(h, 5, Activation::Linear);
    g.crf_loss("tags", z);
    let row = g.reduce(h, Reduction::Mean);
    let z = g.dense(row, 1, Activation::Linear);
    g.loss("row", z, LossKind::Mse);
    g.finish().unwrap()
}

/// All that a session can be asked for, over a few steps of batches of different lengths.
#[derive(Debug, PartialEq)]
struct Found {
    lanes: usize,
    losses: Vec<StepLosses>,
    numbers: Vec<Vec<f64>>,
    jacobian: Jacobian,
    gradient: Vec<f32>,
    parameters: Parameters,
    optimizer: OptimizerState,
    outputs: Outputs,
}

fn train(graph: &Graph, data: &Data, batch: usize, groups: Groups, collective: Arc<dyn Collective>) -> Found {
    let rule = Rule::Adam { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.01 };
    let (representation, layerwise) = (groups.is_to_representation(), groups.is_layerwise());
    let spec = Spec { lanes: 40, collective, ..Spec::train(batch, groups.clone()).rule(rule) };
    let start = Parameters::init(graph, 1);
    let mut session = Cpu.session(graph, &spec, &start).unwrap();
    let (mut losses, mut numbers, mut jacobian) = (Vec::new(), Vec::new(), Jacobian::default());
    let mut gradient = vec![0.0; start.values().len()];
    let tasks = graph.losses().len();
    let weights = vec![1.0; groups.len()];
    data.with(graph, |feed| {
        for step in 0..3 {
            // The first steps have fewer rows, the first of all too few for all ranks.
            let len = [200, batch / 2 + 7, batch][step];
            let feed = Batch { rows: &feed.rows[..len], ..*feed };
            if layerwise {
                let (loss, gramian) = session.layerwise_gramian(&feed, step as u64);
                losses.push(loss);
                numbers.push(gramian);
                continue;
            }
            losses.push(session.forward(&feed, step as u64));
            session.backward(&feed, &vec![1.0; tasks], step as u64);
            if representation {
                numbers.push(session.representation_gramian());
                session.backward_shared(&weights, step as u64);
            } else {
                numbers.push(session.gramian());
                session.jacobian(&mut jacobian);
            }
            let combine = Combine::Weighted { shared: &weights, heads: &weights };
            session.gradient(combine, &mut gradient);
            let update = Update { rate: 1e-2, clip: Some(0.5), l2: 1e-3, l2_biases: false };
            numbers.push(vec![session.step(update, combine), session.auxiliary_loss(&vec![1.0; tasks])]);
        }
        losses.push(session.evaluate(feed));
        Found {
            lanes: session.lanes(),
            losses,
            numbers,
            jacobian,
            gradient,
            parameters: session.parameters().clone(),
            optimizer: session.optimizer().clone(),
            outputs: session.predict(feed),
        }
    })
}

fn check(graph: &Graph, batch: usize, groups: fn(&Graph) -> Groups, lanes: usize) {
    let data = Data::new(graph, batch, 4);
    let one = train(graph, &data, batch, groups(graph), Arc::new(Local));
    assert!(one.lanes >= lanes, "{} lanes", one.lanes);
    assert!(one.gradient.iter().all(|g| g.is_finite()));
    for size in [1, 2, 4, 8] {
        let ranks = on_ranks(size, |rank| train(graph, &data, batch, groups(graph), rank));
        for (rank, found) in ranks.iter().enumerate() {
            assert!(*found == one, "rank {rank} of {size} has other bits");
        }
    }
}

#[test]
fn tables_and_rows() {
    check(&rows(), 5000, Groups::merged, 20);
    check(&rows(), 5000, Groups::separate, 20);
}

#[test]
fn gradients_of_parts_of_the_model() {
    check(&rows(), 3000, Groups::representation, 17);
    check(&rows(), 3000, Groups::layerwise, 17);
}

#[test]
fn running_averages() {
    check(&images(), 700, Groups::merged, 17);
}

#[test]
fn sequences() {
    check(&tokens(), 700, Groups::separate, 17);
}
