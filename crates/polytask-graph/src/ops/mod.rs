//! The ops a graph is made of, one file each. A file holds what the op is set to, and tells of it what those who read
//! graphs ask: [`Operation`]. The list of all is [`Op`], and nothing else lists them: who matches on it names every one.

mod activation;
mod add;
mod affine;
mod all_of;
mod attention;
mod batch_norm;
mod bins;
mod blend;
mod codes;
mod concat;
mod conv2d;
mod custom;
mod dense;
mod dot;
mod dropout;
mod embedding;
mod gate;
mod gather;
mod global_pool;
mod group_norm;
mod gru;
mod index;
mod input;
mod layer_norm;
mod lstm;
mod mixture;
mod mul;
mod neighbours;
mod one_hot;
mod pairwise;
mod periodic;
mod pixels;
mod pool;
mod position;
mod reduce;
mod reshape;
mod rotary;
mod site;
mod slice;
mod softmax;
mod spread;
mod squash;
mod stop_gradient;
#[cfg(test)]
mod tests;
mod upsample;
mod vector;

pub use activation::Activation;
pub use add::Add;
pub use affine::Affine;
pub use all_of::AllOf;
pub use attention::Attention;
pub use batch_norm::BatchNorm;
pub use bins::Bins;
pub use blend::{Blend, Weighing};
pub use codes::Codes;
pub use concat::Concat;
pub use conv2d::Conv2d;
pub use custom::Custom;
pub use dense::Dense;
pub use dot::Dot;
pub use dropout::Dropout;
pub use embedding::Embedding;
pub use gate::Gate;
pub use gather::Gather;
pub use global_pool::GlobalPool;
pub use group_norm::GroupNorm;
pub use gru::Gru;
pub use index::Index;
pub use input::Input;
pub use layer_norm::LayerNorm;
pub use lstm::Lstm;
pub use mixture::Mixture;
pub use mul::Mul;
pub use neighbours::Neighbours;
pub use one_hot::{IndexColumn, OneHot};
pub use pairwise::Pairwise;
pub use periodic::Periodic;
pub use pixels::Pixels;
pub use pool::Pool;
pub use position::Position;
pub use reduce::Reduction;
pub use reshape::Reshape;
pub use rotary::Rotary;
pub use site::Site;
pub use slice::Slice;
pub use softmax::Softmax;
pub use spread::Spread;
pub use squash::Squash;
pub use stop_gradient::StopGradient;
pub use upsample::Upsample;
pub use vector::Vector;

use crate::example::Example;
use crate::{DomainId, ParameterId};
use serde::{Deserialize, Serialize};

/// What an op tells of itself. What has no default must be said of every op; what has one is right for all but a few, and
/// a graph that needs another answer is refused when it is built.
pub trait Operation {
    /// Its name in pictures and automatic layer names, the tag of its JSON.
    fn label(&self) -> &str;

    /// The parameters it reads, in a fixed order.
    fn parameters(&self) -> Vec<ParameterId>;

    /// The same, to be led elsewhere.
    fn parameters_mut(&mut self) -> Vec<&mut ParameterId>;

    /// The matrices among them that features are multiplied with, all of two dimensions.
    fn matrices(&self) -> Vec<ParameterId>;

    /// What is wrong with it where it stands, if anything. Inputs and parameters exist, and the domains are right.
    fn check(&self, site: &Site<'_>) -> Result<(), String>;

    /// Multiply-adds of one forward pass over one element. Elementwise ops count one for each feature they write.
    fn multiply_adds(&self, site: &Site<'_>) -> usize;

    /// How the images that it reads and gives may lie.
    fn layout(&self) -> Layout;

    /// Small networks around it, at least one, that tests of everything that runs or exports graphs are made with.
    fn examples() -> Vec<Example>
    where
        Self: Sized;

    /// What it does, as it stands in pictures.
    fn words(&self) -> String {
        self.label().replace('_', " ")
    }

    /// What is fed there from outside, if it is an input.
    fn fed(&self) -> Option<Fed> {
        None
    }

    /// Whether its input at this place gives category indices rather than numbers.
    fn reads_index(&self, _input: usize) -> bool {
        false
    }

    /// The domain that its input at this place must have; none where any will do.
    ///
    /// # Errors
    /// What is wrong with the domain that it has, where no other could be asked for.
    fn input_domain(&self, site: &Site<'_>, _input: usize) -> Result<Option<DomainId>, String> {
        Ok(Some(site.domain))
    }

    /// Whether what is above it can be differentiated with respect to what is below it.
    fn passes_gradients(&self) -> bool {
        true
    }
}

/// What an input of the network is fed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed {
    /// Numbers.
    Numbers,
    /// Category indices.
    Indices,
}

/// How an op's images may lie in memory, for those who run graphs and know another layout than plain rows: for example the
/// same feature of several rows side by side ("blocks").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Reads and gives plain rows.
    Rows,
    /// Reads and gives blocks.
    Blocks,
    /// Gives blocks if its shape is that of an image. It has no input.
    Fed,
    /// Reads either, and gives what its first input has. All inputs lie alike.
    Kept,
    /// The same if all inputs are images of one size; plain rows otherwise.
    Joined,
    /// Reads either and gives either: a copy of features in another shape.
    Copied,
}

