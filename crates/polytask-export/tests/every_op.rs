//! Every op, exported to every format.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Case, Noise, case};
use polytask_graph::{
    Activation, DomainId, GraphBuilder, Init, Interpolation, NodeId, Per, Pooling, Reduction, Window,
};

/// Rows with numbers, some missing, booleans, categories of words and of numbers, and a label for every kind of task.
fn table() -> String {
    let mut noise = Noise(7);
    let mut text = "x,z,on,color,code,size,warm,grade,visits,genres\n".to_owned();
    for row in 0..60 {
        let (x, z) = (noise.next(), noise.next() * 4000.0 - 2.0);
        let (x_text, z_text) = (if row % 7 == 3 { String::new() } else { format!("{x:.4}") }, format!("{z:.3}"));
        let on = ["yes", "no", ""][(noise.next() * 3.0) as usize];
        let color = ["red", "green", "blue", ""][(noise.next() * 4.0) as usize];
        let code = (noise.next() * 14.0) as usize * 10;
        let warm = ["no", "yes"][usize::from(x > 0.5)];
        let grade = ["low", "middle", "high"][(noise.next() * 3.0) as usize];
        let visits = (noise.next() * 4.0) as usize;
        let genres = ["a", "a|b", "b|c", ""][(noise.next() * 4.0) as usize];
        text += &format!("{x_text},{z_text},{on},{color},{code},{x:.3},{warm},{grade},{visits},{genres}\n");
    }
    text
}

const TASKS: &str = r#"
split = { valid = 0.1, test = 0.2 }
[inputs]
x = "number"
z = "number"
on = "boolean"
color = "category"
code = "category"
[tasks.size]
kind = "regression"
[tasks.warm]
kind = "binary"
[tasks.grade]
kind = "category"
[tasks.visits]
kind = "count"
[tasks.genres]
kind = "multilabel"
"#;

/// All ops on plain features.
fn plain(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    let d = 6;
    let activations = [
        Activation::Linear,
        Activation::Relu,
        Activation::Gelu,
        Activation::Tanh,
        Activation::Sigmoid,
        Activation::Silu,
        Activation::SmoothStep,
    ];
    let mut all: Vec<NodeId> = activations.into_iter().map(|a| g.dense(x, d, a)).collect();
    let (a, b) = (all[3], all[4]);
    let normal = g.layer_norm(a);
    let shares = g.softmax(normal);
    let entropy = g.activation(shares, Activation::Entropy);
    let product = g.dot(a, b, 0.2);
    let scaled = g.mul(product, a);
    let gate = g.dense(x, 2, Activation::Linear);
    let gate = g.softmax_with_dropout(gate, 0.1);
    let mixed = g.mixture(gate, &[a, b]);
    let constant = g.vector(3, Init::Constant(0.4));
    let bits = g.activation(constant, Activation::Sigmoid);
    let codes = g.codes(bits, 5);
    let wide = g.dense(a, 5 * d, Activation::Tanh);
    let chosen = g.mixture(codes, &[wide]);
    let stopped = g.stop_gradient(a);
    let dropped = g.dropout(stopped, 0.3);
    let sum = g.add(&[dropped, b, mixed]);
    let stitched = g.blend(&[a, b], Per::Layer, 1, 0.8);
    let crossed = g.blend(&[a, b], Per::Channel, 0, 0.7);
    let soft = g.softmax_blend(&[a, b]);
    let taken = g.sampled(&[a, b, soft]);
    let all_of = g.all_of(&[a, b]);
    let affine = g.affine(a, -0.7, 0.1);
    let batch = g.batch_norm(affine, Activation::Relu);
    let group = g.group_norm(affine, 2, Activation::Tanh);
    let part = g.slice(a, 1, 4);
    let tied: Vec<NodeId> = ["left", "right"]
        .into_iter()
        .zip([a, b])
        .map(|(name, h)| g.tied(name, "both", |g| g.named(name).dense(h, d, Activation::Tanh)))
        .collect();
    all.extend([entropy, scaled, chosen, sum, stitched, crossed, taken, all_of, batch, group, part]);
    all.extend(tied);
    g.concat(&all)
}

