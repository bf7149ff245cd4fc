//! Linear models: no layers, one weight vector a task, and a convex penalty that says what the vectors have in common.
//!
//! ```text
//! y_t = x w_t + b_t,    minimise   mean loss of every task + strength * penalty([w_1 .. w_T])
//! ```
//!
//! The penalties and their papers are in `polytask-linear`; the weights are found by `polytask-train`, not by steps
//! of an optimiser.

use super::ModelConfig;
use super::{Architecture, Design, Info, keys};
use crate::inputs::Encoder;
use crate::section::{Problem, Strength};
use indexmap::IndexMap;
use polytask_graph::GraphBuilder;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub(super) const INFO: Info = Info {
    name: "linear",
    shares: "a penalty on the weights of all tasks, nothing else",
    when: "few rows, many features, or as the first baseline of all",
    paper: "Evgeniou and Pontil, KDD 2004; Obozinski et al., Statistics and Computing 20, 2010",
};

/// What the tasks' weights have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PenaltyName {
    /// Small weights; nothing in common (Hoerl and Kennard 1970).
    Ridge,
    /// Few weights, each task its own (Tibshirani 1996).
    Lasso,
    /// A feature is in for all tasks or out for all (Obozinski et al. 2010).
    #[default]
    L21,
    /// A subspace of few dimensions (Argyriou et al. 2008).
    Trace,
    /// Weights close to their mean (Evgeniou and Pontil 2004).
    Mean,
    /// Weights close to those of the neighbours in a graph of the tasks (Evgeniou et al. 2005).
    Graph,
    /// A subspace, and single weights beside it (Chen et al. 2010).
    SparseLowRank,
    /// A subspace, and outlier tasks that go their own way (Chen et al. 2011).
    Robust,
    /// Features for all tasks, and features of single ones (Jalali et al. 2010).
    Dirty,
    /// Groups of tasks with close weights (Zhou et al. 2011).
    Clustered,
}

impl PenaltyName {
    /// As it is written in the config.
    pub fn word(self) -> &'static str {
        match self {
            PenaltyName::Ridge => "ridge",
            PenaltyName::Lasso => "lasso",
            PenaltyName::L21 => "l21",
            PenaltyName::Trace => "trace",
            PenaltyName::Mean => "mean",
            PenaltyName::Graph => "graph",
            PenaltyName::SparseLowRank => "sparse_low_rank",
            PenaltyName::Robust => "robust",
            PenaltyName::Dirty => "dirty",
            PenaltyName::Clustered => "clustered",
        }
    }
}

/// No layers: one weight vector a task, and a penalty on all of them (Evgeniou and Pontil 2004).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Linear {
    /// What the tasks' weights have in common. Default "l21".
    pub penalty: PenaltyName,
    /// How much the penalty weighs beside the mean losses: a number of 0 or above; a list of them to choose from; "auto", a
    /// path of strengths, chosen by `train.criterion` on the validation rows, or by cross-validation where there are none;
    /// "cv", the same path, always by cross-validation; "loo", for each task its own by leaving out each row in turn, which
    /// ridge regression with squared losses has in closed form. Default "auto".
    pub strength: Strength,
    /// The penalty's second number, or a list to choose from. lasso, l21: the share of the penalty that selects, from 0 to 1,
    /// the rest being ridge (scikit-learn's l1_ratio; default 1). mean, graph, clustered: ridge beside the ties (default
    /// 0.1). sparse_low_rank, robust, dirty: the price of a single weight or task beside that of the common part, above 0
    /// (default: between the prices at which one of the two is empty). ridge and trace have none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ratio: Option<Ratio>,
    /// graph: which tasks are tied, { a = { b = 1.0, c = 0.5 } }, each pair once with a weight of 0 or above.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub graph: Option<IndexMap<String, IndexMap<String, f64>>>,
    /// clustered: the number of groups, from 1 to the number of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub clusters: Option<usize>,
    /// Strengths on the path, 2 or more. Default 30.
    pub path: usize,
    /// The weakest strength of the path, as a share of the strongest, above 0 and below 1. Default 1e-4.
    pub weakest: f64,
    /// Parts that cross-validation holds out in turn, 2 or more. Default 5.
    pub folds: usize,
    /// How close to the minimum is close enough, above 0: the duality gap relative to the loss of constant predictions where
    /// all tasks have a squared loss, else the square of the gradient relative to that at weights of 0. Default 1e-8.
    pub tolerance: f64,
    /// Iterations a strength at most, 1 or more. Default 10000.
    pub iterations: u64,
}

/// One number, or a list to choose from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "`ratio` is a number or a list of numbers")]
pub enum Ratio {
    /// This one.
    One(f64),
    /// The best of these.
    Many(Vec<f64>),
}

impl Ratio {
    /// The numbers.
    pub fn values(&self) -> &[f64] {
        match self {
            Ratio::One(value) => std::slice::from_ref(value),
            Ratio::Many(values) => values,
        }
    }
}

impl Default for Linear {
    fn default() -> Self {
        Linear {
            penalty: PenaltyName::default(),
            strength: Strength::default(),
            ratio: None,
            graph: None,
            clusters: None,
            path: 30,
            weakest: 1e-4,
            folds: 5,
            tolerance: 1e-8,
            iterations: 10_000,
        }
    }
}

