//! The closed set of ops a graph is made of.

use crate::{Interpolation, ParameterId, Pooling, Window};
use serde::{Deserialize, Serialize};

/// An elementwise non-linearity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activation {
    /// `x`
    Linear,
    /// `max(x, 0)`
    Relu,
    /// `x * Phi(x)` with the exact normal distribution function (Hendrycks and Gimpel 2016).
    Gelu,
    /// `tanh(x)`
    Tanh,
    /// `1 / (1 + exp(-x))`
    Sigmoid,
    /// `x * sigmoid(x)`, also called swish.
    Silu,
    /// `0` up to -1/2, `1` from 1/2 on, and `-2x^3 + 3x/2 + 1/2` between them: a step that is smooth, and flat outside
    /// (Hazimeh et al. 2020).
    SmoothStep,
    /// `-x ln(x + 1e-6)`: what a probability adds to the entropy.
    Entropy,
}

/// How a blend weighs its inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Weighing {
    /// By the learnt numbers themselves.
    Free,
    /// By their softmax: shares that sum to 1.
    Softmax,
    /// One input is taken: while training one drawn by the softmax of the numbers, once a step, the same for all rows,
    /// with the gradient of a softmax at the run's temperature (straight-through Gumbel-softmax, Jang et al. 2017);
    /// otherwise the likeliest.
    Sampled,
}

/// One column of an index input, read as a category.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct IndexColumn {
    /// Which column of the index input.
    pub column: usize,
    /// Number of levels; an index at or above it (the mark of a missing or unseen level) stands for zeros.
    pub levels: usize,
}

/// How the elements of one parent become one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reduction {
    /// Their sum.
    Sum,
    /// Their mean.
    Mean,
    /// The largest value of each feature.
    Max,
    /// Their mean weighed by `softmax(s)` over the elements of the parent, `s` the second input. Its width is the number
    /// of heads: feature `j` of `d` is weighed by score `j * heads / d`.
    Attention,
}

