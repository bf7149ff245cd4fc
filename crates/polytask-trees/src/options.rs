use serde::{Deserialize, Serialize};

use crate::TreesError;

/// Deepest tree that is grown or read.
pub const DEEPEST: usize = 64;

/// Which node is split next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Growth {
    /// The leaf with the largest gain first, until there are `max_leaves` (LightGBM's way).
    Leafwise,
    /// All leaves of a level before those of the next (XGBoost's way).
    Depthwise,
    /// One test for all leaves of a level (CatBoost's way): slower to fit, harder to overfit.
    Symmetric,
}

/// How thresholds are chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thresholds {
    /// The best of all thresholds of a feature.
    Best,
    /// One threshold a feature and node, drawn evenly between its least and largest value there; the best of these
    /// (extremely randomised trees, Geurts et al. 2006).
    Random,
}

/// Scale on which the gains of different tasks are added up.
///
/// A task's gain of a split is that of its outputs, `sum_k G_k^2 / (H_k + l2)` on both sides minus the same of the node,
/// which is in units of its loss: a task in millimetres would outvote one in metres. So each is divided by what a perfect
/// split could gain, `sum_k sum_r g_kr^2 / mean(h_k)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GainScale {
    /// By what there was to gain before the first tree. A task that is nearly solved counts less and less, as it would
    /// with standardised labels.
    Start,
    /// By what there is to gain now: every task counts as much in every tree, however little is left of its loss.
    Current,
    /// Not at all: in units of the loss.
    Raw,
}

/// What tasks have in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sharing {
    /// Every tree serves all tasks.
    Shared,
    /// Every task has trees of its own.
    None,
    /// Shared trees first; then each task goes on with trees of its own as long as they gain on validation rows. Without
    /// validation rows, half of the rounds are shared.
    Partial,
    /// Trees are shared within groups of tasks. Every task is in exactly one group.
    Groups(Vec<Vec<usize>>),
}

/// Search of splits over fewer columns than there are outputs (SketchBoost, Iosipoi and Vakhrushev 2022). Leaf values
/// are not sketched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sketch {
    /// Random mixtures of all outputs' gradients.
    Projection(usize),
    /// The outputs with the largest gradients.
    Top(usize),
}

impl Sketch {
    /// Columns that splits are searched over.
    pub fn width(self) -> usize {
        match self {
            Self::Projection(width) | Self::Top(width) => width,
        }
    }
}

/// A feature along which predictions may only rise, or only fall, other features being equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Monotone {
    /// A feature of numbers.
    pub feature: usize,
    /// The task that is bound; all tasks if `None`.
    pub task: Option<usize>,
    /// Rises with the feature if true, falls if false.
    pub increasing: bool,
}

/// How one tree grows; part of [`Boosting`] and [`Forest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Growing {
    /// Which node is split next.
    pub growth: Growth,
    /// Most leaves of a tree.
    pub max_leaves: usize,
    /// Most splits between the root and a leaf, at most 64.
    pub max_depth: usize,
    /// Fewest rows in a leaf.
    pub min_rows: usize,
    /// Least sum of Hessians (of all outputs) in a leaf.
    pub min_hessian: f64,
    /// L2 penalty on leaf values, added to the sum of Hessians.
    pub l2: f64,
    /// Least gain of a split.
    pub min_gain: f64,
    /// Most bins of a feature, 2 to 255; missing values have one more.
    pub max_bins: usize,
    /// Fraction of features that a tree may use, drawn for each.
    pub features_per_tree: f64,
    /// Fraction of those that a split may use, drawn for each node.
    pub features_per_split: f64,
    /// How thresholds are chosen.
    pub thresholds: Thresholds,
    /// Rows that are added, without a gradient, to every category before categories are put in order.
    pub category_smoothing: f64,
    /// L2 penalty of a split between sets of categories, in place of `l2` if it is larger.
    pub category_l2: f64,
    /// Features along which predictions only rise or only fall.
    pub monotone: Vec<Monotone>,
}

impl Default for Growing {
    fn default() -> Self {
        Self {
            growth: Growth::Leafwise,
            max_leaves: 31,
            max_depth: 16,
            min_rows: 10,
            min_hessian: 1e-3,
            l2: 3.0,
            min_gain: 0.0,
            max_bins: 255,
            features_per_tree: 1.0,
            features_per_split: 1.0,
            thresholds: Thresholds::Best,
            category_smoothing: 10.0,
            category_l2: 10.0,
            monotone: Vec::new(),
        }
    }
}

/// Options of gradient boosting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Boosting {
    /// Most rounds: trees that a task can have (with [`Sharing::Partial`], of each sort).
    pub rounds: usize,
    /// Part of every leaf value that is taken.
    pub learning_rate: f64,
    /// Rounds without a better validation loss after which a task stops; never if `None`.
    pub patience: Option<usize>,
    /// What tasks have in common.
    pub sharing: Sharing,
    /// Scale on which the tasks' gains are added up.
    pub scale: GainScale,
    /// Fraction of rows that a tree is grown with, drawn for each.
    pub rows_per_tree: f64,
    /// Search over fewer columns than outputs.
    pub sketch: Option<Sketch>,
    /// How a tree grows.
    pub growing: Growing,
    /// Seed of all that is drawn.
    pub seed: u64,
}

impl Default for Boosting {
    fn default() -> Self {
        Self {
            rounds: 2000,
            learning_rate: 0.05,
            patience: Some(100),
            sharing: Sharing::Shared,
            scale: GainScale::Start,
            rows_per_tree: 0.8,
            sketch: None,
            growing: Growing::default(),
            seed: 0,
        }
    }
}

