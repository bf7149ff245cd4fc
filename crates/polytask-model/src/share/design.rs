//! What an architecture builds from: the inputs, the stages of a trunk, the heads.

use super::ModelConfig;
use super::{dependent, linear};
use crate::inputs::{Encoder, Inputs, text};
use crate::section::{Along, ImageLayer, Layer};
use crate::structure;
use crate::tasks::{Site, Task};
use indexmap::IndexMap;
use polytask_graph::{Activation, GraphBuilder, LossId, NodeId};
use std::borrow::Cow;

/// The network that a config describes for given inputs and tasks.
pub struct Design<'a> {
    pub(super) config: &'a ModelConfig,
    /// Its layers.
    trunk: Cow<'a, [Layer]>,
    encoder: &'a Encoder,
    pub(super) tasks: &'a [Task],
    /// Widths of the hidden layers of each task's head.
    pub(super) heads: Vec<&'a [usize]>,
}

impl<'a> Design<'a> {
    /// The network that a config describes for these inputs and tasks.
    /// `heads` are the widths of the hidden layers of each task's head.
    pub fn new(config: &'a ModelConfig, heads: Vec<&'a [usize]>, encoder: &'a Encoder, tasks: &'a [Task]) -> Self {
        Design { config, trunk: config.trunk.layers(), encoder, tasks, heads }
    }

    /// Number of tasks.
    pub fn tasks(&self) -> usize {
        self.tasks.len()
    }

    /// A task.
    pub fn task(&self, task: usize) -> &Task {
        &self.tasks[task]
    }

    /// The names of the tasks.
    pub fn names(&self) -> Vec<&str> {
        self.tasks.iter().map(|task| task.name.as_str()).collect()
    }

    /// What each of the tasks follows, of those that the model has, and an order in which all come after what they
    /// follow. The config's check has refused circles.
    pub fn plan(&self, after: Option<&IndexMap<String, Vec<String>>>) -> (IndexMap<String, Vec<String>>, Vec<usize>) {
        let names = self.names();
        let there = |name: &String| names.contains(&name.as_str());
        let pruned: Option<IndexMap<String, Vec<String>>> = after.map(|after| {
            let own = after.iter().filter(|(task, _)| there(task));
            own.map(|(task, sources)| (task.clone(), sources.iter().filter(|s| there(s)).cloned().collect())).collect()
        });
        dependent::plan(pruned.as_ref(), &names).unwrap_or_default()
    }

