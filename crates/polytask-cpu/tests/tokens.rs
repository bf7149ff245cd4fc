//! Ops on ragged sequences: gradients against central differences, many losses in one backward.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::differences::*;
use polytask_cpu::*;
use polytask_graph::*;

const WORD: IndexColumn = IndexColumn { column: 0, levels: 5 };

fn check(graph: &Graph) {
    check_differences(graph, 23);
    check_stacked(graph, 23, 8);
}

/// A graph of tokens with features `[6]`, and what is built on them.
fn on_tokens(build: impl FnOnce(&mut GraphBuilder, DomainId, NodeId)) -> Graph {
    let mut g = GraphBuilder::new();
    let tokens = g.ragged("tokens", DomainId::ROWS);
    let words = g.index_on(tokens, "words", 1);
    let x = g.embedding(words, WORD, 6);
    build(&mut g, tokens, x);
    g.finish().unwrap()
}

#[test]
fn plain_ops_and_losses() {
    check(&on_tokens(|g, tokens, x| {
        let numbers = g.input_on(tokens, "numbers", 2);
        let joined = g.concat(&[x, numbers]);
        let h = g.dense(joined, 12, Activation::Gelu);
        let h = g.layer_norm(h);
        let h = g.dropout(h, 0.3);
        let (a, b) = (g.slice(h, 0, 6), g.slice(h, 6, 12));
        let (product, gate) = (g.mul(a, b), g.softmax(a));
        let sum = g.add(&[product, gate, b]);
        head(g, sum, LossKind::Mse);
        head(g, h, LossKind::CrossEntropy);
    }));
}

#[test]
fn reductions() {
    for reduction in [Reduction::Sum, Reduction::Mean, Reduction::Max] {
        check(&on_tokens(|g, _, x| {
            let h = g.dense(x, 6, Activation::Tanh);
            let row = g.reduce(h, reduction);
            head(g, row, LossKind::Mse);
            head(g, h, LossKind::CrossEntropy);
            let both = g.reduce(x, reduction);
            head(g, both, LossKind::Mae);
        }));
    }
}

#[test]
fn attention() {
    for heads in [1, 3] {
        check(&on_tokens(|g, _, x| {
            let scores = g.dense(x, heads, Activation::Linear);
            let row = g.attention_reduce(x, scores);
            head(g, row, LossKind::Mse);
            head(g, scores, LossKind::Mae);
        }));
    }
}

/// Characters of tokens, predicates of rows, and what a token is to a predicate.
#[test]
fn from_domain_to_domain() {
    check(&on_tokens(|g, tokens, x| {
        let characters = g.ragged("characters", tokens);
        let letters = g.index_on(characters, "letters", 1);
        let letters = g.embedding(letters, WORD, 6);
        let sentence = g.reduce(x, Reduction::Mean);
        let back = g.spread(sentence, characters);
        let spelt = g.add(&[letters, back]);
        let spelt = g.reduce(spelt, Reduction::Max);
        let words = g.add(&[x, spelt]);

        let predicates = g.ragged("predicates", DomainId::ROWS);
        let at = g.index_on(predicates, "at", 2);
        let predicate = g.gather(words, at, 1);
        let pairs = g.product("pairs", predicates, tokens);
        let (of_predicate, of_token) = (g.spread(predicate, pairs), g.spread_over(words, pairs));
        let joined = g.concat(&[of_predicate, of_token]);
        let joined = g.dense(joined, 5, Activation::Tanh);
        head(g, joined, LossKind::CrossEntropy);
        head(g, predicate, LossKind::Mse);
        head(g, spelt, LossKind::Mae);
    }));
}