/// What a node computes from its inputs. Shapes are per element of the node's domain, the rows if it has no other: `[d]`
/// means `elements x d`. Unless it says otherwise an op reads nodes of its own domain.
///
/// An image is `[height, width, channels]`, channels last. Ops that read plain features read an image as
/// `height * width * channels` of them; [`Concat`](Op::Concat) and [`Slice`](Op::Slice) work on the last axis.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Op {
    /// Numbers fed from outside, `[d]`.
    Input,
    /// Category indices fed from outside, `[c]` of u32.
    Index,
    /// Each index column as a one-hot block, side by side: `[sum of levels]`.
    OneHot {
        /// The columns, in the order of their blocks.
        columns: Vec<IndexColumn>,
    },
    /// One index column looked up in a table: `[dim]`.
    Embedding {
        /// The column and its number of levels.
        column: IndexColumn,
        /// The table, `levels x dim`.
        table: ParameterId,
        /// Whether a step moves the rows alone that its batch has looked up.
        #[serde(default)]
        sparse: bool,
    },
    /// `activation(x W + b)`, `[d] -> [n]`.
    Dense {
        /// `d x n`
        weight: ParameterId,
        /// `n`
        bias: Option<ParameterId>,
        /// Applied to the sum.
        activation: Activation,
    },
    /// An elementwise non-linearity alone.
    Activation(Activation),
    /// Zeroes a share of the features while training and scales the others by `1 / (1 - rate)` (Srivastava et al. 2014).
    Dropout {
        /// Share that is dropped, in `[0, 1)`.
        rate: f32,
    },
    /// `(x - mean) / sqrt(var + epsilon) * gain + bias` over the features of a row (Ba et al. 2016).
    LayerNorm {
        /// `d`
        gain: ParameterId,
        /// `d`
        bias: ParameterId,
        /// Added to the variance.
        epsilon: f32,
    },
    /// Inputs side by side along the last axis; the other axes agree. Where they do not, as plain features.
    Concat,
    /// Elementwise sum of inputs of one shape.
    Add,
    /// `sum_i w_i x_i` over inputs of one shape.
    Blend {
        /// `inputs x 1`, or `inputs x channels` for a weight a feature.
        weights: ParameterId,
        /// What the weights are of these numbers.
        weighing: Weighing,
    },
    /// Features `start..end` of the input's last axis.
    Slice {
        /// First feature.
        start: usize,
        /// One past the last.
        end: usize,
    },
    /// Elementwise product of two inputs of one shape; a factor of width 1 multiplies every feature of the other.
    Mul,
    /// `exp(x_j) / sum_i exp(x_i)` over the features of a row.
    Softmax {
        /// Share of the features that are left out of a row's sum, and are 0, while training; a row that would lose all
        /// keeps all. In `[0, 1)`. Dropout for the gates of experts (Zhao et al. 2019).
        dropout: f32,
    },
    /// `sum_e gate_e x_e`: the first input is the gate, `[e]`; the others hold the `e` vectors `[d]` in order, each input
    /// one or several of them side by side.
    Mixture,
    /// `scale * x + shift`, elementwise.
    Affine {
        /// Multiplies.
        scale: f32,
        /// Is added.
        shift: f32,
    },
    /// `scale * sum_j a_j b_j` over the features of a row: `[d], [d] -> [1]`.
    Dot {
        /// Multiplies.
        scale: f32,
    },
    /// `logit(prod_i sigmoid(x_i))`, elementwise over inputs of one shape: the logit of all of several events, each given
    /// those before it (Ma et al. 2018).
    AllOf,
    /// The input as it is; nothing below it learns from what is above.
    StopGradient,
    /// A trained vector, the same for every row, `[d]`. It has no input.
    Vector {
        /// `d`
        value: ParameterId,
    },
    /// The product of bits that are in `[0, 1]`: groups of `m = ceil(log2 choices)` features `s` become groups of
    /// `choices` features `prod_b (s_b if bit b of the choice is set, else 1 - s_b)` (Hazimeh et al. 2021).
    Codes {
        /// Features a group gives, at least 2.
        choices: usize,
    },
    /// The same features in another shape.
    Reshape,
    /// `activation(window(x) * W + b)` at every place of the window, `[h, w, c] -> [h', w', n]`. With groups, outputs
    /// `g n/groups ..` read only the channels `g c/groups ..`; as many groups as channels is a depthwise convolution.
    Conv2d {
        /// `window height x window width x c/groups x n`
        weight: ParameterId,
        /// `n`
        bias: Option<ParameterId>,
        /// Where it reads.
        window: Window,
        /// Divides `c` and `n`.
        groups: usize,
        /// Applied to the sum.
        activation: Activation,
    },
    /// Largest or mean value at every place of a window, `[h, w, c] -> [h', w', c]`.
    Pool {
        /// Which.
        pooling: Pooling,
        /// Where it reads.
        window: Window,
    },
    /// The mean of every channel, `[h, w, c] -> [c]`.
    GlobalPool,
    /// `activation((x - mean) / sqrt(var + epsilon) * gain + bias)` with a channel's mean and variance: while training
    /// those over the rows that are worked on together (Ioffe and Szegedy 2015, as ghost batches: Hoffer et al. 2017),
    /// otherwise their running averages. `[h, w, c]` or `[c]`.
    BatchNorm {
        /// `c`
        gain: ParameterId,
        /// `c`
        bias: ParameterId,
        /// `c`, a running average, not trained.
        mean: ParameterId,
        /// `c`, a running average, not trained.
        variance: ParameterId,
        /// Added to the variance.
        epsilon: f32,
        /// Applied to the sum.
        activation: Activation,
    },
    /// The same with the mean and variance over the pixels of a row and the channels of a group (Wu and He 2018).
    GroupNorm {
        /// `c`
        gain: ParameterId,
        /// `c`
        bias: ParameterId,
        /// Divides `c`.
        groups: usize,
        /// Added to the variance.
        epsilon: f32,
        /// Applied to the sum.
        activation: Activation,
    },
    /// An image enlarged, `[h, w, c] -> [h * factor[0], w * factor[1], c]`.
    Upsample {
        /// How.
        interpolation: Interpolation,
        /// How often along each side, at least 1.
        factor: [usize; 2],
    },
    /// From a domain to its parent: the elements of each parent as one, `[d] -> [d]`; zeros where it has none.
    Reduce(Reduction),
    /// From a domain to one that lies in it, `[d] -> [d]`: every element gets the values of the one it lies in. With
    /// `over` from the second factor of a product to the product: every element gets the values of the one it stands for.
    Spread {
        /// From the second factor.
        over: bool,
    },
    /// From any domain to any other, `[d] -> [d]`. The second input, of this node's domain, tells every element which one of
    /// the first input's to take: its position among those of the same row. An index beyond them gives zeros.
    Gather {
        /// Which column of the index input.
        column: usize,
    },
    /// The features of the `before` elements before, the element itself and the `after` elements after it, side by side,
    /// `[d] -> [(before + 1 + after) d]`; zeros beyond the ends of the sequence.
    Neighbours {
        /// How many before.
        before: usize,
        /// How many after.
        after: usize,
    },
    /// A trained vector for each position in a sequence, `[d]`; positions beyond the last row of the table get that row.
    /// It has no input.
    Position {
        /// `positions x d`
        table: ParameterId,
    },
    /// A long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000) over each
    /// sequence, `[d] -> [h]`: `[i f g o] = x W + h' U + b`, `c = s(f) c' + s(i) tanh(g)`, `h = s(o) tanh(c)`, where `s` is
    /// the logistic function and `h'` and `c'` are those of the element before, zeros at the first.
    Lstm {
        /// `W`, `d x 4h`
        input: ParameterId,
        /// `U`, `h x 4h`
        recurrent: ParameterId,
        /// `b`, `4 x h`
        bias: ParameterId,
        /// From the last element of each sequence to the first.
        reverse: bool,
    },
    /// A gated recurrent unit over each sequence (Cho et al. 2014, with the reset after the product), `[d] -> [h]`:
    /// `[r z n] = x W + b`, `[r' z' n'] = h' U`, `n'' = tanh(n + s(r + r') (n' + b'))`, `z'' = s(z + z')`,
    /// `h = (1 - z'') n'' + z'' h'`.
    Gru {
        /// `W`, `d x 3h`
        input: ParameterId,
        /// `U`, `h x 3h`
        recurrent: ParameterId,
        /// `b` and `b'`, `4 x h`
        bias: ParameterId,
        /// From the last element of each sequence to the first.
        reverse: bool,
    },
    /// Scaled dot-product attention of every element to all elements of its sequence (Vaswani et al. 2017), in heads of
    /// `d / heads` features, `[3d] -> [d]`: queries, keys and values side by side.
    Attention {
        /// Divides `d`.
        heads: usize,
    },
    /// Features turned by their position in the sequence (Su et al. 2021): features `j` and `j + e/2` of a head of `e` by
    /// the angle `position / 10000^(2j / e)`, so that the product of two depends on how far apart they are.
    Rotary {
        /// `e`, even.
        head: usize,
        /// Features that are turned, the first ones, a multiple of `e`; the others stay as they are.
        turned: usize,
    },
    /// `a_i . b_j` for every element `(i, j)` of a product, the first input on its parent, the second on its second factor,
    /// `[d], [d] -> [1]`. With a root a pair of an element with itself stands for the root: `a_i . root`.
    Pairwise {
        /// `d`
        root: Option<ParameterId>,
    },
}

