//! Ops on images: every gradient against central differences, and many losses in one backward against one backward each.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

mod common;

use common::differences::{Data, check_differences, check_stacked, runner};
use polytask_cpu::*;
use polytask_graph::*;

/// A smooth image layer below, so that the op's input has a gradient, and a squared error above.
fn check(shape: [usize; 3], op: impl Fn(&mut GraphBuilder, NodeId) -> NodeId) {
    let mut g = GraphBuilder::new();
    let x = g.image_input("image", shape);
    let h = g.conv2d(x, shape[2], Window::square(1), Activation::Tanh);
    let z = op(&mut g, h);
    let z = g.dense(z, 2, Activation::Linear);
    g.loss("task", z, LossKind::Mse);
    // More than one block, the last one not full.
    check_differences(&g.finish().unwrap(), 19);
}

#[test]
fn convolutions() {
    let square = Window::square;
    let uneven = Window { size: [2, 3], stride: [2, 1], padding: [1, 0], beyond: [0, 2], dilation: [1, 2] };
    let cases = [
        ([5, 6, 2], 3, square(3), 1),
        ([5, 6, 2], 3, square(3).same(), 1),
        ([6, 5, 3], 7, square(3).stride(2).same(), 1),
        ([6, 7, 1], 13, square(5), 1),
        ([7, 7, 7], 2, square(3).dilation(2), 1),
        ([7, 7, 2], 2, square(3).stride(3).dilation(2).padding(2), 1),
        ([4, 4, 6], 4, square(3).same(), 2),
        ([4, 5, 5], 5, square(3).same(), 5),
        ([4, 5, 3], 6, square(3).stride(2).same(), 3),
        ([5, 4, 8], 11, square(1), 1),
        ([5, 6, 2], 3, square(1).stride(2), 1),
        ([6, 6, 2], 4, uneven, 1),
        ([3, 11, 1], 2, Window { size: [1, 10], ..square(1) }, 1),
    ];
    for (shape, channels, window, groups) in cases {
        println!("{shape:?} -> {channels}, {window:?}, {groups} groups");
        check(shape, |g, x| g.grouped_conv2d(x, channels, window, groups, Some(Activation::Tanh)));
    }
    for activation in [Activation::Relu, Activation::Gelu, Activation::Silu, Activation::Sigmoid, Activation::Linear] {
        check([5, 5, 2], |g, x| g.conv2d(x, 3, square(3), activation));
    }
    check([5, 5, 2], |g, x| g.plain_conv2d(x, 3, square(3)));
}

/// Max pooling rectifies the cotangent for a convolution that nothing else reads; one that something else reads does so itself.
#[test]
fn a_rectified_convolution_and_its_pool() {
    for window in [Window::square(2).stride(2), Window::square(3).stride(2).padding(1)] {
        let conv = |g: &mut GraphBuilder, x| g.conv2d(x, 3, Window::square(3), Activation::Relu);
        check([8, 8, 2], |g, x| {
            let h = conv(g, x);
            g.pool(h, Pooling::Max, window)
        });
        check([8, 8, 2], |g, x| {
            let h = conv(g, x);
            let (most, mean) = (g.pool(h, Pooling::Max, window), g.pool(h, Pooling::Average, window));
            g.add(&[most, mean])
        });
    }
}

#[test]
fn pools_and_upsampling() {
    let square = Window::square;
    for pooling in [Pooling::Max, Pooling::Average] {
        for window in [square(2).stride(2), square(3).stride(2).padding(1), square(2), square(2).dilation(2)] {
            check([6, 5, 3], |g, x| g.pool(x, pooling, window));
        }
    }
    check([4, 3, 5], |g, x| g.global_pool(x));
    for interpolation in [Interpolation::Nearest, Interpolation::Bilinear] {
        for factor in [2, 3] {
            check([3, 2, 2], |g, x| g.upsample(x, factor, interpolation));
        }
    }
}

#[test]
fn norms() {
    // Through the kinks of relu a norm makes every pixel cross at once; PyTorch's numbers test it.
    for activation in [Activation::Linear, Activation::Tanh, Activation::Silu] {
        for channels in [3, 6] {
            check([3, 4, channels], |g, x| {
                let h = g.batch_norm(x, activation);
                g.conv2d(h, 2, Window::square(2), Activation::Tanh)
            });
        }
        check([3, 2, 6], |g, x| g.group_norm(x, 3, activation));
        check([3, 2, 4], |g, x| g.group_norm(x, 1, activation));
    }
    check([3, 3, 4], |g, x| {
        let means = g.global_pool(x);
        g.batch_norm(means, Activation::Tanh)
    });
}

/// Residual sums, channels side by side, shapes, gates on images, dropout: in both layouts.
#[test]
fn plumbing() {
    check([4, 4, 4], |g, x| {
        let h = g.conv2d(x, 4, Window::square(3).same(), Activation::Relu);
        let sum = g.add(&[x, h]);
        let sum = g.activation(sum, Activation::Silu);
        let both = g.concat(&[sum, x, h]);
        let part = g.slice(both, 2, 9);
        let part = g.dropout(part, 0.3);
        g.concat(&[part, h])
    });
    check([4, 4, 4], |g, x| {
        let flat = g.flatten(x);
        let h = g.dense(flat, 18, Activation::Tanh);
        let image = g.reshape(h, &[3, 3, 2]);
        let image = g.conv2d(image, 3, Window::square(2), Activation::Tanh);
        let means = g.global_pool(image);
        let gate = g.softmax(means);
        let experts: Vec<NodeId> = (0..3).map(|_| g.conv2d(x, 2, Window::square(3), Activation::Tanh)).collect();
        let mixed = g.mixture(gate, &experts);
        let mixed = g.conv2d(mixed, 2, Window::square(2), Activation::Tanh);
        let turned = g.reshape(mixed, &[1, 1, 2]);
        let normal = g.layer_norm(image);
        let both = g.mul(normal, image);
        g.concat(&[turned, both])
    });
}