/// Three rows with the tokens 0 1 2, none and 3 4; two predicates in the first row, one in the last.
#[test]
fn values_by_hand() {
    let mut g = GraphBuilder::new();
    let tokens = g.ragged("tokens", DomainId::ROWS);
    let predicates = g.ragged("predicates", DomainId::ROWS);
    let pairs = g.product("pairs", predicates, tokens);
    let x = g.input_on(tokens, "x", 1);
    let at = g.index_on(predicates, "at", 1);
    let predicate = g.gather(x, at, 0);
    let (left, right) = (g.spread(predicate, pairs), g.spread_over(x, pairs));
    let parts = [
        g.reduce(x, Reduction::Sum),
        g.reduce(x, Reduction::Mean),
        g.reduce(x, Reduction::Max),
        predicate,
        g.concat(&[left, right]),
    ];
    for (i, part) in parts.into_iter().enumerate() {
        g.loss(&i.to_string(), part, LossKind::Mse);
    }
    let graph = g.finish().unwrap();
    let plan = Plan::new(&graph, 3, Mode::Predict, &Groups::merged(&graph));
    let mut runner = Runner::new(plan, Parameters::zeros(&graph));
    let feed = Batch {
        inputs: &[Numbers::Real(&[1.0, 5.0, 3.0, -2.0, -1.0]), Numbers::Index(&[1, u32::MAX, 0])],
        targets: &[],
        offsets: &[&[0, 3, 3, 5], &[0, 2, 2, 3], &[0, 3, 6, 8]],
        rows: &[2, 1, 0],
    };
    let expected: [&[f32]; 5] = [
        &[-3.0, 0.0, 9.0],
        &[-1.5, 0.0, 3.0],
        &[-1.0, 0.0, 5.0],
        &[-2.0, 5.0, 0.0],
        &[-2.0, -2.0, -2.0, -1.0, 5.0, 1.0, 5.0, 5.0, 5.0, 3.0, 0.0, 1.0, 0.0, 5.0, 0.0, 3.0],
    ];
    assert_eq!(runner.predict(&feed), expected);
}

/// Work for many lanes gives what one lane gives, and the same bits on any number of threads.
#[test]
fn lanes() {
    let graph = on_tokens(|g, _, x| {
        let h = g.dense(x, 400, Activation::Tanh);
        let row = g.reduce(h, Reduction::Mean);
        head(g, row, LossKind::Mse);
        head(g, h, LossKind::CrossEntropy);
    });
    let rows = 700;
    Data::new(&graph, rows, 3).with(&graph, |feed| {
        let run = |threads: usize, planned: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let mut r = runner(&graph, planned, &Groups::separate(&graph));
                let losses = r.forward_backward(feed, &[1.0; 2], NOISE);
                (losses, r.gradients(ParameterId(0), rows), r.predict(&Batch { targets: &[], ..*feed }))
            })
        };
        let once = run(1, rows);
        assert_eq!(once, run(3, rows), "threads change nothing");
        let batches = (1..=4).map(|parts| feed.rows.len().div_ceil(parts));
        for batch in batches {
            let plan = Plan::new(&graph, batch, Mode::Predict, &Groups::merged(&graph));
            let mut alone = Runner::new(plan, runner(&graph, 1, &Groups::merged(&graph)).parameters().clone());
            assert_eq!(alone.predict(&Batch { targets: &[], ..*feed }), once.2, "batches change nothing");
        }
    });
}

#[test]
fn domains_are_checked() {
    let error = |build: &dyn Fn(&mut GraphBuilder, DomainId, NodeId) -> NodeId| {
        let mut g = GraphBuilder::new();
        let tokens = g.ragged("tokens", DomainId::ROWS);
        let x = g.named("x").input_on(tokens, "x", 2);
        let z = build(&mut g, tokens, x);
        g.loss("task", z, LossKind::Mse);
        g.finish().unwrap_err().to_string()
    };
    let rows = |g: &mut GraphBuilder| g.named("numbers").input("numbers", 2);
    assert_eq!(
        error(&|g, _, x| {
            let r = rows(g);
            g.named("sum").add(&[x, r])
        }),
        "layer \"sum\": it reads \"numbers\", which has one element for each of \"rows\", expected \"tokens\""
    );
    assert_eq!(
        error(&|g, _, _| {
            let r = rows(g);
            g.named("mean").reduce(r, Reduction::Mean)
        }),
        "layer \"mean\": it reduces \"rows\" to \"rows\", which is not its parent"
    );
    assert_eq!(
        error(&|g, _, x| {
            let other = g.ragged("others", DomainId::ROWS);
            g.named("spread").spread(x, other)
        }),
        "layer \"spread\": it spreads \"tokens\" to \"others\", which does not lie in it"
    );
    assert_eq!(
        error(&|g, _, x| {
            g.ragged("tokens", DomainId::ROWS);
            x
        }),
        "the name \"tokens\" is used twice; names of layers and tasks are unique"
    );
    assert_eq!(
        error(&|g, _, x| {
            let scores = g.input_on(DomainId(1), "scores", 3);
            g.named("attend").attention_reduce(x, scores)
        }),
        "layer \"attend\": it has 3 scores for 2 features; they must divide them"
    );
}

