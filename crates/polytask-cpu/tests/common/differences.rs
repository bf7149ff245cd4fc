//! Data for any graph, gradients against central differences, and the stacked backward against one loss at a time.

use polytask_cpu::*;
use polytask_graph::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Data for a graph: inputs and labels with some of them missing.
pub struct Data {
    reals: Vec<Vec<f32>>,
    indices: Vec<Vec<u32>>,
    labels: Vec<Vec<f32>>,
    classes: Vec<Vec<u32>>,
    weights: Vec<Vec<f32>>,
    /// By domain but the rows.
    offsets: Vec<Vec<u32>>,
    rows: Vec<u32>,
}

impl Data {
    pub fn new(graph: &Graph, n: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut uniform = move |len: usize| (0..len).map(|_| rng.random_range(-1.5f32..1.5)).collect::<Vec<f32>>();
        let offsets = offsets(graph, n, seed);
        let count = |domain: DomainId| match domain.is_rows() {
            true => n,
            false => offsets[domain.0 - 1].last().map_or(0, |end| *end as usize),
        };
        let mut data = Data {
            reals: vec![],
            indices: vec![],
            labels: vec![],
            classes: vec![],
            weights: vec![],
            offsets: vec![],
            rows: vec![],
        };
        for node in graph.nodes() {
            let n = count(node.domain);
            let values = |uniform: &mut dyn FnMut(usize) -> Vec<f32>| uniform(n * node.shape.width());
            match node.op.fed() {
                Some(ops::Fed::Numbers) => data.reals.push(values(&mut uniform)),
                // Some indices are beyond every table: missing levels.
                Some(ops::Fed::Indices) => {
                    data.indices.push(values(&mut uniform).iter().map(|v| ((v + 1.5) * 1.9) as u32).collect());
                }
                None => {}
            }
        }
        for loss in graph.losses() {
            let node = graph.node(loss.labelled());
            let (n, shape) = (count(node.domain), &node.shape);
            let labels = uniform(n * shape.width());
            // Of an image's pixels some have no label.
            let class = |(i, v): (usize, &f32)| match shape.pixels() > 1 && i % 5 == 3 {
                true => u32::MAX,
                false => ((v + 1.5) / 3.0 * shape.channels() as f32) as u32,
            };
            data.classes.push(labels.iter().take(n * shape.pixels()).enumerate().map(class).collect());
            data.labels.push(match &loss.kind {
                LossKind::BinaryCrossEntropy => labels.iter().map(|v| f32::from(*v > 0.0)).collect(),
                LossKind::Poisson => labels.iter().map(|v| (v + 1.5).round()).collect(),
                // A caller's own loss is not asked to know missing labels.
                LossKind::Custom(_) => labels,
                LossKind::Mse
                | LossKind::Mae
                | LossKind::Huber { .. }
                | LossKind::CrossEntropy
                | LossKind::Crf { .. }
                | LossKind::Arcs { .. } => match shape.pixels() > 1 {
                    true => labels.iter().enumerate().map(|(i, v)| if i % 7 == 2 { f32::NAN } else { *v }).collect(),
                    false => labels,
                },
            });
            data.weights.push(uniform(n).iter().map(|v| v.max(0.0)).collect());
            let (classes, weights) = (data.classes.last_mut().unwrap(), data.weights.last_mut().unwrap());
            match loss.kind {
                // A choice for every element that has any, and its label.
                LossKind::Arcs { .. } => {
                    let ends = &offsets[graph.node(loss.prediction).domain.0 - 1];
                    let choices: Vec<u32> = ends.windows(2).map(|own| own[1] - own[0]).collect();
                    let labels = classes.iter().enumerate().zip(&choices);
                    *classes = labels.flat_map(|((i, label), n)| [(i as u32 * 7) % (*n).max(1), *label]).collect();
                    weights.iter_mut().zip(&choices).filter(|(_, n)| **n == 0).for_each(|(weight, _)| *weight = 0.0);
                }
                // A sequence without a label here and there, of the others every element has one.
                LossKind::Crf { .. } => {
                    let ends = &offsets[node.domain.0 - 1];
                    for (i, own) in ends.windows(2).enumerate().filter(|(i, _)| i % 3 > 0) {
                        weights[own[0] as usize..own[1] as usize].fill(0.5 * i as f32);
                    }
                }
                LossKind::Mse
                | LossKind::Mae
                | LossKind::Huber { .. }
                | LossKind::BinaryCrossEntropy
                | LossKind::CrossEntropy
                | LossKind::Poisson
                | LossKind::Custom(_) => {}
            }
        }
        data.offsets = offsets;
        data.rows = (0..n as u32).rev().collect();
        data
    }

