//! The network of an encoder of images in the ops of the engine.

use super::{Block, Body, Conv, Patches, Shortcut, VisionShape};
use polytask_graph::{Activation, DomainId, GraphBuilder, NodeId, Pooling, Window};

/// What of an encoder learns.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tuned {
    /// Stages that learn, the last ones; with all of them everything does.
    pub stages: usize,
    /// What the learning rate is multiplied by.
    pub rate: f32,
}

/// What a transformer reads beside the image: the domain of its elements, and the index that names the first of them.
#[derive(Clone, Copy, Debug)]
pub struct Sequence {
    /// One element for each token and patch of a row.
    pub elements: DomainId,
    /// Of rows: 0, and 1 in a second column.
    pub places: NodeId,
}

/// A network as it grows.
struct Builder<'a> {
    g: &'a mut GraphBuilder,
    name: &'a str,
    rate: f32,
}

/// Adds the encoder over images `x`; see [`VisionCheckpoint::build`](super::VisionCheckpoint::build).
pub(super) fn build(
    g: &mut GraphBuilder,
    name: &str,
    x: NodeId,
    sequence: Option<Sequence>,
    shape: &VisionShape,
    tuned: Tuned,
) -> NodeId {
    let first = shape.stages().saturating_sub(tuned.stages);
    let mut b = Builder { g, name, rate: 0.0 };
    let learns = |b: &mut Builder<'_>, stage: usize, x: NodeId| {
        if tuned.stages == 0 || stage < first {
            return x;
        }
        b.rate = tuned.rate;
        // What is below the first stage that learns gets no gradient.
        match stage == first && first > 0 {
            true => b.g.named(format!("{}.fixed", b.name)).stop_gradient(x),
            false => x,
        }
    };
    match &shape.body {
        Body::Convolutions { stages, head } => {
            let mut x = x;
            for (s, stage) in stages.iter().enumerate() {
                x = learns(&mut b, s, x);
                for (i, block) in stage.iter().enumerate() {
                    x = b.block(&format!("{name}.{s}.{i}"), block, x);
                }
            }
            let x = b.g.named(format!("{name}.mean")).global_pool(x);
            match head {
                Some((width, activation)) => b.dense("head", x, *width, *activation),
                None => x,
            }
        }
        Body::Patches(patches) => {
            b.rate = if first == 0 && tuned.stages > 0 { tuned.rate } else { 0.0 };
            let Some(Sequence { elements, places }) = sequence else { return x };
            let mut x = b.patches(x, shape, patches, elements);
            for layer in 0..patches.layers {
                x = learns(&mut b, layer, x);
                x = b.layer(&format!("{name}.{layer}"), x, patches);
            }
            let x = b.norm("norm", x, patches.epsilon);
            b.first(x, places, patches.tokens)
        }
    }
}