    /// Where a task of this name stands, if the model has it.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.tasks.iter().position(|task| task.name == name)
    }

    /// Whether a task's head has hidden layers.
    pub fn has_tower(&self, task: usize) -> bool {
        !self.heads[task].is_empty()
    }

    /// What the names of a task's own layers begin with, `tasks.NAME.`.
    pub fn own(&self, task: usize) -> String {
        format!("tasks.{}.", self.tasks[task].name)
    }

    /// [`own`](Self::own) of every task.
    pub fn owners(&self) -> Vec<String> {
        (0..self.tasks()).map(|task| self.own(task)).collect()
    }

    /// Adds the inputs, once a graph.
    pub fn inputs(&self, g: &mut GraphBuilder) -> Inputs {
        let inputs = self.encoder.inputs(g);
        if let Some(column) = &self.encoder.tokens {
            structure::add_inputs(g, self.tasks, column);
        }
        inputs
    }

    /// Adds the features that the inputs give; each prefix has embeddings of its own.
    pub fn embed(&self, g: &mut GraphBuilder, inputs: Inputs, prefix: &str) -> NodeId {
        let image = matches!(self.trunk.first(), Some(Layer::Image(_)));
        let x = self.encoder.embed(g, inputs, prefix, &self.config.numbers, &self.config.text, image);
        match self.config.members > 1 && g.shape(x).image().is_none() {
            true => self.members(g, prefix, x),
            false => x,
        }
    }

    /// Adds the features that the inputs give, every category one-hot, however many levels it has.
    pub fn one_hot(&self, g: &mut GraphBuilder, inputs: Inputs) -> NodeId {
        self.encoder.one_hot(g, inputs)
    }

    /// Why a linear model cannot take the inputs and tasks; none where it can.
    pub fn unfit_for_linear(&self) -> Option<String> {
        linear::unfit(self.encoder)
    }

    /// Number of stages of a trunk.
    pub fn depth(&self) -> usize {
        self.trunk.len()
    }

    /// Stage `i` of a trunk, named `{name}.{i}`.
    pub fn stage(&self, g: &mut GraphBuilder, name: &str, i: usize, x: NodeId) -> NodeId {
        let name = format!("{name}.{i}");
        match &self.trunk[i] {
            Layer::Dense(width) => self.layer(g, &name, x, *width),
            Layer::Image(layer) => self.image_layer(g, &name, layer, x),
            Layer::Sequence(layer) => match layer.along() {
                Some(along) => {
                    let h = text::layer(g, &name, along, x, self.config.dropout as f32);
                    let over = i + 1 == self.depth() || !matches!(self.trunk[i + 1], Layer::Sequence(_));
                    // A transformer's sums are not normalised but by the next one.
                    match over && matches!(along, Along::Transformer { .. }) {
                        true => g.named(format!("{name}.norm")).layer_norm(h),
                        false => h,
                    }
                }
                None => x,
            },
        }
    }

    /// A whole trunk: its stages `{name}.0`, `{name}.1`, ...
    pub fn trunk(&self, g: &mut GraphBuilder, name: &str, x: NodeId) -> NodeId {
        (0..self.depth()).fold(x, |h, i| self.stage(g, name, i, h))
    }

    /// Hidden layers of the given widths, called `{name}.0`, `{name}.1`, ...
    pub fn layers(&self, g: &mut GraphBuilder, name: &str, x: NodeId, widths: &[usize]) -> NodeId {
        widths.iter().enumerate().fold(x, |h, (i, &width)| self.layer(g, &format!("{name}.{i}"), h, width))
    }

    /// A hidden layer: dense, then layer norm if the config asks for it, activation and dropout.
    fn layer(&self, g: &mut GraphBuilder, name: &str, x: NodeId, width: usize) -> NodeId {
        match self.is_apart(g, x) {
            true => self.pointwise(g, name, x, width),
            false => self.activated(g, name, |g, activation| g.dense(x, width, activation)),
        }
    }

    /// A hidden layer of this width that works on every pixel of an image alone, or on plain features.
    pub fn pointwise(&self, g: &mut GraphBuilder, name: &str, x: NodeId, width: usize) -> NodeId {
        match g.shape(x).image() {
            Some(_) => {
                let layer = ImageLayer { conv: Some(width), size: Some(1), ..ImageLayer::default() };
                self.image_layer(g, name, &layer, x)
            }
            None => self.layer(g, name, x, width),
        }
    }

    /// What `make(g, activation)` adds, called `name`, as a hidden layer: with the config's layer norm, activation and
    /// dropout.
    pub fn activated(
        &self,
        g: &mut GraphBuilder,
        name: &str,
        make: impl FnOnce(&mut GraphBuilder, Activation) -> NodeId,
    ) -> NodeId {
        let activation = Activation::from(self.config.activation);
        g.named(name);
        let h = match self.config.layer_norm {
            false => make(g, activation),
            true => {
                let sum = make(g, Activation::Linear);
                let image = g.shape(sum).image().is_some();
                g.named(format!("{name}.norm"));
                match image {
                    true => g.group_norm(sum, 1, activation),
                    false => {
                        let normal = g.layer_norm(sum);
                        g.named(format!("{name}.activation")).activation(normal, activation)
                    }
                }
            }
        };
        g.named(format!("{name}.dropout")).dropout(h, self.config.dropout as f32)
    }

    /// The hidden layers of a task's head on what it reads of `h`, see [`seen`](Self::seen).
    pub fn tower(&self, g: &mut GraphBuilder, task: usize, h: NodeId) -> NodeId {
        let h = self.seen(g, task, h);
        self.hidden(g, task, h)
    }

    /// What a task's head reads of a representation: a task that labels rows sees the tokens of each as one, and of an image
    /// the mean of every channel, `heads.{task}.pool`; one that labels pixels sees the image.
    pub fn seen(&self, g: &mut GraphBuilder, task: usize, h: NodeId) -> NodeId {
        let name = format!("heads.{}", self.tasks[task].name);
        if self.tasks[task].outcome().pixels().is_some() || self.is_apart(g, h) {
            return h;
        }
        let h = match self.encoder.tokens.is_some() && self.tasks[task].over.is_none() {
            true => text::pool(g, h, &name, self.config.text.pool),
            false => h,
        };
        match g.shape(h).image() {
            Some(_) => g.named(format!("{name}.pool")).global_pool(h),
            None => h,
        }
    }

    /// The hidden layers of a task's head alone, `heads.{task}.0`, ...; `h` itself where it has none.
    pub fn hidden(&self, g: &mut GraphBuilder, task: usize, h: NodeId) -> NodeId {
        let name = format!("heads.{}", self.tasks[task].name);
        match self.tasks[task].outcome().pixels() {
            Some(size) => self.pixel_tower(g, &name, h, size, self.heads[task]),
            None => self.layers(g, &name, h, self.heads[task]),
        }
    }

    /// `x` for the elements that `like` has: what a row has for each of its tokens, or its tokens as one.
    pub fn onto(&self, g: &mut GraphBuilder, name: &str, x: NodeId, like: NodeId) -> NodeId {
        match (g.domain(x), g.domain(like)) {
            (from, to) if from == to => x,
            (_, to) if to.is_rows() => text::pool(g, x, name, self.config.text.pool),
            (_, to) => g.named(format!("{name}.spread")).spread(x, to),
        }
    }

    fn site(&self, task: usize) -> Site<'_> {
        let dropout = if self.encoder.tokens.is_some() { self.config.text.dropout } else { self.config.dropout };
        Site { task: &self.tasks[task].name, last: self.heads[task].len(), dropout: dropout as f32 }
    }

    /// The last layers of a task's head, in the units of the loss: a number, a logit or logits. They start at the mean or the
    /// shares of the training rows.
    pub fn output(&self, g: &mut GraphBuilder, task: usize, h: NodeId) -> NodeId {
        let outcome = self.tasks[task].outcome();
        let (name, last) = (format!("heads.{}", self.tasks[task].name), self.heads[task].len());
        let output = match outcome.pixels() {
            Some(size) => self.pixel_output(g, &name, last, h, outcome.width(), size),
            None if self.is_apart(g, h) => self.mean_output(g, &name, last, h, outcome.width()),
            None => outcome.output(g, &self.site(task), h),
        };
        self.start(g, task, &outcome.initial_bias());
        output
    }

    /// Lets the last layer of a task's head start at these outputs, whatever it reads; without effect where a head ends in no
    /// plain layer.
    pub fn start(&self, g: &mut GraphBuilder, task: usize, outputs: &[f32]) {
        g.start_bias(&format!("heads.{}.{}", self.tasks[task].name, self.heads[task].len()), outputs);
    }

    /// A loss for every task, each on its own output.
    pub fn losses(&self, g: &mut GraphBuilder, outputs: &[NodeId]) -> Vec<LossId> {
        for (task, &output) in outputs.iter().enumerate() {
            self.tasks[task].outcome().attach(g, &self.site(task), output);
            self.part(g, task, output);
        }
        (0..outputs.len()).map(LossId).collect()
    }

    /// A task's head and its loss. Gives the output.
    pub fn head(&self, g: &mut GraphBuilder, task: usize, h: NodeId) -> NodeId {
        let hidden = self.tower(g, task, h);
        let output = self.output(g, task, hidden);
        self.tasks[task].outcome().attach(g, &self.site(task), output);
        self.part(g, task, output);
        output
    }

    /// A head for every task, each on its own representation.
    pub fn heads(&self, g: &mut GraphBuilder, representations: &[NodeId]) {
        for (task, &h) in representations.iter().enumerate() {
            self.head(g, task, h);
        }
    }

    /// A stream for every task through one trunk, whose layers have the same weights for all; what comes out of each layer
    /// is adapted by `adapt(g, task, layer, h)`.
    pub fn streams(
        &self,
        g: &mut GraphBuilder,
        mut adapt: impl FnMut(&mut GraphBuilder, usize, usize, NodeId) -> NodeId,
    ) -> Vec<NodeId> {
        let inputs = self.inputs(g);
        let x = self.embed(g, inputs, "");
        let mut streams = vec![x; self.tasks()];
        for i in 0..self.depth() {
            // All streams begin alike, so their first layer is one.
            let first = (i == 0).then(|| self.stage(g, "trunk", i, x));
            for (t, stream) in streams.iter_mut().enumerate() {
                let own = self.own(t);
                let h = match first {
                    Some(h) => h,
                    None => g.tied(&own, "", |g| self.stage(g, &format!("{own}trunk"), i, *stream)),
                };
                *stream = adapt(g, t, i, h);
            }
        }
        streams
    }
}
