//! Group estimates from a linearised model (Li, Sharma, Li and Zhang, "Scalable Multitask Learning Using Gradient-based
//! Estimation of Task Affinity", KDD 2024): no group is trained.
//!
//! About the joint model, each task's loss is a quadratic in the shared parameters: its gradient, and the Gauss-Newton
//! matrix, both from gradients of single rows that a random projection brings down to a few dimensions. The model of a
//! group is where the sum of its tasks' quadratics over training rows is least, with a ridge; a task's loss there is read
//! off its quadratic over validation rows.
//!
//! The Gauss-Newton matrix of a row is the mean of `g g^T` over gradients `g` towards labels that are drawn around the
//! model's own prediction with the loss's own variance (Martens 2020); one draw a row is taken.

use super::worth::{Gain, Set, members};
use crate::Error;
use polytask_data::epoch_order;
use polytask_exec::{
    Batch, Groups, Jacobian, Labels as Given, Parameters, Session, Target as Aim, TaskOutput, Unsupported,
};
use polytask_graph::{Graph, LossKind};
use polytask_math::algebra::Cholesky;
use polytask_math::seed;
use polytask_model::config::Config;
use polytask_model::share;
use polytask_model::tasks::{Labels, Target};
use polytask_train::Prepared;
use rayon::prelude::*;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Dimensions after the projection.
const DIMENSIONS: usize = 96;
/// Rows of each part.
const ROWS: usize = 512;
/// Parts of the rows that judge apart.
const WITNESSES: usize = 4;
/// Ridge, as a share of the mean curvature.
const RIDGE: f64 = 0.1;

/// A task's loss about the joint model, in the projected parameters.
#[derive(Clone)]
struct Quadratic {
    loss: f64,
    slope: Vec<f64>,
    /// `DIMENSIONS x DIMENSIONS`
    curvature: Vec<f64>,
}

/// What the groups' models are estimated from.
struct Estimate {
    train: Vec<Quadratic>,
    valid: Vec<Quadratic>,
    /// Where the models of groups would be.
    solved: Mutex<HashMap<Set, Arc<Vec<f64>>>>,
}

/// What each task would gain in each group over learning alone, relative to its loss in the joint model; one estimate a
/// witness, each from rows of its own.
///
/// # Errors
/// The network cannot be built.
pub fn estimates(config: &Config, prepared: &Prepared, parameters: &Parameters) -> Result<Vec<Gain>, Error> {
    let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks))?;
    let split = &prepared.split;
    let mut train = epoch_order(&split.train, config.train.seed, 0);
    let mut valid = epoch_order(&split.valid, config.train.seed, 0);
    if valid.is_empty() {
        // Then the other half of the training rows judges.
        valid = train.split_off(train.len() / 2);
    }
    let seen = |mut rows: Vec<u32>, seed: u64| {
        rows.truncate(ROWS);
        look_at(&graph, prepared, parameters, &rows, seed)
    };
    let (train, valid) = (seen(train, 1)?, seen(valid, 2)?);
    let witness = |witness: usize| {
        let part = |looks: &[Seen]| {
            let own: Vec<&Seen> = looks.iter().skip(witness).step_by(WITNESSES).collect();
            (0..prepared.tasks.len()).map(|task| Quadratic::of(&own, task)).collect::<Vec<_>>()
        };
        let estimate = Estimate { train: part(&train), valid: part(&valid), solved: Mutex::default() };
        Gain::Groups(Arc::new(move |task, group| estimate.gain(task, group)))
    };
    Ok((0..WITNESSES).into_par_iter().map(witness).collect())
}

/// What one row shows: by task its loss, and the projected gradients towards its label and towards a drawn one. Nothing
/// without a label.
type Seen = Vec<Option<(f64, Vec<f32>, Vec<f32>)>>;

