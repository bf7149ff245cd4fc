//! The best groups for every number of groups, and which number to take.

use super::evidence::{Evidence, error};
use super::exact::{EXACT, exact};
use super::heuristic::{bound, heuristic};
use super::matrix::Matrix;
use super::member::Member;
use super::worth::{Choice, Gain, Set, members, set_of};
use crate::compare::{deviation, mean};
use rayon::prelude::*;

/// The best groups of at most so many.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// The models, in the order of the first tasks they serve.
    pub members: Vec<Member>,
    /// Mean over the tasks that count of what each gains.
    pub gain: f64,
    /// What no groups of so many can exceed.
    pub bound: f64,
    /// The mean gain of groups that one half of the evidence chose, by the other half; and its noise. None where the
    /// evidence is one witness alone.
    pub crossed: Option<(f64, f64)>,
    /// The same groups after every task has moved to that of them where it gains most itself, and those that only cost the
    /// others something are alone.
    pub settled: Vec<Member>,
    /// By how much these are better for their tasks than what else each could do, from -1 to 1.
    pub margin: f64,
    /// How much of the margin is above that of one group for all, and its noise.
    pub above_one: (f64, f64),
    /// The same of groups that one half of the evidence chose, by the other half; infinite where there are no halves.
    pub crossed_above: f64,
}

/// Every number of groups from 1 on.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// By number of groups, from 1 on.
    pub points: Vec<Point>,
    /// Whether nothing can be better.
    pub exact: bool,
}

/// Tasks at most for which groups of general worth are tried out all.
const GENERAL: usize = 12;
/// Tasks at most for which the halves' groups are the best there are.
const CROSSED: usize = 12;
/// Times that the evidence is cut in halves.
const HALVES: usize = 8;
/// Standard errors that are beyond the noise.
pub(super) const BEYOND: f64 = 2.0;
/// Standard errors by which a task must harm the others to be left alone.
const SURELY: f64 = 3.0;

/// The best groups for every number of groups.
pub fn curve(evidence: &Evidence, served: &[usize], helpers: Set) -> Curve {
    let choice = |gain: Gain| Choice { gain, served: served.to_vec(), helpers };
    let whole = choice(evidence.gain.clone());
    let is_exact = served.len() <= limit(&evidence.gain, EXACT);
    let all = groupings(&whole, EXACT);
    let value = |gain: &Gain, members: &[Member]| value(gain, members, served.len());
    let halves = halves(evidence, served, helpers);
    let one = all.first().cloned().unwrap_or_default();
    let everyone = set_of(served.iter().copied());
    let settled: Vec<Vec<Member>> =
        all.iter().map(|members| parted(evidence, &whole, &settle(&whole, members))).collect();
    let scales = scales(evidence, &settled, served, everyone);
    let crossed_margins = crossed_margins(evidence, served, helpers, &scales, &one);
    let points = all.into_iter().zip(settled).enumerate().map(|(k, (members, settled))| {
        let gain = value(&evidence.gain, &members);
        let bound = match (&evidence.gain, is_exact) {
            (_, true) => gain,
            (Gain::Pairs(matrix), false) if helpers == 0 => bound(&inner(matrix, served), k + 1) / served.len() as f64,
            (Gain::Pairs(matrix), false) => {
                let best = |&to: &usize| company(matrix, to, everyone | helpers);
                served.iter().map(best).sum::<f64>() / served.len() as f64
            }
            (Gain::Groups(_), false) => f64::INFINITY,
        };
        // The halves share all evidence between them, so their spread is not the noise: that is the witnesses'.
        let crossed: Vec<f64> = halves.iter().map(|half| half[k]).collect();
        let error = noise(evidence, |gain| value(gain, &members)).max(deviation(&crossed));
        let above = |gain: &Gain| margin(gain, &settled, served, &scales) - margin(gain, &one, served, &scales);
        Point {
            gain,
            bound,
            crossed: (!crossed.is_empty()).then(|| (mean(&crossed), error)),
            margin: margin(&evidence.gain, &settled, served, &scales),
            above_one: (above(&evidence.gain), noise(evidence, above)),
            crossed_above: crossed_margins.get(k).copied().unwrap_or(f64::INFINITY),
            settled,
            members,
        }
    });
    Curve { points: points.collect(), exact: is_exact }
}

/// Tasks up to which groups are the best there are.
fn limit(gain: &Gain, pairs: usize) -> usize {
    match gain {
        Gain::Pairs(_) => pairs,
        Gain::Groups(_) => pairs.min(GENERAL),
    }
}

