//! Every op, exported to every format.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{Case, Noise, case};
use polytask_export::Format;
use polytask_graph::testing::{self, Base, Kind};
use polytask_graph::{Activation, DomainId, GraphBuilder, Interpolation, NodeId, Reduction, Window};

/// Rows with numbers, some missing, booleans, categories of words and of numbers, and a label for every kind of task.
fn table() -> String {
    let mut noise = Noise(7);
    let mut text = "x,z,on,color,code,size,warm,grade,visits,genres,rank,months,died\n".to_owned();
    for row in 0..60 {
        let (x, z) = (noise.next(), noise.next() * 4000.0 - 2.0);
        let (x_text, z_text) = (if row % 7 == 3 { String::new() } else { format!("{x:.4}") }, format!("{z:.3}"));
        let on = ["yes", "no", ""][(noise.next() * 3.0) as usize];
        let color = ["red", "green", "blue", ""][(noise.next() * 4.0) as usize];
        let code = (noise.next() * 14.0) as usize * 10;
        let warm = ["no", "yes"][usize::from(x > 0.5)];
        let grade = ["low", "middle", "high"][(noise.next() * 3.0) as usize];
        let visits = (noise.next() * 4.0) as usize;
        let (rank, months, died) = (row * 5 % 7 / 2, 1 + row * 11 % 17, row % 3 % 2);
        let genres = ["a", "a|b", "b|c", ""][(noise.next() * 4.0) as usize];
        text += &format!(
            "{x_text},{z_text},{on},{color},{code},{x:.3},{warm},{grade},{visits},{genres},{rank},{months},{died}\n"
        );
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
[tasks.rank]
kind = "ordinal"
[tasks.life]
kind = "survival"
columns = ["months", "died"]
"#;

/// The examples of all ops that stand on this, side by side; those that data in files do not feed, and those of callers, are
/// left to [`what_cannot_be_exported_is_refused`].
fn examples(g: &mut GraphBuilder, base: Base, x: NodeId) -> Vec<NodeId> {
    let all = testing::examples().into_iter().map(|(_, example)| example);
    let feedable = all.filter(|e| e.base == base && !matches!(e.kind, Kind::Fed | Kind::Custom));
    feedable.map(|example| (example.build)(g, x)).collect()
}

/// All ops on plain features and categories, and two layers with one weight.
fn plain(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    let categories = g.find("categories").unwrap();
    let x = g.dense(x, 6, Activation::Tanh);
    let mut all = examples(g, Base::Rows, x);
    all.extend(examples(g, Base::Indices, categories));
    for name in ["left", "right"] {
        all.push(g.tied(name, "both", |g| g.named(name).dense(x, 5, Activation::Tanh)));
    }
    g.concat(&all)
}

/// All ops on images.
fn images(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    let x = g.conv2d(x, 4, Window::square(1), Activation::Tanh);
    let all = examples(g, Base::Images, x).into_iter().map(|y| {
        let flat = g.flatten(y);
        g.dense(flat, 4, Activation::Tanh)
    });
    let all: Vec<NodeId> = all.collect();
    g.concat(&all)
}

/// All ops on tokens, led back to the tokens of `x`, which are the first domain.
fn tokens(g: &mut GraphBuilder, x: NodeId) -> NodeId {
    let domain = g.domain(x);
    let x = g.dense(x, 8, Activation::Tanh);
    let all = examples(g, Base::Tokens, x).into_iter().map(|y| match g.domain(y) {
        own if own == domain => y,
        DomainId::ROWS => g.spread(y, domain),
        _ => g.reduce(y, Reduction::Mean),
    });
    let all: Vec<NodeId> = all.collect();
    g.concat(&all)
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

fn images_case(build: impl FnOnce(&mut GraphBuilder, NodeId) -> NodeId) -> Case {
    let digits = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits/digits-images-idx3-ubyte.gz");
    let labels = concat!(env!("CARGO_MANIFEST_DIR"), "/../../data/digits/digits-digit-idx1-ubyte.gz");
    let sections =
        format!("labels = {{ digit = {labels:?} }}\n[inputs]\nimage = \"image\"\n[tasks.digit]\nkind = \"category\"\n");
    case(("digits-images-idx3-ubyte.gz", &std::fs::read(digits).unwrap()), &sections, build)
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
    let case = images_case(images);
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

/// What nobody can feed from columns is exported to ONNX alone, and what a caller brings nowhere: errors name it.
#[test]
fn what_cannot_be_exported_is_refused() {
    for (op, example) in testing::examples() {
        let refused: &[Format] = match example.kind {
            Kind::Plain | Kind::Untrained | Kind::Drawn => continue,
            Kind::Fed if op != "Pixels" => &[Format::Pytorch, Format::Keras],
            Kind::Fed | Kind::Custom => &[Format::Onnx, Format::Pytorch, Format::Keras],
        };
        let case = match example.base {
            Base::Rows => case(("data.csv", table().as_bytes()), TASKS, |g, x| {
                let x = g.dense(x, 6, Activation::Tanh);
                (example.build)(g, x)
            }),
            Base::Tokens => case(("data.jsonl", texts().as_bytes()), TOKEN_TASKS, |g, x| {
                let x = g.dense(x, 8, Activation::Tanh);
                (example.build)(g, x)
            }),
            Base::Images => images_case(|g, x| {
                let x = g.conv2d(x, 4, Window::square(1), Activation::Tanh);
                (example.build)(g, x)
            }),
            Base::Indices => panic!("{op} has no case here"),
        };
        for format in [Format::Onnx, Format::Pytorch, Format::Keras, Format::Safetensors] {
            let done = polytask_export::export(&case.model, format, &case.folder.path().join("exported"));
            assert_eq!(done.is_err(), refused.contains(&format), "{op} to {format:?}: {done:?}");
            if let Err(error) = done {
                let (said, named) =
                    (error.to_string(), if example.kind == Kind::Custom { "gated" } else { "layer \"" });
                assert!(said.contains(named), "{said}");
            }
        }
    }
}
