//! Models of every kind of op, and the check of what they become.

#![allow(dead_code, reason = "each test uses a part of it")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests")]

use polytask::Dataset;
use polytask::config::Config;
use polytask::model::{Body, Model, Network};
use polytask::tasks::Prediction;
use polytask::{Prepared, prepare};
use polytask_data::Table;
use polytask_data::text::Span;
use polytask_exec::{Batch, Numbers, Parameters};
use polytask_export::Format;
use polytask_export::onnx::proto;
use polytask_graph::{Activation, GraphBuilder, NodeId};
use prost::Message;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

/// A model with the data that it was fitted on.
pub struct Case {
    pub folder: TempDir,
    pub data: PathBuf,
    pub model: Model,
}

/// A generator of numbers in [0, 1); the same everywhere.
pub struct Noise(pub u64);

impl Noise {
    pub fn next(&mut self) -> f64 {
        // Knuth's MMIX constants; the upper bits are the good ones.
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// A model of a network that `network` builds on the features of some data; it gives the node that every task's head reads.
pub fn case(
    (name, data): (&str, &[u8]),
    sections: &str,
    network: impl FnOnce(&mut GraphBuilder, NodeId) -> NodeId,
) -> Case {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, data).unwrap();
    let text = format!("[data]\npath = \"{name}\"\n{sections}");
    let config = Config::from_toml(&text, folder.path().join("config.toml").to_str().unwrap()).unwrap();
    let Prepared { encoder, tasks, dialect, .. } = prepare(&config).unwrap();
    let mut g = GraphBuilder::new();
    let inputs = encoder.inputs(&mut g);
    let features = encoder.embed(&mut g, inputs, "", &config.model.numbers, &config.model.text, false);
    let h = network(&mut g, features);
    for task in &tasks {
        let (width, g) = (task.outcome().width(), g.named(format!("heads.{}", task.name)));
        let output = match task.outcome().pixels() {
            Some(_) => g.pointwise(h, width, Activation::Linear),
            None => g.dense(h, width, Activation::Linear),
        };
        g.loss(&task.name, output, task.outcome().loss());
    }
    let graph = g.finish().unwrap();
    let mut parameters = Parameters::init(&graph, 3);
    // Nothing is left at its start, which may be 0 or 1; variances stay above 0.
    let mut noise = Noise(5);
    for (i, parameter) in graph.parameters().iter().enumerate() {
        let positive = parameter.name.ends_with(".variance");
        for value in parameters.of_mut(polytask_graph::ParameterId(i)) {
            let draw = noise.next() as f32 - 0.5;
            *value = if positive { 0.5 + draw.abs() } else { *value + 0.3 * draw };
        }
    }
    Case {
        data: path,
        folder,
        model: Model {
            body: Body::Network(Network { graph, parameters }),
            encoder,
            tasks,
            dialect,
            device: Default::default(),
        },
    }
}

/// Which Python to ask: `$POLYTASK_PYTHON`, or `python3`.
pub fn python() -> String {
    std::env::var("POLYTASK_PYTHON").unwrap_or_else(|_| "python3".to_owned())
}

impl Case {
    /// Exports to every format.
    pub fn export(&self) {
        for (format, name) in [(Format::Onnx, "onnx"), (Format::Pytorch, "pytorch"), (Format::Keras, "keras")] {
            polytask_export::export(&self.model, format, &self.folder.path().join(name)).unwrap();
        }
    }

    /// Asks Python whether the exports predict the same; says so where it cannot be asked.
    pub fn check(&self, predictions: &str) {
        let said = self.folder.path().join("predictions.jsonl");
        std::fs::write(&said, predictions).unwrap();
        check(&self.data, &said, self.folder.path());
    }
}

/// Runs `check.py`.
pub fn check(data: &Path, predictions: &Path, folder: &Path) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/check.py");
    let ran = Command::new(python()).arg(script).args([data, predictions, folder]).output();
    let Ok(ran) = ran else { return eprintln!("skipped: there is no {}", python()) };
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    match ran.status.code() {
        Some(0) => eprintln!("{out}"),
        Some(77) => eprintln!("skipped: {out}"),
        _ => panic!("{out}\n{err}"),
    }
}

