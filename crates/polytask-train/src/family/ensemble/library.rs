//! The candidates that were fitted, with what they predict for rows that they have not seen.

use super::super::table::Table;
use super::super::trees::Method;
use super::candidate::{Candidate, Material, Recipe};
use super::recipe::{self, Size};
use super::{Ensemble, Member, Until, weigh};
use crate::Error;
use crate::prepare::Prepared;
use polytask_graph::LossKind;
use polytask_model::config::{
    Config, Family, LossConfig, NumberEmbedding, Sharing, Strength, TrainConfig, TreesConfig, TreesMethod, TreesSharing,
};
use polytask_model::model::{Body, Model};
use polytask_model::share::{Linear, Nothing, PenaltyName};
use weigh::Judge;

/// What there is to choose from.
pub(super) struct Library<'a> {
    material: &'a Material<'a>,
    judge: Judge<'a>,
    members: Vec<Fitted>,
}

/// A candidate after its fit.
struct Fitted {
    name: String,
    bodies: Vec<Body>,
    /// By task: predictions for the rows of the judge, `rows x width`; NaN where no fold held the row out.
    seen: Vec<Vec<f64>>,
}

impl<'a> Library<'a> {
    pub(super) fn new(material: &'a Material<'a>) -> Self {
        Library { material, judge: Judge::new(material), members: Vec::new() }
    }

    /// Models that were fitted.
    pub(super) fn fits(&self) -> usize {
        self.members.iter().map(|member| member.bodies.len()).sum()
    }

    /// Fits a candidate and lets it predict the rows that it was not fitted on.
    pub(super) fn add(&mut self, candidate: &Candidate, until: &mut Until<'_>) -> Result<(), Error> {
        let bodies = self.material.fit(candidate, until)?;
        if bodies.is_empty() || (bodies.len() < self.material.folds.len() && !self.members.is_empty()) {
            return Ok(());
        }
        let mut seen = self.judge.nothing();
        let (table, prepared) = (self.material.table, self.material.prepared);
        let mut bodies = bodies;
        for (body, fold) in bodies.iter_mut().zip(&self.material.folds) {
            let taken = std::mem::replace(body, Body::Ensemble(Ensemble::default()));
            let model = Model {
                body: taken,
                encoder: prepared.encoder.clone(),
                tasks: table.tasks.clone(),
                dialect: prepared.dialect.clone(),
            };
            let outputs = model.outputs(&prepared.data, &fold.held)?;
            self.judge.write(&mut seen, &fold.held, &outputs);
            *body = model.body;
        }
        self.members.push(Fitted { name: candidate.name.clone(), bodies, seen });
        Ok(())
    }

    /// The losses of the last candidate, by task.
    pub(super) fn last_losses(&self) -> Vec<Option<f64>> {
        let none = vec![None; self.material.table.tasks.len()];
        self.members.last().map_or(none, |member| self.judge.losses(&member.seen))
    }

    /// The losses of constant predictions, by task.
    pub(super) fn constant_losses(&self) -> Vec<Option<f64>> {
        self.judge.constant_losses()
    }

    /// The weighted members.
    pub(super) fn ensemble(self, seed: u64) -> Ensemble {
        let seen: Vec<&[Vec<f64>]> = self.members.iter().map(|member| member.seen.as_slice()).collect();
        let weights = self.judge.weights(&seen, seed);
        let tasks: Vec<usize> = (0..self.material.table.tasks.len()).collect();
        let of = |(i, member): (usize, Fitted)| {
            let own: Vec<f64> = tasks.iter().map(|task| weights[*task][i]).collect();
            let counts = own.iter().any(|weight| *weight > 0.0);
            let Fitted { name, bodies, .. } = member;
            counts.then(|| Member { name, bodies, tasks: tasks.clone(), weights: own })
        };
        Ensemble { members: self.members.into_iter().enumerate().filter_map(of).collect() }
    }
}

/// What is tried for a table, the quickest first.
pub(super) fn candidates(table: &Table, prepared: &Prepared) -> Vec<Candidate> {
    let several = table.tasks.len() > 1;
    let seed = table.config.train.seed;
    let trees = |name: &str, method: TreesMethod, sharing: TreesSharing, count: Option<usize>| {
        let config = TreesConfig {
            method,
            sharing,
            trees: count.or(table.config.model.trees.trees),
            ..table.config.model.trees.clone()
        };
        let method = Method::of(&config, &prepared.encoder, seed);
        let how = match sharing {
            _ if !several => "",
            TreesSharing::Shared => ", joint",
            TreesSharing::Partial => ", partly joint",
            TreesSharing::None => ", independent",
        };
        Candidate { name: format!("{name}{how}"), recipe: Recipe::Trees(Box::new(method)) }
    };
    let rows = table.train.len() + table.valid.len();
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
        network("linear", Sharing::Linear(ridge), None),
        trees("boosted trees", TreesMethod::Boosted, TreesSharing::Shared, None),
        trees("extremely randomised trees", TreesMethod::Extra, TreesSharing::Shared, Some(100)),
        trees("forest", TreesMethod::Forest, TreesSharing::Shared, Some(100)),
    ];
    if several {
        all.push(trees("boosted trees", TreesMethod::Boosted, TreesSharing::None, None));
    }
    let (one, each) = (size(1), size(table.tasks.len()));
    all.push(network("network on waves", Sharing::default(), Some((one, NumberEmbedding::Periodic))));
    if several && each.is_affordable() {
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
