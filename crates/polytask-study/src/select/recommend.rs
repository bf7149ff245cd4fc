//! Which number of groups to take, and why.

use super::curve::{BEYOND, Curve, Point};
use super::member::Member;
use super::worth::set_of;

/// The groups to take.
#[derive(Clone, Debug, PartialEq)]
pub struct Recommendation {
    /// The models.
    pub members: Vec<Member>,
    /// Why, in words.
    pub reason: String,
}

/// Share of the largest margin that is as good: finer groups always fit the noise, and small differences within a group, a
/// little better.
const NEAR: f64 = 0.85;
/// How far the margin must be above that of one group where half the evidence judges what the other half chose.
const CROSSED: f64 = 0.25;

/// Chooses among the numbers of groups that are allowed, of which there must be one.
///
/// Mean gains alone cannot choose: the best pairs of a group of four gain a little more than the four, so they would always
/// favour more groups. So groups are judged by their margin, what their tasks gain in them over the best that each could
/// have elsewhere: in another of the groups, or alone. It falls where groups that belong together are torn apart as well as
/// where strangers are joined. The fewest groups are taken whose margin is within 15 % of the largest; all together where that
/// is not beyond the noise. Where company hurts beyond the noise, the fewest groups are taken whose gain is within the noise
/// of the best, or none where no group gains anything.
pub fn recommend(curve: &Curve, served: &[usize], allowed: impl Fn(usize) -> bool) -> Recommendation {
    let points: Vec<(usize, &Point)> =
        curve.points.iter().enumerate().map(|(i, point)| (i + 1, point)).filter(|(k, _)| allowed(*k)).collect();
    let take = |point: &Point, reason: String| Recommendation { members: point.settled.clone(), reason };
    // A task that was left alone makes a group more.
    let fits = |point: &Point, k: usize| point.settled.len() <= k || allowed(point.settled.len());
    let stands_out = |point: &Point| point.above_one.0 > BEYOND * point.above_one.1 && point.crossed_above > CROSSED;
    let apart = points.iter().filter(|(k, point)| {
        point.settled.len() > 1
            && fits(point, *k)
            && point.margin > 0.0
            // One group with tasks taken out was not chosen among many: each of these tasks has passed a test of its own.
            && (point.members.len() == 1 || stands_out(point))
    });
    let apart: Vec<&Point> = apart.map(|(_, point)| *point).collect();
    let most = points.iter().map(|(_, point)| point.margin).fold(f64::NEG_INFINITY, f64::max);
    let near = apart.iter().filter(|point| point.margin >= NEAR * most);
    let best = near.min_by(|a, b| a.settled.len().cmp(&b.settled.len()).then(b.margin.total_cmp(&a.margin)));
    let one_is_as_good =
        points.first().is_some_and(|(k, one)| *k == 1 && one.settled.len() == 1 && one.margin >= NEAR * most);
    if let Some(point) = best.filter(|_| !one_is_as_good) {
        let reason = format!(
            "these {} groups are the fewest in which the tasks gain most over the best that each could have in another group or \
             alone (margin {:.2} of 1), beyond the noise more than all together",
            point.settled.len(),
            point.margin
        );
        return take(point, reason);
    }
    let (one, noise) = known(&curve.points[0]);
    if let Some(members) = together(&points, served) {
        let reason = match one {
            _ if one > BEYOND * noise => "no groups stand apart, and together the tasks gain beyond the noise",
            _ if one >= -BEYOND * noise => {
                "no groups stand apart, and together the tasks neither gain nor lose beyond the noise: one model is the cheapest"
            }
            _ => "",
        };
        if !reason.is_empty() {
            return Recommendation { members, reason: reason.to_owned() };
        }
    }
    let best = points.iter().max_by(|a, b| known(a.1).0.total_cmp(&known(b.1).0).then(b.0.cmp(&a.0)));
    let (most, noise) = best.map_or((0.0, 0.0), |(_, point)| known(point));
    let all_alone = allowed(served.len());
    if most <= BEYOND * noise && all_alone {
        let members = served.iter().map(|task| Member::of(1 << task)).collect();
        let reason = "company hurts beyond the noise, and in no groups do the tasks gain".to_owned();
        return Recommendation { members, reason };
    }
    let fewest = points.iter().find(|(_, point)| known(point).0 >= most - noise);
    match fewest.or(points.first()) {
        Some((_, point)) => {
            let k = point.settled.len();
            let reason = format!(
                "together the tasks lose beyond the noise; {k} is the fewest groups whose gain is within the noise of the best"
            );
            take(point, reason)
        }
        None => take(&curve.points[0], "nothing else is allowed".to_owned()),
    }
}

