//! Random networks of rows, tokens and images side by side: branches, skips, experts behind gates, and heads of many kinds.

use super::differences::KINDS;
use polytask_graph::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Features of a row or token, and heights, widths and channels of an image, so that any two of a sort can be joined.
const WIDTH: usize = 8;
const IMAGE: [usize; 3] = [4, 4, 4];
/// Of a token, a row or a predicate.
const COLUMN: IndexColumn = IndexColumn { column: 0, levels: 5 };

/// What nodes stand for.
#[derive(Clone, Copy, PartialEq)]
enum Sort {
    Row,
    Token,
    Image,
}

/// A network that grows.
struct Random {
    g: GraphBuilder,
    rng: ChaCha8Rng,
    tokens: DomainId,
    pools: [Vec<NodeId>; 3],
    /// Rows always, tokens and images of some networks.
    sorts: Vec<Sort>,
    losses: Vec<LossId>,
    layers: usize,
}

/// The network of a seed.
pub fn random_graph(seed: u64) -> Graph {
    let mut g = GraphBuilder::new();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let tokens = g.ragged("tokens", DomainId::ROWS);
    let sorts = [Sort::Row, Sort::Token, Sort::Image];
    let sorts = sorts.into_iter().filter(|sort| *sort == Sort::Row || rng.random_bool(0.6)).collect();
    let mut of = Random { g, rng, tokens, pools: Default::default(), sorts, losses: Vec::new(), layers: 0 };
    of.inputs();
    for _ in 0..of.rng.random_range(4..10) {
        of.grow();
    }
    for task in 0..of.rng.random_range(2..6) {
        of.head(task);
    }
    of.g.finish().unwrap()
}

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.rng.random_range(0..n)
    }

    /// Any node of a sort: a late one for depth, an early one for a skip.
    fn pick(&mut self, sort: Sort) -> NodeId {
        let at = self.below(self.pools[sort as usize].len());
        self.pools[sort as usize][at]
    }

    fn sort(&mut self) -> Sort {
        let at = self.below(self.sorts.len());
        self.sorts[at]
    }

    fn smooth(&mut self) -> Activation {
        use Activation::*;
        [Gelu, Tanh, Sigmoid, Silu, Linear, Relu, HardSwish, HardSigmoid][self.below(8)]
    }

    fn inputs(&mut self) {
        let g = &mut self.g;
        let (x, c) = (g.input("x", 6), g.index_input("c", 2));
        let e = g.embedding(c, COLUMN, 5);
        let o = g.one_hot(c, &[COLUMN, IndexColumn { column: 1, levels: 4 }]);
        let (squashed, bins) = (g.squash(x, 3.0), g.bins(x, 3));
        let waves = g.periodic(squashed, 2, 0.5);
        let joined = g.concat(&[x, o, squashed, bins, waves]);
        let rows = [g.dense(joined, WIDTH, Activation::Relu), g.dense(e, WIDTH, Activation::Tanh)];
        self.pools[Sort::Row as usize].extend(rows);
        if self.sorts.contains(&Sort::Token) {
            let words = g.index_on(self.tokens, "words", 1);
            let words = g.sparse_embedding(words, COLUMN, WIDTH);
            let places = g.positions(self.tokens, 3, WIDTH);
            let placed = g.add(&[words, places]);
            self.pools[Sort::Token as usize].extend([words, placed]);
        }
        if self.sorts.contains(&Sort::Image) {
            let image = g.image_input("image", [IMAGE[0], IMAGE[1], 2]);
            let image = g.conv2d(image, IMAGE[2], Window::square(3).same(), Activation::Tanh);
            self.pools[Sort::Image as usize].push(image);
        }
    }

    /// One more node, or the several that experts give.
    fn grow(&mut self) {
        let sort = self.sort();
        let new = match self.below(8) {
            0 | 1 => self.joined(sort),
            2 => self.experts(sort),
            3 => self.bridge(sort),
            4 => {
                let (x, h) = (self.pick(sort), self.layer(sort));
                self.g.add(&[x, h])
            }
            _ => self.layer(sort),
        };
        self.pools[sort as usize].push(new);
    }

    /// Ops that all sorts know.
    fn joined(&mut self, sort: Sort) -> NodeId {
        let (a, b) = (self.pick(sort), self.pick(sort));
        let (choice, smooth) = (self.below(18), self.smooth());
        let per = if self.rng.random() { Per::Layer } else { Per::Channel };
        let g = &mut self.g;
        match choice {
            0 => g.mul(a, b),
            1 => g.affine(a, -0.7, 0.1),
            2 => g.dropout(a, 0.25),
            3 => g.blend(&[a, b], per, 1, 0.8),
            4 => g.softmax_blend(&[a, b]),
            5 => g.sampled(&[a, b]),
            6 => {
                let stopped = g.stop_gradient(a);
                g.add(&[stopped, b])
            }
            7 => g.all_of(&[a, b]),
            8 => g.layer_norm(a),
            9 => g.nddr(&[a, b], 0, 0.9, smooth),
            10 => g.activation(a, smooth),
            11 => {
                let part = g.slice(a, 1, 3);
                let both = g.concat(&[part, b]);
                let channels = g.shape(a).channels();
                g.pointwise(both, channels, smooth)
            }
            12 if sort == Sort::Row => g.transfer(a, b),
            12 | 13 => {
                let product = g.dot(a, b, 0.2);
                g.mul(product, a)
            }
            14 => {
                let shares = g.softmax(a);
                g.activation(shares, Activation::Entropy)
            }
            15 => {
                let half = g.affine(a, 0.4, 0.1);
                g.activation(half, Activation::SmoothStep)
            }
            16 => g.custom(testing::gated(), &[a, b]),
            _ => g.add(&[a, b, a]),
        }
    }

    /// A layer, one in ten with parameters that stay as they are.
    fn layer(&mut self, sort: Sort) -> NodeId {
        let layer = self.learning_layer(sort);
        if self.rng.random_bool(0.1) {
            self.g.learning_rate(layer, 0.0);
        }
        layer
    }

    /// A layer with weights of its own, or with those of the layers before it of its kind.
    fn learning_layer(&mut self, sort: Sort) -> NodeId {
        let x = self.pick(sort);
        let (choice, smooth, reverse) = (self.below(14), self.smooth(), self.rng.random());
        self.layers += 1;
        let name = format!("n{}", self.layers);
        let g = &mut self.g;
        match sort {
            Sort::Row => match choice {
                0..3 => g.tied(&name, "tied", |g| g.named(&name).dense(x, WIDTH, Activation::Tanh)),
                _ => g.dense(x, WIDTH, smooth),
            },
            Sort::Token => match choice {
                0 | 1 => g.lstm(x, WIDTH, reverse),
                2 | 3 => g.gru(x, WIDTH, reverse),
                4 => g.bilstm(x, WIDTH / 2),
                5 => g.bigru(x, WIDTH / 2),
                6 => g.attention(x, 2, reverse),
                7 => {
                    let inputs = g.dense(x, 3 * WIDTH, Activation::Linear);
                    let turned = g.rotary(inputs, WIDTH / 2, 2 * WIDTH, 50.0);
                    g.attend(if reverse { turned } else { inputs }, 2, Some(usize::from(reverse) + 1))
                }
                8 => g.transformer(x, 2, 10, reverse, 0.2),
                9 | 10 => g.conv1d(x, WIDTH, 3, smooth),
                _ => g.dense(x, WIDTH, smooth),
            },
            Sort::Image => {
                let [height, width, channels] = IMAGE;
                let (square, small) = (Window::square(3).same(), Window::square(2).stride(2));
                match choice {
                    0 | 1 => g.conv2d(x, channels, square, smooth),
                    2 => g.grouped_conv2d(
                        x,
                        channels,
                        square.dilation(2).same(),
                        [2, channels][choice % 2],
                        Some(smooth),
                    ),
                    3 | 4 => {
                        let h = g.plain_conv2d(x, channels, square);
                        g.batch_norm(h, smooth)
                    }
                    5 | 6 => g.group_norm(x, 2, smooth),
                    7 | 8 => {
                        let low = g.pool(x, if reverse { Pooling::Max } else { Pooling::Average }, small);
                        g.upsample(
                            low,
                            2,
                            if smooth == Activation::Relu { Interpolation::Nearest } else { Interpolation::Bilinear },
                        )
                    }
                    9 => {
                        let low = g.conv2d(x, channels, square.stride(2), smooth);
                        g.upsample(low, 2, Interpolation::Bilinear)
                    }
                    10 => g.scale_channels(x),
                    11 => {
                        let means = g.global_pool(x);
                        let gate = g.dense(means, channels, smooth);
                        g.gate(x, gate)
                    }
                    _ => {
                        let flat = g.flatten(x);
                        let h = g.dense(flat, height * width * channels, Activation::Tanh);
                        g.reshape(h, &IMAGE)
                    }
                }
            }
        }
    }

    /// Experts that several gates weigh, as MMoE builds them; one gate more is DSelect-k's, which sees no example.
    fn experts(&mut self, sort: Sort) -> NodeId {
        let experts: Vec<NodeId> = (0..self.rng.random_range(2..5)).map(|_| self.layer(sort)).collect();
        let count = experts.len();
        let mut mixed = Vec::new();
        for _ in 0..self.rng.random_range(1..4) {
            let seen = self.pick(sort);
            let g = &mut self.g;
            let seen = if sort == Sort::Image { g.global_pool(seen) } else { seen };
            let logits = g.dense(seen, count, Activation::Linear);
            let gate = g.softmax_with_dropout(logits, 0.3);
            mixed.push(g.mixture(gate, &experts));
        }
        if sort != Sort::Image {
            let (domain, g) = (if sort == Sort::Token { self.tokens } else { DomainId::ROWS }, &mut self.g);
            let bits = g.vector_on(domain, Op::code_bits(count), Init::Uniform(0.4));
            let steps = g.activation(bits, Activation::SmoothStep);
            let gate = g.codes(steps, count);
            let packed = g.concat(&experts);
            mixed.push(g.mixture(gate, &[packed]));
        }
        self.pools[sort as usize].extend(&mixed);
        mixed[0]
    }

    /// A node of a sort from one of another, if the network has another.
    fn bridge(&mut self, to: Sort) -> NodeId {
        let others: Vec<Sort> = self.sorts.iter().copied().filter(|sort| *sort != to).collect();
        let Some(at) = others.len().checked_sub(1).map(|most| self.below(most + 1)) else { return self.layer(to) };
        // Tokens and images meet on rows.
        let row = match others[at] {
            Sort::Row => self.pick(Sort::Row),
            from => self.row_of(from),
        };
        match to {
            Sort::Row => row,
            Sort::Token => {
                let (spread, beside) = (self.g.spread(row, self.tokens), self.pick(to));
                self.g.add(&[spread, beside])
            }
            Sort::Image => {
                let (h, beside) = (self.g.dense(row, IMAGE[2], Activation::Tanh), self.pick(to));
                let planes = self.g.planes(h, [IMAGE[0], IMAGE[1]]);
                self.g.add(&[planes, beside])
            }
        }
    }

    fn row_of(&mut self, from: Sort) -> NodeId {
        let (x, choice) = (self.pick(from), self.below(5));
        let (tokens, g) = (self.tokens, &mut self.g);
        if from == Sort::Image {
            let means = match choice {
                0..3 => g.global_pool(x),
                3 => x,
                // As many of its pixels as the row has tokens.
                _ => {
                    let pixels = g.pixels(x, tokens, 1);
                    g.reduce(pixels, Reduction::Sum)
                }
            };
            return g.dense(means, WIDTH, Activation::Tanh);
        }
        match [Reduction::Sum, Reduction::Mean, Reduction::Max].get(choice) {
            Some(reduction) => g.reduce(x, *reduction),
            None => {
                let scores = g.dense(x, [1, 2][choice % 2], Activation::Linear);
                g.attention_reduce(x, scores)
            }
        }
    }

    /// A task, the first ones on every sort the network has, and auxiliary losses of it and of the first.
    fn head(&mut self, task: usize) {
        let sort = self.sorts.get(task).copied().unwrap_or(self.sorts[0]);
        let sort = if task < self.sorts.len() { sort } else { self.sort() };
        let (x, other, name) = (self.pick(sort), self.pick(sort), format!("t{task}"));
        let choice = self.below(6);
        let (tokens, g) = (self.tokens, &mut self.g);
        let (loss, inside) = match sort {
            Sort::Token if choice == 0 => {
                let z = g.dense(x, 5, Activation::Linear);
                (g.crf_loss(&name, z), z)
            }
            Sort::Token if choice < 3 => {
                let arcs = g.product(&format!("{name}.arcs"), tokens, tokens);
                let scores = g.biaffine(arcs, x, other, choice == 1);
                let labels = g.dense(other, 4, Activation::Linear);
                (g.loss(&name, scores, LossKind::Arcs { labels }), scores)
            }
            Sort::Token if choice == 3 => {
                let predicates = g.ragged(&format!("{name}.predicates"), DomainId::ROWS);
                let at = g.index_on(predicates, &format!("{name}.at"), 1);
                let predicate = g.gather(x, at, 0);
                let pairs = g.product(&format!("{name}.pairs"), predicates, tokens);
                let both = [g.spread(predicate, pairs), g.spread_over(other, pairs)];
                let joined = g.concat(&both);
                let z = g.dense(joined, 3, Activation::Linear);
                (g.loss(&name, z, LossKind::CrossEntropy), joined)
            }
            _ => {
                let kind = match self.rng.random_bool(0.1) {
                    true => LossKind::Custom(testing::softened().into()),
                    false => KINDS[choice].clone(),
                };
                let width = if kind == LossKind::CrossEntropy { 3 } else { 1 };
                let z = g.pointwise(x, width, Activation::Linear);
                (g.loss(&name, z, kind), z)
            }
        };
        self.losses.push(loss);
        let seen = self.pick(sort);
        self.g.auxiliary_loss(seen, if task.is_multiple_of(2) { 0.3 } else { 0.0 }, &[loss]);
        for node in [seen, inside] {
            self.g.auxiliary_loss(node, 0.1, &[self.losses[0], loss]);
        }
    }
}