/// Says which fields of an op hold its parameters, in their order, and which of them are matrices.
macro_rules! parameters {
    ([$($field:ident),*], matrices [$($matrix:ident),*]) => {
        fn parameters(&self) -> Vec<$crate::ParameterId> {
            let all: &[&[$crate::ParameterId]] = &[$($crate::ops::Held::ids(&self.$field)),*];
            all.concat()
        }

        fn parameters_mut(&mut self) -> Vec<&mut $crate::ParameterId> {
            let all: Vec<&mut [$crate::ParameterId]> = vec![$($crate::ops::Held::ids_mut(&mut self.$field)),*];
            all.into_iter().flatten().collect()
        }

        fn matrices(&self) -> Vec<$crate::ParameterId> {
            vec![$(self.$matrix),*]
        }
    };
}
use parameters;

/// A field that holds parameters.
trait Held {
    fn ids(&self) -> &[ParameterId];
    fn ids_mut(&mut self) -> &mut [ParameterId];
}

impl Held for ParameterId {
    fn ids(&self) -> &[ParameterId] {
        std::slice::from_ref(self)
    }

    fn ids_mut(&mut self) -> &mut [ParameterId] {
        std::slice::from_mut(self)
    }
}

impl Held for Option<ParameterId> {
    fn ids(&self) -> &[ParameterId] {
        self.as_slice()
    }

    fn ids_mut(&mut self) -> &mut [ParameterId] {
        self.as_mut_slice()
    }
}

