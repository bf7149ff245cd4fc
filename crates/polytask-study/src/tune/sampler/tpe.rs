//! The tree-structured Parzen estimator (Bergstra et al. 2011), over all dimensions together as in BOHB (Falkner et al.
//! 2018): the next point is one that is likely among the better trials and unlikely among the others.

use super::super::space::{Coordinate, Point, Space};
use super::{Ask, Sampler, Supply, Told, ranked};
use polytask_data::Random;
use polytask_model::config::Values;

/// So many points, all trained to the end; the first are drawn at random, the others in rounds.
#[derive(Clone, Debug)]
pub struct Tpe {
    /// How many.
    pub trials: usize,
    /// Optimiser steps of each.
    pub steps: u64,
    /// Points that are chosen at a time, none by what came of another.
    pub round: usize,
}

/// Trials that are drawn at random before anything is known.
const FIRST: usize = 10;
/// Points that are drawn from the better trials' density for one to be chosen.
const CANDIDATES: usize = 24;
/// The better trials are at most this share of all, and this many.
const SHARE: f64 = 0.1;
const MOST: usize = 25;

impl Sampler for Tpe {
    fn ask(&mut self, supply: &mut Supply<'_>, told: &[Told]) -> Vec<Ask> {
        let made = told.len();
        let space = supply.space();
        let steps = self.steps;
        if made < FIRST.min(self.trials) {
            let ask = |trial| Some(Ask { trial, point: supply.fresh(trial, |random| space.draw(random))?, steps });
            return (made + 1..=FIRST.min(self.trials)).map_while(ask).collect();
        }
        let ranked = ranked(told.iter());
        let better = ((SHARE * made as f64).ceil() as usize).clamp(1, MOST);
        let (good, bad) = ranked.split_at(better);
        let density = |told: &[&Told]| Density::new(space, told.iter().map(|told| told.ask.point.clone()).collect());
        let (good, bad) = (density(good), density(bad));
        let propose = |random: &mut Random| {
            let candidates = (0..CANDIDATES).map(|_| good.draw(random)).map(|point| {
                let gain = good.log(&point) - bad.log(&point);
                (gain, point)
            });
            candidates.max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, point)| point).unwrap_or_default()
        };
        let last = self.trials.min(made + self.round.max(1));
        let ask = |trial| {
            let point = supply.fresh(trial, propose).or_else(|| supply.fresh(trial, |random| space.draw(random)))?;
            Some(Ask { trial, point, steps })
        };
        (made + 1..=last).map_while(ask).collect()
    }
}

/// A mixture of a kernel at each of some points, and the uniform density, all of one weight.
struct Density {
    centers: Vec<Point>,
    /// The number of choices by dimension; none of a number.
    choices: Vec<Option<usize>>,
    width: f64,
}

impl Density {
    fn new(space: &Space, centers: Vec<Point>) -> Self {
        let dimensions = space.dimensions();
        let choices = dimensions.iter().map(|range| match &range.values {
            Values::Choices(choices) => Some(choices.len()),
            _ => None,
        });
        // Scott's rule, with the deviation of about a fifth that points drawn at random have left as they settle.
        let width = 0.2 * (centers.len().max(1) as f64).powf(-1.0 / (dimensions.len() as f64 + 4.0));
        Density { choices: choices.collect(), width, centers }
    }

    /// The weight that a choice's kernel keeps for all choices alike.
    fn spread(&self) -> f64 {
        1.0 / (self.centers.len() as f64 + 1.0)
    }

    fn draw(&self, random: &mut Random) -> Point {
        let kernel = random.below(self.centers.len() as u64 + 1) as usize;
        let center = self.centers.get(kernel);
        let coordinate = |(d, choices): (usize, &Option<usize>)| match (choices, center.map(|center| center[d])) {
            (Some(choices), Some(at)) if random.unit() >= self.spread() => match at {
                Coordinate::Choice(at) if at < *choices => Coordinate::Choice(at),
                _ => Coordinate::Choice(0),
            },
            (Some(choices), _) => Coordinate::Choice(random.below(*choices as u64) as usize),
            (None, Some(Coordinate::Unit(at))) => Coordinate::Unit(near(at, self.width, random)),
            (None, _) => Coordinate::Unit(random.unit()),
        };
        self.choices.iter().enumerate().map(coordinate).collect()
    }

    /// The logarithm of the density at a point.
    fn log(&self, point: &[Coordinate]) -> f64 {
        let kernel = |center: &Point| {
            let factor = |((own, at), choices): ((&Coordinate, &Coordinate), &Option<usize>)| match (own, at, choices) {
                (Coordinate::Unit(own), Coordinate::Unit(at), _) => truncated(*at, *own, self.width),
                (own, at, Some(choices)) => {
                    let alike = self.spread() / *choices as f64;
                    if own == at { 1.0 - self.spread() + alike } else { alike }
                }
                _ => 1.0,
            };
            center.iter().zip(point).zip(&self.choices).map(factor).product::<f64>()
        };
        let uniform: f64 = self.choices.iter().map(|choices| 1.0 / choices.unwrap_or(1) as f64).product();
        let all = uniform + self.centers.iter().map(kernel).sum::<f64>();
        (all / (self.centers.len() as f64 + 1.0)).ln()
    }
}

/// A draw from the normal distribution around `center` that falls into [0, 1].
fn near(center: f64, width: f64, random: &mut Random) -> f64 {
    loop {
        let at = center + polytask_math::normal(width, random.unit(), random.unit());
        if (0.0..=1.0).contains(&at) {
            return at;
        }
    }
}

/// The density of the normal distribution around `center`, cut off outside of [0, 1].
fn truncated(at: f64, center: f64, width: f64) -> f64 {
    let z = (at - center) / width;
    let whole = below((1.0 - center) / width) - below(-center / width);
    (-0.5 * z * z).exp() / ((std::f64::consts::TAU).sqrt() * width * whole)
}

/// The normal distribution function.
fn below(z: f64) -> f64 {
    0.5 * statrs::function::erf::erfc(-z / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_distribution_function_is_that_of_tables() {
        for (z, p) in [(-1.96, 0.0249979), (0.0, 0.5), (1.0, 0.8413447), (2.5758, 0.995)] {
            assert!((below(z) - p).abs() < 1e-6, "{z}");
        }
    }

    #[test]
    fn a_truncated_kernel_has_mass_one() {
        for center in [0.0, 0.02, 0.5, 1.0] {
            let cells = 10_000;
            let mass: f64 = (0..cells).map(|i| truncated((i as f64 + 0.5) / cells as f64, center, 0.1)).sum();
            assert!((mass / cells as f64 - 1.0).abs() < 1e-4, "{center}: {mass}");
        }
    }
}