    pub fn with<R>(&self, graph: &Graph, use_feed: impl FnOnce(&Batch<'_>) -> R) -> R {
        let (mut reals, mut indices) = (self.reals.iter(), self.indices.iter());
        let inputs: Vec<_> = graph
            .nodes()
            .iter()
            .filter_map(|node| {
                Some(match node.op.fed()? {
                    ops::Fed::Numbers => Numbers::Real(reals.next().unwrap()),
                    ops::Fed::Indices => Numbers::Index(indices.next().unwrap()),
                })
            })
            .collect();
        let targets: Vec<_> = graph
            .losses()
            .iter()
            .enumerate()
            .map(|(i, loss)| Target {
                labels: match loss.kind.is_of_classes() {
                    true => Labels::Class(&self.classes[i]),
                    false => Labels::Real(&self.labels[i]),
                },
                weights: &self.weights[i],
            })
            .collect();
        let offsets: Vec<&[u32]> = self.offsets.iter().map(Vec::as_slice).collect();
        use_feed(&Batch { inputs: &inputs, targets: &targets, offsets: &offsets, rows: &self.rows })
    }
}

pub fn runner(graph: &Graph, rows: usize, groups: &Groups) -> Runner {
    let mut parameters = Parameters::init(graph, 3);
    // Biases and gains start flat; move them so that their gradients are tested at a general point.
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    parameters.values_mut().iter_mut().for_each(|v| *v += rng.random_range(-0.2..0.2));
    Runner::new(Plan::new(graph, rows, Mode::Train, groups), parameters)
}

pub const NOISE: u64 = 5;

/// Elements of a parameter whose gradients are compared: the largest gradient and others evenly apart.
const SAMPLES: usize = 10;
/// How far a gradient may be off, as a share of the largest gradient of its own parameter.
const OFF: f64 = 5e-3;
/// How well a difference must be known for that, as the same share.
const KNOWN: f64 = 4e-3;
/// Gradients from this many roundings of the loss on should be known as well as that.
const VISIBLE: f64 = 3e4;
/// Steps that are tried, the largest first: rounding falls with the step, and what lies beyond a kink of relu, max or mae grows.
const STEPS: [f32; 4] = [6e-2, 2e-2, 6e-3, 2e-3];

/// Whether some slope of the network jumps.
fn has_kinks(graph: &Graph) -> bool {
    let text = format!("{:?}{:?}", graph.nodes(), graph.losses());
    ["Relu", "Hard", "SmoothStep", "Max", "Mae", "Huber"].iter().any(|kinked| text.contains(kinked))
}

/// A slope by differences, and how far it may be off. Without a kink, slopes at a step and at twice the step differ by three
/// times what the first is off, and the bend (the second difference) at twice the step is four times that at the step; a kink of
/// slope `s` between them bends by `s` times the step at least.
fn slope(loss_at: &mut impl FnMut(f32) -> f64, step: f32, noise: f64) -> (f64, f64) {
    let h = f64::from(step);
    let here = loss_at(0.0);
    let mut differences = |by: f32| {
        let (left, right) = (loss_at(-by), loss_at(by));
        ((right - left) / (2.0 * f64::from(by)), right - 2.0 * here + left)
    };
    let ((near, bend), (far, wide)) = (differences(step), differences(2.0 * step));
    let unsure = ((near - far).abs() / 3.0).max((wide - 4.0 * bend).abs() / (4.0 * h));
    ((4.0 * near - far) / 3.0, unsure + noise / h)
}

/// Gradients of the weighted sum of losses against differences of a f32 model, each compared with the largest of its own
/// parameter: a parameter whose gradient is a thousandth of another's is checked as closely.
pub fn check_differences(graph: &Graph, rows: usize) {
    let data = Data::new(graph, rows, 1);
    let weights: Vec<f64> = (0..graph.losses().len()).map(|i| 1.0 + 0.5 * i as f64).collect();
    data.with(graph, |feed| {
        let mut r = runner(graph, rows, &Groups::merged(graph));
        r.forward_backward(feed, &weights, NOISE);
        let gradients: Vec<Vec<f32>> = (0..graph.parameters().len())
            .map(|p| r.gradients(ParameterId(p), rows).pop().map_or(vec![], |g| g.1))
            .collect();
        let start = r.parameters().clone();
        let mut loss_at = |p: usize, i: usize, by: f32| {
            let mut moved = start.clone();
            moved.of_mut(ParameterId(p))[i] += by;
            r.set_parameters(&moved);
            let losses = r.forward(feed, NOISE);
            let losses: f64 = losses.iter().zip(&weights).map(|(l, w)| l.unwrap_or(0.0) * w).sum();
            losses + r.auxiliary_loss(&weights, rows)
        };
        // Rounding of a sum of f32 terms, and of what they are made of.
        let noise = 1e-7 * loss_at(0, 0, 0.0).abs().max(0.1);
        let kinks = has_kinks(graph);
        let (mut checked, mut unknown) = (0, 0);
        for (p, gradient) in gradients.iter().enumerate() {
            let parameter = &graph.parameters()[p];
            if !parameter.is_trained() {
                continue;
            }
            let size = gradient.iter().fold(0.0f32, |m, g| m.max(g.abs()));
            let largest = gradient.iter().position(|g| g.abs() == size);
            let some = (0..gradient.len()).step_by(1 + gradient.len() / SAMPLES);
            let (mut samples, mut odd) = (0, Vec::new());
            for i in some.chain(largest) {
                let (got, size) = (f64::from(gradient[i]), f64::from(size));
                let slopes = STEPS.map(|step| slope(&mut |by| loss_at(p, i, by), step, noise));
                let right =
                    |(slope, unsure): &(f64, f64), times: f64| (slope - got).abs() <= OFF * size + times * unsure;
                let mut known = slopes.iter().filter(|(_, unsure)| *unsure <= KNOWN * size).peekable();
                let agrees = match known.peek() {
                    Some(_) => known.any(|known| right(known, 1.0)),
                    None => {
                        unknown += usize::from(size > VISIBLE * noise);
                        slopes.iter().any(|rough| right(rough, 3.0))
                    }
                };
                checked += 1;
                samples += 1;
                if !agrees {
                    odd.push(format!("element {i}: {got}, of at most {size}, against (slope, unsure) {slopes:?}"));
                }
            }
            // Several kinks within a step may look like none; a wrong gradient is wrong at more than a few elements.
            let allowed = if kinks { samples / 4 } else { 0 };
            assert!(odd.len() <= allowed, "{}: {odd:#?}", parameter.name);
        }
        assert!(checked > 0, "a test without a gradient tests nothing");
        assert!(3 * unknown <= checked, "{unknown} of {checked} differences are too rough to tell anything");
    });
}

pub fn head(g: &mut GraphBuilder, h: NodeId, kind: LossKind) {
    let width = if kind == LossKind::CrossEntropy { 3 } else { 2 };
    let z = g.dense(h, width, Activation::Linear);
    g.loss(&format!("{kind:?}"), z, kind);
}

pub const KINDS: [LossKind; 6] = [
    LossKind::Mse,
    LossKind::Mae,
    LossKind::Huber { delta: 0.7 },
    LossKind::BinaryCrossEntropy,
    LossKind::CrossEntropy,
    LossKind::Poisson,
];

/// Sequences of up to five elements, some of them empty; those of products as the graph says.
fn offsets(graph: &Graph, rows: usize, seed: u64) -> Vec<Vec<u32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0xd0);
    let mut all: Vec<Vec<u32>> = Vec::new();
    // By domain: the row of every element.
    let mut row_of: Vec<Vec<usize>> = vec![(0..rows).collect()];
    for domain in graph.domains() {
        let (mut offsets, mut own) = (vec![0], Vec::new());
        for &row in &row_of[domain.parent.0] {
            let count = match domain.over {
                Some(over) => row_of[over.0].iter().filter(|r| **r == row).count(),
                None => rng.random_range(0..6),
            };
            own.extend(std::iter::repeat_n(row, count));
            offsets.push(own.len() as u32);
        }
        all.push(offsets);
        row_of.push(own);
    }
    all
}

