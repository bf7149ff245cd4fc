//! Layers of images: shapes, cost, and what is refused.

#![allow(clippy::unwrap_used, reason = "the graphs of a test are right")]

use polytask_graph::*;

#[test]
fn shapes_and_cost() {
    let mut g = GraphBuilder::new();
    let x = g.image_input("image", [36, 36, 1]);
    let h = g.conv2d(x, 10, Window::square(5), Activation::Relu);
    let h = g.pool(h, Pooling::Max, Window::square(2).stride(2));
    let strided = g.conv2d(h, 20, Window::square(3).stride(2).same(), Activation::Relu);
    let normal = g.batch_norm(strided, Activation::Relu);
    let depthwise = g.grouped_conv2d(normal, 20, Window::square(3).dilation(2).same(), 20, None);
    let sum = g.add(&[normal, depthwise]);
    let both = g.concat(&[sum, normal]);
    let part = g.slice(both, 5, 10);
    let large = g.upsample(part, 4, Interpolation::Bilinear);
    let means = g.global_pool(part);
    let flat = g.flatten(large);
    let joined = g.concat(&[means, flat]);
    let z = g.dense(part, 3, Activation::Linear);
    g.loss("task", z, LossKind::Mse);
    let graph = g.finish().unwrap();
    graph.validate().unwrap();
    let shape = |node: NodeId| graph.node(node).shape.0.clone();
    assert_eq!(shape(h), [16, 16, 10]);
    assert_eq!(shape(strided), [8, 8, 20]);
    assert_eq!(shape(depthwise), [8, 8, 20]);
    assert_eq!(shape(both), [8, 8, 40]);
    assert_eq!(shape(part), [8, 8, 5]);
    assert_eq!(shape(large), [32, 32, 5]);
    assert_eq!(shape(joined), [5 + 32 * 32 * 5]);
    let dense = 8 * 8 * 5 * 3 + 3;
    let trained = (25 * 10 + 10) + (9 * 10 * 20 + 20) + 2 * 20 + 9 * 20 + dense;
    assert_eq!(graph.parameter_count(), trained, "running averages are not trained");
    let convolutions = 32 * 32 * 25 * 10 + 64 * 9 * 10 * 20 + 64 * 9 * 20;
    let pools = 16 * 16 * 10 * 4 + 8 * 8 * 5;
    let elementwise = 2 * 64 * 20 + 32 * 32 * 5;
    assert_eq!(graph.multiply_adds(), convolutions + pools + elementwise + dense - 3);
}

#[test]
fn mistakes_name_the_layer() {
    let error = |build: &dyn Fn(&mut GraphBuilder, NodeId) -> NodeId| {
        let mut g = GraphBuilder::new();
        let x = g.image_input("image", [8, 8, 6]);
        let z = build(g.named("first"), x);
        g.loss("task", z, LossKind::Mse);
        g.finish().unwrap_err().to_string()
    };
    let relu = Activation::Relu;
    assert_eq!(
        error(&|g, x| g.conv2d(x, 4, Window::square(9), relu)),
        "layer \"first\": its window of [9, 9] does not fit an image of [8, 8]"
    );
    assert_eq!(
        error(&|g, x| g.conv2d(x, 4, Window::square(3).stride(0), relu)),
        "layer \"first\": its stride is [0, 0]; it must be at least 1"
    );
    assert_eq!(
        error(&|g, x| g.pool(x, Pooling::Max, Window::square(2).padding(2))),
        "layer \"first\": its padding is [2, 2]; the window must always cover a pixel"
    );
    assert_eq!(
        error(&|g, x| g.grouped_conv2d(x, 4, Window::square(3), 3, None)),
        "layer \"first\": 4 channels cannot be cut into 3 groups of one size"
    );
    assert_eq!(
        error(&|g, x| g.upsample(x, 0, Interpolation::Nearest)),
        "layer \"first\": its factor is 0; it must be at least 1"
    );
    assert_eq!(
        error(&|g, x| {
            let flat = g.flatten(x);
            g.conv2d(flat, 4, Window::square(3), relu)
        })
        .split_once(": ")
        .unwrap()
        .1,
        "it reads images, [height, width, channels], but gets [384]"
    );
    assert_eq!(error(&|g, x| g.reshape(x, &[8, 8, 5])), "layer \"first\": it gives 320 features, expected 384");
    assert_eq!(error(&|g, x| g.slice(x, 3, 7)), "layer \"first\": it takes features 3..7 of 6");
}

#[test]
fn copies_stand_behind_what_they_copy() {
    let mut g = GraphBuilder::new();
    let x = g.image_input("image", [4, 4, 2]);
    let h = g.named("h").conv2d(x, 3, Window::square(3).same(), Activation::Relu);
    let a = g.named("a").dense(h, 1, Activation::Linear);
    let b = g.named("b").global_pool(h);
    g.loss("a", a, LossKind::Mse);
    g.loss("b", b, LossKind::Mse);
    g.loss("h", h, LossKind::Mse);
    let graph = g.finish().unwrap();
    // The dense layer and the loss on the image read a copy.
    let copied = graph.with_copies(|read, reader| read == h && reader != Some(b));
    copied.validate().unwrap();
    let names: Vec<&str> = copied.nodes().iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["image", "h", "h.copy", "a", "b"]);
    let reads: Vec<Vec<usize>> = copied.nodes().iter().map(|n| n.inputs.iter().map(|i| i.0).collect()).collect();
    assert_eq!(reads, [vec![], vec![0], vec![1], vec![2], vec![1]]);
    let losses: Vec<usize> = copied.losses().iter().map(|l| l.prediction.0).collect();
    assert_eq!(losses, [3, 4, 2]);
    assert_eq!(graph.with_copies(|_, _| false), graph);
}