impl Op {
    /// The parameters the op reads, in a fixed order.
    pub fn parameters(&self) -> Vec<ParameterId> {
        match self {
            Op::Dense { weight, bias, .. } => std::iter::once(*weight).chain(*bias).collect(),
            Op::Embedding { table, .. } => vec![*table],
            Op::Vector { value } => vec![*value],
            Op::LayerNorm { gain, bias, .. } | Op::GroupNorm { gain, bias, .. } => vec![*gain, *bias],
            Op::Conv2d { weight, bias, .. } => std::iter::once(*weight).chain(*bias).collect(),
            Op::BatchNorm { gain, bias, mean, variance, .. } => vec![*gain, *bias, *mean, *variance],
            Op::Blend { weights, .. } => vec![*weights],
            Op::Position { table } => vec![*table],
            Op::Lstm { input, recurrent, bias, .. } | Op::Gru { input, recurrent, bias, .. } => {
                vec![*input, *recurrent, *bias]
            }
            Op::Pairwise { root } => root.iter().copied().collect(),
            _ => Vec::new(),
        }
    }

    /// The same, to be led elsewhere.
    pub(crate) fn parameters_mut(&mut self) -> Vec<&mut ParameterId> {
        match self {
            Op::Dense { weight, bias, .. } | Op::Conv2d { weight, bias, .. } => {
                std::iter::once(weight).chain(bias).collect()
            }
            Op::Embedding { table, .. } | Op::Position { table } => vec![table],
            Op::Vector { value } => vec![value],
            Op::LayerNorm { gain, bias, .. } | Op::GroupNorm { gain, bias, .. } => vec![gain, bias],
            Op::BatchNorm { gain, bias, mean, variance, .. } => vec![gain, bias, mean, variance],
            Op::Blend { weights, .. } => vec![weights],
            Op::Lstm { input, recurrent, bias, .. } | Op::Gru { input, recurrent, bias, .. } => {
                vec![input, recurrent, bias]
            }
            Op::Pairwise { root } => root.iter_mut().collect(),
            _ => Vec::new(),
        }
    }