/// A class or a number for every pixel, some of them missing.
#[test]
fn losses_on_images() {
    for (kind, channels) in [(LossKind::CrossEntropy, 3), (LossKind::Mse, 1), (LossKind::BinaryCrossEntropy, 2)] {
        let mut g = GraphBuilder::new();
        let x = g.image_input("image", [4, 5, 2]);
        let h = g.conv2d(x, 4, Window::square(3).same(), Activation::Tanh);
        let z = g.conv2d(h, channels, Window::square(1), Activation::Linear);
        let pixels = g.loss("pixels", z, kind.clone());
        if kind == LossKind::CrossEntropy {
            g.class_weights(pixels, &[0.4, 3.0, 1.0]);
        }
        let other = g.dense(h, 1, Activation::Linear);
        g.loss("image", other, LossKind::Mse);
        check_differences(&g.finish().unwrap(), 21);
    }
}

/// By PyTorch's rule: `sum w_y l / sum w_y` over the labelled pixels.
#[test]
fn classes_of_pixels_weigh() {
    let mut g = GraphBuilder::new();
    let z = g.image_input("z", [1, 3, 2]);
    let loss = g.loss("pixels", z, LossKind::CrossEntropy);
    g.class_weights(loss, &[1.0, 4.0]);
    let graph = g.finish().unwrap();
    let values = [1.0, -1.0, 0.5, 0.25, 3.0, 3.0];
    let classes = [0, 1, u32::MAX];
    let targets = [Target { labels: Labels::Class(&classes), weights: &[1.0] }];
    let feed = Batch { inputs: &[Numbers::Real(&values)], targets: &targets, offsets: &[], rows: &[0] };
    let plan = Plan::new(&graph, 1, Mode::Train, &Groups::merged(&graph));
    let found = Runner::new(plan, Parameters::zeros(&graph)).forward(&feed, 0)[0].unwrap();
    let each = [(-2f64).exp().ln_1p(), 0.25f64.exp().ln_1p()];
    let expected = (each[0] + 4.0 * each[1]) / 5.0;
    assert!((found - expected).abs() < 1e-6, "{found} {expected}");

    let mut g = GraphBuilder::new();
    let z = g.image_input("z", [1, 3, 2]);
    let loss = g.loss("pixels", z, LossKind::CrossEntropy);
    g.class_weights(loss, &[1.0]);
    assert!(g.finish().unwrap_err().to_string().contains("a weight above 0 for each of 2"));
}

/// A trunk of images with several readers at several depths.
fn network() -> Graph {
    let mut g = GraphBuilder::new();
    let x = g.image_input("image", [8, 8, 2]);
    let first = g.conv2d(x, 6, Window::square(3).same(), Activation::Relu);
    let h = g.plain_conv2d(first, 6, Window::square(3).same());
    let h = g.group_norm(h, 2, Activation::Relu);
    let h = g.add(&[first, h]);
    let low = g.pool(h, Pooling::Max, Window::square(2).stride(2));
    let normal = g.batch_norm(low, Activation::Relu);
    let large = g.upsample(normal, 2, Interpolation::Bilinear);
    let dense = g.concat(&[large, first]);
    let pixels = g.conv2d(dense, 3, Window::square(1), Activation::Linear);
    g.loss("pixels", pixels, LossKind::CrossEntropy);
    let means = g.global_pool(normal);
    let whole = g.dense(means, 2, Activation::Linear);
    g.loss("whole", whole, LossKind::Mse);
    let flat = g.dense(low, 2, Activation::Linear);
    g.loss("flat", flat, LossKind::BinaryCrossEntropy);
    g.finish().unwrap()
}

#[test]
fn many_losses_in_one_backward() {
    check_stacked(&network(), 21, 4);
}

/// What rows that fill up a block hold changes nothing: a batch alone gives what it gives inside a larger plan, and rows
/// of another number give the same for each.
#[test]
fn rows_that_are_not_there() {
    let graph = network();
    let data = Data::new(&graph, 37, 4);
    data.with(&graph, |feed| {
        let predict = |rows: &[u32], planned: usize| {
            let plan = Plan::new(&graph, planned, Mode::Predict, &Groups::merged(&graph));
            let parameters = runner(&graph, planned, &Groups::merged(&graph)).parameters().clone();
            Runner::new(plan, parameters).predict(&Batch { rows, ..*feed })
        };
        let all = predict(feed.rows, 37);
        let width = all[0].len() / 37;
        for (first, count) in [(0, 1), (3, 16), (17, 20)] {
            let part = predict(&feed.rows[first..first + count], 24);
            assert_eq!(part[0], all[0][first * width..(first + count) * width]);
        }
    });
}
