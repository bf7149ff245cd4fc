//! What tests of everything that reads graphs are made with: small networks around each op.
//!
//! An op's examples stand in its file. Tests of gradients, of what a step allocates and of exports walk through all of
//! them, so that a new op is met by each without being named there.

mod custom;

pub use custom::{gated, registry, softened};

use crate::{Activation, DomainId, Graph, GraphBuilder, GraphError, LossKind, NodeId, Window};

/// A network around an op, from what it reads to what follows.
#[derive(Clone, Copy)]
pub struct Example {
    /// What it stands on.
    pub base: Base,
    /// Gives the node to read, from the one that [`Base`] says.
    pub build: Build,
    /// What is special about it.
    pub kind: Kind,
}

/// Builds on a node.
pub type Build = fn(&mut GraphBuilder, NodeId) -> NodeId;

/// What an example stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Base {
    /// Trained features of rows, `[6]` or more, even.
    Rows,
    /// Trained features of images, `[h, w, 4]` with sides of 6 or more.
    Images,
    /// Trained features of the tokens of rows, `[8]`, on the first domain.
    Tokens,
    /// Category indices of rows; column 0 has 3 levels.
    Indices,
}

/// What is special about an example.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// It has inputs of its own, which data in files do not have.
    Fed,
    /// What is below must not be trained: its gradient is not that of what is computed.
    Untrained,
    /// It draws, so that its gradient is an estimate and not that of what is computed.
    Drawn,
    /// It has what only the CPU can run, and no export can have.
    Custom,
}

impl Example {
    const fn new(base: Base, build: Build) -> Self {
        Example { base, build, kind: Kind::Plain }
    }

    /// On features of rows.
    pub(crate) fn rows(build: Build) -> Self {
        Example::new(Base::Rows, build)
    }

    /// On images.
    pub(crate) fn images(build: Build) -> Self {
        Example::new(Base::Images, build)
    }

    /// On tokens.
    pub(crate) fn tokens(build: Build) -> Self {
        Example::new(Base::Tokens, build)
    }

    /// On category indices.
    pub(crate) fn indices(build: Build) -> Self {
        Example::new(Base::Indices, build)
    }

    /// On features of rows, with an input of its own.
    pub(crate) fn fed(build: Build) -> Self {
        Example { kind: Kind::Fed, ..Example::rows(build) }
    }

    /// On tokens, with an input of its own.
    pub(crate) fn fed_tokens(build: Build) -> Self {
        Example { kind: Kind::Fed, ..Example::tokens(build) }
    }

    /// On images, with an input of its own.
    pub(crate) fn fed_images(build: Build) -> Self {
        Example { kind: Kind::Fed, ..Example::images(build) }
    }

    /// On features of rows that are not trained.
    pub(crate) fn untrained(build: Build) -> Self {
        Example { kind: Kind::Untrained, ..Example::rows(build) }
    }

    /// On features of rows, and drawing.
    pub(crate) fn drawn(build: Build) -> Self {
        Example { kind: Kind::Drawn, ..Example::rows(build) }
    }

    /// With an op that a caller brings.
    pub(crate) fn custom(base: Base, build: Build) -> Self {
        Example { kind: Kind::Custom, ..Example::new(base, build) }
    }

    /// A graph of its own with two tasks.
    ///
    /// # Errors
    /// The example is wrong.
    pub fn graph(&self) -> Result<Graph, GraphError> {
        let mut g = GraphBuilder::new();
        let x = self.base.layer(&mut g);
        if self.kind == Kind::Untrained {
            g.learning_rate(x, 0.0);
        }
        let y = (self.build)(&mut g, x);
        for task in ["one", "two"] {
            let z = g.named(format!("heads.{task}")).dense(y, 2, Activation::Linear);
            g.loss(task, z, LossKind::Mse);
        }
        g.finish()
    }
}

impl Base {
    /// A node to build on, in a graph that has no other.
    fn layer(self, g: &mut GraphBuilder) -> NodeId {
        match self {
            Base::Rows => {
                let x = g.input("x", 5);
                g.dense(x, 6, Activation::Tanh)
            }
            Base::Images => {
                let x = g.image_input("image", [6, 7, 2]);
                g.conv2d(x, 4, Window::square(1), Activation::Tanh)
            }
            Base::Tokens => {
                let tokens = g.ragged("tokens", DomainId::ROWS);
                let x = g.input_on(tokens, "x", 5);
                g.dense(x, 8, Activation::Tanh)
            }
            Base::Indices => g.index_input("categories", 2),
        }
    }
}

/// All pairs of the elements of a node's domain, a product that examples share.
pub(crate) fn pairs(g: &mut GraphBuilder, x: NodeId) -> DomainId {
    let domain = g.domain(x);
    match g.domain_named("pairs") {
        DomainId::ROWS => g.product("pairs", domain, domain),
        there => there,
    }
}

/// What a loss is called in the list of all, which the compiler knows to be whole.
fn loss_name(kind: &LossKind) -> &'static str {
    match kind {
        LossKind::Mse => "mse",
        LossKind::Mae => "mae",
        LossKind::Huber { .. } => "huber",
        LossKind::BinaryCrossEntropy => "binary_cross_entropy",
        LossKind::CrossEntropy => "cross_entropy",
        LossKind::Poisson => "poisson",
        LossKind::Crf { .. } => "crf",
        LossKind::Arcs { .. } => "arcs",
        LossKind::Custom(_) => "custom",
    }
}

/// A network for each kind of loss, with the loss's name in files.
///
/// # Errors
/// A network is wrong.
pub fn losses() -> Result<Vec<(&'static str, Graph)>, GraphError> {
    let mut all = Vec::new();
    let mut add = |base: Base, head: &dyn Fn(&mut GraphBuilder, NodeId)| {
        let mut g = GraphBuilder::new();
        let x = base.layer(&mut g);
        head(&mut g, x);
        let graph = g.finish()?;
        let name = graph.losses.first().map_or("", |loss| loss_name(&loss.kind));
        all.push((name, graph));
        Ok::<(), GraphError>(())
    };
    let plain = |kind: LossKind, width: usize| {
        move |g: &mut GraphBuilder, x: NodeId| {
            let z = g.dense(x, width, Activation::Linear);
            g.loss("task", z, kind.clone());
        }
    };
    for kind in [
        LossKind::Mse,
        LossKind::Mae,
        LossKind::Huber { delta: 0.7 },
        LossKind::BinaryCrossEntropy,
        LossKind::Poisson,
        LossKind::Custom(softened().into()),
    ] {
        add(Base::Rows, &plain(kind.clone(), 2))?;
        add(Base::Tokens, &plain(kind, 1))?;
    }
    add(Base::Rows, &plain(LossKind::CrossEntropy, 3))?;
    add(Base::Images, &|g, x| {
        let z = g.pointwise(x, 3, Activation::Linear);
        let loss = g.loss("task", z, LossKind::CrossEntropy);
        g.class_weights(loss, &[1.0, 0.5, 2.0]);
    })?;
    add(Base::Tokens, &|g, x| {
        let z = g.dense(x, 5, Activation::Linear);
        g.crf_loss("task", z);
    })?;
    add(Base::Tokens, &|g, x| {
        let pairs = pairs(g, x);
        let scores = g.biaffine(pairs, x, x, true);
        let labels = g.dense(x, 4, Activation::Linear);
        g.loss("task", scores, LossKind::Arcs { labels });
    })?;
    Ok(all)
}