    /// The matrices among them that features are multiplied with, all of two dimensions.
    pub fn matrices(&self) -> Vec<ParameterId> {
        match self {
            Op::Dense { weight, .. } => vec![*weight],
            Op::Lstm { input, recurrent, .. } | Op::Gru { input, recurrent, .. } => vec![*input, *recurrent],
            _ => Vec::new(),
        }
    }

    /// The op's name as it stands in pictures and automatic layer names.
    pub fn label(&self) -> &'static str {
        match self {
            Op::Input => "input",
            Op::Index => "index",
            Op::OneHot { .. } => "one_hot",
            Op::Embedding { .. } => "embedding",
            Op::Dense { .. } => "dense",
            Op::Activation(_) => "activation",
            Op::Dropout { .. } => "dropout",
            Op::LayerNorm { .. } => "layer_norm",
            Op::Concat => "concat",
            Op::Add => "add",
            Op::Blend { .. } => "blend",
            Op::Slice { .. } => "slice",
            Op::Mul => "mul",
            Op::Softmax { .. } => "softmax",
            Op::Mixture => "mixture",
            Op::Affine { .. } => "affine",
            Op::Dot { .. } => "dot",
            Op::AllOf => "all_of",
            Op::StopGradient => "stop_gradient",
            Op::Vector { .. } => "vector",
            Op::Codes { .. } => "codes",
            Op::Reshape => "reshape",
            Op::Conv2d { .. } => "conv2d",
            Op::Pool { .. } => "pool",
            Op::GlobalPool => "global_pool",
            Op::BatchNorm { .. } => "batch_norm",
            Op::GroupNorm { .. } => "group_norm",
            Op::Upsample { .. } => "upsample",
            Op::Reduce(_) => "reduce",
            Op::Spread { .. } => "spread",
            Op::Gather { .. } => "gather",
            Op::Neighbours { .. } => "neighbours",
            Op::Position { .. } => "position",
            Op::Lstm { .. } => "lstm",
            Op::Gru { .. } => "gru",
            Op::Attention { .. } => "attention",
            Op::Rotary { .. } => "rotary",
            Op::Pairwise { .. } => "pairwise",
        }
    }

    /// Whether what is above the op can be differentiated with respect to what is below it.
    pub fn passes_gradients(&self) -> bool {
        !matches!(self, Op::StopGradient)
    }

    /// Bits that tell this many choices apart.
    pub fn code_bits(choices: usize) -> usize {
        (usize::BITS - choices.saturating_sub(1).leading_zeros()) as usize
    }
}
