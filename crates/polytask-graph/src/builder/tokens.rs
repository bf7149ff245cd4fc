//! Layers on ragged sequences.

use super::GraphBuilder;
use crate::{Activation, DomainId, Init, NodeId, Op, ParameterId, Role, Shape, ops};

impl GraphBuilder {
    /// A long short-term memory over each sequence, `[d] -> [width]`; `reverse` runs from its end. Forget gates start open
    /// (Jozefowicz et al. 2015): their bias at 1, others at 0; weights Glorot-uniform for each gate.
    pub fn lstm(&mut self, x: NodeId, width: usize, reverse: bool) -> NodeId {
        let name = self.take_name("lstm");
        let [input, recurrent, bias] =
            self.recurrence(&name, x, width, 4, Init::Row { own: 1, value: 1.0, others: 0.0 });
        self.named(name).push(Op::Lstm(ops::Lstm { input, recurrent, bias, reverse }), vec![x], Shape(vec![width]))
    }

    /// A gated recurrent unit over each sequence, `[d] -> [width]`; `reverse` runs from its end. Biases start at 0, weights
    /// Glorot-uniform for each gate.
    pub fn gru(&mut self, x: NodeId, width: usize, reverse: bool) -> NodeId {
        let name = self.take_name("gru");
        let [input, recurrent, bias] = self.recurrence(&name, x, width, 3, Init::Constant(0.0));
        self.named(name).push(Op::Gru(ops::Gru { input, recurrent, bias, reverse }), vec![x], Shape(vec![width]))
    }

    /// Two LSTMs side by side, one in each direction (Graves and Schmidhuber 2005), `[d] -> [2 width]`: the layers
    /// `NAME.forward` and `NAME.backward`.
    pub fn bilstm(&mut self, x: NodeId, width: usize) -> NodeId {
        self.both("bilstm", |g, reverse| g.lstm(x, width, reverse))
    }

    /// Two GRUs side by side, one in each direction, `[d] -> [2 width]`: the layers `NAME.forward` and `NAME.backward`.
    pub fn bigru(&mut self, x: NodeId, width: usize) -> NodeId {
        self.both("bigru", |g, reverse| g.gru(x, width, reverse))
    }

    /// Multi-head attention of every element to all of its sequence (Vaswani et al. 2017), `[d] -> [d]`: the layers
    /// `NAME.inputs` for queries, keys and values, and `NAME.output`. `heads` divides `d`; with `rotary` queries and keys
    /// are turned by their position.
    pub fn attention(&mut self, x: NodeId, heads: usize, rotary: bool) -> NodeId {
        let (name, width) = (self.take_name("attention"), self.width(x));
        // Each of the three starts as a layer of its own would.
        let inputs = self.named(format!("{name}.inputs")).dense_from(
            x,
            3 * width,
            Activation::Linear,
            Init::glorot(width, width),
        );
        let inputs = match rotary {
            true => {
                let head = width / heads.max(1);
                self.named(format!("{name}.rotary")).rotary(inputs, head, 2 * width, ops::Rotary::BASE)
            }
            false => inputs,
        };
        let mixed = self.named(&name).attend(inputs, heads, None);
        self.named(format!("{name}.output")).dense(mixed, width, Activation::Linear)
    }

    /// Multi-head attention of every element to all of its sequence, or to those that are at most `window` away, over queries,
    /// keys and values side by side, `[3 d] -> [d]`. `heads` divides `d`.
    pub fn attend(&mut self, inputs: NodeId, heads: usize, window: Option<usize>) -> NodeId {
        let width = self.width(inputs) / 3;
        self.push(Op::Attention(ops::Attention { heads, window }), vec![inputs], Shape(vec![width]))
    }

    /// The first `turned` features, in heads of `head`, turned by their position: features `j` and `j + head / 2` of a head by
    /// `position / base^(2j / head)`.
    pub fn rotary(&mut self, x: NodeId, head: usize, turned: usize, base: f64) -> NodeId {
        let shape = self.shape(x);
        self.push(Op::Rotary(ops::Rotary { head, turned, base }), vec![x], shape)
    }

