//! The candidates that were fitted, with what they predict for rows that they have not seen.

use super::super::table::Table;
use super::super::trees::Method;
use super::candidate::{Candidate, Material, Recipe};
use super::recipe::{self, Size};
use super::{Ensemble, Member, Until, weigh};
use crate::Error;
use crate::prepare::Prepared;
use crate::train::OutOfFold;
use polytask_graph::LossKind;
use polytask_model::config::{
    Config, Family, LossConfig, NumberEmbedding, Sharing, Strength, TrainConfig, TreesConfig, TreesMethod, TreesSharing,
};
use polytask_model::model::Body;
use polytask_model::share::{Linear, Nothing, PenaltyName};
use polytask_model::tasks::Kind;
use weigh::Judge;

/// What there is to choose from.
pub(super) struct Library<'a> {
    material: &'a Material<'a>,
    judge: Judge<'a>,
    members: Vec<Fitted>,
    /// What the last candidate predicted, where it is no member.
    dropped: Option<Vec<Vec<f64>>>,
}

/// Trees of a forest on all folds together.
const FOREST: usize = 300;
/// Rows of a leaf at least where a task is of survival: of few, hardly any is left in the later intervals.
const SURVIVAL_LEAF: usize = 15;
/// How many times the least loss is too much.
const FAR: f64 = 2.0;

/// A candidate after its fit.
struct Fitted {
    name: String,
    bodies: Vec<Body>,
    /// By task: predictions for the rows of the judge, `rows x width`; NaN where no fold held the row out.
    seen: Vec<Vec<f64>>,
}

impl<'a> Library<'a> {
    pub(super) fn new(material: &'a Material<'a>) -> Self {
        Library { material, judge: Judge::new(material), members: Vec::new(), dropped: None }
    }

    /// Models that were fitted.
    pub(super) fn fits(&self) -> usize {
        self.members.iter().map(|member| member.bodies.len()).sum()
    }

    /// Fits a candidate and lets it predict the rows that it was not fitted on.
    pub(super) fn add(&mut self, candidate: &Candidate, until: &mut Until<'_>) -> Result<(), Error> {
        let mut seen = self.judge.nothing();
        // Of many rows the first fold tells already who has no chance.
        let mut hopeless = |fold: usize, body: &Body| {
            self.predict(body, fold, &mut seen)?;
            Ok(fold == 0 && self.material.is_large() && self.is_far_behind(&seen))
        };
        let bodies = self.material.fit(candidate, until, &mut hopeless)?;
        if bodies.is_empty() || (bodies.len() < self.material.folds.len() && !self.members.is_empty()) {
            self.dropped = Some(seen);
            return Ok(());
        }
        self.dropped = None;
        let bodies = self.show(candidate, bodies, until);
        self.members.push(Fitted { name: candidate.name.clone(), bodies, seen });
        Ok(())
    }

    /// Shows the callback a candidate as a model of its own.
    fn show(&self, candidate: &Candidate, bodies: Vec<Body>, until: &mut Until<'_>) -> Vec<Body> {
        let tasks: Vec<usize> = (0..self.material.table.tasks.len()).collect();
        let weights = vec![1.0; tasks.len()];
        let alone = Ensemble { members: vec![Member { name: candidate.name.clone(), bodies, tasks, weights }] };
        let body = Body::Ensemble(alone);
        until.callback.candidate(&candidate.name, &body);
        match body {
            Body::Ensemble(alone) => alone.members.into_iter().flat_map(|member| member.bodies).collect(),
            Body::Network(_) | Body::Trees(_) => Vec::new(),
        }
    }

    /// What a model of a fold predicts for the rows that it was not fitted on.
    fn predict(&self, body: &Body, fold: usize, seen: &mut [Vec<f64>]) -> Result<(), Error> {
        let (table, prepared) = (self.material.table, self.material.prepared);
        let held = &self.material.folds[fold].held;
        let outputs = body.outputs_of(&prepared.device, &prepared.encoder, &table.tasks, &prepared.data, held)?;
        self.judge.write(seen, held, &outputs);
        Ok(())
    }

    /// Whether every task is predicted much worse than by one of the members, on the rows that were predicted.
    fn is_far_behind(&self, seen: &[Vec<f64>]) -> bool {
        let own = self.judge.losses(seen);
        let tasks = own.iter().enumerate();
        !self.members.is_empty()
            && tasks.into_iter().all(|(task, loss)| {
                let others = self.members.iter().filter_map(|member| self.judge.loss_where(task, &member.seen, seen));
                loss.is_none_or(|loss| others.fold(f64::INFINITY, f64::min) * FAR < loss)
            })
    }

    /// The losses of the last candidate, by task.
    pub(super) fn last_losses(&self) -> Vec<Option<f64>> {
        let none = vec![None; self.material.table.tasks.len()];
        let last = self.dropped.as_ref().or(self.members.last().map(|member| &member.seen));
        last.map_or(none, |seen| self.judge.losses(seen))
    }

    /// The losses of constant predictions, by task.
    pub(super) fn constant_losses(&self) -> Vec<Option<f64>> {
        self.judge.constant_losses()
    }