#[test]
fn recurrent_layers() {
    for reverse in [false, true] {
        check(&on_tokens(|g, _, x| {
            let h = g.lstm(x, 5, reverse);
            let deep = g.lstm(h, 1, !reverse);
            head(g, h, LossKind::Mse);
            head(g, deep, LossKind::CrossEntropy);
        }));
        check(&on_tokens(|g, _, x| {
            let h = g.gru(x, 5, reverse);
            let deep = g.gru(h, 1, !reverse);
            head(g, h, LossKind::Mse);
            head(g, deep, LossKind::CrossEntropy);
        }));
    }
    check(&on_tokens(|g, _, x| {
        let h = g.bilstm(x, 3);
        let h = g.bigru(h, 3);
        head(g, h, LossKind::Mse);
    }));
}

#[test]
fn attention_within_sequences() {
    for rotary in [false, true] {
        check(&on_tokens(|g, tokens, x| {
            let positions = g.positions(tokens, 3, 6);
            let x = g.add(&[x, positions]);
            let h = g.attention(x, if rotary { 3 } else { 2 }, rotary);
            head(g, h, LossKind::Mse);
            let deep = g.transformer(h, 1, 10, rotary, 0.2);
            head(g, deep, LossKind::CrossEntropy);
            head(g, deep, LossKind::Mae);
        }));
    }
}

#[test]
fn attention_within_a_window() {
    for window in 0..=3 {
        check(&on_tokens(|g, tokens, x| {
            let positions = g.positions(tokens, 3, 6);
            let x = g.add(&[x, positions]);
            let inputs = g.dense(x, 18, Activation::Linear);
            let turned = g.rotary(inputs, 2, 12, 20.0);
            let h = g.attend(turned, 3, Some(window));
            head(g, h, LossKind::Mse);
            head(g, h, LossKind::CrossEntropy);
        }));
    }
}

#[test]
fn convolutions() {
    for window in 1..=4 {
        check(&on_tokens(|g, _, x| {
            let h = g.conv1d(x, 4, window, Activation::Tanh);
            let deep = g.conv1d(h, 4, 3, Activation::Linear);
            head(g, h, LossKind::Mse);
            head(g, deep, LossKind::CrossEntropy);
        }));
    }
}

#[test]
fn pairs() {
    check(&on_tokens(|g, tokens, x| {
        let arcs = g.product("arcs", tokens, tokens);
        let predicates = g.ragged("predicates", DomainId::ROWS);
        let at = g.index_on(predicates, "at", 1);
        let predicate = g.gather(x, at, 0);
        let arguments = g.product("arguments", predicates, tokens);
        let h = g.dense(x, 5, Activation::Tanh);
        for (name, scores) in [
            ("heads", g.biaffine(arcs, h, x, true)),
            ("same", g.biaffine(arcs, h, h, true)),
            ("free", g.biaffine(arcs, x, h, false)),
            ("roles", g.biaffine(arguments, predicate, h, false)),
        ] {
            let scores = g.activation(scores, Activation::Tanh);
            g.loss(name, scores, LossKind::Mse);
        }
    }));
}

#[test]
fn arcs() {
    check(&on_tokens(|g, tokens, x| {
        let arcs = g.product("arcs", tokens, tokens);
        let h = g.dense(x, 5, Activation::Tanh);
        let scores = g.biaffine(arcs, h, x, true);
        let labels = g.dense(h, 4, Activation::Linear);
        g.loss("arcs", scores, LossKind::Arcs { labels });
        head(g, h, LossKind::Mse);
        let relation = g.dense(x, 2, Activation::Linear);
        // Two tasks may read one node.
        g.loss("others", scores, LossKind::Arcs { labels: relation });
    }));
}