/// All ops on images of 8 by 8 grey pixels.
fn images(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    let wide =
        g.conv2d(x, 4, Window { size: [3, 2], stride: [1, 1], padding: [1, 0], dilation: [2, 1] }, Activation::Relu);
    let grouped = g.grouped_conv2d(wide, 6, Window::square(3).stride(2).padding(1), 2, Some(Activation::Tanh));
    let plain = g.plain_conv2d(grouped, 4, Window::square(1));
    let batch = g.batch_norm(plain, Activation::Relu);
    let group = g.group_norm(batch, 2, Activation::Linear);
    let [sum, product] = [g.add(&[batch, group]), g.mul(batch, group)];
    let blended = g.blend(&[sum, product], Per::Channel, 0, 0.6);
    let joined = g.concat(&[blended, plain]);
    let cut = g.slice(joined, 1, 6);
    let large = g.upsample(cut, 2, Interpolation::Nearest);
    let smooth = g.upsample(cut, 2, Interpolation::Bilinear);
    let both = g.add(&[large, smooth]);
    let max = g.pool(both, Pooling::Max, Window::square(3).stride(2).padding(1));
    let mean = g.pool(both, Pooling::Average, Window::square(3).stride(2).padding(1));
    let mean = g.activation(mean, Activation::Silu);
    let simple = [Pooling::Max, Pooling::Average].map(|pooling| g.pool(both, pooling, Window::square(2).stride(2)));
    let pools = [max, mean, simple[0], simple[1]].map(|pool| {
        let scaled = g.affine(pool, 0.5, 0.1);
        g.global_pool(scaled)
    });
    let flat = g.flatten(mean);
    let dense = g.dense(flat, 5, Activation::Tanh);
    let shape = g.shape(mean);
    let back = g.dense(dense, shape.width(), Activation::Tanh);
    let again = g.reshape(back, &shape.0);
    let again = g.conv2d(again, 3, Window::square(2), Activation::Gelu);
    let again = g.global_pool(again);
    let all = [&pools[..], &[dense, again]].concat();
    g.concat(&all)
}

/// All ops on tokens that lead to more tokens; the tokens of `x` are the first domain.
fn tokens(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    let x = g.dense(x, 8, Activation::Tanh);
    let lstm = g.bilstm(x, 4);
    let gru = g.bigru(lstm, 4);
    let place = g.positions(DomainId(1), 4, 8);
    let placed = g.add(&[gru, place]);
    let normal = g.transformer(placed, 2, 12, false, 0.1);
    let turned = g.transformer(normal, 2, 12, true, 0.1);
    let around = g.conv1d(turned, 8, 3, Activation::Relu);
    let scores = g.dense(around, 2, Activation::Linear);
    let reduced = [
        g.reduce(around, Reduction::Sum),
        g.reduce(around, Reduction::Mean),
        g.reduce(around, Reduction::Max),
        g.attention_reduce(around, scores),
    ];
    let whole = g.concat(&reduced);
    let whole = g.dense(whole, 8, Activation::Tanh);
    let spread = g.spread(whole, DomainId(1));
    let pairs = g.product("pairs", DomainId(1), DomainId(1));
    let scores = g.biaffine(pairs, around, turned, true);
    let best = g.reduce(scores, Reduction::Max);
    let over = g.spread_over(around, pairs);
    let own = g.spread(around, pairs);
    let product = g.mul(over, own);
    let pairs = g.dense(product, 3, Activation::Tanh);
    let pairs = g.reduce(pairs, Reduction::Mean);
    g.concat(&[around, spread, best, pairs])
}

fn texts() -> String {
    let sentences = [
        ("wake me at nine", "alarm", "O O O B-time"),
        ("play Jazz in the kitchen", "music", "O B-genre O O B-room"),
        ("", "alarm", ""),
        ("turn the Lights off in the bed room now", "light", "O O B-thing O O O B-room I-room O"),
        ("lights", "light", "B-thing"),
    ];
    let mut text = String::new();
    for _ in 0..6 {
        for (words, intent, tags) in sentences {
            let list = |words: &str| serde_json::json!(words.split_whitespace().collect::<Vec<_>>());
            let upper: Vec<bool> = words.split_whitespace().map(|word| word.starts_with(char::is_uppercase)).collect();
            let case: Vec<&str> = upper.iter().map(|upper| if *upper { "upper" } else { "lower" }).collect();
            let row = serde_json::json!({ "tokens": list(words), "intent": intent, "tags": list(tags), "case": case });
            text += &format!("{row}\n");
        }
    }
    text
}