/// Options of a forest.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Forest {
    /// Number of trees (of each group of tasks).
    pub trees: usize,
    /// Whether a tree sees as many rows as there are, drawn with replacement, or every row once.
    pub bootstrap: bool,
    /// What tasks have in common; [`Sharing::Partial`] is not for forests.
    pub sharing: Sharing,
    /// Scale on which the tasks' gains are added up; [`GainScale::Current`] is the same as [`GainScale::Start`].
    pub scale: GainScale,
    /// How a tree grows.
    pub growing: Growing,
    /// Seed of all that is drawn.
    pub seed: u64,
}

impl Default for Forest {
    fn default() -> Self {
        let growing = Growing {
            growth: Growth::Depthwise,
            max_leaves: 1 << 30,
            max_depth: 32,
            min_rows: 1,
            min_hessian: 0.0,
            l2: 0.0,
            features_per_split: 0.7,
            category_l2: 0.0,
            category_smoothing: 1.0,
            ..Growing::default()
        };
        Self { trees: 200, bootstrap: true, sharing: Sharing::Shared, scale: GainScale::Start, growing, seed: 0 }
    }
}

impl Forest {
    /// Extremely randomised trees: random thresholds, and every tree sees all rows.
    pub fn extremely_randomised() -> Self {
        let forest = Self::default();
        let growing = Growing { thresholds: Thresholds::Random, features_per_split: 1.0, ..forest.growing };
        Self { bootstrap: false, growing, ..forest }
    }
}

fn fraction(name: &str, value: f64) -> Result<(), TreesError> {
    match value > 0.0 && value <= 1.0 {
        true => Ok(()),
        false => Err(TreesError::Option(format!("`{name}` is {value}; it must be above 0 and at most 1"))),
    }
}

fn at_least(name: &str, value: f64, least: f64) -> Result<(), TreesError> {
    match value >= least && value.is_finite() {
        true => Ok(()),
        false => Err(TreesError::Option(format!("`{name}` is {value}; it must be at least {least}"))),
    }
}

impl Growing {
    fn check(&self) -> Result<(), TreesError> {
        at_least("max_leaves", self.max_leaves as f64, 2.0)?;
        at_least("max_depth", self.max_depth as f64, 1.0)?;
        at_least("min_rows", self.min_rows as f64, 0.0)?;
        at_least("min_hessian", self.min_hessian, 0.0)?;
        at_least("l2", self.l2, 0.0)?;
        at_least("min_gain", self.min_gain, 0.0)?;
        at_least("category_smoothing", self.category_smoothing, 0.0)?;
        at_least("category_l2", self.category_l2, 0.0)?;
        fraction("features_per_tree", self.features_per_tree)?;
        fraction("features_per_split", self.features_per_split)?;
        if self.max_depth > DEEPEST {
            return Err(TreesError::Option(format!("`max_depth` is {}; it can be at most {DEEPEST}", self.max_depth)));
        }
        if !(2..=255).contains(&self.max_bins) {
            return Err(TreesError::Option(format!("`max_bins` is {}; it must be 2 to 255", self.max_bins)));
        }
        if self.growth == Growth::Symmetric && (self.max_depth > 16 || self.features_per_split < 1.0) {
            let reason = "symmetric trees take all features of a tree at every level and are at most 16 deep";
            return Err(TreesError::Option(format!("{reason} (`max_depth`, `features_per_split`)")));
        }
        Ok(())
    }
}

/// Every task in exactly one group.
fn check_groups(sharing: &Sharing, tasks: usize) -> Result<(), TreesError> {
    if let Sharing::Groups(groups) = sharing {
        let mut all: Vec<usize> = groups.iter().flatten().copied().collect();
        all.sort_unstable();
        if all != (0..tasks).collect::<Vec<_>>() {
            return Err(TreesError::Option(format!("groups must name each of the {tasks} tasks exactly once")));
        }
    }
    Ok(())
}

impl Boosting {
    pub(crate) fn check(&self, tasks: usize) -> Result<(), TreesError> {
        fraction("learning_rate", self.learning_rate)?;
        fraction("rows_per_tree", self.rows_per_tree)?;
        check_groups(&self.sharing, tasks)?;
        if let Some(sketch) = self.sketch {
            at_least("sketch", sketch.width() as f64, 1.0)?;
            if !self.growing.monotone.is_empty() {
                return Err(TreesError::Option("a sketch mixes outputs, so it does not go with `monotone`".into()));
            }
        }
        self.growing.check()
    }
}

impl Forest {
    pub(crate) fn check(&self, tasks: usize) -> Result<(), TreesError> {
        at_least("trees", self.trees as f64, 1.0)?;
        check_groups(&self.sharing, tasks)?;
        if self.sharing == Sharing::Partial {
            return Err(TreesError::Option("forests have no partial sharing: no tree corrects another".into()));
        }
        self.growing.check()
    }
}

impl Sharing {
    /// The tasks of each group.
    pub(crate) fn groups(&self, tasks: usize) -> Vec<Vec<usize>> {
        match self {
            Self::Shared | Self::Partial => vec![(0..tasks).collect()],
            Self::None => (0..tasks).map(|task| vec![task]).collect(),
            Self::Groups(groups) => groups.iter().filter(|group| !group.is_empty()).cloned().collect(),
        }
    }
}