/// What groups gain, as half the evidence sees it in the other half's choice, and its noise; as it was chosen by where there
/// are no halves.
fn known(point: &Point) -> (f64, f64) {
    point.crossed.unwrap_or((point.gain, 0.0))
}

/// All in one model, where that is allowed.
fn together(points: &[(usize, &Point)], served: &[usize]) -> Option<Vec<Member>> {
    let (_, first) = points.first().filter(|(k, _)| *k == 1)?;
    let helpers = first.members.first()?.helpers;
    Some(vec![Member { served: set_of(served.iter().copied()), helpers }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::select::curve::curve;
    use crate::select::evidence::Evidence;
    use crate::select::matrix::Matrix;
    use crate::select::worth::set_of;

    /// Twelve witnesses of a matrix with noise of a given standard deviation; so what a pair gains is known to a standard
    /// error of 0.29 of it, and each test says by how many of these what it plants stands out.
    fn witnesses(n: usize, noise: f64, of: impl Fn(usize, usize) -> f64) -> Evidence {
        seeded(5, n, noise, of)
    }

    fn seeded(seed: u64, n: usize, noise: f64, of: impl Fn(usize, usize) -> f64) -> Evidence {
        let mut state = seed;
        let mut draw = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            ((state >> 11) as f64 / (1u64 << 53) as f64 - 0.5) * 3.46 * noise
        };
        let all: Vec<Matrix> = (0..12).map(|_| Matrix::from_fn(n, |(i, j)| of(i, j) + draw())).collect();
        Evidence::of_pairs(&all)
    }

    fn groups(evidence: &Evidence, n: usize) -> Vec<u128> {
        let served: Vec<usize> = (0..n).collect();
        let found = recommend(&curve(evidence, &served, 0), &served, |_| true);
        found.members.iter().map(|m| m.served).collect()
    }

    #[test]
    fn planted_groups_are_taken_and_no_pairs_within_them() {
        // Within groups of four some help more than others: pairs alone would gain more. From the least within, 1.0, to
        // across, -0.1: 12 standard errors.
        let within = |i: usize, j: usize| 1.0 + 0.3 * ((i * 7 + j * 3) % 5) as f64 / 4.0;
        let evidence = witnesses(8, 0.3, |i, j| if i / 4 == j / 4 { within(i, j) } else { -0.1 });
        assert_eq!(groups(&evidence, 8), [set_of(0..4), set_of(4..8)]);
    }

    #[test]
    fn tasks_that_all_help_stay_together() {
        // The least, 1.0, is 11 standard errors above learning alone.
        let evidence = witnesses(6, 0.3, |i, j| 1.0 + 0.4 * ((i * 5 + j) % 4) as f64);
        assert_eq!(groups(&evidence, 6), [set_of(0..6)]);
    }

    #[test]
    fn one_that_hurts_is_left_alone() {
        // 5 standard errors below learning alone, 22 below the others.
        let evidence = witnesses(6, 0.2, |i, j| if i == 5 || j == 5 { -0.3 } else { 1.0 });
        assert_eq!(groups(&evidence, 6), [set_of(0..5), set_of([5])]);
    }

    #[test]
    fn a_task_that_gives_little_is_not_left_to_the_harmful_one() {
        // Task 4 helps its group less than its members help each other, so the others' mean would rise without it: 0.3, 5
        // standard errors above learning alone, while the harmful one is 1 below.
        let of = |i: usize, j: usize| match (i, j) {
            _ if i == 5 || j == 5 => -0.05,
            (4, _) | (_, 4) => 0.3,
            _ => 1.0,
        };
        assert_eq!(groups(&witnesses(6, 0.2, of), 6), [set_of(0..5), set_of([5])]);
    }

    #[test]
    fn a_stranger_among_many_is_left_alone() {
        // To the nine others it does nothing but by chance, which in single pairs is as much as they gain from each other: 3.5
        // standard errors between the two, a pair.
        let left = |seed| groups(&seeded(seed, 10, 1.0, |i, j| if i == 9 || j == 9 { 0.0 } else { 1.0 }), 10);
        assert!((0..10).all(|seed| left(seed) == [set_of(0..9), set_of([9])]));
    }

    #[test]
    fn noise_is_no_structure() {
        // What stands out by two and a half standard errors will at times; three of forty would be many.
        let taken = (0..40).filter(|seed| groups(&seeded(*seed, 6, 1.0, |_, _| 0.0), 6) != [set_of(0..6)]);
        let taken: Vec<u64> = taken.collect();
        assert!(taken.len() <= 3, "{taken:?}");
    }

    #[test]
    fn where_all_hurt_all_stay_apart() {
        // 35 standard errors below learning alone.
        let evidence = witnesses(4, 0.1, |_, _| -1.0);
        assert_eq!(groups(&evidence, 4), [1, 2, 4, 8]);
    }
}