fn look_at(
    graph: &Graph,
    prepared: &Prepared,
    parameters: &Parameters,
    rows: &[u32],
    seed: u64,
) -> Result<Vec<Seen>, Error> {
    let which: Vec<usize> = (0..prepared.tasks.len()).collect();
    let data = &prepared.data;
    let device = prepared.device.alone();
    let mut predictor = device.predicting(graph, rows.len(), parameters)?;
    let outputs = data.with_batch(graph, &[], rows, |feed| predictor.predict(feed))?;
    let drawn = |(t, output): (usize, &TaskOutput)| {
        draw(&graph.losses()[t].kind, &data.labels[t], output, rows, Unit(seed << 32 | t as u64))
    };
    let drawn: Vec<Drawn> = outputs.tasks.iter().enumerate().map(drawn).collect();
    type Working = Result<(Box<dyn Session>, Jacobian), Unsupported>;
    let new = || Ok((device.gradients(graph, 1, Groups::separate(graph), parameters)?, Jacobian::default()));
    let one = |working: &mut Working, row: &u32| {
        let (session, jacobian) = working.as_mut().map_err(|error| error.clone())?;
        Ok(data.with_batch(graph, &which, &[*row], |feed| {
            let mut towards = |feed: &Batch<'_>| {
                let losses = session.forward_backward(feed, &vec![1.0; which.len()], 0);
                session.jacobian(jacobian);
                (losses, jacobian.rows.iter().map(|row| project(row)).collect::<Vec<_>>())
            };
            let (losses, slopes) = towards(feed);
            let other = feed.targets.iter().zip(&drawn);
            let targets: Vec<Aim<'_>> = other.map(|(aim, drawn)| Aim { labels: drawn.given(), ..*aim }).collect();
            let (_, towards_drawn) = towards(&Batch { targets: &targets, ..*feed });
            let pairs = slopes.into_iter().zip(towards_drawn);
            losses.into_iter().zip(pairs).map(|(loss, (slope, drawn))| Some((loss?, slope, drawn))).collect::<Seen>()
        })?)
    };
    rows.par_iter().map_init(new, one).collect()
}

/// Labels drawn around the model's predictions, for all rows of the data set.
enum Drawn {
    Real(Vec<f32>),
    Class(Vec<u32>),
}

impl Drawn {
    fn given(&self) -> Given<'_> {
        match self {
            Drawn::Real(values) => Given::Real(values),
            Drawn::Class(classes) => Given::Class(classes),
        }
    }
}

/// Labels that are drawn around the `output` for some rows.
fn draw(kind: &LossKind, labels: &Labels, output: &TaskOutput, rows: &[u32], mut unit: Unit) -> Drawn {
    let elements = |row: u32| match &labels.elements {
        Some(offsets) => offsets[row as usize] as usize..offsets[row as usize + 1] as usize,
        None => row as usize..row as usize + 1,
    };
    // Labels an element: several of pixels, and of arcs.
    let each = |known: usize| known / labels.weights.len().max(1);
    let places = rows.iter().map(|row| elements(*row)).enumerate();
    match &labels.target {
        Target::Real(known) => {
            let (mut values, each) = (known.clone(), each(known.len()));
            for (row, own) in places {
                let aims = &mut values[own.start * each..own.end * each];
                // One of several labels that is missing stays so.
                let there = aims.iter_mut().zip(output.prediction.of(row)).filter(|(aim, _)| !aim.is_nan());
                there.for_each(|(aim, f)| *aim = unit.real(kind, *f));
            }
            Drawn::Real(values)
        }
        Target::Class(known) => {
            let (mut classes, each) = (known.clone(), each(known.len()));
            for (row, own) in places {
                let aims = &mut classes[own.start * each..own.end * each];
                let scores = output.prediction.of(row);
                match &output.arc_labels {
                    Some(relations) => {
                        let heads = scores.chunks_exact(own.len().max(1));
                        let relations = relations.of(row).chunks_exact(relations.width().max(1));
                        for (aims, logits) in aims.chunks_exact_mut(each.max(1)).zip(heads.zip(relations)) {
                            aims.iter_mut().zip(<[&[f32]; 2]>::from(logits)).for_each(|(aim, z)| *aim = unit.class(z));
                        }
                    }
                    None => {
                        let logits = scores.chunks_exact((output.prediction.width() / each.max(1)).max(1));
                        aims.iter_mut().zip(logits).for_each(|(aim, logits)| *aim = unit.class(logits));
                    }
                }
            }
            Drawn::Class(classes)
        }
    }
}

/// A count sketch (Charikar et al. 2002): every parameter is added to one of the dimensions, with a sign.
fn project(gradient: &[f32]) -> Vec<f32> {
    let mut sketch = vec![0.0f32; DIMENSIONS];
    for (i, g) in gradient.iter().enumerate() {
        let bits = seed::nth(i as u64);
        let place = (bits >> 1) as usize % DIMENSIONS;
        sketch[place] += if bits & 1 == 0 { *g } else { -g };
    }
    sketch
}

/// Numbers in [0, 1).
struct Unit(u64);

impl Unit {
    fn next(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(seed::GAMMA);
        seed::unit(seed::nth(self.0))
    }

    /// A number around an output, with the mean and the variance that the loss takes it to have.
    fn real(&mut self, kind: &LossKind, output: f32) -> f32 {
        let sign = if self.next() < 0.5 { -1.0 } else { 1.0 };
        let deviation = |center: f32, square: f32| center + sign * square.sqrt();
        match kind {
            LossKind::BinaryCrossEntropy => {
                let p = 1.0 / (1.0 + (-output).exp());
                deviation(p, p * (1.0 - p))
            }
            LossKind::Poisson => deviation(output.exp(), output.exp()),
            LossKind::Mse
            | LossKind::Mae
            | LossKind::Huber { .. }
            | LossKind::CrossEntropy
            | LossKind::Crf { .. }
            | LossKind::Arcs { .. }
            | LossKind::Custom(_) => deviation(output, 0.5),
        }
    }

