//! The arguments of predicates and their roles.

use super::bio::{OUTSIDE, TagSet};
use super::domains::{AT, DISTANCES, FAR};
use super::frames;
use super::labels::{LabelColumn, Labels, Target, Truth};
use super::{Layout, Outcome, Prediction, Site, TaskError, WIDEST};
use crate::metric::{self, Better, Metrics};
use crate::section::{TaskConfig, TaskLoss};
use polytask_data::Hint;
use polytask_data::text::{Argument, Frame, Span};
use polytask_exec::TaskOutput;
use polytask_graph::{Activation, GraphBuilder, IndexColumn, LossKind, NodeId};
use serde::{Deserialize, Serialize};

/// Predicts for every predicate a tag for each token of its sentence. The sentence is encoded once; what is read of a token
/// beside a predicate is the token, the predicate and how far apart they are, then the tokens around it by LSTMs over the
/// sentence of that predicate.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Roles {
    /// What the tags are: `B-ARG0`, ...
    #[serde(flatten)]
    pub set: TagSet,
    /// Features of a token beside a predicate.
    pub width: usize,
    /// Layers of LSTMs.
    pub layers: usize,
}

/// Layers of LSTMs at most, in a model that was read.
const DEEPEST: usize = 64;

/// The arguments of a frame as spans.
fn spans(frame: &Frame) -> Vec<Span> {
    let span = |a: &Argument| Span { first: a.first, last: a.last, label: a.role.clone() };
    frame.arguments.iter().map(span).collect()
}

impl Roles {
    pub(super) fn fit(source: &LabelColumn, config: &TaskConfig, rows: &[u32]) -> Result<Self, TaskError> {
        let (sentences, frames) = (source.sentences()?, frames::read(source)?);
        let of = |(row, frames): (usize, &[Frame])| {
            frames.iter().map(|frame| (sentences.len(row), spans(frame))).collect::<Vec<_>>()
        };
        let all: Vec<(usize, Vec<Span>)> = frames::of_rows(&frames, rows).flat_map(of).collect();
        let sequences = all.iter().map(|(tokens, spans)| (*tokens, spans.as_slice()));
        let set = TagSet::fit(source, config, TaskLoss::Crf, sequences)?;
        Ok(Roles { set, width: config.width.unwrap_or(128), layers: config.layers.unwrap_or(1) })
    }
}

impl Outcome for Roles {
    fn width(&self) -> usize {
        self.set.width()
    }

    fn loss(&self) -> LossKind {
        LossKind::CrossEntropy
    }

    fn output(&self, g: &mut GraphBuilder, site: &Site<'_>, h: NodeId) -> NodeId {
        let (at, distances) = (site.input(g, AT), site.input(g, DISTANCES));
        let pairs = g.domain(distances);
        let predicate = g.named(site.name("predicate.gather")).gather(h, at, 0);
        let predicate = g.named(site.name("predicate")).dense(predicate, self.width, Activation::Linear);
        let token = g.named(site.name("token")).dense(h, self.width, Activation::Linear);
        let column = IndexColumn { column: 0, levels: 2 * FAR + 1 };
        let parts = [
            g.named(site.name("predicate.spread")).spread(predicate, pairs),
            g.named(site.name("token.spread")).spread_over(token, pairs),
            g.named(site.name("distance")).sparse_embedding(distances, column, self.width),
        ];
        let sum = g.named(site.name("pair.sum")).add(&parts);
        let x = g.named(site.name("pair")).activation(sum, Activation::Relu);
        let mut x = site.drop(g, "pair", x);
        for layer in 0..self.layers {
            let name = format!("lstm.{layer}");
            let around = g.named(site.name(&name)).bilstm(x, self.width / 2);
            let around = site.drop(g, &name, around);
            x = g.named(site.name(&format!("{name}.sum"))).add(&[x, around]);
        }
        site.output(g, x, self.set.width())
    }

    fn attach(&self, g: &mut GraphBuilder, site: &Site<'_>, output: NodeId) {
        self.set.attach(g, site, output);
    }

    fn initial_bias(&self) -> Vec<f32> {
        self.set.initial_bias()
    }

    fn hint(&self) -> Hint {
        Hint::Text
    }

    fn labels(&self, source: &LabelColumn) -> Result<Labels, TaskError> {
        let (sentences, frames) = (source.sentences()?, frames::read(source)?);
        let (index, mut target, mut weights, mut offsets) = (self.set.index(), Vec::new(), Vec::new(), vec![0]);
        for (row, frames) in frames.iter().enumerate() {
            for frame in frames.iter().flatten() {
                let start = target.len();
                target.resize(start + sentences.len(row), OUTSIDE);
                weights.resize(target.len(), 0.0);
                self.set.write(&index, &spans(frame), &mut target[start..], &mut weights[start..]);
            }
            offsets.push(target.len() as u32);
        }
        let mut labels = Labels::new(Target::Class(target), Truth::Frames(frames::read_whole(source)?), weights);
        labels.elements = Some(offsets);
        Ok(labels)
    }

    fn predict(&self, output: &TaskOutput, layout: &Layout) -> Prediction {
        let decoder = self.set.decoder(output);
        let scores = &output.prediction;
        let of = |row| {
            let decode = |(predicate, scores): (&super::Place, &[f32])| {
                let argument = |span: Span| Argument { role: span.label, first: span.first, last: span.last };
                predicate.frame(decoder(scores).into_iter().map(argument).collect())
            };
            let each = scores.of(row).chunks_exact((layout.tokens(row) * scores.width()).max(1));
            layout.predicates(row).iter().zip(each).map(decode).collect()
        };
        Prediction::Frames((0..scores.rows()).map(of).collect())
    }

    fn constant(&self, rows: usize) -> Prediction {
        Prediction::Frames(vec![Vec::new(); rows])
    }

    fn score(&self, truth: &Truth, prediction: &Prediction) -> Metrics {
        metric::frames::arguments(frames::pairs(truth, prediction))
    }

    fn primary(&self) -> (&'static str, Better) {
        ("f1", Better::Higher)
    }

    fn check(&self) -> Result<(), String> {
        match (2..=WIDEST).contains(&self.width) && self.width.is_multiple_of(2) && self.layers <= DEEPEST {
            true => self.set.check(),
            false => Err(format!("a width of {} and {} layers", self.width, self.layers)),
        }
    }
}