/// The stacked backward gives, for every parameter, exactly the tasks that reach it and the gradient that a backward pass
/// of that task alone gives.
pub fn check_stacked(graph: &Graph, rows: usize, seed: u64) {
    let tasks = graph.losses().len();
    let data = Data::new(graph, rows, seed);
    let reach = graph.reach();
    data.with(graph, |feed| {
        let mut all = runner(graph, rows, &Groups::separate(graph));
        let losses = all.forward_backward(feed, &vec![1.0; tasks], NOISE);
        if losses.iter().flatten().any(|loss| !loss.is_finite()) {
            // A drawn network whose rates are beyond all numbers has no gradients to compare.
            return;
        }
        let mut merged = runner(graph, rows, &Groups::merged(graph));
        for task in 0..tasks {
            let mut alone = vec![0.0; tasks];
            alone[task] = 1.0;
            let again = merged.forward_backward(feed, &alone, NOISE);
            // Which layers run as one depends on where gradients are kept apart, and the last digit on that.
            for (a, b) in again.iter().zip(&losses) {
                let off = a.zip(*b).map_or(f64::from(u8::from(a != b)), |(a, b)| (a - b).abs() / (1e-3 + b.abs()));
                assert!(off < 1e-5, "{again:?} {losses:?}");
            }
            let gradient = |p: usize| merged.gradients(ParameterId(p), rows).pop().map_or(vec![], |g| g.1);
            let largest = (0..graph.parameters().len()).flat_map(gradient).fold(0.0f32, |m, v| m.max(v.abs()));
            for p in (0..graph.parameters().len()).map(ParameterId) {
                let one = merged.gradients(p, rows).pop().map_or(vec![], |g| g.1);
                let stacked = all.gradients(p, rows).into_iter().find(|(g, _)| *g == task).map(|g| g.1);
                let reached = reach.parameters[p.0].contains(&LossId(task));
                assert_eq!(stacked.is_some(), reached && graph.parameter(p).role != Role::Statistic);
                for (i, one) in one.iter().enumerate() {
                    let other = stacked.as_ref().map_or(0.0, |s| s[i]);
                    assert!((one - other).abs() <= 1e-5 * largest, "task {task} {p:?}: {one} {other}");
                }
            }
        }
    });
}