    /// A transformer layer with the norms first (Xiong et al. 2020), `[d] -> [d]`: `a = x + attention(norm(x))`,
    /// `a + W_2 gelu(W_1 norm(a))` with `hidden` features inside, and dropout on both terms. Layers `NAME.attention`,
    /// `NAME.inner` and `NAME.outer`, and their norms.
    pub fn transformer(&mut self, x: NodeId, heads: usize, hidden: usize, rotary: bool, dropout: f32) -> NodeId {
        let (name, width) = (self.take_name("transformer"), self.width(x));
        let normal = self.named(format!("{name}.attention.norm")).layer_norm(x);
        let mixed = self.named(format!("{name}.attention")).attention(normal, heads, rotary);
        let mixed = self.named(format!("{name}.attention.dropout")).dropout(mixed, dropout);
        let a = self.named(format!("{name}.attention.sum")).add(&[x, mixed]);
        let normal = self.named(format!("{name}.inner.norm")).layer_norm(a);
        let inner = self.named(format!("{name}.inner")).dense(normal, hidden, Activation::Gelu);
        let outer = self.named(format!("{name}.outer")).dense(inner, width, Activation::Linear);
        let outer = self.named(format!("{name}.outer.dropout")).dropout(outer, dropout);
        self.named(name).add(&[a, outer])
    }

    /// A trained vector for each of the first `positions` positions in a sequence, the last one for all beyond, `[width]`.
    /// They start normal with standard deviation `1 / sqrt(width)`, as embeddings do.
    pub fn positions(&mut self, domain: DomainId, positions: usize, width: usize) -> NodeId {
        let name = self.take_name("position");
        let init = Init::Normal(1.0 / (width.max(1) as f32).sqrt());
        let table = self.parameter(&name, "table", vec![positions, width], init, Role::Table);
        self.named(name).push_on(domain, Op::Position(ops::Position { table }), vec![], Shape(vec![width]))
    }

    /// The features of the elements around each one side by side, `[d] -> [(before + 1 + after) d]`.
    pub fn neighbours(&mut self, x: NodeId, before: usize, after: usize) -> NodeId {
        let width = (before + 1 + after).saturating_mul(self.width(x));
        self.push(Op::Neighbours(ops::Neighbours { before, after }), vec![x], Shape(vec![width]))
    }

    /// A convolution over each sequence, `[d] -> [width]`: a dense layer on `window` elements, as many before as after (one
    /// more before if `window` is even), zeros beyond the ends. Layers `NAME.window` and `NAME`.
    pub fn conv1d(&mut self, x: NodeId, width: usize, window: usize, activation: Activation) -> NodeId {
        let (name, after) = (self.take_name("conv1d"), window.saturating_sub(1) / 2);
        if window == 0 {
            self.fail_at(&name, "its window has no elements; it has at least 1".into());
        }
        let before = window.saturating_sub(1 + after);
        let around = match window {
            0 | 1 => x,
            _ => self.named(format!("{name}.window")).neighbours(x, before, after),
        };
        self.named(name).dense(around, width, activation)
    }

    /// Scores of every pair of a product, `[1]`: `(a W + b) . c` with `a` on the product's parent and `c` on its second
    /// factor, `[d]` and `[e]` (the biaffine scores of Dozat and Manning 2017, without the term of `a` alone, which tells no
    /// two pairs of `a` apart). With `root` the pair of an element with itself stands for a trained root instead.
    pub fn biaffine(&mut self, product: DomainId, a: NodeId, c: NodeId, root: bool) -> NodeId {
        let (name, width) = (self.take_name("biaffine"), self.width(c));
        let a = self.named(format!("{name}.map")).dense(a, width, Activation::Linear);
        let init = Init::Normal(1.0 / (width.max(1) as f32).sqrt());
        let root = root.then(|| self.parameter(&name, "root", vec![width], init, Role::Bias));
        self.named(name).push_on(product, Op::Pairwise(ops::Pairwise { root }), vec![a, c], Shape(vec![1]))
    }

    fn both(&mut self, label: &str, one: impl Fn(&mut Self, bool) -> NodeId) -> NodeId {
        let name = self.take_name(label);
        let forward = one(self.named(format!("{name}.forward")), false);
        let backward = one(self.named(format!("{name}.backward")), true);
        self.named(name).concat(&[forward, backward])
    }

    fn recurrence(&mut self, name: &str, x: NodeId, width: usize, gates: usize, bias: Init) -> [ParameterId; 3] {
        let fan_in = self.width(x);
        let input = Init::glorot(fan_in, width.max(1));
        let recurrent = Init::glorot(width.max(1), width.max(1));
        [
            self.parameter(name, "input", vec![fan_in, gates * width], input, Role::Weight),
            self.parameter(name, "recurrent", vec![width, gates * width], recurrent, Role::Weight),
            self.parameter(name, "bias", vec![4, width], bias, Role::Bias),
        ]
    }
}