    /// A class by the softmax of its logits.
    fn class(&mut self, logits: &[f32]) -> u32 {
        let most = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let shares: Vec<f64> = logits.iter().map(|f| f64::from(f - most).exp()).collect();
        let mut left = self.next() * shares.iter().sum::<f64>();
        let class = shares.iter().position(|share| {
            left -= share;
            left <= 0.0
        });
        class.unwrap_or(0) as u32
    }
}

impl Quadratic {
    /// The mean over the rows that have a label.
    fn of(rows: &[&Seen], task: usize) -> Self {
        let known: Vec<_> = rows.iter().filter_map(|row| row[task].as_ref()).collect();
        let share = 1.0 / known.len().max(1) as f64;
        let mut all =
            Quadratic { loss: 0.0, slope: vec![0.0; DIMENSIONS], curvature: vec![0.0; DIMENSIONS * DIMENSIONS] };
        for (loss, slope, drawn) in known {
            all.loss += share * loss;
            all.slope.iter_mut().zip(slope).for_each(|(s, g)| *s += share * f64::from(*g));
            for (line, a) in all.curvature.chunks_mut(DIMENSIONS).zip(drawn) {
                line.iter_mut().zip(drawn).for_each(|(c, b)| *c += share * f64::from(*a) * f64::from(*b));
            }
        }
        all
    }

    fn at(&self, w: &[f64]) -> f64 {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(x, y)| x * y).sum::<f64>();
        let lines = self.curvature.chunks(DIMENSIONS).zip(w);
        self.loss + dot(&self.slope, w) + 0.5 * lines.map(|(line, x)| x * dot(line, w)).sum::<f64>()
    }
}

impl Estimate {
    fn gain(&self, task: usize, group: Set) -> f64 {
        let judge = &self.valid[task];
        let (alone, with) = (judge.at(&self.solve(1 << task)), judge.at(&self.solve(group)));
        if judge.loss > 0.0 { (alone - with) / judge.loss } else { 0.0 }
    }