#[test]
fn conditional_random_fields() {
    check(&on_tokens(|g, tokens, x| {
        let h = g.dense(x, 5, Activation::Tanh);
        let z = g.dense(h, 5, Activation::Linear);
        g.crf_loss("tags", z);
        head(g, z, LossKind::Mse);
        // A sequence for every predicate.
        let predicates = g.ragged("predicates", DomainId::ROWS);
        let pairs = g.product("pairs", predicates, tokens);
        let z = g.spread_over(h, pairs);
        g.crf_loss("roles", z);
    }));
}

/// The loss against the sum over all sequences of tags, one by one.
#[test]
fn the_partition_is_a_sum_over_sequences() {
    let (tags, tokens) = (5usize, 4usize);
    let mut g = GraphBuilder::new();
    let domain = g.ragged("tokens", DomainId::ROWS);
    let z = g.input_on(domain, "z", tags);
    g.crf_loss("tags", z);
    let graph = g.finish().unwrap();
    let plan = Plan::new(&graph, 1, Mode::Train, &Groups::merged(&graph));
    let mut parameters = Parameters::zeros(&graph);
    let wave = |n: usize, by: f32| -> Vec<f32> { (0..n).map(|i| (i as f32 * by).sin() * 3.0).collect() };
    let (scores, steps) = (wave(tags * tokens, 1.7), wave(tags * (tags + 1), 0.9));
    parameters.values_mut().copy_from_slice(&steps);
    // O, B-b, I-b, B-a
    let (labels, weights) = ([0, 3, 4, 1], [1.0; 4]);
    let feed = Batch {
        inputs: &[Numbers::Real(&scores)],
        targets: &[Target { labels: Labels::Class(&labels), weights: &weights }],
        offsets: &[&[0, 4]],
        rows: &[0],
    };
    let loss = Runner::new(plan, parameters).forward(&feed, 0)[0].unwrap();
    let score = |path: &[usize]| {
        let mut row = 0;
        path.iter().enumerate().fold(0.0, |sum, (token, &tag)| {
            let step = f64::from(steps[row * tags + tag]);
            row = 1 + tag;
            sum + step + f64::from(scores[token * tags + tag])
        })
    };
    let fits = |path: &[usize]| {
        let before = std::iter::once(0).chain(path.iter().copied());
        before.zip(path).all(|(before, &tag)| tag == 0 || tag % 2 == 1 || before == tag || before + 1 == tag)
    };
    let all = (0..tags.pow(4)).map(|n| (0..4).map(|t| n / tags.pow(t) % tags).collect::<Vec<_>>());
    let sum: f64 = all.filter(|path| fits(path)).map(|path| score(&path).exp()).sum();
    let expected = (sum.ln() - score(&[0, 3, 4, 1])) / tokens as f64;
    assert!((loss - expected).abs() < 1e-5, "{loss} {expected}");
}

#[test]
fn losses_of_sequences_are_checked() {
    let error = |build: &dyn Fn(&mut GraphBuilder, DomainId, NodeId)| {
        let mut g = GraphBuilder::new();
        let tokens = g.ragged("tokens", DomainId::ROWS);
        let x = g.input_on(tokens, "x", 2);
        build(&mut g, tokens, x);
        g.finish().unwrap_err().to_string()
    };
    let even = error(&|g, _, x| {
        g.crf_loss("tags", x);
    });
    assert!(even.contains("an odd number of tags"), "{even}");
    let apart = error(&|g, tokens, x| {
        let arcs = g.product("arcs", tokens, tokens);
        let scores = g.biaffine(arcs, x, x, true);
        let labels = g.reduce(x, Reduction::Sum);
        g.loss("arcs", scores, LossKind::Arcs { labels });
    });
    assert!(apart.contains("labels on the first of the two"), "{apart}");
}
