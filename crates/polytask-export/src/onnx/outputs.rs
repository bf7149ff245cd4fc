//! What comes out: predictions in the person's units, one or two values a task.

use super::emit::Emit;
use super::writer::{Setting, Writer};
use crate::array::{Axis, Type};
use crate::error::{ExportError, Refusal};
use crate::spec::Output;
use polytask::tasks::{Decision, Kind, Regression, Task};
use polytask_graph::{DomainId, Loss, NodeId};

/// A value that comes out.
struct Result<'a> {
    /// Behind the task's name, with a dot; empty for the prediction itself.
    part: &'a str,
    value: String,
    kind: Type,
    /// The axes behind those of the rows or elements.
    behind: Vec<usize>,
    words: &'a str,
}

impl Emit<'_> {
    /// Declares the predictions of all tasks.
    pub fn outputs(&mut self) -> std::result::Result<Vec<Output>, ExportError> {
        let mut outputs = Vec::new();
        for (task, loss) in self.model.tasks.iter().zip(self.graph.losses()) {
            self.w.scope(&task.name);
            let results = self.results(task, loss).map_err(|r| r.of_task(&task.name, "onnx"))?;
            for (result, node) in results.into_iter().zip(loss.nodes().chain(std::iter::repeat(loss.prediction))) {
                // A second value lies with the first, but for that of another node.
                let mut axes = self.axes(self.graph.node(node).domain);
                axes.extend(result.behind.into_iter().map(Axis::Fixed));
                let wanted = match result.part {
                    "" => task.name.clone(),
                    part => format!("{}.{part}", task.name),
                };
                let name = self.w.output(&wanted, &result.value, result.kind, &axes, result.words);
                outputs.push(Output::new(&task.name, name, result.kind, &axes, result.words));
            }
        }
        Ok(outputs)
    }

    /// Declares what averages of predictions come to, `[batch, width]` in f64, one a task.
    pub fn predictions(&mut self, predicted: &[Option<String>]) -> std::result::Result<Vec<Output>, ExportError> {
        let mut outputs = Vec::new();
        for (task, predicted) in self.model.tasks.iter().zip(predicted) {
            self.w.scope(&task.name);
            for result in self.of_prediction(task, predicted.as_deref().unwrap_or_default()) {
                let mut axes: Vec<Axis> = vec!["batch".into()];
                axes.extend(result.behind.into_iter().map(Axis::Fixed));
                let wanted = match result.part {
                    "" => task.name.clone(),
                    part => format!("{}.{part}", task.name),
                };
                let name = self.w.output(&wanted, &result.value, result.kind, &axes, result.words);
                outputs.push(Output::new(&task.name, name, result.kind, &axes, result.words));
            }
        }
        Ok(outputs)
    }

    fn of_prediction<'w>(&mut self, task: &Task, predicted: &str) -> Vec<Result<'w>> {
        let alone =
            |value: String, words| vec![Result { part: "", value, kind: Type::Float, behind: Vec::new(), words }];
        match &task.kind {
            Kind::Regression(regression) => {
                let y = self.quantity(regression, predicted);
                alone(self.number(&y), "in the units of the column")
            }
            Kind::Count(_) => alone(self.number(predicted), "the expected count"),
            Kind::Binary(binary) => {
                let predicted = self.calibrated_odds(predicted, &binary.decision);
                let one = self.w.doubles(&[], &[1.0]);
                let other = self.w.op("Sub", &[&one, &predicted]);
                let both = self.w.concat(&[other, predicted], -1);
                let probabilities = self.w.cast(&both, Type::Float);
                self.classes(&binary.classes.labels, probabilities, &binary.decision)
            }
            Kind::Category(category) => {
                let predicted = self.calibrated_shares(predicted, &category.decision);
                let probabilities = self.w.cast(&predicted, Type::Float);
                self.classes(&category.classes.labels, probabilities, &category.decision)
            }
            Kind::Multilabel(multilabel) => {
                let predicted = self.calibrated_odds(predicted, &multilabel.decision);
                let probabilities = self.w.cast(&predicted, Type::Float);
                self.flags(multilabel.labels.len(), probabilities, &multilabel.decision)
            }
            Kind::Ordinal(ordinal) => {
                let above = self.w.cast(predicted, Type::Float);
                self.in_order(&ordinal.classes.labels, &above)
            }
            Kind::Survival(survival) => {
                let hazards = self.w.cast(predicted, Type::Float);
                self.survival(&survival.times, &hazards)
            }
            // No table has such a task.
            Kind::Tags(_)
            | Kind::TokenCategory(_)
            | Kind::Predicates(_)
            | Kind::Senses(_)
            | Kind::Roles(_)
            | Kind::Arcs(_)
            | Kind::Segmentation(_)
            | Kind::PixelRegression(_)
            | Kind::Own(_) => Vec::new(),
        }
    }

    /// Which labels are said, and how likely each is.
    fn flags<'w>(&mut self, labels: usize, probabilities: String, decision: &Decision) -> Vec<Result<'w>> {
        let there = self.said_labels(&probabilities, labels, decision);
        let behind = vec![labels];
        let words = match decision.thresholds.is_empty() {
            true => "which labels are likelier than not",
            false => "which labels are said",
        };
        vec![
            Result { part: "", value: there, kind: Type::Bool, behind: behind.clone(), words },
            Result { part: "probabilities", value: probabilities, kind: Type::Float, behind, words: "of the labels" },
        ]
    }

    fn results<'w>(&mut self, task: &Task, loss: &Loss) -> std::result::Result<Vec<Result<'w>>, Refusal> {
        let (mut raw, domain) = (self.plain(loss.prediction), self.graph.node(loss.prediction).domain);
        if let Some([height, width]) = task.outcome().pixels() {
            // A class's logits stand behind the places of the pixels.
            let shape = [height, width, task.outcome().width()].map(|axis| axis as i64);
            raw = self.w.reshape(&raw, &[&[0], &shape[..]].concat());
        }
        let alone =
            |value: String, words| vec![Result { part: "", value, kind: Type::Float, behind: Vec::new(), words }];
        Ok(match &task.kind {
            Kind::Regression(regression) => {
                let (y, words) = (self.quantity(regression, &raw), "in the units of the column");
                let (shift, scale) = regression.scaling();
                // Single precision has no room for how such labels differ.
                match shift.abs() > FAR * scale {
                    true => {
                        let value = self.w.squeeze(&y, &[-1]);
                        vec![Result { part: "", value, kind: Type::Double, behind: Vec::new(), words }]
                    }
                    false => alone(self.number(&y), words),
                }
            }
            Kind::Count(_) => {
                let z = self.w.cast(&raw, Type::Double);
                let rate = self.w.op("Exp", &[&z]);
                alone(self.number(&rate), "the expected count")
            }
            Kind::Binary(binary) => {
                let raw = self.calibrated(&raw, &binary.decision);
                let other = self.w.op("Neg", &[&raw]);
                let both = self.w.concat(&[other, raw], -1);
                let probabilities = self.w.op("Sigmoid", &[&both]);
                self.classes(&binary.classes.labels, probabilities, &binary.decision)
            }
            Kind::Category(category) => {
                let raw = self.calibrated(&raw, &category.decision);
                let probabilities = self.w.op_with("Softmax", &[&raw], vec![("axis", Setting::Int(-1))]);
                self.classes(&category.classes.labels, probabilities, &category.decision)
            }
            Kind::Multilabel(multilabel) => {
                let raw = self.calibrated(&raw, &multilabel.decision);
                let probabilities = self.w.op("Sigmoid", &[&raw]);
                self.flags(multilabel.labels.len(), probabilities, &multilabel.decision)
            }
            Kind::Ordinal(ordinal) => {
                let above = self.w.op("Sigmoid", &[&raw]);
                self.in_order(&ordinal.classes.labels, &above)
            }
            Kind::Survival(survival) => {
                let hazards = self.w.op("Sigmoid", &[&raw]);
                self.survival(&survival.times, &hazards)
            }
            Kind::TokenCategory(category) => {
                let best = self.argmax(&raw, -1);
                let value = self.labels(&category.classes.labels, &best);
                let value = self.where_there(&value, domain)?;
                let words = "the class of every token, empty beyond the last";
                vec![Result { part: "", value, kind: Type::String, behind: Vec::new(), words }]
            }
            Kind::Tags(tags) => {
                let learnt = loss.parameter().map_or(&[][..], |transitions| self.values(transitions));
                let best = self.decode(&task.name, tags.set.rules(learnt), &raw, domain)?;
                let value = self.labels(&tags.set.tags(), &best);
                let value = self.where_there(&value, domain)?;
                let words = "the tag of every token, empty beyond the last";
                vec![Result { part: "", value, kind: Type::String, behind: Vec::new(), words }]
            }
            Kind::Segmentation(segmentation) => {
                let labels = &segmentation.classes.labels;
                let probabilities = self.w.op_with("Softmax", &[&raw], vec![("axis", Setting::Int(-1))]);
                self.classes_of(segmentation.canvas.size().to_vec(), labels, probabilities, None)
            }
            Kind::PixelRegression(pixels) => {
                let y = self.quantity(&pixels.quantity, &raw);
                let (value, behind) = (self.number(&y), pixels.canvas.size().to_vec());
                vec![Result {
                    part: "",
                    value,
                    kind: Type::Float,
                    behind,
                    words: "of every pixel, in the units of the labels",
                }]
            }
            // Which predicates there are, and the best tree, are sought outside of the network.
            Kind::Predicates(_) | Kind::Senses(_) | Kind::Roles(_) | Kind::Arcs(_) | Kind::Own(_) => {
                let parts = ["scores", "labels"].into_iter().zip(loss.nodes().collect::<Vec<_>>());
                let words = "what the network says, to be decoded";
                let score = |(part, node): (&'static str, NodeId)| Result {
                    part,
                    value: self.plain(node),
                    kind: Type::Float,
                    behind: vec![self.graph.node(node).shape.width()],
                    words,
                };
                parts.map(score).collect()
            }
        })
    }

    fn number(&mut self, y: &str) -> String {
        let y = self.w.cast(y, Type::Float);
        self.w.squeeze(&y, &[-1])
    }

    /// Numbers as the column has them, in f64.
    fn quantity(&mut self, regression: &Regression, raw: &str) -> String {
        let (shift, scale) = regression.scaling();
        let z = self.w.cast(raw, Type::Double);
        let (scale, shift) = (self.w.doubles(&[], &[scale]), self.w.doubles(&[], &[shift]));
        let y = self.w.op("Mul", &[&z, &scale]);
        self.w.op("Add", &[&y, &shift])
    }

    fn classes<'w>(&mut self, labels: &[String], probabilities: String, decision: &Decision) -> Vec<Result<'w>> {
        let said = self.above_threshold(&probabilities, decision);
        self.classes_of(Vec::new(), labels, probabilities, said)
    }

    /// The class at each place of some axes, the likeliest where nothing else is `said`, and the probabilities of all.
    fn classes_of<'w>(
        &mut self,
        places: Vec<usize>,
        labels: &[String],
        probabilities: String,
        said: Option<String>,
    ) -> Vec<Result<'w>> {
        let words = if said.is_some() { "the class that is said" } else { "the likeliest class" };
        let said = said.unwrap_or_else(|| self.argmax(&probabilities, -1));
        let value = self.labels(labels, &said);
        let behind = [&places[..], &[labels.len()]].concat();
        vec![
            Result { part: "", value, kind: Type::String, behind: places, words },
            Result { part: "probabilities", value: probabilities, kind: Type::Float, behind, words: "of the classes" },
        ]
    }

    /// Classes in an order, from the probabilities of being above each but the last, `[.., classes - 1]`.
    fn in_order<'w>(&mut self, labels: &[String], above: &str) -> Vec<Result<'w>> {
        let (probabilities, said) = self.of_steps(above, labels.len());
        self.classes_of(Vec::new(), labels, probabilities, Some(said))
    }

    /// The expected time, and the shares that the event has not come to, from the hazards of the intervals.
    fn survival<'w>(&mut self, times: &[f64], hazards: &str) -> Vec<Result<'w>> {
        let (alive, expected) = self.of_hazards(hazards, times);
        let value = self.w.squeeze(&expected, &[-1]);
        let (behind, words) = (vec![times.len()], "that the event has not come by each of the times");
        let when = "the expected time, at most the last of the times";
        vec![
            Result { part: "", value, kind: Type::Float, behind: Vec::new(), words: when },
            Result { part: "probabilities", value: alive, kind: Type::Float, behind, words },
        ]
    }

    fn argmax(&mut self, x: &str, axis: i64) -> String {
        argmax(&mut self.w, x, axis)
    }

    /// The words for indices.
    fn labels(&mut self, labels: &[String], indices: &str) -> String {
        let labels = self.w.words(labels);
        self.w.op_with("Gather", &[&labels, indices], vec![("axis", Setting::Int(0))])
    }

    /// Words, empty where there is no element.
    fn where_there(&mut self, words: &str, domain: DomainId) -> std::result::Result<String, Refusal> {
        let (mask, nothing) = (self.mask(domain)?, self.w.words(&[String::new()]));
        Ok(self.w.op("Where", &[&mask, words, &nothing]))
    }

    /// The best sequence of tags (Viterbi 1967): a scan along the tokens that keeps for every tag where it was best
    /// reached from, and one back along that.
    fn decode(
        &mut self,
        task: &str,
        (start, steps): (Vec<f32>, Vec<f32>),
        scores: &str,
        domain: DomainId,
    ) -> std::result::Result<String, Refusal> {
        if self.rank(domain) != 2 {
            return Err(Refusal::new("its tokens lie in nested sequences"));
        }
        let count = start.len();
        let mask = self.mask(domain)?;
        let start = self.w.floats(&[count], &start);
        let first = self.w.take(scores, 1, 0);
        let first = self.w.op("Add", &[&first, &start]);
        // A token that is not there comes behind the last, so that a text of one token is scanned along something.
        let (later, filler) = (self.w.slice(scores, 1, 1, i64::MAX), self.w.slice(scores, 1, 0, 1));
        let later = self.w.concat(&[later, filler], 1);
        let (there, one) = (self.w.slice(&mask, 1, 1, i64::MAX), self.w.slice(&mask, 1, 0, 1));
        let none = self.w.op("Xor", &[&one, &one]);
        let there = self.w.concat(&[there, none], 1);
        let forward = forward(task, count, &steps);
        let along = vec![
            ("body", Setting::Body(forward)),
            ("num_scan_inputs", Setting::Int(2)),
            ("scan_input_axes", Setting::Ints(vec![1, 1])),
        ];
        let ends = self.w.op_many("Scan", &[&first, &later, &there], along, 2);
        let last = self.argmax(&ends[0], -1);
        let back = vec![
            ("body", Setting::Body(backward(task, count))),
            ("num_scan_inputs", Setting::Int(1)),
            ("scan_input_directions", Setting::Ints(vec![1])),
            ("scan_output_directions", Setting::Ints(vec![1])),
            ("scan_output_axes", Setting::Ints(vec![1])),
        ];
        // The token behind the last keeps its tag.
        Ok(self.w.op_many("Scan", &[&last, &ends[1]], back, 2).swap_remove(1))
    }
}