/// Mean gain of the tasks that are served.
fn value(gain: &Gain, models: &[Member], tasks: usize) -> f64 {
    let own = |member: &Member| {
        let Member { served, helpers } = *member;
        members(served).map(move |task| gain.of(task, served | helpers))
    };
    models.iter().flat_map(own).sum::<f64>() / tasks.max(1) as f64
}

/// The best models for each number of them, or good ones where there are too many tasks.
fn groupings(choice: &Choice, few: usize) -> Vec<Vec<Member>> {
    let served = &choice.served;
    let of_places = |places: Set| set_of(members(places).map(|place| served[place]));
    let all = match served.len() <= limit(&choice.gain, few) {
        true => {
            let worth = (0..1u32 << served.len()).into_par_iter();
            let worth: Vec<f64> = worth.map(|set| choice.worth(of_places(Set::from(set))).0).collect();
            let best = |place: usize, set: u32| match &choice.gain {
                Gain::Pairs(matrix) => company(matrix, served[place], of_places(Set::from(set)) | choice.helpers),
                Gain::Groups(_) => f64::INFINITY,
            };
            exact(served.len(), &worth, best)
        }
        false => heuristic(served.len(), |places| choice.worth(of_places(places)).0),
    };
    let member = |places: Set| {
        let served = of_places(places);
        Member { served, helpers: choice.worth(served).1 }
    };
    all.into_iter().map(|groups| groups.into_iter().map(member).collect()).collect()
}

/// Moves every task to the group where it gains most, again and again. The best sum may sacrifice a task whose partners gain
/// more without it; this does not.
fn settle(choice: &Choice, models: &[Member]) -> Vec<Member> {
    let mut groups: Vec<Set> = models.iter().map(|m| m.served).collect();
    let gain = |task: usize, group: Set| choice.gain.of(task, group | 1 << task);
    // Tasks may chase each other; then it ends somewhere.
    for _ in 0..choice.served.len() {
        let before = groups.clone();
        for &task in &choice.served {
            let Some(from) = groups.iter().position(|group| group >> task & 1 == 1) else { continue };
            let best = (0..groups.len()).filter(|g| groups[*g] != 0).max_by(|a, b| {
                let [a, b] = [*a, *b].map(|g| (gain(task, groups[g]), g == from));
                a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
            });
            if let Some(to) = best {
                groups[from] &= !(1 << task);
                groups[to] |= 1 << task;
            }
        }
        if groups == before {
            break;
        }
    }
    ordered(choice, groups)
}

/// The most that a task could gain in any company out of a set.
fn company(matrix: &Matrix, to: usize, set: Set) -> f64 {
    members(set & !(1 << to)).map(|from| matrix.at(from, to)).fold(0.0, f64::max)
}

/// What concerns some tasks alone.
fn inner(matrix: &Matrix, tasks: &[usize]) -> Matrix {
    Matrix::from_fn(tasks.len(), |(from, to)| matrix.at(tasks[from], tasks[to]))
}

/// By way of cutting the evidence in two: for each number of groups the mean gain that one half sees in the groups which
/// the other half chose, both ways. Groups that fit the noise of one half fall through in the other.
fn halves(evidence: &Evidence, served: &[usize], helpers: Set) -> Vec<Vec<f64>> {
    across(evidence, served, helpers, |_, models, judge| value(judge, models, served.len()))
}

/// Likewise, by how much the margins of settled groups are above that of one group; mean over the cuts.
fn crossed_margins(evidence: &Evidence, served: &[usize], helpers: Set, scales: &[f64], one: &[Member]) -> Vec<f64> {
    let cuts = across(evidence, served, helpers, |choice, models, judge| {
        let settled = settle(choice, models);
        margin(judge, &settled, served, scales) - margin(judge, one, served, scales)
    });
    let numbers = cuts.first().map_or(0, Vec::len);
    (0..numbers).map(|k| mean(&cuts.iter().map(|cut| cut[k]).collect::<Vec<f64>>())).collect()
}