    /// The weighted members, and what they predict for the rows that each was not fitted on, where there are several folds.
    pub(super) fn ensemble(self, seed: u64) -> (Ensemble, Option<OutOfFold>) {
        let seen: Vec<&[Vec<f64>]> = self.members.iter().map(|member| member.seen.as_slice()).collect();
        let weights = self.judge.weights(&seen, seed);
        let out_of_fold = (self.material.folds.len() > 1).then(|| self.judge.out_of_fold(&seen, &weights));
        let tasks: Vec<usize> = (0..self.material.table.tasks.len()).collect();
        let of = |(i, member): (usize, Fitted)| {
            let own: Vec<f64> = tasks.iter().map(|task| weights[*task][i]).collect();
            let counts = own.iter().any(|weight| *weight > 0.0);
            let Fitted { name, bodies, .. } = member;
            counts.then(|| Member { name, bodies, tasks: tasks.clone(), weights: own })
        };
        (Ensemble { members: self.members.into_iter().enumerate().filter_map(of).collect() }, out_of_fold)
    }
}

/// What is tried for a table, the quickest first.
pub(super) fn candidates(table: &Table, prepared: &Prepared) -> Vec<Candidate> {
    let several = table.tasks.len() > 1;
    let independent = several && table.config.model.candidates.is_all();
    let folds = super::folds::count(table, prepared);
    let (rows, width) = (table.train.len() + table.valid.len(), prepared.encoder.inputs.len());
    let seed = table.config.train.seed;
    let lives = table.tasks.iter().any(|task| matches!(task.kind, Kind::Survival(_)));
    let trees = |name: &str, method: TreesMethod, sharing: TreesSharing| {
        let own = &table.config.model.trees;
        let count = (method != TreesMethod::Boosted).then_some(FOREST).or(own.trees);
        let wide = (lives && method != TreesMethod::Boosted).then_some(SURVIVAL_LEAF);
        let config = TreesConfig { method, sharing, trees: count, min_rows: own.min_rows.or(wide), ..own.clone() };
        let method = Method::of(&config, &prepared.encoder, seed).sized(rows, width, folds);
        let how = match sharing {
            _ if !several => "",
            TreesSharing::Shared => ", joint",
            TreesSharing::Partial => ", partly joint",
            TreesSharing::None => ", independent",
        };
        Candidate { name: format!("{name}{how}"), recipe: Recipe::Trees(Box::new(method)) }
    };
    let size = |networks| Size { rows, numbers: prepared.encoder.number_width(), networks };
    let network = |name: &str, sharing: Sharing, recipe: Option<(Size, NumberEmbedding)>| {
        let how = match sharing {
            _ if !several => "",
            Sharing::None(_) => ", independent",
            _ => ", joint",
        };
        let recipe = Recipe::Network(Box::new(network_config(&table.config, sharing, recipe)));
        Candidate { name: format!("{name}{how}"), recipe }
    };
    let squared = table.tasks.iter().all(|task| task.outcome().loss() == LossKind::Mse);
    // In closed form where there is one; elsewhere close enough is good enough.
    let ridge = match squared {
        true => Linear { penalty: PenaltyName::Ridge, strength: Strength::Loo, ..Linear::default() },
        false => Linear { penalty: PenaltyName::Ridge, path: 12, tolerance: 1e-4, ..Linear::default() },
    };
    let mut all = vec![
        Candidate { name: "the mean".to_owned(), recipe: Recipe::Trees(Box::new(Method::constant(seed))) },
        network("linear", Sharing::Linear(ridge), None),
        trees("boosted trees", TreesMethod::Boosted, TreesSharing::Shared),
        trees("extremely randomised trees", TreesMethod::Extra, TreesSharing::Shared),
        trees("forest", TreesMethod::Forest, TreesSharing::Shared),
    ];
    if independent {
        all.push(trees("boosted trees", TreesMethod::Boosted, TreesSharing::None));
    }
    let (one, each) = (size(1), size(table.tasks.len()));
    all.push(network("network on waves", Sharing::default(), Some((one, NumberEmbedding::Periodic))));
    if independent && each.is_affordable() {
        all.push(network("network on waves", Sharing::None(Nothing {}), Some((each, NumberEmbedding::Periodic))));
    }
    all.push(network("network on bins", Sharing::default(), Some((one, NumberEmbedding::Bins))));
    all
}

/// The config of a network by the recipe, or of a linear candidate, which has none.
fn network_config(config: &Config, sharing: Sharing, recipe: Option<(Size, NumberEmbedding)>) -> Config {
    let mut own = config.clone();
    own.model.family = Family::Network;
    own.model.init = None;
    own.loss = LossConfig { watch: false, ..LossConfig::default() };
    let TrainConfig { seed, criterion, .. } = own.train;
    own.train = TrainConfig { seed, criterion, ..TrainConfig::default() };
    own.model.sharing = sharing;
    if let Some((size, embedding)) = recipe {
        recipe::set(&mut own, size, embedding);
    }
    own
}