impl Case {
    /// Predictions of the first rows as `polytask predict --format jsonl --probabilities` writes them.
    pub fn agrees(&self, rows: usize) {
        let table = polytask_data::read(&self.data, &self.model.read_options()).unwrap();
        let texts = self.model.encoder.texts(&table).unwrap();
        let predictions = match self.model.network().unwrap().graph.domains().len() {
            2 => self.of_pairs(&table),
            _ => self.model.predict(&table).unwrap(),
        };
        let mut text = String::new();
        for row in 0..rows {
            let mut line = serde_json::Map::new();
            for (task, prediction) in self.model.tasks.iter().zip(&predictions) {
                let own = |labels: &[String], all: &[f64]| {
                    let shares = labels.iter().zip(&all[row * labels.len()..]);
                    shares.map(|(label, p)| (label.clone(), (*p as f32).into())).collect::<serde_json::Map<_, _>>()
                };
                let value: serde_json::Value = match prediction {
                    Prediction::Numbers(values) => (values[row] as f32).into(),
                    Prediction::Classes { labels, probabilities, .. } => {
                        line.insert(format!("{} probabilities", task.name), own(labels, probabilities).into());
                        labels[prediction.classes()[row] as usize].clone().into()
                    }
                    Prediction::Labels { labels, probabilities, .. } => {
                        line.insert(format!("{} probabilities", task.name), own(labels, probabilities).into());
                        prediction.likely_labels(row).into()
                    }
                    Prediction::Survival { times, alive } => {
                        let shares = alive[row * times.len()..(row + 1) * times.len()].iter().map(|p| *p as f32);
                        // Keys that stand in the order of the times.
                        let shares = shares.enumerate().map(|(i, p)| (format!("{i:04}"), p.into()));
                        line.insert(
                            format!("{} probabilities", task.name),
                            shares.collect::<serde_json::Map<_, _>>().into(),
                        );
                        prediction.expected_times()[row].into()
                    }
                    Prediction::Tokens { labels, classes } => {
                        classes[row].iter().map(|class| labels[*class as usize].as_str()).collect()
                    }
                    Prediction::Spans(spans) => {
                        let sentences = &texts[task.over.as_deref().unwrap()];
                        let first = sentences.tokens(row).start;
                        let words =
                            |from: usize, to: usize| (from..=to).map(|i| sentences.word(first + i)).collect::<String>();
                        let span = |span: &Span| serde_json::json!({ "label": span.label, "text": words(span.first, span.last) });
                        spans[row].iter().map(span).collect()
                    }
                    Prediction::PixelClasses { labels, size: [height, width], classes } => {
                        let own = &classes[row * height * width..(row + 1) * height * width];
                        let line =
                            |line: &[u8]| line.iter().map(|class| labels[usize::from(*class)].as_str()).collect();
                        own.chunks_exact(*width).map(line).collect::<Vec<serde_json::Value>>().into()
                    }
                    Prediction::PixelNumbers { size: [height, width], values } => {
                        let own = &values[row * height * width..(row + 1) * height * width];
                        own.chunks_exact(*width).map(|line| serde_json::json!(line)).collect::<Vec<_>>().into()
                    }
                    other => panic!("{other:?} is not exported"),
                };
                line.insert(task.name.clone(), value);
            }
            text += &format!("{}\n", serde_json::Value::from(line));
        }
        self.check(&text);
    }

    /// Predictions of a network with pairs of the tokens of its only text.
    fn of_pairs(&self, table: &Table) -> Vec<Prediction> {
        let Model { encoder, tasks, .. } = &self.model;
        let Network { graph, parameters } = self.model.network().unwrap();
        let data = Dataset::unlabelled(encoder, &[], table).unwrap();
        let text = &data.features.texts[0];
        let mut pairs = vec![0];
        for own in text.offsets.windows(2) {
            let count = own[1] - own[0];
            (0..count).for_each(|_| pairs.push(pairs.last().unwrap() + count));
        }
        let rows: Vec<u32> = (0..table.rows() as u32).collect();
        let mut session = self.model.device.predicting(graph, rows.len(), parameters).unwrap();
        let inputs = [Numbers::Index(&text.indices)];
        let offsets = [text.offsets.as_slice(), pairs.as_slice()];
        let outputs = session.predict(&Batch { inputs: &inputs, targets: &[], offsets: &offsets, rows: &rows });
        let both = tasks.iter().zip(&outputs.tasks);
        both.map(|(task, output)| task.predict(output, &data.layout(task, &rows))).collect()
    }

    /// Reads the ONNX file again: every value is made before it is read, and once; weights have as many elements as their
    /// shapes say.
    pub fn holds_together(&self) {
        let bytes = std::fs::read(self.folder.path().join("onnx/model.onnx")).unwrap();
        let model = proto::Model::decode(bytes.as_slice()).unwrap();
        let graph = model.graph.unwrap();
        check_graph(&graph, &mut HashSet::new());
        let outputs: Vec<&str> = graph.output.iter().map(|output| output.name.as_deref().unwrap()).collect();
        for task in &self.model.tasks {
            assert!(outputs.contains(&task.name.as_str()), "{} is not among {outputs:?}", task.name);
        }
    }
}

fn check_graph(graph: &proto::Graph, known: &mut HashSet<String>) {
    let inputs = graph.input.iter().map(|input| input.name.clone().unwrap());
    let initializers = graph.initializer.iter().map(|tensor| tensor.name.clone().unwrap());
    for name in inputs.chain(initializers) {
        assert!(known.insert(name.clone()), "{name} is there twice");
    }
    for tensor in &graph.initializer {
        let count: i64 = tensor.dims.iter().product();
        let size = match tensor.data_type.unwrap() {
            1 => 4,
            7 | 11 => 8,
            8 => {
                assert_eq!(tensor.string_data.len() as i64, count);
                continue;
            }
            kind => panic!("a constant of type {kind}"),
        };
        assert_eq!(tensor.raw_data.as_ref().unwrap().len() as i64, size * count, "{:?}", tensor.name);
    }
    for node in &graph.node {
        for input in node.input.iter().filter(|input| !input.is_empty()) {
            assert!(known.contains(input), "{:?} reads {input}, which is not there", node.name);
        }
        for body in node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()) {
            check_graph(body, &mut known.clone());
        }
        for output in &node.output {
            assert!(known.insert(output.clone()), "{output} is there twice");
        }
    }
    for output in &graph.output {
        assert!(known.contains(output.name.as_deref().unwrap()));
    }
}