/// What one half of the evidence says of the groups that the other half chose: by cut, then by number of groups.
fn across(
    evidence: &Evidence,
    served: &[usize],
    helpers: Set,
    of: impl Fn(&Choice, &[Member], &Gain) -> f64 + Sync,
) -> Vec<Vec<f64>> {
    let count = evidence.witnesses.len();
    if count < 4 {
        return Vec::new();
    }
    let cut = |cut: usize| {
        // Of every two neighbours one goes to each half: what changes over the run is in both.
        let first = move |i: usize| i.is_multiple_of(2) != (coin(cut, i / 2) && cut > 0);
        let sides = [evidence.from(first), evidence.from(|i| !first(i))];
        let ways = [0, 1].map(|side| {
            let choice = Choice { gain: sides[side].clone(), served: served.to_vec(), helpers };
            let chosen = groupings(&choice, CROSSED);
            chosen.iter().map(|models| of(&choice, models, &sides[1 - side])).collect::<Vec<f64>>()
        });
        ways[0].iter().zip(&ways[1]).map(|(a, b)| (a + b) / 2.0).collect()
    };
    (0..HALVES).into_par_iter().map(cut).collect()
}

/// A coin toss, the same every time.
fn coin(cut: usize, pair: usize) -> bool {
    polytask_math::seed::coin((cut as u64) << 32 | pair as u64)
}

/// What a task's margins are measured in: the most that it gains in any of these groups, and no less than twice the noise of
/// what it gains among all.
fn scales(evidence: &Evidence, groupings: &[Vec<Member>], served: &[usize], all: Set) -> Vec<f64> {
    let scale = |&task: &usize| {
        let own =
            groupings.iter().flatten().filter(|m| m.served >> task & 1 == 1).map(|m| evidence.gain.of(task, m.all()));
        own.fold(BEYOND * noise(evidence, |gain| gain.of(task, all)), f64::max)
    };
    served.iter().map(scale).collect()
}

/// By how much groups are better for their tasks than what else each could do, from -1 to 1: the mean over tasks of
/// `(a - max(b, 0)) / scale`, where `a` is what a task gains in its own group, `b` the most that it would gain in another
/// one, and alone it gains 0. A silhouette (Rousseeuw 1987) in which to be alone is a choice as well.
fn margin(gain: &Gain, models: &[Member], served: &[usize], scales: &[f64]) -> f64 {
    let of = |(&task, &scale): (&usize, &f64)| {
        let Some(own) = models.iter().position(|m| m.served >> task & 1 == 1) else { return 0.0 };
        let others = models.iter().enumerate().filter(|(other, _)| *other != own);
        let best = others.map(|(_, m)| gain.of(task, m.all() | 1 << task)).fold(0.0, f64::max);
        let margin = gain.of(task, models[own].all()) - best;
        if scale > 0.0 { (margin / scale).clamp(-1.0, 1.0) } else { 0.0 }
    };
    mean(&served.iter().zip(scales).map(of).collect::<Vec<f64>>())
}

/// Takes tasks out of groups in which they gain nothing beyond the noise, where the others gain more without them beyond the
/// noise: the one first that costs the others most.
fn parted(evidence: &Evidence, choice: &Choice, models: &[Member]) -> Vec<Member> {
    let mut groups = Vec::new();
    for member in models {
        let mut group = member.served;
        loop {
            let costs = |task: usize| {
                let rest = group & !(1 << task);
                let cost = move |gain: &Gain| {
                    members(rest).map(|other| gain.of(other, rest) - gain.of(other, group)).sum::<f64>()
                };
                let own = move |gain: &Gain| gain.of(task, group);
                let leaves = own(&evidence.gain) <= BEYOND * noise(evidence, own)
                    && cost(&evidence.gain) > SURELY * noise(evidence, cost);
                leaves.then(|| (cost(&evidence.gain), task))
            };
            let worst = members(group).filter_map(costs).max_by(|a, b| a.0.total_cmp(&b.0).then(b.1.cmp(&a.1)));
            let Some((_, task)) = worst.filter(|_| group.count_ones() > 1) else { break };
            group &= !(1 << task);
            groups.push(1 << task);
        }
        groups.push(group);
    }
    ordered(choice, groups)
}

/// Standard error of something that every witness sees for itself; 0 where there are too few to tell.
fn noise(evidence: &Evidence, of: impl Fn(&Gain) -> f64) -> f64 {
    let seen: Vec<f64> = evidence.witnesses.iter().map(of).filter(|v| v.is_finite()).collect();
    error(&seen).unwrap_or(0.0)
}

/// Groups in the order of their first tasks, each with the helpers that raise it most.
fn ordered(choice: &Choice, mut groups: Vec<Set>) -> Vec<Member> {
    groups.retain(|group| *group != 0);
    groups.sort_unstable_by_key(|group| group.trailing_zeros());
    groups.into_iter().map(|served| Member { served, helpers: choice.worth(served).1 }).collect()
}