/// How many deviations labels may lie from zero to be told apart in single precision.
const FAR: f64 = 1000.0;

fn argmax(w: &mut Writer, x: &str, axis: i64) -> String {
    w.op_with("ArgMax", &[x], vec![("axis", Setting::Int(axis)), ("keepdims", Setting::Int(0))])
}

/// `best` of each tag so far, the `token`'s scores, and whether it is `there`: the best with it, and where from. Beyond the
/// end all stays as it is.
fn forward(task: &str, count: usize, steps: &[f32]) -> super::proto::Graph {
    let mut w = Writer::default();
    w.scope(format!("{task}/forward"));
    let name = |part: &str| format!("{task}/forward/{part}");
    let batch = || Axis::from("batch");
    let best = w.input(&name("best"), Type::Float, &[batch(), count.into()], "");
    let token = w.input(&name("token"), Type::Float, &[batch(), count.into()], "");
    let there = w.input(&name("there"), Type::Bool, &[batch()], "");
    let steps = w.floats(&[count, count], steps);
    let own = w.longs(&(0..count as i64).collect::<Vec<i64>>());
    let before = w.unsqueeze(&best, &[-1]);
    let reach = w.op("Add", &[&before, &steps]);
    let axes = w.longs(&[1]);
    let top = w.op_with("ReduceMax", &[&reach, &axes], vec![("keepdims", Setting::Int(0))]);
    let from = argmax(&mut w, &reach, 1);
    let next = w.op("Add", &[&top, &token]);
    let there = w.unsqueeze(&there, &[-1]);
    let (next, from) = (w.op("Where", &[&there, &next, &best]), w.op("Where", &[&there, &from, &own]));
    w.output(&name("next"), &next, Type::Float, &[batch(), count.into()], "");
    w.output(&name("from"), &from, Type::Long, &[batch(), count.into()], "");
    w.finish(&name("body"))
}

/// The tag before each: what it was reached from.
fn backward(task: &str, count: usize) -> super::proto::Graph {
    let mut w = Writer::default();
    w.scope(format!("{task}/backward"));
    let name = |part: &str| format!("{task}/backward/{part}");
    let batch = || Axis::from("batch");
    let tag = w.input(&name("tag"), Type::Long, &[batch()], "");
    let from = w.input(&name("from"), Type::Long, &[batch(), count.into()], "");
    let at = w.unsqueeze(&tag, &[-1]);
    let before = w.op_with("GatherElements", &[&from, &at], vec![("axis", Setting::Int(1))]);
    let before = w.squeeze(&before, &[-1]);
    w.output(&name("before"), &before, Type::Long, &[batch()], "");
    w.output(&name("path"), &before, Type::Long, &[batch()], "");
    w.finish(&name("body"))
}