    /// Where the sum of a group's quadratics is least.
    fn solve(&self, group: Set) -> Arc<Vec<f64>> {
        if let Some(known) = self.solved.lock().unwrap_or_else(PoisonError::into_inner).get(&group) {
            return Arc::clone(known);
        }
        let mut matrix = vec![0.0; DIMENSIONS * DIMENSIONS];
        let mut right = vec![0.0; DIMENSIONS];
        for task in members(group) {
            matrix.iter_mut().zip(&self.train[task].curvature).for_each(|(m, c)| *m += c);
            right.iter_mut().zip(&self.train[task].slope).for_each(|(r, s)| *r -= s);
        }
        let trace: f64 = (0..DIMENSIONS).map(|i| matrix[i * DIMENSIONS + i]).sum();
        let ridge = RIDGE * trace / DIMENSIONS as f64 + 1e-12;
        (0..DIMENSIONS).for_each(|i| matrix[i * DIMENSIONS + i] += ridge);
        // The ridge makes it definite. Where the numbers of a model that diverged do not, the group is where the model is.
        match Cholesky::whole(&matrix, DIMENSIONS, 0.0) {
            Some(factor) => factor.solve(&mut right),
            None => right.fill(0.0),
        }
        let found = Arc::new(right);
        self.solved.lock().unwrap_or_else(PoisonError::into_inner).insert(group, Arc::clone(&found));
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polytask_exec::Values;
    use polytask_graph::NodeId;
    use polytask_model::tasks::Truth;
    use polytask_train::prepare;

    #[test]
    fn projected_gradients_keep_their_lengths_and_angles_on_average() {
        // Products of 10,000 parameters: 10,000 and 0, give or take a few of their 10,000 / sqrt(DIMENSIONS).
        let (ones, turns): (Vec<f32>, Vec<f32>) =
            (0..10_000).map(|i| (1.0, if i % 2 == 0 { 1.0 } else { -1.0 })).unzip();
        let dot = |a: &[f32], b: &[f32]| project(a).iter().zip(project(b)).map(|(a, b)| a * b).sum::<f32>();
        for (a, b, product) in [(&ones, &ones, 10_000.0), (&turns, &turns, 10_000.0), (&ones, &turns, 0.0)] {
            assert!((dot(a, b) - product).abs() < 4000.0, "{} {product}", dot(a, b));
        }
    }

    #[test]
    fn tasks_that_pull_apart_lose_together_and_alike_ones_gain() {
        // In the first dimension task 0 wants 1, task 1 on few rows about 0.6 and in truth 1, task 2 wants -1.
        let quadratic = |wants: f64| {
            let mut q = Quadratic {
                loss: 0.5 * wants * wants + 0.1,
                slope: vec![0.0; DIMENSIONS],
                curvature: vec![0.0; DIMENSIONS * DIMENSIONS],
            };
            (q.slope[0], q.curvature[0]) = (-wants, 1.0);
            q
        };
        let estimate = Estimate {
            train: [1.0, 0.6, -1.0].map(quadratic).to_vec(),
            valid: [1.0, 1.0, -1.0].map(quadratic).to_vec(),
            solved: Mutex::default(),
        };
        assert!(estimate.gain(1, 0b011) > 0.05, "{}", estimate.gain(1, 0b011));
        assert!(estimate.gain(0, 0b101) < -0.5 && estimate.gain(2, 0b101) < -0.5);
        assert_eq!(estimate.gain(0, 0b001), 0.0);
    }

    /// Sentences with trees and parts of speech, told apart by the tokens.
    fn sentences(folder: &std::path::Path) {
        let row = |i: usize| {
            let tokens: Vec<String> = (0..2 + i % 4).map(|t| ["a", "b", "c"][(i * 7 + t * t) % 3].to_owned()).collect();
            let upos: Vec<&str> = tokens.iter().map(|token| if token == "a" { "X" } else { "Y" }).collect();
            let relations: Vec<&str> = (0..tokens.len()).map(|t| ["root", "obj", "det"][(t + i * t) % 3]).collect();
            let heads: Vec<usize> = (0..tokens.len()).collect();
            format!(
                "{}\n",
                serde_json::json!({ "tokens": tokens, "upos": upos, "head": heads, "deprel": relations, "size": i % 7 })
            )
        };
        let text: String = (0..48).map(row).collect();
        std::fs::write(folder.join("data.jsonl"), text).unwrap();
    }

    #[test]
    fn dependency_trees_are_estimated_beside_other_tasks() {
        let folder = tempfile::tempdir().unwrap();
        sentences(folder.path());
        let text = "[data]\npath = \"data.jsonl\"\nsplit = { valid = 0.25, test = 0 }\n[inputs]\n\
                    tokens = { kind = \"text\", embedding = 4, min_count = 1 }\n[tasks.tree]\nkind = \"arcs\"\nwidth = 4\n\
                    [tasks.upos]\nkind = \"token_category\"\n[tasks.size]\nkind = \"regression\"\n[model]\n\
                    text = { width = 8, layers = 1 }\n";
        let config = Config::from_toml(text, folder.path().join("config.toml").to_str().unwrap()).unwrap();
        let prepared = prepare(&config).unwrap();
        let graph = share::build(&config.design(&prepared.encoder, &prepared.tasks)).unwrap();
        let gains = estimates(&config, &prepared, &Parameters::init(&graph, 3)).unwrap();
        for gain in &gains {
            for task in 0..3 {
                let gain = gain.of(task, 0b111);
                assert!(gain.is_finite() && gain != 0.0, "task {task}: {gain}");
            }
        }
    }

    #[test]
    fn labels_of_trees_are_drawn_within_their_sentences() {
        let (counts, relations) = ([3, 1, 2], 4);
        let mut output = TaskOutput {
            prediction: Values::of_elements(1, counts.iter().map(|n| n * n)),
            arc_labels: Some(Values::of_elements(relations, counts.into_iter())),
            transitions: None,
        };
        // Every token's head is the last one of its sentence, its relation the number of tokens.
        for n in counts {
            for i in 0..n * n {
                output.prediction.extend(&[if i % n == n - 1 { 100.0 } else { 0.0 }]);
            }
            for _ in 0..n {
                let logits: Vec<f32> = (0..relations).map(|r| if r == n { 100.0 } else { 0.0 }).collect();
                output.arc_labels.as_mut().unwrap().extend(&logits);
            }
        }
        let truth = Truth::Arcs { offsets: vec![0, 3, 4, 6], heads: vec![0; 6], relations: vec![0; 6] };
        let mut labels = Labels::new(Target::Class(vec![0; 12]), truth, vec![1.0; 6]);
        labels.elements = Some(vec![0, 3, 4, 6]);
        let kind = LossKind::Arcs { labels: NodeId(0) };
        let Drawn::Class(drawn) = draw(&kind, &labels, &output, &[0, 1, 2], Unit(1)) else { panic!("classes") };
        assert_eq!(drawn, [2, 3, 2, 3, 2, 3, 0, 1, 1, 2, 1, 2]);
    }
}