impl Linear {
    /// How many settings of strength and ratio are tried at most.
    pub fn tries(&self) -> u64 {
        let strengths = match &self.strength {
            Strength::Auto | Strength::Cv => self.path,
            Strength::Loo => 1,
            Strength::Values(values) => values.len(),
        };
        (strengths * self.ratio.as_ref().map_or(1, |ratio| ratio.values().len())) as u64
    }

    /// The model of a task alone: the same without what ties tasks, which leaves ridge or, of penalties that select, lasso.
    pub fn alone(&self) -> Linear {
        let penalty = match self.penalty {
            PenaltyName::Lasso | PenaltyName::L21 | PenaltyName::SparseLowRank | PenaltyName::Dirty => {
                PenaltyName::Lasso
            }
            _ => PenaltyName::Ridge,
        };
        let selects = matches!(self.penalty, PenaltyName::Lasso | PenaltyName::L21);
        let ratio = self.ratio.clone().filter(|_| selects);
        Linear { penalty, ratio, graph: None, clusters: None, ..self.clone() }
    }

    fn check_ratio(&self) -> Result<(), Problem> {
        let Some(ratio) = &self.ratio else { return Ok(()) };
        if ratio.values().is_empty() {
            return Err(keys::wrong(&["ratio"], "`model.sharing.ratio` is an empty list"));
        }
        let word = self.penalty.word();
        ratio.values().iter().try_for_each(|&value| match self.penalty {
            PenaltyName::Ridge | PenaltyName::Trace => {
                Err(keys::wrong(&["ratio"], format!("the penalty \"{word}\" has no `ratio`")))
            }
            PenaltyName::Lasso | PenaltyName::L21 => keys::share("ratio", value),
            PenaltyName::Mean | PenaltyName::Graph => keys::at_least_0("ratio", value),
            _ => keys::above_0("ratio", value),
        })
    }

    /// Leaving rows out is cheap in ridge regression alone.
    fn check_strength(&self) -> Result<(), Problem> {
        match self.strength == Strength::Loo && self.penalty != PenaltyName::Ridge {
            true => Err(keys::wrong(&["strength"], "the strength \"loo\" goes with the penalty \"ridge\" alone")
                .hint("choose \"cv\"".to_owned())),
            false => Ok(()),
        }
    }

    /// A key of another penalty would silently do nothing, and one that is needed must be there.
    fn check_ties(&self, tasks: &[&str]) -> Result<(), Problem> {
        let word = self.penalty.word();
        for (key, owner, there, hint) in [
            (
                "graph",
                PenaltyName::Graph,
                self.graph.is_some(),
                "{ a = { b = 1.0 } }, a weight for every tied pair of tasks",
            ),
            ("clusters", PenaltyName::Clustered, self.clusters.is_some(), "2, the number of groups"),
        ] {
            if there && self.penalty != owner {
                let message = format!("`{key}` belongs to penalty \"{}\", not to \"{word}\"", owner.word());
                return Err(keys::wrong(&[key], message));
            }
            if !there && self.penalty == owner {
                let message = format!("the penalty \"{word}\" needs `model.sharing.{key}`");
                return Err(keys::wrong(&["penalty"], message).hint(format!("for example {key} = {hint}")));
            }
        }
        if let Some(clusters) = self.clusters
            && !(1..=tasks.len()).contains(&clusters)
        {
            let message = format!(
                "`model.sharing.clusters` is {clusters}; it must be from 1 to {}, the number of tasks",
                tasks.len()
            );
            return Err(keys::wrong(&["clusters"], message));
        }
        self.graph.as_ref().map_or(Ok(()), |graph| keys::pairs("graph", graph, tasks))
    }
}

impl Architecture for Linear {
    fn info(&self) -> &'static Info {
        &INFO
    }

    fn check(&self, model: &ModelConfig, tasks: &[&str]) -> Result<(), Problem> {
        let key = |key: &'static str| ["model", "sharing", key];
        self.strength.check(&key("strength"))?;
        self.check_ratio()?;
        self.check_strength()?;
        self.check_ties(tasks)?;
        for (name, value) in [("path", self.path), ("folds", self.folds)] {
            if value < 2 {
                return Err(Problem::value(&key(name), value, "it must be 2 or more"));
            }
        }
        if !(self.weakest > 0.0 && self.weakest < 1.0) {
            return Err(Problem::value(&key("weakest"), self.weakest, "it must be above 0 and below 1"));
        }
        keys::above_0("tolerance", self.tolerance)?;
        if self.iterations == 0 {
            return Err(Problem::value(&key("iterations"), 0, "it must be 1 or more"));
        }
        if model.init.is_some() {
            let message =
                "`model.init` has no meaning for a linear model, whose weights are the same wherever they start";
            return Err(Problem::new(&["model", "init"], message));
        }
        Ok(())
    }

    fn build(&self, g: &mut GraphBuilder, design: &Design<'_>) {
        if let Some(reason) = design.unfit_for_linear() {
            g.refuse("features", reason);
        }
        let inputs = design.inputs(g);
        let x = design.one_hot(g, inputs);
        let outputs: Vec<_> = (0..design.tasks()).map(|task| design.output(g, task, x)).collect();
        design.losses(g, &outputs);
    }
}

/// Why a linear model cannot take these inputs; none where it can.
pub fn unfit(encoder: &Encoder) -> Option<String> {
    let reads =
        |input: &str, what: &str| format!("a linear model reads numbers and categories, and input `{input}` is {what}");
    let text = encoder.text_inputs().map(|(input, _)| reads(input, "a text"));
    let image = encoder.images().map(|(input, _)| reads(input, "an image"));
    text.chain(image).next()
}