const TOKEN_TASKS: &str = r#"
split = { valid = 0.1, test = 0.2 }
[inputs]
tokens = "text"
[tasks.tags]
kind = "tags"
[tasks.case]
kind = "token_category"
[model.text]
encoder = "none"
"#;

const ROW_TASKS: &str = r#"
split = { valid = 0.1, test = 0.2 }
[inputs]
tokens = "text"
[tasks.intent]
[model.text]
encoder = "none"
"#;

fn images_case() -> Case {
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits/digits-images-idx3-ubyte.gz");
    let labels = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits/digits-digit-idx1-ubyte.gz");
    let sections =
        format!("labels = {{ digit = {labels:?} }}\n[inputs]\nimage = \"image\"\n[tasks.digit]\nkind = \"category\"\n");
    case(("digits-images-idx3-ubyte.gz", &std::fs::read(digits).unwrap()), &sections, images)
}

#[test]
fn plain_features() {
    let case = case(("data.csv", table().as_bytes()), TASKS, plain);
    case.export();
    case.holds_together();
    case.agrees(60);
}

#[test]
fn images_of_digits() {
    let case = images_case();
    case.export();
    case.holds_together();
    case.agrees(40);
}

/// Images of random pixels; what is labelled is how bright each is, as one of three classes and as a number.
fn pixels_case() -> Case {
    let folder = tempfile::tempdir().unwrap();
    let mut noise = Noise(11);
    let bright: Vec<u8> = (0..40 * 64).map(|_| (noise.next() * 256.0) as u8).collect();
    let write = |name: &str, of: fn(u8) -> u8| {
        let head = [0, 0, 8, 3, 0, 0, 0, 40, 0, 0, 0, 8, 0, 0, 0, 8];
        let bytes: Vec<u8> = head.into_iter().chain(bright.iter().map(|b| of(*b))).collect();
        let path = folder.path().join(name);
        std::fs::write(&path, &bytes).unwrap();
        (path.display().to_string(), bytes)
    };
    let parts = write("parts", |b| b / 86 * 7).0;
    let (depth, images) = write("depth", |b| b);
    let sections = format!(
        "labels = {{ parts = {parts:?}, depth = {depth:?} }}\n[inputs]\nimage = \"image\"\n\
         [tasks.parts]\nkind = \"segmentation\"\n[tasks.depth]\nkind = \"pixel_regression\"\n"
    );
    case(("some-images-idx3-ubyte", &images), &sections, |g, x| {
        let low = g.conv2d(x, 6, Window::square(3).stride(2).padding(1), Activation::Relu);
        let [a, b] = [Interpolation::Nearest, Interpolation::Bilinear].map(|i| g.upsample(low, 2, i));
        g.concat(&[a, b])
    })
}

#[test]
fn labels_of_pixels() {
    let case = pixels_case();
    case.export();
    case.holds_together();
    case.agrees(40);
}

#[test]
fn tokens_with_labels() {
    let case = case(("data.jsonl", texts().as_bytes()), TOKEN_TASKS, tokens);
    case.export();
    case.holds_together();
    case.agrees(30);
}

#[test]
fn tokens_of_labelled_rows() {
    // One of the texts has no token: there is nothing to pool. Convolutions leave numbers where no token is any more.
    for (pool, encoder) in [("max", "none"), ("mean", "conv"), ("attention", "conv")] {
        let sections = ROW_TASKS.replace("\"none\"", &format!("\"{encoder}\"\npool = \"{pool}\""));
        let case = case(("data.jsonl", texts().as_bytes()), &sections, x_of_row);
        case.export();
        case.holds_together();
        case.agrees(30);
    }
}

/// The features of a row are its pooled tokens already.
fn x_of_row(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    g.dense(x, 8, Activation::Relu)
}