impl Builder<'_> {
    fn learn(&mut self, x: NodeId) -> NodeId {
        self.g.learning_rate(x, self.rate);
        x
    }

    fn block(&mut self, name: &str, block: &Block, x: NodeId) -> NodeId {
        match block {
            Block::Conv(conv) => self.conv(name, conv, x),
            Block::MaxPool => self.g.named(name).pool(x, Pooling::Max, Window::square(3).stride(2).padding(1)),
            Block::Residual { convs, gate, shortcut, activation } => {
                let mut h = x;
                for (i, conv) in convs.iter().enumerate() {
                    h = self.conv(&format!("{name}.{i}"), conv, h);
                    if let Some(gate) = gate.filter(|gate| gate.after == i + 1) {
                        let means = self.g.named(format!("{name}.means")).global_pool(h);
                        let channels = self.g.features(means);
                        let squeezed = self.g.named(format!("{name}.squeeze")).dense(means, gate.hidden, gate.inner);
                        let squeezed = self.learn(squeezed);
                        let own = self.g.named(format!("{name}.excite")).dense(squeezed, channels, gate.outer);
                        let own = self.learn(own);
                        h = self.g.named(format!("{name}.gate")).gate(h, own);
                    }
                }
                let beside = match shortcut {
                    Shortcut::None => return h,
                    Shortcut::Same => x,
                    Shortcut::Conv(conv) => self.conv(&format!("{name}.shortcut"), conv, x),
                };
                let sum = self.g.named(format!("{name}.sum")).add(&[beside, h]);
                match activation {
                    Activation::Linear => sum,
                    other => self.g.named(format!("{name}.out")).activation(sum, *other),
                }
            }
        }
    }

    fn conv(&mut self, name: &str, conv: &Conv, x: NodeId) -> NodeId {
        let window = Window { size: conv.size, ..Window::square(1) }.stride(conv.stride);
        let [height, width, _] = self.g.shape(x).image().unwrap_or([1, 1, 1]);
        let window = if conv.tensorflow { window.same_as_tensorflow([height, width]) } else { window.same() };
        let h = self.g.named(name).grouped_conv2d(x, conv.channels, window, conv.groups, Some(conv.activation));
        self.learn(h)
    }

    fn dense(&mut self, part: &str, x: NodeId, width: usize, activation: Activation) -> NodeId {
        let h = self.g.named(format!("{}.{part}", self.name)).dense(x, width, activation);
        self.learn(h)
    }

    fn norm(&mut self, part: &str, x: NodeId, epsilon: f32) -> NodeId {
        let h = self.g.named(format!("{}.{part}", self.name)).layer_norm_with(x, epsilon);
        self.learn(h)
    }

    /// Patches as elements behind the tokens, with their positions.
    fn patches(&mut self, x: NodeId, shape: &VisionShape, patches: &Patches, elements: DomainId) -> NodeId {
        let (name, [down, across]) = (self.name, patches.patch);
        let window = Window { size: [down, across], stride: [down, across], ..Window::square(1) };
        let h = self.g.named(format!("{name}.patch")).conv2d(x, shape.width, window, Activation::Linear);
        let h = self.learn(h);
        let h = self.g.named(format!("{name}.elements")).pixels(h, elements, patches.tokens);
        let count = shape.elements().unwrap_or(1);
        let position = self.g.named(format!("{name}.position")).positions(elements, count, shape.width);
        let position = self.learn(position);
        self.g.named(format!("{name}.sum")).add(&[h, position])
    }

    /// `a = x + attention(norm(x))`, `a + W_2 f(W_1 norm(a))`
    fn layer(&mut self, name: &str, x: NodeId, patches: &Patches) -> NodeId {
        let width = self.g.features(x);
        let normal = self.g.named(format!("{name}.attention.norm")).layer_norm_with(x, patches.epsilon);
        let normal = self.learn(normal);
        let mixed = self.g.named(format!("{name}.attention")).attention(normal, patches.heads, false);
        if let Some(inputs) = self.g.find(&format!("{name}.attention.inputs")) {
            self.learn(inputs);
        }
        let mixed = self.learn(mixed);
        let a = self.g.named(format!("{name}.attention.sum")).add(&[x, mixed]);
        let normal = self.g.named(format!("{name}.inner.norm")).layer_norm_with(a, patches.epsilon);
        let normal = self.learn(normal);
        let inner = self.g.named(format!("{name}.inner")).dense(normal, patches.hidden, patches.activation);
        let inner = self.learn(inner);
        let outer = self.g.named(format!("{name}.outer")).dense(inner, width, Activation::Linear);
        let outer = self.learn(outer);
        self.g.named(format!("{name}.outer.sum")).add(&[a, outer])
    }

    /// The mean of the first elements.
    fn first(&mut self, x: NodeId, places: NodeId, count: usize) -> NodeId {
        let name = self.name;
        let parts: Vec<NodeId> =
            (0..count).map(|i| self.g.named(format!("{name}.token.{i}")).gather(x, places, i)).collect();
        match parts[..] {
            [only] => only,
            _ => {
                let sum = self.g.named(format!("{name}.tokens")).add(&parts);
                self.g.named(format!("{name}.mean")).affine(sum, 1.0 / count as f32, 0.0)
            }
        }
    }
}