/// Makes [`Op`] and what leads from it to each op's file.
macro_rules! ops {
    (
        bare { $($(#[$bare_doc:meta])* $bare:ident,)* }
        set { $($(#[$doc:meta])* $variant:ident($settings:ident),)* }
    ) => {
        /// What a node computes from its inputs. Shapes are per element of the node's domain, the rows if it has no other:
        /// `[d]` means `elements x d`. Unless it says otherwise an op reads nodes of its own domain.
        ///
        /// An image is `[height, width, channels]`, channels last. Ops that read plain features read an image as
        /// `height * width * channels` of them; [`Concat`](Op::Concat) and [`Slice`](Op::Slice) work on the last axis.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Op {
            $($(#[$bare_doc])* $bare,)*
            $($(#[$doc])* $variant($settings),)*
        }

        impl Op {
            fn operation(&self) -> &dyn Operation {
                match self {
                    $(Op::$bare => &$bare,)*
                    $(Op::$variant(op) => op,)*
                }
            }

            /// The parameters it reads, to be led elsewhere.
            pub(crate) fn parameters_mut(&mut self) -> Vec<&mut ParameterId> {
                match self {
                    // What has no settings holds no parameter.
                    $(Op::$bare => Vec::new(),)*
                    $(Op::$variant(op) => op.parameters_mut(),)*
                }
            }
        }

        /// The examples of all ops, each with the name of its op's variant in [`Op`].
        #[doc(hidden)]
        pub fn examples() -> Vec<(&'static str, Example)> {
            let mut all = Vec::new();
            $(all.extend($bare::examples().into_iter().map(|example| (stringify!($bare), example)));)*
            $(all.extend($settings::examples().into_iter().map(|example| (stringify!($variant), example)));)*
            all
        }

        /// The names of all variants of [`Op`].
        #[cfg(test)]
        pub(crate) const NAMES: &[&str] = &[$(stringify!($bare),)* $(stringify!($variant),)*];
    };
}

ops! {
    bare {
        /// Numbers fed from outside, `[d]`.
        Input,
        /// Category indices fed from outside, `[c]` of u32.
        Index,
        /// Inputs side by side along the last axis; the other axes agree. Where they do not, as plain features.
        Concat,
        /// Elementwise sum of inputs of one shape.
        Add,
        /// Elementwise product of two inputs of one shape; a factor of width 1 multiplies every feature of the other.
        Mul,
        /// `sum_e gate_e x_e`: the first input is the gate, `[e]`; the others hold the `e` vectors `[d]` in order, each
        /// input one or several of them side by side.
        Mixture,
        /// `logit(prod_i sigmoid(x_i))`, elementwise over inputs of one shape: the logit of all of several events, each
        /// given those before it (Ma et al. 2018).
        AllOf,
        /// The input as it is; nothing below it learns from what is above.
        StopGradient,
        /// The same features in another shape.
        Reshape,
        /// The mean of every channel, `[h, w, c] -> [c]`.
        GlobalPool,
        /// Every channel of an image times a number of the row's own, `[h, w, c], [c] -> [h, w, c]` (Hu et al. 2018).
        Gate,
    }
    set {
        /// Each index column as a one-hot block, side by side: `[sum of levels]`.
        OneHot(OneHot),
        /// One index column looked up in a table: `[dim]`.
        Embedding(Embedding),
        /// `activation(x W + b)`, `[d] -> [n]`.
        Dense(Dense),
        /// An elementwise non-linearity alone.
        Activation(Activation),
        /// Zeroes a share of the features while training and scales the others by `1 / (1 - rate)` (Srivastava et al.
        /// 2014).
        Dropout(Dropout),
        /// `(x - mean) / sqrt(var + epsilon) * gain + bias` over the features of a row (Ba et al. 2016).
        LayerNorm(LayerNorm),
        /// `sum_i w_i x_i` over inputs of one shape.
        Blend(Blend),
        /// Some features of the input's last axis.
        Slice(Slice),
        /// `exp(x_j) / sum_i exp(x_i)` over the features of a row.
        Softmax(Softmax),
        /// `scale * x + shift`, elementwise.
        Affine(Affine),
        /// `scale * sum_j a_j b_j` over the features of a row: `[d], [d] -> [1]`.
        Dot(Dot),
        /// A trained vector, the same for every row, `[d]`. It has no input.
        Vector(Vector),
        /// The product of bits that are in `[0, 1]`: groups of `m = ceil(log2 choices)` features `s` become groups of
        /// `choices` features `prod_b (s_b if bit b of the choice is set, else 1 - s_b)` (Hazimeh et al. 2021).
        Codes(Codes),
        /// `activation(window(x) * W + b)` at every place of the window, `[h, w, c] -> [h', w', n]`.
        Conv2d(Conv2d),
        /// Largest or mean value at every place of a window, `[h, w, c] -> [h', w', c]`.
        Pool(Pool),
        /// `activation((x - mean) / sqrt(var + epsilon) * gain + bias)` with a channel's mean and variance: while training
        /// those over the rows that are worked on together (Ioffe and Szegedy 2015, as ghost batches: Hoffer et al.
        /// 2017), otherwise their running averages. `[h, w, c]` or `[c]`.
        BatchNorm(BatchNorm),
        /// The same with the mean and variance over the pixels of a row and the channels of a group (Wu and He 2018).
        GroupNorm(GroupNorm),
        /// An image enlarged, `[h, w, c] -> [h * factor[0], w * factor[1], c]`.
        Upsample(Upsample),
        /// From a domain to its parent: the elements of each parent as one, `[d] -> [d]`; zeros where it has none.
        Reduce(Reduction),
        /// From a domain to one that lies in it, `[d] -> [d]`: every element gets the values of the one it lies in.
        Spread(Spread),
        /// From any domain to any other, `[d] -> [d]`. The second input, of this node's domain, tells every element which
        /// one of the first input's to take: its position among those of the same row. An index beyond them gives zeros.
        Gather(Gather),
        /// From an image to a domain that lies in its own: the pixels in order, row by row, `[h, w, c] -> [c]`, behind so
        /// many elements of zeros; elements beyond the last pixel are zeros too.
        Pixels(Pixels),
        /// The features of the elements before, the element itself and the elements after it, side by side,
        /// `[d] -> [(before + 1 + after) d]`; zeros beyond the ends of the sequence.
        Neighbours(Neighbours),
        /// A trained vector for each position in a sequence, `[d]`; positions beyond the last row of the table get that
        /// row. It has no input.
        Position(Position),
        /// A long short-term memory (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000) over each
        /// sequence, `[d] -> [h]`: `[i f g o] = x W + h' U + b`, `c = s(f) c' + s(i) tanh(g)`, `h = s(o) tanh(c)`, where
        /// `s` is the logistic function and `h'` and `c'` are those of the element before, zeros at the first.
        Lstm(Lstm),
        /// A gated recurrent unit over each sequence (Cho et al. 2014, with the reset after the product), `[d] -> [h]`:
        /// `[r z n] = x W + b`, `[r' z' n'] = h' U`, `n'' = tanh(n + s(r + r') (n' + b'))`, `z'' = s(z + z')`,
        /// `h = (1 - z'') n'' + z'' h'`.
        Gru(Gru),
        /// Scaled dot-product attention of every element to all elements of its sequence (Vaswani et al. 2017), or to those
        /// in a window around it, in heads of `d / heads` features, `[3d] -> [d]`: queries, keys and values side by side.
        Attention(Attention),
        /// Features turned by their position in the sequence (Su et al. 2021): features `j` and `j + e/2` of a head of `e`
        /// by the angle `position / base^(2j / e)`, so that the product of two depends on how far apart they are.
        Rotary(Rotary),
        /// `a_i . b_j` for every element `(i, j)` of a product, the first input on its parent, the second on its second
        /// factor, `[d], [d] -> [1]`. With a root a pair of an element with itself stands for the root: `a_i . root`.
        Pairwise(Pairwise),
        /// `z / sqrt(1 + (z / limit)^2)` with `z_j = (x_j - center_j) scale_j`: scaled, and clipped smoothly (Holzmüller et
        /// al. 2024).
        Squash(Squash),
        /// Where each number `x_j` lies among bins of its own, `[n] -> [n bins]`: 1 for each bin below it, 0 for each above
        /// it, and of the bin that it lies in the share that is below it (Gorishniy et al. 2022). Bins of no width give 0.
        Bins(Bins),
        /// `cos(2 pi (f_jk x_j + p_jk))` for `m` frequencies `f` and phases `p` of each number's own, `[n] -> [n m]`
        /// (Gorishniy et al. 2022).
        Periodic(Periodic),
        /// What a caller brings, see [`CustomOp`](crate::CustomOp).
        Custom(Custom),
    }
}

impl Op {
    /// The parameters the op reads, in a fixed order.
    pub fn parameters(&self) -> Vec<ParameterId> {
        self.operation().parameters()
    }

    /// The matrices among them that features are multiplied with, all of two dimensions.
    pub fn matrices(&self) -> Vec<ParameterId> {
        self.operation().matrices()
    }

    /// The op's name as it stands in pictures and automatic layer names.
    pub fn label(&self) -> &str {
        self.operation().label()
    }

    /// What the op does, with its activation if it has one, as it stands in pictures.
    pub(crate) fn words(&self) -> String {
        self.operation().words()
    }

    /// Whether what is above the op can be differentiated with respect to what is below it.
    pub fn passes_gradients(&self) -> bool {
        self.operation().passes_gradients()
    }

    /// What the op is fed with from outside; none for one that computes.
    pub fn fed(&self) -> Option<Fed> {
        self.operation().fed()
    }

    /// How the images that it reads and gives may lie in memory.
    pub fn layout(&self) -> Layout {
        self.operation().layout()
    }

    /// Multiply-adds of one forward pass over one element.
    pub(crate) fn multiply_adds(&self, site: &Site<'_>) -> usize {
        self.operation().multiply_adds(site)
    }

    /// The rules the op puts on its inputs, parameters, domains and shape. A graph from a file passes them too.
    pub(crate) fn check(&self, site: &Site<'_>) -> Result<(), String> {
        site.exists(&self.parameters())?;
        let op = self.operation();
        for i in 0..site.inputs.len() {
            let (name, is_index) = site.source(i);
            match (is_index, op.reads_index(i)) {
                (false, true) => return Err(format!("it reads category indices, but {name:?} gives numbers")),
                (true, false) => return Err(format!("it reads numbers, but {name:?} gives category indices")),
                (false, false) | (true, true) => {}
            }
        }
        for i in 0..site.inputs.len() {
            if let Some(expected) = op.input_domain(site, i)?
                && expected != site.domain_of(i)
            {
                let (wrong, right) = (site.domain_name(site.domain_of(i)), site.domain_name(expected));
                let from = site.source(i).0;
                return Err(format!(
                    "it reads {from:?}, which has one element for each of {wrong:?}, expected {right:?}"
                ));
            }
        }
        op.check(site)
    }

    /// Bits that tell this many choices apart.
    pub fn code_bits(choices: usize) -> usize {
        (usize::BITS - choices.saturating_sub(1).leading_zeros()) as usize
    }
}
